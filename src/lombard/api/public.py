"""What anybody may ask about the venue: its time, coins, pairs, margin terms and rates."""

from typing import Final

import msgspec

from lombard.api.amounts import (
    coin_text,
    padded,
    price_precision,
    quote_text,
    ratio_text,
    shown_rate_e8,
    size_precision,
    size_text,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import coin_of, pair_of
from lombard.api.margin_account import CoinQuery, SymbolQuery
from lombard.api.margin_terms import isolated_leverage, rate_texts
from lombard.api.table import GET, Endpoint, NoParameters, public, signed
from lombard.core import queries
from lombard.core.queries import Coin, Pair
from lombard.core.units import HOUR_MS
from lombard.identity import Permission

EIGHT: Final = 8
BUSINESS_TYPES: Final = ("spot", "margin", "mix")
# Spot prices have no band (RULES 7.6 is about margin orders): as wide as the field can say.
NO_PRICE_BAND: Final = "1"
# No value is too large, only sizes are: as the dialect writes what has no bound.
NO_MAXIMUM: Final = "900000000000000000000"
# A pair is older than anybody asks; clients insist on a number.
NEVER: Final = "0"
# The one way in and out of coins: by the operator's hand.
CHAIN: Final = "LOMBARD"


class ServerTime(msgspec.Struct):
    """The machine's time, against which signatures are judged."""

    serverTime: str


class Chain(msgspec.Struct):
    """A way for coins to come and go; there is none yet."""

    chain: str
    needTag: str
    withdrawable: str
    rechargeable: str
    withdrawFee: str
    extraWithdrawFee: str
    depositConfirm: str
    withdrawConfirm: str
    minDepositAmount: str
    minWithdrawAmount: str
    browserUrl: str
    contractAddress: str | None
    withdrawStep: str
    withdrawMinScale: str
    congestion: str


class CoinRow(msgspec.Struct):
    """A coin; flags are words here."""

    coinId: str
    coin: str
    transfer: str
    areaCoin: str
    chains: list[Chain]


class SymbolRow(msgspec.Struct):
    """A pair as spot sees it."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    minTradeAmount: str
    maxTradeAmount: str
    takerFeeRate: str
    makerFeeRate: str
    pricePrecision: str
    quantityPrecision: str
    quotePrecision: str
    status: str
    minTradeUSDT: str
    maxLimitOrderValue: str
    maxMarketOrderValue: str
    buyLimitPriceRatio: str
    sellLimitPriceRatio: str
    areaSymbol: str
    orderQuantity: str
    openTime: str
    offTime: str


class MarginPair(msgspec.Struct):
    """A pair as margin sees it; the flags are JSON booleans."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    maxCrossedLeverage: str
    maxIsolatedLeverage: str
    warningRiskRatio: str
    liquidationRiskRatio: str
    minTradeAmount: str
    maxTradeAmount: str
    takerFeeRate: str
    makerFeeRate: str
    pricePrecision: str
    quantityPrecision: str
    minTradeUSDT: str
    isBorrowable: bool
    userMinBorrow: str
    status: str
    isIsolatedBaseBorrowable: bool
    isIsolatedQuoteBorrowable: bool
    isCrossBorrowable: bool


class RateRecord(msgspec.Struct):
    """The rate a loan taken now pays this hour (RULES 5.2)."""

    coin: str
    dailyInterestRate: str
    annualInterestRate: str
    updatedTime: str


class TradeRateQuery(msgspec.Struct):
    """A pair, and for what."""

    symbol: str = ""
    businessType: str = ""


class TradeRate(msgspec.Struct):
    """What trading a pair costs."""

    makerFeeRate: str
    takerFeeRate: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    spot, crossed = Scene.SPOT, Scene.CROSSED
    return [
        public("/api/v2/public/time", 20, spot, NoParameters, (), ServerTime, server_time),
        public("/api/v2/spot/public/coins", 3, spot, CoinQuery, (), list[CoinRow], coins),
        public("/api/v2/spot/public/symbols", 20, spot, SymbolQuery, (), list[SymbolRow], symbols),
        public(
            "/api/v2/margin/currencies",
            10,
            crossed,
            SymbolQuery,
            (),
            list[MarginPair],
            margin_currencies,
        ),
        public(
            "/api/v2/margin/interest-rate-record",
            10,
            crossed,
            CoinQuery,
            ("coin",),
            RateRecord,
            interest_rate_record,
        ),
        public("/api/v2/mix/market/contracts", 20, spot, NoParameters, (), list[str], no_contracts),
        signed(
            GET,
            "/api/v2/common/trade-rate",
            Permission.READ,
            10,
            spot,
            TradeRateQuery,
            ("symbol", "businessType"),
            TradeRate,
            trade_rate,
        ),
        signed(
            GET,
            "/api/v3/account/settings",
            Permission.READ,
            10,
            spot,
            NoParameters,
            (),
            NoParameters,
            no_unified_account,
        ),
    ]


async def server_time(call: Call, _: NoParameters) -> ServerTime:
    """GET public/time"""
    return ServerTime(str(call.context.clock_ms()))


async def coins(call: Call, query: CoinQuery) -> list[CoinRow]:
    """GET spot/public/coins"""
    wanted = [coin_of(call, query.coin)] if query.coin else queries.coins(call.state)
    return [
        CoinRow(str(coin.id + 1), coin.name, str(coin.transferable).lower(), "no", [_chain(coin)])
        for coin in wanted
    ]


async def symbols(call: Call, query: SymbolQuery) -> list[SymbolRow]:
    """GET spot/public/symbols"""
    band_e6 = queries.parameter(call.state, "spot_band_e6")
    spot_band = ratio_text(band_e6) if band_e6 else NO_PRICE_BAND
    wanted = [pair_of(call, query.symbol)] if query.symbol else queries.pairs(call.state)
    return [
        SymbolRow(
            pair.symbol,
            pair.base.name,
            pair.quote.name,
            size_text(pair, pair.min_size_steps),
            size_text(pair, pair.max_size_steps),
            ratio_text(pair.taker_fee_e6),
            ratio_text(pair.maker_fee_e6),
            str(price_precision(pair)),
            str(size_precision(pair)),
            str(pair.quote.decimals),
            "online" if pair.trading else "halt",
            quote_text(pair, pair.min_value_units),
            NO_MAXIMUM,
            NO_MAXIMUM,
            spot_band,
            spot_band,
            "no",
            str(pair.max_open_orders),
            NEVER,
            "",
        )
        for pair in wanted
    ]


async def margin_currencies(call: Call, query: SymbolQuery) -> list[MarginPair]:
    """GET margin/currencies"""
    wanted = [pair_of(call, query.symbol)] if query.symbol else queries.pairs(call.state)
    return [_margin_pair(pair) for pair in wanted if pair.crossed or pair.isolated_tiers]


async def interest_rate_record(call: Call, query: CoinQuery) -> RateRecord:
    """GET margin/interest-rate-record"""
    coin = coin_of(call, query.coin)
    rate_e8 = shown_rate_e8(queries.daily_rate_e12(call.state, coin.id))
    daily, annual = rate_texts(rate_e8)
    now_ms = call.context.node.exchange_time_ms()
    return RateRecord(
        coin.name, padded(daily, EIGHT), padded(annual, EIGHT), str(now_ms - now_ms % HOUR_MS)
    )


async def no_contracts(_call: Call, _: NoParameters) -> list[str]:
    """GET mix/market/contracts: there are no futures here, and clients ask all the same"""
    return []


async def trade_rate(call: Call, query: TradeRateQuery) -> TradeRate:
    """GET common/trade-rate"""
    if query.businessType not in BUSINESS_TYPES:
        raise malformed(call.scene, "businessType")
    pair = pair_of(call, query.symbol)
    return TradeRate(ratio_text(pair.maker_fee_e6), ratio_text(pair.taker_fee_e6))


async def no_unified_account(_call: Call, _: NoParameters) -> NoParameters:
    """GET v3/account/settings: refused, which tells clients that accounts are classic ones"""
    raise Fault("40084")


def crossed_leverage(pair: Pair) -> int:
    """Return the highest leverage of a pair's coins in crossed accounts, 0 where it is barred."""
    if not pair.crossed:
        return 0
    tiers = [*pair.base.cross_tiers, *pair.quote.cross_tiers]
    return max((leverage for _, leverage, _ in tiers), default=0)


def _chain(coin: Coin) -> Chain:
    none = "0"
    return Chain(
        CHAIN,
        "false",
        "false",
        "false",
        none,
        none,
        none,
        none,
        none,
        none,
        "",
        None,
        none,
        str(coin.decimals),
        "normal",
    )


def _margin_pair(pair: Pair) -> MarginPair:
    base, quote = pair.base, pair.quote
    isolated = bool(pair.isolated_tiers)
    crosses = [coin.borrowable and bool(coin.cross_tiers) for coin in (base, quote)]
    borrowable = [isolated and base.borrowable, isolated and quote.borrowable]
    crossed = pair.crossed and any(crosses)
    return MarginPair(
        pair.symbol,
        base.name,
        quote.name,
        str(crossed_leverage(pair)),
        str(isolated_leverage(pair)),
        padded("0.8", EIGHT),
        padded("1", EIGHT),
        padded(size_text(pair, pair.min_size_steps), EIGHT),
        padded(size_text(pair, pair.max_size_steps), EIGHT),
        padded(ratio_text(pair.taker_fee_e6), EIGHT),
        padded(ratio_text(pair.maker_fee_e6), EIGHT),
        str(price_precision(pair)),
        str(size_precision(pair)),
        padded(quote_text(pair, pair.min_value_units), EIGHT),
        crossed or any(borrowable),
        padded(coin_text(base, base.min_borrow_units), EIGHT),
        "1" if pair.trading else "2",
        borrowable[0],
        borrowable[1],
        crossed,
    )
