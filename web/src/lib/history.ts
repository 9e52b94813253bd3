import type { Mode } from "./account";
import { get } from "./api";
import { dec, plain } from "./decimal";
import type { Row, Source } from "./feed";
import { pairs } from "./market";

// Every list of what happened to one's accounts: where it comes from, and how it reads.

export interface Filter {
  mode: Mode | "";
  symbol: string;
  coin: string;
  type: string;
  from: number;
  to: number;
}

export interface Column {
  title: string;
  // The value as the API says it; what is shown may be rounded, what is saved is not.
  raw: (row: Row) => string;
  look?: "time" | "amount" | "sized" | "price" | "percent" | "risk" | "side" | "exact";
  coin?: (row: Row) => string;
}

export interface Kind {
  name: string;
  title: string;
  empty: string;
  by: ("symbol" | "coin" | "type")[];
  modes: Mode[];
  types?: [string, string][];
  columns: Column[];
  sources: (filter: Filter, opened: string[]) => Source[];
}

export const MODE_NAMES: Record<string, string> = { spot: "Spot", crossed: "Cross", isolated: "Isolated" };
const SPOT = "/api/v2/spot";
const MARGIN = "/api/v2/margin";
const OWN = "/lombard/v1";
const ALL: Mode[] = ["spot", "crossed", "isolated"];
const LENDING: Mode[] = ["crossed", "isolated"];
const COUNTED = 90 * 86_400_000;

type Answer = Row[] | Record<string, unknown>;

/** Make a source of a call; its rows are found under `list`, and told which account they are of. */
function source(
  mode: Mode,
  path: string,
  id: string,
  filter: Filter,
  more: Record<string, string>,
  list = "",
  time = "cTime",
): Source {
  return {
    id,
    time,
    most: path.startsWith(`${SPOT}/trade/`) ? 100 : 500,
    read: async (before, limit) => {
      const answer = await get<Answer>(path, {
        startTime: String(filter.from || 0),
        // The venue wants a span of ninety days at most; without an end it may be any.
        endTime: filter.to ? String(filter.to) : undefined,
        idLessThan: before,
        limit,
        ...more,
      });
      const rows = (list ? (answer as Record<string, Row[] | null>)[list] : (answer as Row[])) ?? [];
      return rows.map((row) => ({ ...row, mode, symbol: row.symbol ?? more.symbol ?? "" }));
    },
  };
}

const isAsked = (filter: Filter, mode: Mode): boolean => !filter.mode || filter.mode === mode;

/** The isolated accounts that are asked about: that of a pair, or all that were opened. */
const isolatedOf = (filter: Filter, opened: string[]): string[] =>
  !isAsked(filter, "isolated") ? [] : opened.filter((each) => !filter.symbol || each === filter.symbol);

function lending(name: string, id: string, time = "cTime") {
  return (filter: Filter, opened: string[]): Source[] => {
    const { coin } = filter;
    const path = (mode: Mode): string =>
      name === "interest-receipts" ? `${OWN}/margin/${mode}/${name}` : `${MARGIN}/${mode}/${name}`;
    const isolated = isolatedOf(filter, opened).map((symbol) =>
      source("isolated", path("isolated"), id, filter, { coin, symbol }, "resultList", time),
    );
    const asksCross = isAsked(filter, "crossed") && !filter.symbol;
    return asksCross
      ? [source("crossed", path("crossed"), id, filter, { coin }, "resultList", time), ...isolated]
      : isolated;
  };
}

const orders = (filter: Filter): Source[] => [
  ...(isAsked(filter, "spot")
    ? [source("spot", `${SPOT}/trade/history-orders`, "orderId", filter, { symbol: filter.symbol })]
    : []),
  ...LENDING.filter((mode) => isAsked(filter, mode)).map((mode) =>
    source(mode, `${MARGIN}/${mode}/history-orders`, "orderId", filter, { symbol: filter.symbol }, "orderList"),
  ),
];

const fills = (filter: Filter): Source[] => [
  ...(isAsked(filter, "spot")
    ? [source("spot", `${SPOT}/trade/fills`, "tradeId", filter, { symbol: filter.symbol })]
    : []),
  ...LENDING.filter((mode) => isAsked(filter, mode)).map((mode) =>
    source(mode, `${OWN}/margin/${mode}/fills`, "tradeId", filter, { symbol: filter.symbol }),
  ),
];

const triggers = (filter: Filter, opened: string[]): Source[] => {
  const list = (mode: Mode, symbol: string): Source => {
    const desk = mode === "spot" ? mode : `margin/${mode}`;
    const path = `${OWN}/${desk}/history-plan-order`;
    return source(mode, path, "orderId", filter, { symbol }, "orderList");
  };
  return [
    ...(isAsked(filter, "spot") ? [list("spot", filter.symbol)] : []),
    ...(isAsked(filter, "crossed") ? [list("crossed", filter.symbol)] : []),
    ...isolatedOf(filter, opened).map((symbol) => list("isolated", symbol)),
  ];
};

const transfers = (filter: Filter): Source[] => [
  source("spot", `${OWN}/transfers`, "transferId", filter, { coin: filter.coin }, "", "ts"),
];

// What a change of the spot account is called, and one of a margin account.
const SPOT_TYPES = ["deposit", "withdraw", "transfer_in", "transfer_out", "buy", "sell"];
const LEDGER_TYPES: [string, string][] = [
  ["deposit", "Deposit"],
  ["withdraw", "Withdrawal"],
  ["transfer_in", "Transfer in"],
  ["transfer_out", "Transfer out"],
  ["buy", "Spot buy"],
  ["sell", "Spot sell"],
  ["deal_in", "Trade in"],
  ["deal_out", "Trade out"],
  ["borrow", "Borrowed"],
  ["repay", "Repaid"],
  ["liquidation_fee", "Liquidation fee"],
  ["compensate", "Paid by the fund"],
  ["confiscated", "Taken by the fund"],
];
const MARGIN_TYPES = LEDGER_TYPES.map(([name]) => name).filter(
  (name) => !SPOT_TYPES.includes(name) || name.startsWith("transfer"),
);

const ledger = (filter: Filter, opened: string[]): Source[] => {
  const { coin, type } = filter;
  const spot =
    isAsked(filter, "spot") && !filter.symbol && (!type || SPOT_TYPES.includes(type))
      ? [source("spot", `${SPOT}/account/bills`, "billId", filter, { coin, businessType: type })]
      : [];
  if (type && !MARGIN_TYPES.includes(type)) return spot;
  const cross =
    isAsked(filter, "crossed") && !filter.symbol
      ? [
          source(
            "crossed",
            `${MARGIN}/crossed/financial-records`,
            "marginId",
            filter,
            { coin, marginType: type },
            "resultList",
          ),
        ]
      : [];
  const path = `${MARGIN}/isolated/financial-records`;
  return [
    ...spot,
    ...cross,
    ...isolatedOf(filter, opened).map((symbol) =>
      source("isolated", path, "marginId", filter, { coin, marginType: type, symbol }, "resultList"),
    ),
  ];
};

const of =
  (name: string) =>
  (row: Row): string =>
    row[name] ?? "";
const account: Column = {
  title: "Account",
  raw: (row) => MODE_NAMES[row.mode ?? ""] + (row.mode === "isolated" && row.symbol ? ` ${row.symbol}` : ""),
};
const when = (title: string, name = "cTime"): Column => ({ title, raw: of(name), look: "time" });
const text = (title: string, name: string): Column => ({ title, raw: of(name) });
const money = (title: string, name: string, coin = "coin"): Column => ({
  title,
  raw: of(name),
  look: "amount",
  coin: of(coin),
});
const exact = (title: string, name: string): Column => ({ title, raw: of(name), look: "exact" });
const price = (title: string, name: string): Column => ({ title, raw: of(name), look: "price" });
const side: Column = { title: "Side", raw: (row) => (row.side ?? "").replace(/[-_]/, " "), look: "side" };
const id = (name: string): Column => ({ title: "Id", raw: of(name) });

const LOANS: Record<string, string> = {
  autoLoan: "borrow",
  autoRepay: "repay",
  autoLoanAndRepay: "borrow, repay",
};
const HOW: Record<string, string> = {
  manual_loan: "by hand",
  auto_loan: "by an order",
  manual_repay: "by hand",
  auto_repay: "by an order or flash repayment",
  liq_repay: "by a liquidation",
  force_repay: "forced by a delisting",
};
const PLANS: Record<string, string> = {
  trigger: "Stop",
  tpsl: "TP/SL",
  trailing: "Trailing stop",
  take_profit: "Take profit",
  stop_loss: "Stop loss",
  oco: "OCO",
};
const TYPES: Record<string, string> = Object.fromEntries(LEDGER_TYPES);
const words =
  (name: string, known: Record<string, string>) =>
  (row: Row): string =>
    known[row[name] ?? ""] ?? (row[name] ?? "").replaceAll("_", " ");

/** Say how much an order was for, and of which coin: a market buy is by what it spends. */
function orderedOf(row: Row): string {
  const pair = pairs.get().find((each) => each.symbol === row.symbol);
  const bySpending = row.orderType === "market" && row.side === "buy";
  const size = row.mode === "spot" ? row.size : bySpending ? row.quoteSize : row.baseSize;
  return `${size ?? ""} ${(bySpending ? pair?.quote : pair?.base) ?? ""}`.trim();
}

const feeOf = (row: Row): { totalFee?: string; feeCoin?: string } => {
  // An object in the API's rows, whatever their type says here.
  const detail = row.feeDetail as unknown;
  return typeof detail === "object" && detail ? detail : {};
};

const couponsOf = (row: Row): { couponId: string; amount: string }[] => {
  const coupons = row.coupons as unknown;
  return Array.isArray(coupons) ? coupons : [];
};

/** How much of the principal coupons covered. */
const coveredOf = (row: Row): string =>
  couponsOf(row).length ? plain(couponsOf(row).reduce((all, each) => all + dec(each.amount), 0n)) : "";

const place = (row: Row, end: "from" | "to"): string => {
  const type = row[`${end}Type`] ?? "";
  const symbol = row[`${end}Symbol`] ?? "";
  return (MODE_NAMES[type.replace("_margin", "")] ?? type) + (symbol ? ` ${symbol}` : "");
};

export const KINDS: Kind[] = [
  {
    name: "orders",
    title: "Orders",
    empty: "No order has ended yet.",
    by: ["symbol"],
    modes: ALL,
    sources: orders,
    columns: [
      when("Placed"),
      account,
      text("Pair", "symbol"),
      side,
      text("Type", "orderType"),
      price("Price", "price"),
      price("Average", "priceAvg"),
      { title: "Ordered", raw: orderedOf, look: "sized" },
      { title: "Filled", raw: (row) => (row.mode === "spot" ? row.baseVolume : row.size) ?? "", look: "amount" },
      { title: "Value", raw: (row) => (row.mode === "spot" ? row.quoteVolume : row.amount) ?? "", look: "amount" },
      { title: "Status", raw: words("status", {}) },
      { title: "Loan", raw: (row) => LOANS[row.loanType ?? ""] ?? "" },
      id("orderId"),
    ],
  },
  {
    name: "fills",
    title: "Fills",
    empty: "No trades yet.",
    by: ["symbol"],
    modes: ALL,
    sources: fills,
    columns: [
      when("Time"),
      account,
      text("Pair", "symbol"),
      side,
      text("Role", "tradeScope"),
      price("Price", "priceAvg"),
      money("Size", "size", ""),
      money("Value", "amount", ""),
      { title: "Fee", raw: (row) => feeOf(row).totalFee ?? "", look: "exact" },
      { title: "Fee in", raw: (row) => feeOf(row).feeCoin ?? "" },
      text("Order", "orderId"),
      id("tradeId"),
    ],
  },
  {
    name: "triggers",
    title: "Trigger orders",
    empty: "No stop, take-profit or OCO has ended yet.",
    by: ["symbol"],
    modes: ALL,
    sources: triggers,
    columns: [
      when("Placed"),
      account,
      text("Pair", "symbol"),
      { title: "Kind", raw: words("plan", PLANS) },
      side,
      price("Trigger", "triggerPrice"),
      { title: "Then", raw: (row) => row.executePrice || row.orderType || "" },
      money("Size", "size", ""),
      { title: "Status", raw: words("status", { executed: "fired", fail_execute: "failed" }) },
      { title: "Reason", raw: words("reason", {}) },
      when("Ended", "uTime"),
      text("Order placed", "executeOrderId"),
      id("orderId"),
    ],
  },
  {
    name: "borrows",
    title: "Borrowing",
    empty: "Nothing was borrowed yet.",
    by: ["coin", "symbol"],
    modes: LENDING,
    sources: lending("borrow-history", "loanId"),
    columns: [
      when("Time"),
      account,
      text("Coin", "coin"),
      money("Amount", "borrowAmount"),
      { title: "How", raw: words("borrowType", HOW) },
      id("loanId"),
    ],
  },
  {
    name: "repayments",
    title: "Repayments",
    empty: "Nothing was repaid yet.",
    by: ["coin", "symbol"],
    modes: LENDING,
    sources: lending("repay-history", "repayId"),
    columns: [
      when("Time"),
      account,
      text("Coin", "coin"),
      exact("Amount", "repayAmount"),
      exact("Interest in it", "repayInterest"),
      exact("Principal in it", "repayPrincipal"),
      { title: "How", raw: words("repayType", HOW) },
      id("repayId"),
    ],
  },
  {
    name: "interest",
    title: "Interest",
    empty: "No interest yet. It is charged when something is borrowed, and at each full hour.",
    by: ["coin", "symbol"],
    modes: LENDING,
    sources: lending("interest-receipts", "interestId", "hour"),
    columns: [
      when("Hour (UTC)", "hour"),
      account,
      text("Coin", "coin"),
      money("Principal", "principal"),
      { title: "Daily rate", raw: of("dailyInterestRate"), look: "percent" },
      exact("Before coupons", "grossAmount"),
      exact("Saved by coupons", "savedAmount"),
      exact("Interest", "interestAmount"),
      { title: "Covered", raw: coveredOf, look: "amount", coin: of("coin") },
      { title: "Coupons", raw: (row) => couponsOf(row).map((each) => each.couponId).join(" ") },
      id("interestId"),
    ],
  },
  {
    name: "liquidations",
    title: "Liquidations",
    empty: "No liquidation. May it stay so.",
    by: ["symbol"],
    modes: LENDING,
    sources: lending("liquidation-history", "liqId"),
    columns: [
      when("Began", "liqStartTime"),
      when("Ended", "liqEndTime"),
      account,
      { title: "Risk before", raw: of("liqRiskRatio"), look: "risk" },
      money("Assets, USDT", "totalAssets", ""),
      money("Debt, USDT", "totalDebt", ""),
      money("Fee, USDT", "liqFee", ""),
      id("liqId"),
    ],
  },
  {
    name: "transfers",
    title: "Transfers",
    empty: "Nothing was moved between your accounts yet.",
    by: ["coin"],
    modes: [],
    sources: transfers,
    columns: [
      when("Time", "ts"),
      text("Coin", "coin"),
      exact("Amount", "size"),
      { title: "From", raw: (row) => place(row, "from") },
      { title: "To", raw: (row) => place(row, "to") },
      id("transferId"),
    ],
  },
  {
    name: "ledger",
    title: "Ledger",
    empty: "Nothing has changed a balance yet.",
    by: ["coin", "symbol", "type"],
    modes: ALL,
    types: LEDGER_TYPES,
    sources: ledger,
    columns: [
      when("Time"),
      account,
      text("Coin", "coin"),
      {
        title: "What",
        raw: (row) =>
          row.mode === "spot"
            ? (TYPES[row.businessType ?? ""] ?? row.businessType ?? "")
            : words("marginType", TYPES)(row),
      },
      { title: "Change", raw: (row) => row.size ?? row.amount ?? "", look: "exact" },
      { title: "Fee in it", raw: (row) => row.fees ?? row.fee ?? "", look: "exact" },
      exact("Balance after", "balance"),
      { title: "Id", raw: (row) => row.billId ?? row.marginId ?? "" },
    ],
  },
];

/** Read a day as the reader says it: its beginning, or the last moment of it. */
export const dayOf = (text: string, isEnd = false): number =>
  text ? Date.parse(`${text}T00:00:00Z`) + (isEnd ? 86_400_000 - 1 : 0) : 0;

/** Say what is wrong with a span of days, if anything. */
export function spanFault(from: number, to: number): string {
  if (from && to && from > to) return "The first day is after the last.";
  if (to && !from) return "Say the first day too: a span with an end has 90 days at most.";
  if (from && to && to - from > COUNTED) return "A span with an end has 90 days at most.";
  return "";
}
