"""Numbers beyond any machine word: a PEPE pair, the largest loan, ten years (RULES 1.1, 1.2).

The same on both builds of the core: nothing wraps, nothing is rounded on the way.
"""

from fractions import Fraction
from math import ceil

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.units import HOUR_MS, RATE_ONE_E12, VALUE_MAX
from tests.core.world import BTCUSDT, PEPE, PEPEUSDT, USDT, World

# Far beyond 2**63 units of 1e-8.
HUGE = 10**29
FOREVER = 10 * 365 * 24 + 2 * 24


def pepe_world() -> World:
    """Return a venue with PEPE at eight decimals: tick 1e-10 USDT, step 100 coins."""
    world = World(catalogue=False)
    world.parameter("caution_half_life_ms", 0)
    for name in ("USDT", "PEPE"):
        terms = ([(0, 10**6)], [(VALUE_MAX, 3, 100_000)], VALUE_MAX, 1, True, True)
        coin = world.ok(c.VENUE, c.SetCoin(name, 8, *terms)).id
        world.ok(c.VENUE, c.FundPool(coin, VALUE_MAX))
        world.ok(c.VENUE, c.SetRate(coin, RATE_ONE_E12))
        world.price(name, "1" if name == "USDT" else "0.000001")
    tiers = [(VALUE_MAX, VALUE_MAX, 3, 150_000)]
    sizes = (1, 1, VALUE_MAX, 200)
    fields = (1, 0, 100, 100 * 10**8, 1000, 1000, *sizes, tiers, 20_000, True, True)
    world.ok(c.VENUE, c.SetPair("PEPEUSDT", *fields))
    return world


def rich(world: World, coin: int, units: int, slot: int = c.SLOT_SPOT) -> int:
    user = world.user()
    spot = c.account_id(user, c.SLOT_SPOT)
    while units:
        part = min(units, VALUE_MAX)
        world.ok(spot, c.Deposit(coin, part))
        if slot != c.SLOT_SPOT:
            world.ok(spot, c.Transfer(c.account_id(user, slot), coin, part, ""))
        units -= part
    return c.account_id(user, slot)


def limit(side: int, ticks: int, steps: int, loan_type: int = c.NORMAL) -> c.PlaceOrder:
    return c.PlaceOrder(0, side, c.LIMIT, c.GTC, loan_type, 0, ticks, steps, 0, "", c.SOURCE_API)


@pytest.mark.parametrize(
    ("ticks", "steps"),
    [
        # One tick and one step are one unit of USDT, and a hundred coins.
        (1, 1),
        (3_037_000_500, 3_037_000_500),  # just beyond 2**63
        (2**31, 2**32),  # exactly 2**63
        (2**32, 2**32),  # 2**64: a wrapped product would be nothing
        (5 * 10**12, 10**8),
        (10**15, 10**13 + 7),
    ],
)
def test_a_trade_of_any_size_is_exact(ticks: int, steps: int) -> None:
    world = pepe_world()
    base_units, quote_units = steps * 100 * 10**8, ticks * steps
    seller, buyer = rich(world, 1, base_units), rich(world, USDT, quote_units)
    world.ok(seller, limit(c.SELL, ticks, steps))

    world.ok(buyer, limit(c.BUY, ticks, steps))

    (trade,) = world.of_type(e.Traded)
    assert (base_units, quote_units) == (trade.base_units, trade.quote_units)
    assert ceil(Fraction(base_units, 1000)) == trade.taker_fee_units
    assert ceil(Fraction(quote_units, 1000)) == trade.maker_fee_units
    assert quote_units - trade.maker_fee_units == world.available(seller, "USDT")
    assert base_units - trade.taker_fee_units == world.available(buyer, "PEPE")
    assert ticks == world.pair("PEPEUSDT").last_price_ticks


def test_a_market_buy_of_any_size_is_exact() -> None:
    world = pepe_world()
    seller, buyer = rich(world, 1, HUGE), rich(world, USDT, HUGE)
    ticks, steps = 10**10 + 1, HUGE // 10**10
    world.ok(seller, limit(c.SELL, ticks, steps))
    budget = ticks * (steps // 2) + ticks - 1

    cmd = c.PlaceOrder(0, c.BUY, c.MARKET, c.GTC, c.NORMAL, 0, 0, 0, budget, "", c.SOURCE_API)
    world.ok(buyer, cmd)

    (trade,) = world.of_type(e.Traded)
    assert (steps // 2, ticks * (steps // 2)) == (trade.size_steps, trade.quote_units)
    assert HUGE - ticks * (steps // 2) == world.available(buyer, "USDT")


def test_levels_of_any_size_add_up() -> None:
    world = pepe_world()
    seller = rich(world, 1, 3 * HUGE)
    for _ in range(3):
        world.ok(seller, limit(c.SELL, 2**40, HUGE // 10**10))

    assert [(2**40, 3 * (HUGE // 10**10))] == q.depth(world.state, 0, 1)[1]


def test_the_largest_order_there_may_be_is_refused_for_its_cost_only() -> None:
    world = pepe_world()
    buyer = rich(world, USDT, 1)

    reply = world.refused(buyer, limit(c.BUY, VALUE_MAX, VALUE_MAX))

    assert Refusal.INSUFFICIENT_BALANCE == reply.refusal
    assert Refusal.AMOUNT_TOO_LARGE == world.refused(buyer, limit(c.BUY, VALUE_MAX + 1, 1)).refusal


def test_a_margin_position_of_any_size_is_exact() -> None:
    world = pepe_world()
    # 10**20 USDT: net and debt in 1e-26 USDT are of 47 digits.
    account = rich(world, USDT, 10**28, c.SLOT_CROSSED)
    seller = rich(world, 1, VALUE_MAX)
    world.ok(seller, limit(c.SELL, 10_000, 10**20))

    budget = 2 * 10**28
    cmd = c.PlaceOrder(0, c.BUY, c.MARKET, c.GTC, c.AUTO_LOAN, 0, 0, 0, budget, "", c.SOURCE_API)
    world.ok(account, cmd)

    spent = min(budget, 10_000 * 10**20)
    assert spent == sum(row.quote_units for row in world.of_type(e.Traded))
    # What was there paid for it: nothing was borrowed.
    assert 10**28 - spent == world.available(account, "USDT")
    world.ok(account, c.Borrow(USDT, 10**28, ""))
    found = q.risk(world.state, account)
    held = 10**20 * 100 * 10**8 * 999 // 1000
    first_hour = ceil(Fraction(10**28, 24) - Fraction(1, 2))
    usdt = 2 * 10**28 - spent - 10**28 - first_hour
    assert (held * 10**6 * 10**6 + usdt * 10**18) == found.net_e26
    assert (10**28 + first_hour) * 10**18 == found.debt_e26
    assert (10**28 + first_hour) * 10**17 == found.maintenance_e26


@pytest.mark.parametrize("profile", [0, 1])
@pytest.mark.parametrize("units", [VALUE_MAX, 10**18 + 1])
def test_the_largest_loan_at_the_largest_rate_for_ten_years(profile: int, units: int) -> None:
    world = pepe_world()
    world.parameter("interest_profile", profile)
    account = rich(world, USDT, VALUE_MAX, c.SLOT_CROSSED)
    world.ok(account, c.Borrow(USDT, units, ""))
    # Nobody is to liquidate it meanwhile.
    world.price("USDT", "1", sources=1)

    world.audit = False
    world.tick(world.time_ms + FOREVER * HOUR_MS)

    hours = FOREVER + 1
    exact = Fraction(units * RATE_ONE_E12, 24 * RATE_ONE_E12)
    due = hours * ceil(exact) if profile else int(hours * exact + Fraction(1, 2))
    assert due == world.balance(account, "USDT").interest_units
    if units == VALUE_MAX:
        assert due > 3600 * VALUE_MAX
    # A snapshot keeps every digit, and the receipts add up.
    twin = Engine.restore(list(world.engine.snapshot_lines()))
    assert world.engine.state_hash() == twin.state_hash()
    assert due == q.balance(twin.state, account, USDT).interest_units
    pending = q.pending_interest(world.state, account)
    first = ceil(exact) if profile else int(exact + Fraction(1, 2))
    assert (FOREVER, due - first) == (len(pending), sum(row.units for row in pending))


def test_the_largest_debt_is_repaid_to_the_unit() -> None:
    world = pepe_world()
    account = rich(world, USDT, VALUE_MAX, c.SLOT_CROSSED)
    world.ok(account, c.Borrow(USDT, VALUE_MAX, ""))
    world.price("USDT", "1", sources=1)
    world.tick(world.time_ms + 10 * HOUR_MS)
    debt = world.debt(account, "USDT")
    assert VALUE_MAX + ceil(Fraction(11 * VALUE_MAX, 24) - Fraction(1, 2)) == debt

    reply = world.ok(account, c.Repay(USDT, VALUE_MAX, ""))

    assert (VALUE_MAX, debt - VALUE_MAX) == (reply.units, reply.remaining)
    assert 0 == world.ok(account, c.Repay(USDT, VALUE_MAX, "")).remaining
    assert VALUE_MAX * 2 - debt == world.available(account, "USDT")


def test_a_huge_position_is_liquidated_to_the_unit() -> None:
    world = pepe_world()
    world.ok(c.VENUE, c.SetRate(USDT, 0))
    world.tick(world.time_ms + HOUR_MS)
    world.ok(c.VENUE, c.FundInsurance(USDT, VALUE_MAX))
    # 10**16 USDT for 10**22 coins; 6 x 10**15 of them borrowed.
    own, cost, steps = 4 * 10**23, 10**24, 10**20
    account = rich(world, USDT, own, c.SLOT_ISOLATED)
    world.ok(rich(world, 1, VALUE_MAX), limit(c.SELL, 10_000, steps))
    world.ok(account, limit(c.BUY, 10_000, steps, c.AUTO_LOAN))
    world.ok(rich(world, USDT, VALUE_MAX), limit(c.BUY, 6_900, steps))
    held, debt, mmr = steps * 100 * 10**8 * 999 // 1000, cost - own, Fraction(15, 100)
    price = Fraction(69, 10**8)

    world.price("PEPE", "0.00000069")
    events = world.liquidate()

    net, maintenance = held * price - debt, mmr * debt
    value = (maintenance - net / 2) / (
        (1 - Fraction(41, 1000)) * (mmr + Fraction(1, 2)) - Fraction(1, 2)
    )
    size = ceil(Fraction(ceil(value / price), 100 * 10**8))
    (trade,) = [row for row in events if isinstance(row, e.Traded)]
    assert (size, 6_900 * size) == (trade.size_steps, trade.quote_units)
    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    assert 6_900 * size - ceil(Fraction(6_900 * size, 1000)) == repaid.principal_units
    (fee,) = [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    assert int(Fraction(2, 100) * repaid.principal_units / price) == fee.units
    assert held - size * 100 * 10**8 - fee.units == world.available(account, "PEPE")
    assert debt - repaid.principal_units == world.debt(account, "USDT")
    assert world.state.accounts[account].liquidation is None


def test_the_catalogues_pepe_pair_is_exact_too() -> None:
    world = World()
    assert PEPEUSDT == world.pair("PEPEUSDT").id
    seller = world.spot(PEPE="1000000000000")
    buyer = world.spot(USDT="2000000")
    world.sell(seller, "PEPEUSDT", "1000000000000", "0.0000010001")

    world.ok(buyer, world.order("PEPEUSDT", c.BUY, quote="1000100"))

    (trade,) = world.of_type(e.Traded)
    assert (10**14, 1_000_100 * 10**8) == (trade.base_units, trade.quote_units)
    assert (10**11, 100_010_000_000) == (trade.taker_fee_units, trade.maker_fee_units)
    assert (PEPE, BTCUSDT) == (world.coin("PEPE").id, 0)
