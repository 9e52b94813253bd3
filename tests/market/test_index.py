"""The index: closes only, moves capped by the minute, walks that depend on the seed alone."""

from itertools import pairwise

import pytest

from lombard.market import Tape
from lombard.market.index import CAP_E6, CAPS_E6, build_index, capped_e12, draw
from lombard.market.recording import shipped_recording
from tests.market.csvs import of_closes

ONE = 10**12
MINUTE_MS = 60_000
# Minutes of the carried recordings, counted from 2023-03-01 00:00.
WICK = ((14 - 1) * 24 + 14) * 60 + 24
DEPEG = ((11 - 1) * 24 + 7) * 60 + 50


@pytest.mark.parametrize(
    ("before", "target", "interval_ms", "expected"),
    [
        (100_000, 101_999, 60_000, 101_999),
        (100_000, 150_000, 60_000, 102_000),
        # A fall and the rise that undoes it are bounded alike.
        (102_000, 50_000, 60_000, 100_000),
        (100_000, 150_000, 30_000, 101_000),
        (100_000, 150_000, 300_000, 110_000),
        (100_000, 100_000, 60_000, 100_000),
    ],
)
def test_a_price_moves_by_its_cap_at_most(
    before: int, target: int, interval_ms: int, expected: int
) -> None:
    assert expected == capped_e12(before, target, 20_000, interval_ms)


def test_btc_is_the_closes_of_the_recording(tape: Tape) -> None:
    candles = shipped_recording("BTCUSDT").candles

    closes = [candle.close_e12 for candle in candles]
    assert [candles[0].open_e12, *closes] == tape.index.prices_e12["BTC"]


def test_no_price_moves_by_more_than_its_cap_in_a_minute(tape: Tape) -> None:
    for coin, prices in tape.index.prices_e12.items():
        cap_e6 = CAPS_E6.get(coin, CAP_E6)
        for before, after in pairwise(prices):
            assert abs(after - before) * 10**6 <= min(before, after) * cap_e6, coin


def test_the_wick_of_14_march_does_not_reach_the_index(tape: Tape) -> None:
    candle = shipped_recording("BTCUSDC").candles[WICK]
    usdc = tape.index.prices_e12["USDC"]

    assert 31_000 * ONE == candle.high_e12
    assert 990 * ONE // 1_000 < min(usdc[WICK : WICK + 3]) <= max(usdc[WICK : WICK + 3]) < ONE


def test_usdc_falls_to_87_cents_on_11_march_and_comes_back(tape: Tape) -> None:
    usdc = tape.index.prices_e12["USDC"]

    hours = [usdc[DEPEG + hours * 60] * 100 // ONE for hours in (-24, -4, -1, 0, 5, 12, 48)]
    assert [99, 99, 98, 87, 90, 94, 98] == hours
    assert 86 * ONE // 100 < min(usdc) < 88 * ONE // 100


def test_usdc_stays_where_it_was_in_minutes_without_trades(tape: Tape) -> None:
    usdt, usdc = shipped_recording("BTCUSDT").candles, shipped_recording("BTCUSDC").candles
    prices = tape.index.prices_e12["USDC"]
    untraded = [n for n, candle in enumerate(usdc) if candle.volume_e8 == 0]

    assert 43 == len(untraded) * 100 // len(usdc) + 1
    # Carrying the last BTCUSDC price on beside a BTCUSDT that moves would be another number.
    carried = [usdt[n].close_e12 * ONE // usdc[n].close_e12 for n in untraded]
    assert max(abs(a - prices[n + 1]) for a, n in zip(carried, untraded, strict=True)) > ONE // 500
    still = [n for n in untraded if n and usdc[n - 1].volume_e8 == 0]
    caught_up = [n for n in still if prices[n] == prices[n + 1]]
    # A capped move that is not at its end yet goes on.
    assert len(still) - len(caught_up) < 20


def test_a_close_that_is_far_off_comes_in_by_the_minute_and_only_while_it_lasts() -> None:
    recording = of_closes([20_000, 10_000, 20_000, 10_000, 10_000, 10_000])

    btc = build_index(recording, None, 1).prices_e12["BTC"]

    expected = [20_000, 20_000, 19_607, 20_000, 19_607, 19_223, 18_846]
    assert expected == [price // ONE for price in btc]


def test_the_walks_depend_on_the_seed_and_the_recording_alone() -> None:
    recording = of_closes([20_000, 20_100, 20_050, 20_300])

    one, same, other = (build_index(recording, None, seed).prices_e12 for seed in (1, 1, 2))

    assert one == same
    assert one["BTC"] == other["BTC"]
    assert all(one[coin] != other[coin] for coin in ("ETH", "DOGE", "PEPE", "USDC"))
    # Written down, so that another machine, or another year, is noticed.
    assert 11_535_266_081_218_192_668 == draw(1, "ETH", 1)
    assert [
        1_605_000_000_000_000,
        1_604_819_437_500_000,
        1_613_245_554_795_149,
        1_608_849_934_952_525,
        1_629_191_443_584_746,
    ] == one["ETH"]


def test_small_coins_move_with_btc_and_with_something_of_their_own(tape: Tape) -> None:
    btc = tape.index.prices_e12["BTC"]
    for coin, least, most in (("ETH", 60, 99), ("DOGE", 45, 95), ("PEPE", 30, 90)):
        prices = tape.index.prices_e12[coin]
        ups = [n for n in range(len(btc) - 1) if btc[n + 1] > btc[n]]
        together = sum(prices[n + 1] > prices[n] for n in ups) * 100 // len(ups)
        assert least < together < most, coin
        # They keep their proportion to BTC within a third.
        start = prices[0]
        parts = [100 * p * btc[0] // (start * at) for p, at in zip(prices, btc, strict=True)]
        assert 66 < min(parts) <= max(parts) < 150, coin


def test_usdc_beside_a_recording_of_ones_own_stays_within_half_a_cent() -> None:
    recording = of_closes([20_000 + n % 7 for n in range(3_000)])

    usdc = build_index(recording, None, 1).prices_e12["USDC"]

    assert ONE * 995 // 1_000 < min(usdc) < max(usdc) < ONE * 1_005 // 1_000


@pytest.mark.parametrize("interval_ms", [1_000, 90_000, 3_600_000, 86_400_000, 604_800_000])
def test_any_interval_makes_an_index(interval_ms: int) -> None:
    closes = [20_000, 24_000, 15_000, 300, 16_000, 90_000, 1]
    index = build_index(of_closes(closes, interval_ms), None, 1)

    for prices in index.prices_e12.values():
        assert 8 == len(prices)
        assert min(prices) > 0
