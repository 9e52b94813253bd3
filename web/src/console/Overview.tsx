import { useEffect, useState } from "react";
import { amount, dec, mul, percent, shown } from "../lib/decimal";
import { rateAt } from "./Curve";
import { type Index, type Pool, timeText, useRead } from "./data";
import { Bar, Coins, Fault, Page, Panel, Table, Tag, Tile } from "./parts";
import { type Report, Verdict } from "./report";

// The venue at a glance: the node, the books, the pools, the fund.

interface Glance {
  version: string;
  core: string;
  ready: boolean;
  history: string;
  machineTime: string;
  exchangeTime: string;
  appliedSeq: string;
  commands: string;
  refused: string;
  overloads: string;
  waiting: string;
  historyLag: string;
  loopLag: string;
  loopLagMax: string;
  snapshots: string;
  snapshotsFailed: string;
  snapshotSeq: string;
  users: string;
  debtors: string;
  liquidations: string;
  pendingMovements: string;
  announcements: string;
  stale: string[];
}

const OFTEN_MS = 2000;
const KEPT = 60;

export function Overview() {
  const glance = useRead<Glance>("overview", {}, OFTEN_MS);
  const pools = useRead<Pool[]>("pools", {}, OFTEN_MS * 2);
  const prices = useRead<Index[]>("index-prices", {}, OFTEN_MS * 2);
  // Adding everything up holds a large venue for a moment: once, and when asked to.
  const report = useRead<Report>("solvency");
  const speeds = useSpeeds(glance.data);
  const now = glance.data;
  const price = (coin: string): bigint => dec(prices.data?.find((each) => each.coin === coin)?.price);
  const fund = (pools.data ?? []).reduce((all, each) => all + mul(price(each.coin), dec(each.insurance)), 0n);
  return (
    <Page title="Overview">
      <Fault words={glance.fault} />
      <div className="tiles" aria-label="The node" role="group">
        <Tile name="Node" kind={now && !now.ready ? "bad" : ""} aside={now ? `core ${now.core}` : ""}>
          {now ? (now.ready ? "serving" : "takes no commands") : "…"}
        </Tile>
        <Tile name="Commands / s" aside={now ? `${group(now.commands)} since it began` : ""}>
          {speeds.length ? (speeds.at(-1) ?? 0).toFixed(1) : "…"}
        </Tile>
        <Tile name="Applied up to" aside={now ? `${group(now.refused)} refused` : ""}>
          {now ? group(now.appliedSeq) : "…"}
        </Tile>
        <Tile
          name="Loop late"
          kind={Number(now?.loopLagMax) > 250 ? "watch" : ""}
          aside={now ? `${now.loopLagMax} ms at most, in 10 s` : ""}
        >
          {now ? `${now.loopLag} ms` : "…"}
        </Tile>
        <Tile name="Waiting" kind={Number(now?.overloads) ? "watch" : ""} aside={now ? `${group(now.overloads)} turned away` : ""}>
          {now ? group(now.waiting) : "…"}
        </Tile>
        <Tile name="History behind" kind={now && now.history !== "ok" ? "bad" : ""} aside={now?.history === "ok" ? "database reached" : now?.history}>
          {now ? `${group(now.historyLag)}` : "…"}
        </Tile>
        <Tile
          name="Snapshots"
          kind={Number(now?.snapshotsFailed) ? "bad" : ""}
          aside={now ? `last at ${group(now.snapshotSeq)}; ${now.snapshotsFailed} failed` : ""}
        >
          {now?.snapshots ?? "…"}
        </Tile>
        <Tile name="Time (UTC)" aside={now ? timeText(now.exchangeTime).slice(0, 10) : ""}>
          {now ? timeText(now.exchangeTime).slice(11) : "…"}
        </Tile>
      </div>
      <Speed speeds={speeds} />
      <div className="tiles" aria-label="The venue" role="group">
        <Tile name="Users">{now ? group(now.users) : "…"}</Tile>
        <Tile name="Accounts in debt">{now ? group(now.debtors) : "…"}</Tile>
        <Tile name="In liquidation" kind={Number(now?.liquidations) ? "watch" : ""}>
          <a href="#/liquidations">{now ? group(now.liquidations) : "…"}</a>
        </Tile>
        <Tile name="To approve" kind={Number(now?.pendingMovements) ? "watch" : ""}>
          <a href="#/money">{now?.pendingMovements ?? "…"}</a>
        </Tile>
        <Tile name="Announced">
          <a href="#/coins">{now?.announcements ?? "…"}</a>
        </Tile>
        <Tile name="Stale prices" kind={now?.stale.length ? "bad" : ""} aside={now?.stale.join(", ")}>
          {now ? now.stale.length || "none" : "…"}
        </Tile>
        <Tile name="Insurance fund" aside="USDT, at the index">
          {pools.data && prices.data ? shown(fund, 0) : "…"}
        </Tile>
      </div>
      <Panel
        title="Books"
        aside={
          <div className="actions">
            <button onClick={report.again}>Add up again</button>
            <a href="#/solvency">Solvency report</a>
          </div>
        }
      >
        <Fault words={report.fault} />
        <Verdict report={report.data} />
      </Panel>
      <Panel title="Pools">
        <Fault words={pools.fault} />
        <Table
          label="Pools"
          rows={pools.data}
          keyOf={(row) => row.coin}
          empty="No coins yet."
          columns={[
            { name: "Coin", cell: (row) => <a href={`#/coins/${row.coin}`}>{row.coin}</a> },
            { name: "Utilisation", cell: (row) => <Bar ratio={row.utilization} label={`Lent of ${row.coin}`} /> },
            { name: "Lent", num: true, cell: (row) => <Coins value={row.lent} coin={row.coin} /> },
            { name: "Idle", num: true, cell: (row) => <Coins value={row.idle} coin={row.coin} /> },
            {
              name: "Rate a day at this utilisation",
              num: true,
              cell: (row) => percent(rateAt(row.model, dec(row.utilization)), 4),
            },
            { name: "Insurance", num: true, cell: (row) => <Coins value={row.insurance} coin={row.coin} /> },
            { name: "Fees", num: true, cell: (row) => <Coins value={row.fees} coin={row.coin} /> },
            { name: "Interest", num: true, cell: (row) => <Coins value={row.interest} coin={row.coin} /> },
            {
              name: "Loss",
              num: true,
              cell: (row) => (dec(row.loss) ? <Tag kind="bad">{amount(dec(row.loss), row.coin)}</Tag> : "0"),
            },
          ]}
        />
      </Panel>
    </Page>
  );
}

const group = (whole: string): string => shown(dec(whole), 0);

/** The commands a second between each reading and the next. */
function useSpeeds(now: Glance | null): number[] {
  const [kept, setKept] = useState<{ last: Glance | null; speeds: number[] }>({ last: null, speeds: [] });
  useEffect(() => {
    if (!now) return;
    setKept(({ last, speeds }) => {
      const took = last ? Number(now.machineTime) - Number(last.machineTime) : 0;
      if (!last || took <= 0) return { last: now, speeds };
      const speed = Math.max(0, ((Number(now.commands) - Number(last.commands)) * 1000) / took);
      return { last: now, speeds: [...speeds, speed].slice(-KEPT) };
    });
  }, [now]);
  return kept.speeds;
}

function Speed({ speeds }: { speeds: number[] }) {
  const most = Math.max(...speeds, 1);
  const points = speeds.map((each, place) => `${KEPT - speeds.length + place},${40 - (each / most) * 36}`).join(" ");
  return (
    <section className="panel speed" aria-label="Throughput">
      <span className="soft">Commands a second, last two minutes; {most.toFixed(0)} at the top</span>
      <svg viewBox={`0 0 ${KEPT - 1} 42`} preserveAspectRatio="none" role="img" aria-label="Commands a second over the last two minutes">
        <polyline points={points} vectorEffect="non-scaling-stroke" />
      </svg>
    </section>
  );
}
