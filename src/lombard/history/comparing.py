"""Comparing two histories, row by row, wherever they are."""

from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Connection, Result, Table, select

from lombard.history.places import Place, reading_engine
from lombard.history.schema import meta, metadata

_ROWS_AT_ONCE: Final = 5_000


def first_difference(one: Place, other: Place) -> str:
    """Say in a sentence where two histories differ first; "" when they are the same.

    Everything is compared but whose history it is.
    """
    engines = [reading_engine(place) for place in (one, other)]
    try:
        with engines[0].connect() as mine, engines[1].connect() as theirs:
            for table in metadata.sorted_tables:
                rows = zip_longest(_rows(mine, table), _rows(theirs, table))
                for row, wanted in rows:
                    if row != wanted:
                        return f"the table {table.name} has {_text(row)}, not {_text(wanted)}."
    finally:
        for engine in engines:
            engine.dispose()
    return ""


def _rows(connection: Connection, table: Table) -> Result[Any]:
    columns = [column for column in table.columns if column is not meta.c.venue]
    query = select(*columns).order_by(*table.primary_key.columns)
    return connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)


def _text(row: Any) -> str:
    return "no more rows" if row is None else repr(tuple(row))
