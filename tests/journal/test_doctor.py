"""The doctor: explains whatever is wrong, changes nothing, and its one act is explicit."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from lombard.journal.doctor import (
    EXIT_DAMAGED,
    EXIT_HEALTHY,
    EXIT_NOT_EXAMINED,
    Gravity,
    accept_journal_end,
    examine,
)
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths, open_journal
from lombard.journal.port import JournalRefused
from lombard.journal.recovery import recover
from lombard.journal.snapshots import Head
from lombard.journal.sqlite import log_path
from tests.journal.records import fill, payloads, read_all
from tests.journal.test_opening import contents_of_all


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of 200 records, of which 40 are still in the log, and snapshots at 50 and 130."""
    live = tmp_path / "live"
    hold_directory(live).release()
    journal = open_journal(live).journal
    fill(journal, 8, 20)
    for seq in (50, 130):
        head = Head(seq, 1_700_000_000_000 + seq, journal.hash_at(seq), "ab")
        Paths(live).snapshots.write(head, ["[1]"])
    journal.close()
    journal = open_journal(live).journal
    fill(journal, 2, 20)
    shutil.copytree(live, tmp_path / "data")
    journal.close()
    return tmp_path / "data"


def found(directory: Path, exit_code: int) -> str:
    """Examine a directory, check that it was not changed, and return what was found."""
    before = contents_of_all(directory)
    diagnosis = examine(directory)
    assert before == contents_of_all(directory)
    assert exit_code == diagnosis.exit_code
    return "\n".join(f"{finding.gravity.value}: {finding.text}" for finding in diagnosis.findings)


def change(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_healthy_directory(directory: Path) -> None:
    assert found(directory, EXIT_HEALTHY).splitlines() == [
        "fine: The witness says record 200; they agree.",
        "note: The last run did not end by a clean stop.",
        "fine: The journal's records 1 to 200 are as they were written.",
        "fine: The snapshot 130.snap is as it was written.",
        "fine: The snapshot 50.snap is as it was written.",
        "fine: A node can start here.",
    ]


def test_a_new_directory(tmp_path: Path) -> None:
    assert "fine: There is no journal yet." in found(tmp_path, EXIT_HEALTHY)
    open_journal(tmp_path).journal.close()
    assert "fine: The journal is empty." in found(tmp_path, EXIT_HEALTHY)


def test_no_directory(tmp_path: Path) -> None:
    assert "There is no data directory" in found(tmp_path / "none", EXIT_NOT_EXAMINED)


def test_a_directory_in_use(directory: Path) -> None:
    lock = hold_directory(directory)
    assert "not examined: The data directory" in found(directory, EXIT_NOT_EXAMINED)
    assert EXIT_NOT_EXAMINED == accept_journal_end(directory).exit_code
    lock.release()


def test_a_newer_directory(directory: Path) -> None:
    (directory / "format").write_text("Lombard data directory, format 2\n")
    assert "has format 2" in found(directory, EXIT_NOT_EXAMINED)


def test_a_newer_journal(directory: Path) -> None:
    connection = sqlite3.connect(directory / "journal.sqlite")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    assert "damage: journal.sqlite has format 2" in found(directory, EXIT_DAMAGED)


def test_a_lost_end(directory: Path) -> None:
    log = log_path(directory / "journal.sqlite")
    change(log, 100)
    text = found(directory, EXIT_DAMAGED)
    assert "damage: The journal in" in text
    assert "ends at record 160, but record 200 was acknowledged" in text
    assert "SQLite's log holds" in text
    # What is left of it is whole.
    assert "fine: The journal's records 1 to 160 are as they were written." in text
    assert "A node can start here" not in text


def test_a_damaged_record(directory: Path) -> None:
    open_journal(directory).journal.close()
    path = directory / "journal.sqlite"
    at = path.read_bytes().index(payloads(70, 1)[0]) + 30
    change(path, at)
    text = found(directory, EXIT_DAMAGED)
    assert "damage: Record 70 of the journal is damaged: it does not match its checksum" in text
    assert "Records before 70 are readable." in text
    assert "They are of a damaged" not in text


def test_damage_outside_of_the_records(directory: Path) -> None:
    open_journal(directory).journal.close()
    path = directory / "journal.sqlite"
    # The number of free pages, in the file's header: no record is touched.
    change(path, 39)
    text = found(directory, EXIT_DAMAGED)
    assert "fine: The journal's records 1 to 200 are as they were written." in text
    assert "damage: SQLite says of journal.sqlite" in text


def test_a_damaged_snapshot(directory: Path) -> None:
    change(Paths(directory).snapshots.path(130), 100)
    text = found(directory, EXIT_HEALTHY)
    assert "note: The snapshot 130.snap cannot be used: it does not match its checksum" in text
    assert "fine: The snapshot 50.snap is as it was written." in text


def test_a_truncated_journal_without_a_snapshot(directory: Path) -> None:
    journal = open_journal(directory).journal
    journal.truncate_before(121)
    journal.close()
    assert "older than the journal's first" in found(directory, EXIT_HEALTHY)
    change(Paths(directory).snapshots.path(130), 100)
    assert "damage: The journal begins at record 121" in found(directory, EXIT_DAMAGED)


def test_a_missing_witness(directory: Path) -> None:
    (directory / "witness").unlink()
    text = found(directory, EXIT_DAMAGED)
    assert "is missing: how far records were acknowledged cannot be told" in text


def test_a_missing_journal(directory: Path) -> None:
    for path in (directory / "journal.sqlite", log_path(directory / "journal.sqlite")):
        path.unlink()
    assert "is missing, and records up to 200" in found(directory, EXIT_DAMAGED)
    before = contents_of_all(directory)
    diagnosis = accept_journal_end(directory)
    assert EXIT_DAMAGED == diagnosis.exit_code
    assert "there is nothing whose end could be accepted" in diagnosis.findings[0].text
    assert before == contents_of_all(directory)


def test_no_journal_at_all(directory: Path) -> None:
    (directory / "journal.sqlite").write_bytes(b"nonsense" * 1000)
    text = found(directory, EXIT_DAMAGED)
    assert "damage: journal.sqlite cannot be read" in text


def test_progress_is_told(directory: Path) -> None:
    told: list[tuple[int, int]] = []
    examine(directory, lambda done, all_of_it: told.append((done, all_of_it)))
    assert (200, 200) == told[-1]


# --- accepting the journal's end -----------------------------------------------------------------


def test_a_lost_end_is_accepted_when_asked(directory: Path) -> None:
    log = log_path(directory / "journal.sqlite")
    change(log, 100)
    damaged_log = log.read_bytes()
    witness = (directory / "witness").read_bytes()
    head = Head(190, 1, bytes(32), "ab")
    Paths(directory).snapshots.write(head, ["[1]"])
    with pytest.raises(JournalRefused, match="ends at record 160"):
        recover(directory)

    diagnosis = accept_journal_end(directory)

    assert EXIT_HEALTHY == diagnosis.exit_code
    assert "Records 161 to 200 were acknowledged to clients and are given up." in (
        diagnosis.findings[0].text
    )
    aside = directory / "set-aside-1"
    assert witness == (aside / "witness").read_bytes()
    assert damaged_log == (aside / "journal.sqlite-wal").read_bytes()
    assert (aside / "190.snap").exists()
    assert "A node can start here" in found(directory, EXIT_HEALTHY)

    recovered = recover(directory)
    assert recovered.snapshot
    assert 130 == recovered.snapshot.head.seq
    assert 160 == recovered.journal.last_seq
    fill(recovered.journal, 1, 20)
    assert payloads(1, 180) == read_all(recovered.journal)
    recovered.journal.close()


@pytest.mark.parametrize("content", [None, b"", bytes(5000)])
def test_an_unreadable_witness_is_made_anew_when_asked(
    directory: Path, content: bytes | None
) -> None:
    (directory / "witness").unlink()
    if content is not None:
        (directory / "witness").write_bytes(content)

    diagnosis = accept_journal_end(directory)

    assert Gravity.NOTE == diagnosis.findings[0].gravity
    assert "Records after 200, if any were" in diagnosis.findings[0].text
    assert "they agree" in found(directory, EXIT_HEALTHY)


def test_accepting_a_good_end_loses_nothing(directory: Path) -> None:
    for number in (1, 2):
        diagnosis = accept_journal_end(directory)
        assert "No record is given up" in diagnosis.findings[0].text
        assert (directory / f"set-aside-{number}").is_dir()
    recover(directory).journal.close()


def test_a_damaged_middle_is_not_accepted(directory: Path) -> None:
    open_journal(directory).journal.close()
    path = directory / "journal.sqlite"
    change(path, path.read_bytes().index(payloads(70, 1)[0]) + 30)
    before = contents_of_all(directory)

    diagnosis = accept_journal_end(directory)

    assert EXIT_DAMAGED == diagnosis.exit_code
    assert "Record 70 of the journal is damaged" in diagnosis.findings[0].text
    assert "was not accepted" in diagnosis.findings[0].text
    assert before == contents_of_all(directory)
