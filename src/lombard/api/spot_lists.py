"""What became of spot orders: one by its id, those that rest, those that are past, and fills."""

from typing import Final

import msgspec

from lombard.api.context import Call
from lombard.api.errors import Scene
from lombard.api.lookup import pair_of, spot_account
from lombard.api.order_calls import FillsQuery, OrdersQuery, parse_named, resting_orders
from lombard.api.order_form import parse_order_name
from lombard.api.order_rows import (
    SpotFill,
    SpotOrder,
    UnfilledOrder,
    row_of,
    spot_fill_row,
    spot_order_row,
    unfilled_row,
)
from lombard.api.paging import parse_page
from lombard.api.plan_form import TPSL_ORDER
from lombard.api.receive_window import check_received
from lombard.api.table import GET, Endpoint, signed
from lombard.api.tpsl_lists import ended_orders, exits_of, waiting_orders
from lombard.core import queries
from lombard.identity import Permission

ROWS_MAX: Final = 100


class OrderQuery(msgspec.Struct):
    """Names an order by its id or client id."""

    orderId: str = ""
    clientOid: str = ""
    requestTime: str = ""
    receiveWindow: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, scene = Permission.READ, Scene.SPOT

    def path(name: str) -> str:
        return f"/api/v2/spot/trade/{name}"

    return [
        signed(
            GET, path("orderInfo"), read, 20, scene, OrderQuery, (), list[SpotOrder], order_info
        ),
        signed(
            GET,
            path("unfilled-orders"),
            read,
            20,
            scene,
            OrdersQuery,
            (),
            list[UnfilledOrder],
            unfilled_orders,
        ),
        signed(
            GET,
            path("history-orders"),
            read,
            20,
            scene,
            OrdersQuery,
            (),
            list[SpotOrder],
            history_orders,
        ),
        signed(GET, path("fills"), read, 10, scene, FillsQuery, (), list[SpotFill], fills),
    ]


async def order_info(call: Call, query: OrderQuery) -> list[SpotOrder]:
    """GET orderInfo: a list of the one order, or of none"""
    check_received(call, query.requestTime, query.receiveWindow)
    order_id, client_oid = parse_order_name(call, query.orderId, query.clientOid)
    account, reader = spot_account(call), call.context.reader
    if order_id:
        resting = queries.order(call.state, account, order_id)
        if resting is not None:
            return [spot_order_row(resting.pair, row_of(resting))]
        row = await call.past(reader.order, account, order_id)
    else:
        row = await call.past(reader.order_by_client_oid, account, client_oid)
    if row is None:
        return []
    return [spot_order_row(queries.pairs(call.state)[row.pair], row)]


async def unfilled_orders(call: Call, query: OrdersQuery) -> list[UnfilledOrder]:
    """GET unfilled-orders"""
    page = parse_page(call.scene, query, most=ROWS_MAX)
    named = parse_named(call, query.orderId, query.clientOid)
    pair = pair_of(call, query.symbol) if query.symbol else None
    pairs = queries.pairs(call.state)
    if query.tpslType == TPSL_ORDER:
        return waiting_orders(call, spot_account(call), pair, named, page)
    rows = resting_orders(call, spot_account(call), pair, named, page)
    return [unfilled_row(pairs[row.pair], row, exits_of(call, row.order_id)) for row in rows]


async def history_orders(call: Call, query: OrdersQuery) -> list[SpotOrder]:
    """GET history-orders"""
    page = parse_page(call.scene, query, most=ROWS_MAX)
    order_id, client_oid = parse_named(call, query.orderId, query.clientOid)
    pair_id = pair_of(call, query.symbol).id if query.symbol else None
    if query.tpslType == TPSL_ORDER:
        return await ended_orders(call, spot_account(call), pair_id, page)
    rows = await call.past(
        call.context.reader.closed_orders,
        spot_account(call),
        page,
        pair=pair_id,
        order_id=order_id or None,
        client_oid=client_oid or None,
    )
    pairs = queries.pairs(call.state)
    return [spot_order_row(pairs[row.pair], row) for row in rows]


async def fills(call: Call, query: FillsQuery) -> list[SpotFill]:
    """GET fills"""
    page = parse_page(call.scene, query, most=ROWS_MAX)
    order_id, _ = parse_named(call, query.orderId, "")
    pair_id = pair_of(call, query.symbol).id if query.symbol else None
    rows = await call.past(
        call.context.reader.fills, spot_account(call), page, pair_id, order_id or None
    )
    pairs = queries.pairs(call.state)
    return [spot_fill_row(pairs[row.pair], row) for row in rows]
