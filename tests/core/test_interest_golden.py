"""Interest: the published numbers, hours, rates and levels (RULES 3.1, 3.2, 4)."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.units import format_units, parse_units
from tests.core.world import BTC, START_MS, USDT, World, clock


def world_at(coin: str, daily_rate: str, profile: int = 0) -> World:
    """Return a world in which a coin has been lent at a rate since the end of its first hour."""
    world = World()
    world.parameter("interest_profile", profile)
    world.rate(coin, daily_rate)
    world.tick("1 00:00")
    return world


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


# --- the golden numbers (RULES 4.3; reference, 12.3) ------------------------------------------


def test_ten_thousand_usdt_from_ten_past_midnight_to_half_past_two() -> None:
    world = world_at("USDT", "0.000126279")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", at="1 00:10")

    world.tick("1 02:30")

    assert "0.15784875" == format_units(world.balance(account, "USDT").interest_units, 8)
    reply = world.repay(account, "USDT", "20000")
    assert "10000.15784875" == format_units(reply.units, 8)
    assert 0 == reply.remaining


def test_one_btc_across_a_change_of_rate() -> None:
    world = world_at("BTC", "0.001")
    account = world.crossed(BTC="1")
    world.borrow(account, "BTC", "1", at="1 01:30")
    world.rate("BTC", "0.0005", at="1 03:40")

    reply = world.repay(account, "BTC", "2", at="1 04:50")

    assert "1.00014583" == format_units(reply.units, 8)
    assert 0 == reply.remaining
    # Three hours at the old rate are 0.000125, one at the new is 0.00002083 1/3.
    rows = [row.units for row in world.history if isinstance(row, e.InterestCharged)]
    assert [4167, 4166, 4167, 2083] == rows
    assert 14583 == sum(rows)


@pytest.mark.parametrize(
    ("coin", "rate", "amount", "first_hour"),
    [
        ("USDT", "0.000126279", "10000", "0.05261625"),
        ("USDT", "0.00041", "4", "0.00006833"),
        ("USDT", "0.00041095", "4", "0.00006849"),
        ("USDT", "0.00041095", "8", "0.00013698"),
        ("BTC", "0.001", "1", "0.00004167"),
        # Too small to cost a unit in its first hour; the second makes it one (4.2: carried).
        ("BTC", "0.00007", "0.001", "0"),
    ],
)
def test_repaid_inside_the_clock_hour_it_is_one_hour(
    coin: str, rate: str, amount: str, first_hour: str
) -> None:
    world = world_at(coin, rate)
    account = world.crossed(USDT="100000")
    world.fund(account, coin, "1")
    world.borrow(account, coin, amount, at="1 00:00")

    reply = world.repay(account, coin, "20000", at="1 00:59:59.999")

    assert 0 == reply.remaining
    assert first_hour == format_units(reply.units - world.units(coin, amount), 8)


def test_charges_too_small_to_show_are_carried() -> None:
    world = world_at("BTC", "0.00007")
    account = world.crossed(BTC="1")
    # 0.29 units an hour.
    world.borrow(account, "BTC", "0.001", at="1 00:10")

    shown = []
    for hour in range(1, 8):
        world.tick(f"1 {hour:02}:00")
        shown.append(world.balance(account, "BTC").interest_units)

    exact = [Fraction(100_000 * 70_000_000, 24 * 10**12) * (hour + 1) for hour in range(1, 8)]
    assert [half_up(value) for value in exact] == shown
    assert [1, 1, 1, 1, 2, 2, 2] == shown


def test_rounded_up_at_each_charge_where_the_venue_says_so() -> None:
    world = world_at("USDT", "0.00041", profile=1)
    account = world.crossed(USDT="10")
    world.borrow(account, "USDT", "4")

    reply = world.repay(account, "USDT", "4.00006834")

    assert "4.00006834" == format_units(reply.units, 8)
    assert 0 == reply.remaining


def test_two_loans_in_one_hour_are_rounded_up_each() -> None:
    world = world_at("USDT", "0.00041095", profile=1)
    account = world.isolated("BTCUSDT", USDT="10")
    world.borrow(account, "USDT", "4")
    world.borrow(account, "USDT", "4")

    reply = world.repay(account, "USDT", "8.000137")

    assert "8.000137" == format_units(reply.units, 8)
    assert 0 == reply.remaining


def test_one_btc_rounded_up_at_each_charge() -> None:
    world = world_at("BTC", "0.001", profile=1)
    account = world.crossed(BTC="1")
    world.borrow(account, "BTC", "1", at="1 01:30")
    world.rate("BTC", "0.0005", at="1 03:40")

    reply = world.repay(account, "BTC", "2", at="1 04:50")

    assert "1.00014585" == format_units(reply.units, 8)


def test_profiles_do_not_change_while_loans_are_open() -> None:
    world = World()
    account = world.crossed(USDT="10")
    world.borrow(account, "USDT", "1")

    reply = world.refused(c.VENUE, c.SetParameter("interest_profile", 1))

    assert "loans are open" == reply.detail


# --- hours (RULES 3.1, 3.2, 4.1) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("borrowed_at", "read_at", "hours"),
    [
        ("1 00:00:00.000", "1 00:59:59.999", 1),
        ("1 00:00:00.000", "1 01:00:00.000", 2),
        ("1 00:59:59.999", "1 00:59:59.999", 1),
        ("1 00:59:59.999", "1 01:00:00.000", 2),
        ("1 01:00:00.000", "1 01:59:59.999", 1),
        ("1 23:59:59.999", "2 00:00:00.000", 2),
        ("1 00:10", "1 02:30", 3),
        # A day and an hour without a single command between.
        ("1 00:10", "2 01:10", 26),
    ],
)
def test_every_clock_hour_a_loan_lives_into_costs(
    borrowed_at: str, read_at: str, hours: int
) -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", at=borrowed_at)

    world.tick(read_at)

    # 10 000 x 0.0024 / 24 is one USDT an hour.
    assert world.units("USDT", str(hours)) == world.balance(account, "USDT").interest_units
    assert hours - 1 == len(q.pending_interest(world.state, account))


def test_a_rate_set_on_the_hour_is_in_force_from_the_next() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", at="1 03:59:59.999")
    world.rate("USDT", "0.0048", at="1 04:00:00.000")
    assert [clock("1 05:00")] == [row.from_ms for row in world.of_type(e.RateSet)]

    rates = []
    for at in ("1 04:00:00.000", "1 04:59:59.999", "1 05:00:00.000"):
        world.tick(at)
        rates.append(q.daily_rate_e12(world.state, USDT))

    assert [2_400_000_000, 2_400_000_000, 4_800_000_000] == rates
    receipts = q.pending_interest(world.state, account)
    assert [clock("1 04:00"), clock("1 05:00")] == [row.hour_ms for row in receipts]
    assert [10**8, 2 * 10**8] == [row.units for row in receipts]


def test_a_rate_set_a_moment_before_the_hour_is_in_force_at_it() -> None:
    world = world_at("USDT", "0.0024")
    world.rate("USDT", "0.0048", at="1 03:59:59.999")

    assert 2_400_000_000 == q.daily_rate_e12(world.state, USDT)
    assert 4_800_000_000 == q.next_rate_e12(world.state, USDT)
    world.tick("1 04:00:00.000")
    assert 4_800_000_000 == q.daily_rate_e12(world.state, USDT)


def test_the_last_rate_set_before_the_hour_counts() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", at="1 00:10")
    for rate in ("0.9", "0", "0.0048", "0.0024"):
        world.rate("USDT", rate)

    world.tick("1 01:00")

    assert 2 * 10**8 == world.balance(account, "USDT").interest_units


def test_a_rate_of_nothing_is_legal() -> None:
    world = world_at("USDT", "0")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", at="1 00:10")

    world.tick("2 00:00")

    assert 0 == world.balance(account, "USDT").interest_units
    assert [0] * 24 == [row.units for row in q.pending_interest(world.state, account)]


def test_the_first_rate_of_a_coin_holds_at_once() -> None:
    world = World(catalogue=False)
    world.ok(
        c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], [(10**20, 3, 10**5)], 10**20, 1, True, True)
    )

    world.rate("USDT", "0.0024", at="05:30")

    assert 2_400_000_000 == q.daily_rate_e12(world.state, USDT)


def test_missed_hours_are_turned_one_by_one() -> None:
    world = world_at("USDT", "0.0024")

    world.tick("1 05:30")

    turned = world.of_type(e.HourTurned)
    assert [clock(f"1 0{hour}:00") for hour in range(1, 6)] == [row.hour_ms for row in turned]
    assert {2_400_000_000} == {row.rates_e12[USDT] for row in turned}


def test_time_never_goes_back() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="10000")
    world.tick("1 03:00")

    world.borrow(account, "USDT", "10000", at="1 01:00")

    assert clock("1 03:00") == world.engine.time_ms
    world.tick("1 03:59:59.999")
    assert 10**8 == world.balance(account, "USDT").interest_units


def test_an_hour_is_turned_once_however_often_its_time_comes() -> None:
    world = world_at("USDT", "0.0024")
    world.tick("1 01:00")

    world.tick("1 01:00")

    assert [] == world.of_type(e.HourTurned)


@pytest.mark.parametrize(
    "start", ["2026-12-31T23:30", "2038-01-19T02:30", "2028-02-28T23:30", "9999-12-31T20:00"]
)
def test_years_and_centuries_end_like_any_hour(start: str) -> None:
    start_ms = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() * 1000)
    world = world_at_ms(start_ms)
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000")

    world.tick(start_ms + 3_600_000)

    assert 2 * 10**8 == world.balance(account, "USDT").interest_units
    assert (start_ms // 3_600_000 + 1) * 3_600_000 == world.of_type(e.HourTurned)[0].hour_ms


def world_at_ms(time_ms: int) -> World:
    world = World(catalogue=False)
    world.time_ms = time_ms
    terms = c.SetCoin("USDT", 8, [(0, 10**6)], [(10**20, 3, 10**5)], 10**20, 1, True, True)
    world.ok(c.VENUE, terms)
    world.ok(c.VENUE, c.FundPool(USDT, 10**15))
    world.price("USDT", "1")
    world.rate("USDT", "0.0024")
    return world


# --- what is newly borrowed (RULES 4.1, 4.2) ---------------------------------------------------


def test_each_newly_borrowed_amount_pays_its_own_first_hour() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="20000")

    world.borrow(account, "USDT", "10000", at="1 00:10")
    world.borrow(account, "USDT", "5000", at="1 00:20")

    assert 150_000_000 == world.balance(account, "USDT").interest_units
    # From the next hour on they are one principal.
    world.tick("1 01:00")
    assert 300_000_000 == world.balance(account, "USDT").interest_units
    assert [15_000 * 10**8] == [r.principal_units for r in q.pending_interest(world.state, account)]


def test_borrowed_again_within_the_hour_it_pays_again() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="20000")
    paid = 0
    for _ in range(3):
        world.borrow(account, "USDT", "10000")
        paid += world.repay(account, "USDT", "20000").units - 10_000 * 10**8

    assert 3 * 10**8 == paid
    assert 3 * 10**8 == world.coin("USDT").interest_units


def test_remainders_are_carried_through_repayments() -> None:
    world = world_at("USDT", "0.00041")
    account = world.crossed(USDT="1000")
    # 68 1/3 units a time; the thirds add up: nobody gains by churning.
    charge = Fraction(4 * 10**8 * 410_000_000, 24 * 10**12) * 100

    total = 0
    for times in range(1, 31):
        world.borrow(account, "USDT", "4")
        total += world.repay(account, "USDT", "5").units - 4 * 10**8
        assert half_up(charge * times / 100) == total

    assert 30 * 6833 + 10 == total


def test_interest_is_never_on_interest() -> None:
    world = world_at("USDT", "1")
    account = world.crossed(USDT="100000")
    world.borrow(account, "USDT", "240", at="1 00:00")

    world.tick("1 10:00")

    # A daily rate of 100 %: ten USDT an hour, eleven hours.
    assert 110 * 10**8 == world.balance(account, "USDT").interest_units


def test_interest_follows_the_principal_left() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="20000")
    world.borrow(account, "USDT", "10000", at="1 00:10")

    reply = world.repay(account, "USDT", "5001")

    assert 5_000 * 10**8 == reply.remaining
    world.tick("1 02:00")
    assert 10**8 == world.balance(account, "USDT").interest_units


# --- receipts (RULES 4.2, 4.4) -----------------------------------------------------------------


def test_receipts_have_the_ids_set_apart_when_their_hour_turned() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="20000", BTC="1")
    world.borrow(account, "USDT", "10000", at="1 00:10")
    world.borrow(account, "BTC", "1")
    deposit = world.ok(world.spot(), c.Deposit(USDT, 1)).id
    world.tick("1 02:30")
    later = world.ok(world.spot(), c.Deposit(USDT, 1)).id

    pending = q.pending_interest(world.state, account)
    world.repay(account, "USDT", "1000")
    world.repay(account, "BTC", "0.1")

    emitted = [row for row in world.history if isinstance(row, e.InterestCharged) and not row.first]
    assert [contents(row) for row in pending] == [contents(row) for row in emitted]
    ids = [row.interest_id for row in pending]
    assert len(ids) == len(set(ids)) == 4
    assert deposit < min(ids)
    assert max(ids) < later
    # The hours sort by id, whichever coin was touched first.
    by_id = sorted(pending, key=lambda row: row.interest_id)
    assert sorted(row.hour_ms for row in pending) == [row.hour_ms for row in by_id]
    assert [] == q.pending_interest(world.state, account)


def contents(row: e.InterestCharged) -> tuple[int, int, int, int, int, int, int]:
    ids = (row.interest_id, row.account, row.coin)
    return (*ids, row.hour_ms, row.rate_e12, row.principal_units, row.units)


def test_a_first_receipt_says_when_it_was_borrowed_and_at_what_rate() -> None:
    world = world_at("BTC", "0.001")
    account = world.crossed(BTC="1")

    loan = world.borrow(account, "BTC", "1", at="1 01:30:00.123").id

    (row,) = world.of_type(e.InterestCharged)
    assert row.first
    assert loan == row.interest_id
    assert clock("1 01:30:00.123") == row.hour_ms
    assert (10**9, 10**8, 4167) == (row.rate_e12, row.principal_units, row.units)


# --- levels (RULES 4.4, 5.1) -------------------------------------------------------------------

LEVELS = [(10**6, 10**6), (970_000, 1_030_000), (333_333, 2_000_000)]


def test_a_level_takes_effect_at_the_next_hour() -> None:
    world = world_at("USDT", "0.0024")
    world.ok(c.VENUE, c.SetVipLevels(LEVELS))
    account = world.crossed(USDT="20000")
    user = c.user_of(account)
    world.borrow(account, "USDT", "10000", at="1 01:10")

    world.ok(c.VENUE, c.SetUserLevel(user, 1))
    assert 0 == q.user_level(world.state, user)
    # Still this hour: a loan taken now pays the full rate.
    world.borrow(account, "USDT", "10000")
    assert 2 * 10**8 == world.balance(account, "USDT").interest_units
    world.tick("1 02:00")

    assert 1 == q.user_level(world.state, user)
    assert 394_000_000 == world.balance(account, "USDT").interest_units


def test_a_loan_nobody_touched_pays_each_hour_at_its_level() -> None:
    world = world_at("USDT", "0.0024")
    world.ok(c.VENUE, c.SetVipLevels(LEVELS))
    account = world.crossed(USDT="20000")
    user = c.user_of(account)
    world.borrow(account, "USDT", "10000", at="1 01:10")
    # Hours 1 and 2 at level 0, 3 and 4 at 2, and from 5 on at 1; a change taken back is none.
    world.ok(c.VENUE, c.SetUserLevel(user, 1), at="1 02:20")
    world.ok(c.VENUE, c.SetUserLevel(user, 2), at="1 02:59:59.999")
    world.ok(c.VENUE, c.SetUserLevel(user, 1), at="1 04:00")
    world.rate("USDT", "0.0048", at="1 05:00")

    world.tick("1 06:30")

    third = Fraction(-(-2_400_000_000 * 333_333 // 10**6), 24 * 10**12)
    hours = [Fraction(1, 10**4)] * 2 + [third] * 2 + [Fraction(97, 10**6), Fraction(194, 10**6)]
    due = sum(hours, Fraction(0)) * 10_000 * 10**8
    assert half_up(due) == world.balance(account, "USDT").interest_units
    rows = [row for row in world.history if isinstance(row, e.InterestCharged)]
    rows += q.pending_interest(world.state, account)
    assert half_up(due) == sum(row.units for row in rows)
    assert 6 == len(rows)


def test_a_discounted_rate_is_rounded_up_at_1e_12() -> None:
    world = World()
    world.ok(c.VENUE, c.SetVipLevels(LEVELS))
    world.rate("USDT", "0.000000000001")
    world.tick("01:00")

    assert [1, 1, 1] == [q.daily_rate_e12(world.state, USDT, level) for level in range(3)]
    world.rate("USDT", "0.00041095")
    world.tick("02:00")
    expected = [410_950_000, 398_621_500, -(-410_950_000 * 333_333 // 10**6)]
    assert expected == [q.daily_rate_e12(world.state, USDT, level) for level in range(3)]


def test_rates_belong_to_their_coin() -> None:
    world = world_at("USDT", "0.0024")
    account = world.crossed(USDT="20000", BTC="1")
    world.borrow(account, "USDT", "10000", at="1 00:00")
    world.borrow(account, "BTC", "1")

    world.tick("1 23:00")

    assert 24 * 10**8 == world.balance(account, "USDT").interest_units
    # 1 BTC at the catalogue's 0.007 % for a day.
    assert parse_units("0.00007", 8) == world.balance(account, "BTC").interest_units
    assert BTC == world.coin("BTC").id
    assert START_MS % 86_400_000 == 0
