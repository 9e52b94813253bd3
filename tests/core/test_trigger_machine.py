"""Triggers, whatever happens: a model that looks through all of them at every price foretells which
fire and in which order; a restart, a retry and a replay change nothing (RULES 10)."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import trigger_commands as t
from lombard.core.commands import Command, account_id
from lombard.core.engine import Engine
from tests.core.laws import show
from tests.core.naive_triggers import NaiveTriggers
from tests.core.strategies import Booth, Terms
from tests.core.world import World

MIDDLE = 1_000


class Street:
    """A pair's market full of people with triggers; every command is held against the model."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.booth = Booth(Terms(1_000, 1_000, 10))
        self.world: World = self.booth.world
        self.accounts = [
            account_id(user, slot)
            for user in self.booth.users
            for slot in (c.SLOT_SPOT, c.SLOT_CROSSED)
        ]
        pair = self.booth.pair
        self.model = NaiveTriggers(pair.step_units, pair.tick_e12)
        # What came before there was a model is no matter of triggers.
        self.model.follow([])
        self.twin: Engine | None = None
        self.fired = 0
        self.do(c.VENUE, c.SetIndexPrices([(0, MIDDLE * pair.tick_e12, 2, 0, 0)]))
        self.sweep()

    def do(self, account: int, cmd: Command) -> None:
        """Apply a command here and, since it was restarted, at the twin; follow it."""
        before = self.world.engine.state_hash()
        due = self.world.engine.triggers_due()
        reply = self.world.do(account, cmd)
        if reply.refusal is not None and not due and not self.world.events:
            assert before == self.world.engine.state_hash(), show(cmd)
        events = self.world.events
        if self.twin is not None:
            twins_reply, twins_events = self.twin.apply(self.world.log[-1])
            assert show(reply) == show(twins_reply)
            assert [show(event) for event in events] == [show(event) for event in twins_events]
        self.model.follow(events)
        triggers = self.world.state.triggers.by_id.values()
        self.model.check({one.id: one.crest_ticks() for one in triggers})
        assert bool(self.model.due) == self.world.engine.triggers_due()

    def step(self) -> None:
        """Do something."""
        r = self.random
        what = r.choice(
            [self.order] * 5
            + [self.trigger] * 6
            + [self.trailing] * 3
            + [self.exits, self.exits, self.oco, self.oco, self.sweep, self.index, self.index]
            + [self.cancel, self.modify, self.cancel_all, self.retry, self.restart, self.fire]
        )
        what()

    def near(self, wide: int = 30) -> int:
        """Draw a price near the last one, or the middle if there is none."""
        last = self.booth.pair.last_price_ticks or MIDDLE
        return max(1, last + self.random.randint(-wide, wide))

    def account(self) -> int:
        """Draw somebody."""
        return self.random.choice(self.accounts)

    def order(self) -> None:
        """Let somebody trade or quote."""
        r = self.random
        force = r.choice([c.GTC, c.GTC, c.IOC])
        side, price, size = r.randrange(2), self.near(12), r.randint(1, 40)
        cmd = c.PlaceOrder(0, side, c.LIMIT, force, 0, 0, price, size, 0, "", 0)
        self.do(self.account(), cmd)

    def sweep(self) -> None:
        """Quote both sides of a price that may be far from here, taking what is in the way."""
        price = self.near(60)
        for side, edge in ((c.BUY, price), (c.SELL, price + 2)):
            size = self.random.randint(20, 200)
            cmd = c.PlaceOrder(0, side, c.LIMIT, c.GTC, 0, 0, edge, size, 0, "", 0)
            self.do(self.accounts[0], cmd)

    def trigger(self) -> None:
        """Let somebody wait for a price."""
        r = self.random
        side, kind = r.randrange(2), r.randrange(2)
        by_quote = kind == c.MARKET and side == c.BUY
        account = self.account()
        loans = [0] if account % 2**16 == c.SLOT_SPOT else [0, 1, 2, 3]
        cmd = c.PlaceTrigger(
            0, r.choice([t.PLAN_TRIGGER, t.PLAN_TPSL]), r.randrange(2), self.near(), 0, side, kind,
            c.GTC, r.choice(loans), 0, 0 if kind else self.near(5), 0 if by_quote else
            r.choice([1, 5, 20, 60, 10**6]), r.randint(1_000, 10**6) if by_quote else 0,
            r.choice(["", "", "", "one", "two"]), 0,
        )  # fmt: skip
        self.do(account, cmd)

    def trailing(self) -> None:
        """Let somebody trail the price."""
        r = self.random
        side = r.randrange(2)
        sells = side == c.SELL
        cmd = c.PlaceTrigger(
            0, t.PLAN_TRAILING, r.randrange(2), r.choice([0, 0, self.near()]),
            r.choice([1_000, 10_000, 20_000, 30_000]), side, c.MARKET, 0, 0, 0, 0,
            r.randint(1, 60) if sells else 0, 0 if sells else r.randint(1_000, 10**6), "", 0,
        )  # fmt: skip
        self.do(self.account(), cmd)

    def exits(self) -> None:
        """Let somebody open with an end in sight."""
        r = self.random
        side, entry = r.randrange(2), self.near(5)
        above, below = entry + r.randint(0, 15), entry - r.randint(0, 15)
        profit, loss = (above, below) if side == c.BUY else (below, above)
        profit, loss = r.choice([(profit, loss), (profit, loss), (0, loss), (profit, 0)])
        cmd = c.PlaceWithExits(
            0, side, c.LIMIT, r.choice([c.GTC, c.GTC, c.IOC]), 0, 0, entry, r.randint(1, 60), 0,
            r.randrange(2), profit, r.choice([0, max(0, profit - 1)]), loss, 0, "", 0,
        )  # fmt: skip
        self.do(self.account(), cmd)

    def oco(self) -> None:
        """Let somebody have one of two."""
        r = self.random
        side = r.randrange(2)
        away = r.randint(1, 15) * (1 if side == c.SELL else -1)
        cmd = c.PlaceOco(
            0, side, 0, 0, self.near(5) + away, r.randint(1, 60), r.randrange(2),
            self.near(5) - away, r.choice([0, self.near(10)]), "", 0,
        )  # fmt: skip
        self.do(self.account(), cmd)

    def index(self) -> None:
        """Publish an index price, somewhere between two ticks."""
        tick = self.booth.pair.tick_e12
        now = self.booth.pair.base.price_e12
        price = max(tick * 600, now + self.random.randint(-30 * tick, 30 * tick))
        if self.random.randrange(3) == 0:
            price -= price % tick
        self.do(c.VENUE, c.SetIndexPrices([(0, price, 2, 0, 0)]))

    def some_id(self) -> int:
        """Draw a trigger that is, was, or never has been."""
        ids = [*self.model.alive, *self.model.fired[-2:], 7]
        return self.random.choice(ids)

    def cancel(self) -> None:
        """Let somebody think better of it."""
        trigger_id = self.some_id()
        one = self.model.alive.get(trigger_id)
        account = self.account() if one is None else one.placed.account
        self.do(account, c.CancelTrigger(trigger_id, ""))

    def modify(self) -> None:
        """Let somebody wait for another price."""
        trigger_id = self.some_id()
        one = self.model.alive.get(trigger_id)
        account = self.account() if one is None else one.placed.account
        cmd = c.ModifyTrigger(trigger_id, "", self.near(), c.LIMIT, self.near(5), 5, 0)
        self.do(account, cmd)

    def cancel_all(self) -> None:
        """Let somebody clear the table, of triggers or of orders."""
        if self.random.randrange(4) == 0:
            pairs = self.random.choice([[], [0], [0, 9]])
            self.do(self.account(), c.CancelAllTriggers(pairs))
        else:
            self.do(self.account(), c.CancelAllOrders(0))

    def retry(self) -> None:
        """Send a command again whose client id is remembered."""
        for envelope in reversed(self.world.log[-30:]):
            if getattr(envelope.command, "client_oid", ""):
                self.do(envelope.account, envelope.command)
                return

    def fire(self) -> None:
        """Let what was left over go on."""
        self.do(c.VENUE, c.FireTriggers())

    def restart(self) -> None:
        """Stop here, and go on from a snapshot beside it."""
        lines = list(self.world.engine.snapshot_lines())
        self.twin = Engine.restore(lines)
        assert lines == list(self.twin.snapshot_lines())


def walk(seed: int, steps: int) -> Street:
    street = Street(seed)
    for _ in range(steps):
        street.step()
    return street


@given(st.integers(0, 2**32))
def test_triggers_fire_as_foretold(seed: int) -> None:
    street = walk(seed, 60)

    again = Engine()
    for envelope in street.world.log:
        again.apply(envelope)
    assert street.world.engine.state_hash() == again.state_hash()


def test_the_walk_fires_many_and_of_every_plan() -> None:
    """The property above would hold of a street on which nothing happens."""
    plans: dict[int, int] = {}
    failed = 0
    for seed in range(12):
        street = walk(seed, 60)
        placed = {
            event.trigger_id: event.plan
            for event in street.world.history
            if isinstance(event, e.TriggerPlaced)
        }
        for trigger_id in street.model.fired:
            plans[placed[trigger_id]] = plans.get(placed[trigger_id], 0) + 1

        failed += sum(isinstance(event, e.TriggerFailed) for event in street.world.history)

    assert {0, 1, 2, 3, 4, 5} == plans.keys()
    assert failed > 0
    assert sum(plans.values()) > 50
