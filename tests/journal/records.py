"""Records for journal tests: real commands, so that they decode, and different, so that any that
changes places is seen."""

from collections.abc import Iterator

from lombard.core.commands import (
    BUY,
    GTC,
    LIMIT,
    NORMAL,
    SLOT_CROSSED,
    SOURCE_API,
    STP_NONE,
    Borrow,
    Deposit,
    Envelope,
    PlaceOrder,
    Tick,
    account_id,
)
from lombard.journal.codec import encode
from lombard.journal.port import Journal, Records

ACCOUNT = account_id(1_000_001, SLOT_CROSSED)


def envelope(seq: int) -> Envelope:
    """Make the command of a record."""
    time_ms = 1_700_000_000_000 + seq
    match seq % 4:
        case 0:
            return Envelope(seq, time_ms, b"", 0, Tick())
        case 1:
            return Envelope(
                seq, time_ms, seq.to_bytes(16, "big"), ACCOUNT, Deposit(0, 10**20 + seq)
            )
        case 2:
            return Envelope(
                seq, time_ms, seq.to_bytes(16, "big"), ACCOUNT, Borrow(1, seq, f"b{seq}")
            )
    order = PlaceOrder(
        0, BUY, LIMIT, GTC, NORMAL, STP_NONE, 6_000_000 + seq, seq, 0, f"o{seq}", SOURCE_API
    )
    return Envelope(seq, time_ms, seq.to_bytes(16, "big"), ACCOUNT, order)


def payloads(first_seq: int, total: int) -> list[bytes]:
    """Encode some records."""
    return [encode(envelope(seq)) for seq in range(first_seq, first_seq + total)]


def fill(journal: Journal, batches: int, total: int) -> None:
    """Append some batches of `total` records each."""
    for _ in range(batches):
        journal.append(payloads(journal.last_seq + 1, total))


def read_all(journal: Records, from_seq: int = 1) -> list[bytes]:
    """Read all records from one on, checking that they are numbered without gaps."""
    return list(numbered(journal, from_seq))


def numbered(journal: Records, from_seq: int) -> Iterator[bytes]:
    """Yield the records from one on."""
    seq = from_seq
    for first_seq, batch in journal.read(from_seq):
        assert seq == first_seq
        seq += len(batch)
        yield from batch
