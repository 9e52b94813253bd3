import { createChart, type IChartApi, LineSeries, LineType, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { useStore } from "../lib/store";
import { colour, theme } from "../lib/theme";

export interface RateLine {
  coin: string;
  shade: string;
  // The beginning of an hour in seconds, and its daily rate in per cent.
  points: { time: number; value: number }[];
}

/** Daily rates, hour by hour, a stepped line for each coin. */
export function RateChart({ lines }: { lines: RateLine[] }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  const look = useStore(theme);
  useEffect(() => {
    if (!place.current) return undefined;
    const made = createChart(place.current, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: false },
      rightPriceScale: { scaleMargins: { top: 0.1, bottom: 0.08 } },
    });
    chart.current = made;
    return () => {
      chart.current = null;
      made.remove();
    };
  }, []);
  useEffect(() => {
    const made = chart.current;
    if (!made) return undefined;
    const grid = colour("grid");
    made.applyOptions({
      layout: { background: { color: colour("panel") }, textColor: colour("soft") },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      rightPriceScale: { borderColor: grid },
      timeScale: { borderColor: grid },
    });
    const drawn = lines.map((line) => {
      const series = made.addSeries(LineSeries, {
        color: colour(line.shade),
        lineWidth: 2,
        lineType: LineType.WithSteps,
        title: line.coin,
        priceLineVisible: false,
        priceFormat: { type: "custom", minMove: 0.0001, formatter: (value: number) => `${value.toFixed(4)} %` },
      });
      series.setData(line.points.map((each) => ({ time: each.time as UTCTimestamp, value: each.value })));
      return series;
    });
    made.timeScale().fitContent();
    return () => {
      if (chart.current) for (const series of drawn) made.removeSeries(series);
    };
  }, [lines, look]);
  return (
    <div
      className="rate-canvas"
      ref={place}
      role="img"
      aria-label={`Daily rates of ${lines.map((line) => line.coin).join(", ")}`}
    />
  );
}
