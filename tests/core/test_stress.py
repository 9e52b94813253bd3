"""Stress: whom moved prices would lock is whom the engine locks, and what is missing is missing."""

from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core import reason_queries as why
from lombard.core.engine import Engine
from lombard.core.state import State
from lombard.core.stress import risk_at
from lombard.core.units import RATIO_ONE_E6
from lombard.sim.traffic import STORM, Traffic
from tests.core.kinds import BESIDE, without
from tests.core.world import BTC, ETH, USDT, World, pair_terms

# Loans to the limit, kept standing: many accounts near their lines.
LEVERAGED = {
    "borrow": 12,
    "gamble": 8,
    "quote": 12,
    "prices": 12,
    "transfer": 6,
    "repay": 3,
    "proceed": 2,
    "tick": 2,
    "coin_terms": 1,
    "pair_terms": 1,
    "level": 1,
}
ALL = 10**6


def lend_away(world: World, account: int, coin: str, amount: str) -> None:
    """Let an account borrow and take out what it has of the coin then."""
    world.borrow(account, coin, amount)
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    out = world.available(account, coin)
    world.ok(account, c.Transfer(spot, world.coin(coin).id, out, ""))


def ask(state: State, moves: list[tuple[int, int]], cost_e6: int = 0) -> why.Stress:
    """Look at all debtors, a few at a time."""
    stress = why.Stress(why.moved_prices(state, moves), cost_e6, ALL)
    ids = why.debtors(state)
    for place in range(0, len(ids), 3):
        stress.look_at(state, ids[place : place + 3])
    stress.rank()
    return stress


def with_outcome(stress: why.Stress, outcome: int) -> set[int]:
    return {row.account for row in stress.worst if row.outcome == outcome}


def what_happens(engine: Engine, prices_e12: list[int]) -> tuple[set[int], set[int]]:
    """Set the index in a copy of the venue; return who is locked then, and who is called."""
    copy = Engine.restore(engine.snapshot_lines())
    rows = [(coin, price, 2, 0, 0) for coin, price in enumerate(prices_e12) if price]
    state = copy.state
    envelope = c.Envelope(state.seq + 1, state.time_ms, b"", c.VENUE, c.SetIndexPrices(rows))
    reply, events = copy.apply(envelope)
    assert reply.refusal is None
    # Whoever was called before, and stays beyond the line, is not called again.
    called = {event.account for event in events if isinstance(event, e.MarginCalled)}
    for account in state.indebted.values():
        risk = q.risk(state, account.id)
        if account.called and account.liquidation is None and risk.to_call():
            called.add(account.id)
    return set(state.liquidations), called


@pytest.mark.parametrize(("seed", "storm"), [(1, False), (2, False), (3, True), (4, True)])
def test_whom_it_names_is_whom_the_engine_locks_and_nobody_else(seed: int, storm: bool) -> None:
    foretell(seed, storm, 300 if storm else 900)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(100, 140))
def test_it_holds_in_many_runs(seed: int) -> None:
    foretell(seed, seed % 2 == 0, 3_000)


def foretell(seed: int, storm: bool, commands: int) -> None:
    """Ask now and then in a run of traffic, and hold the answer against a copy of the venue."""
    world = World(audit=False)
    random = Random(seed)
    weights = without(STORM, *BESIDE) if storm else LEVERAGED
    traffic = Traffic(world, random, users=12, weights=weights)
    locked = called = 0
    for turn in range(commands):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        if turn % 12:
            continue
        coins = random.sample(range(1, len(world.state.coins)), random.randrange(1, 4))
        moves = [(coin, random.randrange(-700_000, 700_000)) for coin in coins]
        before = world.engine.state_hash()
        stress = ask(world.state, moves)
        assert before == world.engine.state_hash(), "asking left a trace"
        expected = what_happens(world.engine, stress.prices_e12)
        found = with_outcome(stress, why.LIQUIDATED), with_outcome(stress, why.CALLED)
        # A liquidation that goes on after its debts are paid is nobody's who owes.
        owing = expected[0] & world.state.indebted.keys()
        assert (owing, expected[1]) == found
        assert (len(found[0]), len(found[1])) == (stress.liquidated, stress.called)
        assert len(world.state.indebted) == stress.debtors
        locked += stress.liquidated - stress.already
        called += stress.called
    assert locked > 10
    assert called > 0 or storm


def test_without_a_move_it_is_the_present() -> None:
    world = World(audit=False)
    traffic = Traffic(world, Random(7), users=6, weights=LEVERAGED)
    for _ in range(400):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
    state = world.state
    prices = why.moved_prices(state, [])
    assert [coin.price_e12 for coin in state.coins] == prices
    assert state.indebted
    for debtor in state.indebted.values():
        now, there = q.risk(state, debtor.id), risk_at(state, debtor, prices)
        assert there is not None
        assert (now.net_e26, now.debt_e26, now.maintenance_e26) == (
            there.net_e26,
            there.debt_e26,
            there.maintenance_e26,
        )
    stress = ask(state, [])
    assert set(state.liquidations) & state.indebted.keys() == with_outcome(stress, why.LIQUIDATED)
    assert all(row.before_e6 == row.ratio_e6 for row in stress.worst)


def test_what_is_missing_is_what_the_fund_pays_when_it_comes_so() -> None:
    """One account, long; a buyer at the fallen index; no fees, so that nothing else is lost."""
    world = World()
    world.ok(c.VENUE, pair_terms(world.pair("BTCUSDT"), maker_fee_e6=0, taker_fee_e6=0))
    account = world.crossed(BTC="1")
    lend_away(world, account, "USDT", "9000")
    buyer = world.spot(USDT="100000")

    stress = ask(world.state, [(BTC, -700_000)])

    assert [account] == [row.account for row in stress.worst]
    missing = stress.missing_units[USDT]
    row = stress.worst[0]
    assert (row.debt_e26 - row.assets_e26) == row.shortfall_e26 == stress.shortfall_e26
    assert missing == world.debt(account, "USDT") - world.units("USDT", "6000")
    world.price("BTC", "6000")
    world.buy(buyer, "BTCUSDT", "1", "6000")
    events = world.liquidate()
    paid = sum(event.units for event in events if isinstance(event, e.FundPaid))
    assert missing == paid
    assert not any(isinstance(event, e.LossBooked) for event in events)


def test_selling_may_cost_something_and_own_coins_are_not_sold() -> None:
    world = World()
    account = world.crossed(BTC="1", USDT="1000")
    world.borrow(account, "USDT", "9000")
    # 7 500 of the 10 000 USDT stay, and repay themselves.
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, USDT, world.units("USDT", "2500"), ""))

    plain = ask(world.state, [(BTC, -950_000)])
    costly = ask(world.state, [(BTC, -950_000)], 500_000)

    owed = world.debt(account, "USDT") - world.units("USDT", "7500")
    assert plain.missing_units[USDT] == owed - world.units("USDT", "1000")
    assert costly.missing_units[USDT] == owed - world.units("USDT", "500")


def test_the_largest_debt_is_paid_first() -> None:
    world = World()
    account = world.crossed(ETH="10")
    lend_away(world, account, "USDT", "3000")
    lend_away(world, account, "BTC", "0.05")

    stress = ask(world.state, [(ETH, -760_000)])

    # 3 600 USDT of ETH: the 3 000 and their interest are repaid, and near 600 of the 1 000 in BTC.
    assert 0 == stress.missing_units[USDT]
    assert world.units("BTC", "0.02") < stress.missing_units[BTC] < world.units("BTC", "0.0203")


def test_a_price_stays_above_nothing_and_rows_stay_few() -> None:
    world = World()
    accounts = [world.crossed(BTC="1") for _ in range(8)]
    for place, account in enumerate(accounts):
        lend_away(world, account, "USDT", str(9000 + place))
    prices = why.moved_prices(world.state, [(BTC, 1 - RATIO_ONE_E6)])
    assert 20_000 * 10**6 == prices[BTC]
    world.state.coins[BTC].price_e12 = 1
    assert 1 == why.moved_prices(world.state, [(BTC, -1)])[BTC]
    world.state.coins[BTC].price_e12 = 20_000 * 10**12

    stress = why.Stress(prices, 0, 2)
    for account in accounts:
        stress.look_at(world.state, [account])
    stress.look_at(world.state, [12345])
    stress.rank()

    assert (8, 8, 8, 0) == (stress.debtors, stress.liquidated, stress.short, stress.called)
    assert accounts[:5:-1] == [row.account for row in stress.worst]


def test_nobody_is_decided_upon_without_a_price() -> None:
    world = World()
    account = world.crossed(BTC="1")
    lend_away(world, account, "USDT", "9000")
    prices = why.moved_prices(world.state, [(BTC, -700_000)])
    assert prices[BTC]

    for unknown in ([*prices[:BTC], 0, *prices[BTC + 1 :]], prices[:BTC]):
        stress = why.Stress(unknown, 0, ALL)
        stress.look_at(world.state, [account])
        assert (1, 0, 0) == (stress.debtors, stress.liquidated, stress.called)
