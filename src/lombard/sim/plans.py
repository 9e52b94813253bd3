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
    what = r.randrange(10)
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
        mine = t.world.state.triggers.of_account.get(account, {0: None})
        cmd = c.CancelTrigger(r.choice(list(mine)), "")
    return account, cmd
