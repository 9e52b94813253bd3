"""Shrinking: of the commands that broke a law, the few that still break it (delta debugging)."""

from collections.abc import Callable

from lombard.core.commands import Envelope
from lombard.sim.run import Failure, law_of, replay

# Histories that are tried at most; each is run from its beginning.
TRIALS_MAX = 400


def shrink(failure: Failure, trials: int = TRIALS_MAX) -> Failure:
    """Leave out commands as long as the same law is broken, parts of all sizes, large ones first.

    Ids of orders and loans depend on what came before, so not everything that could be left out
    is; what remains breaks the law when it is asked in this order.
    """
    last: dict[str, str] = {}

    def breaks(log: list[Envelope]) -> bool:
        fault = replay(log)
        if fault is None or law_of(fault) != failure.law:
            return False
        last["detail"] = str(fault)
        return True

    log = list(failure.log)
    if not breaks(log):
        # A start from a snapshot, say, that is no command.
        return failure
    log = minimise(log, breaks, trials)
    return Failure(failure.seed, failure.law, last["detail"], log)


def minimise(
    log: list[Envelope], breaks: Callable[[list[Envelope]], bool], trials: int
) -> list[Envelope]:
    """Return a shorter list that `breaks` as well; the list that is given must."""
    parts = 2
    while len(log) > 1 and trials > 0:
        size = -(-len(log) // parts)
        shorter = None
        # From the end: what came last depends on what came before, seldom the other way.
        for start in range((len(log) - 1) // size * size, -1, -size):
            trials -= 1
            rest = log[:start] + log[start + size :]
            if rest and breaks(rest):
                shorter = rest
                break
            if trials <= 0:
                break
        if shorter is not None:
            log = shorter
            parts = max(2, parts - 1)
        elif size == 1:
            break
        else:
            parts = min(len(log), 2 * parts)
    return log
