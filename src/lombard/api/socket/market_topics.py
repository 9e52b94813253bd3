"""The market as it is told: trades, candles, tickers, index prices."""

from collections import deque
from typing import Final, final

from lombard.api.amounts import base_text, price_text
from lombard.api.context import Call, Context
from lombard.api.errors import Scene
from lombard.api.market import candle_text, ticker_row
from lombard.api.order_rows import SIDE_NAMES
from lombard.api.socket.topic import ROWS_MAX, SNAPSHOT, UPDATE, Topic
from lombard.api.socket.words import push
from lombard.core import queries
from lombard.core.commands import Envelope
from lombard.core.events import Event, Traded
from lombard.core.queries import Pair
from lombard.core.units import PRICE_ONE_E12, format_units
from lombard.history.candles import GRANULARITIES
from lombard.history.paging import Page
from lombard.history.rows import CandleRow, TradeRow

# What a subscriber begins with.
TRADES_FIRST: Final = 100
CANDLES_FIRST: Final = 100
# A candle that has just ended may have had one more trade.
CANDLES_AGAIN: Final = 2
INDEX_DECIMALS: Final = 12

Row = dict[str, str]


class _OfPair(Topic):
    """A topic about one pair."""

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair) -> None:
        super().__init__(context, arg)
        self._pair = pair
        # A call nobody makes: what is past is read, and worded, as REST does it.
        self._call: Final = Call(context, Scene.SPOT, 0, b"")


@final
class Trades(_OfPair):
    """`trade`: the newest trades, then each as it happens; newest first."""

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair) -> None:
        super().__init__(context, arg, pair)
        self._newest: deque[tuple[int, Row]] = deque(maxlen=TRADES_FIRST)
        self._untold: list[Row] = []
        # What happened before the past was read may be in it as well.
        self._has_past = False

    def hear(self, envelope: Envelope, event: Event) -> None:
        if not isinstance(event, Traded):
            return
        row = self._row(
            event.trade_id,
            event.taker_side,
            event.price_ticks,
            event.base_units,
            envelope.time_ms,
        )
        self._newest.append((event.trade_id, row))
        if self._has_past:
            self._untold.append(row)
            self.wake()

    async def prepare(self) -> None:
        if not self._has_past:
            read = self.context.reader.trades
            self._put_before(await self._call.past(read, self._pair.id, Page(limit=TRADES_FIRST)))

    def _put_before(self, past: list[TradeRow]) -> None:
        # Two who subscribe at once both ask for the past.
        if self._has_past:
            return
        known = {trade.trade_id for trade in past}
        since = [(trade_id, row) for trade_id, row in self._newest if trade_id not in known]
        self._newest.clear()
        for trade in reversed(past):
            row = self._row(
                trade.trade_id, trade.side, trade.price_ticks, trade.base_units, trade.time_ms
            )
            self._newest.append((trade.trade_id, row))
        self._newest.extend(since)
        self._has_past = True

    def snapshot(self) -> bytes:
        rows = [row for _, row in reversed(self._newest)]
        return push(SNAPSHOT, self.arg, rows, self.now_ms())

    def changes(self) -> bytes | None:
        if not self._untold:
            return None
        rows = self._untold[:ROWS_MAX]
        del self._untold[:ROWS_MAX]
        if self._untold:
            self.wake()
        rows.reverse()
        return push(UPDATE, self.arg, rows, self.now_ms())

    def _row(self, trade_id: int, side: int, ticks: int, base_units: int, time_ms: int) -> Row:
        return {
            "ts": str(time_ms),
            "price": price_text(self._pair, ticks),
            "size": base_text(self._pair, base_units),
            "side": SIDE_NAMES[side],
            "tradeId": str(trade_id),
        }


@final
class Candles(_OfPair):
    """`candle…`: candles up to now, then the last ones when they have changed."""

    interval_s = 1.0
    polled = True

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair, granularity: str) -> None:
        super().__init__(context, arg, pair)
        self._granularity = granularity
        self._cut = GRANULARITIES[granularity]
        self._read: list[CandleRow] = []
        self._told: list[CandleRow] = []

    def hear(self, envelope: Envelope, event: Event) -> None:
        if isinstance(event, Traded):
            self.wake()

    def stroke(self) -> None:
        # Candles begin without a trade, too, once there was one.
        if self._told and self.now_ms() >= self._cut.step(self._told[-1].open_ms, 1):
            self.wake()

    async def prepare(self) -> None:
        self._read = await self._call.past(
            self.context.reader.candles,
            self._pair.id,
            self._granularity,
            self.now_ms(),
            None,
            None,
            CANDLES_FIRST,
        )

    def snapshot(self) -> bytes:
        self._told = self._read[-CANDLES_AGAIN:]
        return push(SNAPSHOT, self.arg, self._rows(self._read), self.now_ms())

    def changes(self) -> bytes | None:
        changed = [row for row in self._read[-CANDLES_AGAIN:] if row not in self._told]
        if not changed:
            return None
        self._told = self._read[-CANDLES_AGAIN:]
        return push(UPDATE, self.arg, self._rows(changed), self.now_ms())

    def _rows(self, candles: list[CandleRow]) -> list[list[str]]:
        shown: list[list[str]] = []
        for candle in candles:
            *first, usdt, quote = candle_text(self._pair, candle)
            # REST has the last two the other way round (reference §6.4).
            shown.append([*first, quote, usdt])
        return shown


@final
class Ticker(_OfPair):
    """`ticker`: the last day, whenever it has changed."""

    interval_s = 0.25
    polled = True

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair) -> None:
        super().__init__(context, arg, pair)
        self._read: Row = {}
        self._told: Row = {}

    def hear(self, envelope: Envelope, event: Event) -> None:
        self.wake()

    def stroke(self) -> None:
        self.wake()

    async def prepare(self) -> None:
        now_ms = self.now_ms()
        days = await self._call.past(self.context.reader.tickers, [self._pair.id], now_ms)
        row = ticker_row(self._call, self._pair, days.get(self._pair.id), now_ms)
        self._read = {
            "instId": row.symbol,
            "lastPr": row.lastPr,
            "open24h": row.open,
            "high24h": row.high24h,
            "low24h": row.low24h,
            "change24h": row.change24h,
            "bidPr": row.bidPr,
            "askPr": row.askPr,
            "bidSz": row.bidSz or "0",
            "askSz": row.askSz or "0",
            "baseVolume": row.baseVolume,
            "quoteVolume": row.quoteVolume,
            "openUtc": row.openUtc,
            "changeUtc24h": row.changeUtc24h,
        }

    def snapshot(self) -> bytes:
        self._told = self._read
        now_ms = self.now_ms()
        return push(SNAPSHOT, self.arg, [self._read | {"ts": str(now_ms)}], now_ms)

    def changes(self) -> bytes | None:
        return None if self._read == self._told else self.snapshot()


@final
class IndexPrices(Topic):
    """`index-price`: of every pair, whenever one has changed."""

    interval_s = 0.2

    def __init__(self, context: Context, arg: dict[str, str]) -> None:
        super().__init__(context, arg)
        self._told: list[Row] = []

    def hear(self, envelope: Envelope, event: Event) -> None:
        self.wake()

    def snapshot(self) -> bytes:
        self._told = rows = self._rows()
        now_ms = self.now_ms()
        ts = str(now_ms)
        return push(SNAPSHOT, self.arg, [row | {"ts": ts} for row in rows], now_ms)

    def changes(self) -> bytes | None:
        rows = self._rows()
        told = {row["symbol"]: row for row in self._told}
        changed = [row for row in rows if told.get(row["symbol"]) != row]
        if not changed:
            return None
        self._told = rows
        now_ms = self.now_ms()
        ts = str(now_ms)
        return push(UPDATE, self.arg, [row | {"ts": ts} for row in changed], now_ms)

    def _rows(self) -> list[Row]:
        return [
            {
                "symbol": pair.symbol,
                "baseCoin": pair.base.name,
                "quoteCoin": pair.quote.name,
                "indexPrice": _index_text(pair),
            }
            for pair in queries.pairs(self.state)
            if pair.base.price_e12 and pair.quote.price_e12
        ]


def _index_text(pair: Pair) -> str:
    price_e12 = pair.base.price_e12 * PRICE_ONE_E12 // pair.quote.price_e12
    return format_units(price_e12, INDEX_DECIMALS)
