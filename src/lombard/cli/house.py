"""The house: everything one process of Lombard holds, opened in order and closed in the reverse.

A data directory, the log in it, the engine that stands where the log ends, history, identities;
then the node on top, and what watches over it. Whatever cannot be opened is said in a sentence,
with everything before it closed again.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import structlog

from lombard.cli.histories import place_of
from lombard.core import queries
from lombard.core.engine import Engine
from lombard.history.faults import HistoryFailed, HistoryUnavailable
from lombard.history.process import HistoryProcess
from lombard.history.reader import Reader
from lombard.identity import open_directory
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths
from lombard.journal.port import JournalError
from lombard.journal.process import JournalProcess
from lombard.node.audit import Auditor
from lombard.node.clock import Clock
from lombard.node.lanes import Lanes
from lombard.node.node import Node
from lombard.node.pace import Pace
from lombard.node.recovery import Progress, start_from
from lombard.node.snapshots import Snapshotter

if TYPE_CHECKING:
    from lombard.cli.notary import Notary

_LOG: Final = structlog.get_logger("lombard")


@final
class House:
    """A recovered data directory, and the node that runs on it once `begin` was called."""

    def __init__(
        self,
        directory: Path,
        warn: Callable[[str], None],
        progress: Progress,
        found: Callable[[], object] = lambda: None,
        history_url: str = "",
    ) -> None:
        """Open and recover a directory; `found` is called first, when it is held.

        History is in the directory, or in the database of `history_url`.
        """
        self.directory: Final = directory
        self._node: Node | None = None
        self._snapshots: Snapshotter | None = None
        # Who keeps the audit log on record, where somebody does.
        self.notary: Notary | None = None
        self._watching: list[asyncio.Task[None]] = []
        self._open = ExitStack()
        try:
            lock = hold_directory(directory)
            self._open.callback(lock.release)
            found()
            self.engine: Final = Engine()
            place = place_of(directory, history_url)
            self.history: Final = HistoryProcess(
                place, self._pairs_from, self._history_failed, on_trouble=_tell_trouble
            )
            self._open.callback(self.history.close)
            self.log: Final = JournalProcess(directory, lock, self._stop)
            self._open.callback(self.log.close)
            self.started: Final = start_from(directory, self.engine, self.history, warn, progress)
            # Read here, written there.
            read = self.started.journal
            read.close()
            self.log.open(read.last_seq, read.last_hash)
            self.reader: Final = Reader(place)
            self._open.callback(self.reader.close)
            self.identity: Final = open_directory(directory)
            self._open.callback(self.identity.close)
        except BaseException:
            self._open.close()
            raise

    @property
    def node(self) -> Node:
        """The node; there is one after `begin`."""
        assert self._node is not None
        return self._node

    @property
    def is_begun(self) -> bool:
        """True once there is a node."""
        return self._node is not None

    def begin(
        self, clock: Clock, every_commands: int, every_s: float, commands_per_second: int = 0
    ) -> Node:
        """Let the node run on a clock, with snapshots and audits from time to time.

        `commands_per_second` pins how many commands it takes; 0 is as many as it can.
        """
        lanes = Lanes(pace=Pace(commands_per_second) if commands_per_second else None)
        node = self._node = Node(self.engine, self.log, clock, self.history, lanes)
        store = Paths(self.directory).snapshots
        self._snapshots = Snapshotter(node, store, self._sync, every_commands, every_s)
        node.start()
        self._watching = [
            asyncio.create_task(self._snapshots.run(), name="snapshots"),
            asyncio.create_task(Auditor(node).run(), name="audit"),
        ]
        for task in self._watching:
            task.add_done_callback(self._watch_ended)
        return node

    def snapshot_counts(self) -> tuple[int, int, int]:
        """Say how many snapshots were taken and failed, and up to which command the last goes."""
        assert self._snapshots is not None
        return self._snapshots.taken, self._snapshots.failed, self._snapshots.last_seq

    async def drain(self) -> None:
        """Let the node answer what waits, and take no more. Draining twice is fine."""
        if self.node.failure is None:
            await self.node.drain()

    async def close(self) -> None:
        """Answer what waits, take a last snapshot, and let everything go."""
        try:
            for task in self._watching:
                task.cancel()
            if self._snapshots is not None and self.node.failure is None:
                await self.drain()
                await self._snapshots.take_last()
                # What is missing in a lost database is made up for by the next start.
                with suppress(HistoryUnavailable):
                    await self.history.sync()
        finally:
            failed = self._node is not None and self._node.failure is not None
            with suppress(JournalError) if failed else nullcontext():
                self._open.close()

    def _pairs_from(self, first: int) -> list[tuple[int, int]]:
        known = queries.pairs(self.engine.state)
        return [(pair.base.id, pair.quote.id) for pair in known[first:]]

    def _history_failed(self, failure: BaseException) -> None:
        reason = HistoryFailed(f"History has stopped: {str(failure) or repr(failure)}")
        reason.__cause__ = failure
        self._stop(reason)

    def _stop(self, failure: BaseException) -> None:
        """Stop the node."""
        if self._node is not None:
            self._node.fail(failure)

    def _watch_ended(self, task: "asyncio.Task[None]") -> None:
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._stop(failure)

    async def _sync(self) -> None:
        """Make durable what is only synced now and then."""
        while True:
            await self.history.calm()
            with suppress(HistoryUnavailable):
                await self.history.sync()
                break
        await self.log.sync_witness()


def _tell_trouble(why: str) -> None:
    """Log that the database of history is lost, or back."""
    if why:
        _LOG.warning("history unreachable: it is written when the database is back", why=why)
    else:
        _LOG.warning("history reachable again")
