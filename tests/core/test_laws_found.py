"""What the laws have found: the least case of each fault, kept for good."""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.bounds import bounds_of
from lombard.core.commands import account_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.risk import assess
from tests.core.laws import show
from tests.core.world import BTC, BTCUSDT, DOGE, PEPE, USDT, World, coin_terms


def told(engine: Engine, account: int, cmd: c.Command) -> list[str]:
    """Apply a command now; write out all that is said."""
    state = engine.state
    reply, events = engine.apply(c.Envelope(state.seq + 1, state.time_ms, b"", account, cmd))
    return [show(reply), *map(show, events)]


def test_asking_about_a_coin_an_account_cannot_hold_leaves_no_balance_of_it() -> None:
    world = World()
    account = world.isolated("BTCUSDT", USDT="100")

    assert (0, "leverage") == tuple(
        getattr(q.max_borrowable(world.state, account, DOGE), name) for name in ("units", "binding")
    )
    assert 0 == q.max_borrowable(world.state, account_id(c.user_of(account), 0), USDT).units
    world.check()


def test_asking_what_may_leave_of_a_coin_without_price_or_balance() -> None:
    world = World()
    world.ok(c.VENUE, coin_terms("NEW", 8))
    account = world.crossed(USDT="1000", NEW="5")
    new = world.coin("NEW").id
    spot = account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, new, world.units("NEW", "5"), ""))
    world.borrow(account, "USDT", "10")

    assert 0 == q.max_transferable(world.state, account, new)


def test_a_fee_that_would_make_slices_worthless_is_refused() -> None:
    """RULES 8.2 binds the taker fees of pairs, not only the tiers beside them."""
    world = World()
    pair = world.pair("DOGEUSDT")
    # (1 - c)(1 + MMR) > 1 at the 5 % of BTCUSDT leaves 0.76 % for the taker fee of any pair.
    for fee_e6, refused in [(7_000, None), (8_000, Refusal.CONFIGURATION_INVALID)]:
        cmd = c.SetPair(
            "DOGEUSDT", DOGE, USDT, pair.tick_e12, pair.step_units, 0, fee_e6, 0, 1, 10**9, 10,
            [(10**9, 10**15, 5, 80_000)], 0, True, True,
        )  # fmt: skip
        assert refused == world.do(c.VENUE, cmd).refusal


@pytest.mark.parametrize("relief", ["repay", "transfer"])
def test_a_refusal_after_relief_leaves_no_trace(relief: str) -> None:
    """Whoever was called and is calm again is seen to be calm by what made them so."""
    world = World()
    account = world.crossed(USDT="2000")
    world.borrow(account, "BTC", "0.19")
    world.price("BTC", "85000")
    assert [account] == [event.account for event in world.of_type(e.MarginCalled)]

    if relief == "repay":
        world.repay(account, "BTC", "0.1")
    else:
        world.fund(account, "USDT", "20000")

    assert not world.state.accounts[account].called
    world.refused(account, c.SetLeverage(99))


def test_a_level_is_set_alike_after_a_restart() -> None:
    """Receipts come in the order of accounts and coins, not of their first use."""
    world = World()
    user = world.user()
    # In the wrong order: the pair of the higher number first, the coin of the higher number first.
    for slot, coin in [(2 + 3, "DOGE"), (2 + BTCUSDT, "USDT"), (1, "PEPE"), (1, "BTC")]:
        world.fund(account_id(user, slot), coin, "50000000" if coin == "PEPE" else "1000")
    for slot, coin in [(2 + 3, "DOGE"), (2 + BTCUSDT, "USDT"), (1, "PEPE"), (1, "BTC")]:
        world.borrow(account_id(user, slot), coin, "10")
    world.tick(at="03:00")
    restored = Engine.restore(world.engine.snapshot_lines())

    cmd = c.SetUserLevel(user, 0)
    expected = told(world.engine, c.VENUE, cmd)
    assert 2 + 4 * 3 == len(expected)
    assert expected == told(restored, c.VENUE, cmd)


def test_a_stale_coin_is_named_alike_after_a_restart() -> None:
    world = World()
    account = world.crossed(PEPE="50000000", ETH="1", USDT="1000")
    world.borrow(account, "USDT", "10")
    for coin in ("PEPE", "ETH"):
        world.price(coin, "1", max_age_ms=1_000)
    world.tick(at="00:01")
    restored = Engine.restore(world.engine.snapshot_lines())

    expected = told(world.engine, account, c.Borrow(USDT, 5, ""))
    assert "detail='ETH'" in expected[0]
    assert expected == told(restored, account, c.Borrow(USDT, 5, ""))


def test_a_liquidation_lists_the_same_prices_after_reads_and_a_restart() -> None:
    world = World()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "30000")
    # Asked for, ordered in vain, never held.
    q.max_borrowable(world.state, account, PEPE)
    order = world.order("ETHUSDT", c.BUY, "0.01", "1500", force=c.FOK)
    assert Refusal.FOK_WOULD_NOT_FILL == world.refusal(account, order)
    world.price("BTC", "2000")
    restored = Engine.restore(world.engine.snapshot_lines())

    expected = told(world.engine, c.VENUE, c.ContinueLiquidation(5))
    prices = f"prices=[({USDT}, {10**12}), ({BTC}, {2_000 * 10**12})]"
    assert any("LiquidationStepped" in line and prices in line for line in expected)
    assert expected == told(restored, c.VENUE, c.ContinueLiquidation(5))


def test_bounds_know_the_highest_tier_wherever_it_stands() -> None:
    """The maintenance margin rate of isolated tiers may fall; bounds must not."""
    world = World()
    pair = world.pair("BTCUSDT")
    tiers = [(10**8, 10**12, 3, 150_000), (10**10, 10**14, 2, 60_000)]
    world.ok(
        c.VENUE,
        c.SetPair(
            "BTCUSDT", BTC, USDT, pair.tick_e12, pair.step_units, 0, 0, 0, 1, 10**9, 10,
            tiers, 0, True, True,
        ),
    )  # fmt: skip
    account = world.isolated("BTCUSDT", USDT="1000")
    world.borrow(account, "USDT", "1000")

    debtor = world.state.accounts[account]
    bounds = bounds_of(world.state, debtor)
    assert bounds is not None
    assert assess(world.state, debtor).maintenance_e26 <= bounds.maintenance_high * 10**20


@pytest.mark.parametrize(("price", "size"), [("0.01", "90000"), ("1", "900")])
def test_a_debtor_may_bid_far_below_the_index(price: str, size: str) -> None:
    """A bid costs what it bids, however much that would be at the index (RULES 7.6)."""
    world = World()
    account = world.crossed(USDT="1000")
    world.borrow(account, "BTC", "0.05")

    world.buy(account, "BTCUSDT", size, price)
