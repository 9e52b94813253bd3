"""Lending: what may be borrowed, borrowing, and paying back, interest first (RULES 6).

Every lending action has the same five steps: bring interest up to date, validate, change, re-rate
the pool, emit. `decide_` functions change nothing, so a refusal leaves no trace; they read interest
as of now without touching the loan.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from lombard.core.borrow_limit import (
    BY_LEVERAGE,
    BY_POOL,
    BY_RATIO,
    BY_TIER,
    BY_USER_LIMIT,
    lowered,
    max_borrowable,
    owed_by_user,
    tiers_of,
)
from lombard.core.bounds import VALUE_LIMIT, Bounds, mmr_bound, share
from lombard.core.commands import Borrow, Repay, SetLeverage
from lombard.core.events import REPAY_MANUAL, Borrowed, Event, LeverageSet, Repaid
from lombard.core.interest import bring_up_to_date, charge_first_hour, interest_due
from lombard.core.ledger import set_debt_flag
from lombard.core.rates import note_lent
from lombard.core.refusals import Refusal
from lombard.core.risk import (
    assess,
    debt_units,
    index_problem,
    is_stale,
)
from lombard.core.state import Account, Balance, Coin, Reply, State
from lombard.core.units import too_large
from lombard.core.watch import watch

REFUSAL_OF_BINDING: Final = {
    BY_LEVERAGE: Refusal.BORROW_OVER_LEVERAGE,
    BY_TIER: Refusal.BORROW_OVER_LEVERAGE,
    BY_RATIO: Refusal.BORROW_OVER_RATIO,
    BY_USER_LIMIT: Refusal.BORROW_OVER_USER_LIMIT,
    BY_POOL: Refusal.BORROW_OVER_POOL,
}


def max_leverage(state: State, account: Account) -> int:
    """Return the highest leverage any tier of the account offers, 0 when nothing is lent."""
    if account.pair is not None:
        return max([tier[2] for tier in account.pair.isolated_tiers], default=0)
    return max([tier[1] for coin in state.coins for tier in coin.cross_tiers], default=0)


def surely_lendable(
    state: State, account: Account, balance: Balance, bounds: Bounds, units: int, value: i64
) -> bool:
    """Say whether bounds alone prove that `units`, worth at most `value`, may be lent.

    False decides nothing.
    """
    coin = balance.coin
    if not (coin.borrowable and coin.has_rate) or units > coin.pool_units or is_stale(state, coin):
        return False
    if value >= VALUE_LIMIT or (account.pair is not None and account.pair.delisting):
        return False
    wanted = balance.principal_units + units
    maintenance = bounds.maintenance_high + share(value, mmr_bound(account, coin)) + 1
    if 2 * maintenance > bounds.net_low:
        return False
    fits = False
    if account.pair is None:
        for max_units, leverage, _ in coin.cross_tiers:
            if wanted <= max_units and bounds.carries(value, lowered(account, leverage)):
                fits = True
    else:
        for max_units, leverage in tiers_of(account, coin):
            if wanted <= max_units and bounds.carries(value, lowered(account, leverage)):
                fits = True
    # VIP levels only ever raise the user's limit.
    return fits and owed_by_user(state, account.user, coin) + units <= coin.user_limit_units


def refuse_lending(state: State, account: Account, coin: Coin) -> Reply | None:
    """Return why nothing of a coin may be lent to an account now, whatever the amount."""
    if not (coin.borrowable and coin.has_rate and tiers_of(account, coin)):
        return Reply(Refusal.NOT_BORROWABLE, detail=coin.name)
    if account.pair is not None and account.pair.delisting:
        return Reply(Refusal.NOT_BORROWABLE, detail=account.pair.symbol)
    stale = coin if is_stale(state, coin) else index_problem(state, account)
    if stale is not None:
        return Reply(Refusal.INDEX_STALE, detail=stale.name)
    return None


def refuse_over_limit(state: State, account: Account, coin: Coin, units: int) -> Reply | None:
    """Return the refusal that names the binding limit when `units` are too many."""
    limit = max_borrowable(state, account, coin)
    if units <= limit.units:
        return None
    return Reply(REFUSAL_OF_BINDING[limit.binding], units=limit.units, detail=limit.binding)


def decide_borrow(state: State, account: Account, cmd: Borrow) -> Reply | None:
    """Say why a borrow would be refused, or None. Changes nothing."""
    if not account.margin:
        return Reply(Refusal.MARGIN_NOT_OPENED)
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    coin = state.coins[cmd.coin]
    if not account.holds(coin):
        return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=coin.name)
    if account.liquidation is not None:
        return Reply(Refusal.IN_LIQUIDATION)
    if account.frozen:
        return Reply(Refusal.ACCOUNT_FROZEN)
    if cmd.units <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)
    if too_large(cmd.units):
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    if cmd.units < coin.min_borrow_units:
        return Reply(Refusal.BORROW_UNDER_MINIMUM, units=coin.min_borrow_units)
    refusal = refuse_lending(state, account, coin)
    if refusal is not None:
        return refusal
    return refuse_over_limit(state, account, coin, cmd.units)


def borrow(state: State, account: Account, cmd: Borrow, events: list[Event]) -> Reply:
    """Lend to an account on its own word. Refuses as `decide_borrow` says."""
    refusal = decide_borrow(state, account, cmd)
    if refusal is not None:
        return refusal

    # From here the borrow succeeds.
    balance = account.balance(state.coins[cmd.coin])
    loan_id = lend(state, account, balance, cmd.units, False, cmd.client_oid, events)
    return Reply(None, loan_id, cmd.units, debt_units(state, account, balance))


def lend(
    state: State,
    account: Account,
    balance: Balance,
    units: int,
    auto: bool,
    client_oid: str,
    events: list[Event],
) -> int:
    """Move coins from the pool to an account that may have them; return the loan's id."""
    coin = balance.coin
    assert account.liquidation is None
    assert 0 < units <= coin.pool_units, "Invariant: a loan exceeds its pool"

    bring_up_to_date(state, account, balance, events)
    if not auto:
        account.calm_epoch = -1
    loan_id = state.take_id()
    set_debt_flag(state, account, balance.principal_units > 0, True)
    coin.pool_units -= units
    coin.lent_units += units
    note_lent(state, coin, units)
    balance.available_units += units
    balance.principal_units += units
    balance.hour = state.hour
    events.append(Borrowed(loan_id, account.id, coin.id, units, auto, client_oid))
    charge_first_hour(state, account, balance, loan_id, units, events)
    return loan_id


def decide_repay(state: State, account: Account, cmd: Repay) -> Reply | None:
    """Say why a repayment would be refused, or None. Changes nothing (RULES 6.4)."""
    if not account.margin:
        return Reply(Refusal.MARGIN_NOT_OPENED)
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    coin = state.coins[cmd.coin]
    if not account.holds(coin):
        return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=coin.name)
    if cmd.units <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)
    balance = account.balance(coin)
    debt = debt_units(state, account, balance)
    if debt == 0:
        return Reply(Refusal.NO_DEBT, detail=coin.name)
    units = min(cmd.units, debt)
    if units > balance.available_units:
        return Reply(Refusal.REPAY_OVER_AVAILABLE, units=balance.available_units)
    due = interest_due(state, account.user, balance)
    if units < due:
        return Reply(Refusal.REPAY_UNDER_INTEREST, units=due)
    return None


def repay(state: State, account: Account, cmd: Repay, events: list[Event]) -> Reply:
    """Pay back up to `units`, capped at the debt. Refuses as `decide_repay` says."""
    refusal = decide_repay(state, account, cmd)
    if refusal is not None:
        return refusal

    # From here the repayment succeeds.
    balance = account.balance(state.coins[cmd.coin])
    units = min(cmd.units, debt_units(state, account, balance))
    repay_id = pay_back(state, account, balance, units, REPAY_MANUAL, events)
    watch(state, account, events)
    return Reply(None, repay_id, units, debt_units(state, account, balance))


def pay_back(
    state: State,
    account: Account,
    balance: Balance,
    units: int,
    kind: int,
    events: list[Event],
) -> int:
    """Take `units` from available, interest first, then principal; return the repayment's id."""
    coin = balance.coin
    assert 0 < units <= balance.available_units
    bring_up_to_date(state, account, balance, events)
    due = balance.shown_units - balance.paid_units
    interest = units if units < due else due
    principal = units - interest
    assert principal <= balance.principal_units, "Invariant: more repaid than owed"

    balance.available_units -= units
    balance.paid_units += interest
    balance.principal_units -= principal
    coin.interest_units += interest
    coin.pool_units += principal
    coin.lent_units -= principal
    note_lent(state, coin, -principal)
    remaining = balance.principal_units + due - interest
    set_debt_flag(state, account, True, balance.principal_units > 0)
    repay_id = state.take_id()
    events.append(Repaid(repay_id, account.id, coin.id, interest, principal, kind, remaining))

    assert coin.lent_units >= 0, "Invariant: more came back than was lent"
    return repay_id


def set_leverage(state: State, account: Account, cmd: SetLeverage, events: list[Event]) -> Reply:
    """Set an account's leverage; it may be lowered only as far as its debt allows (RULES 6.5)."""
    if not account.margin:
        return Reply(Refusal.MARGIN_NOT_OPENED)
    if account.liquidation is not None:
        return Reply(Refusal.IN_LIQUIDATION)
    highest = max_leverage(state, account)
    if not 1 <= cmd.leverage <= highest:
        return Reply(Refusal.LEVERAGE_OUT_OF_RANGE, units=highest)
    risk = assess(state, account, caution=True)
    excess_e26 = risk.debt_e26 - (cmd.leverage - 1) * risk.net_e26
    if risk.debt_e26 > 0 and excess_e26 > 0:
        # Said in 1e-8 USDT: repaying that much lets the leverage be set.
        return Reply(Refusal.LEVERAGE_BELOW_DEBT, units=-(-excess_e26 // 10**18))

    # From here the change succeeds.
    account.leverage = cmd.leverage
    events.append(LeverageSet(account.id, cmd.leverage))
    return Reply(None, 0, cmd.leverage)
