import { type FormEvent, useEffect, useState } from "react";
import { refresh } from "../lib/account";
import { faucet, get, me, post, sandboxToken, venue, wordsOf } from "../lib/api";
import { plain } from "../lib/decimal";
import { coinsOf, indexPrices, pairs, readRates } from "../lib/market";
import { useStore } from "../lib/store";
import { note } from "./Notes";

// The clock, the prices and the coins of a sandbox, in one's own hand.

const SANDBOX = "/lombard/v1/sandbox";
const HOUR_MS = 3_600_000;
const POLL_MS = 2000;
const PAUSED = "manual";
const SPEEDS: [string, string][] = [
  ["1", "Real time"],
  ["60", "1 min / s"],
  ["600", "10 min / s"],
  ["3600", "1 h / s"],
];

interface Clock {
  now: string;
  mode: string;
  speed: string;
}

export function SandboxBar() {
  const there = useStore(venue);
  const [clock, setClock] = useState<Clock | null>(null);
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState(false);
  const [hasToken, setHasToken] = useState(!there?.sandboxNeedsToken || !!sandboxToken.value);

  useEffect(() => {
    if (!hasToken) return undefined;
    const look = async (): Promise<void> => {
      try {
        setClock(await get<Clock>(`${SANDBOX}/clock`));
      } catch {
        setClock(null);
      }
    };
    void look();
    const timer = window.setInterval(() => void look(), POLL_MS);
    return () => clearInterval(timer);
  }, [hasToken]);

  const move = async (call: string, body: object): Promise<void> => {
    setBusy(true);
    try {
      setClock(await post<Clock>(`${SANDBOX}/${call}`, body));
      await Promise.all([refresh(), readRates()]);
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
    }
  };

  if (!hasToken) return <TokenForm done={() => setHasToken(true)} />;
  const paused = clock?.mode === PAUSED;
  return (
    <section className={`sandbox ${open ? "" : "shut"}`} aria-label="Sandbox">
      <div className="sandbox-name">
        <strong>Sandbox</strong>
        <time className="num">{clock ? timeOf(clock.now) : "…"}</time>
        <button aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Less" : "Clock, prices, coins"}
        </button>
      </div>
      <div className="tools">
        <div className="group" role="group" aria-label="Clock">
          <button
            disabled={busy || !clock}
            onClick={() =>
              void move("clock", { mode: paused ? "real" : PAUSED })
            }
          >
            {paused ? "Run" : "Pause"}
          </button>
          <button
            disabled={busy || !clock}
            onClick={() => void move("clock/advance", { ms: String(HOUR_MS) })}
          >
            +1 hour
          </button>
          <select
            aria-label="Speed of the clock"
            disabled={busy || paused}
            value={clock?.mode === "scaled" ? clock.speed : "1"}
            onChange={(event) => {
              const speed = event.target.value;
              const mode = speed === "1" ? "real" : "scaled";
              void move("clock", speed === "1" ? { mode } : { mode, speed });
            }}
          >
            {SPEEDS.map(([speed, name]) => (
              <option key={speed} value={speed}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <PriceForm />
        <FaucetForm />
      </div>
    </section>
  );
}

function PriceForm() {
  const all = coinsOf(useStore(pairs)).filter((coin) => coin !== "USDT");
  const prices = useStore(indexPrices);
  const [coin, setCoin] = useState("BTC");
  const [price, setPrice] = useState("");
  const set = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      await post(`${SANDBOX}/index-prices`, { coin, price: price.replaceAll(" ", "") });
      note(`The index price of ${coin} is ${price} USDT.`);
      setPrice("");
      await refresh();
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  return (
    <form className="group" aria-label="Index price" onSubmit={(event) => void set(event)}>
      <CoinSelect label="Coin whose price to set" coins={all} coin={coin} choose={setCoin} />
      <input
        className="num"
        inputMode="decimal"
        aria-label={`Index price of ${coin} in USDT`}
        placeholder={prices[coin] ? plain(prices[coin], 8) : "price"}
        value={price}
        onChange={(event) => setPrice(event.target.value)}
      />
      <button disabled={!price}>Set price</button>
    </form>
  );
}

function FaucetForm() {
  const all = coinsOf(useStore(pairs));
  const user = useStore(me);
  const [coin, setCoin] = useState("USDT");
  const [amount, setAmount] = useState("10000");
  const give = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      await faucet(coin, amount.replaceAll(" ", ""));
      note(`${amount} ${coin} are in your spot account.`);
      await refresh();
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  if (!user) return null;
  return (
    <form className="group" aria-label="Faucet" onSubmit={(event) => void give(event)}>
      <CoinSelect label="Coin to be given" coins={all} coin={coin} choose={setCoin} />
      <input
        className="num"
        inputMode="decimal"
        aria-label={`Amount of ${coin} to be given`}
        value={amount}
        onChange={(event) => setAmount(event.target.value)}
      />
      <button disabled={!amount}>Faucet</button>
    </form>
  );
}

export function CoinSelect(props: {
  label: string;
  coins: string[];
  coin: string;
  choose: (coin: string) => void;
}) {
  return (
    <select
      aria-label={props.label}
      value={props.coin}
      onChange={(event) => props.choose(event.target.value)}
    >
      {props.coins.map((coin) => (
        <option key={coin}>{coin}</option>
      ))}
    </select>
  );
}

function TokenForm({ done }: { done: () => void }) {
  const [token, setToken] = useState("");
  return (
    <form
      className="sandbox tools"
      onSubmit={(event) => {
        event.preventDefault();
        sandboxToken.value = token.trim();
        sessionStorage.setItem("sandbox-token", token.trim());
        done();
      }}
    >
      <label>
        Sandbox token, as printed at its start
        <input value={token} onChange={(event) => setToken(event.target.value)} />
      </label>
      <button>Open</button>
    </form>
  );
}

export function timeOf(ms: string | number): string {
  return new Date(Number(ms)).toISOString().slice(0, 19).replace("T", " ");
}
