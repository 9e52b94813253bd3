"""The door for questions of why and what if, beside `queries` (DESIGN 2). Changes nothing.

What `what_if` returns holds a state of its own, `after`, for every question that can be put to a
live one.
"""

from __future__ import annotations

from lombard.core import explain
from lombard.core.commands import PlaceOrder
from lombard.core.explain import Explanation, OrderExplanation, Part
from lombard.core.liquidation_price import LONG, SHORT, LiquidationPrice
from lombard.core.liquidation_price import liquidation_price as _liquidation_price
from lombard.core.payoff import PayOff
from lombard.core.payoff import daily_interest_units as _daily_interest_units
from lombard.core.payoff import pay_off as _pay_off
from lombard.core.refusals import Refusal
from lombard.core.state import Reply, State
from lombard.core.stress import CALLED, LIQUIDATED, Stress, Stressed, debtors, moved_prices
from lombard.core.terms import Term
from lombard.core.transfers import reachable
from lombard.core.what_if import WhatIf, what_if

__all__ = [
    "CALLED",
    "LIQUIDATED",
    "LONG",
    "SHORT",
    "Explanation",
    "LiquidationPrice",
    "OrderExplanation",
    "Part",
    "PayOff",
    "Stress",
    "Stressed",
    "Term",
    "WhatIf",
    "daily_interest_units",
    "debtors",
    "explain_account",
    "explain_borrow",
    "explain_order",
    "explain_transfer",
    "interest_paid_units",
    "liquidation_price",
    "moved_prices",
    "pay_off",
    "what_if",
]


def liquidation_price(state: State, account: int, coin: int) -> LiquidationPrice | None:
    """Return at which index price of a coin an account is liquidated, all else equal."""
    found = state.accounts.get(account)
    if found is None or not 0 <= coin < len(state.coins):
        return None
    return _liquidation_price(state, found, state.coins[coin])


def explain_borrow(state: State, account: int, coin: int) -> Explanation:
    """Explain the most an account may borrow of a coin now (RULES 6.1)."""
    found = reachable(state, account)
    if found is None:
        return Explanation(0, "", 0, [], Reply(Refusal.ACCOUNT_UNKNOWN))
    return explain.explain_borrow(state, found, state.coins[coin])


def explain_transfer(state: State, account: int, coin: int) -> Explanation:
    """Explain the most of a coin that may leave an account now (RULES 9.1)."""
    found = reachable(state, account)
    if found is None:
        return Explanation(0, "", 0, [], Reply(Refusal.ACCOUNT_UNKNOWN))
    return explain.explain_transfer(state, found, state.coins[coin])


def explain_order(state: State, account: int, cmd: PlaceOrder) -> OrderExplanation | None:
    """Explain an order, and how large one like it may be; None for what does not exist."""
    found = reachable(state, account)
    return None if found is None else explain.explain_order(state, found, cmd)


def explain_account(state: State, account: int) -> list[Part]:
    """Return what each coin adds to an account's N and K, and its liquidation price."""
    found = state.accounts.get(account)
    return [] if found is None else explain.explain_account(state, found)


def pay_off(state: State, account: int, coin: int, before_ms: int) -> PayOff:
    """Return what clears a debt if it is paid before a time (RULES 4, 6.4)."""
    found = state.accounts.get(account)
    if found is None:
        return PayOff(0, 0, state.next_hour_ms, 0)
    return _pay_off(state, found, state.coins[coin], before_ms)


def daily_interest_units(state: State, account: int, coin: int) -> int:
    """Return what a day of a debt costs at the rate of this hour, in units of its coin."""
    found = state.accounts.get(account)
    return 0 if found is None else _daily_interest_units(state, found, state.coins[coin])


def interest_paid_units(state: State, account: int, coin: int) -> int:
    """Return all interest an account ever paid on a coin, or was forgiven with a lost loan."""
    found = state.accounts.get(account)
    balance = None if found is None else found.find(state.coins[coin])
    return 0 if balance is None else balance.paid_units
