import { dec, type Dec, div, mul, num, ONE, percent } from "../lib/decimal";
import type { Model } from "./data";

// A coin's rate by how much of its pool is lent (RULES 5.1): two straight lines that meet at the kink.

/** The daily rate at a utilisation, both as parts of one. */
export function rateAt(model: Model, used: Dec): Dec {
  const base = dec(model.baseRate);
  const kink = dec(model.kink);
  const middle = dec(model.rateAtKink);
  const full = dec(model.rateAtFull);
  const premium = dec(model.premium);
  if (used <= kink || kink >= ONE) return premium + base + (kink ? div(mul(middle - base, used), kink) : 0n);
  return premium + middle + div(mul(full - middle, used - kink), ONE - kink);
}

const WIDTH = 420;
const HEIGHT = 190;
const LEFT = 52;
const BOTTOM = 28;
const TOP = 14;
const RIGHT = 24;

export function Curve({ model, used }: { model: Model; used: string }) {
  const points = [0n, dec(model.kink), ONE];
  const rates = points.map((each) => num(rateAt(model, each)));
  const most = Math.max(...rates, 1e-9) * 1.08;
  const x = (part: number): number => LEFT + part * (WIDTH - LEFT - RIGHT);
  const y = (rate: number): number => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - BOTTOM - TOP);
  const line = points.map((each, place) => `${x(num(each))},${y(rates[place] ?? 0)}`).join(" ");
  const now = dec(used);
  const here = num(rateAt(model, now));
  const ticks = [0, 0.5, 1].map((part) => part * most);
  const text = `Daily rate by utilisation: ${points
    .map((each, place) => `${percent(each, 0)} lent, ${((rates[place] ?? 0) * 100).toFixed(4)} %`)
    .join("; ")}. Now ${percent(now, 1)} lent, ${(here * 100).toFixed(4)} %.`;
  return (
    <figure className="curve">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text}>
        {ticks.map((rate) => (
          <g key={rate}>
            <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(rate)} y2={y(rate)} />
            <text x={LEFT - 6} y={y(rate) + 4} textAnchor="end">
              {(rate * 100).toFixed(3)} %
            </text>
          </g>
        ))}
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <text key={part} x={x(part)} y={HEIGHT - 10} textAnchor="middle">
            {part * 100} %
          </text>
        ))}
        <line className="kink" x1={x(num(dec(model.kink)))} x2={x(num(dec(model.kink)))} y1={TOP} y2={HEIGHT - BOTTOM} />
        <polyline points={line} />
        <circle cx={x(num(now))} cy={y(here)} r="4.5" />
      </svg>
      <figcaption className="soft">
        Daily rate by how much of the pool is lent. Now {percent(now, 1)} is: {(here * 100).toFixed(4)} % a day,{" "}
        {(here * 36500).toFixed(2)} % a year.
      </figcaption>
    </figure>
  );
}
