"""The writer's side of the history file: one connection, one transaction a batch.

A file this build cannot continue is refused with a sentence, never repaired: everything in it can
be made again from the journal.
"""

import sqlite3
from pathlib import Path
from typing import Final, final

from sqlalchemy import Engine, bindparam, create_engine, select, update
from sqlalchemy import exc as sql_errors
from sqlalchemy.pool import StaticPool

from lombard.history.faults import HistoryError, HistoryRefused
from lombard.history.formats import prepare
from lombard.history.lookup import TableLookup
from lombard.history.projection import Cell
from lombard.history.schema import meta
from lombard.history.statements import compiled, inserts

BUSY_TIMEOUT_S: Final = 10.0
CACHE_KIB: Final = 65_536
# Pages of the log after which it is written back into the file: hot pages go back once, not often.
CHECKPOINT_PAGES: Final = 10_000


@final
class Store:
    """The tables, as the one who writes them sees them."""

    def __init__(self, path: Path) -> None:
        """Open the history at `path`, making it when there is none; raises `HistoryRefused`."""
        self._engine: Final = create_engine(
            "sqlite://", creator=lambda: _connect(path), poolclass=StaticPool
        )
        try:
            _prepare(self._engine, path)
        except sql_errors.DatabaseError as error:
            self._engine.dispose()
            raise HistoryRefused(
                f"{path} cannot be read ({error.orig}). "
                "Move the file away: it is made again from the journal."
            ) from error
        except HistoryRefused:
            self._engine.dispose()
            raise
        self._connection: Final = self._engine.connect()
        # Rows go around SQLAlchemy, which then does not know of the transaction: so do commits.
        self._raw: Final = self._connection.connection
        self._cursor: Final = self._raw.cursor()
        self._inserts: Final = inserts(self._engine.dialect)
        self._advance: Final = advance_sql(self._engine)
        self.lookup: Final = TableLookup(self._connection)
        row = self._connection.execute(select(meta)).one()
        self.applied_seq: int = row.applied_seq
        self.applied_ms: int = row.applied_ms
        self.next_ledger_id: int = row.next_ledger_id

    def commit(
        self, rows: dict[str, list[Cell]], seq: int, time_ms: int, next_ledger_id: int
    ) -> None:
        """Write rows and the number of the last command they belong to: all, or nothing."""
        cursor = self._cursor
        cursor.execute(self._advance, (seq, time_ms, next_ledger_id, self.applied_seq))
        if cursor.rowcount != 1:
            raise HistoryError(f"History is no longer at {self.applied_seq}: another writes it.")
        for kind, cells in rows.items():
            insert = self._inserts[kind]
            assert len(cells) % insert.width == 0, "Invariant: cells are whole rows"
            cell = iter(cells)
            # Both drivers take any iterable; a list would be made only to be thrown away.
            made = zip(*[cell] * insert.width, strict=True)
            cursor.executemany(insert.sql, made)  # type: ignore[arg-type]
        self._raw.commit()
        self.applied_seq, self.applied_ms = seq, time_ms
        self.next_ledger_id = next_ledger_id

    def sync(self) -> None:
        """Bring everything committed so far through a power cut."""
        # A commit in full synchrony syncs the whole log, whoever may be reading.
        self._cursor.execute("PRAGMA synchronous=FULL")
        self._cursor.execute(self._advance, (*self._position(), self.applied_seq))
        self._raw.commit()
        self._cursor.execute("PRAGMA synchronous=NORMAL")

    def _position(self) -> tuple[int, int, int]:
        return self.applied_seq, self.applied_ms, self.next_ledger_id

    def close(self) -> None:
        """Close the file; what was not committed is not there."""
        self._connection.close()
        self._engine.dispose()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        connection.close()
        raise HistoryRefused(f"{path} cannot be opened in WAL mode (it says {mode!r}).")
    # A commit that a power cut takes back is made again from the journal; see `Store.sync`.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    return connection


def _prepare(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        # The driver begins no transaction for what makes and changes tables.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        prepare(connection, str(path))
        connection.commit()


def advance_sql(engine: Engine) -> str:
    """Write the statement that moves `meta` on, if nobody else has."""
    names = ["seq", "time_ms", "next_ledger_id"]
    statement = (
        update(meta)
        .where(meta.c.applied_seq == bindparam("before"))
        .values(
            applied_seq=bindparam("seq"),
            applied_ms=bindparam("time_ms"),
            next_ledger_id=bindparam("next_ledger_id"),
        )
    )
    return compiled(statement, engine.dialect, [*names, "before"])
