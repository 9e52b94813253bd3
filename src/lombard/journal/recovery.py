"""Recovery: the newest good snapshot, and the commands after it.

What this returns does not know the engine: the caller restores the snapshot's lines and applies
the tail. A snapshot that is damaged, or is not of this journal, is skipped aloud; an older one, or
the whole journal, takes its place.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from lombard.core.commands import Envelope
from lombard.journal.chain import damaged
from lombard.journal.codec import CodecError, RecordTooNew, decode
from lombard.journal.opening import OpeningReport, Paths, WitnessedJournal, open_journal
from lombard.journal.port import JournalRefused, Records
from lombard.journal.snapshots import Snapshot, SnapshotDamaged, SnapshotStore

_LOG: Final = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """An open journal, the snapshot to begin with (None: an empty venue), and what came after.

    `tail` yields verified envelopes without gaps, and raises `JournalDamaged` at the first that is
    not as it was written; nothing may be served then. `skipped` says why snapshots were not used.
    """

    journal: WitnessedJournal
    snapshot: Snapshot | None
    tail: Iterator[Envelope]
    opening: OpeningReport
    skipped: list[str]


def recover(
    directory: Path,
    snapshot_at_most: int | None = None,
    warn: Callable[[str], None] = _LOG.warning,
) -> Recovered:
    """Open a directory's journal and find where to begin.

    `snapshot_at_most` asks for a snapshot of that record or an earlier one: what history has
    committed. Every note and every skipped snapshot is also passed to `warn`. The caller holds the
    directory's lock and closes the journal. Raises `JournalRefused` and `JournalDamaged`.
    """
    journal, report = open_journal(directory)
    skipped: list[str] = []
    try:
        store = Paths(directory).snapshots
        snapshot = find_snapshot(store, journal, snapshot_at_most, skipped.append)
        for sentence in (*report.notes, *skipped):
            warn(sentence)
        after = snapshot.head.seq if snapshot else 0
        if after + 1 < journal.first_seq:
            raise JournalRefused(
                f"The journal begins at record {journal.first_seq} (older ones were truncated), "
                f"and no usable snapshot is of record {journal.first_seq - 1} or later"
                f"{_reasons(skipped)}. Restore the newest backup into a new directory."
            )
    except BaseException:
        journal.close()
        raise
    return Recovered(journal, snapshot, envelopes(journal, after + 1), report, skipped)


def find_snapshot(
    store: SnapshotStore, journal: Records, at_most: int | None, skip: Callable[[str], None]
) -> Snapshot | None:
    """Find the newest good snapshot of this journal, telling `skip` why others are not it."""
    for seq in store.seqs():
        if at_most is not None and seq > at_most:
            continue
        if fault := place_fault(seq, journal):
            skip(fault)
            continue
        try:
            snapshot = store.load(seq)
        except SnapshotDamaged as damage:
            skip(str(damage))
            continue
        if snapshot.head.chain_hash != journal.hash_at(seq):
            skip(f"The snapshot {seq}.snap is not of this journal: its chain hash differs.")
            continue
        return snapshot
    return None


def place_fault(seq: int, journal: Records) -> str:
    """Say why a journal cannot be read on from a record; empty when it can."""
    if seq > journal.last_seq:
        return (
            f"The snapshot {seq}.snap is of a record after the journal's last, {journal.last_seq}."
        )
    if seq < journal.first_seq - 1:
        return f"The snapshot {seq}.snap is older than the journal's first, {journal.first_seq}."
    return ""


def envelopes(journal: Records, from_seq: int) -> Iterator[Envelope]:
    """Yield the commands of a journal from a record on."""
    for first_seq, payloads in journal.read(from_seq):
        for seq, payload in enumerate(payloads, first_seq):
            try:
                envelope = decode(payload)
            except RecordTooNew as fault:
                raise JournalRefused(
                    f"Record {seq} of the journal was written by a newer Lombard: {fault} "
                    "Run the version that wrote it, or a newer one."
                ) from fault
            except CodecError as fault:
                raise damaged(seq, str(fault).rstrip(".")) from fault
            if envelope.seq != seq:
                raise damaged(seq, f"it says it is record {envelope.seq}")
            yield envelope


def _reasons(skipped: list[str]) -> str:
    return f" ({' '.join(skipped)})" if skipped else ""
