import { useEffect, useRef, useState } from "react";
import { account } from "../lib/account";
import { get, wordsOf } from "../lib/api";
import { amount, dec, type Dec, percent, plain, shown } from "../lib/decimal";
import { useStore } from "../lib/store";
import { timeOf } from "./SandboxBar";

// A liquidation from its lock to its end: what was decided on which prices, and where it all went.

interface Entry {
  type: string;
  coin: string;
  principal: string;
  interest: string;
  repayId: string;
}

interface Order {
  orderId: string;
  symbol: string;
  priceAvg: string;
  size: string;
  amount: string;
  fills: { tradeId: string; price: string; size: string; amount: string; fee: string; feeCoin: string }[];
}

interface Step {
  step: string;
  action: string;
  soldCoin: string;
  boughtCoin: string;
  indexPrices: { coin: string; price: string }[];
  riskRateBefore: string;
  riskRateAfter: string;
  order: Order | null;
  entries: Entry[];
  cTime: string;
}

interface Record_ {
  accountType: string;
  symbol: string;
  liqStartTime: string;
  liqEndTime: string;
  riskRateBefore: string;
  riskRateAfter: string;
  totalAssets: string;
  totalDebt: string;
  liqFee: string;
  steps: Step[];
  ended: Entry[];
}

const ACTIONS: Record<string, string> = {
  repay: "Repaid from the coin itself",
  sell: "Sold",
  wait: "Waited for a buyer",
  takeover: "Handed to the insurance fund",
};
const ENTRIES: Record<string, string> = {
  repaid: "repaid",
  fund_paid: "paid by the insurance fund",
  fund_took: "taken by the insurance fund",
  pool_loss: "lost by the pool",
  liquidation_fee: "liquidation fee",
};

export const riskText = (text: string): string =>
  !text ? "–" : dec(text) >= dec("999") ? "over 1 000 %" : percent(dec(text), 1);

export function LiquidationRecord(props: { mode: string; symbol: string; liqId: string; shut: () => void }) {
  const { mode, symbol, liqId, shut } = props;
  const [found, setFound] = useState<Record_ | null>(null);
  const [fault, setFault] = useState("");
  const { reading } = useStore(account);
  const place = useRef<HTMLDialogElement>(null);
  const isOver = !!found?.liqEndTime;
  useEffect(() => place.current?.showModal(), []);
  useEffect(() => {
    let isCurrent = true;
    const query = { liqId, symbol: mode === "isolated" ? symbol : undefined };
    get<Record_>(`/lombard/v1/margin/${mode}/liquidation`, query)
      .then((record) => isCurrent && setFound(record))
      .catch((error: unknown) => isCurrent && setFault(wordsOf(error)));
    return () => {
      isCurrent = false;
    };
    // What is over does not change any more.
  }, [mode, symbol, liqId, isOver ? 0 : reading]);
  return (
    <dialog ref={place} className="record" onClose={shut} aria-label="Record of the liquidation">
      <div className="record-body">
        <div className="panel-head">
          <h2>
            Liquidation of the {mode === "isolated" ? `isolated account ${symbol}` : "cross account"}
          </h2>
          <button type="button" className="plain" aria-label="Close" onClick={shut}>
            ×
          </button>
        </div>
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        {found && <Whole record={found} />}
      </div>
    </dialog>
  );
}

function Whole({ record }: { record: Record_ }) {
  return (
    <>
      <p className="soft">
        {timeOf(record.liqStartTime)} UTC
        {record.liqEndTime ? ` to ${timeOf(record.liqEndTime)} UTC` : ", still going on"}
      </p>
      <dl className="sums">
        <Fact name="Risk before" value={riskText(record.riskRateBefore)} />
        <Fact name="Risk after" value={record.liqEndTime ? riskText(record.riskRateAfter) : "–"} />
        <Fact name="Assets" value={`${shown(dec(record.totalAssets), 2)} USDT`} />
        <Fact name="Debt" value={`${shown(dec(record.totalDebt), 2)} USDT`} />
        <Fact name="Fee" value={`${shown(dec(record.liqFee), 2)} USDT`} />
      </dl>
      <Sums record={record} />
      <h3>Step by step</h3>
      <ol className="steps">
        {record.steps.map((step) => (
          <OneStep key={step.step} step={step} />
        ))}
        {record.ended.length > 0 && (
          <li>
            <b>At the end</b>
            <Entries rows={record.ended} />
          </li>
        )}
      </ol>
      <p className="soft">
        Risk is maintenance ÷ net: at 100 % a liquidation begins, at 50 % it ends. Each step was decided on the
        index prices beside it.
      </p>
    </>
  );
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd className="num">{value}</dd>
  </div>
);

interface Sum {
  type: string;
  coin: string;
  principal: Dec;
  interest: Dec;
}

function sumsOf(record: Record_): Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of [...record.steps.flatMap((step) => step.entries), ...record.ended]) {
    const key = `${row.type} ${row.coin}`;
    const sum = sums.get(key) ?? { type: row.type, coin: row.coin, principal: 0n, interest: 0n };
    sum.principal += dec(row.principal);
    sum.interest += dec(row.interest);
    sums.set(key, sum);
  }
  return [...sums.values()];
}

function Sums({ record }: { record: Record_ }) {
  const sold = new Map<string, { size: Dec; amount: Dec }>();
  for (const { order } of record.steps) {
    if (!order) continue;
    const sum = sold.get(order.symbol) ?? { size: 0n, amount: 0n };
    sold.set(order.symbol, { size: sum.size + dec(order.size), amount: sum.amount + dec(order.amount) });
  }
  const rows = sumsOf(record);
  if (!rows.length && !sold.size) return null;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="What it came to">
      <table>
        <thead>
          <tr>
            <th>In all</th>
            <th>Coin or pair</th>
            <th className="num">Amount</th>
            <th className="num">of it interest</th>
          </tr>
        </thead>
        <tbody>
          {[...sold].map(([symbol, sum]) => (
            <tr key={symbol}>
              <th scope="row">traded</th>
              <td>{symbol}</td>
              <td className="num">{plain(sum.size)}</td>
              <td className="num soft">for {amount(sum.amount)}</td>
            </tr>
          ))}
          {rows.map((row) => (
            <tr key={row.type + row.coin}>
              <th scope="row">{ENTRIES[row.type] ?? row.type}</th>
              <td>{row.coin}</td>
              <td className="num">{plain(row.principal + row.interest)}</td>
              <td className="num">{row.interest ? plain(row.interest) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function OneStep({ step }: { step: Step }) {
  const { order } = step;
  return (
    <li>
      <p className="step-head">
        <b>
          {ACTIONS[step.action] ?? step.action}
          {order && ` ${amount(dec(order.size))} of ${order.symbol} at ${amount(dec(order.priceAvg))}`}
        </b>
        <span className="num">
          {riskText(step.riskRateBefore)} → {riskText(step.riskRateAfter)}
        </span>
      </p>
      <p className="soft">
        {timeOf(step.cTime)} · index{" "}
        {step.indexPrices
          .filter((each) => each.coin !== "USDT")
          .map((each) => `${each.coin} ${amount(dec(each.price))}`)
          .join(", ")}
      </p>
      {order && order.fills.length > 0 && (
        <details>
          <summary>
            {order.fills.length} {order.fills.length === 1 ? "trade" : "trades"}, order {order.orderId}
          </summary>
          <ul>
            {order.fills.map((fill) => (
              <li key={fill.tradeId} className="num left">
                {amount(dec(fill.size))} at {amount(dec(fill.price))} = {amount(dec(fill.amount))}, fee {fill.fee}{" "}
                {fill.feeCoin}
              </li>
            ))}
          </ul>
        </details>
      )}
      <Entries rows={step.entries} />
    </li>
  );
}

const Entries = ({ rows }: { rows: Entry[] }) => (
  <ul>
    {rows.map((row, at) => (
      <li key={at} className="num left">
        {plain(dec(row.principal) + dec(row.interest))} {row.coin} {ENTRIES[row.type] ?? row.type}
        {dec(row.interest) > 0n && `, of it ${row.interest} interest`}
      </li>
    ))}
  </ul>
);
