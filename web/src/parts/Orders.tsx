import { useState } from "react";
import { type Order, type Plan, refresh } from "../lib/account";
import { wordsOf } from "../lib/api";
import { amount, dec, plain, shown } from "../lib/decimal";
import { pairs } from "../lib/market";
import { useStore } from "../lib/store";
import { MODES } from "../lib/telling";
import { cancel, cancelAll, cancelPlan } from "../lib/trading";
import { Switch } from "./Field";
import { note } from "./Notes";
import { timeOf } from "./SandboxBar";

// Orders in the book, and those that wait for their price.

const LOANS: Record<string, string> = {
  autoLoan: "borrow",
  autoRepay: "repay",
  autoLoanAndRepay: "borrow, repay",
};
const PLANS: Record<string, string> = {
  trigger: "stop",
  tpsl: "stop",
  trailing: "trailing",
  take_profit: "take-profit",
  stop_loss: "stop-loss",
  oco: "OCO stop",
};

export const loanWords = (loanType: string): string => LOANS[loanType] ?? "–";

export function usePlaces(): (symbol: string) => number {
  const all = useStore(pairs);
  return (symbol) => all.find((pair) => pair.symbol === symbol)?.priceDecimals ?? 2;
}

export function Orders(props: { orders: Order[]; plans: Plan[]; symbol: string }) {
  const [isOnly, setIsOnly] = useState(false);
  const [busy, setBusy] = useState(false);
  const wanted = (row: { symbol: string }): boolean => !isOnly || row.symbol === props.symbol;
  const orders = props.orders.filter(wanted);
  const plans = props.plans.filter(wanted);
  const run = async (act: () => Promise<string>): Promise<void> => {
    setBusy(true);
    try {
      note(await act());
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
      void refresh();
    }
  };
  const dropAll = async (): Promise<string> => {
    const count = await cancelAll([...props.orders, ...props.plans], isOnly ? props.symbol : "");
    return `${count} ${count === 1 ? "order is" : "orders are"} cancelled.`;
  };
  const drop = async (how: Promise<unknown>): Promise<string> => {
    await how;
    return "The order is cancelled.";
  };
  return (
    <>
      <div className="above">
        <Switch label={`Only ${props.symbol}`} on={isOnly} change={setIsOnly} />
        <button disabled={busy || !(orders.length + plans.length)} onClick={() => void run(dropAll)}>
          Cancel all
        </button>
      </div>
      {orders.length + plans.length === 0 ? (
        <p className="empty">No open orders.</p>
      ) : (
        <table>
          <Head />
          <tbody>
            {plans.map((row) => (
              <PlanRow key={row.orderId} row={row} busy={busy} drop={() => void run(() => drop(cancelPlan(row)))} />
            ))}
            {orders.map((row) => (
              <OrderRow key={row.orderId} row={row} busy={busy} drop={() => void run(() => drop(cancel(row)))} />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th>Pair</th>
        <th>Side</th>
        <th>Type</th>
        <th>Waits for</th>
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
  );
}

export function RowHead({ row, type }: { row: Order | Plan; type: string }) {
  return (
    <>
      <th scope="row">
        {row.symbol} <small className="soft">{MODES[row.mode]}</small>
      </th>
      <td className={row.side === "buy" ? "up" : "down"}>{row.side}</td>
      <td>{type}</td>
    </>
  );
}

function OrderRow({ row, busy, drop }: { row: Order; busy: boolean; drop: () => void }) {
  const places = usePlaces();
  return (
    <tr>
      <RowHead row={row} type={row.orderType} />
      <td className="soft">–</td>
      <td className="num">{shown(dec(row.price), places(row.symbol))}</td>
      <td className="num">{amount(dec(row.size))}</td>
      <td className="num">{amount(dec(row.filled))}</td>
      <td>{loanWords(row.loanType)}</td>
      <td className="num">{timeOf(row.time)}</td>
      <td className="act">
        <button disabled={busy} onClick={drop}>
          Cancel
        </button>
      </td>
    </tr>
  );
}

/** What a plan order waits for, in words. */
export function waitWords(row: Plan, places: number): string {
  const watched = row.triggerType === "mark_price" ? "index" : "last";
  const at = row.triggerPrice ? shown(dec(row.triggerPrice), places) : "";
  if (!dec(row.callbackRatio)) return `${watched} at ${at}`;
  const behind = `${plain(dec(row.callbackRatio) * 100n, 1)} % behind the ${watched}`;
  if (dec(row.bestPrice)) return `${behind}, best ${shown(dec(row.bestPrice), places)}`;
  return at ? `${behind}, from ${at} on` : behind;
}

export const planName = (row: Plan): string => PLANS[row.plan] ?? row.plan;
export const planWords = (row: Plan): string => `${planName(row)} ${row.orderType}`;

export function planSize(row: Plan): string {
  const pair = pairs.get().find((each) => each.symbol === row.symbol);
  return row.isQuoted ? `${amount(dec(row.size), pair?.quote)} ${pair?.quote ?? ""}` : amount(dec(row.size));
}

function PlanRow({ row, busy, drop }: { row: Plan; busy: boolean; drop: () => void }) {
  const places = usePlaces()(row.symbol);
  return (
    <tr>
      <RowHead row={row} type={planWords(row)} />
      <td className="num left">{waitWords(row, places)}</td>
      <td className="num">{dec(row.executePrice) ? shown(dec(row.executePrice), places) : "market"}</td>
      <td className="num">{planSize(row)}</td>
      <td className="num">–</td>
      <td>{loanWords(row.loanType)}</td>
      <td className="num">{timeOf(row.time)}</td>
      <td className="act">
        <button disabled={busy} onClick={drop}>
          Cancel
        </button>
      </td>
    </tr>
  );
}
