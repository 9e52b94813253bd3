"""The journal on disk: the suite of all journals, the five conditions, and damage by name."""

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from lombard.journal import sqlite
from lombard.journal.opening import WitnessedJournal, open_journal
from lombard.journal.port import (
    Journal,
    JournalDamaged,
    JournalFailed,
    JournalRefused,
)
from lombard.journal.sqlite import SqliteJournal, at_rest, create_journal
from tests.journal.conformance import JournalConformance, Place
from tests.journal.faults import FailingConnection, fail_statement
from tests.journal.records import fill, payloads, read_all


class SqlitePlace:
    """A journal's file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Journal:
        if not self.path.exists():
            create_journal(self.path)
        return SqliteJournal(self.path)

    def break_writes(self, journal: Journal) -> None:
        assert isinstance(journal, SqliteJournal)
        # The first of whatever it does next.
        fail_statement(journal, "INSERT" if journal.last_seq == 10 else "DELETE")


class WitnessedPlace:
    """A data directory, with a witness beside the journal."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def open(self) -> Journal:
        return open_journal(self.directory).journal

    def break_writes(self, journal: Journal) -> None:
        assert isinstance(journal, WitnessedJournal)
        inner = journal._journal
        assert isinstance(inner, SqliteJournal)
        fail_statement(inner, "INSERT" if journal.last_seq == 10 else "DELETE")


class TestSqliteJournal(JournalConformance):
    """The suite on `SqliteJournal`."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return cast(Place, SqlitePlace(tmp_path / "journal.sqlite"))


class TestWitnessedJournal(JournalConformance):
    """The suite on what a node uses."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return cast(Place, WitnessedPlace(tmp_path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of 10 batches of 20 records that was stopped cleanly."""
    path = tmp_path / "journal.sqlite"
    create_journal(path)
    journal = SqliteJournal(path)
    fill(journal, 10, 20)
    journal.close()
    return path


def contents(directory: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in sorted(directory.iterdir())}


# --- the conditions ------------------------------------------------------------------------------


def test_the_conditions_are_in_force(path: Path) -> None:
    journal = SqliteJournal(path)

    def says(pragma: str) -> object:
        return journal._connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    assert b"wal" == says("journal_mode")
    assert 2 == says("synchronous")
    assert b"exclusive" == says("locking_mode")
    assert 0 == says("mmap_size")
    assert 0 == says("wal_autocheckpoint")
    # An exclusive log keeps its index in memory: no file that another connection could share.
    assert ["journal.sqlite", "journal.sqlite-wal"] == sorted(contents(path.parent))
    journal.close()
    assert ["journal.sqlite"] == sorted(contents(path.parent))


@pytest.mark.parametrize(
    ("pragma", "answer"),
    [("synchronous", 1), ("journal_mode", b"delete"), ("locking_mode", b"normal")],
)
def test_a_condition_that_does_not_hold_is_refused(
    path: Path, pragma: str, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lying(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> Any:
            cursor = super().execute(sql, *values)
            if sql == f"PRAGMA {pragma}":
                cursor.fetchall()
                return super().execute("SELECT ?", (answer,))
            return cursor

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        return real(*args, factory=Lying, **kwargs)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)

    with pytest.raises(JournalRefused, match=f"does not take `{pragma}"):
        SqliteJournal(path)


def test_a_second_connection_is_refused(path: Path) -> None:
    journal = SqliteJournal(path)

    with pytest.raises(JournalRefused, match=r"Another program has journal\.sqlite open"):
        SqliteJournal(path)

    journal.close()


def test_the_log_stays_small(path: Path) -> None:
    journal = SqliteJournal(path)
    for _ in range(40):
        journal.append([bytes(100_000)])

    pages = sqlite.log_path(path).stat().st_size / sqlite.PAGE_BYTES
    assert pages < sqlite.CHECKPOINT_PAGES * 1.5
    journal.close()


@pytest.mark.parametrize("statement", ["INSERT", "PRAGMA wal_checkpoint"])
def test_no_failed_statement_is_survived(path: Path, statement: str) -> None:
    journal = SqliteJournal(path)
    fail_statement(journal, statement)

    with pytest.raises(JournalFailed, match=r"records 201 to 201 could not .*\(disk I/O error\)"):
        journal.append([bytes(sqlite.CHECKPOINT_PAGES * sqlite.PAGE_BYTES)])

    assert 200 == journal.last_seq
    with pytest.raises(JournalFailed, match="Nothing after record 200 was acknowledged"):
        journal.append(payloads(201, 1))
    journal.close()


@pytest.mark.parametrize("statement", ["BEGIN", "DELETE", "INSERT", "COMMIT", "PRAGMA"])
def test_no_failed_truncation_is_survived(path: Path, statement: str) -> None:
    journal = SqliteJournal(path)
    fail_statement(journal, statement)

    with pytest.raises(JournalFailed, match="records up to 100 could not be truncated"):
        journal.truncate_before(101)

    with pytest.raises(JournalFailed):
        journal.append(payloads(201, 1))
    journal.close()
    journal = SqliteJournal(path)
    assert journal.first_seq in (1, 101)
    assert 200 == journal.last_seq
    journal.close()


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_batches_of_one_transaction_are_there_together(path: Path, statement: str) -> None:
    journal = SqliteJournal(path)
    assert 206 == journal.append_batches([payloads(201, 3), [], payloads(204, 3)])
    fail_statement(journal, statement, when=2 if statement == "INSERT" else 1)

    with pytest.raises(JournalFailed):
        journal.append_batches([payloads(207, 3), payloads(210, 3)])

    journal.close()
    journal = SqliteJournal(path)
    assert payloads(1, 206) == read_all(journal)
    journal.close()


def test_long_truncations_go_in_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TRUNCATE_BATCHES", 3)
    journal = SqliteJournal(path)

    journal.truncate_before(170)

    assert 161 == journal.first_seq
    assert payloads(161, 40) == read_all(journal, 161)
    journal.truncate_before(10**6)
    assert (201, 200) == (journal.first_seq, journal.last_seq)
    journal.close()


def test_a_journal_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    # What a crash in the middle of the making leaves.
    (tmp_path / "journal.sqlite.new").write_bytes(b"half a file")
    (tmp_path / "journal.sqlite.new-wal").write_bytes(b"and its log")

    create_journal(path)

    assert ["journal.sqlite"] == sorted(contents(tmp_path))
    journal = SqliteJournal(path)
    assert 0 == journal.last_seq
    journal.close()


@pytest.mark.parametrize("statement", ["BEGIN", "CREATE", "COMMIT", "PRAGMA wal_checkpoint"])
def test_a_journal_that_cannot_be_made_is_not_there(
    tmp_path: Path, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> Any:
        return FailingConnection(real(*args, **kwargs), statement)

    path = tmp_path / "journal.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        with pytest.raises(JournalFailed, match=r"could not be made: disk I/O error"):
            create_journal(path)
    assert not path.exists()

    create_journal(path)
    SqliteJournal(path).close()


def test_a_log_whose_name_may_not_last_is_not_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fsync)

    with pytest.raises(JournalFailed, match=r"cannot be written: .*Input/output error"):
        SqliteJournal(path)


def test_a_stop_that_fails_is_said_and_loses_nothing(path: Path) -> None:
    journal = SqliteJournal(path)
    fill(journal, 1, 20)
    fail_statement(journal, "PRAGMA wal_checkpoint")

    with pytest.raises(JournalFailed, match="could not be folded into the file"):
        journal.close()

    journal.close()
    journal = SqliteJournal(path)
    assert payloads(1, 220) == read_all(journal)
    journal.close()


def test_a_journal_may_begin_later(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.sqlite", 100, bytes(range(32)))

    journal = SqliteJournal(tmp_path / "journal.sqlite")

    assert (101, 100, bytes(range(32))) == (journal.first_seq, journal.last_seq, journal.last_hash)
    journal.close()


# --- looking without changing --------------------------------------------------------------------


@pytest.mark.parametrize("damage_at", [None, 40_000])
def test_a_look_changes_nothing(path: Path, tmp_path: Path, damage_at: int | None) -> None:
    journal = SqliteJournal(path)
    fill(journal, 10, 20)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in (path, sqlite.log_path(path)):
        shutil.copy(file, killed)
    journal.close()
    if damage_at is not None:
        log = sqlite.log_path(killed / path.name)
        data = bytearray(log.read_bytes())
        data[damage_at] ^= 1
        log.write_bytes(data)
    before = contents(killed)

    with at_rest(killed / path.name) as table:
        found = read_all(table)

    assert before == contents(killed)
    assert payloads(1, len(found)) == found
    assert (damage_at is None) == (len(found) == 400)


def test_a_look_at_a_clean_journal_changes_nothing(path: Path) -> None:
    before = contents(path.parent)

    with at_rest(path) as table:
        assert payloads(1, 200) == read_all(table)

    assert before == contents(path.parent)


# --- what is not a journal, and damage by name ---------------------------------------------------


def change(path: Path, sql: str, *values: object) -> None:
    """Change a journal behind its back."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(sql, values)
    connection.close()


def outcome(path: Path) -> str:
    """Open and read all of a journal; the refusal, or nothing."""
    try:
        journal = SqliteJournal(path)
    except JournalRefused as refusal:
        return str(refusal)
    try:
        read_all(journal)
    except JournalDamaged as damage:
        return str(damage)
    finally:
        journal.close()
    return ""


def flip(column: str, at: int) -> str:
    """SQL that changes one byte of a blob."""
    head, tail = f"substr({column}, 1, {at - 1})", f"substr({column}, {at + 1})"
    byte = f"CASE substr({column}, {at}, 1) WHEN x'00' THEN x'01' ELSE x'00' END"
    return f"UPDATE batches SET {column} = CAST({head} || {byte} || {tail} AS BLOB)"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM batches WHERE first_seq = 81", "Record 81 of the journal is damaged"),
        ("DELETE FROM batches WHERE first_seq = 1", "Record 1 of the journal is damaged"),
        (flip("records", 6) + " WHERE first_seq = 81", "Record 81 of .* does not match its check"),
        (flip("records", 1) + " WHERE first_seq = 81", "Record 81 of .* header does not match"),
        (flip("records", 200) + " WHERE first_seq = 81", "Record 8[2-4] of the journal is damaged"),
        (flip("records", 20) + " WHERE first_seq = 1", "Record 1 of the journal is damaged"),
        (flip("records", 20) + " WHERE first_seq = 181", "Record 181 of the journal is damaged"),
        (flip("hash", 5) + " WHERE first_seq = 81", "records 81 to 100 does not match its hash"),
        (flip("prev_hash", 5) + " WHERE first_seq = 81", "Record 81 .* does not follow record 80"),
        ("UPDATE batches SET checksum = 1 WHERE first_seq = 81", "81 to 100 does not match"),
        ("UPDATE batches SET count = 21 WHERE first_seq = 81", "holds 20 records, not 21"),
        ("UPDATE batches SET count = 0 WHERE first_seq = 81", "Record .* damaged"),
        ("UPDATE batches SET count = -1 WHERE first_seq = 181", "Record .* damaged"),
        ("UPDATE batches SET count = NULL WHERE first_seq = 81", "columns of other types"),
        ("UPDATE batches SET records = x'' WHERE first_seq = 81", "holds 0 records, not 20"),
        ("UPDATE batches SET records = 'text' WHERE first_seq = 81", "columns of other types"),
        ("UPDATE batches SET first_seq = 82 WHERE first_seq = 81", "begins at record 82"),
        ("UPDATE batches SET first_seq = 437 WHERE first_seq = 181", "begins at record 437"),
        ("UPDATE batches SET first_seq = -5 WHERE first_seq = 1", "Record 1 of the journal"),
        ("UPDATE base SET seq = 20", "base of journal.sqlite does not match its checksum"),
        ("UPDATE base SET seq = 'x'", "base of journal.sqlite does not match its checksum"),
        ("DELETE FROM base", "base of journal.sqlite does not match its checksum"),
        ("DROP TABLE base", "The tables of journal.sqlite are not a journal's"),
        ("CREATE TABLE more (x)", "The tables of journal.sqlite are not a journal's"),
        ("PRAGMA application_id = 0", "not a Lombard journal"),
        ("PRAGMA user_version = 2", "format 2; this build reads format 1"),
    ],
)
def test_damage_is_named(path: Path, sql: str, says: str) -> None:
    assert "" == outcome(path)
    change(path, sql)

    refusal = outcome(path)

    assert re.search(says, refusal), refusal


@pytest.mark.parametrize("value", [0xE2, 0xFF, 0x00])
@pytest.mark.parametrize("text", [b"batches", b"CREATE TABLE batches", b"base", b"first_seq"])
def test_a_damaged_schema_is_refused(path: Path, text: bytes, value: int) -> None:
    data = bytearray(path.read_bytes())
    # SQLite quotes what it cannot make sense of, and its driver cannot decode the quotation.
    data[data.index(text) + 3] = value
    path.write_bytes(data)

    assert "" != outcome(path)
    with pytest.raises(JournalRefused), at_rest(path):
        pass


def test_swapped_batches_are_seen(path: Path) -> None:
    change(path, "UPDATE batches SET first_seq = -1 WHERE first_seq = 41")
    change(path, "UPDATE batches SET first_seq = 41 WHERE first_seq = 61")
    change(path, "UPDATE batches SET first_seq = 61 WHERE first_seq = -1")

    assert outcome(path).startswith("Record 41 of the journal is damaged: it does not follow")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"not a database" * 1000])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)

    assert "" != outcome(path)
    with pytest.raises(JournalRefused), at_rest(path):
        pass


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JournalRefused, match="cannot be opened"):
        SqliteJournal(tmp_path / "journal.sqlite")
    assert [] == list(tmp_path.iterdir())
