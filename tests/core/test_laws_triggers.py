"""Triggers among everything else: loans, liquidations, changing terms. Books stay balanced, each
trigger ends once, and a restart in the middle changes nothing (RULES 2, 10)."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.engine import Engine
from lombard.sim.traffic import STORM_WITH_TRIGGERS, WITH_TRIGGERS, Traffic
from tests.core.laws import check_book, show
from tests.core.world import World

ENDS = (e.TriggerFired, e.TriggerFailed, e.TriggerCancelled)


def run(random: Random, commands: int, weights: dict[str, int]) -> World:
    """Apply traffic under audit, and follow it from a snapshot taken on the way."""
    world = World()
    traffic = Traffic(world, random, weights=weights)
    restart = random.randrange(commands)
    twin: Engine | None = None
    placed: set[int] = set()
    ended: set[int] = set()
    for number in range(commands):
        if number == restart:
            twin = Engine.restore(list(world.engine.snapshot_lines()))
        account, cmd = traffic.next()
        reply = world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if twin is not None:
            twins_reply, twins_events = twin.apply(world.log[-1])
            assert show(reply) == show(twins_reply)
            assert [show(v) for v in world.events] == [show(v) for v in twins_events]
        placed.update(v.trigger_id for v in world.events if isinstance(v, e.TriggerPlaced))
        for event in world.events:
            if isinstance(event, ENDS):
                assert event.trigger_id in placed
                assert event.trigger_id not in ended
                ended.add(event.trigger_id)
        check_bands(world)
        for pair in world.state.pairs:
            check_book(pair)
    assert placed - ended == world.state.triggers.by_id.keys()
    for job in world.state.liquidations:
        assert job not in world.state.triggers.of_account, "a locked account has triggers"
    assert twin is not None
    assert world.engine.state_hash() == twin.state_hash()
    return world


def check_bands(world: World) -> None:
    """What a trigger's order takes it takes inside the band, in every kind of account."""
    fired = {v.order_id: v.trigger_id for v in world.events if isinstance(v, e.TriggerFired)}
    limits = {v.order_id for v in world.events if isinstance(v, e.OrderPlaced) and v.price_ticks}
    for event in world.events:
        if isinstance(event, e.Traded) and event.taker_order_id in fired:
            pair = world.state.pairs[event.pair]
            margin = c.slot_of(event.taker_account) != c.SLOT_SPOT
            if event.taker_order_id in limits and not margin:
                continue
            if event.taker_side == c.BUY:
                assert event.price_ticks <= pair.band_high_ticks
            else:
                assert event.price_ticks >= pair.band_low_ticks


@given(st.randoms(use_true_random=True))
def test_triggers_among_everything_else(random: Random) -> None:
    run(random, 60, WITH_TRIGGERS)


@pytest.mark.parametrize("weights", [WITH_TRIGGERS, STORM_WITH_TRIGGERS], ids=["usual", "storm"])
def test_long_days_in_which_triggers_fire(weights: dict[str, int]) -> None:
    world = run(Random(8), 2_000, weights)

    kinds = Counter(type(event).__name__ for event in world.history)
    assert kinds["TriggerFired"] > 20
    assert kinds["TriggerFailed"] > 5
    assert kinds["TriggerCancelled"] > 20
    assert kinds["LiquidationStarted"] > 0
