import { useCallback, useEffect, useRef, useState } from "react";
import { get, me, post, wordsOf } from "../lib/api";
import { dec, plain } from "../lib/decimal";

// The operators' API, as any client has it.

const PREFIX = "/lombard/v1/operator";
type Query = Record<string, string | number | undefined>;

export const read = <T>(path: string, query: Query = {}): Promise<T> => get<T>(`${PREFIX}/${path}`, query);
export const send = <T>(path: string, body: object = {}): Promise<T> => post<T>(`${PREFIX}/${path}`, body);

export interface Reading<T> {
  data: T | null;
  fault: string;
  again: () => void;
}

/** Read something now, and every so often; `path` empty reads nothing. */
export function useRead<T>(path: string, query: Query = {}, everyMs = 0): Reading<T> {
  const [data, setData] = useState<T | null>(null);
  const [fault, setFault] = useState("");
  const said = JSON.stringify(query);
  const current = useRef(0);
  const again = useCallback(() => {
    if (!path || !me.get()) return;
    current.current += 1;
    const mine = current.current;
    read<T>(path, JSON.parse(said) as Query).then(
      (found) => {
        if (mine !== current.current) return;
        setData(found);
        setFault("");
      },
      (error: unknown) => mine === current.current && setFault(wordsOf(error)),
    );
  }, [path, said]);
  useEffect(() => {
    setData(null);
    setFault("");
    again();
    return () => {
      current.current += 1;
    };
  }, [again]);
  useEffect(() => {
    const timer = everyMs ? window.setInterval(again, everyMs) : 0;
    return () => window.clearInterval(timer);
  }, [again, everyMs]);
  return { data, fault, again };
}

// --- what the API answers -----------------------------------------------------------------------

export interface Step {
  ratio: string;
  upTo: string;
}

export interface Tier {
  upTo: string;
  leverage: string;
  maintenanceMarginRate: string;
}

export interface IsolatedTier {
  baseUpTo: string;
  quoteUpTo: string;
  leverage: string;
  maintenanceMarginRate: string;
}

export interface Coin {
  coin: string;
  decimals: string;
  collateral: Step[];
  tiers: Tier[];
  userLimit: string;
  minBorrow: string;
  borrowable: boolean;
  transferable: boolean;
  delisting: string;
}

export interface Pair {
  symbol: string;
  base: string;
  quote: string;
  tick: string;
  step: string;
  minSize: string;
  maxSize: string;
  minValue: string;
  makerFee: string;
  takerFee: string;
  maxOpenOrders: string;
  isolatedTiers: IsolatedTier[];
  liquidationFee: string;
  crossed: boolean;
  trading: boolean;
  delisting: string;
}

export interface Model {
  baseRate: string;
  kink: string;
  rateAtKink: string;
  rateAtFull: string;
  premium: string;
}

export interface Pool {
  coin: string;
  supplied: string;
  idle: string;
  lent: string;
  loss: string;
  utilization: string;
  insurance: string;
  fees: string;
  interest: string;
  model: Model;
}

export interface Index {
  coin: string;
  price: string;
  slowPrice: string;
  sources: string;
  spread: string;
  maxAge: string;
  time: string;
  stale: boolean;
}

export interface Announced {
  announcementId: string;
  kind: string;
  coin: string;
  symbol: string;
  announcedTime: string;
  effectiveTime: string;
  collateralRatio: string;
  maintenanceMarginRate: string;
}

// --- numbers and times --------------------------------------------------------------------------

/** Ratios are shown and typed as percentages; the API has them as parts of one. */
export const asPercent = (ratio: string): string => plain(dec(ratio) * 100n);
export const asRatio = (percentage: string): string => plain(dec(percentage) / 100n);

export const timeText = (ms: string): string =>
  ms ? new Date(Number(ms)).toISOString().slice(0, 19).replace("T", " ") : "";

/** What a field for a moment in UTC holds, and back. */
export const asMoment = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
export const fromMoment = (text: string): string => (text ? String(Date.parse(`${text}Z`)) : "");
