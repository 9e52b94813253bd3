"""Bands: how far from its reference a limit may be (RULES 7.6, 10).

Margin orders keep to the index, which is never our own book's; spot orders, where the venue says
so, to the last price, so that a slip of the finger is refused.
"""

from __future__ import annotations

from lombard.core.commands import BUY, MARKET, PlaceOrder
from lombard.core.refusals import Refusal
from lombard.core.risk import is_stale
from lombard.core.state import Pair, Reply, State
from lombard.core.units import RATIO_ONE_E6, div_ceil


def refuse_band(state: State, pair: Pair, cmd: PlaceOrder) -> Reply | None:
    """Refuse a margin order outside the band around the index (RULES 7.6)."""
    if pair.band_high_ticks == 0:
        missing = pair.quote if is_stale(state, pair.quote) else pair.base
        return Reply(Refusal.INDEX_STALE, detail=missing.name)
    if cmd.kind == MARKET:
        return None
    if cmd.side == BUY and cmd.price_ticks > pair.band_high_ticks:
        return Reply(Refusal.PRICE_ABOVE_BAND, units=pair.band_high_ticks)
    if cmd.side != BUY and cmd.price_ticks < pair.band_low_ticks:
        return Reply(Refusal.PRICE_BELOW_BAND, units=pair.band_low_ticks)
    return None


def refuse_spot_band(pair: Pair, cmd: PlaceOrder) -> Reply | None:
    """Refuse a spot limit order too far from the last price; while there is none, nothing is."""
    last = pair.last_price_ticks
    if cmd.kind == MARKET or last == 0:
        return None
    if cmd.side == BUY:
        high = last * (RATIO_ONE_E6 + pair.spot_band_e6) // RATIO_ONE_E6
        return Reply(Refusal.PRICE_ABOVE_BAND, units=high) if cmd.price_ticks > high else None
    low = div_ceil(last * (RATIO_ONE_E6 - pair.spot_band_e6), RATIO_ONE_E6)
    return Reply(Refusal.PRICE_BELOW_BAND, units=low) if cmd.price_ticks < low else None
