"""Interest: prefix sums are hour-by-hour sums, and churning gains nobody anything (RULES 4)."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.sim.loan import Loan
from tests.core.strategies import RATES
from tests.core.world import START_MS, USDT, World

# Cheap: thrice as many examples as the profile asks for.
MORE = settings(max_examples=3 * settings().max_examples)
HOUR_MS = 3_600_000
EXACT, CEIL_EACH_CHARGE = 0, 1


def lender(profile: int = EXACT, discounts: list[int] | None = None) -> tuple[World, int]:
    """Make a world with a borrower who is far from every limit; return the crossed account."""
    world = World(catalogue=False)
    world.parameter("interest_profile", profile)
    tiers = [(10**30, 3, 100_000)]
    for name in ("USDT", "GOLD"):
        world.ok(c.VENUE, c.SetCoin(name, 8, [(0, 10**6)], tiers, 10**30, 1, True, True))
    world.ok(c.VENUE, c.FundPool(USDT, 10**30))
    world.ok(c.VENUE, c.SetIndexPrices([(0, 10**12, 2, 0, 0), (1, 10**30, 2, 0, 0)]))
    levels = [(10**6, 10**6), *[(discount, 10**6) for discount in discounts or []]]
    world.ok(c.VENUE, c.SetVipLevels(levels))
    world.rate("USDT", "0.001")
    return world, world.crossed(GOLD="1000000", USDT="1000000000000")


def at_hour(hour: int, ms: int = 0) -> int:
    """Return a moment of an hour counted from the start."""
    return START_MS + hour * HOUR_MS + ms


@dataclass(frozen=True)
class Step:
    """Some hours pass, then something is done."""

    hours: int
    action: str
    units: int
    rate_e12: int


UNITS = st.one_of(st.integers(1, 50), st.integers(1, 10**12))
STEPS = st.lists(
    st.builds(
        Step,
        st.one_of(st.integers(0, 3), st.integers(0, 40)),
        st.sampled_from(["borrow", "borrow", "repay", "repay_all", "rate", "level", "wait"]),
        UNITS,
        RATES,
    ),
    max_size=14,
)


@pytest.mark.parametrize("profile", [EXACT, CEIL_EACH_CHARGE])
@given(steps=STEPS, discounts=st.lists(st.integers(0, 10**6), min_size=2, max_size=3))
@MORE
def test_prefix_sums_are_hour_by_hour_arithmetic(
    profile: int, steps: list[Step], discounts: list[int]
) -> None:
    world, account = lender(profile, discounts)
    loan = Loan()
    ceil_each = profile == CEIL_EACH_CHARGE
    rate = next_rate = 10**9
    level = next_level = 0
    hour = 0
    for number, step in enumerate(steps):
        for _ in range(step.hours):
            hour += 1
            rate, level = next_rate, next_level
            discounted = ceil(Fraction(rate * [10**6, *discounts][level], 10**6))
            loan.charge(loan.principal, discounted, ceil_each)
        world.time_ms = at_hour(hour, ms=number)
        discounted = ceil(Fraction(rate * [10**6, *discounts][level], 10**6))
        if step.action == "borrow":
            world.ok(account, c.Borrow(USDT, step.units, ""))
            loan.principal += step.units
            loan.charge(step.units, discounted, ceil_each)
        elif step.action in ("repay", "repay_all") and loan.principal:
            whole = loan.due + loan.principal
            units = whole if step.action == "repay_all" else min(whole, loan.due + step.units)
            assert units == world.ok(account, c.Repay(USDT, units, "")).units
            loan.principal -= units - loan.due
            loan.paid += loan.due
        elif step.action == "rate":
            world.ok(c.VENUE, c.SetRate(USDT, step.rate_e12))
            next_rate = step.rate_e12
        elif step.action == "level":
            next_level = step.units % (1 + len(discounts))
            world.ok(c.VENUE, c.SetUserLevel(c.user_of(account), next_level))
        else:
            world.tick()
        view = world.balance(account, "USDT")
        assert (loan.principal, loan.due) == (view.principal_units, view.interest_units)
    check_receipts(world, account, loan)


def check_receipts(world: World, account: int, loan: Loan) -> None:
    """Receipts, shown and still to come, add up to all that was ever charged (RULES 4.2)."""
    shown = [event for event in world.history if isinstance(event, e.InterestCharged)]
    rows = [*shown, *q.pending_interest(world.state, account)]
    assert loan.due + loan.paid == sum(row.units for row in rows)
    assert all(row.units >= 0 for row in rows)
    hours = [row.hour_ms for row in rows if not row.first]
    assert hours == sorted(set(hours))


@given(
    rounds=st.lists(
        st.tuples(UNITS, st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=12
    ),
    rate_e12=RATES,
)
@MORE
def test_churning_gains_nobody_a_unit(rounds: list[tuple[int, int, int]], rate_e12: int) -> None:
    """Borrow and repay as often and in as many parts as you like: it costs what it costs."""
    world, account = lender()
    world.ok(c.VENUE, c.SetRate(USDT, rate_e12))
    exact = Fraction(0)
    hour = 1
    for units, hours, parts in rounds:
        world.time_ms = at_hour(hour)
        world.ok(account, c.Borrow(USDT, units, ""))
        hour += hours
        world.time_ms = at_hour(hour, ms=1)
        exact += Fraction(units * rate_e12 * (1 + hours), 24 * 10**12)
        for _ in range(parts - 1):
            view = world.balance(account, "USDT")
            if view.principal_units > 1:
                part = view.interest_units + view.principal_units // parts
                if part:
                    world.ok(account, c.Repay(USDT, part, ""))
        world.ok(account, c.Repay(USDT, 10**40, ""))
        hour += 1

    paid = world.coin("USDT").interest_units
    assert abs(paid - exact) <= Fraction(1, 2)
    assert (0, 0) == (world.debt(account, "USDT"), len(world.state.indebted))


@pytest.mark.parametrize("profile", [EXACT, CEIL_EACH_CHARGE])
@given(
    parts=st.lists(UNITS, min_size=1, max_size=8),
    hours=st.integers(0, 60),
    rate_e12=RATES,
)
def test_borrowing_in_parts_pays_nobody(
    profile: int, parts: list[int], hours: int, rate_e12: int
) -> None:
    """Parts never pay the user, and never pay the venue more than a unit a part (RULES 1.4)."""
    paid: list[int] = []
    for loans in ([sum(parts)], parts):
        world, account = lender(profile)
        world.ok(c.VENUE, c.SetRate(USDT, rate_e12))
        world.time_ms = at_hour(1)
        for units in loans:
            world.ok(account, c.Borrow(USDT, units, ""))
        world.time_ms = at_hour(1 + hours, ms=5)
        world.ok(account, c.Repay(USDT, 10**40, ""))
        paid.append(world.coin("USDT").interest_units)

    whole, in_parts = paid
    assert 0 <= in_parts - whole <= (len(parts) if profile == CEIL_EACH_CHARGE else 0)


@given(units=UNITS, hours=st.integers(1, 200), looks=st.lists(st.integers(1, 200), max_size=8))
def test_touching_a_loan_changes_nothing(units: int, hours: int, looks: list[int]) -> None:
    """A loan brought up to date on the way owes what one that slept owes (RULES 4.4)."""
    owed: list[int] = []
    for touches in ([], sorted(looks)):
        world, account = lender()
        world.rate("USDT", "0.000123456789")
        world.ok(account, c.Borrow(USDT, units, ""), at_hour(1))
        for hour in touches:
            if hour < hours:
                # Setting a level brings the user's loans up to date.
                world.time_ms = at_hour(1 + hour)
                world.ok(c.VENUE, c.SetUserLevel(c.user_of(account), 0))
        world.tick(at=at_hour(1 + hours))
        owed.append(world.debt(account, "USDT"))
        assert owed[0] == owed[-1]
