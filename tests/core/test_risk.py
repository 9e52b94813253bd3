"""Risk: what an account is worth, the lines, and the orders it may place (RULES 7.2, 7.3, 7.6)."""

from fractions import Fraction

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.queries import VALUE_ONE
from lombard.core.refusals import Refusal
from lombard.core.units import format_units
from tests.core.world import BTCUSDT, PEPEUSDT, World, pair_terms

COINS = ("USDT", "USDC", "BTC", "ETH", "DOGE", "PEPE")


def without_interest() -> World:
    """Return a world in which nothing costs interest."""
    world = World()
    for name in COINS:
        world.rate(name, "0")
    world.tick("01:00")
    return world


def risk(world: World, account: int) -> tuple[Fraction, Fraction, Fraction]:
    """Return N, D and K in USDT."""
    found = q.risk(world.state, account)
    values = (found.net_e26, found.debt_e26, found.maintenance_e26)
    net, debt, maintenance = (Fraction(value, VALUE_ONE) for value in values)
    return net, debt, maintenance


def values(*texts: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(text) for text in texts)


# --- N, D and K (RULES 7.2) --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "borrowed", "expected"),
    [
        ({}, {}, ("0", "0", "0")),
        # The collateral ratio: 0.95 of 1500, 0.5 of a millionth.
        ({"ETH": "1"}, {}, ("1425", "0", "0")),
        ({"PEPE": "1000000", "BTC": "0.1"}, {}, ("2000.5", "0", "0")),
        # Holdings offset the own debt in full; only the excess is cut.
        ({"ETH": "1"}, {"ETH": "1"}, ("1425", "1500", "150")),
        ({"ETH": "1"}, {"USDT": "1000"}, ("1425", "1000", "100")),
        (
            {"ETH": "2", "DOGE": "10000", "USDT": "50"},
            {"USDT": "1000", "BTC": "0.05", "DOGE": "1000"},
            # 2850 + 800 + 50; 1000 + 1000 + 100
            ("3700", "2100", "210"),
        ),
    ],
)
def test_what_a_crossed_account_is_worth(
    own: dict[str, str], borrowed: dict[str, str], expected: tuple[str, str, str]
) -> None:
    world = without_interest()
    account = world.crossed(**own)
    for coin, amount in borrowed.items():
        world.borrow(account, coin, amount)

    assert values(*expected) == risk(world, account)


def test_a_deficit_counts_in_full() -> None:
    world = without_interest()
    world.buy(world.spot(USDT="10000"), "ETHUSDT", "1", "1500")
    account = world.crossed(USDT="1000")
    world.borrow(account, "ETH", "1")

    world.ok(account, world.order("ETHUSDT", c.SELL, "1"))

    # 1000 + 1498.5 in USDT, one ETH missing.
    assert values("998.5", "1500", "150") == risk(world, account)


def test_frozen_coins_count_as_held() -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "1000")

    world.buy(account, "BTCUSDT", "0.1", "20000")

    assert values("1000", "1000", "100") == risk(world, account)


def test_the_collateral_ratio_falls_in_steps() -> None:
    world = without_interest()
    doge = world.coin("DOGE")
    limits = (doge.cross_tiers, doge.user_limit_units, 1, True, True)
    steps = [(1000 * 10**4, 800_000), (2000 * 10**4, 500_000), (0, 100_000)]
    world.ok(c.VENUE, c.SetCoin("DOGE", 4, steps, *limits))
    world.price("DOGE", "1")
    account = world.crossed()

    seen = []
    for _ in range(5):
        world.fund(account, "DOGE", "500")
        seen.append(risk(world, account)[0])
    assert [400, 800, 1050, 1300, 1350] == seen
    # It is the excess that climbs the steps.
    world.borrow(account, "DOGE", "1000")
    assert values("1350", "1000", "100") == risk(world, account)


def test_maintenance_is_marginal_by_principal() -> None:
    world = without_interest()
    usdt = world.coin("USDT")
    tiers = [(1000 * 10**8, 3, 50_000), (5000 * 10**8, 3, 100_000), (10**14, 3, 200_000)]
    limits = (usdt.user_limit_units, 1, True, True)
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, *limits))
    account = world.crossed(BTC="1")

    seen = []
    for amount in ("600", "400", "0.00000001", "3999.99999999", "1000"):
        world.borrow(account, "USDT", amount)
        seen.append(risk(world, account)[2])
    expected = ["30", "50", "50.000000001", "450", "650"]
    assert [Fraction(text) for text in expected] == seen


def test_interest_counts_at_the_highest_rate_reached() -> None:
    world = without_interest()
    usdt = world.coin("USDT")
    tiers = [(1000 * 10**8, 3, 50_000), (5000 * 10**8, 3, 100_000)]
    limits = (usdt.user_limit_units, 1, True, True)
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, *limits))
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "2000")
    world.rate("USDT", "0.24")

    world.tick("02:00")

    # 1 % of 2000 an hour: 50 + 100 + a tenth of 20.
    assert values("19980", "2020", "152") == risk(world, account)


def test_principal_beyond_the_last_tier_counts_at_its_rate() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "2000")
    usdt = world.coin("USDT")
    limits = (usdt.user_limit_units, 1, True, True)

    tiers = [(1000 * 10**8, 3, 50_000), (1500 * 10**8, 3, 100_000)]
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, *limits))

    assert values("20000", "2000", "150") == risk(world, account)


def isolated_tiers(world: World, tiers: list[tuple[int, int, int, int]]) -> None:
    pair = world.pair("BTCUSDT")
    sizes = (pair.min_value_units, 1, 10**12, 200)
    terms = (pair.tick_e12, pair.step_units, 1000, 1000, *sizes, tiers, 0, True, True)
    world.ok(c.VENUE, c.SetPair("BTCUSDT", pair.base.id, pair.quote.id, *terms))


def test_an_isolated_account_knows_no_collateral_ratio() -> None:
    world = without_interest()
    account = world.isolated("PEPEUSDT", PEPE="1000000000")
    world.borrow(account, "USDT", "1000")

    assert values("1000", "1000", "150") == risk(world, account)


@pytest.mark.parametrize(
    ("usdt", "btc", "maintenance"),
    [
        # 5 % up to 1000 USDT and 0.1 BTC, 10 % up to 5000 and 1, then 20 %: the higher side counts.
        ("1000", "0.1", "150"),
        ("1000.00000001", "0", "100.000000001"),
        ("1000", "0.10000001", "300.00002"),
        ("5000", "1", "2500"),
        ("100", "1.00000001", "4020.00004"),
        ("5000.00000001", "0.01", "1040.000000002"),
    ],
)
def test_an_isolated_account_pays_the_higher_tier_of_its_two_sides(
    usdt: str, btc: str, maintenance: str
) -> None:
    world = without_interest()
    tiers = [
        (10**7, 1000 * 10**8, 10, 50_000),
        (10**8, 5000 * 10**8, 5, 100_000),
        (10**10, 10**14, 3, 200_000),
    ]
    isolated_tiers(world, tiers)
    account = world.isolated("BTCUSDT", USDT="100000")
    world.borrow(account, "USDT", usdt)
    if btc != "0":
        world.borrow(account, "BTC", btc)

    assert Fraction(maintenance) == risk(world, account)[2]


# --- the lines (RULES 7.3; reference, 8.1 and 12.3) --------------------------------------------


@pytest.mark.parametrize(
    ("slot", "price", "assets", "ratio_e6", "locked"),
    [
        # 1 BTC beside 10 000 borrowed USDT. Crossed, K = 1000.
        (c.SLOT_CROSSED, "1000", 11_000, 1_000_000, True),
        (c.SLOT_CROSSED, "1000.000000000001", 11_000, 1_000_000, False),
        (c.SLOT_CROSSED, "999.99", 10_999, 1_000_011, True),
        (c.SLOT_CROSSED, "1250", 11_250, 800_000, False),
        (c.SLOT_CROSSED, "2000", 12_000, 500_000, False),
        (c.SLOT_CROSSED, "20000", 30_000, 50_000, False),
        # Isolated, K = 500.
        (c.SLOT_ISOLATED, "500", 10_500, 1_000_000, True),
        (c.SLOT_ISOLATED, "500.000000000001", 10_500, 1_000_000, False),
        (c.SLOT_ISOLATED, "625", 10_625, 800_000, False),
        (c.SLOT_ISOLATED, "1000", 11_000, 500_000, False),
    ],
)
def test_liquidation_comes_when_net_is_no_more_than_maintenance(
    slot: int, price: str, assets: int, ratio_e6: int, locked: bool
) -> None:
    world = without_interest()
    account = world.margin(slot, BTC="1")
    world.borrow(account, "USDT", "10000")

    world.price("BTC", price)

    assert ratio_e6 == q.risk(world.state, account).ratio_e6()
    assert locked == (world.state.accounts[account].liquidation is not None)
    started = world.of_type(e.LiquidationStarted)
    assert locked == bool(started)
    for row in started:
        assert (account, ratio_e6) == (row.account, row.ratio_e6)
        assert (assets, 10_000) == (row.assets_value_e8 // 10**8, row.debt_value_e8 // 10**8)


def test_the_venues_number_for_a_net_of_nothing() -> None:
    world = without_interest()
    account = world.crossed(ETH="1")
    assert 0 == q.risk(world.state, account).ratio_e6()
    world.borrow(account, "BTC", "0.1")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "20000")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.1"))

    world.price("BTC", "34230")
    # 1998 + 1425 - 3423: a net of exactly nothing.
    assert 0 == risk(world, account)[0]
    assert 999_000_000 == q.risk(world.state, account).ratio_e6()
    world.price("BTC", "40000")
    assert 999_000_000 == q.risk(world.state, account).ratio_e6()


def test_a_call_comes_once_until_the_ratio_was_below_seven_tenths() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")

    # K = 1000: the call is at N <= 1250, calm is N > 1428.57142857142857…
    called = []
    for price in (
        "1250.000000000001",
        "1250",
        "1100",
        "1400",
        "1200",
        "1428.571428571428",
        "1250",
        "1428.571428571429",
        "1250.000000000001",
        "1250",
    ):
        world.price("BTC", price)
        called += [(row.ratio_e6, price) for row in world.of_type(e.MarginCalled)]

    assert [(800_000, "1250"), (800_000, "1250")] == called
    assert world.state.accounts[account].called


def test_a_ratio_of_exactly_seven_tenths_is_not_below_it() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "7000")

    # K = 700: the call is at 875, and 0.7 at 1000.
    called = []
    for price in ("875", "1000", "875", "1000.000000000001", "875"):
        world.price("BTC", price)
        called.append(len(world.of_type(e.MarginCalled)))

    assert [1, 0, 0, 0, 1] == called


def test_being_free_of_debt_ends_a_call() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    world.price("BTC", "1200")
    assert world.state.accounts[account].called

    world.repay(account, "USDT", "10000")
    assert not world.state.accounts[account].called
    # Half its own, half borrowed: below the call line at once, and told so again.
    world.borrow(account, "USDT", "2400")
    world.price("BTC", "250")
    assert [account] == [row.account for row in world.of_type(e.MarginCalled)]


@pytest.mark.parametrize("help_by", ["repayment", "transfer"])
def test_what_helps_ends_a_call_at_once(help_by: str) -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    world.price("BTC", "1200")
    assert world.state.accounts[account].called

    if help_by == "repayment":
        world.repay(account, "USDT", "5000")
    else:
        world.fund(account, "USDT", "1000")

    assert not world.state.accounts[account].called


def test_interest_alone_brings_the_call_and_then_the_lock() -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "2000")
    world.rate("USDT", "0.24")

    # 20 USDT an hour from 02:00 on; N = 1000 - 20 n, K = 200 + 2 n.
    happened = []
    for hour in range(2, 60):
        world.tick(world.time_ms + 3_600_000)
        happened += [(hour - 1, type(row)) for row in world.events if is_watch(row)]

    # 0.8 (1000 - 20 n) <= 200 + 2 n at n = 34, 1000 - 20 n <= 200 + 2 n at 37.
    assert [(34, e.MarginCalled), (37, e.LiquidationStarted)] == happened


def is_watch(event: e.Event) -> bool:
    return isinstance(event, e.MarginCalled | e.LiquidationStarted)


def test_the_worst_of_several_hours_missed_is_seen_at_their_end() -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "2000")
    world.rate("USDT", "0.24")

    world.tick("4 00:00")

    assert [account] == [row.account for row in world.of_type(e.LiquidationStarted)]


# --- margin orders stay in the band (RULES 7.6) ------------------------------------------------


@pytest.mark.parametrize(
    ("side", "price", "refusal", "edge"),
    [
        (c.BUY, "21000", None, 0),
        (c.BUY, "21000.01", Refusal.PRICE_ABOVE_BAND, 2_100_000),
        (c.BUY, "0.01", None, 0),
        (c.SELL, "19000", None, 0),
        (c.SELL, "18999.99", Refusal.PRICE_BELOW_BAND, 1_900_000),
        (c.SELL, "999999", None, 0),
    ],
)
@pytest.mark.parametrize("slot", [c.SLOT_CROSSED, c.SLOT_ISOLATED, c.SLOT_SPOT])
def test_the_edges_of_the_band_are_inside(
    slot: int, side: int, price: str, refusal: Refusal | None, edge: int
) -> None:
    world = World()
    account = world.margin(slot, BTC="200", USDT="100000")
    size = "101" if price == "0.01" else "1"

    reply = world.do(account, world.order("BTCUSDT", side, size, price))

    # The same book binds nobody who owes nothing and may owe nothing.
    if slot == c.SLOT_SPOT:
        refusal, edge = None, 0
    assert refusal == reply.refusal
    if refusal is not None:
        assert edge == reply.units


def test_the_band_is_around_index_over_index() -> None:
    world = World()
    world.price("USDC", "0.8")
    account = world.crossed(USDC="100000")

    assert Refusal.PRICE_ABOVE_BAND == world.refusal(
        account, world.order("BTCUSDC", c.BUY, "1", "26250.01")
    )
    world.buy(account, "BTCUSDC", "1", "26250")


@pytest.mark.parametrize("side", [c.BUY, c.SELL])
def test_a_market_order_stops_at_the_band(side: int) -> None:
    world = World()
    other = world.spot(BTC="10", USDT="100000")
    prices = (
        ["20999.99", "21000", "21000.01"] if side == c.BUY else ["19000.01", "19000", "18999.99"]
    )
    for price in prices:
        world.ok(other, world.order("BTCUSDT", 1 - side, "0.1", price))
    account = world.crossed(BTC="10", USDT="100000")

    if side == c.BUY:
        world.ok(account, world.order("BTCUSDT", side, quote="10000"))
    else:
        world.ok(account, world.order("BTCUSDT", side, "0.3"))

    ticks = [row.price_ticks for row in world.of_type(e.Traded)]
    assert [int(Fraction(price) * 100) for price in prices[:2]] == ticks
    (closed,) = [row for row in world.of_type(e.OrderClosed) if row.account == account]
    assert e.CLOSED_UNFILLED == closed.reason


# --- and below eight tenths (RULES 7.6) --------------------------------------------------------


def ten_times(world: World) -> int:
    """Return an isolated account of N = 1000, D = 9000, K = 450, all of it in USDT."""
    account = world.isolated("BTCUSDT", USDT="1000")
    world.borrow(account, "USDT", "9000")
    return account


# A buy at 21 000 loses 21 000 - 0.999 x 20 000 = 1020 a BTC, and N may fall to just above 562.5:
# 437.5 / 1020 = 0.42892156…


@pytest.mark.parametrize(
    ("size", "refusal"), [("0.428921", None), ("0.428922", Refusal.RISK_TOO_HIGH)]
)
def test_an_orders_loss_is_counted_when_it_is_placed(size: str, refusal: Refusal | None) -> None:
    world = without_interest()
    account = ten_times(world)

    assert refusal == world.refusal(account, world.order("BTCUSDT", c.BUY, size, "21000"))


@pytest.mark.parametrize(
    ("size", "refusal"), [("0.437499", None), ("0.4375", Refusal.RISK_TOO_HIGH)]
)
def test_a_ratio_of_exactly_eight_tenths_is_not_below_it(
    size: str, refusal: Refusal | None
) -> None:
    world = without_interest()
    account = ten_times(world)

    # 20 980 - 19 980 is 1000 a BTC: 437.5 is lost, and 450 / 562.5 is left.
    assert refusal == world.refusal(account, world.order("BTCUSDT", c.BUY, size, "20980"))


@pytest.mark.parametrize(
    ("size", "refusal"), [("0.228921", None), ("0.228922", Refusal.RISK_TOO_HIGH)]
)
def test_the_losses_of_all_open_orders_count(size: str, refusal: Refusal | None) -> None:
    world = without_interest()
    account = ten_times(world)
    world.buy(account, "BTCUSDT", "0.1", "21000")
    world.buy(account, "BTCUSDT", "0.1", "21000")
    # One that would gain is worth nothing.
    world.buy(account, "BTCUSDT", "0.02", "10000")

    assert refusal == world.refusal(account, world.order("BTCUSDT", c.BUY, size, "21000"))


@pytest.mark.parametrize(
    ("size", "refusal"), [("0.428921", None), ("0.428922", Refusal.RISK_TOO_HIGH)]
)
def test_what_is_taken_at_once_counts_at_its_price(size: str, refusal: Refusal | None) -> None:
    world = without_interest()
    account = ten_times(world)
    world.sell(world.spot(BTC="1"), "BTCUSDT", "1", "21000")

    cmd = world.order("BTCUSDT", c.BUY, size, "21000", force=c.IOC)
    assert refusal == world.refusal(account, cmd)


def test_a_sale_below_the_index_counts_too() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", USDT="1000")
    world.borrow(account, "BTC", "0.45")

    # 20 000 - 0.999 x 19 000 = 1019 a BTC; 437.5 / 1019 = 0.42934249…
    for size, refusal in (("0.429343", Refusal.RISK_TOO_HIGH), ("0.429342", None)):
        assert refusal == world.refusal(account, world.order("BTCUSDT", c.SELL, size, "19000"))


def test_a_replacement_is_counted_without_the_order_it_replaces() -> None:
    world = without_interest()
    account = ten_times(world)
    order = world.buy(account, "BTCUSDT", "0.4", "21000")

    too_much = c.ReplaceOrder(BTCUSDT, order, "", 2_100_000, 428_922, "")
    assert Refusal.RISK_TOO_HIGH == world.refused(account, too_much).refusal
    world.ok(account, c.ReplaceOrder(BTCUSDT, order, "", 2_100_000, 428_921, ""))


def test_a_coin_that_counts_less_costs_its_haircut() -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "2000")

    # K = 200, so N stays above 250: 750 / 0.5005, in steps of 100 at a millionth.
    most = 1_498_501_498 // 100 * 100
    first = 600_000_000
    assert refusals_of_pepe(world, account, most) == [Refusal.RISK_TOO_HIGH, None]
    world.ok(account, c.CancelAllOrders(PEPEUSDT))
    # So does one that rests already.
    world.buy(account, "PEPEUSDT", str(first), "0.000001")
    assert refusals_of_pepe(world, account, most - first) == [Refusal.RISK_TOO_HIGH, None]


def refusals_of_pepe(world: World, account: int, most: int) -> list[Refusal | None]:
    """Try to buy one step more than so many, and then so many."""
    sizes = (most + 100, most)
    orders = [world.order("PEPEUSDT", c.BUY, str(size), "0.000001") for size in sizes]
    return [world.refusal(account, order) for order in orders]


def test_an_order_that_borrows_into_a_higher_tier_is_weighed_at_it() -> None:
    world = without_interest()
    # 2.2 % up to 100 USDT, then 5.5 %: nine times 5.5 % is nearly a half.
    isolated_tiers(world, [(10**7, 100 * 10**8, 10, 22_000), (10**10, 10**14, 10, 55_000)])
    account = world.isolated("BTCUSDT", USDT="1000")
    world.sell(world.spot(BTC="1"), "BTCUSDT", "1", "21000")

    # N falls to 514, K rises to 495: far beyond 0.8, though it would be 0.4 in the tier of now.
    cmd = world.order("BTCUSDT", c.BUY, quote="9990", loan_type=c.AUTO_LOAN)
    assert Refusal.RISK_TOO_HIGH == world.refused(account, cmd).refusal
    # And one that repays its way down is weighed where it arrives.
    world.borrow(account, "USDT", "8000")
    assert Fraction(440) == risk(world, account)[2]


@pytest.mark.parametrize(
    ("pepe", "refusal"), [("1498000000", None), ("1499000000", Refusal.RISK_TOO_HIGH)]
)
def test_an_order_that_borrows_must_be_carried_unfilled_too(
    pepe: str, refusal: Refusal | None
) -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "500")
    # Half of what is paid for PEPE counts no more: 749.7, or 750.2, of the 1000.
    world.buy(account, "PEPEUSDT", pepe, "0.000001")
    world.borrow(account, "BTC", "0.05")
    world.sell(world.spot(BTC="1"), "BTCUSDT", "1", "20000")

    # Filled it repays BTC with what it borrows, K stays 150; but lent and not filled K is 200.
    available = format_units(world.available(account, "USDT") + 500 * 10**8, 8)
    cmd = world.order("BTCUSDT", c.BUY, quote=available, loan_type=c.AUTO_LOAN_AND_REPAY)

    assert refusal == world.refusal(account, cmd)


def between_call_and_lock(world: World) -> int:
    """Return a crossed account that holds 0.15 BTC less fee and owes 2010 USDT, ratio about 0.9."""
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.15", "20000")
    account = world.crossed(USDT="1000")
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="2990", loan_type=c.AUTO_LOAN))
    world.fund(account, "USDT", "100")
    world.price("BTC", "14100")
    ratio = q.risk(world.state, account).ratio_e6()
    assert 850_000 < ratio < 950_000, ratio
    return account


def test_beyond_eight_tenths_only_what_lowers_the_ratio_goes() -> None:
    world = without_interest()
    account = between_call_and_lock(world)
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "14100")

    refused = [
        world.order("BTCUSDT", c.BUY, "0.001", "14100"),
        # A sale that repays nothing leaves the debt, and costs its fee.
        world.order("BTCUSDT", c.SELL, "0.01", "14100"),
        # A gain that may never come is not counted.
        world.order("BTCUSDT", c.SELL, "0.01", "15500"),
        world.order("BTCUSDT", c.BUY, "0.001", "12000"),
        world.order("BTCUSDT", c.BUY, quote="200", loan_type=c.AUTO_LOAN),
    ]
    for cmd in refused:
        assert world.refused(account, cmd).refusal in (
            Refusal.RISK_TOO_HIGH,
            Refusal.BORROW_OVER_LEVERAGE,
        )
    before = q.risk(world.state, account).ratio_e6()

    world.ok(account, world.order("BTCUSDT", c.SELL, "0.01", "14100", loan_type=c.AUTO_REPAY))

    assert before > q.risk(world.state, account).ratio_e6()


def test_an_account_is_looked_at_again_after_each_fill() -> None:
    world = without_interest()
    account = ten_times(world)
    world.buy(account, "BTCUSDT", "0.5", "20000")
    # The index moves while the order rests; nobody holds BTC yet, so nobody is the poorer.
    world.price("BTC", "19050")
    assert [] == world.of_type(e.MarginCalled)

    world.ok(world.spot(BTC="1"), world.order("BTCUSDT", c.SELL, "0.5"))

    # 0.4995 x 19 050 = 9515.475 against 9000.
    assert values("515.475", "9000", "450") == risk(world, account)
    assert [account] == [row.account for row in world.of_type(e.MarginCalled)]


def test_an_order_that_pays_interest_alone_leaves_the_tier_where_it_is() -> None:
    """RULES 6.4: interest first. A tier goes by principal, so this order changes nothing of it."""
    world = World()
    world.rate("USDT", "0.01")
    tiers = [(26 * 10**8, 10_000 * 10**8, 3, 50_000), (27 * 10**8, 10**14, 2, 200_000)]
    free = pair_terms(world.pair("BTCUSDT"), isolated_tiers=tiers, maker_fee_e6=0, taker_fee_e6=0)
    world.ok(c.VENUE, free)
    world.parameter("band_e6", 300_000)
    account = world.isolated("BTCUSDT", BTC="0.6")
    world.tick("01:00")
    world.borrow(account, "USDT", "5000")
    world.borrow(account, "USDT", "5000.5")
    seller = world.spot(BTC="0.5")
    world.sell(seller, "BTCUSDT", "0.5", "20000")
    world.buy(account, "BTCUSDT", "0.5", "20000")
    world.tick("03:30")
    due = world.balance(account, "USDT").interest_units
    assert 12 * 10**8 < due < 13 * 10**8
    # In the second tier: K = 0.2 x 10 013, N = 1.1 x 11 245 - 10 012.5.
    world.price("BTC", "11245")
    ratio = q.risk(world.state, account).ratio_e6()
    assert 840_000 < ratio < 860_000
    buyer = world.spot(USDT="100")
    world.buy(buyer, "BTCUSDT", "0.001", "8433.75")

    order = world.order("BTCUSDT", c.SELL, "0.0005", "8433.75", loan_type=c.AUTO_REPAY)

    # It would bring 4.2 USDT for 5.6, and pay interest: the ratio would rise.
    assert Refusal.RISK_TOO_HIGH is world.refused(account, order).refusal
