import {
  type AutoscaleInfo,
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef, useState } from "react";
import { get } from "../lib/api";
import type { Pair } from "../lib/market";
import { market } from "../lib/socket";
import { useStore } from "../lib/store";
import { colour, theme } from "../lib/theme";

// Candles of a pair, with the lines that are one's own.

export interface Line {
  price: number;
  kind: "entry" | "liquidation" | "buy" | "sell";
  title: string;
}

// As the WebSocket and as REST call them, as people do, and how many minutes one has.
const GRANULARITIES: [string, string, string, number][] = [
  ["1m", "1min", "1m", 1],
  ["3m", "3min", "3m", 3],
  ["5m", "5min", "5m", 5],
  ["15m", "15min", "15m", 15],
  ["30m", "30min", "30m", 30],
  ["1H", "1h", "1h", 60],
  ["4H", "4h", "4h", 240],
  ["6Hutc", "6Hutc", "6h", 360],
  ["12Hutc", "12Hutc", "12h", 720],
  ["1Dutc", "1Dutc", "1D", 1440],
  ["3Dutc", "3Dutc", "3D", 4320],
  ["1Wutc", "1Wutc", "1W", 10080],
  ["1Mutc", "1Mutc", "1M", 44640],
];
const PAGE = 200;
// So many candles without a trade are more likely an hour that was stepped over.
const GAP = 5;
const NEAR_THE_EDGE = 30;
const LEGEND_MOST = 12;

interface Candle {
  time: UTCTimestamp;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const candleOf = (row: string[]): Candle => {
  const [time, open, high, low, close, volume] = row.map(Number);
  return {
    time: ((time ?? 0) / 1000) as UTCTimestamp,
    open: open ?? 0,
    high: high ?? 0,
    low: low ?? 0,
    close: close ?? 0,
    volume: volume ?? 0,
  };
};

export function Chart({ pair, lines }: { pair: Pair; lines: Line[] }) {
  const [unit, setUnit] = useState(localStorage.getItem("granularity") ?? "1m");
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Drawn | null>(null);
  const look = useStore(theme);

  useEffect(() => {
    if (!place.current) return undefined;
    const drawn = new Drawn(place.current, pair);
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.remove();
    };
  }, [pair]);
  useEffect(() => chart.current?.show(unit), [pair, unit]);
  useEffect(() => chart.current?.paint(), [pair, look]);
  useEffect(() => chart.current?.draw(lines), [pair, look, lines]);

  return (
    <div className="chart">
      <div className="units" role="group" aria-label="Candles of">
        {GRANULARITIES.map(([name, , title]) => (
          <button
            key={name}
            className="plain"
            aria-pressed={name === unit}
            onClick={() => {
              localStorage.setItem("granularity", name);
              setUnit(name);
            }}
          >
            {title}
          </button>
        ))}
      </div>
      {lines.length > 0 && <Legend key={pair.symbol} lines={lines} pair={pair} show={(price) => chart.current?.reach(price)} />}
      <div className="canvas" ref={place} role="img" aria-label={`Candles of ${pair.symbol}`} />
    </div>
  );
}

// Cut off as prices are elsewhere; what a number misses by being binary does not count.
const cut = (price: number, places: number): string =>
  (Math.floor(price * 10 ** places + 1e-6) / 10 ** places).toFixed(places);

/** The lines in words; a click brings one into sight, a second lets the prices fit again. */
function Legend(props: { lines: Line[]; pair: Pair; show: (price: number) => void }) {
  const { lines, pair } = props;
  const [shownPrice, setShownPrice] = useState(0);
  useEffect(() => props.show(shownPrice), [shownPrice, lines, pair]);
  return (
    <div className="legend" role="group" aria-label="Lines">
      {lines.slice(0, LEGEND_MOST).map((each, index) => (
        <button
          key={index}
          className="plain"
          aria-pressed={each.price === shownPrice}
          title="Bring this price into sight"
          onClick={() => setShownPrice(each.price === shownPrice ? 0 : each.price)}
        >
          <i className={each.kind} aria-hidden="true" />
          {each.title} <span className="num">{cut(each.price, pair.priceDecimals)}</span>
        </button>
      ))}
    </div>
  );
}

class Drawn {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly lines: IPriceLine[] = [];
  private rows = new Map<number, Candle>();
  private leave = (): void => undefined;
  private turn = 0;
  private isReading = false;
  private isComplete = false;
  private frame = 0;
  private unit = GRANULARITIES[0];
  // A price that shall be in sight whatever the candles are; 0 for none.
  private reached = 0;

  constructor(
    place: HTMLElement,
    private readonly pair: Pair,
  ) {
    this.chart = createChart(place, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4, barSpacing: 7 },
      crosshair: { mode: 0 },
    });
    const step = 10 ** -pair.priceDecimals;
    const priceFormat = { type: "price" as const, precision: pair.priceDecimals, minMove: step };
    const autoscaleInfoProvider = (usual: () => AutoscaleInfo | null): AutoscaleInfo | null => {
      const range = usual()?.priceRange;
      if (!range || !this.reached) return usual();
      const [low, high] = [Math.min(range.minValue, this.reached), Math.max(range.maxValue, this.reached)];
      return { priceRange: { minValue: low, maxValue: high } };
    };
    this.candles = this.chart.addSeries(CandlestickSeries, { priceFormat, autoscaleInfoProvider });
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.22 } });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < NEAR_THE_EDGE) void this.readOlder();
    });
  }

  remove(): void {
    this.turn += 1;
    this.leave();
    cancelAnimationFrame(this.frame);
    this.chart.remove();
  }

  show(name: string): void {
    this.turn += 1;
    this.leave();
    this.rows = new Map();
    this.isComplete = false;
    this.unit = GRANULARITIES.find((each) => each[0] === name) ?? GRANULARITIES[0];
    this.candles.setData([]);
    this.volumes.setData([]);
    const channel = `candle${this.unit?.[0]}`;
    const arg = { instType: "SPOT" as const, channel, instId: this.pair.symbol };
    this.leave = market.subscribe(arg, (rows: string[][], action) => {
      const isFirst = action === "snapshot" && !this.rows.size;
      if (!isFirst && this.hasGap(rows)) {
        this.show(name);
        return;
      }
      for (const each of rows.map(candleOf)) this.rows.set(each.time, each);
      if (rows.length > 1 || isFirst) this.drawAll(isFirst);
      else this.drawLast();
    });
  }

  /** Let the prices that are shown take in one more; 0 for none. */
  reach(price: number): void {
    if (price === this.reached) return;
    this.reached = price;
    this.candles.priceScale().applyOptions({ autoScale: true });
    if (this.rows.size) this.drawAll(false);
  }

  /** Take the colours of the page. */
  paint(): void {
    const [up, down, line, soft] = ["up", "down", "grid", "soft"].map(colour);
    this.chart.applyOptions({
      layout: { background: { color: colour("panel") }, textColor: soft },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    });
    if (this.rows.size) this.drawAll(false);
  }

  draw(lines: Line[]): void {
    for (const each of this.lines.splice(0)) this.candles.removePriceLine(each);
    const shades = { entry: "accent", liquidation: "warning", buy: "up", sell: "down" };
    for (const each of lines) {
      const isOrder = each.kind === "buy" || each.kind === "sell";
      this.lines.push(
        this.candles.createPriceLine({
          price: each.price,
          color: colour(shades[each.kind]),
          lineWidth: 1,
          lineStyle: isOrder ? LineStyle.Dotted : LineStyle.Dashed,
          title: each.title,
          axisLabelVisible: true,
        }),
      );
    }
  }

  /** Say whether time was put forward: what lies between is then to be read anew. */
  private hasGap(rows: string[][]): boolean {
    const newest = [...this.rows.keys()].reduce((most, each) => Math.max(most, each), 0);
    const next = Number(rows[0]?.[0] ?? 0) / 1000;
    return newest > 0 && next - newest > GAP * (this.unit?.[3] ?? 1) * 60;
  }

  private drawLast(): void {
    // At most once a frame, however often it is told.
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const newest = [...this.rows.keys()].reduce((most, each) => Math.max(most, each), 0);
      const candle = this.rows.get(newest);
      if (!candle) return;
      try {
        this.candles.update(candle);
        this.volumes.update(this.volumeOf(candle));
      } catch {
        this.drawAll(false);
      }
    });
  }

  private drawAll(isFirst: boolean): void {
    const sorted = [...this.rows.values()].sort((a, b) => a.time - b.time);
    this.candles.setData(sorted);
    this.volumes.setData(sorted.map((each) => this.volumeOf(each)));
    if (isFirst) this.chart.timeScale().scrollToRealTime();
  }

  private volumeOf(candle: Candle) {
    const shade = candle.close >= candle.open ? "up-soft" : "down-soft";
    return { time: candle.time, value: candle.volume, color: colour(shade) };
  }

  private async readOlder(): Promise<void> {
    if (this.isReading || this.isComplete || !this.rows.size) return;
    this.isReading = true;
    const turn = this.turn;
    const oldest = [...this.rows.keys()].reduce((least, each) => Math.min(least, each));
    try {
      const found = await get<string[][]>("/api/v2/spot/market/history-candles", {
        symbol: this.pair.symbol,
        granularity: this.unit?.[1],
        endTime: oldest * 1000,
        limit: PAGE,
      });
      if (turn !== this.turn) return;
      const fresh = found.map(candleOf).filter((each) => !this.rows.has(each.time));
      for (const each of fresh) this.rows.set(each.time, each);
      if (fresh.length) this.drawAll(false);
      else this.isComplete = true;
    } catch {
      // The next scroll asks again.
    } finally {
      this.isReading = false;
    }
  }
}
