"""Liquidation: repay, sell in slices, take over, book the loss; every unit of it (RULES 8)."""

from fractions import Fraction
from math import ceil, floor

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.units import format_units
from tests.core.laws import show
from tests.core.world import BTCUSDT, USDT, World, coin_terms

# The catalogue's terms: band 2 %, taker fee 0.1 %, liquidation fee 2 %, crossed MMR 10 %.
BAND = Fraction(2, 100)
FEE = Fraction(2, 100)
COST = BAND + Fraction(1, 1000) + FEE
MMR = Fraction(10, 100)
HALF = Fraction(1, 2)
E8 = 10**8
TEN_MINUTES_MS = 600_000


def venue(**insurance: str) -> World:
    """Return a venue of four coins without interest, its fund holding what is said."""
    world = World(catalogue=False)
    world.parameter("caution_half_life_ms", 0)
    prices = {"USDT": "1", "BTC": "20000", "ETH": "1500", "DOGE": "0.1", "USDC": "1"}
    ratios = {"ETH": "0.95", "DOGE": "0.8"}
    for name, price in prices.items():
        coin = world.ok(c.VENUE, coin_terms(name, 8, ratios.get(name, "1"))).id
        world.ok(c.VENUE, c.FundPool(coin, 10**15))
        world.rate(name, "0")
        world.price(name, price)
    world.list_pair("BTC", "USDT", "0.01", "0.000001", 10, 50_000)
    world.list_pair("ETH", "USDT", "0.01", "0.0001", 10, 50_000)
    world.list_pair("DOGE", "USDT", "0.00001", "1", 5, 80_000)
    world.list_pair("BTC", "USDC", "0.01", "0.000001", 10, 50_000)
    for name, amount in insurance.items():
        world.ok(c.VENUE, c.FundInsurance(world.coin(name).id, world.units(name, amount)))
    return world


def long_btc(world: World, own: str = "1000", quote: str = "3000", slot: int = 1) -> int:
    """Return an account that bought BTC at 20 000, the rest of `quote` borrowed."""
    size = str(Fraction(quote) / 20_000 * 10**6)
    assert size.isdigit(), size
    seller = world.spot(BTC="10")
    order = world.sell(seller, "BTCUSDT", format_units(int(size), 6), "20000")
    account = world.margin(slot, USDT=own)
    world.ok(account, world.order("BTCUSDT", c.BUY, quote=quote, loan_type=c.AUTO_LOAN))
    assert q.order(world.state, seller, order) is None
    return account


def short_btc(world: World) -> int:
    """Return an account of 1000 USDT that sold 0.1 BTC it borrowed, for 1998 net."""
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "0.1", "20000")
    account = world.crossed(USDT="1000")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.1", loan_type=c.AUTO_LOAN))
    return account


def slice_value(net: Fraction, maintenance: Fraction, weight: Fraction = Fraction(1)) -> Fraction:
    """Return x of RULES 8.2."""
    return (maintenance - net / 2) / ((1 - COST) * (MMR + HALF) - weight / 2)


def steps_of(world: World) -> list[e.LiquidationStepped]:
    return world.of_type(e.LiquidationStepped)


def locked(world: World, account: int) -> bool:
    return world.state.accounts[account].liquidation is not None


def drop(world: World, price: str) -> None:
    world.price("BTC", price)


# --- the lock (RULES 8.1) ----------------------------------------------------------------------


def test_the_lock_cancels_the_orders_and_notes_where_it_began() -> None:
    world = venue()
    account = long_btc(world)
    orders = [world.sell(account, "BTCUSDT", "0.05", price) for price in ("20000", "20001")]
    other = world.sell(world.spot(BTC="1"), "BTCUSDT", "0.05", "20000")

    drop(world, "14600")

    (started,) = world.of_type(e.LiquidationStarted)
    closed = world.of_type(e.OrderClosed)
    assert orders == [row.order_id for row in closed]
    assert {e.CLOSED_LIQUIDATION} == {row.reason for row in closed}
    assert world.events.index(started) < world.events.index(closed[0])
    # 0.14985 BTC at 14 600; K / N = 200 / 187.81, rounded up.
    assert ("2187.81", "2000") == (
        format_units(started.assets_value_e8, 8),
        format_units(started.debt_value_e8, 8),
    )
    assert ceil(Fraction(200 * 10**6) / Fraction("187.81")) == started.ratio_e6
    assert q.order(world.state, c.account_id(0, 0), other) is None
    assert [(2_000_000, 50_000)] == q.depth(world.state, BTCUSDT, 5)[1]
    assert world.engine.liquidation_due()


def test_a_price_only_marks_and_locks() -> None:
    world = venue()
    account = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "0.2", "14600")

    drop(world, "14600")

    assert [] == world.of_type(e.Traded)
    assert "0.14985" == format_units(world.available(account, "BTC"), 8)


def test_a_locked_account_may_only_be_helped() -> None:
    world = venue()
    account = long_btc(world)
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.fund(spot, "USDT", "5000")
    drop(world, "14600")

    for cmd in (
        world.order("BTCUSDT", c.BUY, "0.01", "14600"),
        world.order("BTCUSDT", c.SELL, "0.01", "14600", loan_type=c.AUTO_REPAY),
        c.Borrow(USDT, E8, ""),
        c.Transfer(spot, world.coin("BTC").id, 1, ""),
        c.SetLeverage(1),
    ):
        assert Refusal.IN_LIQUIDATION == world.refused(account, cmd).refusal
    world.ok(spot, c.Transfer(account, USDT, 1000 * E8, ""))
    world.repay(account, "USDT", "500")
    # Its other accounts trade on.
    world.buy(spot, "BTCUSDT", "0.1", "14000")


def test_help_that_is_enough_ends_it_without_a_sale() -> None:
    world = venue()
    account = long_btc(world)
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    drop(world, "14600")
    world.fund(spot, "USDT", "3000")
    world.ok(spot, c.Transfer(account, USDT, 3000 * E8, ""))
    assert locked(world, account)

    events = world.liquidate()

    (finished,) = [row for row in events if isinstance(row, e.LiquidationFinished)]
    assert (0, False) == (finished.fee_value_e8, locked(world, account))
    assert [finished] == events


def test_one_half_exactly_is_enough() -> None:
    world = venue()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    drop(world, "1000")

    world.repay(account, "USDT", "5000")

    # 2 x 500 = 1000
    assert [e.LiquidationFinished] == [type(row) for row in world.liquidate()]
    assert 500_000 == q.risk(world.state, account).ratio_e6()


# --- own coins first (RULES 8.2, 8.5) ----------------------------------------------------------


def test_a_debt_is_first_repaid_from_its_own_coin_and_only_as_far_as_needed() -> None:
    world = venue()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    # N = 1000 = K. Each USDT repaid lowers 2 K by 0.2 and costs 0.02: 1000 / 0.18.
    drop(world, "1000")

    world.ok(c.VENUE, c.ContinueLiquidation(1))

    repaid = Fraction(ceil(Fraction(1000) / (2 * MMR - FEE) * E8), E8)
    (row,) = world.of_type(e.Repaid)
    assert (e.REPAY_LIQUIDATION, int(repaid * E8)) == (row.kind, row.principal_units)
    (step,) = steps_of(world)
    assert (1, "repay", -1, -1, 0) == (
        step.step,
        step.action,
        step.sold_coin,
        step.bought_coin,
        step.order_id,
    )
    debt = 10_000 - repaid
    assert debt * E8 == world.debt(account, "USDT")
    # The fee comes last, of the largest surplus: one unit of BTC is 0.00001 USDT now.
    fee_units = floor(FEE * repaid * 10**5)
    (fee,) = world.of_type(e.LiquidationFeePaid)
    assert (world.coin("BTC").id, fee_units) == (fee.coin, fee.units)
    assert fee_units == world.coin("BTC").insurance_units
    (finished,) = world.of_type(e.LiquidationFinished)
    assert Fraction(fee_units, 10**5) * E8 == finished.fee_value_e8
    net = 1000 - Fraction(fee_units, 10**5)
    assert ceil(debt * MMR / net * 10**6) == finished.ratio_e6
    assert 500_000 == finished.ratio_e6
    assert not locked(world, account)


def test_own_coins_are_repaid_before_anything_is_sold() -> None:
    world = venue()
    account = long_btc(world)
    world.fund(account, "USDT", "50")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14200")
    # 0.14985 x 14 200 + 50 - 2000 = 177.87
    drop(world, "14200")

    events = world.liquidate()

    actions = [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    assert ["repay", "sell"] == actions
    first = next(row for row in events if isinstance(row, e.Repaid))
    assert 50 * E8 == first.principal_units


# --- slices (RULES 8.2) ------------------------------------------------------------------------


@pytest.mark.parametrize("bid", ["14600", "14500", "14308"])
def test_a_slice_is_as_large_as_it_must_be_at_the_bands_edge(bid: str) -> None:
    world = venue()
    account = long_btc(world)
    buyer = world.spot(USDT="100000")
    resting = world.buy(buyer, "BTCUSDT", "0.2", bid)
    price = Fraction(14_600)
    drop(world, "14600")

    world.ok(c.VENUE, c.ContinueLiquidation(100))

    held = Fraction(14_985_000, E8)
    net, maintenance = held * price - 2000, MMR * 2000
    value = slice_value(net, maintenance)
    # In whole units of BTC, then in whole steps of 100.
    size = ceil(Fraction(ceil(value / price * E8), 100))
    (trade,) = world.of_type(e.Traded)
    assert (resting, size) == (trade.maker_order_id, trade.size_steps)
    assert 0 == trade.base_units % 100
    quote = Fraction(size, 10**6) * Fraction(bid)
    fee = Fraction(ceil(quote * 10**5), E8)
    assert [quote * E8, fee * E8] == [trade.quote_units, trade.taker_fee_units]
    (repaid,) = world.of_type(e.Repaid)
    assert (quote - fee) * E8 == repaid.principal_units
    # One slice was enough, and a tenth less would not have been at the edge.
    (step,) = steps_of(world)
    assert step.ratio_after_e6 <= 500_000
    assert not locked(world, account)
    if bid == "14308":
        short = value * 9 / 10
        got = short * (1 - BAND) * Fraction(999, 1000)
        assert net - short + got - FEE * got < 2 * (maintenance - MMR * got)


def test_the_record_of_a_liquidation_adds_up() -> None:
    world = venue()
    account = long_btc(world)
    buyers = [world.spot(USDT="100000") for _ in range(4)]
    bids = [("0.02", "14600"), ("0.03", "14500"), ("0.04", "14400"), ("0.1", "14308")]
    for buyer, (size, price) in zip(buyers, bids, strict=True):
        world.buy(buyer, "BTCUSDT", size, price)
    before = world.coin("USDT").insurance_units, world.coin("BTC").insurance_units
    drop(world, "14600")
    (started,) = world.of_type(e.LiquidationStarted)

    events = world.liquidate(max_steps=1)

    (finished,) = [row for row in events if isinstance(row, e.LiquidationFinished)]
    steps = [row for row in events if isinstance(row, e.LiquidationStepped)]
    trades = [row for row in events if isinstance(row, e.Traded)]
    repaid = [row for row in events if isinstance(row, e.Repaid)]
    fees = [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    ids = {row.liquidation_id for row in steps} | {row.liquidation_id for row in fees}
    assert {started.liquidation_id} == ids | {finished.liquidation_id}
    assert list(range(1, len(steps) + 1)) == [row.step for row in steps]
    # Each step begins where the one before ended.
    ratios = [started.ratio_e6, *[row.ratio_after_e6 for row in steps]]
    assert ratios[:-1] == [row.ratio_before_e6 for row in steps]
    assert sorted(ratios, reverse=True) == ratios
    assert {trade.taker_order_id for trade in trades} == {row.order_id for row in steps}
    assert [(world.coin("USDT").id, world.coin("BTC").id)] * len(steps) == [
        (row.bought_coin, row.sold_coin) for row in steps
    ]
    for row in steps:
        assert (world.coin("BTC").id, 14_600 * 10**12) in row.prices
    proceeds = sum(trade.quote_units - trade.taker_fee_units for trade in trades)
    assert proceeds == sum(row.principal_units + row.interest_units for row in repaid)
    assert 2000 * E8 - proceeds == world.debt(account, "USDT")
    sold = sum(trade.base_units for trade in trades)
    fee_units = sum(row.units for row in fees)
    assert 14_985_000 - sold - fee_units == world.available(account, "BTC")
    assert (before[0], before[1] + fee_units) == (
        world.coin("USDT").insurance_units,
        world.coin("BTC").insurance_units,
    )
    # 2 % of what was repaid, down to a unit of BTC.
    due = FEE * Fraction(proceeds, E8)
    assert floor(due / 14_600 * E8) == fee_units
    assert floor(Fraction(fee_units, E8) * 14_600 * E8) == finished.fee_value_e8


def test_the_ratio_is_a_half_at_most_also_after_the_fee() -> None:
    world = venue()
    account = long_btc(world)
    buyer = world.spot(USDT="100000")
    drop(world, "14600")

    # Little by little, at the worst price there may be; the fee grows with what was repaid.
    events: list[e.Event] = []
    while locked(world, account):
        world.buy(buyer, "BTCUSDT", "0.004", "14308")
        world.tick(world.time_ms + 1000)
        events += world.liquidate()

    actions = [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    # It waits for each buyer; to begin with, and after each slice.
    assert {"sell", "wait"} == set(actions)
    assert 20 < actions.count("sell") < 30
    (finished,) = [row for row in events if isinstance(row, e.LiquidationFinished)]
    assert 490_000 < finished.ratio_e6 <= 500_000
    (fee,) = [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    repaid = sum(row.principal_units for row in events if isinstance(row, e.Repaid))
    assert floor(FEE * Fraction(repaid, 14_600)) == fee.units


def test_the_slice_after_a_slice_counts_the_fee_that_fell_due() -> None:
    world = venue()
    account = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "0.05", "14308")
    drop(world, "14600")
    world.liquidate()
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14308")
    fee = FEE * (2000 - Fraction(world.debt(account, "USDT"), E8))

    world.tick(world.time_ms + 1000)
    events = world.liquidate()

    held, debt = Fraction(9_985_000, E8), Fraction(world.debt(account, "USDT"), E8)
    (trade,) = [row for row in events if isinstance(row, e.Traded)]
    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    debt += Fraction(repaid.principal_units, E8)
    net = held * 14_600 - debt
    value = slice_value(net - fee, MMR * debt)
    assert ceil(Fraction(ceil(value / 14_600 * E8), 100)) == trade.size_steps


def test_a_short_is_bought_back() -> None:
    world = venue()
    account = short_btc(world)
    world.sell(world.spot(BTC="10"), "BTCUSDT", "1", "27500")
    price = Fraction(27_300)
    # 2998 - 2730 = 268; K = 273.
    drop(world, "27300")

    events = world.liquidate()

    value = slice_value(2998 - price / 10, MMR * price / 10)
    (trade,) = [row for row in events if isinstance(row, e.Traded)]
    size = floor(Fraction(ceil(value * E8), E8) / 27_500 * 10**6)
    assert (c.BUY, size) == (trade.taker_side, trade.size_steps)
    (placed,) = [row for row in events if isinstance(row, e.OrderPlaced)]
    assert (c.SOURCE_SYSTEM, c.MARKET, ceil(value * E8)) == (
        placed.source,
        placed.kind,
        placed.quote_units,
    )
    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    assert trade.base_units - trade.taker_fee_units == repaid.principal_units
    assert not locked(world, account)
    assert q.risk(world.state, account).ratio_e6() <= 500_000


def test_what_is_bought_is_at_least_the_pairs_minimum() -> None:
    world = venue()
    account = short_btc(world)
    world.sell(world.spot(BTC="10"), "BTCUSDT", "1", "27300")
    pair = world.pair("BTCUSDT")
    terms = (pair.tick_e12, pair.step_units, 1000, 1000, 0, 80_000, 10**12, 200)
    margin = (pair.isolated_tiers, 20_000, True, True)
    world.ok(c.VENUE, c.SetPair("BTCUSDT", pair.base.id, pair.quote.id, *terms, *margin))
    drop(world, "27300")

    events = world.liquidate()

    # x is 1843 USDT; 0.08 BTC cost up to 0.08 x 27 846.
    (placed,) = [row for row in events if isinstance(row, e.OrderPlaced)]
    assert "2227.68" == format_units(placed.quote_units, 8)
    closed = [row.reason for row in events if isinstance(row, e.OrderClosed)]
    assert [e.CLOSED_FILLED] == closed
    assert not locked(world, account)


def test_an_isolated_account_trades_its_own_pair() -> None:
    world = venue()
    account = long_btc(world, own="300", quote="3000", slot=c.SLOT_ISOLATED + BTCUSDT)
    world.buy(world.spot(USDC="100000"), "BTCUSDC", "1", "18900")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "18850")
    held, debt = Fraction(14_985_000, E8), Fraction(2700)
    # 0.14985 x 18 900 - 2700 = 132.165; K = 135.
    drop(world, "18900")

    events = world.liquidate()

    net, maintenance = held * 18_900 - debt, Fraction(5, 100) * debt
    value = (maintenance - net / 2) / ((1 - COST) * (Fraction(5, 100) + HALF) - HALF)
    (trade,) = [row for row in events if isinstance(row, e.Traded)]
    # More than it takes to sell: 68.9 / 0.02745 is 2510.
    size = ceil(Fraction(ceil(value / 18_900 * E8), 100))
    assert (BTCUSDT, size) == (trade.pair, trade.size_steps)
    assert not locked(world, account)


def test_a_slice_is_capped_by_what_there_is() -> None:
    world = venue(USDT="1000")
    account = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "13500")
    # 22.98 of net: x would be 2506, and 2022 are there.
    drop(world, "13500")

    world.ok(c.VENUE, c.ContinueLiquidation(1))

    (trade,) = world.of_type(e.Traded)
    assert 149_850 == trade.size_steps
    assert 0 == world.available(account, "BTC")
    # What came in paid the whole debt; what remained, at most, is the fee.
    assert 0 == world.debt(account, "USDT")
    quote = Fraction("0.14985") * 13_500
    left = quote - Fraction(ceil(quote * 10**5), E8) - 2000
    (fee,) = world.of_type(e.LiquidationFeePaid)
    assert left * E8 == fee.units
    assert left < FEE * 2000
    assert 0 == world.available(account, "USDT")


def test_an_interest_bearing_debt_is_paid_interest_first() -> None:
    world = venue()
    account = long_btc(world)
    world.rate("USDT", "0.24")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14800")
    world.tick("01:00")
    assert "20" == format_units(world.balance(account, "USDT").interest_units, 8)
    drop(world, "14800")

    events = world.liquidate()

    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    assert 20 * E8 == repaid.interest_units
    assert repaid.principal_units > 0


# --- the band, other orders (RULES 8.3) --------------------------------------------------------


def test_system_orders_stay_in_their_band() -> None:
    world = venue()
    account = long_btc(world)
    buyer = world.spot(USDT="100000")
    inside = world.buy(buyer, "BTCUSDT", "0.01", "14308")
    outside = world.buy(buyer, "BTCUSDT", "1", "14307.99")
    # 0.98 x 14 600 = 14 308
    drop(world, "14600")

    events = world.liquidate()

    assert [inside] == [row.maker_order_id for row in events if isinstance(row, e.Traded)]
    assert q.order(world.state, buyer, outside) is not None
    # It waits, and tries again when time passes or prices move.
    assert locked(world, account)
    assert not world.engine.liquidation_due()
    world.tick(world.time_ms + 1000)
    assert world.engine.liquidation_due()
    assert [] == [row for row in world.liquidate() if isinstance(row, e.Traded)]
    drop(world, "14599.98")
    events = world.liquidate()
    assert [outside] == [row.maker_order_id for row in events if isinstance(row, e.Traded)]
    assert not locked(world, account)


def test_a_purchase_stays_in_its_band_too() -> None:
    world = venue()
    account = short_btc(world)
    seller = world.spot(BTC="10")
    inside = world.sell(seller, "BTCUSDT", "0.001", "27846")
    world.sell(seller, "BTCUSDT", "1", "27846.01")
    # 1.02 x 27 300 = 27 846
    drop(world, "27300")

    events = world.liquidate()

    assert [inside] == [row.maker_order_id for row in events if isinstance(row, e.Traded)]
    assert locked(world, account)


def test_the_users_own_orders_are_stepped_over_in_every_account() -> None:
    world = venue()
    account = long_btc(world)
    user = c.user_of(account)
    spot, isolated = c.account_id(user, c.SLOT_SPOT), c.account_id(user, c.SLOT_ISOLATED + BTCUSDT)
    for own in (spot, isolated):
        world.fund(own, "USDT", "5000")
        world.buy(own, "BTCUSDT", "0.2", "14600" if own == spot else "14599")
    stranger = world.buy(world.spot(USDT="100000"), "BTCUSDT", "0.2", "14500")
    drop(world, "14600")

    events = world.liquidate()

    trades = [row for row in events if isinstance(row, e.Traded)]
    assert [stranger] == [row.maker_order_id for row in trades]
    assert 1 == len(q.open_orders(world.state, spot)) == len(q.open_orders(world.state, isolated))


def test_the_worst_ratio_comes_first_then_the_lower_account() -> None:
    world = venue()
    # The same position thrice, and two that are deeper in debt.
    middle = [long_btc(world, own="1010"), long_btc(world, own="1010")]
    worst = long_btc(world, own="1000")
    last = long_btc(world, own="1040")
    drop(world, "14300")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14300")

    order = []
    while world.engine.liquidation_due():
        world.ok(c.VENUE, c.ContinueLiquidation(1))
        order += [row.account for row in steps_of(world)]

    assert [worst, *sorted(middle), last] == order


def test_the_worst_is_the_worst_at_the_index_of_now() -> None:
    world = venue()
    btc, eth = world.crossed(BTC="1"), world.crossed(ETH="10")
    for account in (btc, eth):
        world.borrow(account, "USDT", "10000")
    # Locked at 1.01 and at 1.05; then the first falls to 2.
    drop(world, "990")
    world.price("ETH", "100")
    drop(world, "500")
    assert (True, True) == (locked(world, btc), locked(world, eth))

    world.ok(c.VENUE, c.ContinueLiquidation(1))

    assert [btc] == [row.account for row in steps_of(world)]


# --- between users' commands (RULES 8.3) -------------------------------------------------------


def storm(world: World) -> list[int]:
    accounts = [long_btc(world, own=str(1000 + 5 * number)) for number in range(5)]
    buyer = world.spot(USDT="1000000")
    for number in range(40):
        world.buy(buyer, "BTCUSDT", "0.02", str(14_400 - 2 * number))
    drop(world, "14400")
    assert all(locked(world, account) for account in accounts)
    return accounts


def test_work_comes_to_the_same_in_one_command_or_in_many() -> None:
    hashes = []
    for max_steps in (10_000, 3, 1):
        world = venue()
        storm(world)
        total = 0
        while world.engine.liquidation_due():
            total += world.ok(c.VENUE, c.ContinueLiquidation(max_steps)).units
            assert len(steps_of(world)) <= max_steps
        hashes.append((total, world.engine.state_hash()))

    assert 1 == len(set(hashes)), hashes


def test_users_trade_between_the_steps() -> None:
    world = venue()
    accounts = storm(world)
    trader = world.spot(USDT="1000000", BTC="10")

    steps = 0
    while world.engine.liquidation_due():
        world.ok(c.VENUE, c.ContinueLiquidation(1))
        steps += 1
        # Better bids are met first; a new borrower, a new price.
        bid = world.buy(trader, "BTCUSDT", "0.001", "14450")
        if steps == 2:
            world.price("BTC", "14420")
        if q.order(world.state, trader, bid) is not None and steps > 3:
            world.ok(trader, c.CancelOrder(BTCUSDT, bid, ""))
        assert steps < 100

    assert not any(locked(world, account) for account in accounts)


def test_nothing_to_do_is_nothing_done() -> None:
    world = venue()
    before = world.engine.state_hash()

    assert 0 == world.ok(c.VENUE, c.ContinueLiquidation(10)).units
    assert before == world.engine.state_hash()


@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_a_liquidation_goes_on_after_a_restart(steps: int) -> None:
    world = venue()
    storm(world)
    if steps:
        world.ok(c.VENUE, c.ContinueLiquidation(steps))
    twin = World(catalogue=False)
    twin.engine = Engine.restore(list(world.engine.snapshot_lines()))
    twin.log, twin.time_ms, twin.shadow = list(world.log), world.time_ms, dict(world.shadow)

    ours = [show(row) for row in world.liquidate()]
    theirs = [show(row) for row in twin.liquidate()]

    assert ours == theirs
    assert world.engine.state_hash() == twin.engine.state_hash()


def test_a_stale_index_pauses_it_and_a_fresh_one_resumes_it() -> None:
    world = venue()
    account = long_btc(world)
    buyer = world.spot(USDT="100000")
    world.buy(buyer, "BTCUSDT", "0.01", "14600")
    world.price("BTC", "14600", max_age_ms=5000)
    world.liquidate()
    world.buy(buyer, "BTCUSDT", "0.3", "14600")

    world.tick(world.time_ms + 5001)
    events = world.liquidate()
    assert [] == events
    assert locked(world, account)
    world.tick(world.time_ms + TEN_MINUTES_MS)
    assert [] == world.liquidate()

    # One source is as little to go by.
    world.price("BTC", "14600", sources=1, max_age_ms=5000)
    assert [] == world.liquidate()
    world.price("BTC", "14600", max_age_ms=5000)
    assert world.engine.liquidation_due()
    world.liquidate()
    assert not locked(world, account)


# --- two legs (RULES 8.2) ----------------------------------------------------------------------


def doge_against_eth(world: World) -> int:
    """Return an account that owes one ETH and holds 24 970.015 DOGE."""
    maker = world.spot(USDT="100000", DOGE="100000")
    world.buy(maker, "ETHUSDT", "1", "1500")
    account = world.crossed(DOGE="10000")
    world.ok(account, world.order("ETHUSDT", c.SELL, "1", loan_type=c.AUTO_LOAN))
    world.sell(maker, "DOGEUSDT", "14985", "0.1")
    world.ok(account, world.order("DOGEUSDT", c.BUY, quote="1498.5"))
    assert "24970.015" == format_units(world.available(account, "DOGE"), 8)
    return account


def test_without_a_pair_between_them_it_goes_through_usdt() -> None:
    world = venue()
    account = doge_against_eth(world)
    maker = world.spot(USDT="10000", ETH="10")
    world.buy(maker, "DOGEUSDT", "20000", "0.1")
    world.sell(maker, "ETHUSDT", "1", "1820")
    # 0.8 x 2497.0015 - 1820 = 177.6012; K = 182.
    world.price("ETH", "1820")
    doge, eth, usdt = (world.coin(name).id for name in ("DOGE", "ETH", "USDT"))

    events = world.liquidate()

    steps = [row for row in events if isinstance(row, e.LiquidationStepped)]
    assert [(doge, usdt), (usdt, eth)] == [(row.sold_coin, row.bought_coin) for row in steps]
    first, second = [row for row in events if isinstance(row, e.Traded)]
    net, maintenance = Fraction(8, 10) * Fraction("2497.0015") - 1820, Fraction(182)
    value = slice_value(net, maintenance, Fraction(8, 10))
    assert ceil(value * 10) == first.size_steps
    proceeds = Fraction(first.quote_units - first.taker_fee_units, E8)
    left = Fraction("24970.015") - first.size_steps
    net = Fraction(8, 100) * left + proceeds - 1820
    value = slice_value(net, maintenance)
    budget = min(proceeds, Fraction(ceil(value * E8), E8))
    assert floor(budget / Fraction("0.182")) == second.size_steps
    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    assert (eth, second.base_units - second.taker_fee_units) == (
        repaid.coin,
        repaid.principal_units,
    )
    assert not locked(world, account)
    assert q.risk(world.state, account).ratio_e6() <= 500_000


def test_a_bridge_without_coins_on_it_is_no_surplus() -> None:
    world = venue()
    account = doge_against_eth(world)
    pair = world.pair("ETHUSDT")
    terms = (pair.tick_e12, pair.step_units, 1000, 1000, 0, 1, 10**12, 200)
    margin = (pair.isolated_tiers, 20_000, True, True)
    world.ok(c.VENUE, c.SetPair("ETHUSDT", pair.base.id, pair.quote.id, *terms, *margin))
    maker = world.spot(USDT="10000", ETH="10")
    world.buy(maker, "DOGEUSDT", "20000", "0.1")
    world.sell(maker, "ETHUSDT", "1", "1820")
    world.price("ETH", "1820")
    assert 0 == world.available(account, "USDT")

    events = world.liquidate()

    actions = [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    assert ["sell", "sell"] == actions


def test_no_leg_is_sold_where_the_other_is_missing() -> None:
    world = venue(USDC="100000")
    # USDC is only quoted against BTC: no way leads from ETH to it through USDT.
    maker = world.spot(BTC="1", USDT="100000", ETH="100")
    account = world.crossed(ETH="2")
    world.borrow(account, "USDC", "2000")
    world.sell(maker, "BTCUSDC", "0.1", "20000")
    world.ok(account, world.order("BTCUSDC", c.BUY, quote="2000"))
    world.buy(maker, "BTCUSDT", "0.1", "20000")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.0999"))
    world.sell(maker, "ETHUSDT", "1.33", "1500")
    world.ok(account, world.order("ETHUSDT", c.BUY, "1.33", "1500"))
    world.buy(maker, "ETHUSDT", "10", "690")
    held = world.available(account, "ETH")

    # 3.32867 x 0.95 x 690 + 1 - 2000 = 182.9; K = 200.
    world.price("ETH", "690")
    world.liquidate()

    assert locked(world, account)
    assert held == world.available(account, "ETH")
    world.tick(world.time_ms + TEN_MINUTES_MS)
    events = world.liquidate()
    assert ["takeover"] == [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    assert not locked(world, account)


# --- the fund, and the pool's loss (RULES 8.4, 8.5) --------------------------------------------


def test_the_fund_takes_over_after_ten_minutes() -> None:
    world = venue(USDT="5000")
    account = long_btc(world)
    drop(world, "14600")
    start = world.time_ms
    for offset, actions in ((0, ["wait"]), (1000, []), (TEN_MINUTES_MS - 1, [])):
        world.tick(start + offset)
        world.liquidate()
        assert actions == [row.action for row in steps_of(world)]

    world.tick(start + TEN_MINUTES_MS)
    events = world.liquidate()

    # Coins worth the debt, rounded up in the fund's favour; the debt, from the fund's own USDT.
    took = ceil(Fraction(2000) / 14_600 * E8)
    taken = [row for row in events if isinstance(row, e.FundTook)]
    assert [(world.coin("BTC").id, took)] == [(row.coin, row.units) for row in taken]
    paid = [row for row in events if isinstance(row, e.FundPaid)]
    assert [(USDT, 2000 * E8)] == [(row.coin, row.units) for row in paid]
    assert [] == [row for row in events if isinstance(row, e.LossBooked)]
    (step,) = [row for row in events if isinstance(row, e.LiquidationStepped)]
    assert ("takeover", 0) == (step.action, step.ratio_after_e6)
    # The rest is the user's, less the fee of 40.
    (fee,) = [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    assert floor(Fraction(40) / 14_600 * E8) == fee.units
    assert 14_985_000 - took - fee.units == world.available(account, "BTC")
    assert (3000 * E8, took + fee.units) == (
        world.coin("USDT").insurance_units,
        world.coin("BTC").insurance_units,
    )
    assert (0, False) == (world.debt(account, "USDT"), locked(world, account))


def test_the_time_until_the_fund_takes_over_is_a_parameter() -> None:
    world = venue(USDT="5000")
    world.parameter("takeover_after_ms", 0)
    account = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14600")
    drop(world, "14600")

    events = world.liquidate()

    assert [] == [row for row in events if isinstance(row, e.Traded)]
    assert not locked(world, account)


def test_the_fund_takes_over_what_is_below_the_minimum_size() -> None:
    world = venue(USDT="10")
    account = long_btc(world, own="0.34", quote="1")
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14530")
    # 4995 units at 14 530 are 0.73 USDT; nobody may sell less than one.
    drop(world, "14530")

    events = world.liquidate()

    assert ["takeover"] == [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    assert [] == [row for row in events if isinstance(row, e.Traded)]
    assert not locked(world, account)


def test_the_fund_pays_within_its_own_balance_of_a_coin_and_the_pool_loses_the_rest() -> None:
    world = venue(USDT="100", BTC="5")
    account = long_btc(world)
    pool = world.coin("USDT").pool_units
    # 1498.5 against 2000, and nobody buys.
    drop(world, "10000")
    world.tick(world.time_ms + TEN_MINUTES_MS)

    events = world.liquidate()

    (took,) = [row for row in events if isinstance(row, e.FundTook)]
    (paid,) = [row for row in events if isinstance(row, e.FundPaid)]
    (loss,) = [row for row in events if isinstance(row, e.LossBooked)]
    assert 14_985_000 == took.units
    assert 100 * E8 == paid.units
    assert (1900 * E8, 0) == (loss.principal_units, loss.interest_units)
    usdt = world.coin("USDT")
    assert (0, 1900 * E8, 0) == (usdt.insurance_units, usdt.loss_units, usdt.lent_units)
    assert pool + 100 * E8 == usdt.pool_units
    assert usdt.supplied_units - usdt.loss_units == usdt.pool_units
    # Nothing remained for a fee; nothing is owed; nobody else was touched.
    assert [] == [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    assert (0, 0, False) == (
        world.available(account, "BTC"),
        world.debt(account, "USDT"),
        locked(world, account),
    )


def test_interest_lost_is_forgiven_and_principal_is_the_pools_loss() -> None:
    world = venue()
    account = long_btc(world)
    world.rate("USDT", "0.24")
    world.tick("01:00")
    drop(world, "10000")
    world.tick(world.time_ms + TEN_MINUTES_MS)

    events = world.liquidate()

    (loss,) = [row for row in events if isinstance(row, e.LossBooked)]
    assert (2000 * E8, 20 * E8) == (loss.principal_units, loss.interest_units)
    assert 0 == world.debt(account, "USDT")
    world.tick("2 00:00")
    assert 0 == world.debt(account, "USDT")


def test_an_empty_book_costs_the_fund_and_then_the_pool_and_nobody_else() -> None:
    world = venue(USDT="1000")
    accounts = [long_btc(world) for _ in range(3)]
    bystander = world.crossed(USDT="1000", BTC="1")
    world.borrow(bystander, "USDT", "500")
    held = world.available(bystander, "USDT")
    # Each is short of 501.5.
    drop(world, "10000")
    world.tick(world.time_ms + TEN_MINUTES_MS)

    world.liquidate()

    usdt, btc = world.coin("USDT"), world.coin("BTC")
    assert (0, 5000 * E8) == (usdt.insurance_units, usdt.loss_units)
    assert 3 * 14_985_000 == btc.insurance_units
    assert 0 == btc.loss_units
    assert held == world.available(bystander, "USDT")
    assert {0} == {world.debt(account, "USDT") for account in accounts}
    # The fund's gain and the pool's loss are what the three lacked, to the unit.
    assert 3 * 501 * E8 + 3 * E8 // 2 == usdt.loss_units + 1000 * E8 - btc.insurance_units * 10_000


def test_debts_in_several_coins_are_taken_over_coin_by_coin() -> None:
    world = venue(USDT="100", ETH="10", BTC="1")
    account = world.crossed(DOGE="100000")
    maker = world.spot(DOGE="1000000", USDT="100000")
    world.borrow(account, "USDT", "5000")
    world.borrow(account, "ETH", "2")
    world.sell(maker, "DOGEUSDT", "50000", "0.1")
    world.ok(account, world.order("DOGEUSDT", c.BUY, quote="5000"))
    world.buy(maker, "ETHUSDT", "2", "1500")
    world.ok(account, world.order("ETHUSDT", c.SELL, "2"))
    # 149 950 DOGE and 2997 USDT against 5000 USDT and 2 ETH.
    world.price("DOGE", "0.045")
    world.liquidate()
    world.tick(world.time_ms + TEN_MINUTES_MS)

    events = world.liquidate()

    assert (0, 0) == (world.debt(account, "USDT"), world.debt(account, "ETH"))
    paid = {row.coin: row.units for row in events if isinstance(row, e.FundPaid)}
    assert 2 * E8 == paid[world.coin("ETH").id]
    assert 100 * E8 == paid[USDT]
    (loss,) = [row for row in events if isinstance(row, e.LossBooked)]
    assert (USDT, (2003 - 100) * E8) == (loss.coin, loss.principal_units)
    assert not locked(world, account)


def test_unlocked_the_account_goes_on() -> None:
    world = venue()
    account = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "0.2", "14600")
    drop(world, "14600")
    assert world.state.accounts[account].called
    world.liquidate()
    assert not world.state.accounts[account].called

    world.fund(account, "USDT", "400")
    world.buy(account, "BTCUSDT", "0.001", "14600")
    world.repay(account, "USDT", "100")
    # And may be liquidated again.
    drop(world, "1000")
    assert [account] == [row.account for row in world.of_type(e.LiquidationStarted)]


def test_nobody_above_the_line_is_touched() -> None:
    world = venue()
    above = [long_btc(world, own=own) for own in ("1100", "1500")]
    below = long_btc(world)
    world.buy(world.spot(USDT="100000"), "BTCUSDT", "1", "14600")

    drop(world, "14600")
    events = world.liquidate()

    touched = {row.taker_account for row in events if isinstance(row, e.Traded)}
    assert {below} == touched
    assert not any(locked(world, account) for account in above)


def test_a_maker_that_fills_a_slice_is_looked_at_again() -> None:
    world = venue()
    victim = long_btc(world)
    # The maker bids with borrowed money, nine times its own.
    maker = world.isolated("BTCUSDT", USDT="100")
    world.borrow(maker, "USDT", "900")
    world.price("BTC", "14900")
    world.buy(maker, "BTCUSDT", "0.067", "14900")
    drop(world, "14200")
    assert (True, False) == (locked(world, victim), world.state.accounts[maker].called)

    events = world.liquidate()

    # 0.066933 x 14 200 + 1.7 - 900 = 52.1, and K = 45.
    assert "0.066933" == format_units(world.available(maker, "BTC"), 8)
    assert [maker] == [row.account for row in events if isinstance(row, e.MarginCalled)]
