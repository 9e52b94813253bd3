"""Rates: what a coin's loans cost a day, by how much of its pool is lent (RULES 5).

A rate model is a kinked curve of utilisation and a premium on top; a fixed rate is a flat one. The
rate of an hour is the curve at the time-weighted utilisation of the hour before: an instant can be
gamed. Each coin keeps the exact integrals, in unit-milliseconds, that the running hour will have
come to if nothing changes until its end; so a loan costs one multiplication, the hour turn reads
them off, and the estimate of the next hour's rate is the same formula asked earlier.
"""

from __future__ import annotations

from lombard.core.commands import SetRate, SetRateModel
from lombard.core.events import Event, RateModelSet, RateSet
from lombard.core.refusals import Refusal
from lombard.core.state import Coin, RateCurve, Reply, State
from lombard.core.units import HOUR_MS, RATE_ONE_E12, RATIO_ONE_E6, div_ceil


def level_rate_e12(state: State, rate_e12: int, level: int) -> int:
    """Return a level's daily rate: discounted, rounded up in the pool's favour (RULES 5.1)."""
    return div_ceil(rate_e12 * state.vip_levels[level][0], RATIO_ONE_E6)


def curve_rate_e12(curve: RateCurve, lent: int, supplied: int) -> int:
    """Return the daily rate at the utilisation `lent / supplied`, rounded up at 1e-12 (RULES 5.1).

    Both are amounts, or integrals of amounts over the same time. An empty pool is not utilised.
    """
    assert 0 <= lent <= supplied
    base_e12, kink_e6, at_kink_e12, at_full_e12, premium_e12 = curve
    if supplied == 0:
        return base_e12 + premium_e12
    beyond = lent * RATIO_ONE_E6 - kink_e6 * supplied
    if beyond <= 0:
        rise = (at_kink_e12 - base_e12) * lent * RATIO_ONE_E6
        return base_e12 + div_ceil(rise, kink_e6 * supplied) + premium_e12
    rise = (at_full_e12 - at_kink_e12) * beyond
    return at_kink_e12 + div_ceil(rise, (RATIO_ONE_E6 - kink_e6) * supplied) + premium_e12


def rate_of_next_hour(coin: Coin) -> int:
    """Return the daily rate the coming hour will have if nothing is lent or repaid until then."""
    return curve_rate_e12(coin.rate_curve, coin.lent_ms, coin.supplied_ms)


def note_lent(state: State, coin: Coin, units: int) -> None:
    """Weigh what was lent just now (or came back: negative) by what is left of the hour.

    All that is lent in one moment has the same weight: it is multiplied when another moment comes.
    """
    left_ms = state.next_hour_ms - state.time_ms
    if coin.noted_left_ms != left_ms:
        coin.begin_moment(left_ms)
    coin.noted_units += units


def note_supplied(state: State, coin: Coin, units: int) -> None:
    """Weigh what was added to the pool just now (or lost: negative) by what is left of the hour."""
    coin.supplied_ms += units * (state.next_hour_ms - state.time_ms)


def begin_hour(coin: Coin) -> None:
    """Begin the integrals of an hour with what is lent, and may be, at its start."""
    coin.lent_ms = coin.lent_units * HOUR_MS
    coin.supplied_ms = (coin.pool_units + coin.lent_units) * HOUR_MS


def set_rate(state: State, cmd: SetRate, events: list[Event]) -> Reply:
    """Lend a coin at a fixed rate from the next full hour; its very first rate holds at once."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if not 0 <= cmd.rate_e12 <= RATE_ONE_E12:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="rate")

    # From here the change succeeds.
    coin = state.coins[cmd.coin]
    coin.rate_curve = (cmd.rate_e12, RATIO_ONE_E6, cmd.rate_e12, cmd.rate_e12, 0)
    events.append(RateSet(coin.id, cmd.rate_e12, _in_force_from(state, coin)))
    return Reply(None)


def set_rate_model(state: State, cmd: SetRateModel, events: list[Event]) -> Reply:
    """Lend a coin at a curve of its utilisation from the next full hour (RULES 5.1)."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if not 0 < cmd.kink_e6 <= RATIO_ONE_E6:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="kink")
    if not 0 <= cmd.base_e12 <= cmd.at_kink_e12 <= cmd.at_full_e12:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="a rate that falls with utilisation")
    if cmd.premium_e12 < 0 or cmd.at_full_e12 + cmd.premium_e12 > RATE_ONE_E12:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="rate")

    # From here the change succeeds.
    coin = state.coins[cmd.coin]
    first = not coin.has_rate
    curve = (cmd.base_e12, cmd.kink_e6, cmd.at_kink_e12, cmd.at_full_e12, cmd.premium_e12)
    coin.rate_curve = curve
    from_ms = _in_force_from(state, coin)
    events.append(RateModelSet(coin.id, *curve, from_ms))
    if first:
        # No hour will turn to tell of it.
        events.append(RateSet(coin.id, rate_of_next_hour(coin), from_ms))
    return Reply(None)


def _in_force_from(state: State, coin: Coin) -> int:
    """Return from when a coin's new rate holds; a very first one holds this hour, and is put in."""
    if coin.has_rate:
        return state.next_hour_ms
    # Nothing was lent before there was a rate: the hour that runs may have it.
    rate_e12 = rate_of_next_hour(coin)
    for level, prefix in enumerate(coin.prefix_e12):
        prefix[-1] += level_rate_e12(state, rate_e12, level)
    coin.has_rate = True
    return state.hour_ms(state.hour)


def add_levels(state: State) -> None:
    """Give each coin's prefix sums the VIP levels they lack, at this hour's rate (RULES 5.2).

    Nobody is on a new level before the next hour turn; its earlier hours are left at 0.
    """
    for coin in state.coins:
        plain = coin.prefix_e12[0]
        rate_e12 = plain[-1] - plain[-2]
        for level in range(len(coin.prefix_e12), len(state.vip_levels)):
            running = level_rate_e12(state, rate_e12, level)
            coin.prefix_e12.append([*([0] * (state.hour + 1)), running])
