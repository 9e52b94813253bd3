"""Lending: what may be borrowed and which bound binds, paying back, leverage (RULES 6)."""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX, format_units, parse_units
from tests.core.world import BTC, DOGE, ETH, USDC, USDT, World

SIDE = (10**20, 10**20)


def set_coin(
    world: World,
    coin: str,
    *,
    tiers: list[tuple[int, int, int]] | None = None,
    user_limit: str = "1000000",
    min_borrow_units: int = 1,
    borrowable: bool = True,
) -> None:
    """Change a coin's terms; its collateral ratio becomes 1, its one tier 3x up to a million."""
    decimals = world.coin(coin).decimals
    default = [(parse_units("1000000", decimals), 3, 100_000)]
    limit = parse_units(user_limit, decimals)
    terms = (tiers or default, limit, min_borrow_units, borrowable, True)
    world.ok(c.VENUE, c.SetCoin(coin, decimals, [(0, 10**6)], *terms))


def without_interest() -> World:
    """Return a world in which nothing costs interest."""
    world = World()
    for name in ("USDT", "USDC", "BTC", "ETH", "DOGE", "PEPE"):
        world.rate(name, "0")
    world.tick("01:00")
    return world


# --- refusals, in their order ------------------------------------------------------------------


def lenders_worst_day() -> tuple[World, dict[str, int]]:
    """Return a venue that lends no USDT, on a stale index, least ten units; and its accounts."""
    world = World()
    accounts = {
        "spot": world.spot(USDT="1000"),
        "crossed": world.crossed(USDT="100"),
        "isolated": world.isolated("BTCUSDT", USDT="100"),
        "locked": world.isolated("BTCUSDT", BTC="1"),
        "nobody": 77,
    }
    for name in ("isolated", "locked"):
        world.ok(accounts[name], c.Borrow(USDT, 10**8, "used"))
    world.borrow(accounts["locked"], "USDT", "9999")
    world.price("BTC", "1")
    world.price("BTC", "20000", max_age_ms=1000)
    world.price("USDT", "1", max_age_ms=1000)
    world.tick(world.time_ms + 1001)
    set_coin(world, "USDT", min_borrow_units=10, borrowable=False)
    return world, accounts


@pytest.mark.parametrize(
    ("account", "cmd", "refusal"),
    [
        # Each row is wrong in every later way too, as far as one amount can be.
        ("nobody", c.Borrow(99, 0, "used"), Refusal.ACCOUNT_UNKNOWN),
        ("locked", c.Borrow(99, 0, "used"), Refusal.CLIENT_OID_REUSED),
        ("spot", c.Borrow(99, 0, ""), Refusal.MARGIN_NOT_OPENED),
        ("locked", c.Borrow(99, 0, ""), Refusal.COIN_UNKNOWN),
        ("locked", c.Borrow(-1, 0, ""), Refusal.COIN_UNKNOWN),
        ("locked", c.Borrow(DOGE, 0, ""), Refusal.COIN_NOT_IN_ACCOUNT),
        ("locked", c.Borrow(USDT, 0, ""), Refusal.IN_LIQUIDATION),
        ("isolated", c.Borrow(USDT, 0, ""), Refusal.AMOUNT_NOT_POSITIVE),
        ("isolated", c.Borrow(USDT, -5, ""), Refusal.AMOUNT_NOT_POSITIVE),
        ("isolated", c.Borrow(USDT, VALUE_MAX + 1, ""), Refusal.AMOUNT_TOO_LARGE),
        ("isolated", c.Borrow(USDT, 9, ""), Refusal.BORROW_UNDER_MINIMUM),
        ("isolated", c.Borrow(USDT, VALUE_MAX, ""), Refusal.NOT_BORROWABLE),
    ],
)
def test_a_loan_is_refused_in_this_order(account: str, cmd: Command, refusal: Refusal) -> None:
    world, accounts = lenders_worst_day()

    assert refusal == world.refused(accounts[account], cmd).refusal


def test_then_for_the_index_and_then_for_the_limits() -> None:
    world, accounts = lenders_worst_day()
    account = accounts["isolated"]
    cmd = c.Borrow(USDT, VALUE_MAX, "")
    set_coin(world, "USDT")

    reply = world.refused(account, cmd)
    assert (Refusal.INDEX_STALE, "USDT") == (reply.refusal, reply.detail)
    # A coin held and owed is looked at too.
    world.price("USDT", "1")
    world.fund(account, "BTC", "0.001")
    reply = world.refused(account, cmd)
    assert (Refusal.INDEX_STALE, "BTC") == (reply.refusal, reply.detail)
    world.price("BTC", "20000")
    assert Refusal.BORROW_OVER_LEVERAGE == world.refused(account, cmd).refusal


def test_a_coin_without_a_rate_or_a_tier_is_not_lent() -> None:
    world = World()
    account = world.crossed(USDT="100")
    world.ok(
        c.VENUE, c.SetCoin("NEW", 8, [(0, 10**6)], [(10**20, 3, 10**5)], 10**20, 1, True, True)
    )
    new = world.coin("NEW").id
    world.ok(c.VENUE, c.FundPool(new, 10**20))
    world.price("NEW", "1")

    assert Refusal.NOT_BORROWABLE == world.refused(account, c.Borrow(new, 1, "")).refusal
    world.rate("NEW", "0")
    world.ok(account, c.Borrow(new, 1, ""))
    world.repay(account, "NEW", "1")
    world.ok(c.VENUE, c.SetCoin("NEW", 8, [(0, 10**6)], [], 10**20, 1, True, True))
    assert Refusal.NOT_BORROWABLE == world.refused(account, c.Borrow(new, 1, "")).refusal


@pytest.mark.parametrize(
    ("account", "cmd", "refusal"),
    [
        ("nobody", c.Repay(99, 0, "used"), Refusal.ACCOUNT_UNKNOWN),
        ("crossed", c.Repay(99, 0, "used"), Refusal.CLIENT_OID_REUSED),
        ("spot", c.Repay(99, 0, ""), Refusal.MARGIN_NOT_OPENED),
        ("isolated", c.Repay(99, 0, ""), Refusal.COIN_UNKNOWN),
        ("isolated", c.Repay(DOGE, 0, ""), Refusal.COIN_NOT_IN_ACCOUNT),
        ("isolated", c.Repay(USDT, 0, ""), Refusal.AMOUNT_NOT_POSITIVE),
        ("isolated", c.Repay(USDT, -1, ""), Refusal.AMOUNT_NOT_POSITIVE),
        ("isolated", c.Repay(BTC, 1, ""), Refusal.NO_DEBT),
        ("isolated", c.Repay(USDT, 10**10, ""), Refusal.REPAY_OVER_AVAILABLE),
        ("isolated", c.Repay(USDT, 1, ""), Refusal.REPAY_UNDER_INTEREST),
    ],
)
def test_a_repayment_is_refused_in_this_order(account: str, cmd: Command, refusal: Refusal) -> None:
    world = World()
    crossed = world.crossed(USDT="100")
    world.borrow(crossed, "USDT", "100")
    world.ok(crossed, c.Repay(USDT, 10**8, "used"))
    # Owes 100 USDT and its interest, of which it has half a USDT left; the rest rests in orders.
    isolated = world.isolated("BTCUSDT", USDT="20")
    world.borrow(isolated, "USDT", "100")
    world.buy(isolated, "BTCUSDT", "0.005975", "20000")
    accounts = {"nobody": 77, "spot": world.spot(), "crossed": crossed, "isolated": isolated}

    assert refusal == world.refused(accounts[account], cmd).refusal


@pytest.mark.parametrize(
    ("account", "leverage", "refusal", "units"),
    [
        ("nobody", 0, Refusal.ACCOUNT_UNKNOWN, 0),
        ("spot", 0, Refusal.MARGIN_NOT_OPENED, 0),
        ("locked", 0, Refusal.IN_LIQUIDATION, 0),
        ("isolated", 0, Refusal.LEVERAGE_OUT_OF_RANGE, 10),
        ("isolated", 11, Refusal.LEVERAGE_OUT_OF_RANGE, 10),
        ("crossed", 4, Refusal.LEVERAGE_OUT_OF_RANGE, 3),
        # Debt 600, net 100: six times; at 5x four times are allowed, at 1x none.
        ("isolated", 5, Refusal.LEVERAGE_BELOW_DEBT, 200 * 10**8),
        ("isolated", 6, Refusal.LEVERAGE_BELOW_DEBT, 100 * 10**8),
        ("isolated", 1, Refusal.LEVERAGE_BELOW_DEBT, 600 * 10**8),
    ],
)
def test_a_leverage_is_refused_in_this_order(
    account: str, leverage: int, refusal: Refusal, units: int
) -> None:
    world = without_interest()
    isolated = world.isolated("BTCUSDT", USDT="100")
    world.borrow(isolated, "USDT", "600")
    locked = world.isolated("BTCUSDT", BTC="1")
    world.borrow(locked, "USDT", "10000")
    world.price("BTC", "1")
    accounts = {
        "nobody": 77,
        "spot": world.spot(),
        "crossed": world.crossed(USDT="100"),
        "isolated": isolated,
        "locked": locked,
    }

    reply = world.refused(accounts[account], c.SetLeverage(leverage))

    assert (refusal, units) == (reply.refusal, reply.units)


# --- the limits (RULES 6.1; reference, 12.3) ---------------------------------------------------


def limit_of(world: World, account: int, coin: str) -> tuple[str, str]:
    limit = q.max_borrowable(world.state, account, world.coin(coin).id)
    return format_units(limit.units, world.coin(coin).decimals), limit.binding


@pytest.mark.parametrize(
    ("limit", "pool", "expected"),
    [
        ("1000000", "5000000", ("20000", "leverage")),
        ("15000", "5000000", ("15000", "user_limit")),
        ("15000", "5000", ("5000", "pool")),
        ("4999", "5000", ("4999", "user_limit")),
    ],
)
def test_each_cap_applies(limit: str, pool: str, expected: tuple[str, str]) -> None:
    world = without_interest()
    for _ in range(6_000_000 // 1_000_000):
        set_coin(world, "USDT")
        stranger = world.crossed(BTC="1000")
        most = min(world.coin("USDT").pool_units - parse_units(pool, 8), 10**14)
        if most > 0:
            world.ok(stranger, c.Borrow(USDT, most, ""))
    set_coin(world, "USDT", user_limit=limit)
    account = world.crossed(USDT="10000")

    assert expected == limit_of(world, account, "USDT")
    refusals = {
        "leverage": Refusal.BORROW_OVER_LEVERAGE,
        "user_limit": Refusal.BORROW_OVER_USER_LIMIT,
        "pool": Refusal.BORROW_OVER_POOL,
    }
    units = parse_units(expected[0], 8)
    reply = world.refused(account, c.Borrow(USDT, units + 1, ""))
    assert (refusals[expected[1]], units) == (reply.refusal, reply.units)
    world.ok(account, c.Borrow(USDT, units, ""))


@pytest.mark.parametrize(
    ("limit", "debt", "left"),
    [
        ("143000", "0.08363462", "142999.91636538"),
        ("200000", "0.00001658", "199999.99998342"),
    ],
)
def test_what_is_owed_comes_off_the_users_limit(limit: str, debt: str, left: str) -> None:
    world = without_interest()
    account = world.crossed(BTC="100")
    set_coin(world, "USDT", user_limit=limit)
    world.borrow(account, "USDT", debt)

    assert (left, "user_limit") == limit_of(world, account, "USDT")


def test_interest_owed_comes_off_the_users_limit_too() -> None:
    world = World()
    world.rate("USDT", "0.0024")
    world.tick("01:00")
    account = world.crossed(BTC="100")
    set_coin(world, "USDT", user_limit="143000")
    world.borrow(account, "USDT", "10000")

    world.tick("03:00")

    assert ("132997", "user_limit") == limit_of(world, account, "USDT")


def test_the_users_limit_holds_over_all_accounts() -> None:
    world = without_interest()
    set_coin(world, "USDT", user_limit="1000")
    user = world.user()
    crossed = c.account_id(user, c.SLOT_CROSSED)
    isolated = c.account_id(user, c.SLOT_ISOLATED)
    world.fund(crossed, "BTC", "1")
    world.fund(isolated, "BTC", "1")
    other = world.crossed(BTC="1")

    world.borrow(crossed, "USDT", "700")

    assert ("300", "user_limit") == limit_of(world, isolated, "USDT")
    assert ("1000", "user_limit") == limit_of(world, other, "USDT")
    world.borrow(isolated, "USDT", "300")
    assert ("0", "user_limit") == limit_of(world, crossed, "USDT")


def test_levels_raise_the_users_limit() -> None:
    world = without_interest()
    set_coin(world, "USDT", user_limit="1000")
    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (10**6, 1_660_000)]))
    account = world.crossed(BTC="1")
    world.ok(c.VENUE, c.SetUserLevel(c.user_of(account), 1))

    assert ("1000", "user_limit") == limit_of(world, account, "USDT")
    world.tick("02:00")
    assert ("1660", "user_limit") == limit_of(world, account, "USDT")


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        # Up to 1000 at 5x, to 5000 at 3x, to 20 000 at 2x: four, two, one times the net.
        ("100", ("400", "leverage")),
        ("250", ("1000", "leverage")),
        ("400", ("1000", "tier")),
        ("501", ("1002", "leverage")),
        ("600", ("1200", "leverage")),
        ("4000", ("5000", "tier")),
        ("6000", ("6000", "leverage")),
        ("30000", ("20000", "tier")),
    ],
)
def test_the_best_tier_counts(net: str, expected: tuple[str, str]) -> None:
    world = without_interest()
    tiers = [(1000 * 10**8, 5, 50_000), (5000 * 10**8, 3, 100_000), (20_000 * 10**8, 2, 200_000)]
    set_coin(world, "USDT", tiers=tiers)
    account = world.crossed(USDT=net)

    assert expected == limit_of(world, account, "USDT")


def test_the_principal_owed_takes_up_the_tiers() -> None:
    world = without_interest()
    tiers = [(1000 * 10**8, 5, 50_000), (5000 * 10**8, 3, 100_000)]
    set_coin(world, "USDT", tiers=tiers)
    account = world.crossed(USDT="400")
    world.borrow(account, "USDT", "700")

    # Tier 1 has 300 left, tier 2 would carry 800 - 700.
    assert ("300", "tier") == limit_of(world, account, "USDT")
    world.borrow(account, "USDT", "300")
    assert ("0", "leverage") == limit_of(world, account, "USDT")


def test_a_chosen_leverage_bounds_the_tiers() -> None:
    world = without_interest()
    tiers = [(1000 * 10**8, 5, 50_000), (5000 * 10**8, 3, 100_000)]
    set_coin(world, "USDT", tiers=tiers)
    account = world.crossed(USDT="100")

    limits = []
    for leverage in (1, 2, 4, 5):
        world.ok(account, c.SetLeverage(leverage))
        assert [leverage] == [row.leverage for row in world.of_type(e.LeverageSet)]
        limits.append(limit_of(world, account, "USDT")[0])

    assert ["0", "100", "300", "400"] == limits


def test_the_room_is_valued_in_the_coin_and_rounded_down() -> None:
    world = without_interest()
    account = world.crossed(USDT="100")
    world.price("BTC", "30000")

    # 200 USDT are 0.00666666… BTC.
    assert ("0.00666666", "leverage") == limit_of(world, account, "BTC")
    world.borrow(account, "BTC", "0.003")
    assert ("110", "leverage") == limit_of(world, account, "USDT")


def test_a_loan_does_not_raise_the_room_for_another() -> None:
    world = without_interest()
    account = world.crossed(USDT="100")

    world.borrow(account, "USDT", "200")

    # Borrowed coins are no collateral: the net is what it was.
    for coin in ("USDT", "BTC", "USDC"):
        assert ("0", "leverage") == limit_of(world, account, coin)


def test_limits_are_tested_before_the_first_charge() -> None:
    world = World()
    world.rate("USDT", "1")
    world.tick("01:00")
    account = world.crossed(USDT="100")

    # 200 is exactly the room; its first hour of 8 1/3 is charged nevertheless.
    reply = world.borrow(account, "USDT", "200")

    assert ("200", "208.33333333") == (
        format_units(reply.units, 8),
        format_units(reply.remaining, 8),
    )
    assert ("0", "leverage") == limit_of(world, account, "USDT")


def test_a_limit_is_never_below_nothing() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "30000")

    world.price("BTC", "10000")
    set_coin(world, "USDT", user_limit="100")

    assert "0" == limit_of(world, account, "USDT")[0]
    assert "0" == limit_of(world, account, "ETH")[0]


@pytest.mark.parametrize("slot", [c.SLOT_SPOT, c.SLOT_ISOLATED + 77])
def test_no_loans_where_there_is_no_margin(slot: int) -> None:
    world = World()
    user = world.user(USDT="100")

    limit = q.max_borrowable(world.state, c.account_id(user, slot), USDT)

    assert 0 == limit.units


def test_an_isolated_account_borrows_its_pair_only() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", USDT="100")

    assert ("900", "leverage") == limit_of(world, account, "USDT")
    assert ("0.045", "leverage") == limit_of(world, account, "BTC")
    assert "0" == limit_of(world, account, "ETH")[0]
    for coin in (ETH, USDC):
        reply = world.refused(account, c.Borrow(coin, 1, ""))
        assert Refusal.COIN_NOT_IN_ACCOUNT == reply.refusal


def test_the_last_unit_of_a_pool_goes_to_the_first_who_asks() -> None:
    world = World(catalogue=False)
    terms = c.SetCoin("USDT", 8, [(0, 10**6)], [(10**20, 3, 10**5)], 10**20, 1, True, True)
    world.ok(c.VENUE, terms)
    world.rate("USDT", "0.00041")
    world.price("USDT", "1")
    racers = [world.crossed(USDT="1") for _ in range(20)]

    for pool in (0, 1, 2):
        outcomes = [world.do(racer, c.Borrow(USDT, 1, "")).refusal for racer in racers]
        assert pool == outcomes.count(None)
        assert [Refusal.BORROW_OVER_POOL] * (20 - pool) == outcomes[pool:]
        for racer in racers[:pool]:
            world.repay(racer, "USDT", "1")
        world.ok(c.VENUE, c.FundPool(USDT, 1))


# --- paying back (RULES 6.4) -------------------------------------------------------------------


def debtor(world: World, held: str = "1000", borrowed: str = "1000") -> int:
    """Return an account that owes `borrowed` USDT and ten USDT of interest."""
    world.rate("USDT", "0.24")
    world.tick("01:00")
    account = world.crossed(USDT=held)
    world.borrow(account, "USDT", borrowed)
    return account


@pytest.mark.parametrize(
    ("asked", "paid", "interest", "principal", "remaining"),
    [
        ("10", "10", "10", "0", "1000"),
        ("10.00000001", "10.00000001", "10", "0.00000001", "999.99999999"),
        ("500", "500", "10", "490", "510"),
        ("1010", "1010", "10", "1000", "0"),
        # Capped at the debt first, then compared with what is there.
        ("999999999", "1010", "10", "1000", "0"),
    ],
)
def test_interest_is_paid_first(
    asked: str, paid: str, interest: str, principal: str, remaining: str
) -> None:
    world = World()
    account = debtor(world)

    reply = world.repay(account, "USDT", asked)

    (row,) = world.of_type(e.Repaid)
    amounts = (reply.units, row.interest_units, row.principal_units, reply.remaining)
    assert [paid, interest, principal, remaining] == [format_units(units, 8) for units in amounts]
    assert (e.REPAY_MANUAL, reply.remaining) == (row.kind, row.remaining_units)
    assert row.interest_units == world.coin("USDT").interest_units


def test_the_cap_is_applied_before_the_comparison_with_available() -> None:
    world = World()
    account = debtor(world, held="100", borrowed="200")
    # 202 owed; 150 of the 300 held rest in an order.
    world.buy(account, "BTCUSDT", "0.0075", "20000")

    reply = world.refused(account, c.Repay(USDT, VALUE_MAX, ""))
    assert (Refusal.REPAY_OVER_AVAILABLE, 150 * 10**8) == (reply.refusal, reply.units)
    assert 52 * 10**8 == world.repay(account, "USDT", "150").remaining


def test_less_than_the_interest_is_refused_with_the_interest_named() -> None:
    world = World()
    account = debtor(world)

    reply = world.refused(account, c.Repay(USDT, 10 * 10**8 - 1, ""))

    assert (Refusal.REPAY_UNDER_INTEREST, 10 * 10**8) == (reply.refusal, reply.units)


def test_a_repayment_takes_its_own_coin_only() -> None:
    world = World()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "1000")
    world.buy(account, "BTCUSDT", "0.05", "20000")

    reply = world.refused(account, c.Repay(USDT, 1, ""))

    assert (Refusal.REPAY_OVER_AVAILABLE, 0) == (reply.refusal, reply.units)


def test_a_coin_that_is_no_longer_lent_can_be_repaid() -> None:
    world = World()
    account = debtor(world)
    set_coin(world, "USDT", borrowable=False)

    assert 0 == world.repay(account, "USDT", "2000").remaining


def test_a_lowered_leverage_holds_for_what_comes() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", USDT="100")
    world.borrow(account, "USDT", "600")

    world.ok(account, c.SetLeverage(7))
    assert ("0", "leverage") == limit_of(world, account, "USDT")
    # Repaying what the refusal names is exactly enough.
    reply = world.refused(account, c.SetLeverage(4))
    world.ok(account, c.Repay(USDT, reply.units, ""))
    world.ok(account, c.SetLeverage(4))
    assert 300 * 10**8 == world.debt(account, "USDT")


def test_leverage_may_be_lowered_without_debt_and_raised_with_it() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", USDT="100")
    world.ok(account, c.SetLeverage(1))
    assert Refusal.BORROW_OVER_LEVERAGE == world.refused(account, c.Borrow(USDT, 1, "")).refusal
    world.ok(account, c.SetLeverage(2))
    world.borrow(account, "USDT", "100")

    world.ok(account, c.SetLeverage(10))

    assert ("800", "leverage") == limit_of(world, account, "USDT")
