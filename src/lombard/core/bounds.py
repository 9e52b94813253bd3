"""Bounds: sure answers from small numbers, so that exact ones are only worked out near a line.

The exact risk of an account is made of products beyond 64 bits (`risk.assess`). Almost every
account is far from every line, and a coarse bound proves it: net rounded down, debt and
maintenance rounded up, in 1e-6 USDT with prices of twelve significant bits. A bound never decides
against anyone: where it does not prove an account safe, the exact rule is asked. A property test
holds the two together.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from lombard.core.interest import interest_due
from lombard.core.state import Account, Coin, State
from lombard.core.units import RATIO_ONE_E6, div_ceil

# Significant bits of a bounding price, and the scale of bounding ratios.
PRICE_BITS: Final = 12
RATIO_BITS: Final = 10
RATIO_MASK: Final = (1 << RATIO_BITS) - 1
# Within these a 64-bit product cannot wrap; beyond them there is no bound, and the exact rule is
# asked: 5.6 million coins of eight decimals, and 4.6 billion USDT.
UNITS_LIMIT: Final = 1 << 49
PRICE_LIMIT: Final = 1 << (PRICE_BITS + 1)
VALUE_LIMIT: Final = 1 << 52
LEVERAGE_LIMIT: Final = 1 << 10
# price_e12 * value_scale is in 1e-20 USDT a unit; bounds are in 1e-6 USDT.
_VALUE_DIVISOR: Final = 10**14


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Bounds:
    """Bounds of an account under caution, in 1e-6 USDT: N from below, the others from above.

    `frozen_high` is what its open orders could lose at most: everything they have frozen.
    """

    __slots__ = ("debt_high", "frozen_high", "maintenance_high", "net_low")

    def __init__(
        self, net_low: i64, debt_high: i64, maintenance_high: i64, frozen_high: i64
    ) -> None:
        self.net_low: Final[i64] = net_low
        self.debt_high: Final[i64] = debt_high
        self.maintenance_high: Final[i64] = maintenance_high
        self.frozen_high: Final[i64] = frozen_high

    def calm_after(self, lost: i64, maintenance: i64) -> bool:
        """Say whether the ratio stays below 0.8 after a loss, and with more to maintain."""
        assert 0 <= lost < VALUE_LIMIT
        # A part of less than the limit, rounded up, may be the limit.
        assert 0 <= maintenance <= VALUE_LIMIT
        return 5 * (self.maintenance_high + maintenance) < 4 * (self.net_low - lost)

    def carries(self, debt: i64, leverage: i64) -> bool:
        """Say whether the net carries a further debt at a leverage (RULES 6.1)."""
        assert 0 <= debt < VALUE_LIMIT
        assert 0 <= leverage <= LEVERAGE_LIMIT
        return self.debt_high + debt <= (leverage - 1) * self.net_low


def set_price_bounds(coin: Coin) -> None:
    """Work out a coin's bounding prices from the lower and the higher of index and slow average."""
    low, high = coin.price_e12, coin.slow_price_e12
    if low > high:
        low, high = high, low
    low *= coin.value_scale
    high *= coin.value_scale
    shift = max(0, _VALUE_DIVISOR.bit_length() + PRICE_BITS - 1 - high.bit_length())
    shift = min(shift, 62)
    coin.bound_shift = shift
    # What is beyond the limit is no bound, however far it is.
    coin.bound_low = min(PRICE_LIMIT + 1, (low << shift) // _VALUE_DIVISOR)
    coin.bound_high = min(PRICE_LIMIT + 1, div_ceil(high << shift, _VALUE_DIVISOR))


def set_ratio_bounds(coin: Coin) -> None:
    """Work out a coin's bounding ratios: the least collateral ratio, the highest MMR."""
    coin.bound_weight = (coin.collateral_steps[-1][1] << RATIO_BITS) // RATIO_ONE_E6
    mmr_e6 = coin.cross_tiers[-1][2] if coin.cross_tiers else RATIO_ONE_E6
    for _, _, tier_mmr_e6 in coin.cross_tiers:
        if tier_mmr_e6 > mmr_e6:
            mmr_e6 = tier_mmr_e6
    coin.bound_mmr = div_ceil(mmr_e6 << RATIO_BITS, RATIO_ONE_E6)


def value_high(coin: Coin, units: int) -> i64:
    """Return what units are worth at most, in 1e-6 USDT; VALUE_LIMIT where there is no bound."""
    assert units >= 0
    if units >= UNITS_LIMIT or coin.bound_high > PRICE_LIMIT:
        return VALUE_LIMIT
    value = _value(units, coin.bound_high, coin.bound_shift) + 1
    if value > VALUE_LIMIT:
        return VALUE_LIMIT
    return value


def _value(units: i64, price: i64, shift: i64) -> i64:
    """Return `units * price >> shift`. Cannot wrap: 49 bits of units by 13 of price."""
    assert 0 <= units < UNITS_LIMIT
    assert 0 <= price <= PRICE_LIMIT
    return units * price >> shift


def mmr_bound(account: Account, coin: Coin) -> i64:
    """Return the highest MMR a debt of an account can have, in 1/1024, rounded up."""
    pair = account.pair
    if pair is None:
        return coin.bound_mmr
    mmr_e6 = 0
    for _, _, _, tier_mmr_e6 in pair.isolated_tiers:
        if tier_mmr_e6 > mmr_e6:
            mmr_e6 = tier_mmr_e6
    return div_ceil(mmr_e6 << RATIO_BITS, RATIO_ONE_E6)


def bounds_of(state: State, account: Account) -> Bounds | None:
    """Bound an account's risk; None when a price is missing or stale, or a number is too large."""
    net: i64 = 0
    debt: i64 = 0
    maintenance: i64 = 0
    frozen: i64 = 0
    now_ms = state.time_ms
    crossed = account.pair is None
    for balance in account.balances:
        held = balance.available_units + balance.frozen_units
        owed = balance.principal_units
        if held == 0 and owed == 0:
            continue
        coin = balance.coin
        max_age_ms = coin.price_max_age_ms
        if coin.price_e12 == 0 or 0 < max_age_ms < now_ms - coin.price_time_ms:
            return None
        if owed:
            owed += interest_due(state, account.user, balance)
        if held >= UNITS_LIMIT or owed >= UNITS_LIMIT or coin.bound_high > PRICE_LIMIT:
            return None
        high = coin.bound_high
        shift = coin.bound_shift
        if owed:
            value = _value(owed, high, shift) + 1
            debt += value
            maintenance += share(value, mmr_bound(account, coin)) + 1
        if held >= owed:
            value = _value(held - owed, coin.bound_low, shift)
            net += share(value, coin.bound_weight) if crossed else value
        else:
            net -= _value(owed - held, high, shift) + 1
        if balance.frozen_units:
            frozen += _value(balance.frozen_units, high, shift) + 1
        if not -VALUE_LIMIT < net < VALUE_LIMIT or debt >= VALUE_LIMIT or frozen >= VALUE_LIMIT:
            return None
    return Bounds(net, debt, maintenance, frozen)


def share(value: i64, ratio: i64) -> i64:
    """Return a part of a value, rounded down. Cannot wrap: ratios are at most 1."""
    assert 0 <= ratio <= 1 << RATIO_BITS
    return (value >> RATIO_BITS) * ratio + ((value & RATIO_MASK) * ratio >> RATIO_BITS)
