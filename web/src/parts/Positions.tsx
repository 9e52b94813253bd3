import { useState } from "react";
import { account, type Mode, type Position } from "../lib/account";
import { post } from "../lib/api";
import { amount, dec, type Dec, div, mul, percent, shown } from "../lib/decimal";
import { indexPrices, type Pair, pairs } from "../lib/market";
import { useStore } from "../lib/store";
import { MODES } from "../lib/telling";
import { Frame } from "./Dialogs";
import { Fact, Switch } from "./Field";

// Positions as they stand at the index price of this moment.

export function Positions({ rows }: { rows: Position[] }) {
  const [closing, setClosing] = useState<Position | null>(null);
  if (!rows.length) return <p className="empty">No positions.</p>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th>Pair</th>
            <th>Side</th>
            <th className="num">Size</th>
            <th className="num">Entry</th>
            <th className="num">Index</th>
            <th className="num">Liquidation</th>
            <th className="num">Unrealised</th>
            <th className="num">Realised</th>
            <th className="num">Interest due</th>
            <th>
              <span className="hidden">Close</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.mode + row.symbol} row={row} close={() => setClosing(row)} />
          ))}
        </tbody>
      </table>
      {closing && <Close row={closing} leave={() => setClosing(null)} />}
    </>
  );
}

function usePair(symbol: string): Pair | undefined {
  return useStore(pairs).find((pair) => pair.symbol === symbol);
}

function Row({ row, close }: { row: Position; close: () => void }) {
  const pair = usePair(row.symbol);
  const prices = useStore(indexPrices);
  const places = pair?.priceDecimals ?? 2;
  const quote = prices[pair?.quote ?? ""] ?? 0n;
  const index = quote ? div(prices[pair?.base ?? ""] ?? 0n, quote) : dec(row.indexPrice);
  const [size, entry] = [dec(row.size), dec(row.averageEntryPrice)];
  const gain = mul(size, row.side === "long" ? index - entry : entry - index);
  const cost = mul(size, entry);
  return (
    <tr>
      <th scope="row">
        {row.symbol} <small className="soft">{MODES[row.mode]}</small>
      </th>
      <td className={row.side === "long" ? "up" : "down"}>{row.side}</td>
      <td className="num">
        {amount(size)} <small className="soft">{pair?.base}</small>
      </td>
      <td className="num">{shown(entry, places)}</td>
      <td className="num">{shown(index, places)}</td>
      <td className="num warning">
        {row.liquidationPrice
          ? `${shown(dec(row.liquidationPrice), places)} ${row.liquidatedWhen.includes("above") ? "↑" : "↓"}`
          : "–"}
      </td>
      <td className={`num ${gain < 0n ? "down" : "up"}`}>
        {signed(gain)} <small>{cost ? percent(div(gain, cost)) : ""}</small>
      </td>
      <td className={`num ${dec(row.realisedProfit) < 0n ? "down" : ""}`}>{signed(dec(row.realisedProfit))}</td>
      <td className="num">{interestOf(row, pair)}</td>
      <td className="act">
        <button onClick={close}>Close</button>
      </td>
    </tr>
  );
}

const signed = (value: Dec): string => (value > 0n ? "+" : "") + shown(value, 2);

function interestOf(row: Position, pair: Pair | undefined): string {
  const due: [string, string][] = [
    [row.baseInterestDue, pair?.base ?? ""],
    [row.quoteInterestDue, pair?.quote ?? ""],
  ];
  const told = due.filter(([value]) => dec(value) > 0n);
  return told.map(([value, coin]) => `${shown(dec(value), 8)} ${coin}`).join(" + ") || "–";
}

/** Close at market; what was borrowed for it is repaid, unless one would rather keep it. */
function Close({ row, leave }: { row: Position; leave: () => void }) {
  const [repays, setRepays] = useState(true);
  const own = useStore(account);
  const pair = usePair(row.symbol);
  const { mode, symbol } = row;
  const [base, quote] = [pair?.base ?? "", pair?.quote ?? ""];
  const act = row.side === "long" ? "Sell" : "Buy";
  const run = async (): Promise<string> => {
    await post("/lombard/v1/margin/close-position", { mode, symbol, repay: String(repays) });
    return `The position in ${symbol} is closed${repays ? ", and its debt repaid" : ""}.`;
  };
  const owed = own[mode as Exclude<Mode, "spot">]
    .filter((each) => mode !== "isolated" || each.symbol === symbol)
    .filter((each) => each.coin === base || each.coin === quote)
    .map((each) => ({ coin: each.coin, all: dec(each.borrow) + dec(each.interest) }))
    .filter((each) => each.all > 0n);
  return (
    <Frame
      title={`Close ${row.side} ${symbol} · ${MODES[mode]}`}
      act={`${act} ${amount(dec(row.size))} ${base} at market`}
      able
      run={run}
      leave={leave}
    >
      <Fact name="Size">
        {amount(dec(row.size))} {base}
      </Fact>
      <Fact name={`Worth at the index, about`}>
        {amount(mul(dec(row.size), dec(row.indexPrice)), quote)} {quote}
      </Fact>
      {owed.map((each) => (
        <Fact key={each.coin} name="Owed in this account">
          {amount(each.all, each.coin)} {each.coin}
        </Fact>
      ))}
      <Switch label="Repay with what comes of it" on={repays} change={setRepays} />
      {!repays && owed.length > 0 && (
        <p className="hint">What is owed stays owed, and costs interest every hour until it is repaid.</p>
      )}
      <p className="hint">
        The order keeps to the band around the index: what finds nobody inside it stays open.
      </p>
    </Frame>
  );
}
