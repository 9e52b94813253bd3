"""Reminders: every debtor once a day, in a minute of its own, whatever the clock does."""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.engine import Engine
from lombard.core.reminders import AT_ONCE
from lombard.core.units import MINUTE_MS, MINUTES
from tests.core.world import BTC, DAY_MS, START_MS, USDT, World


def reminded(world: World) -> list[int]:
    return [event.account for event in world.of_type(e.RepayReminded)]


def test_a_debtor_is_reminded_once_a_day_of_what_it_owes() -> None:
    world = World()
    account = world.crossed(USDT="20000")
    world.tick()
    world.borrow(account, "BTC", "0.1")
    world.borrow(account, "USDT", "100")
    minute = c.user_of(account) % MINUTES
    seen = []
    for passed in range(3 * MINUTES):
        world.tick(START_MS + passed * MINUTE_MS)
        for event in world.of_type(e.RepayReminded):
            seen.append(passed)
            assert account == event.account
            assert [USDT, BTC] == [row[0] for row in event.debts]
            assert [(10**10, 10**7)] == [(event.debts[0][1], event.debts[1][1])]
            for coin, principal, interest in event.debts:
                assert world.debt(account, ("USDT", "", "BTC")[coin]) == principal + interest
                assert interest > 0
    assert [minute, minute + MINUTES, minute + 2 * MINUTES] == seen


@pytest.mark.parametrize(
    ("steps", "most"), [([DAY_MS], 1), ([5 * DAY_MS], 1), ([1, DAY_MS, 1], 1), ([7] * 20, 0)]
)
def test_a_clock_that_jumps_reminds_at_most_once_a_tick(steps: list[int], most: int) -> None:
    world = World()
    account = world.crossed(USDT="20000")
    world.borrow(account, "BTC", "0.1")
    world.tick(START_MS + 1)
    counts = []
    for step in steps:
        world.tick(world.time_ms + step)
        counts.append(len(reminded(world)))

    assert most == max(counts)


def test_a_tick_ends_its_work_and_the_next_goes_on() -> None:
    world = World(audit=False)
    world.tick()
    accounts = []
    for _ in range(AT_ONCE + 50):
        accounts.append(world.crossed(USDT="1000"))
        world.borrow(accounts[-1], "USDT", "10")

    world.tick(START_MS + DAY_MS)
    first = reminded(world)
    assert AT_ONCE == len(first)
    world.engine = Engine.restore(world.engine.snapshot_lines())
    world.tick(START_MS + DAY_MS)

    assert sorted(accounts) == sorted(first + reminded(world))


def test_only_debtors_are_reminded_in_the_order_of_their_ids() -> None:
    world = World()
    world.tick()
    users = [world.user(USDT="5000") for _ in range(3)]
    # The same minute for two accounts of one user.
    accounts = []
    for user in users:
        for slot in (c.SLOT_ISOLATED, c.SLOT_CROSSED):
            account = c.account_id(user, slot)
            world.fund(account, "USDT", "1000")
            world.borrow(account, "USDT", "10")
            accounts.append(account)
    world.repay(accounts[0], "USDT", "100")
    world.borrow(accounts[2], "BTC", "0.001")
    world.repay(accounts[2], "USDT", "100")
    world.repay(accounts[4], "USDT", "100")
    world.borrow(accounts[4], "USDT", "10")
    world.engine = Engine.restore(world.engine.snapshot_lines())

    world.tick(START_MS + DAY_MS)

    assert sorted(accounts[1:]) == sorted(reminded(world))
    ranked = [(c.user_of(account) % MINUTES, account) for account in reminded(world)]
    assert sorted(ranked) == ranked
    world.tick(START_MS + 2 * DAY_MS)
    assert sorted(accounts[1:]) == sorted(reminded(world))


def test_who_has_repaid_is_not_reminded_and_may_borrow_again() -> None:
    world = World()
    account = world.crossed(USDT="20000", BTC="0.1")
    world.tick()
    world.borrow(account, "BTC", "0.1")
    world.repay(account, "BTC", "1")
    world.tick(START_MS + DAY_MS)
    assert [] == reminded(world)

    world.borrow(account, "BTC", "0.1")
    world.tick(START_MS + 2 * DAY_MS)
    assert [account] == reminded(world)


def test_a_restart_forgets_no_minute_and_repeats_none() -> None:
    world = World()
    account = world.crossed(USDT="20000")
    world.tick()
    world.borrow(account, "BTC", "0.1")
    counts = []
    for _ in range(48):
        world.engine = Engine.restore(world.engine.snapshot_lines())
        world.tick(world.time_ms + 3_600_000)
        counts.append(len(reminded(world)))

    assert 2 == sum(counts)


def test_reminders_can_be_turned_off() -> None:
    world = World()
    account = world.crossed(USDT="20000")
    world.tick()
    world.borrow(account, "BTC", "0.1")
    world.parameter("repay_reminders", 0)
    world.tick(START_MS + DAY_MS)
    assert [] == reminded(world)

    world.parameter("repay_reminders", 1)
    world.tick(START_MS + DAY_MS + 1)
    assert [] == reminded(world)
