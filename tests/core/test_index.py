"""Index prices: publishing, bands, caution, staleness, sources (RULES 7.1, 7.5, 7.6, 7.7)."""

from fractions import Fraction

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.index import decay_e18
from lombard.core.refusals import Refusal
from lombard.core.risk import high_price_e12, low_price_e12
from lombard.core.units import VALUE_MAX, format_units, parse_units
from tests.core.world import BTC, BTCUSDT, ETH, USDT, World

Row = tuple[int, int, int, int, int]
GOOD: Row = (ETH, 10**12, 2, 0, 0)


def without_interest() -> World:
    world = World()
    for name in ("USDT", "BTC", "ETH"):
        world.rate(name, "0")
    world.tick("01:00")
    return world


# --- publishing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "refusal"),
    [
        # Each row is wrong in every later way too; and what is right beside it is not published.
        ([GOOD, (99, 0, 0, -1, -1)], Refusal.COIN_UNKNOWN),
        ([GOOD, (-1, 0, 0, -1, -1)], Refusal.COIN_UNKNOWN),
        ([GOOD, (ETH, 0, 0, -1, -1)], Refusal.COIN_UNKNOWN),
        ([GOOD, (BTC, 0, 0, -1, -1)], Refusal.PRICE_NOT_POSITIVE),
        ([GOOD, (BTC, -1, 0, -1, -1)], Refusal.PRICE_NOT_POSITIVE),
        ([GOOD, (BTC, VALUE_MAX + 1, 0, -1, -1)], Refusal.AMOUNT_TOO_LARGE),
        ([GOOD, (BTC, 1, 0, 0, 0)], Refusal.CONFIGURATION_INVALID),
        ([GOOD, (BTC, 1, 1, -1, 0)], Refusal.CONFIGURATION_INVALID),
        ([GOOD, (BTC, 1, 1, 0, -1)], Refusal.CONFIGURATION_INVALID),
    ],
)
def test_prices_are_published_all_or_none(rows: list[Row], refusal: Refusal) -> None:
    world = World()

    assert refusal == world.refused(c.VENUE, c.SetIndexPrices(rows)).refusal
    assert parse_units("1500", 12) == world.coin("ETH").price_e12


@pytest.mark.parametrize("price", [1, 10**12, VALUE_MAX])
def test_any_positive_price_is_published(price: int) -> None:
    world = World()

    world.ok(c.VENUE, c.SetIndexPrices([(BTC, price, 3, 77, 5000)]))

    (row,) = world.of_type(e.IndexPricesSet)
    assert [(BTC, price)] == row.prices
    coin = world.coin("BTC")
    assert (price, 3, 77, 5000) == (
        coin.price_e12,
        coin.price_sources,
        coin.price_spread_e6,
        coin.price_max_age_ms,
    )


def test_our_own_book_never_sets_the_index() -> None:
    world = without_interest()
    debtor = world.crossed(BTC="1")
    world.borrow(debtor, "USDT", "10000")
    buyer, seller = world.spot(USDT="1000"), world.spot(BTC="1")

    # The book trades at a cent, and at a million.
    world.sell(seller, "BTCUSDT", "0.5", "2")
    world.buy(buyer, "BTCUSDT", "0.5", "2")
    world.tick(world.time_ms + 1000)
    world.sell(seller, "BTCUSDT", "0.0001", "1000000")
    world.buy(buyer, "BTCUSDT", "0.0001", "1000000")
    world.tick(world.time_ms + 1000)

    assert parse_units("20000", 12) == world.coin("BTC").price_e12
    assert world.state.accounts[debtor].liquidation is None
    assert "30000" == format_units(q.max_borrowable(world.state, debtor, USDT).units, 8)


# --- bands (RULES 7.6, 8.3) --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "base", "quote", "centre"),
    [
        ("BTCUSDT", "20000", "1", Fraction(20_000)),
        ("BTCUSDT", "20000.013", "1", Fraction("20000.013")),
        ("BTCUSDC", "20000", "0.97", Fraction("20000") / Fraction("0.97")),
        ("ETHUSDT", "1234.567891234567", "1", Fraction("1234.567891234567")),
        ("PEPEUSDT", "0.0000012345", "1.1", Fraction("0.0000012345") / Fraction("1.1")),
        # Less than a tick: the band is the lowest price there is.
        ("DOGEUSDT", "0.000001", "1", Fraction("0.000001")),
    ],
)
def test_the_bands_edges_are_rounded_inwards(
    symbol: str, base: str, quote: str, centre: Fraction
) -> None:
    world = World()
    pair = world.pair(symbol)
    world.price(pair.quote.name, quote)

    world.price(pair.base.name, base)

    tick = Fraction(pair.tick_e12, 10**12)
    for low, high, band in (
        (pair.band_low_ticks, pair.band_high_ticks, Fraction(5, 100)),
        (pair.system_low_ticks, pair.system_high_ticks, Fraction(2, 100)),
    ):
        assert max(1, centre * (1 + band) // tick) == high
        assert max(1, -(-centre * (1 - band) // tick)) == low


def test_the_bands_follow_their_parameters() -> None:
    world = World()
    world.parameter("band_e6", 100_000)
    world.parameter("system_band_e6", 10_000)

    pair = world.pair("BTCUSDT")
    assert (1_800_000, 2_200_000) == (pair.band_low_ticks, pair.band_high_ticks)
    assert (1_980_000, 2_020_000) == (pair.system_low_ticks, pair.system_high_ticks)


# --- caution (RULES 7.5) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elapsed_ms", "half_life_ms", "expected"),
    [
        (0, 300_000, 1.0),
        (300_000, 300_000, 0.5),
        (600_000, 300_000, 0.25),
        (150_000, 300_000, 2**-0.5),
        (75_000, 300_000, 2**-0.25),
        (1, 300_000, 2 ** (-1 / 300_000)),
        (1_000, 300_000, 2 ** (-1 / 300)),
        (123_456, 300_000, 2 ** (-123_456 / 300_000)),
        (59 * 300_000, 300_000, 2**-59),
        (10**15, 300_000, 0.0),
        (1, 1, 0.5),
        (1, 86_400_000, 2 ** (-1 / 86_400_000)),
    ],
)
def test_the_decay_is_a_power_of_a_half(
    elapsed_ms: int, half_life_ms: int, expected: float
) -> None:
    assert expected == pytest.approx(decay_e18(elapsed_ms, half_life_ms) / 10**18, abs=1e-10)


def slow(world: World, coin: str) -> Fraction:
    return Fraction(world.coin(coin).slow_price_e12, 10**12)


def test_half_the_gap_is_left_after_a_half_life() -> None:
    world = without_interest()
    world.parameter("caution_half_life_ms", 300_000)
    world.price("BTC", "40000")
    assert 20_000 == slow(world, "BTC")

    seen = []
    for minutes in (5, 10, 15):
        world.tick(f"01:{minutes:02}")
        seen.append(slow(world, "BTC"))

    assert [30_000, 35_000, 37_500] == seen


def test_looking_often_changes_nothing_to_speak_of() -> None:
    once, often = without_interest(), without_interest()
    for world in (once, often):
        world.parameter("caution_half_life_ms", 300_000)
        world.price("BTC", "40000")
    often.audit = False
    for _ in range(3000):
        often.tick(often.time_ms + 100)
    once.tick(once.time_ms + 300_000)

    assert often.time_ms == once.time_ms
    assert abs(slow(once, "BTC") - slow(often, "BTC")) < Fraction(1, 100)


@pytest.mark.parametrize("price", ["30000", "15000"])
def test_assets_count_low_and_debts_high(price: str) -> None:
    world = without_interest()
    world.parameter("caution_half_life_ms", 300_000)
    world.price("BTC", price)
    low, high = sorted(parse_units(text, 12) for text in (price, "20000"))

    coin = world.coin("BTC")
    assert (low, high) == (low_price_e12(coin), high_price_e12(coin))
    owner, debtor = world.crossed(BTC="1"), world.crossed(USDT="10000")
    low_usd, high_usd = low // 10**12, high // 10**12
    assert 2 * low_usd * 10**8 == q.max_borrowable(world.state, owner, USDT).units
    assert 20_000 * 10**16 // (high_usd * 10**8) == q.max_borrowable(world.state, debtor, BTC).units


def test_a_spike_buys_no_credit() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.parameter("caution_half_life_ms", 300_000)
    world.price("BTC", "200000")

    units = q.max_borrowable(world.state, account, USDT).units
    assert "40000" == format_units(units, 8)
    assert (
        Refusal.BORROW_OVER_LEVERAGE
        == world.refused(account, c.Borrow(USDT, units + 1, "")).refusal
    )
    # Nor does it let more out, nor carry a riskier order.
    world.borrow(account, "USDT", "10000")
    assert "10000" == format_units(q.max_transferable(world.state, account, USDT), 8)


def test_what_leaves_counts_at_the_higher_price() -> None:
    world = without_interest()
    account = world.crossed(BTC="1", USDT="1")
    world.borrow(account, "USDT", "1000")
    world.parameter("caution_half_life_ms", 300_000)

    world.price("BTC", "10000")

    # N - D = 10 001 - 1000, and a BTC leaves at 20 000.
    assert "0.45005" == format_units(q.max_transferable(world.state, account, BTC), 8)


def test_liquidation_knows_no_caution() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    world.parameter("caution_half_life_ms", 300_000)

    # The slow average is still near 20 000.
    world.price("BTC", "1000")

    assert [account] == [row.account for row in world.of_type(e.LiquidationStarted)]


def test_caution_switched_off_holds_at_once() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.parameter("caution_half_life_ms", 300_000)
    world.price("BTC", "30000")
    assert "40000" == format_units(q.max_borrowable(world.state, account, USDT).units, 8)

    world.parameter("caution_half_life_ms", 0)

    assert "60000" == format_units(q.max_borrowable(world.state, account, USDT).units, 8)
    world.price("BTC", "40000")
    assert "80000" == format_units(q.max_borrowable(world.state, account, USDT).units, 8)


def test_a_coins_first_price_is_its_average_too() -> None:
    world = World()
    world.parameter("caution_half_life_ms", 300_000)
    world.ok(c.VENUE, c.SetCoin("NEW", 8, [(0, 10**6)], [], 0, 1, False, True))

    world.price("NEW", "7")

    assert 7 == slow(world, "NEW")


# --- staleness (RULES 7.7) ---------------------------------------------------------------------


def test_an_index_is_stale_when_older_than_its_source_allows() -> None:
    world = World()
    world.price("BTC", "20000", max_age_ms=5000)

    ages = []
    for age_ms in (0, 5000, 5001):
        world.tick(clock_of(world) + age_ms)
        ages.append(q.index_is_stale(world.state, BTC))

    assert [False, False, True] == ages
    world.price("BTC", "20000", max_age_ms=5000)
    assert not q.index_is_stale(world.state, BTC)


def clock_of(world: World) -> int:
    return world.coin("BTC").price_time_ms


def test_a_price_set_by_hand_is_fresh_until_replaced() -> None:
    world = World()

    world.tick("9 00:00")

    assert not q.index_is_stale(world.state, BTC)


def stale_world() -> tuple[World, int, int]:
    """Return a world whose BTC index is stale, a debtor who holds BTC, and its spot account."""
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.fund(spot, "USDT", "100")
    world.fund(spot, "ETH", "1")
    world.price("BTC", "20000", max_age_ms=5000)
    return world, account, spot


def go_stale(world: World) -> None:
    world.tick(world.time_ms + 5001)


def test_what_raises_risk_is_refused_on_a_stale_index() -> None:
    world, account, spot = stale_world()
    resting = world.buy(account, "BTCUSDT", "0.01", "19500")
    go_stale(world)

    for cmd in (
        c.Borrow(USDT, 10**8, ""),
        c.Borrow(ETH, 10**6, ""),
        c.Transfer(spot, USDT, 1, ""),
        world.order("BTCUSDT", c.BUY, "0.01", "19500"),
        world.order("BTCUSDT", c.SELL, "0.01", "20500"),
        world.order("BTCUSDT", c.BUY, quote="10"),
        world.order("ETHUSDT", c.BUY, "0.1", "1500"),
        world.order("ETHUSDT", c.BUY, "100", "1500", loan_type=c.AUTO_LOAN_AND_REPAY),
        c.ReplaceOrder(BTCUSDT, resting, "", 1_950_100, 10_000, ""),
    ):
        reply = world.refused(account, cmd)
        assert (Refusal.INDEX_STALE, "BTC") == (reply.refusal, reply.detail), cmd
    assert 0 == q.max_transferable(world.state, account, USDT)


def test_what_lowers_risk_goes_on_with_a_stale_index() -> None:
    world, account, spot = stale_world()
    resting = world.buy(account, "BTCUSDT", "0.01", "19500")
    bid = world.spot(USDT="1000")
    world.buy(bid, "BTCUSDT", "0.01", "20000")
    go_stale(world)

    world.ok(account, c.CancelOrder(BTCUSDT, resting, ""))
    world.repay(account, "USDT", "1000")
    world.ok(spot, c.Transfer(account, USDT, 10**8, ""))
    # A sale that pays debt back with all it brings.
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.01", loan_type=c.AUTO_REPAY))
    assert "8800.2" == format_units(world.debt(account, "USDT"), 8)


def test_an_order_that_hardly_repays_does_not_pass_for_a_repayment() -> None:
    world = without_interest()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "1900")
    # A speck of BTC is owed; an order for a hundred thousand times as much would repay it.
    world.borrow(account, "BTC", "0.00000001")
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.1", "21000")
    world.price("BTC", "20000", max_age_ms=5000)
    go_stale(world)

    cmd = world.order("BTCUSDT", c.BUY, "0.1", "21000", loan_type=c.AUTO_REPAY)

    assert Refusal.INDEX_STALE == world.refused(account, cmd).refusal


def test_those_who_owe_nothing_do_not_wait_for_the_index() -> None:
    world, _, _ = stale_world()
    other = world.crossed(BTC="1", USDT="1000")
    go_stale(world)

    world.buy(other, "BTCUSDT", "0.01", "19500")
    world.ok(other, c.Transfer(other - 1, BTC, 10**8, ""))
    # A loan would make them owe.
    assert (
        Refusal.INDEX_STALE
        == world.refused(
            other, world.order("BTCUSDT", c.BUY, "0.05", "19500", loan_type=c.AUTO_LOAN)
        ).refusal
    )


def test_another_coins_index_is_none_of_an_accounts_business() -> None:
    world, _, _ = stale_world()
    account = world.crossed(ETH="10")
    go_stale(world)

    world.borrow(account, "USDT", "1000")
    world.buy(account, "ETHUSDT", "0.1", "1500")


def test_no_price_at_all_is_stale() -> None:
    world = World()
    world.ok(
        c.VENUE, c.SetCoin("NEW", 8, [(0, 10**6)], [(10**14, 3, 10**5)], 10**14, 1, True, True)
    )
    new = world.coin("NEW").id
    world.rate("NEW", "0")
    world.ok(c.VENUE, c.FundPool(new, 10**14))
    sizes = (10**10, 100, 0, 0, 0, 1, 10**12, 200)
    pair = world.ok(c.VENUE, c.SetPair("NEWUSDT", new, USDT, *sizes, [], 0, True, True)).id
    account = world.crossed(USDT="100")

    assert Refusal.INDEX_STALE == world.refused(account, c.Borrow(new, 1, "")).refusal
    order = c.PlaceOrder(pair, c.BUY, c.LIMIT, c.GTC, c.NORMAL, 0, 100, 100, 0, "", 0)
    reply = world.refused(account, order)
    assert (Refusal.INDEX_STALE, "NEW") == (reply.refusal, reply.detail)


# --- liquidation on what is known (RULES 7.7) --------------------------------------------------


@pytest.mark.parametrize(("sources", "locked"), [(1, False), (2, True), (3, True)])
def test_one_venue_alone_never_liquidates(sources: int, locked: bool) -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")

    world.price("BTC", "1", sources=sources)

    assert locked == (world.state.accounts[account].liquidation is not None)
    assert locked == bool(world.of_type(e.LiquidationStarted))


def test_one_venue_30_percent_away_liquidates_nobody_and_calls_nobody() -> None:
    world = without_interest()
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.15", "20000")
    account = world.crossed(USDT="1010")
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="3000", loan_type=c.AUTO_LOAN))

    # Worth 2098 then, against a debt of 1990.
    world.price("BTC", "14000", sources=1)
    assert [] == world.of_type(e.LiquidationStarted)
    assert [] == world.of_type(e.MarginCalled)

    # With a second source it is decided, at once.
    world.price("BTC", "14000", sources=2)
    assert [account] == [row.account for row in world.of_type(e.LiquidationStarted)]


def test_a_stale_index_liquidates_nobody_until_it_is_fresh() -> None:
    world = without_interest()
    account = world.crossed(BTC="1", ETH="0.1")
    world.borrow(account, "USDT", "10000")
    world.price("ETH", "1500", max_age_ms=5000)
    go_stale(world)

    world.price("BTC", "1")
    world.ok(account, c.CancelAllOrders(BTCUSDT))
    assert world.state.accounts[account].liquidation is None

    world.price("ETH", "1500")
    assert world.state.accounts[account].liquidation is not None
