"""Backup: a copy of the journal, its newest snapshot and a witness, made while the node trades.

The copy is read from the open journal, so every record in it has been verified on the way; it is
made a few batches at a time, by the thread that owns the journal, between two of its own batches.
The result is a data directory that opens cleanly. Until it is complete it has another name.
"""

import shutil
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, final

from lombard.journal.files import make_directory, sync_directory, sync_file
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths
from lombard.journal.port import Journal, JournalDamaged, JournalError
from lombard.journal.recovery import find_snapshot
from lombard.journal.snapshots import SnapshotStore
from lombard.journal.sqlite import SqliteJournal, create_journal
from lombard.journal.witness import write_witness

PARTIAL_SUFFIX: Final = ".partial"
BATCHES_A_STEP: Final = 64


class BackupRefused(JournalError):
    """A backup that cannot be begun."""


class BackupReport(NamedTuple):
    """What a backup holds: records up to `last_seq`, and the snapshot of a record, or 0."""

    directory: Path
    last_seq: int
    snapshot_seq: int


@final
class Backup:
    """A backup in the making. Every call is made by the thread that owns the journal.

    `step` until it says there is no more, put other files into `directory` if they belong to the
    copy, then `finish`. An exception leaves nothing behind but the journal it came from.
    """

    def __init__(self, journal: Journal, snapshots: SnapshotStore, target: Path) -> None:
        if target.exists():
            raise BackupRefused(f"{target} exists already; a backup is made into a new directory.")
        self._journal: Final = journal
        self._target: Final = target
        self.directory: Final = target.with_name(target.name + PARTIAL_SUFFIX)
        if self.directory.exists():
            raise BackupRefused(f"{self.directory} is left of a broken backup; remove it first.")
        make_directory(self.directory)
        self._paths: Final = Paths(self.directory)
        try:
            self._snapshot_seq = self._copy_snapshot(snapshots)
            first_seq = journal.first_seq
            create_journal(self._paths.journal, first_seq - 1, journal.hash_at(first_seq - 1))
            self._copy = SqliteJournal(self._paths.journal)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def step(self, batches: int = BATCHES_A_STEP) -> bool:
        """Copy some batches. Returns whether there are more."""
        try:
            # Begun anew each time: an iterator that has met the end does not see what comes later.
            source = self._journal.read(self._copy.last_seq + 1)
            self._copy.append_batches([payloads for _, payloads in islice(source, batches)])
        except BaseException:
            self.abandon()
            raise
        return self._copy.last_seq < self._journal.last_seq

    def finish(self) -> BackupReport:
        """Copy what has been appended since, and give the copy its name."""
        while self.step():
            pass
        try:
            last_seq, last_hash = self._copy.last_seq, self._copy.last_hash
            if last_hash != self._journal.hash_at(last_seq):
                raise JournalDamaged(f"The copy of record {last_seq} has another hash.")
            self._copy.close()
            write_witness(self._paths.witness, last_seq, last_hash)
            hold_directory(self.directory).release()
            (self.directory / "lock").unlink()
            for path in (self._paths.journal, self.directory):
                sync_file(path)
            self.directory.rename(self._target)
            sync_directory(self._target.parent)
        except BaseException:
            self.abandon()
            raise
        return BackupReport(self._target, last_seq, self._snapshot_seq)

    def abandon(self) -> None:
        """Give up and remove what was copied."""
        self._copy.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _copy_snapshot(self, snapshots: SnapshotStore) -> int:
        """Copy the newest good snapshot; one that goes away meanwhile has a newer successor."""
        for _ in range(3):
            with suppress(FileNotFoundError):
                snapshot = find_snapshot(snapshots, self._journal, None, lambda _: None)
                if snapshot is None:
                    return 0
                seq = snapshot.head.seq
                make_directory(self._paths.snapshots.directory)
                copy = self._paths.snapshots.path(seq)
                shutil.copyfile(snapshots.path(seq), copy)
                sync_file(copy)
                sync_directory(copy.parent)
                self._paths.snapshots.load(seq)
                return seq
        raise BackupRefused("The snapshots change faster than they can be copied.")
