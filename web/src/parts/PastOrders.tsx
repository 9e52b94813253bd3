import { useEffect, useState } from "react";
import { type Order, orderOf, type Plan, planOf } from "../lib/account";
import { get } from "../lib/api";
import { amount, dec, shown } from "../lib/decimal";
import { loanWords, planSize, planWords, RowHead, usePlaces } from "./Orders";
import { timeOf } from "./SandboxBar";

// The latest orders of a pair that have ended, and stops that were cancelled or refused.

const MOST = 50;
const FAILED = "fail_execute";

type Row = Record<string, string>;
type Page = { orderList: Row[] };

async function readPast(symbol: string): Promise<(Order | Plan)[]> {
  const [margin, own] = ["/api/v2/margin", "/lombard/v1"];
  const query = { symbol, startTime: 0, limit: MOST };
  const plans = { symbol, limit: MOST };
  const [spot, crossed, isolated, ...waited] = await Promise.all([
    get<Row[]>("/api/v2/spot/trade/history-orders", { symbol, limit: MOST }),
    get<Page>(`${margin}/crossed/history-orders`, query),
    get<Page>(`${margin}/isolated/history-orders`, query),
    get<Page>(`${own}/spot/history-plan-order`, plans),
    get<Page>(`${own}/margin/crossed/history-plan-order`, plans),
    get<Page>(`${own}/margin/isolated/history-plan-order`, plans),
  ]);
  const modes = ["spot", "crossed", "isolated"] as const;
  return [
    ...spot.map((row) => orderOf("spot", row)),
    ...crossed.orderList.map((row) => orderOf("crossed", row)),
    ...isolated.orderList.map((row) => orderOf("isolated", row)),
    ...waited.flatMap((page, index) => page.orderList.map((row) => planOf(modes[index] ?? "spot", row))),
  ].sort((a, b) => b.time - a.time);
}

export function PastOrders({ symbol, reading }: { symbol: string; reading: number }) {
  const places = usePlaces()(symbol);
  const [rows, setRows] = useState<(Order | Plan)[]>([]);
  useEffect(() => {
    let isCurrent = true;
    readPast(symbol)
      .then((found) => isCurrent && setRows(found))
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [symbol, reading]);
  if (!rows.length) return <p className="empty">No past orders in {symbol}.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>Pair</th>
          <th>Side</th>
          <th>Type</th>
          <th className="num">Price</th>
          <th className="num">Filled</th>
          <th>Status</th>
          <th>Loan</th>
          <th className="num">Placed</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => ("plan" in row ? <PastPlan key={row.orderId} row={row} places={places} /> : (
          <tr key={row.orderId}>
            <RowHead row={row} type={row.orderType} />
            <td className="num">{dec(row.average) ? shown(dec(row.average), places) : "–"}</td>
            <td className="num">{amount(dec(row.filled))}</td>
            <td>{row.status}</td>
            <td>{loanWords(row.loanType)}</td>
            <td className="num">{timeOf(row.time)}</td>
          </tr>
        )))}
      </tbody>
    </table>
  );
}

function PastPlan({ row, places }: { row: Plan; places: number }) {
  const reason = row.reason.replaceAll("_", " ");
  const status = row.status === FAILED ? `refused: ${reason}` : row.status === "executed" ? "fired" : row.status;
  return (
    <tr>
      <RowHead row={row} type={planWords(row)} />
      <td className="num">{dec(row.triggerPrice) ? shown(dec(row.triggerPrice), places) : "–"}</td>
      <td className="num soft">of {planSize(row)}</td>
      <td>{status}</td>
      <td>{loanWords(row.loanType)}</td>
      <td className="num">{timeOf(row.time)}</td>
    </tr>
  );
}
