"""What triggers do after a command: what it meant for them, and the orders they place (RULES 10).

A script of steps: before every `yield` stands what must happen next, events or an order. It goes on
when something comes that is of triggers, and must have nothing more to say in the end.
"""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core import events as e
from lombard.sim import order_oracle
from lombard.sim.triggers import EXITS, NaiveTrigger

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

FIRED_PER_COMMAND = 100
Steps = Generator[None, None, None]


def settle(a: Auditor) -> Steps:
    """Follow what has happened, and fire what is due, no more than so many at once."""
    yield from follow(a)
    for _ in range(FIRED_PER_COMMAND):
        one = a.triggers.next_due()
        if one is None:
            return
        yield from fire(a, one)
        yield from follow(a)


def follow(a: Auditor) -> Steps:
    """Say what the events since the last time mean for triggers."""
    news = a.happened[a.followed :]
    told = a.triggers.follow(news)
    for kind, values in told:
        a.expect(kind, **values)
    if told:
        yield
    a.followed += len(news) + len(told)


def fire(a: Auditor, one: NaiveTrigger) -> Steps:
    """Say what a due trigger does: it places its order, or fails, and that is its end."""
    plan, order_id = one.placed.plan, one.placed.order_id
    whose = {"trigger_id": one.id, "account": one.placed.account, "pair": one.placed.pair}
    standing = a.book.orders.get(order_id)
    a.triggers.drop(one)
    if plan == c.PLAN_OCO and standing is None:
        a.expect(e.TriggerCancelled, **whose, reason=e.TRIGGER_BY_ORDER)
        yield
        return
    steps = one.steps
    replaced = None
    if standing is not None and plan == c.PLAN_OCO:
        steps, replaced = standing.steps, standing
    elif standing is not None:
        a.take_out(standing, e.CLOSED_BY_VENUE)
    edge = edge_of(a, one)
    order = order_of(one, steps, edge)
    refusal = order_oracle.refuse(a, one.placed.account, order, replaced, edge)
    if refusal is not None:
        assert refusal.refusal is not None
        said = {"units": refusal.units, "detail": refusal.detail}
        said = {name: value for name, value in said.items() if value is not None}
        a.expect(
            e.TriggerFailed,
            **whose,
            **said,
            reached_ticks=one.reached,
            refusal=refusal.refusal.value,
        )
        yield
        return
    a.expect(e.TriggerFired, **whose, reached_ticks=one.reached)
    a.ask(order, edge)
    yield
    siblings = a.triggers.of_order(order_id) if plan in EXITS else []
    for other in siblings:
        a.triggers.drop(other)
        a.expect(
            e.TriggerCancelled,
            trigger_id=other.id,
            account=other.placed.account,
            pair=other.placed.pair,
            reason=e.TRIGGER_BY_SIBLING,
        )
    if siblings:
        yield


def edge_of(a: Auditor, one: NaiveTrigger) -> int:
    """Return the worst price of a fired market order: the band's edge, or as far from the price
    that was reached while there is no index."""
    assert one.reached is not None
    pair = a.terms.pairs[one.placed.pair]
    buys = one.placed.side == c.BUY
    if pair.base in a.terms.prices and pair.quote in a.terms.prices:
        low, high = a.terms.band(one.placed.pair, "band_e6")
        return high if buys else low
    width = Fraction(a.terms.parameters["band_e6"], 10**6)
    return floor(one.reached * (1 + width)) if buys else ceil(one.reached * (1 - width))


def order_of(one: NaiveTrigger, steps: int, edge: int) -> c.PlaceOrder:
    """Make a trigger's order; a market buy of a size takes up to the edge, and rests never."""
    kind, force, limit = one.kind, one.placed.force, one.limit
    if kind == c.MARKET and one.placed.side == c.BUY and steps:
        kind, force, limit = c.LIMIT, c.IOC, edge
    return c.PlaceOrder(
        one.placed.pair, one.placed.side, kind, force, one.placed.loan_type, one.placed.stp, limit,
        steps, one.budget, "", one.placed.source,
    )  # fmt: skip
