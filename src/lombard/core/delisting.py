"""Delisting: how a coin, or a pair's isolated margin, comes to its end (RULES 8.7).

First nothing more of it is lent, then margin orders only reduce, then what is owed is repaid: each
debtor is locked, and system orders of a liquidation repay that debt, and no other, without a fee.
What they cannot repay in time the insurance fund takes over at index.
"""

from __future__ import annotations

from typing import Final

from lombard.core.commands import AUTO_LOAN, BUY, LIMIT, PlaceOrder
from lombard.core.events import CLOSED_BY_VENUE, Event
from lombard.core.matching import withdraw
from lombard.core.refusals import Refusal
from lombard.core.risk import assess, debt_units
from lombard.core.state import Account, Balance, Coin, Pair, Reply, State
from lombard.core.units import RATIO_ONE_E6, div_ceil
from lombard.core.watch import lock

LENDING_ENDS: Final = 1
REDUCE_ONLY: Final = 2
REPAYMENT: Final = 3


def enter_stage(state: State, coin: Coin | None, pair: Pair | None, stage: int) -> None:
    """Let a delisting of a coin, or of a pair's isolated margin, enter a stage; 0 ends it."""
    if coin is not None:
        coin.delisting = stage
        coin.borrowable = coin.borrowable and stage == 0
    if pair is not None:
        pair.delisting = stage
    for other in state.pairs:
        set_reduce_only(other)


def set_reduce_only(pair: Pair) -> None:
    """Work out whether some margin orders of a pair may only reduce."""
    stage = max(pair.delisting, pair.base.delisting, pair.quote.delisting)
    pair.reduce_only = stage >= REDUCE_ONLY


def refuse_increase(state: State, account: Account, pair: Pair, cmd: PlaceOrder) -> Reply | None:
    """Refuse a margin order of a pair that is being delisted, unless it reduces (RULES 8.7).

    It reduces when it borrows nothing, and sells the delisted coin, or brings no more of a coin
    than is owed of it, to a step and the fee: at its limit, or at the band's edge.
    """
    pay, get = (pair.quote, pair.base) if cmd.side == BUY else (pair.base, pair.quote)
    concerned = account.pair is not None and pair.delisting >= REDUCE_ONLY
    if not concerned and max(pay.delisting, get.delisting) < REDUCE_ONLY:
        return None
    refusal = Reply(Refusal.REDUCE_ONLY, detail=pair.symbol)
    if cmd.loan_type & AUTO_LOAN:
        return refusal
    if pay.delisting >= REDUCE_ONLY and get.delisting < REDUCE_ONLY:
        return None
    balance = account.find(get)
    owed = 0 if balance is None else debt_units(state, account, balance)
    if owed == 0:
        return refusal
    edge = pair.band_high_ticks if cmd.side == BUY else pair.band_low_ticks
    price = max(1, cmd.price_ticks if cmd.kind == LIMIT else edge)
    steps = cmd.size_steps
    if cmd.side == BUY and cmd.kind != LIMIT:
        steps = cmd.quote_units // (price * pair.quote_per_tick_step)
    a_step = pair.step_units if cmd.side == BUY else price * pair.quote_per_tick_step
    fee_e6 = max(pair.maker_fee_e6, pair.taker_fee_e6)
    wanted = div_ceil(owed * RATIO_ONE_E6, RATIO_ONE_E6 - fee_e6)
    return refusal if (steps - 1) * a_step >= wanted else None


def withdraw_increasing(state: State, events: list[Event]) -> None:
    """Take margin orders out of the book that bring more of what now may only be reduced."""
    for pair in state.pairs:
        if not pair.reduce_only:
            continue
        for order in [*pair.bids.orders(), *pair.asks.orders()]:
            account = order.account
            pay, get = order.pay.coin, order.get.coin
            concerned = account.pair is not None and pair.delisting >= REDUCE_ONLY
            if pay.delisting >= REDUCE_ONLY and get.delisting < REDUCE_ONLY:
                continue
            concerned = concerned or get.delisting >= REDUCE_ONLY
            if account.margin and concerned and order.get.principal_units == 0:
                withdraw(order, CLOSED_BY_VENUE, events)


def must_be_repaid(account: Account, balance: Balance) -> bool:
    """Say whether a delisting has come so far that a balance's debt is repaid by force."""
    if balance.principal_units == 0:
        return False
    pair = account.pair
    if pair is not None and pair.delisting >= REPAYMENT:
        return True
    return balance.coin.delisting >= REPAYMENT


def owes_delisted(account: Account) -> bool:
    """Say whether an account has a debt that is repaid by force."""
    owed = 0
    for balance in account.balances:
        owed += must_be_repaid(account, balance)
    return owed > 0


def force_all(state: State, events: list[Event]) -> None:
    """Lock every account with a debt that is repaid by force, in the order of their ids."""
    for account_id in sorted(state.indebted):
        force(state, state.indebted[account_id], events)


def force(state: State, account: Account, events: list[Event]) -> None:
    """Lock an account with a debt that is repaid by force, and queue its repayment."""
    if account.liquidation is None and owes_delisted(account):
        lock(state, account, assess(state, account), True, events)
