"""Plan orders as they are shown: the dialect's rows for spot, and Lombard's own, which say more."""

from typing import Final

import msgspec

from lombard.api.amounts import price_text, quote_text, ratio_text, size_text
from lombard.api.order_rows import KIND_NAMES, LOAN_TYPE_NAMES, SIDE_NAMES, SOURCE_NAMES, shown_oid
from lombard.api.plan_form import AMOUNT, TOTAL
from lombard.core.commands import BUY, MARKET, PLAN_OCO, PLAN_TRAILING, PLAN_TRIGGER
from lombard.core.queries import Pair
from lombard.core.trigger_queries import Trigger
from lombard.history.rows import (
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_LIVE,
    STATUS_PARTIALLY_FILLED,
    TRIGGER_CANCELLED,
    TRIGGER_FAILED,
    TRIGGER_FIRED,
    TRIGGER_LIVE,
    OrderRow,
    TriggerRow,
)

TRIGGER_TYPE_NAMES: Final = ("fill_price", "mark_price")
PLAN_NAMES: Final = ("trigger", "tpsl", "trailing", "take_profit", "stop_loss", "oco")
STATUS_NAMES: Final = {
    TRIGGER_LIVE: "live",
    TRIGGER_FIRED: "executed",
    TRIGGER_FAILED: "fail_execute",
    TRIGGER_CANCELLED: "cancelled",
}
SUB_STATUS: Final = {
    STATUS_LIVE: "in_progress",
    STATUS_PARTIALLY_FILLED: "in_progress",
    STATUS_FILLED: "success",
    STATUS_CANCELLED: "cancelled",
}
# What the dialect lists as plan orders; the others it shows as tpsl orders.
DIALECT_PLANS: Final = (PLAN_TRIGGER, PLAN_TRAILING, PLAN_OCO)


class PlanOrder(msgspec.Struct):
    """A plan order as the dialect shows it."""

    orderId: str
    clientOid: str
    symbol: str
    size: str
    executePrice: str
    triggerPrice: str
    status: str
    orderType: str
    side: str
    planType: str
    triggerType: str
    enterPointSource: str
    cTime: str
    uTime: str


class OwnPlanOrder(msgspec.Struct):
    """A plan order with all there is to say.

    `parentOrderId` is the order it belongs to, `executeOrderId` the one it placed; `reason` is why
    that was refused, or what it was cancelled by; `bestPrice` is what a trailing stop has seen.
    """

    orderId: str
    clientOid: str
    symbol: str
    plan: str
    side: str
    orderType: str
    size: str
    planType: str
    executePrice: str
    triggerPrice: str
    triggerType: str
    callbackRatio: str
    bestPrice: str
    loanType: str
    status: str
    reason: str
    reachedPrice: str
    parentOrderId: str
    executeOrderId: str
    enterPointSource: str
    cTime: str
    uTime: str


class PlanPage(msgspec.Struct):
    """A page of plan orders; `idLessThan` is where the next one begins."""

    nextFlag: bool
    idLessThan: str
    orderList: list[PlanOrder]


class OwnPlanPage(msgspec.Struct):
    """A page of plan orders with all there is to say."""

    nextFlag: bool
    idLessThan: str
    orderList: list[OwnPlanOrder]


class SubOrder(msgspec.Struct):
    """The order that a plan order has placed."""

    orderId: str
    price: str
    type: str
    status: str


def row_of_trigger(trigger: Trigger) -> TriggerRow:
    """Describe a live trigger as history describes one."""
    return TriggerRow(
        trigger.id,
        trigger.account.id,
        trigger.pair.id,
        trigger.plan,
        trigger.price_source,
        trigger.direction,
        trigger.side,
        trigger.kind,
        trigger.force,
        trigger.loan_type,
        trigger.stp,
        trigger.source,
        trigger.client_oid,
        trigger.trigger_ticks,
        trigger.callback_e6,
        trigger.price_ticks,
        trigger.size_steps,
        trigger.quote_units,
        trigger.order_id,
        TRIGGER_LIVE,
        "",
        0,
        0,
        trigger.time_ms,
        trigger.time_ms,
    )


def plan_row(pair: Pair, row: TriggerRow) -> PlanOrder:
    """Show a plan order of the dialect."""
    return PlanOrder(
        str(row.trigger_id),
        shown_oid(row.trigger_id, row.client_oid, spot=True),
        pair.symbol,
        plan_size_text(pair, row),
        execute_text(pair, row),
        price_text(pair, row.trigger_ticks),
        STATUS_NAMES[row.status],
        KIND_NAMES[row.kind],
        SIDE_NAMES[row.side],
        TOTAL if _by_quote(row) else AMOUNT,
        TRIGGER_TYPE_NAMES[row.price_source],
        SOURCE_NAMES[row.source],
        str(row.created_ms),
        str(row.updated_ms),
    )


def own_plan_row(pair: Pair, row: TriggerRow, best_ticks: int, spot: bool) -> OwnPlanOrder:
    """Show a plan order with all there is to say."""
    return OwnPlanOrder(
        str(row.trigger_id),
        shown_oid(row.trigger_id, row.client_oid, spot),
        pair.symbol,
        PLAN_NAMES[row.plan],
        SIDE_NAMES[row.side],
        KIND_NAMES[row.kind],
        plan_size_text(pair, row),
        TOTAL if _by_quote(row) else AMOUNT,
        execute_text(pair, row),
        price_text(pair, row.trigger_ticks) if row.trigger_ticks else "",
        TRIGGER_TYPE_NAMES[row.price_source],
        ratio_text(row.callback_e6) if row.callback_e6 else "",
        price_text(pair, best_ticks) if best_ticks else "",
        LOAN_TYPE_NAMES[row.loan_type],
        STATUS_NAMES[row.status],
        row.reason,
        price_text(pair, row.reached_ticks) if row.reached_ticks else "",
        str(row.parent_id) if row.parent_id else "",
        str(row.order_id) if row.order_id else "",
        SOURCE_NAMES[row.source],
        str(row.created_ms),
        str(row.updated_ms),
    )


def sub_order_rows(pair: Pair, plan: TriggerRow, order: OrderRow | None) -> list[SubOrder]:
    """Show what a plan order has placed: nothing while it waits, or when it was cancelled."""
    kind = KIND_NAMES[plan.kind]
    if plan.status == TRIGGER_FAILED:
        return [SubOrder("", execute_text(pair, plan), kind, "fail")]
    if order is None:
        return []
    price = price_text(pair, order.price_ticks) if order.price_ticks else ""
    return [SubOrder(str(order.order_id), price, kind, SUB_STATUS[order.status])]


def plan_size_text(pair: Pair, row: TriggerRow) -> str:
    """Write a plan order's size: base, or quote for a market buy by its value."""
    return quote_text(pair, row.budget_units) if _by_quote(row) else size_text(pair, row.size_steps)


def execute_text(pair: Pair, row: TriggerRow) -> str:
    """Write the limit of a plan's order, empty for a market order."""
    return price_text(pair, row.price_ticks) if row.price_ticks else ""


def _by_quote(row: TriggerRow) -> bool:
    return row.kind == MARKET and row.side == BUY and row.budget_units > 0
