"""History and the engine tell one story: random traffic of every kind, written and compared."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lombard.core import ledger
from lombard.core import queries as q
from lombard.core.commands import Command, user_of
from lombard.core.events import LiquidationFinished, LossBooked
from lombard.core.state import Reply
from lombard.history import rows
from lombard.history.comparing import first_imbalance
from lombard.history.paging import LIMIT_MAX, Page
from lombard.history.rows import STATUS_FILLED
from lombard.history.schema import house
from lombard.sim.traffic import Traffic
from tests.core.world import World
from tests.history.desk import Desk, dump
from tests.history.streams import Work

Sums = dict[tuple[int, int], int]
HOUSE = house.columns.keys()


class ToldWorld(World):
    """A world that keeps what each command did."""

    def __init__(self) -> None:
        self.work: list[Work] = []
        super().__init__(audit=False)

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        reply = super().do(account, cmd, at, command_id)
        self.work.append((len(self.log), self.engine.time_ms, self.events))
        return reply


class Told:
    """A world that lived, and the history written of it."""

    def __init__(self, path: Path, seed: int, commands: int) -> None:
        self.world = ToldWorld()
        traffic = Traffic(self.world, Random(seed))
        liquidated = False
        while len(self.world.log) < commands or not liquidated:
            assert len(self.world.log) < 20 * commands, "traffic without a liquidation"
            account, cmd = traffic.next()
            self.world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
            liquidated = liquidated or bool(self.world.of_type(LiquidationFinished))
        self.state = self.world.state
        self.desk = Desk(path)
        coins = ledger.pair_coins(self.state)
        self.desk.projector._projection._coins.update(enumerate(coins))
        self.desk.feed(self.world.work)
        self.content = dump(path)

    def accounts(self) -> list[int]:
        return sorted(self.state.accounts)


@pytest.fixture(scope="module", params=range(3))
def told(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Told]:
    told = Told(tmp_path_factory.mktemp("told") / "history.sqlite", request.param, 1_500)
    yield told
    told.desk.close()


def test_the_ledger_is_the_sum_of_the_postings(told: Told) -> None:
    posted: dict[tuple[int, int, int], int] = defaultdict(int)
    coins = ledger.pair_coins(told.state)
    for seq, _, events in told.world.work:
        for event in events:
            for account, column, coin, units in ledger.postings(event, coins):
                if column == ledger.HOLDS and user_of(account):
                    posted[seq, account, coin] += units
    written: dict[tuple[int, int, int], int] = defaultdict(int)
    for _, seq, account, coin, _, delta_units, *_ in told.content["ledger"]:
        written[seq, account, coin] += delta_units

    assert {key: n for key, n in posted.items() if n} == {key: n for key, n in written.items() if n}


def test_running_balances_are_the_holdings(told: Told) -> None:
    last: Sums = {}
    for _, _, account, coin, _, _, _, balance_units, *_ in told.content["ledger"]:
        last[account, coin] = balance_units
    holdings = {
        (account, view.coin): view.available_units + view.frozen_units
        for account in told.accounts()
        for view in q.balances(told.state, account)
    }
    assert {key: n for key, n in holdings.items() if n} == {key: n for key, n in last.items() if n}


def test_the_whole_ledger_comes_to_zero(told: Told) -> None:
    """Not only at the end: after each command, in every coin it moved."""
    moved: dict[tuple[int, int], int] = defaultdict(int)
    for _, seq, _, coin, _, delta_units, *_ in told.content["ledger"]:
        moved[seq, coin] += delta_units
    for _, seq, _, coin, _, delta_units, *_ in told.content["house"]:
        moved[seq, coin] += delta_units
    assert {} == {key: units for key, units in moved.items() if units}
    assert "" == first_imbalance(told.desk.place)
    assert len(told.content["house"]) > 100


def test_the_books_of_the_house_are_the_states(told: Told) -> None:
    owing = {rows.HOUSE_LOST_DEBT: (ledger.LOSS, ledger.OWES)}
    last: dict[tuple[int, int, int], int] = {}
    for _, _, account, coin, _, _, balance_units, *_ in told.content["house"]:
        column = ledger.OWES if user_of(account) else ledger.HOLDS
        last[*owing.get(account, (account, column)), coin] = balance_units
    columns = {
        key: units
        for key, units in ledger.columns(told.state).items()
        if key[1] == ledger.OWES or not user_of(key[0])
    }
    assert columns == {key: units for key, units in last.items() if units}
    kinds = {row[4] for row in told.content["house"]}
    assert {rows.HOUSE_DEPOSIT, rows.HOUSE_FEE, rows.HOUSE_BORROW, rows.HOUSE_REPAY} <= kinds
    assert rows.HOUSE_FUNDING in kinds


def test_the_houses_books_are_listed_page_by_page(told: Told) -> None:
    reader = told.desk.reader
    accounts = {row[2] for row in told.content["house"]}
    for account in sorted(accounts)[:12]:
        wanted = [row for row in reversed(told.content["house"]) if row[2] == account]
        everything = reader.house(account, Page(LIMIT_MAX))
        assert wanted[:LIMIT_MAX] == [tuple(map(one.__getattribute__, HOUSE)) for one in everything]
        page = Page(3, everything[len(everything) // 2].house_id)
        middle = len(everything) // 2 + 1
        assert everything[middle : middle + 3] == reader.house(account, page)
        for one in everything[:: max(1, len(everything) // 5)]:
            within = [row for row in everything if row.time_ms == one.time_ms]
            assert within == reader.house(account, Page(LIMIT_MAX, None, one.time_ms, one.time_ms))
            of_coin = [row for row in everything if row.coin == one.coin]
            assert of_coin == reader.house(account, Page(LIMIT_MAX), one.coin)


def test_open_orders_are_those_of_the_book(told: Told) -> None:
    reader = told.desk.reader
    resting: set[int] = set()
    for account in told.accounts():
        for order in q.open_orders(told.state, account):
            resting.add(order.id)
            row = reader.order(account, order.id)
            assert row is not None
            assert row.status < STATUS_FILLED
            assert (order.pair.id, order.side) == (row.pair, row.side)
            assert (order.price_ticks, order.client_oid) == (row.price_ticks, row.client_oid)
            filled = order.size_steps - order.remaining_steps
            assert filled * order.pair.step_units == row.base_units
    open_ids = {row[0] for row in told.content["orders"] if row[13] < STATUS_FILLED}
    assert resting == open_ids
    assert len(told.content["orders"]) > len(open_ids)


def test_receipts_and_repayments_leave_the_debt(told: Told) -> None:
    principal: Sums = defaultdict(int)
    interest: Sums = defaultdict(int)
    for _, account, coin, units, *_ in told.content["borrows"]:
        principal[account, coin] += units
    for account, _, coin, interest_units, principal_units, *_ in told.content["repayments"]:
        principal[account, coin] -= principal_units
        interest[account, coin] -= interest_units
    for event in told.world.history:
        if isinstance(event, LossBooked):
            principal[event.account, event.coin] -= event.principal_units
            interest[event.account, event.coin] -= event.interest_units
    written = set()
    for account, interest_id, coin, _, _, _, units, *_ in told.content["interest"]:
        interest[account, coin] += units
        written.add((account, interest_id, coin))
    for account in told.accounts():
        for receipt in q.pending_interest(told.state, account):
            interest[account, receipt.coin] += receipt.units
            assert (account, receipt.interest_id, receipt.coin) not in written

    owed = {
        (account, view.coin): (view.principal_units, view.interest_units)
        for account in told.accounts()
        for view in q.balances(told.state, account)
    }
    for key in owed.keys() | principal.keys() | interest.keys():
        assert owed.get(key, (0, 0)) == (principal[key], interest[key])


def test_times_and_ids_rise_together(told: Told) -> None:
    """What the search by time relies on, with the ids an engine really gives."""
    reader = told.desk.reader
    busiest = max(told.accounts(), key=lambda one: len(reader.ledger(one, Page(LIMIT_MAX))))
    everything = reader.ledger(busiest, Page(LIMIT_MAX))
    listings: list[tuple[Callable[[int, Page], list[Any]], str]] = [
        (reader.closed_orders, "created_ms"),
        (reader.fills, "time_ms"),
        (reader.interest, "time_ms"),
        (reader.borrows, "time_ms"),
    ]
    for listing, time_name in listings:
        for account in told.accounts():
            rows = listing(account, Page(LIMIT_MAX))
            times = [getattr(row, time_name) for row in rows]
            assert sorted(times, reverse=True) == times
            for time_ms in times[:: max(1, len(times) // 7)]:
                page = Page(LIMIT_MAX, None, time_ms, time_ms)
                expected = [row for row, at in zip(rows, times, strict=True) if at == time_ms]
                assert expected == listing(account, page)
    for row in everything[:: max(1, len(everything) // 20)]:
        found = reader.ledger(busiest, Page(LIMIT_MAX, None, row.time_ms, row.time_ms))
        assert [one for one in everything if one.time_ms == row.time_ms] == found


def test_liquidations_are_recorded_to_their_end(told: Told) -> None:
    reader = told.desk.reader
    seen = 0
    for account in told.accounts():
        for row in reader.liquidations(account, Page()):
            record = reader.liquidation(account, row.liquidation_id)
            assert record is not None
            steps = [step.step for step in record.steps]
            assert list(range(1, len(steps) + 1)) == steps
            assert all(1 <= entry.step <= len(steps) + 1 for entry in record.entries)
            orders = {order.order_id for order in reader.system_orders(account, Page(LIMIT_MAX))}
            assert {step.order_id for step in record.steps if step.order_id} <= orders
            seen += 1
    assert seen
