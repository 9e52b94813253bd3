"""Pages: nothing left out, nothing twice, times inclusive, newest first."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from lombard.core.commands import SELL
from lombard.core.events import (
    CLOSED_BY_USER,
    Borrowed,
    Deposited,
    Event,
    InterestCharged,
    OrderClosed,
)
from lombard.history.paging import ENDLESS, Page, whole
from lombard.history.reader import Reader
from tests.history.desk import ALICE_CROSSED, ALICE_SPOT, BOB_SPOT, ID, Desk, placed, traded
from tests.history.streams import FIRST_USER, START_MS, Stream

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
Listing = Callable[[Reader, Page], list[Any]]
# How each listing is read, and what its rows are paged and dated by.
LISTINGS: dict[str, tuple[Listing, str, str]] = {
    "orders": (lambda r, p: r.closed_orders(ALICE_CROSSED, p), "order_id", "created_ms"),
    "orders of a pair": (
        lambda r, p: r.closed_orders(ALICE_CROSSED, p, 1),
        "order_id",
        "created_ms",
    ),
    "fills": (lambda r, p: r.fills(ALICE_CROSSED, p), "trade_id", "time_ms"),
    "fills of a pair": (lambda r, p: r.fills(ALICE_CROSSED, p, 2), "trade_id", "time_ms"),
    "trades": (lambda r, p: r.trades(0, p), "trade_id", "time_ms"),
    "borrows": (lambda r, p: r.borrows(ALICE_CROSSED, p), "loan_id", "time_ms"),
    "repayments": (lambda r, p: r.repayments(ALICE_CROSSED, p), "repay_id", "time_ms"),
    "interest": (lambda r, p: r.interest(ALICE_CROSSED, p), "interest_id", "time_ms"),
    "transfers": (lambda r, p: r.transfers(FIRST_USER, p), "transfer_id", "time_ms"),
    "deposits": (lambda r, p: r.deposits(ALICE_CROSSED, p), "deposit_id", "time_ms"),
    "ledger": (lambda r, p: r.ledger(ALICE_CROSSED, p), "ledger_id", "time_ms"),
    "ledger of a coin": (lambda r, p: r.ledger(ALICE_CROSSED, p, 0), "ledger_id", "time_ms"),
    "liquidations": (
        lambda r, p: r.liquidations(ALICE_CROSSED, p),
        "liquidation_id",
        "started_ms",
    ),
    "margin calls": (lambda r, p: r.margin_calls(ALICE_CROSSED, p), "seq", "time_ms"),
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A history of some hours."""
    with Desk(tmp_path_factory.mktemp("lived") / "history.sqlite") as desk:
        desk.feed(islice(Stream(7, users=4, step_ms=6_000), 4_000))
        yield desk


@pytest.mark.parametrize("name", LISTINGS)
def test_pages_together_are_the_whole(lived: Desk, name: str) -> None:
    listing, id_name, _ = LISTINGS[name]
    everything = listing(lived.reader, Page(1_000))
    assert len(everything) > 3
    ids = [getattr(row, id_name) for row in everything]
    assert sorted(ids, reverse=True) == ids

    collected: list[Any] = []
    before_id = None
    while page := listing(lived.reader, Page(7, before_id)):
        collected += page
        before_id = getattr(page[-1], id_name)
    assert everything == collected


@pytest.mark.parametrize("name", LISTINGS)
def test_times_are_inclusive_and_exact(lived: Desk, name: str) -> None:
    listing, _, time_name = LISTINGS[name]
    everything = listing(lived.reader, Page(1_000))
    times = [getattr(row, time_name) for row in everything]
    assert sorted(times, reverse=True) == times

    picks = sorted({times[len(times) * n // 9] for n in range(9)} | {times[-1]})
    for start in picks:
        for end in (start, start + 1, start + HOUR_MS, picks[-1]):
            expected = [row for row in everything if start <= getattr(row, time_name) <= end]
            assert expected == listing(lived.reader, Page(1_000, None, start, end))
        expected = [row for row in everything if getattr(row, time_name) > start]
        assert expected == listing(lived.reader, Page(1_000, None, start + 1))
        expected = [row for row in everything if getattr(row, time_name) < start]
        assert expected == listing(lived.reader, Page(1_000, None, None, start - 1))


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize("asked", [-1, 0, ENDLESS, 10**30])
def test_any_number_may_be_asked_for(lived: Desk, name: str, asked: int) -> None:
    listing, _, _ = LISTINGS[name]
    everything = listing(lived.reader, Page(20))
    reaches_all = asked > 0

    assert (everything if reaches_all else []) == listing(lived.reader, Page(20, asked))
    assert ([] if reaches_all else everything) == listing(lived.reader, Page(20, None, asked))
    assert (everything if reaches_all else []) == listing(lived.reader, Page(20, None, None, asked))


@pytest.mark.parametrize("asked", [-1, 0, ENDLESS, 10**30, -(10**30)])
def test_any_id_may_be_asked_for(lived: Desk, asked: int) -> None:
    reader, account = lived.reader, ALICE_CROSSED
    assert reader.order(account, asked) is None
    assert reader.liquidation(account, asked) is None
    for found in (
        reader.closed_orders(account, Page(), order_id=asked),
        reader.fills(account, Page(), order_id=asked),
        reader.borrows(account, Page(), loan_id=asked),
        reader.repayments(account, Page(), repay_id=asked),
    ):
        assert found == []


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_limit_out_of_range_is_a_fault_of_the_caller(desk: Desk, limit: int) -> None:
    asks: list[Callable[[], object]] = [
        lambda: desk.reader.trades(0, Page(limit)),
        lambda: desk.reader.margin_calls(ALICE_SPOT, Page(limit)),
        lambda: desk.reader.candles(0, "1min", START_MS, limit=limit),
        lambda: desk.reader.rates(0, limit=limit),
    ]
    for ask in asks:
        with pytest.raises(AssertionError, match="Refused: limit"):
            ask()


def test_fills_of_an_order_are_found_wherever_they_are(lived: Desk) -> None:
    fills = lived.reader.fills(ALICE_CROSSED, Page(1_000))
    for order_id in {fill.order_id for fill in fills}:
        expected = [fill for fill in fills if fill.order_id == order_id]
        assert expected == lived.reader.fills(ALICE_CROSSED, Page(1_000), None, order_id)


def test_orders_are_found_by_client_oid(lived: Desk) -> None:
    everything = lived.reader.closed_orders(ALICE_CROSSED, Page(1_000))
    named = [row for row in everything if row.client_oid]
    assert named
    for row in named[:20]:
        assert [row] == lived.reader.closed_orders(ALICE_CROSSED, Page(), client_oid=row.client_oid)
        assert [row] == lived.reader.closed_orders(ALICE_CROSSED, Page(), order_id=row.order_id)
        other = 1 + row.pair
        assert [] == lived.reader.closed_orders(
            ALICE_CROSSED, Page(), other, client_oid=row.client_oid
        )


def test_the_newest_of_orders_with_one_client_oid(desk: Desk) -> None:
    for n in (1, 2):
        order = placed(ID + n, pair=n, client_oid="again")
        desk.say(order, OrderClosed(ID + n, ALICE_SPOT, n, CLOSED_BY_USER))

    newest = desk.reader.order_by_client_oid(ALICE_SPOT, "again")
    assert newest is not None
    assert ID + 2 == newest.order_id
    page = desk.reader.closed_orders(ALICE_SPOT, Page(), client_oid="again")
    assert [ID + 2, ID + 1] == [row.order_id for row in page]


def test_receipts_that_share_an_id_stay_on_one_page(desk: Desk) -> None:
    hours = [START_MS - START_MS % HOUR_MS + n * HOUR_MS for n in range(1, 4)]
    receipts: list[Event] = [
        InterestCharged(ID + n, ALICE_CROSSED, coin, hour_ms, False, 1, 1, 1)
        for n, hour_ms in enumerate(hours)
        for coin in range(3)
    ]
    desk.say(*receipts, at=hours[-1])

    pages = [desk.reader.interest(ALICE_CROSSED, Page(2, ID + n)) for n in (3, 2, 1, 0)]
    assert [[(ID + n, coin) for coin in (2, 1, 0)] for n in (2, 1, 0)] + [[]] == [
        [(row.interest_id, row.coin) for row in page] for page in pages
    ]


def test_receipts_written_late_are_found_by_their_hour(desk: Desk) -> None:
    """An hour's ids are set aside at its turn; the receipts come when the loan is touched."""
    hour_ms = START_MS - START_MS % HOUR_MS + HOUR_MS
    second_ms = hour_ms + HOUR_MS

    def receipts(coin: int) -> list[Event]:
        # At both turns three ids were set aside, from ID + 10 and ID + 20, one for each coin.
        return [
            InterestCharged(ID + 10 * n + coin, ALICE_CROSSED, coin, turn_ms, False, 1, 10, 1)
            for n, turn_ms in ((1, hour_ms), (2, second_ms))
        ]

    desk.say(
        Borrowed(ID + 1, ALICE_CROSSED, 0, 10, False, ""),
        InterestCharged(ID + 1, ALICE_CROSSED, 0, START_MS, True, 1, 10, 1),
    )
    # Others act right after the turns.
    desk.say(Deposited(ID + 13, BOB_SPOT, 0, 1), at=hour_ms + 1)
    desk.say(Deposited(ID + 23, BOB_SPOT, 0, 1), at=second_ms + 1)
    # The coin whose ids come first is touched last.
    desk.say(*receipts(2), at=second_ms + 5)
    desk.say(*receipts(0), at=second_ms + 6)

    def found(start_ms: int, end_ms: int) -> list[int]:
        page = Page(10, None, start_ms, end_ms)
        return [row.interest_id - ID for row in desk.reader.interest(ALICE_CROSSED, page)]

    assert [22, 20, 12, 10, 1] == found(START_MS, second_ms)
    assert [12, 10] == found(hour_ms, hour_ms)
    assert [22, 20] == found(hour_ms + 1, second_ms)
    assert [12, 10] == found(START_MS + 1, second_ms - 1)
    assert [1] == found(0, hour_ms - 1)


def test_an_isolated_account_needs_no_look_at_its_pairs(desk: Desk) -> None:
    isolated = ALICE_CROSSED + 2
    maker, taker = placed(ID + 1, isolated, pair=1, side=SELL), placed(ID + 2, isolated, pair=1)
    desk.say(Deposited(ID - 1, isolated, 0, 10**6), Deposited(ID, isolated, 2, 10**6))
    desk.say(maker, taker, traded(ID + 3, taker, maker))

    assert len(desk.reader.fills(isolated, Page())) == 2


@pytest.mark.parametrize(
    ("rows", "limit", "page"),
    [
        ("", 2, ""),
        ("ab", 2, "ab"),
        ("abc", 2, "ab"),
        ("abb", 2, "abb"),
        ("abbbc", 2, "abbb"),
        ("aab", 1, "aa"),
    ],
)
def test_a_page_ends_between_ids(rows: str, limit: int, page: str) -> None:
    assert list(page) == whole(list(rows), lambda row: row, limit)
