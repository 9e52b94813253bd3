"""Users who have had enough: positions closed, and debts paid at a stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.sim.faults import debtor

if TYPE_CHECKING:
    from lombard.sim.faults import Asked
    from lombard.sim.traffic import Traffic


def close(t: Traffic) -> Asked:
    """Close a position on a pair, mostly one that there is."""
    account = debtor(t) if t.random.randrange(8) else t.account()
    pair = t.slot_pair(account).id
    if t.random.randrange(30) == 0:
        pair = t.random.choice([-1, len(t.world.state.pairs)])
    return account, c.ClosePosition(pair, t.random.randrange(3) > 0, t.oid(), c.SOURCE_API)


def flash(t: Traffic) -> Asked:
    """Pay a debt from whatever there is, or all debts; seldom of a coin that is not owed."""
    account = debtor(t) if t.random.randrange(8) else t.account()
    owed = [view.coin for view in t.balances(account) if view.principal_units]
    coin = t.random.choice([*owed, *owed, -1])
    if t.random.randrange(20) == 0:
        coin = t.random.choice([-2, len(t.world.state.coins), t.any_coin()])
    return account, c.FlashRepay(coin)


ENDING = {"close": close, "flash": flash}
