"""Orders and fills as they are shown: margin and spot each have rows of their own."""

from typing import Final

import msgspec

from lombard.api.amounts import average_text, base_text, padded, price_text, quote_text, size_text
from lombard.api.oids import generated_oid
from lombard.core.commands import BUY, MARKET, SLOT_SPOT, SOURCE_SYSTEM
from lombard.core.events import CLOSED_BY_USER, CLOSED_REPLACED, CLOSED_SELF_TRADE
from lombard.core.queries import Order, Pair, slot_of, user_of
from lombard.history.rows import (
    REASON_OPEN,
    ROLE_TAKER,
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_LIVE,
    STATUS_PARTIALLY_FILLED,
    FillRow,
    OrderRow,
)

SIDE_NAMES: Final = ("buy", "sell")
KIND_NAMES: Final = ("limit", "market")
FORCE_NAMES: Final = ("gtc", "ioc", "fok", "post_only")
LOAN_TYPE_NAMES: Final = ("normal", "autoLoan", "autoRepay", "autoLoanAndRepay")
STP_NAMES: Final = ("none", "cancel_taker", "cancel_maker", "cancel_both")
SOURCE_NAMES: Final = ("API", "SYS", "WEB")
MARGIN_OPEN_STATUS: Final = {STATUS_LIVE: "live", STATUS_PARTIALLY_FILLED: "partial_fill"}
MARGIN_PAST_STATUS: Final = {
    STATUS_LIVE: "live",
    STATUS_PARTIALLY_FILLED: "partially_fill",
    STATUS_FILLED: "filled",
    STATUS_CANCELLED: "cancelled",
}
SPOT_STATUS: Final = {**MARGIN_PAST_STATUS, STATUS_PARTIALLY_FILLED: "partially_filled"}
CANCEL_REASONS: Final = {
    CLOSED_BY_USER: "normal_cancel",
    CLOSED_REPLACED: "normal_cancel",
    CLOSED_SELF_TRADE: "stp_cancel",
}


class OrderAck(msgspec.Struct):
    """Which order was placed or cancelled."""

    orderId: str
    clientOid: str


class OrderFailure(msgspec.Struct):
    """An entry of a batch that was refused, and why."""

    orderId: str
    clientOid: str
    errorMsg: str
    errorCode: str


class BatchResult(msgspec.Struct):
    """What became of a batch, entry by entry."""

    successList: list[OrderAck]
    failureList: list[OrderFailure]


class MarginOrder(msgspec.Struct):
    """A margin order. `size` and `amount` are what traded, in base and in quote."""

    symbol: str
    orderType: str
    enterPointSource: str
    orderId: str
    clientOid: str
    loanType: str
    price: str
    side: str
    status: str
    baseSize: str
    quoteSize: str
    priceAvg: str
    size: str
    amount: str
    force: str
    cTime: str
    uTime: str


class SpotOrder(msgspec.Struct):
    """A spot order as `orderInfo` and `history-orders` show it; `feeDetail` is JSON text."""

    userId: str
    symbol: str
    baseCoin: str
    quoteCoin: str
    orderId: str
    clientOid: str
    price: str
    size: str
    orderType: str
    side: str
    status: str
    priceAvg: str
    baseVolume: str
    quoteVolume: str
    enterPointSource: str
    feeDetail: str
    orderSource: str
    cancelReason: str
    cTime: str
    uTime: str
    tpslType: str
    triggerPrice: str | None


class UnfilledOrder(msgspec.Struct):
    """A spot order as `unfilled-orders` shows it: here `priceAvg` is the order's price (sic)."""

    userId: str
    symbol: str
    orderId: str
    clientOid: str
    priceAvg: str
    size: str
    orderType: str
    side: str
    status: str
    basePrice: str
    baseVolume: str
    quoteVolume: str
    enterPointSource: str
    orderSource: str
    presetTakeProfitPrice: str
    executeTakeProfitPrice: str
    presetStopLossPrice: str
    executeStopLossPrice: str
    cTime: str
    uTime: str
    tpslType: str
    triggerPrice: str | None


class Presets(msgspec.Struct):
    """The exits of an order: trigger prices, and limits of what they place (market without)."""

    presetTakeProfitPrice: str = ""
    executeTakeProfitPrice: str = ""
    presetStopLossPrice: str = ""
    executeStopLossPrice: str = ""


class FeeDetail(msgspec.Struct):
    """What a fill cost; the fee is negative."""

    deduction: str
    feeCoin: str
    totalDeductionFee: str
    totalFee: str


class MarginFill(msgspec.Struct):
    """A fill of a margin order. `symbol` is ours: harmless, and clients look for it."""

    symbol: str
    orderId: str
    tradeId: str
    orderType: str
    side: str
    priceAvg: str
    size: str
    amount: str
    tradeScope: str
    feeDetail: FeeDetail
    cTime: str
    uTime: str


class SpotFill(msgspec.Struct):
    """A fill of a spot order."""

    userId: str
    symbol: str
    orderId: str
    tradeId: str
    orderType: str
    side: str
    priceAvg: str
    size: str
    amount: str
    feeDetail: FeeDetail
    tradeScope: str
    cTime: str
    uTime: str


def shown_oid(order_id: int, client_oid: str, spot: bool) -> str:
    """Return the client id an order is shown with: its own, or one made for it."""
    return client_oid or generated_oid(order_id, spot)


def ack(order_id: int, client_oid: str, spot: bool) -> OrderAck:
    """Name an order."""
    return OrderAck(str(order_id), shown_oid(order_id, client_oid, spot))


def row_of(order: Order) -> OrderRow:
    """Describe a resting order as history describes one."""
    pair = order.pair
    return OrderRow(
        order.id,
        order.account.id,
        pair.id,
        order.side,
        order.kind,
        order.force,
        order.loan_type,
        order.stp,
        order.source,
        order.client_oid,
        order.price_ticks,
        order.size_steps,
        order.quote_units,
        STATUS_PARTIALLY_FILLED if order.filled_steps else STATUS_LIVE,
        REASON_OPEN,
        order.filled_steps * pair.step_units,
        order.filled_quote_units,
        order.fee_units,
        order.time_ms,
        order.time_ms,
    )


def margin_order_row(pair: Pair, row: OrderRow, is_open: bool) -> MarginOrder:
    """Show a margin order, on the page of open orders or on that of past ones."""
    statuses = MARGIN_OPEN_STATUS if is_open else MARGIN_PAST_STATUS
    return MarginOrder(
        pair.symbol,
        KIND_NAMES[row.kind],
        SOURCE_NAMES[row.source],
        str(row.order_id),
        shown_oid(row.order_id, row.client_oid, spot=False),
        LOAN_TYPE_NAMES[row.loan_type],
        price_text(pair, row.price_ticks),
        _side(row.side, row.source, "-"),
        statuses[row.status],
        size_text(pair, row.size_steps),
        _quote_size(pair, row, is_open),
        average_text(pair, row.base_units, row.quote_units),
        base_text(pair, row.base_units),
        quote_text(pair, row.quote_units),
        FORCE_NAMES[row.force],
        str(row.created_ms),
        str(row.updated_ms),
    )


def spot_order_row(
    pair: Pair, row: OrderRow, tpsl: bool = False, trigger_ticks: int = 0
) -> SpotOrder:
    """Show a spot order, or one that waited for a price (tpsl)."""
    return SpotOrder(
        str(user_of(row.account)),
        pair.symbol,
        pair.base.name,
        pair.quote.name,
        str(row.order_id),
        shown_oid(row.order_id, row.client_oid, spot=True),
        padded(price_text(pair, row.price_ticks)),
        padded(_spot_size(pair, row)),
        KIND_NAMES[row.kind],
        SIDE_NAMES[row.side],
        SPOT_STATUS[row.status],
        padded(average_text(pair, row.base_units, row.quote_units)),
        padded(base_text(pair, row.base_units)),
        padded(quote_text(pair, row.quote_units)),
        SOURCE_NAMES[row.source],
        _fee_text(pair, row),
        "market" if row.kind == MARKET else "normal",
        CANCEL_REASONS.get(row.reason, ""),
        str(row.created_ms),
        str(row.updated_ms),
        "tpsl" if tpsl else "normal",
        price_text(pair, trigger_ticks) if tpsl else None,
    )


def unfilled_row(
    pair: Pair, row: OrderRow, exits: Presets, tpsl: bool = False, trigger_ticks: int = 0
) -> UnfilledOrder:
    """Show a spot order that rests, or, as the dialect does, one that waits for a price (tpsl)."""
    return UnfilledOrder(
        str(user_of(row.account)),
        pair.symbol,
        str(row.order_id),
        shown_oid(row.order_id, row.client_oid, spot=True),
        padded(price_text(pair, row.price_ticks)),
        padded(_spot_size(pair, row)),
        KIND_NAMES[row.kind],
        SIDE_NAMES[row.side],
        SPOT_STATUS[row.status],
        padded(average_text(pair, row.base_units, row.quote_units)),
        padded(base_text(pair, row.base_units)),
        padded(quote_text(pair, row.quote_units)),
        SOURCE_NAMES[row.source],
        "market" if row.kind == MARKET else "normal",
        exits.presetTakeProfitPrice,
        exits.executeTakeProfitPrice,
        exits.presetStopLossPrice,
        exits.executeStopLossPrice,
        str(row.created_ms),
        str(row.updated_ms),
        "tpsl" if tpsl else "normal",
        price_text(pair, trigger_ticks) if tpsl else None,
    )


def margin_fill_row(pair: Pair, row: FillRow) -> MarginFill:
    """Show a fill of a margin order."""
    return MarginFill(
        pair.symbol,
        str(row.order_id),
        str(row.trade_id),
        KIND_NAMES[row.kind],
        _side(row.side, row.source, "_"),
        price_text(pair, row.price_ticks),
        base_text(pair, row.base_units),
        quote_text(pair, row.quote_units),
        _scope(row),
        fee_detail(pair, row.side, row.fee_units),
        str(row.time_ms),
        str(row.time_ms),
    )


def spot_fill_row(pair: Pair, row: FillRow) -> SpotFill:
    """Show a fill of a spot order."""
    return SpotFill(
        str(user_of(row.account)),
        pair.symbol,
        str(row.order_id),
        str(row.trade_id),
        KIND_NAMES[row.kind],
        SIDE_NAMES[row.side],
        price_text(pair, row.price_ticks),
        base_text(pair, row.base_units),
        quote_text(pair, row.quote_units),
        fee_detail(pair, row.side, row.fee_units),
        _scope(row),
        str(row.time_ms),
        str(row.time_ms),
    )


def is_spot(account: int) -> bool:
    """Say whether an account is a spot account."""
    return slot_of(account) == SLOT_SPOT


def _scope(row: FillRow) -> str:
    return "taker" if row.role == ROLE_TAKER else "maker"


def _side(side: int, source: int, joint: str) -> str:
    name = SIDE_NAMES[side]
    return f"liquidation{joint}{name}" if source == SOURCE_SYSTEM else name


def _quote_size(pair: Pair, row: OrderRow, is_open: bool) -> str:
    """Write the ordered value; past orders that had none show what traded (reference §2.18)."""
    if row.kind == MARKET:
        return quote_text(pair, row.budget_units if row.side == BUY else row.quote_units)
    if is_open:
        return quote_text(pair, row.price_ticks * row.size_steps * pair.quote_per_tick_step)
    return quote_text(pair, row.quote_units)


def _spot_size(pair: Pair, row: OrderRow) -> str:
    if row.kind == MARKET and row.side == BUY:
        return quote_text(pair, row.budget_units)
    return size_text(pair, row.size_steps)


def fee_detail(pair: Pair, side: int, fee_units: int) -> FeeDetail:
    """Word a fee; it is taken from the coin that was received (RULES 1.3)."""
    if side == BUY:
        return FeeDetail("no", pair.base.name, "0", base_text(pair, -fee_units))
    return FeeDetail("no", pair.quote.name, "0", quote_text(pair, -fee_units))


def _fee_text(pair: Pair, row: OrderRow) -> str:
    """Write an order's fee as the JSON text of spot orders, empty when nothing traded."""
    if row.base_units == 0:
        return ""
    fee = fee_detail(pair, row.side, row.fee_units)
    return (
        f'{{"newFees":{{"c":0,"d":0,"deduction":false,"r":{fee.totalFee},"t":{fee.totalFee},'
        f'"totalDeductionFee":0}},"{fee.feeCoin}":{{"deduction":false,'
        f'"feeCoinCode":"{fee.feeCoin}","totalDeductionFee":0,"totalFee":{fee.totalFee}}}}}'
    )
