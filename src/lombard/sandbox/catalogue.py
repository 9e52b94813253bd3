"""The catalogue: a venue's coins, pairs and terms as a file a person can read.

A catalogue is only ever the beginning of a log: `genesis` turns it into the first commands of an
empty one, and later changes are commands too. Numbers are decimals and are never seen as floats.
"""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

import msgspec

from lombard.core.commands import (
    VENUE,
    Command,
    Envelope,
    FundInsurance,
    FundPool,
    SetCoin,
    SetIndexPrices,
    SetPair,
    SetParameter,
    SetRate,
    SetRateModel,
    SetVipLevels,
)
from lombard.core.engine import Engine
from lombard.core.state import PARAMETERS
from lombard.core.units import PRICE_ONE_E12, UnitsError, parse_units

# Everything is valued in it, so its own index price is 1 from the beginning (RULES 7.1).
UNIT_OF_VALUE: Final = "USDT"
SOURCES_OF_A_FINISHED_INDEX: Final = 2

_RATIO_DECIMALS: Final = 6
_RATE_DECIMALS: Final = 12
_TICK_DECIMALS: Final = 12
# Parameters that are ratios are fractions here; the core has them as `<name>_e6`.
_RATIO_SUFFIX: Final = "_e6"


class CatalogueError(ValueError):
    """A catalogue that cannot be used; the message is a sentence that names the place."""


class _Terms(msgspec.Struct, forbid_unknown_fields=True):
    """Part of a catalogue. Decimals are kept as text until their precision is known."""


class CollateralStep(_Terms):
    """The collateral ratio of a surplus, up to an amount held."""

    ratio: str
    up_to: str = "0"


class CrossTier(_Terms):
    """Leverage and maintenance margin rate of crossed margin, up to an amount owed."""

    up_to: str
    leverage: int
    mmr: str


class IsolatedTier(_Terms):
    """Leverage and maintenance margin rate of isolated margin, up to amounts owed."""

    base_up_to: str
    quote_up_to: str
    leverage: int
    mmr: str


class RateCurve(_Terms):
    """A daily rate by how much of the pool is lent, with a premium on top (RULES 5.1)."""

    base: str
    kink: str
    at_kink: str
    at_full: str
    premium: str = "0"


class CoinTerms(_Terms):
    """A coin and what it is lent for: at one rate, or along a curve."""

    name: str
    user_limit: str
    daily_rate: str | RateCurve
    decimals: int = 8
    collateral: list[CollateralStep] = []
    tiers: list[CrossTier] = []
    min_borrow: str = "0.00000001"
    pool: str = "0"
    insurance: str = "0"
    borrowable: bool = True
    transferable: bool = True


class PairTerms(_Terms):
    """A pair and how it trades."""

    symbol: str
    base: str
    quote: str
    tick: str
    step: str
    max_size: str
    min_size: str = "0"
    min_value: str = "1"
    maker_fee: str = "0.001"
    taker_fee: str = "0.001"
    max_open_orders: int = 200
    isolated: list[IsolatedTier] = []
    liquidation_fee: str = "0.02"
    crossed: bool = True
    trading: bool = True


class VipLevel(_Terms):
    """What a VIP level does to rates and limits."""

    rate: str
    limit: str


class Catalogue(_Terms):
    """Everything a venue begins with."""

    coins: list[CoinTerms]
    pairs: list[PairTerms]
    vip: list[VipLevel] = []
    parameters: dict[str, str] = {}


def example() -> str:
    """Return the catalogue of the sandbox, as a file to begin one's own with."""
    return files("lombard.sandbox").joinpath("catalogue.toml").read_text("utf-8")


def read(text: str) -> Catalogue:
    """Read a catalogue. Raises `CatalogueError` with a sentence that names the place."""
    try:
        return msgspec.convert(
            _as_text(tomllib.loads(text, parse_float=str)), Catalogue, strict=False
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise CatalogueError(f"The catalogue cannot be read: {fault}") from fault


def genesis(catalogue: Catalogue) -> list[Command]:
    """Make the first commands of a venue. Coins and pairs are numbered in their order.

    Raises `CatalogueError` for whatever the state machine would refuse.
    """
    commands = list(_commands(catalogue))
    trial = Engine()
    for seq, command in enumerate(commands, 1):
        reply, _ = trial.apply(Envelope(seq, 0, b"", VENUE, command))
        if reply.refusal is not None:
            reason = reply.detail or reply.refusal.value.replace("_", " ")
            raise CatalogueError(f"The terms of {_name_of(command)} are refused: {reason}.")
    return commands


def _commands(catalogue: Catalogue) -> Iterator[Command]:
    for name, value in catalogue.parameters.items():
        yield _parameter(name, value)
    if catalogue.vip:
        yield SetVipLevels([(_ratio(level.rate), _ratio(level.limit)) for level in catalogue.vip])
    for coin in catalogue.coins:
        yield _set_coin(coin)
    for number, coin in enumerate(catalogue.coins):
        yield _set_rate(number, coin)
        for kind, text in (("pool", coin.pool), ("insurance", coin.insurance)):
            units = _decimal(text, coin.decimals, f"{coin.name} {kind}")
            if units:
                yield FundPool(number, units) if kind == "pool" else FundInsurance(number, units)
        if coin.name == UNIT_OF_VALUE:
            yield SetIndexPrices([finished_price(number, PRICE_ONE_E12)])
    for pair in catalogue.pairs:
        yield _set_pair(catalogue, pair)


def finished_price(coin: int, price_e12: int) -> tuple[int, int, int, int, int]:
    """Make a row of `SetIndexPrices` that is fresh, and enough, until replaced (RULES 7.7)."""
    return (coin, price_e12, SOURCES_OF_A_FINISHED_INDEX, 0, 0)


def _name_of(command: Command) -> str:
    match command:
        case SetCoin(name=name) | SetParameter(name=name):
            return name
        case SetPair(symbol=symbol):
            return symbol
    return "the VIP levels" if isinstance(command, SetVipLevels) else type(command).__name__


def _set_coin(coin: CoinTerms) -> SetCoin:
    def amount(text: str) -> int:
        return _decimal(text, coin.decimals, coin.name)

    return SetCoin(
        name=coin.name,
        decimals=coin.decimals,
        collateral_steps=[(amount(step.up_to), _ratio(step.ratio)) for step in coin.collateral],
        cross_tiers=[(amount(t.up_to), t.leverage, _ratio(t.mmr)) for t in coin.tiers],
        user_limit_units=amount(coin.user_limit),
        min_borrow_units=amount(coin.min_borrow),
        borrowable=coin.borrowable,
        transferable=coin.transferable,
    )


def _set_rate(number: int, coin: CoinTerms) -> SetRate | SetRateModel:
    def rate(text: str) -> int:
        return _decimal(text, _RATE_DECIMALS, f"{coin.name} daily_rate")

    terms = coin.daily_rate
    if isinstance(terms, str):
        return SetRate(number, rate(terms))
    return SetRateModel(
        number,
        rate(terms.base),
        _ratio(terms.kink),
        rate(terms.at_kink),
        rate(terms.at_full),
        rate(terms.premium),
    )


def _set_pair(catalogue: Catalogue, pair: PairTerms) -> SetPair:
    base, base_decimals = _coin_named(catalogue, pair.base, pair.symbol)
    quote, quote_decimals = _coin_named(catalogue, pair.quote, pair.symbol)
    step_units = _decimal(pair.step, base_decimals, f"{pair.symbol} step")
    if not step_units:
        raise CatalogueError(f"The step of {pair.symbol} is 0.")

    def base_amount(text: str) -> int:
        return _decimal(text, base_decimals, pair.symbol)

    def quote_amount(text: str) -> int:
        return _decimal(text, quote_decimals, pair.symbol)

    return SetPair(
        symbol=pair.symbol,
        base=base,
        quote=quote,
        tick_e12=_decimal(pair.tick, _TICK_DECIMALS, f"{pair.symbol} tick"),
        step_units=step_units,
        maker_fee_e6=_ratio(pair.maker_fee),
        taker_fee_e6=_ratio(pair.taker_fee),
        min_value_units=quote_amount(pair.min_value),
        min_size_steps=max(1, -(-base_amount(pair.min_size) // step_units)),
        max_size_steps=base_amount(pair.max_size) // step_units,
        max_open_orders=pair.max_open_orders,
        isolated_tiers=[
            (base_amount(t.base_up_to), quote_amount(t.quote_up_to), t.leverage, _ratio(t.mmr))
            for t in pair.isolated
        ],
        liquidation_fee_e6=_ratio(pair.liquidation_fee),
        crossed=pair.crossed,
        trading=pair.trading,
    )


def _parameter(name: str, value: str) -> SetParameter:
    if name + _RATIO_SUFFIX in PARAMETERS:
        return SetParameter(name + _RATIO_SUFFIX, _ratio(value))
    if name not in PARAMETERS or name.endswith(_RATIO_SUFFIX):
        known = sorted(parameter.removesuffix(_RATIO_SUFFIX) for parameter in PARAMETERS)
        raise CatalogueError(f"There is no parameter {name!r}, only {', '.join(known)}.")
    return SetParameter(name, _decimal(value, 0, name))


def _coin_named(catalogue: Catalogue, name: str, symbol: str) -> tuple[int, int]:
    for number, coin in enumerate(catalogue.coins):
        if coin.name == name:
            return number, coin.decimals
    raise CatalogueError(f"{symbol} trades {name}, but the catalogue lists no such coin.")


def _ratio(text: str) -> int:
    return _decimal(text, _RATIO_DECIMALS, "a ratio")


def _decimal(text: str, decimals: int, where: str) -> int:
    try:
        return parse_units(text, decimals)
    except UnitsError as fault:
        raise CatalogueError(
            f"{where}: {text!r} is not a decimal with at most {decimals} places."
        ) from fault


def _as_text(value: object) -> object:
    """Turn every number of a TOML tree into text; floats already are."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
