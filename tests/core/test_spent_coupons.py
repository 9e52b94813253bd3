"""Spent coupons are forgotten: what the state holds of them does not grow for ever (RULES 9.3)."""

import pytest

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import user_of
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from tests.core.test_coupons import HOUR_MS, SEED, campaign, lender, receipts
from tests.core.world import DAY_MS, World


def held(world: World, account: int) -> list[int]:
    """Return the coupons the state holds of a user."""
    return [coupon.id for coupon in q.coupons_of(world.state, user_of(account))]


def covered(world: World, account: int) -> list[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Return what every receipt of an account says of coupons."""
    return [(row.units, row.saved_units, row.covers) for row in receipts(world, account)]


def pass_day(world: World) -> None:
    """Let a day pass, in which every user's minute comes."""
    world.tick(world.time_ms + DAY_MS)


def claimed_until(world: World, account: int, window_ms: int, hours: int = 2) -> int:
    """Announce a campaign with so long a claim window, and claim its coupon; return its id."""
    number = campaign(world, hours=hours, claim=(0, world.time_ms + window_ms))
    return world.ok(account, c.ClaimCoupon(number)).id


def test_a_used_coupon_is_forgotten_when_all_it_covers_is_charged() -> None:
    world, account = lender()
    coupon = claimed_until(world, account, HOUR_MS)
    world.borrow(account, "USDT", "10000")
    pass_day(world)
    pass_day(world)
    assert [coupon] == held(world, account)
    before = covered(world, account)
    # Nobody has looked at the loan: the hours it covers are still to be charged.
    assert any(covers for _, _, covers in before)

    world.engine = Engine.restore(world.engine.snapshot_lines())
    world.repay(account, "USDT", "100")
    pass_day(world)

    assert [] == held(world, account)
    assert before == covered(world, account)[: len(before)]
    assert not any(balance.coupons for balance in world.state.accounts[account].balances)


def test_one_that_is_not_used_up_is_kept() -> None:
    world, account = lender()
    waiting = claimed_until(world, account, HOUR_MS)
    running = claimed_until(world, account, HOUR_MS, hours=80)
    world.borrow(account, "BTC", "0.1")
    for _ in range(3):
        pass_day(world)
    assert [running, waiting] == held(world, account)

    # As much as both of them cover.
    world.borrow(account, "USDT", "8000")
    world.repay(account, "USDT", "9000")
    for _ in range(5):
        pass_day(world)

    assert [] == held(world, account)


def test_one_that_keeps_its_user_from_another_is_kept() -> None:
    world, account = lender()
    number = campaign(world, hours=1, claim=(0, world.time_ms + 5 * DAY_MS), on_claim=True)
    world.ok(account, c.ClaimCoupon(number))
    for _ in range(4):
        pass_day(world)
    assert Refusal.COUPON_CLAIMED is world.refusal(account, c.ClaimCoupon(number))

    pass_day(world)
    pass_day(world)

    assert [] == held(world, account)
    assert Refusal.CLAIM_WINDOW_CLOSED is world.refusal(account, c.ClaimCoupon(number))


@pytest.mark.parametrize("access", [c.ACCESS_NAMED, c.ACCESS_DRAWN])
def test_one_that_nobody_can_claim_any_more_is_forgotten(access: int) -> None:
    world, account = lender()
    number = campaign(world, access=access, claim=(0, world.time_ms + HOUR_MS))
    if access == c.ACCESS_NAMED:
        world.ok(c.VENUE, c.GrantCoupons(number, [user_of(account)]))
    else:
        world.ok(c.VENUE, c.EnterDraw(number, [user_of(account)]))
        # A draw may be held after the window, and then gives nobody anything.
        pass_day(world)
        world.ok(c.VENUE, c.DrawCoupons(number, SEED))
    assert 1 == len(held(world, account))

    pass_day(world)

    assert [] == held(world, account)
    assert world.refusal(account, c.ClaimCoupon(number)) is Refusal.CLAIM_WINDOW_CLOSED


def test_two_months_of_campaigns_leave_no_more_than_a_few_days_of_coupons() -> None:
    world, account = lender()
    other = world.crossed(USDT="1000")
    most = 0
    for _ in range(60):
        number = campaign(world, hours=20, claim=(0, world.time_ms + HOUR_MS))
        for user in (account, other):
            world.ok(user, c.ClaimCoupon(number))
        world.borrow(account, "USDT", "100")
        world.repay(account, "USDT", "1000")
        # One of them uses its coupon, the other saves them up by starting none.
        pass_day(world)
        most = max(most, len(held(world, account)))
        lines = list(world.engine.snapshot_lines())
        assert lines == list(Engine.restore(lines).snapshot_lines())

    assert most <= 3
    # What waits for its first use is worth something, however long.
    assert 60 == len(held(world, other))
