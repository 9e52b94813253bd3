import { useEffect, useMemo, useState } from "react";
import { get } from "../lib/api";
import { dec, num, percent } from "../lib/decimal";
import { csv, save } from "../lib/csv";
import { RateChart, type RateLine } from "../parts/RateChart";
import { timeOf } from "../parts/SandboxBar";
import "../styles/pages.css";

// Interest rates, for everybody: now, the next hour, before, and why.

interface Model {
  baseRate: string;
  kink: string;
  rateAtKink: string;
  rateAtFull: string;
  premium: string;
}

interface Rate {
  coin: string;
  hour: string;
  dailyInterestRate: string;
  nextDailyInterestRate: string;
  utilization: string;
  model: Model;
  levels: { level: string; dailyInterestRate: string; nextDailyInterestRate: string }[];
}

interface Hour {
  hour: string;
  dailyInterestRate: string;
}

const OFTEN_MS = 5000;
const HOUR_MS = 3_600_000;
const SPANS: [number, string][] = [
  [24, "24 hours"],
  [7 * 24, "7 days"],
  [30 * 24, "30 days"],
];
const SHADES = ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6"];
const COMPARED_MAX = SHADES.length;

export default function Rates() {
  const rows = useRates();
  const [coins, setCoins] = useState<string[]>(["USDT", "BTC"]);
  const [span, setSpan] = useState(24);
  useEffect(() => {
    document.title = "Interest rates · Lombard";
  }, []);
  const there = coins.filter((coin) => rows.some((row) => row.coin === coin));
  const choose = (coin: string): void =>
    setCoins(coins.includes(coin) ? coins.filter((each) => each !== coin) : [...coins, coin]);
  const hour = rows[0]?.hour;
  return (
    <div className="wide-page">
      <h1>Interest rates</h1>
      <p className="soft lead">
        Interest is charged by the hour, at the rate in force when the hour begins, a twenty-fourth of the daily
        rate. {hour && `This hour began at ${timeOf(hour).slice(11, 16)} UTC.`} The next hour’s rate follows how
        much of the pool is lent on average in this one.
      </p>
      <section className="panel" aria-label="Rates">
        <div className="scroll" tabIndex={0} role="region" aria-label="Rates by coin">
          <table className="rates">
            <thead>
              <tr>
                <th>Compare</th>
                <th className="num">Daily, now</th>
                <th className="num">Next hour, estimate</th>
                <th className="num">Hourly</th>
                <th className="num">Yearly</th>
                <th className="num">Lent of the pool</th>
                <th>From pool empty to full</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Line
                  key={row.coin}
                  row={row}
                  shade={SHADES[there.indexOf(row.coin)] ?? ""}
                  disabled={!there.includes(row.coin) && there.length >= COMPARED_MAX}
                  choose={() => choose(row.coin)}
                />
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <History coins={there} span={span} setSpan={setSpan} hour={hour ?? ""} />
      <Levels rows={rows.filter((row) => there.includes(row.coin))} />
    </div>
  );
}

function useRates(): Rate[] {
  const [rows, setRows] = useState<Rate[]>([]);
  useEffect(() => {
    let isCurrent = true;
    const read = (): Promise<void> =>
      get<Rate[]>("/lombard/v1/public/interest-rates")
        .then((found) => {
          if (isCurrent) setRows(found);
        })
        .catch(() => undefined);
    void read();
    const timer = window.setInterval(() => void read(), OFTEN_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, []);
  return rows;
}

function Line(props: { row: Rate; shade: string; disabled: boolean; choose: () => void }) {
  const { row, shade } = props;
  const now = dec(row.dailyInterestRate);
  const next = dec(row.nextDailyInterestRate);
  const used = dec(row.utilization);
  return (
    <tr>
      <th scope="row">
        <label className="switch">
          <input type="checkbox" checked={!!shade} disabled={props.disabled} onChange={props.choose} />
          <i className={`swatch ${shade}`} aria-hidden="true" />
          {row.coin}
        </label>
      </th>
      <td className="num">{percent(now, 4)}</td>
      <td className={`num ${next > now ? "down" : next < now ? "up" : ""}`}>
        {percent(next, 4)} {next > now ? "↑" : next < now ? "↓" : "="}
      </td>
      <td className="num">{percent(now / 24n, 6)}</td>
      <td className="num">{percent(now * 365n, 2)}</td>
      <td className="num">
        <span className="used">
          <span className="track">
            <i style={{ width: `${Math.min(100, num(used) * 100)}%` }} />
          </span>
          <span className="figure">{percent(used, 1)}</span>
        </span>
      </td>
      <td>
        <Curve row={row} />
      </td>
    </tr>
  );
}

/** The coin's rate by how much of its pool is lent, and where it stands. */
function Curve({ row }: { row: Rate }) {
  const { baseRate, kink, rateAtKink, rateAtFull, premium } = row.model;
  const add = num(dec(premium));
  const [base, middle, full] = [baseRate, rateAtKink, rateAtFull].map((each) => num(dec(each)) + add);
  const most = Math.max(base ?? 0, middle ?? 0, full ?? 0);
  if (base === middle && middle === full) return <small className="soft">fixed</small>;
  const y = (value = 0): number => 22 - (most ? (value / most) * 20 : 0);
  const bend = num(dec(kink));
  const used = Math.min(1, num(dec(row.utilization)));
  const at = (share: number): number =>
    share <= bend
      ? (base ?? 0) + ((middle ?? 0) - (base ?? 0)) * (bend ? share / bend : 1)
      : (middle ?? 0) + (((full ?? 0) - (middle ?? 0)) * (share - bend)) / (1 - bend || 1);
  const told = `${percent(dec(baseRate), 4)} to ${percent(dec(rateAtKink), 4)} at ${percent(dec(kink), 0)} lent, ${percent(dec(rateAtFull), 4)} at all`;
  return (
    <span className="sparkline">
      <svg viewBox="0 0 84 24" width="84" height="24" role="img" aria-label={told}>
        <polyline points={`2,${y(base)} ${2 + bend * 80},${y(middle)} 82,${y(full)}`} />
        <circle cx={2 + used * 80} cy={y(at(used))} r="3" />
      </svg>
      <small className="soft">
        {percent(dec(baseRate), 4)} – {percent(dec(rateAtFull), 4)}
      </small>
    </span>
  );
}

function useHistory(coins: string[], span: number, hour: string): RateLine[] {
  const key = coins.join();
  const [lines, setLines] = useState<RateLine[]>([]);
  useEffect(() => {
    if (!key || !hour) {
      setLines([]);
      return undefined;
    }
    let isCurrent = true;
    const read = async (): Promise<RateLine[]> =>
      Promise.all(
        key.split(",").map(async (coin, at) => {
          const startTime = Number(hour) - (span - 1) * HOUR_MS;
          const rows = await get<Hour[]>("/lombard/v1/public/interest-rate-history", { coin, startTime, limit: 1000 });
          const points = rows
            .map((row) => ({ time: Number(row.hour) / 1000, value: num(dec(row.dailyInterestRate)) * 100 }))
            .reverse();
          return { coin, shade: SHADES[at] ?? "accent", points };
        }),
      );
    read()
      .then((found) => isCurrent && setLines(found))
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [key, span, hour]);
  return lines;
}

function History(props: { coins: string[]; span: number; setSpan: (span: number) => void; hour: string }) {
  const lines = useHistory(props.coins, props.span, props.hour);
  const count = useMemo(() => Math.max(0, ...lines.map((line) => line.points.length)), [lines]);
  const download = (): void => {
    const times = [...new Set(lines.flatMap((line) => line.points.map((each) => each.time)))].sort((a, b) => b - a);
    const values = lines.map((line) => new Map(line.points.map((each) => [each.time, each.value])));
    const rows = times.map((time) => [
      new Date(time * 1000).toISOString(),
      ...values.map((each) => each.get(time)?.toFixed(8) ?? ""),
    ]);
    save("lombard-rates.csv", csv(["Hour (UTC)", ...lines.map((line) => `${line.coin}, % a day`)], rows));
  };
  return (
    <section className="panel" aria-label="History of rates">
      <div className="panel-head">
        <h2>Daily rate, hour by hour</h2>
        <div className="actions">
          {SPANS.map(([hours, title]) => (
            <button
              key={hours}
              className="plain"
              aria-pressed={props.span === hours}
              onClick={() => props.setSpan(hours)}
            >
              {title}
            </button>
          ))}
          <button disabled={!count} onClick={download}>
            CSV
          </button>
        </div>
      </div>
      {props.coins.length ? (
        <RateChart lines={lines} />
      ) : (
        <p className="empty">Choose the coins to compare in the table above.</p>
      )}
      {props.coins.length > 0 && (
        <p className="shades">
          {lines.map((line) => (
            <span key={line.coin}>
              <i className={`swatch ${line.shade}`} aria-hidden="true" /> {line.coin}
            </span>
          ))}
          <span className="soft">
            {count} {count === 1 ? "hour" : "hours"} known
          </span>
        </p>
      )}
    </section>
  );
}

function Levels({ rows }: { rows: Rate[] }) {
  const levels = rows[0]?.levels ?? [];
  if (levels.length < 2) return null;
  return (
    <section className="panel" aria-label="Rates by VIP level">
      <div className="panel-head">
        <h2>Daily rate by VIP level</h2>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Levels">
        <table>
          <thead>
            <tr>
              <th>Level</th>
              {rows.map((row) => (
                <th key={row.coin} className="num">
                  {row.coin}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {levels.map((level, at) => (
              <tr key={level.level}>
                <th scope="row">VIP {level.level}</th>
                {rows.map((row) => (
                  <td key={row.coin} className="num">
                    {percent(dec(row.levels[at]?.dailyInterestRate), 4)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
