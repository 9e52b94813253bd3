import { get } from "./api";
import { dec, type Dec } from "./decimal";
import { market } from "./socket";
import { Store } from "./store";

// What everybody may know: pairs, prices, rates.

export interface Pair {
  symbol: string;
  base: string;
  quote: string;
  priceDecimals: number;
  sizeDecimals: number;
  minSize: string;
  minValue: string;
  takerFee: string;
  crossed: boolean;
  isolated: boolean;
  warning: Dec;
}

export interface Ticker {
  last: string;
  change: string;
  high: string;
  low: string;
  volume: string;
}

export interface Rate {
  coin: string;
  // When the hour began that it is of.
  hour: number;
  daily: Dec;
  next: Dec;
  utilization: Dec;
}

export const pairs = new Store<Pair[]>([]);
export const tickers = new Store<Record<string, Ticker>>({}, "calm");
export const rates = new Store<Record<string, Rate>>({});
// Index prices in USDT, by coin: what the venue judges accounts by.
export const indexPrices = new Store<Record<string, Dec>>({ USDT: dec("1") }, "calm");

type Row = Record<string, string>;

export async function openMarket(): Promise<void> {
  const [symbols, margin] = await Promise.all([
    get<Row[]>("/api/v2/spot/public/symbols"),
    get<(Row & { isCrossBorrowable: boolean; isIsolatedQuoteBorrowable: boolean })[]>(
      "/api/v2/margin/currencies",
    ),
    readRates(),
  ]);
  const terms = new Map(margin.map((each) => [each.symbol, each]));
  pairs.set(
    symbols.map((row) => ({
      symbol: row.symbol ?? "",
      base: row.baseCoin ?? "",
      quote: row.quoteCoin ?? "",
      priceDecimals: Number(row.pricePrecision),
      sizeDecimals: Number(row.quantityPrecision),
      minSize: row.minTradeAmount ?? "0",
      minValue: row.minTradeUSDT ?? "0",
      takerFee: row.takerFeeRate ?? "0",
      crossed: terms.get(row.symbol ?? "")?.isCrossBorrowable ?? false,
      isolated: terms.get(row.symbol ?? "")?.isIsolatedQuoteBorrowable ?? false,
      warning: dec(terms.get(row.symbol ?? "")?.warningRiskRatio || "0.8"),
    })),
  );
  for (const pair of pairs.get()) {
    market.subscribe({ instType: "SPOT", channel: "ticker", instId: pair.symbol }, ([row]) => {
      if (row) tickers.change((now) => ({ ...now, [pair.symbol]: tickerOf(row) }));
    });
  }
  market.subscribe({ instType: "MARGIN", channel: "index-price", instId: "default" }, (rows) =>
    indexPrices.change((now) => {
      const next = { ...now };
      for (const row of rows) {
        if (row.quoteCoin === "USDT") next[row.baseCoin] = dec(row.indexPrice);
      }
      return next;
    }),
  );
  window.setInterval(() => void readRates().catch(() => undefined), 60_000);
}

export async function readRates(): Promise<void> {
  const rows = await get<Row[]>("/lombard/v1/public/interest-rates");
  rates.set(
    Object.fromEntries(
      rows.map((row) => [
        row.coin ?? "",
        {
          coin: row.coin ?? "",
          hour: Number(row.hour),
          daily: dec(row.dailyInterestRate),
          next: dec(row.nextDailyInterestRate),
          utilization: dec(row.utilization),
        },
      ]),
    ),
  );
}

const tickerOf = (row: Row): Ticker => ({
  last: row.lastPr ?? "",
  change: row.change24h ?? "0",
  high: row.high24h ?? "",
  low: row.low24h ?? "",
  volume: row.quoteVolume ?? "0",
});

export const coinsOf = (all: Pair[]): string[] => [
  ...new Set(["USDT", ...all.flatMap((pair) => [pair.base, pair.quote])]),
];

/** The worth of an amount in USDT, at the index price. */
export const worth = (prices: Record<string, Dec>, coin: string, value: Dec): Dec =>
  ((prices[coin] ?? 0n) * value) / 10n ** 18n;
