"""The journal on disk: SQLite, under the conditions that make it safe.

Write-ahead log with `synchronous=FULL`, read back and asserted; exactly one connection, with
`locking_mode=EXCLUSIVE` and no memory map (versions before 3.51.3 can corrupt a log that two
connections write and checkpoint); one row a batch; every record hash-chained and verified on read.
What SQLite cannot notice, a lost end, is the witness's to notice (`lombard.journal.witness`).

Checkpoints are our own: SQLite swallows an error in its automatic ones, and the first failed write
or sync must be final.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from lombard.journal.chain import Batch, seal, unseal
from lombard.journal.files import TEMPORARY_SUFFIX, replace_file, sync_directory, sync_file
from lombard.journal.port import (
    ADVICE,
    GENESIS_HASH,
    JournalDamaged,
    JournalFailed,
    JournalRefused,
)
from lombard.journal.table import (
    APPLICATION_ID,
    CREATE_BASE,
    CREATE_BATCHES,
    FORMAT,
    INSERT,
    SET_BASE,
    SQLITE_FAULTS,
    Table,
    base_row,
)

PAGE_BYTES: Final = 4096
# Pages in the log before it is copied into the file: measured with 128 records a batch, 1.8 ms
# every 50 batches; SQLite's own 1000 stops everyone for 6 to 7 ms.
CHECKPOINT_PAGES: Final = 256
# Batches deleted in one transaction.
TRUNCATE_BATCHES: Final = 1000
SIDE_FILES: Final = ("-wal", "-shm", "-journal")


def log_path(path: Path) -> Path:
    """Name SQLite's write-ahead log of a journal."""
    return path.with_name(path.name + "-wal")


def create_journal(path: Path, base_seq: int = 0, base_hash: bytes = GENESIS_HASH) -> None:
    """Make an empty journal whose first record follows `base_seq`: whole, or not at all."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        for suffix in ("", *SIDE_FILES):
            temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)
        _write_empty(temporary, base_row(base_seq, base_hash))
        # A connection that closes keeps its errors to itself.
        with at_rest(temporary):
            sync_file(temporary)
        replace_file(temporary, path)
    except (OSError, *SQLITE_FAULTS, JournalRefused) as fault:
        raise JournalFailed(f"{path} could not be made: {fault}") from fault


def _write_empty(path: Path, base: tuple[int, bytes, int]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute(CREATE_BASE)
        connection.execute(CREATE_BATCHES)
        connection.execute(SET_BASE, base)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


@contextmanager
def at_rest(path: Path) -> Iterator[Table]:
    """Look at a journal that nobody has open, changing nothing: not even a torn end is cut.

    The caller holds the directory's lock. (An ordinary connection would fold the log into the file
    when it closes, and drop whatever follows damage in it.)
    """
    if path.stat().st_size < PAGE_BYTES:
        # An empty one (or of one byte) SQLite takes for new, and deletes the log beside it.
        raise JournalDamaged(f"{path.name} is cut off: it has not one whole page. {ADVICE}")
    log, index = log_path(path), path.with_name(path.name + "-shm")
    has_log = log.exists() and log.stat().st_size > 0
    had_index = index.exists()
    name = path.absolute().as_uri() + ("?mode=ro" if has_log else "?mode=ro&immutable=1")
    connection = _connect(name)
    try:
        yield Table(connection, path.name)
    finally:
        connection.close()
        if not had_index:
            index.unlink(missing_ok=True)


def _connect(name: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            name, timeout=0, isolation_level=None, check_same_thread=False, uri=True
        )
    except sqlite3.Error as fault:
        raise JournalRefused(f"The journal cannot be opened; SQLite says: {fault}.") from fault
    # Not `bytes`: text where a blob belongs must be seen.
    connection.text_factory = bytearray
    # None of these reads the file.
    for pragma in ("mmap_size = 0", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _set(connection: sqlite3.Connection, pragma: str, value: str | int, shown: object) -> None:
    """Set what durability rests on, and read it back."""
    connection.execute(f"PRAGMA {pragma} = {value}").fetchall()
    found = connection.execute(f"PRAGMA {pragma}").fetchall()
    if found not in ([(shown,)], []):
        raise JournalRefused(
            f"SQLite does not take `{pragma} = {value}` here (it says {found}): "
            "no journal can be kept in this directory."
        )
    # A pragma that this SQLite was built without says nothing; only mmap_size may be that.
    assert found or pragma == "mmap_size", pragma


def _connect_alone(path: Path) -> sqlite3.Connection:
    """Open the one connection that a journal in use has."""
    connection = _connect(path.absolute().as_uri() + "?mode=rw")
    try:
        _set(connection, "locking_mode", "EXCLUSIVE", b"exclusive")
        _set(connection, "journal_mode", "WAL", b"wal")
        _set(connection, "synchronous", "FULL", 2)
        _set(connection, "fullfsync", "ON", 1)
        _set(connection, "checkpoint_fullfsync", "ON", 1)
        _set(connection, "wal_autocheckpoint", 0, 0)
        _set(connection, "mmap_size", 0, 0)
    except SQLITE_FAULTS as fault:
        connection.close()
        if "locked" in str(fault):
            raise JournalRefused(
                f"Another program has {path.name} open; close it and start again."
            ) from fault
        raise JournalDamaged(
            f"{path.name} cannot be opened; SQLite says: {fault}. {ADVICE}"
        ) from fault
    except JournalRefused:
        connection.close()
        raise
    return connection


@final
class SqliteJournal:
    """A `Journal` in an SQLite file that `create_journal` has made.

    Opening it makes durable what it finds: a process killed between a write and its sync leaves
    records that only look so.
    """

    def __init__(self, path: Path) -> None:
        self._failure = ""
        self._name: Final = path.name
        self._connection = _connect_alone(path)
        try:
            self._table: Final = Table(self._connection, path.name)
            self._pages = 0
            self._checkpoint("TRUNCATE")
            # The log's name must last as what is in it does; SQLite does not mind if it does not.
            sync_directory(path.parent)
        except (OSError, *SQLITE_FAULTS) as fault:
            self._connection.close()
            raise JournalFailed(f"{path.name} cannot be written: {fault}.") from fault
        except BaseException:
            self._connection.close()
            raise

    @property
    def first_seq(self) -> int:
        """The oldest record that can be read."""
        return self._table.first_seq

    @property
    def last_seq(self) -> int:
        """The newest record."""
        return self._table.last_seq

    @property
    def last_hash(self) -> bytes:
        """The chain's hash at the newest record."""
        return self._table.last_hash

    def append(self, payloads: list[bytes]) -> int:
        """Make one batch durable and return the new `last_seq`."""
        table = self._table
        with table.lock:
            self._ensure_open()
            if payloads:
                self._write([seal(table.last_seq + 1, table.last_hash, payloads)])
            return table.last_seq

    def append_batches(self, batches: list[list[bytes]]) -> int:
        """Make several batches durable in one transaction; for copies."""
        table = self._table
        with table.lock:
            self._ensure_open()
            sealed: list[Batch] = []
            seq, prev_hash = table.last_seq, table.last_hash
            for payloads in filter(None, batches):
                sealed.append(seal(seq + 1, prev_hash, payloads))
                seq, prev_hash = sealed[-1].last_seq, sealed[-1].hash
            if sealed:
                self._write(sealed)
            return table.last_seq

    def read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the batches from a record on, verified."""
        return self._table.read(from_seq)

    def hash_at(self, seq: int) -> bytes:
        """Compute the chain's hash at a record."""
        return self._table.hash_at(seq)

    def truncate_before(self, seq: int) -> None:
        """Forget the batches that end before a record, some at a time."""
        while self._truncate_some(seq):
            pass

    def close(self) -> None:
        """Fold the log into the file and let go of it; closing twice is fine.

        Raises `JournalFailed` when that fails. Nothing is lost by it: the log still has everything.
        """
        with self._table.lock:
            try:
                if not self._failure:
                    self._checkpoint("TRUNCATE")
            except SQLITE_FAULTS as fault:
                raise self._fail("its log could not be folded into the file", fault) from fault
            finally:
                self._failure = self._failure or "The journal is closed."
                with suppress(sqlite3.Error):
                    self._connection.close()

    def _ensure_open(self) -> None:
        if self._failure:
            raise JournalFailed(self._failure)

    def _write(self, batches: list[Batch]) -> None:
        first, last = batches[0], batches[-1]
        execute = self._connection.execute
        try:
            if len(batches) == 1:
                execute(INSERT, first)
            else:
                execute("BEGIN")
                for batch in batches:
                    execute(INSERT, batch)
                execute("COMMIT")
            self._pages += sum(3 + len(batch.records) // PAGE_BYTES for batch in batches)
            if self._pages >= CHECKPOINT_PAGES:
                self._checkpoint("PASSIVE")
        except Exception as fault:
            what = f"records {first.first_seq} to {last.last_seq} could not be written"
            raise self._fail(what, fault) from fault
        self._table.last_seq, self._table.last_hash = last.last_seq, last.hash

    def _truncate_some(self, seq: int) -> bool:
        """Forget up to `TRUNCATE_BATCHES` batches; say whether there may be more."""
        table = self._table
        if min(seq, table.last_seq + 1) <= table.base_seq + 1:
            self._ensure_open()
            return False
        oldest = "SELECT first_seq FROM batches ORDER BY first_seq LIMIT 1 OFFSET ?"
        with table.lock:
            self._ensure_open()
            try:
                limit = self._connection.execute(oldest, (TRUNCATE_BATCHES,)).fetchall()
            except SQLITE_FAULTS as fault:
                raise self._fail("its oldest records could not be found", fault) from fault
        until = min([seq, table.last_seq + 1, *(row[0] for row in limit)])
        if until <= table.last_seq:
            kept = table.holding(until)
            unseal(kept, kept.first_seq, kept.prev_hash)
            base_seq, base_hash = kept.first_seq - 1, kept.prev_hash
        else:
            base_seq, base_hash = table.last_seq, table.last_hash
        with table.lock:
            self._ensure_open()
            try:
                execute = self._connection.execute
                execute("BEGIN")
                execute("DELETE FROM batches WHERE first_seq <= ?", (base_seq,))
                execute(SET_BASE, base_row(base_seq, base_hash))
                execute("COMMIT")
                self._checkpoint("PASSIVE")
            except Exception as fault:
                what = f"records up to {base_seq} could not be truncated"
                raise self._fail(what, fault) from fault
            table.base_seq, table.base_hash = base_seq, base_hash
        return until < seq and base_seq < table.last_seq

    def _checkpoint(self, mode: str) -> None:
        self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        self._pages = 0

    def _fail(self, what: str, fault: Exception) -> JournalFailed:
        """Make this the last thing the journal did."""
        self._failure = (
            f"The journal has stopped: {what} ({fault}). Nothing after record "
            f"{self._table.last_seq} was acknowledged. See to the disk, then start again."
        )
        return JournalFailed(self._failure)
