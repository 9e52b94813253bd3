"""Recovery: the newest good snapshot of this journal and every command after it, or a refusal."""

import logging
from pathlib import Path

import pytest

from lombard.core.commands import Envelope, Tick
from lombard.journal.codec import encode
from lombard.journal.memory import MemoryJournal
from lombard.journal.opening import Paths, open_journal
from lombard.journal.port import JournalDamaged, JournalRefused
from lombard.journal.recovery import envelopes, recover
from lombard.journal.snapshots import Head, SnapshotStore
from tests.journal.records import envelope, fill, payloads
from tests.journal.test_codec import same

LINES = ["[1]", "[2]"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of 10 batches of 20 records with snapshots at 50 and 130."""
    journal = open_journal(tmp_path).journal
    fill(journal, 10, 20)
    for seq in (50, 130):
        snapshot(tmp_path, seq, journal.hash_at(seq))
    journal.close()
    return tmp_path


def snapshot(directory: Path, seq: int, chain_hash: bytes) -> None:
    store(directory).write(Head(seq, 1_700_000_000_000 + seq, chain_hash, "ab"), LINES)


def store(directory: Path) -> SnapshotStore:
    return Paths(directory).snapshots


def check(directory: Path, begin: int, skipped: list[str], at_most: int | None = None) -> None:
    """Recover and check the snapshot, the tail and what was skipped, by how they begin."""
    warned: list[str] = []
    found = recover(directory, at_most, warned.append)

    assert begin == (found.snapshot.head.seq if found.snapshot else 0)
    if found.snapshot:
        assert list(found.snapshot.lines) == LINES
    tail = list(found.tail)
    assert list(range(begin + 1, found.journal.last_seq + 1)) == [e.seq for e in tail]
    assert all(same(envelope(e.seq), e) for e in tail)
    assert len(skipped) == len(found.skipped)
    for sentence, beginning in zip(found.skipped, skipped, strict=True):
        assert sentence.startswith(beginning)
    assert warned == [*found.opening.notes, *found.skipped]
    found.journal.close()


def test_it_begins_with_the_newest_snapshot(directory: Path) -> None:
    check(directory, 130, [])


def test_it_begins_with_nothing_when_there_is_none(tmp_path: Path) -> None:
    check(tmp_path, 0, [])


@pytest.mark.parametrize(
    ("at_most", "begin"), [(200, 130), (130, 130), (129, 50), (50, 50), (49, 0)]
)
def test_it_begins_no_later_than_asked(directory: Path, at_most: int, begin: int) -> None:
    check(directory, begin, [], at_most)


def test_a_damaged_snapshot_is_skipped_aloud(directory: Path) -> None:
    path = store(directory).path(130)
    path.write_bytes(path.read_bytes()[:-1])

    check(directory, 50, ["The snapshot 130.snap cannot be used: "])

    store(directory).path(50).write_bytes(b"")
    check(directory, 0, ["The snapshot 130.snap cannot", "The snapshot 50.snap cannot"])


def test_a_snapshot_of_another_journal_is_skipped_aloud(directory: Path) -> None:
    snapshot(directory, 150, bytes(32))
    snapshot(directory, 300, bytes(32))

    skipped = [
        "The snapshot 300.snap is of a record after the journal's last, 200.",
        "The snapshot 150.snap is not of this journal",
    ]
    # Writing two dropped 50 and 130, which were older.
    check(directory, 0, skipped)


def test_skipping_is_logged(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    store(directory).path(130).write_bytes(b"")

    with caplog.at_level(logging.WARNING):
        recover(directory).journal.close()

    assert "The snapshot 130.snap cannot be used" in caplog.text


def test_a_snapshot_of_the_last_record_has_no_tail(directory: Path) -> None:
    journal = open_journal(directory).journal
    snapshot(directory, 200, journal.last_hash)
    journal.close()

    check(directory, 200, [])


def test_a_truncated_journal_needs_its_snapshot(directory: Path) -> None:
    journal = open_journal(directory).journal
    journal.truncate_before(121)
    journal.close()
    check(directory, 130, [])
    check(directory, 130, [], 150)

    path = store(directory).path(130)
    path.write_bytes(path.read_bytes()[1:])
    with pytest.raises(JournalRefused, match=r"begins at record 121 .* no usable snapshot") as no:
        recover(directory)
    assert "130.snap cannot be used" in str(no.value)
    assert "50.snap is older than the journal's first, 121" in str(no.value)
    # The journal was let go of.
    with pytest.raises(JournalRefused, match="begins at record 121"):
        recover(directory)


def test_a_snapshot_right_before_a_truncated_journal_is_enough(directory: Path) -> None:
    journal = open_journal(directory).journal
    snapshot(directory, 140, journal.hash_at(140))
    journal.truncate_before(141)
    journal.close()

    check(directory, 140, [])


def test_a_record_of_another_number_is_refused() -> None:
    journal = MemoryJournal()
    journal.append([*payloads(1, 3), *payloads(5, 1)])
    tail = envelopes(journal, 1)

    assert [1, 2, 3] == [next(tail).seq for _ in range(3)]
    with pytest.raises(JournalDamaged, match=r"Record 4 .*damaged: it says it is record 5"):
        next(tail)


def test_a_record_that_is_no_command_is_refused() -> None:
    journal = MemoryJournal()
    journal.append([encode(Envelope(1, 2, b"", 3, Tick())), b"\x93\x01\x02\x03"])
    tail = envelopes(journal, 1)

    next(tail)
    with pytest.raises(JournalDamaged, match=r"Record 2 .*damaged: The record does not begin"):
        next(tail)


def test_a_record_of_a_newer_build_is_refused() -> None:
    journal = MemoryJournal()
    journal.append([b"\x91\x02"])

    with pytest.raises(JournalRefused, match=r"Record 1 .*written by a newer Lombard") as refusal:
        next(envelopes(journal, 1))
    assert not isinstance(refusal.value, JournalDamaged)
