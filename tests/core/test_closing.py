"""Closing a position and flash repayment: sizes by hand, refusals in order, and what must hold."""

from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import reason_queries as why
from lombard.core.commands import Command
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.risk import debt_units
from lombard.core.state import Account
from lombard.core.units import format_units
from lombard.sim.traffic import STORM, WEIGHTS, Traffic
from tests.core.audited import Audited
from tests.core.kinds import without
from tests.core.laws import show
from tests.core.test_what_if import rows_of
from tests.core.world import BTC, BTCUSDC, BTCUSDT, ETH, USDT, World

API = c.SOURCE_API


def close(symbol: int = BTCUSDT, repay: bool = True, oid: str = "") -> c.ClosePosition:
    return c.ClosePosition(symbol, repay, oid, API)


def quoted(*, bid: str = "20000", ask: str = "20000", size: str = "5") -> World:
    """Return a world without interest, with a book of BTCUSDT."""
    world = World()
    for name in ("USDT", "BTC", "DOGE", "ETH"):
        world.rate(name, "0")
    world.tick("01:00")
    if bid:
        world.buy(world.spot(USDT="1000000"), "BTCUSDT", size, bid)
    if ask and ask != bid:
        world.sell(world.spot(BTC="50"), "BTCUSDT", size, ask)
    return world


def amounts(world: World, account: int, *coins: str) -> list[tuple[str, str]]:
    """Return what is available and what is owed of some coins."""
    return [
        (
            format_units(world.available(account, coin), world.coin(coin).decimals),
            format_units(world.debt(account, coin), world.coin(coin).decimals),
        )
        for coin in coins
    ]


# --- closing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repay", "expected"),
    [
        # 0.1000007 is sold as 0.1: 2000, less 0.1 % is 1998; 500 of it pay the debt, and the 500
        # that were borrowed are still there.
        (True, [("0.0000007", "0"), ("1998", "0")]),
        (False, [("0.0000007", "0"), ("2498", "500")]),
    ],
)
def test_a_long_is_sold_to_the_step_and_repaid_when_asked(
    repay: bool, expected: list[tuple[str, str]]
) -> None:
    world = quoted()
    account = world.isolated("BTCUSDT", BTC="0.1000007")
    world.borrow(account, "USDT", "500")

    reply = world.ok(account, close(repay=repay))

    assert expected == amounts(world, account, "BTC", "USDT")
    (placed,) = world.of_type(e.OrderPlaced)
    assert (reply.id, c.SELL, 100_000) == (placed.order_id, placed.side, placed.size_steps)


def test_a_short_is_bought_back_with_its_fee() -> None:
    world = quoted(bid="20000", ask="20100.5")
    account = world.isolated("BTCUSDT", USDT="500")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.1", loan_type=c.AUTO_LOAN))
    assert [("0", "0.1"), ("2498", "0")] == amounts(world, account, "BTC", "USDT")

    world.ok(account, close())

    # 0.1 / 0.999 = 0.1001001001: 0.100101 to the step, at 20 100.5. Its fee is 0.000100101.
    (trade,) = world.of_type(e.Traded)
    assert (100_101, 10_011) == (trade.size_steps, trade.taker_fee_units)
    assert [("0.00000089", "0")] == amounts(world, account, "BTC")


def test_what_is_held_of_the_base_coin_counts_for_a_short() -> None:
    world = quoted(ask="20000", bid="")
    account = world.isolated("BTCUSDT", USDT="10000")
    world.borrow(account, "BTC", "0.3")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, BTC, 10_000_000, ""))

    # 0.3 owed, 0.2 held: 0.1 short.
    world.ok(account, close())

    assert 100_101 == world.of_type(e.Traded)[0].size_steps
    # It repaid what it brought; the rest of the debt is covered by what is held.
    world.ok(account, c.FlashRepay(BTC))
    assert 0 == world.debt(account, "BTC")


def test_a_short_buys_back_as_much_as_its_quote_pays_for() -> None:
    world = quoted(ask="20000", bid="")
    account = world.crossed(ETH="10", USDT="100")
    world.borrow(account, "BTC", "0.1")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, BTC, 10_000_000, ""))

    world.ok(account, close())

    (trade,) = world.of_type(e.Traded)
    assert 5_000 == trade.size_steps


@pytest.mark.parametrize(
    ("who", "cmd", "refusal"),
    [
        ("nobody", c.ClosePosition(99, True, "", API), Refusal.ACCOUNT_UNKNOWN),
        ("isolated", c.ClosePosition(99, True, "", API), Refusal.PAIR_UNKNOWN),
        ("isolated", c.ClosePosition(-1, True, "", API), Refusal.PAIR_UNKNOWN),
        ("spot", close(BTCUSDC), Refusal.MARGIN_NOT_OPENED),
        ("isolated", close(BTCUSDC), Refusal.COIN_NOT_IN_ACCOUNT),
        ("locked", close(), Refusal.IN_LIQUIDATION),
        ("isolated", close(), Refusal.NO_POSITION),
        ("long", close(), Refusal.NO_LIQUIDITY),
        ("broke", close(), Refusal.INSUFFICIENT_BALANCE),
        ("short", close(), Refusal.NO_LIQUIDITY),
        ("spot", c.FlashRepay(99), Refusal.MARGIN_NOT_OPENED),
        ("isolated", c.FlashRepay(99), Refusal.COIN_UNKNOWN),
        ("isolated", c.FlashRepay(-2), Refusal.COIN_UNKNOWN),
        ("isolated", c.FlashRepay(ETH), Refusal.COIN_NOT_IN_ACCOUNT),
        ("locked", c.FlashRepay(USDT), Refusal.IN_LIQUIDATION),
        ("isolated", c.FlashRepay(USDT), Refusal.NO_DEBT),
        ("isolated", c.FlashRepay(-1), Refusal.NO_DEBT),
        ("short", c.FlashRepay(BTC), Refusal.NO_LIQUIDITY),
        ("short", c.FlashRepay(-1), Refusal.NO_LIQUIDITY),
    ],
)
def test_closing_is_refused_in_this_order(who: str, cmd: Command, refusal: Refusal) -> None:
    world = quoted(bid="", ask="")
    accounts = {
        "nobody": 77,
        "spot": world.spot(),
        "isolated": world.isolated("BTCUSDT", USDT="1000"),
        "locked": world.isolated("BTCUSDT", BTC="1"),
        "long": world.isolated("BTCUSDT", BTC="1"),
        "short": world.isolated("BTCUSDT", USDT="1000"),
        "broke": world.crossed(ETH="100"),
    }
    world.borrow(accounts["locked"], "USDT", "10000")
    for name, units in [("short", 1_000_000), ("broke", 1_000_000)]:
        spot = c.account_id(c.user_of(accounts[name]), c.SLOT_SPOT)
        world.ok(accounts[name], c.Borrow(BTC, units, ""))
        world.ok(accounts[name], c.Transfer(spot, BTC, units, ""))
    world.price("BTC", "500")
    world.price("BTC", "20000")

    assert refusal == world.refused(accounts[who], cmd).refusal


def test_a_close_is_remembered_by_its_client_id() -> None:
    world = quoted()
    account = world.isolated("BTCUSDT", BTC="1")

    first = world.ok(account, close(oid="mine"))

    assert first.id == world.ok(account, close(oid="mine")).id
    assert [] == world.events
    again = world.refused(account, close(oid="mine", repay=False))
    assert Refusal.CLIENT_OID_REUSED == again.refusal


# --- flash repayment ---------------------------------------------------------------------------


def test_the_own_coin_pays_first_and_the_other_only_what_is_missing() -> None:
    world = quoted()
    account = world.isolated("BTCUSDT", BTC="0.5")
    world.borrow(account, "USDT", "3000")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, USDT, 2000 * 10**8, ""))
    resting = world.sell(account, "BTCUSDT", "0.4", "30000")

    reply = world.ok(account, c.FlashRepay(USDT))

    # Its order is cancelled, 1000 are paid from what is there. 2000 net of 0.1 % are 2002.002003:
    # 0.1001001… BTC, sold as 0.100101 for 2002.02, of which 2000.01798 stay.
    assert [resting] == [row.order_id for row in world.events if isinstance(row, e.OrderClosed)][:1]
    repaid = [row.principal_units for row in world.of_type(e.Repaid)]
    assert [1000 * 10**8, 2000 * 10**8] == repaid
    assert [("0.399899", "0"), ("0.01798", "0")] == amounts(world, account, "BTC", "USDT")
    assert (3000 * 10**8, 0) == (reply.units, reply.remaining)
    assert world.of_type(e.Repaid)[-1].repay_id == reply.id


def test_the_largest_surplus_is_sold_first() -> None:
    world = quoted()
    buyer = world.spot(USDT="1000000")
    world.buy(buyer, "ETHUSDT", "50", "1500")
    account = world.crossed(BTC="0.1", ETH="1")
    world.borrow(account, "USDT", "3000")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, USDT, 300 * 10**8, ""))
    world.price("ETH", "1500")

    world.ok(account, c.FlashRepay(-1))

    # 2700 from the account, 300 from 2000 worth of bitcoin: the ether stays.
    assert [BTCUSDT] == [row.pair for row in world.of_type(e.Traded)]
    assert [("1", "0")] == amounts(world, account, "ETH")
    assert 0 == world.debt(account, "USDT")


def test_a_coin_without_a_pair_goes_through_usdt() -> None:
    world = quoted(bid="", ask="20000")
    world.buy(world.spot(USDT="1000000"), "DOGEUSDT", "1000000", "0.1")
    account = world.crossed(DOGE="100000")
    world.borrow(account, "BTC", "0.1")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, BTC, 10_000_000, ""))

    reply = world.ok(account, c.FlashRepay(BTC))

    assert [3, BTCUSDT] == [row.pair for row in world.of_type(e.Traded)]
    assert 0 == reply.remaining == world.debt(account, "BTC")


def test_what_cannot_be_paid_stays_owed() -> None:
    world = quoted(size="0.05")
    account = world.isolated("BTCUSDT", BTC="0.5")
    world.borrow(account, "USDT", "3000")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, USDT, 3000 * 10**8, ""))

    reply = world.ok(account, c.FlashRepay(USDT))

    # 0.05 at 20 000, less its fee.
    assert (999 * 10**8, 2001 * 10**8) == (reply.units, reply.remaining)
    # Outside the band nothing is sold.
    world.buy(world.spot(USDT="1000000"), "BTCUSDT", "5", "18000")
    assert Refusal.NO_LIQUIDITY == world.refused(account, c.FlashRepay(USDT)).refusal


def told(
    engine: Engine, account: int, cmd: Command
) -> tuple[Engine, list[e.Event], Refusal | None]:
    """Give a command to a copy of the venue, and audit it."""
    copy = Engine.restore(list(engine.snapshot_lines()))
    before = copy.state_hash()
    envelope = c.Envelope(copy.state.seq + 1, copy.time_ms, b"", account, cmd)
    reply, events = copy.apply(envelope)
    copy.check()
    if reply.refusal is not None and not events:
        assert before == copy.state_hash()
    return copy, events, reply.refusal


@pytest.mark.parametrize(("seed", "storm"), [(61, False), (62, True)])
def test_it_only_ever_pays_back(seed: int, storm: bool) -> None:
    world = Audited()
    random = Random(seed)
    # Who is frozen closes nothing.
    weights = STORM if storm else without(WEIGHTS, "freeze")
    traffic = Traffic(world, random, weights=weights)
    done = {"close": 0, "flash": 0, "cleared": 0}
    for number in range(1_500):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if number % 30 or not world.state.indebted:
            continue
        chosen = random.choice(list(world.state.indebted.values()))
        owed = owed_by(world, world.engine, chosen)
        coin = random.choice([-1, *[coin for coin, units in owed.items() if units]])
        copy, events, refusal = told(world.engine, chosen.id, c.FlashRepay(coin))
        if refusal is None:
            done["flash"] += 1
            left = owed_by(world, copy, copy.state.accounts[chosen.id])
            paid = [v for v in events if isinstance(v, e.Repaid) and v.account == chosen.id]
            for coin_id, units in owed.items():
                back = sum(v.interest_units + v.principal_units for v in paid if v.coin == coin_id)
                if not copy.state.accounts[chosen.id].liquidation:
                    assert units - back == left[coin_id]
            done["cleared"] += not any(left.values())
        pair = chosen.pair or random.choice(world.state.pairs)
        closing = c.ClosePosition(pair.id, random.random() < 0.5, "", API)
        guess = why.what_if(world.state, chosen.id, [], closing)
        copy, events, refusal = told(world.engine, chosen.id, closing)
        assert guess.reply.refusal == refusal
        user = c.user_of(chosen.id)
        assert rows_of(guess.after, user) == rows_of(copy.state, user)
        done["close"] += refusal is None
        for event in events:
            if isinstance(event, e.Traded):
                within = event.price_ticks <= pair.band_high_ticks
                if event.taker_side == c.SELL:
                    within = event.price_ticks >= pair.band_low_ticks
                assert within, show(event)
    assert min(done.values()) > 5, done


def owed_by(world: World, engine: Engine, account: Account) -> dict[int, int]:
    """Return what an account owes, by coin."""
    return {
        coin.id: debt_units(engine.state, account, account.balance(engine.state.coins[coin.id]))
        for coin in world.state.coins
    }
