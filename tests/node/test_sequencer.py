"""The sequencer: durable, then applied, then answered; in order; and the first failure is final."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lombard.core.commands import (
    VENUE,
    AddUser,
    CancelAllOrders,
    Command,
    Deposit,
    Envelope,
    Tick,
    Transfer,
)
from lombard.core.state import Reply
from lombard.journal.codec import CodecError, decode
from lombard.journal.memory import MemoryJournal
from lombard.node.clock import Clock
from lombard.node.errors import Overloaded, Stopped
from lombard.node.lanes import Lanes
from lombard.node.sequencer import Sequencer
from tests.node.world import START_MS, SlowJournal, ThreadedLog, manual_clock, run

COMMAND = Deposit(0, 1)


class Bench:
    """A sequencer over a slow journal, and a record of what it applied."""

    def __init__(self, clock: Clock | None = None, lanes: Lanes | None = None) -> None:
        self.journal = SlowJournal(MemoryJournal())
        self.clock = clock or manual_clock()
        self.applied: list[Envelope] = []
        self.applied_to: list[tuple[int, bytes]] = []
        self.breaks_at = 0
        self.sequencer = Sequencer(
            ThreadedLog(self.journal),
            self.clock,
            0,
            self.apply,
            lambda seq, last_hash: self.applied_to.append((seq, last_hash)),
            lanes,
        )

    def apply(self, envelope: Envelope) -> Reply:
        assert envelope.seq <= self.journal.last_seq, "applied before it was durable"
        assert envelope.seq != self.breaks_at, "Invariant: broken on purpose"
        self.applied.append(envelope)
        return Reply(None, envelope.seq)

    def submit(self, account: int, command: Command = COMMAND) -> "asyncio.Future[Reply]":
        return self.sequencer.submit(account, command)

    def write(self, batches: int = 1) -> None:
        self.journal.may_write.release(batches)

    async def turn(self) -> None:
        """Let the sequencer's task take what is there."""
        for _ in range(3):
            await asyncio.sleep(0)


@asynccontextmanager
async def at_work(bench: Bench) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(bench.sequencer.run())
    try:
        yield task
    finally:
        bench.sequencer.drain()
        bench.write(100)
        await asyncio.wait([task])


def test_commands_collect_while_a_batch_is_written() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            first = bench.submit(1)
            await bench.turn()
            rest = [bench.submit(account) for account in range(2, 7)]
            await bench.turn()
            assert [] == bench.applied

            bench.write()
            assert 1 == (await first).id
            assert not any(reply.done() for reply in rest)

            bench.write()
            assert [2, 3, 4, 5, 6] == [(await reply).id for reply in rest]
            assert [1, 5] == bench.journal.batches
            assert [1, 2, 3, 4, 5, 6] == [envelope.account for envelope in bench.applied]
            assert (6, bench.journal.last_hash) == bench.applied_to[-1]

    run(scenario())


def test_the_log_holds_what_was_applied() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            bench.write(10)
            for account in range(5):
                await bench.sequencer.submit(account, COMMAND, bytes([account]) * 16)

        payloads = [payload for _, batch in bench.journal.journal.read(1) for payload in batch]
        logged = [decode(payload) for payload in payloads]
        assert [(e.seq, e.time_ms, e.account, e.command_id) for e in bench.applied] == [
            (e.seq, e.time_ms, e.account, e.command_id) for e in logged
        ]

    run(scenario())


def test_a_full_lane_refuses_at_once_and_the_others_do_not() -> None:
    async def scenario() -> None:
        bench = Bench(lanes=Lanes(lane_max=3, batch_max=4))
        async with at_work(bench):
            first = bench.submit(1)
            await bench.turn()
            waiting = [bench.submit(1) for _ in range(3)]
            with pytest.raises(Overloaded):
                bench.submit(1)
            # Relief and the venue's own work are never refused for a queue of orders.
            relief = bench.submit(1, CancelAllOrders(0))
            tick = bench.submit(VENUE, Tick())

            bench.write(10)
            for reply in (first, *waiting, relief, tick):
                await reply

    run(scenario())


def test_what_fits_into_a_batch_keeps_its_order_of_arrival() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            commands: list[tuple[int, Command]] = [
                (1, COMMAND),
                (VENUE, Tick()),
                (2, CancelAllOrders(0)),
                (3, COMMAND),
            ]
            replies = [bench.submit(account, command) for account, command in commands]
            bench.write(10)
            await asyncio.wait(replies)
            assert [1, VENUE, 2, 3] == [envelope.account for envelope in bench.applied]

    run(scenario())


def test_no_lane_starves_another() -> None:
    lanes = Lanes(lane_max=100, batch_max=8)
    bench = Bench(lanes=lanes)

    async def scenario() -> None:
        for account in range(1, 101):
            bench.submit(account)
        for account in range(1, 101):
            bench.submit(account, CancelAllOrders(0))
        for _ in range(100):
            bench.submit(VENUE, AddUser())

        batch = [(type(entry.command), entry.account) for entry in lanes.take()]
        deposits = [(Deposit, account) for account in range(1, 5)]
        cancels = [(CancelAllOrders, account) for account in range(1, 3)]
        assert [*deposits, *cancels, (AddUser, VENUE), (AddUser, VENUE)] == batch
        bench.sequencer.fail(RuntimeError("over"))

    run(scenario())


def test_times_never_go_back() -> None:
    async def scenario() -> None:
        clock = manual_clock()
        bench = Bench(clock)
        async with at_work(bench):
            bench.write(10)
            await bench.submit(1)
            await bench.sequencer.submit(VENUE, Tick(), at_ms=START_MS + 500)
            await bench.sequencer.submit(VENUE, Tick(), at_ms=START_MS + 100)
            await bench.submit(1)
            clock.move_to(START_MS + 2_000)
            await bench.submit(1)
            times = [envelope.time_ms - START_MS for envelope in bench.applied]
            assert [0, 500, 500, 500, 2_000] == times

    run(scenario())


def test_a_pending_command_is_not_queued_twice() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            command_id = b"0123456789abcdef"
            replies = [bench.sequencer.submit(1, COMMAND, command_id) for _ in range(3)]
            replies[0].cancel()
            bench.write(10)
            assert [1, 1] == [(await reply).id for reply in replies[1:]]
            assert 1 == len(bench.applied)
            # Once answered it is the engine that remembers (RULES 10).
            assert 2 == (await bench.sequencer.submit(1, COMMAND, command_id)).id

    run(scenario())


def test_a_command_that_cannot_be_written_is_turned_away_alone() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            good = bench.submit(1)
            bad = bench.submit(1, Transfer(2, 0, 1, "\ud800"))
            later = bench.submit(1)
            bench.write(10)
            assert [1, 2] == [(await good).id, (await later).id]
            with pytest.raises(CodecError):
                await bad

    run(scenario())


def test_a_failed_journal_is_final() -> None:
    async def scenario() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.sequencer.run())
        done = bench.submit(1)
        bench.write()
        await done
        in_write = bench.submit(1)
        await bench.turn()
        queued = bench.submit(1)
        bench.journal.fails = True
        bench.write(100)

        for reply in (in_write, queued):
            with pytest.raises(Stopped, match="The disk is gone"):
                await reply
        with pytest.raises(Exception, match="The disk is gone"):
            await task
        with pytest.raises(Stopped, match="The disk is gone"):
            bench.submit(1)
        assert not bench.sequencer.accepting
        assert 1 == len(bench.applied)

    run(scenario())


def test_a_broken_invariant_stops_everything_after_it() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.breaks_at = 2
        task = asyncio.create_task(bench.sequencer.run())
        replies = [bench.submit(1) for _ in range(3)]
        bench.write(100)

        assert 1 == (await replies[0]).id
        for reply in replies[1:]:
            with pytest.raises(Stopped, match="broken on purpose"):
                await reply
        with pytest.raises(AssertionError, match="broken on purpose"):
            await task

    run(scenario())


def test_a_drain_answers_what_waits_and_takes_no_more() -> None:
    async def scenario() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.sequencer.run())
        replies = [bench.submit(1) for _ in range(3)]
        await bench.turn()
        replies.append(bench.submit(1))
        bench.sequencer.drain()
        with pytest.raises(Stopped, match="shutting down"):
            bench.submit(1)
        bench.write(100)
        assert [1, 2, 3, 4] == [(await reply).id for reply in replies]
        await task
        assert bench.sequencer.failure is None

    run(scenario())


def test_nothing_is_begun_while_the_gate_is_closed() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with at_work(bench):
            bench.write(100)
            bench.sequencer.gate.clear()
            reply = bench.submit(1)
            await asyncio.sleep(0.01)
            assert not reply.done()
            bench.sequencer.gate.set()
            assert 1 == (await reply).id

    run(scenario())


def test_the_journal_is_written_in_a_thread_of_its_own() -> None:
    async def scenario() -> None:
        bench = Bench()
        threads: list[str] = []
        append = bench.journal.append

        def noted(payloads: list[bytes]) -> int:
            threads.append(threading.current_thread().name)
            return append(payloads)

        bench.journal.append = noted  # type: ignore[method-assign]
        async with at_work(bench):
            bench.write(10)
            await bench.submit(1)
            await bench.submit(1)
        assert 1 == len(set(threads))
        assert threads[0] != threading.main_thread().name

    run(scenario())
