"""The tape: an endless market out of a recording that ends."""

import pytest

from lombard.market import Tape, build_tape
from lombard.market.index import CAP_E6
from lombard.market.recording import shipped_recording
from lombard.market.tape import STRAY_E6, Market
from tests.market.csvs import of_closes

ONE = 10**12
BTCUSDT = Market("BTCUSDT", "BTC", "USDT")
BTCUSDC = Market("BTCUSDC", "BTC", "USDC")
PAIRS = [
    BTCUSDT,
    BTCUSDC,
    Market("ETHUSDT", "ETH", "USDT"),
    Market("DOGEUSDT", "DOGE", "USDT"),
    Market("PEPEUSDT", "PEPE", "USDT"),
    Market("ETHBTC", "ETH", "BTC"),
]
WICK = ((14 - 1) * 24 + 14) * 60 + 24


def test_a_recording_is_played_to_its_end_and_back_and_so_on() -> None:
    tape = build_tape(of_closes([100, 101, 102, 103]), 1)

    prices = [tape.index_e12("BTC", candle) // ONE for candle in range(18)]

    forth_and_back = [100, 100, 101, 102, 103, 102, 101, 100]
    assert [*forth_and_back, *forth_and_back, 100, 100] == prices
    back = tape.path(BTCUSDT, 4)
    assert [103, 102] == [back.open_e12 // ONE, back.close_e12 // ONE]


def test_the_carried_recording_does_not_jump_where_it_ends(tape: Tape) -> None:
    length = len(tape.recorded["BTCUSDT"])
    for turn in (length, 2 * length, 3 * length):
        for coin in tape.coins():
            before, at, after = (tape.index_e12(coin, turn + n) for n in (-1, 0, 1))
            assert before == after
            assert abs(at - before) * 10**6 <= CAP_E6 * min(at, before)


def test_candles_of_recorded_pairs_are_the_recording(tape: Tape) -> None:
    recorded = shipped_recording("BTCUSDT").candles
    for number in range(0, len(recorded), 97):
        path = tape.path(BTCUSDT, number)
        candle = recorded[number]
        if candle.volume_e8:
            assert (candle.open_e12, candle.close_e12) == (path.open_e12, path.close_e12)
            assert {candle.low_e12, candle.high_e12} == {path.first_e12, path.second_e12}
            assert candle.volume_e8 == path.volume_e8


def test_the_wick_is_cut_off_near_the_index(tape: Tape) -> None:
    path = tape.path(BTCUSDC, WICK)
    assert 31_000 * ONE in path

    prices = [tape.price_e12(BTCUSDC, path, WICK, 1, part, 6) for part in range(7)]

    line = [tape.cross_e12(BTCUSDC, WICK, part, 6) for part in range(7)]
    assert max(prices) < 26_500 * ONE
    for price, middle in zip(prices, line, strict=True):
        assert abs(price - middle) * 10**6 <= STRAY_E6 * middle


@pytest.mark.parametrize("market", PAIRS, ids=lambda market: market.symbol)
@pytest.mark.parametrize("count", [1, 7])
def test_a_path_begins_and_ends_where_the_index_does(
    tape: Tape, market: Market, count: int
) -> None:
    for candle in range(0, 60_000, 1_501):
        path = tape.path(market, candle, count)
        opened = tape.price_e12(market, path, candle, count, 0, 3)
        closed = tape.price_e12(market, path, candle, count, 3, 3)
        # A recorded minute may open a little off the close before it; backwards it closes so.
        most_e3 = 10 if market is BTCUSDC else 1
        for price, at in ((opened, candle), (closed, candle + count)):
            index = tape.cross_e12(market, at)
            assert abs(price - index) * 1_000 <= most_e3 * index, (candle, market)


def test_several_candles_make_one() -> None:
    tape = build_tape(of_closes([100, 103, 101, 99, 104], wick=2), 1)

    path = tape.path(BTCUSDT, 0, 5)

    expected = (100, 97, 106, 104, 5)
    assert expected == (*[price // ONE for price in path[:4]], path.volume_e8 // 10**8)


def test_of_very_many_candles_some_are_looked_at() -> None:
    tape = build_tape(of_closes([100 + n % 5 for n in range(1_000)], wick=2), 1)

    path = tape.path(BTCUSDT, 0, 1_000)

    expected = (100, 98, 106, 104, 1_000)
    assert expected == (*[price // ONE for price in path[:4]], path.volume_e8 // 10**8)


def test_pairs_without_prices_are_not_known(tape: Tape) -> None:
    assert all(tape.knows(market) for market in PAIRS)
    assert not tape.knows(Market("SOLUSDT", "SOL", "USDT"))


def test_every_pair_has_a_volume_worth_having(tape: Tape) -> None:
    for market in PAIRS:
        volume_e8 = tape.path(market, 0, 1_440).volume_e8
        value = volume_e8 * tape.index_e12(market.base, 0) // (10**8 * ONE)
        assert 10**5 < value < 10**9, market.symbol
