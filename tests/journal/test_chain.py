"""Sealed batches: every changed bit and every cut is seen, and the record is named."""

import re

import pytest

from lombard.journal.chain import Batch, chain, chain_to, seal, unseal
from lombard.journal.port import GENESIS_HASH, JournalDamaged
from tests.journal.records import payloads

RECORDS = [*payloads(41, 3), b"", b"x"]
BEFORE = bytes(range(32))


def damaged_record(batch: Batch) -> int:
    """Unseal a damaged batch and return the record that is named."""
    with pytest.raises(JournalDamaged) as damage:
        unseal(batch, 41, BEFORE)
    named = re.match(r"Record (\d+) of the journal is damaged: ", str(damage.value))
    assert named, damage.value
    return int(named[1])


def owner(offset: int) -> int:
    """Say of which record a byte of the sealed batch is."""
    seq, end = 41, 0
    for record in RECORDS:
        end += 12 + len(record)
        if offset < end:
            return seq
        seq += 1
    return seq


def test_a_sealed_batch_is_unsealed() -> None:
    batch = seal(41, BEFORE, RECORDS)

    assert RECORDS == unseal(batch, 41, BEFORE)
    assert (41, 45, 5) == (batch.first_seq, batch.last_seq, batch.total)
    assert chain_to(BEFORE, RECORDS) == batch.hash


def test_the_chain_does_not_depend_on_batches() -> None:
    one = seal(1, GENESIS_HASH, RECORDS)
    first = seal(1, GENESIS_HASH, RECORDS[:2])
    second = seal(3, first.hash, RECORDS[2:])

    assert one.hash == second.hash == chain_to(GENESIS_HASH, RECORDS)
    assert chain(GENESIS_HASH, b"x") == chain_to(GENESIS_HASH, [b"x"])


def test_every_changed_bit_is_seen_and_its_record_named() -> None:
    batch = seal(41, BEFORE, RECORDS)
    for bit in range(len(batch.records) * 8):
        changed = bytearray(batch.records)
        changed[bit // 8] ^= 1 << bit % 8

        assert owner(bit // 8) == damaged_record(batch._replace(records=bytes(changed)))


def test_every_cut_is_seen_and_its_record_named() -> None:
    batch = seal(41, BEFORE, RECORDS)
    for end in range(len(batch.records)):
        assert owner(end) == damaged_record(batch._replace(records=batch.records[:end]))


@pytest.mark.parametrize("total", [-1, 0, 4, 6, 2**62])
def test_another_number_of_records_is_seen(total: int) -> None:
    assert 41 <= damaged_record(seal(41, BEFORE, RECORDS)._replace(total=total)) <= 46


def test_changed_hashes_and_checksums_are_seen() -> None:
    batch = seal(41, BEFORE, RECORDS)

    assert 41 == damaged_record(batch._replace(hash=bytes(32)))
    assert 41 == damaged_record(batch._replace(hash=batch.hash[:-1]))
    assert 41 == damaged_record(batch._replace(prev_hash=bytes(32)))
    assert 41 == damaged_record(batch._replace(checksum=batch.checksum ^ 1))
    assert 41 == damaged_record(batch._replace(first_seq=42))


def test_swapped_records_are_seen() -> None:
    first, second = b"a" * 10, b"b" * 10
    batch = seal(41, BEFORE, [first, second])
    half = len(batch.records) // 2

    assert 41 == damaged_record(batch._replace(records=batch.records[half:] + batch.records[:half]))


def test_extra_bytes_are_seen() -> None:
    batch = seal(41, BEFORE, RECORDS)

    assert 46 == damaged_record(batch._replace(records=batch.records + bytes(12)))
    assert 46 == damaged_record(batch._replace(records=batch.records + b"\0"))
