import { useState } from "react";
import { asPercent, asRatio, type Coin, fromMoment, send } from "./data";
import { Field, Form, Rows, Switch } from "./parts";

// A coin's terms: all of them for a new one, those that may change for one that is listed.

type Cells = Record<string, string>;

const STEPS = [
  { key: "ratio", name: "Counts as, %" },
  { key: "upTo", name: "Up to an amount of (0: all the rest)" },
];
const TIERS = [
  { key: "upTo", name: "Owed up to" },
  { key: "leverage", name: "Leverage" },
  { key: "maintenanceMarginRate", name: "Maintenance, %" },
];

export function CoinForm({ coin, done }: { coin?: Coin; done: () => void }) {
  const [name, setName] = useState(coin?.coin ?? "");
  const [decimals, setDecimals] = useState(coin?.decimals ?? "8");
  const [steps, setSteps] = useState<Cells[]>(
    coin?.collateral.map((each) => ({ upTo: each.upTo, ratio: asPercent(each.ratio) })) ?? [{ ratio: "80", upTo: "0" }],
  );
  const [tiers, setTiers] = useState<Cells[]>(
    coin?.tiers.map((each) => ({ ...each, maintenanceMarginRate: asPercent(each.maintenanceMarginRate) })) ?? [
      { upTo: "1000", leverage: "3", maintenanceMarginRate: "10" },
    ],
  );
  const [limit, setLimit] = useState(coin?.userLimit ?? "1000");
  const [least, setLeast] = useState(coin?.minBorrow ?? "0.01");
  const [later, setLater] = useState(false);
  const [from, setFrom] = useState("");

  const run = async (): Promise<string> => {
    const terms = {
      coin: name.trim(),
      collateral: steps.map((each) => ({ upTo: each.upTo, ratio: asRatio(each.ratio ?? "") })),
      tiers: tiers.map((each) => ({ ...each, maintenanceMarginRate: asRatio(each.maintenanceMarginRate ?? "") })),
      userLimit: limit,
    };
    if (later) {
      await send("announcements/coin-terms", { ...terms, effectiveTime: fromMoment(from) });
      return `The new terms of ${name} are announced.`;
    }
    await send("coins", { ...terms, minBorrow: least, ...(coin ? {} : { decimals }) });
    return coin ? `${name} has new terms.` : `${name} is listed. It needs a price, a pool and a rate to be lent.`;
  };

  return (
    <Form act={later ? "Announce" : coin ? "Save" : "Add"} run={run} done={done}>
      <div className="columns">
        <Field label="Name" value={name} change={setName} locked={!!coin} />
        <Field label="Decimals" hint="0 to 8, for good" kind="count" value={decimals} change={setDecimals} locked={!!coin} />
        <Field label="A user may owe" kind="decimal" unit={name} value={limit} change={setLimit} />
        <Field label="Least loan" kind="decimal" unit={name} value={least} change={setLeast} locked={later} />
      </div>
      <Rows label="Collateral: what a surplus counts" columns={STEPS} rows={steps} change={setSteps} />
      <Rows label="Tiers of cross margin" columns={TIERS} rows={tiers} change={setTiers} />
      {coin && (
        <>
          <Switch label="Announce it, and let it hold later" on={later} change={setLater} />
          {later && <Field label="Holds from" hint="UTC, exchange time" kind="moment" value={from} change={setFrom} />}
        </>
      )}
    </Form>
  );
}
