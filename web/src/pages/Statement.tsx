import { type FormEvent, useState } from "react";
import { get, wordsOf } from "../lib/api";
import { save } from "../lib/csv";
import { dec, type Dec, plain } from "../lib/decimal";
import { dayOf, MODE_NAMES } from "../lib/history";
import { coinsOf, pairs } from "../lib/market";
import { useStore } from "../lib/store";
import { note } from "../parts/Notes";

// A statement: what a period changed in each holding, from balance to balance.

interface Line {
  ts: string;
  accountType: string;
  symbol: string;
  coin: string;
  type: string;
  amount: string;
  fee: string;
  balance: string;
}

interface Holding {
  account: string;
  coin: string;
  opening: Dec;
  entries: number;
  sums: Map<string, Dec>;
  closing: Dec;
}

interface Asked {
  startTime: number;
  endTime: number;
  accountType: string;
  coin: string;
}

const ACCOUNTS: [string, string][] = [
  ["spot", "Spot"],
  ["crossed_margin", "Cross"],
  ["isolated_margin", "Isolated"],
];

export function Statement() {
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [accountType, setAccountType] = useState("");
  const [coin, setCoin] = useState("");
  const [rows, setRows] = useState<Holding[] | null>(null);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const all = coinsOf(useStore(pairs));
  const asked: Asked = { startTime: dayOf(from), endTime: dayOf(to, true) + 1, accountType, coin };
  const run = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFault("");
    try {
      await what();
    } catch (error) {
      setFault(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  const show = async (): Promise<void> => {
    const { rows: lines } = await get<{ rows: Line[] }>("/lombard/v1/statement", { ...asked });
    setRows(holdingsOf(lines));
  };
  const download = async (): Promise<void> => {
    const { csv } = await get<{ csv: string }>("/lombard/v1/statement", { ...asked, format: "csv" });
    save(`lombard-statement-${from}-${to}.csv`, csv);
    note("The statement is in the file, entry by entry.");
  };
  return (
    <>
      <form
        className="filters"
        aria-label="Period"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void run(show);
        }}
      >
        <label>
          From
          <input
            type="date"
            required
            aria-label="First day, in UTC"
            value={from}
            onChange={(event) => setFrom(event.target.value)}
          />
        </label>
        <label>
          To
          <input
            type="date"
            required
            min={from}
            aria-label="Last day, in UTC"
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        <label>
          Account
          <select aria-label="Account" value={accountType} onChange={(event) => setAccountType(event.target.value)}>
            <option value="">All</option>
            {ACCOUNTS.map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          Coin
          <select aria-label="Coin" value={coin} onChange={(event) => setCoin(event.target.value)}>
            <option value="">All</option>
            {all.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <div className="send">
          <button className="primary" disabled={busy}>
            Show
          </button>
          <button type="button" disabled={busy || !from || !to} onClick={() => void run(download)}>
            Download CSV
          </button>
        </div>
      </form>
      {fault && (
        <p className="empty fault" role="alert">
          {fault}
        </p>
      )}
      {!fault && !rows && (
        <p className="empty">
          A statement says what was held when the period began, what changed it, and what was held when it
          ended: to the unit. It has 10 000 entries at most.
        </p>
      )}
      {!fault && rows && <Holdings rows={rows} />}
    </>
  );
}

/** Add up lines by account and coin. */
function holdingsOf(lines: Line[]): Holding[] {
  const found = new Map<string, Holding>();
  for (const line of lines) {
    const kind = MODE_NAMES[line.accountType.replace("_margin", "")] ?? line.accountType;
    const account = line.symbol ? `${kind} ${line.symbol}` : kind;
    const key = `${account} ${line.coin}`;
    const holding = found.get(key) ?? {
      account,
      coin: line.coin,
      opening: 0n,
      entries: 0,
      sums: new Map<string, Dec>(),
      closing: 0n,
    };
    found.set(key, holding);
    if (line.type === "opening") holding.opening = dec(line.balance);
    else if (line.type === "closing") holding.closing = dec(line.balance);
    else {
      holding.entries += 1;
      holding.sums.set(line.type, (holding.sums.get(line.type) ?? 0n) + dec(line.amount));
    }
  }
  return [...found.values()];
}

function Holdings({ rows }: { rows: Holding[] }) {
  if (!rows.length) return <p className="empty">Nothing was held in that period.</p>;
  const signed = (value: Dec): string => (value > 0n ? `+${plain(value)}` : plain(value));
  return (
    <div className="scroll long" tabIndex={0} role="region" aria-label="Statement">
      <table>
        <thead>
          <tr>
            <th>Account</th>
            <th>Coin</th>
            <th className="num">At the beginning</th>
            <th className="num">What changed it</th>
            <th className="num">At the end</th>
            <th className="num">Entries</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.account + row.coin}>
              <th scope="row">{row.account}</th>
              <td>{row.coin}</td>
              <td className="num">{plain(row.opening)}</td>
              <td className="num">
                {[...row.sums].map(([type, sum]) => (
                  <div key={type}>
                    <span className="soft">{type.replaceAll("_", " ")}</span> {signed(sum)}
                  </div>
                ))}
              </td>
              <td className="num">{plain(row.closing)}</td>
              <td className="num">{row.entries}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
