"""The venue's own commands: what a configuration must be, and who may say so.

RULES 1.2, 7.4 and 8.2 are kept by refusing what would make them false.
"""

from typing import Any

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command
from lombard.core.refusals import Refusal
from lombard.core.state import PARAMETERS, RULES_VERSION
from lombard.core.units import RATE_ONE_E12, VALUE_MAX
from tests.core.world import BTC, BTCUSDT, PEPEUSDT, USDT, World

ONE = [(0, 10**6)]
TIERS = [(10**14, 3, 100_000)]


def coin(**changes: Any) -> c.SetCoin:
    """Return good terms of a new coin; any of them may be another."""
    fields: dict[str, Any] = {
        "name": "NEW",
        "decimals": 8,
        "collateral_steps": ONE,
        "cross_tiers": TIERS,
        "user_limit_units": 10**14,
        "min_borrow_units": 1,
        "borrowable": True,
        "transferable": True,
    }
    return c.SetCoin(**(fields | changes))


def pair(**changes: Any) -> c.SetPair:
    """Return the terms BTCUSDT has in the catalogue; any of them may be another."""
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "base": BTC,
        "quote": USDT,
        "tick_e12": 10**10,
        "step_units": 100,
        "maker_fee_e6": 1000,
        "taker_fee_e6": 1000,
        "min_value_units": 10**8,
        "min_size_steps": 1,
        "max_size_steps": 10**12,
        "max_open_orders": 200,
        "isolated_tiers": [(26 * 10**8, 3 * 10**13, 10, 50_000)],
        "liquidation_fee_e6": 20_000,
        "crossed": True,
        "trading": True,
    }
    return c.SetPair(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        # Each row is wrong in every later way too, as far as one coin can be.
        ({"name": "", "decimals": 9}, "name"),
        ({"name": "new", "decimals": 9}, "name"),
        ({"name": "N-W", "decimals": 9}, "name"),
        ({"name": "N W", "decimals": 9}, "name"),
        ({"name": "\u00c4", "decimals": 9}, "name"),
        ({"name": "N" * 21, "decimals": 9}, "name"),
        ({"decimals": 9, "collateral_steps": []}, "decimals"),
        ({"decimals": -1, "collateral_steps": []}, "decimals"),
        ({"name": "BTC", "decimals": 7, "collateral_steps": []}, "decimals cannot change"),
        ({"collateral_steps": [], "cross_tiers": [(0, 0, 0)]}, "collateral steps"),
        ({"collateral_steps": [(0, 10**6 + 1)], "cross_tiers": [(0, 0, 0)]}, "collateral steps"),
        ({"collateral_steps": [(0, -1)], "cross_tiers": [(0, 0, 0)]}, "collateral steps"),
        ({"collateral_steps": [(10, 10**6)], "cross_tiers": [(0, 0, 0)]}, "collateral steps"),
        ({"collateral_steps": [(0, 10**6), (0, 1)]}, "collateral steps"),
        ({"collateral_steps": [(10, 5), (10, 4), (0, 1)]}, "collateral steps"),
        ({"collateral_steps": [(10, 5), (20, 6), (0, 1)]}, "collateral steps"),
        ({"collateral_steps": [(-10, 5), (0, 1)]}, "collateral steps"),
        ({"cross_tiers": [(0, 0, 0)]}, "tiers must rise"),
        ({"cross_tiers": [(10, 3, 10**5), (10, 2, 10**5)]}, "tiers must rise"),
        ({"cross_tiers": [(10, 0, 0)]}, "leverage or maintenance margin rate out of range"),
        ({"cross_tiers": [(10, 101, 1)]}, "leverage or maintenance margin rate out of range"),
        ({"cross_tiers": [(10, 3, 0)]}, "leverage or maintenance margin rate out of range"),
        ({"cross_tiers": [(10, 3, 10**6)]}, "leverage or maintenance margin rate out of range"),
        # RULES 7.4: 2 x 0.250001 > 0.5
        (
            {"cross_tiers": [(10, 3, 250_001)]},
            "(leverage - 1) x maintenance margin rate exceeds 0.5",
        ),
        # RULES 8.2: c = 0.02 + 0.001 + 0.02 = 1 - 1 / (1 + 0.042752...)
        (
            {"cross_tiers": [(10, 3, 42_752)], "user_limit_units": -1},
            "a liquidation slice would not improve the account",
        ),
        ({"user_limit_units": -1}, "limits"),
        ({"user_limit_units": VALUE_MAX + 1}, "limits"),
        ({"min_borrow_units": 0}, "limits"),
        ({"min_borrow_units": VALUE_MAX + 1}, "limits"),
    ],
)
def test_a_coin_is_refused_in_this_order(changes: dict[str, Any], problem: str) -> None:
    reply = World().refused(c.VENUE, coin(**changes))

    assert (Refusal.CONFIGURATION_INVALID, problem) == (reply.refusal, reply.detail)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "1INCH"},
        {"decimals": 0},
        {"cross_tiers": []},
        {"cross_tiers": [(10, 3, 250_000), (20, 2, 500_000)]},
        {"cross_tiers": [(10, 3, 42_753)]},
        {"collateral_steps": [(10, 10**6), (20, 10**6), (0, 0)]},
        {"user_limit_units": 0},
    ],
)
def test_a_coin_is_listed(changes: dict[str, Any]) -> None:
    world = World()

    reply = world.ok(c.VENUE, coin(**changes))

    assert reply.id == q.coin_named(world.state, changes.get("name", "NEW"))
    assert [("coin", changes.get("name", "NEW"))] == [
        (row.kind, row.what) for row in world.of_type(e.VenueChanged)
    ]


def test_the_tiers_of_a_lent_coin_do_not_vanish() -> None:
    world = World()
    account = world.crossed(USDT="1")
    world.borrow(account, "USDT", "1")

    reply = world.refused(c.VENUE, coin(name="USDT", cross_tiers=[]))
    assert "tiers of a lent coin cannot vanish" == reply.detail
    world.repay(account, "USDT", "2")
    world.ok(c.VENUE, coin(name="USDT", cross_tiers=[]))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        # Each row is wrong in every later way too, as far as one pair can be.
        ({"symbol": "", "base": 99}, "name"),
        ({"symbol": "BTC/USDT", "base": 99}, "name"),
        ({"base": 99, "tick_e12": 0}, "coins"),
        ({"quote": -1, "tick_e12": 0}, "coins"),
        ({"base": USDT, "tick_e12": 0}, "coins"),
        ({"base": 3, "tick_e12": 0}, "coins cannot change"),
        ({"quote": 1, "tick_e12": 0}, "coins cannot change"),
        ({"tick_e12": 0, "maker_fee_e6": -1}, "precision"),
        ({"step_units": 0, "maker_fee_e6": -1}, "precision"),
        ({"tick_e12": VALUE_MAX + 1, "maker_fee_e6": -1}, "precision"),
        # RULES 1.2: 0.001 x 0.000001 is a tenth of a unit.
        (
            {"tick_e12": 10**9, "step_units": 1, "maker_fee_e6": -1},
            "tick x step is not a whole number of quote units",
        ),
        (
            {"tick_e12": 15 * 10**9, "step_units": 1, "maker_fee_e6": -1},
            "tick x step is not a whole number of quote units",
        ),
        ({"maker_fee_e6": -1, "min_value_units": -1}, "fees"),
        ({"taker_fee_e6": -1, "min_value_units": -1}, "fees"),
        ({"maker_fee_e6": 100_000, "min_value_units": -1}, "fees"),
        ({"taker_fee_e6": 100_000, "min_value_units": -1}, "fees"),
        ({"min_value_units": -1, "liquidation_fee_e6": -1}, "sizes"),
        ({"min_size_steps": 0, "liquidation_fee_e6": -1}, "sizes"),
        ({"min_size_steps": 2, "max_size_steps": 1, "liquidation_fee_e6": -1}, "sizes"),
        ({"max_size_steps": VALUE_MAX + 1, "liquidation_fee_e6": -1}, "sizes"),
        ({"max_open_orders": 0, "liquidation_fee_e6": -1}, "sizes"),
        ({"max_open_orders": 10_001, "liquidation_fee_e6": -1}, "sizes"),
        ({"liquidation_fee_e6": -1, "isolated_tiers": [(0, 0, 0, 0)]}, "liquidation fee"),
        ({"liquidation_fee_e6": 10**6, "isolated_tiers": [(0, 0, 0, 0)]}, "liquidation fee"),
        ({"isolated_tiers": [(0, 1, 0, 0)]}, "tiers must rise"),
        ({"isolated_tiers": [(1, 0, 0, 0)]}, "tiers must rise"),
        ({"isolated_tiers": [(5, 5, 10, 50_000), (6, 5, 0, 0)]}, "tiers must rise"),
        (
            {"isolated_tiers": [(5, 5, 11, 50_001)]},
            "(leverage - 1) x maintenance margin rate exceeds 0.5",
        ),
        # 0.02 + 0.001 + 0.02662 > 1 - 1 / 1.05
        ({"liquidation_fee_e6": 26_620}, "a liquidation slice would not improve the account"),
        # The taker fee is part of what a slice costs.
        ({"taker_fee_e6": 7_620}, "a liquidation slice would not improve the account"),
        # And of what the others' slices cost: the dearest pair counts.
        (
            {"taker_fee_e6": 8_000, "liquidation_fee_e6": 0},
            "BTCUSDC: a liquidation slice would not improve the account",
        ),
        ({"isolated_tiers": []}, "isolated margin cannot vanish"),
    ],
)
def test_a_pair_is_refused_in_this_order(changes: dict[str, Any], problem: str) -> None:
    world = World()
    # Of the other pairs BTCUSDC alone is as close to the line as BTCUSDT.
    for row in world.state.pairs:
        if row.symbol == "ETHUSDT":
            fee = {"symbol": row.symbol, "base": row.base.id, "liquidation_fee_e6": 0}
            tiers = list(row.isolated_tiers)
            world.ok(c.VENUE, pair(step_units=row.step_units, isolated_tiers=tiers, **fee))

    reply = world.refused(c.VENUE, pair(**changes))

    assert (Refusal.CONFIGURATION_INVALID, problem) == (reply.refusal, reply.detail)


@pytest.mark.parametrize(
    "changes",
    [
        {"liquidation_fee_e6": 26_618},
        {"taker_fee_e6": 7_618},
        {"maker_fee_e6": 99_999},
        {"symbol": "BTCUSDT2", "isolated_tiers": [], "crossed": False, "trading": False},
        {"tick_e12": 10**12, "step_units": 1},
        # A step of more than a coin, at a tick of a millionth of a unit's worth.
        {"symbol": "TINY", "tick_e12": 1, "step_units": 10**14},
    ],
)
def test_a_pairs_terms_are_changed(changes: dict[str, Any]) -> None:
    world = World()

    reply = world.ok(c.VENUE, pair(**changes))

    assert reply.id == q.pair_named(world.state, changes.get("symbol", "BTCUSDT"))


def test_a_pepe_step_is_worth_a_whole_unit() -> None:
    world = World()

    # Tick 1e-10 x step 100: one hundred-millionth of a USDT.
    assert 1 == world.state.pairs[PEPEUSDT].quote_per_tick_step
    assert 1 == world.state.pairs[BTCUSDT].quote_per_tick_step


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("no_such_name", 0, "no_such_name"),
        *[(name, least - 1, name) for name, (_, least, _) in PARAMETERS.items()],
        *[(name, most + 1, name) for name, (_, _, most) in PARAMETERS.items()],
        # What would break RULES 8.2 for a tier of BTCUSDT, of a coin.
        ("system_band_e6", 26_620, "BTCUSDT: a liquidation slice would not improve the account"),
        (
            "crossed_liquidation_fee_e6",
            80_000,
            "USDT: a liquidation slice would not improve the account",
        ),
    ],
)
def test_a_parameter_is_refused(name: str, value: int, detail: str) -> None:
    reply = World().refused(c.VENUE, c.SetParameter(name, value))

    assert (Refusal.CONFIGURATION_INVALID, detail) == (reply.refusal, reply.detail)


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - {"interest_profile"}))
def test_a_parameter_is_set_and_read(name: str) -> None:
    world = World(catalogue=False)
    default, least, most = PARAMETERS[name]
    assert default == q.parameter(world.state, name)

    for value in (least, most):
        world.ok(c.VENUE, c.SetParameter(name, value))
        assert value == q.parameter(world.state, name)


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [(10**6, 10**6)],
        [(999_999, 10**6), (10**6, 10**6)],
        [(10**6, 10**6), (10**6 + 1, 10**6)],
        [(10**6, 10**6), (-1, 10**6)],
        [(10**6, 10**6), (10**6, 999_999)],
        [(10**6, 10**6), (10**6, 10**9 + 1)],
    ],
)
def test_levels_are_refused(levels: list[tuple[int, int]]) -> None:
    world = World()
    world.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (970_000, 10**6)]))

    reply = world.refused(c.VENUE, c.SetVipLevels(levels))

    assert (Refusal.CONFIGURATION_INVALID, "levels") == (reply.refusal, reply.detail)


@pytest.mark.parametrize(
    ("cmd", "refusal"),
    [
        # Each row is wrong in every later way too.
        (c.SetUserLevel(77, 99), Refusal.USER_UNKNOWN),
        (c.SetUserLevel(1_000_001, 99), Refusal.CONFIGURATION_INVALID),
        (c.SetUserLevel(1_000_001, -1), Refusal.CONFIGURATION_INVALID),
        (c.SetRate(99, -1), Refusal.COIN_UNKNOWN),
        (c.SetRate(-1, -1), Refusal.COIN_UNKNOWN),
        (c.SetRate(USDT, -1), Refusal.CONFIGURATION_INVALID),
        (c.SetRate(USDT, RATE_ONE_E12 + 1), Refusal.CONFIGURATION_INVALID),
        (c.FundPool(99, 0), Refusal.COIN_UNKNOWN),
        (c.FundPool(USDT, 0), Refusal.AMOUNT_NOT_POSITIVE),
        (c.FundPool(USDT, -1), Refusal.AMOUNT_NOT_POSITIVE),
        (c.FundInsurance(99, 0), Refusal.COIN_UNKNOWN),
        (c.FundInsurance(USDT, 0), Refusal.AMOUNT_NOT_POSITIVE),
        (c.FundInsurance(USDT, -1), Refusal.AMOUNT_NOT_POSITIVE),
        (c.Upgrade(RULES_VERSION + 1), Refusal.RULES_VERSION_UNKNOWN),
        (c.Upgrade(RULES_VERSION - 1), Refusal.RULES_VERSION_UNKNOWN),
    ],
)
def test_an_operators_command_is_refused(cmd: Command, refusal: Refusal) -> None:
    world = World()
    assert 1_000_001 == world.user()

    assert refusal == world.refused(c.VENUE, cmd).refusal


@pytest.mark.parametrize("kind", [c.FundPool, c.FundInsurance])
def test_too_much_from_outside_is_refused(kind: type[c.FundPool] | type[c.FundInsurance]) -> None:
    world = World()

    assert world.refused(c.VENUE, kind(USDT, VALUE_MAX + 1)).refusal is not None
    world.ok(c.VENUE, kind(USDT, VALUE_MAX))


@pytest.mark.parametrize("max_steps", [0, -1, 10_001])
def test_a_liquidation_of_no_steps_is_refused(max_steps: int) -> None:
    assert World().refused(c.VENUE, c.ContinueLiquidation(max_steps)).refusal is not None


OPERATORS: list[Command] = [
    c.AddUser(),
    coin(),
    pair(),
    c.SetParameter("band_e6", 1),
    c.SetVipLevels([(10**6, 10**6), (1, 10**6)]),
    c.SetUserLevel(1_000_001, 0),
    c.FundPool(USDT, 1),
    c.FundInsurance(USDT, 1),
    c.SetRate(USDT, 1),
    c.SetIndexPrices([(USDT, 1, 2, 0, 0)]),
    c.Tick(),
    c.ContinueLiquidation(1),
    c.Upgrade(RULES_VERSION),
]


@pytest.mark.parametrize("cmd", OPERATORS, ids=lambda cmd: type(cmd).__name__)
def test_no_user_gives_an_operators_command(cmd: Command) -> None:
    world = World()
    user = world.user(USDT="100")

    for slot in (c.SLOT_SPOT, c.SLOT_CROSSED):
        reply = world.refused(c.account_id(user, slot), cmd)
        assert Refusal.COMMAND_UNKNOWN == reply.refusal


@pytest.mark.parametrize(
    "cmd",
    [
        c.Deposit(USDT, 1),
        c.Transfer(0, USDT, 1, ""),
        c.Borrow(USDT, 1, ""),
        c.Repay(USDT, 1, ""),
        c.SetLeverage(1),
        c.PlaceOrder(0, 0, 0, 0, 0, 0, 1, 1, 0, "", 0),
        c.CancelOrder(0, 0, "x"),
        c.CancelAllOrders(0),
        c.ReplaceOrder(0, 0, "x", 1, 1, ""),
    ],
    ids=lambda cmd: type(cmd).__name__,
)
def test_the_venue_has_no_account_to_trade_from(cmd: Command) -> None:
    assert Refusal.COMMAND_UNKNOWN == World().refused(c.VENUE, cmd).refusal


def test_users_and_ids_count_upwards() -> None:
    world = World()

    users = [world.ok(c.VENUE, c.AddUser()).id for _ in range(3)]

    assert [1_000_001, 1_000_002, 1_000_003] == users
    spot = c.account_id(users[0], c.SLOT_SPOT)
    assert (users[0], c.SLOT_SPOT) == (c.user_of(spot), c.slot_of(spot))
    first = world.ok(spot, c.Deposit(USDT, 1)).id
    assert 19 == len(str(first))
    assert first + 1 == world.ok(spot, c.Deposit(USDT, 1)).id
    # A refusal takes no id.
    world.refused(spot, c.Deposit(USDT, 0))
    assert first + 2 == world.ok(spot, c.Deposit(USDT, 1)).id


def test_a_halted_pair_takes_cancellations_only() -> None:
    world = World()
    account = world.spot(USDT="100")
    order = world.buy(account, "BTCUSDT", "0.001", "19000")
    world.ok(c.VENUE, pair(trading=False))

    cmd = world.order("BTCUSDT", c.BUY, "0.001", "19000")
    assert Refusal.PAIR_NOT_TRADING == world.refused(account, cmd).refusal
    replacement = c.ReplaceOrder(BTCUSDT, order, "", 1_900_000, 900, "")
    assert Refusal.PAIR_NOT_TRADING == world.refused(account, replacement).refusal
    world.ok(account, c.CancelOrder(BTCUSDT, order, ""))


def test_new_terms_are_held_against_the_accounts_at_once() -> None:
    world = World()
    account = world.crossed(ETH="1")
    world.borrow(account, "USDT", "1000")

    # N is the weighed ETH alone, less the interest: at 0.067 it is 100.5, at 0.066 it is 99; K 100.
    world.ok(c.VENUE, coin(name="ETH", collateral_steps=[(0, 67_000)]))
    assert [] == world.of_type(e.LiquidationStarted)
    world.ok(c.VENUE, coin(name="ETH", collateral_steps=[(0, 66_000)]))

    assert [account] == [row.account for row in world.of_type(e.LiquidationStarted)]


def test_pools_and_funds_show_where_their_coins_are_from() -> None:
    world = World()
    before = world.coin("USDT").external_units

    world.ok(c.VENUE, c.FundPool(USDT, 5))
    world.ok(c.VENUE, c.FundInsurance(USDT, 7))

    usdt = world.coin("USDT")
    assert before - 12 == usdt.external_units
    assert usdt.supplied_units == usdt.pool_units


def test_the_rules_in_force_are_known() -> None:
    world = World()

    world.ok(c.VENUE, c.Upgrade(RULES_VERSION))

    assert RULES_VERSION == world.state.rules_version
