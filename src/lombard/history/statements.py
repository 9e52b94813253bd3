"""The statements of the writer, compiled once for the database in use.

Rows go in many to a statement, not one. Each step of SQLite lets go of the interpreter's lock and
must win it back from a busy event loop: where that one holds it a millisecond at a time, a row
took 145 µs with `executemany`, and 32 µs with fifty rows to a statement.
"""

import re
from typing import Final

from sqlalchemy import Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from lombard.history.schema import (
    candles,
    liquidations,
    meta,
    metadata,
    minutes,
    orders,
    positions,
    rates,
    triggers,
)

# How many rows a statement may carry, most first. SQLite binds at most 32 766 values.
ROWS_OF_STATEMENTS: Final = (64, 8, 1)

# Rows that may be there already, and what a later version of the row says anew.
_RENEWED: Final[dict[Table, tuple[str, ...]]] = {
    orders: ("status", "reason", "base_units", "quote_units", "fee_units", "updated_ms"),
    positions: ("size_units", "cost_units", "realised_units", "opened_ms", "updated_ms"),
    triggers: (
        "direction",
        "kind",
        "trigger_ticks",
        "price_ticks",
        "size_steps",
        "budget_units",
        "status",
        "reason",
        "reached_ticks",
        "order_id",
        "updated_ms",
    ),
    liquidations: ("finished_ms", "ratio_after_e6", "fee_value_e8"),
    candles: ("high_ticks", "low_ticks", "close_ticks", "base_units", "quote_units", "trades"),
    rates: ("rate_e12",),
    minutes: ("first_id",),
}
_ONE_ROW: Final = re.compile(r"(INSERT .* VALUES )(\(.*?\))( ON CONFLICT .*)?", re.DOTALL)


class Inserts:
    """One table's statements with the number of cells each binds, widest first."""

    __slots__ = ("by_width",)

    def __init__(self, table: Table, dialect: Dialect) -> None:
        columns = len(table.columns)
        found = _ONE_ROW.fullmatch(_insert_sql(table, dialect))
        assert found is not None, table.name
        into, one, conflict = found.groups(default="")
        self.by_width: Final = [
            (rows * columns, into + ", ".join([one] * rows) + conflict)
            for rows in ROWS_OF_STATEMENTS
        ]


def inserts(dialect: Dialect) -> dict[str, Inserts]:
    """Compile the inserts of every table but `meta`, by table name."""
    tables = (table for table in metadata.sorted_tables if table is not meta)
    return {table.name: Inserts(table, dialect) for table in tables}


def compiled(statement: ClauseElement, dialect: Dialect, names: list[str]) -> str:
    """Compile a statement whose parameters are then given by position, in the order of `names`."""
    result = statement.compile(dialect=dialect)
    assert result.positiontup == names, result.positiontup  # type: ignore[attr-defined]
    return str(result)


def _insert_sql(table: Table, dialect: Dialect) -> str:
    names = [column.name for column in table.columns]
    # The two dialects spell it alike but do not share a class.
    own = postgresql if dialect.name == "postgresql" else sqlite
    into = own.insert(table).values({name: bindparam(name) for name in names})
    renewed = _RENEWED.get(table)
    if renewed is not None:
        into = into.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: into.excluded[name] for name in renewed},
            where=into.excluded.first_id < minutes.c.first_id if table is minutes else None,
        )
    return compiled(into, dialect, names)
