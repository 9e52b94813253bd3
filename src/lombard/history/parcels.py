"""Parcels: what the node and the process that writes its history say to each other.

Events travel as the arguments they are made from. Each parcel begins with one of the words below.
"""

import inspect
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, get_args

from lombard.core.events import Event

# To the writer.
WORK: Final = "work"  # what commands did, each `(seq, time_ms, events)`, packed
PAIRS: Final = "pairs"  # base and quote coin of pairs it has not been told of
REACH: Final = "reach"  # somebody waits for this command
SYNC: Final = "sync"  # bring all of it through a power cut
CLOSE: Final = "close"  # write what is waiting, and end
# From the writer.
READY: Final = "ready"  # the last command in the file
APPLIED: Final = "applied"  # everything up to this command can be read
SYNCED: Final = "synced"  # the answer to SYNC: everything up to this command
REFUSED: Final = "refused"  # the sentence of a file that cannot be continued
FAILED: Final = "failed"  # what made it stop

Rows = list[tuple[int, tuple[Any, ...]]]
Packed = tuple[int, int, Rows]

_EVENTS: Final[tuple[type, ...]] = get_args(Event)


def _arguments_of(event: type) -> Callable[[Any], tuple[Any, ...]]:
    names = tuple(inspect.signature(event).parameters)
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    # It gives one attribute bare, several in a tuple.
    return get if len(names) > 1 else lambda one: (get(one),)


_PACKERS: Final = {event: (code, _arguments_of(event)) for code, event in enumerate(_EVENTS)}


def packed(seq: int, time_ms: int, events: Sequence[Event]) -> Packed:
    """Pack what a command did."""
    rows: Rows = []
    for event in events:
        code, arguments = _PACKERS[type(event)]
        rows.append((code, arguments(event)))
    return seq, time_ms, rows


def unpacked(rows: Rows) -> list[Event]:
    """Make the events of a command again."""
    return [_EVENTS[code](*arguments) for code, arguments in rows]
