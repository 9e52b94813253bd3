"""What a node counts of itself: plain numbers, raised as it works and read when somebody asks.

Nothing here knows who reads it. A count is an addition to a dictionary, a histogram an addition to
a list: a command costs a fraction of a microsecond more, a batch another.
"""

from bisect import bisect_left
from typing import Final, final

from lombard.core.commands import Command
from lombard.core.events import (
    Event,
    FundPaid,
    FundTook,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationStepped,
    LossBooked,
    MarginCalled,
)
from lombard.core.refusals import Refusal

BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
WRITE_NS: Final = tuple(int(ms * 1e6) for ms in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 1000))
# The events of liquidations, which are counted by their kind.
LIQUIDATION_EVENTS: Final = frozenset(
    {
        MarginCalled,
        LiquidationStarted,
        LiquidationStepped,
        LiquidationFinished,
        FundPaid,
        FundTook,
        LossBooked,
    }
)


@final
class Histogram:
    """How often a value was at most each bound; the last count is of those above them all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds: Final = bounds
        self.counts: Final = [0] * (len(bounds) + 1)
        self.total = 0

    def add(self, value: int) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@final
class Meter:
    """The counts of one node, since it began."""

    __slots__ = ("batches", "commands", "liquidations", "overloads", "writes")

    def __init__(self) -> None:
        self.commands: Final[dict[tuple[type, Refusal | None], int]] = {}
        self.liquidations: Final[dict[type, int]] = dict.fromkeys(
            sorted(LIQUIDATION_EVENTS, key=lambda kind: kind.__name__), 0
        )
        self.batches: Final = Histogram(BATCH_SIZES)
        self.writes: Final = Histogram(WRITE_NS)
        self.overloads = 0

    def wrote(self, elapsed_ns: int) -> None:
        """Count a batch that has become durable, or failed to."""
        self.writes.add(elapsed_ns)

    def applied(self, command: Command, refusal: Refusal | None, events: list[Event]) -> None:
        """Count a command and what came of it."""
        key = (type(command), refusal)
        self.commands[key] = self.commands.get(key, 0) + 1
        for event in events:
            if type(event) in LIQUIDATION_EVENTS:
                self.liquidations[type(event)] += 1
