"""Opening the journal of a data directory: whether it may be, and what was found.

The journal, its witness and the snapshots are looked at together before anything is changed.
A journal that ends before its witness, or disagrees with it, is refused, with both numbers; one
that is longer is normal (a process ended between writing a batch and acknowledging it): what is
whole is kept. The caller holds the directory's lock.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, final

from lombard.journal.port import Journal, JournalDamaged, JournalFailed, JournalRefused
from lombard.journal.snapshots import SnapshotStore
from lombard.journal.sqlite import SqliteJournal, at_rest, create_journal, log_path
from lombard.journal.table import Table
from lombard.journal.wal import LogEnd, log_end
from lombard.journal.witness import (
    Reading,
    Witness,
    open_witness,
    read_witness,
    write_witness,
)

_CHOICE: Final = (
    "Restore the newest backup into a new directory, or, to go on without what is lost, run "
    "`lombard doctor --accept-journal-end`. Nothing was changed."
)


@final
class Paths:
    """Where things are in a data directory."""

    def __init__(self, directory: Path) -> None:
        self.directory: Final = directory
        self.journal: Final = directory / "journal.sqlite"
        self.witness: Final = directory / "witness"
        self.snapshots: Final = SnapshotStore(directory / "snapshots")


class OpeningReport(NamedTuple):
    """What was found: how the last run ended, and what `notes` say about it."""

    clean_stop: bool
    witness_seq: int
    last_seq: int
    notes: list[str]

    @property
    def records_after_witness(self) -> int:
        """How many whole records were kept that had not been acknowledged for certain."""
        return self.last_seq - self.witness_seq


class OpenedJournal(NamedTuple):
    """A journal in use, and the report of its opening."""

    journal: "WitnessedJournal"
    report: OpeningReport


@final
class WitnessedJournal:
    """A `Journal` beside which a witness is kept: what `append` returned, the witness has."""

    def __init__(self, journal: Journal, witness: Witness) -> None:
        self._journal: Final = journal
        self._witness: Final = witness
        self._failure = ""

    @property
    def first_seq(self) -> int:
        """The oldest record that can be read."""
        return self._journal.first_seq

    @property
    def last_seq(self) -> int:
        """The newest record."""
        return self._journal.last_seq

    @property
    def last_hash(self) -> bytes:
        """The chain's hash at the newest record."""
        return self._journal.last_hash

    def append(self, payloads: list[bytes]) -> int:
        """Make one batch durable, witness it, and return the new `last_seq`."""
        if self._failure:
            raise JournalFailed(self._failure)
        try:
            last_seq = self._journal.append(payloads)
            self._witness.write(last_seq, self._journal.last_hash)
        except JournalFailed as failure:
            self._failure = str(failure)
            raise
        return last_seq

    def read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the batches from a record on, verified."""
        return self._journal.read(from_seq)

    def hash_at(self, seq: int) -> bytes:
        """Compute the chain's hash at a record."""
        return self._journal.hash_at(seq)

    def truncate_before(self, seq: int) -> None:
        """Forget the batches that end before a record."""
        if self._failure:
            raise JournalFailed(self._failure)
        # A witness older than what is left could no longer be compared.
        self._witness.sync()
        self._journal.truncate_before(seq)

    def sync_witness(self) -> None:
        """Wait until the witness has reached the disk; call it beside a snapshot."""
        self._witness.sync()

    def close(self) -> None:
        """Sync the witness and let go of both."""
        self._failure = self._failure or "The journal is closed."
        try:
            self._witness.close()
        finally:
            self._journal.close()


def open_journal(directory: Path) -> OpenedJournal:
    """Open the journal of a directory, making it when there is none.

    Raises `JournalRefused`, and `JournalDamaged` naming the records.
    """
    try:
        return _open(Paths(directory))
    except OSError as fault:
        raise JournalRefused(f"The journal in {directory} cannot be opened: {fault}.") from fault


def _open(paths: Paths) -> OpenedJournal:
    ended = log_end(log_path(paths.journal))
    reading = read_witness(paths.witness)
    if not paths.journal.exists():
        judge(None, reading, ended, paths)
        create_journal(paths.journal)
    clean = not log_path(paths.journal).exists()
    with at_rest(paths.journal) as table:
        notes = judge(table, reading, ended, paths)
        last_seq, last_hash = table.last_seq, table.last_hash

    journal = SqliteJournal(paths.journal)
    try:
        if (journal.last_seq, journal.last_hash) != (last_seq, last_hash):
            raise JournalDamaged(
                f"The journal ended at record {last_seq} when looked at and at {journal.last_seq} "
                "when opened: another program changes its files."
            )
        mark = reading.mark if reading else None
        if mark is None:
            write_witness(paths.witness, last_seq, last_hash)
        witness = open_witness(paths.witness, last_seq, last_hash)
    except BaseException:
        journal.close()
        raise
    report = OpeningReport(clean, mark.seq if mark else last_seq, last_seq, notes)
    return OpenedJournal(WitnessedJournal(journal, witness), report)


def judge(table: Table | None, reading: Reading | None, ended: LogEnd, paths: Paths) -> list[str]:
    """Compare a journal at rest with its witness. Returns what is worth a note.

    Raises `JournalDamaged` when the journal has lost records, or may have.
    """
    if table is None and log_path(paths.journal).exists():
        # SQLite would take the old log for that of a new journal.
        raise JournalDamaged(
            f"{paths.journal} is missing, and its log is there. Put the file back, or restore the "
            "newest backup into a new directory."
        )
    notes = [ended.sentence] if ended.ignored else []
    last_seq = table.last_seq if table else 0
    named = f"The journal in {paths.directory}"
    if reading is None:
        # A directory whose making was interrupted has an empty journal, and nothing else.
        if last_seq or paths.snapshots.seqs():
            raise JournalDamaged(_missing_witness(named, table, paths))
        return notes
    if reading.mark is None:
        raise JournalDamaged(
            f"{named} ends at record {last_seq}, and its witness is damaged: how far records were "
            f"acknowledged cannot be told. {_CHOICE}"
        )
    if reading.damaged_slots:
        notes.append(
            f"One of the witness's two slots was damaged; the other says {reading.mark.seq}."
        )
    _, seq, record_hash = reading.mark
    if table is None and (seq or paths.snapshots.seqs()):
        raise JournalDamaged(
            f"{paths.journal} is missing, and records up to {seq} were acknowledged, as the "
            "witness says. Put it back, or restore the newest backup into a new directory."
        )
    if seq > last_seq:
        lost = f"record {seq} is" if seq == last_seq + 1 else f"records {last_seq + 1} to {seq} are"
        cause = f" {ended.sentence}" if ended.ignored else ""
        raise JournalDamaged(
            f"{named} ends at record {last_seq}, but record {seq} was acknowledged, as the witness "
            f"says: {lost} lost.{cause} {_CHOICE}"
        )
    if table is not None and seq < table.base_seq:
        notes.append(f"The witness says {seq}, and records up to {table.base_seq} were truncated.")
    elif table is not None and table.hash_at(seq) != record_hash:
        raise JournalDamaged(
            f"{named}, which ends at record {last_seq}, disagrees with its witness about record "
            f"{seq}: the two are not of one exchange, or of different times. {_CHOICE}"
        )
    if last_seq > seq:
        notes.append(
            f"{last_seq - seq} records after the witness's {seq} were found whole and kept: "
            "written, but perhaps not acknowledged, when the last run ended."
        )
    return notes


def _missing_witness(named: str, table: Table | None, paths: Paths) -> str:
    if table is None:
        return (
            f"{paths.directory} holds snapshots, but neither {paths.journal.name} nor a witness. "
            "Put them back, or restore the newest backup into a new directory."
        )
    return (
        f"{named} ends at record {table.last_seq}, and its witness ({paths.witness}) is missing: "
        "how far records were acknowledged cannot be told. Put the file back if you have it. "
        f"{_CHOICE}"
    )
