"""The witness: two slots in turn, torn ones fall back, and a failed sync is final."""

import os
import time
from pathlib import Path
from struct import Struct

import pytest

from lombard.journal import witness
from lombard.journal.port import JournalFailed, JournalRefused
from lombard.journal.witness import (
    SLOT_BYTES,
    SLOT_STRIDE,
    Mark,
    Witness,
    read_witness,
    write_witness,
)
from tests.journal.faults import fail_sync

HASHES = [bytes([seq]) * 32 for seq in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A witness that has seen records 1, 2 and 3."""
    path = tmp_path / "witness"
    write_witness(path, 0, HASHES[0])
    open_witness = Witness(path)
    for seq in (1, 2, 3):
        open_witness.write(seq, HASHES[seq])
    open_witness.close()
    return path


def mark_of(path: Path) -> Mark | None:
    reading = read_witness(path)
    return reading.mark if reading else None


def test_the_newest_mark_is_read(path: Path) -> None:
    assert Mark(4, 3, HASHES[3]) == mark_of(path)

    again = Witness(path)
    again.write(9, HASHES[9])
    # It is there without a sync: a killed process loses nothing.
    assert Mark(5, 9, HASHES[9]) == mark_of(path)
    again.close()
    again.close()


def test_there_may_be_none(tmp_path: Path) -> None:
    assert read_witness(tmp_path / "witness") is None


def test_slots_are_written_in_turn(path: Path) -> None:
    before = path.read_bytes()
    again = Witness(path)
    again.write(4, HASHES[4])
    again.close()
    after = path.read_bytes()

    # 3 was in the first slot, and stays.
    assert before[:SLOT_STRIDE] == after[:SLOT_STRIDE]
    assert before[SLOT_STRIDE:] != after[SLOT_STRIDE:]


def test_every_changed_bit_falls_back(path: Path) -> None:
    whole = path.read_bytes()
    for slot, fallback in ((0, 2), (1, 3)):
        start = slot * SLOT_STRIDE
        for bit in range(start * 8, (start + SLOT_BYTES) * 8):
            changed = bytearray(whole)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)

            reading = read_witness(path)
            assert reading
            assert reading.mark
            assert ((slot,), fallback) == (reading.damaged_slots, reading.mark.seq)


def test_every_cut_falls_back(path: Path) -> None:
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])

        reading = read_witness(path)
        assert reading
        assert (None if end < SLOT_BYTES else Mark(4, 3, HASHES[3])) == reading.mark


def test_a_newer_format_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "FORMAT", 2)
    write_witness(path, 1, HASHES[1])
    monkeypatch.setattr(witness, "FORMAT", 1)

    with pytest.raises(JournalRefused, match="witness has format 2; this build reads format 1"):
        read_witness(path)


def test_another_magic_is_no_mark(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "MAGIC", b"ANOTHER.")
    write_witness(path, 1, HASHES[1])
    monkeypatch.undo()

    assert mark_of(path) is None


def test_it_is_synced_at_most_once_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[float] = []
    sync = os.fdatasync

    def fdatasync(fd: int) -> None:
        syncs.append(time.monotonic())
        sync(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(witness, "SYNC_SECONDS", 0.2)
    again = Witness(path)
    started = time.monotonic()
    for seq in range(4, 20):
        last_begun = time.monotonic()
        again.write(seq, HASHES[seq])
        time.sleep(0.03)

    # What is written last is synced too, though nothing follows it.
    while not syncs or syncs[-1] < last_begun:
        time.sleep(0.01)
    assert 2 <= len(syncs) <= (time.monotonic() - started) / 0.2 + 1
    again.close()


def test_a_failed_sync_is_final(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Witness(path)
    fail_sync(monkeypatch)
    again.write(4, HASHES[4])
    while again._fault is None:
        time.sleep(0.001)

    with pytest.raises(JournalFailed, match="Input/output error"):
        again.write(5, HASHES[5])
    # The disk would take it now; it is not asked again.
    with pytest.raises(JournalFailed, match="Nothing more is acknowledged"):
        again.write(6, HASHES[6])
    for call in (again.sync, again.close):
        with pytest.raises(JournalFailed, match="Nothing more is acknowledged"):
            call()


def test_a_failed_write_is_final(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Witness(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, offset: len(data) - 1)
        with pytest.raises(JournalFailed, match=f"{SLOT_BYTES - 1} of {SLOT_BYTES} bytes"):
            again.write(4, HASHES[4])

    with pytest.raises(JournalFailed):
        again.write(5, HASHES[5])
    with pytest.raises(JournalFailed):
        again.close()


def test_the_layout_is_what_it_was() -> None:
    # magic, format, turn, seq, hash, checksum: a change needs a new format.
    assert Struct(">8sIQQ32s16s").size == SLOT_BYTES
