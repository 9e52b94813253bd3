"""Charts: candles of every granularity, and the figures of the last day, from the kept spans."""

from typing import Any

from sqlalchemy import Connection, Select, select, union_all

from lombard.history.candles import Granularity, assemble, copied
from lombard.history.rows import CandleRow, Ticker
from lombard.history.schema import DAY_MS, MINUTE_MS, QUARTER_MS, candles

_c = candles.c
_COLUMNS = (
    _c.open_ms,
    _c.open_ticks,
    _c.high_ticks,
    _c.low_ticks,
    _c.close_ticks,
    _c.base_units,
    _c.quote_units,
    _c.trades,
)


def _kept(pair: int, span_ms: int, from_ms: int, until_ms: int) -> Select[Any]:
    return select(*_COLUMNS).where(
        _c.pair == pair, _c.span_ms == span_ms, _c.open_ms >= from_ms, _c.open_ms < until_ms
    )


def close_before(connection: Connection, pair: int, time_ms: int) -> int | None:
    """Give the price in force when a minute began; None before the first trade."""
    query = (
        select(_c.close_ticks)
        .where(_c.pair == pair, _c.span_ms == MINUTE_MS, _c.open_ms < time_ms)
        .order_by(_c.open_ms.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def _first_open_ms(connection: Connection, pair: int) -> int | None:
    query = (
        select(_c.open_ms)
        .where(_c.pair == pair, _c.span_ms == MINUTE_MS)
        .order_by(_c.open_ms)
        .limit(1)
    )
    return connection.execute(query).scalar()


def read_candles(
    connection: Connection,
    pair: int,
    granularity: Granularity,
    now_ms: int,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> list[CandleRow]:
    """Give the candles that open in `[start_ms, end_ms)`, rising; see `Reader.candles`."""
    first_traded_ms = _first_open_ms(connection, pair)
    if first_traded_ms is None:
        return []
    last_ms = granularity.floor(now_ms if end_ms is None else max(0, min(now_ms, end_ms - 1)))
    first_ms = granularity.floor(first_traded_ms)
    if start_ms is not None and start_ms > first_ms:
        if start_ms > last_ms:
            return []
        first_ms = granularity.ceil(start_ms)
    if start_ms is not None and end_ms is None:
        last_ms = min(last_ms, granularity.step(first_ms, limit - 1))
    else:
        first_ms = max(first_ms, granularity.step(last_ms, 1 - limit))
    if first_ms > last_ms:
        return []

    until_ms = granularity.step(last_ms, 1)
    query = _kept(pair, granularity.source_ms, first_ms, until_ms).order_by(_c.open_ms)
    kept = (CandleRow(*row) for row in connection.execute(query))
    before = close_before(connection, pair, first_ms)
    return assemble(granularity, first_ms, last_ms, kept, before)


def read_ticker(connection: Connection, pair: int, now_ms: int) -> Ticker | None:
    """Give a pair's last day; None when it has never been traded. See `rows.Ticker`."""
    minute_ms = now_ms - now_ms % MINUTE_MS
    from_ms = minute_ms + MINUTE_MS - DAY_MS
    # Single minutes at the far edge, then quarters: a hundred rows for a day of 1440.
    quarter_ms = from_ms + -from_ms % QUARTER_MS
    until_ms = minute_ms + MINUTE_MS
    query = union_all(
        _kept(pair, MINUTE_MS, from_ms, quarter_ms),
        _kept(pair, QUARTER_MS, quarter_ms, until_ms),
    ).order_by("open_ms")
    rows = [CandleRow(*row) for row in connection.execute(query)]
    before = close_before(connection, pair, from_ms)
    if rows:
        day = copied(rows[0])
        for row in rows[1:]:
            day.absorb(row)
    elif before is not None:
        day = copied(CandleRow(from_ms, before, before, before, before, 0, 0, 0))
    else:
        return None
    return Ticker(
        pair,
        day.open_ticks if before is None else before,
        day.high_ticks,
        day.low_ticks,
        day.close_ticks,
        _open_utc(connection, pair, now_ms - now_ms % DAY_MS, day.close_ticks),
        day.base_units,
        day.quote_units,
        day.trades,
    )


def _open_utc(connection: Connection, pair: int, midnight_ms: int, last_ticks: int) -> int:
    before = close_before(connection, pair, midnight_ms)
    if before is not None:
        return before
    query = _kept(pair, DAY_MS, midnight_ms, midnight_ms + DAY_MS)
    row = connection.execute(query).one_or_none()
    return last_ticks if row is None else int(row.open_ticks)
