"""Coins and pairs as an operator reads, adds and changes them.

A call that names what is listed changes the terms it gives and leaves the others; one that names
something new must give them all. What would make a rule false is refused whole (RULES 1.2, 7.4).
"""

from typing import Final

import msgspec

from lombard.api.amounts import (
    PRICE_DECIMALS,
    base_text,
    coin_text,
    parse_amount,
    quote_text,
    ratio_text,
    size_text,
)
from lombard.api.context import Call
from lombard.api.decoding import empty
from lombard.api.lookup import coin_of
from lombard.api.operator.hand import (
    SCENE,
    chosen,
    give,
    parse_decimal,
    parse_number,
    parse_ratio,
    reads,
    writes,
)
from lombard.api.table import Endpoint, NoParameters
from lombard.core import queries
from lombard.core.commands import RestrictCoin, SetCoin, SetPair
from lombard.core.queries import Coin, Pair
from lombard.core.units import format_units

DECIMALS: Final = 8


class Step(msgspec.Struct):
    """What counts of a surplus, up to an amount held; the last step has none (RULES 7.2)."""

    ratio: str
    upTo: str = "0"


class CrossTier(msgspec.Struct):
    """Leverage and maintenance margin rate of crossed margin, up to an amount owed."""

    upTo: str
    leverage: str
    maintenanceMarginRate: str


class IsolatedTier(msgspec.Struct):
    """Leverage and maintenance margin rate of isolated margin, up to amounts owed."""

    baseUpTo: str
    quoteUpTo: str
    leverage: str
    maintenanceMarginRate: str


class CoinBody(msgspec.Struct):
    """A coin's terms; what is left out stays as it is."""

    coin: str = ""
    decimals: str = ""
    collateral: list[Step] | None = None
    tiers: list[CrossTier] | None = None
    userLimit: str = ""
    minBorrow: str = ""
    borrowable: bool | None = None
    transferable: bool | None = None


class CoinView(msgspec.Struct):
    """A coin's terms as they are. `delisting` is how far that has come, 0 for not at all."""

    coin: str
    decimals: str
    collateral: list[Step]
    tiers: list[CrossTier]
    userLimit: str
    minBorrow: str
    borrowable: bool
    transferable: bool
    delisting: str


class RestrictBody(msgspec.Struct):
    """Which of a coin's ways are open; what is left out stays as it is."""

    coin: str = ""
    borrowable: bool | None = None
    transferable: bool | None = None


class PairBody(msgspec.Struct):
    """A pair's terms; what is left out stays as it is."""

    symbol: str = ""
    base: str = ""
    quote: str = ""
    tick: str = ""
    step: str = ""
    minSize: str = ""
    maxSize: str = ""
    minValue: str = ""
    makerFee: str = ""
    takerFee: str = ""
    maxOpenOrders: str = ""
    isolatedTiers: list[IsolatedTier] | None = None
    liquidationFee: str = ""
    crossed: bool | None = None
    trading: bool | None = None


class PairView(msgspec.Struct):
    """A pair's terms as they are."""

    symbol: str
    base: str
    quote: str
    tick: str
    step: str
    minSize: str
    maxSize: str
    minValue: str
    makerFee: str
    takerFee: str
    maxOpenOrders: str
    isolatedTiers: list[IsolatedTier]
    liquidationFee: str
    crossed: bool
    trading: bool
    delisting: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        reads("coins", NoParameters, (), list[CoinView], read_coins),
        writes("coins", CoinBody, ("coin",), CoinView, set_coin),
        writes("coins/restrict", RestrictBody, ("coin",), CoinView, restrict_coin),
        reads("pairs", NoParameters, (), list[PairView], read_pairs),
        writes("pairs", PairBody, ("symbol",), PairView, set_pair),
    ]


# --- coins ---------------------------------------------------------------------------------------


async def read_coins(call: Call, _: NoParameters) -> list[CoinView]:
    """GET coins"""
    return [coin_view(coin) for coin in queries.coins(call.state)]


async def set_coin(call: Call, body: CoinBody) -> CoinView:
    """POST coins: add one, or change one's terms"""
    index = queries.coin_named(call.state, body.coin)
    known = None if index is None else queries.coins(call.state)[index]
    if known is None:
        for name in ("decimals", "collateral", "userLimit", "minBorrow"):
            if not getattr(body, name):
                raise empty(SCENE, name)
    decimals = parse_number("decimals", body.decimals, 2) if body.decimals else 0
    places = min(decimals, DECIMALS)
    if known is not None:
        decimals, places = (decimals if body.decimals else known.decimals), known.decimals
    old_limit, old_least = ("", "") if known is None else _limits(known)
    command = SetCoin(
        body.coin,
        decimals,
        parse_steps(body.collateral, places, known.collateral_steps if known else []),
        parse_tiers(body.tiers, places, known.cross_tiers if known else []),
        parse_decimal("userLimit", body.userLimit or old_limit, places),
        parse_decimal("minBorrow", body.minBorrow or old_least, places),
        chosen(body.borrowable, known.borrowable if known else True),
        chosen(body.transferable, known.transferable if known else True),
    )
    reply = await give(call, command)
    return coin_view(queries.coins(call.state)[reply.id])


def _limits(coin: Coin) -> tuple[str, str]:
    return coin_text(coin, coin.user_limit_units), coin_text(coin, coin.min_borrow_units)


def parse_steps(
    steps: list[Step] | None, places: int, as_is: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Read the collateral steps of a coin."""
    if steps is None:
        return list(as_is)
    return [
        (parse_decimal("collateral", step.upTo, places), parse_ratio("collateral", step.ratio))
        for step in steps
    ]


def parse_tiers(
    tiers: list[CrossTier] | None, places: int, as_is: list[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Read the crossed tiers of a coin."""
    if tiers is None:
        return list(as_is)
    return [
        (
            parse_decimal("tiers", tier.upTo, places),
            parse_number("tiers", tier.leverage, 3),
            parse_ratio("tiers", tier.maintenanceMarginRate),
        )
        for tier in tiers
    ]


async def restrict_coin(call: Call, body: RestrictBody) -> CoinView:
    """POST coins/restrict: in force at once (RULES 7.9)"""
    coin = coin_of(call, body.coin)
    borrowable = chosen(body.borrowable, coin.borrowable)
    transferable = chosen(body.transferable, coin.transferable)
    await give(call, RestrictCoin(coin.id, borrowable, transferable))
    return coin_view(coin)


def coin_view(coin: Coin) -> CoinView:
    """Write a coin's terms."""
    return CoinView(
        coin.name,
        str(coin.decimals),
        [Step(ratio_text(ratio), coin_text(coin, up_to)) for up_to, ratio in coin.collateral_steps],
        [
            CrossTier(coin_text(coin, most), str(leverage), ratio_text(mmr))
            for most, leverage, mmr in coin.cross_tiers
        ],
        *_limits(coin),
        coin.borrowable,
        coin.transferable,
        str(coin.delisting),
    )


# --- pairs ---------------------------------------------------------------------------------------


async def read_pairs(call: Call, _: NoParameters) -> list[PairView]:
    """GET pairs"""
    return [pair_view(pair) for pair in queries.pairs(call.state)]


async def set_pair(call: Call, body: PairBody) -> PairView:
    """POST pairs: add one, or change one's terms"""
    index = queries.pair_named(call.state, body.symbol)
    if index is not None:
        body = _filled(body, pair_view(queries.pairs(call.state)[index]))
    for name in ("base", "quote", "tick", "step", "maxSize", "makerFee", "takerFee"):
        if not getattr(body, name):
            raise empty(SCENE, name)
    base, quote = coin_of(call, body.base), coin_of(call, body.quote)
    step_units = parse_amount(SCENE, "step", body.step, base)
    if step_units == 0:
        raise empty(SCENE, "step")
    least_units = parse_amount(SCENE, "minSize", body.minSize or "0", base)
    command = SetPair(
        body.symbol,
        base.id,
        quote.id,
        parse_decimal("tick", body.tick, PRICE_DECIMALS),
        step_units,
        parse_ratio("makerFee", body.makerFee),
        parse_ratio("takerFee", body.takerFee),
        parse_amount(SCENE, "minValue", body.minValue or "0", quote),
        max(1, -(-least_units // step_units)),
        parse_amount(SCENE, "maxSize", body.maxSize, base) // step_units,
        parse_number("maxOpenOrders", body.maxOpenOrders or "200"),
        parse_isolated(body.isolatedTiers or [], base, quote),
        parse_ratio("liquidationFee", body.liquidationFee or "0.02"),
        chosen(body.crossed, True),
        chosen(body.trading, True),
    )
    reply = await give(call, command)
    return pair_view(queries.pairs(call.state)[reply.id])


def _filled(body: PairBody, known: PairView) -> PairBody:
    """Take from the terms in force what a change leaves out."""
    given = {}
    for name in PairBody.__struct_fields__:
        said = getattr(body, name)
        given[name] = getattr(known, name) if said in ("", None) else said
    return PairBody(**given)


def parse_isolated(
    tiers: list[IsolatedTier], base: Coin, quote: Coin
) -> list[tuple[int, int, int, int]]:
    """Read the isolated tiers of a pair."""
    return [
        (
            parse_amount(SCENE, "isolatedTiers", tier.baseUpTo, base),
            parse_amount(SCENE, "isolatedTiers", tier.quoteUpTo, quote),
            parse_number("isolatedTiers", tier.leverage, 3),
            parse_ratio("isolatedTiers", tier.maintenanceMarginRate),
        )
        for tier in tiers
    ]


def pair_view(pair: Pair) -> PairView:
    """Write a pair's terms."""
    return PairView(
        pair.symbol,
        pair.base.name,
        pair.quote.name,
        format_units(pair.tick_e12, PRICE_DECIMALS),
        base_text(pair, pair.step_units),
        size_text(pair, pair.min_size_steps),
        size_text(pair, pair.max_size_steps),
        quote_text(pair, pair.min_value_units),
        ratio_text(pair.maker_fee_e6),
        ratio_text(pair.taker_fee_e6),
        str(pair.max_open_orders),
        [
            IsolatedTier(
                base_text(pair, base), quote_text(pair, quote), str(leverage), ratio_text(mmr)
            )
            for base, quote, leverage, mmr in pair.isolated_tiers
        ],
        ratio_text(pair.liquidation_fee_e6),
        pair.crossed,
        pair.trading,
        str(pair.delisting),
    )
