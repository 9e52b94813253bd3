"""The bounds of a loan: each by name, the ratio's among them, and the least of all (RULES 6.1)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.borrow_limit import borrow_terms, least
from lombard.core.bounds import bounds_of, value_high
from lombard.core.explain import explain_borrow
from lombard.core.lending import surely_lendable
from lombard.core.refusals import Refusal
from lombard.core.units import format_units
from tests.core.world import BTC, USDT, World, pair_terms

ONE = 10**8
Tiers = list[tuple[int, int, int]]


def venue(usdt: Tiers, btc: Tiers) -> World:
    """Return a world without interest, with tiers of USDT and of BTC in crossed accounts."""
    world = World(audit=False)
    for coin, tiers in ((USDT, usdt), (BTC, btc)):
        name = world.state.coins[coin].name
        world.rate(name, "0")
        terms = (10**20, 1, True, True)
        world.ok(c.VENUE, c.SetCoin(name, 8, [(0, 10**6)], tiers, *terms))
        world.ok(c.VENUE, c.FundPool(coin, 10**18))
    world.tick("01:00")
    return world


def limit_of(world: World, account: int, coin: int) -> tuple[str, str]:
    limit = q.max_borrowable(world.state, account, coin)
    return format_units(limit.units, 8), limit.binding


# Within 7.4 each: (3 - 1) x 0.25 and (5 - 1) x 0.125 are both exactly 0.5.
STEEP: Tiers = [(10**15, 3, 250_000)]
FLAT: Tiers = [(10**15, 5, 125_000)]


@pytest.mark.parametrize(
    ("owed", "expected"),
    [
        # Net 1000 at 5x: 4000 USDT of BTC, K = 500: leverage and ratio come to the same.
        ("0", ("0.2", "leverage")),
        # K = 250, and 500 of the net unused: / (2 x 0.125) = 2000, though leverage leaves 3000.
        ("1000", ("0.1", "ratio")),
        # K = 375, 250 unused: 1000. Leverage would leave 2500, and a ratio of 0.6875.
        ("1500", ("0.05", "ratio")),
        # K = 500: nothing, where leverage would leave 2000 and a ratio of 0.75.
        ("2000", ("0", "ratio")),
    ],
)
def test_a_second_coins_rate_counts_with_the_firsts(owed: str, expected: tuple[str, str]) -> None:
    world = venue(STEEP, FLAT)
    account = world.crossed(USDT="1000")
    if owed != "0":
        world.borrow(account, "USDT", owed)

    assert expected == limit_of(world, account, BTC)
    limit = q.max_borrowable(world.state, account, BTC)
    reply = world.refused(account, c.Borrow(BTC, limit.units + 1, ""))
    refusal = Refusal.BORROW_OVER_RATIO if owed != "0" else Refusal.BORROW_OVER_LEVERAGE
    assert (refusal, limit.units) == (reply.refusal, reply.units)


def test_the_maximum_never_lands_above_the_line() -> None:
    # A first bracket at 50 %, a second at 10 % with 6x: each within 7.4, together not.
    world = venue([(1000 * ONE, 2, 500_000), (5000 * ONE, 6, 100_000)], FLAT)
    account = world.crossed(USDT="500")

    # Leverage of the second tier alone: 2500, K = 500 + 150, a ratio of 1.3.
    assert ("500", "ratio") == limit_of(world, account, USDT)
    world.borrow(account, "USDT", "500")
    risk = q.risk(world.state, account)
    assert 2 * risk.maintenance_e26 == risk.net_e26
    assert ("0", "ratio") == limit_of(world, account, USDT)


def test_the_walk_goes_through_brackets() -> None:
    # Net 1000: 400 of the first bracket cost 200 of 500, the rest at 10 %: 3000.
    world = venue([(400 * ONE, 2, 500_000), (50_000 * ONE, 6, 100_000)], FLAT)
    account = world.crossed(USDT="1000")

    assert ("3400", "ratio") == limit_of(world, account, USDT)


def test_the_other_side_of_an_isolated_pair_sets_the_rate() -> None:
    world = World(audit=False)
    pair = world.pair("BTCUSDT")
    tiers = [(ONE // 100, 5000 * ONE, 10, 50_000), (10 * ONE, 10_000 * ONE, 3, 200_000)]
    world.ok(c.VENUE, pair_terms(pair, isolated_tiers=tiers))
    for name in ("BTC", "USDT"):
        world.rate(name, "0")
    world.tick("01:00")
    account = world.isolated("BTCUSDT", USDT="1000")

    assert ("5000", "tier") == limit_of(world, account, USDT)
    world.borrow(account, "BTC", "0.02")

    # 400 owed in BTC put the account in the second tier: 20 % of all, so 2500 in all; by the first
    # tier's leverage 5000 more, K = 1080 and liquidation at once.
    assert ("2100", "ratio") == limit_of(world, account, USDT)


def test_each_tier_has_its_two_terms() -> None:
    world = venue([(1000 * ONE, 5, 50_000), (5000 * ONE, 3, 100_000)], FLAT)
    account = world.crossed(USDT="400")
    world.borrow(account, "USDT", "700")

    terms = borrow_terms(world.state, world.state.accounts[account], world.coin("USDT"))

    shown = [(term.name, term.tier, term.units // ONE) for term in terms]
    expected = [
        ("leverage", 1, 900),
        ("tier", 1, 300),
        ("leverage", 2, 100),
        ("tier", 2, 4300),
        # K = 35, 330 unused: 300 more at 5 % take 30 of it, 300 at 10 % each 10: 1500.
        ("ratio", 0, 1800),
        ("user_limit", 0, 10**12 - 700),
        ("pool", 0, world.coin("USDT").pool_units // ONE),
    ]
    assert expected == shown
    limit = least(terms)
    assert (300 * ONE, "tier", 1) == (limit.units, limit.binding, limit.tier)


rates = st.integers(45_000, 480_000)


@st.composite
def rows(draw: st.DrawFn) -> Tiers:
    """Draw tiers of any shape that the venue accepts."""
    tiers: Tiers = []
    most = 0
    for _ in range(draw(st.integers(1, 3))):
        most += draw(st.integers(1, 4000)) * ONE
        mmr_e6 = draw(rates)
        tiers.append((most, draw(st.integers(1, 1 + 500_000 // mmr_e6)), mmr_e6))
    return tiers


@given(rows(), rows(), st.integers(1, 3000), st.integers(0, 5000), st.integers(0, 100))
def test_what_is_allowed_keeps_the_ratio(
    usdt: Tiers, btc: Tiers, net: int, first: int, share: int
) -> None:
    world = venue(usdt, btc)
    account = world.crossed(USDT=str(net))
    state = world.state
    steps = [(BTC, first * ONE // 20_000), (USDT, None), (BTC, None)]
    for coin, wanted in steps:
        most = q.max_borrowable(state, account, coin).units
        units = most * share // 100 if wanted is None else min(most, wanted)
        if units:
            world.ok(account, c.Borrow(coin, units, ""))
        risk = q.risk(state, account)
        assert 2 * risk.maintenance_e26 <= risk.net_e26
    found = state.accounts[account]
    for coin in (USDT, BTC):
        limit = q.max_borrowable(state, account, coin)
        # What bounds alone allow is within the exact limit.
        bounds, balance = bounds_of(state, found), found.balance(state.coins[coin])
        assert bounds is not None
        over = limit.units + 1
        value = value_high(balance.coin, over)
        assert not surely_lendable(state, found, balance, bounds, over, value)
        refused = world.do(account, c.Borrow(coin, limit.units + 1, ""))
        assert (limit.units, limit.binding) == (refused.units, refused.detail)
        if limit.units:
            world.ok(account, c.Borrow(coin, limit.units, ""))
            risk = q.risk(state, account)
            assert 2 * risk.maintenance_e26 <= risk.net_e26


@given(st.integers(45_000, 500_000), st.integers(1, 3000), st.integers(0, 5000))
def test_one_tier_for_all_is_never_bound_by_the_ratio(mmr_e6: int, net: int, first: int) -> None:
    tiers = [(10**20, 1 + 500_000 // mmr_e6, mmr_e6)]
    world = venue(tiers, tiers)
    account = world.crossed(USDT=str(net))
    units = min(q.max_borrowable(world.state, account, BTC).units, first * ONE // 20_000)
    if units:
        world.ok(account, c.Borrow(BTC, units, ""))

    for coin in (USDT, BTC):
        assert "leverage" == q.max_borrowable(world.state, account, coin).binding


ANN = c.operator_id(1)
# What stops all lending to an account, how it is lifted, and what a borrower is told meanwhile.
STOPS: dict[str, Callable[[int, bool], c.Command]] = {
    "account_frozen": lambda user, on: c.FreezeAccount(user, c.ALL_SLOTS, on),
    "not_borrowable": lambda user, on: c.RestrictCoin(USDT, not on, True),
    "index_stale": lambda user, on: c.SetIndexPrices(
        [(BTC, 20_000 * 10**12, 2, 0, 1 if on else 0)]
    ),
}


@given(
    st.sampled_from(sorted(STOPS)),
    st.booleans(),
    st.integers(1, 5_000),
    st.integers(0, 100),
)
def test_what_is_shown_is_lent_and_one_unit_more_is_not(
    stop: str, isolated: bool, net: int, share: int
) -> None:
    """Whatever an operator stops, or a silent index: the most is 0 then, by the name of it."""
    world = World(audit=False)
    account = world.isolated("BTCUSDT", BTC="1") if isolated else world.crossed(BTC="1")
    state, user = world.state, c.user_of(account)
    world.ok(c.VENUE, c.FundPool(USDT, net * ONE))
    before = q.max_borrowable(state, account, USDT)
    first = max(state.coins[USDT].min_borrow_units, before.units * share // 100)
    world.ok(account, c.Borrow(USDT, min(first, before.units), ""))

    world.ok(ANN if stop != "index_stale" else c.VENUE, STOPS[stop](user, True))
    world.tick("00:30")
    shown = q.max_borrowable(state, account, USDT)
    assert (0, stop) == (shown.units, shown.binding)
    told = explain_borrow(state, state.accounts[account], state.coins[USDT])
    assert told.blocked is not None
    assert told.blocked.refusal is not None
    assert (0, stop) == (told.units, told.blocked.refusal.value)
    for units in (state.coins[USDT].min_borrow_units, 10**12):
        refusal = world.refused(account, c.Borrow(USDT, units, "")).refusal
        assert refusal is told.blocked.refusal

    world.ok(ANN if stop != "index_stale" else c.VENUE, STOPS[stop](user, False))
    limit = q.max_borrowable(state, account, USDT)
    refused = world.refused(account, c.Borrow(USDT, limit.units + 1, ""))
    if limit.units + 1 >= state.coins[USDT].min_borrow_units:
        assert (limit.units, limit.binding) == (refused.units, refused.detail)
    if limit.units >= state.coins[USDT].min_borrow_units:
        world.ok(account, c.Borrow(USDT, limit.units, ""))
        assert 0 == q.max_borrowable(state, account, USDT).units
