"""A storm of liquidations: nothing is lost, nobody waits, and the work of a command is bounded
(RULES 8.2, 8.3).
"""

import time
from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.engine import Engine
from lombard.core.watch import RANKED_MAX
from tests.core.test_liquidation import doge_against_eth, drop, locked, long_btc, steps_of, venue
from tests.core.world import BTCUSDT, World

TEN_MINUTES_MS = 600_000


# --- waiting, and what else there is to sell ---------------------------------------------------


def test_a_wait_is_recorded_when_it_begins_and_once() -> None:
    world = venue()
    account = long_btc(world)
    drop(world, "14600")
    world.liquidate()
    (step,) = steps_of(world)
    assert ("wait", 1, account) == (step.action, step.step, step.account)
    assert step.ratio_before_e6 == step.ratio_after_e6
    for _ in range(3):
        world.tick(world.time_ms + 1000)
        world.engine = Engine.restore(world.engine.snapshot_lines())
        assert [] == [row for row in world.liquidate() if isinstance(row, e.LiquidationStepped)]

    # It goes on by a slice, and waits again: that is another wait.
    world.buy(world.spot(USDT="100"), "BTCUSDT", "0.002", "14600")
    world.tick(world.time_ms + 1000)
    events = world.liquidate()
    actions = [row.action for row in events if isinstance(row, e.LiquidationStepped)]
    assert ["sell", "wait"] == actions
    assert locked(world, account)


def test_a_stale_index_is_a_wait_that_is_recorded() -> None:
    """RULES 7.7: liquidation is paused, visibly."""
    world = venue()
    long_btc(world)
    drop(world, "14600")
    world.price("BTC", "14600", max_age_ms=1000)
    world.tick(world.time_ms + 5000)

    world.liquidate()

    assert ["wait"] == [step.action for step in steps_of(world)]


def test_where_the_largest_surplus_finds_no_buyer_the_next_is_sold() -> None:
    """RULES 8.2."""
    world = venue()
    account = doge_against_eth(world)
    world.fund(account, "BTC", "0.001")
    maker = world.spot(ETH="10", USDT="1000")
    world.sell(maker, "ETHUSDT", "1", "1840")
    # Nobody buys DOGE; somebody buys BTC.
    world.buy(maker, "BTCUSDT", "0.02", "20000")
    # 0.8 x 2497.0015 + 20 - 1840 = 177.6012; K = 184.
    world.price("ETH", "1840")
    btc, eth, usdt = (world.coin(name).id for name in ("BTC", "ETH", "USDT"))

    events = world.liquidate()

    steps = [row for row in events if isinstance(row, e.LiquidationStepped)]
    sold = [(row.action, row.sold_coin, row.bought_coin) for row in steps]
    assert [("sell", btc, usdt), ("sell", usdt, eth), ("wait", -1, -1)] == sold
    assert world.units("DOGE", "24970.015") == world.available(account, "DOGE")
    assert locked(world, account)


def test_it_waits_for_a_buyer_as_long_as_anything_else_is_below_the_minimum() -> None:
    world = venue()
    account = doge_against_eth(world)
    # Worth less than the pair's minimum of 1 USDT.
    world.fund(account, "BTC", "0.00004")
    world.price("ETH", "1840")

    world.liquidate()

    assert ["wait"] == [step.action for step in steps_of(world)]


# --- the storm ---------------------------------------------------------------------------------


class Storm:
    """Leveraged accounts, a thin book, and a market that falls by 30 % at once."""

    def __init__(self, accounts: int) -> None:
        self.world = venue(USDT="100000", BTC="1")
        self.world.audit = False
        for name in ("USDT", "BTC"):
            self.world.ok(c.VENUE, c.FundPool(self.world.coin(name).id, 10**17))
        self.random = Random(accounts)
        self.trader = self.world.spot(USDT="1000000000", BTC=str(accounts))
        self.debtors = [self.leveraged(n) for n in range(accounts)]
        self.world.price("BTC", "20000")
        self.answered = 0

    def leveraged(self, number: int) -> int:
        """Make an account, almost 3x long, whose loan is of a coin it holds nothing of."""
        world = self.world
        own = 1000 + number % 7 * 5
        account = world.crossed(USDT=str(own))
        world.ok(self.trader, world.order("BTCUSDT", c.SELL, "0.145", "20000"))
        world.ok(account, world.order("BTCUSDT", c.BUY, "0.145", "20000", loan_type=c.AUTO_LOAN))
        return account

    def fall(self) -> int:
        """Let the index fall; return how many accounts were locked by that one command."""
        drop(self.world, "14000")
        return len(self.world.of_type(e.LiquidationStarted))

    def others(self) -> None:
        """Let others do what they came for: all of it must be answered, and done."""
        world = self.world
        price = str(13_750 + self.random.randrange(240))
        world.buy(self.trader, "BTCUSDT", "0.05", price)
        user = world.spot(USDT="1000")
        order = world.buy(user, "BTCUSDT", "0.01", "13000")
        world.ok(user, c.CancelOrder(BTCUSDT, order, ""))
        self.answered += 1
        if self.answered % 100 == 0:
            world.ok(self.trader, c.CancelAllOrders(BTCUSDT))

    def weather(self, max_steps: int) -> int:
        """Carry all liquidations through, between others' commands; return the most steps done."""
        world = self.world
        most = 0
        for _ in range(100_000):
            if not world.engine.liquidation_due():
                if not world.state.liquidations:
                    return most
                world.tick(world.time_ms + 20_000)
                assert len(world.state.liquidation_queue) <= RANKED_MAX + max_steps
                continue
            most = max(most, world.ok(c.VENUE, c.ContinueLiquidation(max_steps)).units)
            self.others()
            if self.answered % 200 == 0:
                world.check()
                world.price("BTC", str(14_000 + self.random.randrange(-40, 40)))
        raise AssertionError("the storm does not end")


def weathered(accounts: int, max_steps: int) -> World:
    storm = Storm(accounts)
    assert accounts == storm.fall()
    assert storm.weather(max_steps) <= max_steps
    world = storm.world
    world.check()
    assert not any(world.state.accounts[account].debts for account in storm.debtors if
                   world.state.accounts[account].liquidation)  # fmt: skip
    finished = [row for row in world.history if isinstance(row, e.LiquidationFinished)]
    assert len(finished) >= accounts
    booked = [row for row in world.history if isinstance(row, e.LossBooked)]
    assert world.coin("USDT").loss_units == sum(row.principal_units for row in booked)
    return world


def test_a_gap_over_thousands_loses_nothing_and_others_are_served() -> None:
    """No negative balance, no lost coin, everyone's orders answered meanwhile (issue 3)."""
    world = weathered(3_000, 50)

    assert world.engine.state_hash() == Engine.restore(world.engine.snapshot_lines()).state_hash()


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_gap_over_a_hundred_thousand() -> None:
    begun = time.perf_counter()
    weathered(100_000, 50)
    assert time.perf_counter() - begun < 3_000


def test_a_tick_wakes_no_more_than_a_bounded_number() -> None:
    storm = Storm(RANKED_MAX + 200)
    world = storm.world
    assert RANKED_MAX + 200 == storm.fall()
    world.liquidate(5_000)
    waiting = list(world.state.waiting)
    assert RANKED_MAX + 200 == len(waiting)

    world.tick(world.time_ms + 1000)

    assert RANKED_MAX == len(world.state.liquidation_queue)
    assert waiting[RANKED_MAX:] == world.state.waiting
    # Those that had no turn are the first to have the next one.
    world.liquidate(5_000)
    world.tick(world.time_ms + 1000)
    queued = {account for _, account in world.state.liquidation_queue}
    assert set(waiting[RANKED_MAX:]) <= queued
