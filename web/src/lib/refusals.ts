import { Store } from "./store";

// What the venue has refused in this window: a loan, an order, a repayment.

export interface Refusal {
  id: number;
  // The machine's time: what is refused has none of the exchange's.
  at: number;
  what: string;
  why: string;
}

const KEPT = 50;
const WHAT: [RegExp, string][] = [
  [/account\/borrow$/, "Borrowing"],
  [/account\/(flash-)?repay$/, "Repayment"],
  [/place-|batch-orders$|close-position$/, "Order"],
  [/wallet\/transfer$/, "Transfer"],
];
export const refusals = new Store<Refusal[]>([]);
let count = 0;

/** Keep a refusal of what one wanted to have done. */
export function keepRefusal(path: string, why: string): void {
  const what = WHAT.find(([form]) => form.test(path))?.[1];
  if (!what) return;
  count += 1;
  const refusal = { id: count, at: Date.now(), what, why };
  refusals.change((now) => [refusal, ...now].slice(0, KEPT));
}
