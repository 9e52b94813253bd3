"""The projector: waiting for it, being told to slow down, and its first failure."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from lombard.core.events import Deposited, OrderClosed
from lombard.history import formats
from lombard.history.faults import HistoryError, HistoryFailed, HistoryRefused
from lombard.history.formats import OLDEST_FORMAT
from lombard.history.paging import Page
from lombard.history.postgres import PostgresStore
from lombard.history.projector import BACKLOG_REFUSED, Projector
from lombard.history.schema import FORMAT
from lombard.history.store import Store
from tests.history.desk import ALICE_SPOT, ID, Desk
from tests.history.streams import START_MS, coins_of


def deposit(seq: int) -> Deposited:
    return Deposited(ID + seq, ALICE_SPOT, 0, 1)


def submit(projector: Projector, seq: int) -> bool:
    return projector.submit(seq, START_MS, [deposit(seq)])


class Held:
    """Holds the writer in its commits until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        for store in (Store, PostgresStore):
            monkeypatch.setattr(store, "commit", self._held(store.commit))

    def _held(self, commit: Callable[..., None]) -> Callable[..., None]:
        def held(*args: object) -> None:
            self.entered.set()
            assert self.gate.wait(30)
            commit(*args)

        return held


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(monkeypatch)
    yield held
    held.gate.set()


def test_a_read_after_waiting_sees_the_effect(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        for seq in range(1, 200):
            submit(desk.projector, seq)
            if seq % 20 == 0:
                await desk.projector.wait(seq)
                assert seq <= desk.projector.applied_seq
                assert seq <= desk.reader.applied_seq()
                assert ID + seq == desk.reader.deposits(ALICE_SPOT, Page(1))[0].deposit_id
        await desk.projector.wait(3)

    # Nobody would wait that long: whoever waits hurries the writer.
    with Desk(tmp_path / "history.sqlite", commit_s=60) as desk:
        asyncio.run(asyncio.wait_for(scenario(desk), 30))


def test_many_may_wait_and_some_may_go(desk: Desk, held: Held) -> None:
    async def scenario() -> list[object]:
        waiting = [asyncio.create_task(desk.projector.wait(seq)) for seq in (1, 2, 2, 1)]
        submit(desk.projector, 1)
        submit(desk.projector, 2)
        await asyncio.to_thread(held.entered.wait)
        waiting[1].cancel()
        held.gate.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(scenario())
    assert [None, None, None] == [results[n] for n in (0, 2, 3)]
    assert isinstance(results[1], asyncio.CancelledError)


def test_waiting_has_an_end(desk: Desk) -> None:
    with pytest.raises(TimeoutError):
        desk.projector.wait_blocking(1, 0.01)


def test_it_says_when_to_slow_down(tmp_path: Path, held: Held) -> None:
    with Desk(tmp_path / "history.sqlite", backlog_max=10) as desk:
        projector = desk.projector
        submit(projector, 1)
        assert held.entered.wait(10)
        # The first is with the writer, held.
        assert [True] * 9 + [False] * 31 == [submit(projector, seq) for seq in range(2, 42)]
        assert 41 == projector.lag
        with pytest.raises(HistoryFailed, match="40 commands behind"):
            submit(projector, 42)
        assert 40 == BACKLOG_REFUSED * 10

        room = threading.Thread(target=projector.room_blocking)
        room.start()
        held.gate.set()
        room.join(10)
        assert not room.is_alive()
        assert submit(projector, 42)
        asyncio.run(projector.room())
        projector.wait_blocking(42, 10)
        assert 0 == projector.lag


def test_closing_writes_what_is_waiting(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with Desk(path, commit_s=60) as desk:
        for seq in range(1, 50):
            submit(desk.projector, seq)
    with pytest.raises(HistoryFailed, match="closed"):
        submit(desk.projector, 50)

    with Desk(path) as desk:
        assert 49 == desk.projector.applied_seq == desk.reader.applied_seq()


def test_closing_lets_nobody_wait_forever(desk: Desk) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(desk.projector.wait(1))
        await asyncio.sleep(0)
        await asyncio.to_thread(desk.projector.close)
        with pytest.raises(HistoryFailed, match="stopped"):
            await waiting

    asyncio.run(scenario())


def test_the_first_failure_is_final_and_loud(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    desk.say(deposit(1))
    with monkeypatch.context() as patch:
        for store in (Store, PostgresStore):
            patch.setattr(store, "commit", full)
        submit(desk.projector, 2)
        with pytest.raises(HistoryFailed):
            desk.projector.wait_blocking(2, 10)
    assert ["database or disk is full"] == list(map(str, desk.failures))
    assert [desk.projector.failure] == desk.failures
    with pytest.raises(HistoryFailed, match="disk is full"):
        submit(desk.projector, 3)
    with pytest.raises(HistoryFailed, match="disk is full"):
        asyncio.run(desk.projector.wait(2))
    with pytest.raises(HistoryFailed, match="disk is full"):
        asyncio.run(desk.projector.sync())
    asyncio.run(desk.projector.wait(1))
    assert 1 == desk.projector.applied_seq

    desk.close()
    with Desk(desk.path) as again:
        assert 1 == again.projector.applied_seq
        again.say(deposit(2))


def test_an_event_about_nothing_known_is_a_failure(desk: Desk) -> None:
    desk.projector.submit(1, START_MS, [OrderClosed(ID, ALICE_SPOT, 0, 1)])
    with pytest.raises(HistoryFailed):
        desk.projector.wait_blocking(1, 10)
    assert [f"Order {ID} has not been seen."] == list(map(str, desk.failures))
    assert isinstance(desk.failures[0], HistoryError)


@contextmanager
def writing(desk: Desk) -> Iterator[Connection]:
    """Connect as somebody who has no business there."""
    if isinstance(desk.place, Path):
        engine = create_engine(f"sqlite:///{desk.place}")
    else:
        engine = create_engine(desk.place.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_two_writers_are_noticed(desk: Desk) -> None:
    desk.say(deposit(1))
    with writing(desk) as other:
        other.execute(text("UPDATE meta SET applied_seq = 7"))
        other.commit()
    submit(desk.projector, 2)
    with pytest.raises(HistoryFailed):
        desk.projector.wait_blocking(2, 10)
    (failure,) = map(str, desk.failures)
    assert failure.startswith("History is no longer at 1: ")


def test_a_sync_brings_everything_so_far(desk: Desk) -> None:
    async def scenario() -> int:
        for seq in range(1, 100):
            submit(desk.projector, seq)
        return await asyncio.wait_for(desk.projector.sync(), 10)

    assert 99 <= asyncio.run(scenario())
    assert 99 == asyncio.run(desk.projector.sync())
    desk.seq = 99
    desk.say(deposit(100))
    if isinstance(desk.projector._store, Store):
        (mode,) = desk.projector._store._cursor.execute("PRAGMA synchronous").fetchone()
        assert mode == 1, "it goes on without syncing each commit"


def test_the_reader_cannot_write(desk: Desk) -> None:
    with desk.reader._reading() as connection, pytest.raises(Exception, match=r"read-?only"):
        connection.execute(text("DELETE FROM meta"))


def refusal(path: Path) -> str:
    with pytest.raises(HistoryRefused) as refused:
        Projector(path, coins_of, lambda error: None)
    return str(refused.value)


@pytest.mark.sqlite
def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    Desk(path).close()
    for other in (FORMAT + 1, OLDEST_FORMAT - 1):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [other])
        connection.close()
        assert (
            f"{path} has format {other}, this build writes format {FORMAT}. "
            "To make it again from the journal: lombard history rebuild."
        ) == refusal(path)


@pytest.mark.sqlite
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    assert f"{path} is not a history of Lombard: it has ['recipes']." == refusal(path)
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert [("recipes",)] == tables


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to look" * 100, b"\0" * 8192]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(content)
    assert f"{path} cannot be read (file is not a database). " in refusal(path)


@pytest.mark.sqlite
def test_a_start_that_was_cut_short_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr(formats, "insert", None)
        with pytest.raises(TypeError):
            Store(path)
    with Desk(path) as desk:
        desk.say(deposit(1))
