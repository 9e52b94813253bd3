"""Snapshots: the state after a record, so that a start need not read the log from its beginning.

A snapshot is a file `<seq>.snap`: one line of JSON that says what it is, the state's own lines
compressed, and at the end their number and the checksum of everything before. It is written beside
its place and moved there whole. The newest two good ones are kept; other files are left alone.
"""

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple, final

from lombard.journal.files import TEMPORARY_SUFFIX, make_directory, replace_file
from lombard.journal.port import HASH_BYTES, JournalError

FORMAT: Final = 1
KEPT: Final = 2
HEAD_BYTES_MAX: Final = 4096
_SUM_BYTES: Final = 32
_TRAILER: Final = Struct(f">Q{_SUM_BYTES}s")  # number of lines, checksum
_LINES_AT_ONCE: Final = 4096
_READ_BYTES: Final = 1 << 20
_LEVEL: Final = 1


class SnapshotDamaged(JournalError):
    """A snapshot that cannot be used; an older one, or the whole log, can."""


class Head(NamedTuple):
    """What a snapshot is of: the state after record `seq`, whose chain hash is `chain_hash`."""

    seq: int
    time_ms: int
    chain_hash: bytes
    state_hash: str


class Snapshot(NamedTuple):
    """A verified snapshot. `lines` can be gone through once."""

    head: Head
    lines: Iterator[str]


@final
class SnapshotStore:
    """The snapshots of a data directory."""

    def __init__(self, directory: Path) -> None:
        self.directory: Final = directory

    def path(self, seq: int) -> Path:
        """Name the file of a snapshot."""
        return self.directory / f"{seq}.snap"

    def seqs(self) -> list[int]:
        """List after which records there are snapshots, newest first."""
        if not self.directory.is_dir():
            return []
        names = (
            re.fullmatch(r"([1-9][0-9]{0,18})\.snap", entry.name)
            for entry in self.directory.iterdir()
        )
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def write(self, head: Head, lines: Iterable[str]) -> Path:
        """Write a snapshot durably, then drop the old ones. Lines hold no line ends.

        An `OSError` leaves the snapshots that were there.
        """
        make_directory(self.directory)
        path = self.path(head.seq)
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        try:
            with temporary.open("wb") as file:
                _write(file, head, lines)
                file.flush()
                os.fsync(file.fileno())
            replace_file(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._drop_old(head.seq)
        return path

    def load(self, seq: int) -> Snapshot:
        """Verify a snapshot and open it. Raises `SnapshotDamaged` with the reason."""
        path = self.path(seq)
        try:
            head, lines, start, end = _verify(path)
            if head.seq != seq:
                raise SnapshotDamaged(f"it is of record {head.seq}")
        except (OSError, SnapshotDamaged) as fault:
            raise SnapshotDamaged(f"The snapshot {path.name} cannot be used: {fault}.") from fault
        return Snapshot(head, _read_lines(path, lines, start, end))

    def _drop_old(self, newest: int) -> None:
        """Keep this snapshot and the newest good ones before it, up to `KEPT`."""
        kept = 1
        for seq in self.seqs():
            if seq >= newest:
                continue
            if kept >= KEPT:
                self.path(seq).unlink(missing_ok=True)
                continue
            try:
                _verify(self.path(seq))
                kept += 1
            except (OSError, SnapshotDamaged):
                # Left where it is, for `lombard doctor`; it counts for nothing.
                continue


def _write(file: BinaryIO, head: Head, lines: Iterable[str]) -> None:
    digest = blake2b(digest_size=_SUM_BYTES)
    compress = zlib.compressobj(_LEVEL)

    def put(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    fields = {**head._asdict(), "chain_hash": head.chain_hash.hex()}
    put(json.dumps({"lombard_snapshot": FORMAT, **fields}).encode() + b"\n")
    count = 0
    source = iter(lines)
    while some := list(islice(source, _LINES_AT_ONCE)):
        count += len(some)
        put(compress.compress("".join([f"{line}\n" for line in some]).encode()))
    put(compress.flush())
    put(_TRAILER.pack(count, b"")[:8])
    file.write(digest.digest())


def _verify(path: Path) -> tuple[Head, int, int, int]:
    """Check a whole file. Returns its head, its number of lines, and where its body lies."""
    digest = blake2b(digest_size=_SUM_BYTES)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = file.readline(HEAD_BYTES_MAX)
        end = size - _TRAILER.size
        if not first.endswith(b"\n") or end < len(first):
            raise SnapshotDamaged("it is cut off")
        digest.update(first)
        left = size - len(first) - _SUM_BYTES
        while left > 0:
            data = file.read(min(left, _READ_BYTES))
            if not data:
                raise SnapshotDamaged("it is cut off")
            digest.update(data)
            left -= len(data)
        file.seek(end)
        lines, checksum = _TRAILER.unpack(file.read(_TRAILER.size))
    if digest.digest() != checksum:
        raise SnapshotDamaged("it does not match its checksum")
    return _head(first), lines, len(first), end


def _head(line: bytes) -> Head:
    """Read a first line that has matched the checksum."""
    fields = json.loads(line)
    if fields["lombard_snapshot"] > FORMAT:
        raise SnapshotDamaged(
            f"it has format {fields['lombard_snapshot']}, and this build reads formats up to "
            f"{FORMAT}"
        )
    chain_hash = bytes.fromhex(fields["chain_hash"])
    assert len(chain_hash) == HASH_BYTES
    return Head(fields["seq"], fields["time_ms"], chain_hash, fields["state_hash"])


def _read_lines(path: Path, count: int, start: int, end: int) -> Iterator[str]:
    expand = zlib.decompressobj()
    rest = b""
    seen = 0
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            data = file.read(min(end - start, _READ_BYTES))
            start += len(data)
            *lines, rest = (rest + expand.decompress(data)).split(b"\n")
            seen += len(lines)
            for line in lines:
                yield line.decode()
            if not data:
                break
    if seen != count or rest or not expand.eof:
        raise SnapshotDamaged(f"The snapshot {path.name} changed while it was read.")
