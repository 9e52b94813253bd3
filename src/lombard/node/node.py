"""The node: one engine, fed by one log.

It submits commands for the gateway and for itself (ticks, liquidation), hands what happened to
history and to whoever else listens, lets snapshots be taken, and ends in one of two ways: drained,
with everything answered and on the disk, or failed, with the reason.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from lombard.core.commands import VENUE, Command, ContinueLiquidation, Envelope, FireTriggers
from lombard.core.engine import Engine
from lombard.core.events import Event
from lombard.core.state import Reply, State
from lombard.node.clock import Clock
from lombard.node.errors import Overloaded, Stopped
from lombard.node.lanes import Lanes
from lombard.node.meter import Meter
from lombard.node.sequencer import Log, Sequencer
from lombard.node.timekeeper import Timekeeper

# Steps of liquidation between two batches of users' commands (RULES 8.3): a few milliseconds.
LIQUIDATION_STEPS: Final = 64

Listener = Callable[[Envelope, Reply, list[Event]], None]
_LOG: Final = structlog.get_logger("lombard.node")


class History(Protocol):
    """What a node needs of history, which commits behind it."""

    def submit(self, seq: int, time_ms: int, events: list[Event]) -> bool:
        """Take what a command did; False asks to slow down."""

    async def room(self) -> None:
        """Wait until there is room again."""

    async def wait(self, seq: int) -> None:
        """Wait until a command's rows can be read."""


class Node:
    """A venue that runs. All of it is called in the event loop's thread."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        clock: Clock,
        history: History,
        lanes: Lanes | None = None,
    ) -> None:
        self.engine: Final = engine
        self.clock: Final = clock
        self._sequencer = Sequencer(
            log, clock, engine.time_ms, self._apply, self._batch_applied, lanes
        )
        self.timekeeper: Final = Timekeeper(
            clock, self._submit_at, self.settled, self._unsettled, engine.time_ms
        )
        self._history = history
        self._listeners: list[Listener] = []
        self._making_room: asyncio.Task[None] | None = None
        self._continuing: asyncio.Future[Reply] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.applied_seq = log.last_seq
        self.applied_hash = log.last_hash

    @property
    def state(self) -> State:
        """The live state, for `core.queries`; never kept across an await."""
        return self.engine.state

    @property
    def ready(self) -> bool:
        """True while commands are taken."""
        return bool(self._tasks) and self._sequencer.accepting

    @property
    def failure(self) -> BaseException | None:
        """Why the node has stopped; None while it has not, or was drained."""
        return self._sequencer.failure

    @property
    def waiting(self) -> int:
        """How many commands wait for the log."""
        return self._sequencer.waiting

    @property
    def meter(self) -> Meter:
        """What the node has counted of itself."""
        return self._sequencer.meter

    def takes_trading(self) -> bool:
        """Say whether a command that does not lower risk would be queued now."""
        return self._sequencer.takes_trading()

    def depths(self) -> dict[str, int]:
        """Say how many commands wait in each lane."""
        return self._sequencer.depths()

    def exchange_time_ms(self) -> int:
        """Say what time it is at the exchange."""
        return max(self.clock.now_ms(), self.engine.time_ms)

    def listen(self, listener: Listener) -> None:
        """Call a listener with every command applied from now on, in order.

        It must not wait; what it raises stops the node.
        """
        self._listeners.append(listener)

    async def submit(self, account: int, command: Command, command_id: bytes = b"") -> Reply:
        """Return the reply once the command is durable and applied.

        Raises `Overloaded` at once when the queue is full, `Stopped` when none are taken. A caller
        that is cancelled does not take the command back.
        """
        return await self._sequencer.submit(account, command, command_id)

    async def history_caught_up(self) -> None:
        """Wait until history has committed everything applied before this call."""
        await self._history.wait(self.engine.state.seq)

    async def settled(self) -> None:
        """Wait until no trigger is due and no liquidation can go on (RULES 8.3, 10)."""
        while self._continuing is not None and self._sequencer.failure is None:
            await asyncio.wait([self._continuing])

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(self._sequencer.run(), name="sequencer"),
            asyncio.create_task(self.timekeeper.run(), name="timekeeper"),
        ]
        self._continue()

    async def stopped(self) -> None:
        """Wait until the node has failed, and raise why. Returns when it was drained."""
        _, timekeeper = self._tasks
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        if timekeeper.done() and not timekeeper.cancelled() and self._sequencer.accepting:
            self.fail(timekeeper.exception() or AssertionError("Invariant: time has ended"))
        timekeeper.cancel()
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            # What stopped one may have stopped the other; the first reason is the one to tell.
            _ = task.cancelled() or task.exception()
        if self.failure is not None:
            raise self.failure

    async def drain(self) -> None:
        """Take no more commands, answer those that wait, and stop; raises what made it fail."""
        self._tasks[1].cancel()
        self._sequencer.drain()
        await self.stopped()

    def fail(self, failure: BaseException) -> None:
        """Stop at once, for a reason found outside; whoever waits is told."""
        self._sequencer.fail(failure)

    def _submit_at(self, account: int, command: Command, at_ms: int) -> "asyncio.Future[Reply]":
        return self._sequencer.submit(account, command, at_ms=at_ms)

    def _unsettled(self) -> bool:
        return bool(self.engine.state.liquidations)

    def _apply(self, envelope: Envelope) -> Reply:
        reply, events = self.engine.apply(envelope)
        self._sequencer.meter.applied(envelope.command, reply.refusal, events)
        if not self._history.submit(envelope.seq, self.engine.time_ms, events):
            self._hold_back()
        for listener in self._listeners:
            listener(envelope, reply, events)
        return reply

    def _hold_back(self) -> None:
        """Begin no batch before history has made room: behind by a little, never by much."""
        if self._sequencer.gate.is_set():
            self._sequencer.gate.clear()
            self._making_room = asyncio.create_task(self._wait_for_room(), name="history")

    async def _wait_for_room(self) -> None:
        try:
            await self._history.room()
            self._sequencer.gate.set()
        except Exception as failure:
            self.fail(failure)

    def _batch_applied(self, last_seq: int, last_hash: bytes) -> None:
        self.applied_seq, self.applied_hash = last_seq, last_hash
        if self._continuing is None or self._continuing.done():
            self._continue()

    def _continue(self) -> None:
        """Ask for what is left to do, triggers first, if there is any, one request at a time."""
        self._continuing = None
        command: Command
        if self.engine.triggers_due():
            command = FireTriggers()
        elif self.engine.liquidation_due():
            command = ContinueLiquidation(LIQUIDATION_STEPS)
        else:
            return
        try:
            self._continuing = self._sequencer.submit(VENUE, command)
        except (Overloaded, Stopped) as refusal:
            # After the next batch, or the next start, it is asked for again.
            _LOG.info("put off", command=type(command).__name__, why=repr(refusal))
