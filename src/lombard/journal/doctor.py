"""The doctor: looks at a data directory that no node uses, and explains what it finds.

It changes nothing. Its one act, asked for by name, is `accept_journal_end`: to go on with what the
journal holds when the witness says that more was acknowledged. What that act replaces is kept.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from lombard.core.commands import Envelope
from lombard.journal.files import make_directory, sync_directory, sync_file
from lombard.journal.lock import look_at_directory
from lombard.journal.opening import Paths, judge
from lombard.journal.port import JournalDamaged, JournalRefused, Records
from lombard.journal.recovery import envelopes, place_fault
from lombard.journal.snapshots import SnapshotDamaged
from lombard.journal.sqlite import at_rest, log_path
from lombard.journal.table import Table
from lombard.journal.wal import log_end
from lombard.journal.witness import read_witness, write_witness

EXIT_HEALTHY: Final = 0
EXIT_DAMAGED: Final = 1
EXIT_NOT_EXAMINED: Final = 2
_PROGRESS_RECORDS: Final = 10_000


class Gravity(Enum):
    """What a finding means for a start."""

    FINE = "fine"
    NOTE = "note"
    DAMAGE = "damage"
    NOT_EXAMINED = "not examined"


class Finding(NamedTuple):
    """One thing found, in a sentence."""

    gravity: Gravity
    text: str


class Diagnosis(NamedTuple):
    """All that was found."""

    findings: list[Finding]

    @property
    def exit_code(self) -> int:
        """0 when a node would start, 1 when something is damaged, 2 when it was not examined."""
        gravities = [finding.gravity for finding in self.findings]
        if Gravity.DAMAGE in gravities:
            return EXIT_DAMAGED
        return EXIT_NOT_EXAMINED if Gravity.NOT_EXAMINED in gravities else EXIT_HEALTHY


Progress = Callable[[int, int], None]
Heard = Callable[[Envelope], None]


def examine(
    directory: Path,
    progress: Progress = lambda done, all_of_it: None,
    heard: Heard = lambda envelope: None,
) -> Diagnosis:
    """Read all of a directory's journal, witness and snapshots, and say what is there.

    `progress` is called with the record reached and the last one, `heard` with each record.
    """
    findings: list[Finding] = []
    try:
        lock = look_at_directory(directory)
    except JournalRefused as refusal:
        return Diagnosis([Finding(Gravity.NOT_EXAMINED, str(refusal))])
    try:
        _examine_journal(Paths(directory), findings, progress, heard)
    finally:
        lock.release()
    if all(finding.gravity in (Gravity.FINE, Gravity.NOTE) for finding in findings):
        findings.append(Finding(Gravity.FINE, "A node can start here."))
    return Diagnosis(findings)


def _examine_journal(
    paths: Paths, findings: list[Finding], progress: Progress, heard: Heard
) -> None:
    def find(gravity: Gravity, text: str) -> None:
        findings.append(Finding(gravity, text))

    with _reported(find):
        reading = read_witness(paths.witness)
        ended = log_end(log_path(paths.journal))
        if not paths.journal.exists():
            judge(None, reading, ended, paths)
            find(Gravity.FINE, "There is no journal yet.")
            return
        with at_rest(paths.journal) as table:
            with _reported(find):
                for note in judge(table, reading, ended, paths):
                    find(Gravity.NOTE, note)
                if reading and reading.mark:
                    find(Gravity.FINE, f"The witness says record {reading.mark.seq}; they agree.")
            if log_path(paths.journal).exists():
                find(Gravity.NOTE, "The last run did not end by a clean stop.")
            with _reported(find):
                _read_all(table, progress, heard)
                find(
                    Gravity.FINE,
                    f"The journal's records {table.base_seq + 1} to {table.last_seq} are as they "
                    "were written."
                    if table.last_seq > table.base_seq
                    else "The journal is empty.",
                )
            with _reported(find):
                for complaint in table.complaints():
                    find(Gravity.DAMAGE, f"SQLite says of {paths.journal.name}: {complaint}")
            _examine_snapshots(table, paths, find)


@contextmanager
def _reported(find: Callable[[Gravity, str], None]) -> Iterator[None]:
    """Turn a refusal into a finding and go on behind it."""
    try:
        yield
    except JournalRefused as refusal:
        find(Gravity.DAMAGE, str(refusal))


def _read_all(table: Table, progress: Progress, heard: Heard) -> None:
    reported = 0
    for envelope in envelopes(table, table.first_seq):
        heard(envelope)
        if envelope.seq >= reported + _PROGRESS_RECORDS:
            reported = envelope.seq
            progress(reported, table.last_seq)
    progress(table.last_seq, table.last_seq)


def _examine_snapshots(table: Table, paths: Paths, find: Callable[[Gravity, str], None]) -> None:
    usable = 0
    for seq in paths.snapshots.seqs():
        if fault := snapshot_fault(table, paths, seq):
            find(Gravity.NOTE, f"{fault} It is skipped.")
        else:
            usable += 1
            find(Gravity.FINE, f"The snapshot {seq}.snap is as it was written.")
    if not usable and table.base_seq:
        find(
            Gravity.DAMAGE,
            f"The journal begins at record {table.first_seq} (older ones were truncated), and no "
            "usable snapshot covers them. Restore the newest backup into a new directory.",
        )


def snapshot_fault(journal: Records, paths: Paths, seq: int) -> str:
    """Say why a snapshot cannot be used with a journal; empty when it can."""
    if fault := place_fault(seq, journal):
        return fault
    try:
        snapshot = paths.snapshots.load(seq)
        for _ in snapshot.lines:
            pass
        if snapshot.head.chain_hash != journal.hash_at(seq):
            return f"The snapshot {seq}.snap is not of this journal: its chain hash differs."
    except (SnapshotDamaged, JournalDamaged) as damage:
        return str(damage)
    return ""


# --- the one act ---------------------------------------------------------------------------------


def accept_journal_end(directory: Path) -> Diagnosis:
    """Make the end of the journal the end of what was acknowledged, and say what is given up.

    The journal itself must be whole up to its end. The old witness, SQLite's log, and snapshots
    that are not of this journal any more are put aside in a directory of their own.
    """
    try:
        lock = look_at_directory(directory)
    except JournalRefused as refusal:
        return Diagnosis([Finding(Gravity.NOT_EXAMINED, str(refusal))])
    paths = Paths(directory)
    findings: list[Finding] = []
    try:
        if not paths.journal.exists():
            text = f"{paths.journal} is missing: there is nothing whose end could be accepted."
            return Diagnosis([Finding(Gravity.DAMAGE, text)])
        with at_rest(paths.journal) as table:
            _read_all(table, lambda done, all_of_it: None, lambda envelope: None)
            last_seq, last_hash = table.last_seq, table.last_hash
            strangers = [s for s in paths.snapshots.seqs() if snapshot_fault(table, paths, s)]
        findings.append(Finding(Gravity.NOTE, _given_up(paths, last_seq)))
        aside = _put_aside(paths, strangers)
        findings.append(Finding(Gravity.NOTE, f"What was replaced is in {aside}."))
        write_witness(paths.witness, last_seq, last_hash)
        findings.append(Finding(Gravity.FINE, f"The journal's end is now record {last_seq}."))
    except JournalRefused as refusal:
        text = f"{refusal} The journal's end was not accepted."
        findings.append(Finding(Gravity.DAMAGE, text))
    finally:
        lock.release()
    return Diagnosis(findings)


def _given_up(paths: Paths, last_seq: int) -> str:
    reading = read_witness(paths.witness)
    if reading is None or reading.mark is None:
        return f"Records after {last_seq}, if any were acknowledged, are given up."
    seq = reading.mark.seq
    if seq > last_seq:
        return f"Records {last_seq + 1} to {seq} were acknowledged to clients and are given up."
    return f"No record is given up: the witness said {seq}, the journal ends at {last_seq}."


def _put_aside(paths: Paths, strangers: list[int]) -> Path:
    """Keep a copy of what the act replaces, and move away what it makes wrong."""
    number = 1
    while (aside := paths.directory / f"set-aside-{number}").exists():
        number += 1
    make_directory(aside)
    for path in (paths.witness, log_path(paths.journal)):
        if path.exists():
            shutil.copyfile(path, aside / path.name)
            sync_file(aside / path.name)
    for seq in strangers:
        path = paths.snapshots.path(seq)
        path.rename(aside / path.name)
    sync_directory(aside)
    if strangers:
        sync_directory(paths.snapshots.directory)
    return aside
