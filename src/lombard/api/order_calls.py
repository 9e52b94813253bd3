"""What margin and spot orders have in common: cancelling, batches, and lists of what rests."""

from collections.abc import Sequence

from lombard.api.amounts import parse_id
from lombard.api.context import Call, Explain
from lombard.api.errors import Fault
from lombard.api.lookup import Mode, pair_of
from lombard.api.oids import order_id_of
from lombard.api.order_form import OrderName, parse_order_name
from lombard.api.order_rows import BatchResult, OrderAck, OrderFailure, ack, row_of
from lombard.api.paging import PageQuery
from lombard.api.ports import Reply
from lombard.core import queries
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, CancelOrder, Command, account_id
from lombard.core.queries import Pair
from lombard.core.refusals import Refusal
from lombard.history.paging import Page
from lombard.history.rows import OrderRow


class OrdersQuery(PageQuery):
    """A page of orders, or the one that is named."""

    symbol: str = ""
    orderId: str = ""
    clientOid: str = ""
    enterPointSource: str = ""
    tpslType: str = ""


class FillsQuery(PageQuery):
    """A page of fills, of one order if it is named."""

    symbol: str = ""
    orderId: str = ""


def no_limit(_refusal: Refusal, _units: int) -> str:
    """Word the limit of refusals that have none."""
    return ""


def cancel_command(
    call: Call, account: int, pair: Pair, name: OrderName
) -> tuple[CancelOrder, str]:
    """Read which order to cancel; also returns the client id it is known by, if it rests."""
    order_id, client_oid = parse_order_name(call, name.orderId, name.clientOid)
    if order_id:
        resting = queries.order(call.state, account, order_id)
        shown = "" if resting is None else resting.client_oid
        return CancelOrder(pair.id, order_id, ""), shown
    return CancelOrder(pair.id, 0, client_oid), client_oid


async def cancel(call: Call, account: int, pair: Pair, name: OrderName, spot: bool) -> OrderAck:
    """Cancel one order."""
    command, client_oid = cancel_command(call, account, pair, name)
    reply = await call.submit(account, command, no_limit)
    return ack(reply.id, client_oid, spot)


async def cancel_batch(
    call: Call, account: int, entries: Sequence[tuple[Pair | Fault, OrderName]], spot: bool
) -> BatchResult:
    """Cancel several orders; each entry has an outcome of its own."""
    commands: list[tuple[Command, Explain] | Fault] = []
    known_oids: list[str] = []
    for pair, name in entries:
        try:
            if isinstance(pair, Fault):
                raise pair
            command, client_oid = cancel_command(call, account, pair, name)
        except Fault as fault:
            commands.append(fault)
            known_oids.append(name.clientOid)
        else:
            commands.append((command, no_limit))
            known_oids.append(client_oid)
    outcomes = await call.submit_all(account, commands)
    names = [(name.orderId, oid) for (_, name), oid in zip(entries, known_oids, strict=True)]
    return batch_result(outcomes, names, spot)


def batch_result(
    outcomes: Sequence[Reply | Fault], names: Sequence[tuple[str, str]], spot: bool
) -> BatchResult:
    """Sort the outcomes of a batch; `names` are the entries' `(orderId, clientOid)` as asked."""
    result = BatchResult([], [])
    for outcome, (order_id, client_oid) in zip(outcomes, names, strict=True):
        if isinstance(outcome, Fault):
            failure = OrderFailure(order_id, client_oid, outcome.sentence, outcome.code)
            result.failureList.append(failure)
        else:
            result.successList.append(ack(outcome.id, client_oid, spot))
    return result


def parse_named(call: Call, order_id_text: str, client_oid: str) -> tuple[int, str]:
    """Read what a list is narrowed to: an order id, or a client id, or neither."""
    order_id = parse_id(call.scene, "orderId", order_id_text)
    if order_id or not client_oid:
        return order_id, ""
    own = order_id_of(client_oid)
    return (own, "") if own is not None else (0, client_oid)


def resting_orders(
    call: Call, account: int, pair: Pair | None, named: tuple[int, str], page: Page
) -> list[OrderRow]:
    """List the orders of an account that rest, newest first; `named` is from `parse_named`."""
    order_id, client_oid = named
    found: list[OrderRow] = []
    for order in queries.open_orders(call.state, account, None if pair is None else pair.id):
        if order_id and order.id != order_id:
            continue
        if client_oid and order.client_oid != client_oid:
            continue
        if page.before_id is not None and order.id >= page.before_id:
            continue
        if page.start_ms is not None and order.time_ms < page.start_ms:
            continue
        if page.end_ms is not None and order.time_ms > page.end_ms:
            continue
        found.append(row_of(order))
        if len(found) == page.limit:
            break
    return found


def order_account(mode: Mode, call: Call, pair: Pair) -> int:
    """Name the account whose orders of a pair are meant."""
    slot = SLOT_ISOLATED + pair.id if mode.isolated else SLOT_CROSSED
    return account_id(call.user, slot)


def open_accounts(mode: Mode, call: Call, symbol: str) -> list[tuple[int, Pair | None]]:
    """List the accounts a list of orders is about, each with the pair it is narrowed to."""
    if symbol:
        pair = pair_of(call, symbol)
        return [(order_account(mode, call, pair), pair)]
    if not mode.isolated:
        return [(account_id(call.user, SLOT_CROSSED), None)]
    accounts = queries.accounts_of(call.state, call.user)
    return [(account, None) for account in accounts if queries.slot_of(account) >= SLOT_ISOLATED]
