"""The ledger: what each event changed in whose holding, and what was there after it."""

import pytest

from lombard.core.commands import BUY, SELL, account_id
from lombard.core.events import (
    CLOSED_FILLED,
    REPAY_MANUAL,
    Borrowed,
    Deposited,
    Event,
    FundPaid,
    FundTook,
    LiquidationFeePaid,
    LiquidationStarted,
    LossBooked,
    OrderClosed,
    Repaid,
    Transferred,
    Withdrawn,
)
from lombard.history import rows as r
from lombard.history.faults import HistoryFailed
from lombard.history.paging import Page
from tests.history.desk import (
    ALICE_CROSSED,
    ALICE_SPOT,
    BOB_SPOT,
    ID,
    Desk,
    placed,
    traded,
)
from tests.history.streams import START_MS

PAGE = Page()
# What passes 63 bits: PEPE, and then some.
HUGE = 2 * 10**19


def postings(desk: Desk, account: int, coin: int | None = None) -> list[tuple[int, ...]]:
    """Give kind, change, fee, balance and reference of an account's rows, newest first."""
    return [
        (row.kind, row.delta_units, row.fee_units, row.balance_units, row.reference_id)
        for row in desk.reader.ledger(account, PAGE, coin)
    ]


def fund(desk: Desk, account: int, coin: int, units: int) -> None:
    desk.say(Deposited(ID - 1 - desk.seq, account, coin, units))


@pytest.mark.parametrize(
    ("event", "account", "row"),
    [
        (Deposited(7, ALICE_SPOT, 0, 5), ALICE_SPOT, (r.LEDGER_DEPOSIT, 5, 0, 105, 7)),
        (Withdrawn(7, ALICE_SPOT, 0, 5), ALICE_SPOT, (r.LEDGER_WITHDRAWAL, -5, 0, 95, 7)),
        (
            Transferred(7, ALICE_SPOT, ALICE_CROSSED, 0, 5, ""),
            ALICE_SPOT,
            (r.LEDGER_TRANSFER_OUT, -5, 0, 95, 7),
        ),
        (
            Transferred(7, ALICE_SPOT, ALICE_CROSSED, 0, 5, ""),
            ALICE_CROSSED,
            (r.LEDGER_TRANSFER_IN, 5, 0, 105, 7),
        ),
        (
            Borrowed(7, ALICE_CROSSED, 0, 5, True, ""),
            ALICE_CROSSED,
            (r.LEDGER_BORROW, 5, 0, 105, 7),
        ),
        (
            Repaid(7, ALICE_CROSSED, 0, 2, 5, REPAY_MANUAL, 0),
            ALICE_CROSSED,
            (r.LEDGER_REPAY, -7, 0, 93, 7),
        ),
        (FundPaid(9, ALICE_CROSSED, 0, 5), ALICE_CROSSED, (r.LEDGER_COMPENSATE, 5, 0, 105, 9)),
        (FundTook(9, ALICE_CROSSED, 0, 5), ALICE_CROSSED, (r.LEDGER_CONFISCATED, -5, 0, 95, 9)),
        (
            LiquidationFeePaid(9, ALICE_CROSSED, 0, 5),
            ALICE_CROSSED,
            (r.LEDGER_LIQUIDATION_FEE, -5, 0, 95, 9),
        ),
    ],
)
def test_an_event_posts(desk: Desk, event: Event, account: int, row: tuple[int, ...]) -> None:
    fund(desk, ALICE_SPOT, 0, 100)
    fund(desk, ALICE_CROSSED, 0, 100)
    desk.say(LiquidationStarted(9, ALICE_CROSSED, 1, 1, 1))

    desk.say(event)

    assert row == postings(desk, account)[0]
    assert len(postings(desk, account)) == 2


def test_a_loss_changes_no_holding(desk: Desk) -> None:
    desk.say(LiquidationStarted(9, ALICE_CROSSED, 1, 1, 1))
    desk.say(LossBooked(9, ALICE_CROSSED, 0, 5, 5))
    assert [] == postings(desk, ALICE_CROSSED)


@pytest.mark.parametrize("taker_side", [BUY, SELL])
def test_a_trade_posts_four_times(desk: Desk, taker_side: int) -> None:
    for account in (ALICE_SPOT, BOB_SPOT):
        for coin in (0, 1):
            fund(desk, account, coin, 1_000)
    taker = placed(ID + 1, ALICE_SPOT, side=taker_side)
    maker = placed(ID + 2, BOB_SPOT, side=BUY + SELL - taker_side)
    desk.say(taker, maker, traded(ID + 3, taker, maker, 10, 500, fees=(1, 2)))

    buyer, seller = (ALICE_SPOT, BOB_SPOT) if taker_side == BUY else (BOB_SPOT, ALICE_SPOT)
    base_fee, quote_fee = (1, 2) if taker_side == BUY else (2, 1)
    trade = ID + 3
    assert (r.LEDGER_BUY_IN, 10 - base_fee, base_fee, 1_010 - base_fee, trade) == postings(
        desk, buyer, 1
    )[0]
    assert (r.LEDGER_BUY_OUT, -500, 0, 500, trade) == postings(desk, buyer, 0)[0]
    assert (r.LEDGER_SELL_OUT, -10, 0, 990, trade) == postings(desk, seller, 1)[0]
    assert (r.LEDGER_SELL_IN, 500 - quote_fee, quote_fee, 1_500 - quote_fee, trade) == postings(
        desk, seller, 0
    )[0]


def test_balances_of_any_size_run_on_across_a_restart(desk: Desk) -> None:
    other = account_id(1_000_009, 0)
    for n in range(3):
        desk.say(Deposited(ID + n, ALICE_SPOT, 2, HUGE), Deposited(ID + 10 + n, other, 2, 1))
    desk.close()

    with Desk(desk.path) as again:
        again.say(Transferred(ID + 20, ALICE_SPOT, ALICE_CROSSED, 2, 3 * HUGE - 1, ""))

        assert (r.LEDGER_TRANSFER_OUT, 1 - 3 * HUGE, 0, 1, ID + 20) == postings(again, ALICE_SPOT)[
            0
        ]
        assert [HUGE, 2 * HUGE, 3 * HUGE, 1] == [
            row[3] for row in reversed(postings(again, ALICE_SPOT))
        ]
        assert [3 * HUGE - 1] == [row[3] for row in postings(again, ALICE_CROSSED)]
        assert [3, 2, 1] == [row[3] for row in postings(again, other)]


def test_numbers_of_any_size_are_kept_to_the_last_digit(desk: Desk) -> None:
    price, size = 10**24 + 1, 10**23 + 7
    quote_units = price * size
    fund(desk, ALICE_SPOT, 0, quote_units)
    fund(desk, BOB_SPOT, 1, size)
    maker = placed(ID + 1, BOB_SPOT, side=SELL, price_ticks=price, size_steps=size)
    taker = placed(ID + 2, ALICE_SPOT, price_ticks=price, size_steps=size)
    desk.say(maker, taker, traded(ID + 3, taker, maker, size, quote_units, fees=(0, 0)))
    desk.say(OrderClosed(ID + 1, BOB_SPOT, 0, CLOSED_FILLED))

    order = desk.reader.order(BOB_SPOT, ID + 1)
    assert order is not None
    assert (price, size) == (order.price_ticks, order.size_steps)
    assert (size, quote_units) == (order.base_units, order.quote_units)
    (candle,) = desk.reader.candles(0, "1min", START_MS)
    assert (price, quote_units) == (candle.high_ticks, candle.quote_units)
    assert quote_units == postings(desk, BOB_SPOT, 0)[0][3]


def test_rows_are_numbered_in_order_and_carry_their_command(desk: Desk) -> None:
    fund(desk, ALICE_SPOT, 0, 10)
    desk.say()
    desk.say(Transferred(ID + 1, ALICE_SPOT, ALICE_CROSSED, 0, 4, ""))

    (inward,) = desk.reader.ledger(ALICE_CROSSED, PAGE)
    outward, deposited = desk.reader.ledger(ALICE_SPOT, PAGE)
    assert [ID, ID + 1, ID + 2] == [row.ledger_id for row in (deposited, outward, inward)]
    assert [1, 3, 3] == [row.seq for row in (deposited, outward, inward)]
    assert [outward] == desk.reader.ledger(ALICE_SPOT, PAGE, kinds=[r.LEDGER_TRANSFER_OUT])
    assert [] == desk.reader.ledger(ALICE_SPOT, PAGE, kinds=[])
    assert [] == desk.reader.ledger(ALICE_SPOT, PAGE, coin=1)


def test_within_a_command_money_may_be_spent_before_it_comes(desk: Desk) -> None:
    desk.say(
        Transferred(ID + 1, ALICE_SPOT, ALICE_CROSSED, 0, 4, ""),
        Deposited(ID + 2, ALICE_SPOT, 0, 4),
    )
    assert [0, -4] == [row[3] for row in postings(desk, ALICE_SPOT)]


def test_a_holding_below_zero_stops_history(desk: Desk) -> None:
    desk.projector.submit(1, START_MS, [Transferred(ID, ALICE_SPOT, ALICE_CROSSED, 0, 4, "")])
    with pytest.raises(HistoryFailed):
        desk.projector.wait_blocking(1, 10)
    assert [f"Invariant: account {ALICE_SPOT} holds -4 of coin 0"] == list(map(str, desk.failures))
    desk.failures.clear()
