import { useRead } from "./data";
import { Coins, Fault, Page, Panel, Table, Tag } from "./parts";
import { type CoinReport, type Report, Verdict } from "./report";

const num = (name: string, key: keyof CoinReport) => ({
  name,
  num: true,
  cell: (row: CoinReport) => <Coins value={String(row[key])} coin={row.coin} />,
});
const coin = { name: "Coin", cell: (row: CoinReport) => row.coin };

export default function Solvency() {
  const report = useRead<Report>("solvency");
  const rows = report.data?.coins ?? null;
  return (
    <Page title="Solvency" actions={<button onClick={report.again}>Add up again</button>}>
      <Fault words={report.fault} />
      <Panel title="Verdict">
        <Verdict report={report.data} />
      </Panel>
      <Panel title="What came in is claimed once">
        <p className="soft pad">Received, less what went out = users + idle + insurance + fees + interest.</p>
        <Table
          label="Claims"
          rows={rows}
          keyOf={(row) => row.coin}
          empty="No coins yet."
          columns={[
            coin,
            num("Received", "received"),
            num("Users", "users"),
            num("Idle in the pool", "idle"),
            num("Insurance", "insurance"),
            num("Fees", "fees"),
            num("Interest", "interest"),
            {
              name: "Verdict",
              cell: (row) => <Tag kind={row.balanced ? "good" : "bad"}>{row.balanced ? "balanced" : "does not balance"}</Tag>,
            },
          ]}
        />
      </Panel>
      <Panel title="What is lent is owed">
        <p className="soft pad">Lent = owed; supplied = idle + lent + loss.</p>
        <Table
          label="Lending"
          rows={rows}
          keyOf={(row) => row.coin}
          empty="No coins yet."
          columns={[
            coin,
            num("Supplied", "supplied"),
            num("Idle", "idle"),
            num("Lent", "lent"),
            num("Owed", "owed"),
            num("Loss", "loss"),
            num("Interest due", "interestDue"),
            num("Held by debtors", "collateral"),
          ]}
        />
      </Panel>
    </Page>
  );
}
