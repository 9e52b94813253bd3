"""What operators do by hand: move money, two of them for one movement, and restrict (RULES 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core import queries as q

if TYPE_CHECKING:
    from lombard.sim.faults import Asked
    from lombard.sim.traffic import Traffic


def operator(t: Traffic) -> int:
    """Choose by whose hand: one of two operators, or the venue itself."""
    return t.random.choice([c.operator_id(t.users[0]), c.operator_id(t.users[-1]), c.VENUE])


def movement(t: Traffic) -> tuple[int, int, int, int]:
    """Choose kind, user, coin and units of a movement: mostly of a part of what is there."""
    r = t.random
    kind = r.randrange(8) if r.randrange(30) else r.choice([-1, 8])
    of_user = kind in (c.MOVE_DEPOSIT, c.MOVE_WITHDRAWAL)
    user = r.choice(t.users) if of_user else 0
    coin = t.any_coin()
    if r.randrange(30) == 0:
        user, coin = r.choice([(0, coin), (5_000, coin), (user, -1), (user, 99)])
    if coin not in range(len(t.world.state.coins)):
        return kind, user, coin, 1
    there = t.world.state.coins[coin]
    spot = c.account_id(user, c.SLOT_SPOT)
    # A pool that is emptied lends no more: mostly little of it is taken.
    most = {
        c.MOVE_WITHDRAW_POOL: there.pool_units // r.choice([1000, 1000, 1000, 1]),
        c.MOVE_WITHDRAW_INSURANCE: there.insurance_units // r.choice([100, 1]),
        c.MOVE_TAKE_FEES: there.fee_units,
        c.MOVE_TAKE_INTEREST: there.interest_units,
    }.get(kind, 10**there.decimals)
    if kind == c.MOVE_WITHDRAWAL and spot in t.world.state.accounts:
        most = q.balance(t.world.state, spot, coin).available_units
    return kind, user, coin, t.amount(most)


def move(t: Traffic) -> Asked:
    """Move money at once."""
    return operator(t), c.MoveFunds(*movement(t))


def propose(t: Traffic) -> Asked:
    """Propose a movement, or decide upon one that waits, be it one's own."""
    waiting = q.proposals(t.world.state)
    if not waiting or t.random.randrange(3) == 0:
        return operator(t), c.ProposeMove(*movement(t))
    number = t.random.choice(waiting).id if t.random.randrange(20) else 10**18
    if t.random.randrange(6) == 0:
        return operator(t), c.RejectMove(number)
    return operator(t), c.ApproveMove(number)


def freeze(t: Traffic) -> Asked:
    """Freeze an account or all of a user; rather let go again those that are frozen."""
    r = t.random
    users = t.world.state.users
    frozen = [each for user in t.users for each in users[user].accounts if each.frozen]
    if frozen and r.randrange(3):
        one = r.choice(frozen).id
        slot = c.ALL_SLOTS if r.randrange(3) == 0 else c.slot_of(one)
        return operator(t), c.FreezeAccount(c.user_of(one), slot, False)
    slot = r.choice([c.ALL_SLOTS, 0, 1, 1, 1, 2, 3, 60_000, 2**20, -2])
    user = r.choice([*t.users, *t.users, 5_000])
    return operator(t), c.FreezeAccount(user, slot, r.randrange(10) > 0)


def restrict(t: Traffic) -> Asked:
    """Stop a coin's lending or transfers, or resume them."""
    r = t.random
    coin = t.any_coin() if r.randrange(20) else r.choice([-1, 99])
    return operator(t), c.RestrictCoin(coin, r.randrange(4) > 0, r.randrange(4) > 0)


BY_HAND: dict[str, Callable[[Traffic], Asked]] = {
    "move": move,
    "propose": propose,
    "freeze": freeze,
    "restrict": restrict,
}
