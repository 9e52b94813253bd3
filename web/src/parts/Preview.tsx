import { account } from "../lib/account";
import type { Told } from "../lib/asking";
import type { Objection } from "../lib/checking";
import { amount, dec, type Dec, mul, plain, shown } from "../lib/decimal";
import type { Pair } from "../lib/market";
import { useStore } from "../lib/store";
import { bookKind, type Draft, type Explained, isQuoted, isWaiting, type WhatIf } from "../lib/trading";
import { openDialog, Terms } from "./Dialogs";
import { Fact } from "./Field";
import { Gauge } from "./Gauge";

// What an order would come to, by the engine itself, before it is sent; and why not, and what then.

// What the engine reckons in.
const MEASURE = "USDT";

export interface Answers {
  explained: Told<Explained>;
  foreseen: Told<WhatIf>;
}

interface Props {
  draft: Draft;
  pair: Pair;
  price: Dec;
  answers: Answers;
  most: Dec;
  sizeCoin: string;
  isReady: boolean;
  objection: Objection | null;
  adjust: (changed: { size?: string; borrows?: boolean }) => void;
}

export function Preview(props: Props) {
  const { draft, pair, answers, most, sizeCoin } = props;
  const foreseen = answers.foreseen.value;
  const isSpot = draft.mode === "spot";
  const isTooMuch = isSpot && dec(draft.size) > most;
  const isRefused = !!props.objection || foreseen?.accepted === false || isTooMuch;
  const isDim = !answers.foreseen.isFresh && !!foreseen;
  const fault = answers.explained.fault || answers.foreseen.fault;
  return (
    <div className="preview">
      <Available {...props} />
      <Fact name="Largest">
        {amount(most, sizeCoin)} {sizeCoin}
      </Fact>
      {!isRefused && <Terms limit={answers.explained.value?.loan ?? null} />}
      {isWaiting(draft) && <p className="hint">{waits(draft, pair)}</p>}
      {props.isReady && <Cost draft={draft} pair={pair} price={props.price} />}
      {foreseen?.accepted && props.isReady && (
        <div className="after" aria-busy={isDim} data-dim={isDim || undefined}>
          <After foreseen={foreseen} pair={pair} />
        </div>
      )}
      {props.objection ? (
        <Refused {...props} words={props.objection.words} size={props.objection.size} />
      ) : foreseen?.accepted === false ? (
        <Refused {...props} words={foreseen.refusal?.msg ?? ""} />
      ) : isTooMuch ? (
        <Refused {...props} words="The spot account has less than that." />
      ) : null}
      {fault && <p className="fault">{fault}</p>}
    </div>
  );
}

/** Why not, what would lift it, and one click to what would be accepted. */
function Refused(props: Props & { words: string; size?: string }) {
  const { draft, most, sizeCoin, adjust } = props;
  const limit = props.answers.explained.value?.loan ?? null;
  const binding = limit?.terms.find((each) => each.binding);
  const isTooLarge = dec(draft.size) > most;
  const size = props.size ?? (isTooLarge && most > 0n ? plain(most) : "");
  const lends = draft.mode !== "spot" && !draft.loanType.startsWith("autoLoan");
  return (
    <div className="refused" role="alert">
      <p>{props.words}</p>
      {isTooLarge && binding?.lift && <p className="soft">More would take {binding.lift}.</p>}
      <div className="actions">
        {size && (
          <button type="button" onClick={() => adjust({ size })}>
            Set to {amount(dec(size), sizeCoin)} {sizeCoin}
          </button>
        )}
        {isTooLarge && lends && (
          <button type="button" onClick={() => adjust({ borrows: true })}>
            Turn on auto-borrow
          </button>
        )}
      </div>
      {isTooLarge && <Terms limit={limit} />}
    </div>
  );
}

function waits(draft: Draft, pair: Pair): string {
  const price = draft.watched === "mark_price" ? "the index" : "the last price";
  const side = draft.side === "buy" ? "buys" : "sells";
  if (draft.kind === "trailing") {
    const way = draft.side === "sell" ? "falls from its highest" : "rises from its lowest";
    return `It ${side} when ${price} ${way} by ${draft.callback || "–"} %. As if that were now:`;
  }
  const at = draft.trigger ? `${shown(dec(draft.trigger), pair.priceDecimals)} ${pair.quote}` : "its price";
  return `It ${side} when ${price} reaches ${at}; until then nothing is frozen or borrowed. As if that were now:`;
}

function Cost({ draft, pair, price }: { draft: Draft; pair: Pair; price: Dec }) {
  const value = isQuoted(draft) ? dec(draft.size) : mul(dec(draft.size), price);
  // A fee is of the coin that is received.
  const got = draft.side === "sell" ? value : isQuoted(draft) ? (price ? (dec(draft.size) * 10n ** 18n) / price : 0n) : dec(draft.size);
  const coin = draft.side === "sell" ? pair.quote : pair.base;
  return (
    <>
      {!isQuoted(draft) && (
        <Fact name={bookKind(draft) === "market" ? "Value, about" : "Value"}>
          {amount(value, pair.quote)} {pair.quote}
        </Fact>
      )}
      <Fact name="Fee, at most">
        {amount(mul(got, dec(pair.takerFee)), coin)} {coin}
      </Fact>
    </>
  );
}

function After({ foreseen, pair }: { foreseen: WhatIf; pair: Pair }) {
  const before = new Map(foreseen.before.coins.map((each) => [each.coin, each]));
  const moved = foreseen.after.coins
    .map((each) => ({ coin: each.coin, by: dec(each.borrow) - dec(before.get(each.coin)?.borrow) }))
    .filter((each) => each.by !== 0n);
  const costs = foreseen.after.coins
    .map((each) => ({ coin: each.coin, perHour: dec(each.interestPerDay) / 24n }))
    .filter((each) => each.perHour > 0n);
  const base = foreseen.after.coins.find((each) => each.coin === pair.base);
  const line = base?.liquidationPrice;
  return (
    <>
      {moved.map((each) => (
        <Fact key={each.coin} name={each.by > 0n ? "Borrows" : "Repays"}>
          {amount(each.by < 0n ? -each.by : each.by, each.coin)} {each.coin}
        </Fact>
      ))}
      {!moved.length && <Fact name="Borrows">nothing</Fact>}
      {costs.map((each) => (
        <Fact key={each.coin} name="Interest an hour">
          {amount(each.perHour)} {each.coin}
        </Fact>
      ))}
      <Fact name="Liquidation price, after">
        {line ? `${shown(dec(line), pair.priceDecimals)} ${base?.liquidatedWhen.includes("above") ? "↑" : "↓"}` : "none"}
        {line && pair.quote !== MEASURE && ` ${MEASURE}`}
      </Fact>
      <Gauge
        label="Risk ratio, after"
        ratio={foreseen.after.risk.riskRateRatio}
        before={foreseen.before.risk.riskRateRatio}
      />
    </>
  );
}

function Available({ draft, pair, answers }: Props) {
  const own = useStore(account);
  const { mode } = draft;
  const coin = draft.side === "buy" ? pair.quote : pair.base;
  const rows = own[mode].filter((each) => mode !== "isolated" || each.symbol === pair.symbol);
  const there = answers.explained.value?.available ?? rows.find((each) => each.coin === coin)?.available;
  const isEmpty = own.loaded && !rows.some((each) => dec(each.total || each.available) > 0n);
  const transfer = (of: string): void => openDialog({ kind: "transfer", mode, symbol: pair.symbol, coin: of });
  return (
    <>
      <Fact name="Available">
        {amount(dec(there), coin)} {coin}{" "}
        {mode !== "spot" && (
          <button type="button" className="link" onClick={() => transfer(coin)}>
            Transfer
          </button>
        )}
      </Fact>
      {isEmpty && mode !== "spot" && (
        <p className="hint">
          Nothing is in this account yet.{" "}
          <button type="button" className="link" onClick={() => transfer(pair.quote)}>
            Transfer collateral from spot
          </button>
        </p>
      )}
    </>
  );
}
