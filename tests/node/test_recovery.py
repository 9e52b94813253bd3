"""Start-up: whatever ended the last run, engine and history stand where the log ends."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lombard.child import fork_child
from lombard.core.commands import Deposit, Envelope, Tick
from lombard.core.engine import Engine
from lombard.journal.codec import encode
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths, open_journal
from lombard.journal.port import JournalRefused
from lombard.journal.snapshots import Head
from lombard.node.errors import CannotStart
from lombard.node.node import Node
from lombard.node.recovery import Started, start_from
from lombard.node.snapshots import Snapshotter
from tests.node.world import (
    START_MS,
    USDT,
    MemoryHistory,
    ThreadedLog,
    manual_clock,
    run,
    spot,
    venue,
)

MORE = 50


def fill(directory: Path, snapshots_at: tuple[int, ...] = ()) -> Engine:
    """Write a venue and some deposits into a directory's journal, one batch each."""
    source, memory = venue(users=1)
    journal = open_journal(directory).journal
    for _, payloads in memory.read(1):
        journal.append(payloads)
    first = source.state.seq
    for number in range(1, MORE + 1):
        envelope = Envelope(first + number, START_MS + number, b"", spot(0), Deposit(USDT, number))
        source.apply(envelope)
        journal.append([encode(envelope)])
        if number in snapshots_at:
            head = Head(journal.last_seq, source.time_ms, journal.last_hash, source.state_hash())
            Paths(directory).snapshots.write(head, source.snapshot_lines())
    journal.close()
    return source


def start(directory: Path, history: MemoryHistory) -> tuple[Started, list[str]]:
    told: list[str] = []
    return start_from(directory, Engine(), history, told.append), told


@pytest.mark.parametrize(
    ("snapshots_at", "history_at", "snapshot_used", "rows"),
    [
        # Everything is there: only the tail is applied, and history is told of nothing.
        ((10, 40), MORE, 40, 0),
        # History is behind the newest snapshot: an older one, and history gets what it lacks.
        ((10, 40), 20, 10, 30),
        ((10, 40), 40, 40, 10),
        # History is gone, or older than all snapshots: the log from its beginning.
        ((10, 40), 5, None, 45),
        ((), MORE, None, 0),
    ],
)
def test_history_gets_each_command_once(
    tmp_path: Path,
    snapshots_at: tuple[int, ...],
    history_at: int,
    snapshot_used: int | None,
    rows: int,
) -> None:
    source = fill(tmp_path, snapshots_at)
    first = source.state.seq - MORE
    history = MemoryHistory(first + history_at)

    started, told = start(tmp_path, history)

    assert source.state_hash() == started.engine.state_hash()
    assert (source.state.seq, source.time_ms) == (started.engine.state.seq, started.engine.time_ms)
    assert (first + snapshot_used if snapshot_used else 0) == started.snapshot_seq
    expected = list(range(source.state.seq - rows + 1, source.state.seq + 1))
    assert expected == [seq for seq, _, _ in history.rows]
    assert f"Recovered {source.state.seq} commands" in started.sentence()
    assert [] == told
    started.journal.close()


def test_an_empty_directory_is_an_empty_venue(tmp_path: Path) -> None:
    started, told = start(tmp_path, MemoryHistory())

    assert (0, "The log is empty.", []) == (started.journal.last_seq, started.sentence(), told)
    assert Engine().state_hash() == started.engine.state_hash()
    started.journal.close()


def test_history_ahead_of_its_journal_is_refused(tmp_path: Path) -> None:
    source = fill(tmp_path)

    with pytest.raises(CannotStart, match=r"ends at record \d+, but history knows record"):
        start(tmp_path, MemoryHistory(source.state.seq + 1))


def test_a_damaged_snapshot_is_skipped_aloud(tmp_path: Path) -> None:
    source = fill(tmp_path, (10, 40))
    newest = Paths(tmp_path).snapshots.path(source.state.seq - 10)
    newest.write_bytes(newest.read_bytes()[:-1])

    started, told = start(tmp_path, MemoryHistory(source.state.seq))

    assert source.state_hash() == started.engine.state_hash()
    assert [True] == [newest.name in sentence for sentence in told]
    started.journal.close()


def test_a_snapshot_the_engine_cannot_read_is_named(tmp_path: Path) -> None:
    source = fill(tmp_path)
    journal = open_journal(tmp_path).journal
    head = Head(journal.last_seq, source.time_ms, journal.last_hash, "")
    Paths(tmp_path).snapshots.write(head, ['["lombard",999]'])
    journal.close()

    with pytest.raises(CannotStart, match=rf"The snapshot {head.seq}.snap cannot be used"):
        start(tmp_path, MemoryHistory(source.state.seq))


def test_a_record_that_breaks_an_invariant_is_named(tmp_path: Path) -> None:
    fill(tmp_path)
    broken = Engine()
    broken.state.seq = 7

    with pytest.raises(CannotStart, match="Record 1 of the journal, a SetParameter, cannot be"):
        start_from(tmp_path, broken, MemoryHistory(), print)


def test_a_directory_has_one_node(tmp_path: Path) -> None:
    lock = hold_directory(tmp_path)
    with pytest.raises(JournalRefused, match=f"in use by process {os.getpid()}"):
        hold_directory(tmp_path)
    lock.release()
    hold_directory(tmp_path).release()


def test_a_snapshot_is_taken_while_trading_goes_on(tmp_path: Path) -> None:
    fill(tmp_path)
    history = MemoryHistory()
    started, _ = start(tmp_path, history)
    store = Paths(tmp_path).snapshots
    synced: list[int] = []

    async def sync() -> None:
        synced.append(node.applied_seq)

    async def scenario() -> None:
        snapshotter = Snapshotter(node, store, sync)
        node.start()
        taking = asyncio.create_task(snapshotter.take())
        hash_then = node.engine.state_hash()
        seq_then = node.applied_seq
        while not taking.done():
            await node.submit(spot(0), Deposit(USDT, 1))
        await taking
        assert [seq_then] == store.seqs() == [snapshotter.last_seq]
        assert hash_then == store.load(seq_then).head.state_hash
        assert 1 == len(synced)
        await node.drain()
        await snapshotter.take_last()
        assert [node.applied_seq, seq_then] == store.seqs()
        await snapshotter.take_last()

    node = Node(started.engine, ThreadedLog(started.journal), manual_clock(), history)
    run(scenario())
    started.journal.close()

    again, told = start(tmp_path, history)
    assert (0, []) == (again.replayed, told)
    assert started.engine.state_hash() == again.engine.state_hash()
    again.journal.close()


def test_snapshots_are_taken_after_so_many_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    history = MemoryHistory()
    started, _ = start(tmp_path, history)
    store = Paths(tmp_path).snapshots
    monkeypatch.setattr("lombard.node.snapshots.LOOK_S", 0.01)

    async def sync() -> None:
        return

    async def scenario() -> None:
        snapshotter = Snapshotter(node, store, sync, every_commands=20)
        snapshotter.last_seq = node.applied_seq
        node.start()
        task = asyncio.create_task(snapshotter.run())
        await node.submit(spot(0), Tick())
        await asyncio.sleep(0.05)
        assert [] == store.seqs()
        for _ in range(20):
            await node.submit(spot(0), Tick())
        while not store.seqs():
            await asyncio.sleep(0.01)
        task.cancel()
        await node.drain()

    node = Node(started.engine, ThreadedLog(started.journal), manual_clock(), history)
    run(scenario())
    started.journal.close()


def test_a_snapshot_that_fails_leaves_the_node_trading(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    history = MemoryHistory()
    started, _ = start(tmp_path, history)
    (tmp_path / "snapshots").write_text("a file where the directory should be")

    async def sync() -> None:
        raise AssertionError

    async def scenario() -> None:
        snapshotter = Snapshotter(node, Paths(tmp_path).snapshots, sync)
        node.start()
        await snapshotter.take()
        assert (await node.submit(spot(0), Deposit(USDT, 1))).refusal is None
        await node.drain()
        await snapshotter.take_last()

    node = Node(started.engine, ThreadedLog(started.journal), manual_clock(), history)
    run(scenario())
    started.journal.close()
    assert "could not be done" in capfd.readouterr().err


def test_the_child_of_a_snapshot_does_not_hold_the_directory(tmp_path: Path) -> None:
    """A node killed while its child still writes can be started again at once."""
    lock = hold_directory(tmp_path)
    child = fork_child(signal.pause)
    try:
        lock.release()
        for _ in range(200):
            with suppress(JournalRefused):
                hold_directory(tmp_path).release()
                break
            time.sleep(0.02)
        hold_directory(tmp_path).release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
