import { useEffect, useState } from "react";
import { account, type Balance, type Mode } from "../lib/account";
import { get, me } from "../lib/api";
import { amount, dec, type Dec, percent, shown } from "../lib/decimal";
import { coinsOf, indexPrices, pairs, worth } from "../lib/market";
import { useStore } from "../lib/store";
import { Dialogs, openDialog } from "../parts/Dialogs";
import { Gauge } from "../parts/Gauge";
import { timeOf } from "../parts/SandboxBar";

export function Assets() {
  const own = useStore(account);
  const user = useStore(me);
  const prices = useStore(indexPrices);
  useEffect(() => {
    document.title = "Assets · Lombard";
  }, []);
  if (!user) {
    return (
      <p className="alone">
        <a href="#/log-in">Log in</a> to see your assets.
      </p>
    );
  }
  const sum = (rows: Balance[]): Dec => rows.reduce((all, row) => all + worth(prices, row.coin, netOf(row)), 0n);
  const symbols = [...new Set(own.isolated.map((row) => row.symbol))];
  return (
    <div className="assets">
      <h1>Assets</h1>
      <div className="panel totals">
        <Total name="Net worth" value={sum(own.spot) + sum(own.crossed) + sum(own.isolated)} />
        <Total name="Spot" value={sum(own.spot)} />
        <Total name="Cross" value={sum(own.crossed)} />
        <Total name="Isolated" value={sum(own.isolated)} />
      </div>
      <section className="panel" aria-label="Spot account">
        <div className="panel-head">
          <h2>Spot</h2>
        </div>
        <Balances mode="spot" rows={own.spot} symbol="" />
      </section>
      <section className="panel" aria-label="Cross account">
        <div className="panel-head">
          <h2>Cross margin</h2>
          <Actions mode="crossed" symbol="" coin="USDT" indebted={own.crossed.some((row) => debtOf(row) > 0n)} />
        </div>
        <Gauge label="Risk ratio" ratio={own.crossedRisk} large />
        <Balances mode="crossed" rows={own.crossed} symbol="" />
      </section>
      {symbols.map((symbol) => {
        const rows = own.isolated.filter((row) => row.symbol === symbol);
        const quote = pairs.get().find((pair) => pair.symbol === symbol)?.quote ?? "USDT";
        return (
          <section className="panel" key={symbol} aria-label={`Isolated account ${symbol}`}>
            <div className="panel-head">
              <h2>Isolated {symbol}</h2>
              <Actions mode="isolated" symbol={symbol} coin={quote} indebted={rows.some((row) => debtOf(row) > 0n)} />
            </div>
            <Gauge label="Risk ratio" ratio={own.isolatedRisk[symbol] ?? "0"} large />
            <Balances mode="isolated" rows={rows} symbol={symbol} />
          </section>
        );
      })}
      <OpenIsolated there={symbols} />
      <Receipts isolated={symbols} />
      <Dialogs />
    </div>
  );
}

const debtOf = (row: Balance): Dec => dec(row.borrow) + dec(row.interest);
const totalOf = (row: Balance): Dec => (row.total ? dec(row.total) : dec(row.available) + dec(row.frozen));
const netOf = (row: Balance): Dec => totalOf(row) - debtOf(row);

function Total({ name, value }: { name: string; value: Dec }) {
  return (
    <div>
      <span className="soft">{name}</span>
      <b className="num">
        {shown(value, 2)} <small>USDT</small>
      </b>
    </div>
  );
}

function Actions(props: { mode: Mode; symbol: string; coin: string; indebted: boolean }) {
  const { mode, symbol, coin } = props;
  const open = (kind: "transfer" | "borrow") => () => openDialog({ kind, mode, symbol, coin });
  return (
    <div className="actions">
      <button onClick={open("transfer")}>Transfer</button>
      <button onClick={open("borrow")}>Borrow</button>
      {props.indebted && (
        <button onClick={() => openDialog({ kind: "flash", mode, symbol, coin: "" })}>Flash repay</button>
      )}
    </div>
  );
}

function Balances({ mode, rows, symbol }: { mode: Mode; rows: Balance[]; symbol: string }) {
  const prices = useStore(indexPrices);
  if (!rows.length) {
    return (
      <p className="empty">
        Nothing here.{" "}
        {mode !== "spot" && (
          <button className="link" onClick={() => openDialog({ kind: "transfer", mode, symbol, coin: "USDT" })}>
            Transfer from spot
          </button>
        )}
      </p>
    );
  }
  const margin = mode !== "spot";
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={`Balances ${mode} ${symbol}`}>
      <table>
        <thead>
          <tr>
            <th>Coin</th>
            <th className="num">Total</th>
            <th className="num">Available</th>
            <th className="num">Frozen</th>
            {margin && <th className="num">Loan</th>}
            {margin && <th className="num">Interest</th>}
            {margin && <th className="num">Debt</th>}
            {margin && <th className="num">Net</th>}
            <th className="num">{margin ? "Net in USDT" : "In USDT"}</th>
            {margin && (
              <th>
                <span className="hidden">Repay</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.coin}>
              <th scope="row">{row.coin}</th>
              <Number value={totalOf(row)} coin={row.coin} />
              <Number value={dec(row.available)} coin={row.coin} />
              <Number value={dec(row.frozen)} coin={row.coin} />
              {margin && <Number value={dec(row.borrow)} coin={row.coin} />}
              {margin && <td className="num">{dec(row.interest) ? row.interest : "0"}</td>}
              {margin && <td className="num">{debtOf(row) ? shown(debtOf(row), 8) : "0"}</td>}
              {margin && <Number value={netOf(row)} coin={row.coin} />}
              <td className="num">{shown(worth(prices, row.coin, netOf(row)), 2)}</td>
              {margin && (
                <td className="act">
                  {debtOf(row) > 0n && (
                    <button onClick={() => openDialog({ kind: "repay", mode, symbol, coin: row.coin })}>Repay</button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Number = ({ value, coin }: { value: Dec; coin: string }) => (
  <td className={`num ${value < 0n ? "down" : ""}`}>{amount(value, coin)}</td>
);

function OpenIsolated({ there }: { there: string[] }) {
  const left = useStore(pairs).filter((pair) => pair.isolated && !there.includes(pair.symbol));
  if (!left.length) return null;
  return (
    <section className="panel" aria-label="More isolated accounts">
      <div className="panel-head">
        <h2>{there.length ? "Other isolated accounts" : "Isolated margin"}</h2>
        <div className="actions">
          {left.map((pair) => (
            <button
              key={pair.symbol}
              onClick={() => openDialog({ kind: "transfer", mode: "isolated", symbol: pair.symbol, coin: pair.quote })}
            >
              {pair.symbol}
            </button>
          ))}
        </div>
      </div>
      <p className="empty">An isolated account holds the two coins of one pair, and opens with a transfer into it.</p>
    </section>
  );
}

interface Receipt {
  interestId: string;
  coin: string;
  hour: string;
  principal: string;
  dailyInterestRate: string;
  grossAmount: string;
  savedAmount: string;
  interestAmount: string;
}

function Receipts({ isolated }: { isolated: string[] }) {
  const [of, setOf] = useState("crossed");
  const [coin, setCoin] = useState("");
  const [rows, setRows] = useState<Receipt[]>([]);
  const { reading } = useStore(account);
  useEffect(() => {
    let isCurrent = true;
    const mode = of === "crossed" ? "crossed" : "isolated";
    const symbol = of === "crossed" ? undefined : of;
    get<{ resultList: Receipt[] }>(`/lombard/v1/margin/${mode}/interest-receipts`, { symbol, coin, limit: 100 })
      .then((found) => isCurrent && setRows(found.resultList))
      .catch(() => isCurrent && setRows([]));
    return () => {
      isCurrent = false;
    };
  }, [of, coin, reading]);
  return (
    <section className="panel" aria-label="Interest receipts">
      <div className="panel-head">
        <h2>Interest receipts</h2>
        <div className="actions">
          <a className="button" href="#/history/interest">
            All, and as a file
          </a>
          <select aria-label="Account" value={of} onChange={(event) => setOf(event.target.value)}>
            <option value="crossed">Cross</option>
            {isolated.map((symbol) => (
              <option key={symbol} value={symbol}>
                Isolated {symbol}
              </option>
            ))}
          </select>
          <select aria-label="Coin of the receipts" value={coin} onChange={(event) => setCoin(event.target.value)}>
            <option value="">All coins</option>
            {coinsOf(pairs.get()).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </div>
      </div>
      {rows.length ? (
        <div className="scroll receipts" tabIndex={0} role="region" aria-label="Receipts">
          <table>
            <thead>
              <tr>
                <th>Hour (UTC)</th>
                <th>Coin</th>
                <th className="num">Principal</th>
                <th className="num">Daily rate</th>
                <th className="num">Saved by coupons</th>
                <th className="num">Interest</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.interestId + row.hour}>
                  <th scope="row" className="num left">
                    {timeOf(row.hour)}
                  </th>
                  <td>{row.coin}</td>
                  <td className="num">{amount(dec(row.principal), row.coin)}</td>
                  <td className="num">{percent(dec(row.dailyInterestRate), 4)}</td>
                  <td className="num">{dec(row.savedAmount) ? row.savedAmount : "–"}</td>
                  <td className="num">{row.interestAmount}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="empty">No interest yet. It is charged when something is borrowed, and at each full hour.</p>
      )}
    </section>
  );
}
