"""What is listed: coins with their terms and pools, pairs with their terms and books.

Plain records. What they mean, and what may be done to them, is in the module of each idea.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from lombard.core.book import BookSide
from lombard.core.edges import Edges
from lombard.core.units import DECIMALS_MAX, POW10, PRICE_ONE_E12, RATIO_ONE_E6

# base_e12, kink_e6, at_kink_e12, at_full_e12, premium_e12: see `SetRateModel`.
RateCurve = tuple[int, int, int, int, int]


@final
class Coin:
    """A coin: its terms, its index price, its pool, and what the venue holds of it."""

    __slots__ = (
        "borrowable",
        "bound_high",
        "bound_low",
        "bound_mmr",
        "bound_shift",
        "bound_weight",
        "collateral_steps",
        "cross_tiers",
        "decimals",
        "delisting",
        "external_units",
        "falls",
        "fee_units",
        "growths",
        "has_rate",
        "id",
        "insurance_units",
        "interest_units",
        "lent_units",
        "loss_units",
        "min_borrow_units",
        "name",
        "noted_left_ms",
        "noted_units",
        "pool_units",
        "prefix_e12",
        "price_e12",
        "price_max_age_ms",
        "price_sources",
        "price_spread_e6",
        "price_time_ms",
        "rate_curve",
        "rises",
        "slow_price_e12",
        "slow_time_ms",
        "supplied_ms",
        "supplied_units",
        "transferable",
        "user_limit_units",
        "value_scale",
        "weighed_ms",
    )

    def __init__(self, coin_id: int, name: str, decimals: int) -> None:
        self.id: Final = coin_id
        self.name: Final = name
        self.decimals: Final = decimals
        # One unit at price_e12 is worth price_e12 * value_scale / 10**20 USDT.
        self.value_scale: Final = POW10[DECIMALS_MAX - decimals]
        self.collateral_steps: list[tuple[int, int]] = [(0, RATIO_ONE_E6)]
        self.cross_tiers: list[tuple[int, int, int]] = []
        self.user_limit_units = 0
        self.min_borrow_units = 1
        self.borrowable = False
        self.transferable = True
        self.price_e12 = 0
        self.slow_price_e12 = 0
        self.slow_time_ms = 0
        self.price_time_ms = 0
        self.price_sources = 0
        self.price_spread_e6 = 0
        self.price_max_age_ms = 0
        self.pool_units = 0
        self.lent_units = 0
        self.supplied_units = 0
        self.loss_units = 0
        self.insurance_units = 0
        self.fee_units = 0
        self.interest_units = 0
        self.external_units = 0
        # How far its delisting has come (`delisting`), 0 while there is none.
        self.delisting = 0
        self.rate_curve: RateCurve = (0, RATIO_ONE_E6, 0, 0, 0)
        # What the running hour will have come to at its end, in unit-milliseconds, for `rates`:
        # of what is lent without, beside it, what was lent (or came back) in its newest moment.
        self.weighed_ms = 0
        self.noted_units = 0
        self.noted_left_ms = 0
        self.supplied_ms = 0
        self.has_rate = False
        # By VIP level: element k is the sum of the daily rates of the venue's first k hours.
        self.prefix_e12: list[list[int]] = []
        # Derived, for `bounds`.
        self.bound_low: i64 = 0
        self.bound_high: i64 = 0
        self.bound_shift: i64 = 0
        self.bound_weight: i64 = 0
        self.bound_mmr: i64 = 0
        # Derived, for `safe_bands`: edges of the negated price, the price, the sum of rates.
        self.falls: Final = Edges()
        self.rises: Final = Edges()
        self.growths: Final = Edges()

    @property
    def lent_ms(self) -> int:
        """What is lent, as the running hour will have come to at its end, in unit-milliseconds."""
        return self.weighed_ms + self.noted_units * self.noted_left_ms

    @lent_ms.setter
    def lent_ms(self, unit_ms: int) -> None:
        self.weighed_ms = unit_ms
        self.noted_units = 0

    def begin_moment(self, left_ms: int) -> None:
        """Weigh what was noted; what is noted from here on has so much left of the hour."""
        self.weighed_ms = self.lent_ms
        self.noted_units = 0
        self.noted_left_ms = left_ms


@final
class Pair:
    """A pair: its terms, its book, and the band its margin orders must keep to."""

    __slots__ = (
        "asks",
        "band_high_ticks",
        "band_low_ticks",
        "base",
        "bids",
        "crossed",
        "delisting",
        "id",
        "isolated_tiers",
        "last_price_ticks",
        "liquidation_fee_e6",
        "maker_fee_e6",
        "max_open_orders",
        "max_size_steps",
        "min_size_steps",
        "min_value_units",
        "quote",
        "quote_per_tick_step",
        "reduce_only",
        "spot_band_e6",
        "step_units",
        "symbol",
        "system_high_ticks",
        "system_low_ticks",
        "taker_fee_e6",
        "tick_e12",
        "trading",
    )

    def __init__(
        self, pair_id: int, symbol: str, base: Coin, quote: Coin, tick_e12: int, step_units: int
    ) -> None:
        self.id: Final = pair_id
        self.symbol: Final = symbol
        self.base: Final = base
        self.quote: Final = quote
        self.tick_e12 = tick_e12
        self.step_units = step_units
        self.quote_per_tick_step = quote_per_tick_step(base, quote, tick_e12, step_units)
        self.maker_fee_e6 = 0
        self.taker_fee_e6 = 0
        self.min_value_units = 0
        self.min_size_steps = 1
        self.max_size_steps = 0
        self.max_open_orders = 0
        self.isolated_tiers: list[tuple[int, int, int, int]] = []
        self.liquidation_fee_e6 = 0
        self.crossed = True
        self.trading = True
        self.bids: Final = BookSide(1)
        self.asks: Final = BookSide(-1)
        self.last_price_ticks = 0
        # 0 until both coins have an index price.
        self.band_low_ticks = 0
        self.band_high_ticks = 0
        self.system_low_ticks = 0
        self.system_high_ticks = 0
        # The parameter, at hand.
        self.spot_band_e6 = 0
        # How far the delisting of its isolated margin has come, and, derived from that and from
        # its coins', whether some of its margin orders may only reduce.
        self.delisting = 0
        self.reduce_only = False


def quote_per_tick_step(base: Coin, quote: Coin, tick_e12: int, step_units: int) -> int:
    """Return the quote units of one step at a price of one tick, 0 if not whole (RULES 1.2)."""
    numerator = tick_e12 * step_units * POW10[quote.decimals]
    divisor = PRICE_ONE_E12 * POW10[base.decimals]
    return numerator // divisor if numerator % divisor == 0 else 0
