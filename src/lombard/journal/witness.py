"""The witness: what was acknowledged, kept outside the journal.

A checksum cannot see a lost end: one flipped bit in SQLite's log silently drops every later
commit. So the highest acknowledged `(seq, hash)` is written to a second small file before each
batch is acknowledged, and synced once a second. A journal that ends before its witness, or has
another hash there, has lost something.

The file has two slots, a page apart, written in turn: a torn write leaves the other.
"""

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from threading import Event, Thread
from typing import Final, NamedTuple, final

from lombard.journal.files import sync_data, write_file
from lombard.journal.port import HASH_BYTES, JournalFailed, JournalRefused

FORMAT: Final = 1
MAGIC: Final = b"LMBDWTNS"
SLOTS: Final = 2
SLOT_STRIDE: Final = 4096
SYNC_SECONDS: Final = 1
_SUM_BYTES: Final = 16
_BODY: Final = Struct(f">8sIQQ{HASH_BYTES}s")  # magic, format, turn, seq, hash
SLOT_BYTES: Final = _BODY.size + _SUM_BYTES


class Mark(NamedTuple):
    """One slot: records up to `seq`, with `hash`, were acknowledged; `turn` counts the writes."""

    turn: int
    seq: int
    hash: bytes


class Reading(NamedTuple):
    """What a witness file says: its newest mark, and which slots are damaged."""

    mark: Mark | None
    damaged_slots: tuple[int, ...]


def _pack(mark: Mark) -> bytes:
    body = _BODY.pack(MAGIC, FORMAT, *mark)
    return body + blake2b(body, digest_size=_SUM_BYTES).digest()


def _unpack(slot: bytes) -> Mark | None:
    body, checksum = slot[: _BODY.size], slot[_BODY.size :]
    if len(slot) < SLOT_BYTES or blake2b(body, digest_size=_SUM_BYTES).digest() != checksum:
        return None
    magic, found, turn, seq, record_hash = _BODY.unpack(body)
    if magic != MAGIC:
        return None
    if found > FORMAT:
        raise JournalRefused(
            f"The witness has format {found}; this build reads format {FORMAT}. "
            "Run the version of Lombard that wrote it, or a newer one."
        )
    return Mark(turn, seq, record_hash)


def read_witness(path: Path) -> Reading | None:
    """Read a witness file; None when there is none."""
    try:
        return parse_witness(path.read_bytes())
    except FileNotFoundError:
        return None


def parse_witness(data: bytes) -> Reading:
    """Read the content of a witness file."""
    marks = [_unpack(data[i * SLOT_STRIDE :][:SLOT_BYTES]) for i in range(SLOTS)]
    damaged = tuple(i for i, mark in enumerate(marks) if mark is None)
    return Reading(max((mark for mark in marks if mark), default=None), damaged)


def write_witness(path: Path, seq: int, record_hash: bytes) -> None:
    """Make a witness anew, both slots alike, durably."""
    first, second = (_pack(Mark(turn, seq, record_hash)) for turn in (0, 1))
    write_file(path, first.ljust(SLOT_STRIDE, b"\0") + second)


@final
class Witness:
    """An open witness file, made by `write_witness`. One thread writes; another syncs."""

    def __init__(self, path: Path) -> None:
        reading = read_witness(path)
        assert reading, "Invariant: a witness is made before it is opened"
        assert reading.mark, "Invariant: a witness is judged before it is opened"
        self._turn = reading.mark.turn
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._fault: OSError | None = None
        self._wake = Event()
        self._closing = Event()
        self._thread: Thread | None = None

    def write(self, seq: int, record_hash: bytes) -> None:
        """Write down what is about to be acknowledged; it reaches the disk within a second.

        Raises `JournalFailed` when this or an earlier sync failed.
        """
        if self._fault is not None:
            raise _failed(self._fault)
        turn = self._turn + 1
        slot = _pack(Mark(turn, seq, record_hash))
        try:
            written = os.pwrite(self._fd, slot, turn % SLOTS * SLOT_STRIDE)
            if written != SLOT_BYTES:
                raise OSError(f"{written} of {SLOT_BYTES} bytes were written")
        except OSError as fault:
            self._fault = fault
            raise _failed(fault) from fault
        self._turn = turn
        if self._thread is None:
            self._thread = Thread(target=self._sync_now_and_then, name="witness", daemon=True)
            self._thread.start()
        self._wake.set()

    def sync(self) -> None:
        """Wait until what was written has reached the disk."""
        try:
            if self._fault is None:
                sync_data(self._fd)
        except OSError as fault:
            self._fault = fault
        if self._fault is not None:
            raise _failed(self._fault) from self._fault

    def close(self) -> None:
        """Sync and let go; closing twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.sync()
        finally:
            os.close(self._fd)

    def _sync_now_and_then(self) -> None:
        """Sync what is written, at most once a second. In a thread: nobody waits for it."""
        while True:
            self._wake.wait()
            if self._closing.is_set():
                return
            self._wake.clear()
            try:
                sync_data(self._fd)
            except OSError as fault:
                self._fault = fault
                return
            self._closing.wait(SYNC_SECONDS)


def open_witness(path: Path, seq: int, record_hash: bytes) -> Witness:
    """Open a witness file and bring it up to a record, durably."""
    witness = Witness(path)
    try:
        witness.write(seq, record_hash)
        witness.sync()
    except JournalFailed:
        with suppress(JournalFailed):
            witness.close()
        raise
    return witness


def _failed(fault: OSError) -> JournalFailed:
    return JournalFailed(
        f"The witness could not be written ({fault}). Nothing more is acknowledged. "
        "See to the disk, then start again."
    )
