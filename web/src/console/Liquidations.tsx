import { useEffect, useState } from "react";
import { amount, dec, percent, shown } from "../lib/decimal";
import { route } from "../lib/route";
import { useStore } from "../lib/store";
import { read, timeText, useRead } from "./data";
import { Fault, Page, Panel, Table, Tag, Tile } from "./parts";

interface Running {
  liqId: string;
  userId: string;
  accountType: string;
  symbol: string;
  liqStartTime: string;
  steps: string;
  riskRate: string;
  netValue: string;
  debtValue: string;
  stalled: boolean;
  forced: boolean;
}

interface Past {
  liqId: string;
  userId: string;
  accountType: string;
  symbol: string;
  liqStartTime: string;
  liqEndTime: string;
  riskRateBefore: string;
  riskRateAfter: string;
  totalAssets: string;
  totalDebt: string;
  liqFee: string;
}

interface Entry {
  type: string;
  coin: string;
  principal: string;
  interest: string;
}

interface Step {
  step: string;
  action: string;
  soldCoin: string;
  boughtCoin: string;
  indexPrices: { coin: string; price: string }[];
  riskRateBefore: string;
  riskRateAfter: string;
  order: { symbol: string; side: string; priceAvg: string; size: string; amount: string; fills: object[] } | null;
  entries: Entry[];
  cTime: string;
}

interface Recorded extends Past {
  steps: Step[];
  ended: Entry[];
}

const PAGE = 50;
const ratio = (text: string): string => (!text ? "–" : text === "999" ? "below zero" : percent(dec(text), 1));
const place = (row: { accountType: string; symbol: string }): string =>
  row.symbol ? `isolated ${row.symbol}` : row.accountType === "crossed_margin" ? "cross" : row.accountType;

export default function Liquidations() {
  const { rest } = useStore(route);
  return rest ? <Record key={rest} id={rest} /> : <Lists />;
}

function Lists() {
  const running = useRead<Running[]>("liquidations/running", {}, 3000);
  const past = useRead<Past[]>("liquidations", { limit: PAGE }, 15_000);
  const [older, setOlder] = useState<Past[]>([]);
  const [fault, setFault] = useState("");
  const all = [...(past.data ?? []), ...older.filter((row) => !past.data?.some((each) => each.liqId === row.liqId))];
  const more = async (): Promise<void> => {
    try {
      const next = await read<Past[]>("liquidations", { limit: PAGE, idLessThan: all.at(-1)?.liqId });
      setOlder([...older, ...next]);
      setFault(next.length ? "" : "There are no older ones.");
    } catch (error) {
      setFault(String(error));
    }
  };
  return (
    <Page title="Liquidations">
      <Panel title="In progress">
        <Fault words={running.fault} />
        <Table
          label="Liquidations in progress"
          rows={running.data}
          keyOf={(row) => row.liqId}
          empty="Nobody is being liquidated."
          columns={[
            { name: "Since (UTC)", cell: (row) => <a href={`#/liquidations/${row.liqId}`}>{timeText(row.liqStartTime)}</a> },
            { name: "User", cell: (row) => <a href={`#/users/${row.userId}`}>{row.userId}</a> },
            { name: "Account", cell: place },
            { name: "Ratio", num: true, cell: (row) => ratio(row.riskRate) },
            { name: "Net", num: true, cell: (row) => shown(dec(row.netValue), 2) },
            { name: "Debt", num: true, cell: (row) => shown(dec(row.debtValue), 2) },
            { name: "Steps", num: true, cell: (row) => row.steps },
            {
              name: "State",
              cell: (row) => (
                <>
                  {row.stalled ? <Tag kind="watch">waits for a buyer, a price or its time</Tag> : <Tag kind="bad">selling</Tag>}
                  {row.forced && <Tag kind="plain">delisted debt</Tag>}
                </>
              ),
            },
          ]}
        />
      </Panel>
      <Panel title="All, newest first">
        <Fault words={past.fault} />
        <Table
          label="All liquidations"
          rows={past.data && all}
          keyOf={(row) => row.liqId}
          empty="There was none yet."
          columns={[
            { name: "Began (UTC)", cell: (row) => <a href={`#/liquidations/${row.liqId}`}>{timeText(row.liqStartTime)}</a> },
            { name: "Ended", cell: (row) => (row.liqEndTime ? timeText(row.liqEndTime) : <Tag kind="bad">goes on</Tag>) },
            { name: "User", cell: (row) => <a href={`#/users/${row.userId}`}>{row.userId}</a> },
            { name: "Account", cell: place },
            { name: "Ratio before", num: true, cell: (row) => ratio(row.riskRateBefore) },
            { name: "After", num: true, cell: (row) => ratio(row.riskRateAfter) },
            { name: "Assets", num: true, cell: (row) => shown(dec(row.totalAssets), 2) },
            { name: "Debt", num: true, cell: (row) => shown(dec(row.totalDebt), 2) },
            { name: "Fee", num: true, cell: (row) => shown(dec(row.liqFee), 2) },
          ]}
        />
        {all.length >= PAGE && (
          <p className="pad">
            <button onClick={() => void more()}>Older</button> {fault}
          </p>
        )}
      </Panel>
    </Page>
  );
}

const ACTIONS: { [name: string]: string } = {
  repay: "Repaid from coins it held",
  sell: "Sold a slice",
  wait: "Waited for a buyer or a price",
  takeover: "The insurance fund took over",
};
const ENTRIES: { [name: string]: string } = {
  repaid: "repaid",
  fund_paid: "fund paid",
  fund_took: "fund took",
  pool_loss: "lost by the pool",
  liquidation_fee: "liquidation fee",
};

const said = (entry: Entry): string => {
  const interest = dec(entry.interest) ? ` and ${entry.interest} interest` : "";
  return `${ENTRIES[entry.type] ?? entry.type} ${amount(dec(entry.principal), entry.coin)}${interest} ${entry.coin}`;
};

function Record({ id }: { id: string }) {
  const [ended, setEnded] = useState(false);
  const found = useRead<Recorded>("liquidations/record", { liqId: id }, ended ? 0 : 4000);
  const row = found.data;
  useEffect(() => {
    if (row?.liqEndTime) setEnded(true);
  }, [row?.liqEndTime]);
  return (
    <Page title="Liquidation">
      <p>
        <a href="#/liquidations">All liquidations</a>
      </p>
      <Fault words={found.fault} />
      {row && (
        <>
          <div className="tiles" role="group" aria-label="Liquidation">
            <Tile name="User">
              <a href={`#/users/${row.userId}`}>{row.userId}</a>
            </Tile>
            <Tile name="Account">{place(row)}</Tile>
            <Tile name="Began (UTC)" aside={timeText(row.liqStartTime).slice(0, 10)}>
              {timeText(row.liqStartTime).slice(11)}
            </Tile>
            <Tile name="Ended" kind={row.liqEndTime ? "" : "watch"}>
              {row.liqEndTime ? timeText(row.liqEndTime).slice(11) : "goes on"}
            </Tile>
            <Tile name="Ratio" aside={row.riskRateAfter ? `after: ${ratio(row.riskRateAfter)}` : ""}>
              {ratio(row.riskRateBefore)}
            </Tile>
            <Tile name="Assets">{shown(dec(row.totalAssets), 2)}</Tile>
            <Tile name="Debt">{shown(dec(row.totalDebt), 2)}</Tile>
            <Tile name="Fee">{shown(dec(row.liqFee), 2)}</Tile>
          </div>
          <Panel title="Step by step">
            <Table
              label="Steps"
              rows={row.steps}
              keyOf={(step) => step.step}
              empty="No step yet."
              columns={[
                { name: "Step", cell: (step) => step.step },
                { name: "Time (UTC)", cell: (step) => timeText(step.cTime).slice(11) },
                { name: "What was done", long: true, cell: (step) => ACTIONS[step.action] ?? step.action },
                {
                  name: "Sold",
                  long: true,
                  cell: (step) =>
                    step.order
                      ? `${step.order.side} ${step.order.size} ${step.order.symbol} at ${step.order.priceAvg} in ${step.order.fills.length} trades`
                      : "–",
                },
                { name: "Repaid and settled", long: true, cell: (step) => step.entries.map(said).join("; ") || "–" },
                { name: "Index", long: true, cell: (step) => step.indexPrices.map((each) => `${each.coin} ${each.price}`).join(", ") },
                { name: "Ratio", num: true, cell: (step) => `${ratio(step.riskRateBefore)} → ${ratio(step.riskRateAfter)}` },
              ]}
            />
            {row.ended.length > 0 && <p className="pad">At the end: {row.ended.map(said).join("; ")}.</p>}
          </Panel>
        </>
      )}
    </Page>
  );
}
