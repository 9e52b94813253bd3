"""The process that writes history: a projector at the far end of a socket.

It does what it is told in parcels and says how far it has come. It ends when it is told to, with
everything written, or with the node, with what it had committed: the journal has the rest.
"""

import signal
import socket
from concurrent.futures import Future
from threading import Lock
from typing import Final, final

from lombard.history import parcels
from lombard.history.faults import HistoryFailed, HistoryRefused
from lombard.history.places import Place
from lombard.history.projector import Projector

RECEIVE_BYTES: Final = 1 << 18


@final
class Line:
    """The socket, as both threads of the writer speak into it."""

    def __init__(self, end: socket.socket) -> None:
        self._end: Final = end
        self._turn: Final = Lock()

    def say(self, *parcel: object) -> None:
        """Send a parcel. When nobody listens any more, the end of what is heard says so."""
        with self._turn:
            try:
                self._end.sendall(parcels.written(parcel))
            except OSError:
                return

    def say_synced(self, synced: "Future[int]") -> None:
        """Answer `SYNC`."""
        if synced.exception() is None:
            self.say(parcels.SYNCED, synced.result())


def write_history(end: socket.socket, place: Place, backlog_max: int, commit_s: float) -> None:
    """Write the history at a place as the node at the other end of the socket says."""
    # A stop is for the node to see to: it drains first, and then says so.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line = Line(end)
    pairs: list[tuple[int, int]] = []
    try:
        projector = Projector(
            place,
            pairs.__getitem__,
            lambda failure: line.say(parcels.FAILED, str(failure) or repr(failure)),
            backlog_max,
            commit_s,
            lambda seq: line.say(parcels.APPLIED, seq),
            lambda why: line.say(parcels.TROUBLE, why),
        )
    except HistoryRefused as refusal:
        line.say(parcels.REFUSED, str(refusal))
        return
    line.say(parcels.READY, projector.applied_seq)
    try:
        _follow(end, line, projector, pairs)
    except HistoryFailed:
        # It was said when it happened.
        return


def _follow(
    end: socket.socket, line: Line, projector: Projector, pairs: list[tuple[int, int]]
) -> None:
    unwrapper = parcels.Unwrapper()
    while data := end.recv(RECEIVE_BYTES):
        for word, what in unwrapper.feed(data):
            if word == parcels.WORK:
                for seq, time_ms, rows in what:
                    projector.submit(seq, time_ms, parcels.unpacked(rows))
            elif word == parcels.PAIRS:
                pairs += what
            elif word == parcels.REACH:
                projector.reaching(what)
            elif word == parcels.SYNC:
                projector.syncing().add_done_callback(line.say_synced)
            elif word == parcels.CLOSE:
                projector.close()
                return
