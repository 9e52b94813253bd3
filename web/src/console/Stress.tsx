import { useState } from "react";
import { amount, dec, percent, shown } from "../lib/decimal";
import { asRatio, type Coin, send, useRead } from "./data";
import { Fault, Field, Form, Page, Panel, Table, Tag, Tile } from "./parts";

// What a fall of prices would come to. The venue is asked, and not changed.

interface Struck {
  userId: string;
  accountType: string;
  symbol: string;
  outcome: "call" | "liquidation";
  already: boolean;
  riskRate: string;
  riskRateAfter: string;
  assets: string;
  debt: string;
  shortfall: string;
}

interface StruckCoin {
  coin: string;
  price: string;
  movedPrice: string;
  shortfall: string;
  fund: string;
  fundPays: string;
  loss: string;
  fundPaysValue: string;
  lossValue: string;
}

interface Answer {
  fromSeq: string;
  toSeq: string;
  debtors: string;
  called: string;
  liquidated: string;
  already: string;
  short: string;
  assets: string;
  debt: string;
  shortfall: string;
  fundPays: string;
  loss: string;
  coins: StruckCoin[];
  accounts: Struck[];
}

const READY = ["-10", "-20", "-35", "-50"];
const signed = (text: string): string => (text.startsWith("-") ? `-${asRatio(text.slice(1))}` : asRatio(text));
const ratio = (text: string): string => (text === "999" ? "below zero" : percent(dec(text), 1));

export default function Stress() {
  const coins = (useRead<Coin[]>("coins").data ?? []).filter((each) => each.coin !== "USDT");
  const [moves, setMoves] = useState<Record<string, string>>({ BTC: "-20" });
  const [cost, setCost] = useState("2");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [asked, setAsked] = useState("");

  const named = coins.filter((each) => moves[each.coin]);
  const run = async (): Promise<string> => {
    const body = named.map((each) => ({ coin: each.coin, change: signed(moves[each.coin] ?? "0") }));
    setAnswer(await send<Answer>("stress", { moves: body, sellingCost: asRatio(cost), limit: "200" }));
    setAsked(named.map((each) => `${each.coin} ${moves[each.coin]} %`).join(", "));
    return "";
  };

  return (
    <Page title="Stress">
      <Panel title="If prices moved at once by">
        <Form act="Who is liquidated, and what does the fund lose?" run={run}>
          <div className="presets" role="group" aria-label="All coins at once">
            <span className="soft">All coins</span>
            {READY.map((each) => (
              <button
                key={each}
                type="button"
                onClick={() => setMoves(Object.fromEntries(coins.map((coin) => [coin.coin, isStable(coin.coin) ? "" : each])))}
              >
                {each} %
              </button>
            ))}
          </div>
          <div className="columns many">
            {coins.map((each) => (
              <Field
                key={each.coin}
                label={each.coin}
                kind="signed"
                unit="%"
                optional
                value={moves[each.coin] ?? ""}
                change={(value) => setMoves({ ...moves, [each.coin]: value })}
              />
            ))}
            <Field label="Selling costs" kind="decimal" unit="%" value={cost} change={setCost} />
          </div>
          <p className="soft">
            Who is liquidated is exact: it is the engine’s own rule at those prices. What would be missing is an
            estimate: what is held is sold at the moved price less the cost of selling, and no book is looked at.
          </p>
        </Form>
      </Panel>
      {answer && <Found answer={answer} asked={asked} />}
    </Page>
  );
}

const isStable = (coin: string): boolean => coin === "USDC";
const usdt = (value: string) => (
  <>
    {shown(dec(value), 2)} <small>USDT</small>
  </>
);

function Found({ answer, asked }: { answer: Answer; asked: string }) {
  const lost = dec(answer.loss) > 0n;
  const struck = answer.coins.filter((each) => each.price !== each.movedPrice || dec(each.shortfall) > 0n);
  return (
    <>
      <h2 className="asked">{asked}</h2>
      <div className="tiles" role="group" aria-label="What it comes to">
        <Tile name="Liquidated" kind={Number(answer.liquidated) ? "bad" : ""} aside={`of ${answer.debtors} that owe; ${answer.already} already are`}>
          {answer.liquidated}
        </Tile>
        <Tile name="Called" kind={Number(answer.called) ? "watch" : ""}>
          {answer.called}
        </Tile>
        <Tile name="They hold">{usdt(answer.assets)}</Tile>
        <Tile name="They owe">{usdt(answer.debt)}</Tile>
        <Tile name="Missing" aside={`${answer.short} accounts cannot repay`}>
          {usdt(answer.shortfall)}
        </Tile>
        <Tile name="The fund pays" kind={dec(answer.fundPays) ? "watch" : ""}>
          {usdt(answer.fundPays)}
        </Tile>
        <Tile name="Left as loss" kind={lost ? "bad" : ""}>
          {usdt(answer.loss)}
        </Tile>
      </div>
      <Fault words={lost ? "The insurance fund would not do: the pools would lose the rest." : ""} />
      <Panel title="Coin by coin">
        <Table
          label="Coins under stress"
          rows={struck}
          keyOf={(row) => row.coin}
          empty="No price moves."
          columns={[
            { name: "Coin", cell: (row) => row.coin },
            { name: "Price", num: true, cell: (row) => row.price },
            { name: "Moved to", num: true, cell: (row) => row.movedPrice },
            { name: "Missing", num: true, cell: (row) => amount(dec(row.shortfall), row.coin) },
            { name: "Fund has", num: true, cell: (row) => amount(dec(row.fund), row.coin) },
            { name: "Fund pays", num: true, cell: (row) => amount(dec(row.fundPays), row.coin) },
            { name: "Loss", num: true, cell: (row) => amount(dec(row.loss), row.coin) },
            { name: "Loss in USDT", num: true, cell: (row) => shown(dec(row.lossValue), 2) },
          ]}
        />
      </Panel>
      <Panel title="Accounts, the worst first">
        <Table
          label="Accounts under stress"
          rows={answer.accounts}
          keyOf={(row) => row.userId + row.accountType + row.symbol}
          empty="Nobody comes near the line."
          columns={[
            { name: "User", cell: (row) => <a href={`#/users/${row.userId}`}>{row.userId}</a> },
            { name: "Account", cell: (row) => row.symbol || (row.accountType === "crossed_margin" ? "cross" : row.accountType) },
            {
              name: "What happens",
              cell: (row) =>
                row.outcome === "call" ? (
                  <Tag kind="watch">margin call</Tag>
                ) : (
                  <Tag kind="bad">{row.already ? "in liquidation now" : "liquidation"}</Tag>
                ),
            },
            { name: "Ratio now", num: true, cell: (row) => ratio(row.riskRate) },
            { name: "Ratio then", num: true, cell: (row) => ratio(row.riskRateAfter) },
            { name: "Assets", num: true, cell: (row) => shown(dec(row.assets), 2) },
            { name: "Debt", num: true, cell: (row) => shown(dec(row.debt), 2) },
            { name: "Missing", num: true, cell: (row) => shown(dec(row.shortfall), 2) },
          ]}
        />
      </Panel>
      <p className="soft pad">
        Read between commands {answer.fromSeq} and {answer.toSeq} of the log.
      </p>
    </>
  );
}
