import { useState } from "react";
import { me } from "../lib/api";
import { useStore } from "../lib/store";
import { type Coin, type Pool, send, timeText, useRead } from "./data";
import { Act, Choice, Coins, Fault, Field, Form, Page, Panel, Table, Tag } from "./parts";

interface Movement {
  movementId: string;
  status: string;
  kind: string;
  userId: string;
  coin: string;
  amount: string;
  operatorId: string;
}

interface Pending extends Omit<Movement, "status"> {
  time: string;
}

interface Decided extends Pending {
  status: string;
  decidedBy: string;
  decidedTime: string;
}

const KINDS: [string, string][] = [
  ["deposit", "Deposit for a user"],
  ["withdrawal", "Withdrawal of a user"],
  ["pool-funding", "Into the pool"],
  ["pool-withdrawal", "Out of the pool"],
  ["insurance-funding", "Into the insurance fund"],
  ["insurance-withdrawal", "Out of the insurance fund"],
  ["fee-withdrawal", "Fees earned, out"],
  ["interest-withdrawal", "Interest earned, out"],
];
const NAMES = Object.fromEntries(KINDS);
const OF_USERS = ["deposit", "withdrawal"];

export default function Money() {
  const user = useStore(me);
  const pools = useRead<Pool[]>("pools", {}, 10_000);
  const waiting = useRead<Pending[]>("movements/pending", {}, 3000);
  const decided = useRead<Decided[]>("movements/decided", { limit: "20" }, 10_000);
  const decide = (how: "approve" | "reject", row: Pending) => async (): Promise<string> => {
    await send(`movements/${how}`, { movementId: row.movementId });
    return how === "approve" ? `${row.amount} ${row.coin} moved.` : "The request is dropped.";
  };
  const again = (): void => {
    waiting.again();
    decided.again();
    pools.again();
  };
  return (
    <Page title="Money">
      <div className="halves">
        <Panel title="Move">
          <Move done={again} />
        </Panel>
        <Panel title="The venue’s own">
          <Fault words={pools.fault} />
          <Table
            label="Funds"
            rows={pools.data}
            keyOf={(row) => row.coin}
            empty="No coins yet."
            columns={[
              { name: "Coin", cell: (row) => row.coin },
              { name: "Idle in the pool", num: true, cell: (row) => <Coins value={row.idle} coin={row.coin} /> },
              { name: "Insurance", num: true, cell: (row) => <Coins value={row.insurance} coin={row.coin} /> },
              { name: "Fees", num: true, cell: (row) => <Coins value={row.fees} coin={row.coin} /> },
              { name: "Interest", num: true, cell: (row) => <Coins value={row.interest} coin={row.coin} /> },
            ]}
          />
        </Panel>
      </div>
      <Panel title="Waiting for another operator">
        <Fault words={waiting.fault} />
        <Table
          label="Requests that wait"
          rows={waiting.data}
          keyOf={(row) => row.movementId}
          empty="Nothing waits. Which movements need two operators is a setting of the process (operator.approvals)."
          columns={[
            { name: "Asked (UTC)", cell: (row) => timeText(row.time) },
            { name: "What", cell: (row) => NAMES[row.kind] ?? row.kind },
            { name: "User", cell: (row) => (row.userId ? <a href={`#/users/${row.userId}`}>{row.userId}</a> : "–") },
            { name: "Amount", num: true, cell: (row) => `${row.amount} ${row.coin}` },
            { name: "By operator", num: true, cell: (row) => (row.operatorId === user?.userId ? "you" : row.operatorId) },
            {
              name: "Decide",
              hidden: true,
              cell: (row) => (
                <div className="actions">
                  {row.operatorId === user?.userId ? (
                    <Tag kind="plain">another has to approve</Tag>
                  ) : (
                    <Act label={`Approve ${row.amount} ${row.coin}`} run={decide("approve", row)} done={again}>
                      Approve
                    </Act>
                  )}
                  <Act label={`Reject ${row.amount} ${row.coin}`} run={decide("reject", row)} done={again}>
                    Reject
                  </Act>
                </div>
              ),
            },
          ]}
        />
      </Panel>
      <Panel title="Decided, the latest">
        <Fault words={decided.fault} />
        <Table
          label="Requests that were decided"
          rows={decided.data}
          keyOf={(row) => row.movementId}
          empty="Nothing was decided by two operators yet."
          columns={[
            { name: "Asked (UTC)", cell: (row) => timeText(row.time) },
            { name: "What", cell: (row) => NAMES[row.kind] ?? row.kind },
            { name: "User", cell: (row) => (row.userId ? <a href={`#/users/${row.userId}`}>{row.userId}</a> : "–") },
            { name: "Amount", num: true, cell: (row) => `${row.amount} ${row.coin}` },
            { name: "Asked by", num: true, cell: (row) => row.operatorId },
            { name: "Decided by", num: true, cell: (row) => row.decidedBy },
            { name: "Decided (UTC)", cell: (row) => timeText(row.decidedTime) },
            {
              name: "So it was",
              cell: (row) => <Tag kind={row.status === "done" ? "good" : "plain"}>{row.status}</Tag>,
            },
          ]}
        />
      </Panel>
    </Page>
  );
}

function Move({ done }: { done: () => void }) {
  const coins = useRead<Coin[]>("coins");
  const [kind, setKind] = useState("deposit");
  const [coin, setCoin] = useState("USDT");
  const [value, setValue] = useState("");
  const [user, setUser] = useState("");
  const ofUser = OF_USERS.includes(kind);
  const run = async (): Promise<string> => {
    const made = await send<Movement>("movements", { kind, coin, amount: value, userId: ofUser ? user : "" });
    return made.status === "done"
      ? `${value} ${coin} moved: ${NAMES[kind]?.toLowerCase()}.`
      : "Asked for. Another operator has to approve it.";
  };
  return (
    <Form
      act="Move"
      run={run}
      done={() => {
        setValue("");
        done();
      }}
    >
      <div className="columns">
        <Choice label="What" value={kind} options={KINDS} change={setKind} />
        <Choice
          label="Coin"
          value={coin}
          options={(coins.data ?? []).map((each) => [each.coin, each.coin])}
          change={setCoin}
        />
        <Field label="Amount" kind="decimal" unit={coin} value={value} change={setValue} />
        {ofUser && <Field label="User" kind="count" value={user} change={setUser} />}
      </div>
    </Form>
  );
}
