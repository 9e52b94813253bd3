"""Cancelling: orders taken out of the book by whoever placed them (RULES 6.3)."""

from __future__ import annotations

from lombard.core.book import Order
from lombard.core.commands import CancelAllOrders, CancelOrder
from lombard.core.events import CLOSED_BY_USER, REPAY_AUTO, Event
from lombard.core.lending import pay_back
from lombard.core.matching import withdraw
from lombard.core.refusals import Refusal
from lombard.core.risk import debt_units
from lombard.core.state import Account, Reply, State
from lombard.core.watch import watch


def find(account: Account, pair: int, order_id: int, client_oid: str) -> Order | None:
    """Return a resting order of the account by id, or by client id when `order_id` is 0."""
    if order_id:
        order = account.order(order_id)
        return order if order is not None and order.pair.id == pair else None
    for order in account.orders:
        if order.client_oid == client_oid and order.pair.id == pair and client_oid:
            return order
    return None


def cancel(state: State, account: Account, cmd: CancelOrder, events: list[Event]) -> Reply:
    """Cancel a resting order."""
    order = find(account, cmd.pair, cmd.order_id, cmd.client_oid)
    if order is None:
        return Reply(Refusal.ORDER_UNKNOWN)
    _cancel(state, order, events)
    return Reply(None, order.id)


def cancel_all(state: State, account: Account, cmd: CancelAllOrders, events: list[Event]) -> Reply:
    """Cancel every resting order of the account on a pair."""
    if not 0 <= cmd.pair < len(state.pairs):
        return Reply(Refusal.PAIR_UNKNOWN)
    doomed = [order for order in account.orders if order.pair.id == cmd.pair]
    for order in doomed:
        _cancel(state, order, events)
    return Reply(None, 0, len(doomed))


def _cancel(state: State, order: Order, events: list[Event]) -> None:
    """Withdraw an order; where the venue says so it returns what it borrowed (RULES 6.3)."""
    freed = order.frozen_units
    withdraw(order, CLOSED_BY_USER, events)
    if order.borrowed_units and state.repay_on_cancel:
        debt = debt_units(state, order.account, order.pay)
        units = min(min(order.borrowed_units, debt), freed)
        if units:
            pay_back(state, order.account, order.pay, units, REPAY_AUTO, events)
            if order.account.called:
                watch(state, order.account, events)
