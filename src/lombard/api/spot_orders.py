"""Spot orders: the same book as margin orders, in the words of the spot dialect."""

from typing import Final

import msgspec

from lombard.api.amounts import parse_price, parse_size
from lombard.api.context import Call, Explain
from lombard.api.decoding import check_required, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import checked_oid, pair_of, spot_account
from lombard.api.order_calls import batch_result, cancel, cancel_batch, no_limit
from lombard.api.order_form import (
    OrderName,
    SpotOrderBody,
    check_entries,
    explain_side,
    parse_order_name,
    same_symbol,
)
from lombard.api.order_rows import BatchResult, OrderAck, ack
from lombard.api.plan_form import TPSL_ORDER, spot_command
from lombard.api.receive_window import check_received
from lombard.api.table import POST, Endpoint, signed
from lombard.core import queries
from lombard.core.commands import BUY, CancelAllOrders, CancelTrigger, Command, ReplaceOrder
from lombard.core.queries import Pair
from lombard.identity import Permission

ORDER_FIELDS: Final = ("symbol", "side", "orderType", "size")
SINGLE: Final = "single"
MULTIPLE: Final = "multiple"


class BatchOrderBody(msgspec.Struct):
    """Orders of one pair (`single`), or each of its own (`multiple`)."""

    symbol: str = ""
    batchMode: str = ""
    orderList: list[SpotOrderBody] = []


class SpotOrderName(OrderName):
    """Names an order, or, by `tpslType` tpsl, one that waits for a price."""

    tpslType: str = ""


class BatchCancelBody(msgspec.Struct):
    """Orders to cancel, of one pair or each of its own."""

    symbol: str = ""
    batchMode: str = ""
    orderList: list[OrderName] = []


class SymbolBody(msgspec.Struct):
    """Names a pair."""

    symbol: str = ""


class ReplaceBody(msgspec.Struct):
    """An order to cancel, and the price and size of the one that takes its place."""

    symbol: str = ""
    price: str = ""
    size: str = ""
    orderId: str = ""
    clientOid: str = ""
    newClientOid: str = ""
    presetTakeProfitPrice: str = ""
    executeTakeProfitPrice: str = ""
    presetStopLossPrice: str = ""
    executeStopLossPrice: str = ""


class BatchReplaceBody(msgspec.Struct):
    """Orders to replace."""

    orderList: list[ReplaceBody] = []


class Replaced(msgspec.Struct):
    """The order that took another's place; nothing changed if `success` says `failure`.

    Then `orderId` is empty, as clients want words there.
    """

    orderId: str
    clientOid: str | None
    success: str
    msg: str | None


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [*_placing(), *_cancelling(), *_replacing()]


def _path(name: str) -> str:
    return f"/api/v2/spot/trade/{name}"


def _placing() -> list[Endpoint]:
    trade, scene = Permission.TRADE, Scene.SPOT
    return [
        signed(
            POST,
            _path("place-order"),
            trade,
            10,
            scene,
            SpotOrderBody,
            ORDER_FIELDS,
            OrderAck,
            place_order,
        ),
        signed(
            POST,
            _path("batch-orders"),
            trade,
            5,
            scene,
            BatchOrderBody,
            (),
            BatchResult,
            batch_orders,
        ),
    ]


def _cancelling() -> list[Endpoint]:
    trade, scene, symbol = Permission.TRADE, Scene.SPOT, ("symbol",)
    return [
        signed(
            POST,
            _path("cancel-order"),
            trade,
            10,
            scene,
            SpotOrderName,
            symbol,
            OrderAck,
            cancel_order,
        ),
        signed(
            POST,
            _path("batch-cancel-order"),
            trade,
            10,
            scene,
            BatchCancelBody,
            (),
            BatchResult,
            batch_cancel_order,
        ),
        signed(
            POST,
            _path("cancel-symbol-order"),
            trade,
            5,
            scene,
            SymbolBody,
            symbol,
            SymbolBody,
            cancel_symbol_order,
        ),
    ]


def _replacing() -> list[Endpoint]:
    trade, scene = Permission.TRADE, Scene.SPOT
    return [
        signed(
            POST,
            _path("cancel-replace-order"),
            trade,
            5,
            scene,
            ReplaceBody,
            ("symbol", "price", "size"),
            Replaced,
            cancel_replace_order,
        ),
        signed(
            POST,
            _path("batch-cancel-replace-order"),
            trade,
            5,
            scene,
            BatchReplaceBody,
            (),
            list[Replaced],
            batch_cancel_replace_order,
        ),
    ]


async def place_order(call: Call, body: SpotOrderBody) -> OrderAck:
    """POST place-order"""
    check_received(call, body.requestTime, body.receiveWindow)
    pair = pair_of(call, body.symbol)
    command = spot_command(call, pair, body)
    reply = await call.submit(spot_account(call), command, explain_side(pair, command.side))
    return ack(reply.id, command.client_oid, spot=True)


async def batch_orders(call: Call, body: BatchOrderBody) -> BatchResult:
    """POST batch-orders"""
    _check_mode(call, body.batchMode)
    check_entries(call, "orderList", len(body.orderList))
    entries: list[tuple[Command, Explain] | Fault] = []
    for entry in body.orderList:
        try:
            entry.symbol = _entry_symbol(call, body.batchMode, body.symbol, entry.symbol)
            check_required(call.scene, entry, ORDER_FIELDS)
            pair = pair_of(call, entry.symbol)
            command = spot_command(call, pair, entry)
        except Fault as fault:
            entries.append(fault)
        else:
            entries.append((command, explain_side(pair, command.side)))
    outcomes = await call.submit_all(spot_account(call), entries)
    return batch_result(outcomes, [("", entry.clientOid) for entry in body.orderList], spot=True)


async def cancel_order(call: Call, body: SpotOrderName) -> OrderAck:
    """POST cancel-order"""
    if body.tpslType == TPSL_ORDER:
        trigger_id, client_oid = parse_order_name(call, body.orderId, body.clientOid)
        reply = await call.submit(
            spot_account(call), CancelTrigger(trigger_id, client_oid), no_limit
        )
        return ack(reply.id, client_oid, spot=True)
    return await cancel(call, spot_account(call), pair_of(call, body.symbol), body, spot=True)


async def batch_cancel_order(call: Call, body: BatchCancelBody) -> BatchResult:
    """POST batch-cancel-order"""
    _check_mode(call, body.batchMode)
    check_entries(call, "orderList", len(body.orderList))
    entries: list[tuple[Pair | Fault, OrderName]] = []
    for name in body.orderList:
        try:
            name.symbol = _entry_symbol(call, body.batchMode, body.symbol, name.symbol)
            check_required(call.scene, name, ("symbol",))
            entries.append((pair_of(call, name.symbol), name))
        except Fault as fault:
            entries.append((fault, name))
    return await cancel_batch(call, spot_account(call), entries, spot=True)


async def cancel_symbol_order(call: Call, body: SymbolBody) -> SymbolBody:
    """POST cancel-symbol-order"""
    pair = pair_of(call, body.symbol)
    await call.submit(spot_account(call), CancelAllOrders(pair.id), no_limit)
    return SymbolBody(pair.symbol)


async def cancel_replace_order(call: Call, body: ReplaceBody) -> Replaced:
    """POST cancel-replace-order: one step, or nothing"""
    pair = pair_of(call, body.symbol)
    command, explain = _replacement(call, pair, body)
    reply = await call.submit(spot_account(call), command, explain)
    return _replaced(reply.id, command.new_client_oid)


async def batch_cancel_replace_order(call: Call, body: BatchReplaceBody) -> list[Replaced]:
    """POST batch-cancel-replace-order"""
    check_entries(call, "orderList", len(body.orderList))
    entries: list[tuple[Command, Explain] | Fault] = []
    for entry in body.orderList:
        try:
            check_required(call.scene, entry, ("symbol", "price", "size"))
            entries.append(_replacement(call, pair_of(call, entry.symbol), entry))
        except Fault as fault:
            entries.append(fault)
    outcomes = await call.submit_all(spot_account(call), entries)
    return [
        Replaced("", entry.newClientOid or None, "failure", outcome.sentence)
        if isinstance(outcome, Fault)
        else _replaced(outcome.id, entry.newClientOid)
        for outcome, entry in zip(outcomes, body.orderList, strict=True)
    ]


def _entry_symbol(call: Call, batch_mode: str, whole: str, own: str) -> str:
    """Say which pair an entry is about: the batch's, unless entries are told to bring their own."""
    return own if batch_mode == MULTIPLE else same_symbol(call, whole, own)


def _check_mode(call: Call, batch_mode: str) -> None:
    if batch_mode not in ("", SINGLE, MULTIPLE):
        raise malformed(call.scene, "batchMode")


def _replacement(call: Call, pair: Pair, body: ReplaceBody) -> tuple[ReplaceOrder, Explain]:
    if body.presetTakeProfitPrice or body.presetStopLossPrice:
        raise Fault("40805", "an order that takes another's place brings no exits")
    order_id, client_oid = parse_order_name(call, body.orderId, body.clientOid)
    account, state = spot_account(call), call.state
    resting = (
        queries.order(state, account, order_id)
        if order_id
        else queries.order_by_client_oid(state, account, pair.id, client_oid)
    )
    command = ReplaceOrder(
        pair.id,
        order_id,
        client_oid,
        parse_price(call.scene, "price", body.price, pair),
        parse_size(call.scene, "size", body.size, pair),
        checked_oid(call, body.newClientOid),
    )
    return command, explain_side(pair, BUY if resting is None else resting.side)


def _replaced(order_id: int, client_oid: str) -> Replaced:
    named = ack(order_id, client_oid, spot=True)
    return Replaced(named.orderId, named.clientOid, "success", None)
