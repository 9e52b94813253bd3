"""The writer's side of a history in PostgreSQL: one connection, one transaction a batch.

A server that goes away is waited for: what was to be written is kept, and written when the server
is back. The connection holds a lock while it lasts, so one process writes a history; and whether
the commit that was under way when it broke had been done is read back, never guessed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, final

import psycopg
from psycopg import errors
from sqlalchemy import Connection, select
from sqlalchemy import exc as sql_errors

from lombard.history.faults import HistoryError, HistoryRefused, HistoryUnavailable
from lombard.history.formats import make, prepare, refuse_foreign
from lombard.history.lookup import TableLookup
from lombard.history.places import Remote, writing_engine
from lombard.history.projection import Cell, Lookup
from lombard.history.retrying_lookup import RetryingLookup
from lombard.history.schema import meta
from lombard.history.statements import Insert, inserts
from lombard.history.store import advance_sql

# The number is "lombard": who holds this lock writes the history of the database.
_LOCK: Final = f"SELECT pg_try_advisory_lock({0x6C6F6D62617264})"
# The server shall notice, too, when nobody is there any more, and let go of the lock.
_NOTICE_DEATH: Final = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
# A writer that was killed a moment ago may still have a connection.
LOCK_WAIT_S: Final = 15.0
RETRY_S: Final = 0.1
RETRY_MAX_S: Final = 5.0
# As many rows of a table or more go there as a stream, fewer in one statement each.
COPY_ROWS: Final = 32
# What a server says that will answer later.
_PASSING: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
)
_T = TypeVar("_T")


def make_anew(remote: Remote) -> None:
    """Drop a history, whosever it is, and make an empty one for this venue."""
    engine = writing_engine(remote)
    try:
        with engine.connect() as connection:
            if not connection.exec_driver_sql(_LOCK).scalar_one():
                raise HistoryRefused(f"Another process writes the history at {remote}.")
            connection.exec_driver_sql("BEGIN")
            refuse_foreign(connection, str(remote))
            make(connection, remote.venue)
            connection.commit()
    except sql_errors.DatabaseError as fault:
        raise HistoryRefused(f"The history at {remote} cannot be made: {_of(fault)}") from None
    finally:
        engine.dispose()


class _StillLocked(psycopg.OperationalError):
    """The server has not noticed yet that our last connection is gone."""


@final
class PostgresStore:
    """The tables, as the one who writes them sees them."""

    def __init__(
        self,
        remote: Remote,
        on_trouble: Callable[[str], None],
        is_closing: Callable[[], bool],
    ) -> None:
        """Open the history, making it when there is none; raises `HistoryRefused`.

        `on_trouble` is told why the server cannot be reached, and "" when it can be again. Once
        `is_closing` says so nobody waits for it any longer: then `HistoryUnavailable` is raised.
        """
        self._remote: Final = remote
        self._on_trouble: Final = on_trouble
        self._is_closing: Final = is_closing
        self._engine: Final = writing_engine(remote)
        self._inserts: Final = inserts(self._engine.dialect)
        self._advance: Final = advance_sql(self._engine)
        self._connection: Connection | None = None
        self._renewals: dict[str, str] = {}
        # True when a connection broke that may have been committing.
        self._doubtful = False
        try:
            self._tables = self._connect(True)
        except sql_errors.DatabaseError as fault:
            self.close()
            raise HistoryRefused(
                f"The history at {remote} cannot be opened: {_of(fault)}"
            ) from None
        except BaseException:
            self.close()
            raise
        self.lookup: Final[Lookup] = RetryingLookup(self._lookup)
        self.applied_seq, self.applied_ms, self.next_ledger_id = self._read_position()

    def commit(
        self, rows: dict[str, list[Cell]], seq: int, time_ms: int, next_ledger_id: int
    ) -> None:
        """Write rows and the number of the last command they belong to: all, or nothing."""
        position = (seq, time_ms, next_ledger_id)

        def write() -> None:
            if self._doubtful and self._read_position() == position:
                # The connection broke after the commit, before it was answered.
                return
            with self._raw.transaction():
                self._write(rows, position)

        self._lasting(write)
        self._doubtful = False
        self.applied_seq, self.applied_ms, self.next_ledger_id = position

    def sync(self) -> None:
        """Bring everything committed so far through a power cut."""

        def touch() -> None:
            with self._raw.transaction():
                self._raw.execute("SET LOCAL synchronous_commit = on")
                self._raw.execute("UPDATE meta SET applied_seq = applied_seq")

        self._lasting(touch)

    def close(self) -> None:
        """Let the server go; what was not committed is not there."""
        if self._connection is not None:
            with suppress(*_PASSING, sql_errors.DBAPIError):
                self._connection.close()
            self._connection = None
        self._engine.dispose()

    # --- rows ----------------------------------------------------------------------------------

    @property
    def _raw(self) -> "psycopg.Connection[Any]":
        """The driver's own connection: rows go around SQLAlchemy."""
        assert self._connection is not None
        raw = self._connection.connection.dbapi_connection
        assert raw is not None
        return raw  # type: ignore[return-value]

    def _write(self, rows: dict[str, list[Cell]], position: tuple[int, int, int]) -> None:
        raw = self._raw
        with raw.cursor() as mark, raw.cursor() as cursor:
            streamed: list[str] = []
            # Everything that is not streamed goes out at once, and is answered at once.
            with raw.pipeline():
                mark.execute(self._advance, (*position, self.applied_seq))
                for kind, cells in rows.items():
                    width = self._inserts[kind].width
                    assert len(cells) % width == 0, "Invariant: cells are whole rows"
                    if len(cells) >= COPY_ROWS * width:
                        streamed.append(kind)
                        continue
                    made = list(zip(*[iter(cells)] * width, strict=True))
                    cursor.executemany(self._inserts[kind].sql, made)
            if mark.rowcount != 1:
                raise HistoryError(
                    f"History is no longer at {self.applied_seq}: it was set back, or another "
                    "writes it. The next start makes up for what is missing."
                )
            for kind in streamed:
                self._stream(cursor, kind, rows[kind])

    def _stream(self, cursor: "psycopg.Cursor[Any]", kind: str, cells: list[Cell]) -> None:
        """Send many rows; those that may be there already go by way of a table of passage."""
        insert = self._inserts[kind]
        name = insert.table.name
        target = f"staged_{name}" if insert.renews else f'"{name}"'
        cell = iter(cells)
        with cursor.copy(f"COPY {target} FROM STDIN") as stream:
            for row in zip(*[cell] * insert.width, strict=True):
                stream.write_row(row)
        if insert.renews:
            cursor.execute(self._renewals[kind])

    # --- the connection ------------------------------------------------------------------------

    def _lookup(self, ask: Callable[[Lookup], _T]) -> _T:
        return self._lasting(lambda: ask(self._tables))

    def _read_position(self) -> tuple[int, int, int]:
        assert self._connection is not None
        row = self._connection.execute(select(meta)).one()
        return row.applied_seq, row.applied_ms, row.next_ledger_id

    def _connect(self, is_first: bool) -> TableLookup:
        """Connect, be the only one who writes, and find the tables as they must be."""
        connection = self._connection = self._engine.connect()
        connection.exec_driver_sql(_NOTICE_DEATH)
        until_s = time.monotonic() + LOCK_WAIT_S
        while not connection.exec_driver_sql(_LOCK).scalar_one():
            if time.monotonic() > until_s:
                busy = f"Another process writes the history at {self._remote}."
                raise HistoryRefused(busy) if is_first else _StillLocked(busy)
            time.sleep(RETRY_S)
        if is_first:
            connection.exec_driver_sql("BEGIN")
            prepare(connection, str(self._remote), self._remote.venue)
            connection.commit()
        self._renewals = {
            kind: _make_staged(connection, insert)
            for kind, insert in self._inserts.items()
            if insert.renews
        }
        return TableLookup(connection)

    def _lasting(self, work: Callable[[], _T]) -> _T:
        """Do some work, and again when the server went away meanwhile and is back."""
        while True:
            try:
                return work()
            except _PASSING as fault:
                self._reconnect(str(fault))
            except sql_errors.DBAPIError as fault:
                if not isinstance(fault.orig, _PASSING):
                    raise
                self._reconnect(_of(fault))

    def _reconnect(self, why: str) -> None:
        """Come back to the server, however long it takes."""
        pause_s = RETRY_S
        told = ""
        while True:
            if why != told:
                told = why
                self._on_trouble(f"{self._remote}: {' '.join(why.split())}")
            self.close()
            self._pause(pause_s)
            pause_s = min(2 * pause_s, RETRY_MAX_S)
            try:
                self._tables = self._connect(False)
                break
            except _PASSING as fault:
                why = str(fault)
            except sql_errors.DBAPIError as fault:
                if not isinstance(fault.orig, _PASSING):
                    raise
                why = _of(fault)
        self._doubtful = True
        self._on_trouble("")

    def _pause(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            if self._is_closing():
                raise HistoryUnavailable(
                    f"The history at {self._remote} cannot be reached: it is behind, and the next "
                    "start makes up for it."
                )
            time.sleep(RETRY_S)


def _make_staged(connection: Connection, insert: Insert) -> str:
    """Make a table of passage; return the statement that lets its rows pass on."""
    table = insert.table
    connection.exec_driver_sql(
        f'CREATE TEMP TABLE staged_{table.name} (LIKE "{table.name}") ON COMMIT DELETE ROWS'
    )
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    into, _, conflict = insert.sql.partition(" ON CONFLICT ")
    assert conflict, "Invariant: rows that pass may be there already"
    head = into[: into.index(" VALUES ")]
    return f"{head} SELECT {columns} FROM staged_{table.name} ON CONFLICT {conflict}"


def _of(fault: sql_errors.DBAPIError) -> str:
    return " ".join(str(fault.orig).split())
