import { note } from "../parts/Notes";
import type { Mode } from "./account";
import { dec, plain, shown } from "./decimal";
import { type Pair, pairs } from "./market";

// What became of orders, said as it is pushed.

type Row = Record<string, string>;

export const MODES: Record<Mode, string> = { spot: "Spot", crossed: "Cross", isolated: "Isolated" };

const pairOf = (row: Row): Pair | undefined =>
  pairs.get().find((each) => each.symbol === (row.symbol ?? row.instId));

function orderWords(mode: Mode, row: Row): string {
  const pair = pairOf(row);
  const name = pair ? `${pair.base}/${pair.quote}` : (row.symbol ?? row.instId ?? "");
  return `${row.side === "sell" ? "sell" : "buy"} ${name}, ${MODES[mode]}`;
}

const priceWords = (row: Row, price: string | undefined): string =>
  shown(dec(price), pairOf(row)?.priceDecimals ?? 8);

export function tellOfOrders(mode: Mode, rows: Row[]): void {
  for (const row of rows) {
    if (row.status === "filled") {
      const size = plain(dec(row.accBaseVolume ?? row.baseVolume), 8);
      const price = priceWords(row, row.accBaseVolume ? row.priceAvg : row.fillPrice);
      note(`Filled: ${orderWords(mode, row)}: ${size} at ${price}.`);
    } else if (row.status === "cancelled" && row.orderType === "market") {
      note(`Ended before all of it was filled: ${orderWords(mode, row)}.`);
    }
  }
}

export function tellOfPlans(mode: Mode, rows: Row[]): void {
  for (const row of rows) {
    const at = row.triggerPrice ? ` at ${priceWords(row, row.triggerPrice)}` : "";
    if (row.status === "executed") note(`Fired${at}: ${orderWords(mode, row)}.`);
    if (row.status === "fail_execute") {
      note(`Fired${at}, and was refused: ${orderWords(mode, row)}. Order history says why.`, "bad");
    }
  }
}
