"""Opening: the journal and its witness agree, or both numbers are named."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from lombard.journal.opening import Paths, open_journal
from lombard.journal.port import JournalDamaged, JournalFailed, JournalRefused
from lombard.journal.snapshots import Head
from lombard.journal.sqlite import SqliteJournal, create_journal, log_path
from lombard.journal.witness import read_witness, write_witness
from tests.journal.faults import fail_statement, fail_sync
from tests.journal.records import fill, payloads, read_all
from tests.journal.test_sqlite import contents


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of 10 batches of 20 records that was stopped cleanly."""
    directory = tmp_path / "data"
    directory.mkdir()
    journal = open_journal(directory).journal
    fill(journal, 10, 20)
    journal.close()
    return directory


def killed(directory: Path, batches: int) -> Path:
    """Copy a directory as it is while some more batches are in the log."""
    journal = open_journal(directory).journal
    fill(journal, batches, 20)
    image = directory.with_name("killed")
    shutil.copytree(directory, image)
    journal.close()
    return image


def refused(directory: Path) -> str:
    """Return why a directory is refused, having checked that it was not changed."""
    before = contents_of_all(directory)
    with pytest.raises(JournalRefused) as refusal:
        open_journal(directory)
    assert before == contents_of_all(directory)
    return str(refusal.value)


def contents_of_all(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def test_an_empty_directory_gets_an_empty_journal(tmp_path: Path) -> None:
    journal, report = open_journal(tmp_path)

    assert (True, 0, 0, []) == tuple(report)
    assert 0 == journal.last_seq
    assert {"journal.sqlite", "journal.sqlite-wal", "witness"} >= set(contents(tmp_path))
    journal.close()


def test_a_clean_stop_is_reported(directory: Path) -> None:
    journal, report = open_journal(directory)

    assert (True, 200, 200, []) == tuple(report)
    assert 0 == report.records_after_witness
    assert payloads(1, 200) == read_all(journal)
    journal.close()


def test_a_kill_loses_nothing(directory: Path) -> None:
    image = killed(directory, 5)

    journal, report = open_journal(image)

    assert (False, 300, 300, []) == tuple(report)
    assert payloads(1, 300) == read_all(journal)
    journal.close()


def test_what_is_acknowledged_is_witnessed(directory: Path) -> None:
    journal = open_journal(directory).journal
    for _ in range(5):
        fill(journal, 1, 3)
        reading = read_witness(directory / "witness")
        assert reading
        assert reading.mark
        assert (journal.last_seq, journal.last_hash) == reading.mark[1:]
    journal.close()


def test_a_journal_longer_than_its_witness_is_kept_and_reported(directory: Path) -> None:
    early = (directory / "witness").read_bytes()
    image = killed(directory, 2)
    (image / "witness").write_bytes(early)

    journal, report = open_journal(image)

    assert (False, 200, 240, 40) == (*report[:3], report.records_after_witness)
    assert ["40 records after the witness's 200 were found whole and kept"] == [
        note.split(":")[0] for note in report.notes
    ]
    reading = read_witness(image / "witness")
    assert reading
    assert reading.mark
    assert (240, journal.last_hash) == reading.mark[1:]
    journal.close()


def test_a_torn_end_is_cut_and_reported(directory: Path) -> None:
    early = (directory / "witness").read_bytes()
    image = killed(directory, 2)
    (image / "witness").write_bytes(early)
    log = log_path(image / "journal.sqlite")
    log.write_bytes(log.read_bytes()[:-3000])

    journal, report = open_journal(image)

    assert (200, 220) == (report.witness_seq, report.last_seq)
    assert report.notes[0].startswith("SQLite's log holds ")
    assert payloads(1, 220) == read_all(journal)
    fill(journal, 1, 20)
    journal.close()
    journal, report = open_journal(image)
    assert (True, 240, 240, []) == tuple(report)
    assert payloads(1, 240) == read_all(journal)
    journal.close()


def test_a_journal_shorter_than_its_witness_is_refused(directory: Path) -> None:
    image = killed(directory, 2)
    log = log_path(image / "journal.sqlite")
    whole = log.read_bytes()
    log.write_bytes(whole[:-3000])

    refusal = refused(image)
    assert "ends at record 220, but record 240 was acknowledged" in refusal
    assert "records 221 to 240 are lost" in refusal
    assert "a write that was cut off, or damage" in refusal
    assert "lombard doctor --accept-journal-end" in refusal

    changed = bytearray(whole)
    changed[100] ^= 1
    log.write_bytes(changed)
    assert "ends at record 200, but record 240 was acknowledged" in refused(image)
    log.unlink()
    assert "ends at record 200, but record 240 was acknowledged" in refused(image)


def test_another_journal_is_refused(directory: Path, tmp_path: Path) -> None:
    write_witness(directory / "witness", 150, bytes(32))

    assert "ends at record 200, disagrees with its witness about record 150" in refused(directory)


def test_a_missing_journal_is_refused(directory: Path) -> None:
    (directory / "journal.sqlite").unlink()

    assert "is missing, and records up to 200 were acknowledged" in refused(directory)
    (directory / "witness").write_bytes(b"")
    assert "its witness is damaged" in refused(directory)


def test_an_old_log_is_not_taken_for_a_new_journal(directory: Path) -> None:
    image = killed(directory, 2)
    (image / "journal.sqlite").unlink()
    (image / "witness").unlink()

    assert "journal.sqlite is missing, and its log is there" in refused(image)


def test_what_cannot_be_read_is_refused(directory: Path) -> None:
    (directory / "witness").unlink()
    (directory / "witness").mkdir()

    assert "cannot be opened: [Errno 21] Is a directory" in refused(directory)


def test_a_missing_or_unreadable_witness_is_refused(directory: Path) -> None:
    (directory / "witness").rename(directory / "elsewhere")
    refusal = refused(directory)
    assert "ends at record 200, and its witness" in refusal
    assert "is missing" in refusal
    assert "lombard doctor --accept-journal-end" in refusal

    (directory / "witness").write_bytes(bytes(5000))
    refusal = refused(directory)
    assert "ends at record 200, and its witness is damaged" in refusal
    assert "lombard doctor --accept-journal-end" in refusal


def test_one_damaged_slot_is_reported(directory: Path) -> None:
    whole = (directory / "witness").read_bytes()
    for slot in range(2):
        changed = bytearray(whole)
        changed[slot * 4096 + 20] ^= 1
        (directory / "witness").write_bytes(changed)

        journal, report = open_journal(directory)
        assert report.witness_seq in (180, 200)
        assert report.notes[0].startswith("One of the witness's two slots was damaged")
        assert 200 == journal.last_seq
        journal.close()


def test_an_interrupted_making_is_begun_again(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.sqlite")
    # The witness was never made.

    journal = open_journal(tmp_path).journal
    fill(journal, 1, 5)
    journal.close()

    journal, report = open_journal(tmp_path)
    assert 5 == report.last_seq
    journal.close()


def test_snapshots_without_a_journal_are_refused(directory: Path) -> None:
    Paths(directory).snapshots.write(Head(10, 1, bytes(32), ""), ["x"])
    (directory / "journal.sqlite").unlink()
    (directory / "witness").unlink()

    assert "holds snapshots, but neither journal.sqlite nor a witness" in refused(directory)

    create_journal(directory / "journal.sqlite")
    write_witness(directory / "witness", 0, bytes(32))
    (directory / "journal.sqlite").unlink()
    assert "is missing" in refused(directory)


def test_damage_at_the_end_is_refused(directory: Path) -> None:
    data = bytearray((directory / "journal.sqlite").read_bytes())
    data[-1000] ^= 1
    (directory / "journal.sqlite").write_bytes(data)

    assert refused(directory).startswith("Record 1")


def test_a_truncated_journal_may_have_an_older_witness(directory: Path) -> None:
    early = (directory / "witness").read_bytes()
    journal = open_journal(directory).journal
    fill(journal, 2, 20)
    journal.truncate_before(221)
    journal.close()
    (directory / "witness").write_bytes(early)

    journal, report = open_journal(directory)

    assert "The witness says 200, and records up to 220 were truncated." == report.notes[0]
    assert payloads(221, 20) == read_all(journal, 221)
    journal.close()


def test_a_journal_that_changes_while_it_is_opened_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = directory.with_name("other")
    shutil.copytree(directory, other)
    longer = open_journal(other).journal
    fill(longer, 1, 1)
    longer.close()
    monkeypatch.setattr(
        "lombard.journal.opening.SqliteJournal", lambda _: SqliteJournal(other / "journal.sqlite")
    )

    with pytest.raises(JournalDamaged, match="record 200 when looked at and at 201 when opened"):
        open_journal(directory)


@pytest.mark.parametrize("fault", ["journal", "witness"])
def test_a_failure_of_either_is_final(
    directory: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(directory).journal
    if fault == "journal":
        fail_statement(journal._journal, "INSERT")  # type: ignore[arg-type]
    else:
        monkeypatch.setattr(os, "pwrite", lambda *_: 0)

    with pytest.raises(JournalFailed):
        journal.append(payloads(201, 1))
    monkeypatch.undo()
    with pytest.raises(JournalFailed):
        journal.append(payloads(201, 1))
    with pytest.raises(JournalFailed):
        journal.truncate_before(100)
    with suppress(JournalFailed):
        journal.close()

    # The batch that was not acknowledged may or may not be there.
    again, report = open_journal(directory)
    assert (200 if fault == "journal" else 201) == report.last_seq
    assert payloads(1, report.last_seq) == read_all(again)
    again.close()


def test_a_sync_that_failed_unseen_is_final(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(directory).journal
    fail_sync(monkeypatch)

    with pytest.raises(JournalFailed, match="Input/output error"):
        journal.sync_witness()
    with pytest.raises(JournalFailed, match="Input/output error"):
        journal.append(payloads(201, 1))
    with pytest.raises(JournalFailed):
        journal.close()
