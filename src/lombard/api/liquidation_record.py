"""The whole record of a liquidation: each step with its prices, trades and payments (RULES 8.6).

A step either repays a debt from its own coin, or sells one coin for another in an order of the
system's, or waits for a buyer, or hands what is left to the insurance fund. What was repaid, taken
or given belongs to the step in which it happened; what follows the last step, as the fee does, is
listed under `ended`.
"""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import (
    PRICE_DECIMALS,
    average_text,
    base_text,
    coin_text,
    parse_id,
    price_text,
    quote_text,
    ratio_text,
    value_text,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.lookup import MODES, Mode
from lombard.api.order_rows import SIDE_NAMES
from lombard.api.table import GET, Endpoint, signed
from lombard.api.wallet import ACCOUNT_TYPES
from lombard.core import queries
from lombard.core.commands import BUY, SLOT_ISOLATED, slot_of, user_of
from lombard.core.units import format_units
from lombard.history import rows as past
from lombard.history.paging import LIMIT_MAX, Page
from lombard.history.reader import Reader
from lombard.identity import Permission

ENTRY_NAMES: Final = {
    past.ENTRY_REPAID: "repaid",
    past.ENTRY_FUND_PAID: "fund_paid",
    past.ENTRY_FUND_TOOK: "fund_took",
    past.ENTRY_LOSS: "pool_loss",
    past.ENTRY_FEE: "liquidation_fee",
}


class LiquidationQuery(msgspec.Struct):
    """Which liquidation; `symbol` for isolated accounts only."""

    liqId: str = ""
    symbol: str = ""


class IndexPrice(msgspec.Struct):
    """An index price a step was decided on, in USDT."""

    coin: str
    price: str


class StepFill(msgspec.Struct):
    """A trade of a step's order; the fee is of what was received."""

    tradeId: str
    price: str
    size: str
    amount: str
    fee: str
    feeCoin: str
    cTime: str


class StepOrder(msgspec.Struct):
    """What a step sold: the system's order, with its trades."""

    orderId: str
    symbol: str
    side: str
    priceAvg: str
    size: str
    amount: str
    fills: list[StepFill]


class Entry(msgspec.Struct):
    """What was repaid by the account, paid or taken by the insurance fund, lost by the pool.

    `principal` is all of it but for repayments and losses, which have `interest` as well.
    """

    type: str
    coin: str
    principal: str
    interest: str
    repayId: str
    cTime: str


class Step(msgspec.Struct):
    """One step. `riskRate` is K ÷ N: 1 at the line, 999 when N ≤ 0 (RULES 7.3)."""

    step: str
    action: str
    soldCoin: str
    boughtCoin: str
    indexPrices: list[IndexPrice]
    riskRateBefore: str
    riskRateAfter: str
    order: StepOrder | None
    entries: list[Entry]
    cTime: str


class LiquidationView(msgspec.Struct):
    """A liquidation from its lock to its end; `liqEndTime` is empty while it goes on.

    Assets, debt and fee in USDT. `ended` is what was settled after the last step.
    """

    liqId: str
    userId: str
    accountType: str
    symbol: str
    liqStartTime: str
    liqEndTime: str
    riskRateBefore: str
    riskRateAfter: str
    totalAssets: str
    totalDebt: str
    liqFee: str
    steps: list[Step]
    ended: list[Entry]


class _Read(msgspec.Struct):
    """A record as history has it, with the orders of its steps and their trades."""

    record: past.LiquidationRecord
    orders: dict[int, past.OrderRow]
    fills: dict[int, list[past.FillRow]]


def endpoints() -> list[Endpoint]:
    """Make the rows of this page, for both kinds of margin."""
    return [
        signed(
            GET,
            f"/lombard/v1/margin/{mode.name}/liquidation",
            Permission.READ,
            10,
            mode.scene,
            LiquidationQuery,
            (*mode.required, "liqId"),
            LiquidationView,
            partial(own_liquidation, mode),
        )
        for mode in MODES
    ]


async def own_liquidation(mode: Mode, call: Call, query: LiquidationQuery) -> LiquidationView:
    """GET liquidation: one of the caller's own"""
    account = mode.account(call, query.symbol)
    liquidation_id = parse_id(call.scene, "liqId", query.liqId)
    return await read_liquidation(call, liquidation_id, account)


async def read_liquidation(
    call: Call, liquidation_id: int, account: int | None = None
) -> LiquidationView:
    """Read a liquidation of an account, or of any (None). Raises `Fault`."""
    found = await call.past(_read, call.context.reader, account, liquidation_id)
    if found is None:
        raise malformed(call.scene, "liqId")
    summary = found.record.summary
    slot = slot_of(summary.account)
    entries: dict[int, list[Entry]] = {}
    for row in found.record.entries:
        entries.setdefault(row.step, []).append(_entry(call, row))
    steps = [_step(call, found, row, entries.pop(row.step, [])) for row in found.record.steps]
    pairs = queries.pairs(call.state)
    return LiquidationView(
        str(summary.liquidation_id),
        str(user_of(summary.account)),
        ACCOUNT_TYPES[min(slot, SLOT_ISOLATED)],
        pairs[slot - SLOT_ISOLATED].symbol if slot >= SLOT_ISOLATED else "",
        str(summary.started_ms),
        str(summary.finished_ms) if summary.finished_ms else "",
        ratio_text(summary.ratio_e6),
        ratio_text(summary.ratio_after_e6) if summary.finished_ms else "",
        value_text(summary.assets_value_e8),
        value_text(summary.debt_value_e8),
        value_text(summary.fee_value_e8),
        steps,
        [entry for step in sorted(entries) for entry in entries[step]],
    )


def _read(reader: Reader, account: int | None, liquidation_id: int) -> _Read | None:
    """Read a record with what its orders did; in a thread."""
    record = reader.liquidation(account, liquidation_id)
    if record is None:
        return None
    owner = record.summary.account
    found = _Read(record, {}, {})
    for step in record.steps:
        if step.order_id:
            order = reader.order(owner, step.order_id)
            if order is not None:
                found.orders[step.order_id] = order
                fills = reader.fills(owner, Page(LIMIT_MAX), order_id=step.order_id)
                found.fills[step.order_id] = fills[::-1]
    return found


def _step(call: Call, found: _Read, row: past.LiquidationStepRow, entries: list[Entry]) -> Step:
    coins = queries.coins(call.state)
    sold = row.order_id in found.orders
    prices = [IndexPrice(coins[coin].name, index_text(price_e12)) for coin, price_e12 in row.prices]
    return Step(
        str(row.step),
        row.action,
        coins[row.sold_coin].name if sold else "",
        coins[row.bought_coin].name if sold else "",
        prices,
        ratio_text(row.ratio_before_e6),
        ratio_text(row.ratio_after_e6),
        _order(call, found, row.order_id) if sold else None,
        entries,
        str(row.time_ms),
    )


def _order(call: Call, found: _Read, order_id: int) -> StepOrder:
    order = found.orders[order_id]
    pair = queries.pairs(call.state)[order.pair]
    got = pair.base if order.side == BUY else pair.quote
    fills = [
        StepFill(
            str(fill.trade_id),
            price_text(pair, fill.price_ticks),
            base_text(pair, fill.base_units),
            quote_text(pair, fill.quote_units),
            coin_text(got, fill.fee_units),
            got.name,
            str(fill.time_ms),
        )
        for fill in found.fills[order_id]
    ]
    return StepOrder(
        str(order_id),
        pair.symbol,
        SIDE_NAMES[order.side],
        average_text(pair, order.base_units, order.quote_units),
        base_text(pair, order.base_units),
        quote_text(pair, order.quote_units),
        fills,
    )


def _entry(call: Call, row: past.LiquidationEntryRow) -> Entry:
    coin = queries.coins(call.state)[row.coin]
    return Entry(
        ENTRY_NAMES[row.kind],
        coin.name,
        coin_text(coin, row.units),
        coin_text(coin, row.interest_units),
        str(row.reference_id) if row.reference_id else "",
        str(row.time_ms),
    )


def index_text(price_e12: int) -> str:
    """Write an index price."""
    return format_units(price_e12, PRICE_DECIMALS)
