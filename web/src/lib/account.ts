import { get, me, Refused, TOO_MANY } from "./api";
import { own } from "./socket";
import { Store } from "./store";
import { tellOfOrders, tellOfPlans } from "./telling";

// What is one's own. Pushes say that something has changed; what it is now is read as a whole.

export type Mode = "spot" | "crossed" | "isolated";

export interface Balance {
  coin: string;
  total: string;
  available: string;
  frozen: string;
  transferable: string;
  borrow: string;
  interest: string;
  net: string;
  symbol: string;
}

export interface Order {
  mode: Mode;
  symbol: string;
  orderId: string;
  side: "buy" | "sell";
  orderType: string;
  price: string;
  size: string;
  filled: string;
  average: string;
  status: string;
  loanType: string;
  time: number;
}

/** An order that waits for its price. */
export interface Plan {
  mode: Mode;
  symbol: string;
  orderId: string;
  plan: string;
  side: "buy" | "sell";
  orderType: string;
  size: string;
  isQuoted: boolean;
  executePrice: string;
  triggerPrice: string;
  triggerType: string;
  callbackRatio: string;
  bestPrice: string;
  loanType: string;
  status: string;
  reason: string;
  parentOrderId: string;
  time: number;
}

export interface Position {
  mode: Mode;
  symbol: string;
  side: string;
  size: string;
  averageEntryPrice: string;
  indexPrice: string;
  unrealisedProfit: string;
  realisedProfit: string;
  baseInterestPaid: string;
  quoteInterestPaid: string;
  baseInterestDue: string;
  quoteInterestDue: string;
  liquidationPrice: string;
  liquidatedWhen: string;
  dust: boolean;
}

export interface Own {
  loaded: boolean;
  spot: Balance[];
  crossed: Balance[];
  isolated: Balance[];
  crossedRisk: string;
  isolatedRisk: Record<string, string>;
  orders: Order[];
  plans: Plan[];
  positions: Position[];
  // Counts up with each reading: what depends on all of it asks again.
  reading: number;
}

type Row = Record<string, string>;

const NOTHING: Own = {
  loaded: false,
  spot: [],
  crossed: [],
  isolated: [],
  crossedRisk: "0",
  isolatedRisk: {},
  orders: [],
  plans: [],
  positions: [],
  reading: 0,
};
export const account = new Store<Own>(NOTHING);

const LEAST_MS = 400;
const EACH_MS = 120;
const TOO_MANY_MS = 1500;
const OFTEN_MS = 20_000;
// Prices move what a position stands at, and no push says so.
const RISK_MS = 3000;
const PAGE = 100;
let busy = false;
let again = false;

/** Read everything anew; while that goes on, once more is enough. */
export async function refresh(): Promise<void> {
  if (!me.get()) return;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  const user = me.get()?.userId;
  // Isolated accounts are asked about one by one, and no call oftener than the venue counts.
  let wait = LEAST_MS + EACH_MS * Object.keys(account.get().isolatedRisk).length;
  try {
    const next = await read();
    if (me.get()?.userId === user) account.set(next);
  } catch (error) {
    // Whoever is logged out, or has no network, sees it elsewhere; what was read stays.
    if (error instanceof Refused && error.code === TOO_MANY) {
      again = true;
      wait = TOO_MANY_MS;
    }
  } finally {
    window.setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        void refresh();
      }
    }, wait);
  }
}

const MARGIN = "/api/v2/margin";

async function read(): Promise<Own> {
  const [spot, crossed, isolated, risks, spotOrders, crossedOrders, spotPlans, crossedPlans] =
    await Promise.all([
      get<Row[]>("/api/v2/spot/account/assets"),
      get<Row[]>(`${MARGIN}/crossed/account/assets`),
      get<Row[]>(`${MARGIN}/isolated/account/assets`),
      readRisks(),
      get<Row[]>("/api/v2/spot/trade/unfilled-orders"),
      listed(`${MARGIN}/crossed/open-orders`, { startTime: 0 }),
      listed("/lombard/v1/spot/current-plan-order"),
      listed("/lombard/v1/margin/crossed/current-plan-order"),
    ]);
  const symbols = [...new Set(isolated.map((row) => row.symbol ?? ""))];
  const [isolatedOrders, isolatedPlans] = await Promise.all([
    each(symbols, (symbol) => listed(`${MARGIN}/isolated/open-orders`, { symbol, startTime: 0 })),
    each(symbols, (symbol) => listed("/lombard/v1/margin/isolated/current-plan-order", { symbol })),
  ]);
  return {
    loaded: true,
    spot: spot.map(spotBalance),
    crossed: crossed.map(marginBalance),
    isolated: isolated.map(marginBalance),
    ...risks,
    orders: [
      ...spotOrders.map((row) => orderOf("spot", row)),
      ...crossedOrders.map((row) => orderOf("crossed", row)),
      ...isolatedOrders.map((row) => orderOf("isolated", row)),
    ].sort((a, b) => b.time - a.time),
    plans: [
      ...spotPlans.map((row) => planOf("spot", row)),
      ...crossedPlans.map((row) => planOf("crossed", row)),
      ...isolatedPlans.map((row) => planOf("isolated", row)),
    ].sort((a, b) => b.time - a.time),
    reading: account.get().reading + 1,
  };
}

async function listed(path: string, query: Record<string, string | number> = {}): Promise<Row[]> {
  return (await get<{ orderList: Row[] }>(path, { ...query, limit: PAGE })).orderList;
}

async function each(symbols: string[], list: (symbol: string) => Promise<Row[]>): Promise<Row[]> {
  return (await Promise.all(symbols.map(list))).flat();
}

type Risks = Pick<Own, "crossedRisk" | "isolatedRisk" | "positions">;

async function readRisks(): Promise<Risks> {
  const [risk, risks, first, second] = await Promise.all([
    get<Row>(`${MARGIN}/crossed/account/risk-rate`),
    get<Row[]>(`${MARGIN}/isolated/account/risk-rate`),
    get<Position[]>("/lombard/v1/margin/positions", { mode: "crossed" }),
    get<Position[]>("/lombard/v1/margin/positions", { mode: "isolated" }),
  ]);
  return {
    crossedRisk: risk.riskRateRatio ?? "0",
    isolatedRisk: Object.fromEntries(
      risks.map((row) => [row.symbol ?? "", row.riskRateRatio ?? "0"]),
    ),
    // What cannot be traded any more is no position; what is owed is told apart.
    positions: [...first, ...second].filter((row) => !row.dust),
  };
}

/** Read anew what prices move, as long as somebody looks at it. */
async function refreshRisks(): Promise<void> {
  const before = account.get();
  if (busy || document.hidden || !before.positions.length) return;
  try {
    const risks = await readRisks();
    // What was read as a whole meanwhile is newer.
    if (account.get() === before) account.set({ ...before, ...risks });
  } catch {
    // As with `refresh`.
  }
}

function spotBalance(row: Row): Balance {
  return {
    coin: row.coin ?? "",
    total: "",
    available: row.available ?? "0",
    frozen: row.frozen ?? "0",
    transferable: row.available ?? "0",
    borrow: "0",
    interest: "0",
    net: "",
    symbol: "",
  };
}

function marginBalance(row: Row): Balance {
  return {
    coin: row.coin ?? "",
    total: row.totalAmount ?? "0",
    available: row.available ?? "0",
    frozen: row.frozen ?? "0",
    transferable: row.transferable ?? "0",
    borrow: row.borrow ?? "0",
    interest: row.interest ?? "0",
    net: row.net ?? "0",
    symbol: row.symbol ?? "",
  };
}

export function orderOf(mode: Mode, row: Row): Order {
  const spot = mode === "spot";
  return {
    mode,
    symbol: row.symbol ?? "",
    orderId: row.orderId ?? "",
    side: row.side === "sell" ? "sell" : "buy",
    orderType: row.orderType ?? "",
    price: (spot ? row.price || row.priceAvg : row.price) ?? "",
    size: (spot ? row.size : row.baseSize) ?? "",
    filled: (spot ? row.baseVolume : row.size) ?? "",
    average: row.priceAvg ?? "",
    status: row.status ?? "",
    loanType: row.loanType ?? "",
    time: Number(row.cTime),
  };
}

export const planOf = (mode: Mode, row: Row): Plan => ({
  mode,
  symbol: row.symbol ?? "",
  orderId: row.orderId ?? "",
  plan: row.plan ?? "",
  side: row.side === "sell" ? "sell" : "buy",
  orderType: row.orderType ?? "",
  size: row.size ?? "",
  isQuoted: row.planType === "total",
  executePrice: row.executePrice ?? "",
  triggerPrice: row.triggerPrice ?? "",
  triggerType: row.triggerType ?? "",
  callbackRatio: row.callbackRatio ?? "",
  bestPrice: row.bestPrice ?? "",
  loanType: row.loanType ?? "",
  status: row.status ?? "",
  reason: row.reason ?? "",
  parentOrderId: row.parentOrderId ?? "",
  time: Number(row.cTime),
});

type Teller = (mode: Mode, rows: Row[]) => void;

const CHANNELS: ["SPOT" | "MARGIN", string, "instId" | "coin", Mode, Teller | null][] = [
  ["SPOT", "orders", "instId", "spot", tellOfOrders],
  ["SPOT", "orders-algo", "instId", "spot", tellOfPlans],
  ["SPOT", "account", "coin", "spot", null],
  ["MARGIN", "orders-crossed", "instId", "crossed", tellOfOrders],
  ["MARGIN", "orders-isolated", "instId", "isolated", tellOfOrders],
  ["MARGIN", "orders-algo-crossed", "instId", "crossed", tellOfPlans],
  ["MARGIN", "orders-algo-isolated", "instId", "isolated", tellOfPlans],
  ["MARGIN", "account-crossed", "coin", "crossed", null],
  ["MARGIN", "account-isolated", "coin", "isolated", null],
];

/** Follow whoever is logged in. */
export function followOwn(): void {
  let following = "";
  const begin = (): void => {
    const user = me.get()?.userId ?? "";
    if (user === following) return;
    following = user;
    own.close();
    account.set(NOTHING);
    if (!user) return;
    for (const [instType, channel, name, mode, tell] of CHANNELS) {
      own.subscribe({ instType, channel, [name]: "default" }, (rows) => {
        tell?.(mode, rows);
        void refresh();
      });
    }
    void refresh();
  };
  me.listen(begin);
  begin();
  window.setInterval(() => void refresh(), OFTEN_MS);
  window.setInterval(() => void refreshRisks(), RISK_MS);
}
