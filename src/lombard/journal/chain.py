"""Batches as they are stored: framed records, each chained to the one before it.

The hash of record n is `BLAKE2b-256(hash of n - 1 || payload)`. A batch keeps the hash before its
first record and that of its last. Each record is framed by its length, a checksum of its payload,
and a checksum of both that is tied to its number, so that damage is not only seen but named.
"""

from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from lombard.journal.port import ADVICE, HASH_BYTES, JournalDamaged

_FRAME: Final = Struct("<II")  # length, checksum of the payload
_CHECK: Final = Struct("<I")  # checksum of the frame
HEADER_BYTES: Final = _FRAME.size + _CHECK.size
RECORD_BYTES_MAX: Final = 2**32 - 1


class Batch(NamedTuple):
    """One batch of `total` records as a journal stores it; `checksum` is that of `records`."""

    first_seq: int
    total: int
    prev_hash: bytes
    records: bytes
    hash: bytes
    checksum: int

    @property
    def last_seq(self) -> int:
        """The number of the batch's last record."""
        return self.first_seq + self.total - 1


COLUMN_TYPES: Final = (int, int, bytes, bytes, bytes, int)


def chain(prev_hash: bytes, payload: bytes) -> bytes:
    """Compute the hash of a record from that of the one before it."""
    return blake2b(prev_hash + payload, digest_size=HASH_BYTES).digest()


def chain_to(prev_hash: bytes, payloads: list[bytes]) -> bytes:
    """Compute the hash of the last of several records."""
    for payload in payloads:
        prev_hash = blake2b(prev_hash + payload, digest_size=HASH_BYTES).digest()
    return prev_hash


def seal(first_seq: int, prev_hash: bytes, payloads: list[bytes]) -> Batch:
    """Make a batch of records that follow the one with `prev_hash`."""
    frame, check = _FRAME.pack, _CHECK.pack
    parts: list[bytes] = []
    last_hash = prev_hash
    for seq, payload in enumerate(payloads, first_seq):
        head = frame(len(payload), crc32(payload))
        parts += (head, check(crc32(head, seq & 0xFFFFFFFF)), payload)
        last_hash = blake2b(last_hash + payload, digest_size=HASH_BYTES).digest()
    records = b"".join(parts)
    return Batch(first_seq, len(payloads), prev_hash, records, last_hash, crc32(records))


def unseal(batch: Batch, seq: int, prev_hash: bytes) -> list[bytes]:
    """Take a batch apart that should begin at record `seq`, after the one with `prev_hash`.

    Raises `JournalDamaged`, naming the first record that is not as it was written.
    """
    if batch.first_seq != seq:
        raise damaged(seq, f"the next batch begins at record {batch.first_seq}")
    if batch.prev_hash != prev_hash:
        raise damaged(seq, f"it does not follow record {seq - 1}")
    payloads = _payloads(batch)
    if (
        len(payloads) == batch.total > 0
        and chain_to(prev_hash, payloads) == batch.hash
        and crc32(batch.records) == batch.checksum
    ):
        return payloads
    raise _diagnosis(batch)


def _payloads(batch: Batch) -> list[bytes]:
    """Cut a batch by the lengths in its frames, believing them; what they say is checked after."""
    records = batch.records
    end = len(records)
    payloads = []
    offset = 0
    while offset + HEADER_BYTES <= end:
        length, _ = _FRAME.unpack_from(records, offset)
        start = offset + HEADER_BYTES
        offset = start + length
        payloads.append(records[start:offset])
    # Anything but an exact fit is damage.
    return payloads if offset == end else []


def _diagnosis(batch: Batch) -> JournalDamaged:
    """Find the first record of a damaged batch that is not as it was written."""
    records = batch.records
    offset = 0
    seq = batch.first_seq
    while offset < len(records):
        if offset + HEADER_BYTES > len(records):
            return damaged(seq, "it is cut off")
        length, payload_sum = _FRAME.unpack_from(records, offset)
        (frame_sum,) = _CHECK.unpack_from(records, offset + _FRAME.size)
        start = offset + HEADER_BYTES
        if crc32(records[offset : offset + _FRAME.size], seq & 0xFFFFFFFF) != frame_sum:
            return damaged(seq, "its header does not match its checksum")
        if start + length > len(records):
            return damaged(seq, "it is cut off")
        if crc32(records[start : start + length]) != payload_sum:
            return damaged(seq, "it does not match its checksum")
        offset = start + length
        seq += 1
    if seq - batch.first_seq != batch.total:
        what = f"the batch from record {batch.first_seq} holds {seq - batch.first_seq} records"
        return damaged(max(batch.first_seq, min(seq, batch.last_seq)), f"{what}, not {batch.total}")
    what = f"the batch of records {batch.first_seq} to {batch.last_seq} does not match its hash"
    return damaged(batch.first_seq, what)


def damaged(seq: int, what: str) -> JournalDamaged:
    """Make the sentence about a damaged record."""
    readable = f"Records before {seq} are readable. " if seq > 1 else ""
    return JournalDamaged(f"Record {seq} of the journal is damaged: {what}. {readable}{ADVICE}")


def batch_of(row: tuple[object, ...], seq: int) -> Batch:
    """Take what storage returned for a batch of which `seq` is the first record, if it is one."""
    if tuple(map(type, row)) != COLUMN_TYPES:
        raise damaged(seq, "its batch has columns of other types")
    return Batch._make(row)
