"""The books of the house, event by event: what the system's accounts hold, and what is owed."""

from pathlib import Path

from lombard.core.commands import BUY, SELL
from lombard.core.events import (
    REPAY_MANUAL,
    Borrowed,
    Deposited,
    FundPaid,
    FundTook,
    HourTurned,
    InsuranceFunded,
    LiquidationFeePaid,
    LiquidationStarted,
    LossBooked,
    PoolFunded,
    Repaid,
    Traded,
    Transferred,
    VenueWithdrew,
    Withdrawn,
)
from lombard.history import rows as r
from lombard.history.comparing import first_imbalance
from lombard.history.paging import Page
from tests.history.desk import (
    ALICE_CROSSED,
    ALICE_SPOT,
    BOB_CROSSED,
    BOB_SPOT,
    ID,
    Desk,
    placed,
    traded,
)
from tests.history.streams import HOUR_MS, START_MS

MUCH = 10**24


def books(desk: Desk, account: int) -> list[tuple[int, int, int, int, int]]:
    """List an account's entries, oldest first."""
    return [
        (row.coin, row.kind, row.delta_units, row.balance_units, row.reference_id)
        for row in reversed(desk.reader.house(account, Page(1_000)))
    ]


def test_what_comes_from_outside_and_goes_there(desk: Desk) -> None:
    desk.say(Deposited(ID, ALICE_SPOT, 0, MUCH), PoolFunded(0, 50), InsuranceFunded(0, 7))
    desk.say(Withdrawn(ID + 1, ALICE_SPOT, 0, 20), VenueWithdrew(r.HOUSE_POOL, 0, 30))
    assert [
        (0, r.HOUSE_DEPOSIT, -MUCH, -MUCH, ID),
        (0, r.HOUSE_FUNDING, -57, -MUCH - 57, 0),
        (0, r.HOUSE_WITHDRAWAL, 20, -MUCH - 37, ID + 1),
        (0, r.HOUSE_TAKING, 30, -MUCH - 7, 0),
    ] == books(desk, r.HOUSE_EXTERNAL)
    assert [
        (0, r.HOUSE_FUNDING, 50, 50, 0),
        (0, r.HOUSE_TAKING, -30, 20, 0),
    ] == books(desk, r.HOUSE_POOL)
    assert [(0, r.HOUSE_FUNDING, 7, 7, 0)] == books(desk, r.HOUSE_INSURANCE)
    assert "" == first_imbalance(desk.place)


def test_a_loan_from_the_pool_to_its_loss(desk: Desk) -> None:
    desk.say(PoolFunded(1, 100), InsuranceFunded(1, 5))
    desk.say(Borrowed(ID, ALICE_CROSSED, 1, 60, False, ""))
    desk.say(Repaid(ID + 1, ALICE_CROSSED, 1, 3, 20, REPAY_MANUAL, 40))
    desk.say(
        LiquidationStarted(ID + 2, ALICE_CROSSED, 10**6, 1, 2),
        FundTook(ID + 2, ALICE_CROSSED, 1, 37),
        FundPaid(ID + 2, ALICE_CROSSED, 1, 4),
        LossBooked(ID + 2, ALICE_CROSSED, 1, 40, 9),
        LiquidationFeePaid(ID + 2, ALICE_CROSSED, 1, 1),
    )
    assert [
        (1, r.HOUSE_FUNDING, 100, 100, 0),
        (1, r.HOUSE_BORROW, -60, 40, ID),
        (1, r.HOUSE_REPAY, 20, 60, ID + 1),
    ] == books(desk, r.HOUSE_POOL)
    assert [
        (1, r.HOUSE_BORROW, 60, 60, ID),
        (1, r.HOUSE_REPAY, -20, 40, ID + 1),
        (1, r.HOUSE_LOSS, -40, 0, ID + 2),
    ] == books(desk, r.HOUSE_LENT)
    assert [
        (1, r.HOUSE_BORROW, -60, -60, ID),
        (1, r.HOUSE_REPAY, 20, -40, ID + 1),
        (1, r.HOUSE_LOSS, 40, 0, ID + 2),
    ] == books(desk, ALICE_CROSSED)
    assert [(1, r.HOUSE_REPAY, 3, 3, ID + 1)] == books(desk, r.HOUSE_INTEREST)
    assert [(1, r.HOUSE_LOSS, 40, 40, ID + 2)] == books(desk, r.HOUSE_LOSSES)
    assert [(1, r.HOUSE_LOSS, -40, -40, ID + 2)] == books(desk, r.HOUSE_LOST_DEBT)
    assert [
        (1, r.HOUSE_FUNDING, 5, 5, 0),
        (1, r.HOUSE_CONFISCATED, 37, 42, ID + 2),
        (1, r.HOUSE_COMPENSATE, -4, 38, ID + 2),
        (1, r.HOUSE_LIQUIDATION_FEE, 1, 39, ID + 2),
    ] == books(desk, r.HOUSE_INSURANCE)
    assert "" == first_imbalance(desk.place)


def trades(desk: Desk, first: int, side: int, fees: list[tuple[int, int]]) -> None:
    """Let Alice take as many of Bob's orders as there are fees, in one command."""
    taker = placed(first, ALICE_CROSSED, side=side)
    maker = placed(first + 1, BOB_CROSSED, side=BUY + SELL - side)
    many: list[Traded] = [
        traded(first + 10 + n, taker, maker, 500, 50_000, fee) for n, fee in enumerate(fees)
    ]
    desk.say(taker, maker, *many)


def test_a_command_pays_its_fees_in_one_entry_a_coin(desk: Desk) -> None:
    for n, account in enumerate((ALICE_SPOT, BOB_SPOT)):
        for coin in (0, 1):
            crossed = (ALICE_CROSSED, BOB_CROSSED)[n]
            gone = ID - 10 + 2 * n + coin
            desk.say(Deposited(gone - 10, account, coin, MUCH))
            desk.say(Transferred(gone, account, crossed, coin, MUCH, ""))
    trades(desk, ID, BUY, [(3, 70), (4, 0)])
    trades(desk, ID + 20, SELL, [(5, 6), (0, 0)])
    trades(desk, ID + 40, SELL, [(0, 0)])
    # Of a buy the taker pays in base, the maker in quote.
    listed = books(desk, r.HOUSE_FEES)
    assert [(1, r.HOUSE_FEE, 7, 7, ID + 10), (1, r.HOUSE_FEE, 6, 13, ID + 30)] == [
        row for row in listed if row[0] == 1
    ]
    assert [(0, r.HOUSE_FEE, 70, 70, ID + 10), (0, r.HOUSE_FEE, 5, 75, ID + 30)] == [
        row for row in listed if row[0] == 0
    ]
    assert "" == first_imbalance(desk.place)


def test_balances_run_on_across_a_restart_and_times_are_the_entries(desk: Desk) -> None:
    hour_ms = START_MS - START_MS % HOUR_MS + HOUR_MS
    desk.say(PoolFunded(0, 50))
    # What a late hour brought about has the hour's time, what came after has its own.
    late = hour_ms + HOUR_MS + 5 * 60_000
    turned = [HourTurned(hour_ms + n * HOUR_MS, [0]) for n in (0, 1)]
    desk.say(turned[0], PoolFunded(0, 1), turned[1], at=late)
    desk.say(PoolFunded(0, 2), at=late + 60_000)
    desk.close()
    with Desk(desk.path) as again:
        again.say(PoolFunded(0, 3), at=late + 120_000)
        assert [50, 51, 53, 56] == [row[3] for row in books(again, r.HOUSE_POOL)]

        def within(start_ms: int | None, end_ms: int | None) -> list[int]:
            page = Page(10, None, start_ms, end_ms)
            return [row.delta_units for row in again.reader.house(r.HOUSE_POOL, page)]

        assert [3, 2, 1, 50] == within(None, None)
        assert [3, 2, 1] == within(START_MS + 1, None)
        assert [3, 2] == within(late + 60_000, None)
        assert [2, 1] == within(hour_ms, late + 60_000)
        assert [1] == within(hour_ms, hour_ms)
        assert [] == within(late + 120_001, None)


def test_a_first_imbalance_is_none_of_an_empty_history(tmp_path: Path) -> None:
    with Desk(tmp_path / "empty.sqlite") as desk:
        assert "" == first_imbalance(desk.place)
        assert [] == desk.reader.house(r.HOUSE_POOL, Page())
