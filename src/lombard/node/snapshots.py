"""Taking snapshots without stopping the trading: a forked child writes the file."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from lombard.core.engine import Engine
from lombard.journal.snapshots import Head, SnapshotStore
from lombard.node.children import in_child
from lombard.node.node import Node

EVERY_COMMANDS: Final = 200_000
EVERY_S: Final = 600
LOOK_S: Final = 1.0
_LOG: Final = structlog.get_logger("lombard.node")


class Snapshotter:
    """Takes snapshots of a node: from time to time, after many commands, and when asked.

    `sync` makes durable beside a snapshot what is only synced now and then: witness and history.
    """

    def __init__(
        self,
        node: Node,
        store: SnapshotStore,
        sync: Callable[[], Awaitable[None]],
        every_commands: int = EVERY_COMMANDS,
        every_s: float = EVERY_S,
    ) -> None:
        self._node = node
        self._store = store
        self._sync = sync
        self._every_commands = every_commands
        self._every_s = every_s
        self._turn = asyncio.Lock()
        self._taken_at = time.monotonic()
        self.last_seq = max([*store.seqs(), 0])
        self.taken = self.failed = 0

    async def run(self) -> None:
        """Take snapshots when they are due, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            grown = self._node.applied_seq - self.last_seq
            late = time.monotonic() - self._taken_at >= self._every_s
            if grown >= self._every_commands or (late and grown):
                await self.take()

    async def take(self) -> None:
        """Take a snapshot in a child; one that fails is told of, and the next is taken later."""
        async with self._turn:
            self._taken_at = time.monotonic()
            seq, chain_hash = self._node.applied_seq, self._node.applied_hash
            store, engine = self._store, self._node.engine
            status = await in_child(lambda: _write(store, engine, chain_hash))
            if status:
                self.failed += 1
                _LOG.error("snapshot failed", seq=seq, status=status)
                return
            self.last_seq = seq
            self.taken += 1
            await self._sync()
            _LOG.info("snapshot taken", seq=seq, seconds=time.monotonic() - self._taken_at)

    async def take_last(self) -> None:
        """Take a snapshot in this process, after the node was drained, if anything has changed."""
        async with self._turn:
            if self._node.applied_seq == self.last_seq:
                return
            try:
                _write(self._store, self._node.engine, self._node.applied_hash)
            except OSError as fault:
                # The log has everything: the next start only takes longer.
                _LOG.error("snapshot failed", seq=self._node.applied_seq, why=str(fault))
                return
            self.last_seq = self._node.applied_seq


def _write(store: SnapshotStore, engine: Engine, chain_hash: bytes) -> None:
    state = engine.state
    head = Head(state.seq, state.time_ms, chain_hash, engine.state_hash())
    store.write(head, engine.snapshot_lines())
