import { useEffect, useState } from "react";
import { account, type Balance } from "../lib/account";
import { get, me, post, wordsOf } from "../lib/api";
import { amount, dec, type Dec, min, mul, ONE, percent, plain } from "../lib/decimal";
import { patient } from "../lib/feed";
import { type Rate, rates } from "../lib/market";
import { notices, utc } from "../lib/notices";
import { useStore } from "../lib/store";
import { note } from "../parts/Notes";
import { Stranger } from "../parts/Stranger";
import "../styles/pages.css";

// Coupons: what there is to claim, what one has, what each has saved and would save.

interface Cap {
  coin: string;
  amount: string;
}

interface Terms {
  campaignId: string;
  name: string;
  discountRate: string;
  caps: Cap[];
  durationMs: string;
  startsFrom: string;
  claimUntil: string;
}

interface Campaign extends Terms {
  claimFrom: string;
  access: string;
  count: string;
  left: string;
  seedHash: string;
  seed: string;
  entrants: string;
  cutHash: string;
}

interface Coupon extends Terms {
  couponId: string;
  status: string;
  claimTime: string;
  startTime: string;
  endTime: string;
  accountType: string;
  symbol: string;
}

interface Receipt {
  interestId: string;
  coin: string;
  hour: string;
  dailyInterestRate: string;
  savedAmount: string;
  coupons: { couponId: string; amount: string }[];
}

const HOUR_MS = 3_600_000;
const PAGE = 500;
const PAGES_MAX = 10;

interface Saved {
  // By coupon and coin.
  saved: Record<string, Record<string, Dec>>;
  // What each covered at the newest hour it covered anything.
  covers: Record<string, Record<string, Dec>>;
  isCut: boolean;
}

const NOTHING: Saved = { saved: {}, covers: {}, isCut: false };

export default function Coupons() {
  const user = useStore(me);
  const { campaigns, coupons, read } = useCoupons();
  const saved = useSaved(coupons);
  useEffect(() => {
    document.title = "Coupons · Lombard";
  }, []);
  const claimed = new Map(coupons.map((each) => [each.campaignId, each]));
  return (
    <div className="wide-page">
      <h1>Coupon centre</h1>
      <p className="soft lead">
        A coupon takes part of the interest, or all of it, off what you owe of a coin, up to an amount and for
        some hours. It is used by itself, where it saves most; each receipt says what it saved.
      </p>
      <section className="panel" aria-label="Campaigns">
        <div className="panel-head">
          <h2>To be claimed</h2>
        </div>
        {campaigns.length === 0 && <p className="empty">No campaigns at this time.</p>}
        <ul className="coupons">
          {campaigns.map((each) => (
            <li key={each.campaignId}>
              <Offer campaign={each} mine={claimed.get(each.campaignId)} done={read} hasUser={!!user} />
            </li>
          ))}
        </ul>
      </section>
      {user ? (
        <section className="panel" aria-label="Your coupons">
          <div className="panel-head">
            <h2>Your coupons</h2>
            {saved.isCut && <span className="soft">savings of the newest {PAGE * PAGES_MAX} receipts an account</span>}
          </div>
          {coupons.length ? (
            <Mine coupons={coupons} saved={saved} />
          ) : (
            <p className="empty">You have no coupons yet.</p>
          )}
        </section>
      ) : (
        <Stranger to="claim coupons and see what yours have saved" />
      )}
    </div>
  );
}

function useCoupons() {
  const user = useStore(me);
  const { reading } = useStore(account);
  const told = useStore(notices).filter((each) => each.couponId).length;
  const [campaigns, setCampaigns] = useState<Campaign[]>([]);
  const [coupons, setCoupons] = useState<Coupon[]>([]);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    const read = async (): Promise<void> => {
      const all = await get<Campaign[]>("/lombard/v1/public/coupon-campaigns");
      const mine = user ? await get<Coupon[]>("/lombard/v1/coupons") : [];
      if (!isCurrent) return;
      setCampaigns(all);
      setCoupons(mine);
    };
    read().catch((error: unknown) => isCurrent && note(wordsOf(error), "bad"));
    return () => {
      isCurrent = false;
    };
  }, [user?.userId, reading, told, turn]);
  return { campaigns, coupons, read: () => setTurn(turn + 1) };
}

/** Read from one's receipts what each coupon has saved: when an hour, a debt or a coupon changes. */
function useSaved(coupons: Coupon[]): Saved {
  const { crossed, isolated } = useStore(account);
  const hour = Math.max(0, ...Object.values(useStore(rates)).map((each) => each.hour));
  const symbols = [...new Set(isolated.map((row) => row.symbol))].join();
  const debts = [...crossed, ...isolated].map((row) => row.borrow).join();
  const states = coupons.map((each) => each.couponId + each.status).join();
  const isUsed = coupons.some((each) => each.startTime);
  const [saved, setSaved] = useState(NOTHING);
  useEffect(() => {
    if (!isUsed) {
      setSaved(NOTHING);
      return undefined;
    }
    let isCurrent = true;
    readSaved(symbols ? symbols.split(",") : [])
      .then((found) => isCurrent && setSaved(found))
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [isUsed, hour, symbols, debts, states]);
  return saved;
}

async function readSaved(symbols: string[]): Promise<Saved> {
  const found: Saved = { saved: {}, covers: {}, isCut: false };
  for (const symbol of ["", ...symbols]) {
    const path = `/lombard/v1/margin/${symbol ? "isolated" : "crossed"}/interest-receipts`;
    let before = "";
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { symbol, idLessThan: before, limit: PAGE };
      const { resultList: rows } = await patient(() => get<{ resultList: Receipt[] }>(path, query));
      for (const row of rows) addUp(found, row);
      before = rows.at(-1)?.interestId ?? "";
      if (rows.length < PAGE) break;
      found.isCut ||= page === PAGES_MAX - 1;
    }
  }
  return found;
}

/** Add a receipt: what several coupons saved together is theirs by what each covered. */
function addUp(found: Saved, row: Receipt): void {
  const covered = row.coupons.reduce((all, each) => all + dec(each.amount), 0n);
  for (const each of row.coupons) {
    const part = covered ? (dec(row.savedAmount) * dec(each.amount)) / covered : 0n;
    const coins = (found.saved[each.couponId] ??= {});
    coins[row.coin] = (coins[row.coin] ?? 0n) + part;
    const covers = (found.covers[each.couponId] ??= {});
    // Receipts come newest first.
    covers[row.coin] ??= dec(each.amount);
  }
}

const hoursOf = (terms: Terms): number => Number(terms.durationMs) / HOUR_MS;

function spanOf(terms: Terms): string {
  const hours = hoursOf(terms);
  return hours % 24 === 0 && hours >= 48 ? `${hours / 24} days` : hours === 1 ? "1 hour" : `${hours} hours`;
}

const offOf = (terms: Terms): string =>
  dec(terms.discountRate) === ONE ? "Interest-free" : `${percent(dec(terms.discountRate), 0)} off interest`;

/** What a coupon saves on an amount in so many hours, at this hour's rate. */
const saving = (terms: Terms, rate: Rate | undefined, value: Dec, hours: number): Dec =>
  (mul(mul(value, rate?.daily ?? 0n), dec(terms.discountRate)) * BigInt(hours)) / 24n;

function owedOf(rows: Balance[], coin: string): Dec {
  return rows.filter((row) => row.coin === coin).reduce((all, row) => all + dec(row.borrow), 0n);
}

function Offer(props: { campaign: Campaign; mine: Coupon | undefined; done: () => void; hasUser: boolean }) {
  const { campaign, mine } = props;
  const [busy, setBusy] = useState(false);
  const claim = async (): Promise<void> => {
    setBusy(true);
    try {
      await post("/lombard/v1/coupons/claim", { campaignId: campaign.campaignId });
      note(`The coupon “${campaign.name}” is yours. It affects charges from now on.`);
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
      props.done();
    }
  };
  const isOpen = campaign.access === "open" && !mine && dec(campaign.left) > 0n;
  const isMine = mine && mine.status !== "available";
  return (
    <article className="coupon" aria-label={campaign.name}>
      <div className="off">{offOf(campaign)}</div>
      <div className="terms-of">
        <b>{campaign.name}</b>
        <span>
          on up to {campaign.caps.map((cap) => `${amount(dec(cap.amount), cap.coin)} ${cap.coin}`).join(", ")} owed,
          for {spanOf(campaign)} from {campaign.startsFrom === "claim" ? "the claim" : "its first use"}
        </span>
        <span className="soft">
          Claim until {utc(campaign.claimUntil)} UTC · {campaign.left} of {campaign.count} left
        </span>
        <Would terms={campaign} />
        {campaign.access === "draw" && <Draw campaign={campaign} />}
      </div>
      <div className="claim">
        {isMine ? (
          <span className="up">Claimed</span>
        ) : (isOpen || mine?.status === "available") && props.hasUser ? (
          <button className="primary" disabled={busy} onClick={() => void claim()}>
            Claim
          </button>
        ) : campaign.access === "named" ? (
          <span className="soft">By invitation</span>
        ) : campaign.access === "draw" ? (
          <span className="soft">By draw</span>
        ) : dec(campaign.left) === 0n ? (
          <span className="soft">All are gone</span>
        ) : (
          <a className="button" href="#/log-in">
            Log in to claim
          </a>
        )}
      </div>
    </article>
  );
}

/** What a coupon would save: on what is owed now, or on all it may cover. */
function Would({ terms }: { terms: Terms }) {
  const known = useStore(rates);
  const own = useStore(account);
  const rows = [...own.crossed, ...own.isolated];
  const hours = hoursOf(terms);
  const told = (of: (cap: Cap) => Dec): string =>
    terms.caps
      .map((cap) => ({ coin: cap.coin, value: saving(terms, known[cap.coin], of(cap), hours) }))
      .filter((each) => each.value > 0n)
      .map((each) => `${amount(each.value, each.coin)} ${each.coin}`)
      .join(", ");
  const now = told((cap) => min(dec(cap.amount), owedOf(rows, cap.coin)));
  const most = told((cap) => dec(cap.amount));
  if (!most) return null;
  return (
    <span className="would">
      {now ? `Would save ${now} on what you owe now, ` : "Saves up to "}
      {now ? `up to ${most} in all,` : `${most}`} at this hour’s rate
    </span>
  );
}

function Draw({ campaign }: { campaign: Campaign }) {
  return (
    <details className="soft">
      <summary>{campaign.seed ? `Drawn among ${campaign.entrants}` : `${campaign.entrants} on the list`}</summary>
      <p className="hash">SHA-256 of the seed: {campaign.seedHash}</p>
      {campaign.seed && <p className="hash">Seed: {campaign.seed}</p>}
      {campaign.cutHash && <p className="hash">Largest hash that won: {campaign.cutHash}</p>}
    </details>
  );
}

const STATES: Record<string, [string, string]> = {
  available: ["To be claimed", "warning"],
  claimed: ["Waits for its first use", "warning"],
  active: ["In use", "up"],
  used: ["Used", "soft"],
  expired: ["Expired unused", "soft"],
};

const WHERE: Record<string, string> = { crossed: "Cross", isolated: "Isolated" };

function Mine({ coupons, saved }: { coupons: Coupon[]; saved: Saved }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Coupons">
      <table>
        <thead>
          <tr>
            <th>Coupon</th>
            <th>State</th>
            <th>Account</th>
            <th className="num">Covers up to</th>
            <th className="num">Covered last hour</th>
            <th className="num">Left to cover</th>
            <th className="num">Until (UTC)</th>
            <th className="num">Has saved</th>
            <th className="num">Would still save</th>
          </tr>
        </thead>
        <tbody>
          {coupons.map((each) => (
            <Own key={each.couponId} coupon={each} saved={saved} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Own({ coupon, saved }: { coupon: Coupon; saved: Saved }) {
  const [state, shade] = STATES[coupon.status] ?? [coupon.status, ""];
  const isActive = coupon.status === "active";
  const covers = saved.covers[coupon.couponId] ?? {};
  const got = Object.entries(saved.saved[coupon.couponId] ?? {});
  const until = coupon.endTime || (coupon.status === "available" ? coupon.claimUntil : "");
  const lines = (of: (cap: Cap) => Dec): string[] =>
    coupon.caps.map((cap) => `${amount(of(cap), cap.coin)} ${cap.coin}`);
  return (
    <tr>
      <th scope="row">
        {coupon.name} <small className="soft">{offOf(coupon)}</small>
      </th>
      <td className={shade}>{state}</td>
      <td>{WHERE[coupon.accountType] ? `${WHERE[coupon.accountType]} ${coupon.symbol}` : "–"}</td>
      <Lines rows={lines((cap) => dec(cap.amount))} />
      <Lines rows={isActive ? lines((cap) => covers[cap.coin] ?? 0n) : []} />
      <Lines rows={isActive ? lines((cap) => dec(cap.amount) - (covers[cap.coin] ?? 0n)) : []} />
      <td className="num">{until ? utc(until) : `${spanOf(coupon)} of use`}</td>
      <Lines rows={got.map(([coin, value]) => `${plain(value, 8)} ${coin}`)} />
      <Rest coupon={coupon} />
    </tr>
  );
}

const Lines = ({ rows }: { rows: string[] }) => (
  <td className="num">{rows.length ? rows.map((each) => <div key={each}>{each}</div>) : "–"}</td>
);

function Rest({ coupon }: { coupon: Coupon }) {
  const known = useStore(rates);
  const own = useStore(account);
  if (coupon.status === "used" || coupon.status === "expired") return <td className="num">–</td>;
  const rows =
    coupon.accountType === "crossed"
      ? own.crossed
      : coupon.accountType === "isolated"
        ? own.isolated.filter((row) => row.symbol === coupon.symbol)
        : [...own.crossed, ...own.isolated];
  // A charge at each full hour before its end; before its first use all of them.
  const now = hourNow();
  const hours = coupon.endTime ? Math.max(0, Math.ceil((Number(coupon.endTime) - now) / HOUR_MS) - 1) : hoursOf(coupon);
  const told = coupon.caps
    .map((cap) => {
      const value = min(dec(cap.amount), owedOf(rows, cap.coin));
      return { coin: cap.coin, value: saving(coupon, known[cap.coin], value, hours) };
    })
    .filter((each) => each.value > 0n);
  return <Lines rows={told.map((each) => `≈ ${amount(each.value, each.coin)} ${each.coin}`)} />;
}

/** The beginning of the exchange's present hour, as the rates say it. */
const hourNow = (): number => Math.max(0, ...Object.values(rates.get()).map((each) => each.hour));
