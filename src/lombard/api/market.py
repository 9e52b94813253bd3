"""The market: tickers, the book, trades and candles. Spot and margin share one."""

from typing import Final

import msgspec

from lombard.api.amounts import (
    base_text,
    parse_count,
    parse_time,
    price_text,
    quote_text,
    size_text,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import pair_of
from lombard.api.margin_account import SymbolQuery
from lombard.api.order_rows import SIDE_NAMES
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import Endpoint, public
from lombard.core import queries
from lombard.core.queries import Pair
from lombard.core.units import PRICE_ONE_E12, div_ceil, div_floor, div_half_up, format_units
from lombard.history.candles import GRANULARITIES
from lombard.history.rows import CandleRow, Ticker, TradeRow

CHANGE_DECIMALS: Final = 5
DEPTH_MAX: Final = 150
# How many levels of the book may go into one when prices are merged.
MERGED_LEVELS_MAX: Final = 5_000
# Ticks to a level.
BOOK_STEPS: Final = {"": 1} | {f"step{zeros}": 10**zeros for zeros in range(6)}
SECOND_MS: Final = 1_000
# The span of one page of trades.
TRADES_DAYS: Final = 7


class TickerRow(msgspec.Struct):
    """A pair's last day; changes are ratios."""

    symbol: str
    high24h: str
    open: str
    low24h: str
    lastPr: str
    quoteVolume: str
    baseVolume: str
    usdtVolume: str
    bidPr: str
    askPr: str
    bidSz: str | None
    askSz: str | None
    openUtc: str
    ts: str
    changeUtc24h: str
    change24h: str


class BookQuery(msgspec.Struct):
    """How deep, and how finely."""

    symbol: str = ""
    type: str = ""
    limit: str = ""


class Book(msgspec.Struct):
    """Levels of price and size, best first."""

    asks: list[tuple[str, str]]
    bids: list[tuple[str, str]]
    ts: str


class TradesQuery(PageQuery):
    """A page of trades."""

    symbol: str = ""


class PublicTrade(msgspec.Struct):
    """A trade; the side is the taker's."""

    symbol: str
    tradeId: str
    side: str
    price: str
    size: str
    ts: str


class CandlesQuery(msgspec.Struct):
    """Which candles."""

    symbol: str = ""
    granularity: str = ""
    startTime: str = ""
    endTime: str = ""
    limit: str = ""


# open time, open, high, low, close, base volume, USDT volume, quote volume
CandleText = tuple[str, str, str, str, str, str, str, str]


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    scene, symbol = Scene.SPOT, ("symbol",)

    def path(name: str) -> str:
        return f"/api/v2/spot/market/{name}"

    return [
        public(path("tickers"), 20, scene, SymbolQuery, (), list[TickerRow], tickers),
        public(path("orderbook"), 20, scene, BookQuery, symbol, Book, orderbook),
        public(path("fills"), 10, scene, TradesQuery, symbol, list[PublicTrade], fills),
        public(
            path("fills-history"), 10, scene, TradesQuery, symbol, list[PublicTrade], fills_history
        ),
        public(
            path("candles"),
            20,
            scene,
            CandlesQuery,
            ("symbol", "granularity"),
            list[CandleText],
            candles,
        ),
        public(
            path("history-candles"),
            20,
            scene,
            CandlesQuery,
            ("symbol", "granularity", "endTime"),
            list[CandleText],
            history_candles,
        ),
    ]


async def tickers(call: Call, query: SymbolQuery) -> list[TickerRow]:
    """GET tickers: of one pair, or of all"""
    wanted = [pair_of(call, query.symbol)] if query.symbol else list(queries.pairs(call.state))
    now_ms = call.context.node.exchange_time_ms()
    days = await call.past(call.context.reader.tickers, [pair.id for pair in wanted], now_ms)
    return [ticker_row(call, pair, days.get(pair.id), now_ms) for pair in wanted]


async def orderbook(call: Call, query: BookQuery) -> Book:
    """GET orderbook"""
    pair = pair_of(call, query.symbol)
    merged = BOOK_STEPS.get(query.type)
    if merged is None:
        raise malformed(call.scene, "type")
    levels = parse_count(call.scene, "limit", query.limit, DEPTH_MAX, DEPTH_MAX)
    bids, asks = queries.depth(call.state, pair.id, levels if merged == 1 else MERGED_LEVELS_MAX)
    if merged > 1:
        bids = merge_levels(bids, merged, up=False)[:levels]
        asks = merge_levels(asks, merged, up=True)[:levels]
    now = str(call.context.node.exchange_time_ms())
    return Book(level_texts(pair, asks), level_texts(pair, bids), now)


async def fills(call: Call, query: TradesQuery) -> list[PublicTrade]:
    """GET fills: the newest trades"""
    pair = pair_of(call, query.symbol)
    page = parse_page(call.scene, query, most=500)
    rows = await call.past(call.context.reader.trades, pair.id, page)
    return [_trade(pair, row, SIDE_NAMES[row.side], row.time_ms) for row in rows]


async def fills_history(call: Call, query: TradesQuery) -> list[PublicTrade]:
    """GET fills-history: sides capitalised, times in whole seconds (sic)"""
    pair = pair_of(call, query.symbol)
    page = parse_page(call.scene, query, most=1_000, default=500, days=TRADES_DAYS)
    rows = await call.past(call.context.reader.trades, pair.id, page)
    return [
        _trade(pair, row, SIDE_NAMES[row.side].title(), row.time_ms - row.time_ms % SECOND_MS)
        for row in rows
    ]


async def candles(call: Call, query: CandlesQuery) -> list[CandleText]:
    """GET candles"""
    return await _candles(call, query, most=1_000)


async def history_candles(call: Call, query: CandlesQuery) -> list[CandleText]:
    """GET history-candles: those that open before `endTime`"""
    return await _candles(call, query, most=200)


def merge_levels(levels: list[tuple[int, int]], merged: int, up: bool) -> list[tuple[int, int]]:
    """Merge price levels to multiples of `merged` ticks: asks upwards, bids downwards."""
    sizes: dict[int, int] = {}
    for price_ticks, steps in levels:
        multiple = (div_ceil if up else div_floor)(price_ticks, merged) * merged
        sizes[multiple] = sizes.get(multiple, 0) + steps
    return list(sizes.items())


async def _candles(call: Call, query: CandlesQuery, most: int) -> list[CandleText]:
    scene, pair = call.scene, pair_of(call, query.symbol)
    if query.granularity not in GRANULARITIES:
        raise malformed(scene, "granularity")
    start_ms = parse_time(scene, "startTime", query.startTime)
    end_ms = parse_time(scene, "endTime", query.endTime)
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise Fault("40707")
    limit = parse_count(scene, "limit", query.limit, min(100, most), most)
    now_ms = call.context.node.exchange_time_ms()
    rows = await call.past(
        call.context.reader.candles, pair.id, query.granularity, now_ms, start_ms, end_ms, limit
    )
    return [candle_text(pair, row) for row in rows]


def candle_text(pair: Pair, row: CandleRow) -> CandleText:
    """Show a candle."""
    return (
        str(row.open_ms),
        price_text(pair, row.open_ticks),
        price_text(pair, row.high_ticks),
        price_text(pair, row.low_ticks),
        price_text(pair, row.close_ticks),
        base_text(pair, row.base_units),
        _usdt_text(pair, row.quote_units),
        quote_text(pair, row.quote_units),
    )


def _trade(pair: Pair, row: TradeRow, side: str, time_ms: int) -> PublicTrade:
    return PublicTrade(
        pair.symbol,
        str(row.trade_id),
        side,
        price_text(pair, row.price_ticks),
        base_text(pair, row.base_units),
        str(time_ms),
    )


def level_texts(pair: Pair, levels: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Write the levels of a book, price and size."""
    return [(price_text(pair, ticks), size_text(pair, steps)) for ticks, steps in levels]


def ticker_row(call: Call, pair: Pair, day: Ticker | None, now_ms: int) -> TickerRow:
    """Show a pair's last day, and the best of its book now."""
    bids, asks = queries.depth(call.state, pair.id, 1)
    bid, bid_size = level_texts(pair, bids)[0] if bids else ("0", None)
    ask, ask_size = level_texts(pair, asks)[0] if asks else ("0", None)
    if day is None:
        day = Ticker(pair.id, 0, 0, 0, 0, 0, 0, 0, 0)
    return TickerRow(
        pair.symbol,
        price_text(pair, day.high_ticks),
        price_text(pair, day.open_ticks),
        price_text(pair, day.low_ticks),
        price_text(pair, day.last_ticks),
        quote_text(pair, day.quote_units),
        base_text(pair, day.base_units),
        _usdt_text(pair, day.quote_units),
        bid,
        ask,
        bid_size,
        ask_size,
        price_text(pair, day.open_utc_ticks),
        str(now_ms),
        _change(day.open_utc_ticks, day.last_ticks),
        _change(day.open_ticks, day.last_ticks),
    )


def _change(from_ticks: int, to_ticks: int) -> str:
    """Write a relative change of price, rounded to the nearest: 0.00069 is 0.069 %."""
    if from_ticks == 0:
        return "0"
    moved = abs(to_ticks - from_ticks) * 10**CHANGE_DECIMALS
    ratio = div_half_up(moved, from_ticks)
    return format_units(ratio if to_ticks >= from_ticks else -ratio, CHANGE_DECIMALS)


def _usdt_text(pair: Pair, quote_units: int) -> str:
    """Write a volume in USDT, at the quote coin's index."""
    return quote_text(pair, quote_units * pair.quote.price_e12 // PRICE_ONE_E12)
