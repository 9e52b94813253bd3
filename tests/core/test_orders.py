"""Orders: the order in which they are refused, what they borrow, and what they repay (RULES 6)."""

from dataclasses import dataclass
from dataclasses import replace as changed

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX, format_units
from tests.core.world import BTC, BTCUSDT, DOGEUSDT, ETHUSDT, USDT, World

# --- refusals, in their order ------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """An order by its numbers; each default is wrong."""

    account: str
    pair: int = BTCUSDT
    side: int = c.BUY
    kind: int = c.LIMIT
    force: int = c.POST_ONLY
    loan_type: int = c.AUTO_LOAN
    stp: int = c.STP_NONE
    price_ticks: int = 0
    size_steps: int = 0
    quote_units: int = 1
    client_oid: str = ""

    def command(self) -> c.PlaceOrder:
        fields = (self.pair, self.side, self.kind, self.force, self.loan_type, self.stp)
        numbers = (self.price_ticks, self.size_steps, self.quote_units)
        return c.PlaceOrder(*fields, *numbers, self.client_oid, c.SOURCE_API)


def place_of_refusals() -> tuple[World, dict[str, int]]:
    """Return a venue where much is wrong, and the accounts to meet it with.

    BTCUSDT does not lend USDT beyond a small pool, its index is stale for those who owe, an ask
    rests at 20 000; ETHUSDT is halted, DOGEUSDT is not for crossed margin.
    """
    world = World()
    accounts = {
        "spot": world.spot(USDT="1000"),
        "crossed": world.crossed(USDT="100"),
        "isolated": world.isolated("BTCUSDT", USDT="100"),
        "full": world.isolated("BTCUSDT", USDT="100"),
        "locked": world.isolated("BTCUSDT", BTC="1"),
        "nobody": 77,
    }
    world.borrow(accounts["locked"], "USDT", "10000")
    world.price("BTC", "1")
    world.price("BTC", "20000")
    set_terms(world, "ETHUSDT", trading=False)
    set_terms(world, "DOGEUSDT", crossed=False)
    set_terms(world, "BTCUSDT", min_size_steps=100, max_size_steps=10**6, max_open_orders=1)
    used = world.order("BTCUSDT", c.BUY, "0.0001", "19000", client_oid="used")
    for name in ("isolated", "full"):
        order = world.ok(accounts[name], used).id
        if name == "isolated":
            world.ok(accounts[name], c.CancelOrder(BTCUSDT, order, ""))
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.01", "20000")
    return world, accounts


def set_terms(
    world: World,
    symbol: str,
    *,
    trading: bool = True,
    crossed: bool = True,
    min_size_steps: int = 1,
    max_size_steps: int = 10**12,
    max_open_orders: int = 200,
) -> None:
    pair = world.pair(symbol)
    world.ok(
        c.VENUE,
        c.SetPair(
            symbol,
            pair.base.id,
            pair.quote.id,
            pair.tick_e12,
            pair.step_units,
            pair.maker_fee_e6,
            pair.taker_fee_e6,
            pair.min_value_units,
            min_size_steps,
            max_size_steps,
            max_open_orders,
            pair.isolated_tiers,
            pair.liquidation_fee_e6,
            crossed,
            trading,
        ),
    )


# Above the band, beyond the account's means, and taking.
HIGH = Ask("isolated", price_ticks=2_200_000, size_steps=10_000, quote_units=0)


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        # Each row is wrong in every later way too, as far as one order can be.
        (Ask("nobody", pair=99), Refusal.ACCOUNT_UNKNOWN),
        (Ask("isolated", pair=99, client_oid="used"), Refusal.CLIENT_OID_REUSED),
        (Ask("isolated", pair=99), Refusal.PAIR_UNKNOWN),
        (Ask("isolated", pair=-1), Refusal.PAIR_UNKNOWN),
        (Ask("locked", pair=ETHUSDT), Refusal.PAIR_NOT_TRADING),
        (Ask("crossed", pair=DOGEUSDT), Refusal.PAIR_NOT_MARGIN),
        (Ask("locked", pair=DOGEUSDT), Refusal.COIN_NOT_IN_ACCOUNT),
        (Ask("locked"), Refusal.IN_LIQUIDATION),
        (Ask("spot"), Refusal.ORDER_INVALID),
        (Ask("full", side=2), Refusal.ORDER_INVALID),
        (Ask("full", side=-1), Refusal.ORDER_INVALID),
        (Ask("full", kind=2), Refusal.ORDER_INVALID),
        (Ask("full", force=4), Refusal.ORDER_INVALID),
        (Ask("full", loan_type=4), Refusal.ORDER_INVALID),
        (Ask("full", loan_type=-1), Refusal.ORDER_INVALID),
        (Ask("full", stp=4), Refusal.ORDER_INVALID),
        (Ask("full"), Refusal.PRICE_NOT_POSITIVE),
        (Ask("full", price_ticks=-1), Refusal.PRICE_NOT_POSITIVE),
        (Ask("full", price_ticks=1), Refusal.ORDER_INVALID),
        (Ask("full", kind=c.MARKET, price_ticks=1), Refusal.ORDER_INVALID),
        (Ask("full", kind=c.MARKET, size_steps=1), Refusal.ORDER_INVALID),
        (Ask("full", kind=c.MARKET, side=c.SELL), Refusal.ORDER_INVALID),
        (Ask("full", price_ticks=1, quote_units=0), Refusal.AMOUNT_NOT_POSITIVE),
        (Ask("full", price_ticks=1, size_steps=-1, quote_units=0), Refusal.AMOUNT_NOT_POSITIVE),
        (Ask("full", kind=c.MARKET, quote_units=0), Refusal.AMOUNT_NOT_POSITIVE),
        (Ask("full", kind=c.MARKET, quote_units=-1), Refusal.AMOUNT_NOT_POSITIVE),
        (changed(HIGH, account="full", price_ticks=VALUE_MAX + 1), Refusal.AMOUNT_TOO_LARGE),
        (changed(HIGH, account="full", size_steps=VALUE_MAX + 1), Refusal.AMOUNT_TOO_LARGE),
        (Ask("full", kind=c.MARKET, quote_units=VALUE_MAX + 1), Refusal.AMOUNT_TOO_LARGE),
        (Ask("full", price_ticks=1, size_steps=99, quote_units=0), Refusal.SIZE_UNDER_MINIMUM),
        (changed(HIGH, account="full", size_steps=10**6 + 1), Refusal.SIZE_OVER_MAXIMUM),
        (Ask("full", price_ticks=1, size_steps=100, quote_units=0), Refusal.VALUE_UNDER_MINIMUM),
        (Ask("full", kind=c.MARKET, quote_units=10**8 - 1), Refusal.VALUE_UNDER_MINIMUM),
        (changed(HIGH, account="full"), Refusal.TOO_MANY_OPEN_ORDERS),
        (changed(HIGH, loan_type=c.NORMAL), Refusal.PRICE_ABOVE_BAND),
        (changed(HIGH, loan_type=c.NORMAL, price_ticks=2_100_000), Refusal.INSUFFICIENT_BALANCE),
        (changed(HIGH, price_ticks=2_100_000), Refusal.POST_ONLY_WOULD_TAKE),
        (
            changed(HIGH, price_ticks=2_100_000, force=c.FOK, size_steps=10_001),
            Refusal.FOK_WOULD_NOT_FILL,
        ),
    ],
)
def test_an_order_is_refused_in_this_order(ask: Ask, refusal: Refusal) -> None:
    world, accounts = place_of_refusals()
    terms = c.SetCoin("USDT", 8, [(0, 10**6)], [(10**14, 3, 10**5)], 10**14, 1, False, True)
    world.ok(c.VENUE, terms)

    assert refusal == world.refused(accounts[ask.account], ask.command()).refusal


def test_what_a_loan_is_refused_for_comes_after_what_the_book_says() -> None:
    world, accounts = place_of_refusals()
    # Beyond the leverage, the user's limit and the pool; the index too old; USDT not lent.
    ask = changed(HIGH, price_ticks=1_999_999, force=c.GTC, size_steps=100_000)
    account = accounts["isolated"]
    usdt = world.coin("USDT")
    tiers, limit = usdt.cross_tiers, usdt.user_limit_units
    for borrowable in (False, True):
        world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, limit, 1, borrowable, True))
        world.price("USDT", "1", max_age_ms=1000)
        world.tick(world.time_ms + 1001)
        refusal = Refusal.INDEX_STALE if borrowable else Refusal.NOT_BORROWABLE
        assert refusal == world.refused(account, ask.command()).refusal
    world.price("USDT", "1")

    reply = world.refused(account, ask.command())
    assert (Refusal.BORROW_OVER_LEVERAGE, "leverage") == (reply.refusal, reply.detail)
    assert world.units("USDT", "900") == reply.units
    # Of several bounds that are exceeded the least is named.
    drain(world, "USDT", leave="899")
    reply = world.refused(account, ask.command())
    assert (Refusal.BORROW_OVER_POOL, 899 * 10**8) == (reply.refusal, reply.units)
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, 898 * 10**8, 1, True, True))
    reply = world.refused(account, ask.command())
    assert (Refusal.BORROW_OVER_USER_LIMIT, 898 * 10**8) == (reply.refusal, reply.units)


def drain(world: World, coin: str, leave: str) -> None:
    """Let strangers borrow a pool down to `leave`."""
    limit = world.coin(coin).user_limit_units
    while excess := world.coin(coin).pool_units - world.units(coin, leave):
        stranger = world.crossed(BTC="100", ETH="1000")
        world.ok(stranger, c.Borrow(world.coin(coin).id, min(excess, limit), ""))


def test_risk_is_what_an_order_is_refused_for_last() -> None:
    world = World()
    account = world.isolated("BTCUSDT", USDT="1000")
    world.sell(world.spot(BTC="10"), "BTCUSDT", "10", "21000")
    buy = world.order("BTCUSDT", c.BUY, quote="10000", loan_type=c.AUTO_LOAN)

    # Net 1000, debt 9000; 5 % of 10 000 and the fee are lost: ratio 450 / 490 or so.
    assert Refusal.RISK_TOO_HIGH == world.refused(account, buy).refusal


@pytest.mark.parametrize(
    ("cmd", "refusal"),
    [
        (c.ReplaceOrder(ETHUSDT, 0, "none", 0, 0, ""), Refusal.ORDER_UNKNOWN),
        (c.ReplaceOrder(BTCUSDT, 0, "", 0, 0, ""), Refusal.ORDER_UNKNOWN),
        (c.ReplaceOrder(BTCUSDT, 1, "own", 0, 0, ""), Refusal.ORDER_UNKNOWN),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 0, 0, "own"), Refusal.CLIENT_OID_REUSED),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 0, 0, ""), Refusal.PRICE_NOT_POSITIVE),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 1, 0, ""), Refusal.AMOUNT_NOT_POSITIVE),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 1, 1, ""), Refusal.VALUE_UNDER_MINIMUM),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 2_200_000, 10**6, ""), Refusal.PRICE_ABOVE_BAND),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 2_000_000, 10**6, ""), Refusal.INSUFFICIENT_BALANCE),
        (c.ReplaceOrder(BTCUSDT, 0, "own", 2_000_000, 5_000, ""), Refusal.POST_ONLY_WOULD_TAKE),
    ],
)
def test_a_replacement_is_refused_and_the_old_order_stands(
    cmd: c.ReplaceOrder, refusal: Refusal
) -> None:
    world = World()
    account = world.crossed(USDT="100")
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.01", "20000")
    resting = world.order("BTCUSDT", c.BUY, "0.001", "19000", force=c.POST_ONLY, client_oid="own")
    order = world.ok(account, resting).id

    assert refusal == world.refused(account, cmd).refusal
    assert [order] == [row.id for row in q.open_orders(world.state, account)]


@pytest.mark.parametrize(
    ("account", "cmd", "refusal"),
    [
        ("nobody", c.CancelOrder(99, 0, ""), Refusal.ACCOUNT_UNKNOWN),
        ("owner", c.CancelOrder(BTCUSDT, 0, ""), Refusal.ORDER_UNKNOWN),
        ("owner", c.CancelOrder(BTCUSDT, 0, "other"), Refusal.ORDER_UNKNOWN),
        ("owner", c.CancelOrder(ETHUSDT, 0, "own"), Refusal.ORDER_UNKNOWN),
        ("owner", c.CancelOrder(99, 0, "own"), Refusal.ORDER_UNKNOWN),
        ("stranger", c.CancelOrder(BTCUSDT, 0, "own"), Refusal.ORDER_UNKNOWN),
        ("owner", c.CancelAllOrders(99), Refusal.PAIR_UNKNOWN),
        ("owner", c.CancelAllOrders(-1), Refusal.PAIR_UNKNOWN),
    ],
)
def test_a_cancellation_is_refused(account: str, cmd: c.Command, refusal: Refusal) -> None:
    world = World()
    owner, stranger = world.crossed(USDT="100"), world.crossed(USDT="100")
    world.ok(owner, world.order("BTCUSDT", c.BUY, "0.001", "19000", client_oid="own"))
    accounts = {"owner": owner, "stranger": stranger, "nobody": 77}

    assert refusal == world.refused(accounts[account], cmd).refusal


def test_orders_are_looked_up_within_the_callers_account() -> None:
    world = World()
    owner, stranger = world.crossed(USDT="100"), world.crossed(USDT="100")
    order = world.buy(owner, "BTCUSDT", "0.001", "19000")
    sibling = c.account_id(c.user_of(owner), c.SLOT_SPOT)

    for account in (stranger, sibling):
        for cmd in (
            c.CancelOrder(BTCUSDT, order, ""),
            c.ReplaceOrder(BTCUSDT, order, "", 1_900_100, 1_000, ""),
        ):
            assert Refusal.ORDER_UNKNOWN == world.refused(account, cmd).refusal
    assert Refusal.ORDER_UNKNOWN == world.refused(owner, c.CancelOrder(ETHUSDT, order, "")).refusal
    world.ok(owner, c.CancelOrder(BTCUSDT, order, ""))
    assert Refusal.ORDER_UNKNOWN == world.refused(owner, c.CancelOrder(BTCUSDT, order, "")).refusal


# --- auto-borrow (RULES 6.2) -------------------------------------------------------------------


def world_with_asks(*asks: tuple[str, str]) -> World:
    """Return a world in which BTC of these sizes is offered at these prices."""
    world = World()
    seller = world.spot(BTC="100")
    for size, price in asks:
        world.sell(seller, "BTCUSDT", size, price)
    return world


@pytest.mark.parametrize(
    ("size", "price", "quote", "force", "borrowed", "frozen"),
    [
        # 1000 USDT of one's own; 0.1 BTC is offered at 19 900.
        # market: of 2500 asked for, 1990 are spent.
        ("", "", "2500", c.GTC, "990", "0"),
        ("", "", "1500", c.GTC, "499.9824", "0"),
        # ioc: the same, at its limit or better
        ("0.125", "20000", "", c.IOC, "990", "0"),
        ("0.1", "20000", "", c.IOC, "990", "0"),
        # fok: costs 2000 at its limit, and 1990 when filled
        ("0.1", "20000", "", c.FOK, "990", "0"),
        # gtc: 1990 are taken, 0.025 x 20 000 come to rest
        ("0.125", "20000", "", c.GTC, "1490", "500"),
        # gtc and post-only that rest borrow ahead, all of it
        ("0.125", "19800", "", c.GTC, "1475", "2475"),
        ("0.125", "19800", "", c.POST_ONLY, "1475", "2475"),
        # what one has is enough for what is consumed: nothing is borrowed
        ("0.05", "20000", "", c.IOC, "0", "0"),
        ("", "", "1000", c.GTC, "0", "0"),
    ],
)
def test_an_order_borrows_what_it_consumes_beyond_available(
    size: str, price: str, quote: str, force: int, borrowed: str, frozen: str
) -> None:
    world = world_with_asks(("0.1", "19900"))
    account = world.crossed(USDT="1000")

    cmd = world.order(
        "BTCUSDT", c.BUY, size, price, quote=quote, force=force, loan_type=c.AUTO_LOAN
    )
    world.ok(account, cmd)

    balance = world.balance(account, "USDT")
    assert borrowed == format_units(balance.principal_units, 8)
    assert frozen == format_units(balance.frozen_units, 8)
    assert [row.units for row in world.of_type(e.Borrowed)] == (
        [balance.principal_units] if balance.principal_units else []
    )
    # Nothing more than needed was lent.
    assert 0 == balance.available_units or borrowed == "0"


@pytest.mark.parametrize(
    ("size", "price", "force", "borrowed", "frozen"),
    [
        # 0.01 BTC of one's own; 0.1 are wanted at 20 000.
        ("0.11", "", c.GTC, "0.09", "0"),
        ("0.05", "", c.GTC, "0.04", "0"),
        ("0.12", "20000", c.IOC, "0.09", "0"),
        ("0.1", "20000", c.FOK, "0.09", "0"),
        ("0.12", "20000", c.GTC, "0.11", "0.02"),
        ("0.12", "20100", c.GTC, "0.11", "0.12"),
        ("0.01", "20000", c.IOC, "0", "0"),
    ],
)
def test_a_sale_borrows_the_coin_it_sells(
    size: str, price: str, force: int, borrowed: str, frozen: str
) -> None:
    world = World()
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "20000")
    account = world.crossed(USDT="2000", BTC="0.01")

    cmd = world.order("BTCUSDT", c.SELL, size, price, force=force, loan_type=c.AUTO_LOAN)
    world.ok(account, cmd)

    balance = world.balance(account, "BTC")
    assert borrowed == format_units(balance.principal_units, 8)
    assert frozen == format_units(balance.frozen_units, 8)


def test_the_loan_of_an_order_is_written_down_before_its_trades() -> None:
    world = world_with_asks(("0.1", "20000"))
    account = world.crossed(USDT="1000")

    cmd = world.order("BTCUSDT", c.BUY, quote="2000", loan_type=c.AUTO_LOAN, client_oid="mine")
    world.ok(account, cmd)

    placed, borrowed, interest, *trades = world.events
    assert isinstance(placed, e.OrderPlaced)
    assert isinstance(borrowed, e.Borrowed)
    assert isinstance(interest, e.InterestCharged)
    assert all(isinstance(row, e.Traded | e.OrderClosed) for row in trades)
    assert (True, "mine", 1000 * 10**8) == (borrowed.auto, borrowed.client_oid, borrowed.units)
    assert (borrowed.loan_id, True) == (interest.interest_id, interest.first)


@pytest.mark.parametrize(
    "order",
    [
        # Each lacks 1500 of the 2500 it may spend, though it would consume less.
        ("", "", "2500", c.GTC),
        ("0.125", "20000", "", c.IOC),
        ("0.125", "20000", "", c.GTC),
        ("0.125", "19000", "", c.GTC),
    ],
)
def test_the_limits_are_tested_on_the_full_shortfall(order: tuple[str, str, str, int]) -> None:
    size, price, quote, force = order
    world = world_with_asks(("0.1", "19900"))
    account = world.crossed(USDT="1000")
    shortfall = "1375" if price == "19000" else "1500"
    drain(world, "USDT", leave=shortfall)
    stranger = world.crossed(BTC="1")
    world.borrow(stranger, "USDT", "0.00000001")
    cmd = world.order(
        "BTCUSDT", c.BUY, size, price, quote=quote, force=force, loan_type=c.AUTO_LOAN
    )

    reply = world.refused(account, cmd)

    assert Refusal.BORROW_OVER_POOL == reply.refusal
    assert world.units("USDT", shortfall) - 1 == reply.units
    # One unit more, and it goes through.
    world.repay(stranger, "USDT", "0.00000001")
    world.ok(account, cmd)


@pytest.mark.parametrize("force", [c.POST_ONLY, c.FOK])
def test_what_cannot_stand_is_refused_before_anything_is_borrowed(force: int) -> None:
    world = world_with_asks(("0.1", "20000"))
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", force=force, loan_type=c.AUTO_LOAN)
    refusals = {
        c.POST_ONLY: Refusal.POST_ONLY_WOULD_TAKE,
        c.FOK: Refusal.FOK_WOULD_NOT_FILL,
    }

    assert refusals[force] == world.refused(account, cmd).refusal
    # Not even asked for: with an empty pool it is the same refusal.
    drain(world, "USDT", leave="0")
    assert refusals[force] == world.refused(account, cmd).refusal


def test_an_order_without_a_loan_must_be_funded() -> None:
    world = world_with_asks(("0.1", "20000"))
    account = world.crossed(USDT="1000")

    for loan_type in (c.NORMAL, c.AUTO_REPAY):
        cmd = world.order("BTCUSDT", c.BUY, quote="1000.00000001", loan_type=loan_type)
        reply = world.refused(account, cmd)
        assert (Refusal.INSUFFICIENT_BALANCE, "USDT") == (reply.refusal, reply.detail)


def test_the_minimum_of_manual_loans_does_not_bind_orders() -> None:
    world = world_with_asks(("0.1", "20000"))
    account = world.crossed(USDT="1000")
    coin = world.coin("USDT")
    tiers, limit = coin.cross_tiers, coin.user_limit_units
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], tiers, limit, 10**10, True, True))

    cmd = world.order("BTCUSDT", c.BUY, "0.050001", "20000", loan_type=c.AUTO_LOAN)
    world.ok(account, cmd)

    assert "0.02" == format_units(world.balance(account, "USDT").principal_units, 8)


# --- cancel and replace (RULES 6.2, 6.3) -------------------------------------------------------


def test_a_loan_stays_when_its_order_is_cancelled() -> None:
    world = World()
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id

    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))

    balance = world.balance(account, "USDT")
    amounts = (balance.available_units, balance.frozen_units, balance.principal_units)
    assert (2500 * 10**8, 0, 1500 * 10**8) == amounts


def test_a_cancelled_order_returns_its_loan_where_the_venue_says_so() -> None:
    world = World()
    world.rate("USDT", "0")
    world.tick("01:00")
    world.parameter("repay_on_cancel", 1)
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id

    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))

    balance = world.balance(account, "USDT")
    assert (1000 * 10**8, 0) == (balance.available_units, balance.principal_units)
    (repaid,) = world.of_type(e.Repaid)
    assert e.REPAY_AUTO == repaid.kind


def test_a_cancelled_order_returns_no_more_than_it_gives_back() -> None:
    world = World()
    world.rate("USDT", "0")
    world.tick("01:00")
    world.parameter("repay_on_cancel", 1)
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id
    world.ok(world.spot(BTC="1"), world.order("BTCUSDT", c.SELL, "0.1"))
    world.fund(account, "USDT", "700")

    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))

    # 500 were still frozen; the 700 are the user's to keep.
    balance = world.balance(account, "USDT")
    assert (700 * 10**8, 1000 * 10**8) == (balance.available_units, balance.principal_units)


def test_an_account_is_looked_at_again_when_a_cancellation_repays() -> None:
    world = World()
    world.rate("USDT", "0")
    world.tick("01:00")
    world.parameter("repay_on_cancel", 1)
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "5000")
    cmd = world.order("BTCUSDT", c.BUY, "0.5", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id
    # K = 1000 of 1200; with half of the debt gone 500.
    world.price("BTC", "1200")
    assert world.state.accounts[account].called

    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))

    assert 5000 * 10**8 == world.debt(account, "USDT")
    assert not world.state.accounts[account].called


def test_a_replacement_borrows_what_it_lacks_beyond_what_is_freed() -> None:
    world = World()
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id

    new = world.ok(account, c.ReplaceOrder(BTCUSDT, order, "", 2_000_000, 140_000, "n")).id

    balance = world.balance(account, "USDT")
    amounts = (balance.available_units, balance.frozen_units, balance.principal_units)
    assert (0, 2800 * 10**8, 1800 * 10**8) == amounts
    kinds = [type(row) for row in world.events]
    assert [e.OrderClosed, e.OrderPlaced, e.Borrowed, e.InterestCharged] == kinds
    (closed,) = world.of_type(e.OrderClosed)
    assert (order, e.CLOSED_REPLACED) == (closed.order_id, closed.reason)
    assert [new] == [row.id for row in q.open_orders(world.state, account)]


def test_a_smaller_replacement_keeps_the_loan() -> None:
    world = World()
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id

    world.ok(account, c.ReplaceOrder(BTCUSDT, order, "", 2_000_000, 50_000, ""))

    balance = world.balance(account, "USDT")
    amounts = (balance.available_units, balance.frozen_units, balance.principal_units)
    assert (1500 * 10**8, 1000 * 10**8, 1500 * 10**8) == amounts


def test_a_replacement_beyond_the_limit_changes_nothing() -> None:
    world = World()
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id

    # 3000 and a little need a loan of more than twice the net of 1000 less interest.
    reply = world.refused(account, c.ReplaceOrder(BTCUSDT, order, "", 2_000_000, 150_001, ""))

    assert Refusal.BORROW_OVER_LEVERAGE == reply.refusal
    assert [order] == [row.id for row in q.open_orders(world.state, account)]


def test_what_a_replaced_order_borrowed_is_returned_with_its_successor() -> None:
    world = World()
    world.rate("USDT", "0")
    world.tick("01:00")
    world.parameter("repay_on_cancel", 1)
    account = world.crossed(USDT="1000")
    cmd = world.order("BTCUSDT", c.BUY, "0.125", "20000", loan_type=c.AUTO_LOAN)
    order = world.ok(account, cmd).id
    new = world.ok(account, c.ReplaceOrder(BTCUSDT, order, "", 2_000_000, 140_000, "")).id

    world.ok(account, c.CancelOrder(BTCUSDT, new, ""))

    balance = world.balance(account, "USDT")
    assert (1000 * 10**8, 0) == (balance.available_units, balance.principal_units)


# --- auto-repay (RULES 6.4) --------------------------------------------------------------------


def long_of(world: World, loan_type: int = c.AUTO_LOAN) -> int:
    """Return a crossed account that bought 0.1 BTC for 1000 USDT of its own and 1000 borrowed."""
    world.sell(world.spot(BTC="1"), "BTCUSDT", "0.1", "20000")
    account = world.crossed(USDT="1000")
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="2000", loan_type=loan_type))
    return account


@pytest.mark.parametrize(
    ("size", "repaid", "left"),
    [
        # 0.0999 BTC are held; of what a sale brings 0.1 % is the fee.
        ("0.01", "199.8", "0"),
        ("0.05", "999", "0"),
        # More than is owed: the surplus stays.
        ("0.08", "1000.01712292", "598.38287708"),
    ],
)
def test_a_sale_repays_with_what_it_received(size: str, repaid: str, left: str) -> None:
    world = World()
    account = long_of(world)
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "20000")

    world.ok(account, world.order("BTCUSDT", c.SELL, size, loan_type=c.AUTO_REPAY))

    (row,) = world.of_type(e.Repaid)
    assert e.REPAY_AUTO == row.kind
    assert repaid == format_units(row.interest_units + row.principal_units, 8)
    assert "0.01712292" == format_units(row.interest_units, 8)
    assert left == format_units(world.available(account, "USDT"), 8)


def test_a_buy_repays_the_coin_it_buys() -> None:
    world = World()
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "20000")
    account = world.crossed(USDT="2000")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.1", loan_type=c.AUTO_LOAN))
    world.sell(world.spot(BTC="1"), "BTCUSDT", "1", "20000")

    world.ok(account, world.order("BTCUSDT", c.BUY, quote="2100", loan_type=c.AUTO_REPAY))

    # 0.105 less its fee; 0.1 BTC and 29 units of interest are owed.
    assert 0 == world.debt(account, "BTC")
    assert "0.00489471" == format_units(world.available(account, "BTC"), 8)


def test_one_order_repays_once_a_command_however_often_it_fills() -> None:
    world = World()
    account = long_of(world)
    buyer = world.spot(USDT="10000")
    for _ in range(3):
        world.buy(buyer, "BTCUSDT", "0.01", "20000")

    world.ok(account, world.order("BTCUSDT", c.SELL, "0.03", loan_type=c.AUTO_REPAY))

    assert 3 == len(world.of_type(e.Traded))
    (row,) = world.of_type(e.Repaid)
    assert "599.4" == format_units(row.interest_units + row.principal_units, 8)


def test_a_resting_order_repays_with_each_fill() -> None:
    world = World()
    account = long_of(world)
    cmd = world.order("BTCUSDT", c.SELL, "0.03", "20000", loan_type=c.AUTO_REPAY)
    world.ok(account, cmd)
    buyer = world.spot(USDT="10000")

    repaid = []
    for _ in range(3):
        world.ok(buyer, world.order("BTCUSDT", c.BUY, "0.01", "20000"))
        repaid += world.of_type(e.Repaid)

    amounts = [row.interest_units + row.principal_units for row in repaid]
    assert ["199.8"] * 3 == [format_units(units, 8) for units in amounts]
    # The interest comes first, and once.
    assert ["0.01712292", "0", "0"] == [format_units(row.interest_units, 8) for row in repaid]


def test_auto_repayment_may_pay_part_of_the_interest() -> None:
    world = World()
    world.rate("USDT", "0.24")
    account = long_of(world)
    world.tick("10:00")
    owed = world.balance(account, "USDT").interest_units
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "20000")

    world.ok(account, world.order("BTCUSDT", c.SELL, "0.001", loan_type=c.AUTO_REPAY))

    assert world.units("USDT", "100.01712292") == owed
    (row,) = world.of_type(e.Repaid)
    assert ("19.98", 0) == (format_units(row.interest_units, 8), row.principal_units)


def test_a_normal_order_repays_nothing() -> None:
    world = World()
    account = long_of(world)
    world.buy(world.spot(USDT="10000"), "BTCUSDT", "0.1", "20000")

    world.ok(account, world.order("BTCUSDT", c.SELL, "0.05"))

    assert [] == world.of_type(e.Repaid)
    assert 1000 * 10**8 == world.balance(account, "USDT").principal_units
    assert (USDT, BTC) == (world.coin("USDT").id, world.coin("BTC").id)


# --- the band of spot orders (RULES 10) ----------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "price", "refusal", "limit"),
    [
        # 20 000.01 and 3 %: 19 400.0097 to 20 600.0103, rounded inwards.
        (c.BUY, "20600.02", Refusal.PRICE_ABOVE_BAND, 2_060_001),
        (c.BUY, "20600.01", None, 0),
        (c.BUY, "1000", None, 0),
        (c.SELL, "19400", Refusal.PRICE_BELOW_BAND, 1_940_001),
        (c.SELL, "19400.01", None, 0),
        (c.SELL, "90000", None, 0),
    ],
)
def test_a_spot_order_keeps_to_the_band_around_the_last_price(
    side: int, price: str, refusal: Refusal | None, limit: int
) -> None:
    world = World()
    account = world.spot(BTC="10", USDT="1000000")
    order = world.order("BTCUSDT", side, "0.01", price)
    far = world.order("BTCUSDT", c.BUY, "0.01", "50000")
    world.parameter("spot_band_e6", 30_000)
    world.ok(account, far)  # nothing has traded yet
    world.ok(account, c.CancelAllOrders(BTCUSDT))
    world.sell(account, "BTCUSDT", "0.01", "20000.01")
    world.buy(account, "BTCUSDT", "0.01", "20000.01")
    twin = Engine.restore(list(world.engine.snapshot_lines()))

    reply = world.do(account, order)
    twins, _ = twin.apply(world.log[-1])

    assert (refusal, limit) == (reply.refusal, reply.units)
    assert refusal == twins.refusal
    world.parameter("spot_band_e6", 0)
    world.ok(account, far)
