import { note } from "../parts/Notes";
import { get, me } from "./api";
import { amount, dec, percent } from "./decimal";
import { connected, own } from "./socket";
import { Store } from "./store";

// What one has to know without having asked: pushed as it comes, and read again after a pause.

export interface Notice {
  noticeId: string;
  kind: string;
  cTime: string;
  accountType: string;
  symbol: string;
  riskRate: string;
  liqId: string;
  orderId: string;
  reason: string;
  debts: { coin: string; principal: string; interest: string }[];
  announcementId: string;
  change: string;
  what: string;
  effectiveTime: string;
  couponId: string;
}

export const notices = new Store<Notice[]>([]);
// The newest moment of which everything was seen.
export const seenUntil = new Store(0);

const KEPT = 200;
const OFTEN_MS = 60_000;
const NAME = "lombard-seen";

/** Say whose account a notice is about. */
export const whereOf = (notice: Notice): string =>
  notice.symbol
    ? `isolated account ${notice.symbol}`
    : notice.accountType === "crossed_margin"
      ? "cross account"
      : "spot account";

export const isGrave = (notice: Notice): boolean =>
  ["marginCall", "liquidationStarted", "liquidationFinished", "orderFailed"].includes(notice.kind);

export const utc = (ms: string): string => new Date(Number(ms)).toISOString().slice(0, 16).replace("T", " ");

const CHANGES: Record<string, string> = {
  coin: "New terms of",
  pair: "New terms of",
  reduce_only: "Only reducing orders in",
  repay: "Forced repayment of",
};

/** Say a notice in a sentence. */
export function sentenceOf(notice: Notice): string {
  const where = whereOf(notice);
  const change = `${CHANGES[notice.change] ?? "A change of"} ${notice.what}`;
  switch (notice.kind) {
    case "marginCall":
      return `Margin call: the risk of your ${where} is ${percent(dec(notice.riskRate), 1)}. It is liquidated at 100 %.`;
    case "liquidationStarted":
      return `Your ${where} is being liquidated.`;
    case "liquidationFinished":
      return `The liquidation of your ${where} is over.`;
    case "orderFailed":
      return `A stop or take-profit of your ${where} was reached, and its order refused: ${notice.reason}.`;
    case "repayReminder": {
      const owed = notice.debts.map((debt) => `${amount(dec(debt.principal), debt.coin)} ${debt.coin}`).join(", ");
      return `Interest runs in your ${where}: ${owed} borrowed.`;
    }
    case "changeAnnounced":
      return `${change} from ${utc(notice.effectiveTime)} UTC.`;
    case "changeMade":
      return notice.reason ? `${change}: not made, ${notice.reason}.` : `${change}: in force now.`;
    case "changeWithdrawn":
      return "An announced change was taken back.";
    case "couponGranted":
      return "A coupon was granted to you: claim it in the coupon centre.";
    case "couponStarted":
      return "A coupon of yours is in use from now on.";
    case "couponEnded":
      return "A coupon of yours has run out.";
    default:
      return notice.kind;
  }
}

const key = (): string => `${NAME}-${me.get()?.userId ?? ""}`;

/** Take everything that is there as seen. */
export function seeAll(): void {
  const newest = Math.max(seenUntil.get(), ...notices.get().map((each) => Number(each.cTime)));
  localStorage.setItem(key(), String(newest));
  seenUntil.set(newest);
}

export const unseen = (all: Notice[], until: number): Notice[] =>
  all.filter((each) => Number(each.cTime) > until);

function take(rows: Notice[]): void {
  const known = new Set(notices.get().map((each) => each.noticeId));
  const fresh = rows.filter((each) => !known.has(each.noticeId));
  if (!fresh.length) return;
  const all = [...fresh, ...notices.get()];
  // Of one moment, what came later stands first.
  all.sort((a, b) => Number(b.cTime) - Number(a.cTime));
  notices.set(all.slice(0, KEPT));
}

async function read(): Promise<void> {
  const user = me.get()?.userId;
  if (!user) return;
  try {
    const rows = await get<Notice[]>("/lombard/v1/notices", { limit: 100 });
    if (me.get()?.userId === user) take(rows);
  } catch {
    // Asked again in a minute.
  }
}

/** Follow whoever is logged in; after `followOwn`, which opens and shuts the socket. */
export function followNotices(): void {
  let following = "";
  const begin = (): void => {
    const user = me.get()?.userId ?? "";
    if (user === following) return;
    following = user;
    notices.set([]);
    seenUntil.set(Number(localStorage.getItem(key()) ?? 0));
    if (!user) return;
    own.subscribe({ instType: "MARGIN", channel: "notices", instId: "default" }, (rows: Notice[]) => {
      for (const row of rows) note(sentenceOf(row), isGrave(row) ? "bad" : "good");
      take([...rows].reverse());
    });
    void read();
  };
  me.listen(begin);
  connected.listen(() => void (connected.get() && read()));
  begin();
  window.setInterval(() => void read(), OFTEN_MS);
}
