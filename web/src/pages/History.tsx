import { useEffect, useMemo, useRef, useState } from "react";
import { account } from "../lib/account";
import { me, wordsOf } from "../lib/api";
import { csv, save } from "../lib/csv";
import { amount, dec, percent, shown } from "../lib/decimal";
import { Feed, type Row } from "../lib/feed";
import { type Column, dayOf, type Filter, type Kind, KINDS, MODE_NAMES, spanFault } from "../lib/history";
import { coinsOf, pairs } from "../lib/market";
import { go, route } from "../lib/route";
import { useStore } from "../lib/store";
import { LiquidationRecord } from "../parts/LiquidationRecord";
import { note } from "../parts/Notes";
import { timeOf } from "../parts/SandboxBar";
import { Stranger } from "../parts/Stranger";
import { Statement } from "./Statement";
import "../styles/pages.css";

// What happened: every list of it, with filters, page by page, and as a file.

const PAGE = 50;
const FILE_ROWS_MAX = 10_000;
const CHUNK = 500;
const STATEMENT = "statement";
const EVERYTHING: Filter = { mode: "", symbol: "", coin: "", type: "", from: 0, to: 0 };

export default function History() {
  const user = useStore(me);
  const { rest } = useStore(route);
  const isStatement = rest === STATEMENT;
  const kind = KINDS.find((each) => each.name === rest) ?? (KINDS[0] as Kind);
  const title = isStatement ? "Statement" : kind.title;
  const name = isStatement ? STATEMENT : kind.name;
  const tabs = [...KINDS.map((each) => [each.name, each.title]), [STATEMENT, "Statement"]];
  useEffect(() => {
    document.title = `${title} · Lombard`;
  }, [title]);
  if (!user) return <Stranger to="see what happened in your accounts" />;
  return (
    <div className="wide-page">
      <h1>History</h1>
      <section className="panel" aria-label="History">
        <div className="tabs" role="tablist">
          {tabs.map(([each, shown]) => (
            <button
              key={each}
              role="tab"
              id={`kind-${each}`}
              aria-selected={each === name}
              aria-controls="history"
              onClick={() => go(`/history/${each}`)}
            >
              {shown}
            </button>
          ))}
        </div>
        <div role="tabpanel" id="history" aria-labelledby={`kind-${name}`}>
          {isStatement ? <Statement /> : <List key={kind.name} kind={kind} />}
        </div>
      </section>
    </div>
  );
}

function List({ kind }: { kind: Kind }) {
  const [filter, setFilter] = useState<Filter>(EVERYTHING);
  const fault = spanFault(filter.from, filter.to);
  return (
    <>
      <Filters kind={kind} filter={filter} change={(part) => setFilter({ ...filter, ...part })} />
      {fault ? (
        <p className="empty fault" role="alert">
          {fault}
        </p>
      ) : (
        <Pages kind={kind} filter={filter} />
      )}
    </>
  );
}

function Filters(props: { kind: Kind; filter: Filter; change: (part: Partial<Filter>) => void }) {
  const { kind, filter, change } = props;
  const all = useStore(pairs);
  const day = (name: "from" | "to", title: string) => (
    <label>
      {title}
      <input
        type="date"
        aria-label={`${title}, day in UTC`}
        onChange={(event) => change({ [name]: dayOf(event.target.value, name === "to") })}
      />
    </label>
  );
  return (
    <form className="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      {kind.modes.length > 0 && (
        <Choice
          title="Account"
          value={filter.mode}
          choose={(mode) => change({ mode: mode as Filter["mode"] })}
          values={kind.modes.map((mode) => [mode, MODE_NAMES[mode] ?? mode])}
        />
      )}
      {kind.by.includes("symbol") && (
        <Choice
          title={kind.by.includes("coin") ? "Isolated pair" : "Pair"}
          value={filter.symbol}
          choose={(symbol) => change({ symbol })}
          values={all.map((pair) => [pair.symbol, pair.symbol])}
        />
      )}
      {kind.by.includes("coin") && (
        <Choice
          title="Coin"
          value={filter.coin}
          choose={(coin) => change({ coin })}
          values={coinsOf(all).map((coin) => [coin, coin])}
        />
      )}
      {kind.types && (
        <Choice title="What" value={filter.type} choose={(type) => change({ type })} values={kind.types} />
      )}
      {day("from", "From")}
      {day("to", "To")}
    </form>
  );
}

function Choice(props: {
  title: string;
  value: string;
  values: [string, string][];
  choose: (value: string) => void;
}) {
  return (
    <label>
      {props.title}
      <select
        aria-label={props.title}
        value={props.value}
        onChange={(event) => props.choose(event.target.value)}
      >
        <option value="">All</option>
        {props.values.map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Read a feed from its beginning, as far as it is wanted; what was read once is kept. */
function keeping(feed: Feed): (count: number) => Promise<Row[]> {
  const rows: Row[] = [];
  let last: Promise<unknown> = Promise.resolve();
  return (count) => {
    const next = last.then(async () => {
      if (rows.length < count) rows.push(...(await feed.take(count - rows.length)));
      return rows;
    });
    last = next.catch(() => undefined);
    return next;
  };
}

/** Rows as they come in, as far as one has turned the pages. */
function usePages(kind: Kind, filter: Filter) {
  const { isolated, reading, loaded } = useStore(account);
  const opened = [...new Set(isolated.map((row) => row.symbol))].join();
  const key = JSON.stringify([kind.name, filter, opened]);
  const [page, setPage] = useState(0);
  const [rows, setRows] = useState<Row[] | null>(null);
  const [hasMore, setHasMore] = useState(false);
  const [fault, setFault] = useState("");
  const feed = useRef<{ key: string; read: (count: number) => Promise<Row[]> } | null>(null);
  const turn = useRef(0);
  const make = (ahead: number): Feed => new Feed(kind.sources(filter, opened ? opened.split(",") : []), ahead);

  useEffect(() => setPage(0), [key]);
  useEffect(() => {
    if (!loaded) return;
    // What is new shows on the first page; further back nothing changes under the reader.
    if (page === 0 || feed.current?.key !== key) feed.current = { key, read: keeping(make(PAGE * 2)) };
    const reader = feed.current;
    turn.current += 1;
    const mine = turn.current;
    const wanted = (page + 1) * PAGE + 1;
    const read = async (): Promise<void> => {
      try {
        const all = await reader.read(wanted);
        if (mine !== turn.current) return;
        setRows(all.slice(page * PAGE, (page + 1) * PAGE));
        setHasMore(all.length >= wanted);
        setFault("");
      } catch (error) {
        if (mine === turn.current) setFault(wordsOf(error));
      }
    };
    void read();
  }, [key, page, loaded, page === 0 ? reading : 0]);
  return { rows, page, setPage, hasMore, fault, make };
}

function Pages({ kind, filter }: { kind: Kind; filter: Filter }) {
  const { rows, page, setPage, hasMore, fault, make } = usePages(kind, filter);
  const [record, setRecord] = useState<Row | null>(null);
  const hasRecords = kind.name === "liquidations";
  return (
    <>
      {fault && (
        <p className="empty fault" role="alert">
          {fault}
        </p>
      )}
      {!rows && !fault && <p className="empty">Reading…</p>}
      {rows && !rows.length && <p className="empty">{kind.empty}</p>}
      {rows && rows.length > 0 && (
        <div className="scroll long" tabIndex={0} role="region" aria-label={kind.title}>
          <table>
            <thead>
              <tr>
                {kind.columns.map((column) => (
                  <th key={column.title} className={isNumber(column) ? "num" : undefined}>
                    {column.title}
                  </th>
                ))}
                {hasRecords && (
                  <th>
                    <span className="hidden">Record</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={kind.columns.map((column) => column.raw(row)).join()}>
                  {kind.columns.map((column) => (
                    <Cell key={column.title} column={column} row={row} />
                  ))}
                  {hasRecords && (
                    <td className="act">
                      <button onClick={() => setRecord(row)}>Record</button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="turn">
        <button disabled={page === 0} onClick={() => setPage(page - 1)}>
          Newer
        </button>
        <span className="soft">Page {page + 1}</span>
        <button disabled={!hasMore} onClick={() => setPage(page + 1)}>
          Older
        </button>
        <span className="room" />
        <Download kind={kind} filter={filter} make={make} disabled={!rows?.length} />
      </div>
      {record && (
        <LiquidationRecord
          mode={record.mode ?? ""}
          symbol={record.symbol ?? ""}
          liqId={record.liqId ?? ""}
          shut={() => setRecord(null)}
        />
      )}
    </>
  );
}

const isNumber = (column: Column): boolean =>
  ["amount", "sized", "price", "percent", "risk", "exact"].includes(column.look ?? "");

function Cell({ column, row }: { column: Column; row: Row }) {
  const raw = column.raw(row);
  if (column.look === "side") {
    return <td className={raw.includes("sell") ? "down" : "up"}>{raw}</td>;
  }
  if (column.look === "time") return <td className="num left">{raw ? timeOf(raw) : "–"}</td>;
  if (!isNumber(column)) {
    return <td className={column.title === "Id" ? "soft num left" : undefined}>{raw || "–"}</td>;
  }
  return <td className="num">{shownAs(column, row, raw)}</td>;
}

function shownAs(column: Column, row: Row, raw: string): string {
  if (column.look === "sized") {
    const [size, coin] = raw.split(" ");
    return `${amount(dec(size), coin)} ${coin ?? ""}`;
  }
  const value = dec(raw);
  if (!raw || (value === 0n && column.look === "price")) return "–";
  if (column.look === "percent") return percent(value, 4);
  if (column.look === "risk") return percent(value, 1);
  if (column.look === "exact") return value === 0n ? "0" : raw;
  if (column.look === "price") {
    const pair = pairs.get().find((each) => each.symbol === row.symbol);
    return shown(value, pair?.priceDecimals ?? 2);
  }
  return amount(value, column.coin?.(row));
}

function Download(props: { kind: Kind; filter: Filter; make: (ahead: number) => Feed; disabled: boolean }) {
  const [count, setCount] = useState(-1);
  const gone = useRef(false);
  useEffect(
    () => () => {
      gone.current = true;
    },
    [],
  );
  const { kind } = props;
  const title = useMemo(() => `lombard-${kind.name}.csv`, [kind]);
  const download = async (): Promise<void> => {
    const feed = props.make(CHUNK);
    const rows: Row[] = [];
    setCount(0);
    try {
      while (rows.length < FILE_ROWS_MAX && !gone.current) {
        const found = await feed.take(CHUNK);
        rows.push(...found);
        setCount(rows.length);
        if (found.length < CHUNK) break;
      }
      const isCut = rows.length >= FILE_ROWS_MAX && (await feed.take(1)).length > 0;
      if (gone.current) return;
      const head = kind.columns.map((column) => column.title);
      const written = rows.map((row) => kind.columns.map((column) => saved(column, row)));
      save(title, csv(head, written));
      note(
        isCut
          ? `The newest ${rows.length} rows are in the file. There are more: narrow the days for the rest.`
          : `${rows.length} rows are in the file: all that the filter shows.`,
      );
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setCount(-1);
    }
  };
  return (
    <>
      <small className="soft">At most {FILE_ROWS_MAX.toLocaleString("en").replace(",", " ")} rows</small>
      <button disabled={props.disabled || count >= 0} onClick={() => void download()}>
        {count < 0 ? "Download CSV" : `${count} rows…`}
      </button>
    </>
  );
}

const saved = (column: Column, row: Row): string => {
  const raw = column.raw(row);
  return column.look === "time" && raw ? new Date(Number(raw)).toISOString() : raw;
};
