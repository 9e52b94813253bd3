"""The format of a history: making the tables of a new one, bringing an older one up to date.

An older history is brought up to date by Alembic, in one transaction: a start that is killed
meanwhile leaves it as it was. What cannot be brought up to date, or is not ours, is refused with a
sentence, never repaired: everything in it can be made again from the journal.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    func,
    insert,
    inspect,
    literal_column,
    select,
    table,
    update,
)

from lombard.history.faults import HistoryRefused
from lombard.history.schema import FORMAT, meta, metadata

# Ledger rows are numbered like all that the engine makes, but by themselves.
FIRST_LEDGER_ID: Final = 1_000_000_000_000_000_000
# The first format that is brought up to date; those before it are made again.
OLDEST_FORMAT: Final = 2
MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Alembic's own table, made here as well so that a new history needs no Alembic.
version: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
_NAMES: Final = {*metadata.tables, version.name}


def prepare(connection: Connection, name: str, venue: str = "") -> None:
    """Make or bring up to date the tables of a history, `name` to people; raises `HistoryRefused`.

    Called in a transaction, which is the caller's to commit. `venue` says whose history it is, and
    must be what it was at the first time.
    """
    found = refuse_foreign(connection, name)
    known = _format_of(connection, found)
    if known is None:
        make(connection, venue)
        return
    if not OLDEST_FORMAT <= known <= FORMAT:
        raise HistoryRefused(
            f"{name} has format {known}, this build writes format {FORMAT}. "
            "To make it again from the journal: lombard history rebuild."
        )
    if known < FORMAT:
        migrate(connection, None if version.name in found else str(known))
        connection.execute(update(meta).values(venue=venue))
    if connection.execute(select(meta.c.venue)).scalar_one() != venue:
        raise HistoryRefused(
            f"{name} is the history of another data directory. To make it anew for this one, "
            "losing what it holds: lombard history rebuild."
        )


def refuse_foreign(connection: Connection, name: str) -> set[str]:
    """Give the tables that are there; raises `HistoryRefused` when some are not ours."""
    found = set(inspect(connection).get_table_names())
    if foreign := found - _NAMES:
        raise HistoryRefused(f"{name} is not a history of Lombard: it has {sorted(foreign)}.")
    return found


def make(connection: Connection, venue: str) -> None:
    """Make the tables anew, whatever is there of ours."""
    clear(connection)
    metadata.create_all(connection)
    version.create(connection)
    connection.execute(insert(version).values(version_num=str(FORMAT)))
    connection.execute(
        insert(meta).values(
            one=1,
            format=FORMAT,
            applied_seq=0,
            applied_ms=0,
            next_ledger_id=FIRST_LEDGER_ID,
            venue=venue,
        )
    )


def clear(connection: Connection) -> None:
    """Drop all tables of a history."""
    metadata.drop_all(connection)
    version.drop(connection, checkfirst=True)


def migrate(connection: Connection, stamp: str | None, target: str = "head") -> None:
    """Let Alembic bring the tables up to date, from format `stamp` if it does not know its own."""
    # Only an older history needs it, and it takes longer to load than a start takes.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if stamp is not None:
        command.stamp(config, stamp)
    command.upgrade(config, target)


def _format_of(connection: Connection, found: set[str]) -> int | None:
    """Give the format of what is there; None when nothing is, or a first start was killed."""
    if version.name in found:
        known = connection.execute(select(version.c.version_num)).scalar()
        if known is not None:
            return int(known) if known.isdigit() else 0
    if meta.name not in found:
        return None
    # Read by name: the table may have the columns of another format.
    rows = table(meta.name)
    if not connection.execute(select(func.count()).select_from(rows)).scalar_one():
        return None
    return int(connection.execute(select(literal_column("format")).select_from(rows)).scalar_one())
