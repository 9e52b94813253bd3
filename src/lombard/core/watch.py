"""Watching accounts: who must be called, who must be locked (RULES 7.3, 7.8, 8.1).

`watch` looks at one account after something happened to it; `watch_all` at every debtor after the
index or the hour moved. It is a plain loop: the index of safe bands of RULES 7.8 goes behind it.
"""

from __future__ import annotations

import heapq

from lombard.core.bounds import bounds_of
from lombard.core.events import (
    CLOSED_LIQUIDATION,
    Event,
    LiquidationStarted,
    MarginCalled,
)
from lombard.core.matching import withdraw
from lombard.core.risk import VALUE_PER_E8, Risk, assess, may_liquidate
from lombard.core.state import Account, Liquidation, State
from lombard.core.units import RATIO_ONE_E6


def watch(state: State, account: Account, events: list[Event]) -> None:
    """Evaluate an account at the current index: lock it at the line, call it before.

    Nothing is decided on a stale index, or on one with fewer than two sources (RULES 7.7).
    """
    if account.debts == 0 or account.liquidation is not None or account.calm_epoch == state.epoch:
        return
    if not account.called and _surely_calm(state, account):
        return
    if not may_liquidate(state, account):
        return
    risk = assess(state, account)
    if risk.to_liquidate():
        _lock(state, account, risk, events)
    elif not account.called and risk.to_call():
        account.called = True
        events.append(MarginCalled(account.id, risk.ratio_e6()))
    elif account.called and risk.calm():
        account.called = False


def _surely_calm(state: State, account: Account) -> bool:
    """Say whether bounds alone prove an account above its call line; False decides nothing."""
    bounds = bounds_of(state, account)
    if bounds is None:
        return False
    if bounds.calm_after(bounds.frozen_high, 0):
        account.calm_epoch = state.epoch
    return bounds.calm_after(0, 0)


def watch_all(state: State, events: list[Event]) -> None:
    """Evaluate every account with debt, in the order of their ids."""
    state.epoch += 1
    for account_id in sorted(state.indebted):
        watch(state, state.indebted[account_id], events)


def _lock(state: State, account: Account, risk: Risk, events: list[Event]) -> None:
    """Lock an account, cancel its orders, and queue it for liquidation (RULES 8.1)."""
    liquidation = Liquidation(state.take_id(), account, state.time_ms)
    account.liquidation = liquidation
    account.called = True
    state.liquidations[account.id] = liquidation
    assets = 0
    for balance in account.balances:
        held = balance.available_units + balance.frozen_units
        assets += balance.coin.price_e12 * balance.coin.value_scale * held * RATIO_ONE_E6
    events.append(
        LiquidationStarted(
            liquidation.id,
            account.id,
            risk.ratio_e6(),
            assets // VALUE_PER_E8,
            risk.debt_e26 // VALUE_PER_E8,
        )
    )
    for order in list(account.orders):
        withdraw(order, CLOSED_LIQUIDATION, events)
    enqueue(state, account, risk)


def check_calm(state: State) -> None:
    """Audit the proofs of calm: the exact rule finds nothing in such an account either."""
    for account in state.indebted.values():
        if account.calm_epoch == state.epoch and may_liquidate(state, account):
            name = f"Invariant: account {account.id} is not as calm as was proven"
            assert account.liquidation is None, name
            assert not account.called, name
            assert not assess(state, account).to_call(), name


def enqueue(state: State, account: Account, risk: Risk) -> None:
    """Put a locked account in the queue, by its ratio now (RULES 8.3)."""
    assert account.liquidation is not None
    account.liquidation.waiting = False
    heapq.heappush(state.liquidation_queue, (-risk.ratio_e6(), account.id))


def wake_waiting(state: State) -> None:
    """Queue the liquidations again that could not go on: time has moved."""
    for account_id in sorted(state.liquidations):
        liquidation = state.liquidations[account_id]
        if liquidation.waiting and may_liquidate(state, liquidation.account):
            enqueue(state, liquidation.account, assess(state, liquidation.account))


def rank_liquidations(state: State) -> None:
    """Queue the liquidations anew, by what they are at the index of now: prices have moved."""
    if not state.liquidations:
        return
    state.liquidation_queue = []
    for account_id in sorted(state.liquidations):
        liquidation = state.liquidations[account_id]
        if not liquidation.waiting or may_liquidate(state, liquidation.account):
            enqueue(state, liquidation.account, assess(state, liquidation.account))
