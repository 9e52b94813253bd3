"""The market on a real engine: books and candles follow the tape, whatever the clock does."""

from itertools import groupby

import pytest

from lombard.core.commands import (
    BUY,
    GTC,
    LIMIT,
    MARKET,
    NORMAL,
    SELL,
    SOURCE_API,
    STP_NONE,
    PlaceOrder,
    SetIndexPrices,
)
from lombard.market import Makers, ReplayMarket, Tape, build_tape, funding
from lombard.market.makers import FUNDS
from lombard.market.recording import Candle, shipped_recording
from tests.market.csvs import of_closes
from tests.market.venue import START_MS, Venue

ONE = 10**12
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SYMBOLS = ["BTCUSDT", "ETHUSDT", "BTCUSDC", "DOGEUSDT", "PEPEUSDT"]


def best(venue: Venue, symbol: str) -> tuple[int, int]:
    """Return the best bid and ask of a book that has both, at 1e-12."""
    state = venue.engine.state
    pair = state.pairs[state.pair_ids[symbol]]
    bid, ask = pair.bids.best_ticks(), pair.asks.best_ticks()
    assert 0 < bid < ask, symbol
    return bid * pair.tick_e12, ask * pair.tick_e12


def off_e6(venue: Venue, symbol: str, prices: tuple[int, int]) -> int:
    """Return how far the further of two prices is from the index, in millionths."""
    state = venue.engine.state
    pair = state.pairs[state.pair_ids[symbol]]
    index_e12 = pair.base.price_e12 * ONE // pair.quote.price_e12
    return max(abs(price - index_e12) * 10**6 // index_e12 for price in prices)


def book_error_e6(venue: Venue, symbol: str) -> int:
    """Return how far the book is from the index, in millionths."""
    return off_e6(venue, symbol, best(venue, symbol))


def candles(venue: Venue, symbol: str) -> dict[int, Candle]:
    """Return the minutes' candles that the trades of a pair make, by the time they opened."""
    state = venue.engine.state
    pair = state.pairs[state.pair_ids[symbol]]
    made = {}
    trades = [(ms, trade) for ms, trade in venue.trades if trade.pair == pair.id]
    for opened_ms, group in groupby(trades, key=lambda each: each[0] - each[0] % MINUTE_MS):
        rows = [trade for _, trade in group]
        prices = [trade.price_ticks * pair.tick_e12 for trade in rows]
        volume = sum(trade.base_units for trade in rows)
        made[opened_ms] = Candle(prices[0], max(prices), min(prices), prices[-1], volume)
    return made


def limit(pair: int, side: int, price_ticks: int, steps: int) -> PlaceOrder:
    return PlaceOrder(
        pair, side, LIMIT, GTC, NORMAL, STP_NONE, price_ticks, steps, 0, "", SOURCE_API
    )


def test_at_once_there_are_prices_books_and_tickers(tape: Tape) -> None:
    venue = Venue(tape)

    venue.advance(0)

    assert ONE == venue.index_e12("USDT")
    assert 23_140 == venue.index_e12("BTC") // ONE
    for pair in venue.engine.state.pairs:
        assert pair.last_price_ticks > 0
        assert book_error_e6(venue, pair.symbol) < 2_000
    assert {} == venue.refusals


def test_at_every_close_the_books_are_at_the_index(tape: Tape) -> None:
    venue = Venue(tape, START_MS - START_MS % MINUTE_MS)
    venue.advance(0)
    for _ in range(120):
        venue.advance(MINUTE_MS - 1)
        at_close = {symbol: best(venue, symbol) for symbol in SYMBOLS}
        # The book is where the index goes now.
        venue.advance(1)
        for symbol in SYMBOLS:
            assert off_e6(venue, symbol, at_close[symbol]) <= 1_000, symbol
    assert {} == venue.refusals
    venue.engine.check()


def test_candles_are_those_of_the_recording(tape: Tape) -> None:
    venue = Venue(tape, START_MS - START_MS % MINUTE_MS)
    venue.advance(3 * HOUR_MS - 1)
    began_ms = START_MS - START_MS % MINUTE_MS

    made = candles(venue, "BTCUSDT")

    recorded = shipped_recording("BTCUSDT").candles[:180]
    assert 180 == len(made)
    for number, candle in enumerate(recorded):
        same = made[began_ms + number * MINUTE_MS]
        assert candle[:4] == same[:4], number
        # Every trade is about its share of what was traded then.
        assert candle.volume_e8 <= 2 * same.volume_e8 + 10**6
        assert same.volume_e8 <= 2 * candle.volume_e8 + 10**6
    for symbol in ("ETHUSDT", "DOGEUSDT", "PEPEUSDT"):
        assert 180 == len(candles(venue, symbol))
    usdc = shipped_recording("BTCUSDC").candles[:180]
    traded = sum(candle.volume_e8 > 0 for candle in usdc)
    assert traded == len(candles(venue, "BTCUSDC"))


def test_the_index_is_published_every_minute_and_finished(tape: Tape) -> None:
    venue = Venue(tape)
    published = [
        each.command
        for ms in range(0, 10 * MINUTE_MS, 1_000)
        for each in venue.market.commands_until(START_MS + ms, venue.view)
        if isinstance(each.command, SetIndexPrices)
    ]

    # At the start and at every full minute, the tenth of which is not reached.
    assert 10 == len(published)
    for command in published[1:]:
        assert [(2, 0, 3 * MINUTE_MS)] * 5 == [row[2:] for row in command.prices]
    assert 6 == len(published[0].prices)


def test_the_same_seed_and_state_give_the_same_commands(tape: Tape) -> None:
    one, same, other = Venue(tape), Venue(tape), Venue(build_tape(None, 2))
    for venue in (one, same, other):
        venue.advance(20 * MINUTE_MS)

    assert one.commands == same.commands
    assert one.engine.state_hash() == same.engine.state_hash()
    assert one.commands != other.commands


def test_three_hours_at_once_cost_little_work_a_minute(tape: Tape) -> None:
    venue = Venue(tape)

    venue.advance(3 * HOUR_MS)

    assert len(venue.commands) <= 30 * len(SYMBOLS) * 180
    for symbol in SYMBOLS:
        assert book_error_e6(venue, symbol) <= 2_500


@pytest.mark.parametrize("hours", [6, 24, 30 * 24, 366 * 24])
def test_any_jump_is_played_through_in_bounded_work(tape: Tape, hours: int) -> None:
    venue = Venue(tape)

    moments = venue.advance(hours * HOUR_MS)

    assert moments <= 2_000
    assert venue.market.next_due_ms() > venue.now_ms
    # Three minutes old at most: fresh.
    assert venue.now_ms - venue.engine.state.coins[2].price_time_ms <= 3 * MINUTE_MS
    for symbol in SYMBOLS:
        assert book_error_e6(venue, symbol) <= 5_000
    assert {} == venue.refusals
    venue.engine.check()


@pytest.mark.parametrize("jumps", [1, pytest.param(24, marks=pytest.mark.slow)])
def test_what_the_makers_have_lasts_a_day(tape: Tape, jumps: int) -> None:
    venue = Venue(tape)
    for _ in range(jumps):
        venue.advance(24 * HOUR_MS // jumps)

    # It costs less than a hundredth of it, at full detail too.
    for account in venue.makers:
        for coin, whole in FUNDS.items():
            held = venue.view.available_units(account, venue.view.coins()[coin].id)
            assert held * 100 > 98 * whole * 10**8, coin
    assert [] == funding(venue.view, venue.makers)
    assert {} == venue.refusals


def test_a_market_order_of_thousands_fills_near_the_index(tape: Tape) -> None:
    venue = Venue(tape)
    venue.advance(5 * MINUTE_MS)
    user = venue.add_user()
    venue.deposit(user, "USDT", 10**6 * 10**8)
    before = len(venue.trades)
    for pair in venue.engine.state.pairs:
        if pair.quote.name == "USDT":
            order = PlaceOrder(
                pair.id, BUY, MARKET, GTC, NORMAL, STP_NONE, 0, 0, 5_000 * 10**8, "", SOURCE_API
            )
            assert venue.submit(user, order).refusal is None

    trades = [trade for _, trade in venue.trades[before:]]
    assert 4 * 4_999 * 10**8 < sum(trade.quote_units for trade in trades) <= 4 * 5_000 * 10**8
    venue.advance(MINUTE_MS)
    assert max(book_error_e6(venue, symbol) for symbol in SYMBOLS) <= 2_500


def test_a_users_order_is_filled_when_the_price_comes_by() -> None:
    venue = Venue(build_tape(of_closes([20_000, 20_050, 20_100, 20_150, 20_200])))
    venue.advance(0)
    user = venue.add_user()
    venue.deposit(user, "BTC", 3 * 10**8)
    # Three bitcoins are more than the maker's best order, and less than it has in minutes.
    venue.submit(user, limit(0, SELL, 2_007_500, 3_000_000))

    venue.advance(3 * MINUTE_MS)

    assert [] == venue.view.resting(user, 0)
    sold = [trade for _, trade in venue.trades if trade.maker_account == user]
    assert 3 * 10**8 == sum(trade.base_units for trade in sold)
    assert {2_007_500} == {trade.price_ticks for trade in sold}
    assert {} == venue.refusals


def test_a_wall_holds_until_it_is_eaten_and_the_book_comes_back() -> None:
    venue = Venue(build_tape(of_closes([20_000, 20_100, *[20_200] * 20])))
    venue.advance(0)
    user = venue.add_user()
    venue.deposit(user, "BTC", 2_000 * 10**8)
    venue.submit(user, limit(0, SELL, 2_005_000, 400_000_000))

    venue.advance(2 * MINUTE_MS)
    assert 2_005_000 == venue.engine.state.pairs[0].asks.best_ticks()

    venue.advance(10 * MINUTE_MS)
    assert [] == venue.view.resting(user, 0)
    assert book_error_e6(venue, "BTCUSDT") <= 1_000


def test_makers_spend_what_they_have_and_no_more() -> None:
    tape = build_tape(of_closes([20_000 + 10 * n for n in range(30)]))
    venue = Venue(tape)
    poor = Makers(venue.add_user(), venue.add_user())
    venue.deposit(poor.maker, "USDT", 60_000 * 10**8)
    venue.market = ReplayMarket(tape, START_MS, poor)

    venue.advance(20 * MINUTE_MS)

    # Bids only, of what there is; and nobody trades, for neither has a coin to sell.
    resting = [order for pair in range(5) for order in venue.view.resting(poor.maker, pair)]
    assert [BUY] == sorted({order.side for order in resting})
    assert [] == venue.trades
    assert {} == venue.refusals
    venue.engine.check()


def test_a_taker_that_runs_out_of_dollars_sells() -> None:
    # Rising only: it would buy, every time.
    tape = build_tape(of_closes([20_000 + 10 * n for n in range(30)]))
    venue = Venue(tape)
    poor = venue.makers._replace(taker=venue.add_user())
    venue.deposit(poor.taker, "USDT", 5_000 * 10**8)
    venue.deposit(poor.taker, "BTC", 100 * 10**8)
    venue.market = ReplayMarket(tape, START_MS, poor)

    venue.advance(20 * MINUTE_MS)

    sides = {trade.taker_side for _, trade in venue.trades if trade.pair == 0}
    assert {BUY, SELL} == sides
    assert 20 <= len(candles(venue, "BTCUSDT"))
    assert {} == venue.refusals


@pytest.mark.parametrize("interval_ms", [1_000, 90_000, 3_600_000, 86_400_000])
def test_any_interval_can_be_played(interval_ms: int) -> None:
    venue = Venue(build_tape(of_closes([20_000, 20_050, 19_990, 20_100, 20_000], interval_ms)))

    for _ in range(6):
        venue.advance(min(interval_ms, 20 * MINUTE_MS))

    coin = venue.engine.state.coins[2]
    assert 3 * interval_ms == coin.price_max_age_ms
    assert venue.now_ms - coin.price_time_ms <= max(interval_ms, MINUTE_MS)
    for symbol in SYMBOLS:
        assert book_error_e6(venue, symbol) <= 15_000
    assert {} == venue.refusals


def test_a_crash_in_a_recording_reaches_index_and_book_together() -> None:
    venue = Venue(build_tape(of_closes([20_000, 20_000, *[14_000] * 30])), 0)
    venue.advance(0)
    seen = []
    for _ in range(25):
        venue.advance(MINUTE_MS)
        seen.append(venue.index_e12("BTC") // ONE)
        assert book_error_e6(venue, "BTCUSDT") <= 16_000

    assert [20_000, 20_000, 19_607, 19_223] == seen[:4]
    assert 14_000 == seen[-1]


def test_after_a_restart_it_goes_on_where_exchange_time_is(tape: Tape) -> None:
    venue, twin = Venue(tape), Venue(tape)
    for each in (venue, twin):
        each.advance(10 * MINUTE_MS)
    resumed = ReplayMarket(tape, START_MS, venue.makers, resume_ms=venue.now_ms)
    assert venue.now_ms == resumed.next_due_ms()

    venue.market = resumed
    for each in (venue, twin):
        each.advance(5 * MINUTE_MS)

    assert venue.index_e12("BTC") == twin.index_e12("BTC")
    assert venue.index_e12("PEPE") == twin.index_e12("PEPE")
    for account in venue.makers:
        assert 40 >= len(venue.view.resting(account, 0))
    assert {} == venue.refusals


def test_what_was_missed_can_be_left_out(tape: Tape) -> None:
    venue = Venue(tape)
    venue.advance(MINUTE_MS)
    venue.now_ms += 8 * HOUR_MS

    venue.market.skip_to(venue.now_ms)

    assert 1 == venue.advance(0)
    for symbol in SYMBOLS:
        assert book_error_e6(venue, symbol) <= 2_500
    assert {} == venue.refusals


def test_a_market_is_behind_after_three_candles(tape: Tape) -> None:
    venue = Venue(tape)
    venue.advance(0)
    due_ms = venue.market.next_due_ms()

    assert not venue.market.is_behind(due_ms + 3 * MINUTE_MS)
    assert venue.market.is_behind(due_ms + 3 * MINUTE_MS + 1)


def test_nothing_is_due_before_its_time(tape: Tape) -> None:
    venue = Venue(tape)
    venue.advance(0)

    assert venue.market.next_due_ms() > START_MS
    assert [] == venue.market.commands_until(START_MS, venue.view)
