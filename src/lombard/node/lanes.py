"""The queue in front of the log: three bounded lanes, so that no kind of work starves another.

What the venue itself asks for (ticks, prices, liquidation), what lowers risk (cancels,
repayments), and everything else wait in lanes of their own. Full lanes refuse at once; as long as
all that waits fits into one batch, commands keep the order in which they came.
"""

from asyncio import Future
from collections import deque
from collections.abc import Iterator
from operator import attrgetter
from time import monotonic_ns
from typing import Final, final

from lombard.core.commands import (
    CancelAllOrders,
    CancelAllTriggers,
    CancelEverything,
    CancelOrder,
    CancelTrigger,
    Command,
    Repay,
    is_venue,
)
from lombard.core.state import Reply
from lombard.node.errors import Overloaded
from lombard.node.pace import Pace

BATCH_MAX: Final = 512
# At the ~20,000 commands/s of an embedded node a full lane is a wait of about 0.2 s.
LANE_MAX: Final = 4_096
RELIEF: Final = (
    CancelOrder,
    CancelAllOrders,
    CancelTrigger,
    CancelAllTriggers,
    CancelEverything,
    Repay,
)


@final
class Entry:
    """A command that waits, and who waits for its reply (a retry waits for the same one).

    `at_ms` is the exchange time it asks for; 0 is the clock's.
    """

    __slots__ = ("account", "arrival", "at_ms", "command", "command_id", "waiters")

    def __init__(
        self,
        arrival: int,
        at_ms: int,
        command_id: bytes,
        account: int,
        command: Command,
    ) -> None:
        self.arrival: Final = arrival
        self.at_ms: Final = at_ms
        self.command_id: Final = command_id
        self.account: Final = account
        self.command: Final = command
        self.waiters: Final[list[Future[Reply]]] = []

    def answer(self, reply: Reply) -> None:
        """Give everyone who still waits the reply."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(reply)

    def give_up(self, failure: Exception) -> None:
        """Tell everyone who still waits that there will be no reply."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(failure)
                waiter.exception()  # some wait for no answer, and need not hear of it


by_arrival = attrgetter("arrival")


class Lanes:
    """What waits for the log, in three lanes of at most `lane_max` commands each.

    `pace` is None where commands are taken as fast as they can be.
    """

    def __init__(
        self, lane_max: int = LANE_MAX, batch_max: int = BATCH_MAX, pace: Pace | None = None
    ) -> None:
        assert batch_max >= 4
        self._pace = pace
        self._lane_max = lane_max
        self._batch_max = batch_max
        self._venue: deque[Entry] = deque()
        self._relief: deque[Entry] = deque()
        self._trade: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._venue) + len(self._relief) + len(self._trade)

    def depths(self) -> dict[str, int]:
        """Say how many wait in each lane."""
        return {
            "venue": len(self._venue),
            "relief": len(self._relief),
            "trade": len(self._trade),
        }

    def takes_trading(self) -> bool:
        """Say whether a command that does not lower risk would be let in now."""
        if len(self._trade) >= self._lane_max:
            return False
        return self._pace is None or self._pace.has_room(monotonic_ns())

    def put(self, entry: Entry) -> None:
        """Let a command wait. Raises `Overloaded` when its lane is full, or the pace is met."""
        lane = self._trade
        if is_venue(entry.account):
            lane = self._venue
        elif isinstance(entry.command, RELIEF):
            lane = self._relief
        if len(lane) >= self._lane_max:
            raise Overloaded
        if self._pace is not None:
            if lane is not self._trade:
                self._pace.draw(monotonic_ns())
            elif not self._pace.admit(monotonic_ns()):
                raise Overloaded
        lane.append(entry)

    def take(self) -> list[Entry]:
        """Take the next batch: a share of each lane, in the order of arrival."""
        if len(self) <= self._batch_max:
            batch = [*self.drain()]
        else:
            # A share that one lane leaves unused goes to the next; trading gets what is left.
            batch = _take_from(self._venue, self._batch_max // 4)
            batch += _take_from(self._relief, self._batch_max // 2 - len(batch))
            batch += _take_from(self._trade, self._batch_max - len(batch))
        batch.sort(key=by_arrival)
        return batch

    def drain(self) -> Iterator[Entry]:
        """Take everything that waits."""
        for lane in (self._venue, self._relief, self._trade):
            yield from lane
            lane.clear()


def _take_from(lane: deque[Entry], count: int) -> list[Entry]:
    return [lane.popleft() for _ in range(min(count, len(lane)))]
