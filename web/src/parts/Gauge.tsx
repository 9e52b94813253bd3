import { dec, percent } from "../lib/decimal";

// The risk ratio on its way to the call (80 %) and to liquidation (100 %).

const WARNING = 0.8;
const FULL = 1.1;

export function Gauge(props: { label: string; ratio: string; before?: string; large?: boolean }) {
  const value = Number(props.ratio || "0");
  const mood = value >= 1 ? "gone" : value >= WARNING ? "called" : value >= 0.5 ? "watch" : "calm";
  const words = { gone: "liquidation", called: "margin call", watch: "watch", calm: "calm" }[mood];
  const place = (ratio: number): string => `${Math.min(100, (ratio / FULL) * 100)}%`;
  return (
    <div className={`gauge ${mood} ${props.large ? "large" : ""}`}>
      <div className="fact">
        <span>{props.label}</span>
        <span className="num">
          {props.before !== undefined && props.before !== props.ratio && (
            <small className="soft">{percent(dec(props.before), 1)} → </small>
          )}
          <b>{percent(dec(props.ratio), 1)}</b> <small>{words}</small>
        </span>
      </div>
      <div
        className="track"
        role="meter"
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(Math.min(value, 1) * 100)}
      >
        <i style={{ width: place(value) }} />
        <s style={{ left: place(WARNING) }} title="Margin call at 80 %" />
        <s className="end" style={{ left: place(1) }} title="Liquidation at 100 %" />
      </div>
      {props.large && (
        <div className="marks" aria-hidden="true">
          <span style={{ left: place(WARNING) }}>call 80 %</span>
          <span style={{ left: place(1) }}>100 %</span>
        </div>
      )}
    </div>
  );
}
