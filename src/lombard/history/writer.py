"""The process that writes history: a projector at the far end of a socket.

It does what it is told in parcels and says how far it has come. It ends when it is told to, with
everything written, or with the node, with what it had committed: the journal has the rest.
"""

import os
import sys
from concurrent.futures import Future

from lombard.child import ChildsEnd
from lombard.history import parcels
from lombard.history.faults import HistoryFailed, HistoryRefused
from lombard.history.places import Place
from lombard.history.projector import Projector


def write_history(end: ChildsEnd, place: Place, backlog_max: int, commit_s: float) -> None:
    """Write the history at a place as the node at the other end of the line says."""
    pairs: list[tuple[int, int]] = []
    if sys.platform == "linux":
        # Nobody waits for it as a rule: its work need not take the turn of the thread that answers.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        projector = Projector(
            place,
            pairs.__getitem__,
            lambda failure: end.say(parcels.FAILED, str(failure) or repr(failure)),
            backlog_max,
            commit_s,
            lambda seq: end.say(parcels.APPLIED, seq),
            lambda why: end.say(parcels.TROUBLE, why),
        )
    except HistoryRefused as refusal:
        end.say(parcels.REFUSED, str(refusal))
        return
    end.say(parcels.READY, projector.applied_seq)
    try:
        _follow(end, projector, pairs)
    except HistoryFailed:
        # It was said when it happened.
        return


def _follow(end: ChildsEnd, projector: Projector, pairs: list[tuple[int, int]]) -> None:
    def say_synced(synced: "Future[int]") -> None:
        if synced.exception() is None:
            end.say(parcels.SYNCED, synced.result())

    for word, what in end.hear():
        if word == parcels.WORK:
            for seq, time_ms, rows in what:
                projector.submit(seq, time_ms, parcels.unpacked(rows))
        elif word == parcels.PAIRS:
            pairs += what
        elif word == parcels.REACH:
            projector.reaching(what)
        elif word == parcels.SYNC:
            projector.syncing().add_done_callback(say_synced)
        elif word == parcels.CLOSE:
            projector.close()
            return
