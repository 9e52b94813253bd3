"""Snapshots: canonical lines, the same state again, and nothing malformed let in (DESIGN 2)."""

import json
import random
from typing import Any

import pytest

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Command, Envelope
from lombard.core.engine import Engine
from tests.core.laws import show
from tests.core.world import BTCUSDT, USDT, World


def busy_world() -> World:
    """Return a world with something of every kind in its state."""
    world = World()
    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (970_000, 1_030_000)]))
    seller = world.spot(BTC="10", ETH="10")
    world.sell(seller, "BTCUSDT", "0.15", "20000")
    world.sell(seller, "BTCUSDT", "0.5", "20100")
    world.sell(seller, "BTCUSDT", "0.25", "20100")
    world.sell(seller, "BTCUSDT", "0.125", "20050")
    long = world.crossed(USDT="1000")
    world.ok(long, world.order("BTCUSDT", c.BUY, quote="3000", loan_type=c.AUTO_LOAN))
    world.ok(long, world.order("BTCUSDT", c.SELL, "0.01", "21000", client_oid="one"))
    calm = world.isolated("ETHUSDT", USDT="5000", ETH="1")
    world.ok(calm, c.SetLeverage(5))
    world.ok(calm, c.Borrow(USDT, 123_456_789, "two"))
    resting = world.order(
        "ETHUSDT", c.BUY, "3.5", "1500", loan_type=c.AUTO_LOAN_AND_REPAY, stp=c.STP_CANCEL_MAKER
    )
    world.ok(calm, resting)
    world.sell(seller, "ETHUSDT", "0.1234", "1500")
    world.ok(c.VENUE, c.SetUserLevel(c.user_of(calm), 1))
    world.do(calm, c.Borrow(USDT, 10**8, ""), command_id=bytes(range(16)))
    world.rate("USDT", "0.00123", at="03:59:59.999")
    world.tick("04:00")
    world.parameter("caution_half_life_ms", 300_000)
    # Opened in another order than that of their ids, as were their balances.
    nomad = world.user(BTC="1", USDT="1000")
    for slot in (c.SLOT_ISOLATED + 1, c.SLOT_ISOLATED, c.SLOT_CROSSED):
        account = c.account_id(nomad, slot)
        world.fund(account, "USDT", "100")
        world.borrow(account, "USDT", "10")
    world.borrow(account, "ETH", "0.01")
    world.borrow(account, "BTC", "0.001")
    set_triggers(world, seller)
    # One waits for a buyer, one is queued.
    waiting = world.crossed(BTC="0.01", USDT="1")
    world.borrow(waiting, "USDT", "100")
    world.price("BTC", "14600", max_age_ms=5000)
    world.ok(c.VENUE, c.ContinueLiquidation(1))
    assert long in world.state.liquidations
    return world


def set_triggers(world: World, holder: int) -> None:
    """Let triggers of every kind stand at every stage."""
    for ticks in (1_900_000, 1_900_000, 2_200_000):
        stop = c.PlaceTrigger(
            BTCUSDT, 0, c.PRICE_INDEX, ticks, 0, 1, 1, 0, 0, 0, 0, 1_000, 0, "stop" * (ticks % 2), 0
        )
        world.ok(holder, stop)
    for begin in (0, 0, 2_100_000):
        trail = c.PlaceTrigger(
            BTCUSDT, 2, c.PRICE_LAST, begin, 5_000, 1, 1, 0, 0, 0, 0, 1_000, 0, "", 0
        )
        world.ok(holder, trail)
    oco = c.PlaceOco(BTCUSDT, 1, 0, 0, 2_300_000, 1_000, 0, 1_500_000, 0, "", 0)
    world.ok(holder, oco)
    buyer = world.spot(USDT="1000")
    exits = c.PlaceWithExits(
        BTCUSDT, 0, 0, 0, 0, 0, 1_000_000, 1_000, 0, 1, 1_100_000, 0, 900_000, 0, "exits", 0
    )
    world.ok(buyer, exits)
    assert 9 == len(world.state.triggers.by_id)


def lines_of(engine: Engine) -> list[str]:
    return list(engine.snapshot_lines())


def test_the_same_state_comes_back() -> None:
    world = busy_world()
    lines = lines_of(world.engine)

    twin = Engine.restore(lines)

    assert lines == lines_of(twin)
    assert world.engine.state_hash() == twin.state_hash()
    assert (world.engine.time_ms, world.state.seq) == (twin.time_ms, twin.state.seq)
    twin.check()


def test_an_empty_venue_comes_back() -> None:
    engine = Engine()

    twin = Engine.restore(lines_of(engine))

    assert lines_of(engine) == lines_of(twin)
    assert 0 == twin.time_ms


def test_what_is_derived_comes_back_too() -> None:
    world = busy_world()
    twin = Engine.restore(lines_of(world.engine))

    for ours, theirs in zip(world.state.pairs, twin.state.pairs, strict=True):
        for name in ("band_low_ticks", "band_high_ticks", "system_low_ticks", "system_high_ticks"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.quote_per_tick_step == theirs.quote_per_tick_step
    for account in world.state.accounts:
        assert ratio(world.engine, account) == ratio(twin, account)
        for coin in range(len(world.state.coins)):
            ours_limit = q.max_borrowable(world.state, account, coin)
            limit = q.max_borrowable(twin.state, account, coin)
            assert (ours_limit.units, ours_limit.binding) == (limit.units, limit.binding)
    assert sorted(world.state.indebted) == sorted(twin.state.indebted)
    assert world.engine.liquidation_due() == twin.liquidation_due()
    assert world.state.next_hour_ms == twin.state.next_hour_ms


def ratio(engine: Engine, account: int) -> int:
    return q.risk(engine.state, account).ratio_e6()


def goings_on(world: World) -> list[tuple[int, Command, int]]:
    """Return commands that touch everything: account, command, milliseconds later."""
    accounts = [account for account in world.state.accounts if account in world.state.indebted]
    calm = next(account for account in accounts if account not in world.state.liquidations)
    spot = c.account_id(1_000_001, c.SLOT_SPOT)
    return [
        (c.VENUE, c.ContinueLiquidation(2), 0),
        (spot, world.order("ETHUSDT", c.SELL, "1", "1490"), 10),
        (spot, c.CancelAllOrders(BTCUSDT), 10),
        (calm, c.Borrow(USDT, 123_456_789, "two"), 10),
        (calm, c.Borrow(USDT, 5, "two"), 10),
        (c.VENUE, c.Tick(), 3_600_000),
        (c.VENUE, c.SetUserLevel(max(world.state.users) - 1, 1), 10),
        (calm, c.Repay(USDT, 10**8, ""), 10),
        (c.VENUE, c.SetIndexPrices([(2, 14_000 * 10**12, 2, 0, 5000)]), 10),
        (c.VENUE, c.ContinueLiquidation(10), 0),
        (c.VENUE, c.Tick(), 600_000),
        (c.VENUE, c.SetIndexPrices([(2, 14_000 * 10**12, 2, 0, 0)]), 10),
        (c.VENUE, c.ContinueLiquidation(10), 0),
        (c.VENUE, c.AddUser(), 10),
    ]


def test_a_restored_venue_goes_on_as_the_first_would_have() -> None:
    world = busy_world()
    twin = Engine.restore(lines_of(world.engine))
    now = world.time_ms

    for account, cmd, later_ms in goings_on(world):
        now += later_ms
        envelope = Envelope(world.state.seq + 1, now, b"", account, cmd)
        reply, events = world.engine.apply(envelope)
        twin_reply, twin_events = twin.apply(envelope)
        assert show(reply) == show(twin_reply)
        assert [show(row) for row in events] == [show(row) for row in twin_events]
        assert world.engine.state_hash() == twin.state_hash(), cmd
    assert lines_of(world.engine) == lines_of(twin)


def test_the_hash_leaves_out_when_and_how_often() -> None:
    world = busy_world()
    before, lines = world.engine.state_hash(), lines_of(world.engine)
    world.parameter("caution_half_life_ms", 0)
    world.tick()
    still = world.engine.state_hash()

    world.do(c.VENUE, c.FundPool(99, 1))

    assert still == world.engine.state_hash()
    assert 64 == len(before)
    assert lines != lines_of(world.engine)


def test_the_same_state_by_another_path_has_the_same_lines() -> None:
    quiet, noisy = World(), World()
    for world in (quiet, noisy):
        world.crossed(USDT="100")
    account = c.account_id(1_000_001, c.SLOT_CROSSED)
    before = noisy.engine.state_hash()
    # Looked at, asked for, refused: nothing of it is in the state.
    for coin in range(6):
        q.max_borrowable(noisy.state, account, coin)
        q.max_transferable(noisy.state, account, coin)
        noisy.refused(account, c.Borrow(coin, 10**20, ""))
    noisy.refused(account, noisy.order("BTCUSDT", c.BUY, "1", "20000"))
    noisy.refused(account, noisy.order("DOGEUSDT", c.SELL, "1000", "0.1"))

    assert before == noisy.engine.state_hash() == quiet.engine.state_hash()


def test_every_line_is_ascii_and_a_json_array() -> None:
    for line in lines_of(busy_world().engine):
        assert line.isascii()
        assert "\n" not in line
        row = json.loads(line)
        assert isinstance(row, list)
        assert line == json.dumps(row, separators=(",", ":"))


def test_lines_of_another_format_or_of_newer_rules_are_refused() -> None:
    lines = lines_of(busy_world().engine)
    newer = [json.loads(lines[2])]
    newer[0][1] += 1

    for bad in (
        [],
        lines[1:],
        ['["lombard",2]', *lines[1:]],
        ['["other",1]', *lines[1:]],
        lines[:1],
        [lines[0], lines[2]],
        [*lines[:2], json.dumps(newer[0]), *lines[3:]],
        [*lines, '["unheard of",1]'],
        [*lines, "[]"],
        [*lines, "{}"],
        [*lines, "null"],
        [*lines, ""],
        [*lines, "not json"],
    ):
        with pytest.raises(ValueError, match=r"."):
            Engine.restore(bad)


def test_nothing_malformed_gets_past_with_another_error() -> None:
    lines = lines_of(busy_world().engine)
    draw = random.Random(7)
    values: list[Any] = [None, True, -1, 0, 10**40, 1.5, "", "x", [], [[]], {}, [1, 2, 3]]
    refused = 0

    for _ in range(1500):
        damaged = list(lines)
        number = draw.randrange(len(lines))
        row = json.loads(lines[number])
        kind = draw.randrange(4)
        if kind == 0:
            inner = place(row, draw)
            inner[draw.randrange(len(inner))] = draw.choice(values)
        elif kind == 1:
            del row[draw.randrange(len(row))]
        elif kind == 2:
            row.insert(draw.randrange(len(row) + 1), draw.choice(values))
        else:
            row[draw.randrange(len(row))] = draw.choice(values)
        damaged[number] = json.dumps(row)
        if draw.random() < 0.2:
            del damaged[draw.randrange(len(damaged))]
        try:
            Engine.restore(damaged)
        except ValueError:
            refused += 1

    # The rest made some other state; a checksum of the file is what finds those.
    assert refused > 500


def place(row: list[Any], draw: random.Random) -> list[Any]:
    """Return a list somewhere inside a row that is not empty."""
    while True:
        inner = [value for value in row if isinstance(value, list) and value]
        if not inner or draw.random() < 0.3:
            return row
        row = draw.choice(inner)
