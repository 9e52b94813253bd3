"""Triggers as a child would keep them: one list, looked through at every price (RULES 10).

It is told events only, shares nothing with the engine, and foretells which triggers are cancelled,
sized and reached, in which order. What a trigger that is due then does is in `firing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.state import State
from lombard.sim.law import hold

if TYPE_CHECKING:
    from lombard.sim.books import Books

EXITS = (c.PLAN_TAKE_PROFIT, c.PLAN_STOP_LOSS)
# An event that must come: its kind, and what it must say.
Told = tuple[type[e.Event], dict[str, Any]]


@dataclass
class NaiveTrigger:
    """A trigger, as the event that placed it said, and what has come of it."""

    placed: e.TriggerPlaced
    rises: bool
    price: int
    kind: int
    limit: int
    steps: int
    budget: int
    awake: bool
    trails: bool = False
    best: int = 0
    filled: int = 0
    # The price that made it due.
    reached: int | None = None

    @property
    def id(self) -> int:
        """Its id."""
        return self.placed.trigger_id

    def sees(self, price: Fraction) -> int:
        """Say what a trailing stop sees of a price that may lie between two ticks."""
        return floor(price) if self.placed.side == c.SELL else ceil(price)

    def level(self) -> int:
        """Say at which price a trailing stop fires."""
        part = Fraction(self.placed.callback_e6, 10**6)
        if self.placed.side == c.SELL:
            return floor(self.best * (1 - part))
        return ceil(self.best * (1 + part))


class NaiveTriggers:
    """Every trigger of a venue that has not ended."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.alive: dict[int, NaiveTrigger] = {}
        self.due: list[int] = []
        self.told: list[Told] = []

    # --- reading -------------------------------------------------------------------------------

    def of_account(self, account: int) -> list[NaiveTrigger]:
        """List an account's triggers, oldest first."""
        return [one for one in self.alive.values() if one.placed.account == account]

    def of_order(self, order_id: int) -> list[NaiveTrigger]:
        """List the triggers that belong to an order."""
        return [one for one in self.alive.values() if order_id and one.placed.order_id == order_id]

    def price_now(self, pair_id: int, source: int) -> Fraction:
        """Return a pair's last price, or the index in its ticks; 0 while there is none."""
        terms = self.books.terms
        if source == c.PRICE_LAST:
            return Fraction(self.books.book.last_price.get(pair_id, 0))
        pair = terms.pairs[pair_id]
        if pair.base not in terms.prices or pair.quote not in terms.prices:
            return Fraction(0)
        return terms.prices[pair.base].usdt / terms.prices[pair.quote].usdt / pair.tick

    def compare(self, state: State) -> None:
        """See that the venue has the same triggers, and the same best prices behind them."""
        if self.alive or state.triggers.by_id:
            mine = {one.id: (one.steps, one.best if one.trails else 0)
                    for one in self.alive.values() if one.id not in self.due}  # fmt: skip
            actual = {
                one.id: (one.size_steps, one.crest_ticks())
                for one in state.triggers.by_id.values()
                if one.id not in self.due
            }
            hold("the triggers that wait are as foretold", mine, actual)
            hold("the same triggers are alive", set(self.alive), set(state.triggers.by_id))

    # --- what a command does to them -----------------------------------------------------------

    def note(self, event: e.Event) -> None:
        """Take note of what a command did to triggers itself."""
        if isinstance(event, e.TriggerPlaced):
            one = NaiveTrigger(
                event, event.direction > 0, event.trigger_ticks, event.kind, event.price_ticks,
                event.size_steps, event.quote_units, event.plan not in EXITS,
            )  # fmt: skip
            if event.trigger_ticks == 0:
                one.trails = True
                one.best = one.sees(self.price_now(event.pair, event.price_source))
            self.alive[one.id] = one
        elif isinstance(event, e.TriggerModified):
            one = self.alive[event.trigger_id]
            one.rises, one.price, one.kind = event.direction > 0, event.trigger_ticks, event.kind
            one.limit, one.steps = event.price_ticks, event.size_steps
            one.budget = event.quote_units

    def drop(self, one: NaiveTrigger) -> None:
        """Forget a trigger that has ended."""
        del self.alive[one.id]
        if one.id in self.due:
            self.due.remove(one.id)

    def next_due(self) -> NaiveTrigger | None:
        """Return the trigger whose turn it is to fire."""
        return self.alive[self.due[0]] if self.due else None

    # --- what events mean for them -------------------------------------------------------------

    def follow(self, events: list[e.Event]) -> list[Told]:
        """Take note of what has happened; say which events that must bring."""
        self.told = []
        for event in events:
            if isinstance(event, e.Traded):
                self.size(event.taker_order_id, event.base_units, event.taker_fee_units)
                self.size(event.maker_order_id, event.base_units, event.maker_fee_units)
                self.touch(event.pair, c.PRICE_LAST, Fraction(event.price_ticks))
            elif isinstance(event, e.IndexPricesSet):
                for pair_id in range(len(self.books.terms.pairs)):
                    self.touch_index(pair_id)
            elif isinstance(event, e.OrderClosed):
                for one in self.of_order(event.order_id):
                    if one.placed.plan == c.PLAN_OCO or not one.awake:
                        self.cancel(one, e.TRIGGER_BY_ORDER)
            elif isinstance(event, e.LiquidationStarted):
                for one in self.of_account(event.account):
                    self.cancel(one, e.TRIGGER_BY_LIQUIDATION)
        return self.told

    def tell(self, kind: type[e.Event], one: NaiveTrigger, **values: Any) -> None:
        """Say that an event about a trigger must come."""
        whose = {"trigger_id": one.id, "account": one.placed.account, "pair": one.placed.pair}
        self.told.append((kind, {**whose, **values}))

    def cancel(self, one: NaiveTrigger, reason: int) -> None:
        """End a trigger without firing it."""
        self.drop(one)
        self.tell(e.TriggerCancelled, one, reason=reason)

    def size(self, order_id: int, base_units: int, fee_units: int) -> None:
        """Let an order's fill size and wake its exits, net of a fee taken in base."""
        for one in self.of_order(order_id):
            if one.placed.plan == c.PLAN_OCO:
                continue
            one.filled += base_units - (fee_units if one.placed.side == c.SELL else 0)
            steps = one.filled // self.books.terms.pairs[one.placed.pair].step_units
            if steps == one.steps:
                continue
            one.steps = steps
            self.tell(e.TriggerSized, one, size_steps=steps)
            if not one.awake:
                one.awake = True
                if one.placed.price_source == c.PRICE_INDEX:
                    self.touch_index(one.placed.pair)

    def touch_index(self, pair_id: int) -> None:
        """Let an index that may be trusted reach what waits for it (RULES 7.7)."""
        terms, pair = self.books.terms, self.books.terms.pairs[pair_id]
        trusted = [terms.trusted(coin, self.books.time_ms) for coin in (pair.base, pair.quote)]
        if all(trusted) and pair.terms.trading:
            self.touch(pair_id, c.PRICE_INDEX, self.price_now(pair_id, c.PRICE_INDEX))

    def touch(self, pair_id: int, source: int, price: Fraction) -> None:
        """Look through all triggers: what rises to the price, what falls to it, what trails it."""
        waiting = [
            one
            for one in self.alive.values()
            if (one.placed.pair, one.placed.price_source) == (pair_id, source)
            and one.awake
            and one.reached is None
        ]
        still = [one for one in waiting if not one.trails]
        rising = [one for one in still if one.rises and price >= one.price]
        falling = [one for one in still if not one.rises and price <= one.price]
        rising.sort(key=lambda one: (one.price, one.id))
        falling.sort(key=lambda one: (-one.price, one.id))
        for one in rising + falling:
            if one.placed.plan == c.PLAN_TRAILING:
                one.trails, one.best = True, one.sees(price)
                self.tell(e.TrailStarted, one, price_ticks=one.best)
            else:
                self.make_due(one, floor(price) if one.rises else ceil(price))
        self.trail([one for one in waiting if one.trails], price)

    def trail(self, trailing: list[NaiveTrigger], price: Fraction) -> None:
        """Let trailing stops see a price; those from which it has come back enough are due."""
        reached: list[tuple[tuple[int, ...], NaiveTrigger]] = []
        for one in trailing:
            sells = one.placed.side == c.SELL
            one.best = max(one.best, one.sees(price)) if sells else min(one.best, one.sees(price))
            if price <= one.level() if sells else price >= one.level():
                group = (one.placed.side, one.placed.callback_e6)
                reached.append(((*group, -one.best if sells else one.best, one.id), one))
        for _, one in sorted(reached, key=lambda row: row[0]):
            self.make_due(one, ceil(price) if one.placed.side == c.SELL else floor(price))

    def make_due(self, one: NaiveTrigger, reached: int) -> None:
        """Let a trigger wait for its turn to fire."""
        one.reached = reached
        self.due.append(one.id)
