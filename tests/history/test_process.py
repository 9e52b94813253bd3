"""History in a process of its own: the projector's promises, over a socket and across its death."""

import asyncio
import inspect
import os
import signal
import time
from collections.abc import Callable, Coroutine
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest

from lombard.child import Unwrapper, fork_child, written
from lombard.core.events import Deposited, Event, OrderClosed
from lombard.history import parcels
from lombard.history.faults import HistoryFailed, HistoryGap, HistoryRefused
from lombard.history.places import Place
from lombard.history.process import HistoryProcess
from lombard.history.projector import BACKLOG_REFUSED
from lombard.history.reader import Reader
from tests.history.desk import ALICE_SPOT, ID, Desk, dump, place_of
from tests.history.streams import START_MS, Stream, coins_of

PAIRS = [coins_of(pair) for pair in range(3)]


class Venue:
    """A history that is written by a process; `failures` is what it was told of."""

    def __init__(
        self,
        path: Path,
        backlog_max: int = 20_000,
        commit_s: float = 0.01,
        place: Place | None = None,
    ) -> None:
        self.path = path
        self.place = place or place_of(path)
        self.pairs = list(PAIRS)
        self.failures: list[BaseException] = []
        self.history = HistoryProcess(
            self.place,
            lambda first: self.pairs[first:],
            self.failures.append,
            backlog_max,
            commit_s,
        )

    def deposit(self, seq: int) -> bool:
        return self.history.submit(seq, START_MS, [Deposited(ID + seq, ALICE_SPOT, 0, 1)])


def run(
    scenario: Callable[[Venue], Coroutine[Any, Any, None]], path: Path, **options: Any
) -> list[BaseException]:
    """Let a scenario play with a history, and close that; return its failures."""

    async def play() -> list[BaseException]:
        venue = Venue(path, **options)
        try:
            await asyncio.wait_for(scenario(venue), 60)
        finally:
            venue.history.close()
        return venue.failures

    return asyncio.run(play())


def test_it_writes_what_the_projector_writes(tmp_path: Path) -> None:
    stream = list(islice(Stream(11, step_ms=5_000), 3_000))
    with Desk(tmp_path / "straight.sqlite") as desk:
        desk.feed(stream)

    async def first_half(venue: Venue) -> None:
        venue.pairs.clear()
        for work in stream[:1_500]:
            # A pair is known before anything is traded in it.
            venue.pairs[:] = PAIRS
            if not venue.history.submit(*work):
                await venue.history.room()

    async def all_of_it(venue: Venue) -> None:
        assert 1_500 == venue.history.applied_seq
        for seq, time_ms, events in stream:
            venue.history.submit(seq, time_ms, events)
            if seq % 100 == 0:
                await venue.history.wait(seq)
                assert seq <= venue.history.applied_seq

    path = tmp_path / "history.sqlite"
    assert [] == run(first_half, path)
    assert [] == run(all_of_it, path)
    assert dump(desk.path) == dump(path)


def test_every_event_survives_the_way() -> None:
    for event in get_args(Event):
        count = len(inspect.signature(event).parameters)
        # Integers beyond 64 bits, and lists of rows, as some fields are.
        for value in (10**30, [(1, 10**30), (2, 3)]):
            try:
                made = event(*[value] * count)
            except TypeError:
                continue
            parcel = written((parcels.WORK, [parcels.packed(1, 2, [made])]))
            ((_, ((seq, time_ms, rows),)),) = Unwrapper().feed(parcel)
            (back,) = parcels.unpacked(rows)
            assert (1, 2, event) == (seq, time_ms, type(back))
            assert parcels.packed(1, 2, [made]) == parcels.packed(1, 2, [back])


def test_a_stream_may_be_cut_anywhere() -> None:
    sent = [("applied", n * 10**20) for n in range(50)]
    data = b"".join(map(written, sent))
    for step in (1, 3, 64, len(data)):
        unwrapper = Unwrapper()
        cuts = range(0, len(data), step)
        assert sent == [each for at in cuts for each in unwrapper.feed(data[at : at + step])]


def test_waiting_hurries_and_syncing_brings_everything(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        for seq in range(1, 100):
            venue.deposit(seq)
        await venue.history.wait(50)
        reader = Reader(venue.place)
        assert 50 <= reader.applied_seq()
        reader.close()
        assert 99 == await venue.history.sync()
        assert 0 == venue.history.lag
        venue.deposit(100)
        waiting = [asyncio.create_task(venue.history.wait(n)) for n in (100, 100, 101)]
        await waiting[0]
        waiting[2].cancel()
        venue.deposit(101)
        await asyncio.gather(venue.history.wait(101), waiting[1])

    # Nobody would wait that long.
    assert [] == run(scenario, tmp_path / "history.sqlite", commit_s=60)


def test_the_backlog_is_bounded(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        os.kill(venue.history.pid, signal.SIGSTOP)
        assert [True] * 9 + [False] * 31 == [venue.deposit(seq) for seq in range(1, 41)]
        assert 40 == BACKLOG_REFUSED * 10
        with pytest.raises(HistoryFailed, match="40 commands behind"):
            venue.deposit(41)
        os.kill(venue.history.pid, signal.SIGCONT)
        await venue.history.room()
        assert venue.history.lag <= 5
        venue.history.wait_blocking(40, 10)
        assert venue.deposit(41)

    assert [] == run(scenario, tmp_path / "history.sqlite", backlog_max=10)


def test_more_than_the_socket_holds_goes_when_it_can(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        os.kill(venue.history.pid, signal.SIGSTOP)
        for seq in range(1, 60_001):
            venue.deposit(seq)
        await asyncio.sleep(0.01)
        assert venue.history._line.unsent > 0
        os.kill(venue.history.pid, signal.SIGCONT)
        await venue.history.wait(60_000)
        assert 0 == venue.history._line.unsent

    assert [] == run(scenario, tmp_path / "history.sqlite")


def test_a_gap_is_an_error_and_what_comes_again_is_ignored(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        venue.deposit(1)
        venue.deposit(1)
        with pytest.raises(HistoryGap):
            venue.deposit(3)
        await venue.history.wait(1)
        with pytest.raises(TimeoutError):
            venue.history.wait_blocking(2, 0.05)

    assert [] == run(scenario, tmp_path / "history.sqlite")


def test_closing_writes_what_is_waiting(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        for seq in range(1, 50):
            venue.deposit(seq)
        venue.history.close()
        with pytest.raises(HistoryFailed, match="closed"):
            venue.deposit(50)
        with pytest.raises(ProcessLookupError):
            os.kill(venue.history.pid, 0)

    path = tmp_path / "history.sqlite"
    assert [] == run(scenario, path, commit_s=60)
    with Desk(path) as desk:
        assert 49 == desk.projector.applied_seq


def test_a_failure_there_is_final_here(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        venue.deposit(1)
        await venue.history.wait(1)
        venue.history.submit(2, START_MS, [OrderClosed(ID, ALICE_SPOT, 0, 1)])
        with pytest.raises(HistoryFailed):
            await venue.history.wait(2)
        with pytest.raises(HistoryFailed, match="has not been seen"):
            venue.deposit(3)
        with pytest.raises(HistoryFailed, match="has not been seen"):
            await venue.history.sync()
        await venue.history.wait(1)
        assert [venue.history.failure] == venue.failures

    failures = run(scenario, tmp_path / "history.sqlite")
    assert [f"Order {ID} has not been seen."] == list(map(str, failures))


def test_a_writer_that_is_killed_is_a_failure(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        venue.deposit(1)
        await venue.history.wait(1)
        venue.deposit(2)
        waiting = asyncio.create_task(venue.history.wait(2_000))
        syncing = asyncio.create_task(venue.history.sync())
        os.kill(venue.history.pid, signal.SIGKILL)
        for each in (waiting, syncing):
            with pytest.raises(HistoryFailed):
                await each
        with pytest.raises(HistoryFailed, match="signal 9"):
            venue.deposit(3)

    path = tmp_path / "history.sqlite"
    failures = run(scenario, path)
    assert ["The process that writes history has ended with signal 9."] == list(map(str, failures))
    with Desk(path) as desk:
        assert 1 <= desk.projector.applied_seq


def test_a_stop_of_the_whole_group_is_for_the_node_to_see_to(tmp_path: Path) -> None:
    async def scenario(venue: Venue) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(venue.history.pid, number)
        venue.deposit(1)
        await venue.history.wait(1)

    assert [] == run(scenario, tmp_path / "history.sqlite")


def test_the_writer_ends_with_its_node(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()

    def node() -> None:
        async def serve() -> None:
            venue = Venue(tmp_path / "history.sqlite")
            os.write(write_end, b"%d\n" % venue.history.pid)
            await asyncio.sleep(60)

        asyncio.run(serve())

    killed = fork_child(node, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        writer = int(said.readline())
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    until = time.monotonic() + 10
    while Path(f"/proc/{writer}/fd").exists() and _is_running(writer):
        assert time.monotonic() < until
        time.sleep(0.01)


def _is_running(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.sqlite
def test_a_file_that_is_not_a_history_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"not a database, but long enough to look" * 100)

    async def scenario(venue: Venue) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(HistoryRefused, match="cannot be read"):
        run(scenario, path)
