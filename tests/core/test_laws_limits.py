"""Limits say the truth: what they allow is accepted, one unit more is refused (RULES 6.1, 9.1).

States come from random traffic; every question is put to a copy of the venue, and the figures are
worked out a second time, from the auditor's fractions.
"""

from fractions import Fraction
from math import floor
from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Command, account_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.state import Coin, Reply
from lombard.sim.auditor import Auditor
from lombard.sim.traffic import Traffic
from tests.core.audited import Audited

OVER_LIMIT = {
    "leverage": Refusal.BORROW_OVER_LEVERAGE,
    "tier": Refusal.BORROW_OVER_LEVERAGE,
    "ratio": Refusal.BORROW_OVER_RATIO,
    "user_limit": Refusal.BORROW_OVER_USER_LIMIT,
    "pool": Refusal.BORROW_OVER_POOL,
}
# Why nothing at all may be lent or moved, whatever the amount.
NEVER_LENT = {
    Refusal.NOT_BORROWABLE,
    Refusal.INDEX_STALE,
    Refusal.IN_LIQUIDATION,
    Refusal.ACCOUNT_FROZEN,
    Refusal.BORROW_UNDER_MINIMUM,
}
NEVER_MOVED = {
    Refusal.NOT_TRANSFERABLE,
    Refusal.INDEX_STALE,
    Refusal.IN_LIQUIDATION,
    Refusal.ACCOUNT_FROZEN,
}


class Copies:
    """Copies of a venue as it stands, each for one question."""

    def __init__(self, engine: Engine) -> None:
        self.lines = list(engine.snapshot_lines())

    def ask(self, account: int, cmd: Command) -> tuple[Reply, Engine]:
        """Apply a command to a fresh copy, and audit it."""
        engine = Engine.restore(self.lines)
        envelope = c.Envelope(engine.state.seq + 1, engine.time_ms, b"", account, cmd)
        reply, _ = engine.apply(envelope)
        engine.check()
        return reply, engine


def check_borrowing(copies: Copies, auditor: Auditor, engine: Engine, account: int) -> int:
    """Borrow the limit of every coin, and one unit more; return how many were lent."""
    state = engine.state
    lent = 0
    for coin in state.coins:
        if not state.accounts[account].holds(coin):
            assert 0 == q.max_borrowable(state, account, coin.id).units
            continue
        limit = q.max_borrowable(state, account, coin.id)
        more, _ = copies.ask(account, c.Borrow(coin.id, limit.units + 1, ""))
        if more.refusal in NEVER_LENT:
            # What is refused whatever the amount is not shown as allowed, and by what name.
            whatever = more.refusal is not Refusal.BORROW_UNDER_MINIMUM
            assert not whatever or (0, more.refusal.value) == (limit.units, limit.binding)
            continue
        assert OVER_LIMIT[limit.binding] == more.refusal
        assert limit.units == more.units
        assert limit.units == borrowable(auditor, engine, account, coin)
        if limit.units >= coin.min_borrow_units:
            reply, after = copies.ask(account, c.Borrow(coin.id, limit.units, ""))
            assert reply.refusal is None
            assert not q.in_liquidation(after.state, account)
            lent += 1
    return lent


def slow_values(engine: Engine) -> dict[int, Fraction]:
    """Return what a unit of each coin is worth at its slow average (RULES 7.5)."""
    return {
        coin.id: Fraction(coin.slow_price_e12, 10 ** (12 + coin.decimals))
        for coin in engine.state.coins
    }


def borrowable(auditor: Auditor, engine: Engine, account: int, coin: Coin) -> int:
    """Work out RULES 6.1 in fractions."""
    slow = slow_values(engine)
    net, debt, _ = auditor.risk(account, slow)
    price = max(auditor.terms.unit_value(coin.id), slow[coin.id])
    principal = auditor.loans[account, coin.id].principal
    slot = c.slot_of(account)
    if slot >= c.SLOT_ISOLATED:
        pair = auditor.terms.pairs[slot - c.SLOT_ISOLATED]
        column = 0 if coin.id == pair.base else 1
        tiers = [(row[column], row[2]) for row in pair.terms.isolated_tiers]
    else:
        tiers = [(row[0], row[1]) for row in auditor.terms.coins[coin.id].cross_tiers]
    own = engine.state.accounts[account].leverage
    room = max(
        min(most - principal, floor(((min(own or top, top) - 1) * net - debt) / price))
        for most, top in tiers
    )
    user = c.user_of(account)
    owed = sum(
        loan.debt
        for (other, owed_coin), loan in auditor.loans.items()
        if c.user_of(other) == user and owed_coin == coin.id
    )
    multiplier = Fraction(q.vip_levels(engine.state)[auditor.levels[user]][1], 10**6)
    allowed = floor(auditor.terms.coins[coin.id].user_limit_units * multiplier)
    calm = calm_room(auditor, account, coin.id, slow, [most - principal for most, _ in tiers])
    return max(0, min(room, calm, allowed - owed, coin.pool_units))


def calm_room(
    auditor: Auditor, account: int, coin: int, slow: dict[int, Fraction], edges: list[int]
) -> int:
    """Search for the last unit up to which every loan leaves the ratio at 0.5 or less."""

    def calm(units: int) -> bool:
        net, _, needed = auditor.risk(account, slow, {coin: (units, units, units)})
        return 2 * needed <= net

    room = 0
    # Between the edges of tiers a unit more always adds: that is where halving finds the last.
    for edge in sorted(edge for edge in edges if edge > 0):
        if not calm(room + 1):
            return room
        refused = edge + 1
        while refused - room > 1:
            middle = (room + refused) // 2
            if calm(middle):
                room = middle
            else:
                refused = middle
        if room < edge:
            return room
    return room


def check_transfers(copies: Copies, auditor: Auditor, engine: Engine, account: int) -> int:
    """Move the limit of every coin to spot, and one unit more; return how many could move."""
    state = engine.state
    moved = 0
    spot = account_id(c.user_of(account), c.SLOT_SPOT)
    for view in q.balances(state, account):
        limit = q.max_transferable(state, account, view.coin)
        more, _ = copies.ask(account, c.Transfer(spot, view.coin, limit + 1, ""))
        assert more.refusal is not None
        if more.refusal in NEVER_MOVED:
            assert limit == 0 or more.refusal == Refusal.NOT_TRANSFERABLE
            continue
        over = limit < view.available_units
        assert (
            Refusal.TRANSFER_OVER_MAXIMUM if over else Refusal.INSUFFICIENT_BALANCE
        ) == more.refusal
        indebted = account in state.indebted
        if not indebted:
            assert limit == view.available_units
        elif view.available_units:
            slow = slow_values(engine)
            net, debt, needed = auditor.risk(account, slow)
            price = max(auditor.terms.unit_value(view.coin), slow[view.coin])
            room = floor(min(net - debt, net - 2 * needed) / price)
            assert limit == max(0, min(view.available_units, room))
        if limit:
            reply, after = copies.ask(account, c.Transfer(spot, view.coin, limit, ""))
            assert reply.refusal is None
            risk = q.risk(after.state, account)
            assert 2 * risk.maintenance_e26 <= risk.net_e26
            assert risk.debt_e26 <= risk.net_e26 or not indebted
            moved += 1
    return moved


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_a_limit_is_accepted_and_one_unit_more_refused(seed: int) -> None:
    world = Audited()
    random = Random(seed)
    traffic = Traffic(world, random)
    lent = moved = 0
    for number in range(2_000):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if number % 80 == 79:
            copies = Copies(world.engine)
            accounts = [account for account in world.state.accounts.values() if account.margin]
            indebted = list(world.state.indebted.values())
            for chosen in [random.choice(accounts), random.choice(indebted or accounts)]:
                lent += check_borrowing(copies, world.auditor, world.engine, chosen.id)
                moved += check_transfers(copies, world.auditor, world.engine, chosen.id)

    assert lent > 10
    assert moved > 10
