"""At which price an account is liquidated, all else equal (RULES 7.3).

While nothing but one coin's index moves, N and K are straight lines of its price: `N - K` has one
root, exact in integers. A coin the account is long of liquidates it from below, one that it is
short of from above.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.risk import assess, debt_units, needed_e6, weighted_e6
from lombard.core.state import Account, Coin, State
from lombard.core.units import RATIO_ONE_E6, div_ceil

LONG: Final = 1
SHORT: Final = -1


@final
class LiquidationPrice:
    """The index price at which `N <= K` begins: at it and below when long, above when short."""

    __slots__ = ("direction", "price_e12")

    def __init__(self, price_e12: int, direction: int) -> None:
        self.price_e12: Final = price_e12
        self.direction: Final = direction


def liquidation_price(state: State, account: Account, coin: Coin) -> LiquidationPrice | None:
    """Return where a coin's index would have the account liquidated; None when nowhere above 0.

    Long: the highest such price. Short: the lowest, 1 when the account is below its line at any.
    """
    if account.debts == 0:
        return None
    slope = _slope(state, account, coin)
    risk = assess(state, account)
    rest = risk.net_e26 - risk.maintenance_e26 - slope * coin.price_e12
    if slope > 0:
        price = -rest // slope
        return LiquidationPrice(price, LONG) if price > 0 else None
    if slope < 0:
        return LiquidationPrice(max(1, div_ceil(rest, -slope)), SHORT)
    return None


def _slope(state: State, account: Account, coin: Coin) -> int:
    """Return by how much N - K grows with each 1e-12 USDT of a coin's price."""
    balance = account.find(coin)
    if balance is None:
        return 0
    owed = debt_units(state, account, balance)
    excess = balance.available_units + balance.frozen_units - owed
    slope = excess * RATIO_ONE_E6
    if excess > 0:
        slope = weighted_e6(account, coin, excess)
    if owed:
        slope -= needed_e6(account, coin, balance.principal_units, owed)
    return slope * coin.value_scale
