"""The sequencer: gives every command its place and time in the log, and its answer.

Commands are collected while the batch before them is made durable elsewhere, written together,
then applied one by one in the event loop's thread. What it promises: a command is applied only
after it is durable and answered only after it is applied; commands are applied in the order of the
log, whose times never go back (RULES 3.2). The first failure of the journal is final, and so is a
broken invariant: every waiting command gets `Stopped` with the reason, and no other is taken.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, Protocol, final

from lombard.core.commands import Command, Envelope
from lombard.core.state import Reply
from lombard.journal.codec import CodecError, encode
from lombard.node.clock import Clock
from lombard.node.errors import Overloaded, Stopped
from lombard.node.lanes import Entry, Lanes
from lombard.node.meter import Meter


class Log(Protocol):
    """What a sequencer needs of a journal."""

    @property
    def last_seq(self) -> int:
        """The number of the last record."""

    @property
    def last_hash(self) -> bytes:
        """The chain hash of the last record."""

    def append(self, payloads: list[bytes]) -> "asyncio.Future[bytes]":
        """Write one batch; once it is durable, the hash of its last record is given."""


@final
class Batch:
    """Commands that are written together; `written` is done when they are durable."""

    __slots__ = ("entries", "envelopes", "written")

    def __init__(
        self,
        entries: list[Entry],
        envelopes: list[Envelope],
        written: "asyncio.Future[bytes]",
    ) -> None:
        self.entries: Final = entries
        self.envelopes: Final = envelopes
        self.written: Final = written


class Sequencer:
    """Puts commands into the log, then hands each to `apply` in the order of the log.

    `apply` returns the reply of one command; `applied` is told after each batch how far the log
    is applied, and the chain hash there. While `gate` is closed no batch is begun.
    """

    def __init__(
        self,
        log: Log,
        clock: Clock,
        last_ms: int,
        apply: Callable[[Envelope], Reply],
        applied: Callable[[int, bytes], None],
        lanes: Lanes | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._apply = apply
        self._applied = applied
        self._lanes = Lanes() if lanes is None else lanes
        self.meter: Final = Meter()
        self._seq = log.last_seq
        self._last_ms = last_ms
        self._arrivals = 0
        self._pending: dict[bytes, Entry] = {}
        self._wake = asyncio.Event()
        self._draining = False
        self._in_hand: list[Entry] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: BaseException | None = None

    @property
    def accepting(self) -> bool:
        """True while commands are taken."""
        return self.failure is None and not self._draining

    @property
    def waiting(self) -> int:
        """How many commands wait for the log."""
        return len(self._lanes)

    def takes_trading(self) -> bool:
        """Say whether a command that does not lower risk would be queued now."""
        return self._lanes.takes_trading()

    def depths(self) -> dict[str, int]:
        """Say how many commands wait in each lane."""
        return self._lanes.depths()

    def submit(
        self, account: int, command: Command, command_id: bytes = b"", at_ms: int = 0
    ) -> "asyncio.Future[Reply]":
        """Queue a command; the future is its reply. Cancelling it does not take the command back.

        A command whose id is pending is not queued again: both get the one reply. `at_ms` asks for
        an exchange time, which is granted unless the log's is later. Raises `Overloaded` when the
        lane is full, `Stopped` when nothing is taken any more.
        """
        if not self.accepting:
            raise self._stopped()
        waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        pending = self._pending.get(command_id)
        if pending is not None:
            pending.waiters.append(waiter)
            return waiter

        self._arrivals += 1
        entry = Entry(self._arrivals, at_ms, command_id, account, command)
        try:
            self._lanes.put(entry)
        except Overloaded:
            self.meter.overloads += 1
            raise
        entry.waiters.append(waiter)
        if command_id:
            self._pending[command_id] = entry
        self._wake.set()
        return waiter

    async def run(self) -> None:
        """Work until drained. The first failure ends it, is kept in `failure` and raised."""
        try:
            batch = await self._gather()
            while batch is not None:
                last_hash = await batch.written
                self._check()
                # The next batch is on its way to the disk while this one is applied.
                durable, batch = batch, self._begin()
                self._answer(durable, last_hash)
                batch = batch or await self._gather()
        except BaseException as failure:
            self.fail(failure)
            raise

    def drain(self) -> None:
        """Take no more commands; `run` returns when those that wait are answered."""
        self._draining = True
        self._wake.set()

    def fail(self, failure: BaseException) -> None:
        """Stop at once: whoever waits is told, nothing more is answered, and `run` raises it."""
        if self.failure is not None:
            return
        self.failure = failure
        stopped = self._stopped()
        for entry in [*self._in_hand, *self._lanes.drain()]:
            entry.give_up(stopped)
        self._pending.clear()
        self._wake.set()
        self.gate.set()

    async def _gather(self) -> Batch | None:
        """Wait for something to write. None when there will never be anything again."""
        while True:
            await self.gate.wait()
            self._check()
            batch = self._begin()
            if batch is not None or (self._draining and not len(self._lanes)):
                return batch
            self._wake.clear()
            await self._wake.wait()

    def _begin(self) -> Batch | None:
        """Begin to write what waits. None when nothing does, or when the gate is closed."""
        while len(self._lanes) and self.gate.is_set():
            entries: list[Entry] = []
            envelopes: list[Envelope] = []
            payloads: list[bytes] = []
            now_ms = self._clock.now_ms()
            for entry in self._lanes.take():
                envelope = self._stamp(entry, now_ms)
                try:
                    payload = encode(envelope)
                except CodecError as fault:
                    # Its place goes to the next: a command that cannot be written never was.
                    self._pending.pop(entry.command_id, None)
                    entry.give_up(fault)
                    continue
                self._seq, self._last_ms = envelope.seq, envelope.time_ms
                entries.append(entry)
                envelopes.append(envelope)
                payloads.append(payload)
            if payloads:
                self._in_hand += entries
                return Batch(entries, envelopes, self._written(payloads))
        return None

    def _written(self, payloads: list[bytes]) -> "asyncio.Future[bytes]":
        began_ns = perf_counter_ns()
        written = self._log.append(payloads)
        written.add_done_callback(lambda _: self.meter.wrote(perf_counter_ns() - began_ns))
        return written

    def _stamp(self, entry: Entry, now_ms: int) -> Envelope:
        time_ms = max(self._last_ms, entry.at_ms or now_ms)
        return Envelope(self._seq + 1, time_ms, entry.command_id, entry.account, entry.command)

    def _answer(self, batch: Batch, last_hash: bytes) -> None:
        self.meter.batches.add(len(batch.entries))
        for entry, envelope in zip(batch.entries, batch.envelopes, strict=True):
            reply = self._apply(envelope)
            self._pending.pop(entry.command_id, None)
            entry.answer(reply)
        self._in_hand = self._in_hand[len(batch.entries) :]
        self._applied(batch.envelopes[-1].seq, last_hash)

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _stopped(self) -> Stopped:
        if self.failure is None:
            return Stopped("The node is shutting down.")
        return Stopped(f"The node has stopped: {str(self.failure) or repr(self.failure)}")
