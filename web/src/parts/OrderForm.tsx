import { type FormEvent, useEffect, useMemo, useState } from "react";
import { DemoButton } from "../app";
import { account, type Mode, refresh } from "../lib/account";
import { get, me, post, venue, wordsOf } from "../lib/api";
import { amount, dec, div, isDecimal, min, mul, ONE, plain, shown } from "../lib/decimal";
import { type Pair, tickers } from "../lib/market";
import { useStore } from "../lib/store";
import { type Draft, type Explained, explain, loanTypeOf, place, whatIf, type WhatIf } from "../lib/trading";
import { openDialog } from "./Dialogs";
import { note } from "./Notes";
import { Preview } from "./Preview";

const MODES: [Mode, string][] = [
  ["spot", "Spot"],
  ["crossed", "Cross"],
  ["isolated", "Isolated"],
];
// The venue explains two orders a second.
const ASK_MS = 520;
const NO_FUNDS = "Nothing is in this account yet.";

export interface Answers {
  explained: Explained | null;
  foreseen: WhatIf | null;
  fault: string;
}

export function OrderForm({ pair, picked }: { pair: Pair; picked: { price: string } }) {
  const [mode, setMode] = useState<Mode>("crossed");
  const [side, setSide] = useState<"buy" | "sell">("buy");
  const [orderType, setOrderType] = useState<"limit" | "market">("market");
  const [price, setPrice] = useState("");
  const [size, setSize] = useState("");
  const [borrows, setBorrows] = useState(true);
  const [repays, setRepays] = useState(false);
  const [busy, setBusy] = useState(false);
  const user = useStore(me);
  const last = useStore(tickers)[pair.symbol]?.last ?? "";

  useEffect(() => {
    setSize("");
    setPrice("");
  }, [pair.symbol]);
  useEffect(() => {
    if (!picked.price) return;
    setPrice(picked.price);
    setOrderType("limit");
  }, [picked]);

  const loanType = mode === "spot" ? "normal" : loanTypeOf(borrows, repays);
  const atPrice = orderType === "limit" ? price : last;
  const draft: Draft = { mode, symbol: pair.symbol, side, orderType, price, size, loanType };
  const isQuote = orderType === "market" && side === "buy";
  const sizeCoin = isQuote ? pair.quote : pair.base;
  const answers = useAnswers(draft, pair, atPrice);
  const most = mostOf(answers, draft, pair, atPrice);
  const isSized = isDecimal(size) && dec(size) > 0n && (orderType === "market" || dec(price) > 0n);
  const places = isQuote ? 2 : pair.sizeDecimals;
  const share = most > 0n ? Number((min(dec(size), most) * 100n) / most) : 0;

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await place(draft);
      const what = side === "buy" ? "Bought" : "Sold";
      note(orderType === "limit" ? "The order is placed." : `${what} ${pair.base} at market.`);
      setSize("");
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
      void refresh();
    }
  };

  return (
    <form className="order" aria-label="Order" onSubmit={(event) => void send(event)}>
      <Choice label="Account" options={MODES} chosen={mode} choose={setMode} />
      {mode !== "spot" && user && <Leverage mode={mode} pair={pair} />}
      <Choice
        label="Side"
        kind="sides"
        options={[
          ["buy", mode === "spot" ? "Buy" : "Buy / long"],
          ["sell", mode === "spot" ? "Sell" : "Sell / short"],
        ]}
        chosen={side}
        choose={(next) => {
          setSide(next);
          setSize("");
        }}
      />
      <Choice
        label="Type"
        options={[
          ["market", "Market"],
          ["limit", "Limit"],
        ]}
        chosen={orderType}
        choose={(next) => {
          setOrderType(next);
          setSize("");
          if (!price && last) setPrice(last);
        }}
      />
      {orderType === "limit" && (
        <Field label="Price" unit={pair.quote} value={price} change={setPrice} />
      )}
      <Field label={isQuote ? "Spend" : "Size"} unit={sizeCoin} value={size} change={setSize} />
      <label className="slider">
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          aria-label="Share of the largest possible size"
          value={share}
          disabled={most === 0n}
          onChange={(event) => {
            const part = (most * BigInt(event.target.value)) / 100n;
            setSize(part ? plain(part, places) : "");
          }}
        />
        <output className="num">{share} %</output>
      </label>
      {mode !== "spot" && (
        <div className="switches">
          <Switch label="Auto-borrow" on={borrows} change={setBorrows} />
          <Switch label="Auto-repay" on={repays} change={setRepays} />
        </div>
      )}
      {user && (
        <Preview
          draft={draft}
          pair={pair}
          answers={answers}
          most={most}
          sizeCoin={sizeCoin}
          isSized={isSized}
          adjust={() => setSize(plain(most, places))}
        />
      )}
      {user ? (
        <button
          className={`big ${side}`}
          disabled={busy || !isSized || answers.foreseen?.accepted === false}
        >
          {side === "buy" ? "Buy" : "Sell"} {pair.base}
          {isSized && ` · ${shown(dec(size), Math.min(places, 6))} ${sizeCoin}`}
        </button>
      ) : (
        <Stranger />
      )}
    </form>
  );
}

/** Ask the engine, a moment after the last change. */
function useAnswers(draft: Draft, pair: Pair, atPrice: string): Answers {
  const [answers, setAnswers] = useState<Answers>({ explained: null, foreseen: null, fault: "" });
  const { reading } = useStore(account);
  const user = useStore(me)?.userId;
  const { mode, side, orderType, price, size, loanType, symbol } = draft;
  const isUseful = !!user && mode !== "spot" && (orderType === "market" || dec(price) > 0n);
  // A largest size is asked for with the smallest, as long as none is chosen.
  const least = plain(leastSize(pair, isQuoted(draft), dec(atPrice)));
  const hasSize = isDecimal(size) && dec(size) > 0n;
  useEffect(() => {
    if (!isUseful) {
      setAnswers({ explained: null, foreseen: null, fault: "" });
      return undefined;
    }
    let isCurrent = true;
    const timer = window.setTimeout(() => {
      const asked: Draft = { mode, symbol, side, orderType, price, loanType, size: hasSize ? size : least };
      Promise.all([explain(asked), hasSize ? whatIf(asked) : null])
        .then(([explained, foreseen]) => {
          if (isCurrent) setAnswers({ explained, foreseen, fault: "" });
        })
        .catch((error: unknown) => {
          if (isCurrent) setAnswers({ explained: null, foreseen: null, fault: wordsOf(error) });
        });
    }, ASK_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
    // `least` moves with every price: it is read when something else changes.
  }, [isUseful, mode, symbol, side, orderType, price, size, loanType, reading, hasSize]);
  return answers;
}

const isQuoted = (draft: Draft): boolean => draft.orderType === "market" && draft.side === "buy";

function leastSize(pair: Pair, quoted: boolean, price: bigint): bigint {
  const value = dec(pair.minValue) * 2n;
  if (quoted) return value;
  const step = ONE / 10n ** BigInt(pair.sizeDecimals);
  const fromValue = price ? (div(value, price) / step + 1n) * step : step;
  return fromValue > dec(pair.minSize) ? fromValue : dec(pair.minSize);
}

function mostOf(answers: Answers, draft: Draft, pair: Pair, atPrice: string): bigint {
  if (draft.mode !== "spot") {
    return answers.explained ? dec(answers.explained.largest) : 0n;
  }
  const coin = draft.side === "buy" ? pair.quote : pair.base;
  const found = account.get().spot.find((each) => each.coin === coin);
  const there = dec(found?.available);
  if (draft.side === "sell" || isQuoted(draft)) return there;
  return div(there, dec(atPrice));
}

function Choice<T extends string>(props: {
  label: string;
  options: [T, string][];
  chosen: T;
  choose: (next: T) => void;
  kind?: string;
}) {
  return (
    <div className={`choice ${props.kind ?? ""}`} role="group" aria-label={props.label}>
      {props.options.map(([value, name]) => (
        <button
          key={value}
          type="button"
          className={value}
          aria-pressed={value === props.chosen}
          onClick={() => props.choose(value)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function Field(props: {
  label: string;
  unit: string;
  value: string;
  change: (text: string) => void;
}) {
  return (
    <label className="field">
      <span>{props.label}</span>
      <input
        className="num"
        aria-label={props.label}
        inputMode="decimal"
        autoComplete="off"
        placeholder="0"
        value={props.value}
        onChange={(event) => props.change(event.target.value.replace(",", ".").replace(/[^\d.]/g, ""))}
      />
      <span className="unit">{props.unit}</span>
    </label>
  );
}

function Switch(props: { label: string; on: boolean; change: (on: boolean) => void }) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={props.on}
        onChange={(event) => props.change(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

function Leverage({ mode, pair }: { mode: Mode; pair: Pair }) {
  const [leverage, setLeverage] = useState("");
  const { reading } = useStore(account);
  const where = useMemo(
    () => (mode === "isolated" ? { mode, symbol: pair.symbol } : { mode }),
    [mode, pair.symbol],
  );
  useEffect(() => {
    let isCurrent = true;
    get<{ leverage: string }>("/lombard/v1/margin/leverage", where)
      .then((found) => isCurrent && setLeverage(found.leverage))
      .catch(() => isCurrent && setLeverage(""));
    return () => {
      isCurrent = false;
    };
  }, [where, reading]);
  const most = mode === "isolated" ? 10 : 5;
  const set = async (next: string): Promise<void> => {
    try {
      const done = await post<{ leverage: string }>("/lombard/v1/margin/leverage", { ...where, leverage: next });
      setLeverage(done.leverage ?? next);
      void refresh();
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  const options = Array.from({ length: most - 1 }, (_, index) => String(index + 2));
  return (
    <label className="leverage">
      <span>Leverage</span>
      <select value={leverage} disabled={!leverage} onChange={(event) => void set(event.target.value)}>
        {!options.includes(leverage) && <option value={leverage}>{leverage || "–"}</option>}
        {options.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
    </label>
  );
}

export function Available({ draft, pair, answers }: { draft: Draft; pair: Pair; answers: Answers }) {
  const own = useStore(account);
  const coin = draft.side === "buy" ? pair.quote : pair.base;
  const rows = own[draft.mode].filter(
    (each) => each.coin === coin && (draft.mode !== "isolated" || each.symbol === pair.symbol),
  );
  const there = answers.explained ? answers.explained.available : (rows[0]?.available ?? "0");
  const isEmpty = !own[draft.mode].some(
    (each) => dec(each.total || each.available) > 0n && (draft.mode !== "isolated" || each.symbol === pair.symbol),
  );
  return (
    <>
      <div className="fact">
        <span>Available</span>
        <span className="num">
          {amount(dec(there), coin)} {coin}{" "}
          {draft.mode !== "spot" && (
            <button
              type="button"
              className="link"
              onClick={() => openDialog({ kind: "transfer", mode: draft.mode, symbol: pair.symbol, coin })}
            >
              Transfer
            </button>
          )}
        </span>
      </div>
      {own.loaded && isEmpty && draft.mode !== "spot" && (
        <p className="hint">
          {NO_FUNDS}{" "}
          <button
            type="button"
            className="link"
            onClick={() => openDialog({ kind: "transfer", mode: draft.mode, symbol: pair.symbol, coin: pair.quote })}
          >
            Transfer collateral from spot
          </button>
        </p>
      )}
    </>
  );
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

export const feeOf = (pair: Pair, size: string): bigint => mul(dec(size), dec(pair.takerFee));
