"""What margin costs and allows: rates by VIP level, limits, and tiers."""

from typing import Final

import msgspec

from lombard.api.amounts import (
    DAYS_PER_YEAR,
    RATE_SHOWN_DECIMALS,
    coin_text,
    ratio_text,
    shown_rate_e8,
)
from lombard.api.context import Call
from lombard.api.lookup import CROSSED, ISOLATED, coin_of, pair_of
from lombard.api.margin_account import CoinQuery, SymbolQuery
from lombard.api.table import GET, Counted, Endpoint, signed
from lombard.core import queries
from lombard.core.queries import Coin, Pair
from lombard.core.units import RATIO_ONE_E6, div_ceil, div_half_up, format_units
from lombard.identity import Permission

_INIT_RATE_DECIMALS: Final = 4


class CrossedVip(msgspec.Struct):
    """A VIP level's terms for a coin; crossed and isolated spell one key differently."""

    level: str
    limit: str
    dailyInterestRate: str
    annualInterestRate: str
    discountRate: str


class IsolatedVip(msgspec.Struct):
    """A VIP level's terms for one side of a pair."""

    level: str
    dailyInterestRate: str
    limit: str
    annuallyInterestRate: str
    discountRate: str


class CrossedTerms(msgspec.Struct):
    """What a coin costs and allows in a crossed account, at the caller's level."""

    coin: str
    leverage: str
    transferable: bool
    borrowable: bool
    dailyInterestRate: str
    annualInterestRate: str
    maxBorrowableAmount: str
    vipList: list[CrossedVip]


class IsolatedTerms(msgspec.Struct):
    """What both coins of a pair cost and allow, at the caller's level. `quoteList`: sic."""

    symbol: str
    leverage: str
    baseCoin: str
    baseTransferable: bool
    baseBorrowable: bool
    baseDailyInterestRate: str
    baseAnnuallyInterestRate: str
    baseMaxBorrowableAmount: str
    baseVipList: list[IsolatedVip]
    quoteCoin: str
    quoteTransferable: bool
    quoteBorrowable: bool
    quoteDailyInterestRate: str
    quoteAnnuallyInterestRate: str
    quoteMaxBorrowableAmount: str
    quoteList: list[IsolatedVip]


class CrossedTier(msgspec.Struct):
    """How much may be borrowed at which leverage."""

    tier: str
    leverage: str
    coin: str
    maxBorrowableAmount: str
    maintainMarginRate: str


class IsolatedTier(msgspec.Struct):
    """How much of either side may be borrowed at which leverage."""

    tier: str
    symbol: str
    leverage: str
    baseCoin: str
    quoteCoin: str
    baseMaxBorrowableAmount: str
    quoteMaxBorrowableAmount: str
    maintainMarginRate: str
    initRate: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, address = Permission.READ, Counted.ADDRESS
    return [
        signed(
            GET,
            CROSSED.path("interest-rate-and-limit"),
            read,
            10,
            CROSSED.scene,
            CoinQuery,
            ("coin",),
            list[CrossedTerms],
            crossed_terms,
            address,
        ),
        signed(
            GET,
            ISOLATED.path("interest-rate-and-limit"),
            read,
            10,
            ISOLATED.scene,
            SymbolQuery,
            ("symbol",),
            list[IsolatedTerms],
            isolated_terms,
        ),
        signed(
            GET,
            CROSSED.path("tier-data"),
            read,
            10,
            CROSSED.scene,
            CoinQuery,
            ("coin",),
            list[CrossedTier],
            crossed_tiers,
            address,
        ),
        signed(
            GET,
            ISOLATED.path("tier-data"),
            read,
            10,
            ISOLATED.scene,
            SymbolQuery,
            ("symbol",),
            list[IsolatedTier],
            isolated_tiers,
        ),
    ]


async def crossed_terms(call: Call, query: CoinQuery) -> list[CrossedTerms]:
    """GET crossed/interest-rate-and-limit"""
    coin = coin_of(call, query.coin)
    levels = _levels(call, coin)
    own = levels[queries.user_level(call.state, call.user)]
    return [
        CrossedTerms(
            coin.name,
            str(max((leverage for _, leverage, _ in coin.cross_tiers), default=0)),
            coin.transferable,
            coin.borrowable and bool(coin.cross_tiers),
            own.dailyInterestRate,
            own.annuallyInterestRate,
            own.limit,
            [
                CrossedVip(
                    row.level,
                    row.limit,
                    row.dailyInterestRate,
                    row.annuallyInterestRate,
                    row.discountRate,
                )
                for row in levels
            ],
        )
    ]


async def isolated_terms(call: Call, query: SymbolQuery) -> list[IsolatedTerms]:
    """GET isolated/interest-rate-and-limit"""
    pair = pair_of(call, query.symbol)
    level = queries.user_level(call.state, call.user)
    base, quote = _levels(call, pair.base), _levels(call, pair.quote)
    return [
        IsolatedTerms(
            pair.symbol,
            str(isolated_leverage(pair)),
            pair.base.name,
            pair.base.transferable,
            pair.base.borrowable and bool(pair.isolated_tiers),
            base[level].dailyInterestRate,
            base[level].annuallyInterestRate,
            base[level].limit,
            base,
            pair.quote.name,
            pair.quote.transferable,
            pair.quote.borrowable and bool(pair.isolated_tiers),
            quote[level].dailyInterestRate,
            quote[level].annuallyInterestRate,
            quote[level].limit,
            quote,
        )
    ]


async def crossed_tiers(call: Call, query: CoinQuery) -> list[CrossedTier]:
    """GET crossed/tier-data"""
    coin = coin_of(call, query.coin)
    return [
        CrossedTier(
            str(tier), str(leverage), coin.name, coin_text(coin, max_units), ratio_text(mmr_e6)
        )
        for tier, (max_units, leverage, mmr_e6) in enumerate(coin.cross_tiers, 1)
    ]


async def isolated_tiers(call: Call, query: SymbolQuery) -> list[IsolatedTier]:
    """GET isolated/tier-data"""
    pair = pair_of(call, query.symbol)
    return [
        IsolatedTier(
            str(tier),
            pair.symbol,
            str(leverage),
            pair.base.name,
            pair.quote.name,
            coin_text(pair.base, base_max),
            coin_text(pair.quote, quote_max),
            ratio_text(mmr_e6),
            _init_rate(leverage),
        )
        for tier, (base_max, quote_max, leverage, mmr_e6) in enumerate(pair.isolated_tiers, 1)
    ]


def isolated_leverage(pair: Pair) -> int:
    """Return the highest leverage of a pair's isolated accounts, 0 when it has none."""
    return max((tier[2] for tier in pair.isolated_tiers), default=0)


def rate_texts(rate_e8: int) -> tuple[str, str]:
    """Write a daily rate as it is shown, and 365 times it."""
    return (
        format_units(rate_e8, RATE_SHOWN_DECIMALS),
        format_units(rate_e8 * DAYS_PER_YEAR, RATE_SHOWN_DECIMALS),
    )


def _init_rate(leverage: int) -> str:
    if leverage <= 1:
        return "0"
    return format_units(div_half_up(10**_INIT_RATE_DECIMALS, leverage - 1), _INIT_RATE_DECIMALS)


def _levels(call: Call, coin: Coin) -> list[IsolatedVip]:
    """List a coin's terms by VIP level: the shown rate discounted, rounded up (reference §2.12)."""
    state = call.state
    plain_e8 = shown_rate_e8(queries.daily_rate_e12(state, coin.id))
    rows: list[IsolatedVip] = []
    for level, (discount_e6, multiplier_e6) in enumerate(queries.vip_levels(state)):
        daily, annual = rate_texts(div_ceil(plain_e8 * discount_e6, RATIO_ONE_E6))
        limit = coin_text(coin, coin.user_limit_units * multiplier_e6 // RATIO_ONE_E6)
        rows.append(IsolatedVip(str(level), daily, limit, annual, ratio_text(discount_e6)))
    return rows
