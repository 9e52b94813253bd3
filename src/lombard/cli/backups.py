"""Backups: of a running node, between two of its batches, or of a directory nobody has open."""

import shutil
from pathlib import Path
from typing import Final

from lombard.cli.control import ask_for_backup
from lombard.cli.house import House
from lombard.journal.backup import Backup, BackupReport
from lombard.journal.files import sync_file
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths, open_journal
from lombard.node.errors import CannotStart

# What belongs to a copy besides the log. History does not: it is made again from the log.
NOTES: Final = ("sandbox.json", "market.json", "identity.key")
IDENTITY: Final = ("identity.sqlite", "identity.sqlite-wal")
COPY_TRIES: Final = 5


async def back_up_house(house: House, target: Path) -> str:
    """Back a running node up; trading goes on."""
    last_seq, snapshot_seq = await house.log.back_up(
        target, lambda copy: _copy_others(house.directory, copy)
    )
    return sentence_of(BackupReport(target, last_seq, snapshot_seq))


def back_up_directory(directory: Path, target: Path) -> str:
    """Back a directory up, by its node if it has one. Raises `JournalError`, `CannotStart`."""
    if not directory.is_dir():
        raise CannotStart(f"There is no data directory {directory}.")
    said = ask_for_backup(directory, target)
    if said is not None:
        return said
    lock = hold_directory(directory)
    try:
        journal = open_journal(directory).journal
        try:
            backup = Backup(journal, Paths(directory).snapshots, target)
            _copy_others(directory, backup.directory)
            return sentence_of(backup.finish())
        finally:
            journal.close()
    finally:
        lock.release()


def sentence_of(report: BackupReport) -> str:
    """Say what a backup holds."""
    snapshot = f", and the snapshot of {report.snapshot_seq}" if report.snapshot_seq else ""
    return f"{report.directory} holds records up to {report.last_seq}{snapshot}."


def _copy_others(source: Path, target: Path) -> None:
    """Copy the small files; identities again when a key was made meanwhile."""
    _copy(source, target, NOTES)
    for _ in range(COPY_TRIES):
        before = _marks(source)
        _copy(source, target, IDENTITY)
        if _marks(source) == before:
            return
    raise CannotStart("Keys are made faster than they can be copied; try again.")


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (target / name).unlink(missing_ok=True)
        if (source / name).exists():
            shutil.copy(source / name, target / name)
            sync_file(target / name)


def _marks(directory: Path) -> list[tuple[int, int]]:
    """Note what a write to the identities would change."""
    found = [directory / name for name in IDENTITY if (directory / name).exists()]
    return [(path.stat().st_mtime_ns, path.stat().st_size) for path in found]
