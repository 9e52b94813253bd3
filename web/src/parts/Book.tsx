import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { account } from "../lib/account";
import { abs, amount, dec, type Dec, fixed, ONE, percent, plain, shown } from "../lib/decimal";
import type { Pair } from "../lib/market";
import { market } from "../lib/socket";
import { Store, useStore } from "../lib/store";

// The order book: the venue tells its changes, here they are put together and grouped.

type Levels = Map<string, string>;
interface Sides {
  bids: Levels;
  asks: Levels;
}
interface Level {
  price: Dec;
  size: Dec;
  total: Dec;
}

const GROUPS = [1, 10, 100, 1000];

export function Book(props: { pair: Pair; rows: number; pick: (price: string) => void }) {
  const { pair, rows } = props;
  const store = useBook(pair.symbol);
  const book = useStore(store);
  const [group, setGroup] = useState(1);
  const step = (ONE / 10n ** BigInt(pair.priceDecimals)) * BigInt(group);
  const bids = useMemo(() => grouped(book.bids, step, false, rows), [book, step, rows]);
  const asks = useMemo(() => grouped(book.asks, step, true, rows), [book, step, rows]);
  const deepest = [...bids, ...asks].reduce((most, each) => (each.total > most ? each.total : most), 1n);
  const middle = bids[0] && asks[0] ? (bids[0].price + asks[0].price) / 2n : 0n;
  const isRising = useDirection(middle);
  const mine = useOwnLevels(pair.symbol, step);
  const places = Math.max(0, pair.priceDecimals - Math.log10(group));
  const line = (level: Level | undefined, kind: string, index: number) => (
    <Line
      key={index}
      level={level}
      kind={kind}
      pair={pair}
      places={places}
      deepest={deepest}
      isBest={!!level && (level === bids[0] || level === asks[0])}
      isMine={!!level && mine.has(`${kind}${level.price}`)}
      pick={props.pick}
    />
  );
  const blank = (count: number): undefined[] => Array.from({ length: Math.max(0, count) });
  return (
    <div className="book" onKeyDown={walk}>
      <div className="panel-head">
        <h2>Order book</h2>
        <select
          aria-label="Group prices by"
          value={group}
          onChange={(event) => setGroup(Number(event.target.value))}
        >
          {GROUPS.map((each) => (
            <option key={each} value={each}>
              {plain((ONE / 10n ** BigInt(pair.priceDecimals)) * BigInt(each))}
            </option>
          ))}
        </select>
      </div>
      <div className="line head" aria-hidden="true">
        <span>Price {pair.quote}</span>
        <span>Size {pair.base}</span>
        <span>Sum</span>
      </div>
      <div className="side">
        {[...blank(rows - asks.length), ...[...asks].reverse()].map((each, index) =>
          line(each, "ask", index),
        )}
      </div>
      <div className="middle num">
        <b className={isRising ? "up" : "down"}>{middle ? shown(middle, pair.priceDecimals) : "–"}</b>
        <small className="soft">{spreadOf(bids[0], asks[0])}</small>
      </div>
      <div className="side">
        {[...bids, ...blank(rows - bids.length)].map((each, index) => line(each, "bid", index))}
      </div>
    </div>
  );
}

/** Say which way a price has last moved. */
function useDirection(price: Dec): boolean {
  const seen = useRef({ price: 0n, isRising: true });
  if (price !== seen.current.price) {
    seen.current = { price, isRising: price > seen.current.price };
  }
  return seen.current.isRising;
}

/** The levels that one's own orders stand on, as they are grouped. */
function useOwnLevels(symbol: string, step: Dec): Set<string> {
  const { orders } = useStore(account);
  return useMemo(() => {
    const own = orders.filter((each) => each.symbol === symbol && each.orderType === "limit");
    return new Set(
      own.map((each) => {
        const isAsk = each.side === "sell";
        return `${isAsk ? "ask" : "bid"}${levelOf(dec(each.price), step, isAsk)}`;
      }),
    );
  }, [orders, symbol, step]);
}

/** Go from level to level with the arrow keys: the best of each side is reached with Tab. */
function walk(event: KeyboardEvent<HTMLDivElement>): void {
  const way = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
  const levels = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button.line")];
  const at = levels.indexOf(document.activeElement as HTMLButtonElement);
  if (!way || at < 0) return;
  event.preventDefault();
  levels[at + way]?.focus();
}

function Line(props: {
  level: Level | undefined;
  kind: string;
  pair: Pair;
  places: number;
  deepest: Dec;
  isBest: boolean;
  isMine: boolean;
  pick: (price: string) => void;
}) {
  const { level, pair } = props;
  if (!level) return <div className="line" />;
  const share = Number((level.total * 1000n) / props.deepest) / 1000;
  return (
    <button
      tabIndex={props.isBest ? 0 : -1}
      className={`line ${props.kind} ${props.isMine ? "mine" : ""}`}
      title={props.isMine ? "You have an order here" : undefined}
      onClick={() => props.pick(fixed(level.price, pair.priceDecimals))}
    >
      <i style={{ transform: `scaleX(${share})` }} />
      <span>{shown(level.price, props.places)}</span>
      <span>{sized(level.size, pair)}</span>
      <span>{sized(level.total, pair)}</span>
    </button>
  );
}

const sized = (size: Dec, pair: Pair): string =>
  size >= ONE * 10_000n ? shown(size, 0) : shown(size, Math.min(4, pair.sizeDecimals));

function spreadOf(bid: Level | undefined, ask: Level | undefined): string {
  if (!bid || !ask) return "one side is empty";
  const spread = abs(ask.price - bid.price);
  return `spread ${percent((spread * ONE) / ask.price, 3)}`;
}

/** The level a price is counted to: asks upwards, bids downwards. */
function levelOf(price: Dec, step: Dec, isAsk: boolean): Dec {
  const down = price - (price % step);
  return isAsk && down !== price ? down + step : down;
}

function grouped(levels: Levels, step: Dec, rising: boolean, rows: number): Level[] {
  const sums = new Map<Dec, Dec>();
  for (const [text, size] of levels) {
    const at = levelOf(dec(text), step, rising);
    sums.set(at, (sums.get(at) ?? 0n) + dec(size));
  }
  const sorted = [...sums].sort(([a], [b]) => (a < b === rising ? -1 : 1)).slice(0, rows);
  let total = 0n;
  return sorted.map(([price, size]) => {
    total += size;
    return { price, size, total };
  });
}

function useBook(symbol: string): Store<Sides> {
  const store = useMemo(() => new Store<Sides>({ bids: new Map(), asks: new Map() }, "calm"), [symbol]);
  useEffect(
    () =>
      market.subscribe({ instType: "SPOT", channel: "books", instId: symbol }, ([told], action) => {
        if (!told) return;
        const fresh = action === "snapshot";
        const merge = (old: Levels, changes: [string, string][]): Levels => {
          const next = new Map(fresh ? [] : old);
          for (const [price, size] of changes) {
            if (dec(size) === 0n) next.delete(price);
            else next.set(price, size);
          }
          return next;
        };
        store.change((now) => ({
          bids: merge(now.bids, told.bids ?? []),
          asks: merge(now.asks, told.asks ?? []),
        }));
      }),
    [symbol, store],
  );
  return store;
}

interface Print {
  tradeId: string;
  ts: string;
  price: string;
  size: string;
  side: string;
}
const PRINTS = 40;

export function Trades({ pair }: { pair: Pair }) {
  const store = useMemo(() => new Store<Print[]>([], "calm"), [pair.symbol]);
  useEffect(
    () =>
      market.subscribe({ instType: "SPOT", channel: "trade", instId: pair.symbol }, (rows, action) =>
        store.change((now) => [...rows, ...(action === "snapshot" ? [] : now)].slice(0, PRINTS)),
      ),
    [pair.symbol, store],
  );
  return (
    <div className="trades">
      <div className="panel-head">
        <h2>Trades</h2>
      </div>
      <div className="line head" aria-hidden="true">
        <span>Price {pair.quote}</span>
        <span>Size {pair.base}</span>
        <span>Time UTC</span>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Trades">
        {useStore(store).map((each) => (
          <div className={`line ${each.side === "buy" ? "bid" : "ask"}`} key={each.tradeId}>
            <span>{shown(dec(each.price), pair.priceDecimals)}</span>
            <span>{amount(dec(each.size))}</span>
            <span>{new Date(Number(each.ts)).toISOString().slice(11, 19)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
