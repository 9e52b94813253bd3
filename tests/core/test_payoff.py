"""The pay-off quote: what it names clears the debt, and a unit less does not (RULES 4, 6.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import reason_queries as why
from lombard.core.units import HOUR_MS, format_units
from tests.core.world import BTC, USDT, World, clock


@pytest.mark.parametrize(
    ("before", "interest", "hours"),
    [
        # RULES 4.3: 10 000 USDT at 0.0126279 % a day, 0.05261625 an hour.
        ("00:00", "0.05261625", 0),
        ("00:30", "0.05261625", 0),
        ("01:00", "0.05261625", 0),
        ("01:00:00.001", "0.1052325", 1),
        ("02:00", "0.1052325", 1),
        ("02:30", "0.15784875", 2),
        ("1 00:10", "1.31540625", 24),
    ],
)
def test_the_help_pages_loan_is_quoted(before: str, interest: str, hours: int) -> None:
    world = fresh_rate("0.000126279")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", "00:10")

    quote = why.pay_off(world.state, account, USDT, clock(before))

    assert (interest, hours) == (format_units(quote.interest_units, 8), quote.hours)
    assert (10**12, clock("01:00")) == (quote.principal_units, quote.exact_until_ms)
    assert quote.units == quote.principal_units + quote.interest_units


def fresh_rate(daily: str) -> World:
    """Return a world whose USDT costs a rate from the first hour on."""
    world = World(catalogue=False)
    terms = c.SetCoin("USDT", 8, [(0, 10**6)], [(10**20, 3, 10**5)], 10**20, 1, True, True)
    world.ok(c.VENUE, terms)
    world.ok(c.VENUE, c.FundPool(USDT, 10**20))
    world.rate("USDT", daily)
    world.price("USDT", "1")
    return world


def test_no_debt_costs_nothing() -> None:
    world = World()
    account = world.crossed(USDT="1")

    for asked in (account, 77):
        assert 0 == why.pay_off(world.state, asked, BTC, clock("05:00")).units
        assert 0 == why.daily_interest_units(world.state, asked, BTC)


def test_a_day_costs_its_rate() -> None:
    world = fresh_rate("0.000126279")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000")

    assert 126_279_000 == why.daily_interest_units(world.state, account, USDT)


@given(
    st.integers(1, 10**15),
    st.integers(0, 10**10),
    st.integers(0, 3 * HOUR_MS),
    st.integers(1, 40 * HOUR_MS),
    st.booleans(),
    st.booleans(),
)
def test_what_is_quoted_clears_the_debt(
    units: int, rate_e12: int, borrowed_ms: int, ahead_ms: int, ceil_each: bool, promoted: bool
) -> None:
    world = fresh_rate("0")
    world.ok(c.VENUE, c.SetRate(USDT, rate_e12))
    world.parameter("interest_profile", int(ceil_each))
    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (700_000, 10**6)]))
    account = world.crossed(USDT="1000000000")
    start = clock("01:00") + borrowed_ms
    world.ok(account, c.Borrow(USDT, units, ""), start)
    if promoted:
        world.ok(c.VENUE, c.SetUserLevel(c.user_of(account), 1))

    quote = why.pay_off(world.state, account, USDT, start + ahead_ms)

    world.tick(start + ahead_ms - 1)
    assert quote.units == world.debt(account, "USDT")
    reply = world.ok(account, c.Repay(USDT, quote.units, ""))
    assert (quote.units, 0) == (reply.units, reply.remaining)


def test_the_quote_is_exact_until_the_next_hour() -> None:
    world = fresh_rate("0.000126279")
    account = world.crossed(USDT="10000")
    world.borrow(account, "USDT", "10000", "00:10")
    quote = why.pay_off(world.state, account, USDT, 0)
    world.rate("USDT", "0.5")

    reply = world.ok(account, c.Repay(USDT, quote.units, ""), quote.exact_until_ms - 1)
    assert 0 == reply.remaining

    world.borrow(account, "USDT", "10000")
    quote = why.pay_off(world.state, account, USDT, 0)
    reply = world.ok(account, c.Repay(USDT, quote.units, ""), quote.exact_until_ms)
    assert reply.remaining > 0
