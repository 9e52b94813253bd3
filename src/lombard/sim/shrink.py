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
    size = len(steps) // 2
    while size:
        before = len(steps)
        # From the end: what came last depends on what came before, seldom the other way.
        for start in range((len(steps) - 1) // size * size, -1, -size):
            rest = steps[:start] + steps[start + size :]
            if not rest:
                continue
            if trials == 0:
                return steps
            trials -= 1
            if breaks(rest):
                steps = rest
        if size > 1 or len(steps) == before:
            size //= 2
    return steps
