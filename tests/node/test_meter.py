"""What a node counts of itself, and the pace it can be held to."""

import pytest

from lombard.core.commands import SLOT_SPOT, VENUE, AddUser, CancelOrder, Deposit, Tick, account_id
from lombard.core.events import LiquidationStarted
from lombard.core.refusals import Refusal
from lombard.node.errors import Overloaded
from lombard.node.lanes import Entry, Lanes
from lombard.node.meter import Histogram, Meter
from lombard.node.pace import SECOND_NS, Pace


def test_a_histogram_counts_what_is_at_most_a_bound() -> None:
    found = Histogram((1, 10))
    for value in (0, 1, 2, 10, 11):
        found.add(value)

    assert ([2, 2, 1], 24) == (found.counts, found.total)


def test_commands_are_counted_by_what_came_of_them() -> None:
    meter = Meter()
    started = LiquidationStarted(1, 1, 10**6, 1, 1)
    for _ in range(2):
        meter.applied(Tick(), None, [started])
    meter.applied(Deposit(9, 1), Refusal.COIN_UNKNOWN, [])

    assert {(Tick, None): 2, (Deposit, Refusal.COIN_UNKNOWN): 1} == meter.commands
    assert 2 == meter.liquidations[LiquidationStarted]


def test_a_pace_lets_through_what_it_says() -> None:
    pace = Pace(1_000)
    admitted = [pace.admit(ms * 1_000_000) for ms in range(3_000) for _ in range(5)]

    # A tenth of a second's worth at once, and then one every millisecond.
    assert 3_000 + 99 == sum(admitted)
    assert all(admitted[:100])


def test_what_goes_first_is_paid_for_by_what_comes_after() -> None:
    pace = Pace(10)
    for _ in range(5):
        pace.draw(0)
    admitted = [pace.admit(tenth * SECOND_NS // 10) for tenth in range(1, 21)]
    assert [False] * 4 + [True] * 16 == admitted

    for _ in range(1_000):
        pace.draw(0)
    assert pace.admit(3 * SECOND_NS), "a flood of them holds trading up for a second, not for ever"


def entry(account: int, command: Deposit | CancelOrder | AddUser) -> Entry:
    return Entry(0, 0, b"", account, command)


def test_only_trading_meets_the_pace() -> None:
    lanes = Lanes(pace=Pace(1))
    trader = account_id(1, SLOT_SPOT)
    lanes.put(entry(trader, Deposit(0, 1)))
    for _ in range(3):
        with pytest.raises(Overloaded):
            lanes.put(entry(trader, Deposit(0, 1)))
        lanes.put(entry(trader, CancelOrder(0, 1, "")))
        lanes.put(entry(VENUE, AddUser()))

    assert {"venue": 3, "relief": 3, "trade": 1} == lanes.depths()
