import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { account, type Mode, refresh } from "../lib/account";
import { get, post, wordsOf } from "../lib/api";
import { amount, dec, isDecimal, percent } from "../lib/decimal";
import { coinsOf, pairs, rates } from "../lib/market";
import { Store, useStore } from "../lib/store";
import type { Limit } from "../lib/trading";
import { note } from "./Notes";
import { Field } from "./OrderForm";
import { CoinSelect, timeOf } from "./SandboxBar";

// Moving coins, borrowing, repaying: each with the most that goes, and why no more.

export interface Asked {
  kind: "transfer" | "borrow" | "repay" | "flash";
  mode: Mode;
  symbol: string;
  coin: string;
}

const asked = new Store<Asked | null>(null);
export const openDialog = (what: Asked): void => asked.set(what);
const shut = (): void => asked.set(null);

export function Dialogs() {
  const what = useStore(asked);
  if (!what) return null;
  const key = JSON.stringify(what);
  if (what.kind === "transfer") return <Transfer key={key} {...what} />;
  if (what.kind === "borrow") return <Borrow key={key} {...what} />;
  if (what.kind === "repay") return <Repay key={key} {...what} />;
  return <FlashRepay key={key} {...what} />;
}

const WHERE: Record<Mode, string> = { spot: "spot", crossed: "crossed_margin", isolated: "isolated_margin" };
const NAMES: Record<Mode, string> = { spot: "Spot", crossed: "Cross", isolated: "Isolated" };

const accountOf = (what: Asked): Record<string, string> =>
  what.mode === "isolated" ? { mode: "isolated", symbol: what.symbol } : { mode: "crossed" };

function coinsFor(what: Asked): string[] {
  const pair = pairs.get().find((each) => each.symbol === what.symbol);
  return what.mode === "isolated" && pair ? [pair.base, pair.quote] : coinsOf(pairs.get());
}

/** A dialog of the browser's own: it keeps the focus, and Escape shuts it. */
export function Frame(props: {
  title: string;
  act: string;
  able: boolean;
  run: () => Promise<string>;
  leave?: () => void;
  children: ReactNode;
}) {
  const leave = props.leave ?? shut;
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => place.current?.showModal(), []);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      note(await props.run());
      leave();
    } catch (error) {
      setFault(wordsOf(error));
    } finally {
      setBusy(false);
      void refresh();
    }
  };
  return (
    <dialog ref={place} onClose={leave} aria-label={props.title}>
      <form onSubmit={(event) => void run(event)}>
        <div className="panel-head">
          <h2>{props.title}</h2>
          <button type="button" className="plain" aria-label="Close" onClick={leave}>
            ×
          </button>
        </div>
        {props.children}
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <button className="primary big" disabled={busy || !props.able}>
          {props.act}
        </button>
      </form>
    </dialog>
  );
}

function Most(props: { name: string; value: string; coin: string; take: (value: string) => void }) {
  return (
    <div className="fact">
      <span>{props.name}</span>
      <span className="num">
        {amount(dec(props.value), props.coin)} {props.coin}{" "}
        <button type="button" className="link" onClick={() => props.take(props.value)}>
          Max
        </button>
      </span>
    </div>
  );
}

/** Read something of the API for as long as the dialog is open. */
function useRead<T>(path: string, query: Record<string, string>): T | null {
  const [found, setFound] = useState<T | null>(null);
  const said = JSON.stringify(query);
  useEffect(() => {
    let isCurrent = true;
    setFound(null);
    if (path) {
      get<T>(path, JSON.parse(said) as Record<string, string>)
        .then((data) => isCurrent && setFound(data))
        .catch(() => undefined);
    }
    return () => {
      isCurrent = false;
    };
  }, [path, said]);
  return found;
}

export function Terms({ limit }: { limit: Limit | null }) {
  if (!limit) return null;
  return (
    <details className="terms">
      <summary>
        {limit.blocked ? limit.blocked.msg : `What limits it: ${limit.binding.replaceAll("_", " ")}`}
      </summary>
      <ul>
        {limit.terms.map((term) => (
          <li key={term.name} className={term.binding ? "binding" : ""}>
            <span>{term.name.replaceAll("_", " ")}</span>
            <span className="num">{amount(dec(term.amount), limit.coin)}</span>
            <small className="soft">
              {term.meaning.replace(/ \(RULES [\d.]+\)/, "")}
              {term.binding && `. More would take ${term.lift}`}
            </small>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Transfer(what: Asked) {
  const [inward, setInward] = useState(true);
  const [coin, setCoin] = useState(what.coin);
  const [value, setValue] = useState("");
  const spot = useStore(account).spot.find((each) => each.coin === coin);
  const outward = useRead<Limit>(inward ? "" : "/lombard/v1/margin/explain/max-transfer-out", {
    coin,
    ...accountOf(what),
  });
  const most = inward ? (spot?.available ?? "0") : (outward?.amount ?? "0");
  const other = what.mode === "isolated" ? `Isolated ${what.symbol}` : NAMES[what.mode];
  const run = async (): Promise<string> => {
    const [fromType, toType] = inward ? ["spot", WHERE[what.mode]] : [WHERE[what.mode], "spot"];
    const symbol = what.mode === "isolated" ? { symbol: what.symbol } : {};
    await post("/api/v2/spot/wallet/transfer", { fromType, toType, coin, amount: value, ...symbol });
    return `${value} ${coin} moved from ${inward ? `spot to ${other}` : `${other} to spot`}.`;
  };
  return (
    <Frame title="Transfer" act="Transfer" able={isDecimal(value)} run={run}>
      <div className="route">
        <span>{inward ? "Spot" : other}</span>
        <button type="button" aria-label="Turn the direction round" onClick={() => setInward(!inward)}>
          →
        </button>
        <span>{inward ? other : "Spot"}</span>
      </div>
      <label className="field">
        <span>Coin</span>
        <CoinSelect label="Coin" coins={coinsFor(what)} coin={coin} choose={setCoin} />
      </label>
      <Field label="Amount" unit={coin} value={value} change={setValue} />
      <Most name="May be moved" value={most} coin={coin} take={setValue} />
      {!inward && <Terms limit={outward} />}
    </Frame>
  );
}

function Borrow(what: Asked) {
  const [coin, setCoin] = useState(what.coin);
  const [value, setValue] = useState("");
  const limit = useRead<Limit>("/lombard/v1/margin/explain/max-borrowable", { coin, ...accountOf(what) });
  const rate = useStore(rates)[coin];
  const perHour = (dec(value) * (rate?.daily ?? 0n)) / 10n ** 18n / 24n;
  const run = async (): Promise<string> => {
    const symbol = what.mode === "isolated" ? { symbol: what.symbol } : {};
    await post(`/api/v2/margin/${what.mode}/account/borrow`, { coin, borrowAmount: value, ...symbol });
    return `${value} ${coin} borrowed.`;
  };
  return (
    <Frame title={`Borrow · ${NAMES[what.mode]}`} act="Borrow" able={isDecimal(value)} run={run}>
      <label className="field">
        <span>Coin</span>
        <CoinSelect label="Coin" coins={coinsFor(what)} coin={coin} choose={setCoin} />
      </label>
      <Field label="Amount" unit={coin} value={value} change={setValue} />
      <Most name="May be borrowed" value={limit?.amount ?? "0"} coin={coin} take={setValue} />
      <div className="fact">
        <span>Daily rate</span>
        <span className="num">{percent(rate?.daily ?? 0n, 4)}</span>
      </div>
      <div className="fact">
        <span>Interest an hour; the first is due at once</span>
        <span className="num">
          {amount(perHour)} {coin}
        </span>
      </div>
      <Terms limit={limit} />
    </Frame>
  );
}

interface Quote {
  amount: string;
  principal: string;
  interest: string;
  exactBefore: string;
  interestPerDay: string;
}

function Repay(what: Asked) {
  const [value, setValue] = useState("");
  const quote = useRead<Quote>("/lombard/v1/margin/pay-off", { coin: what.coin, ...accountOf(what) });
  const { coin } = what;
  const balance = useStore(account)[what.mode].find(
    (each) => each.coin === coin && (what.mode !== "isolated" || each.symbol === what.symbol),
  );
  const all = dec(quote?.amount);
  const most = dec(balance?.available) < all ? (balance?.available ?? "0") : (quote?.amount ?? "0");
  const run = async (): Promise<string> => {
    const symbol = what.mode === "isolated" ? { symbol: what.symbol } : {};
    await post(`/api/v2/margin/${what.mode}/account/repay`, { coin, repayAmount: value, ...symbol });
    return `${value} ${coin} repaid.`;
  };
  return (
    <Frame title={`Repay ${coin} · ${NAMES[what.mode]}`} act="Repay" able={isDecimal(value)} run={run}>
      <Field label="Amount" unit={coin} value={value} change={setValue} />
      <Most name="Available for it" value={most} coin={coin} take={setValue} />
      {quote && (
        <div className="quote">
          <div className="fact">
            <span>Pays off everything before {timeOf(quote.exactBefore).slice(11, 16)} UTC</span>
            <b className="num">
              {quote.amount} {coin}
            </b>
          </div>
          <div className="fact">
            <span>Principal</span>
            <span className="num">{quote.principal}</span>
          </div>
          <div className="fact">
            <span>Interest so far</span>
            <span className="num">{quote.interest}</span>
          </div>
          <div className="fact">
            <span>Interest a day from here</span>
            <span className="num">{quote.interestPerDay}</span>
          </div>
        </div>
      )}
    </Frame>
  );
}

function FlashRepay(what: Asked) {
  const isolated = what.mode === "isolated";
  const run = async (): Promise<string> => {
    const path = `/api/v2/margin/${what.mode}/account/flash-repay`;
    await post(path, isolated ? { symbolList: [what.symbol] } : what.coin ? { coin: what.coin } : {});
    return "Flash repayment is done.";
  };
  return (
    <Frame title="Flash repayment" act="Repay now" able run={run}>
      <p>
        {isolated
          ? `All debt of the isolated account ${what.symbol} is paid, after its orders are cancelled: `
          : what.coin
            ? `The debt in ${what.coin} is paid: `
            : "Every debt of the cross account is paid: "}
        from the coin itself first, then by selling other coins at market, the largest holding first.
      </p>
    </Frame>
  );
}
