import { useEffect, useState } from "react";
import { account, type Mode, type Order, orderOf, type Position, refresh } from "../lib/account";
import { get, me, post, wordsOf } from "../lib/api";
import { amount, dec, shown } from "../lib/decimal";
import { pairs } from "../lib/market";
import { useStore } from "../lib/store";
import { cancel } from "../lib/trading";
import { note } from "./Notes";
import { timeOf } from "./SandboxBar";

// One's positions, open orders and past orders, below the chart.

const NAMES: Record<Mode, string> = { spot: "Spot", crossed: "Cross", isolated: "Isolated" };
const LOANS: Record<string, string> = {
  autoLoan: "borrow",
  autoRepay: "repay",
  autoLoanAndRepay: "borrow, repay",
};

export function Own({ symbol }: { symbol: string }) {
  const [tab, setTab] = useState("positions");
  const own = useStore(account);
  const user = useStore(me);
  const tabs: [string, string][] = [
    ["positions", `Positions (${own.positions.length})`],
    ["orders", `Open orders (${own.orders.length})`],
    ["history", "Order history"],
  ];
  return (
    <section className="panel own" aria-label="Positions and orders">
      <div className="tabs" role="tablist">
        {tabs.map(([name, title]) => (
          <button
            key={name}
            role="tab"
            aria-selected={tab === name}
            id={`tab-${name}`}
            aria-controls="own-panel"
            onClick={() => setTab(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div className="scroll" role="tabpanel" id="own-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {!user && <p className="empty">Log in to see positions and orders.</p>}
        {user && tab === "positions" && <Positions rows={own.positions} />}
        {user && tab === "orders" && <Orders rows={own.orders} />}
        {user && tab === "history" && <History symbol={symbol} reading={own.reading} />}
      </div>
    </section>
  );
}

function usePlaces(): (symbol: string) => number {
  const all = useStore(pairs);
  return (symbol) => all.find((pair) => pair.symbol === symbol)?.priceDecimals ?? 2;
}

function Positions({ rows }: { rows: Position[] }) {
  const places = usePlaces();
  const [busy, setBusy] = useState(false);
  const close = async (row: Position): Promise<void> => {
    setBusy(true);
    try {
      const { mode, symbol } = row;
      await post("/lombard/v1/margin/close-position", { mode, symbol });
      note(`The position in ${symbol} is closed, and its debt repaid.`);
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
      void refresh();
    }
  };
  if (!rows.length) return <p className="empty">No positions.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>Pair</th>
          <th>Side</th>
          <th className="num">Size</th>
          <th className="num">Entry</th>
          <th className="num">Index</th>
          <th className="num">Liquidation</th>
          <th className="num">Unrealised</th>
          <th className="num">Interest due</th>
          <th>
            <span className="hidden">Close</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.mode + row.symbol}>
            <th scope="row">
              {row.symbol} <small className="soft">{NAMES[row.mode]}</small>
            </th>
            <td className={row.side === "long" ? "up" : "down"}>{row.side}</td>
            <td className="num">{amount(dec(row.size))}</td>
            <td className="num">{shown(dec(row.averageEntryPrice), places(row.symbol))}</td>
            <td className="num">{shown(dec(row.indexPrice), places(row.symbol))}</td>
            <td className="num warning">
              {row.liquidationPrice ? shown(dec(row.liquidationPrice), places(row.symbol)) : "–"}
            </td>
            <td className={`num ${dec(row.unrealisedProfit) < 0n ? "down" : "up"}`}>
              {shown(dec(row.unrealisedProfit), 2)}
            </td>
            <td className="num">{interestOf(row, pairsOf(row.symbol))}</td>
            <td className="act">
              <button disabled={busy} onClick={() => void close(row)}>
                Close
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function pairsOf(symbol: string): [string, string] {
  const found = pairs.get().find((pair) => pair.symbol === symbol);
  return [found?.base ?? "", found?.quote ?? ""];
}

function interestOf(row: Position, [base, quote]: [string, string]): string {
  const due: [string, string][] = [
    [row.baseInterestDue, base],
    [row.quoteInterestDue, quote],
  ];
  const told = due.filter(([value]) => dec(value) > 0n);
  return told.map(([value, coin]) => `${shown(dec(value), 8)} ${coin}`).join(" + ") || "–";
}

function Orders({ rows }: { rows: Order[] }) {
  const places = usePlaces();
  const drop = async (row: Order): Promise<void> => {
    try {
      await cancel(row.mode, row.symbol, row.orderId);
      note("The order is cancelled.");
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      void refresh();
    }
  };
  if (!rows.length) return <p className="empty">No open orders.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>Pair</th>
          <th>Side</th>
          <th>Type</th>
          <th className="num">Price</th>
          <th className="num">Size</th>
          <th className="num">Filled</th>
          <th>Loan</th>
          <th className="num">Placed</th>
          <th>
            <span className="hidden">Cancel</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.orderId}>
            <OrderHead row={row} />
            <td className="num">{shown(dec(row.price), places(row.symbol))}</td>
            <td className="num">{amount(dec(row.size))}</td>
            <td className="num">{amount(dec(row.filled))}</td>
            <td>{LOANS[row.loanType] ?? "–"}</td>
            <td className="num">{timeOf(row.time)}</td>
            <td className="act">
              <button onClick={() => void drop(row)}>Cancel</button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OrderHead({ row }: { row: Order }) {
  return (
    <>
      <th scope="row">
        {row.symbol} <small className="soft">{NAMES[row.mode]}</small>
      </th>
      <td className={row.side === "buy" ? "up" : "down"}>{row.side}</td>
      <td>{row.orderType}</td>
    </>
  );
}

async function readHistory(symbol: string): Promise<Order[]> {
  const margin = "/api/v2/margin";
  const query = { symbol, startTime: 0, limit: 50 };
  const [spot, crossed, isolated] = await Promise.all([
    get<Record<string, string>[]>("/api/v2/spot/trade/history-orders", { symbol, limit: 50 }),
    get<{ orderList: Record<string, string>[] }>(`${margin}/crossed/history-orders`, query),
    get<{ orderList: Record<string, string>[] }>(`${margin}/isolated/history-orders`, query),
  ]);
  return [
    ...spot.map((row) => orderOf("spot", row)),
    ...crossed.orderList.map((row) => orderOf("crossed", row)),
    ...isolated.orderList.map((row) => orderOf("isolated", row)),
  ].sort((a, b) => b.time - a.time);
}

function History({ symbol, reading }: { symbol: string; reading: number }) {
  const places = usePlaces();
  const [rows, setRows] = useState<Order[]>([]);
  useEffect(() => {
    let isCurrent = true;
    readHistory(symbol)
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
          <th className="num">Average</th>
          <th className="num">Filled</th>
          <th>Status</th>
          <th>Loan</th>
          <th className="num">Placed</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.orderId}>
            <OrderHead row={row} />
            <td className="num">{dec(row.average) ? shown(dec(row.average), places(row.symbol)) : "–"}</td>
            <td className="num">{amount(dec(row.filled))}</td>
            <td>{row.status}</td>
            <td>{LOANS[row.loanType] ?? "–"}</td>
            <td className="num">{timeOf(row.time)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
