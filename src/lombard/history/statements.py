"""The statements of the writer, compiled once for the database in use.

SQLAlchemy writes them; the rows then go to them raw, all rows of a table at once.
"""

from typing import Final, NamedTuple, final

from sqlalchemy import Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from lombard.history.projection import RENEWED_ORDERS
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

# Rows that may be there already, and what a later version of the row says anew.
RENEWED: Final[dict[Table, tuple[str, ...]]] = {
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


@final
class Insert(NamedTuple):
    """How rows of one kind are written; `renews` when rows of these keys may be there already."""

    table: Table
    width: int
    sql: str
    renews: bool


def inserts(dialect: Dialect) -> dict[str, Insert]:
    """Compile the insert of a row of every kind: those of each table, and renewed orders."""
    found: dict[str, Insert] = {}
    for table in metadata.sorted_tables:
        if table is not meta:
            # Which orders are new is known; of a candle or a position it is not.
            found[table.name] = _insert(table, dialect, table in RENEWED and table is not orders)
    return found | {RENEWED_ORDERS: _insert(orders, dialect, True)}


def compiled(statement: ClauseElement, dialect: Dialect, names: list[str]) -> str:
    """Compile a statement whose parameters are then given by position, in the order of `names`."""
    result = statement.compile(dialect=dialect)
    assert result.positiontup == names, result.positiontup  # type: ignore[attr-defined]
    return str(result)


def _insert(table: Table, dialect: Dialect, renews: bool) -> Insert:
    return Insert(table, len(table.columns), _insert_sql(table, dialect, renews), renews)


def _insert_sql(table: Table, dialect: Dialect, renews: bool) -> str:
    names = [column.name for column in table.columns]
    # The two dialects spell it alike but do not share a class.
    own = postgresql if dialect.name == "postgresql" else sqlite
    into = own.insert(table).values({name: bindparam(name) for name in names})
    if renews:
        renewed = RENEWED[table]
        into = into.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: into.excluded[name] for name in renewed},
            where=into.excluded.first_id < minutes.c.first_id if table is minutes else None,
        )
    return compiled(into, dialect, names)
