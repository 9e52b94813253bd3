"""Spot orders that wait for a price, in the lists where the dialect shows them: as orders of
`tpslType` tpsl, beside the plain ones. The exits of an entry are among them."""

from typing import Final

from lombard.api.amounts import price_text
from lombard.api.context import Call
from lombard.api.order_rows import (
    Presets,
    SpotOrder,
    UnfilledOrder,
    spot_order_row,
    unfilled_row,
)
from lombard.api.plan_rows import row_of_trigger
from lombard.core import queries, trigger_queries
from lombard.core.commands import PLAN_STOP_LOSS, PLAN_TAKE_PROFIT, PLAN_TPSL
from lombard.core.events import CLOSED_BY_USER
from lombard.core.queries import Pair
from lombard.history.paging import Page
from lombard.history.rows import (
    REASON_OPEN,
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_LIVE,
    TRIGGER_FIRED,
    TRIGGER_LIVE,
    OrderRow,
    TriggerRow,
)

TPSL_PLANS: Final = (PLAN_TPSL, PLAN_TAKE_PROFIT, PLAN_STOP_LOSS)


def waiting_orders(
    call: Call, account: int, pair: Pair | None, named: tuple[int, str], page: Page
) -> list[UnfilledOrder]:
    """List what waits for a price, newest first; `named` is from `parse_named`."""
    order_id, client_oid = named
    found: list[UnfilledOrder] = []
    for one in trigger_queries.triggers(call.state, account, None if pair is None else pair.id):
        if one.plan not in TPSL_PLANS or order_id not in (0, one.id):
            continue
        if client_oid not in ("", one.client_oid) or not page.holds(one.id, one.time_ms):
            continue
        row = _as_order(row_of_trigger(one))
        found.append(unfilled_row(one.pair, row, Presets(), True, one.trigger_ticks))
        if len(found) == page.limit:
            break
    return found


async def ended_orders(call: Call, account: int, pair: int | None, page: Page) -> list[SpotOrder]:
    """List what waited for a price; what it placed is an order of its own."""
    reader = call.context.reader
    rows = await call.past(reader.ended_triggers, account, page, pair, TPSL_PLANS)
    pairs = queries.pairs(call.state)
    return [
        spot_order_row(pairs[row.pair], _as_order(row), True, row.trigger_ticks) for row in rows
    ]


def exits_of(call: Call, order_id: int) -> Presets:
    """Word the exits of an order that rests."""
    shown = Presets()
    for one in trigger_queries.triggers_of_order(call.state, order_id):
        trigger = price_text(one.pair, one.trigger_ticks)
        limit = price_text(one.pair, one.price_ticks) if one.price_ticks else ""
        if one.plan == PLAN_TAKE_PROFIT:
            shown.presetTakeProfitPrice, shown.executeTakeProfitPrice = trigger, limit
        elif one.plan == PLAN_STOP_LOSS:
            shown.presetStopLossPrice, shown.executeStopLossPrice = trigger, limit
    return shown


def _as_order(row: TriggerRow) -> OrderRow:
    """Describe a trigger as an order that has not traded: filled means that it has fired."""
    status = STATUS_FILLED if row.status == TRIGGER_FIRED else STATUS_CANCELLED
    if row.status == TRIGGER_LIVE:
        status = STATUS_LIVE
    return OrderRow(
        row.trigger_id,
        row.account,
        row.pair,
        row.side,
        row.kind,
        row.force,
        row.loan_type,
        row.stp,
        row.source,
        row.client_oid,
        row.price_ticks,
        row.size_steps,
        row.budget_units,
        status,
        CLOSED_BY_USER if row.reason == "user" else REASON_OPEN,
        0,
        0,
        0,
        row.created_ms,
        row.updated_ms,
    )
