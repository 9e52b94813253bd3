"""Rates: curves of time-weighted utilisation, and what may be read of them (RULES 5, 3.1)."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.rates import curve_rate_e12
from lombard.core.refusals import Refusal
from lombard.core.state import RateCurve
from lombard.core.units import parse_units
from tests.core.world import START_MS, USDT, World, clock

HOUR_MS = 3_600_000
# 0.01 % a day when nothing is lent, 0.04 % at 80 %, 0.3 % at 100 %, and 0.005 % on top.
CURVE: RateCurve = (10**8, 800_000, 4 * 10**8, 3 * 10**9, 5 * 10**7)


def lender(pool: str = "1000", curve: RateCurve = CURVE) -> tuple[World, int]:
    """Make a world whose pool of USDT is lent along a curve, and a borrower far from every line."""
    world = World(catalogue=False)
    tiers = [(10**30, 3, 100_000)]
    for name in ("USDT", "GOLD"):
        world.ok(c.VENUE, c.SetCoin(name, 8, [(0, 10**6)], tiers, 10**30, 1, True, True))
    world.ok(c.VENUE, c.FundPool(USDT, world.units("USDT", pool)))
    world.ok(c.VENUE, c.SetIndexPrices([(0, 10**12, 2, 0, 0), (1, 10**30, 2, 0, 0)]))
    world.ok(c.VENUE, c.SetRateModel(USDT, *curve))
    return world, world.crossed(GOLD="1000000", USDT="1000000000000")


def give_back(world: World, account: int, amount: str, at: str) -> None:
    """Repay an amount of principal, and the interest due besides."""
    world.tick(at)
    due = world.balance(account, "USDT").interest_units
    world.ok(account, c.Repay(USDT, due + world.units("USDT", amount), ""))


# --- the curve ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lent", "supplied", "rate_e12"),
    [
        (0, 1, 150_000_000),
        (0, 0, 150_000_000),  # an empty pool is not utilised
        (400, 1_000, 300_000_000),  # half way up to the kink: 0.00025 + 0.00005
        (1, 3, 275_000_000),
        (1, 7, 203_571_429),  # 53571428 4/7 on the way: rounded up
        (800, 1_000, 450_000_000),
        (900, 1_000, 1_750_000_000),  # half way beyond it: 0.0017 + 0.00005
        (1_000, 1_000, 3_050_000_000),
    ],
)
def test_the_curve_by_hand(lent: int, supplied: int, rate_e12: int) -> None:
    assert rate_e12 == curve_rate_e12(CURVE, lent, supplied)


def test_a_kink_at_the_end_is_one_line() -> None:
    curve = (0, 10**6, 10**9, 10**9, 0)

    assert [0, 5 * 10**8, 10**9] == [curve_rate_e12(curve, lent, 10) for lent in (0, 5, 10)]


PARTS = st.integers(0, 25 * 10**10)
CURVES = st.builds(
    lambda base, kink, first, second, premium: (
        base,
        kink,
        base + first,
        base + first + second,
        premium,
    ),
    PARTS,
    st.one_of(st.sampled_from([1, 800_000, 999_999, 10**6]), st.integers(1, 10**6)),
    PARTS,
    PARTS,
    PARTS,
)
AMOUNTS = st.one_of(st.integers(0, 20), st.integers(0, 10**24))


def exact_rate(curve: RateCurve, utilisation: Fraction) -> Fraction:
    """Read a curve in fractions."""
    base, kink_e6, at_kink, at_full, premium = curve
    kink = Fraction(kink_e6, 10**6)
    if utilisation <= kink:
        return base + (at_kink - base) * utilisation / kink + premium
    return at_kink + (at_full - at_kink) * (utilisation - kink) / (1 - kink) + premium


@given(CURVES, AMOUNTS, AMOUNTS, AMOUNTS)
def test_the_curve_is_exact_and_never_falls(
    curve: RateCurve, lent: int, more: int, left: int
) -> None:
    supplied = lent + more + left
    low, high = curve_rate_e12(curve, lent, supplied), curve_rate_e12(curve, lent + more, supplied)

    assert low <= high
    used = Fraction(lent, supplied) if supplied else Fraction(0)
    assert ceil(exact_rate(curve, used)) == low


# --- time-weighted utilisation --------------------------------------------------------------------


def test_the_hour_is_weighed_by_time() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "600", at="01:15")
    give_back(world, account, "200", at="01:45")

    # 600 for half an hour and 400 for a quarter, of 1000: 40 % of the hour.
    assert 300_000_000 == q.next_rate_e12(world.state, USDT)
    assert 150_000_000 == q.daily_rate_e12(world.state, USDT)
    world.tick("02:00")
    assert 300_000_000 == q.daily_rate_e12(world.state, USDT)
    assert [[300_000_000, 0]] == [turn.rates_e12 for turn in world.of_type(e.HourTurned)]
    # 400 stay lent: 40 % of the next one, and of those that nobody looks at.
    world.tick("05:30")
    assert [300_000_000] * 3 == [turn.rates_e12[USDT] for turn in world.of_type(e.HourTurned)]


def test_the_estimate_is_as_if_nothing_more_happened() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "800", at="01:30")

    # Half an hour of 80 %.
    assert 300_000_000 == q.next_rate_e12(world.state, USDT)
    give_back(world, account, "800", at="01:45")
    # A quarter of 80 %: 0.0001 + 0.000075 + 0.00005.
    assert 225_000_000 == q.next_rate_e12(world.state, USDT)


def test_what_is_supplied_is_weighed_too() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "600", at="01:00")
    world.tick("02:00")
    world.ok(c.VENUE, c.FundPool(USDT, world.units("USDT", "1000")), at="02:30")

    # 600 of 1000, then 600 of 2000: 1200 of 3000 over the hour.
    world.tick("03:00")
    assert 300_000_000 == q.daily_rate_e12(world.state, USDT)
    # And 30 % of the next.
    world.tick("04:00")
    assert 10**8 + 112_500_000 + 5 * 10**7 == q.daily_rate_e12(world.state, USDT)


def test_a_loan_pays_the_rate_of_each_hour_it_lives_into() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "400", at="01:00")
    world.tick("02:59:59.999")

    # The hour of borrowing at 0.00015, the second at the 0.0003 that its own first hour made.
    expected = Fraction(400 * 10**8 * (150_000_000 + 300_000_000), 24 * 10**12)
    assert round(expected) == world.balance(account, "USDT").interest_units
    assert [300_000_000] == [row.rate_e12 for row in q.pending_interest(world.state, account)]


UNITS = st.one_of(st.integers(1, 1_000), st.integers(1, 10**12))
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 50), st.integers(0, 3 * HOUR_MS)),
        st.sampled_from(["borrow", "borrow", "repay", "fund"]),
        UNITS,
    ),
    max_size=16,
)


@given(CURVES, STEPS)
def test_utilisation_is_the_exact_integral(
    curve: RateCurve, steps: list[tuple[int, str, int]]
) -> None:
    world, account = lender(pool="10000", curve=curve)
    # (from when, lent, supplied), kept apart from the engine's.
    spans = [(START_MS, 0, 10_000 * 10**8)]
    now_ms = START_MS
    for wait_ms, action, units in steps:
        now_ms += wait_ms
        world.tick(now_ms)
        _, lent, supplied = spans[-1]
        if action == "fund":
            world.ok(c.VENUE, c.FundPool(USDT, units))
            supplied += units
        elif action == "borrow" and units <= supplied - lent:
            world.ok(account, c.Borrow(USDT, units, ""))
            lent += units
        elif action == "repay" and lent:
            due = world.balance(account, "USDT").interest_units
            world.ok(account, c.Repay(USDT, due + min(units, lent), ""))
            lent -= min(units, lent)
        spans.append((now_ms, lent, supplied))
    turns = {row.hour_ms: row for row in world.history if isinstance(row, e.HourTurned)}
    for hour_ms, turn in turns.items():
        used = utilisation(spans, hour_ms - HOUR_MS, hour_ms)
        assert ceil(exact_rate(curve, used)) == turn.rates_e12[USDT]
    # The estimate: nothing more happens in the running hour.
    start_ms = now_ms - now_ms % HOUR_MS
    used = utilisation(spans, start_ms, start_ms + HOUR_MS)
    assert ceil(exact_rate(curve, used)) == q.next_rate_e12(world.state, USDT)
    restored = Engine.restore(list(world.engine.snapshot_lines()))
    assert q.next_rate_e12(world.state, USDT) == q.next_rate_e12(restored.state, USDT)


def utilisation(spans: list[tuple[int, int, int]], start_ms: int, end_ms: int) -> Fraction:
    """Weigh what was lent, and supplied, by time."""
    lent_ms = supplied_ms = 0
    ends = [*[span[0] for span in spans[1:]], end_ms]
    for (from_ms, lent, supplied), until_ms in zip(spans, ends, strict=True):
        ms = max(0, min(until_ms, end_ms) - max(from_ms, start_ms))
        lent_ms += lent * ms
        supplied_ms += supplied * ms
    return Fraction(lent_ms, supplied_ms) if supplied_ms else Fraction(0)


@given(CURVES, st.integers(1, 6_000), st.integers(1, HOUR_MS), st.integers(1, 4_000))
def test_an_instant_moves_the_rate_by_its_time_only(
    curve: RateCurve, flash: int, ms: int, standing: int
) -> None:
    """What is borrowed `ms` before the hour counts for `ms` of it, not for the hour (RULES 5.1)."""
    rates = []
    for borrows in (False, True):
        world, account = lender(pool="10000", curve=curve)
        world.borrow(account, "USDT", str(standing), at="01:00")
        if borrows:
            world.borrow(account, "USDT", str(flash), at=clock("03:00") - ms)
        world.tick("03:00")
        rates.append(q.daily_rate_e12(world.state, USDT))

    still, moved = rates
    share = Fraction(flash, 10_000) * Fraction(ms, HOUR_MS)
    kink = Fraction(curve[1], 10**6)
    steepest = (curve[2] - curve[0]) / kink
    if kink < 1:
        steepest = max(steepest, (curve[3] - curve[2]) / (1 - kink))
    assert 0 <= moved - still <= steepest * share + 1


# --- the command (RULES 3.1) ----------------------------------------------------------------------


def test_a_curve_set_on_the_hour_is_in_force_from_the_next() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "400", at="02:00")
    world.ok(c.VENUE, c.SetRateModel(USDT, 0, 500_000, 10**9, 10**9, 0), at="04:00:00.000")
    assert [clock("05:00")] == [row.from_ms for row in world.of_type(e.RateModelSet)]

    rates = []
    for at in ("04:59:59.999", "05:00"):
        world.tick(at)
        rates.append(q.daily_rate_e12(world.state, USDT))

    assert [300_000_000, 800_000_000] == rates


def test_a_fixed_rate_replaces_a_curve_and_a_curve_a_fixed_rate() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "800", at="01:00")
    world.rate("USDT", "0.0007")
    assert 700_000_000 == q.next_rate_e12(world.state, USDT)
    world.tick("02:00")
    assert 700_000_000 == q.daily_rate_e12(world.state, USDT)

    world.ok(c.VENUE, c.SetRateModel(USDT, *CURVE))

    world.tick("03:00")
    assert 450_000_000 == q.daily_rate_e12(world.state, USDT)


def test_a_first_curve_holds_at_once() -> None:
    world, _ = lender()

    assert 150_000_000 == q.daily_rate_e12(world.state, USDT)
    told = [row for row in world.history if isinstance(row, e.RateSet)]
    assert [(USDT, 150_000_000, START_MS)] == [(r.coin, r.rate_e12, r.from_ms) for r in told]


@pytest.mark.parametrize(
    ("cmd", "detail"),
    [
        # Each row is wrong in every later way too, so the table also fixes the order.
        (c.SetRateModel(9, 5, 0, 4, 10**12, -1), ""),
        (c.SetRateModel(USDT, 5, 0, 4, 10**12, -1), "kink"),
        (c.SetRateModel(USDT, 5, 10**6 + 1, 4, 10**12, -1), "kink"),
        (c.SetRateModel(USDT, 5, 1, 4, 10**12, -1), "a rate that falls with utilisation"),
        (c.SetRateModel(USDT, 4, 1, 5, 4, -1), "a rate that falls with utilisation"),
        (c.SetRateModel(USDT, -1, 1, 5, 5, -1), "a rate that falls with utilisation"),
        (c.SetRateModel(USDT, 4, 1, 5, 6, -1), "rate"),
        (c.SetRateModel(USDT, 4, 1, 5, 10**12, 1), "rate"),
    ],
)
def test_curves_that_are_none(cmd: c.SetRateModel, detail: str) -> None:
    world, _ = lender()

    reply = world.refused(c.VENUE, cmd)

    expected = Refusal.CONFIGURATION_INVALID if detail else Refusal.COIN_UNKNOWN
    assert (expected, detail) == (reply.refusal, reply.detail)


# --- what may be read (RULES 5.2) -----------------------------------------------------------------


def test_a_new_level_has_its_rate_at_once() -> None:
    world, _ = lender()
    world.tick("01:30")

    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (333_333, 10**6)]))

    discounted = -(-150_000_000 * 333_333 // 10**6)
    assert discounted == q.daily_rate_e12(world.state, USDT, 1)
    assert discounted == q.next_rate_e12(world.state, USDT, 1)
    world.tick("02:00")
    assert discounted == q.daily_rate_e12(world.state, USDT, 1)


def test_rates_of_past_hours() -> None:
    world, account = lender()
    world.borrow(account, "USDT", "400", at="01:00")
    world.tick("02:10")
    rows = [
        (clock("02:00"), 300_000_000),
        (clock("01:00"), 150_000_000),
        (clock("00:00"), 150_000_000),
    ]

    def read(start: str, end: str, limit: int) -> list[tuple[int, int]]:
        return q.hourly_rates_e12(world.state, USDT, clock(start), clock(end), limit)

    assert rows == read("00:00", "09:00", 10)
    assert rows == q.hourly_rates_e12(world.state, USDT, 0, 10**15, 10)
    assert rows[:2] == read("00:00", "09:00", 2)
    assert rows[1:] == read("00:00", "01:59:59.999", 10)
    assert rows[:1] == read("01:00:00.001", "02:00", 10)
    assert [] == read("03:00", "04:00", 10)
    assert [] == q.hourly_rates_e12(world.state, USDT, 0, START_MS - 1, 10)


def test_utilisation_is_what_is_lent_of_the_pool() -> None:
    world, account = lender(pool="3")
    assert 0 == q.utilisation_e6(world.state, USDT)
    assert 0 == q.utilisation_e6(world.state, 1)

    world.borrow(account, "USDT", "2")

    assert 666_667 == q.utilisation_e6(world.state, USDT)
    assert parse_units("1", 8) == world.coin("USDT").pool_units
