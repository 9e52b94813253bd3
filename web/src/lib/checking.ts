import { amount, dec, type Dec, div, ONE, plain, shown } from "./decimal";
import type { Pair } from "./market";
import { bookKind, type Draft, isQuoted } from "./trading";

// What can be said of an order without asking anybody: what is missing, and what contradicts itself.

export interface Objection {
  words: string;
  // What would be accepted in place of the size.
  size?: string;
}

const CALLBACK_LEAST = ONE / 10n;
const CALLBACK_MOST = ONE * 10n;

/** Say whether everything is there that an order of its kind needs. */
export function isWhole(draft: Draft): boolean {
  const has = (text: string): boolean => dec(text) > 0n;
  if (!has(draft.size)) return false;
  if (bookKind(draft) === "limit" && !has(draft.price)) return false;
  if (draft.kind === "stop" || draft.kind === "oco") return has(draft.trigger);
  return draft.kind !== "trailing" || has(draft.callback);
}

/** The smallest size that is worth enough. */
export function leastSize(pair: Pair, draft: Draft, price: Dec): Dec {
  const value = dec(pair.minValue);
  if (isQuoted(draft)) return value;
  const step = ONE / 10n ** BigInt(pair.sizeDecimals);
  const fromValue = price ? (div(value, price) / step + 1n) * step : step;
  return fromValue > dec(pair.minSize) ? fromValue : dec(pair.minSize);
}

/** Say what is wrong with an order, `price` being what it would trade at. */
export function objectionTo(draft: Draft, pair: Pair, price: Dec): Objection | null {
  const least = leastSize(pair, draft, price);
  if (dec(draft.size) > 0n && dec(draft.size) < least) {
    const coin = isQuoted(draft) ? pair.quote : pair.base;
    return { words: `The smallest order here is ${amount(least, coin)} ${coin}.`, size: plain(least) };
  }
  return wrongSide(draft, pair, price) ?? wrongCallback(draft);
}

function wrongSide(draft: Draft, pair: Pair, price: Dec): Objection | null {
  const buys = draft.side === "buy";
  const [more, less] = buys ? ["above", "below"] : ["below", "above"];
  const gains = (other: string): boolean => (buys ? dec(other) > price : dec(other) < price);
  const at = shown(price, pair.priceDecimals);
  if (price && draft.takeProfit && !gains(draft.takeProfit)) {
    return { words: `The take-profit of a ${draft.side} lies ${more} its price, ${at}.` };
  }
  if (price && draft.stopLoss && (gains(draft.stopLoss) || dec(draft.stopLoss) === price)) {
    return { words: `The stop-loss of a ${draft.side} lies ${less} its price, ${at}.` };
  }
  // An OCO buys lower or stops higher; it sells higher or stops lower.
  if (draft.kind === "oco" && draft.price && draft.trigger) {
    const isRight = buys ? dec(draft.price) < dec(draft.trigger) : dec(draft.price) > dec(draft.trigger);
    if (!isRight) return { words: `The stop of an OCO ${draft.side} lies ${more} its limit price.` };
  }
  return null;
}

function wrongCallback(draft: Draft): Objection | null {
  if (draft.kind !== "trailing" || !draft.callback) return null;
  const behind = dec(draft.callback);
  if (behind >= CALLBACK_LEAST && behind <= CALLBACK_MOST && behind % CALLBACK_LEAST === 0n) return null;
  return { words: "A trailing stop follows at 0.1 % to 10 %, in steps of 0.1 %." };
}
