"""A venue in memory to run nodes on: users with funds, and a log that fails when told to."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from lombard.core.commands import (
    SLOT_SPOT,
    VENUE,
    AddUser,
    Command,
    Deposit,
    Envelope,
    account_id,
)
from lombard.core.engine import Engine
from lombard.core.events import Event
from lombard.core.state import Reply
from lombard.journal.codec import decode, encode
from lombard.journal.memory import MemoryJournal, MemoryStore
from lombard.journal.port import JournalFailed
from lombard.node.clock import MANUAL, Clock
from lombard.node.lanes import Lanes
from lombard.sandbox.catalogue import example, genesis, read

START_MS = 1_700_000_000_000
USDT, USDC, BTC = 0, 1, 2
BTCUSDT = 0
ONE = 10**8


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; it may take ten seconds."""

    async def limited() -> None:
        await asyncio.wait_for(coroutine, 10)

    asyncio.run(limited())


class BlockingLog(Protocol):
    """A journal whose `append` returns when the batch is durable."""

    @property
    def last_seq(self) -> int: ...

    @property
    def last_hash(self) -> bytes: ...

    def append(self, payloads: list[bytes]) -> int: ...


class ThreadedLog:
    """Such a journal, written in a thread: a log as a node needs it."""

    def __init__(self, journal: BlockingLog) -> None:
        self.journal = journal
        self._thread = ThreadPoolExecutor(1, "journal")

    @property
    def last_seq(self) -> int:
        return self.journal.last_seq

    @property
    def last_hash(self) -> bytes:
        return self.journal.last_hash

    def append(self, payloads: list[bytes]) -> "asyncio.Future[bytes]":
        return asyncio.get_running_loop().run_in_executor(self._thread, self._write, payloads)

    def _write(self, payloads: list[bytes]) -> bytes:
        self.journal.append(payloads)
        return self.journal.last_hash


class SlowJournal:
    """A journal in memory that waits for the test before each batch, and fails when told to."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.may_write = threading.Semaphore(0)
        self.fails = False
        self.batches: list[int] = []

    @property
    def last_seq(self) -> int:
        return self.journal.last_seq

    @property
    def last_hash(self) -> bytes:
        return self.journal.last_hash

    def append(self, payloads: list[bytes]) -> int:
        assert self.may_write.acquire(timeout=5)
        if self.fails:
            raise JournalFailed("The disk is gone.")
        self.batches.append(len(payloads))
        return self.journal.append(payloads)


def venue(users: int = 1, more: list[Command] | None = None) -> tuple[Engine, MemoryJournal]:
    """Make a venue with the sandbox's catalogue and funded users, in a journal of its own."""
    journal = MemoryJournal(MemoryStore())
    engine = Engine()
    commands = [(VENUE, command) for command in [*genesis(read(example())), *(more or [])]]
    for number in range(users):
        commands.append((VENUE, AddUser()))
        for coin in (USDT, BTC):
            commands.append((spot(number), Deposit(coin, 1_000_000 * ONE)))
    envelopes = [
        Envelope(seq, START_MS, b"", account, command)
        for seq, (account, command) in enumerate(commands, 1)
    ]
    for envelope in envelopes:
        reply, _ = engine.apply(envelope)
        assert reply.refusal is None, reply.detail
    journal.append([encode(envelope) for envelope in envelopes])
    return engine, journal


def spot(number: int) -> int:
    """Name the spot account of the n-th user."""
    return account_id(1_000_001 + number, SLOT_SPOT)


def replayed(journal: MemoryJournal) -> Engine:
    """Apply a journal from its beginning."""
    engine = Engine()
    for _, payloads in journal.read(1):
        for payload in payloads:
            engine.apply(decode(payload))
    return engine


class MemoryHistory:
    """A history that remembers what it was handed, and is full when the test says so."""

    def __init__(self, applied_seq: int = 0) -> None:
        self.applied_seq = applied_seq
        self.rows: list[tuple[int, int, list[Event]]] = []
        self.full = False
        self.has_room = asyncio.Event()

    def submit(self, seq: int, time_ms: int, events: list[Event]) -> bool:
        if seq <= self.applied_seq:
            return True
        assert seq == self.applied_seq + 1
        self.applied_seq = seq
        self.rows.append((seq, time_ms, events))
        return not self.full

    async def room(self) -> None:
        await self.has_room.wait()

    async def wait(self, seq: int) -> None:
        assert seq <= self.applied_seq

    def room_blocking(self) -> None:
        return

    def wait_blocking(self, seq: int) -> None:
        assert seq <= self.applied_seq


class Heard:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.events: list[Event] = []

    def __call__(self, envelope: Envelope, reply: Reply, events: list[Event]) -> None:
        self.envelopes.append(envelope)
        self.events += events


def manual_clock() -> Clock:
    """Make a clock that stands."""
    return Clock(MANUAL, START_MS)


def small_lanes() -> Lanes:
    """Make lanes that a test can fill."""
    return Lanes(lane_max=6, batch_max=4)
