import { useState } from "react";
import { amount, dec, percent } from "../lib/decimal";
import { State } from "./Coins";
import { CoinForm } from "./CoinForm";
import { Curve } from "./Curve";
import { asPercent, asRatio, type Coin, type Index, type Model, type Pool, send, timeText } from "./data";
import { Act, Bar, Field, Form, Page, Panel, Sheet, Table } from "./parts";

// One coin: its terms, its pool, its rate, its price.

const FUNDS = {
  supplied: "Supplied",
  lent: "Lent",
  idle: "Idle",
  loss: "Loss",
  insurance: "Insurance fund",
  fees: "Fees earned",
  interest: "Interest earned",
};

export function CoinPage(props: { coin: Coin; pool: Pool | undefined; price: Index | undefined; again: () => void }) {
  const { coin, pool, price, again } = props;
  const [edits, setEdits] = useState(false);
  const restrict = (what: "borrowable" | "transferable", name: string) => (
    <Act
      run={async () => {
        await send("coins/restrict", { coin: coin.coin, [what]: !coin[what] });
        return `${name} of ${coin.coin} ${coin[what] ? "is stopped" : "goes on"}.`;
      }}
      done={again}
    >
      {coin[what] ? "Stop" : "Resume"} {name.toLowerCase()}
    </Act>
  );
  return (
    <Page
      title={coin.coin}
      actions={
        <>
          {restrict("borrowable", "Lending")}
          {restrict("transferable", "Transfers")}
          <button className="primary" onClick={() => setEdits(true)}>
            Change terms
          </button>
        </>
      }
    >
      <p>
        <a href="#/coins">All coins</a> <State coin={coin} />
      </p>
      <div className="halves">
        <div className="column">
          <Panel title="Terms">
            <dl className="facts">
              <Fact name="Decimals">{coin.decimals}</Fact>
              <Fact name="A user may owe">{amount(dec(coin.userLimit), coin.coin)}</Fact>
              <Fact name="Least loan">{amount(dec(coin.minBorrow), coin.coin)}</Fact>
            </dl>
            <Table
              label="Collateral"
              rows={coin.collateral}
              keyOf={(row) => row.upTo}
              empty="Counts for nothing."
              columns={[
                { name: "A surplus counts", cell: (row) => percent(dec(row.ratio), 1) },
                { name: "Up to", num: true, cell: (row) => (dec(row.upTo) ? amount(dec(row.upTo), coin.coin) : "all the rest") },
              ]}
            />
            <Table
              label="Tiers"
              rows={coin.tiers}
              keyOf={(row) => row.upTo}
              empty="No tiers: it is not lent in cross margin."
              columns={[
                { name: "Leverage", cell: (row) => `${row.leverage}×` },
                { name: "Maintenance", num: true, cell: (row) => percent(dec(row.maintenanceMarginRate), 1) },
                { name: "Owed up to", num: true, cell: (row) => amount(dec(row.upTo), coin.coin) },
              ]}
            />
          </Panel>
          <Panel title="Pool">
            {pool && (
              <dl className="facts">
                <Fact name="Utilisation">
                  <Bar ratio={pool.utilization} label="Lent" />
                </Fact>
                {(Object.keys(FUNDS) as (keyof typeof FUNDS)[]).map((each) => (
                  <Fact key={each} name={FUNDS[each]}>
                    {amount(dec(pool[each]), coin.coin)}
                  </Fact>
                ))}
              </dl>
            )}
          </Panel>
        </div>
        <div className="column">
          {pool && <Rate key={coin.coin} coin={coin.coin} pool={pool} again={again} />}
          <Price coin={coin.coin} price={price} again={again} />
        </div>
      </div>
      {edits && (
        <Sheet title={`Terms of ${coin.coin}`} shut={() => setEdits(false)} wide>
          <CoinForm
            coin={coin}
            done={() => {
              setEdits(false);
              again();
            }}
          />
        </Sheet>
      )}
    </Page>
  );
}

export const Fact = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd className="num">{children}</dd>
  </div>
);

const PARTS: [keyof Model, string][] = [
  ["baseRate", "Rate when nothing is lent"],
  ["kink", "Kink at a utilisation of"],
  ["rateAtKink", "Rate at the kink"],
  ["rateAtFull", "Rate when all is lent"],
  ["premium", "Risk premium on top"],
];

function Rate({ coin, pool, again }: { coin: string; pool: Pool; again: () => void }) {
  const [typed, setTyped] = useState<Model>(
    () => Object.fromEntries(PARTS.map(([key]) => [key, asPercent(pool.model[key])])) as unknown as Model,
  );
  const model = Object.fromEntries(PARTS.map(([key]) => [key, asRatio(typed[key])])) as unknown as Model;
  const run = async (): Promise<string> => {
    await send("rate-models", { coin, ...model });
    return `The rate of ${coin} changes at the next full hour.`;
  };
  return (
    <Panel title="Rate">
      <Curve model={model} used={pool.utilization} />
      <Form act="Set from the next hour" run={run} done={again}>
        <div className="columns">
          {PARTS.map(([key, name]) => (
            <Field
              key={key}
              label={name}
              kind="decimal"
              unit={key === "kink" ? "%" : "% a day"}
              value={typed[key]}
              change={(value) => setTyped({ ...typed, [key]: value })}
            />
          ))}
        </div>
      </Form>
    </Panel>
  );
}

function Price({ coin, price, again }: { coin: string; price: Index | undefined; again: () => void }) {
  const [value, setValue] = useState("");
  const [sources, setSources] = useState("2");
  const run = async (): Promise<string> => {
    await send("index-prices", { coin, price: value, sources });
    return `The index of ${coin} is ${value} USDT.`;
  };
  return (
    <Panel title="Index price">
      <dl className="facts">
        <Fact name="Now">{price?.price ? `${price.price} USDT` : "none"}</Fact>
        <Fact name="Slow average">{price?.slowPrice || "–"}</Fact>
        <Fact name="Sources">{price?.sources ?? "–"}</Fact>
        <Fact name="Published (UTC)">{price?.time ? timeText(price.time) : "–"}</Fact>
        <Fact name="May be decided on">{price ? (price.stale ? "no, it is stale or missing" : "yes") : "…"}</Fact>
      </dl>
      <Form act="Publish" run={run} done={again}>
        <p className="soft">For a venue without a feed. A single source is no reason to liquidate anybody.</p>
        <div className="columns">
          <Field label="Price" kind="decimal" unit="USDT" value={value} change={setValue} />
          <Field label="Sources" kind="count" value={sources} change={setSources} />
        </div>
      </Form>
    </Panel>
  );
}
