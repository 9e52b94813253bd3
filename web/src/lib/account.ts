import { get, me } from "./api";
import { dec, mul } from "./decimal";
import { pairs } from "./market";
import { own } from "./socket";
import { Store } from "./store";

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

export interface Position {
  mode: Mode;
  symbol: string;
  side: string;
  size: string;
  averageEntryPrice: string;
  indexPrice: string;
  unrealisedProfit: string;
  realisedProfit: string;
  baseInterestDue: string;
  quoteInterestDue: string;
  liquidationPrice: string;
}

export interface Own {
  loaded: boolean;
  spot: Balance[];
  crossed: Balance[];
  isolated: Balance[];
  crossedRisk: string;
  isolatedRisk: Record<string, string>;
  orders: Order[];
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
  positions: [],
  reading: 0,
};
export const account = new Store<Own>(NOTHING);

const LEAST_MS = 400;
const OFTEN_MS = 20_000;
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
  try {
    const next = await read();
    if (me.get()?.userId === user) account.set(next);
  } catch {
    // Whoever is logged out, or has no network, sees it elsewhere; what was read stays.
  } finally {
    window.setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        void refresh();
      }
    }, LEAST_MS);
  }
}

async function read(): Promise<Own> {
  const margin = "/api/v2/margin";
  const [spot, crossed, risk, isolated, risks, spotOrders, crossedOrders, first, second] =
    await Promise.all([
      get<Row[]>("/api/v2/spot/account/assets"),
      get<Row[]>(`${margin}/crossed/account/assets`),
      get<Row>(`${margin}/crossed/account/risk-rate`),
      get<Row[]>(`${margin}/isolated/account/assets`),
      get<Row[]>(`${margin}/isolated/account/risk-rate`),
      get<Row[]>("/api/v2/spot/trade/unfilled-orders"),
      get<{ orderList: Row[] }>(`${margin}/crossed/open-orders`, { startTime: 0 }),
      get<Position[]>("/lombard/v1/margin/positions", { mode: "crossed" }),
      get<Position[]>("/lombard/v1/margin/positions", { mode: "isolated" }),
    ]);
  const symbols = [...new Set(isolated.map((row) => row.symbol ?? ""))];
  const isolatedOrders = await Promise.all(
    symbols.map((symbol) =>
      get<{ orderList: Row[] }>(`${margin}/isolated/open-orders`, { symbol, startTime: 0 }),
    ),
  );
  const orders = [
    ...spotOrders.map((row) => orderOf("spot", row)),
    ...crossedOrders.orderList.map((row) => orderOf("crossed", row)),
    ...isolatedOrders.flatMap((each) => each.orderList).map((row) => orderOf("isolated", row)),
  ].sort((a, b) => b.time - a.time);
  return {
    loaded: true,
    spot: spot.map(spotBalance),
    crossed: crossed.map(marginBalance),
    isolated: isolated.map(marginBalance),
    crossedRisk: risk.riskRateRatio ?? "0",
    isolatedRisk: Object.fromEntries(
      risks.map((row) => [row.symbol ?? "", row.riskRateRatio ?? "0"]),
    ),
    orders,
    positions: [...first, ...second].filter((each) => !isDust(each)),
    reading: account.get().reading + 1,
  };
}

/** What is left below the least that can be traded, and costs nothing, is no position any more. */
function isDust(position: Position): boolean {
  const pair = pairs.get().find((each) => each.symbol === position.symbol);
  if (!pair || dec(position.baseInterestDue) > 0n || dec(position.quoteInterestDue) > 0n) return false;
  return (
    dec(position.size) < dec(pair.minSize) ||
    mul(dec(position.size), dec(position.indexPrice)) < dec(pair.minValue)
  );
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

const CHANNELS = [
  ["SPOT", "orders", "instId"],
  ["SPOT", "account", "coin"],
  ["MARGIN", "orders-crossed", "instId"],
  ["MARGIN", "orders-isolated", "instId"],
  ["MARGIN", "account-crossed", "coin"],
  ["MARGIN", "account-isolated", "coin"],
] as const;

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
    for (const [instType, channel, name] of CHANNELS) {
      own.subscribe({ instType, channel, [name]: "default" }, () => void refresh());
    }
    void refresh();
  };
  me.listen(begin);
  begin();
  window.setInterval(() => void refresh(), OFTEN_MS);
}
