"""Numbers of the wire: what is read, what is refused and how, and how they are written."""

import pytest

from lombard.api.amounts import (
    average_text,
    padded,
    parse_amount,
    parse_count,
    parse_id,
    parse_price,
    parse_size,
    parse_time,
    price_precision,
    price_text,
    shown_rate_e8,
    size_precision,
    size_text,
)
from lombard.api.errors import Fault, Scene
from lombard.core import queries
from lombard.core.engine import Engine
from lombard.core.queries import Pair
from tests.api.house import venue_lines

STATE = Engine.restore(venue_lines()).state


def pair(symbol: str) -> Pair:
    index = queries.pair_named(STATE, symbol)
    assert index is not None
    return queries.pairs(STATE)[index]


@pytest.mark.parametrize(
    ("symbol", "price", "ticks", "precision"),
    [
        ("BTCUSDT", "20000.01", 2_000_001, 2),
        ("BTCUSDT", "20000.10000", 2_000_010, 2),
        ("PEPEUSDT", "0.0000012345", 12_345, 10),
        ("DOGEUSDT", "0.1", 10_000, 5),
    ],
)
def test_prices(symbol: str, price: str, ticks: int, precision: int) -> None:
    assert ticks == parse_price(Scene.SPOT, "price", price, pair(symbol))
    assert precision == price_precision(pair(symbol))
    assert float(price) == float(price_text(pair(symbol), ticks))


@pytest.mark.parametrize(
    ("symbol", "size", "steps", "precision"),
    [("BTCUSDT", "0.5", 500_000, 6), ("DOGEUSDT", "17", 17, 0), ("PEPEUSDT", "500", 5, 0)],
)
def test_sizes(symbol: str, size: str, steps: int, precision: int) -> None:
    assert steps == parse_size(Scene.SPOT, "size", size, pair(symbol))
    assert precision == size_precision(pair(symbol))
    assert size == size_text(pair(symbol), steps)


@pytest.mark.parametrize(
    ("scene", "text", "code"),
    [
        (Scene.CROSSED, "1.123456789", "50063"),
        (Scene.SPOT, "1.123456789", "50063"),
        (Scene.CROSSED, "-1", "50061"),
        (Scene.SPOT, "-1", "40020"),
        (Scene.SPOT, "1e5", "40020"),
        (Scene.SPOT, "1,5", "40020"),
        (Scene.SPOT, ".5", "40020"),
        (Scene.SPOT, "NaN", "40020"),
        (Scene.SPOT, "Infinity", "40020"),
        (Scene.SPOT, " 1", "40020"),
        (Scene.SPOT, "0x10", "40020"),
        (Scene.SPOT, "١", "40020"),
        (Scene.SPOT, "1" * 31, "40020"),
        (Scene.SPOT, "1_0", "40020"),
    ],
)
def test_amounts_that_are_none(scene: Scene, text: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_amount(scene, "amount", text, pair("BTCUSDT").base)

    assert code == caught.value.code


@pytest.mark.parametrize(
    ("symbol", "size", "sentence"),
    [
        (
            "BTCUSDT",
            "0.0000001",
            "Parameter verification exception size checkBDScale error value=0.0000001 checkScale=6",
        ),
        (
            "BTCUSDT",
            "0.123456789",
            "Parameter verification exception size checkBDScale error value=0.123456789 "
            "checkScale=6",
        ),
        (
            "PEPEUSDT",
            "150",
            "Parameter verification exception size checkBDScale error value=150 checkScale=0 "
            "multiple of 100",
        ),
    ],
)
def test_sizes_between_two_steps(symbol: str, size: str, sentence: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_size(Scene.SPOT, "size", size, pair(symbol))

    assert ("40808", sentence) == (caught.value.code, caught.value.sentence)


def test_a_price_between_two_ticks() -> None:
    with pytest.raises(Fault) as caught:
        parse_price(Scene.SPOT, "price", "20000.001", pair("BTCUSDT"))

    assert "41103" == caught.value.code
    assert "param price scale error 20000.001 error" == caught.value.sentence


@pytest.mark.parametrize("text", ["0", "-1", "abc", "9" * 20, str(2**63), "1.0"])
def test_ids_that_are_none(text: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_id(Scene.CROSSED, "orderId", text)

    assert ("40020", "Parameter orderId error") == (caught.value.code, caught.value.sentence)


def test_ids_times_and_counts() -> None:
    assert 0 == parse_id(Scene.SPOT, "orderId", "")
    assert 2**63 - 1 == parse_id(Scene.SPOT, "orderId", str(2**63 - 1))
    assert parse_time(Scene.SPOT, "startTime", "") is None
    assert 1_700_000_000_000 == parse_time(Scene.SPOT, "startTime", "1700000000000")
    assert 100 == parse_count(Scene.SPOT, "limit", "", 100, 500)
    assert 500 == parse_count(Scene.SPOT, "limit", "1000", 100, 500)
    for text in ("0", "-5", "x", "1.5", "9" * 10):
        with pytest.raises(Fault):
            parse_count(Scene.SPOT, "limit", text, 100, 500)


def test_averages_are_rounded_to_the_nearest() -> None:
    btc = pair("BTCUSDT")

    assert "0" == average_text(btc, 0, 0)
    # 3 BTC for 100 USDT
    assert "33.333333333333" == average_text(btc, 3 * 10**8, 100 * 10**8)
    assert "66.666666666667" == average_text(btc, 3 * 10**8, 200 * 10**8)


def test_padding_and_cutting() -> None:
    assert "-0.0995000000000000" == padded("-0.0995")
    assert "4.00000000" == padded("4", 8)
    # reference §2.12: 0.000126279 is shown as 0.00012627
    assert 12_627 == shown_rate_e8(126_279_000)
