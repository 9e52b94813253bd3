import { useState } from "react";
import { dec, percent } from "../lib/decimal";
import { route } from "../lib/route";
import { useStore } from "../lib/store";
import { rateAt } from "./Curve";
import { type Announced, type Coin, fromMoment, type Index, type Pool, send, timeText, useRead } from "./data";
import { CoinPage } from "./CoinPage";
import { CoinForm } from "./CoinForm";
import { Act, Choice, Coins as Amount, Fault, Field, Form, Page, Panel, Sheet, Table, Tag } from "./parts";

export default function CoinsPage() {
  const { rest } = useStore(route);
  const coins = useRead<Coin[]>("coins");
  const pools = useRead<Pool[]>("pools");
  const prices = useRead<Index[]>("index-prices", {}, 5000);
  const [adds, setAdds] = useState(false);
  const again = (): void => {
    coins.again();
    pools.again();
    prices.again();
  };
  const chosen = coins.data?.find((each) => each.coin === rest);
  if (chosen) {
    return (
      <CoinPage
        coin={chosen}
        pool={pools.data?.find((each) => each.coin === rest)}
        price={prices.data?.find((each) => each.coin === rest)}
        again={again}
      />
    );
  }
  const poolOf = (coin: string): Pool | undefined => pools.data?.find((each) => each.coin === coin);
  return (
    <Page
      title="Coins"
      actions={
        <button className="primary" onClick={() => setAdds(true)}>
          Add a coin
        </button>
      }
    >
      <Fault words={coins.fault} />
      <Panel title="Listed">
        <Table
          label="Coins"
          rows={coins.data}
          keyOf={(row) => row.coin}
          empty="No coins yet. Add USDT first: everything is counted in it."
          columns={[
            { name: "Coin", cell: (row) => <a href={`#/coins/${row.coin}`}>{row.coin}</a> },
            { name: "Index price", num: true, cell: (row) => <Price of={prices.data?.find((each) => each.coin === row.coin)} /> },
            { name: "Counts as collateral", num: true, cell: (row) => row.collateral.map((each) => percent(dec(each.ratio), 0)).join(" → ") },
            { name: "Leverage up to", num: true, cell: (row) => (row.tiers[0] ? `${row.tiers[0].leverage}×` : "–") },
            { name: "A user may owe", num: true, cell: (row) => <Amount value={row.userLimit} coin={row.coin} /> },
            {
              name: "Rate a day",
              num: true,
              cell: (row) => {
                const pool = poolOf(row.coin);
                return pool ? percent(rateAt(pool.model, dec(pool.utilization)), 4) : "…";
              },
            },
            { name: "State", cell: (row) => <State coin={row} /> },
          ]}
        />
      </Panel>
      <Announcements />
      {adds && (
        <Sheet title="Add a coin" shut={() => setAdds(false)} wide>
          <CoinForm
            done={() => {
              setAdds(false);
              again();
            }}
          />
        </Sheet>
      )}
    </Page>
  );
}

const Price = ({ of }: { of: Index | undefined }) =>
  of?.price ? (
    <>
      {of.price} {of.stale && <Tag kind="bad">stale</Tag>}
    </>
  ) : (
    <Tag kind="bad">none</Tag>
  );

export function State({ coin }: { coin: Coin }) {
  const said = [
    !coin.borrowable && <Tag key="b" kind="watch">no lending</Tag>,
    !coin.transferable && <Tag key="t" kind="watch">no transfers</Tag>,
    coin.delisting !== "0" && <Tag key="d" kind="bad">delisting</Tag>,
  ].filter(Boolean);
  return said.length ? <>{said}</> : <Tag kind="good">open</Tag>;
}

const KINDS: Record<string, string> = {
  coin: "New terms of a coin",
  pair: "New terms of a pair",
  reduce_only: "Delisting: orders only reduce",
  repay: "Delisting: debts are repaid by force",
};

function Announcements() {
  const rows = useRead<Announced[]>("announcements", {}, 10_000);
  const [delists, setDelists] = useState(false);
  return (
    <Panel
      title="Announced changes"
      aside={<button onClick={() => setDelists(true)}>Announce a delisting</button>}
    >
      <Fault words={rows.fault} />
      <Table
        label="Announced changes"
        rows={rows.data}
        keyOf={(row) => row.announcementId + row.kind}
        empty="Nothing is announced."
        columns={[
          { name: "What", cell: (row) => `${row.coin || row.symbol}` },
          { name: "Change", cell: (row) => KINDS[row.kind] ?? row.kind },
          { name: "Holds from (UTC)", cell: (row) => timeText(row.effectiveTime) },
          { name: "Announced", cell: (row) => timeText(row.announcedTime) },
          { name: "Collateral", num: true, cell: (row) => (row.collateralRatio ? percent(dec(row.collateralRatio), 1) : "–") },
          { name: "Maintenance", num: true, cell: (row) => (row.maintenanceMarginRate ? percent(dec(row.maintenanceMarginRate), 1) : "–") },
          {
            name: "Take back",
            hidden: true,
            cell: (row) => (
              <Act
                label={`Take back the announcement for ${row.coin || row.symbol}`}
                run={async () => {
                  await send("announcements/withdraw", { announcementId: row.announcementId });
                  return "The announcement was taken back.";
                }}
                done={rows.again}
              >
                Take back
              </Act>
            ),
          },
        ]}
      />
      {delists && (
        <Sheet title="Announce a delisting" shut={() => setDelists(false)}>
          <Delisting
            done={() => {
              setDelists(false);
              rows.again();
            }}
          />
        </Sheet>
      )}
    </Panel>
  );
}

function Delisting({ done }: { done: () => void }) {
  const [kind, setKind] = useState("coin");
  const [name, setName] = useState("");
  const [reduce, setReduce] = useState("");
  const [repay, setRepay] = useState("");
  const run = async (): Promise<string> => {
    const body = { reduceOnlyTime: fromMoment(reduce), repayTime: fromMoment(repay) };
    await send("announcements/delisting", { ...body, [kind]: name.trim() });
    return `The end of ${name} is announced; nothing more is lent for it.`;
  };
  return (
    <Form act="Announce" danger run={run} done={done}>
      <Choice
        label="What ends"
        value={kind}
        change={setKind}
        options={[
          ["coin", "A coin"],
          ["symbol", "Isolated margin of a pair"],
        ]}
      />
      <Field label={kind === "coin" ? "Coin" : "Pair"} value={name} change={setName} />
      <Field label="Orders only reduce from" hint="UTC, exchange time" kind="moment" value={reduce} change={setReduce} />
      <Field label="Debts are repaid by force from" hint="UTC, exchange time" kind="moment" value={repay} change={setRepay} />
      <p className="soft">Lending ends at once. Everybody concerned is told.</p>
    </Form>
  );
}
