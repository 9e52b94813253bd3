"""Candles: what trading did to a pair's price in a span of time.

Candles add up: two neighbours absorbed are the candle of both spans. So only a few spans are kept
(`schema.CANDLE_SPANS_MS`), and every granularity of the wire is put together from the widest kept
span that fits into it. A span without trades has no candle in the tables; it is filled in on
reading, flat at the close before it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, final

from lombard.history.rows import CandleRow
from lombard.history.schema import CANDLE_SPANS_MS, DAY_MS, HOUR_MS, MINUTE_MS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# The day granularities without "utc" turn at midnight of UTC+8.
_EAST_MS: Final = 8 * HOUR_MS
# The epoch was a Thursday; weeks begin on Mondays.
_MONDAY_MS: Final = 3 * DAY_MS


@final
class Candle:
    """A candle that is still being added to."""

    __slots__ = (
        "base_units",
        "close_ticks",
        "high_ticks",
        "low_ticks",
        "open_ticks",
        "quote_units",
        "trades",
    )

    def __init__(
        self,
        open_ticks: int,
        high_ticks: int,
        low_ticks: int,
        close_ticks: int,
        base_units: int,
        quote_units: int,
        trades: int,
    ) -> None:
        self.open_ticks = open_ticks
        self.high_ticks = high_ticks
        self.low_ticks = low_ticks
        self.close_ticks = close_ticks
        self.base_units = base_units
        self.quote_units = quote_units
        self.trades = trades

    def trade(self, price_ticks: int, base_units: int, quote_units: int) -> None:
        """Add one trade."""
        if price_ticks > self.high_ticks:
            self.high_ticks = price_ticks
        elif price_ticks < self.low_ticks:
            self.low_ticks = price_ticks
        self.close_ticks = price_ticks
        self.base_units += base_units
        self.quote_units += quote_units
        self.trades += 1

    def absorb(self, later: "Candle | CandleRow") -> None:
        """Add a candle that begins where this one ends, or carries it on."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.base_units += later.base_units
        self.quote_units += later.quote_units
        self.trades += later.trades


def copied(candle: Candle | CandleRow) -> Candle:
    """Start a candle with what another has."""
    return Candle(
        candle.open_ticks,
        candle.high_ticks,
        candle.low_ticks,
        candle.close_ticks,
        candle.base_units,
        candle.quote_units,
        candle.trades,
    )


def _row(open_ms: int, candle: Candle) -> CandleRow:
    return CandleRow(
        open_ms,
        candle.open_ticks,
        candle.high_ticks,
        candle.low_ticks,
        candle.close_ticks,
        candle.base_units,
        candle.quote_units,
        candle.trades,
    )


@final
class Granularity:
    """A way of cutting time: `span_ms` 0 cuts calendar months; cuts move `early_ms` ahead of UTC.

    `source_ms` is the kept span its candles are put together from.
    """

    __slots__ = ("early_ms", "source_ms", "span_ms")

    def __init__(self, span_ms: int, early_ms: int = 0) -> None:
        self.span_ms: Final = span_ms
        self.early_ms: Final = early_ms
        self.source_ms: Final = max(
            kept for kept in CANDLE_SPANS_MS if span_ms % kept == 0 and early_ms % kept == 0
        )

    def floor(self, time_ms: int) -> int:
        """Say when the candle of a moment opens."""
        if self.span_ms:
            return time_ms - (time_ms + self.early_ms) % self.span_ms
        return _month_ms(_month_of(time_ms + self.early_ms)) - self.early_ms

    def ceil(self, time_ms: int) -> int:
        """Say when the first candle opens that does not open before a moment."""
        open_ms = self.floor(time_ms)
        return open_ms if open_ms == time_ms else self.step(open_ms, 1)

    def step(self, open_ms: int, count: int) -> int:
        """Say when the candle opens that is `count` after (before, if negative) the one given."""
        if self.span_ms:
            return open_ms + count * self.span_ms
        return _month_ms(_month_of(open_ms + self.early_ms) + count) - self.early_ms


def _month_of(time_ms: int) -> int:
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.year * 12 + moment.month - 1


def _month_ms(month: int) -> int:
    # A page that reaches back beyond the first year begins there: nothing was traded before.
    year, month_index = divmod(max(month, 12), 12)
    return (datetime(year, month_index + 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND


# Named as on the wire.
GRANULARITIES: Final[dict[str, Granularity]] = {
    "1min": Granularity(MINUTE_MS),
    "3min": Granularity(3 * MINUTE_MS),
    "5min": Granularity(5 * MINUTE_MS),
    "15min": Granularity(15 * MINUTE_MS),
    "30min": Granularity(30 * MINUTE_MS),
    "1h": Granularity(HOUR_MS),
    "4h": Granularity(4 * HOUR_MS),
    "6h": Granularity(6 * HOUR_MS, _EAST_MS),
    "12h": Granularity(12 * HOUR_MS, _EAST_MS),
    "1day": Granularity(DAY_MS, _EAST_MS),
    "3day": Granularity(3 * DAY_MS, _EAST_MS),
    "1week": Granularity(7 * DAY_MS, _EAST_MS + _MONDAY_MS),
    "1M": Granularity(0, _EAST_MS),
    "6Hutc": Granularity(6 * HOUR_MS),
    "12Hutc": Granularity(12 * HOUR_MS),
    "1Dutc": Granularity(DAY_MS),
    "3Dutc": Granularity(3 * DAY_MS),
    "1Wutc": Granularity(7 * DAY_MS, _MONDAY_MS),
    "1Mutc": Granularity(0),
}


def assemble(
    granularity: Granularity,
    first_ms: int,
    last_ms: int,
    kept: Iterable[CandleRow],
    close_before: int | None,
) -> list[CandleRow]:
    """Put together the candles that open from `first_ms` to `last_ms`, both included.

    `kept` are the candles of the granularity's source span in that time, rising. Where nothing
    was traded a candle is flat at the close before it; before the first trade ever there is none.
    """
    traded: dict[int, Candle] = {}
    for row in kept:
        open_ms = granularity.floor(row.open_ms)
        candle = traded.get(open_ms)
        if candle is None:
            traded[open_ms] = copied(row)
        else:
            candle.absorb(row)

    candles: list[CandleRow] = []
    close = close_before
    open_ms = first_ms
    while open_ms <= last_ms:
        candle = traded.get(open_ms)
        if candle is not None:
            candles.append(_row(open_ms, candle))
            close = candle.close_ticks
        elif close is not None:
            candles.append(CandleRow(open_ms, close, close, close, close, 0, 0, 0))
        open_ms = granularity.step(open_ms, 1)
    return candles
