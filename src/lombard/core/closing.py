"""Closing a position: a market order the other way, inside the band (RULES 9.2).

The order goes the way of every order, with every check an order has; only its side and its size
are worked out here.
"""

from __future__ import annotations

from lombard.core import orders
from lombard.core.closing_commands import ClosePosition
from lombard.core.commands import AUTO_REPAY, NORMAL, SELL, PlaceOrder
from lombard.core.events import Event
from lombard.core.refusals import Refusal
from lombard.core.risk import debt_units
from lombard.core.sizing import Terms, before_fee, buy, market_order, offers
from lombard.core.state import Account, Reply, State
from lombard.core.units import div_ceil


def closing_order(state: State, account: Account, cmd: ClosePosition) -> PlaceOrder | Reply:
    """Return the order that closes a position, or why there is none. Changes nothing.

    Long: what is available of the base coin above what is owed of it, floored to the step. Short:
    what is owed above what is held, and the fee, rounded up to the step, as far as the quote coin
    that is available pays for it.
    """
    if not 0 <= cmd.pair < len(state.pairs):
        return Reply(Refusal.PAIR_UNKNOWN)
    pair = state.pairs[cmd.pair]
    if not account.margin:
        return Reply(Refusal.MARGIN_NOT_OPENED)
    if not (account.holds(pair.base) and account.holds(pair.quote)):
        return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=pair.symbol)
    if account.liquidation is not None:
        return Reply(Refusal.IN_LIQUIDATION)
    if account.frozen:
        return Reply(Refusal.ACCOUNT_FROZEN)
    base = account.balance(pair.base)
    excess = base.available_units + base.frozen_units - debt_units(state, account, base)
    steps = min(base.available_units, max(0, excess)) // pair.step_units
    if steps == 0 and excess >= 0:
        return Reply(Refusal.NO_POSITION, detail=pair.symbol)
    terms = Terms(AUTO_REPAY if cmd.repay else NORMAL, cmd.client_oid, cmd.source)
    if excess > 0:
        if next(offers(account, pair, SELL), None) is None:
            return Reply(Refusal.NO_LIQUIDITY, detail=pair.symbol)
        return market_order(pair, SELL, steps, 0, terms)
    wanted = div_ceil(before_fee(pair, -excess), pair.step_units)
    spare = account.balance(pair.quote).available_units
    if spare == 0:
        return Reply(Refusal.INSUFFICIENT_BALANCE, detail=pair.quote.name)
    order = buy(account, pair, wanted, spare, terms)
    return Reply(Refusal.NO_LIQUIDITY, detail=pair.symbol) if order is None else order


def close(state: State, account: Account, cmd: ClosePosition, events: list[Event]) -> Reply:
    """Place the order that closes a position. A refusal changes nothing."""
    order = closing_order(state, account, cmd)
    if isinstance(order, Reply):
        return order
    return orders.place(state, account, order, events)
