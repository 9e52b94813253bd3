"""What every journal must do. A journal is put under this suite by a class that inherits it and
gives it a `place`: where the journal is kept, and how its writes are made to fail."""

import threading
from hashlib import blake2b
from typing import Protocol

import pytest

from lombard.journal.port import GENESIS_HASH, Journal, JournalFailed
from tests.journal.records import fill, payloads, read_all


class Place(Protocol):
    """Where a journal is kept between two openings."""

    def open(self) -> Journal:
        """Open the journal, which nobody has open; a new one the first time."""

    def break_writes(self, journal: Journal) -> None:
        """Make the next write of an open journal fail, and only that one."""


def chain_hashes(records: list[bytes]) -> list[bytes]:
    """Compute the hash before the first record and after each, independently."""
    hashes = [GENESIS_HASH]
    for record in records:
        hashes.append(blake2b(hashes[-1] + record, digest_size=32).digest())
    return hashes


class JournalConformance:
    """The suite."""

    def test_a_new_journal_is_empty(self, place: Place) -> None:
        journal = place.open()

        assert (1, 0, GENESIS_HASH) == (journal.first_seq, journal.last_seq, journal.last_hash)
        assert [] == list(journal.read(1))
        assert GENESIS_HASH == journal.hash_at(0)
        journal.close()

    def test_what_is_appended_is_read(self, place: Place) -> None:
        journal = place.open()

        assert 3 == journal.append(payloads(1, 3))
        assert 4 == journal.append(payloads(4, 1))
        assert 6 == journal.append([b"", b"x" * 1_000_000])

        batches = [(1, payloads(1, 3)), (4, payloads(4, 1)), (5, [b"", b"x" * 1_000_000])]
        assert batches == list(journal.read(1))
        journal.close()

    def test_an_empty_batch_is_nothing(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 1, 2)

        assert 2 == journal.append([])

        assert [(1, payloads(1, 2))] == list(journal.read(1))
        journal.close()

    def test_it_goes_on_where_it_ended(self, place: Place) -> None:
        journal = place.open()
        for _ in range(3):
            fill(journal, 2, 5)
            last_hash = journal.last_hash
            journal.close()
            journal = place.open()
            assert last_hash == journal.last_hash

        assert 30 == journal.last_seq
        assert payloads(1, 30) == read_all(journal)
        journal.close()

    @pytest.mark.parametrize("from_seq", [1, 2, 5, 6, 7, 50, 999, 1000, 1001])
    def test_reading_begins_anywhere(self, place: Place, from_seq: int) -> None:
        journal = place.open()
        fill(journal, 200, 5)

        assert payloads(from_seq, 1001 - from_seq) == read_all(journal, from_seq)
        journal.close()

    @pytest.mark.parametrize("from_seq", [-1, 0, 12])
    def test_what_was_never_written_cannot_be_read(self, place: Place, from_seq: int) -> None:
        journal = place.open()
        fill(journal, 2, 5)

        with pytest.raises(ValueError, match=f"Record {from_seq} is not in the journal"):
            journal.read(from_seq)
        journal.close()

    def test_every_record_is_chained(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 4, 5)

        assert chain_hashes(payloads(1, 20)) == [journal.hash_at(seq) for seq in range(21)]
        assert journal.last_hash == journal.hash_at(20)
        for seq in (-1, 21):
            with pytest.raises(ValueError, match="not in the journal"):
                journal.hash_at(seq)
        journal.close()

    def test_batches_may_be_read_while_others_are_appended(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 1, 5)
        reading = journal.read(1)

        assert (1, payloads(1, 5)) == next(reading)
        fill(journal, 1, 5)
        assert [(6, payloads(6, 5))] == list(reading)
        journal.close()

    def test_truncation_forgets_whole_batches(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 4, 5)
        last_hash = journal.last_hash

        journal.truncate_before(1)
        assert 1 == journal.first_seq
        journal.truncate_before(10)  # in the middle of 6 to 10
        assert (6, 20, last_hash) == (journal.first_seq, journal.last_seq, journal.last_hash)
        journal.close()

        journal = place.open()
        assert (6, 20) == (journal.first_seq, journal.last_seq)
        assert payloads(6, 15) == read_all(journal, 6)
        assert chain_hashes(payloads(1, 5))[5] == journal.hash_at(5)
        for seq in (4, 5):
            with pytest.raises(ValueError, match="is not in the journal"):
                journal.read(seq)
        with pytest.raises(ValueError, match="is not in the journal"):
            journal.hash_at(4)
        journal.close()

    def test_a_truncated_journal_goes_on(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 4, 5)
        journal.truncate_before(21)
        assert (21, 20) == (journal.first_seq, journal.last_seq)
        journal.close()

        journal = place.open()
        assert (21, 20) == (journal.first_seq, journal.last_seq)
        fill(journal, 1, 5)
        assert payloads(21, 5) == read_all(journal, 21)
        assert chain_hashes(payloads(1, 25))[25] == journal.last_hash
        journal.close()

    def test_the_first_failure_is_final(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 2, 5)
        place.break_writes(journal)

        with pytest.raises(JournalFailed) as first:
            journal.append(payloads(11, 5))

        # The disk is well again, but who knows what it did meanwhile.
        for again in (payloads(11, 5), []):
            with pytest.raises(JournalFailed) as later:
                journal.append(again)
            assert str(first.value) == str(later.value)
        with pytest.raises(JournalFailed):
            journal.truncate_before(6)
        assert payloads(1, 10) == read_all(journal)[:10]
        journal.close()

        journal = place.open()
        assert journal.last_seq in (10, 15)
        assert payloads(1, journal.last_seq) == read_all(journal)
        fill(journal, 1, 5)
        assert payloads(1, journal.last_seq) == read_all(journal)
        journal.close()

    def test_a_failed_truncation_is_final(self, place: Place) -> None:
        journal = place.open()
        fill(journal, 4, 5)
        place.break_writes(journal)

        with pytest.raises(JournalFailed):
            journal.truncate_before(11)

        with pytest.raises(JournalFailed):
            journal.append(payloads(21, 5))
        journal.close()
        journal = place.open()
        assert payloads(journal.first_seq, 21 - journal.first_seq) == read_all(
            journal, journal.first_seq
        )
        journal.close()

    def test_a_closed_journal_takes_nothing(self, place: Place) -> None:
        journal = place.open()
        journal.close()
        journal.close()

        with pytest.raises(JournalFailed, match="closed"):
            journal.append(payloads(1, 1))

    def test_any_thread_may_append_in_its_turn(self, place: Place) -> None:
        journal = place.open()
        turn = threading.Lock()
        faults: list[Exception] = []

        def append_some() -> None:
            try:
                for _ in range(25):
                    with turn:
                        fill(journal, 1, 3)
            except Exception as fault:
                faults.append(fault)

        threads = [threading.Thread(target=append_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            seen = read_all(journal)
            assert payloads(1, len(seen)) == seen
        for thread in threads:
            thread.join()

        assert [] == faults
        assert payloads(1, 300) == read_all(journal)
        journal.close()
