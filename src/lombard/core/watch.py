"""Watching accounts: who must be called, who must be locked (RULES 7.3, 7.8, 8.1).

`watch` looks at one account after something happened to it; `watch_all`, after the index or the
hour moved, at every debtor that may have come to a line. Those are the ones something happened to
since, the ones whose safe band was left, and the ones that have none (`safe_bands`).
"""

from __future__ import annotations

import heapq
from typing import Final

from lombard.core.bounds import bounds_of
from lombard.core.events import (
    CLOSED_LIQUIDATION,
    Event,
    LiquidationStarted,
    MarginCalled,
)
from lombard.core.matching import withdraw
from lombard.core.risk import VALUE_PER_E8, Risk, assess, may_liquidate
from lombard.core.safe_bands import draw, gather
from lombard.core.state import Account, Liquidation, State
from lombard.core.units import RATIO_ONE_E6

# So many liquidations are woken or ranked at once, so that a storm never blocks the venue.
RANKED_MAX: Final = 1_000


def watch(state: State, account: Account, events: list[Event]) -> None:
    """Evaluate an account that something happened to, now, and again when prices move."""
    if account.debts == 0 or account.liquidation is not None:
        return
    state.touch(account)
    if account.calm_epoch != state.epoch:
        _evaluate(state, account, events)


def _evaluate(state: State, account: Account, events: list[Event]) -> None:
    """Evaluate an account at the current index: lock it at the line, call it before.

    Nothing is decided on a stale index, or on one with fewer than two sources (RULES 7.7).
    """
    if not account.called and _surely_calm(state, account):
        return
    if not may_liquidate(state, account):
        return
    risk = assess(state, account)
    if risk.to_liquidate():
        lock(state, account, risk, False, events)
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
    """Evaluate every account that may have come to a line, in the order of their ids (RULES 7.8).

    The others are within their safe bands: the exact rule would say nothing of them.
    """
    state.epoch += 1
    gather(state)
    if not state.marked:
        return
    account_ids = sorted(state.marked)
    state.marked = []
    for account_id in account_ids:
        account = state.accounts[account_id]
        account.marked = False
        if account.debts == 0 or account.liquidation is not None:
            continue
        _evaluate(state, account, events)
        if account_id not in state.liquidations and not draw(state, account):
            state.touch(account)


def lock(state: State, account: Account, risk: Risk, forced: bool, events: list[Event]) -> None:
    """Lock an account, cancel its orders, and queue it for liquidation (RULES 8.1).

    `forced` when it is only to repay a delisted debt (RULES 8.7).
    """
    liquidation = Liquidation(state.take_id(), account, state.time_ms)
    liquidation.forced = forced
    account.liquidation = liquidation
    account.called = account.called or not forced
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
    """Queue the liquidations again that could not go on, those that have waited longest first.

    At most `RANKED_MAX` of them: in a storm the others have their turn at the next tick or price.
    """
    woken = state.waiting[:RANKED_MAX]
    if not woken:
        return
    state.waiting = state.waiting[RANKED_MAX:]
    for account_id in woken:
        liquidation = state.liquidations[account_id]
        if may_liquidate(state, liquidation.account):
            enqueue(state, liquidation.account, assess(state, liquidation.account))
        else:
            state.waiting.append(account_id)


def rank_liquidations(state: State) -> None:
    """Queue the liquidations anew, by what they are at the index of now: prices have moved.

    In a storm of more than `RANKED_MAX` they keep the rank of their last step (RULES 8.3).
    """
    wake_waiting(state)
    if len(state.liquidation_queue) > RANKED_MAX:
        return
    ranked = sorted(account_id for _, account_id in state.liquidation_queue)
    state.liquidation_queue = []
    for account_id in ranked:
        account = state.liquidations[account_id].account
        enqueue(state, account, assess(state, account))
