"""Deposits, and transfers between the accounts of one user (RULES 2.3, 9.1)."""

from __future__ import annotations

from typing import Final

from lombard.core.commands import SLOT_ISOLATED, Deposit, Transfer, slot_of, user_of
from lombard.core.events import Deposited, Event, Transferred
from lombard.core.refusals import Refusal
from lombard.core.risk import assess, high_price_e12, index_problem
from lombard.core.state import Account, Coin, Reply, State
from lombard.core.terms import Term
from lombard.core.units import RATIO_ONE_E6, too_large
from lombard.core.watch import watch

BY_AVAILABLE: Final = "available"
BY_EQUITY: Final = "equity"
BY_RATIO: Final = "ratio"


def transfer_terms(state: State, account: Account, coin: Coin) -> list[Term]:
    """Return what bounds a transfer: what is available, and, with debt, T and the ratio.

    A coin without a price is bound by the first alone; with debt it is stale, and may not move.
    """
    balance = account.find(coin)
    terms = [Term(BY_AVAILABLE, 0 if balance is None else balance.available_units)]
    if account.debts and coin.price_e12:
        risk = assess(state, account, caution=True)
        # N falls by no more than the full price of what leaves.
        price = high_price_e12(coin) * coin.value_scale * RATIO_ONE_E6
        terms.append(Term(BY_EQUITY, (risk.net_e26 - risk.debt_e26) // price))
        terms.append(Term(BY_RATIO, (risk.net_e26 - 2 * risk.maintenance_e26) // price))
    return terms


def max_transferable(state: State, account: Account, coin: Coin) -> int:
    """Return what may leave an account: T = N - D, and a ratio of at most 0.5 after (RULES 9.1).

    Everything available when debt-free; nothing while locked, frozen, or an index is stale.
    """
    balance = account.find(coin)
    if balance is None or balance.available_units == 0 or account.liquidation is not None:
        return 0
    if account.frozen:
        return 0
    if account.debts == 0:
        return balance.available_units
    if index_problem(state, account) is not None:
        return 0
    return max(0, min([term.units for term in transfer_terms(state, account, coin)]))


def deposit(state: State, account: Account, cmd: Deposit, events: list[Event]) -> Reply:
    """Credit coins from outside to a spot account."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if account.margin:
        return Reply(Refusal.NOT_TRANSFERABLE)
    if cmd.units <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)
    if too_large(cmd.units):
        return Reply(Refusal.AMOUNT_TOO_LARGE)

    # From here the deposit succeeds.
    coin = state.coins[cmd.coin]
    coin.external_units -= cmd.units
    account.balance(coin).available_units += cmd.units
    deposit_id = state.take_id()
    events.append(Deposited(deposit_id, account.id, coin.id, cmd.units))
    return Reply(None, deposit_id, cmd.units)


def reachable(state: State, account_id: int) -> Account | None:
    """Return an account, or the isolated one that a first transfer would open, not yet added."""
    account = state.accounts.get(account_id)
    if account is not None:
        return account
    user = state.users.get(user_of(account_id))
    pair_id = slot_of(account_id) - SLOT_ISOLATED
    if user is None or not 0 <= pair_id < len(state.pairs):
        return None
    pair = state.pairs[pair_id]
    return Account(account_id, user, pair) if pair.isolated_tiers else None


def decide_transfer(state: State, account: Account, cmd: Transfer) -> Reply | None:
    """Say why a transfer would be refused, or None. Changes nothing."""
    if user_of(cmd.to_account) != account.user.id:
        return Reply(Refusal.ACCOUNT_UNKNOWN)
    if cmd.to_account == account.id:
        return Reply(Refusal.SAME_ACCOUNT)
    target = reachable(state, cmd.to_account)
    if target is None:
        return Reply(Refusal.ACCOUNT_UNKNOWN)
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    coin = state.coins[cmd.coin]
    if not (account.holds(coin) and target.holds(coin)):
        return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=coin.name)
    if not coin.transferable:
        return Reply(Refusal.NOT_TRANSFERABLE, detail=coin.name)
    if cmd.units <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)
    if account.liquidation is not None:
        return Reply(Refusal.IN_LIQUIDATION)
    if account.frozen:
        return Reply(Refusal.ACCOUNT_FROZEN)
    balance = account.find(coin)
    if balance is None or cmd.units > balance.available_units:
        return Reply(Refusal.INSUFFICIENT_BALANCE, detail=coin.name)
    if account.debts:
        stale = index_problem(state, account)
        if stale is not None:
            return Reply(Refusal.INDEX_STALE, detail=stale.name)
    limit = max_transferable(state, account, coin)
    if cmd.units > limit:
        return Reply(Refusal.TRANSFER_OVER_MAXIMUM, units=limit, detail=coin.name)
    return None


def transfer(state: State, account: Account, cmd: Transfer, events: list[Event]) -> Reply:
    """Move coins to another account of the same user. Refuses as `decide_transfer` says."""
    refusal = decide_transfer(state, account, cmd)
    if refusal is not None:
        return refusal

    # From here the transfer succeeds.
    target = reachable(state, cmd.to_account)
    assert target is not None
    if target.id not in state.accounts:
        state.open_account(target)
    coin = state.coins[cmd.coin]
    account.calm_epoch = -1
    account.balance(coin).available_units -= cmd.units
    target.balance(coin).available_units += cmd.units
    transfer_id = state.take_id()
    events.append(
        Transferred(transfer_id, account.id, target.id, coin.id, cmd.units, cmd.client_oid)
    )
    watch(state, target, events)

    assert account.balance(coin).available_units >= 0, "Invariant: a transfer overdrew"
    return Reply(None, transfer_id, cmd.units)
