"""Parcels: what the node and the process that writes its history hand each other.

Both ends are one program, forked, and nothing of this is ever stored; so events travel as the
arguments they are made from, in Python's own `marshal`, which keeps integers of any size and tells
tuples from lists. A parcel is a tuple that begins with one of the words below.
"""

import inspect
import marshal
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from struct import Struct
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
TROUBLE: Final = "trouble"  # why the database cannot be reached; "" when it can be again
FAILED: Final = "failed"  # what made it stop

Parcel = tuple[Any, ...]
Rows = list[tuple[int, tuple[Any, ...]]]
Packed = tuple[int, int, Rows]

_LENGTH: Final = Struct("<I")
# Later versions look for objects that come twice, which costs more than it saves.
_MARSHAL: Final = 2
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


def written(parcel: Parcel) -> bytes:
    """Write a parcel for a stream."""
    data = marshal.dumps(parcel, _MARSHAL)
    return _LENGTH.pack(len(data)) + data


class Unwrapper:
    """Takes parcels out of a stream, however it is cut."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Parcel]:
        """Take in what was received; gives the parcels that are whole by now."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                break
            parcel = marshal.loads(self._data[_LENGTH.size : end])
            del self._data[:end]
            yield parcel
