"""Which ids belong to which time: the first id of each minute, by which pages find their ends."""

from collections.abc import Sequence
from typing import Final, final

from lombard.core.events import Event
from lombard.history.new_ids import new_id_of
from lombard.history.schema import COUNTER_ENGINE, MINUTE_MS

Cell = int | str


@final
class IdLog:
    """The first ids of the minutes of a batch."""

    def __init__(self) -> None:
        self._first_ids: Final[dict[tuple[int, int], int]] = {}
        # The next moment at which a minute's first id of the engine's is still to be noted.
        self._unnoted_ms = 0

    def note_new(self, time_ms: int, events: Sequence[Event], begun: int) -> None:
        """Note the first id that the events from `begun` on gave away, unless there is one."""
        if time_ms >= self._unnoted_ms:
            new_ids = [new_id for event in events[begun:] if (new_id := new_id_of(event))]
            if new_ids:
                self._unnoted_ms = self.note(COUNTER_ENGINE, time_ms, min(new_ids))

    def note(self, counter: int, time_ms: int, first_id: int) -> int:
        """Note an id of a minute; give the moment at which the next minute begins."""
        minute_ms = time_ms - time_ms % MINUTE_MS
        noted = self._first_ids.get((counter, minute_ms), first_id)
        self._first_ids[counter, minute_ms] = min(noted, first_id)
        return minute_ms + MINUTE_MS

    def take(self, cells: list[Cell]) -> None:
        """Hand over the rows, flat, and begin the next batch."""
        for (counter, minute_ms), first_id in self._first_ids.items():
            cells += (counter, minute_ms, first_id)
        self._first_ids.clear()
