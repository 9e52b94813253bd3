"""The book: price, then time; kinds of order; self-trade prevention; fees (RULES 1.3, 10)."""

from fractions import Fraction
from math import ceil

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.units import format_units
from tests.core.world import BTCUSDT, World


def fills(world: World) -> list[tuple[int, int, int]]:
    """Return maker, price in ticks and size in steps of the last command's trades."""
    return [(t.maker_order_id, t.price_ticks, t.size_steps) for t in world.of_type(e.Traded)]


def closings(world: World) -> list[tuple[int, int]]:
    return [(row.order_id, row.reason) for row in world.of_type(e.OrderClosed)]


def rich(world: World) -> int:
    return world.spot(BTC="100", USDT="10000000")


# --- price, then time --------------------------------------------------------------------------


def test_the_best_price_trades_first_then_the_oldest() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    late_best = world.sell(seller, "BTCUSDT", "0.002", "20000.01")
    first = world.sell(seller, "BTCUSDT", "0.001", "20000.02")
    second = world.sell(rich(world), "BTCUSDT", "0.001", "20000.02")
    worst = world.sell(seller, "BTCUSDT", "0.001", "20000.03")
    best = world.sell(seller, "BTCUSDT", "0.001", "20000")

    world.buy(buyer, "BTCUSDT", "0.0055", "20000.03")

    prices = [2_000_000, 2_000_001, 2_000_002, 2_000_002, 2_000_003]
    steps = [1000, 2000, 1000, 1000, 500]
    makers = [best, late_best, first, second, worst]
    assert list(zip(makers, prices, steps, strict=True)) == fills(world)
    assert [([], [(2_000_003, 500)])] == [q.depth(world.state, BTCUSDT, 5)]


def test_bids_too_trade_by_price_then_time() -> None:
    world = World()
    buyer, seller = rich(world), rich(world)
    second = world.buy(buyer, "BTCUSDT", "0.001", "19999")
    first = world.buy(buyer, "BTCUSDT", "0.001", "19999.01")
    third = world.buy(buyer, "BTCUSDT", "0.001", "19999")

    world.sell(seller, "BTCUSDT", "0.003", "19998")

    expected = [(first, 1_999_901, 1000), (second, 1_999_900, 1000), (third, 1_999_900, 1000)]
    assert expected == fills(world)


def test_a_partly_filled_order_keeps_its_place() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    first = world.sell(seller, "BTCUSDT", "0.003", "20000")
    second = world.sell(seller, "BTCUSDT", "0.003", "20000")

    world.buy(buyer, "BTCUSDT", "0.001", "20000")
    world.buy(buyer, "BTCUSDT", "0.003", "20000")

    assert [(first, 2_000_000, 2000), (second, 2_000_000, 1000)] == fills(world)


@pytest.mark.parametrize(
    ("price_ticks", "steps", "keeps"),
    [
        # Only smaller, at the same price, keeps its turn (RULES 10).
        (2_000_000, 2_999, True),
        (2_000_000, 1_000, True),
        (2_000_000, 3_000, False),
        (2_000_000, 3_001, False),
        (2_000_001, 1_000, False),
    ],
)
def test_a_replaced_order_keeps_its_turn_only_when_it_shrinks(
    price_ticks: int, steps: int, keeps: bool
) -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    first = world.sell(seller, "BTCUSDT", "0.005", "20000")
    others = [world.sell(rich(world), "BTCUSDT", "0.001", "20000") for _ in range(2)]
    # 0.003 of 0.005 are left when it is replaced.
    world.buy(buyer, "BTCUSDT", "0.002", "20000")

    new = world.ok(seller, c.ReplaceOrder(BTCUSDT, first, "", price_ticks, steps, "")).id
    assert steps == world.balance(seller, "BTC").frozen_units // 100
    twin = Engine.restore(list(world.engine.snapshot_lines()))
    buying = world.order("BTCUSDT", c.BUY, "1", "20000.01")
    world.ok(buyer, buying)
    _, events = twin.apply(world.log[-1])

    queue = [new, *others] if keeps else [*others, new]
    assert queue == [maker for maker, _, _ in fills(world)]
    assert queue == [v.maker_order_id for v in events if isinstance(v, e.Traded)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_order_shrinks_wherever_it_stands(place: int) -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    queue = [world.sell(seller, "BTCUSDT", "0.003", "20000") for _ in range(3)]

    old = queue[place]
    queue[place] = world.ok(seller, c.ReplaceOrder(BTCUSDT, old, "", 2_000_000, 1_000, "")).id
    assert ([], [(2_000_000, 7_000)]) == q.depth(world.state, BTCUSDT, 5)
    assert Refusal.ORDER_UNKNOWN == world.refusal(seller, c.CancelOrder(BTCUSDT, old, ""))
    world.ok(seller, c.CancelOrder(BTCUSDT, queue.pop((place + 1) % 3), ""))
    world.buy(buyer, "BTCUSDT", "1", "20000")

    assert queue == [maker for maker, _, _ in fills(world)]


def test_the_price_is_the_resting_orders() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.sell(seller, "BTCUSDT", "0.001", "19000")

    world.buy(buyer, "BTCUSDT", "0.001", "21000")

    assert 1_900_000 == fills(world)[0][1]
    # What the limit reserved beyond it is given back.
    assert world.units("USDT", "9999981") == world.available(buyer, "USDT")
    assert 0 == world.balance(buyer, "USDT").frozen_units


def test_depth_adds_up_each_price_best_first() -> None:
    world = World()
    account = rich(world)
    world.buy(account, "BTCUSDT", "0.001", "19999")
    world.buy(account, "BTCUSDT", "0.002", "19998")
    doomed = world.buy(account, "BTCUSDT", "0.004", "19999")
    world.sell(account, "BTCUSDT", "0.001", "20002")
    world.sell(account, "BTCUSDT", "0.001", "20001")

    bids = [(1_999_900, 5000), (1_999_800, 2000)]
    asks = [(2_000_100, 1000), (2_000_200, 1000)]
    assert (bids, asks) == q.depth(world.state, BTCUSDT, 5)
    assert (bids[:1], asks[:1]) == q.depth(world.state, BTCUSDT, 1)
    world.ok(account, c.CancelOrder(BTCUSDT, doomed, ""))
    assert (1_999_900, 1000) == q.depth(world.state, BTCUSDT, 5)[0][0]


def test_spot_and_margin_share_one_book() -> None:
    world = World()
    spot = world.spot(BTC="1")
    crossed = world.crossed(USDT="1000")
    isolated = world.isolated("BTCUSDT", BTC="1")
    first = world.sell(spot, "BTCUSDT", "0.01", "20000")
    second = world.sell(isolated, "BTCUSDT", "0.01", "20000")

    world.buy(crossed, "BTCUSDT", "0.02", "20000")

    assert [first, second] == [maker for maker, _, _ in fills(world)]


# --- kinds -------------------------------------------------------------------------------------


def test_a_market_buy_spends_its_quote_to_the_last_step() -> None:
    world = World()
    seller, buyer = rich(world), world.spot(USDT="100")
    world.sell(seller, "BTCUSDT", "0.002", "20000")
    world.sell(seller, "BTCUSDT", "0.01", "20500")

    order = world.ok(buyer, world.order("BTCUSDT", c.BUY, quote="100")).id

    # 40 USDT at 20 000; the other 60 buy 2926 steps of 0.0205 and leave 0.017.
    assert [2000, 2926] == [steps for _, _, steps in fills(world)]
    assert "0.017" == format_units(world.available(buyer, "USDT"), 8)
    assert [(order, e.CLOSED_FILLED)] == closings(world)[-1:]


def test_a_market_sell_takes_what_there_is() -> None:
    world = World()
    seller, buyer = world.spot(BTC="1"), rich(world)
    world.buy(buyer, "BTCUSDT", "0.002", "20000")

    order = world.ok(seller, world.order("BTCUSDT", c.SELL, "0.005")).id

    assert [2000] == [steps for _, _, steps in fills(world)]
    assert (order, e.CLOSED_UNFILLED) == closings(world)[-1]
    assert "0.998" == format_units(world.available(seller, "BTC"), 8)


@pytest.mark.parametrize("side", [c.BUY, c.SELL])
def test_a_market_order_against_nothing_ends_unfilled(side: int) -> None:
    world = World()
    account = rich(world)

    amounts = {c.BUY: ("", "100"), c.SELL: ("0.01", "")}
    size, quote = amounts[side]
    reply = world.ok(account, world.order("BTCUSDT", side, size, quote=quote))

    assert [(reply.id, e.CLOSED_UNFILLED)] == closings(world)
    assert [] == q.open_orders(world.state, account)


def test_immediate_or_cancel_does_not_rest() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.sell(seller, "BTCUSDT", "0.001", "20000")
    world.sell(seller, "BTCUSDT", "0.001", "20001")

    ioc = world.order("BTCUSDT", c.BUY, "0.003", "20000", force=c.IOC)
    order = world.ok(buyer, ioc).id

    assert [(2_000_000, 1000)] == [(price, steps) for _, price, steps in fills(world)]
    assert (order, e.CLOSED_UNFILLED) == closings(world)[-1]
    assert 0 == world.balance(buyer, "USDT").frozen_units


@pytest.mark.parametrize(
    ("size", "price", "filled"),
    [("0.003", "20001", True), ("0.003001", "20001", False), ("0.003", "20000.99", False)],
)
def test_fill_or_kill_is_all_or_nothing(size: str, price: str, filled: bool) -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.sell(seller, "BTCUSDT", "0.001", "20000")
    world.sell(seller, "BTCUSDT", "0.002", "20001")

    cmd = world.order("BTCUSDT", c.BUY, size, price, force=c.FOK)

    assert (None if filled else Refusal.FOK_WOULD_NOT_FILL) == world.refusal(buyer, cmd)
    assert (2 if filled else 0) == len(fills(world))


@pytest.mark.parametrize(
    ("side", "price", "refusal"),
    [
        (c.BUY, "20000.99", None),
        (c.BUY, "20001", Refusal.POST_ONLY_WOULD_TAKE),
        (c.BUY, "20002", Refusal.POST_ONLY_WOULD_TAKE),
        (c.SELL, "19999.01", None),
        (c.SELL, "19999", Refusal.POST_ONLY_WOULD_TAKE),
        (c.SELL, "19998", Refusal.POST_ONLY_WOULD_TAKE),
    ],
)
def test_post_only_never_takes(side: int, price: str, refusal: Refusal | None) -> None:
    world = World()
    other, account = rich(world), rich(world)
    world.sell(other, "BTCUSDT", "0.001", "20001")
    world.buy(other, "BTCUSDT", "0.001", "19999")

    cmd = world.order("BTCUSDT", side, "0.001", price, force=c.POST_ONLY)

    assert refusal == world.refusal(account, cmd)
    assert [] == fills(world)


def test_post_only_would_take_ones_own_orders_too() -> None:
    world = World()
    account = rich(world)
    world.sell(account, "BTCUSDT", "0.001", "20001")

    cmd = world.order("BTCUSDT", c.BUY, "0.001", "20001", force=c.POST_ONLY, stp=c.STP_CANCEL_MAKER)

    assert Refusal.POST_ONLY_WOULD_TAKE == world.refused(account, cmd).refusal


# --- self-trade prevention, per user over all accounts -----------------------------------------


def two_of_one_user(world: World) -> tuple[int, int]:
    """Return the spot and the crossed account of one user, both funded."""
    user = world.user(BTC="1", USDT="100000")
    spot, crossed = c.account_id(user, c.SLOT_SPOT), c.account_id(user, c.SLOT_CROSSED)
    world.fund(crossed, "USDT", "100000")
    return spot, crossed


@pytest.mark.parametrize(
    ("stp", "filled_steps", "own_stands", "taker_rests"),
    [
        (c.STP_NONE, 3000, False, False),
        (c.STP_CANCEL_TAKER, 1000, True, False),
        # The own order goes, the stranger behind it trades, the rest stands.
        (c.STP_CANCEL_MAKER, 2000, False, True),
        (c.STP_CANCEL_BOTH, 1000, False, False),
    ],
)
def test_an_order_meets_its_users_own(
    stp: int, filled_steps: int, own_stands: bool, taker_rests: bool
) -> None:
    world = World()
    spot, crossed = two_of_one_user(world)
    stranger = rich(world)
    world.sell(stranger, "BTCUSDT", "0.001", "20000")
    own = world.sell(spot, "BTCUSDT", "0.001", "20001")
    world.sell(stranger, "BTCUSDT", "0.001", "20002")

    cmd = world.order("BTCUSDT", c.BUY, "0.003", "20002", stp=stp)
    taker = world.ok(crossed, cmd).id

    assert filled_steps == sum(steps for _, _, steps in fills(world))
    assert own_stands == (q.order(world.state, spot, own) is not None)
    assert taker_rests == (q.order(world.state, crossed, taker) is not None)
    ended = dict(closings(world))
    if stp in (c.STP_CANCEL_MAKER, c.STP_CANCEL_BOTH):
        assert e.CLOSED_SELF_TRADE == ended[own]
    if stp in (c.STP_CANCEL_TAKER, c.STP_CANCEL_BOTH):
        assert e.CLOSED_SELF_TRADE == ended[taker]


def test_it_is_the_takers_prevention_that_counts() -> None:
    world = World()
    spot, crossed = two_of_one_user(world)
    resting = world.order("BTCUSDT", c.SELL, "0.001", "20001", stp=c.STP_CANCEL_BOTH)
    own = world.ok(spot, resting).id

    world.buy(crossed, "BTCUSDT", "0.001", "20001")

    assert [(own, 2_000_100, 1000)] == fills(world)


@pytest.mark.parametrize(
    ("stp", "refusal"),
    [
        (c.STP_NONE, None),
        (c.STP_CANCEL_TAKER, Refusal.FOK_WOULD_NOT_FILL),
        (c.STP_CANCEL_MAKER, Refusal.FOK_WOULD_NOT_FILL),
        (c.STP_CANCEL_BOTH, Refusal.FOK_WOULD_NOT_FILL),
    ],
)
def test_fill_or_kill_counts_without_what_would_be_prevented(
    stp: int, refusal: Refusal | None
) -> None:
    world = World()
    spot, crossed = two_of_one_user(world)
    world.sell(rich(world), "BTCUSDT", "0.001", "20000")
    world.sell(spot, "BTCUSDT", "0.001", "20001")

    cmd = world.order("BTCUSDT", c.BUY, "0.002", "20001", force=c.FOK, stp=stp)

    assert refusal == world.refusal(crossed, cmd)


@pytest.mark.parametrize(
    ("stp", "refusal"),
    [
        (c.STP_CANCEL_TAKER, Refusal.FOK_WOULD_NOT_FILL),
        (c.STP_CANCEL_MAKER, None),
        (c.STP_CANCEL_BOTH, Refusal.FOK_WOULD_NOT_FILL),
    ],
)
def test_fill_or_kill_sees_what_stands_behind_ones_own(stp: int, refusal: Refusal | None) -> None:
    world = World()
    spot, crossed = two_of_one_user(world)
    world.sell(spot, "BTCUSDT", "0.001", "20000")
    behind = world.sell(rich(world), "BTCUSDT", "0.001", "20001")

    cmd = world.order("BTCUSDT", c.BUY, "0.001", "20001", force=c.FOK, stp=stp)

    assert refusal == world.refusal(crossed, cmd)
    assert ([behind] if refusal is None else []) == [maker for maker, _, _ in fills(world)]


def test_a_market_order_stops_at_ones_own_too() -> None:
    world = World()
    spot, crossed = two_of_one_user(world)
    own = world.sell(spot, "BTCUSDT", "0.001", "20001")

    cmd = world.order("BTCUSDT", c.BUY, quote="100", stp=c.STP_CANCEL_TAKER)
    taker = world.ok(crossed, cmd).id

    assert [] == fills(world)
    assert [(taker, e.CLOSED_SELF_TRADE)] == closings(world)
    assert q.order(world.state, spot, own) is not None


def test_a_trade_with_oneself_costs_its_fees_and_nothing_else() -> None:
    world = World()
    spot = world.spot(BTC="1", USDT="20000")
    world.sell(spot, "BTCUSDT", "1", "20000")

    world.buy(spot, "BTCUSDT", "1", "20000")

    assert "0.999" == format_units(world.available(spot, "BTC"), 8)
    assert "19980" == format_units(world.available(spot, "USDT"), 8)


# --- fees (RULES 1.3; reference, 12.3) ---------------------------------------------------------


def test_the_fee_is_taken_from_what_is_received() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.sell(seller, "BTCUSDT", "0.0002", "20000")

    world.buy(buyer, "BTCUSDT", "0.0002", "20000")

    (trade,) = world.of_type(e.Traded)
    assert "0.0000002" == format_units(trade.taker_fee_units, 8)
    assert "0.004" == format_units(trade.maker_fee_units, 8)
    assert "100.0001998" == format_units(world.available(buyer, "BTC"), 8)
    assert "10000003.996" == format_units(world.available(seller, "USDT"), 8)


def test_the_fee_of_a_sale() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.buy(buyer, "BTCUSDT", "0.0001", "29543.7")

    world.ok(seller, world.order("BTCUSDT", c.SELL, "0.0001"))

    (trade,) = world.of_type(e.Traded)
    assert "0.00295437" == format_units(trade.taker_fee_units, 8)


def test_many_fills_cost_no_more_than_one() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    # 0.001 of 100 units is 0.1: rounded up per fill it would be ten times too much.
    for _ in range(25):
        world.sell(seller, "BTCUSDT", "0.000051", "20000")

    world.buy(buyer, "BTCUSDT", "0.001275", "20000")

    fees = [trade.taker_fee_units for trade in world.of_type(e.Traded)]
    received, so_far = 0, 0
    for fee in fees:
        received += 5100
        so_far += fee
        assert ceil(Fraction(received, 1000)) == so_far
    assert 128 == so_far


def test_a_resting_orders_fee_too_is_rounded_over_the_whole_order() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    bid = world.buy(buyer, "BTCUSDT", "0.001275", "20000")

    fee = 0
    for _ in range(25):
        world.ok(seller, world.order("BTCUSDT", c.SELL, "0.000051", "20000"))
        (trade,) = world.of_type(e.Traded)
        assert bid == trade.maker_order_id
        fee += trade.maker_fee_units

    assert 128 == fee
    assert world.units("BTC", "100.001275") - 128 == world.available(buyer, "BTC")


# --- what may rest -----------------------------------------------------------------------------


def test_cancelled_orders_give_back_what_they_froze() -> None:
    world = World()
    account = world.spot(BTC="1", USDT="100")
    bid = world.buy(account, "BTCUSDT", "0.005", "20000")
    ask = world.sell(account, "BTCUSDT", "1", "20001")
    assert (0, 0) == (world.available(account, "USDT"), world.available(account, "BTC"))

    world.ok(account, c.CancelOrder(BTCUSDT, bid, ""))
    assert [(bid, e.CLOSED_BY_USER)] == closings(world)
    reply = world.ok(account, c.CancelAllOrders(BTCUSDT))

    assert 1 == reply.units
    assert [(ask, e.CLOSED_BY_USER)] == closings(world)
    assert world.units("USDT", "100") == world.available(account, "USDT")
    assert world.units("BTC", "1") == world.available(account, "BTC")


def test_the_number_of_resting_orders_is_bounded_per_account_and_pair() -> None:
    world = World()
    set_pair(world, max_open_orders=3)
    account, other = rich(world), rich(world)
    orders = [world.buy(account, "BTCUSDT", "0.001", "19000") for _ in range(3)]

    cmd = world.order("BTCUSDT", c.BUY, "0.001", "19000")
    reply = world.refused(account, cmd)

    assert Refusal.TOO_MANY_OPEN_ORDERS == reply.refusal
    assert 3 == reply.units
    # Another account, another pair, and what never rests are not meant.
    world.ok(other, cmd)
    world.ok(account, world.order("ETHUSDT", c.BUY, "1", "1000"))
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="10"))
    world.ok(account, world.order("BTCUSDT", c.BUY, "0.001", "19000", force=c.IOC))
    # A replacement stands for the order it replaces; a cancelled one makes room.
    world.ok(account, c.ReplaceOrder(BTCUSDT, orders[0], "", 1_900_100, 1000, ""))
    world.ok(account, c.CancelOrder(BTCUSDT, orders[1], ""))
    world.ok(account, cmd)
    assert Refusal.TOO_MANY_OPEN_ORDERS == world.refused(account, cmd).refusal


def set_pair(
    world: World, tick_e12: int = 10**10, step_units: int = 100, max_open_orders: int = 200
) -> None:
    """Change the terms of BTCUSDT."""
    terms = btcusdt(world, tick_e12, step_units, max_open_orders)
    world.ok(c.VENUE, terms)


def btcusdt(
    world: World, tick_e12: int = 10**10, step_units: int = 100, max_open_orders: int = 200
) -> c.SetPair:
    pair = world.pair("BTCUSDT")
    return c.SetPair(
        pair.symbol,
        pair.base.id,
        pair.quote.id,
        tick_e12,
        step_units,
        pair.maker_fee_e6,
        pair.taker_fee_e6,
        pair.min_value_units,
        pair.min_size_steps,
        pair.max_size_steps,
        max_open_orders,
        pair.isolated_tiers,
        pair.liquidation_fee_e6,
        pair.crossed,
        pair.trading,
    )


@pytest.mark.parametrize(("tick_e12", "step_units"), [(10**12, 100), (10**10, 1000)])
def test_precision_does_not_change_while_orders_rest(tick_e12: int, step_units: int) -> None:
    world = World()
    account = rich(world)
    order = world.buy(account, "BTCUSDT", "0.001", "20000")
    terms = btcusdt(world, tick_e12, step_units)

    assert Refusal.PRECISION_IN_USE == world.refused(c.VENUE, terms).refusal
    # Other terms may.
    set_pair(world, max_open_orders=7)
    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))
    world.ok(c.VENUE, terms)


def test_the_last_price_survives_a_new_tick() -> None:
    world = World()
    seller, buyer = rich(world), rich(world)
    world.sell(seller, "BTCUSDT", "0.001", "20000")
    world.buy(buyer, "BTCUSDT", "0.001", "20000")

    set_pair(world, tick_e12=10**12)

    assert 20_000 == world.pair("BTCUSDT").last_price_ticks
