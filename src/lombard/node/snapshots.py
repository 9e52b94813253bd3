"""Taking snapshots without stopping the trading.

A forked child has the state as it was at one moment, for as long as it needs; it writes the file
and ends, and the parent only waits for it. The child touches nothing but that state and that file:
it lets go of every descriptor first, so neither the directory's lock nor a listening socket
outlives the node in it, and (on Linux) it ends with its node.
"""

import asyncio
import ctypes
import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from lombard.core.engine import Engine
from lombard.journal.snapshots import Head, SnapshotStore
from lombard.node.node import Node

EVERY_COMMANDS: Final = 200_000
EVERY_S: Final = 600
LOOK_S: Final = 1.0
_SET_PARENT_DEATH_SIGNAL: Final = 1
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
            child = fork_writer(self._store, self._node.engine, chain_hash)
            loop = asyncio.get_running_loop()
            _, status = await loop.run_in_executor(None, os.waitpid, child, 0)
            if status:
                _LOG.error("snapshot failed", seq=seq, status=os.waitstatus_to_exitcode(status))
                return
            self.last_seq = seq
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


def fork_writer(store: SnapshotStore, engine: Engine, chain_hash: bytes) -> int:
    """Fork a child that writes a snapshot of the state as it is now; return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Other threads may hold locks that the child will never see released; it takes none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        _write(store, engine, chain_hash)
        status = 0
    except BaseException as fault:
        os.write(2, f"The snapshot could not be written: {fault!r}\n".encode())
    finally:
        os._exit(status)
