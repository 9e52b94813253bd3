import type { Mode, Order, Plan } from "./account";
import { post } from "./api";
import { dec } from "./decimal";

// Orders: what would come of one, and placing it.

export type Kind = "market" | "limit" | "stop" | "oco" | "trailing";
export type Force = "gtc" | "ioc" | "fok" | "post_only";
// The last price, or the index.
export type Watched = "fill_price" | "mark_price";

export interface Draft {
  mode: Mode;
  symbol: string;
  side: "buy" | "sell";
  kind: Kind;
  // Of the limit order, and of the one that a stop places unless that is `atMarket`.
  price: string;
  atMarket: boolean;
  // In the base coin; in the quote coin for a market buy.
  size: string;
  loanType: string;
  force: Force;
  // What a stop waits for, and where a trailing one begins to follow (empty: at once).
  trigger: string;
  watched: Watched;
  // How far a trailing stop stays behind, in per cent.
  callback: string;
  // The limit of an OCO's stop, empty at market.
  stopPrice: string;
  takeProfit: string;
  stopLoss: string;
}

export interface Risk {
  net: string;
  debt: string;
  maintenance: string;
  riskRateRatio: string;
}

interface CoinAfter {
  coin: string;
  available: string;
  borrow: string;
  interest: string;
  interestPerDay: string;
  liquidationPrice: string;
  liquidatedWhen: string;
}

interface Snapshot {
  risk: Risk;
  coins: CoinAfter[];
}

export interface Fault {
  refusal: string;
  code: string;
  msg: string;
}

export interface WhatIf {
  accepted: boolean;
  refusal: Fault | null;
  before: Snapshot;
  after: Snapshot;
}

export interface Term {
  name: string;
  amount: string;
  binding: boolean;
  meaning: string;
  lift: string;
}

export interface Limit {
  coin: string;
  amount: string;
  binding: string;
  terms: Term[];
  blocked: Fault | null;
}

export interface Explained {
  accepted: boolean;
  refusal: Fault | null;
  largest: string;
  largestCoin: string;
  beyond: Fault | null;
  payCoin: string;
  available: string;
  loan: Limit | null;
}

type Body = Record<string, string>;

/** The kind of order that reaches the book, now or when its price has come. */
export const bookKind = (draft: Draft): "limit" | "market" =>
  draft.kind === "market" || draft.kind === "trailing" || (draft.kind === "stop" && draft.atMarket)
    ? "market"
    : "limit";

/** Say whether its size is in the quote coin: how much a market buy spends. */
export const isQuoted = (draft: Draft): boolean => bookKind(draft) === "market" && draft.side === "buy";

export const isWaiting = (draft: Draft): boolean => draft.kind === "stop" || draft.kind === "trailing";

/** The order as margin words it; one that waits as if its price had come. */
function entryOf(draft: Draft): Body {
  const { symbol, side, size, loanType } = draft;
  const orderType = bookKind(draft);
  const body: Body = { symbol, side, orderType, loanType, [isQuoted(draft) ? "quoteSize" : "baseSize"]: size };
  if (orderType === "limit") {
    body.price = draft.price;
    body.force = draft.kind === "limit" ? draft.force : "gtc";
  }
  return body;
}

const accountOf = (draft: Draft): Body =>
  draft.mode === "isolated" ? { mode: "isolated", symbol: draft.symbol } : { mode: "crossed" };

export const explain = (draft: Draft): Promise<Explained> =>
  post("/lombard/v1/margin/explain/order", { ...entryOf(draft), ...accountOf(draft) });

export const whatIf = (draft: Draft): Promise<WhatIf> =>
  post("/lombard/v1/margin/what-if", { ...accountOf(draft), order: entryOf(draft) });

// --- placing ----------------------------------------------------------------------------------

// Lombard's own calls, alike for every kind of account.
const desk = (mode: Mode): string =>
  mode === "spot" ? "/lombard/v1/spot" : `/lombard/v1/margin/${mode}`;

export function place(draft: Draft): Promise<{ orderId: string }> {
  const own = desk(draft.mode);
  if (draft.kind === "oco") return post(`${own}/place-oco-order`, ocoOf(draft));
  if (isWaiting(draft)) return post(`${own}/place-plan-order`, planOf(draft));
  if (draft.takeProfit || draft.stopLoss) return post(`${own}/place-exit-order`, exitsOf(draft));
  const entry = entryOf(draft);
  if (draft.mode !== "spot") return post(`/api/v2/margin/${draft.mode}/place-order`, entry);
  const { loanType: _, baseSize, quoteSize, ...rest } = entry;
  return post("/api/v2/spot/trade/place-order", { ...rest, size: baseSize ?? quoteSize });
}

function planOf(draft: Draft): Body {
  const { symbol, side, size, loanType, trigger, watched } = draft;
  const body: Body = { symbol, side, size, loanType, orderType: bookKind(draft), triggerType: watched };
  if (trigger) body.triggerPrice = trigger;
  if (body.orderType === "limit") body.executePrice = draft.price;
  if (draft.kind === "trailing") body.callbackRatio = ratioOf(draft.callback);
  return body;
}

/** Per cent as a ratio, exactly. */
export function ratioOf(percent: string): string {
  const digits = dec(percent) / 100n;
  const text = digits.toString().padStart(19, "0");
  return `${text.slice(0, -18)}.${text.slice(-18)}`.replace(/\.?0+$/, "");
}

function ocoOf(draft: Draft): Body {
  const { symbol, side, price, size, loanType, trigger, watched, stopPrice } = draft;
  const body: Body = { symbol, side, price, size, loanType, triggerPrice: trigger, triggerType: watched };
  if (stopPrice) body.stopPrice = stopPrice;
  return body;
}

function exitsOf(draft: Draft): Body {
  const body: Body = { ...entryOf(draft), triggerType: draft.watched };
  if (draft.takeProfit) body.presetTakeProfitPrice = draft.takeProfit;
  if (draft.stopLoss) body.presetStopLossPrice = draft.stopLoss;
  return body;
}

// --- taking back ------------------------------------------------------------------------------

export const cancel = ({ mode, symbol, orderId }: Order): Promise<unknown> =>
  post(mode === "spot" ? "/api/v2/spot/trade/cancel-order" : `/api/v2/margin/${mode}/cancel-order`, {
    symbol,
    orderId,
  });

export const cancelPlan = ({ mode, symbol, orderId }: Plan): Promise<unknown> =>
  post(`${desk(mode)}/cancel-plan-order`, { symbol, orderId });

/** Cancel orders and what waits, of one pair or of all: each account in one step. */
export async function cancelAll(rows: (Order | Plan)[], symbol: string): Promise<number> {
  const chosen = rows.filter((row) => !symbol || row.symbol === symbol);
  const accounts = new Map<string, Body>();
  for (const { mode, symbol: of } of chosen) {
    accounts.set(desk(mode) + (mode === "isolated" ? of : ""), { mode, symbol: mode === "isolated" ? of : "" });
  }
  const symbolList = symbol ? [symbol] : [];
  const done = await Promise.all(
    [...accounts.values()].map(({ mode, symbol: of }) =>
      post<{ cancelled: string }>(`${desk(mode as Mode)}/cancel-everything`, { symbol: of, symbolList }),
    ),
  );
  return done.reduce((sum, each) => sum + Number(each.cancelled), 0);
}

export const loanTypeOf = (borrows: boolean, repays: boolean): string =>
  borrows ? (repays ? "autoLoanAndRepay" : "autoLoan") : repays ? "autoRepay" : "normal";
