"""Safe bands: whoever is not looked at would not have been found (RULES 7.8)."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.edges import Edges
from lombard.core.engine import Engine
from lombard.core.units import HOUR_MS, parse_units
from lombard.sim.traffic import STORM, Traffic
from tests.core.laws import show
from tests.core.world import BTC, START_MS, USDT, World, coin_terms, pair_terms

# Loans to the limit, and prices that seldom rest: many calls, locks, and accounts that calm down.
LEVERAGED = {
    "borrow": 12,
    "gamble": 6,
    "quote": 12,
    "prices": 40,
    "jump": 3,
    "tick": 3,
    "transfer": 6,
    "repay": 3,
    "proceed": 4,
    "rate": 1,
    "level": 1,
    "coin_terms": 1,
    "pair_terms": 1,
}
KINDS = [None, STORM, LEVERAGED]


def look_at_all(engine: Engine) -> None:
    """Have the next look evaluate every debtor: the loop that the bands stand for."""
    engine.state.unit_price_e12 = -1


class Twin:
    """A world beside an engine that looks at every debtor whenever the world looks at one."""

    def __init__(self) -> None:
        self.world = World(audit=False)
        self.full = Engine()
        for envelope in self.world.log:
            self.full.apply(envelope)

    def catch_up(self) -> None:
        """Let the other engine do what the world did without it."""
        for envelope in self.world.log[self.full.state.seq :]:
            self.full.apply(envelope)

    def do(self, account: int, cmd: c.Command, at_ms: int, command_id: bytes) -> None:
        """Apply a command to both, and hold them together."""
        look_at_all(self.full)
        reply = self.world.do(account, cmd, at_ms, command_id)
        expected, events = self.full.apply(self.world.log[-1])
        assert show(expected) == show(reply)
        assert [show(event) for event in events] == [show(event) for event in self.world.events]
        if len(self.world.log) % 16 == 0:
            assert self.full.state_hash() == self.world.engine.state_hash()


def compare(random: Random, weights: dict[str, int] | None, commands: int, profile: int) -> int:
    """Run traffic on a world and on one that looks at all; return how many looks were spared."""
    twin = Twin()
    twin.world.parameter("interest_profile", profile)
    traffic = Traffic(twin.world, random, weights=weights)
    twin.catch_up()
    for _ in range(commands):
        account, cmd = traffic.next()
        twin.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if random.randrange(200) == 0:
            # Bands are derived: a restored engine finds what the other finds.
            twin.world.engine = Engine.restore(twin.world.engine.snapshot_lines())
    twin.world.check()
    bands = [sum(account.band for account in engine.state.accounts.values())
             for engine in (twin.world.engine, twin.full)]  # fmt: skip
    assert bands[0] <= bands[1]
    return bands[1] - bands[0]


@given(st.integers(0, 2**64), st.sampled_from(KINDS), st.integers(0, 1))
def test_the_bands_find_what_a_look_at_everyone_finds(
    seed: int, weights: dict[str, int] | None, profile: int
) -> None:
    compare(Random(seed), weights, 150, profile)


@pytest.mark.parametrize(("seed", "profile"), [(1, 0), (2, 0), (3, 1)])
@pytest.mark.parametrize("weights", KINDS, ids=["usual", "storm", "leveraged"])
def test_the_bands_find_as_much_in_a_long_run(
    seed: int, profile: int, weights: dict[str, int] | None
) -> None:
    assert compare(Random(seed), weights, 1_500, profile)


# --- the edges, worked by hand -----------------------------------------------------------------


def without_interest() -> World:
    """A world in which no debt grows and no trade costs a fee."""
    world = World()
    for name in ("USDT", "BTC", "ETH"):
        world.rate(name, "0")
    free = pair_terms(world.pair("BTCUSDT"), maker_fee_e6=0, taker_fee_e6=0)
    world.ok(c.VENUE, free)
    world.tick("01:00")
    return world


def trade(world: World, account: int, side: int) -> None:
    """Let an account buy or sell 0.5 BTC at 20 000."""
    other = world.spot(BTC="1", USDT="20000")
    world.ok(other, world.order("BTCUSDT", 1 - side, "0.5", "20000"))
    world.ok(account, world.order("BTCUSDT", side, "0.5", "20000"))
    world.price("BTC", "20000")


def long(world: World, **besides: str) -> int:
    """Make an account that has 1 BTC and owes 10 000 USDT."""
    account = world.crossed(BTC="0.5", **besides)
    world.borrow(account, "USDT", "10000")
    trade(world, account, c.BUY)
    return account


def short(world: World) -> int:
    """Make an account that has 20 000 USDT and owes 0.5 BTC."""
    account = world.crossed(USDT="10000")
    world.borrow(account, "BTC", "0.5")
    trade(world, account, c.SELL)
    return account


def looked_at(world: World, account: int, coin: str, price: str) -> bool:
    """Publish a price; say whether the account was looked at for it."""
    before = world.state.accounts[account].band
    world.price(coin, price)
    return world.state.accounts[account].band > before


def test_a_long_account_is_looked_at_from_its_edge_on() -> None:
    """At MMR 0.1, drawn as if a 32nd and a unit more were owed: 4 (P - d) = 0.5 d."""
    world = without_interest()
    account = long(world)

    assert not looked_at(world, account, "BTC", "90000")
    # d = 10312.50000001, P = 11601.56250001125.
    assert not looked_at(world, account, "BTC", "11601.562500011251")
    assert looked_at(world, account, "BTC", "11601.56250001125")
    assert not world.of_type(e.MarginCalled)


def test_a_short_account_is_looked_at_from_its_edge_on() -> None:
    world = without_interest()
    account = short(world)

    assert not looked_at(world, account, "BTC", "1")
    # 4 (20000 - d P) = 0.5 d P with d = 0.51562501: P = 34478.11...
    assert not looked_at(world, account, "BTC", "34478.11")
    assert looked_at(world, account, "BTC", "34478.12")
    assert not world.of_type(e.MarginCalled)


def test_a_called_account_has_an_edge_on_either_side() -> None:
    world = without_interest()
    account = long(world)
    assert looked_at(world, account, "BTC", "11250")
    assert [account] == [event.account for event in world.of_type(e.MarginCalled)]

    # Calm above 7 (P - 10000) = 10 * 1000; at the line at P - 10312.5 * 1.1 = 0, or, with a debt
    # that grows by a 1024th, at P = 10009.8 * 1.1.
    assert not looked_at(world, account, "BTC", "11428")
    assert not looked_at(world, account, "BTC", "11011")
    assert looked_at(world, account, "BTC", "11010")
    assert not world.of_type(e.LiquidationStarted)
    world.price("BTC", "11000")
    assert [account] == [event.account for event in world.of_type(e.LiquidationStarted)]


def test_a_called_account_that_calms_down_may_be_called_again() -> None:
    world = without_interest()
    long(world)
    for price, called in [("11250", 1), ("11400", 0), ("11250", 0), ("11429", 0), ("11250", 1)]:
        world.price("BTC", price)
        assert called == len(world.of_type(e.MarginCalled)), price


def test_each_coin_may_move_by_the_same_part_of_its_price() -> None:
    world = without_interest()
    account = long(world, ETH="10")
    # N = 20000 + 0.95 * 15000 - 10312.5, K = 1031.25: S = 4 * 23937.5 - 5 * 1031.25 = 90593.75,
    # T = 4 * 34250 = 137000; a fall of S / T = 0.66126... leaves 6774.6 and 508.1.
    assert not looked_at(world, account, "ETH", "508.12")
    assert not looked_at(world, account, "BTC", "6774.7")
    # Not even both together are enough for a call.
    assert not world.of_type(e.MarginCalled)
    assert looked_at(world, account, "BTC", "6774.6")


def test_interest_is_looked_at_when_the_allowance_is_used_up() -> None:
    world = without_interest()
    # 2.4 % a day are 0.1 % an hour: a 32nd, 3.125 %, and a unit, after the 32nd hour turn.
    world.rate("USDT", "0.024")
    world.tick("02:00")
    account = long(world)
    band = world.state.accounts[account].band
    for hour in range(3, 34):
        world.tick(START_MS + hour * HOUR_MS)
        assert band == world.state.accounts[account].band, hour

    world.tick(START_MS + 34 * HOUR_MS)

    assert band < world.state.accounts[account].band


def test_rounding_up_each_charge_is_allowed_for() -> None:
    world = World()
    world.parameter("interest_profile", 1)
    # A coin of whole units: each hour's charge is one of them, whatever the rate.
    world.ok(c.VENUE, coin_terms("WHOLE", 0, "1", "1000"))
    world.ok(c.VENUE, c.FundPool(world.coin("WHOLE").id, 1000))
    world.rate("WHOLE", "0.000001")
    world.price("WHOLE", "100")
    account = world.crossed(USDT="4400")
    world.borrow(account, "WHOLE", "40")
    world.price("WHOLE", "100")
    world.ok(account, c.SetLeverage(3))
    called = []
    for hour in range(1, 40):
        world.tick(START_MS + hour * HOUR_MS)
        called += world.of_type(e.MarginCalled)
        # N = 4400 - 100 (d - 40), K = 10 d, d = 41 + hour: 4 N <= 5 K from d = 75 on.
        assert (hour >= 34) == bool(called or world.state.liquidations), hour


def test_an_account_is_looked_at_again_when_its_stale_coin_is_gone() -> None:
    """RULES 7.7: what could not be decided is decided at the first look at which it can be."""
    world = without_interest()
    account = long(world, ETH="0.001")
    world.price("ETH", "1500", max_age_ms=1000)
    world.tick(world.time_ms + 5000)
    world.price("BTC", "10998")
    assert not world.of_type(e.LiquidationStarted)

    world.price("ETH", "1500", max_age_ms=0)

    assert [account] == [event.account for event in world.of_type(e.LiquidationStarted)]


def test_a_tick_looks_again_at_what_could_not_be_decided() -> None:
    world = without_interest()
    account = long(world)
    world.price("BTC", "11000", sources=1)
    assert world.state.accounts[account].marked
    # No command does this: it stands for whatever lets an account be decided without a price.
    world.coin("BTC").price_sources = 2

    world.tick()

    assert [account] == [event.account for event in world.of_type(e.LiquidationStarted)]


def test_a_moving_unit_has_everybody_looked_at() -> None:
    world = without_interest()
    account = long(world)
    world.price("BTC", "20000")
    assert looked_at(world, account, "USDT", "1.0001")
    # N = 20000 - 17777.8: called at 10000 p (4 + 0.5) = 4 * 20000.
    world.price("USDT", "1.7778")
    assert [account] == [event.account for event in world.of_type(e.MarginCalled)]


def test_new_terms_have_those_looked_at_whom_they_concern() -> None:
    world = without_interest()
    crossed = long(world)
    isolated = world.isolated("BTCUSDT", BTC="1")
    other = world.crossed(ETH="20")
    for account in (isolated, other):
        world.borrow(account, "USDT", "5000")
    world.price("BTC", "20000")

    def bands() -> list[int]:
        return [world.state.accounts[account].band for account in (crossed, isolated, other)]

    before = bands()
    world.ok(c.VENUE, coin_terms("BTC", 8, "0.9", "26"))
    assert [before[0] + 1, before[1], before[2]] == bands()
    pair = world.pair("BTCUSDT")
    tiers = [(base, quote, 5, 60_000) for base, quote, _, _ in pair.isolated_tiers]
    world.ok(c.VENUE, pair_terms(pair, isolated_tiers=tiers))
    assert [before[0] + 1, before[1] + 1, before[2]] == bands()
    world.ok(c.VENUE, pair_terms(pair, isolated_tiers=tiers, taker_fee_e6=500))
    assert [before[0] + 1, before[1] + 1, before[2]] == bands()


def test_what_is_left_of_old_bands_is_swept_out() -> None:
    world = without_interest()
    world.audit = False
    account = long(world)
    for n in range(5_000):
        world.borrow(account, "USDT", "0.00000001")
        world.ok(c.VENUE, c.SetIndexPrices([(BTC, parse_units(str(20_000 + n % 3), 12), 2, 0, 0)]))

    assert len(world.state.coins[BTC].falls.entries) < 2_100
    assert len(world.state.coins[USDT].growths.entries) < 2_100


def test_edges_come_out_in_order_those_of_negative_numbers_too() -> None:
    edges = Edges()
    for edge, account, band in [(5, 2, 1), (-7, 1, 2), (5, 1, 3), (-8, 9, 2**32 - 1)]:
        edges.add(edge, account, band)

    assert edges.take(-9) is None
    assert (9, 2**32 - 1) == edges.take(-8)
    assert edges.take(-8) is None
    assert [(1, 2), (1, 3), (2, 1)] == [edges.take(5) for _ in range(3)]
    assert edges.take(10**40) is None


def test_a_sweep_keeps_what_lives() -> None:
    edges = Edges()
    for account in range(100):
        edges.add(account - 50, account, 1)
        edges.add(account - 50, account, 2)

    edges.sweep(dict.fromkeys(range(0, 100, 3), 2))

    assert [(n, 2) for n in range(0, 100, 3)] == [edges.take(100) for _ in range(34)]
    assert edges.take(100) is None
