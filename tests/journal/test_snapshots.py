"""Snapshots: whole or not there, the newest two good ones kept, and every change of a byte seen."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lombard.journal import snapshots
from lombard.journal.snapshots import Head, SnapshotDamaged, SnapshotStore

LINES = [f'["account",{n},"{n * n}"]' for n in range(500)]


def head(seq: int) -> Head:
    return Head(seq, 1_700_000_000_000 + seq, bytes([seq % 256]) * 32, f"{seq:064x}")


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


@pytest.mark.parametrize("lines", [[], [""], ["é"], LINES, LINES * 50])
def test_a_snapshot_comes_back(store: SnapshotStore, lines: list[str]) -> None:
    path = store.write(head(7), iter(lines))

    found = store.load(7)

    assert head(7) == found.head
    assert lines == list(found.lines)
    assert "7.snap" == path.name


def test_large_snapshots_are_read_in_pieces(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "_READ_BYTES", 97)
    monkeypatch.setattr(snapshots, "_LINES_AT_ONCE", 13)
    store.write(head(7), LINES)

    assert list(store.load(7).lines) == LINES


def test_there_may_be_none(store: SnapshotStore) -> None:
    assert [] == store.seqs()
    with pytest.raises(SnapshotDamaged, match=r"7\.snap cannot be used: .*No such file"):
        store.load(7)


def test_the_newest_two_are_kept(store: SnapshotStore) -> None:
    for seq in (9, 10, 100, 99, 1000):
        store.write(head(seq), LINES)

    # 99 came late: of what is not newer than itself it kept two, and 100 it left alone.
    assert [1000, 100] == store.seqs()


def test_a_damaged_one_does_not_count(store: SnapshotStore) -> None:
    store.write(head(10), LINES)
    store.write(head(20), LINES)
    store.path(20).write_bytes(store.path(20).read_bytes()[:-1])

    store.write(head(30), LINES)
    assert [30, 20, 10] == store.seqs()

    store.write(head(40), LINES)
    assert [40, 30] == store.seqs()


def test_foreign_files_are_left_alone(store: SnapshotStore) -> None:
    store.directory.mkdir()
    foreign = ["notes.txt", "x.snap", "-5.snap", "7.snapshot", "٧.snap", "007.snap"]
    for name in foreign:
        (store.directory / name).write_text("mine")

    for seq in (10, 20, 30):
        store.write(head(seq), LINES)

    assert [30, 20] == store.seqs()
    names = {entry.name for entry in store.directory.iterdir()}
    assert {*foreign, "20.snap", "30.snap"} == names


def test_an_interrupted_snapshot_leaves_nothing(store: SnapshotStore) -> None:
    store.write(head(10), LINES)

    def lines() -> Iterator[str]:
        yield from LINES
        raise RuntimeError("the child was killed")

    with pytest.raises(RuntimeError):
        store.write(head(20), lines())

    assert ["10.snap"] == [entry.name for entry in store.directory.iterdir()]


def test_a_full_disk_leaves_the_old_ones(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(head(10), LINES)

    def fsync(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left"):
            store.write(head(20), LINES)

    assert ["10.snap"] == [entry.name for entry in store.directory.iterdir()]
    assert list(store.load(10).lines) == LINES


def test_it_is_synced_before_it_has_its_name(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watch_fsync(fd: int) -> None:
        steps.append("sync " + os.readlink(f"/proc/self/fd/{fd}").rsplit("/", 1)[-1])
        fsync(fd)

    def watch_replace(self: Path, target: Path) -> Path:
        steps.append(f"{self.name} becomes {target.name}")
        return replace(self, target)

    store.directory.mkdir()
    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(Path, "replace", watch_replace)
    store.write(head(10), LINES)

    assert [
        "sync 10.snap.new",
        "10.snap.new becomes 10.snap",
        "sync snapshots",
    ] == steps


def test_every_changed_bit_is_seen(store: SnapshotStore) -> None:
    path = store.write(head(7), LINES[:20])
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(SnapshotDamaged):
            store.load(7)


def test_every_cut_is_seen(store: SnapshotStore) -> None:
    path = store.write(head(7), LINES[:20])
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(SnapshotDamaged):
            store.load(7)


def test_a_renamed_snapshot_is_seen(store: SnapshotStore) -> None:
    store.write(head(7), LINES).rename(store.path(8))

    with pytest.raises(SnapshotDamaged, match="it is of record 7"):
        store.load(8)


def test_a_newer_format_is_seen(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "FORMAT", 2)
    store.write(head(7), LINES)
    monkeypatch.undo()

    with pytest.raises(SnapshotDamaged, match="it has format 2"):
        store.load(7)


def test_a_file_that_changes_under_the_reader_is_seen(store: SnapshotStore) -> None:
    path = store.write(head(7), LINES * 50)
    found = store.load(7)
    with path.open("r+b") as file:
        file.truncate(400)

    with pytest.raises(SnapshotDamaged, match="changed while it was read"):
        list(found.lines)
