"""What if: a prediction is what then happens, and asking changes nothing."""

from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core import reason_queries as why
from lombard.core import snapshot
from lombard.core.client_ids import client_oid_of
from lombard.core.commands import Command
from lombard.core.events import Event
from lombard.core.fork import fork
from lombard.core.refusals import Refusal
from lombard.core.state import Account, State
from lombard.sim.traffic import STORM, WEIGHTS, Traffic
from tests.core.audited import Audited
from tests.core.kinds import BESIDE, without
from tests.core.laws import show
from tests.core.world import BTC, USDT, World

NAMES = ("account", "taker_account", "maker_account", "from_account", "to_account")


def rows_of(state: State, user: int) -> list[object]:
    """Write down the accounts of a user, with their orders."""
    rows: list[object] = []
    found = state.users.get(user)
    for account in [] if found is None else sorted(found.accounts, key=lambda a: a.id):
        rows.append(snapshot._account_row(account))
        rows += [snapshot._order_row(order) for order in account.orders]
        rows.append(None if account.liquidation is None else account.liquidation.id)
    return rows


def concerns(event: Event, user: int) -> bool:
    """Say whether an event is about a user."""
    named = [getattr(event, name) for name in NAMES if hasattr(event, name)]
    return any(c.user_of(account) == user for account in named)


def check(world: World, account: int, cmd: Command) -> bool:
    """Predict a command, give it, and compare; say whether it was accepted."""
    user = c.user_of(account)
    before = world.engine.state_hash()
    guess = why.what_if(world.state, account, [], cmd)
    assert before == world.engine.state_hash(), "asking left a trace"

    reply = world.do(account, cmd)

    assert show(guess.reply) == show(reply)
    assert rows_of(guess.after, user) == rows_of(world.state, user)
    expected = [show(event) for event in guess.events if concerns(event, user)]
    assert expected == [show(event) for event in world.events if concerns(event, user)]
    return reply.refusal is None


def remembered(world: World, account: int, cmd: Command) -> bool:
    """Say whether a client id may be known: a fork has no memory of them."""
    found = world.state.accounts.get(account)
    return bool(client_oid_of(cmd)) and found is not None and bool(found.client_oids)


@pytest.mark.parametrize(("seed", "storm"), [(1, False), (2, False), (3, True)])
def test_a_prediction_comes_true(seed: int, storm: bool) -> None:
    predict(seed, storm, 1_500)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 140))
def test_predictions_come_true(seed: int) -> None:
    predict(seed, seed % 3 == 0, 3_000)


def predict(seed: int, storm: bool, commands: int) -> None:
    """Predict every command of a run before it is given."""
    world = Audited()
    # A fork has no triggers, and is not for flash repayment, whose orders are not known before.
    weights = without(STORM if storm else WEIGHTS, *BESIDE, "flash")
    traffic = Traffic(world, Random(seed), weights=weights)
    accepted: dict[str, int] = {}
    for _ in range(commands):
        account, cmd = traffic.next()
        if c.is_venue(account) or remembered(world, account, cmd):
            world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
            continue
        world.do(c.VENUE, c.Tick(), traffic.next_ms())
        if check(world, account, cmd):
            kind = type(cmd).__name__
            accepted[kind] = accepted.get(kind, 0) + 1
    assert accepted["PlaceOrder"] > 100
    if not storm:
        assert {"Borrow", "Repay", "Transfer", "ReplaceOrder", "CancelOrder"} <= accepted.keys()


def test_a_price_move_is_told_before_it_comes() -> None:
    world = World()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "9000")

    told = why.what_if(world.state, account, [(BTC, 900 * 10**12)], None)

    assert told.reply.refusal is None
    assert q.in_liquidation(told.after, account)
    assert not q.in_liquidation(world.state, account)
    world.price("BTC", "900")
    user = c.user_of(account)
    assert rows_of(told.after, user) == rows_of(world.state, user)
    assert q.in_liquidation(world.state, account)


def test_a_command_is_tried_after_the_prices_moved() -> None:
    world = World()
    account = world.crossed(BTC="1")
    cmd = c.Borrow(USDT, 30_000 * 10**8, "")

    for price, refusal in [(20_000, None), (14_999, Refusal.BORROW_OVER_LEVERAGE)]:
        told = why.what_if(world.state, account, [(BTC, price * 10**12)], cmd)
        assert refusal == told.reply.refusal
    for prices in ([(BTC, 0)], [(99, 1)]):
        told = why.what_if(world.state, account, prices, cmd)
        assert told.reply.refusal in (Refusal.PRICE_NOT_POSITIVE, Refusal.COIN_UNKNOWN)
        assert 0 == q.risk(told.after, account).debt_e26


def test_whom_nobody_knows_is_told_so() -> None:
    world = World()

    told = why.what_if(world.state, c.account_id(77, 1), [], c.Borrow(USDT, 1, ""))

    assert Refusal.ACCOUNT_UNKNOWN == told.reply.refusal


def test_a_flash_repayment_cannot_be_asked_about() -> None:
    world = World()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "9000")

    with pytest.raises(AssertionError, match="orders are not known beforehand"):
        why.what_if(world.state, account, [], c.FlashRepay(USDT))


def fields(thing: object) -> dict[str, object]:
    """Return every attribute of a record on either build of the core."""
    text = show(thing)
    names = [part.split("=")[0] for part in text[text.index("(") + 1 : -1].split(", ")]
    # Hints that only spare work: a fork has none of them.
    hints = ["latest_stamp", "calm_epoch"]
    # How what is lent came about says nothing beside what it comes to.
    parts = ["weighed_ms", "noted_units", "noted_left_ms"]
    names = [name for name in names if name not in (*hints, *parts)]
    if hasattr(thing, "lent_ms"):
        names.append("lent_ms")
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def plain(value: object) -> bool:
    """Say whether a value is of numbers and words only."""
    if isinstance(value, list | tuple):
        return all(plain(part) for part in value)
    return isinstance(value, int | str) or value is None


def test_a_fork_copies_every_field() -> None:
    world = Audited()
    traffic = Traffic(world, Random(5))
    for _ in range(800):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
    state = world.state
    user = max(state.users.values(), key=lambda user: sum(len(a.orders) for a in user.accounts))
    copied = fork(state, user.accounts[0].id)

    things: list[tuple[object, object]] = [*zip(state.coins, copied.coins, strict=True)]
    things += zip(state.pairs, copied.pairs, strict=True)
    things.append((user, copied.users[user.id]))
    orders = 0
    for mine in user.accounts:
        twin: Account = copied.accounts[mine.id]
        things.append((mine, twin))
        things += zip(mine.orders, twin.orders, strict=True)
        orders += len(mine.orders)
        for balance in twin.balances:
            # The hour says something only while there is principal.
            if balance.principal_units:
                things.append((mine.find(state.coins[balance.coin.id]), balance))
    assert orders
    for ours, theirs in things:
        expected = {name: value for name, value in fields(ours).items() if plain(value)}
        assert expected == {name: getattr(theirs, name) for name in expected}, type(ours)
