"""Triggers: what is refused, what fires where, what belongs together, with numbers worked by hand.

The street (RULES 10): BTC at 20 000; a maker asks 20 000.01 and bids 19 999.99 for 5 BTC each.
"""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core import trigger_commands as t
from lombard.core.commands import Command
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from tests.core.world import BTC, BTCUSDT, ETHUSDT, USDT, World, pair_terms


class Street:
    """A market at 20 000 with a maker on both sides."""

    def __init__(self) -> None:
        self.world = World()
        self.maker = self.world.spot(BTC="1000", USDT="20000000")
        self.quote("19999.99", "20000.01")
        self.print_at("20000")

    def quote(self, bid: str, ask: str, size: str = "5") -> None:
        """Let the maker stand on both sides."""
        self.world.buy(self.maker, "BTCUSDT", size, bid)
        self.world.sell(self.maker, "BTCUSDT", size, ask)

    def print_at(self, price: str) -> None:
        """Let the maker trade a little with itself at a price, and nothing else."""
        self.world.sell(self.maker, "BTCUSDT", "0.001", price)
        self.world.buy(self.maker, "BTCUSDT", "0.001", price)

    def move_to(self, price: str) -> None:
        """Clear the book and print at a price."""
        self.world.ok(self.maker, c.CancelAllOrders(BTCUSDT))
        self.print_at(price)

    def stop(
        self,
        trigger: str,
        side: int = c.SELL,
        size: str = "0.1",
        price: str = "",
        *,
        quote: str = "",
        source: int = t.PRICE_LAST,
        plan: int = t.PLAN_TRIGGER,
        callback_e6: int = 0,
        loan_type: int = c.NORMAL,
        client_oid: str = "",
    ) -> c.PlaceTrigger:
        """Make a trigger."""
        order = self.world.order(
            "BTCUSDT", side, size if not quote else "", price, quote=quote, loan_type=loan_type
        )
        ticks = int(trigger.replace(".", "")) * (1 if "." in trigger else 100)
        return c.PlaceTrigger(
            BTCUSDT, plan, source, ticks, callback_e6, side, order.kind, c.GTC, loan_type, 0,
            order.price_ticks, order.size_steps, order.quote_units, client_oid, c.SOURCE_API,
        )  # fmt: skip

    def placed(self) -> list[e.OrderPlaced]:
        """Return the orders that the triggers of the last command placed."""
        fired = [event.order_id for event in self.world.of_type(e.TriggerFired)]
        return [v for v in self.world.of_type(e.OrderPlaced) if v.order_id in fired]


@pytest.fixture
def street() -> Street:
    return Street()


def trigger(**changes: object) -> c.PlaceTrigger:
    """Make a trigger that is right, but for its changes."""
    fields: dict[str, object] = {
        "pair": BTCUSDT, "plan": 0, "price_source": 0, "trigger_ticks": 1_990_000, "callback_e6": 0,
        "side": c.SELL, "kind": c.MARKET, "force": 0, "loan_type": 0, "stp": 0, "price_ticks": 0,
        "size_steps": 1_000, "quote_units": 0, "client_oid": "", "source": 0,
    }  # fmt: skip
    return c.PlaceTrigger(**(fields | changes))  # type: ignore[arg-type]


# Each row is wrong in every later way too, so the table also fixes the order.
@pytest.mark.parametrize(
    ("cmd", "refusal"),
    [
        (trigger(pair=99, loan_type=1, plan=9), Refusal.PAIR_UNKNOWN),
        (trigger(loan_type=1, plan=9, price_source=9), Refusal.ORDER_INVALID),
        (trigger(plan=3, price_source=9, callback_e6=5), Refusal.ORDER_INVALID),
        (trigger(price_source=2, callback_e6=5, trigger_ticks=0), Refusal.ORDER_INVALID),
        (trigger(callback_e6=1_000, trigger_ticks=0, side=7), Refusal.ORDER_INVALID),
        (trigger(plan=2, callback_e6=999, trigger_ticks=-1), Refusal.ORDER_INVALID),
        (trigger(plan=2, callback_e6=101_000, trigger_ticks=-1), Refusal.ORDER_INVALID),
        (trigger(plan=2, callback_e6=1_500, trigger_ticks=-1), Refusal.ORDER_INVALID),
        (trigger(plan=2, callback_e6=1_000, kind=0, trigger_ticks=-1), Refusal.ORDER_INVALID),
        (trigger(trigger_ticks=0, side=7, size_steps=0), Refusal.PRICE_NOT_POSITIVE),
        (trigger(trigger_ticks=10**31, side=7, size_steps=0), Refusal.AMOUNT_TOO_LARGE),
        (trigger(side=7, size_steps=0), Refusal.ORDER_INVALID),
        (trigger(kind=0, size_steps=0), Refusal.PRICE_NOT_POSITIVE),
        (trigger(size_steps=0), Refusal.AMOUNT_NOT_POSITIVE),
        (trigger(pair=ETHUSDT), Refusal.TRIGGER_PRICE_UNKNOWN),
        (trigger(trigger_ticks=2_000_000), Refusal.TRIGGER_PRICE_REACHED),
        (trigger(price_source=1, trigger_ticks=2_000_000), Refusal.TRIGGER_PRICE_REACHED),
    ],
)
def test_a_trigger_is_refused_in_this_order(
    street: Street, cmd: c.PlaceTrigger, refusal: Refusal
) -> None:
    account = street.world.spot()

    assert refusal == street.world.refusal(account, cmd)


def test_more_triggers_than_allowed_are_refused(street: Street) -> None:
    world = street.world
    world.parameter("open_triggers_max", 2)
    account = world.spot()
    first = world.ok(account, trigger()).id
    world.ok(account, trigger())

    reply = world.refused(account, trigger(trigger_ticks=2_000_000))
    assert (Refusal.TOO_MANY_OPEN_ORDERS, 2) == (reply.refusal, reply.units)
    oco = c.PlaceOco(BTCUSDT, c.SELL, 0, 0, 2_100_000, 1_000, 0, 1_900_000, 0, "", 0)
    assert Refusal.TOO_MANY_OPEN_ORDERS == world.refusal(account, oco)

    world.ok(account, c.CancelTrigger(first, ""))
    world.ok(account, trigger())


def test_a_stale_index_is_not_waited_for(street: Street) -> None:
    world = street.world
    world.price("BTC", "20000", max_age_ms=1_000)
    world.tick(world.time_ms + 1_001)

    reply = world.refused(world.spot(), trigger(price_source=1))

    assert (Refusal.INDEX_STALE, "BTC") == (reply.refusal, reply.detail)


@pytest.mark.parametrize(
    ("side", "ticks", "before", "at"),
    [
        # A stop-loss, a take-profit; a stop to buy, a dip to buy. It fires at the price itself.
        (c.SELL, "19900", "19900.01", "19900"),
        (c.SELL, "20100", "20099.99", "20100"),
        (c.BUY, "20100", "20099.99", "20100.5"),
        (c.BUY, "19900", "19900.01", "19880"),
    ],
)
@pytest.mark.parametrize("source", [t.PRICE_LAST, t.PRICE_INDEX])
def test_a_trigger_fires_when_its_price_is_reached_and_not_before(
    street: Street, side: int, ticks: str, before: str, at: str, source: int
) -> None:
    world = street.world
    account = world.spot(BTC="1", USDT="10000")
    quote = "2000" if side == c.BUY else ""
    world.ok(account, street.stop(ticks, side, quote=quote, source=source))

    def move(price: str) -> None:
        if source == t.PRICE_INDEX:
            world.price("BTC", price)
        else:
            street.move_to(price)

    move(before)
    assert [] == world.of_type(e.TriggerFired)
    move(at)
    (fired,) = world.of_type(e.TriggerFired)
    assert round(float(at) * 100) == fired.reached_ticks

    move("20000")
    move(at)
    assert [] == world.of_type(e.TriggerFired), "it fires once"


def test_a_price_of_one_source_fires_nothing(street: Street) -> None:
    """RULES 7.7: what a single venue says decides nothing."""
    world = street.world
    account = world.spot(BTC="1")
    world.ok(account, street.stop("19900", source=t.PRICE_INDEX))

    world.price("BTC", "15000", sources=1)
    assert [] == world.of_type(e.TriggerFired)

    world.price("BTC", "19900", sources=2)
    assert 1 == len(world.of_type(e.TriggerFired))


def test_the_last_price_fires_nothing_that_waits_for_the_index(street: Street) -> None:
    world = street.world
    world.ok(world.spot(BTC="1"), street.stop("19900", source=t.PRICE_INDEX))

    street.move_to("19000")

    assert [] == world.of_type(e.TriggerFired)


def test_a_price_touched_in_passing_counts(street: Street) -> None:
    """One sale goes through 19 999.99 and 19 900: what waits between fires, the nearest first."""
    world = street.world
    account = world.spot(BTC="1")
    world.buy(street.maker, "BTCUSDT", "1", "19900")
    far = world.ok(account, street.stop("19900")).id
    near = world.ok(account, street.stop("19950")).id
    second = world.ok(account, street.stop("19950")).id

    world.ok(street.maker, world.order("BTCUSDT", c.SELL, "5.1"))

    assert [near, second, far] == [v.trigger_id for v in world.of_type(e.TriggerFired)]


def test_a_trigger_freezes_nothing_and_is_checked_when_it_fires(street: Street) -> None:
    """RULES 6.2: the coins are gone by then; the reason is written down, and nothing else is."""
    world = street.world
    account = world.spot(BTC="0.1")
    stop = world.ok(account, street.stop("19900")).id
    assert world.units("BTC", "0.1") == world.available(account, "BTC")
    world.sell(account, "BTCUSDT", "0.05", "25000")

    street.move_to("19900")

    (failed,) = world.of_type(e.TriggerFailed)
    assert (stop, "insufficient_balance", "BTC") == (
        failed.trigger_id,
        failed.refusal,
        failed.detail,
    )
    assert q.open_orders(world.state, account)[0].frozen_units == world.units("BTC", "0.05")
    street.move_to("19800")
    assert [] == [v for v in world.events if isinstance(v, (e.TriggerFired, e.TriggerFailed))]


def test_a_fired_limit_order_rests_at_its_price(street: Street) -> None:
    world = street.world
    account = world.spot(USDT="2100")
    world.ok(account, street.stop("20050", c.BUY, "0.1", "20055.5"))

    street.move_to("20050")

    (resting,) = q.open_orders(world.state, account)
    assert (2_005_550, 100_000) == (resting.price_ticks, resting.remaining_steps)
    assert world.units("USDT", "2005.55") == resting.frozen_units


@pytest.mark.parametrize(
    ("loan_type", "owed"),
    # Selling 0.5 BTC short with 0.2 BTC in hand: 0.3 is borrowed, or the order refused.
    [(c.NORMAL, ""), (c.AUTO_LOAN, "0.3"), (c.AUTO_REPAY, ""), (c.AUTO_LOAN_AND_REPAY, "0.3")],
)
@pytest.mark.parametrize("kind", ["crossed", "isolated"])
def test_a_margin_trigger_borrows_when_it_fires(
    street: Street, loan_type: int, owed: str, kind: str
) -> None:
    world = street.world
    amounts = {"BTC": "0.2", "USDT": "20000"}
    make = world.crossed if kind == "crossed" else lambda **a: world.isolated("BTCUSDT", **a)
    account = make(**amounts)
    world.ok(account, street.stop("19995", size="0.5", loan_type=loan_type))
    world.buy(street.maker, "BTCUSDT", "5", "19990")
    assert 0 == world.debt(account, "BTC")

    world.ok(street.maker, world.order("BTCUSDT", c.SELL, "5.1"))

    if owed:
        principal = world.balance(account, "BTC").principal_units
        assert world.units("BTC", owed) == principal
        assert 1 == len(world.of_type(e.TriggerFired))
    else:
        assert ["insufficient_balance"] == [v.refusal for v in world.of_type(e.TriggerFailed)]


def test_auto_repay_repays_when_it_fires(street: Street) -> None:
    world = street.world
    account = world.crossed(USDT="20000")
    world.borrow(account, "USDT", "1000")
    world.fund(account, "BTC", "0.1")
    world.ok(account, street.stop("19995", size="0.01", loan_type=c.AUTO_REPAY))
    world.buy(street.maker, "BTCUSDT", "5", "19990")
    before = world.debt(account, "USDT")

    world.ok(street.maker, world.order("BTCUSDT", c.SELL, "5.1"))

    # 0.01 BTC at 19 990, less 0.1 %: 199.7001.
    assert world.units("USDT", "199.7001") == before - world.debt(account, "USDT")


def test_fired_orders_stay_in_the_band_in_spot_too(street: Street) -> None:
    """GDAX, 2017 (reliability 5): a stop sold through an empty book. Here it stops at 19 000."""
    world = street.world
    account = world.spot(BTC="10")
    world.ok(account, street.stop("19500", size="3"))
    street.world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    for price in ("19100", "19000", "18999.99", "10"):
        world.buy(street.maker, "BTCUSDT", "1", price)

    street.print_at("19500")

    prices = [v.price_ticks for v in world.of_type(e.Traded) if v.taker_account == account]
    assert [1_910_000, 1_900_000] == prices
    (closed,) = [v for v in world.of_type(e.OrderClosed) if v.account == account]
    assert e.CLOSED_UNFILLED == closed.reason


def test_without_an_index_the_band_is_around_the_price_that_was_reached() -> None:
    world = World(catalogue=False)
    for name in ("USDT", "BTC"):
        world.ok(c.VENUE, c.SetCoin(name, 8, [(0, 10**6)], [], 10**20, 1, True, True))
    pair = c.SetPair("BTCUSDT", 1, 0, 10**10, 100, 0, 0, 0, 1, 10**12, 200, [], 0, True, True)
    world.ok(c.VENUE, pair)
    maker, account = world.spot(BTC="100", USDT="1000000"), world.spot(BTC="10")
    world.sell(maker, "BTCUSDT", "1", "100")
    world.buy(maker, "BTCUSDT", "1", "100")
    stop = trigger(pair=0, trigger_ticks=9_000, size_steps=2 * 10**6)
    world.ok(account, stop)
    for price in ("85.5", "85.49"):
        world.buy(maker, "BTCUSDT", "1", price)

    world.buy(maker, "BTCUSDT", "1", "90")
    world.sell(maker, "BTCUSDT", "1", "90")

    # 90 less 5 % is 85.5.
    prices = [v.price_ticks for v in world.of_type(e.Traded) if v.taker_account == account]
    assert [8_550] == prices


def test_a_cascade_of_800_stops_stays_in_the_band_and_never_holds_the_venue(
    street: Street,
) -> None:
    """GDAX, 2017: 800 stops in one slide. Each command fires 100 at most; others are served."""
    world = street.world
    world.audit = False
    world.parameter("open_triggers_max", 1_000)
    holder = world.spot(BTC="100")
    for n in range(800):
        world.ok(holder, street.stop(f"{19_990 - n // 8}", size="0.01"))
    for n in range(120):
        world.buy(street.maker, "BTCUSDT", "0.07", f"{19_990 - n * 20}")

    fired = []
    sale = world.order("BTCUSDT", c.SELL, "5.05")
    world.ok(street.maker, sale)
    while True:
        now = [v.trigger_id for v in world.of_type(e.TriggerFired)]
        assert len(now) <= 100
        assert not world.of_type(e.TriggerFailed)
        fired += now
        lows = [v.price_ticks for v in world.of_type(e.Traded)]
        assert min(lows, default=2_000_000) >= 1_900_000
        if not world.engine.triggers_due():
            break
        world.ok(c.VENUE, c.FireTriggers())
    world.check()
    assert 800 == len(fired) == len(set(fired))
    assert sorted(fired) == fired, "the nearest first"
    # In 19 000 to 19 990 stood 50 bids of 0.07, but for what the first sale took: the rest of the
    # stops found nobody inside the band.
    sold = world.units("BTC", "100") - world.available(holder, "BTC")
    assert world.units("BTC", "3.45") == sold


def test_a_cascade_goes_on_after_a_restart_with_any_command(street: Street) -> None:
    world = street.world
    world.parameter("open_triggers_max", 1_000)
    world.audit = False
    holder = world.spot(BTC="100")
    for _ in range(250):
        world.ok(holder, street.stop("19990", size="0.001"))
    street.move_to("19990")
    twin = Engine.restore(list(world.engine.snapshot_lines()))
    assert world.engine.triggers_due()
    assert twin.triggers_due()

    fired = []
    for cmd in (c.Tick(), c.Deposit(99, 1), c.CancelAllOrders(0)):
        account = c.VENUE if isinstance(cmd, c.Tick) else street.maker
        world.do(account, cmd)
        twin.apply(world.log[-1])
        fired.append(len(world.of_type(e.TriggerFired)))
        assert world.engine.state_hash() == twin.state_hash()

    # Of the 250, the trade that reached them let 100 fire.
    assert [100, 50, 0] == fired


def test_what_is_due_fires_at_the_hour_before_the_command(street: Street) -> None:
    """RULES 3.1: the hour turns, then what is due is fired, then the command is applied."""
    world = street.world
    world.audit = False
    world.parameter("open_triggers_max", 1_000)
    holder = world.spot(BTC="100")
    for _ in range(150):
        world.ok(holder, street.stop("19990", size="0.001"))
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    world.sell(street.maker, "BTCUSDT", "1", "19990")
    world.buy(street.maker, "BTCUSDT", "1", "19990")
    assert world.engine.triggers_due()

    world.ok(street.maker, c.Deposit(USDT, 5), at="01:00")

    kinds = [type(event) for event in world.events]
    assert e.HourTurned is kinds[0]
    assert 50 == kinds.count(e.TriggerFired)
    assert e.Deposited is kinds[-1]


def test_a_lock_cancels_the_accounts_triggers(street: Street) -> None:
    """RULES 8.1: a locked account's orders go, those that wait too."""
    world = street.world
    account = world.crossed(USDT="1000")
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="2900", loan_type=c.AUTO_LOAN))
    stop = world.ok(account, street.stop("15000", size="0.1", source=t.PRICE_INDEX)).id

    world.price("BTC", "14000")

    assert 1 == len(world.of_type(e.LiquidationStarted))
    (cancelled,) = world.of_type(e.TriggerCancelled)
    assert (stop, 3) == (cancelled.trigger_id, cancelled.reason)


def test_the_wire_may_change_and_cancel_what_waits(street: Street) -> None:
    world = street.world
    account = world.spot(BTC="1", USDT="5000")
    one = world.ok(account, street.stop("19900", client_oid="mine")).id
    for cmd, refusal in (
        (c.ModifyTrigger(9, "", 1, 0, 0, 0, 0), Refusal.TRIGGER_UNKNOWN),
        (c.ModifyTrigger(0, "", 1, 0, 0, 0, 0), Refusal.TRIGGER_UNKNOWN),
        (c.ModifyTrigger(one, "", 0, c.MARKET, 0, 0, 0), Refusal.PRICE_NOT_POSITIVE),
        (c.ModifyTrigger(one, "", 2_000_000, c.LIMIT, 0, 0, 0), Refusal.PRICE_NOT_POSITIVE),
        (c.ModifyTrigger(one, "", 2_000_000, c.MARKET, 0, 10**5, 0), Refusal.TRIGGER_PRICE_REACHED),
        (c.CancelTrigger(9, "mine"), Refusal.TRIGGER_UNKNOWN),
        (c.CancelAllTriggers([BTCUSDT, 99]), Refusal.PAIR_UNKNOWN),
    ):
        assert refusal == world.refusal(account, cmd), cmd

    # From below to above: it now waits for the price to rise.
    world.ok(account, c.ModifyTrigger(0, "mine", 2_010_000, c.LIMIT, 2_010_000, 50_000, 0))
    street.move_to("19800")
    assert [] == world.of_type(e.TriggerFired)
    street.move_to("20100")
    (order,) = street.placed()
    assert (2_010_000, 50_000) == (order.price_ticks, order.size_steps)
    assert Refusal.TRIGGER_UNKNOWN == world.refusal(account, c.CancelTrigger(one, ""))

    two = world.ok(account, street.stop("20200")).id
    three = world.ok(account, street.stop("19000")).id
    assert 2 == world.ok(account, c.CancelAllTriggers([])).units
    assert [two, three] == [v.trigger_id for v in world.of_type(e.TriggerCancelled)]


def test_a_due_trigger_can_be_cancelled_but_not_changed(street: Street) -> None:
    world = street.world
    world.audit = False
    world.parameter("open_triggers_max", 1_000)
    account = world.spot(BTC="100")
    ids = [world.ok(account, street.stop("19990", size="0.001")).id for _ in range(102)]
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    world.sell(street.maker, "BTCUSDT", "0.001", "19990")
    world.buy(street.maker, "BTCUSDT", "0.001", "19990")
    left = ids[100:]
    assert left == [one.id for one in world.state.triggers.by_id.values()]
    twin = Engine.restore(list(world.engine.snapshot_lines()))

    # The command comes first, then the queue goes on.
    reply = world.do(account, c.ModifyTrigger(left[1], "", 1_800_000, c.MARKET, 0, 10**5, 0))
    assert Refusal.ORDER_CLOSED == reply.refusal
    assert left == [v.trigger_id for v in world.of_type(e.TriggerFired)]

    envelope = c.Envelope(len(world.log), world.time_ms, b"", account, c.CancelTrigger(left[0], ""))
    _, events = twin.apply(envelope)
    assert [left[0]] == [v.trigger_id for v in events if isinstance(v, e.TriggerCancelled)]
    assert [left[1]] == [v.trigger_id for v in events if isinstance(v, e.TriggerFired)]


def test_the_precision_of_a_pair_that_is_waited_for_cannot_change(street: Street) -> None:
    world = street.world
    account = world.spot()
    stop = world.ok(account, street.stop("19900")).id
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    terms = pair_terms(world.pair("BTCUSDT"), tick_e12=10**11)

    assert Refusal.PRECISION_IN_USE == world.refusal(c.VENUE, terms)
    world.ok(account, c.CancelTrigger(stop, ""))
    world.ok(c.VENUE, terms)


# --- trailing stops ------------------------------------------------------------------------------


def test_a_trailing_sell_follows_the_high_and_fires_one_percent_below_it(street: Street) -> None:
    world = street.world
    account = world.spot(BTC="1")
    trail = street.stop("0", plan=t.PLAN_TRAILING, callback_e6=10_000)
    world.ok(account, trail)

    # Highs 20 000, 20 500, 20 500: 1 % below is 20 295.
    for price in ("20500", "20400", "20500", "20295.01"):
        street.move_to(price)
        assert [] == world.of_type(e.TriggerFired)
    street.move_to("20295")

    assert [2_029_500] == [v.reached_ticks for v in world.of_type(e.TriggerFired)]


def test_a_trailing_buy_begins_where_it_was_told_to(street: Street) -> None:
    world = street.world
    account = world.spot(USDT="5000")
    trail = street.stop(
        "19000", c.BUY, quote="1000", plan=t.PLAN_TRAILING, callback_e6=20_000, source=1
    )
    world.ok(account, trail)

    world.price("BTC", "19500")
    world.price("BTC", "20500")
    assert [] == world.of_type(e.TriggerFired)
    world.price("BTC", "18900")
    assert [1_890_000] == [v.price_ticks for v in world.of_type(e.TrailStarted)]
    world.price("BTC", "18700")
    # 18 700 and 2 % is 19 074.
    world.price("BTC", "19073.99")
    assert [] == world.of_type(e.TriggerFired)
    world.price("BTC", "19074")
    assert 1 == len(world.of_type(e.TriggerFired))


def test_nothing_trails_an_index_of_one_source(street: Street) -> None:
    """RULES 7.7, and that who comes later moves nobody's stop."""
    world = street.world
    first, second = world.spot(USDT="5000"), world.spot(USDT="5000")
    trail = street.stop(
        "0", c.BUY, quote="1000", plan=t.PLAN_TRAILING, callback_e6=20_000, source=1
    )
    world.price("BTC", "20000")
    placed = world.ok(first, trail)

    world.price("BTC", "15000", sources=1)
    assert Refusal.INDEX_STALE == world.do(second, trail).refusal
    assert 2_000_000 == world.state.triggers.by_id[placed.id].crest_ticks()
    # 20 000 and 2 % is 20 400, of 15 000 it were 15 300.
    world.price("BTC", "20399")
    assert [] == world.of_type(e.TriggerFired)
    world.price("BTC", "20400")
    assert 1 == len(world.of_type(e.TriggerFired))


# --- orders with triggers ------------------------------------------------------------------------


def with_exits(street: Street, size: str, price: str, profit: str, loss: str) -> c.PlaceWithExits:
    order = street.world.order("BTCUSDT", c.BUY, size, price)
    profit_ticks, loss_ticks = (100 * int(text or 0) for text in (profit, loss))
    return c.PlaceWithExits(
        BTCUSDT, c.BUY, c.LIMIT, c.GTC, 0, 0, order.price_ticks, order.size_steps, 0, 0,
        profit_ticks, 0, loss_ticks, 0, "", 0,
    )  # fmt: skip


@pytest.mark.parametrize(("to", "plan"), [("21000", t.PLAN_TAKE_PROFIT), ("19000", 4)])
def test_exits_wait_for_what_the_entry_filled_and_one_ends_the_other(
    street: Street, to: str, plan: int
) -> None:
    world = street.world
    account = world.spot(USDT="3000")
    world.ok(account, with_exits(street, "0.1", "20000.01", "21000", "19000"))

    # 0.1 BTC less 0.1 % is 0.0999.
    assert [99_900, 99_900] == [v.size_steps for v in world.of_type(e.TriggerSized)]
    plans = {v.trigger_id: v.plan for v in world.of_type(e.TriggerPlaced)}
    street.move_to(to)

    (fired,) = world.of_type(e.TriggerFired)
    (cancelled,) = world.of_type(e.TriggerCancelled)
    assert plan == plans[fired.trigger_id]
    assert 2 == cancelled.reason
    assert [(c.SELL, c.MARKET, 99_900)] == [
        (order.side, order.kind, order.size_steps) for order in street.placed()
    ]
    assert {} == world.state.triggers.by_id


def test_exits_of_an_entry_that_fills_in_parts_grow_with_it(street: Street) -> None:
    world = street.world
    account = world.spot(USDT="3000")
    entry = world.ok(account, with_exits(street, "0.1", "19995", "", "19000")).id
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))

    world.sell(street.maker, "BTCUSDT", "0.04", "19995")
    assert [39_960] == [v.size_steps for v in world.of_type(e.TriggerSized)]
    world.sell(street.maker, "BTCUSDT", "0.02", "19995")
    assert [59_940] == [v.size_steps for v in world.of_type(e.TriggerSized)]
    assert [entry] == [order.id for order in q.open_orders(world.state, account)]
    world.sell(street.maker, "BTCUSDT", "0.03", "19995")
    world.ok(account, c.CancelOrder(BTCUSDT, entry, ""))
    street.move_to("19000")

    assert [89_910] == [order.size_steps for order in street.placed()]


def test_an_exit_that_fires_ends_the_rest_of_its_entry(street: Street) -> None:
    world = street.world
    account = world.spot(USDT="3000")
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    entry = world.ok(account, with_exits(street, "0.1", "19995", "20100", "19000")).id
    world.sell(street.maker, "BTCUSDT", "0.04", "19995")

    street.print_at("20100")

    closed = {v.order_id: v.reason for v in world.of_type(e.OrderClosed)}
    assert e.CLOSED_BY_VENUE == closed[entry]
    assert [39_960] == [order.size_steps for order in street.placed()]
    assert {} == world.state.triggers.by_id


def test_exits_go_with_an_entry_that_opened_nothing(street: Street) -> None:
    world = street.world
    account = world.spot(USDT="3000")
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    entry = world.ok(account, with_exits(street, "0.1", "19995", "20100", "19000")).id

    world.ok(account, c.CancelOrder(BTCUSDT, entry, ""))

    assert [1, 1] == [v.reason for v in world.of_type(e.TriggerCancelled)]
    assert {} == world.state.triggers.by_id


def test_the_exit_of_a_short_buys_back_its_size_and_repays(street: Street) -> None:
    """A market buy of a size is one limited to the edge of the band: 20 000 and 5 %."""
    world = street.world
    account = world.crossed(USDT="5000")
    entry = c.PlaceWithExits(
        BTCUSDT, c.SELL, c.MARKET, 0, c.AUTO_LOAN, 0, 0, 100_000, 0, 0, 1_900_000, 0, 2_010_000,
        0, "", 0,
    )  # fmt: skip
    world.ok(account, entry)
    assert world.units("BTC", "0.1") == world.balance(account, "BTC").principal_units
    world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    world.sell(street.maker, "BTCUSDT", "1", "20100")
    world.buy(street.maker, "BTCUSDT", "0.5", "20100")

    (order,) = street.placed()
    assert (c.BUY, c.LIMIT, c.IOC, 2_100_000, 100_000) == (
        order.side, order.kind, order.force, order.price_ticks, order.size_steps,
    )  # fmt: skip
    # 0.1 BTC less 0.1 % came back: 0.0001 and the hour's interest are still owed.
    assert (
        world.units("BTC", "0.0001") <= world.debt(account, "BTC") < world.units("BTC", "0.00011")
    )


@pytest.mark.parametrize(
    ("profit", "loss", "refusal"),
    [
        (0, 0, Refusal.PRICE_NOT_POSITIVE),
        (-1, 5, Refusal.PRICE_NOT_POSITIVE),
        (10**31, 5, Refusal.AMOUNT_TOO_LARGE),
        (2_000_000, 2_000_000, Refusal.TRIGGER_PRICE_TOO_LOW),
        (2_000_001, 2_000_000, Refusal.TRIGGER_PRICE_TOO_HIGH),
        (2_000_001, 1_999_999, Refusal.INSUFFICIENT_BALANCE),
    ],
)
def test_exits_are_refused_in_this_order(
    street: Street, profit: int, loss: int, refusal: Refusal
) -> None:
    cmd = c.PlaceWithExits(
        BTCUSDT, c.BUY, c.LIMIT, 0, 0, 0, 2_000_000, 10**6, 0, 0, profit, 0, loss, 0, "", 0
    )
    assert refusal == street.world.refusal(street.world.spot(), cmd)


def oco(trigger_ticks: int, stop_price_ticks: int = 0, price_source: int = 0) -> c.PlaceOco:
    return c.PlaceOco(
        BTCUSDT, c.SELL, 0, 0, 2_100_000, 100_000, price_source, trigger_ticks, stop_price_ticks,
        "", 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cmd", "refusal"),
    [
        (oco(0, price_source=3), Refusal.ORDER_INVALID),
        (oco(0), Refusal.PRICE_NOT_POSITIVE),
        (oco(2_000_000, -1), Refusal.PRICE_NOT_POSITIVE),
        (oco(10**31), Refusal.AMOUNT_TOO_LARGE),
        (oco(2_000_000), Refusal.TRIGGER_PRICE_TOO_HIGH),
        (oco(1_999_999), Refusal.INSUFFICIENT_BALANCE),
    ],
)
def test_an_oco_is_refused_in_this_order(street: Street, cmd: c.PlaceOco, refusal: Refusal) -> None:
    assert refusal == street.world.refusal(street.world.spot(), cmd)


def test_the_stop_of_an_oco_takes_the_place_of_its_order(street: Street) -> None:
    """One amount of coins is enough for both, and a part that has filled is not sold twice."""
    world = street.world
    account = world.spot(BTC="0.1")
    limit = world.ok(account, oco(1_990_000)).id
    world.buy(street.maker, "BTCUSDT", "5.03", "21000")
    street.world.ok(street.maker, c.CancelAllOrders(BTCUSDT))
    world.buy(street.maker, "BTCUSDT", "1", "19900")

    world.sell(street.maker, "BTCUSDT", "0.1", "19900")

    closed = {v.order_id: v.reason for v in world.of_type(e.OrderClosed)}
    assert e.CLOSED_REPLACED == closed[limit]
    assert [70_000] == [order.size_steps for order in street.placed()]
    assert 0 == world.balance(account, "BTC").frozen_units
    assert 0 == world.available(account, "BTC")


def test_an_oco_whose_stop_is_refused_keeps_its_order(street: Street) -> None:
    world = street.world
    account = world.spot(BTC="0.1")
    world.ok(account, oco(1_990_000, stop_price_ticks=10**20))
    limit = q.open_orders(world.state, account)[0].id
    terms = world.pair("BTCUSDT")
    world.ok(c.VENUE, pair_terms(terms, max_size_steps=99_999))
    street.move_to("19900")

    assert ["size_over_maximum"] == [v.refusal for v in world.of_type(e.TriggerFailed)]
    assert [limit] == [order.id for order in q.open_orders(world.state, account)]


@pytest.mark.parametrize("end", ["fill", "cancel", "cancel stop", "cancel all", "cancel triggers"])
def test_one_of_an_oco_ends_the_other(street: Street, end: str) -> None:
    world = street.world
    account = world.spot(BTC="0.1")
    limit = world.ok(account, oco(1_990_000)).id
    stop = next(iter(world.state.triggers.by_id))
    ends: dict[str, tuple[int, Command]] = {
        "fill": (street.maker, world.order("BTCUSDT", c.BUY, "6", "21000")),
        "cancel": (account, c.CancelOrder(BTCUSDT, limit, "")),
        "cancel stop": (account, c.CancelTrigger(stop, "")),
        "cancel all": (account, c.CancelAllOrders(BTCUSDT)),
        "cancel triggers": (account, c.CancelAllTriggers([BTCUSDT])),
    }

    world.ok(*ends[end])

    assert {} == world.state.triggers.by_id
    assert [] == q.open_orders(world.state, account)
    assert [stop] == [v.trigger_id for v in world.of_type(e.TriggerCancelled)]


@pytest.mark.parametrize(("pairs", "count"), [([], 5), ([BTCUSDT], 4), ([ETHUSDT], 1), ([99], 0)])
def test_everything_is_cancelled_in_one_step(street: Street, pairs: list[int], count: int) -> None:
    """A stop, an OCO, an entry with its exit, and an order of another pair: the OCO counts once."""
    world = street.world
    account = world.spot(BTC="1", USDT="5000", ETH="1")
    world.ok(account, street.stop("19900"))
    world.ok(account, oco(1_990_000))
    world.ok(account, with_exits(street, "0.1", "19000", "", "18000"))
    world.sell(account, "ETHUSDT", "1", "1600")

    if pairs == [99]:
        assert Refusal.PAIR_UNKNOWN == world.refusal(account, c.CancelEverything([BTCUSDT, 99]))
        return
    assert count == world.ok(account, c.CancelEverything(pairs)).units
    left = [order.pair.id for order in q.open_orders(world.state, account)]
    assert [pair for pair in (BTCUSDT, ETHUSDT) if pairs and pair not in pairs] == sorted(set(left))
    assert bool(world.state.triggers.by_id) == (pairs == [ETHUSDT])


# --- once ----------------------------------------------------------------------------------------


def test_a_client_id_places_one_trigger(street: Street) -> None:
    world = street.world
    account = world.spot(BTC="1")
    cmd = street.stop("19900", client_oid="a")
    first = world.ok(account, cmd).id
    street.move_to("19900")

    assert first == world.ok(account, cmd).id
    assert [] == world.events
    assert Refusal.CLIENT_OID_REUSED == world.refusal(account, street.stop("19800", client_oid="a"))


def test_a_client_id_places_one_order_with_triggers(street: Street) -> None:
    world = street.world
    account = world.spot(BTC="1", USDT="5000")
    one = c.PlaceOco(BTCUSDT, c.SELL, 0, 0, 2_100_000, 1_000, 0, 1_990_000, 0, "a", 0)
    two = c.PlaceOco(BTCUSDT, c.SELL, 0, 0, 2_100_000, 1_000, 0, 1_980_000, 0, "a", 0)
    assert world.ok(account, one).id == world.ok(account, one).id
    assert Refusal.CLIENT_OID_REUSED == world.refusal(account, two)
    exits = [
        c.PlaceWithExits(
            BTCUSDT, c.BUY, c.LIMIT, 0, 0, 0, 1_990_000, 1_000, 0, 0, 0, 0, loss, 0, "b", 0
        )
        for loss in (1_980_000, 1_970_000)
    ]
    assert world.ok(account, exits[0]).id == world.ok(account, exits[0]).id
    assert Refusal.CLIENT_OID_REUSED == world.refusal(account, exits[1])


def test_what_a_trigger_owns_is_nobody_elses(street: Street) -> None:
    world = street.world
    mine = world.ok(world.spot(BTC="1"), street.stop("19900", client_oid="a")).id
    other = world.spot(BTC="1")

    assert Refusal.TRIGGER_UNKNOWN == world.refusal(other, c.CancelTrigger(mine, ""))
    assert Refusal.TRIGGER_UNKNOWN == world.refusal(other, c.CancelTrigger(0, "a"))
    assert 0 == world.ok(other, c.CancelAllTriggers([])).units
    assert BTC == world.coin("BTC").id
