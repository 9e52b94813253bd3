"""Rows about orders as the private channels have them; each has its own words (reference §6.5)."""

from typing import Final, final

import msgspec

from lombard.api.amounts import average_text, base_text, padded, price_text, quote_text, size_text
from lombard.api.order_rows import (
    FORCE_NAMES,
    KIND_NAMES,
    SIDE_NAMES,
    SOURCE_NAMES,
    STP_NAMES,
    FeeDetail,
    fee_detail,
    shown_oid,
)
from lombard.core.commands import BUY, LIMIT, MARKET, SELL
from lombard.core.events import OrderPlaced, Traded
from lombard.core.queries import Pair

LIVE: Final = "live"
PARTIALLY_FILLED: Final = "partially_filled"
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"
# REST writes these in camel case.
LOAN_TYPE_NAMES: Final = ("normal", "auto-loan", "auto-repay", "auto-loan-and-repay")
MARGIN_DECIMALS: Final = 9


class Standing(msgspec.Struct):
    """An order that is not closed; named as `history.rows.OrderRow` names its fields."""

    order_id: int
    account: int
    pair: int
    side: int
    kind: int
    force: int
    loan_type: int
    stp: int
    source: int
    client_oid: str
    price_ticks: int
    size_steps: int
    budget_units: int
    created_ms: int
    updated_ms: int
    base_units: int = 0
    quote_units: int = 0
    fee_units: int = 0
    status: str | int = LIVE

    @classmethod
    def of(cls, event: OrderPlaced, time_ms: int) -> "Standing":
        """Take down an order as it is placed."""
        return cls(
            event.order_id,
            event.account,
            event.pair,
            event.side,
            event.kind,
            event.force,
            event.loan_type,
            event.stp,
            event.source,
            event.client_oid,
            event.price_ticks,
            event.size_steps,
            event.quote_units,
            time_ms,
            time_ms,
        )

    def add(self, fill: "Fill") -> None:
        """Take down a fill."""
        self.base_units += fill.event.base_units
        self.quote_units += fill.event.quote_units
        self.fee_units += fill.fee_units
        self.updated_ms = fill.time_ms


@final
class Fill:
    """One side of a trade. The fee is of the coin the side received."""

    __slots__ = ("event", "fee_units", "side", "taker", "time_ms")

    def __init__(self, event: Traded, time_ms: int, taker: bool) -> None:
        self.event: Final = event
        self.time_ms: Final = time_ms
        self.taker: Final = taker
        self.side: Final = event.taker_side if taker else SELL + BUY - event.taker_side
        self.fee_units: Final = event.taker_fee_units if taker else event.maker_fee_units


class MarginOrderPush(msgspec.Struct):
    """A margin order. `symbol` is ours: without it nobody could tell the pair."""

    symbol: str
    orderId: str
    clientOid: str
    enterPointSource: str
    feeDetail: list[FeeDetail]
    force: str
    orderType: str
    price: str
    fillPrice: str
    baseSize: str
    quoteSize: str
    baseVolume: str
    fillTotalAmount: str
    side: str
    status: str
    loanType: str
    stpMode: str
    cTime: str
    uTime: str


class SpotFee(msgspec.Struct):
    """The fee of a spot order so far; negative."""

    feeCoin: str
    fee: str


class SpotOrderPush(msgspec.Struct):
    """A spot order; what is of the fill is empty where a step is none."""

    instId: str
    orderId: str
    clientOid: str
    size: str
    newSize: str
    notional: str
    orderType: str
    force: str
    side: str
    fillPrice: str
    tradeId: str
    baseVolume: str
    fillTime: str
    fillFee: str
    fillFeeCoin: str
    tradeScope: str
    accBaseVolume: str
    priceAvg: str
    status: str
    cTime: str
    uTime: str
    stpMode: str
    feeDetail: list[SpotFee]
    enterPointSource: str
    price: str | msgspec.UnsetType = msgspec.UNSET


class FillPush(msgspec.Struct):
    """A fill of a spot order."""

    orderId: str
    tradeId: str
    symbol: str
    orderType: str
    side: str
    priceAvg: str
    size: str
    amount: str
    tradeScope: str
    feeDetail: list[FeeDetail]
    cTime: str
    uTime: str


def margin_push(pair: Pair, order: Standing, fill: Fill | None) -> MarginOrderPush:
    """Show a step of a margin order."""
    base, quote = _ordered(pair, order)
    fees = [fee_detail(pair, order.side, order.fee_units)] if order.base_units else []
    return MarginOrderPush(
        pair.symbol,
        str(order.order_id),
        shown_oid(order.order_id, order.client_oid, spot=False),
        SOURCE_NAMES[order.source].lower(),
        fees,
        FORCE_NAMES[order.force],
        KIND_NAMES[order.kind],
        padded(price_text(pair, order.price_ticks), MARGIN_DECIMALS),
        padded(average_text(pair, order.base_units, order.quote_units), MARGIN_DECIMALS),
        padded(base, MARGIN_DECIMALS),
        padded(quote, MARGIN_DECIMALS),
        padded(base_text(pair, order.base_units), MARGIN_DECIMALS),
        padded(quote_text(pair, order.quote_units), MARGIN_DECIMALS),
        SIDE_NAMES[order.side],
        str(order.status),
        LOAN_TYPE_NAMES[order.loan_type],
        STP_NAMES[order.stp],
        str(order.created_ms),
        str(order.updated_ms),
    )


def spot_push(pair: Pair, order: Standing, fill: Fill | None) -> SpotOrderPush:
    """Show a step of a spot order."""
    base, quote = _ordered(pair, order)
    is_by_quote = order.kind == MARKET and order.side == BUY
    row = SpotOrderPush(
        pair.symbol,
        str(order.order_id),
        shown_oid(order.order_id, order.client_oid, spot=True),
        base,
        quote if is_by_quote else base,
        quote,
        KIND_NAMES[order.kind],
        FORCE_NAMES[order.force],
        SIDE_NAMES[order.side],
        "",
        "",
        "0",
        "",
        "0",
        "",
        "",
        base_text(pair, order.base_units),
        average_text(pair, order.base_units, order.quote_units),
        str(order.status),
        str(order.created_ms),
        str(order.updated_ms),
        STP_NAMES[order.stp],
        [],
        SOURCE_NAMES[order.source].lower(),
    )
    if order.kind == LIMIT:
        row.price = price_text(pair, order.price_ticks)
    if order.base_units:
        fee = fee_detail(pair, order.side, order.fee_units)
        row.feeDetail = [SpotFee(fee.feeCoin, fee.totalFee)]
    if fill is not None:
        fee = fee_detail(pair, order.side, fill.fee_units)
        row.fillPrice = price_text(pair, fill.event.price_ticks)
        row.tradeId = str(fill.event.trade_id)
        row.baseVolume = base_text(pair, fill.event.base_units)
        row.fillTime = str(fill.time_ms)
        row.fillFee, row.fillFeeCoin = fee.totalFee, fee.feeCoin
        row.tradeScope = "T" if fill.taker else "M"
    return row


def fill_push(pair: Pair, order: Standing, fill: Fill | None) -> FillPush | None:
    """Show a fill of a spot order; its other steps are none."""
    if fill is None:
        return None
    return FillPush(
        str(order.order_id),
        str(fill.event.trade_id),
        pair.symbol,
        KIND_NAMES[order.kind],
        SIDE_NAMES[order.side],
        price_text(pair, fill.event.price_ticks),
        base_text(pair, fill.event.base_units),
        quote_text(pair, fill.event.quote_units),
        "taker" if fill.taker else "maker",
        [fee_detail(pair, order.side, fill.fee_units)],
        str(fill.time_ms),
        str(fill.time_ms),
    )


def _ordered(pair: Pair, order: Standing) -> tuple[str, str]:
    """Write what was ordered, in base and in quote.

    Of a market order one of the two is not known: it shows what has traded, so that clients who
    take the one from the other see nothing outstanding.
    """
    if order.kind == MARKET and order.side == BUY:
        return base_text(pair, order.base_units), quote_text(pair, order.budget_units)
    if order.kind == MARKET:
        return size_text(pair, order.size_steps), quote_text(pair, order.quote_units)
    value = order.price_ticks * order.size_steps * pair.quote_per_tick_step
    return size_text(pair, order.size_steps), quote_text(pair, value)
