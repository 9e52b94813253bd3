import { useState } from "react";
import { asPercent, asRatio, type Coin, fromMoment, type Pair, send } from "./data";
import { Choice, Field, Form, Rows, Switch } from "./parts";

// A pair's terms: all of them for a new one, those that may change for one that is listed.

type Cells = Record<string, string>;

const NEW: Cells = {
  base: "",
  quote: "USDT",
  tick: "0.01",
  step: "0.0001",
  minSize: "0.0001",
  maxSize: "100000",
  minValue: "1",
  makerFee: "0.1",
  takerFee: "0.1",
  liquidationFee: "2",
  maxOpenOrders: "200",
};
const RATIOS = ["makerFee", "takerFee", "liquidationFee"];
const TIERS = [
  { key: "baseUpTo", name: "Base owed up to" },
  { key: "quoteUpTo", name: "Quote owed up to" },
  { key: "leverage", name: "Leverage" },
  { key: "maintenanceMarginRate", name: "Maintenance, %" },
];

function cellsOf(pair: Pair): Cells {
  const found: Cells = {};
  for (const key of Object.keys(NEW)) {
    const value = pair[key as keyof Pair] as string;
    found[key] = RATIOS.includes(key) ? asPercent(value) : value;
  }
  return found;
}

export function PairForm({ coins, pair, done }: { coins: Coin[]; pair: Pair | undefined; done: () => void }) {
  const [cells, setCells] = useState<Cells>(pair ? cellsOf(pair) : NEW);
  const [tiers, setTiers] = useState<Cells[]>(
    pair?.isolatedTiers.map((each) => ({ ...each, maintenanceMarginRate: asPercent(each.maintenanceMarginRate) })) ?? [],
  );
  const [crossed, setCrossed] = useState(pair?.crossed ?? true);
  const [later, setLater] = useState(false);
  const [from, setFrom] = useState("");
  const names = coins.map((each): [string, string] => [each.coin, each.coin]);
  const base = cells.base ?? "";
  const quote = cells.quote ?? "";
  const symbol = pair?.symbol ?? base + quote;

  const run = async (): Promise<string> => {
    const isolatedTiers = tiers.map((each) => ({
      ...each,
      maintenanceMarginRate: asRatio(each.maintenanceMarginRate ?? ""),
    }));
    if (later) {
      await send("announcements/pair-terms", { symbol, isolatedTiers, effectiveTime: fromMoment(from) });
      return `New isolated tiers of ${symbol} are announced.`;
    }
    const body: Cells = { symbol };
    for (const [key, value] of Object.entries(cells)) body[key] = RATIOS.includes(key) ? asRatio(value) : value;
    await send("pairs", { ...body, isolatedTiers, crossed });
    return pair ? `${symbol} has new terms.` : `${symbol} is listed.`;
  };

  const field = (key: string, label: string, unit: string, kind: "decimal" | "count" = "decimal", fixed = false) => (
    <Field
      label={label}
      kind={kind}
      unit={unit}
      value={cells[key] ?? ""}
      change={(value) => setCells({ ...cells, [key]: value })}
      locked={later || (fixed && !!pair)}
    />
  );
  const choose = (key: "base" | "quote", label: string) =>
    pair ? (
      <Field label={label} value={cells[key] ?? ""} change={() => undefined} locked />
    ) : (
      <Choice
        label={label}
        value={cells[key] ?? ""}
        options={[["", "Choose a coin"], ...names]}
        change={(value) => setCells({ ...cells, [key]: value })}
      />
    );

  return (
    <Form act={later ? "Announce" : pair ? "Save" : `Add ${base && quote ? symbol : "the pair"}`} run={run} done={done}>
      <div className="columns">
        {choose("base", "Base")}
        {choose("quote", "Quote")}
        {field("tick", "Price tick", quote)}
        {field("step", "Size step", base)}
        {field("minSize", "Least size", base)}
        {field("maxSize", "Largest size", base)}
        {field("minValue", "Least value", quote)}
        {field("maxOpenOrders", "Open orders an account", "", "count")}
        {field("makerFee", "Maker fee", "%")}
        {field("takerFee", "Taker fee", "%")}
        {field("liquidationFee", "Liquidation fee", "%")}
      </div>
      <Switch label="Trades in cross margin too" on={crossed} change={setCrossed} />
      <Rows label="Tiers of isolated margin (none: no isolated margin)" columns={TIERS} rows={tiers} change={setTiers} />
      {pair && (
        <>
          <Switch label="Announce the tiers, and let them hold later" on={later} change={setLater} />
          {later && <Field label="Hold from" hint="UTC, exchange time" kind="moment" value={from} change={setFrom} />}
        </>
      )}
    </Form>
  );
}
