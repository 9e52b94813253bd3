import { dec, shown } from "../lib/decimal";
import { timeText } from "./data";
import { Tag } from "./parts";

// The solvency report, in short.

export interface CoinReport {
  coin: string;
  received: string;
  users: string;
  idle: string;
  insurance: string;
  fees: string;
  interest: string;
  supplied: string;
  lent: string;
  owed: string;
  loss: string;
  interestDue: string;
  collateral: string;
  balanced: boolean;
}

export interface Report {
  time: string;
  balanced: boolean;
  debtors: string;
  assets: string;
  debt: string;
  uncovered: string;
  coins: CoinReport[];
}

export function Verdict({ report }: { report: Report | null }) {
  if (!report) return <p className="empty">Adding up…</p>;
  return (
    <div className="totals">
      <div>
        <span className="soft">As of {timeText(report.time)} UTC</span>
        <b>
          <Tag kind={report.balanced ? "good" : "bad"}>
            {report.balanced ? "Balanced to the unit" : "Does not balance"}
          </Tag>
        </b>
      </div>
      <Sum name="Debtors hold, by collateral ratio" value={report.assets} />
      <Sum name={`${report.debtors} accounts owe`} value={report.debt} />
      <Sum name="Not covered" value={report.uncovered} />
    </div>
  );
}

const Sum = ({ name, value }: { name: string; value: string }) => (
  <div>
    <span className="soft">{name}</span>
    <b className="num">
      {shown(dec(value), 2)} <small>USDT</small>
    </b>
  </div>
);
