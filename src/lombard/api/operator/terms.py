"""The venue's other terms: rates, parameters, VIP levels, index prices, and announced changes."""

from typing import Final

import msgspec

from lombard.api import announcements
from lombard.api.amounts import PRICE_DECIMALS, parse_amount, parse_time, rate_text, ratio_text
from lombard.api.announcements import Announced, Announcement, DelistingBody, WithdrawBody
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.lookup import coin_of, pair_of
from lombard.api.operator.hand import (
    SCENE,
    by_hand,
    give,
    parse_decimal,
    parse_number,
    parse_rate,
    parse_ratio,
    parse_user,
    reads,
    writes,
)
from lombard.api.operator.listings import (
    CrossTier,
    IsolatedTier,
    Step,
    parse_isolated,
    parse_steps,
    parse_tiers,
)
from lombard.api.sandbox import RateBody, RateModelBody, set_rate_model
from lombard.api.table import Endpoint, NoParameters
from lombard.core import queries
from lombard.core.commands import (
    AnnounceCoinTerms,
    AnnouncePairTerms,
    SetIndexPrices,
    SetParameter,
    SetRate,
    SetUserLevel,
    SetVipLevels,
)
from lombard.core.units import format_units

SOURCES_DIGITS: Final = 3


class ParameterBody(msgspec.Struct):
    """One of the venue's named numbers, in its own unit."""

    name: str = ""
    value: str = ""


class ParameterView(msgspec.Struct):
    """One of the venue's named numbers, and between which it may be."""

    name: str
    value: str
    least: str
    most: str


class VipLevel(msgspec.Struct):
    """What a level does: its part of the rate, and by how much it multiplies limits."""

    rate: str
    limit: str


class VipBody(msgspec.Struct):
    """All levels from 0 on; levels are only ever added, and level 0 is plain."""

    levels: list[VipLevel] = []


class UserLevelBody(msgspec.Struct):
    """A user's VIP level from the next full hour on."""

    userId: str = ""
    level: str = ""


class IndexBody(msgspec.Struct):
    """An index price in USDT, made of so many sources.

    One source is no reason to liquidate (RULES 7.7). `maxAge` in milliseconds is how long it holds;
    0, or left out, until it is replaced.
    """

    coin: str = ""
    price: str = ""
    sources: str = "1"
    spread: str = "0"
    maxAge: str = "0"


class IndexView(msgspec.Struct):
    """A coin's index: price, slow average, and whether it may be decided upon.

    `price` is empty while there is none; `stale` pauses borrowing and liquidation.
    """

    coin: str
    price: str
    slowPrice: str
    sources: str
    spread: str
    maxAge: str
    time: str
    stale: bool


class CoinTermsBody(msgspec.Struct):
    """A coin's terms from a time on; what is left out stays as it is now (RULES 8.7)."""

    coin: str = ""
    effectiveTime: str = ""
    collateral: list[Step] | None = None
    tiers: list[CrossTier] | None = None
    userLimit: str = ""


class PairTermsBody(msgspec.Struct):
    """A pair's isolated tiers from a time on (RULES 8.7)."""

    symbol: str = ""
    effectiveTime: str = ""
    isolatedTiers: list[IsolatedTier] = []


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    model = ("coin", "baseRate", "kink", "rateAtKink", "rateAtFull")
    return [
        writes("rates", RateBody, ("coin", "dailyInterestRate"), RateBody, set_rate),
        writes("rate-models", RateModelBody, model, RateModelBody, by_hand(set_rate_model)),
        reads("parameters", NoParameters, (), list[ParameterView], read_parameters),
        writes("parameters", ParameterBody, ("name", "value"), ParameterView, set_parameter),
        reads("vip-levels", NoParameters, (), list[VipLevel], read_levels),
        writes("vip-levels", VipBody, ("levels",), list[VipLevel], set_levels),
        writes("users/level", UserLevelBody, ("userId", "level"), UserLevelBody, set_user_level),
        reads("index-prices", NoParameters, (), list[IndexView], read_index),
        writes("index-prices", IndexBody, ("coin", "price"), IndexView, set_index),
        reads("announcements", NoParameters, (), list[Announced], announcements.coming),
        writes(
            "announcements/coin-terms",
            CoinTermsBody,
            ("coin", "effectiveTime"),
            Announcement,
            announce_coin_terms,
        ),
        writes(
            "announcements/pair-terms",
            PairTermsBody,
            ("symbol", "effectiveTime", "isolatedTiers"),
            Announcement,
            announce_pair_terms,
        ),
        writes(
            "announcements/delisting",
            DelistingBody,
            ("reduceOnlyTime", "repayTime"),
            Announcement,
            by_hand(announcements.announce_delisting),
        ),
        writes(
            "announcements/withdraw",
            WithdrawBody,
            ("announcementId",),
            Announcement,
            by_hand(announcements.withdraw),
        ),
    ]


async def set_rate(call: Call, body: RateBody) -> RateBody:
    """POST rates: in force from the next full hour"""
    coin = coin_of(call, body.coin)
    rate_e12 = parse_rate("dailyInterestRate", body.dailyInterestRate)
    await give(call, SetRate(coin.id, rate_e12))
    return RateBody(coin.name, rate_text(rate_e12))


async def read_parameters(call: Call, _: NoParameters) -> list[ParameterView]:
    """GET parameters"""
    rows = queries.parameters(call.state)
    return [ParameterView(name, *map(str, numbers)) for name, *numbers in rows]


async def set_parameter(call: Call, body: ParameterBody) -> ParameterView:
    """POST parameters"""
    await give(call, SetParameter(body.name, parse_number("value", body.value, 15)))
    rows = await read_parameters(call, NoParameters())
    return next(row for row in rows if row.name == body.name)


async def read_levels(call: Call, _: NoParameters) -> list[VipLevel]:
    """GET vip-levels"""
    levels = queries.vip_levels(call.state)
    return [VipLevel(ratio_text(rate), ratio_text(limit)) for rate, limit in levels]


async def set_levels(call: Call, body: VipBody) -> list[VipLevel]:
    """POST vip-levels"""
    levels = [
        (parse_ratio("levels", level.rate), parse_ratio("levels", level.limit))
        for level in body.levels
    ]
    await give(call, SetVipLevels(levels))
    return await read_levels(call, NoParameters())


async def set_user_level(call: Call, body: UserLevelBody) -> UserLevelBody:
    """POST users/level: in force from the next full hour"""
    user = parse_user(call, body.userId)
    await give(call, SetUserLevel(user, parse_number("level", body.level, 3)))
    return body


# --- index ---------------------------------------------------------------------------------------


async def read_index(call: Call, _: NoParameters) -> list[IndexView]:
    """GET index-prices"""
    return [_index(call, coin.id) for coin in queries.coins(call.state)]


async def set_index(call: Call, body: IndexBody) -> IndexView:
    """POST index-prices: for a venue without a feed"""
    coin = coin_of(call, body.coin)
    row = (
        coin.id,
        parse_decimal("price", body.price, PRICE_DECIMALS),
        parse_number("sources", body.sources, SOURCES_DIGITS),
        parse_ratio("spread", body.spread),
        parse_number("maxAge", body.maxAge, 12),
    )
    await give(call, SetIndexPrices([row]))
    return _index(call, coin.id)


def _index(call: Call, index: int) -> IndexView:
    coin = queries.coins(call.state)[index]
    if coin.price_e12 == 0:
        return IndexView(coin.name, "", "", "0", "0", "0", "", True)
    return IndexView(
        coin.name,
        format_units(coin.price_e12, PRICE_DECIMALS),
        format_units(coin.slow_price_e12, PRICE_DECIMALS),
        str(coin.price_sources),
        ratio_text(coin.price_spread_e6),
        str(coin.price_max_age_ms),
        str(coin.price_time_ms),
        queries.index_is_stale(call.state, index),
    )


# --- announced changes ---------------------------------------------------------------------------


async def announce_coin_terms(call: Call, body: CoinTermsBody) -> Announcement:
    """POST announcements/coin-terms"""
    coin = coin_of(call, body.coin)
    limit = coin.user_limit_units
    if body.userLimit:
        limit = parse_amount(SCENE, "userLimit", body.userLimit, coin)
    command = AnnounceCoinTerms(
        coin.id,
        parse_steps(body.collateral, coin.decimals, coin.collateral_steps),
        parse_tiers(body.tiers, coin.decimals, coin.cross_tiers),
        limit,
        _moment(body.effectiveTime),
    )
    return Announcement(str((await give(call, command)).id))


async def announce_pair_terms(call: Call, body: PairTermsBody) -> Announcement:
    """POST announcements/pair-terms"""
    pair = pair_of(call, body.symbol)
    tiers = parse_isolated(body.isolatedTiers, pair.base, pair.quote)
    command = AnnouncePairTerms(pair.id, tiers, _moment(body.effectiveTime))
    return Announcement(str((await give(call, command)).id))


def _moment(text: str) -> int:
    moment_ms = parse_time(SCENE, "effectiveTime", text)
    if moment_ms is None:
        raise malformed(SCENE, "effectiveTime")
    return moment_ms
