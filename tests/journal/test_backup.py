"""Backup: a copy made between the batches of a trading node opens cleanly and is the same log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lombard.journal.backup import Backup, BackupRefused
from lombard.journal.doctor import EXIT_HEALTHY, examine
from lombard.journal.opening import Paths, WitnessedJournal, open_journal
from lombard.journal.port import JournalDamaged, JournalFailed, Records
from lombard.journal.recovery import find_snapshot, recover
from lombard.journal.snapshots import Head, Snapshot, SnapshotStore
from tests.journal.faults import fail_statement
from tests.journal.records import fill, payloads, read_all


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of 200 records with snapshots at 50 and 130."""
    directory = tmp_path / "data"
    directory.mkdir()
    journal = open_journal(directory).journal
    fill(journal, 10, 20)
    for seq in (50, 130):
        snapshot(directory, journal, seq)
    journal.close()
    return directory


def snapshot(directory: Path, journal: WitnessedJournal, seq: int) -> None:
    head = Head(seq, 1_700_000_000_000 + seq, journal.hash_at(seq), "ab")
    snapshots(directory).write(head, [f"[{seq}]"])


def snapshots(directory: Path) -> SnapshotStore:
    return Paths(directory).snapshots


@pytest.mark.parametrize("batches", [1, 3, 64])
def test_a_copy_made_while_trading_is_the_same_log(
    directory: Path, tmp_path: Path, batches: int
) -> None:
    journal = open_journal(directory).journal
    copying = Backup(journal, snapshots(directory), tmp_path / "copy")
    for _ in range(5):
        copying.step(batches)
        fill(journal, 1, 7)
    (copying.directory / "identity.sqlite").write_text("put there by the caller")
    report = copying.finish()
    fill(journal, 1, 20)
    journal.close()

    assert (tmp_path / "copy", 235, 130) == tuple(report)
    assert EXIT_HEALTHY == examine(tmp_path / "copy").exit_code
    assert not (tmp_path / "copy.partial").exists()
    assert (tmp_path / "copy" / "identity.sqlite").exists()
    restored = recover(tmp_path / "copy")
    assert (True, 235, 235, []) == tuple(restored.opening)
    assert restored.snapshot
    assert (130, ["[130]"]) == (restored.snapshot.head.seq, list(restored.snapshot.lines))
    assert payloads(1, 235) == read_all(restored.journal)
    fill(restored.journal, 1, 20)
    restored.journal.close()


def test_a_truncated_journal_is_copied_from_where_it_begins(
    directory: Path, tmp_path: Path
) -> None:
    journal = open_journal(directory).journal
    journal.truncate_before(121)
    Backup(journal, snapshots(directory), tmp_path / "copy").finish()
    last_hash = journal.last_hash
    journal.close()

    restored = recover(tmp_path / "copy")
    assert (121, 200, last_hash) == (
        restored.journal.first_seq,
        restored.journal.last_seq,
        restored.journal.last_hash,
    )
    restored.journal.close()


def test_an_empty_journal_is_copied(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    journal = open_journal(tmp_path / "data").journal

    report = Backup(journal, snapshots(tmp_path / "data"), tmp_path / "copy").finish()

    assert (0, 0) == report[1:]
    assert EXIT_HEALTHY == examine(tmp_path / "copy").exit_code
    journal.close()


def test_a_damaged_snapshot_is_not_copied(directory: Path, tmp_path: Path) -> None:
    journal = open_journal(directory).journal
    snapshots(directory).path(130).write_bytes(b"")

    assert 50 == Backup(journal, snapshots(directory), tmp_path / "copy").finish().snapshot_seq
    journal.close()


def test_a_snapshot_that_goes_away_has_a_successor(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(directory).journal
    calls: list[Snapshot | None] = []

    def find_then_drop(
        store: SnapshotStore, records: Records, at_most: int | None, skip: Callable[[str], None]
    ) -> Snapshot | None:
        found = find_snapshot(store, records, at_most, skip)
        if not calls:
            snapshot(directory, journal, 150)
            snapshot(directory, journal, 200)
        calls.append(found)
        return found

    monkeypatch.setattr("lombard.journal.backup.find_snapshot", find_then_drop)
    report = Backup(journal, snapshots(directory), tmp_path / "copy").finish()

    assert 200 == report.snapshot_seq
    assert [200] == snapshots(tmp_path / "copy").seqs()
    journal.close()


def test_nothing_is_written_over(directory: Path, tmp_path: Path) -> None:
    journal = open_journal(directory).journal
    (tmp_path / "copy").mkdir()
    with pytest.raises(BackupRefused, match="exists already"):
        Backup(journal, snapshots(directory), tmp_path / "copy")
    (tmp_path / "other.partial").mkdir()
    with pytest.raises(BackupRefused, match="left of a broken backup"):
        Backup(journal, snapshots(directory), tmp_path / "other")
    journal.close()


def test_damage_is_not_copied(directory: Path, tmp_path: Path) -> None:
    path = directory / "journal.sqlite"
    data = bytearray(path.read_bytes())
    data[data.index(payloads(70, 1)[0]) + 30] ^= 1
    path.write_bytes(data)
    journal = open_journal(directory).journal

    with pytest.raises(JournalDamaged, match="Record 70 of the journal is damaged"):
        Backup(journal, snapshots(directory), tmp_path / "copy").finish()

    assert ["data"] == [entry.name for entry in tmp_path.iterdir()]
    journal.close()


@pytest.mark.parametrize("statement", ["INSERT", "COMMIT"])
def test_a_failed_copy_does_not_stop_the_node(
    directory: Path, tmp_path: Path, statement: str
) -> None:
    journal = open_journal(directory).journal
    copying = Backup(journal, snapshots(directory), tmp_path / "copy")
    fail_statement(copying._copy, statement)

    with pytest.raises(JournalFailed):
        copying.finish()

    assert ["data"] == [entry.name for entry in tmp_path.iterdir()]
    fill(journal, 1, 20)
    journal.close()


def test_a_backup_may_be_abandoned(directory: Path, tmp_path: Path) -> None:
    journal = open_journal(directory).journal
    copying = Backup(journal, snapshots(directory), tmp_path / "copy")
    copying.step(2)
    copying.abandon()

    assert ["data"] == [entry.name for entry in tmp_path.iterdir()]
    journal.close()
