"""The order book as it is told: in full once and by its changes then, or its best levels each time.

What is told is found by comparing the book with what was told last: nothing is noted on the way of
an order but that the book has changed.
"""

import zlib
from collections.abc import Sequence
from typing import Final, final

from lombard.api.context import Context
from lombard.api.market import level_texts
from lombard.api.socket.topic import SNAPSHOT, UPDATE, Topic
from lombard.api.socket.words import push
from lombard.core import queries
from lombard.core.commands import Envelope
from lombard.core.events import Event
from lombard.core.queries import Pair

# The best levels of each side that `books` tells of; what is further away does not exist for it.
BOOK_LEVELS: Final = 500
CHECKSUM_LEVELS: Final = 25

# Price and size as they are sent, best first.
Levels = Sequence[tuple[str, str]]
# Steps by price in ticks.
Side = dict[int, int]


def checksum(bids: Levels, asks: Levels) -> int:
    """Sum up the best 25 levels of each side: CRC-32, as a signed number (reference §6.4)."""
    parts: list[str] = []
    for place in range(CHECKSUM_LEVELS):
        for side in (bids, asks):
            if place < len(side):
                parts += side[place]
    crc = zlib.crc32(":".join(parts).encode())
    return crc - (1 << 32) if crc >> 31 else crc


class _Book(Topic):
    """What all books have in common."""

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair) -> None:
        super().__init__(context, arg)
        self._pair = pair

    def hear(self, envelope: Envelope, event: Event) -> None:
        self.wake()

    def _data(self, asks: Levels, bids: Levels, sum_of_best: int) -> list[dict[str, object]]:
        return [
            {
                "asks": asks,
                "bids": bids,
                "checksum": sum_of_best,
                "seq": self.state.seq,
                "ts": str(self.now_ms()),
            }
        ]

    def _texts(self, levels: list[tuple[int, int]]) -> Levels:
        return level_texts(self._pair, levels)


@final
class FullBook(_Book):
    """`books`: the book, then its changes; a level with size `0` is gone."""

    interval_s = 0.2

    def __init__(self, context: Context, arg: dict[str, str], pair: Pair) -> None:
        super().__init__(context, arg, pair)
        self._told_bids: Side | None = None
        self._told_asks: Side = {}

    def snapshot(self) -> bytes:
        bids, asks = queries.depth(self.state, self._pair.id, BOOK_LEVELS)
        self._told_bids, self._told_asks = dict(bids), dict(asks)
        shown_bids, shown_asks = self._texts(bids), self._texts(asks)
        data = self._data(shown_asks, shown_bids, checksum(shown_bids, shown_asks))
        return push(SNAPSHOT, self.arg, data, self.now_ms())

    def changes(self) -> bytes | None:
        if self._told_bids is None:
            return None
        bids, asks = queries.depth(self.state, self._pair.id, BOOK_LEVELS)
        changed_bids = changed_levels(self._told_bids, bids)
        changed_asks = changed_levels(self._told_asks, asks)
        if not changed_bids and not changed_asks:
            return None
        self._told_bids, self._told_asks = dict(bids), dict(asks)
        best = checksum(self._texts(bids[:CHECKSUM_LEVELS]), self._texts(asks[:CHECKSUM_LEVELS]))
        data = self._data(self._texts(changed_asks), self._texts(changed_bids), best)
        return push(UPDATE, self.arg, data, self.now_ms())


@final
class TopOfBook(_Book):
    """`books1`, `books5`, `books15`: the best levels, whole, whenever they have changed."""

    interval_s = 0.2

    def __init__(
        self, context: Context, arg: dict[str, str], pair: Pair, levels: int, interval_s: float
    ) -> None:
        super().__init__(context, arg, pair)
        self.interval_s = interval_s
        self._levels = levels
        self._told: object = None

    def snapshot(self) -> bytes:
        self._told = best = queries.depth(self.state, self._pair.id, self._levels)
        bids, asks = self._texts(best[0]), self._texts(best[1])
        return push(SNAPSHOT, self.arg, self._data(asks, bids, checksum(bids, asks)), self.now_ms())

    def changes(self) -> bytes | None:
        if queries.depth(self.state, self._pair.id, self._levels) == self._told:
            return None
        return self.snapshot()


def changed_levels(told: Side, levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """List the levels that are not as they were told, best first; those that are gone have 0."""
    changed = [(price, steps) for price, steps in levels if told.get(price) != steps]
    there = {price for price, _ in levels}
    return changed + [(price, 0) for price in told if price not in there]
