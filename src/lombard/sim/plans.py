"""Orders that wait for a price: triggers, exits of an entry, one-cancels-the-other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core.commands import Command

if TYPE_CHECKING:
    from lombard.sim.faults import Asked
    from lombard.sim.traffic import Traffic


def trigger(t: Traffic) -> Asked:
    """Wait for a price, alone or with an order, or wait no longer."""
    r = t.random
    account, pair, side, spend, loan_type = t.spender()
    source, oid, trigger = r.randrange(2), t.oid(), t.price_ticks(pair, side)
    price = t.price_ticks(pair, side)
    size = max(1, spend // max(1, price * pair.quote_per_tick_step))
    if side == c.SELL:
        size = max(1, spend // pair.step_units)
    what = r.randrange(12)
    kind = r.randrange(2)
    quote = spend if kind and side == c.BUY else 0
    if what < 5:
        plan = r.choice([0, 0, 1, 2])
        trails = plan == c.PLAN_TRAILING
        cmd: Command = c.PlaceTrigger(
            pair.id, plan, source, 0 if trails and r.randrange(2) else trigger,
            r.choice([1_000, 5_000, 10_000]) if trails else 0, side, kind, 0, loan_type, 0,
            0 if kind else price, 0 if quote else size, quote, oid, 0,
        )  # fmt: skip
    elif what < 7:
        above, below = price * 102 // 100, price * 98 // 100
        profit, loss = (above, below) if side == c.BUY else (below, above)
        cmd = c.PlaceWithExits(
            pair.id, side, 0, r.choice([0, 0, 1]), loan_type, 0, price, size, 0, source,
            profit, 0, loss, 0, oid, 0,
        )  # fmt: skip
    elif what < 9:
        cmd = c.PlaceOco(
            pair.id, side, loan_type, 0, price, size, source, trigger, r.choice([0, price]),
            oid, 0,
        )  # fmt: skip
    else:
        return unwait(t)
    return account, cmd


def unwait(t: Traffic) -> Asked:
    """Cancel a trigger, or change it, or cancel all; sometimes one that is not there."""
    r = t.random
    waiting = [one for user in t.users for one in t.triggers(user)]
    if not waiting or r.randrange(20) == 0:
        return t.account(), c.CancelTrigger(5, r.choice(["", "a"]))
    one = r.choice(waiting)
    named = (0, one.client_oid) if one.client_oid and r.randrange(2) else (one.id, "")
    what = r.randrange(9)
    pairs = r.choice([[], [one.pair.id], [one.pair.id, 0, 0], [one.pair.id, 99]])
    if what == 0:
        return one.account.id, c.CancelAllTriggers(pairs)
    if what == 1:
        return one.account.id, c.CancelEverything(pairs)
    if what < 5:
        return one.account.id, c.CancelTrigger(*named)
    price = t.price_ticks(one.pair, one.side)
    trigger_ticks = r.choice([t.price_ticks(one.pair, one.side), one.trigger_ticks])
    size = one.size_steps * r.randrange(50, 150) // 100
    limit = price if one.kind == c.LIMIT else 0
    return one.account.id, c.ModifyTrigger(
        named[0], named[1], trigger_ticks, one.kind, limit, size, one.quote_units
    )


def fire(t: Traffic) -> Asked:
    """Let what is due go on."""
    return c.VENUE, c.FireTriggers()
