"""The journal in a process of its own: what it promises, over a line and across its death."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lombard.child import fork_child
from lombard.journal.backup import BackupRefused
from lombard.journal.lock import hold_directory
from lombard.journal.opening import open_journal
from lombard.journal.port import GENESIS_HASH, JournalDamaged, JournalError, JournalFailed
from lombard.journal.process import JournalProcess

Scenario = Callable[[JournalProcess, list[BaseException]], Coroutine[Any, Any, None]]


def run(directory: Path, scenario: Scenario) -> list[BaseException]:
    """Let a scenario play with the log of a new directory; return what made it stop."""
    failures: list[BaseException] = []

    async def play() -> None:
        lock = hold_directory(directory)
        log = JournalProcess(directory, lock, failures.append)
        try:
            log.open(0, GENESIS_HASH)
            await asyncio.wait_for(scenario(log, failures), 60)
        finally:
            try:
                log.close()
            except JournalError:
                assert failures
            lock.release()

    asyncio.run(play())
    return failures


def records(directory: Path) -> list[bytes]:
    """Read everything in a journal nobody has open."""
    journal = open_journal(directory).journal
    try:
        return [payload for _, batch in journal.read(1) for payload in batch]
    finally:
        journal.close()


def test_what_is_answered_is_durable_in_the_order_of_asking(tmp_path: Path) -> None:
    batches = [[b"%d-%d" % (n, i) for i in range(1 + n % 5)] for n in range(50)]
    hashes: list[bytes] = []

    async def scenario(log: JournalProcess, failures: list[BaseException]) -> None:
        hashes.extend(await asyncio.gather(*map(log.append, batches)))
        await log.sync_witness()
        assert sum(map(len, batches)) == log.last_seq
        assert hashes[-1] == log.last_hash

    assert [] == run(tmp_path / "data", scenario)
    assert [each for batch in batches for each in batch] == records(tmp_path / "data")
    journal = open_journal(tmp_path / "data").journal
    seq = 0
    for batch, last_hash in zip(batches, hashes, strict=True):
        seq += len(batch)
        assert last_hash == journal.hash_at(seq)
    journal.close()


def test_a_batch_larger_than_the_socket_holds(tmp_path: Path) -> None:
    batch = [os.urandom(5_000) for _ in range(512)]

    async def scenario(log: JournalProcess, failures: list[BaseException]) -> None:
        await log.append(batch)

    assert [] == run(tmp_path / "data", scenario)
    assert batch == records(tmp_path / "data")


def test_a_failed_write_is_final_and_nothing_after_it_is_answered(tmp_path: Path) -> None:
    async def scenario(log: JournalProcess, failures: list[BaseException]) -> None:
        await log.append([b"before"])
        resource.prlimit(log.pid, resource.RLIMIT_FSIZE, (1024, 1024))
        first, second = log.append([b"too late"]), log.append([b"later still"])
        for written in (first, second):
            with pytest.raises(JournalFailed, match="could not be written"):
                await written
        with pytest.raises(JournalFailed, match="could not be written"):
            log.append([b"never"])
        assert 1 == log.last_seq
        assert 1 == len(failures)

    assert 1 == len(run(tmp_path / "data", scenario))
    assert [b"before"] == records(tmp_path / "data")


def test_a_writer_that_dies_is_a_failure_and_is_told_at_once(tmp_path: Path) -> None:
    async def scenario(log: JournalProcess, failures: list[BaseException]) -> None:
        await log.append([b"before"])
        os.kill(log.pid, signal.SIGSTOP)
        waiting = log.append([b"never answered"])
        os.kill(log.pid, signal.SIGKILL)
        with pytest.raises(JournalFailed, match="signal 9"):
            await waiting
        with pytest.raises(JournalFailed, match="signal 9"):
            log.append([b"never"])

    (failure,) = run(tmp_path / "data", scenario)
    assert "The process that writes the journal has ended with signal 9" in str(failure)
    # What was asked for last may be there or not; what was answered is.
    assert records(tmp_path / "data")[0] == b"before"


def test_it_refuses_a_journal_that_is_not_the_one_that_was_read(tmp_path: Path) -> None:
    async def play() -> None:
        lock = hold_directory(tmp_path)
        log = JournalProcess(tmp_path, lock, lambda failure: None)
        with pytest.raises(JournalDamaged, match="another program changes its files"):
            log.open(7, b"\7" * 32)
        log.close()
        lock.release()

    asyncio.run(play())


def test_a_journal_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a journal" * 1_000)

    async def play() -> None:
        lock = hold_directory(tmp_path)
        log = JournalProcess(tmp_path, lock, lambda failure: None)
        with pytest.raises(JournalError, match=r"journal\.sqlite"):
            log.open(0, GENESIS_HASH)
        log.close()
        lock.release()

    asyncio.run(play())


def test_it_backs_up_while_it_writes(tmp_path: Path) -> None:
    others: list[Path] = []

    async def scenario(log: JournalProcess, failures: list[BaseException]) -> None:
        for n in range(200):
            await log.append([b"%d" % n])
        backing_up = asyncio.create_task(log.back_up(tmp_path / "copy", others.append))
        await log.append([b"meanwhile"])
        assert (201, 0) == await backing_up
        with pytest.raises(BackupRefused, match="exists already"):
            await log.back_up(tmp_path / "copy", others.append)

        def refuses(copy: Path) -> None:
            raise OSError("no room")

        with pytest.raises(OSError, match="no room"):
            await log.back_up(tmp_path / "other", refuses)
        assert not list(tmp_path.glob("other*"))
        await log.append([b"after"])

    assert [] == run(tmp_path / "data", scenario)
    assert len(others) == 1
    assert [*(b"%d" % n for n in range(200)), b"meanwhile"] == records(tmp_path / "copy")


def test_the_directory_is_held_until_the_writer_of_a_killed_node_has_ended(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()

    def node() -> None:
        async def serve() -> None:
            log = JournalProcess(tmp_path, hold_directory(tmp_path), lambda failure: None)
            log.open(0, GENESIS_HASH)
            await log.append([b"acknowledged"])
            os.write(write_end, b"%d\n" % log.pid)
            await asyncio.sleep(60)

        asyncio.run(serve())

    killed = fork_child(node, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        said.readline()
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    # At once: the directory is had when the writer is gone.
    hold_directory(tmp_path).release()
    assert [b"acknowledged"] == records(tmp_path)
