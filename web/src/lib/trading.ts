import type { Mode } from "./account";
import { post } from "./api";

// Orders: what would come of one, and placing it.

export interface Draft {
  mode: Mode;
  symbol: string;
  side: "buy" | "sell";
  orderType: "limit" | "market";
  price: string;
  // In the base coin; in the quote coin for a market buy.
  size: string;
  loanType: string;
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
  payCoin: string;
  available: string;
  loan: Limit | null;
}

const bodyOf = (draft: Draft): Record<string, string> => {
  const isQuote = draft.orderType === "market" && draft.side === "buy";
  const body: Record<string, string> = {
    symbol: draft.symbol,
    side: draft.side,
    orderType: draft.orderType,
    loanType: draft.loanType,
    [isQuote ? "quoteSize" : "baseSize"]: draft.size,
  };
  if (draft.orderType === "limit") {
    body.price = draft.price;
    body.force = "gtc";
  }
  return body;
};

const accountOf = (draft: Draft): Record<string, string> =>
  draft.mode === "isolated" ? { mode: "isolated", symbol: draft.symbol } : { mode: "crossed" };

export const explain = (draft: Draft): Promise<Explained> =>
  post("/lombard/v1/margin/explain/order", { ...bodyOf(draft), ...accountOf(draft) });

export const whatIf = (draft: Draft): Promise<WhatIf> =>
  post("/lombard/v1/margin/what-if", { ...accountOf(draft), order: bodyOf(draft) });

export function place(draft: Draft): Promise<{ orderId: string }> {
  if (draft.mode !== "spot") {
    return post(`/api/v2/margin/${draft.mode}/place-order`, bodyOf(draft));
  }
  const { symbol, side, orderType, price, size } = draft;
  const limit = orderType === "limit" ? { price, force: "gtc" } : {};
  return post("/api/v2/spot/trade/place-order", { symbol, side, orderType, size, ...limit });
}

export const cancel = (mode: Mode, symbol: string, orderId: string): Promise<unknown> =>
  post(mode === "spot" ? "/api/v2/spot/trade/cancel-order" : `/api/v2/margin/${mode}/cancel-order`, {
    symbol,
    orderId,
  });

export const loanTypeOf = (borrows: boolean, repays: boolean): string =>
  borrows ? (repays ? "autoLoanAndRepay" : "autoLoan") : repays ? "autoRepay" : "normal";
