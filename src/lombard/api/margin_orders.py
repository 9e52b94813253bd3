"""Margin orders: placing, cancelling, and what rests, was, and traded."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.context import Call, Explain
from lombard.api.decoding import check_required
from lombard.api.errors import Fault
from lombard.api.lookup import MODES, Mode, pair_of
from lombard.api.order_calls import (
    FillsQuery,
    OrdersQuery,
    batch_result,
    cancel,
    cancel_batch,
    open_accounts,
    order_account,
    parse_named,
    resting_orders,
)
from lombard.api.order_form import (
    MarginOrderBody,
    OrderName,
    check_entries,
    explain_side,
    margin_order,
    one_of,
    same_symbol,
)
from lombard.api.order_rows import (
    BatchResult,
    MarginFill,
    MarginOrder,
    OrderAck,
    ack,
    margin_fill_row,
    margin_order_row,
)
from lombard.api.paging import parse_page
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.core import queries
from lombard.core.commands import (
    SOURCE_API,
    SOURCE_SYSTEM,
    SOURCE_WEB,
    Command,
)
from lombard.history.paging import Page
from lombard.history.rows import OrderRow
from lombard.identity import Permission

ORDER_FIELDS: Final = ("symbol", "side", "orderType", "loanType")
# A market order's `force` is ignored, so only limit orders must have one.
SOURCES: Final = {
    "API": SOURCE_API,
    "SYS": SOURCE_SYSTEM,
    "WEB": SOURCE_WEB,
    # Nothing was ever placed from these.
    "ANDROID": -1,
    "IOS": -1,
}


class BatchOrderBody(msgspec.Struct):
    """Orders of one pair."""

    symbol: str = ""
    orderList: list[MarginOrderBody] = []


class BatchCancelBody(msgspec.Struct):
    """Orders of one pair, by id or client id."""

    symbol: str = ""
    orderIdList: list[OrderName] = []


class OrderPage(msgspec.Struct):
    """A page of orders; no ids when it is empty (reference §9, 34)."""

    orderList: list[MarginOrder]
    maxId: str | None
    minId: str | None


class FillPage(msgspec.Struct):
    """A page of fills; an empty one has ids `"0"` when crossed, none when isolated."""

    fills: list[MarginFill]
    maxId: str | None
    minId: str | None


def endpoints() -> list[Endpoint]:
    """Make the rows of this page, for both kinds of margin."""
    return [row for mode in MODES for row in (*_commands(mode), *_lists(mode))]


def _commands(mode: Mode) -> list[Endpoint]:
    scene, trade = mode.scene, Permission.TRADE
    return [
        signed(
            POST,
            mode.path("place-order"),
            trade,
            10,
            scene,
            MarginOrderBody,
            ORDER_FIELDS,
            OrderAck,
            partial(place_order, mode),
        ),
        signed(
            POST,
            mode.path("batch-place-order"),
            trade,
            10,
            scene,
            BatchOrderBody,
            ("symbol",),
            BatchResult,
            partial(batch_place_order, mode),
        ),
        signed(
            POST,
            mode.path("cancel-order"),
            trade,
            10,
            scene,
            OrderName,
            ("symbol",),
            OrderAck,
            partial(cancel_order, mode),
        ),
        signed(
            POST,
            mode.path("batch-cancel-order"),
            trade,
            10,
            scene,
            BatchCancelBody,
            ("symbol",),
            BatchResult,
            partial(batch_cancel_order, mode),
        ),
    ]


def _lists(mode: Mode) -> list[Endpoint]:
    scene, read = mode.scene, Permission.READ
    start = ("startTime",)
    return [
        signed(
            GET,
            mode.path("open-orders"),
            read,
            10,
            scene,
            OrdersQuery,
            start,
            OrderPage,
            partial(open_orders, mode),
        ),
        signed(
            GET,
            mode.path("history-orders"),
            read,
            10,
            scene,
            OrdersQuery,
            start,
            OrderPage,
            partial(history_orders, mode),
        ),
        signed(
            GET,
            mode.path("fills"),
            read,
            10,
            scene,
            FillsQuery,
            ("symbol", "startTime"),
            FillPage,
            partial(fills, mode),
        ),
    ]


async def place_order(mode: Mode, call: Call, body: MarginOrderBody) -> OrderAck:
    """POST place-order"""
    pair = pair_of(call, body.symbol)
    command = margin_order(call, pair, body)
    account = order_account(mode, call, pair)
    reply = await call.submit(account, command, explain_side(pair, command.side))
    return ack(reply.id, command.client_oid, spot=False)


async def batch_place_order(mode: Mode, call: Call, body: BatchOrderBody) -> BatchResult:
    """POST batch-place-order"""
    check_entries(call, "orderList", len(body.orderList))
    pair = pair_of(call, body.symbol)
    entries: list[tuple[Command, Explain] | Fault] = []
    for entry in body.orderList:
        try:
            entry.symbol = same_symbol(call, body.symbol, entry.symbol)
            check_required(call.scene, entry, ORDER_FIELDS)
            command = margin_order(call, pair, entry)
        except Fault as fault:
            entries.append(fault)
        else:
            entries.append((command, explain_side(pair, command.side)))
    outcomes = await call.submit_all(order_account(mode, call, pair), entries)
    return batch_result(outcomes, [("", entry.clientOid) for entry in body.orderList], spot=False)


async def cancel_order(mode: Mode, call: Call, body: OrderName) -> OrderAck:
    """POST cancel-order"""
    pair = pair_of(call, body.symbol)
    return await cancel(call, order_account(mode, call, pair), pair, body, spot=False)


async def batch_cancel_order(mode: Mode, call: Call, body: BatchCancelBody) -> BatchResult:
    """POST batch-cancel-order"""
    check_entries(call, "orderIdList", len(body.orderIdList))
    pair = pair_of(call, body.symbol)
    account = order_account(mode, call, pair)
    entries = [(pair, name) for name in body.orderIdList]
    return await cancel_batch(call, account, entries, spot=False)


async def open_orders(mode: Mode, call: Call, query: OrdersQuery) -> OrderPage:
    """GET open-orders: of one pair, or of all"""
    page = parse_page(call.scene, query)
    named = parse_named(call, query.orderId, query.clientOid)
    rows: list[OrderRow] = []
    for account, pair in open_accounts(mode, call, query.symbol):
        rows += resting_orders(call, account, pair, named, page)
    return _order_page(call, rows, page, is_open=True)


async def history_orders(mode: Mode, call: Call, query: OrdersQuery) -> OrderPage:
    """GET history-orders: what rests no more, of one pair or of all"""
    page = parse_page(call.scene, query)
    order_id, client_oid = parse_named(call, query.orderId, query.clientOid)
    source: int | None = None
    if query.enterPointSource:
        source = one_of(call.scene, "enterPointSource", SOURCES, query.enterPointSource.upper())
    rows: list[OrderRow] = []
    for account, pair in open_accounts(mode, call, query.symbol):
        rows += await call.past(
            call.context.reader.closed_orders,
            account,
            page,
            pair=None if pair is None else pair.id,
            order_id=order_id or None,
            client_oid=client_oid or None,
            source=source,
        )
    return _order_page(call, rows, page, is_open=False)


async def fills(mode: Mode, call: Call, query: FillsQuery) -> FillPage:
    """GET fills"""
    page = parse_page(call.scene, query)
    pair = pair_of(call, query.symbol)
    order_id, _ = parse_named(call, query.orderId, "")
    account = order_account(mode, call, pair)
    rows = await call.past(call.context.reader.fills, account, page, pair.id, order_id or None)
    shown = [margin_fill_row(pair, row) for row in rows]
    if not shown:
        none = None if mode.isolated else "0"
        return FillPage([], none, none)
    return FillPage(shown, shown[0].tradeId, shown[-1].tradeId)


def _order_page(call: Call, rows: list[OrderRow], page: Page, is_open: bool) -> OrderPage:
    # Isolated orders come account by account.
    rows.sort(key=lambda row: row.order_id, reverse=True)
    pairs = queries.pairs(call.state)
    shown = [margin_order_row(pairs[row.pair], row, is_open) for row in rows[: page.limit]]
    if not shown:
        return OrderPage([], None, None)
    return OrderPage(shown, shown[0].orderId, shown[-1].orderId)
