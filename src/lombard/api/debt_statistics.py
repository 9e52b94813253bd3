"""Statistics of margin debt by hour or day: of longs and shorts, its growth, its two sides.

Whoever is long has borrowed the quote coin, whoever is short the base coin. Counted is the
principal owed of a pair's two coins in crossed accounts, and in the pair's isolated ones, at the
close of each candle of the pair.
"""

from typing import Final, NamedTuple

import msgspec

from lombard.api.amounts import PRICE_DECIMALS
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Scene
from lombard.api.lookup import pair_of
from lombard.api.table import Endpoint, public
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED
from lombard.core.queries import Coin, Pair
from lombard.core.units import HOUR_MS, POW10, div_half_up, format_units
from lombard.history.schema import DAY_MS

RATIO_DECIMALS: Final = 4
MINUTE_MS: Final = 60_000


class Period(NamedTuple):
    """How far back, and in what steps."""

    granularity: str
    span_ms: int
    points: int


PERIODS: Final = {"24h": Period("1h", HOUR_MS, 24), "30d": Period("1Dutc", DAY_MS, 30)}


class StatisticQuery(msgspec.Struct):
    """A pair; the last day (if nothing is said) or month; one of its coins, the base by default."""

    symbol: str = ""
    period: str = ""
    coin: str = ""


class LongShortRatio(msgspec.Struct):
    """Debt of those who are long on the coin, by debt of those who are short, in one value."""

    ts: str
    longShortRatio: str


class LoanGrowth(msgspec.Struct):
    """How much more was owed of the coin than one step before, as a ratio."""

    ts: str
    growthRate: str


class BorrowRate(msgspec.Struct):
    """Base debt by quote debt in the pair's isolated accounts, in one value."""

    ts: str
    borrowRate: str


class Point(NamedTuple):
    """What was owed at the end of a candle, in units; `isolated` is the part of the pair's own."""

    open_ms: int
    price_e12: int
    base_units: int
    quote_units: int
    isolated_base_units: int
    isolated_quote_units: int


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    scene, symbol = Scene.CROSSED, ("symbol",)
    return [
        public(
            "/api/v2/margin/market/long-short-ratio",
            1,
            scene,
            StatisticQuery,
            symbol,
            list[LongShortRatio],
            long_short_ratio,
        ),
        public(
            "/api/v2/margin/market/loan-growth",
            1,
            scene,
            StatisticQuery,
            symbol,
            list[LoanGrowth],
            loan_growth,
        ),
        public(
            "/api/v2/mix/market/isolated-borrow-rate",
            1,
            scene,
            StatisticQuery,
            symbol,
            list[BorrowRate],
            isolated_borrow_rate,
        ),
    ]


async def long_short_ratio(call: Call, query: StatisticQuery) -> list[LongShortRatio]:
    """GET margin/market/long-short-ratio: no rows for times when nobody was short"""
    pair = pair_of(call, query.symbol)
    of_base = _coin(call, pair, query.coin) is pair.base
    shown: list[LongShortRatio] = []
    for point in await _points(call, pair, query.period):
        base, quote = _values(pair, point, point.base_units, point.quote_units)
        long, short = (quote, base) if of_base else (base, quote)
        if short > 0:
            shown.append(LongShortRatio(str(point.open_ms), _ratio(long, short)))
    return shown


async def loan_growth(call: Call, query: StatisticQuery) -> list[LoanGrowth]:
    """GET margin/market/loan-growth: no rows for times before which nothing was owed"""
    pair = pair_of(call, query.symbol)
    of_base = _coin(call, pair, query.coin) is pair.base
    points = await _points(call, pair, query.period)
    owed = [point.base_units if of_base else point.quote_units for point in points]
    return [
        LoanGrowth(str(point.open_ms), _ratio(after - before, before))
        for point, before, after in zip(points[1:], owed, owed[1:], strict=False)
        if before > 0
    ]


async def isolated_borrow_rate(call: Call, query: StatisticQuery) -> list[BorrowRate]:
    """GET mix/market/isolated-borrow-rate: no rows for times when no quote coin was owed"""
    pair = pair_of(call, query.symbol)
    shown: list[BorrowRate] = []
    for point in await _points(call, pair, query.period):
        base, quote = _values(pair, point, point.isolated_base_units, point.isolated_quote_units)
        if quote > 0:
            shown.append(BorrowRate(str(point.open_ms), _ratio(base, quote)))
    return shown


def _coin(call: Call, pair: Pair, name: str) -> Coin:
    for coin in (pair.base, pair.quote):
        if name in ("", coin.name):
            return coin
    raise malformed(call.scene, "coin")


def _values(pair: Pair, point: Point, base_units: int, quote_units: int) -> tuple[int, int]:
    """Value both sides in the quote coin, on one scale."""
    base = base_units * point.price_e12 * POW10[pair.quote.decimals]
    return base, quote_units * POW10[PRICE_DECIMALS + pair.base.decimals]


def _ratio(part: int, whole: int) -> str:
    ratio = div_half_up(abs(part) * POW10[RATIO_DECIMALS], whole)
    return format_units(-ratio if part < 0 else ratio, RATIO_DECIMALS)


async def _points(call: Call, pair: Pair, word: str) -> list[Point]:
    """List what was owed at the end of each step, oldest first; at most a minute old."""
    period = PERIODS.get(word or "24h")
    if period is None:
        raise malformed(call.scene, "period")
    now_ms = call.context.node.exchange_time_ms()
    minute, key = now_ms // MINUTE_MS, (pair.id, period.granularity)
    known = call.context.figures.get(key)
    if known is not None and known[0] == minute:
        return known[1]
    points = await _read(call, pair, period, now_ms)
    call.context.figures[key] = (minute, points)
    return points


async def _read(call: Call, pair: Pair, period: Period, now_ms: int) -> list[Point]:
    reader = call.context.reader
    rows = await call.past(reader.candles, pair.id, period.granularity, now_ms, limit=period.points)
    if not rows:
        return []
    own = SLOT_ISOLATED + pair.id
    changes = await call.past(
        reader.debt_changes,
        (SLOT_CROSSED, own),
        (pair.base.id, pair.quote.id),
        period.span_ms,
        rows[0].open_ms,
    )
    points: list[Point] = []
    for row in rows:
        owed = {
            (slot, coin.id): 0 for slot in (SLOT_CROSSED, own) for coin in (pair.base, pair.quote)
        }
        for change in changes:
            if change.open_ms <= row.open_ms:
                owed[change.slot, change.coin] += change.units
        base, quote = owed[own, pair.base.id], owed[own, pair.quote.id]
        points.append(
            Point(
                row.open_ms,
                row.close_ticks * pair.tick_e12,
                base + owed[SLOT_CROSSED, pair.base.id],
                quote + owed[SLOT_CROSSED, pair.quote.id],
                base,
                quote,
            )
        )
    return points
