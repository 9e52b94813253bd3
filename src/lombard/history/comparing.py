"""Comparing two histories, row by row, wherever they are."""

from collections import defaultdict
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Column, Connection, Result, Select, Table, select

from lombard.history.places import Place, reading_engine
from lombard.history.schema import house, ledger, meta, metadata

_ROWS_AT_ONCE: Final = 5_000


def first_difference(one: Place, other: Place) -> str:
    """Say in a sentence where two histories differ first; "" when they are the same.

    Everything is compared but whose history it is, and the house's books where one of the two has
    none yet: what came before counts in their balances too.
    """
    engines = [reading_engine(place) for place in (one, other)]
    try:
        with engines[0].connect() as mine, engines[1].connect() as theirs:
            since = [books_begin(connection) for connection in (mine, theirs)]
            for table in metadata.sorted_tables:
                query = _query(table)
                if table is house and since[0] != since[1]:
                    query = _query(table, but=house.c.balance_units)
                    query = query.where(house.c.seq > max(since))
                with _rows(mine, query) as rows, _rows(theirs, query) as others:
                    for row, wanted in zip_longest(rows, others):
                        if row != wanted:
                            return f"the table {table.name} has {_text(row)}, not {_text(wanted)}."
    finally:
        for engine in engines:
            engine.dispose()
    return ""


def first_imbalance(place: Place) -> str:
    """Say in a sentence which coin's ledger does not come to zero; "" when all of them do.

    A history whose books of the house begin later than itself has none to come to.
    """
    engine = reading_engine(place)
    sums: dict[int, int] = defaultdict(int)
    try:
        with engine.connect() as connection:
            if books_begin(connection):
                return ""
            # Added up here: no sum of SQLite's is exact beyond 63 bits.
            for table in (ledger, house):
                query = select(table.c.coin, table.c.delta_units)
                with _rows(connection, query) as rows:
                    for row in rows:
                        sums[row.coin] += row.delta_units
    finally:
        engine.dispose()
    wrong = [f"coin {coin} by {units}" for coin, units in sorted(sums.items()) if units]
    return f"the ledger does not balance: {', '.join(wrong)}." if wrong else ""


def books_begin(connection: Connection) -> int:
    """Give the command after which the books of the house begin."""
    seq: int = connection.execute(select(meta.c.house_seq)).scalar_one()
    return seq


def _query(table: Table, but: Column[Any] | None = None) -> Select[Any]:
    left_out = (meta.c.venue, meta.c.house_seq, but)
    columns = [column for column in table.columns if not any(column is one for one in left_out)]
    return select(*columns).order_by(*table.primary_key.columns)


def _rows(connection: Connection, query: Select[Any]) -> Result[Any]:
    return connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)


def _text(row: Any) -> str:
    return "no more rows" if row is None else repr(tuple(row))
