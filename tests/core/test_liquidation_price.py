"""The liquidation price: the index at which the engine locks, and one step off it does not."""

from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import reason_queries as why
from lombard.core.risk import assess
from lombard.core.units import format_units
from lombard.sim.traffic import Traffic
from tests.core.audited import Audited
from tests.core.world import BTC, ETH, USDT, World


def price_of(world: World, account: int, coin: int) -> tuple[str, int] | None:
    found = why.liquidation_price(world.state, account, coin)
    return None if found is None else (format_units(found.price_e12, 12), found.direction)


def without_interest() -> World:
    """Return a world in which nothing costs interest."""
    world = World()
    for name in ("USDT", "BTC"):
        world.rate(name, "0")
    world.tick("01:00")
    return world


def test_a_long_is_liquidated_from_below() -> None:
    world = without_interest()
    seller = world.spot(BTC="10")
    world.sell(seller, "BTCUSDT", "0.5", "20000")
    account = world.isolated("BTCUSDT", USDT="2000")
    buy = world.order("BTCUSDT", c.BUY, quote="10000", loan_type=c.AUTO_LOAN)
    world.ok(account, buy)

    # 0.4995 BTC after the fee, 8000 owed at 5 %: 0.4995 p - 8000 <= 400.
    assert ("16816.816816816816", why.LONG) == price_of(world, account, BTC)
    # USDT: 9990 - 8400 p is above 0 until it is dear.
    assert ("1.189285714286", why.SHORT) == price_of(world, account, USDT)
    assert price_of(world, account, ETH) is None


def test_a_short_is_liquidated_from_above() -> None:
    world = without_interest()
    buyer = world.spot(USDT="100000")
    world.buy(buyer, "BTCUSDT", "1", "20000")
    account = world.isolated("BTCUSDT", USDT="2000")
    world.ok(account, world.order("BTCUSDT", c.SELL, "0.5", loan_type=c.AUTO_LOAN))

    # 2000 + 9990 held, 0.5 BTC owed at 5 %: 11990 - 0.5 p <= 0.025 p.
    assert ("22838.095238095239", why.SHORT) == price_of(world, account, BTC)


def test_without_debt_or_without_the_coin_there_is_none() -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    assert price_of(world, account, BTC) is None
    assert why.liquidation_price(world.state, 77, BTC) is None
    # All that is owed is held: only the maintenance of 10 % grows, to the 20 000 of the bitcoin.
    world.borrow(account, "USDT", "1000")
    assert ("200", why.SHORT) == price_of(world, account, USDT)
    assert ("100", why.LONG) == price_of(world, account, BTC)
    safe = world.crossed(USDT="1000000")
    world.borrow(safe, "USDT", "1000")
    assert price_of(world, safe, USDT) is None


@pytest.mark.parametrize("seed", [41, 42])
def test_it_is_where_the_engine_locks(seed: int) -> None:
    world = Audited()
    traffic = Traffic(world, Random(seed))
    sides: dict[int, int] = {}
    for number in range(2_000):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if number % 25:
            continue
        for debtor in list(world.state.indebted.values()):
            for coin in world.state.coins:
                found = why.liquidation_price(world.state, debtor.id, coin.id)
                if found is not None and debtor.id in world.state.accounts:
                    check(world, debtor.id, coin.id, found)
                    sides[found.direction] = sides.get(found.direction, 0) + 1
    assert sides[why.LONG] > 20
    assert sides[why.SHORT] > 20


def check(world: World, account: int, coin: int, found: why.LiquidationPrice) -> None:
    """Move the index to the price and one step off it."""

    def liquidates(price_e12: int) -> bool:
        after = why.what_if(world.state, account, [(coin, price_e12)], None).after
        return assess(after, after.accounts[account]).to_liquidate()

    price = found.price_e12
    assert liquidates(price)
    if found.direction == why.LONG:
        assert not liquidates(price + 1)
    elif price > 1:
        assert not liquidates(price - 1)
