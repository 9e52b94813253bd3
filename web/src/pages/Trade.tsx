import { useEffect, useMemo, useState } from "react";
import { account } from "../lib/account";
import { dec, fixed, percent, shown } from "../lib/decimal";
import { indexPrices, type Pair, pairs, tickers } from "../lib/market";
import { go, route } from "../lib/route";
import { useStore } from "../lib/store";
import { Book, Trades } from "../parts/Book";
import { Chart, type Line } from "../parts/Chart";
import { Dialogs } from "../parts/Dialogs";
import { OrderForm } from "../parts/OrderForm";
import { planName } from "../parts/Orders";
import { Own } from "../parts/Own";
import { Pairs } from "../parts/Pairs";
import "../styles/trade.css";

const BOOK_ROWS = 8;

export function Trade() {
  const all = useStore(pairs);
  const asked = useStore(route).rest;
  const pair = all.find((each) => each.symbol === asked) ?? all.find((each) => each.symbol === "BTCUSDT") ?? all[0];
  const [picked, setPicked] = useState({ price: "" });
  const [view, setView] = useState("chart");
  const [choosing, setChoosing] = useState(false);
  useEffect(() => {
    document.title = pair ? `${pair.base}/${pair.quote} · Lombard` : "Lombard";
  }, [pair]);
  const lines = useLines(pair?.symbol ?? "");
  if (!pair) return <p className="alone">Loading…</p>;
  const choose = (symbol: string): void => {
    setChoosing(false);
    go(`/trade/${symbol}`);
  };
  return (
    <div className="trade" data-view={view}>
      <h1 className="hidden">
        Trade {pair.base} for {pair.quote}
      </h1>
      <PairHead pair={pair} choosing={choosing} toggle={() => setChoosing(!choosing)} />
      <aside className={`panel pairs-panel ${choosing ? "open" : ""}`} aria-label="Pairs">
        <Pairs chosen={pair.symbol} choose={choose} />
      </aside>
      <div className="views" role="group" aria-label="View">
        {["chart", "book", "trades"].map((each) => (
          <button key={each} aria-pressed={view === each} onClick={() => setView(each)}>
            {each === "chart" ? "Chart" : each === "book" ? "Order book" : "Trades"}
          </button>
        ))}
      </div>
      <section className="panel chart-panel" aria-label="Chart">
        <Chart pair={pair} lines={lines} />
      </section>
      <section className="panel book-panel" aria-label="Order book">
        <Book pair={pair} rows={BOOK_ROWS} pick={(price) => setPicked({ price })} />
      </section>
      <section className="panel trades-panel" aria-label="Trades">
        <Trades pair={pair} />
      </section>
      <section className="panel form-panel" aria-label="Order form">
        <OrderForm pair={pair} picked={picked} />
      </section>
      <Own symbol={pair.symbol} />
      <Dialogs />
    </div>
  );
}

function PairHead(props: { pair: Pair; choosing: boolean; toggle: () => void }) {
  const { pair } = props;
  const ticker = useStore(tickers)[pair.symbol];
  const index = useStore(indexPrices);
  const change = dec(ticker?.change);
  const of = (text: string | undefined): string => (text ? shown(dec(text), pair.priceDecimals) : "–");
  return (
    <div className="panel pair-head">
      <button className="pair-name" aria-expanded={props.choosing} onClick={props.toggle}>
        {pair.base}/{pair.quote} <span aria-hidden="true">▾</span>
      </button>
      <b className={`last num ${change < 0n ? "down" : "up"}`}>{of(ticker?.last)}</b>
      <dl>
        <div>
          <dt>24 h</dt>
          <dd className={`num ${change < 0n ? "down" : "up"}`}>
            {change > 0n ? "+" : ""}
            {percent(change)}
          </dd>
        </div>
        <div>
          <dt>Index (USDT)</dt>
          <dd className="num">{index[pair.base] ? shown(index[pair.base] ?? 0n, pair.priceDecimals) : "–"}</dd>
        </div>
        <div>
          <dt>High</dt>
          <dd className="num">{of(ticker?.high)}</dd>
        </div>
        <div>
          <dt>Low</dt>
          <dd className="num">{of(ticker?.low)}</dd>
        </div>
        <div>
          <dt>Volume ({pair.quote})</dt>
          <dd className="num">{shown(dec(ticker?.volume), 0)}</dd>
        </div>
      </dl>
    </div>
  );
}

/** One's own prices on the chart: orders, what waits, entry, liquidation. */
function useLines(symbol: string): Line[] {
  const { orders, plans, positions } = useStore(account);
  const places = useStore(pairs).find((each) => each.symbol === symbol)?.priceDecimals ?? 2;
  // Cut off as everywhere else.
  const at = (price: string): number => Number(fixed(dec(price), places));
  const told = JSON.stringify([
    ...positions
      .filter((each) => each.symbol === symbol)
      .flatMap((each) => [
        { price: at(each.averageEntryPrice), kind: "entry", title: `${each.mode === "crossed" ? "cross" : each.mode} ${each.side}` },
        { price: at(each.liquidationPrice), kind: "liquidation", title: "liquidation" },
      ]),
    ...plans
      .filter((each) => each.symbol === symbol)
      .map((each) => ({ price: at(each.triggerPrice), kind: each.side, title: `${planName(each)} ${each.side}` })),
    ...orders
      .filter((each) => each.symbol === symbol && each.orderType === "limit")
      .map((each) => ({ price: at(each.price), kind: each.side, title: each.side })),
  ]);
  return useMemo(() => (JSON.parse(told) as Line[]).filter((each) => each.price > 0), [told]);
}
