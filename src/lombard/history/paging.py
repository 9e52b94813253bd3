"""Pages: the newest rows below an id, between two times.

A search by time is a search by id: `minutes` says which id came first in a minute, ids grow with
time, and so both ends are found without an index on time. The exact times are compared as well.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Select, false, select, union_all

from lombard.history.house_log import ENTRY_BITS
from lombard.history.schema import COUNTER_LEDGER, MINUTE_MS, ledger, minutes

LIMIT_MAX: Final = 1_000
# Larger than any id and any time.
ENDLESS: Final = 2**63 - 1
# Rows read beyond a page whose last id may be shared by several: more than an account has coins.
SHARED_MAX: Final = 100

_Row = TypeVar("_Row")


class Page(NamedTuple):
    """Which rows of many: the newest `limit` with an id below `before_id`, times inclusive."""

    limit: int = 100
    before_id: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    def between(self, start_ms: int, end_ms: int) -> "Page":
        """Narrow the page's times."""
        return self._replace(
            start_ms=max(start_ms, self.start_ms or 0),
            end_ms=end_ms if self.end_ms is None else min(end_ms, self.end_ms),
        )

    def holds(self, row_id: int, time_ms: int) -> bool:
        """Say whether a row of this id and time may be on the page."""
        if self.before_id is not None and row_id >= self.before_id:
            return False
        if self.start_ms is not None and time_ms < self.start_ms:
            return False
        return self.end_ms is None or time_ms <= self.end_ms


class Bounds(NamedTuple):
    """A page's ids and times, `low_id` and both times included, `high_id` not."""

    low_id: int
    high_id: int
    start_ms: int
    end_ms: int

    def of(
        self, id_column: Column[int], time_column: Column[int], ids_each: int = 1
    ) -> list[ColumnElement[bool]]:
        """Say them of a table that has room for `ids_each` ids for each of the counter's."""
        terms: list[ColumnElement[bool]] = []
        if self.low_id > 0:
            terms.append(id_column >= ids_each * self.low_id)
        if self.high_id < ENDLESS:
            terms.append(id_column < ids_each * self.high_id)
        if self.start_ms > 0:
            terms.append(time_column >= self.start_ms)
        if self.end_ms < ENDLESS:
            terms.append(time_column <= self.end_ms)
        return terms


def check_limit(limit: int) -> None:
    """Stop a caller that let a client ask for too much."""
    assert 1 <= limit <= LIMIT_MAX, f"Refused: limit {limit}"


def given(page: Page) -> Bounds:
    """Say a page's bounds as they were asked for: any number may be."""
    check_limit(page.limit)
    return Bounds(
        0,
        ENDLESS if page.before_id is None else _within(page.before_id),
        0 if page.start_ms is None else _within(page.start_ms),
        ENDLESS if page.end_ms is None else _within(page.end_ms),
    )


def bounds(connection: Connection, counter: int, page: Page) -> Bounds:
    """Find the ids of a page's times."""
    asked = given(page)
    low_id, high_id = asked.low_id, asked.high_id
    start_ms, end_ms = asked.start_ms, asked.end_ms
    if start_ms > 0:
        low_id = _first_id(connection, counter, start_ms - start_ms % MINUTE_MS)
    if end_ms < ENDLESS:
        after_ms = end_ms - end_ms % MINUTE_MS + MINUTE_MS
        high_id = min(high_id, _first_id(connection, counter, after_ms))
    return asked._replace(low_id=low_id, high_id=high_id)


def house_bounds(connection: Connection, page: Page) -> Bounds:
    """Find the ids of a page of the house's books: a command's are numbered after its `seq`.

    Which commands belong to a time is known from the ledger, between whose rows they are.
    """
    asked = given(page)
    low_id, high_id = asked.low_id, asked.high_id
    if asked.start_ms > 0:
        minute_ms = asked.start_ms - asked.start_ms % MINUTE_MS
        first_id = _first_id(connection, COUNTER_LEDGER, minute_ms)
        low_id = _seq_at(connection, ledger.c.ledger_id < first_id, True) << ENTRY_BITS
    if asked.end_ms < ENDLESS:
        after_ms = asked.end_ms - asked.end_ms % MINUTE_MS + MINUTE_MS
        after_id = _first_id(connection, COUNTER_LEDGER, after_ms)
        seq = _seq_at(connection, ledger.c.ledger_id >= after_id, False)
        if seq:
            high_id = min(high_id, (seq + 1) << ENTRY_BITS)
    return asked._replace(low_id=low_id, high_id=high_id)


def _seq_at(connection: Connection, which: ColumnElement[bool], is_last: bool) -> int:
    """Give the command of the last or first of some rows of the ledger; 0 when there is none."""
    order = ledger.c.ledger_id.desc() if is_last else ledger.c.ledger_id
    query = select(ledger.c.seq).where(which).order_by(order).limit(1)
    return connection.execute(query).scalar() or 0


def fits(asked: int | str) -> bool:
    """Say whether the database can compare with what a client asked for; if not, nothing is it."""
    return isinstance(asked, str) or -ENDLESS <= asked <= ENDLESS


def _within(asked: int) -> int:
    # Far enough for every id and time, and still within the database's 63 bits when doubled.
    return max(0, min(asked, ENDLESS // 2))


def _first_id(connection: Connection, counter: int, minute_ms: int) -> int:
    query = (
        select(minutes.c.first_id)
        .where(minutes.c.counter == counter, minutes.c.minute_ms >= minute_ms)
        .order_by(minutes.c.minute_ms)
        .limit(1)
    )
    found = connection.execute(query).scalar()
    # Nothing happened since: whatever comes will have a larger id than anything there is.
    return ENDLESS // 2 if found is None else found


def keys_of(
    connection: Connection, account_column: Column[int], account: int, column: Column[int]
) -> list[int]:
    """List the pairs or coins of an account, each with one step into the index."""
    first = select(column).where(account_column == account).order_by(column).limit(1)
    keys: list[int] = []
    key = connection.execute(first).scalar()
    while key is not None:
        keys.append(key)
        key = connection.execute(first.where(column > key)).scalar()
    return keys


def across(
    query: Select[Any],
    key_column: Column[int],
    keys: Sequence[int],
    id_column: Column[int],
    limit: int,
) -> Select[Any]:
    """Ask for the newest rows of several pairs or coins, each read from its end of the index.

    `query` says which rows of any one key; only the rows of the answer itself are fetched.
    """
    newest = query.order_by(id_column.desc()).limit(limit)
    if len(keys) == 1:
        return newest.where(key_column == keys[0])
    ids = newest.with_only_columns(id_column)
    each = [select(ids.where(key_column == key).subquery()) for key in keys]
    found = id_column.in_(union_all(*each)) if each else false()
    return select(id_column.table).where(found).order_by(id_column.desc()).limit(limit)


def whole(rows: list[_Row], id_of: Callable[[_Row], Any], limit: int) -> list[_Row]:
    """Cut a page so that rows of one id stay together: the next page begins below that id."""
    end = limit
    while 0 < end < len(rows) and id_of(rows[end]) == id_of(rows[end - 1]):
        end += 1
    return rows[:end]
