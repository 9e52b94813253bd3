"""What a request is handled with: the house around the gateway, and the call at hand."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, final

from lombard.api.errors import Fault, Scene, fault_of, refused
from lombard.api.ports import Node, Reply, State
from lombard.api.ratelimit import RateLimits
from lombard.api.replays import SEEN_MAX, Replays
from lombard.api.signing import entry_id
from lombard.api.visit import NOBODY, Rules, Visit
from lombard.core.commands import Command
from lombard.core.refusals import Refusal
from lombard.history.reader import Reader
from lombard.identity import Directory, Permission

READERS: Final = 4
NO_PERMISSIONS: Final = Permission(0)
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

# Words the limit that a refusal brings in units, ticks or steps, whichever it is of.
Explain = Callable[[Refusal, int], str]


@final
class Context:
    """The house around the gateway.

    `clock_ms` is the machine's clock. `history_caught_up` waits until everything applied before it
    was called can be read. `limits` is None where calls are not counted. `rules` are those of
    browsers; `replays` knows the signed requests of the last minute. `history_trouble` says why
    the database of history cannot be reached, or "".
    """

    __slots__ = (
        "clock_ms",
        "directory",
        "figures",
        "history_caught_up",
        "history_trouble",
        "limits",
        "node",
        "reader",
        "readers",
        "replays",
        "rules",
    )

    def __init__(
        self,
        node: Node,
        reader: Reader,
        history_caught_up: Callable[[], Awaitable[None]],
        directory: Directory,
        clock_ms: Callable[[], int],
        limits: RateLimits | None = None,
        rules: Rules | None = None,
        history_trouble: Callable[[], str] = lambda: "",
    ) -> None:
        self.node: Final = node
        self.reader: Final = reader
        self.readers: Final = ThreadPoolExecutor(READERS, "reader")
        self.history_caught_up: Final = history_caught_up
        self.directory: Final = directory
        self.clock_ms: Final = clock_ms
        self.limits: Final = limits
        self.rules: Final = rules or Rules()
        self.replays: Final = Replays(clock_ms, SEEN_MAX if limits is None else limits.signed_max)
        self.history_trouble: Final = history_trouble
        # Statistics that are expensive to ask for, with the minute they are of.
        self.figures: Final[dict[tuple[int, str], tuple[int, list[Any]]]] = {}

    def close(self) -> None:
        """Let the threads go that read history."""
        self.readers.shutdown()


@final
class Call:
    """One request on its way to its handler: who asks, and what its command is called.

    `user` is 0 for a public endpoint; `command_id` is empty where nothing is submitted. `visit`
    says where from, and with which session; `permissions` are those of the key or the session.
    """

    __slots__ = (
        "command_id",
        "context",
        "has_parts",
        "permissions",
        "scene",
        "user",
        "visit",
    )

    def __init__(
        self,
        context: Context,
        scene: Scene,
        user: int,
        command_id: bytes,
        visit: Visit = NOBODY,
        permissions: Permission = NO_PERMISSIONS,
    ) -> None:
        self.context: Final = context
        self.scene: Final = scene
        self.user: Final = user
        self.command_id: Final = command_id
        self.visit: Final = visit
        # Set when the answer is of several commands, each refused or not by itself.
        self.has_parts = False
        self.permissions: Final = permissions

    @property
    def state(self) -> State:
        """The live state; never kept across an await."""
        return self.context.node.state

    async def past(
        self, read: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Answer:
        """Read history, in a thread, when it has everything that was applied by now."""
        await self.context.history_caught_up()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.context.readers, partial(read, *args, **kwargs))

    async def submit(self, account: int, command: Command, explain: Explain) -> Reply:
        """Submit a command and return what became of it; a refusal raises its `Fault`."""
        reply = await self.context.node.submit(account, command, self.command_id)
        if reply.refusal is not None:
            raise self.fault(reply.refusal, reply.detail, explain(reply.refusal, reply.units))
        return reply

    async def submit_all(
        self, account: int, entries: Sequence[tuple[Command, Explain] | Fault]
    ) -> list[Reply | Fault]:
        """Submit the entries of a batch in their order; each has an outcome of its own.

        An entry that is a `Fault` already stays one. The others wait for the log together.
        """
        self.has_parts = True
        waiting: list[Awaitable[Reply]] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Fault):
                command_id = entry_id(self.command_id, index)
                reply = self.context.node.submit(account, entry[0], command_id)
                # A task begins in the order of its making, so the order of the log is theirs.
                waiting.append(asyncio.ensure_future(reply))
        replies = iter(await asyncio.gather(*waiting, return_exceptions=True))
        return [
            entry if isinstance(entry, Fault) else self._outcome(next(replies), entry[1])
            for entry in entries
        ]

    def note_failure(self) -> None:
        """Count a wrong password against the address it came from."""
        if self.context.limits is not None:
            self.context.limits.note_failure(self.visit.address, time.monotonic_ns())

    def fault(self, refusal: Refusal, detail: str = "", limit: str = "") -> Fault:
        """Word a refusal as this part of the wire does."""
        return refused(self.scene, refusal, detail, limit)

    def _outcome(self, reply: Reply | BaseException, explain: Explain) -> Reply | Fault:
        if isinstance(reply, BaseException):
            fault = fault_of(reply)
            if fault is None:
                raise reply
            return fault
        if reply.refusal is None:
            return reply
        return self.fault(reply.refusal, reply.detail, explain(reply.refusal, reply.units))
