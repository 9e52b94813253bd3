"""The laws under any run of commands: hypothesis looks for a run that breaks one (issue 2).

What is checked after every command is in `tests.core.laws`; which commands come is in
`lombard.sim.traffic`. When a run ends its log is replayed. A failure prints the rules that led to
it; with its log it becomes a permanent test.
"""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from lombard.core import commands as c
from lombard.core.engine import Engine
from lombard.sim.traffic import STORM, WEIGHTS, Traffic
from tests.core.kinds import BESIDE, without
from tests.core.laws import Watched, show

USUAL, STORMY = without(WEIGHTS, *BESIDE), without(STORM, *BESIDE)
RANDOM = st.randoms(use_true_random=False)


class Venue(RuleBasedStateMachine):
    """A watched venue, whose traffic hypothesis chooses."""

    world: Watched
    traffic: Traffic

    @initialize()
    def open(self) -> None:
        self.world = Watched()
        self.traffic = Traffic(self.world, Random(0), users=3)

    def ask(self, random: Random, kind: str, times: int = 1) -> None:
        for _ in range(times):
            self.traffic.random = random
            account, cmd = self.traffic.makers[kind]()
            self.world.do(account, cmd, self.world.engine.time_ms, self.traffic.command_id(account))

    @rule(
        random=RANDOM,
        kind=st.sampled_from(["order", "quote", "gamble"]),
        times=st.integers(1, 4),
    )
    def orders(self, random: Random, kind: str, times: int) -> None:
        self.ask(random, kind, times)

    @rule(random=RANDOM, kind=st.sampled_from(["cancel", "cancel_all", "replace"]))
    def change_orders(self, random: Random, kind: str) -> None:
        self.ask(random, kind)

    @rule(random=RANDOM, kind=st.sampled_from(["borrow", "repay"]))
    def lend(self, random: Random, kind: str) -> None:
        self.ask(random, kind)

    @rule(random=RANDOM, kind=st.sampled_from(["transfer", "deposit", "leverage", "nonsense"]))
    def move(self, random: Random, kind: str) -> None:
        self.ask(random, kind)

    @rule(random=RANDOM, kind=st.sampled_from(["prices", "jump"]))
    def publish(self, random: Random, kind: str) -> None:
        self.ask(random, kind)

    @rule(random=RANDOM)
    def liquidate(self, random: Random) -> None:
        self.ask(random, "proceed")

    @rule(
        random=RANDOM,
        kind=st.sampled_from(
            ["rate", "fund", "level", "coin_terms", "pair_terms", "listing", "parameter"]
        ),
    )
    def change_terms(self, random: Random, kind: str) -> None:
        self.ask(random, kind)

    @rule(ms=st.sampled_from([-1, 1, 1_000, 59_999, 3_600_000, 7_200_001, 86_400_000]))
    def wait(self, ms: int) -> None:
        self.world.tick(at=self.world.engine.time_ms + ms)

    @rule()
    def wait_for_the_hour(self) -> None:
        self.world.tick(at=self.world.engine.time_ms // 3_600_000 * 3_600_000 + 3_600_000)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            replay(self.world)


def replay(world: Watched) -> None:
    """Assert that the log alone gives the same events and the same state."""
    engine = Engine()
    events: list[str] = []
    for envelope in world.log:
        events += map(show, engine.apply(envelope)[1])
    assert list(map(show, world.history)) == events
    assert world.engine.state_hash() == engine.state_hash()
    assert list(world.engine.snapshot_lines()) == list(
        Engine.restore(world.engine.snapshot_lines()).snapshot_lines()
    )


TestVenue = Venue.TestCase
TestVenue.settings = settings(stateful_step_count=60)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
class TestVenueForLong(Venue.TestCase):  # type: ignore[misc, valid-type]
    """The same with many more runs, and longer ones."""

    settings = settings(max_examples=1_000, stateful_step_count=150)


def run(seed: int, commands: int, weights: dict[str, int]) -> None:
    """Hold a long seeded run to the laws."""
    world = Watched(hash_every=4)
    traffic = Traffic(world, Random(seed), weights=weights)
    for _ in range(commands):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
    replay(world)
    # A run in which nobody borrows, trades and is liquidated proves little.
    assert world.auditor.liquidations_seen > 0
    assert world.shadow[c.VENUE + 4, 0, 0] > 0, "no fee was ever paid"


@pytest.mark.parametrize("weights", [USUAL, STORMY], ids=["usual", "storm"])
def test_the_laws_hold_in_a_long_run(weights: dict[str, int]) -> None:
    run(101, 3_000, weights)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("weights", [USUAL, STORMY], ids=["usual", "storm"])
@pytest.mark.parametrize("seed", range(200, 220))
def test_the_laws_hold_in_many_long_runs(seed: int, weights: dict[str, int]) -> None:
    run(seed, 20_000, weights)
