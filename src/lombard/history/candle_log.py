"""Candles being filled: trades are gathered by minute, then added to every kept span."""

from typing import Final, Protocol, final

from lombard.history.candles import Candle, copied
from lombard.history.schema import CANDLE_SPANS_MS, MINUTE_MS

Cell = int | str


class CandleLookup(Protocol):
    """What was written before about a candle."""

    def candle(self, pair: int, span_ms: int, open_ms: int) -> Candle | None:
        """Give a candle as far as it has come."""


@final
class CandleLog:
    """Turns trades into the rows of candles."""

    def __init__(self, lookup: CandleLookup) -> None:
        self._lookup: Final = lookup
        # The last candle of each pair and span, with when it opened.
        self._last: Final[dict[tuple[int, int], tuple[int, Candle]]] = {}
        # What this batch traded, by pair and minute.
        self._traded: dict[tuple[int, int], Candle] = {}

    def trade(
        self, pair: int, time_ms: int, price_ticks: int, base_units: int, quote_units: int
    ) -> None:
        """Add one trade."""
        key = (pair, time_ms - time_ms % MINUTE_MS)
        candle = self._traded.get(key)
        if candle is None:
            candle = Candle(price_ticks, price_ticks, price_ticks, price_ticks, 0, 0, 0)
            self._traded[key] = candle
        candle.trade(price_ticks, base_units, quote_units)

    def take(self, cells: list[Cell]) -> None:
        """Write the candles this batch has changed."""
        changed: dict[tuple[int, int, int], Candle] = {}
        for (pair, minute_ms), traded in self._traded.items():
            for span_ms in CANDLE_SPANS_MS:
                open_ms = minute_ms - minute_ms % span_ms
                candle = self._candle(pair, span_ms, open_ms)
                if candle is None:
                    candle = copied(traded)
                else:
                    candle.absorb(traded)
                self._last[pair, span_ms] = (open_ms, candle)
                changed[pair, span_ms, open_ms] = candle
        self._traded = {}

        for (pair, span_ms, open_ms), candle in changed.items():
            cells += (
                pair,
                span_ms,
                open_ms,
                str(candle.open_ticks),
                str(candle.high_ticks),
                str(candle.low_ticks),
                str(candle.close_ticks),
                str(candle.base_units),
                str(candle.quote_units),
                candle.trades,
            )

    def _candle(self, pair: int, span_ms: int, open_ms: int) -> Candle | None:
        last = self._last.get((pair, span_ms))
        if last is not None and last[0] == open_ms:
            return last[1]
        return self._lookup.candle(pair, span_ms, open_ms)
