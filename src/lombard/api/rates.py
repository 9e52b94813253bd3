"""Interest rates as anybody may read them at any time (RULES 5.2): now, next hour, and before."""

from typing import Final

import msgspec

from lombard.api.amounts import parse_count, parse_time, rate_text, ratio_text
from lombard.api.context import Call
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import coin_of
from lombard.api.margin_account import CoinQuery
from lombard.api.paging import LIMIT
from lombard.api.table import Endpoint, public
from lombard.core import queries
from lombard.core.queries import Coin
from lombard.core.units import HOUR_MS

PREFIX: Final = "/lombard/v1/public"
ROWS_MAX: Final = 1_000


class RateModel(msgspec.Struct):
    """A coin's rate by the utilisation of its pool; a fixed rate is flat (RULES 5.1)."""

    baseRate: str
    kink: str
    rateAtKink: str
    rateAtFull: str
    premium: str


class LevelRate(msgspec.Struct):
    """What a VIP level pays a day, this hour and, as it stands, the next."""

    level: str
    dailyInterestRate: str
    nextDailyInterestRate: str


class InterestRate(msgspec.Struct):
    """A coin's rate: of the hour that began at `hour`, and the estimate for the next.

    `utilization` is that of this moment; the next hour's rate follows its average over this hour.
    """

    coin: str
    hour: str
    dailyInterestRate: str
    nextDailyInterestRate: str
    utilization: str
    model: RateModel
    levels: list[LevelRate]


class RateHistoryQuery(msgspec.Struct):
    """Which hours: from a time, to a time, so many; the newest there are."""

    coin: str = ""
    startTime: str = ""
    endTime: str = ""
    limit: str = ""


class HourlyRate(msgspec.Struct):
    """The daily rate of the hour that began at `hour`."""

    hour: str
    dailyInterestRate: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        public(
            f"{PREFIX}/interest-rates",
            10,
            Scene.CROSSED,
            CoinQuery,
            (),
            list[InterestRate],
            interest_rates,
        ),
        public(
            f"{PREFIX}/interest-rate-history",
            10,
            Scene.CROSSED,
            RateHistoryQuery,
            ("coin",),
            list[HourlyRate],
            interest_rate_history,
        ),
    ]


async def interest_rates(call: Call, query: CoinQuery) -> list[InterestRate]:
    """GET public/interest-rates: of one coin, or of all that have a rate"""
    wanted = [coin_of(call, query.coin)] if query.coin else queries.coins(call.state)
    now_ms = call.context.node.exchange_time_ms()
    hour = str(now_ms - now_ms % HOUR_MS)
    return [_interest_rate(call, coin, hour) for coin in wanted if coin.has_rate]


async def interest_rate_history(call: Call, query: RateHistoryQuery) -> list[HourlyRate]:
    """GET public/interest-rate-history: newest first; go on with `endTime` before the last row"""
    coin = coin_of(call, query.coin)
    start_ms = parse_time(call.scene, "startTime", query.startTime) or 0
    end_ms = parse_time(call.scene, "endTime", query.endTime)
    if end_ms is None:
        end_ms = call.context.node.exchange_time_ms()
    if start_ms > end_ms:
        raise Fault("40707")
    limit = parse_count(call.scene, "limit", query.limit, LIMIT, ROWS_MAX)
    rows = queries.hourly_rates_e12(call.state, coin.id, start_ms, end_ms, limit)
    return [HourlyRate(str(hour_ms), rate_text(rate_e12)) for hour_ms, rate_e12 in rows]


def _interest_rate(call: Call, coin: Coin, hour: str) -> InterestRate:
    state = call.state
    levels = [
        LevelRate(
            str(level),
            rate_text(queries.daily_rate_e12(state, coin.id, level)),
            rate_text(queries.next_rate_e12(state, coin.id, level)),
        )
        for level in range(len(queries.vip_levels(state)))
    ]
    return InterestRate(
        coin.name,
        hour,
        levels[0].dailyInterestRate,
        levels[0].nextDailyInterestRate,
        ratio_text(queries.utilisation_e6(state, coin.id)),
        model_of(coin),
        levels,
    )


def model_of(coin: Coin) -> RateModel:
    """Write a coin's rate model."""
    base_e12, kink_e6, at_kink_e12, at_full_e12, premium_e12 = coin.rate_curve
    return RateModel(
        rate_text(base_e12),
        ratio_text(kink_e6),
        rate_text(at_kink_e12),
        rate_text(at_full_e12),
        rate_text(premium_e12),
    )
