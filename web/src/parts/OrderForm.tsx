import { type FormEvent, useEffect, useState } from "react";
import { DemoButton } from "../app";
import { account, type Mode, refresh } from "../lib/account";
import { me, venue, wordsOf } from "../lib/api";
import { useAsked } from "../lib/asking";
import { isWhole, leastSize, objectionTo } from "../lib/checking";
import { amount, dec, div, isDecimal, min, plain } from "../lib/decimal";
import { type Pair, tickers } from "../lib/market";
import { connected } from "../lib/socket";
import { useStore } from "../lib/store";
import {
  bookKind,
  type Draft,
  explain,
  type Force,
  isQuoted,
  type Kind,
  loanTypeOf,
  place,
  type Watched,
  whatIf,
} from "../lib/trading";
import { Choice, Field, Pick, Switch } from "./Field";
import { Leverage } from "./Leverage";
import { note } from "./Notes";
import { type Answers, Preview } from "./Preview";

export { Field } from "./Field";

// An order as it is filled in. What would come of it is asked of the engine while that goes on.

const MODES: [Mode, string][] = [
  ["spot", "Spot"],
  ["crossed", "Cross"],
  ["isolated", "Isolated"],
];
const KINDS: [Kind, string][] = [
  ["market", "Market"],
  ["limit", "Limit"],
  ["stop", "Stop"],
  ["oco", "OCO"],
  ["trailing", "Trailing"],
];
const FORCES: [Force, string][] = [
  ["gtc", "Until cancelled"],
  ["ioc", "Immediate or cancel"],
  ["fok", "Fill or kill"],
  ["post_only", "Post only"],
];
const WATCHED: [Watched, string][] = [
  ["fill_price", "Last price"],
  ["mark_price", "Index price"],
];
// The venue explains two orders a second, and foresees five.
const EXPLAIN_MS = 540;
const FORESEE_MS = 230;

export interface Fields {
  mode: Mode;
  side: "buy" | "sell";
  kind: Kind;
  price: string;
  size: string;
  borrows: boolean;
  repays: boolean;
  force: Force;
  trigger: string;
  watched: Watched;
  atMarket: boolean;
  callback: string;
  stopPrice: string;
  hasExits: boolean;
  takeProfit: string;
  stopLoss: string;
}

const EMPTY = { price: "", size: "", trigger: "", stopPrice: "", takeProfit: "", stopLoss: "" };
const FIRST: Fields = {
  ...EMPTY,
  mode: "crossed",
  side: "buy",
  kind: "market",
  borrows: true,
  repays: false,
  force: "gtc",
  watched: "fill_price",
  atMarket: true,
  callback: "1",
  hasExits: false,
};

export function OrderForm({ pair, picked }: { pair: Pair; picked: { price: string } }) {
  const [fields, setFields] = useState(FIRST);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const user = useStore(me);
  const last = useStore(tickers)[pair.symbol]?.last ?? "";
  const set = (changed: Partial<Fields>): void => {
    setRefusal("");
    setFields((now) => ({ ...now, ...changed }));
  };
  useEffect(() => set(EMPTY), [pair.symbol]);
  useEffect(() => {
    if (picked.price) setFields((now) => withPrice(now, picked.price));
  }, [picked]);

  const mode = barredOf(pair)[fields.mode] ? "spot" : fields.mode;
  const draft = draftOf({ ...fields, mode }, pair);
  const atPrice = priceOf(draft, last);
  const answers = useAnswers(draft, pair, atPrice);
  const most = mostOf(answers, draft, pair, atPrice);
  const objection = objectionTo(draft, pair, dec(atPrice));
  const isReady = isWhole(draft) && isDecimal(draft.size);
  const isRefused = answers.foreseen.isFresh && answers.foreseen.value?.accepted === false;
  const sizeCoin = isQuoted(draft) ? pair.quote : pair.base;
  const places = isQuoted(draft) ? 2 : pair.sizeDecimals;

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await place(draft);
      set({ size: "", takeProfit: "", stopLoss: "" });
      // What is filled is told as it is pushed.
      if (draft.kind === "stop" || draft.kind === "trailing") note("The order waits for its price.");
      else if (draft.kind !== "market" || !connected.get()) note("The order is placed.");
    } catch (error) {
      setRefusal(wordsOf(error));
    } finally {
      setBusy(false);
      void refresh();
    }
  };

  return (
    <form className="order" aria-label="Order" onSubmit={(event) => void send(event)}>
      <Choice
        label="Account"
        options={MODES}
        chosen={mode}
        choose={(next) => set({ mode: next })}
        barred={barredOf(pair)}
      />
      {mode !== "spot" && user && <Leverage mode={mode} pair={pair} />}
      <Choice
        label="Side"
        kind="sides"
        options={[
          ["buy", mode === "spot" ? "Buy" : "Buy / long"],
          ["sell", mode === "spot" ? "Sell" : "Sell / short"],
        ]}
        chosen={fields.side}
        choose={(side) => set({ side, size: "", takeProfit: "", stopLoss: "" })}
      />
      <Choice
        label="Type"
        kind="kinds"
        options={KINDS}
        chosen={fields.kind}
        choose={(kind) => set({ kind, size: "", price: fields.price || last })}
      />
      <Prices fields={fields} pair={pair} set={set} />
      <Field
        label={isQuoted(draft) ? "Spend" : "Size"}
        unit={sizeCoin}
        value={fields.size}
        places={places}
        change={(size) => set({ size })}
      />
      <Slider most={most} size={dec(fields.size)} change={(part) => set({ size: plain(part, places) })} />
      {(fields.kind === "market" || fields.kind === "limit") && (
        <Exits fields={fields} pair={pair} set={set} />
      )}
      {mode !== "spot" && (
        <div className="switches">
          <Switch label="Auto-borrow" on={fields.borrows} change={(borrows) => set({ borrows })} />
          <Switch label="Auto-repay" on={fields.repays} change={(repays) => set({ repays })} />
        </div>
      )}
      {user && (
        <Preview
          draft={draft}
          pair={pair}
          price={dec(atPrice)}
          answers={answers}
          most={most}
          sizeCoin={sizeCoin}
          isReady={isReady}
          objection={refusal ? { words: refusal } : objection}
          adjust={set}
        />
      )}
      {user ? (
        <button className={`big ${fields.side}`} disabled={busy || !isReady || isRefused || !!objection}>
          {fields.side === "buy" ? "Buy" : "Sell"} {pair.base}
          {isReady && ` · ${amount(dec(draft.size), sizeCoin)} ${sizeCoin}`}
        </button>
      ) : (
        <Stranger />
      )}
    </form>
  );
}

/** The prices that an order of its kind needs. */
function Prices({ fields, pair, set }: { fields: Fields; pair: Pair; set: (changed: Partial<Fields>) => void }) {
  const price = (label: string, name: keyof typeof EMPTY, hint?: string) => (
    <Field
      label={label}
      unit={pair.quote}
      value={fields[name]}
      places={pair.priceDecimals}
      hint={hint}
      change={(text) => set({ [name]: text })}
    />
  );
  const watched = (
    <Pick label="Waits for the" options={WATCHED} chosen={fields.watched} choose={(next) => set({ watched: next })} />
  );
  if (fields.kind === "market") return null;
  if (fields.kind === "limit") {
    return (
      <>
        {price("Price", "price")}
        <Pick label="In force" options={FORCES} chosen={fields.force} choose={(force) => set({ force })} />
      </>
    );
  }
  if (fields.kind === "oco") {
    return (
      <>
        {price("Price", "price")}
        {price("Stop at", "trigger")}
        {price("Stop limit", "stopPrice", "at market")}
        {watched}
      </>
    );
  }
  if (fields.kind === "trailing") {
    return (
      <>
        <Field label="Stays behind" unit="%" places={1} value={fields.callback} change={(callback) => set({ callback })} />
        {price("Begins at", "trigger", "now")}
        {watched}
      </>
    );
  }
  return (
    <>
      {price("Stop at", "trigger")}
      {watched}
      <Choice
        label="Then"
        options={[
          ["market", "At market"],
          ["limit", "At a limit"],
        ]}
        chosen={fields.atMarket ? "market" : "limit"}
        choose={(next) => set({ atMarket: next === "market", size: "" })}
      />
      {!fields.atMarket && price("Price", "price")}
    </>
  );
}

function Exits({ fields, pair, set }: { fields: Fields; pair: Pair; set: (changed: Partial<Fields>) => void }) {
  return (
    <>
      <Switch label="Take-profit / stop-loss" on={fields.hasExits} change={(hasExits) => set({ hasExits })} />
      {fields.hasExits && (
        <>
          <Field
            label="Take-profit"
            unit={pair.quote}
            places={pair.priceDecimals}
            hint="none"
            value={fields.takeProfit}
            change={(takeProfit) => set({ takeProfit })}
          />
          <Field
            label="Stop-loss"
            unit={pair.quote}
            places={pair.priceDecimals}
            hint="none"
            value={fields.stopLoss}
            change={(stopLoss) => set({ stopLoss })}
          />
          <Pick
            label="Wait for the"
            options={WATCHED}
            chosen={fields.watched}
            choose={(watched) => set({ watched })}
          />
        </>
      )}
    </>
  );
}

function Slider(props: { most: bigint; size: bigint; change: (size: bigint) => void }) {
  const { most } = props;
  const share = most > 0n ? Number((min(props.size, most) * 100n) / most) : 0;
  return (
    <label className="slider">
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        list="quarters"
        aria-label="Share of the largest possible size"
        value={share}
        disabled={most === 0n}
        onChange={(event) => props.change((most * BigInt(event.target.value)) / 100n)}
      />
      <datalist id="quarters">
        {[0, 25, 50, 75, 100].map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <output className="num">{share} %</output>
    </label>
  );
}

// --- what is meant ----------------------------------------------------------------------------

function barredOf(pair: Pair): Partial<Record<Mode, string>> {
  const barred: Partial<Record<Mode, string>> = {};
  if (!pair.crossed) barred.crossed = "This pair has no cross margin.";
  if (!pair.isolated) barred.isolated = "This pair has no isolated margin.";
  return barred;
}

/** Take a price over from the book: into the field that is meant for one. */
function withPrice(fields: Fields, price: string): Fields {
  if (fields.kind === "market") return { ...fields, kind: "limit", price, size: "" };
  if (fields.kind === "trailing" || (fields.kind === "stop" && fields.atMarket)) {
    return { ...fields, trigger: price };
  }
  return { ...fields, price };
}

function draftOf(fields: Fields, pair: Pair): Draft {
  const { mode, side, kind, price, size, force, trigger, watched, atMarket, callback, stopPrice } = fields;
  const takesExits = fields.hasExits && (kind === "market" || kind === "limit");
  return {
    mode,
    symbol: pair.symbol,
    side,
    kind,
    price,
    size,
    force,
    trigger,
    watched,
    atMarket,
    callback,
    stopPrice,
    loanType: mode === "spot" ? "normal" : loanTypeOf(fields.borrows, fields.repays),
    takeProfit: takesExits ? fields.takeProfit : "",
    stopLoss: takesExits ? fields.stopLoss : "",
  };
}

/** What an order would trade at, about. */
function priceOf(draft: Draft, last: string): string {
  if (bookKind(draft) === "limit") return draft.price;
  return draft.kind === "stop" && draft.trigger ? draft.trigger : last;
}

/** Ask the engine: how large it may be, and what would come of the size it has. */
function useAnswers(draft: Draft, pair: Pair, atPrice: string): Answers {
  const { reading } = useStore(account);
  const user = useStore(me)?.userId ?? "";
  const isMargin = !!user && draft.mode !== "spot";
  const isPriced = bookKind(draft) === "market" || dec(draft.price) > 0n;
  const isSized = isDecimal(draft.size) && dec(draft.size) > 0n;
  const { mode, symbol, side, loanType, force } = draft;
  const about = [user, mode, symbol, side, bookKind(draft)].join();
  const price = bookKind(draft) === "limit" ? draft.price : "";
  const key = [price, loanType, force, reading].join();
  // How large an order may be has nothing to do with how large it is.
  const asked = { ...draft, size: plain(leastSize(pair, draft, dec(atPrice)) * 2n) };
  const explained = useAsked(about, key, EXPLAIN_MS, isMargin && isPriced ? () => explain(asked) : null);
  const foreseen = useAsked(
    about,
    `${key},${draft.size}`,
    FORESEE_MS,
    isMargin && isPriced && isSized ? () => whatIf(draft) : null,
  );
  return { explained, foreseen };
}

function mostOf(answers: Answers, draft: Draft, pair: Pair, atPrice: string): bigint {
  if (draft.mode !== "spot") return dec(answers.explained.value?.largest);
  const coin = draft.side === "buy" ? pair.quote : pair.base;
  const there = dec(account.get().spot.find((each) => each.coin === coin)?.available);
  return draft.side === "sell" || isQuoted(draft) ? there : div(there, dec(atPrice));
}

function Stranger() {
  const there = useStore(venue);
  return (
    <div className="stranger">
      {there?.sandbox && <DemoButton />}
      <a className="button" href="#/log-in">
        Log in
      </a>
      {there?.signUp && (
        <a className="button" href="#/sign-up">
          Sign up
        </a>
      )}
    </div>
  );
}
