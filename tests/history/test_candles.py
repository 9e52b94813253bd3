"""Candles and tickers: cut at the right moments, and equal to what the trades say."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest

from lombard.core.commands import SELL
from lombard.core.events import Deposited
from lombard.history.candles import GRANULARITIES
from lombard.history.rows import CandleRow, Ticker
from lombard.history.schema import CANDLE_SPANS_MS, DAY_MS, HOUR_MS, MINUTE_MS
from tests.history.desk import ALICE_SPOT, BOB_SPOT, ID, Desk, placed, traded
from tests.history.streams import PLENTY

EAST = timezone(timedelta(hours=8))
# Wednesday
NOON = datetime(2024, 2, 28, 12, 0, 30, tzinfo=UTC)
Trade = tuple[int, int, int, int]


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class Tape:
    """Trades on a desk: the price and size are what matters."""

    def __init__(self, desk: Desk, start_ms: int) -> None:
        self.desk = desk
        self.trades: list[Trade] = []
        self._last_id = ID + 10
        self._maker = placed(ID + 1, BOB_SPOT, side=SELL)
        self._taker = placed(ID + 2, ALICE_SPOT)
        both = [
            Deposited(n, account, coin, PLENTY)
            for n, (account, coin) in enumerate([(ALICE_SPOT, 0), (BOB_SPOT, 1)], ID - 9)
        ]
        desk.say(*both, self._maker, self._taker, at=start_ms)

    def trade(self, at: int, price: int, base: int = 1) -> None:
        self.trades.append((at, price, base, price * base))
        self._last_id += 1
        maker = placed(self._maker.order_id, BOB_SPOT, side=SELL, price_ticks=price)
        event = traded(self._last_id, self._taker, maker, base, price * base, (0, 0))
        self.desk.seq += 1
        self.desk.projector.submit(self.desk.seq, at, [event])

    def settle(self) -> None:
        self.desk.projector.wait_blocking(self.desk.seq, 30)
        assert self.desk.failures == []


def candle_of(open_ms: int, trades: list[Trade]) -> CandleRow:
    """Make a candle by looking at every trade."""
    prices = [price for _, price, _, _ in trades]
    return CandleRow(
        open_ms,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(base for _, _, base, _ in trades),
        sum(quote for _, _, _, quote in trades),
        len(trades),
    )


@pytest.mark.parametrize(
    ("name", "opened", "next_opens"),
    [
        ("1min", NOON.replace(second=0), timedelta(minutes=1)),
        ("3min", NOON.replace(second=0), timedelta(minutes=3)),
        ("5min", NOON.replace(second=0), timedelta(minutes=5)),
        ("15min", NOON.replace(second=0), timedelta(minutes=15)),
        ("30min", NOON.replace(second=0), timedelta(minutes=30)),
        ("1h", NOON.replace(second=0), timedelta(hours=1)),
        ("4h", NOON.replace(second=0), timedelta(hours=4)),
        # 20:00 in the east
        ("6h", datetime(2024, 2, 28, 18, tzinfo=EAST), timedelta(hours=6)),
        ("12h", datetime(2024, 2, 28, 12, tzinfo=EAST), timedelta(hours=12)),
        ("1day", datetime(2024, 2, 28, tzinfo=EAST), timedelta(days=1)),
        ("3day", datetime(2024, 2, 26, tzinfo=EAST), timedelta(days=3)),
        ("1week", datetime(2024, 2, 26, tzinfo=EAST), timedelta(days=7)),
        ("1M", datetime(2024, 2, 1, tzinfo=EAST), timedelta(days=29)),
        ("6Hutc", NOON.replace(second=0), timedelta(hours=6)),
        ("12Hutc", NOON.replace(second=0), timedelta(hours=12)),
        ("1Dutc", datetime(2024, 2, 28, tzinfo=UTC), timedelta(days=1)),
        ("3Dutc", datetime(2024, 2, 26, tzinfo=UTC), timedelta(days=3)),
        ("1Wutc", datetime(2024, 2, 26, tzinfo=UTC), timedelta(days=7)),
        ("1Mutc", datetime(2024, 2, 1, tzinfo=UTC), timedelta(days=29)),
    ],
)
def test_time_is_cut_where_the_wire_says(
    name: str, opened: datetime, next_opens: timedelta
) -> None:
    cut = GRANULARITIES[name]
    first, second = ms(opened), ms(opened + next_opens)

    assert first == cut.floor(ms(NOON))
    assert first == cut.floor(first) == cut.ceil(first) == cut.floor(second - 1)
    assert second == cut.ceil(first + 1) == cut.step(first, 1) == cut.floor(second)
    assert first == cut.step(second, -1)
    assert cut.source_ms in CANDLE_SPANS_MS
    assert 0 == first % cut.source_ms == second % cut.source_ms


def test_every_granularity_is_cut_somewhere_above() -> None:
    assert len(GRANULARITIES) == 19


@pytest.mark.parametrize("name", ["1M", "1Mutc"])
def test_months_have_their_lengths(name: str) -> None:
    cut = GRANULARITIES[name]
    zone = UTC if name == "1Mutc" else EAST
    opens = [cut.step(ms(datetime(2023, 12, 1, tzinfo=zone)), n) for n in range(15)]

    assert [31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31] == [
        (later - earlier) // DAY_MS for earlier, later in pairwise(opens)
    ]
    assert cut.step(0, -(10**6)) < 0, "a page may reach back beyond the calendar"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tape]:
    """Some weeks of trading, thin in places, then a long rest."""
    rnd = random.Random(3)
    desk = Desk(tmp_path_factory.mktemp("tape") / "history.sqlite")
    at = ms(NOON)
    tape = Tape(desk, at)
    price = 1_000
    for _ in range(3_000):
        at += rnd.choice([0, 1, 20_000, MINUTE_MS, 3 * MINUTE_MS, rnd.randrange(6 * HOUR_MS // 10)])
        price += rnd.randrange(-20, 21)
        tape.trade(at, price, rnd.randrange(1, 9))
    tape.settle()
    yield tape
    desk.close()


def by_hand(tape: Tape, name: str, now_ms: int) -> list[CandleRow]:
    """Make all candles of a granularity up to now from the trades."""
    cut = GRANULARITIES[name]
    candles: list[CandleRow] = []
    open_ms = cut.floor(tape.trades[0][0])
    rest = list(tape.trades)
    while open_ms <= now_ms:
        next_ms = cut.step(open_ms, 1)
        within = [trade for trade in rest if trade[0] < next_ms]
        rest = rest[len(within) :]
        if within:
            candles.append(candle_of(open_ms, within))
        else:
            close = candles[-1].close_ticks
            candles.append(CandleRow(open_ms, close, close, close, close, 0, 0, 0))
        open_ms = next_ms
    return candles


@pytest.mark.parametrize("name", GRANULARITIES)
def test_candles_are_what_the_trades_say(tape: Tape, name: str) -> None:
    last_ms = tape.trades[-1][0]
    now_ms = last_ms + 2 * HOUR_MS
    expected = by_hand(tape, name, now_ms)
    reader = tape.desk.reader

    assert expected[-1_000:] == reader.candles(0, name, now_ms, limit=1_000)
    assert expected[-1:] == reader.candles(0, name, now_ms, limit=1)
    # From a start on, rising; the bounds are the first included and the last excluded.
    assert expected[:5] == reader.candles(0, name, now_ms, start_ms=0, limit=5)
    some = expected[len(expected) // 3 :][:8]
    start, after = some[0].open_ms, GRANULARITIES[name].step(some[-1].open_ms, 1)
    assert some == reader.candles(0, name, now_ms, start, None, len(some))
    assert some == reader.candles(0, name, now_ms, start, after, 100)
    assert some[-2:] == reader.candles(0, name, now_ms, start, after, 2)
    assert some[1:] == reader.candles(0, name, now_ms, start + 1, after, 100)
    assert some[:-1] == reader.candles(0, name, now_ms, start, after - 1, 100)[: len(some) - 1]
    assert some[:-1] == reader.candles(0, name, now_ms, start, some[-1].open_ms, 100)
    assert expected[:1] == reader.candles(0, name, now_ms, end_ms=expected[0].open_ms + 1)


def test_nothing_before_the_first_trade_nor_after_now(tape: Tape) -> None:
    reader = tape.desk.reader
    first_ms, last_ms = tape.trades[0][0], tape.trades[-1][0]
    assert [] == reader.candles(0, "1min", last_ms, end_ms=first_ms - MINUTE_MS)
    assert [] == reader.candles(0, "1min", last_ms, start_ms=last_ms + MINUTE_MS)
    assert [] == reader.candles(0, "1min", last_ms, start_ms=10**30)
    assert [] == reader.candles(0, "1M", last_ms, start_ms=10**30, end_ms=10**31)
    assert [] == reader.candles(0, "1M", last_ms, end_ms=-(10**30))
    assert [] == reader.candles(9, "1min", last_ms)
    minute_ms = last_ms - last_ms % MINUTE_MS
    assert minute_ms == reader.candles(0, "1min", last_ms, end_ms=10**30)[-1].open_ms


def test_a_candle_grows_over_batches_and_restarts(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    at = ms(NOON)
    trades: list[Trade] = []
    for n, price in enumerate([50, 70, 40, 60]):
        with Desk(path) as desk:
            if n == 0:
                tape = Tape(desk, at)
            tape.desk = desk
            tape.trade(at + n, price)
            tape.settle()
            trades = tape.trades
            for name in GRANULARITIES:
                open_ms = GRANULARITIES[name].floor(at)
                assert [candle_of(open_ms, trades)] == desk.reader.candles(0, name, at + n)


def ticker_by_hand(tape: Tape, now_ms: int) -> Ticker:
    """Look at every trade of the day."""
    from_ms = now_ms - now_ms % MINUTE_MS + MINUTE_MS - DAY_MS
    midnight_ms = now_ms - now_ms % DAY_MS
    past = [trade for trade in tape.trades if trade[0] <= now_ms]
    day = [trade for trade in past if trade[0] >= from_ms] or [(0, past[-1][1], 0, 0)]

    def price_at(time_ms: int) -> int:
        before = [trade for trade in past if trade[0] < time_ms]
        return before[-1][1] if before else past[0][1]

    all_of = candle_of(0, day)
    return Ticker(
        0,
        price_at(from_ms),
        all_of.high_ticks,
        all_of.low_ticks,
        all_of.close_ticks,
        price_at(midnight_ms),
        all_of.base_units,
        all_of.quote_units,
        all_of.trades if day[0][0] else 0,
    )


def test_a_ticker_is_the_last_day(tape: Tape) -> None:
    last_ms = tape.trades[-1][0]
    for now_ms in (last_ms, last_ms + HOUR_MS + 7, last_ms + DAY_MS - 1, last_ms + 9 * DAY_MS):
        assert {0: ticker_by_hand(tape, now_ms)} == tape.desk.reader.tickers([0, 1], now_ms)


def test_a_ticker_of_a_young_pair(desk: Desk) -> None:
    at = ms(NOON)
    assert {} == desk.reader.tickers([0], at)
    tape = Tape(desk, at)
    for n, price in enumerate((50, 70, 60)):
        tape.trade(at + n * 20_000, price)
        tape.settle()
        assert {0: ticker_by_hand(tape, at + n * 20_000)} == desk.reader.tickers(
            [0], at + n * 20_000
        )
