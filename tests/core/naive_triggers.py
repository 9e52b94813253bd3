"""Triggers as a child would keep them: one list, looked through at every price.

It reads commands' events only, shares nothing with the engine, and foretells which triggers fire,
in which order, and which of them are left for the next command.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import trigger_commands as t

FIRED_PER_COMMAND = 100


@dataclass
class NaiveTrigger:
    """A trigger, as the event that placed it said, and what has come of it."""

    placed: e.TriggerPlaced
    rises: bool
    price: int
    awake: bool
    trails: bool = False
    best: int = 0
    filled: int = 0

    @property
    def id(self) -> int:
        """Its id."""
        return self.placed.trigger_id

    def level(self) -> Fraction:
        """Say at which price a trailing stop fires."""
        part = Fraction(self.placed.callback_e6, 10**6)
        if self.placed.side == c.SELL:
            return Fraction((self.best * (1 - part)).__floor__())
        return Fraction((self.best * (1 + part)).__ceil__())


@dataclass
class NaiveTriggers:
    """Every trigger of a venue of one pair, whose quote coin is worth 1."""

    step_units: int
    tick_e12: int
    last: int = 0
    index: Fraction = Fraction(0)
    alive: dict[int, NaiveTrigger] = field(default_factory=dict)
    due: list[int] = field(default_factory=list)
    fired: list[int] = field(default_factory=list)

    def follow(self, events: list[e.Event]) -> None:
        """Follow a command; complain when the venue fired others, or otherwise, than it should."""
        fired = 0
        for event in events:
            # Those that come with an order are there before it trades.
            if isinstance(event, e.TriggerPlaced):
                self.place(event)
        for event in events:
            if isinstance(event, e.Traded):
                self.last = event.price_ticks
                self.size(event.taker_order_id, event.base_units, event.taker_fee_units)
                self.size(event.maker_order_id, event.base_units, event.maker_fee_units)
                self.price(t.PRICE_LAST, Fraction(event.price_ticks))
            elif isinstance(event, e.IndexPricesSet):
                ((_, price_e12),) = event.prices
                self.index = Fraction(price_e12, self.tick_e12)
                self.price(t.PRICE_INDEX, self.index)
            elif isinstance(event, e.TriggerModified):
                self.modify(event)
            elif isinstance(event, e.OrderClosed):
                self.order_ended(event.order_id)
            elif isinstance(event, e.TriggerCancelled):
                self.cancelled(event)
            elif isinstance(event, (e.TriggerFired, e.TriggerFailed)):
                fired += 1
                assert self.due, "a trigger fired that no price had reached"
                assert self.due.pop(0) == event.trigger_id, "out of turn"
                assert event.trigger_id not in self.fired, "fired twice"
                self.fired.append(event.trigger_id)
                one = self.alive.pop(event.trigger_id)
                if isinstance(event, e.TriggerFired):
                    self.expect_siblings_cancelled(one, events)
        assert fired <= FIRED_PER_COMMAND
        assert not self.due or fired == FIRED_PER_COMMAND, "a trigger that was due did not fire"

    def place(self, event: e.TriggerPlaced) -> None:
        """Take a trigger in, and foretell which way its price must go."""
        now = self.last if event.price_source == t.PRICE_LAST else self.index
        exit_ = event.plan in (t.PLAN_TAKE_PROFIT, t.PLAN_STOP_LOSS)
        if exit_:
            rises = (event.plan == t.PLAN_TAKE_PROFIT) == (event.side == c.SELL)
        elif event.plan == t.PLAN_OCO:
            rises = event.side == c.BUY
        else:
            rises = event.trigger_ticks > now or event.trigger_ticks == 0
        assert rises == (event.direction == 1)
        one = NaiveTrigger(event, rises, event.trigger_ticks, not exit_)
        if event.trigger_ticks == 0:
            one.trails, one.best = True, self.best_of(one, Fraction(now))
        self.alive[event.trigger_id] = one

    def modify(self, event: e.TriggerModified) -> None:
        """Give a trigger another price."""
        one = self.alive[event.trigger_id]
        now = self.last if one.placed.price_source == t.PRICE_LAST else self.index
        one.price, one.rises = event.trigger_ticks, event.trigger_ticks > now
        assert one.price != now

    @staticmethod
    def best_of(one: NaiveTrigger, price: Fraction) -> int:
        """Say what a trailing stop sees of a price that may lie between two ticks."""
        return price.__floor__() if one.placed.side == c.SELL else price.__ceil__()

    def size(self, order_id: int, base_units: int, fee_units: int) -> None:
        """Let an order's fill wake its exits, once it is worth a step."""
        for one in self.alive.values():
            if one.placed.order_id == order_id and one.placed.plan != t.PLAN_OCO:
                one.filled += base_units - (fee_units if one.placed.side == c.SELL else 0)
                if one.filled >= self.step_units and not one.awake:
                    one.awake = True
                    if one.placed.price_source == t.PRICE_INDEX:
                        self.price(t.PRICE_INDEX, self.index)

    def price(self, source: int, price: Fraction) -> None:
        """Look through all triggers: whose price has come?"""
        reached: list[tuple[tuple[int, ...], int]] = []
        for one in self.alive.values():
            if not one.awake or one.placed.price_source != source or one.id in self.due:
                continue
            if not one.trails:
                if one.rises and price >= one.price:
                    reached.append(((0, one.price, one.id), one.id))
                elif not one.rises and price <= one.price:
                    reached.append(((1, -one.price, one.id), one.id))
        for _, trigger_id in sorted(reached):
            one = self.alive[trigger_id]
            if one.placed.plan == t.PLAN_TRAILING:
                one.trails, one.best = True, self.best_of(one, price)
            else:
                self.due.append(trigger_id)
        self.trail(source, price)

    def trail(self, source: int, price: Fraction) -> None:
        """Let every trailing stop see a price; those that have come back far enough are due."""
        reached: list[tuple[tuple[int, ...], int]] = []
        for one in self.alive.values():
            if not one.trails or one.placed.price_source != source or one.id in self.due:
                continue
            sells = one.placed.side == c.SELL
            sees = self.best_of(one, price)
            one.best = max(one.best, sees) if sells else min(one.best, sees)
            if price <= one.level() if sells else price >= one.level():
                sort = -one.best if sells else one.best
                group = (one.placed.side, one.placed.callback_e6)
                reached.append(((*group, sort, one.id), one.id))
        self.due += [trigger_id for _, trigger_id in sorted(reached)]

    def order_ended(self, order_id: int) -> None:
        """What belongs to an order that is gone, and protects nothing, must be cancelled."""
        for one in list(self.alive.values()):
            if one.placed.order_id == order_id and (
                one.placed.plan == t.PLAN_OCO or one.filled < self.step_units
            ):
                one.awake = False

    def cancelled(self, event: e.TriggerCancelled) -> None:
        """Take a trigger out that has not fired."""
        one = self.alive.pop(event.trigger_id)
        if one.id in self.due:
            self.due.remove(one.id)

    def expect_siblings_cancelled(self, fired: NaiveTrigger, events: list[e.Event]) -> None:
        """The other exit of an entry goes with the one that fired."""
        if fired.placed.plan not in (t.PLAN_TAKE_PROFIT, t.PLAN_STOP_LOSS):
            return
        gone = [v.trigger_id for v in events if isinstance(v, e.TriggerCancelled)]
        for one in self.alive.values():
            if one.placed.order_id == fired.placed.order_id:
                assert one.id in gone

    def check(self, alive: dict[int, int]) -> None:
        """Hold what is alive against the venue's own list: best price by id, 0 if not trailing."""
        orphans = [one.id for one in self.alive.values() if not one.awake and not self.sleeps(one)]
        assert not orphans, "the order is gone, its trigger is not"
        assert alive == {one.id: one.best if one.trails else 0 for one in self.alive.values()}

    @staticmethod
    def sleeps(one: NaiveTrigger) -> bool:
        """Say whether a trigger is an exit whose order has not filled yet."""
        return one.placed.plan in (t.PLAN_TAKE_PROFIT, t.PLAN_STOP_LOSS)
