"""A PostgreSQL that goes away: trading is held back, nothing is lost, and all goes on by itself."""

import asyncio
import os
import signal
from itertools import islice
from pathlib import Path

import pytest

from lombard.history.faults import HistoryRefused, HistoryUnavailable
from lombard.history.places import Remote
from lombard.history.projector import Projector
from lombard.history.reader import Reader
from tests.history.desk import Databases, Desk, dump, place_of
from tests.history.postgres import Server, server
from tests.history.streams import Stream, coins_of
from tests.history.test_process import Venue, run

pytestmark = pytest.mark.postgresql


def test_a_server_that_crashes_again_and_again_leaves_every_row_once(tmp_path: Path) -> None:
    work = list(islice(Stream(11, step_ms=5_000), 2_000))
    said: list[str] = []
    failures: list[BaseException] = []
    place = place_of(tmp_path / "history.sqlite")
    projector = Projector(place, coins_of, failures.append, 20_000, 0.005, on_trouble=said.append)
    for round_, first in enumerate(range(0, len(work), 500)):
        for each in work[first : first + 500]:
            projector.submit(*each)
        # In whatever it is at now, a commit as likely as not.
        if round_ % 2:
            server().kill()
        else:
            server().stop()
        server().start()
    projector.wait_blocking(2_000, 100)
    projector.close()
    assert [] == failures
    assert "" in said
    assert "" == said[-1]

    with Desk(tmp_path / "straight.sqlite") as desk:
        desk.feed(work)
    assert dump(desk.path) == dump(tmp_path / "history.sqlite")


def test_a_commit_whose_answer_was_lost_is_not_done_twice(desk: Desk) -> None:
    """The connection breaks after the commit and before its answer."""
    work = list(islice(Stream(11), 60))
    desk.feed(work[:30])
    store = desk.projector._store
    write = store._write  # type: ignore[attr-defined]

    def write_and_break(*args: object) -> None:
        write(*args)
        store._write = write  # type: ignore[attr-defined]
        raw = store._raw  # type: ignore[attr-defined]
        raw.execute("COMMIT")
        raw.close()

    store._write = write_and_break  # type: ignore[attr-defined]
    desk.feed(work)
    with Desk(desk.path.with_name("straight.sqlite")) as straight:
        straight.feed(work)
    assert dump(straight.path) == dump(desk.path)


def test_reads_are_refused_and_trading_waits_while_it_is_away(tmp_path: Path) -> None:
    own = Server()
    place = Remote(own.database("venue"))
    said: list[str] = []

    async def scenario(venue: Venue) -> None:
        history = venue.history
        venue.deposit(1)
        await history.wait(1)
        own.stop()
        venue.deposit(2)
        waiting = asyncio.create_task(history.wait(2))
        with pytest.raises(HistoryUnavailable):
            await waiting
        assert history.trouble
        assert "secret" not in history.trouble
        with pytest.raises(HistoryUnavailable):
            await history.sync()
        for seq in range(3, 15):
            venue.deposit(seq)
        room = asyncio.create_task(history.room())
        await asyncio.sleep(0.3)
        assert not room.done()
        own.start()
        await room
        await history.calm()
        assert "" == history.trouble
        await history.wait(14)
        assert 14 == await history.sync()

    try:
        failures = run(scenario, tmp_path / "history.sqlite", backlog_max=10, place=place)
        assert [] == failures
    finally:
        own.close()
    assert [] == said


def test_a_stop_does_not_wait_for_it(tmp_path: Path) -> None:
    own = Server()
    place = Remote(own.database("venue"))

    async def scenario(venue: Venue) -> None:
        venue.deposit(1)
        await venue.history.wait(1)
        own.stop()
        venue.deposit(2)
        with pytest.raises(HistoryUnavailable):
            await venue.history.wait(2)

    try:
        run(scenario, tmp_path / "history.sqlite", place=place)
        with pytest.raises(HistoryRefused, match="cannot be opened"):
            Projector(place, coins_of, lambda failure: None)
        reader = Reader(place)
        with pytest.raises(HistoryUnavailable):
            reader.applied_seq()
        reader.close()
        own.start()
        reader = Reader(place)
        assert 1 == reader.applied_seq()
        reader.close()
    finally:
        own.close()


def test_a_second_writer_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lombard.history.postgres.LOCK_WAIT_S", 0.2)
    with pytest.raises(HistoryRefused, match="Another process writes"):
        Projector(desk.place, coins_of, lambda failure: None)


def test_a_writer_that_was_killed_is_followed_by_the_next(tmp_path: Path) -> None:
    async def killed(venue: Venue) -> None:
        for seq in range(1, 500):
            venue.deposit(seq)
        os.kill(venue.history.pid, signal.SIGKILL)

    path = tmp_path / "history.sqlite"
    assert ["The process that writes history has ended with signal 9."] == list(
        map(str, run(killed, path))
    )
    assert Databases.kind == "postgresql"
    with Desk(path) as desk:
        assert desk.projector.applied_seq < 500
