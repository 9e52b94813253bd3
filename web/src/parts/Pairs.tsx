import { useState } from "react";
import { dec, percent, shown } from "../lib/decimal";
import { type Pair, pairs, rates, tickers } from "../lib/market";
import { useStore } from "../lib/store";

export function Pairs({ chosen, choose }: { chosen: string; choose: (symbol: string) => void }) {
  const all = useStore(pairs);
  const [words, setWords] = useState("");
  const wanted = words.trim().toUpperCase().replace("/", "");
  return (
    <div className="pairs">
      <input
        type="search"
        placeholder="Search pairs"
        aria-label="Search pairs"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <div className="pair head" aria-hidden="true">
        <span>Pair / borrow a day</span>
        <span>Price / 24 h</span>
      </div>
      <ul>
        {all
          .filter((pair) => pair.symbol.includes(wanted))
          .map((pair) => (
            <li key={pair.symbol}>
              <Row pair={pair} isChosen={pair.symbol === chosen} choose={choose} />
            </li>
          ))}
      </ul>
    </div>
  );
}

function Row(props: { pair: Pair; isChosen: boolean; choose: (symbol: string) => void }) {
  const { pair } = props;
  const ticker = useStore(tickers)[pair.symbol];
  const rate = useStore(rates);
  const change = dec(ticker?.change);
  const daily = (coin: string): string => percent(rate[coin]?.daily ?? 0n, 3);
  return (
    <button
      className="pair"
      aria-pressed={props.isChosen}
      onClick={() => props.choose(pair.symbol)}
    >
      <span>
        <b>
          {pair.base}
          <small>/{pair.quote}</small>
        </b>
        <small className="soft num" title={`Daily rate for ${pair.base} and for ${pair.quote}`}>
          {daily(pair.base)} · {daily(pair.quote)}
        </small>
      </span>
      <span className="num">
        {ticker?.last ? shown(dec(ticker.last), pair.priceDecimals) : "–"}
        <small className={change < 0n ? "down" : "up"}>
          {change > 0n ? "+" : ""}
          {percent(change)}
        </small>
      </span>
    </button>
  );
}
