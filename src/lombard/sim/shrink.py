"""Shrinking: of the commands that broke a law, the few that still break it (delta debugging)."""

from collections.abc import Callable

from lombard.sim.run import Failure, Step, law_of, replay

# Histories that are tried at most; each is run from its beginning.
TRIALS_MAX = 400


def shrink(failure: Failure, trials: int = TRIALS_MAX) -> Failure:
    """Leave out commands, large parts first, as long as the same law is broken."""
    last: dict[str, str] = {}

    def breaks(steps: list[Step]) -> bool:
        fault = replay([*failure.setup, *steps])
        if fault is None or law_of(fault) != failure.law:
            return False
        last["detail"] = str(fault)
        return True

    if not breaks(failure.steps):
        # It takes a start from a snapshot, say, which is no command.
        return failure
    steps = minimise(failure.steps, breaks, trials)
    return Failure(failure.seed, failure.law, last["detail"], failure.setup, steps)


def minimise(steps: list[Step], breaks: Callable[[list[Step]], bool], trials: int) -> list[Step]:
    """Return a shorter list that `breaks` as well; the list that is given must."""
    parts = 2
    while len(steps) > 1 and trials > 0:
        size = -(-len(steps) // parts)
        shorter = None
        # From the end: what came last depends on what came before, seldom the other way.
        for start in range((len(steps) - 1) // size * size, -1, -size):
            trials -= 1
            rest = steps[:start] + steps[start + size :]
            if rest and breaks(rest):
                shorter = rest
                break
            if trials <= 0:
                break
        if shorter is not None:
            steps = shorter
            parts = max(2, parts - 1)
        elif size == 1:
            break
        else:
            parts = min(len(steps), 2 * parts)
    return steps
