"""Swarm testing: which kinds of commands a seed has, and how often, is drawn from the seed.

Some seeds have no faults, some all of them, some one kind only and that often: what hides a fault
is often another that comes first.
"""

from random import Random

from lombard.sim.faults import FAULTS
from lombard.sim.operating import OPERATOR
from lombard.sim.operators import BY_HAND
from lombard.sim.traffic import STORM, WEIGHTS

NONE, ONE, SOME, ALL = range(4)
MODES = [NONE, ONE, SOME, SOME, ALL]


class Swarm:
    """What is drawn for a seed: weights of the kinds of commands, users, the pace of time."""

    def __init__(self, random: Random) -> None:
        self.users = random.choice([2, 3, 4, 6])
        storm = random.randrange(5) < 2
        # One command in so many comes later than at once; hours pass as often.
        self.pace = random.choice([10, 100] if storm else [1, 1, 10, 100])
        # One command in so many is followed by a start from a snapshot; 0: none.
        self.restarts = random.choice([0, 0, 300])
        self.weights = dict(STORM if storm else WEIGHTS)
        rare = [*FAULTS, *OPERATOR, *BY_HAND, "jump"]
        rare = [kind for kind in rare if not (storm and kind in STORM)]
        # What stops the feed stops liquidations too: storms mostly go without.
        mode = random.choice([NONE, NONE, NONE, ONE, SOME, ALL] if storm else MODES)
        chosen = random.choice(rare)
        for kind in rare:
            self.weights[kind] = {
                NONE: 0,
                ONE: 30 if kind == chosen else 0,
                SOME: random.choice([0, 0, 1, 4]),
                ALL: 2,
            }[mode]
        for kind in self.weights:
            if kind not in rare:
                # What users do is drawn too, so that some seeds have no cancellations, say.
                self.weights[kind] *= random.choice([0, 1, 1, 1, 1, 1, 1, 3])
        self.weights["order"] = max(1, self.weights.get("order", 0))
