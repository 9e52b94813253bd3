import { useState } from "react";
import { dec, percent } from "../lib/decimal";
import { asRatio, type Coin, fromMoment, send, timeText, useRead } from "./data";
import { Choice, Fault, Field, Form, Page, Panel, Rows, Sheet, Table, Tag } from "./parts";

interface Campaign {
  campaignId: string;
  name: string;
  discountRate: string;
  caps: { coin: string; amount: string }[];
  durationMs: string;
  startsFrom: string;
  claimFrom: string;
  claimUntil: string;
  access: string;
  count: string;
  left: string;
  seedHash: string;
  seed: string;
  entrants: string;
}

const ACCESS: [string, string][] = [
  ["open", "Whoever claims first"],
  ["named", "Users I name"],
  ["draw", "A draw among users I name"],
];
const HOUR_MS = 3_600_000;
const giving = (row: Campaign): string => (row.access === "named" ? "Grant" : "Enter or draw");

export default function Coupons() {
  const rows = useRead<Campaign[]>("campaigns", {}, 10_000);
  const [makes, setMakes] = useState(false);
  const [chosen, setChosen] = useState<Campaign | null>(null);
  const done = (): void => {
    setMakes(false);
    setChosen(null);
    rows.again();
  };
  return (
    <Page
      title="Coupons"
      actions={
        <button className="primary" onClick={() => setMakes(true)}>
          New campaign
        </button>
      }
    >
      <Fault words={rows.fault} />
      <Panel title="Campaigns">
        <Table
          label="Campaigns"
          rows={rows.data}
          keyOf={(row) => row.campaignId}
          empty="No campaigns yet. A coupon takes a part off the interest on some of what somebody owes."
          columns={[
            { name: "Campaign", cell: (row) => row.name },
            { name: "Off the interest", num: true, cell: (row) => percent(dec(row.discountRate), 0) },
            { name: "On up to", cell: (row) => row.caps.map((each) => `${each.amount} ${each.coin}`).join(", ") },
            { name: "For", num: true, cell: (row) => `${Number(row.durationMs) / HOUR_MS} h` },
            { name: "Claimed until (UTC)", cell: (row) => timeText(row.claimUntil) },
            { name: "For whom", cell: (row) => ACCESS.find(([each]) => each === row.access)?.[1] ?? row.access },
            { name: "Left", num: true, cell: (row) => `${row.left} of ${row.count}` },
            {
              name: "Draw",
              cell: (row) =>
                row.access === "draw" ? <Tag kind={row.seed ? "good" : "watch"}>{row.seed ? "held" : `${row.entrants} on the list`}</Tag> : "–",
            },
            {
              name: "Give",
              hidden: true,
              cell: (row) =>
                row.access !== "open" &&
                !row.seed && (
                  <button aria-label={`${giving(row)} coupons of ${row.name}`} onClick={() => setChosen(row)}>
                    {giving(row)}
                  </button>
                ),
            },
          ]}
        />
      </Panel>
      {makes && (
        <Sheet title="New campaign" shut={() => setMakes(false)} wide>
          <Make done={done} />
        </Sheet>
      )}
      {chosen && (
        <Sheet title={chosen.name} shut={() => setChosen(null)}>
          <Give campaign={chosen} done={done} />
          {chosen.access === "draw" && <Draw campaign={chosen} done={done} />}
        </Sheet>
      )}
    </Page>
  );
}

function Make({ done }: { done: () => void }) {
  const coins = useRead<Coin[]>("coins");
  const [name, setName] = useState("");
  const [discount, setDiscount] = useState("50");
  const [caps, setCaps] = useState<Record<string, string>[]>([{ coin: "USDT", amount: "1000" }]);
  const [hours, setHours] = useState("72");
  const [starts, setStarts] = useState("firstUse");
  const [until, setUntil] = useState("");
  const [access, setAccess] = useState("open");
  const [count, setCount] = useState("100");
  const [seedHash, setSeedHash] = useState("");
  const run = async (): Promise<string> => {
    await send("campaigns", {
      name,
      discountRate: asRatio(discount),
      caps,
      durationHours: hours,
      startsFrom: starts,
      claimUntil: fromMoment(until),
      access,
      count,
      ...(access === "draw" ? { seedHash } : {}),
    });
    return `${name} is announced.`;
  };
  const cap = caps[0] ?? {};
  return (
    <Form act="Announce" run={run} done={done}>
      <div className="columns">
        <Field label="Name" value={name} change={setName} />
        <Field label="Off the interest" kind="decimal" unit="%" value={discount} change={setDiscount} />
        <Choice
          label="Coin"
          value={cap.coin ?? ""}
          options={(coins.data ?? []).map((each) => [each.coin, each.coin])}
          change={(value) => setCaps([{ ...cap, coin: value }, ...caps.slice(1)])}
        />
        <Field
          label="On what is owed up to"
          kind="decimal"
          unit={cap.coin}
          value={cap.amount ?? ""}
          change={(value) => setCaps([{ ...cap, amount: value }, ...caps.slice(1)])}
        />
        <Field label="Good for" kind="count" unit="hours" value={hours} change={setHours} />
        <Choice
          label="Counted from"
          value={starts}
          options={[
            ["firstUse", "its first use"],
            ["claim", "the claim"],
          ]}
          change={setStarts}
        />
        <Field label="Claimed until" hint="UTC, exchange time" kind="moment" value={until} change={setUntil} />
        <Field label="How many" kind="count" value={count} change={setCount} />
        <Choice label="For whom" value={access} options={ACCESS} change={setAccess} />
        {access === "draw" && (
          <Field label="SHA-256 of the seed" hint="hex; shown from now on, the seed after the draw" value={seedHash} change={setSeedHash} />
        )}
      </div>
    </Form>
  );
}

function Give({ campaign, done }: { campaign: Campaign; done: () => void }) {
  const [users, setUsers] = useState<Record<string, string>[]>([{ user: "" }]);
  const isDraw = campaign.access === "draw";
  const run = async (): Promise<string> => {
    const userIds = users.map((each) => each.user ?? "");
    await send(isDraw ? "campaigns/entries" : "campaigns/grants", { campaignId: campaign.campaignId, userIds });
    return isDraw ? `${userIds.length} users are on the list.` : `${userIds.length} coupons are granted.`;
  };
  return (
    <Form act={isDraw ? "Put on the list" : "Grant"} run={run} done={done}>
      <Rows label="Users" columns={[{ key: "user", name: "Number" }]} rows={users} change={setUsers} />
      <p className="soft">All of them, or none.</p>
    </Form>
  );
}

function Draw({ campaign, done }: { campaign: Campaign; done: () => void }) {
  const [seed, setSeed] = useState("");
  const run = async (): Promise<string> => {
    await send("campaigns/draws", { campaignId: campaign.campaignId, seed });
    return "The draw is held, and the seed is public.";
  };
  return (
    <Form act="Hold the draw" danger run={run} done={done}>
      <Field label="Seed" hint="hex; its hash was announced" value={seed} change={setSeed} />
    </Form>
  );
}
