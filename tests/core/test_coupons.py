"""Coupons: what they cover, when they start and end, who gets them (RULES 9.3), by hand."""

from hashlib import sha256

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command, account_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.units import parse_units
from tests.core.world import BTC, START_MS, USDT, World, clock

HOUR_MS = 3_600_000
FOREVER_MS = 10**15
SEED = "00ff" * 16


def lender(profile: int = 0, rate: str = "0.0024") -> tuple[World, int]:
    """Make a world where 10 000 USDT cost one USDT an hour, at the start of its second day."""
    world = World()
    world.parameter("interest_profile", profile)
    world.rate("USDT", rate)
    world.tick("1 00:00")
    return world, world.crossed(USDT="100000", BTC="5")


def campaign(
    world: World,
    discount: str = "0.5",
    cap: str = "4000",
    *,
    hours: int = 24,
    on_claim: bool = False,
    access: int = c.ACCESS_OPEN,
    count: int = 100,
    claim: tuple[int, int] = (0, FOREVER_MS),
    **other_caps: str,
) -> int:
    """Announce a campaign; return its id."""
    caps = {"USDT": cap, **other_caps}
    seed_hash = sha256(bytes.fromhex(SEED)).hexdigest() if access == c.ACCESS_DRAWN else ""
    cmd = c.CreateCampaign(
        "May",
        parse_units(discount, 6),
        sorted((world.coin(coin).id, world.units(coin, amount)) for coin, amount in caps.items()),
        hours * HOUR_MS,
        *claim,
        count,
        access,
        on_claim,
        seed_hash,
    )
    return world.ok(c.VENUE, cmd).id


def claimed(world: World, account: int, *args: str, hours: int = 24, on_claim: bool = False) -> int:
    """Announce a campaign and claim its coupon at once; return the coupon's id."""
    number = campaign(world, *args, hours=hours, on_claim=on_claim)
    return world.ok(account, c.ClaimCoupon(number)).id


def receipts(world: World, account: int) -> list[e.InterestCharged]:
    """Return every receipt of an account, those not written yet included."""
    rows = [row for row in world.history if isinstance(row, e.InterestCharged)]
    rows += q.pending_interest(world.state, account)
    return [row for row in rows if row.account == account]


def saved(world: World, account: int) -> list[int]:
    """Return what coupons saved, receipt by receipt, in millionths of a USDT."""
    rows = receipts(world, account)
    assert all(row.saved_units % 100 == 0 for row in rows)
    return [row.saved_units // 100 for row in rows]


def coupon_of(world: World, account: int, coupon_id: int) -> q.Coupon:
    """Find a coupon."""
    mine = q.coupons_of(world.state, c.user_of(account))
    return next(coupon for coupon in mine if coupon.id == coupon_id)


def status(world: World, account: int, coupon_id: int) -> str:
    """Say what a coupon is good for now."""
    return q.coupon_status(coupon_of(world, account, coupon_id), world.engine.time_ms)


# --- what is covered ----------------------------------------------------------------------------


def test_a_coupon_takes_its_part_off_what_it_covers() -> None:
    world, account = lender()
    coupon = claimed(world, account, "0.5", "4000", hours=2)
    world.borrow(account, "USDT", "10000", at="1 01:10")
    (started,) = world.of_type(e.CouponStarted)
    assert (coupon, account) == (started.coupon_id, started.account)
    assert (clock("1 01:10"), clock("1 03:10")) == (started.start_ms, started.end_ms)

    world.tick("1 04:30")

    # Half of the interest on 4000 of 10 000: a fifth of a USDT an hour, until ten past three.
    rows = receipts(world, account)
    assert [200_000, 200_000, 200_000, 0] == saved(world, account)
    assert [80_000_000] * 3 + [10**8] == [row.units for row in rows]
    assert [((coupon, 4000 * 10**8),)] * 3 + [()] == [row.covers for row in rows]
    assert 340_000_000 == world.balance(account, "USDT").interest_units
    reply = world.repay(account, "USDT", "20000")
    assert (10_000 * 10**8 + 340_000_000, 0) == (reply.units, reply.remaining)
    # The venue's income is smaller by exactly that.
    assert 4 * 10**8 - 60_000_000 == world.coin("USDT").interest_units


def test_interest_free() -> None:
    world, account = lender()
    claimed(world, account, "1", "10000", hours=3)
    world.borrow(account, "USDT", "10000", at="1 01:00")

    # [01:00, 04:00): the charge of 04:00 is not in it.
    world.tick("1 03:59:59.999")
    assert 0 == world.balance(account, "USDT").interest_units
    world.tick("1 04:00")
    assert 10**8 == world.balance(account, "USDT").interest_units
    assert [10**6] * 3 + [0] == saved(world, account)


@pytest.mark.parametrize(
    ("on_claim", "at", "hours", "expected"),
    [
        # The hour of borrowing was charged before; the next is covered.
        (False, "1 01:30", 24, [0, 1, 1, 1]),
        # From first use, which is the charge of 02:00: [02:00, 03:00).
        (False, "1 01:30", 1, [0, 1, 0, 0]),
        # From the claim: [01:30, 02:30).
        (True, "1 01:30", 1, [0, 1, 0, 0]),
        (True, "1 01:30", 2, [0, 1, 1, 0]),
        # A command at 02:00:00.000 comes after the charge of 02:00 (RULES 3.1).
        (False, "1 02:00:00.000", 1, [0, 0, 1, 0]),
        (True, "1 02:00:00.000", 1, [0, 0, 0, 0]),
        (True, "1 02:00:00.000", 2, [0, 0, 1, 0]),
        (True, "1 02:00:00.001", 1, [0, 0, 1, 0]),
    ],
)
def test_a_claim_affects_later_charges_only(
    on_claim: bool, at: str, hours: int, expected: list[int]
) -> None:
    world, account = lender()
    number = campaign(world, "1", "10000", hours=hours, on_claim=on_claim)
    world.borrow(account, "USDT", "10000", at="1 01:10")
    world.ok(account, c.ClaimCoupon(number), at=at)

    world.tick("1 04:10")

    assert [row * 10**6 for row in expected] == saved(world, account)


def test_the_higher_discount_covers_the_first_slice() -> None:
    world, account = lender()
    half = claimed(world, account, "0.5", "4000")
    free = claimed(world, account, "1", "3000")
    world.borrow(account, "USDT", "10000", at="1 01:10")

    (row,) = receipts(world, account)
    assert ((free, 3000 * 10**8), (half, 4000 * 10**8)) == row.covers
    assert 50_000_000 == row.saved_units == row.units


def test_of_equal_discounts_the_sooner_to_expire_then_the_older() -> None:
    world, account = lender()
    long = claimed(world, account, "0.5", "1000", hours=30)
    first, second = (claimed(world, account, "0.5", "1000", hours=20) for _ in range(2))
    world.borrow(account, "USDT", "2500", at="1 01:10")

    (row,) = receipts(world, account)
    assert ((first, 10**11), (second, 10**11), (long, 5 * 10**10)) == row.covers


def test_what_is_active_goes_first_at_the_charge_that_starts_another() -> None:
    world, account = lender()
    fifth = claimed(world, account, "0.2", "4000")
    world.borrow(account, "USDT", "10000", at="1 01:10")
    free = claimed(world, account, "1", "8000")

    # Nobody touches the loan: the order changes between 02:00 and 03:00 all the same.
    world.tick("1 04:10")

    covers = [
        ((fifth, 4000 * 10**8),),
        ((fifth, 4000 * 10**8), (free, 6000 * 10**8)),
        ((free, 8000 * 10**8), (fifth, 2000 * 10**8)),
        ((free, 8000 * 10**8), (fifth, 2000 * 10**8)),
    ]
    assert covers == [row.covers for row in receipts(world, account)]
    assert [80_000, 680_000, 840_000, 840_000] == saved(world, account)
    assert 4 * 10**8 - 244_000_000 == world.balance(account, "USDT").interest_units


@pytest.mark.parametrize("restored", [False, True])
def test_a_coupon_that_ends_makes_room_for_the_next(restored: bool) -> None:
    world, account = lender()
    first = claimed(world, account, "1", "10000", hours=2)
    second = claimed(world, account, "0.5", "10000", hours=2)
    world.borrow(account, "USDT", "10000", at="1 01:10")
    if restored:
        world.engine = Engine.restore(list(world.engine.snapshot_lines()))
    world.tick("1 02:30")
    assert ["active", "claimed"] == [status(world, account, n) for n in (first, second)]

    world.tick("1 06:10")

    assert [10**6, 10**6, 10**6, 500_000, 500_000, 0] == saved(world, account)
    turned = [row for row in world.events if isinstance(row, (e.CouponStarted, e.CouponEnded))]
    assert [
        ("CouponEnded", first),
        ("CouponStarted", second),
        ("CouponEnded", second),
    ] == [(type(row).__name__, row.coupon_id) for row in turned]
    assert ["used", "used"] == [status(world, account, n) for n in (first, second)]


def test_a_loan_that_shrinks_is_covered_as_far_as_it_goes() -> None:
    world, account = lender()
    claimed(world, account, "1", "4000")
    world.borrow(account, "USDT", "10000", at="1 01:10")
    due = world.balance(account, "USDT").interest_units
    world.ok(account, c.Repay(USDT, due + 7000 * 10**8, ""))

    world.tick("1 02:10")
    world.borrow(account, "USDT", "2000")

    # 3000 are free at two; of the 2000 borrowed then, what is below 4000 is.
    assert [400_000, 300_000, 100_000] == saved(world, account)


def test_borrowing_in_parts_covers_no_more() -> None:
    world, account = lender()
    coupon = claimed(world, account, "1", "4000")
    for _ in range(4):
        world.borrow(account, "USDT", "2500", at="1 01:10")

    covered = [dict(row.covers).get(coupon, 0) for row in receipts(world, account)]
    assert [2500 * 10**8, 1500 * 10**8, 0, 0] == covered


def test_a_slice_that_was_charged_before_is_not_used_by_a_loan_above_it() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "1000", at="1 01:10")
    coupon = claimed(world, account, "1", "1000", on_claim=True)
    world.borrow(account, "USDT", "500", at="1 01:30")
    assert 0 == coupon_of(world, account, coupon).account

    # It is still free to be another account's, in the same hour.
    user = c.user_of(account)
    isolated = account_id(user, c.SLOT_ISOLATED)
    world.fund(isolated, "USDT", "10000")
    world.borrow(isolated, "USDT", "1000")

    assert isolated == coupon_of(world, account, coupon).account
    assert [0, 0] == saved(world, account)
    assert [100_000] == saved(world, isolated)


def test_a_coupon_is_of_the_account_that_uses_it_first() -> None:
    world, account = lender()
    isolated = account_id(c.user_of(account), c.SLOT_ISOLATED)
    world.fund(isolated, "USDT", "50000")
    claimed(world, account, "1", "10000")
    world.borrow(isolated, "USDT", "10000", at="1 01:10")
    world.borrow(account, "USDT", "10000")

    world.tick("1 03:10")

    assert [10**6] * 3 == saved(world, isolated)
    assert [0] * 3 == saved(world, account)


def test_at_a_full_hour_the_lowest_account_uses_it() -> None:
    world, account = lender()
    isolated = account_id(c.user_of(account), c.SLOT_ISOLATED)
    world.fund(isolated, "USDT", "50000")
    world.borrow(isolated, "USDT", "10000", at="1 01:10")
    world.borrow(account, "USDT", "10000")
    claimed(world, account, "1", "10000")

    world.tick("1 03:10")

    assert [0, 0, 0] == saved(world, isolated)
    assert [0, 10**6, 10**6] == saved(world, account)


def test_a_coupon_for_several_coins_covers_each_of_them() -> None:
    world, account = lender()
    world.rate("BTC", "0.0024")
    world.tick("1 01:00")
    number = campaign(world, "1", "5000", BTC="0.5")
    world.ok(account, c.ClaimCoupon(number))
    world.borrow(account, "USDT", "10000", at="1 01:10")
    world.borrow(account, "BTC", "1")

    world.tick("1 02:10")

    # 1 BTC costs 0.0001 an hour: half of it.
    by_coin = [(row.coin, row.saved_units) for row in receipts(world, account)]
    assert [(USDT, 5 * 10**7), (BTC, 5_000), (USDT, 5 * 10**7), (BTC, 5_000)] == by_coin


def test_the_saving_is_of_the_rate_after_vip() -> None:
    world, account = lender()
    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (500_000, 10**6)]))
    claimed(world, account, "0.5", "10000")
    world.borrow(account, "USDT", "10000", at="1 01:10")
    world.ok(c.VENUE, c.SetUserLevel(c.user_of(account), 1))

    world.tick("1 03:10")

    assert [500_000, 250_000, 250_000] == saved(world, account)
    assert [50_000_000, 25_000_000, 25_000_000] == [r.units for r in receipts(world, account)]


def test_rounded_up_where_the_venue_says_so() -> None:
    world, account = lender(profile=1, rate="0.00041")
    claimed(world, account, "0.5", "4", hours=2)
    world.borrow(account, "USDT", "4", at="1 01:10")

    world.tick("1 04:10")

    # 6833 1/3 an hour; of it half, 3416 2/3: each is rounded up.
    rows = receipts(world, account)
    assert [(3417, 3417)] * 3 + [(6834, 0)] == [(row.units, row.saved_units) for row in rows]
    assert 3 * 3417 + 6834 == world.balance(account, "USDT").interest_units


def test_quiet_hours_look_at_nobody() -> None:
    world, account = lender()
    for _ in range(3):
        claimed(world, account, "0.5", "1000", hours=100)
    world.borrow(account, "USDT", "2500", at="1 01:10")
    world.tick("1 02:00")

    # Where the three of them end, and nowhere else: not one hour turns because of a loan.
    assert [world.state.hour + 100] == sorted(world.state.coupon_turns)


# --- who gets them --------------------------------------------------------------------------------


def test_the_smallest_hashes_win_a_draw() -> None:
    world = World()
    number = campaign(world, access=c.ACCESS_DRAWN, count=3)
    users = [world.user() for _ in range(10)]
    world.ok(c.VENUE, c.EnterDraw(number, users[:6]))
    world.ok(c.VENUE, c.EnterDraw(number, users[6:]))

    world.ok(c.VENUE, c.DrawCoupons(number, SEED))

    by_hash = {
        sha256(bytes.fromhex(SEED) + number.to_bytes(8, "big") + user.to_bytes(8, "big")): user
        for user in users
    }
    ranked = sorted((found.hexdigest(), user) for found, user in by_hash.items())
    winners = [user for _, user in ranked[:3]]
    assert winners == [row.user for row in world.of_type(e.CouponGranted)]
    (drawn,) = world.of_type(e.CouponsDrawn)
    assert (SEED, 10, ranked[2][0]) == (drawn.seed, drawn.entrants, drawn.cut_hash)
    for user in users:
        refusal = world.refusal(account_id(user, c.SLOT_SPOT), c.ClaimCoupon(number))
        assert (None if user in winners else Refusal.COUPON_NOT_GRANTED) == refusal


def test_in_a_small_draw_everybody_wins() -> None:
    world = World()
    number = campaign(world, access=c.ACCESS_DRAWN, count=3)
    world.ok(c.VENUE, c.EnterDraw(number, [world.user()]))

    world.ok(c.VENUE, c.DrawCoupons(number, SEED))

    assert 1 == len(world.of_type(e.CouponGranted))


def test_coupons_by_name() -> None:
    world = World()
    number = campaign(world, access=c.ACCESS_NAMED, count=2)
    first, second, third = (world.user() for _ in range(3))
    world.ok(c.VENUE, c.GrantCoupons(number, [first]))
    reply = world.refused(c.VENUE, c.GrantCoupons(number, [second, third]))
    assert (Refusal.COUPONS_GONE, 1) == (reply.refusal, reply.units)
    world.ok(c.VENUE, c.GrantCoupons(number, [third]))

    claims = [
        world.refusal(account_id(user, c.SLOT_SPOT), c.ClaimCoupon(number))
        for user in (first, second, third)
    ]

    assert [None, Refusal.COUPON_NOT_GRANTED, None] == claims


def test_an_open_campaign_is_first_come_first_served() -> None:
    world = World()
    number = campaign(world, count=2)
    accounts = [world.spot() for _ in range(3)]

    claims = [world.refusal(account, c.ClaimCoupon(number)) for account in accounts]

    assert [None, None, Refusal.COUPONS_GONE] == claims
    assert Refusal.COUPON_CLAIMED == world.refusal(accounts[0], c.ClaimCoupon(number))


def test_a_claim_is_refused_in_this_order() -> None:
    world = World()
    late = campaign(world, access=c.ACCESS_NAMED, claim=(clock("02:00"), clock("03:00")))
    user = world.user()
    account = account_id(user, c.SLOT_SPOT)
    unknown = c.ClaimCoupon(7)
    assert Refusal.CAMPAIGN_UNKNOWN == world.refusal(account, unknown)
    for at, expected in [
        ("01:59:59.999", Refusal.CLAIM_WINDOW_CLOSED),
        ("02:00", Refusal.COUPON_NOT_GRANTED),
        ("03:00", Refusal.CLAIM_WINDOW_CLOSED),
    ]:
        world.tick(at)
        assert expected == world.refusal(account, c.ClaimCoupon(late))


def test_statuses() -> None:
    world, account = lender()
    granted = campaign(world, access=c.ACCESS_NAMED, claim=(0, clock("1 02:00")))
    world.ok(c.VENUE, c.GrantCoupons(granted, [c.user_of(account)]))
    (coupon,) = q.coupons_of(world.state, c.user_of(account))
    assert "available" == status(world, account, coupon.id)
    waiting = claimed(world, account, "1", "1")
    idle = claimed(world, account, "1", "1", hours=1, on_claim=True)
    assert ["claimed", "active"] == [status(world, account, n) for n in (waiting, idle)]

    world.tick("1 02:00")

    statuses = [status(world, account, n) for n in (coupon.id, waiting, idle)]
    assert ["expired", "claimed", "expired"] == statuses
    mine = q.coupons_of(world.state, c.user_of(account))
    assert [idle, waiting, coupon.id] == [row.id for row in mine]
    assert [] == q.coupons_of(world.state, 7)


def changed(**changes: object) -> c.CreateCampaign:
    """Make a campaign that is right but for the changes."""
    terms: dict[str, object] = {
        "name": "May",
        "discount_e6": 1,
        "caps": [(0, 1), (2, 1)],
        "duration_ms": 1,
        "claim_from_ms": 0,
        "claim_until_ms": FOREVER_MS,
        "count": 1,
        "access": c.ACCESS_OPEN,
        "starts_on_claim": False,
        "seed_hash": "",
    }
    return c.CreateCampaign(**(terms | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        # Each row is wrong in every later way too, so the table also fixes the order.
        ({"name": "", "discount_e6": 0}, "name"),
        ({"name": "x" * 51, "discount_e6": 0}, "name"),
        ({"name": "a\n", "discount_e6": 0}, "name"),
        ({"discount_e6": 0, "caps": []}, "discount"),
        ({"discount_e6": 10**6 + 1, "caps": []}, "discount"),
        ({"caps": [], "duration_ms": 0}, "caps"),
        ({"caps": [(0, 0)], "duration_ms": 0}, "caps"),
        ({"caps": [(0, 10**30 + 1)], "duration_ms": 0}, "caps"),
        ({"caps": [(2, 1), (0, 1)], "duration_ms": 0}, "caps"),
        ({"caps": [(0, 1), (0, 1)], "duration_ms": 0}, "caps"),
        ({"caps": [(6, 1)], "duration_ms": 0}, "caps"),
        ({"caps": [(-1, 1)], "duration_ms": 0}, "caps"),
        ({"duration_ms": 0, "claim_from_ms": -1}, "duration"),
        ({"duration_ms": 36_526 * 86_400_000, "claim_from_ms": -1}, "duration"),
        ({"claim_from_ms": -1, "count": 0}, "claim window"),
        ({"claim_from_ms": FOREVER_MS, "count": 0}, "claim window"),
        ({"claim_until_ms": START_MS, "count": 0}, "claim window"),
        ({"count": 0, "access": 3}, "count"),
        ({"count": 10**6 + 1, "access": 3}, "count"),
        ({"access": 3, "seed_hash": "0"}, "access"),
        ({"seed_hash": "0" * 64}, "seed hash"),
        ({"access": c.ACCESS_DRAWN}, "seed hash"),
        ({"access": c.ACCESS_DRAWN, "seed_hash": "0" * 62}, "seed hash"),
        ({"access": c.ACCESS_DRAWN, "seed_hash": "A" * 64}, "seed hash"),
    ],
)
def test_campaigns_that_are_none(changes: dict[str, object], detail: str) -> None:
    reply = World().refused(c.VENUE, changed(**changes))

    assert (Refusal.CONFIGURATION_INVALID, detail) == (reply.refusal, reply.detail)


def test_a_campaign_that_is_one() -> None:
    world = World()

    world.ok(c.VENUE, changed())
    world.ok(c.VENUE, changed(access=c.ACCESS_DRAWN, seed_hash="0" * 64))

    assert [c.ACCESS_OPEN, c.ACCESS_DRAWN] == [row.access for row in q.campaigns(world.state)]


def test_grants_entries_and_draws_that_are_none() -> None:
    world = World()
    user, other = world.user(), world.user()
    opened, named = campaign(world), campaign(world, access=c.ACCESS_NAMED)
    drawn = campaign(world, access=c.ACCESS_DRAWN)
    world.ok(c.VENUE, c.GrantCoupons(named, [other]))
    invalid = Refusal.CONFIGURATION_INVALID
    table: list[tuple[Command, Refusal, str]] = [
        (c.GrantCoupons(7, []), Refusal.CAMPAIGN_UNKNOWN, ""),
        (c.GrantCoupons(opened, []), invalid, "access"),
        (c.GrantCoupons(named, []), invalid, "users"),
        (c.GrantCoupons(named, [user] * 10_001), invalid, "users"),
        (c.GrantCoupons(named, [user, 7, user]), Refusal.USER_UNKNOWN, "7"),
        (c.GrantCoupons(named, [user, user]), invalid, f"user {user} twice"),
        (c.GrantCoupons(named, [user, other]), invalid, f"user {other} twice"),
        (c.EnterDraw(7, []), Refusal.CAMPAIGN_UNKNOWN, ""),
        (c.EnterDraw(named, []), invalid, "access"),
        (c.EnterDraw(drawn, [user, user]), invalid, f"user {user} twice"),
        (c.DrawCoupons(7, ""), Refusal.CAMPAIGN_UNKNOWN, ""),
        (c.DrawCoupons(named, ""), invalid, "access"),
        (c.DrawCoupons(drawn, ""), invalid, "users"),
    ]
    for cmd, refusal, detail in table:
        reply = world.refused(c.VENUE, cmd)
        assert (refusal, detail) == (reply.refusal, reply.detail)
    world.ok(c.VENUE, c.EnterDraw(drawn, [user]))
    for seed in ("", "0", "zz", SEED.upper(), SEED + "00", "00" * 65):
        reply = world.refused(c.VENUE, c.DrawCoupons(drawn, seed))
        assert (invalid, "seed") == (reply.refusal, reply.detail)
    world.ok(c.VENUE, c.DrawCoupons(drawn, SEED))
    for cmd in (c.EnterDraw(drawn, [other]), c.DrawCoupons(drawn, SEED)):
        assert "the draw was held" == world.refused(c.VENUE, cmd).detail
    world.tick(clock("01:00"))
    closed = campaign(world, access=c.ACCESS_NAMED, claim=(0, clock("02:00")))
    world.tick(clock("02:00"))
    reply = world.refused(c.VENUE, c.GrantCoupons(closed, [user]))
    assert Refusal.CLAIM_WINDOW_CLOSED == reply.refusal
