"""How large a market order must be to bring a given amount, by what stands in the book now.

Only what trades counts: offers inside the band, not one's own, not those that the index has left
behind. Orders made here withdraw the user's own offers that stand in their way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from lombard.core.commands import (
    BUY,
    GTC,
    MARKET,
    SELL,
    STP_CANCEL_MAKER,
    PlaceOrder,
)
from lombard.core.matching import left_behind
from lombard.core.state import Account, Pair
from lombard.core.units import RATIO_ONE_E6, div_ceil


@final
class Terms:
    """What an order says beside its side and its size."""

    __slots__ = ("client_oid", "loan_type", "source")

    def __init__(self, loan_type: int, client_oid: str, source: int) -> None:
        self.loan_type: Final = loan_type
        self.client_oid: Final = client_oid
        self.source: Final = source


def before_fee(pair: Pair, units: int) -> int:
    """Return what must be received so that `units` are left after the taker's fee."""
    return div_ceil(units * RATIO_ONE_E6, RATIO_ONE_E6 - pair.taker_fee_e6)


def offers(account: Account, pair: Pair, side: int) -> Iterator[tuple[int, int]]:
    """Yield `(price_ticks, steps)` a market order of a margin account would meet, best first."""
    facing = pair.asks if side == BUY else pair.bids
    for level in reversed(facing.levels):
        price = level.price_ticks
        if price > pair.band_high_ticks if side == BUY else price < pair.band_low_ticks:
            return
        maker = level.head
        while maker is not None:
            if maker.account.user is not account.user and not left_behind(maker):
                yield price, maker.remaining_steps
            maker = maker.next


def buy(
    account: Account, pair: Pair, steps: int, spare_units: int, terms: Terms
) -> PlaceOrder | None:
    """Return the market buy of `steps`, or of as many as there are and `spare_units` pay for."""
    cost = 0
    for price, offered in offers(account, pair, BUY):
        taken = min(steps, offered)
        cost += taken * price * pair.quote_per_tick_step
        steps -= taken
        if steps == 0:
            break
    if cost:
        cost = min(spare_units, max(cost, pair.min_value_units))
    return market_order(pair, BUY, 0, cost, terms) if cost else None


def sell(
    account: Account, pair: Pair, quote_units: int, spare_units: int, terms: Terms
) -> PlaceOrder | None:
    """Return the market sell that brings `quote_units` before its fee, or as near as it gets."""
    steps = 0
    best = 0
    for price, offered in offers(account, pair, SELL):
        best = best or price
        step_value = price * pair.quote_per_tick_step
        taken = min(offered, div_ceil(quote_units, step_value))
        steps += taken
        quote_units -= taken * step_value
        if quote_units <= 0:
            break
    if steps == 0:
        return None
    least = div_ceil(pair.min_value_units, best * pair.quote_per_tick_step)
    steps = max(steps, least, pair.min_size_steps)
    steps = min(steps, spare_units // pair.step_units, pair.max_size_steps)
    return market_order(pair, SELL, steps, 0, terms) if steps else None


def market_order(pair: Pair, side: int, steps: int, quote_units: int, terms: Terms) -> PlaceOrder:
    """Make a market order, of a size or of a budget."""
    return PlaceOrder(
        pair.id,
        side,
        MARKET,
        GTC,
        terms.loan_type,
        STP_CANCEL_MAKER,
        0,
        steps,
        quote_units,
        terms.client_oid,
        terms.source,
    )
