"""What SQLite's write-ahead log says about its own end.

SQLite reads its log up to the first page that does not match its checksum, and ignores the rest
without a word: a write that was cut off, or damage. This reads the same file beside it, so that
what was ignored can be reported. It is never needed for reading the journal.
"""

import struct
from pathlib import Path
from typing import Final, NamedTuple

HEADER_BYTES: Final = 32
FRAME_BYTES: Final = 24
_MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}


class LogEnd(NamedTuple):
    """How far a log is good: `committed` pages are; `ignored` were written after those."""

    committed: int
    ignored: int

    @property
    def sentence(self) -> str:
        """What to tell of the ignored pages."""
        return (
            f"SQLite's log holds {self.ignored} pages after the {self.committed} of its last whole "
            "commit: a write that was cut off, or damage. They are ignored."
        )


def log_end(path: Path) -> LogEnd:
    """Read how far a log is good. A missing or empty log is good to its end."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return LogEnd(0, 0)
    if len(data) < HEADER_BYTES:
        return LogEnd(0, 1 if data else 0)
    magic, _, page_bytes, _, salts, sums = _parse_header(data)
    frame_bytes = FRAME_BYTES + page_bytes
    order = _MAGIC.get(magic)
    if order is None or _checksum(data[:24], (0, 0), order) != sums:
        # Which of its pages are of the latest round cannot be told any more.
        return LogEnd(0, max(1, (len(data) - HEADER_BYTES) // frame_bytes))

    committed = pages = newest = 0
    whole = True
    for start in range(HEADER_BYTES, len(data) - 15, frame_bytes):
        frame = data[start : start + frame_bytes]
        pages += 1
        if frame[8:16] != salts:
            # Left over from before the log was begun again.
            whole = False
            continue
        newest = pages
        if whole and len(frame) == frame_bytes:
            sums = _checksum(frame[FRAME_BYTES:], _checksum(frame[:8], sums, order), order)
            whole = struct.unpack_from(">II", frame, 16) == sums
            if whole and frame[4:8] != bytes(4):
                committed = pages
    return LogEnd(committed, max(0, newest - committed))


def _parse_header(data: bytes) -> tuple[int, int, int, int, bytes, tuple[int, int]]:
    magic, version, page_bytes, round_number = struct.unpack_from(">IIII", data)
    sums: tuple[int, int] = struct.unpack_from(">II", data, 24)
    return magic, version, page_bytes, round_number, data[16:24], sums


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """Continue SQLite's running checksum over some 32-bit words, two at a time."""
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data[: len(data) // 4 * 4])
    for even, odd in zip(words[::2], words[1::2], strict=False):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
