"""The catalogue: the numbers that were agreed, the rules they keep, and what is refused."""

import pytest

from lombard.core import queries
from lombard.core.commands import VENUE, Envelope
from lombard.core.engine import Engine
from lombard.core.state import Pair
from lombard.core.units import RATIO_ONE_E6, format_units
from lombard.sandbox.catalogue import CatalogueError, example, genesis, read


@pytest.fixture(scope="module")
def engine() -> Engine:
    engine = Engine()
    for seq, command in enumerate(genesis(read(example())), 1):
        engine.apply(Envelope(seq, 0, b"", VENUE, command))
    engine.check()
    return engine


@pytest.mark.parametrize(
    ("name", "ratio_e6", "user_limit", "pool", "rate_e12"),
    [
        ("USDT", 1_000_000, "300000", "6000000", 410_950_000),
        ("USDC", 1_000_000, "300000", "6000000", 300_000_000),
        ("BTC", 1_000_000, "26", "520", 70_000_000),
        ("ETH", 950_000, "400", "8000", 100_000_000),
        ("DOGE", 800_000, "2000000", "40000000", 300_000_000),
        ("PEPE", 500_000, "10000000000", "200000000000", 300_000_000),
    ],
)
def test_coins_are_as_agreed(
    engine: Engine, name: str, ratio_e6: int, user_limit: str, pool: str, rate_e12: int
) -> None:
    number = queries.coin_named(engine.state, name)
    assert number is not None
    coin = queries.coins(engine.state)[number]
    assert 8 == coin.decimals
    assert [(0, ratio_e6)] == coin.collateral_steps
    assert (user_limit, pool) == (
        format_units(coin.user_limit_units, 8),
        format_units(coin.pool_units, 8),
    )
    assert [(coin.user_limit_units, 3, 100_000)] == coin.cross_tiers
    # In force in the very first hour, not from the next on.
    assert rate_e12 == queries.daily_rate_e12(engine.state, number)
    assert coin.insurance_units > 0
    assert (True, True) == (coin.borrowable, coin.transferable)


@pytest.mark.parametrize(
    ("symbol", "tick", "step", "leverage", "mmr_e6"),
    [
        ("BTCUSDT", "0.01", "0.000001", 10, 50_000),
        ("ETHUSDT", "0.01", "0.0001", 10, 50_000),
        ("BTCUSDC", "0.01", "0.000001", 10, 50_000),
        ("DOGEUSDT", "0.00001", "1", 5, 80_000),
        ("PEPEUSDT", "0.0000000001", "100", 3, 150_000),
    ],
)
def test_pairs_are_as_agreed(
    engine: Engine, symbol: str, tick: str, step: str, leverage: int, mmr_e6: int
) -> None:
    pair = pair_of(engine, symbol)
    assert (tick, step) == (format_units(pair.tick_e12, 12), format_units(pair.step_units, 8))
    assert (1_000, 1_000, "1") == (
        pair.maker_fee_e6,
        pair.taker_fee_e6,
        format_units(pair.min_value_units, 8),
    )
    tiers = [(pair.base.user_limit_units, pair.quote.user_limit_units, leverage, mmr_e6)]
    assert tiers == pair.isolated_tiers


def pair_of(engine: Engine, symbol: str) -> Pair:
    number = queries.pair_named(engine.state, symbol)
    assert number is not None
    return queries.pairs(engine.state)[number]


def test_every_slice_of_a_liquidation_improves_its_account(engine: Engine) -> None:
    """RULES 8.2: c < 1 - w / (1 + MMR), and RULES 7.4: (L - 1) x MMR <= 0.5."""
    state = engine.state
    band_e6 = queries.parameter(state, "system_band_e6")
    crossed_fee_e6 = queries.parameter(state, "crossed_liquidation_fee_e6")
    taker_e6 = max(pair.taker_fee_e6 for pair in queries.pairs(state))
    tiers = [
        (pair.liquidation_fee_e6, leverage, mmr_e6)
        for pair in queries.pairs(state)
        for _, _, leverage, mmr_e6 in pair.isolated_tiers
    ]
    tiers += [
        (crossed_fee_e6, leverage, mmr_e6)
        for coin in queries.coins(state)
        for _, leverage, mmr_e6 in coin.cross_tiers
    ]
    for fee_e6, leverage, mmr_e6 in tiers:
        cost_e6 = band_e6 + taker_e6 + fee_e6
        # Both sides times (1 + MMR), at a collateral ratio of 1: no account has a higher one.
        assert cost_e6 * (RATIO_ONE_E6 + mmr_e6) < mmr_e6 * RATIO_ONE_E6
        assert (leverage - 1) * mmr_e6 <= RATIO_ONE_E6 // 2


def test_the_unit_of_value_is_worth_one_and_the_rest_nothing_yet(engine: Engine) -> None:
    prices = {coin.name: coin.price_e12 for coin in queries.coins(engine.state)}
    others = dict.fromkeys(["USDC", "BTC", "ETH", "DOGE", "PEPE"], 0)
    assert {"USDT": 10**12, **others} == prices
    assert "1000000" == format_units(queries.coins(engine.state)[0].insurance_units, 8)


def test_vip_levels_are_those_of_the_venue(engine: Engine) -> None:
    assert [
        (1_000_000, 1_000_000),
        (970_000, 1_030_000),
        (920_000, 1_080_000),
        (860_000, 1_160_000),
        (750_000, 1_330_000),
        (600_000, 1_660_000),
    ] == queries.vip_levels(engine.state)


@pytest.mark.parametrize(
    ("found", "instead", "sentence"),
    [
        ("daily_rate = 0.00007", "daily_rate = 1e-5", "'1e-5' is not a decimal with at most 12"),
        ("daily_rate = 0.00007", 'daily_rate = "-1"', "'-1' is not a decimal"),
        ("daily_rate = 0.00007", "daily_rate = true", "Expected `str | object`, got `bool`"),
        ("daily_rate = 0.00007", "rate = 0.00007", "unknown field `rate`"),
        ("daily_rate = 0.00007\n", "", "missing required field `daily_rate`"),
        ('base = "ETH"', 'base = "ETC"', "ETHUSDT trades ETC, but the catalogue lists no such"),
        ("step = 0.000001", "step = 0.0000001", "The terms of BTCUSDT are refused"),
        ("step = 100", "step = 0", "The step of PEPEUSDT is 0"),
        ("mmr = 0.05", "mmr = 0.04", "The terms of BTCUSDT are refused"),
        ("band = 0.05 ", "bond = 0.05 ", "no parameter 'bond', only band"),
        ("[parameters]", "[parameters", "The catalogue cannot be read"),
        ("[[vip]]\nrate = 1\n", "[[vip]]\nrate = 2\n", "The terms of the VIP levels are refused"),
    ],
)
def test_a_catalogue_that_cannot_be_is_refused(found: str, instead: str, sentence: str) -> None:
    assert found in example()
    with pytest.raises(CatalogueError) as refused:
        genesis(read(example().replace(found, instead, 1)))
    assert sentence in str(refused.value)


def test_a_coin_may_be_lent_along_a_curve() -> None:
    curve = "{ base = 0.0001, kink = 0.8, at_kink = 0.0004, at_full = 0.003, premium = 0.00005 }"
    text = example().replace("daily_rate = 0.00041095", f"daily_rate = {curve}")
    engine = Engine()
    for seq, command in enumerate(genesis(read(text)), 1):
        assert engine.apply(Envelope(seq, 0, b"", VENUE, command))[0].refusal is None

    number = queries.coin_named(engine.state, "USDT")
    assert number is not None
    curve_of_usdt = (10**8, 800_000, 4 * 10**8, 3 * 10**9, 5 * 10**7)
    assert curve_of_usdt == queries.coins(engine.state)[number].rate_curve
    # Nothing is lent yet.
    assert 150_000_000 == queries.daily_rate_e12(engine.state, number)
    wrong = text.replace("kink = 0.8", "kink = 2")
    with pytest.raises(CatalogueError, match="kink"):
        genesis(read(wrong))
