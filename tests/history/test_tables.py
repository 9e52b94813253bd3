"""Each event, and the row it becomes."""

import pytest

from lombard.core.commands import SELL, SOURCE_SYSTEM
from lombard.core.events import (
    CLOSED_BY_USER,
    CLOSED_FILLED,
    CLOSED_UNFILLED,
    REPAY_AUTO,
    REPAY_LIQUIDATION,
    Borrowed,
    CampaignCreated,
    CouponClaimed,
    CouponEnded,
    CouponGranted,
    CouponRetired,
    CouponsDrawn,
    CouponStarted,
    Deposited,
    DrawEntered,
    FundPaid,
    FundTook,
    HourTurned,
    IndexPricesSet,
    InterestCharged,
    LeverageSet,
    LiquidationFeePaid,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationStepped,
    LossBooked,
    MarginCalled,
    MoveDecided,
    MoveProposed,
    OrderClosed,
    RateModelSet,
    RateSet,
    Repaid,
    Transferred,
    UserAdded,
    VenueChanged,
)
from lombard.history import rows as r
from lombard.history.paging import Page
from lombard.history.schema import FORMAT
from tests.history.desk import (
    ALICE,
    ALICE_CROSSED,
    ALICE_SPOT,
    BOB,
    BOB_SPOT,
    ID,
    Desk,
    dump,
    placed,
    traded,
)
from tests.history.streams import START_MS

HOUR_MS = 3_600_000
PAGE = Page()


def funded(desk: Desk) -> None:
    """Give both enough of everything."""
    both = (ALICE_SPOT, BOB_SPOT, ALICE_CROSSED)
    desk.say(
        *(
            Deposited(n * 10 + coin, account, coin, 10**9)
            for n, account in enumerate(both, 1)
            for coin in (0, 1)
        )
    )


def test_an_order_is_recorded_as_it_stands(desk: Desk) -> None:
    order = placed(ID + 1, price_ticks=101, size_steps=7, client_oid="mine")
    desk.say(order, at=START_MS + 5)

    expected = r.OrderRow(
        order_id=ID + 1,
        account=ALICE_SPOT,
        pair=0,
        side=0,
        kind=0,
        force=0,
        loan_type=0,
        stp=0,
        source=0,
        client_oid="mine",
        price_ticks=101,
        size_steps=7,
        budget_units=0,
        status=r.STATUS_LIVE,
        reason=r.REASON_OPEN,
        base_units=0,
        quote_units=0,
        fee_units=0,
        created_ms=START_MS + 5,
        updated_ms=START_MS + 5,
    )
    assert expected == desk.reader.order(ALICE_SPOT, ID + 1)
    assert expected == desk.reader.order_by_client_oid(ALICE_SPOT, "mine")
    assert desk.reader.order(BOB_SPOT, ID + 1) is None, "nobody sees another's order"
    assert desk.reader.order_by_client_oid(BOB_SPOT, "mine") is None
    assert desk.reader.order_by_client_oid(ALICE_SPOT, "") is None
    assert desk.reader.closed_orders(ALICE_SPOT, PAGE) == []


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (CLOSED_FILLED, r.STATUS_FILLED),
        (CLOSED_BY_USER, r.STATUS_CANCELLED),
        (CLOSED_UNFILLED, r.STATUS_CANCELLED),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_an_order_closes(desk: Desk, reason: int, status: int, apart: bool) -> None:
    order, closed = placed(ID + 1), OrderClosed(ID + 1, ALICE_SPOT, 0, reason)
    if apart:
        desk.say(order)
        desk.say(closed, at=START_MS + 9)
    else:
        desk.say(order, closed, at=START_MS + 9)

    (row,) = desk.reader.closed_orders(ALICE_SPOT, PAGE)
    assert (status, reason, START_MS + 9) == (row.status, row.reason, row.updated_ms)
    assert (row.created_ms == START_MS) is apart


def test_a_trade_is_two_fills_and_one_public_trade(desk: Desk) -> None:
    funded(desk)
    maker = placed(ID + 100, BOB_SPOT, side=SELL, price_ticks=99)
    taker = placed(ID + 101, ALICE_SPOT, price_ticks=100)
    desk.say(maker)
    desk.say(taker, traded(ID + 102, taker, maker), at=START_MS + 1)

    (bought,) = desk.reader.fills(ALICE_SPOT, PAGE)
    (sold,) = desk.reader.fills(BOB_SPOT, PAGE)
    same = {"trade_id": ID + 102, "pair": 0, "kind": 0, "source": 0, "price_ticks": 99}
    same |= {"base_units": 500, "quote_units": 50_000, "time_ms": START_MS + 1}
    for row, order_id, account, side, role, fee in (
        (bought, ID + 101, ALICE_SPOT, 0, r.ROLE_TAKER, 3),
        (sold, ID + 100, BOB_SPOT, 1, r.ROLE_MAKER, 70),
    ):
        own = {"order_id": order_id, "account": account, "side": side, "role": role}
        own |= {"fill_id": 2 * (ID + 102) + role, "fee_units": fee}
        assert same | own == {name: getattr(row, name) for name in row.__struct_fields__}
    public = r.TradeRow(ID + 102, 0, 99, 500, 50_000, START_MS + 1)
    assert [public] == desk.reader.trades(0, PAGE)
    assert desk.reader.trades(1, PAGE) == []

    for account, order_id, fee in ((ALICE_SPOT, ID + 101, 3), (BOB_SPOT, ID + 100, 70)):
        order = desk.reader.order(account, order_id)
        assert order is not None
        assert order.status == r.STATUS_PARTIALLY_FILLED
        assert (500, 50_000, fee) == (order.base_units, order.quote_units, order.fee_units)
        assert [order_id] == [f.order_id for f in desk.reader.fills(account, PAGE, 0, order_id)]
    assert desk.reader.fills(ALICE_SPOT, PAGE, None, ID + 100) == [], "the order is another's"
    assert desk.reader.fills(ALICE_SPOT, PAGE, 1, ID + 101) == [], "the order is on another pair"


def test_a_trade_with_oneself_shows_both_sides(desk: Desk) -> None:
    funded(desk)
    maker, taker = placed(ID + 100, side=SELL), placed(ID + 101)
    desk.say(maker, taker, traded(ID + 102, taker, maker))

    for limit in (1, 2):
        page = desk.reader.fills(ALICE_SPOT, Page(limit))
        assert [r.ROLE_MAKER, r.ROLE_TAKER] == [row.role for row in page]
    assert len(desk.reader.trades(0, PAGE)) == 1


def test_what_is_lent_charged_and_repaid(desk: Desk) -> None:
    desk.say(
        Borrowed(ID + 1, ALICE_CROSSED, 1, 4 * 10**8, False, "b-1"),
        InterestCharged(ID + 1, ALICE_CROSSED, 1, START_MS, True, 41 * 10**7, 4 * 10**8, 6833),
    )
    hour_ms = START_MS - START_MS % HOUR_MS + HOUR_MS
    desk.say(
        InterestCharged(ID + 2, ALICE_CROSSED, 1, hour_ms, False, 42 * 10**7, 4 * 10**8, 7000),
        Repaid(ID + 3, ALICE_CROSSED, 1, 13_833, 10**8, REPAY_AUTO, 3 * 10**8),
        at=hour_ms + 10,
    )

    borrowed = r.BorrowRow(ID + 1, ALICE_CROSSED, 1, 4 * 10**8, False, "b-1", START_MS)
    repaid = r.RepaymentRow(
        ALICE_CROSSED, ID + 3, 1, 13_833, 10**8, 3 * 10**8, REPAY_AUTO, hour_ms + 10
    )
    receipts = [
        r.InterestRow(ALICE_CROSSED, ID + 2, 1, False, 42 * 10**7, 4 * 10**8, 7000, hour_ms),
        r.InterestRow(ALICE_CROSSED, ID + 1, 1, True, 41 * 10**7, 4 * 10**8, 6833, START_MS),
    ]
    reader = desk.reader
    assert [borrowed] == reader.borrows(ALICE_CROSSED, PAGE)
    assert [borrowed] == reader.borrows(ALICE_CROSSED, PAGE, 1, ID + 1)
    assert [] == reader.borrows(ALICE_CROSSED, PAGE, 0)
    assert [] == reader.borrows(ALICE_CROSSED, PAGE, None, ID + 2)
    assert [repaid] == reader.repayments(ALICE_CROSSED, PAGE)
    assert [repaid] == reader.repayments(ALICE_CROSSED, PAGE, 1, ID + 3)
    assert [] == reader.repayments(ALICE_CROSSED, PAGE, 0)
    assert [] == reader.repayments(ALICE_CROSSED, PAGE, 1, ID + 1)
    assert receipts == reader.interest(ALICE_CROSSED, PAGE)
    assert receipts == reader.interest(ALICE_CROSSED, PAGE, 1)
    assert [] == reader.interest(ALICE_CROSSED, PAGE, 0)
    assert receipts[:1] == reader.interest(ALICE_CROSSED, Page(start_ms=hour_ms))
    assert receipts[1:] == reader.interest(ALICE_CROSSED, Page(end_ms=hour_ms - 1))
    assert [] == reader.interest(ALICE_SPOT, PAGE)


def test_what_operators_asked_each_other_for(desk: Desk) -> None:
    desk.say(MoveProposed(ID + 1, 1, 2, ALICE, 0, 10**25), at=START_MS)
    desk.say(MoveProposed(ID + 2, 2, 5, 0, 1, 7), at=START_MS + 1)
    desk.say(MoveProposed(ID + 3, 2, 5, 0, 1, 8), at=START_MS + 2)
    desk.say(MoveDecided(ID + 2, 2, False), at=START_MS + 3)
    desk.say(MoveDecided(ID + 1, 2, True), at=START_MS + 4)

    first = r.DecidedMoveRow(ID + 1, 1, 2, ALICE, 0, 10**25, START_MS, 2, True, START_MS + 4)
    second = r.DecidedMoveRow(ID + 2, 2, 5, 0, 1, 7, START_MS + 1, 2, False, START_MS + 3)
    reader = desk.reader
    # The third waits still.
    assert [second, first] == reader.decided_moves(PAGE)
    assert [second] == reader.decided_moves(Page(1))
    assert [first] == reader.decided_moves(Page(1, second.proposal_id))
    assert [first] == reader.decided_moves(Page(end_ms=START_MS))
    assert [second] == reader.decided_moves(Page(start_ms=START_MS + 1))


def test_what_is_deposited_and_transferred(desk: Desk) -> None:
    desk.say(Deposited(ID + 1, ALICE_SPOT, 0, 900), at=START_MS)
    desk.say(Transferred(ID + 2, ALICE_SPOT, ALICE_CROSSED, 0, 400, "t-1"), at=START_MS + 1)

    deposit = r.DepositRow(ID + 1, ALICE_SPOT, 0, 900, START_MS)
    moved = r.TransferRow(ID + 2, ALICE, ALICE_SPOT, ALICE_CROSSED, 0, 400, "t-1", START_MS + 1)
    reader = desk.reader
    assert [deposit] == reader.deposits(ALICE_SPOT, PAGE)
    assert [] == reader.deposits(ALICE_SPOT, PAGE, 1)
    assert [moved] == reader.transfers(ALICE, PAGE)
    assert [moved] == reader.transfers(ALICE, PAGE, 0, (ALICE_SPOT, ALICE_SPOT), "t-1")
    assert [] == reader.transfers(ALICE, PAGE, 1)
    assert [] == reader.transfers(ALICE, PAGE, 0, (ALICE_CROSSED, ALICE_CROSSED))
    assert [] == reader.transfers(ALICE, PAGE, client_oid="t-2")
    assert [] == reader.transfers(ALICE, PAGE, offset=1)
    assert [] == reader.transfers(BOB, PAGE)


def test_a_liquidation_is_one_record_with_every_step(desk: Desk) -> None:
    account = ALICE_CROSSED
    desk.say(Deposited(ID + 1, account, 0, 1000), Deposited(ID + 2, account, 1, 1000))
    desk.say(LiquidationStarted(ID + 3, account, 1_100_000, 10**20, 9 * 10**19), at=START_MS + 1)
    prices = [(0, 10**12), (1, 3 * 10**22)]
    order = placed(ID + 4, account, side=SELL, source=SOURCE_SYSTEM)
    desk.say(
        order,
        OrderClosed(ID + 4, account, 0, CLOSED_UNFILLED),
        Repaid(ID + 5, account, 0, 1, 9, REPAY_LIQUIDATION, 90),
        LiquidationStepped(ID + 3, account, 1, "sell", 1, 0, ID + 4, prices, 1_100_000, 990_000),
        at=START_MS + 2,
    )
    running = desk.reader.liquidation(account, ID + 3)
    assert running is not None
    assert running.summary.finished_ms == 0
    desk.say(
        FundPaid(ID + 3, account, 0, 40),
        FundTook(ID + 3, account, 1, 50),
        LossBooked(ID + 3, account, 0, 7, 2),
        LiquidationStepped(ID + 3, account, 2, "takeover", 0, 0, 0, prices, 990_000, 0),
        LiquidationFeePaid(ID + 3, account, 0, 6),
        LiquidationFinished(ID + 3, account, 10**30, 12 * 10**8),
        at=START_MS + 3,
    )

    record = desk.reader.liquidation(account, ID + 3)
    times = (START_MS + 2, START_MS + 3)
    summary = r.LiquidationRow(
        ID + 3,
        account,
        START_MS + 1,
        1_100_000,
        10**20,
        9 * 10**19,
        times[1],
        10**30,
        12 * 10**8,
    )
    step = r.LiquidationStepRow
    entry = r.LiquidationEntryRow
    one = ID + 3
    assert record == r.LiquidationRecord(
        summary,
        [
            step(one, 1, account, "sell", 1, 0, ID + 4, prices, 1_100_000, 990_000, times[0]),
            step(one, 2, account, "takeover", 0, 0, 0, prices, 990_000, 0, times[1]),
        ],
        [
            entry(one, 0, 1, r.ENTRY_REPAID, 0, 9, 1, ID + 5, times[0]),
            entry(one, 1, 2, r.ENTRY_FUND_PAID, 0, 40, 0, 0, times[1]),
            entry(one, 2, 2, r.ENTRY_FUND_TOOK, 1, 50, 0, 0, times[1]),
            entry(one, 3, 2, r.ENTRY_LOSS, 0, 7, 2, 0, times[1]),
            entry(one, 4, 3, r.ENTRY_FEE, 0, 6, 0, 0, times[1]),
        ],
    )
    assert [summary] == desk.reader.liquidations(account, PAGE)
    assert desk.reader.liquidation(BOB_SPOT, ID + 3) is None
    (sold,) = desk.reader.system_orders(account, PAGE)
    assert sold.order_id == ID + 4
    assert [sold] == desk.reader.system_orders(account, PAGE, 0)
    assert [sold] == desk.reader.closed_orders(account, PAGE, source=SOURCE_SYSTEM)
    assert [] == desk.reader.system_orders(account, PAGE, 1)


def test_margin_calls_and_rates(desk: Desk) -> None:
    hour_ms = START_MS - START_MS % HOUR_MS
    desk.say(MarginCalled(ALICE_CROSSED, 810_000), MarginCalled(BOB_SPOT, 1), at=START_MS)
    desk.say(HourTurned(hour_ms, [5, 6]), RateSet(1, 9, hour_ms + HOUR_MS), at=START_MS + 1)
    desk.say(HourTurned(hour_ms + HOUR_MS, [5, 9]))
    desk.say(HourTurned(hour_ms + 2 * HOUR_MS, [5, 9]))
    desk.say(HourTurned(hour_ms + 3 * HOUR_MS, [5, 10**20]))

    reader = desk.reader
    assert [r.MarginCallRow(ALICE_CROSSED, 1, 0, 810_000, START_MS)] == reader.margin_calls(
        ALICE_CROSSED, PAGE
    )
    assert [] == reader.margin_calls(ALICE_CROSSED, Page(start_ms=START_MS + 1))
    assert [] == reader.margin_calls(ALICE_CROSSED, Page(end_ms=START_MS - 1))
    assert [] == reader.margin_calls(ALICE_CROSSED, Page(before_id=1))
    changes = [
        r.RateRow(1, hour_ms + 3 * HOUR_MS, 10**20),
        r.RateRow(1, hour_ms + HOUR_MS, 9),
        r.RateRow(1, hour_ms, 6),
    ]
    assert [r.RateRow(0, hour_ms, 5)] == reader.rates(0)
    assert changes == reader.rates(1)
    assert changes[:2] == reader.rates(1, hour_ms + 2 * HOUR_MS)
    assert changes[2:] == reader.rates(1, end_ms=hour_ms + 10)
    assert changes[:1] == reader.rates(1, limit=1)


def test_a_coupon_is_written_down_when_the_venue_lets_go_of_it(desk: Desk) -> None:
    used = CouponRetired(ID + 1, ID, ALICE, START_MS, START_MS + 1, START_MS + 9, ALICE_CROSSED)
    desk.say(used, CouponRetired(ID + 2, ID, BOB, -1, -1, -1, 0))
    desk.say(CouponRetired(ID + 4, ID + 3, ALICE, -1, -1, -1, 0))

    never = r.CouponRow(ID + 4, ID + 3, ALICE, -1, -1, -1, 0)
    first = r.CouponRow(ID + 1, ID, ALICE, START_MS, START_MS + 1, START_MS + 9, ALICE_CROSSED)
    assert [never, first] == desk.reader.retired_coupons(ALICE, 5)
    assert [never] == desk.reader.retired_coupons(ALICE, 1)


def test_events_that_are_nobodys_history_leave_no_rows(desk: Desk) -> None:
    desk.say(
        UserAdded(ALICE),
        VenueChanged("coin", "BTC"),
        IndexPricesSet([(0, 1)]),
        LeverageSet(ALICE_CROSSED, 3),
        RateModelSet(0, 1, 1, 1, 1, 0, START_MS),
        CampaignCreated(ID, "May"),
        DrawEntered(ID, [ALICE]),
        CouponsDrawn(ID, "00", 1, "ff"),
        CouponGranted(ID + 1, ID, ALICE),
        CouponClaimed(ID + 1, ID, ALICE),
        CouponStarted(ID + 1, ALICE_CROSSED, START_MS, START_MS + 1),
        CouponEnded(ID + 1, ALICE_CROSSED, START_MS),
    )
    desk.say()

    content = dump(desk.path)
    assert [(1, FORMAT, 2, START_MS, ID, "", 0)] == content.pop("meta")
    assert {name: [] for name in content} == content
