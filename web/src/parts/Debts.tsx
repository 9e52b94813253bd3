import { useEffect, useState } from "react";
import { account, type Balance, type Mode } from "../lib/account";
import { get } from "../lib/api";
import { amount, dec } from "../lib/decimal";
import { useStore } from "../lib/store";
import { MODES } from "../lib/telling";
import { openDialog } from "./Dialogs";

// What is still owed, and what it costs an hour: until it is repaid it goes on.

interface Debt extends Balance {
  mode: Mode;
}

interface Quote {
  interestPerDay: string;
}

export function Debts() {
  const { crossed, isolated } = useStore(account);
  const debts = [
    ...crossed.map((each): Debt => ({ ...each, mode: "crossed", symbol: "" })),
    ...isolated.map((each): Debt => ({ ...each, mode: "isolated" })),
  ].filter((each) => dec(each.borrow) + dec(each.interest) > 0n);
  if (!debts.length) return null;
  return (
    <ul className="debts" aria-label="Debts">
      {debts.map((each) => (
        <Line key={each.mode + each.symbol + each.coin} debt={each} />
      ))}
    </ul>
  );
}

function Line({ debt }: { debt: Debt }) {
  const { mode, symbol, coin } = debt;
  const perDay = useCost(debt);
  const interest = dec(debt.interest);
  return (
    <li>
      <span>
        You still owe{" "}
        <b className="num">
          {amount(dec(debt.borrow) + interest, coin)} {coin}
        </b>
        {interest > 0n && (
          <span className="soft num">
            {" "}
            (of it interest {amount(interest)} {coin})
          </span>
        )}{" "}
        in {symbol ? `${MODES[mode]} ${symbol}` : MODES[mode]}, accruing{" "}
        <span className="num">
          {perDay === null ? "…" : amount(perDay / 24n)} {coin}
        </span>{" "}
        an hour.
      </span>
      <button onClick={() => openDialog({ kind: "repay", mode, symbol, coin })}>Repay</button>
    </li>
  );
}

/** Read what a day of the debt costs; asked anew when it changes, the next hour's rate with it. */
function useCost({ mode, symbol, coin, borrow, interest }: Debt): bigint | null {
  const [perDay, setPerDay] = useState<bigint | null>(null);
  useEffect(() => {
    let isCurrent = true;
    get<Quote>("/lombard/v1/margin/pay-off", { mode, symbol, coin })
      .then((found) => isCurrent && setPerDay(dec(found.interestPerDay)))
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [mode, symbol, coin, borrow, interest]);
  return perDay;
}
