"""The SQLite table a journal is kept in, and how it is read: nothing in it is believed unverified.

One row is one batch. A second table of one row, the base, says after which record the first batch
follows: record 0, or the last that was truncated.
"""

import sqlite3
from collections.abc import Iterator
from threading import Lock
from typing import Final, final
from zlib import crc32

from lombard.journal.chain import Batch, batch_of, chain_to, damaged, unseal
from lombard.journal.port import ADVICE, GENESIS_HASH, JournalDamaged, JournalRefused

FORMAT: Final = 1
APPLICATION_ID: Final = 0x4C4D4244  # "LMBD"
CREATE_BASE: Final = (
    "CREATE TABLE base (id INTEGER PRIMARY KEY, seq INTEGER, hash BLOB, checksum INTEGER)"
)
CREATE_BATCHES: Final = (
    "CREATE TABLE batches (first_seq INTEGER PRIMARY KEY, count INTEGER, prev_hash BLOB, "
    "records BLOB, hash BLOB, checksum INTEGER)"
)
SET_BASE: Final = "INSERT OR REPLACE INTO base VALUES (1, ?, ?, ?)"
INSERT: Final = "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)"
_COLUMNS: Final = "SELECT first_seq, count, prev_hash, records, hash, checksum FROM batches "
_FROM: Final = _COLUMNS + "WHERE first_seq >= ? ORDER BY first_seq LIMIT ?"
_HOLDING: Final = _COLUMNS + "WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1"
_LAST: Final = _COLUMNS + "ORDER BY first_seq DESC LIMIT 2"
# Batches fetched at once: no statement stays open between two of them.
_FETCH: Final = 64
# All that a damaged file makes the driver raise: it also fails to decode SQLite's own words about a
# damaged schema, and to make room for a column of an absurd length.
SQLITE_FAULTS: Final = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)
# What SQLite says when it is not the file that is wrong: rights, locks, memory.
_NOT_ITS_FAULT: Final = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
)

Row = tuple[object, ...]


def base_row(seq: int, record_hash: bytes) -> tuple[int, bytes, int]:
    """Make the row that says after which record the first batch follows."""
    return seq, record_hash, crc32(b"%d " % seq + record_hash)


@final
class Table:
    """The batches behind one connection. Raises `JournalDamaged` for all that is not as written.

    Opening it verifies its two ends; reading verifies the rest. Reads and the owner's writes take
    `lock`.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name: Final = name
        self.lock: Final = Lock()
        self.base_seq = 0
        self.base_hash = GENESIS_HASH
        self.last_seq = 0
        self.last_hash = GENESIS_HASH
        self._check_format()
        self._load_base()
        self._load_ends()

    @property
    def first_seq(self) -> int:
        """The oldest record that can be read."""
        return self.base_seq + 1

    # --- the ends -----------------------------------------------------------------------------

    def _check_format(self) -> None:
        application_id = self._query("PRAGMA application_id")[0][0]
        if application_id != APPLICATION_ID:
            raise JournalDamaged(f"{self._name} is not a Lombard journal. {ADVICE}")
        found = self._query("PRAGMA user_version")[0][0]
        if found != FORMAT:
            raise JournalRefused(
                f"{self._name} has format {found}; this build reads format {FORMAT}. "
                "Run the version of Lombard that wrote it, or a newer one."
            )
        tables = self._query("SELECT sql FROM sqlite_master ORDER BY name")
        if tables != [(CREATE_BASE.encode(),), (CREATE_BATCHES.encode(),)]:
            raise JournalDamaged(f"The tables of {self._name} are not a journal's. {ADVICE}")

    def _load_base(self) -> None:
        match self._query("SELECT seq, hash, checksum FROM base WHERE id = 1"):
            case [(int(seq), bytes(base_hash), int(checksum))]:
                if base_row(seq, base_hash)[2] == checksum:
                    self.base_seq, self.base_hash = seq, base_hash
                    self.last_seq, self.last_hash = seq, base_hash
                    return
        raise JournalDamaged(f"The base of {self._name} does not match its checksum. {ADVICE}")

    def _load_ends(self) -> None:
        rows = self._query(_LAST)
        if not rows:
            return
        for row in self._query(_FROM, 0, 1) or [()]:
            first = batch_of(row, self.base_seq + 1)
            unseal(first, self.base_seq + 1, self.base_hash)
        # The last must follow the last but one, or a changed number at the very end would pass
        # for a longer journal.
        seq, prev_hash = self.base_seq + 1, self.base_hash
        if len(rows) == 2:
            earlier = batch_of(rows[1], seq)
            unseal(earlier, earlier.first_seq, earlier.prev_hash)
            seq, prev_hash = earlier.last_seq + 1, earlier.hash
        last = batch_of(rows[0], seq)
        unseal(last, seq, prev_hash)
        self.last_seq, self.last_hash = last.last_seq, last.hash

    # --- reading ------------------------------------------------------------------------------

    def read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the batches from a record on, verified; see `Journal.read`."""
        if not self.base_seq < from_seq <= self.last_seq + 1:
            raise ValueError(
                f"Record {from_seq} is not in the journal of records "
                f"{self.base_seq + 1} to {self.last_seq}."
            )
        return self._read(from_seq)

    def _read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        if from_seq > self.last_seq:
            return
        start = self.holding(from_seq)
        seq, prev_hash = start.first_seq, start.prev_hash
        while rows := self._fetch(seq):
            for row in rows:
                batch = batch_of(row, seq)
                payloads = unseal(batch, seq, prev_hash)
                yield max(seq, from_seq), payloads[max(0, from_seq - seq) :]
                seq, prev_hash = batch.last_seq + 1, batch.hash

    def _fetch(self, seq: int) -> list[Row]:
        """Fetch some batches from record `seq` on; none only at the journal's end."""
        with self.lock:
            if seq > self.last_seq:
                return []
            rows = self._query(_FROM, seq, _FETCH)
        if not rows:
            raise damaged(seq, "it is missing")
        return rows

    def holding(self, seq: int) -> Batch:
        """Find the batch that holds a record. Only its place is verified."""
        with self.lock:
            rows = self._query(_HOLDING, seq)
        if not rows:
            raise damaged(seq, "it is missing")
        batch = batch_of(rows[0], seq)
        if batch.last_seq < seq:
            raise damaged(seq, "it is missing")
        if batch.first_seq == self.base_seq + 1 and batch.prev_hash != self.base_hash:
            raise damaged(batch.first_seq, f"it does not follow record {self.base_seq}")
        return batch

    def hash_at(self, seq: int) -> bytes:
        """Compute the chain's hash at a record; see `Journal.hash_at`."""
        if seq == self.last_seq:
            return self.last_hash
        if seq == self.base_seq:
            return self.base_hash
        if not self.base_seq < seq < self.last_seq:
            raise ValueError(f"Record {seq} is not in the journal.")
        batch = self.holding(seq)
        payloads = unseal(batch, batch.first_seq, batch.prev_hash)
        return chain_to(batch.prev_hash, payloads[: seq - batch.first_seq + 1])

    def complaints(self) -> list[str]:
        """Ask SQLite what it finds wrong with the file; slow, reads all of it."""
        found = self._query("PRAGMA integrity_check")
        return [] if found == [(b"ok",)] else [repr(row[0]) for row in found]

    def _query(self, sql: str, *values: int) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except SQLITE_FAULTS as fault:
            sentence = f"{self._name} cannot be read; SQLite says: {fault}."
            if getattr(fault, "sqlite_errorcode", 0) & 0xFF in _NOT_ITS_FAULT:
                raise JournalRefused(sentence) from fault
            raise JournalDamaged(f"{sentence} {ADVICE}") from fault
