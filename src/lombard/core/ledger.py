"""The ledger: every event's postings sum to zero, and the state agrees with them (RULES 2).

Each account has two columns: what it holds, and what it owes (negative). Lending moves coins from
the pool to the borrower, and books the pool's claim (`lent`) against the borrower's debt; a loss
moves the claim from `lent` to `loss`, which takes over the debt. Interest is the venue's only when
it is paid. Postings are never built on the order path: the checks, the audit and history use them.
"""

from __future__ import annotations

from typing import Final

from lombard.core.commands import BUY
from lombard.core.events import (
    Borrowed,
    Deposited,
    Event,
    FundPaid,
    FundTook,
    InsuranceFunded,
    LiquidationFeePaid,
    LossBooked,
    PoolFunded,
    Repaid,
    Traded,
    Transferred,
    VenueWithdrew,
    Withdrawn,
)
from lombard.core.interest import interest_due
from lombard.core.state import Account, Balance, Coin, State

# The system's accounts. Users' ids are far above them.
EXTERNAL: Final = 1
POOL: Final = 2
LENT: Final = 3
FEE: Final = 4
INTEREST: Final = 5
INSURANCE: Final = 6
LOSS: Final = 7
# The columns.
HOLDS: Final = 0
OWES: Final = 1

# (account, column, coin, units)
Posting = tuple[int, int, int, int]


def postings(event: Event, pair_coins: list[tuple[int, int]]) -> list[Posting]:
    """Return what an event moves, zero in sum; `pair_coins` are `(base, quote)` by pair."""
    if isinstance(event, Traded):
        return _trade_postings(event, pair_coins[event.pair])
    if isinstance(event, Borrowed):
        return _loan(event.account, event.coin, event.units)
    if isinstance(event, Repaid):
        paid = event.interest_units
        rows = _loan(event.account, event.coin, -event.principal_units)
        rows.append((event.account, HOLDS, event.coin, -paid))
        rows.append((INTEREST, HOLDS, event.coin, paid))
        return rows
    if isinstance(event, Transferred):
        return _move(event.from_account, event.to_account, event.coin, event.units)
    if isinstance(event, Deposited):
        return _move(EXTERNAL, event.account, event.coin, event.units)
    if isinstance(event, Withdrawn):
        return _move(event.account, EXTERNAL, event.coin, event.units)
    if isinstance(event, PoolFunded):
        return _move(EXTERNAL, POOL, event.coin, event.units)
    if isinstance(event, InsuranceFunded):
        return _move(EXTERNAL, INSURANCE, event.coin, event.units)
    if isinstance(event, VenueWithdrew):
        return _move(event.source, EXTERNAL, event.coin, event.units)
    if isinstance(event, FundPaid):
        return _move(INSURANCE, event.account, event.coin, event.units)
    if isinstance(event, (FundTook, LiquidationFeePaid)):
        return _move(event.account, INSURANCE, event.coin, event.units)
    if isinstance(event, LossBooked):
        units = event.principal_units
        return [
            (LENT, HOLDS, event.coin, -units),
            (LOSS, HOLDS, event.coin, units),
            (event.account, OWES, event.coin, units),
            (LOSS, OWES, event.coin, -units),
        ]
    return []


def _move(source: int, target: int, coin: int, units: int) -> list[Posting]:
    return [(source, HOLDS, coin, -units), (target, HOLDS, coin, units)]


def _loan(account: int, coin: int, units: int) -> list[Posting]:
    return [
        (POOL, HOLDS, coin, -units),
        (account, HOLDS, coin, units),
        (LENT, HOLDS, coin, units),
        (account, OWES, coin, -units),
    ]


def _trade_postings(event: Traded, coins: tuple[int, int]) -> list[Posting]:
    base, quote = coins
    buyer, buyer_fee = event.taker_account, event.taker_fee_units
    seller, seller_fee = event.maker_account, event.maker_fee_units
    if event.taker_side != BUY:
        buyer, buyer_fee, seller, seller_fee = seller, seller_fee, buyer, buyer_fee
    return [
        (seller, HOLDS, base, -event.base_units),
        (buyer, HOLDS, base, event.base_units - buyer_fee),
        (FEE, HOLDS, base, buyer_fee),
        (buyer, HOLDS, quote, -event.quote_units),
        (seller, HOLDS, quote, event.quote_units - seller_fee),
        (FEE, HOLDS, quote, seller_fee),
    ]


def columns(state: State) -> dict[tuple[int, int, int], int]:
    """Return what every account holds and owes, by `(account, column, coin)`; zeros left out."""
    held: dict[tuple[int, int, int], int] = {}
    for coin in state.coins:
        held[EXTERNAL, HOLDS, coin.id] = coin.external_units
        held[POOL, HOLDS, coin.id] = coin.pool_units
        held[LENT, HOLDS, coin.id] = coin.lent_units
        held[FEE, HOLDS, coin.id] = coin.fee_units
        held[INTEREST, HOLDS, coin.id] = coin.interest_units
        held[INSURANCE, HOLDS, coin.id] = coin.insurance_units
        held[LOSS, HOLDS, coin.id] = coin.loss_units
        held[LOSS, OWES, coin.id] = -coin.loss_units
    for account in state.accounts.values():
        for balance in account.balances:
            coin_id = balance.coin.id
            held[account.id, HOLDS, coin_id] = balance.available_units + balance.frozen_units
            held[account.id, OWES, coin_id] = -balance.principal_units
    return {key: units for key, units in held.items() if units}


def check(state: State) -> None:
    """Audit the state (RULES 2): sums, signs, pools, freezes, debts. Raises AssertionError."""
    sums: dict[int, int] = {}
    for (_, _, coin_id), units in columns(state).items():
        sums[coin_id] = sums.get(coin_id, 0) + units
    for coin_id, units in sums.items():
        assert units == 0, f"Invariant: coin {coin_id} does not balance by {units}"
    lent: dict[int, int] = {}
    for account in state.accounts.values():
        _check_account(state, account, lent)
    for coin in state.coins:
        assert coin.pool_units >= 0, f"Invariant: the {coin.name} pool is negative"
        assert coin.insurance_units >= 0, f"Invariant: the {coin.name} fund is negative"
        assert coin.pool_units + coin.lent_units == coin.supplied_units - coin.loss_units
        assert coin.lent_units == lent.get(coin.id, 0), f"Invariant: {coin.name} lent"
    indebted = [account.id for account in state.accounts.values() if account.debts]
    assert sorted(indebted) == sorted(state.indebted), "Invariant: the list of debtors"


def _check_account(state: State, account: Account, lent: dict[int, int]) -> None:
    frozen: dict[int, int] = {}
    for order in account.orders:
        assert order.frozen_units > 0, f"Invariant: order {order.id} rests unfunded"
        frozen[order.pay.coin.id] = frozen.get(order.pay.coin.id, 0) + order.frozen_units
    debts = 0
    for balance in account.balances:
        _check_balance(state, account, balance, frozen.get(balance.coin.id, 0))
        if balance.principal_units:
            debts += 1
            coin_id = balance.coin.id
            lent[coin_id] = lent.get(coin_id, 0) + balance.principal_units
    assert debts == account.debts, f"Invariant: account {account.id} counts its debts"
    assert not (account.orders and account.liquidation), "Invariant: a locked account has orders"
    assert not (account.orders and account.frozen), "Invariant: a frozen account has orders"


def _check_balance(state: State, account: Account, balance: Balance, frozen_units: int) -> None:
    name = f"Invariant: {balance.coin.name} of account {account.id}"
    assert account.holds(balance.coin), name
    assert balance.available_units >= 0, f"{name}: available"
    assert balance.frozen_units == frozen_units, f"{name}: frozen"
    assert balance.principal_units >= 0, f"{name}: principal"
    due = interest_due(state, account.user, balance)
    assert due >= 0, f"{name}: interest"
    assert balance.principal_units > 0 or due == 0, f"{name}: interest without principal"


def set_debt_flag(state: State, account: Account, had_debt: bool, has_debt: bool) -> None:
    """Keep the account's count of debts, and the venue's list of debtors, true."""
    state.touch(account)
    if had_debt == has_debt:
        return
    account.debts += 1 if has_debt else -1
    if account.debts:
        state.indebted[account.id] = account
        state.remember_debt(account)
    else:
        del state.indebted[account.id]
        account.called = False


def pair_coins(state: State) -> list[tuple[int, int]]:
    """Return `(base, quote)` of every pair, as `postings` wants them."""
    return [(pair.base.id, pair.quote.id) for pair in state.pairs]


def fund_pool(coin: Coin, units: int) -> None:
    """Add coins from outside to a pool."""
    assert units > 0
    coin.external_units -= units
    coin.pool_units += units
    coin.supplied_units += units


def fund_insurance(coin: Coin, units: int) -> None:
    """Add coins from outside to the insurance fund."""
    assert units > 0
    coin.external_units -= units
    coin.insurance_units += units


def take_out(coin: Coin, source: int, units: int) -> None:
    """Let coins of one of the venue's own funds leave; what is there was looked at."""
    assert units > 0
    if source == POOL:
        coin.pool_units -= units
        coin.supplied_units -= units
    elif source == INSURANCE:
        coin.insurance_units -= units
    elif source == FEE:
        coin.fee_units -= units
    else:
        assert source == INTEREST
        coin.interest_units -= units
    coin.external_units += units
