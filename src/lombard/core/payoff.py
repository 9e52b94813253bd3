"""Paying a debt off: what clears it if it is paid before a given time, and what it costs a day.

Interest is charged at full hours, so until the next one the amount is exact. Beyond it the hours
are counted at the rates that hold if nothing changes: `rate_of_next_hour`, at the user's level.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.campaigns import cover, steady_until, weight_e6
from lombard.core.interest import (
    charged_now,
    hour_charge,
    hour_rate_e12,
    hour_saving,
    level_at,
    saved_now,
)
from lombard.core.rates import level_rate_e12, rate_of_next_hour
from lombard.core.state import Account, Balance, Coin, State, User
from lombard.core.units import HOUR_MS, RATE_ONE_E12, div_half_up, net_interest_units


@final
class PayOff:
    """The units that clear a debt. Exact when paid before `exact_until_ms`; `hours` are guessed."""

    __slots__ = ("exact_until_ms", "hours", "interest_units", "principal_units")

    def __init__(
        self, principal_units: int, interest_units_: int, exact_until_ms: int, hours: int
    ) -> None:
        self.principal_units: Final = principal_units
        self.interest_units: Final = interest_units_
        self.exact_until_ms: Final = exact_until_ms
        self.hours: Final = hours

    @property
    def units(self) -> int:
        """What is to be paid."""
        return self.principal_units + self.interest_units


def pay_off(state: State, account: Account, coin: Coin, before_ms: int) -> PayOff:
    """Return what clears an account's debt of a coin if paid before a time, at least now."""
    balance = account.find(coin)
    if balance is None or balance.principal_units == 0:
        return PayOff(0, 0, state.next_hour_ms, 0)
    principal = balance.principal_units
    # A payment at exactly a full hour is in the new hour (RULES 3.1); this one is before that.
    hours = max(0, (before_ms - 1 - state.next_hour_ms) // HOUR_MS + 1)
    charged = charged_now(state, account.user, balance)
    saved = saved_now(state, account.user, balance)
    first = state.hour + 1
    for until, level in _levels(account.user, first, first + hours):
        rate = level_rate_e12(state, rate_of_next_hour(coin), level)
        charged += (until - first) * hour_charge(state, principal, rate)
        saved += _savings(state, balance, rate, first, until)
        first = until
    due = net_interest_units(charged, saved) - balance.paid_units
    return PayOff(principal, due, state.next_hour_ms, hours)


def _savings(state: State, balance: Balance, rate_e12: int, first: int, end: int) -> int:
    """Return the numerator that coupons save in the hours `first` to `end` (left out)."""
    if balance.coupons is None:
        return 0
    saved = 0
    principal = balance.principal_units
    while first < end:
        last = steady_until(balance.coupons, first, end - 1)
        weight = weight_e6(cover(balance.coupons, balance.coin.id, first, principal))
        saved += (last - first + 1) * hour_saving(state, principal, weight, rate_e12)
        first = last + 1
    return saved


def _levels(user: User, first: int, end: int) -> list[tuple[int, int]]:
    """Return the hours `first` to `end` in runs of one VIP level, as `(end of run, level)`."""
    change = user.next_level_hour
    if first < change < end:
        return [(change, user.level), (end, user.next_level)]
    return [(end, level_at(user, first))]


def daily_interest_units(state: State, account: Account, coin: Coin) -> int:
    """Return what a day of a coin's debt costs at the rate of this hour, rounded half up."""
    balance = account.find(coin)
    if balance is None:
        return 0
    rate = hour_rate_e12(state, coin, level_at(account.user, state.hour), state.hour)
    return div_half_up(balance.principal_units * rate, RATE_ONE_E12)
