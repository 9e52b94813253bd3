"""Stress: who would come to a line if prices moved, and what would be missing then.

The index of some coins moves by a part of itself, at once and while nothing else does. Each debtor
is assessed at those prices by the exact rule (RULES 7.2, 7.3), so who is said to be liquidated is
whom the engine locks when the index is set so, and nobody else. What would be missing is an
estimate: surpluses are sold at the moved price, less a part that selling costs, for what is owed,
the largest debt first. No book is looked at, and the fee of liquidation, which is taken last and
from what remains, makes nobody short.

Accounts are looked at in as many parts as the caller likes: a large venue need not stand still.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.risk import Risk, assess, debt_units, needed_e6, weighted_e6
from lombard.core.state import Account, State
from lombard.core.units import RATIO_ONE_E6

# What becomes of an account that comes to a line.
CALLED: Final = 1
LIQUIDATED: Final = 2


@final
class Stressed:
    """An account that comes to a line. Values in 1e-26 USDT at the moved prices.

    `already` when it is in liquidation now. `missing` is what it could not repay, `(coin, units)`.
    """

    __slots__ = (
        "account",
        "already",
        "assets_e26",
        "before_e6",
        "debt_e26",
        "missing",
        "outcome",
        "ratio_e6",
        "shortfall_e26",
    )

    def __init__(self, account: int, outcome: int, already: bool, before_e6: int) -> None:
        self.account: Final = account
        self.outcome: Final = outcome
        self.already: Final = already
        # K / N at the index, and at the moved prices.
        self.before_e6: Final = before_e6
        self.ratio_e6 = 0
        self.assets_e26 = 0
        self.debt_e26 = 0
        self.shortfall_e26 = 0
        self.missing: list[tuple[int, int]] = []


@final
class Stress:
    """What moved prices come to, as far as accounts have been looked at.

    `missing_units` is by coin. `worst` are those of the accounts concerned that miss most, then
    those with the highest ratio; at most `rows_max` of them.
    """

    __slots__ = (
        "already",
        "called",
        "cost_e6",
        "debtors",
        "liquidated",
        "liquidated_assets_e26",
        "liquidated_debt_e26",
        "missing_units",
        "prices_e12",
        "rows_max",
        "short",
        "shortfall_e26",
        "worst",
    )

    def __init__(self, prices_e12: list[int], cost_e6: int, rows_max: int) -> None:
        assert 0 <= cost_e6 < RATIO_ONE_E6
        self.prices_e12: Final = prices_e12
        self.cost_e6: Final = cost_e6
        self.rows_max: Final = rows_max
        self.debtors = 0
        self.called = 0
        self.liquidated = 0
        self.already = 0
        self.short = 0
        self.liquidated_assets_e26 = 0
        self.liquidated_debt_e26 = 0
        self.shortfall_e26 = 0
        self.missing_units: Final = [0] * len(prices_e12)
        self.worst: list[Stressed] = []

    def look_at(self, state: State, account_ids: list[int]) -> None:
        """Count a part of the debtors; who owes nothing any more is passed over."""
        for account_id in account_ids:
            account = state.indebted.get(account_id)
            if account is not None:
                self.debtors += 1
                found = stressed(state, account, self.prices_e12, self.cost_e6)
                if found is not None:
                    self._count(found)
        if len(self.worst) > 2 * self.rows_max:
            self.rank()

    def value_e26(self, state: State, coin: int, units: int) -> int:
        """Return what units of a coin are worth at the moved prices."""
        return self.prices_e12[coin] * state.coins[coin].value_scale * units * RATIO_ONE_E6

    def rank(self) -> None:
        """Put the worst first, and keep no more of them than were asked for."""
        order = [(-row.shortfall_e26, -row.ratio_e6, row.account) for row in self.worst]
        by_account = {row.account: row for row in self.worst}
        self.worst = [by_account[key[2]] for key in sorted(order)[: self.rows_max]]

    def _count(self, found: Stressed) -> None:
        self.worst.append(found)
        if found.outcome == CALLED:
            self.called += 1
            return
        self.liquidated += 1
        if found.already:
            self.already += 1
        self.liquidated_assets_e26 += found.assets_e26
        self.liquidated_debt_e26 += found.debt_e26
        if found.missing:
            self.short += 1
        self.shortfall_e26 += found.shortfall_e26
        for coin, units in found.missing:
            self.missing_units[coin] += units


def moved_prices(state: State, moves: list[tuple[int, int]]) -> list[int]:
    """Return every coin's index price after moves `(coin, change_e6)`, 0 where there is none.

    A change is above -1; a price stays above 0.
    """
    prices = [coin.price_e12 for coin in state.coins]
    for coin, change_e6 in moves:
        assert change_e6 > -RATIO_ONE_E6
        if prices[coin]:
            moved = prices[coin] * (RATIO_ONE_E6 + change_e6) // RATIO_ONE_E6
            prices[coin] = max(1, moved)
    return prices


def debtors(state: State) -> list[int]:
    """Return the ids of all accounts that owe something."""
    return list(state.indebted)


def stressed(
    state: State, account: Account, prices_e12: list[int], cost_e6: int
) -> Stressed | None:
    """Return what becomes of a debtor at other prices; None for one that keeps its distance.

    An account that holds a coin without a price is decided upon by nobody (RULES 7.7). One that is
    being liquidated now still is, whatever prices do.
    """
    already = account.liquidation is not None
    risk = risk_at(state, account, prices_e12)
    if risk is None:
        return None
    if already or risk.to_liquidate():
        outcome = LIQUIDATED
    elif risk.to_call():
        outcome = CALLED
    else:
        return None
    found = Stressed(account.id, outcome, already, assess(state, account).ratio_e6())
    found.ratio_e6 = risk.ratio_e6()
    found.debt_e26 = risk.debt_e26
    _settle(state, account, prices_e12, cost_e6, found)
    return found


def risk_at(state: State, account: Account, prices_e12: list[int]) -> Risk | None:
    """Return an account's risk at other prices (RULES 7.2); None where a price is missing."""
    net = 0
    debt = 0
    needed = 0
    for balance in account.balances:
        held = balance.available_units + balance.frozen_units
        owed = debt_units(state, account, balance)
        if held == 0 and owed == 0:
            continue
        coin = balance.coin
        # A coin that was listed since has no price here.
        price = prices_e12[coin.id] * coin.value_scale if coin.id < len(prices_e12) else 0
        if price == 0:
            return None
        excess = held - owed
        net += price * (
            weighted_e6(account, coin, excess) if excess >= 0 else excess * RATIO_ONE_E6
        )
        if owed:
            debt += price * owed * RATIO_ONE_E6
            needed += price * needed_e6(account, coin, balance.principal_units, owed)
    return Risk(net, debt, needed)


def _settle(
    state: State, account: Account, prices_e12: list[int], cost_e6: int, found: Stressed
) -> None:
    """Note an account's assets, and what is missing of its debts when they are sold for them."""
    proceeds = 0
    # (-value, coin, units, value of a unit): what is owed beyond what is held of the same coin.
    deficits: list[tuple[int, int, int, int]] = []
    for balance in account.balances:
        coin = balance.coin
        price = prices_e12[coin.id] * coin.value_scale * RATIO_ONE_E6
        held = balance.available_units + balance.frozen_units
        excess = held - debt_units(state, account, balance)
        found.assets_e26 += price * held
        if excess > 0:
            proceeds += price * excess * (RATIO_ONE_E6 - cost_e6) // RATIO_ONE_E6
        elif excess < 0:
            deficits.append((price * excess, coin.id, -excess, price))
    if found.outcome != LIQUIDATED:
        return
    for value, coin_id, units, price in sorted(deficits):
        paid = min(units, proceeds // price)
        proceeds = 0 if paid < units else proceeds + value
        if paid < units:
            found.missing.append((coin_id, units - paid))
            found.shortfall_e26 += (units - paid) * price
