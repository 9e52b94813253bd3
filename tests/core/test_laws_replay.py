"""Replay: the same log gives the same history, from its beginning or from any snapshot (DESIGN 2).

What an engine answers must follow from its log alone: not from reads in between, not from the
order in which the pieces of its state were first made.
"""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Envelope
from lombard.core.engine import Engine
from lombard.sim.traffic import Traffic
from tests.core.laws import show
from tests.core.world import World


def recorded(seed: int, commands: int) -> World:
    """Let traffic run, and keep its log."""
    world = World(audit=False)
    traffic = Traffic(world, Random(seed))
    for _ in range(commands):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
    return world


def told(engine: Engine, envelope: Envelope) -> list[str]:
    """Apply a command; write out everything the engine says."""
    reply, events = engine.apply(envelope)
    return [show(reply), *map(show, events)]


def read_everything(engine: Engine) -> None:
    """Ask every question there is, of every account: reads must leave no trace."""
    state = engine.state
    for account in list(state.accounts):
        q.balances(state, account)
        q.risk(state, account)
        q.leverage(state, account)
        q.pending_interest(state, account)
        for coin in range(len(state.coins)):
            q.max_borrowable(state, account, coin)
            q.max_transferable(state, account, coin)
            q.balance(state, account, coin)
        for pair in range(len(state.pairs)):
            q.open_orders(state, account, pair)
            q.depth(state, pair, 5)
            q.max_borrowable(state, c.account_id(c.user_of(account), 2 + pair), 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_log_is_replayed_from_any_snapshot(seed: int) -> None:
    world = recorded(seed, 1_500)
    random = Random(seed)
    cuts = sorted(random.sample(range(len(world.log)), 12))
    engines = [Engine()]
    for number, envelope in enumerate(world.log):
        if number in cuts:
            lines = list(engines[0].snapshot_lines())
            restored = Engine.restore(lines)
            assert lines == list(restored.snapshot_lines())
            assert engines[0].state_hash() == restored.state_hash()
            restored.check()
            engines[1 + len(engines) % 3 :] = [restored]
        answers = [told(engine, envelope) for engine in engines]
        for answer in answers[1:]:
            assert answers[0] == answer, (number, show(envelope.command))

    hashes = {engine.state_hash() for engine in [world.engine, *engines]}
    assert {world.engine.state_hash()} == hashes
    assert list(world.engine.snapshot_lines()) == list(engines[-1].snapshot_lines())


def test_reads_leave_no_trace() -> None:
    world = recorded(11, 500)
    asked, silent = Engine(), Engine()
    for envelope in world.log:
        if asked.state.seq % 3 == 0:
            before = asked.state_hash()
            read_everything(asked)
            assert before == asked.state_hash()
        assert told(silent, envelope) == told(asked, envelope), show(envelope.command)
    assert silent.state_hash() == asked.state_hash()
    asked.check()


@given(seed=st.integers(0, 3), data=st.data())
def test_a_damaged_snapshot_is_refused(seed: int, data: st.DataObject) -> None:
    """Raise `ValueError`, and nothing else, on lines that are missing, cut short or garbled."""
    lines = list(recorded(seed, 60).engine.snapshot_lines())
    number = data.draw(st.integers(0, len(lines) - 1))
    line = lines[number]
    cut = data.draw(st.integers(0, len(line) - 1))
    damage = data.draw(st.sampled_from(["cut", "word", "null", "text", "list", "head"]))
    lines[number] = {
        "cut": line[:cut],
        "word": line.replace('"', "'", 1),
        "null": "null",
        "text": '["unknown",1]',
        "list": "[]",
        "head": "[7" + line[line.index(",") if "," in line else -1 :],
    }[damage]
    with pytest.raises(ValueError, match=r"."):
        Engine.restore(lines)
