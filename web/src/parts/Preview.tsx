import { amount, dec, type Dec, shown } from "../lib/decimal";
import type { Pair } from "../lib/market";
import type { Draft } from "../lib/trading";
import { Gauge } from "./Gauge";
import { type Answers, Available } from "./OrderForm";

// What an order would come to, by the engine itself, before it is sent.

export function Preview(props: {
  draft: Draft;
  pair: Pair;
  answers: Answers;
  most: Dec;
  sizeCoin: string;
  isSized: boolean;
  adjust: () => void;
}) {
  const { draft, pair, answers, most, sizeCoin } = props;
  const { explained, foreseen } = answers;
  const isRefused = foreseen?.accepted === false;
  const tooMuch = draft.mode === "spot" && props.isSized && dec(draft.size) > most;
  const binding = explained?.loan?.terms.find((each) => each.binding);
  return (
    <div className="preview">
      <Available draft={draft} pair={pair} answers={answers} />
      <div className="fact">
        <span>Largest</span>
        <span className="num">
          {amount(most, sizeCoin)} {sizeCoin}
        </span>
      </div>
      {foreseen?.accepted && props.isSized && <After answers={answers} pair={pair} />}
      {isRefused && (
        <div className="refused" role="alert">
          <p>{foreseen.refusal?.msg}</p>
          {binding && binding.lift && <p className="soft">It would take {binding.lift}.</p>}
          {most > 0n && <Adjust {...props} />}
        </div>
      )}
      {tooMuch && (
        <div className="refused" role="alert">
          <p>The spot account has less than that.</p>
          {most > 0n && <Adjust {...props} />}
        </div>
      )}
      {answers.fault && <p className="fault">{answers.fault}</p>}
    </div>
  );
}

function Adjust(props: { most: Dec; sizeCoin: string; adjust: () => void }) {
  return (
    <button type="button" onClick={props.adjust}>
      Set to {amount(props.most, props.sizeCoin)} {props.sizeCoin}
    </button>
  );
}

function After({ answers, pair }: { answers: Answers; pair: Pair }) {
  const { foreseen } = answers;
  if (!foreseen) return null;
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
        {line ? `${shown(dec(line), pair.priceDecimals)}${base?.liquidatedWhen.includes("above") ? " ↑" : " ↓"}` : "none"}
      </Fact>
      <Gauge
        label="Risk ratio, after"
        ratio={foreseen.after.risk.riskRateRatio}
        before={foreseen.before.risk.riskRateRatio}
      />
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="fact">
      <span>{name}</span>
      <span className="num">{children}</span>
    </div>
  );
}
