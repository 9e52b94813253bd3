"""Plan orders: the dialect's calls for spot, and Lombard's own for every account.

The dialect has no plan orders for margin, no trailing stops and no OCO; those live under
`/lombard/v1`, worded as the dialect words the rest.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import explain_order, parse_id
from lombard.api.context import Call
from lombard.api.decoding import Request
from lombard.api.lookup import pair_of, spot_account
from lombard.api.order_calls import no_limit
from lombard.api.order_form import explain_side, parse_order_name
from lombard.api.order_rows import BatchResult, OrderAck, ack
from lombard.api.paging import PageQuery, parse_page
from lombard.api.plan_form import (
    DESKS,
    SPOT_DESK,
    Desk,
    ExitOrderBody,
    ModifyPlanBody,
    OcoBody,
    OwnPlanBody,
    PlanOrderBody,
    exit_order,
    modified,
    oco_order,
    plan_order,
)
from lombard.api.plan_rows import (
    DIALECT_PLANS,
    OwnPlanPage,
    PlanPage,
    SubOrder,
    own_plan_row,
    plan_row,
    row_of_trigger,
    sub_order_rows,
)
from lombard.api.table import GET, POST, Endpoint, Response, signed
from lombard.core import queries, trigger_queries
from lombard.core.commands import CancelAllTriggers, CancelEverything, CancelTrigger
from lombard.core.refusals import Refusal
from lombard.core.trigger_queries import Trigger
from lombard.history.rows import TriggerRow
from lombard.identity import Permission

ROWS_MAX: Final = 100
CURRENT_ROWS: Final = 20
PLAN_FIELDS: Final = ("symbol", "side", "triggerPrice", "orderType", "size", "triggerType")
OWN_FIELDS: Final = ("symbol", "side", "orderType", "size", "triggerType")
MODIFY_FIELDS: Final = ("triggerPrice", "orderType", "size")
OCO_FIELDS: Final = ("symbol", "side", "price", "size", "triggerPrice", "triggerType")


class PlanName(msgspec.Struct):
    """Names a plan order, by id or by client id; `symbol` names an isolated account."""

    symbol: str = ""
    orderId: str = ""
    clientOid: str = ""


class SpotPlanName(msgspec.Struct):
    """Names a plan order of the spot account."""

    orderId: str = ""
    clientOid: str = ""


class OwnModifyBody(ModifyPlanBody):
    """What a plan order shall be; `symbol` names an isolated account."""

    symbol: str = ""


class SymbolListBody(msgspec.Struct):
    """Pairs; none stands for all."""

    symbolList: list[str] = []


class OwnSymbolsBody(msgspec.Struct):
    """Pairs; none stands for all. `symbol` names an isolated account."""

    symbol: str = ""
    symbolList: list[str] = []


class PlansQuery(PageQuery):
    """A page of plan orders, of one pair if it is named."""

    symbol: str = ""


class SubOrderQuery(msgspec.Struct):
    """Names a plan order."""

    planOrderId: str = ""


class Cancelled(msgspec.Struct):
    """How many orders and plan orders were cancelled; an OCO counts once."""

    cancelled: str


class Done(msgspec.Struct):
    """It is done."""

    result: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    own = [row for desk in DESKS for row in (*_own_orders(desk), *_own_lists(desk))]
    return [*_spot_orders(), *_spot_lists(), *own]


def _path(name: str) -> str:
    return f"/api/v2/spot/trade/{name}"


def _post(
    desk: Desk,
    path: str,
    per_second: int,
    body: type[Request],
    required: tuple[str, ...],
    answer: type[Response],
    handler: Callable[[Desk, Call, Request], Awaitable[Response]],
) -> Endpoint:
    """Make the row of a command of a desk."""
    bound = partial(handler, desk)
    trade = Permission.TRADE
    return signed(POST, path, trade, per_second, desk.scene, body, required, answer, bound)


def _spot_orders() -> list[Endpoint]:
    desk = SPOT_DESK
    name, batch = SpotPlanName, SymbolListBody
    return [
        _post(desk, _path("place-plan-order"), 20, PlanOrderBody, PLAN_FIELDS, OrderAck, place),
        _post(
            desk, _path("modify-plan-order"), 20, ModifyPlanBody, MODIFY_FIELDS, OrderAck, modify
        ),
        _post(desk, _path("cancel-plan-order"), 20, name, (), Done, cancel),
        _post(desk, _path("batch-cancel-plan-order"), 5, batch, (), BatchResult, cancel_all),
    ]


def _spot_lists() -> list[Endpoint]:
    read, scene, ids = Permission.READ, SPOT_DESK.scene, ("planOrderId",)
    orders, sub = PlansQuery, SubOrderQuery
    return [
        signed(GET, _path("current-plan-order"), read, 20, scene, orders, (), PlanPage, current),
        signed(GET, _path("history-plan-order"), read, 20, scene, orders, (), PlanPage, past),
        signed(GET, _path("plan-sub-order"), read, 20, scene, sub, ids, list[SubOrder], sub_order),
    ]


def _own_orders(desk: Desk) -> list[Endpoint]:
    named, path = desk.required, desk.path
    changed, exits = (*named, *MODIFY_FIELDS), ("symbol", "side", "orderType")
    batch = OwnSymbolsBody
    return [
        _post(desk, path("place-plan-order"), 10, OwnPlanBody, OWN_FIELDS, OrderAck, place),
        _post(desk, path("modify-plan-order"), 10, OwnModifyBody, changed, OrderAck, modify),
        _post(desk, path("cancel-plan-order"), 10, PlanName, named, Done, cancel),
        _post(desk, path("batch-cancel-plan-order"), 5, batch, named, BatchResult, cancel_all),
        _post(desk, path("cancel-everything"), 5, batch, named, Cancelled, cancel_everything),
        _post(desk, path("place-oco-order"), 10, OcoBody, OCO_FIELDS, OrderAck, place_oco),
        _post(desk, path("place-exit-order"), 10, ExitOrderBody, exits, OrderAck, place_exits),
    ]


def _own_lists(desk: Desk) -> list[Endpoint]:
    def listed(
        name: str, handler: Callable[[Desk, Call, PlansQuery], Awaitable[OwnPlanPage]]
    ) -> Endpoint:
        bound, path, named = partial(handler, desk), desk.path(name), desk.required
        read, scene = Permission.READ, desk.scene
        return signed(GET, path, read, 10, scene, PlansQuery, named, OwnPlanPage, bound)

    return [listed("current-plan-order", own_current), listed("history-plan-order", own_past)]


# --- placing, changing, cancelling ---------------------------------------------------------------


async def place(desk: Desk, call: Call, body: PlanOrderBody) -> OrderAck:
    """POST place-plan-order"""
    pair = pair_of(call, body.symbol)
    command = plan_order(call, pair, body)
    account = desk.account(call, body.symbol)
    reply = await call.submit(account, command, explain_side(pair, command.side))
    return ack(reply.id, command.client_oid, desk.spot)


async def place_oco(desk: Desk, call: Call, body: OcoBody) -> OrderAck:
    """POST place-oco-order: answers with the limit order"""
    pair = pair_of(call, body.symbol)
    command = oco_order(call, pair, body)
    account = desk.account(call, body.symbol)
    reply = await call.submit(account, command, explain_side(pair, command.side))
    return ack(reply.id, command.client_oid, desk.spot)


async def place_exits(desk: Desk, call: Call, body: ExitOrderBody) -> OrderAck:
    """POST place-exit-order: an order with take-profit and stop-loss; answers with the order"""
    pair = pair_of(call, body.symbol)
    command = exit_order(call, body)
    account = desk.account(call, body.symbol)
    reply = await call.submit(account, command, explain_side(pair, command.side))
    return ack(reply.id, command.client_oid, desk.spot)


async def modify(desk: Desk, call: Call, body: ModifyPlanBody) -> OrderAck:
    """POST modify-plan-order: it keeps its id"""
    symbol = body.symbol if isinstance(body, OwnModifyBody) else ""
    account = desk.account(call, symbol)
    found = _named(call, account, body.orderId, body.clientOid)
    explain = partial(explain_order, found.pair, found.pair.quote)
    await call.submit(account, modified(call, found, body), explain)
    return ack(found.id, found.client_oid, desk.spot)


async def cancel(desk: Desk, call: Call, body: PlanName | SpotPlanName) -> Done:
    """POST cancel-plan-order"""
    account = desk.account(call, body.symbol if isinstance(body, PlanName) else "")
    trigger_id, client_oid = parse_order_name(call, body.orderId, body.clientOid)
    await call.submit(account, CancelTrigger(trigger_id, client_oid), no_limit)
    return Done("success")


async def cancel_all(desk: Desk, call: Call, body: SymbolListBody | OwnSymbolsBody) -> BatchResult:
    """POST batch-cancel-plan-order: those of some pairs, or all; each is named in the answer"""
    account = desk.account(call, body.symbol if isinstance(body, OwnSymbolsBody) else "")
    wanted = [pair_of(call, symbol).id for symbol in body.symbolList]
    doomed = [
        one
        for one in trigger_queries.triggers(call.state, account)
        if not wanted or one.pair.id in wanted
    ]
    cancelled = [ack(one.id, one.client_oid, desk.spot) for one in doomed]
    await call.submit(account, CancelAllTriggers(wanted), no_limit)
    return BatchResult(cancelled, [])


async def cancel_everything(desk: Desk, call: Call, body: OwnSymbolsBody) -> Cancelled:
    """POST cancel-everything: orders and plan orders, of some pairs or all, in one step"""
    account = desk.account(call, body.symbol)
    wanted = [pair_of(call, symbol).id for symbol in body.symbolList]
    reply = await call.submit(account, CancelEverything(wanted), no_limit)
    return Cancelled(str(reply.units))


def _named(call: Call, account: int, order_id: str, client_oid: str) -> Trigger:
    trigger_id, oid = parse_order_name(call, order_id, client_oid)
    found = trigger_queries.trigger(call.state, account, trigger_id, oid)
    if found is None:
        raise call.fault(Refusal.TRIGGER_UNKNOWN)
    return found


# --- lists ---------------------------------------------------------------------------------------


async def current(call: Call, query: PlansQuery) -> PlanPage:
    """GET current-plan-order"""
    rows, more = _live(call, spot_account(call), query, DIALECT_PLANS)
    pairs = queries.pairs(call.state)
    shown = [plan_row(pairs[row.pair], row) for row, _ in rows]
    return PlanPage(more, _last_id([row for row, _ in rows]), shown)


async def past(call: Call, query: PlansQuery) -> PlanPage:
    """GET history-plan-order"""
    rows, more = await _ended(call, spot_account(call), query, DIALECT_PLANS)
    pairs = queries.pairs(call.state)
    return PlanPage(more, _last_id(rows), [plan_row(pairs[row.pair], row) for row in rows])


async def sub_order(call: Call, query: SubOrderQuery) -> list[SubOrder]:
    """GET plan-sub-order: the order that a plan order has placed, or was refused"""
    account, reader = spot_account(call), call.context.reader
    plan = await call.past(
        reader.trigger, account, parse_id(call.scene, "planOrderId", query.planOrderId)
    )
    if plan is None:
        raise call.fault(Refusal.TRIGGER_UNKNOWN)
    order = await call.past(reader.order, account, plan.order_id) if plan.order_id else None
    return sub_order_rows(queries.pairs(call.state)[plan.pair], plan, order)


async def own_current(desk: Desk, call: Call, query: PlansQuery) -> OwnPlanPage:
    """GET current-plan-order of any account, with all there is to say"""
    rows, more = _live(call, desk.account(call, query.symbol), query, None)
    pairs = queries.pairs(call.state)
    shown = [own_plan_row(pairs[row.pair], row, best, desk.spot) for row, best in rows]
    return OwnPlanPage(more, _last_id([row for row, _ in rows]), shown)


async def own_past(desk: Desk, call: Call, query: PlansQuery) -> OwnPlanPage:
    """GET history-plan-order of any account, with all there is to say"""
    rows, more = await _ended(call, desk.account(call, query.symbol), query, None)
    pairs = queries.pairs(call.state)
    shown = [own_plan_row(pairs[row.pair], row, 0, desk.spot) for row in rows]
    return OwnPlanPage(more, _last_id(rows), shown)


def _live(
    call: Call, account: int, query: PlansQuery, plans: tuple[int, ...] | None
) -> tuple[list[tuple[TriggerRow, int]], bool]:
    """List live triggers, newest first, each with the best price it has seen; say if there are
    more."""
    page = parse_page(call.scene, query, most=ROWS_MAX, default=CURRENT_ROWS)
    pair = pair_of(call, query.symbol).id if query.symbol else None
    found = [
        one
        for one in trigger_queries.triggers(call.state, account, pair)
        if (plans is None or one.plan in plans) and page.holds(one.id, one.time_ms)
    ]
    rows = [(row_of_trigger(one), one.crest_ticks()) for one in found[: page.limit]]
    return rows, len(found) > page.limit


async def _ended(
    call: Call, account: int, query: PlansQuery, plans: tuple[int, ...] | None
) -> tuple[list[TriggerRow], bool]:
    """List triggers that have ended, newest first, and say if there are more."""
    page = parse_page(call.scene, query, most=ROWS_MAX)
    pair = pair_of(call, query.symbol).id if query.symbol else None
    wider = page._replace(limit=page.limit + 1)
    rows = await call.past(call.context.reader.ended_triggers, account, wider, pair, plans)
    return rows[: page.limit], len(rows) > page.limit


def _last_id(rows: list[TriggerRow]) -> str:
    return str(rows[-1].trigger_id) if rows else ""
