"""Index prices: what everything is valued at, and never our own book (RULES 7.1, 7.5, 7.6)."""

from __future__ import annotations

from math import isqrt
from typing import Final

from lombard.core.bounds import set_price_bounds
from lombard.core.commands import SetIndexPrices
from lombard.core.events import Event, IndexPricesSet
from lombard.core.refusals import Refusal
from lombard.core.state import Pair, Reply, State
from lombard.core.units import PRICE_ONE_E12, RATIO_ONE_E6, div_ceil, too_large

_ONE_E18: Final = 10**18
# 2**-(1/2), 2**-(1/4), … at 1e-18, enough to tell a millisecond of the longest half-life.
_ROOTS_OF_HALF_E18: Final[list[int]] = []
_root = _ONE_E18 // 2
for _ in range(36):
    _root = isqrt(_root * _ONE_E18)
    _ROOTS_OF_HALF_E18.append(_root)


def decay_e18(elapsed_ms: int, half_life_ms: int) -> int:
    """Return 2 ** -(elapsed / half-life) at 1e-18, in integers."""
    assert elapsed_ms >= 0
    halvings, rest = divmod(elapsed_ms, half_life_ms)
    if halvings >= 60:
        return 0
    factor = _ONE_E18 >> halvings
    for root in _ROOTS_OF_HALF_E18:
        rest *= 2
        if rest >= half_life_ms:
            rest -= half_life_ms
            factor = factor * root // _ONE_E18
    return factor


def relax(state: State) -> None:
    """Let each slow average approach the price that has held since it was last looked at."""
    half_life_ms = state.parameters["caution_half_life_ms"]
    for coin in state.coins:
        elapsed_ms = state.time_ms - coin.slow_time_ms
        gap = coin.slow_price_e12 - coin.price_e12
        if gap and half_life_ms:
            gap = gap * decay_e18(elapsed_ms, half_life_ms) // _ONE_E18
        elif gap:
            gap = 0
        if coin.price_e12 + gap != coin.slow_price_e12:
            coin.slow_price_e12 = coin.price_e12 + gap
            set_price_bounds(coin)
        coin.slow_time_ms = state.time_ms


def set_index_prices(state: State, cmd: SetIndexPrices, events: list[Event]) -> Reply:
    """Publish index prices; all of them or, when one is wrong, none."""
    seen: dict[int, int] = {}
    for coin_id, price_e12, sources, spread_e6, max_age_ms in cmd.prices:
        if not 0 <= coin_id < len(state.coins) or coin_id in seen:
            return Reply(Refusal.COIN_UNKNOWN)
        if price_e12 <= 0:
            return Reply(Refusal.PRICE_NOT_POSITIVE, detail=state.coins[coin_id].name)
        if too_large(price_e12):
            return Reply(Refusal.AMOUNT_TOO_LARGE, detail=state.coins[coin_id].name)
        if sources < 1 or spread_e6 < 0 or max_age_ms < 0:
            return Reply(Refusal.CONFIGURATION_INVALID, detail=state.coins[coin_id].name)
        seen[coin_id] = price_e12

    # From here the prices are published.
    relax(state)
    for coin_id, price_e12, sources, spread_e6, max_age_ms in cmd.prices:
        coin = state.coins[coin_id]
        if coin.price_e12 == 0 or state.parameters["caution_half_life_ms"] == 0:
            coin.slow_price_e12 = price_e12
        coin.price_e12 = price_e12
        coin.price_sources = sources
        coin.price_spread_e6 = spread_e6
        coin.price_time_ms = state.time_ms
        coin.price_max_age_ms = max_age_ms
        set_price_bounds(coin)
    for pair in state.pairs:
        if pair.base.id in seen or pair.quote.id in seen:
            set_bands(state, pair)
    events.append(IndexPricesSet([(row[0], row[1]) for row in cmd.prices]))
    return Reply(None)


def set_bands(state: State, pair: Pair) -> None:
    """Work out what prices a pair's orders must keep to (RULES 7.6, 8.3, 10)."""
    pair.spot_band_e6 = state.parameters["spot_band_e6"]
    base, quote = pair.base.price_e12, pair.quote.price_e12
    if base == 0 or quote == 0:
        return
    divisor = quote * pair.tick_e12 * RATIO_ONE_E6
    centre = base * PRICE_ONE_E12
    band, system = state.parameters["band_e6"], state.parameters["system_band_e6"]
    pair.band_high_ticks = max(1, centre * (RATIO_ONE_E6 + band) // divisor)
    pair.band_low_ticks = max(1, div_ceil(centre * (RATIO_ONE_E6 - band), divisor))
    pair.system_high_ticks = max(1, centre * (RATIO_ONE_E6 + system) // divisor)
    pair.system_low_ticks = max(1, div_ceil(centre * (RATIO_ONE_E6 - system), divisor))
