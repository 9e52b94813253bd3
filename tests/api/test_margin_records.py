"""What happened in a margin account, over the wire: loans, receipts, liquidations, the ledger."""

from pathlib import Path

import pytest

from lombard.api.margin_records import merge_interest
from lombard.core.events import InterestCharged
from lombard.history.paging import Page
from lombard.history.rows import InterestRow
from tests.api.house import START_MS, Client, OpenStreet, Street, fault_in, run, street

CROSSED = "/api/v2/margin/crossed"
ISOLATED = "/api/v2/margin/isolated"
SINCE = {"startTime": START_MS - 1_000}
HOUR = 3_600_000
EMPTY = {"resultList": [], "maxId": "0", "minId": "0"}


async def debtor(place: Street, mode: str, funds: str, borrowed: str) -> tuple[Client, str]:
    """Admit a user who has borrowed; returns the loan's id."""
    client = await place.client(USDT=funds)
    to_type = "crossed_margin" if mode == CROSSED else "isolated_margin"
    names = {} if mode == CROSSED else {"symbol": "BTCUSDT"}
    wish = {"fromType": "spot", "toType": to_type, "coin": "USDT", "amount": funds}
    await client.done("/api/v2/spot/wallet/transfer", **wish, **names)
    loan = await client.done(f"{mode}/account/borrow", coin="USDT", borrowAmount=borrowed, **names)
    return client, loan["loanId"]


@pytest.mark.parametrize("mode", [CROSSED, ISOLATED])
def test_a_loan_from_beginning_to_end(tmp_path: Path, mode: str) -> None:
    """RULES 4.3: 00:10 to 02:30 is three hours; the receipts add up to the debt."""
    names = {} if mode == CROSSED else {"symbol": "BTCUSDT"}

    async def test() -> None:
        async with street(tmp_path) as place:
            await place.house.set_rate(place.house.coin("USDT"), 126_279_000)
            place.house.move_to(START_MS + HOUR)
            begin = place.house.now_ms
            client, loan_id = await debtor(place, mode, "10000", "10000")
            page = await client.read(f"{mode}/borrow-history", **SINCE, **names)
            assert {
                "resultList": [
                    {
                        "loanId": loan_id,
                        "coin": "USDT",
                        "borrowAmount": "10000",
                        "borrowType": "manual_loan",
                        "cTime": str(begin),
                        "uTime": str(begin),
                        **names,
                    }
                ],
                "maxId": loan_id,
                "minId": loan_id,
            } == page

            place.house.move_to(begin + 140 * 60_000)
            receipts = await client.read(f"{mode}/interest-history", **SINCE, **names)
            rows = receipts["resultList"]
            first_hour = begin - begin % HOUR
            assert [
                {
                    "interestId": row["interestId"],
                    "loanCoin": "USDT",
                    "interestCoin": "USDT",
                    "dailyInterestRate": "0.000126279",
                    "interestAmount": "0.05261625",
                    "interstType": kind,
                    "cTime": str(time_ms),
                    "uTime": str(time_ms),
                    **names,
                }
                for row, kind, time_ms in zip(
                    rows,
                    ["scheduled", "scheduled", "first"],
                    [first_hour + 2 * HOUR, first_hour + HOUR, begin],
                    strict=True,
                )
            ] == rows
            # reference §1.5: the first receipt has the loan's id.
            assert loan_id == rows[2]["interestId"] == receipts["minId"]
            assert rows[0]["interestId"] == receipts["maxId"]

            repaid = await client.done(
                f"{mode}/account/repay", coin="USDT", repayAmount="10000.15784875", **names
            )
            assert "0" == repaid["remainDebtAmount"]
            page = await client.read(f"{mode}/repay-history", **SINCE, **names)
            now = str(place.house.now_ms)
            assert [
                {
                    "repayId": repaid["repayId"],
                    "coin": "USDT",
                    "repayAmount": "10000.15784875",
                    "repayType": "manual_repay",
                    "repayInterest": "0.15784875",
                    "repayPrincipal": "10000",
                    "cTime": now,
                    "uTime": now,
                    **names,
                }
            ] == page["resultList"]
            # Written by now, and still the same receipts.
            assert receipts == await client.read(f"{mode}/interest-history", **SINCE, **names)

    run(test())


def test_receipts_page_by_page(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client, _ = await debtor(place, CROSSED, "10000", "1000")
            await client.done(f"{CROSSED}/account/borrow", coin="BTC", borrowAmount="0.1")
            place.house.move_to(START_MS + 2 * HOUR)
            # Touched: the receipts of the first two hours of USDT are written, the others pending.
            await client.done(f"{CROSSED}/account/repay", coin="USDT", repayAmount="1")
            place.house.move_to(START_MS + 5 * HOUR)
            path = f"{CROSSED}/interest-history"
            whole = (await client.read(path, **SINCE))["resultList"]
            assert 12 == len(whole)
            ids = [int(row["interestId"]) for row in whole]
            assert sorted(set(ids), reverse=True) == ids

            rows: list[object] = []
            before: dict[str, str] = {}
            for _ in range(4):
                page = await client.read(path, **SINCE, limit=3, **before)
                rows += page["resultList"]
                before = {"idLessThan": page["minId"]}
            assert whole == rows
            assert EMPTY == await client.read(path, **SINCE, limit=3, **before)
            coins = await client.read(path, **SINCE, coin="BTC")
            assert [row for row in whole if row["loanCoin"] == "BTC"] == coins["resultList"]
            late = await client.read(path, startTime=START_MS + 3 * HOUR)
            assert [row for row in whole if int(row["cTime"]) >= START_MS + 3 * HOUR] == late[
                "resultList"
            ]
            early = await client.read(path, **SINCE, endTime=START_MS + HOUR)
            assert [row for row in whole if int(row["cTime"]) <= START_MS + HOUR] == early[
                "resultList"
            ]

    run(test())


def row(interest_id: int, coin: int, time_ms: int) -> InterestRow:
    return InterestRow(1, interest_id, coin, False, 10**9, 10**8, 5, time_ms)


def charge(interest_id: int, coin: int, time_ms: int) -> InterestCharged:
    return InterestCharged(interest_id, 1, coin, time_ms, False, 10**9, 10**8, 5)


def test_a_receipt_that_is_written_meanwhile_is_shown_once() -> None:
    written = [row(7, 0, 70), row(5, 1, 50), row(5, 0, 50)]
    pending = [charge(5, 1, 50), charge(7, 0, 70), charge(7, 1, 70), charge(9, 0, 90)]

    merged = merge_interest(written, pending, Page(), None)

    keys = [(9, 0), (7, 1), (7, 0), (5, 1), (5, 0)]
    assert keys == [(one.interest_id, one.coin) for one in merged]


@pytest.mark.parametrize(
    ("page", "coin", "expected"),
    [
        (Page(limit=1), None, [(9, 0)]),
        # Two receipts of one id are never parted.
        (Page(limit=2), None, [(9, 0), (7, 1), (7, 0)]),
        (Page(before_id=9), None, [(7, 1), (7, 0)]),
        (Page(start_ms=80), None, [(9, 0)]),
        (Page(end_ms=80), None, [(7, 1), (7, 0)]),
        (Page(), 1, [(7, 1)]),
    ],
)
def test_pages_of_pending_receipts(
    page: Page, coin: int | None, expected: list[tuple[int, int]]
) -> None:
    pending = [charge(7, 0, 70), charge(7, 1, 70), charge(9, 0, 90)]

    merged = merge_interest([], pending, page, coin)

    assert expected == [(one.interest_id, one.coin) for one in merged]


def test_the_ledger(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client, _ = await debtor(place, CROSSED, "1000", "500")
            await client.done(f"{CROSSED}/account/repay", coin="USDT", repayAmount="100")
            path = f"{CROSSED}/financial-records"
            rows = (await client.read(path, **SINCE))["resultList"]
            assert [
                ("repay", "-100", "1400"),
                ("borrow", "500", "1500"),
                ("transfer_in", "1000", "1000"),
            ] == [(row["marginType"], row["amount"], row["balance"]) for row in rows]
            now = str(START_MS)
            assert {
                "marginId": rows[0]["marginId"],
                "coin": "USDT",
                "amount": "-100",
                "balance": "1400",
                "fee": "0",
                "marginType": "repay",
                "cTime": now,
                "uTime": now,
            } == rows[0]
            borrows = await client.read(path, **SINCE, marginType="borrow")
            assert [rows[1]] == borrows["resultList"]
            assert EMPTY == await client.read(path, **SINCE, marginType="exchange_in")
            assert EMPTY == await client.read(path, **SINCE, coin="BTC")

    run(test())


@pytest.mark.parametrize("mode", [CROSSED, ISOLATED])
def test_a_liquidation(tmp_path: Path, mode: str) -> None:
    names = {} if mode == CROSSED else {"symbol": "BTCUSDT"}

    async def test() -> None:
        async with street(tmp_path) as place:
            maker = await place.client(USDT="10000000")
            to_type = "crossed_margin" if mode == CROSSED else "isolated_margin"
            client = await place.client(BTC="1")
            wish = {"fromType": "spot", "toType": to_type, "coin": "BTC", "amount": "1"}
            await client.done("/api/v2/spot/wallet/transfer", **wish, **names)
            await client.done(f"{mode}/account/borrow", coin="USDT", borrowAmount="18000", **names)
            out = {"fromType": to_type, "toType": "spot", "coin": "USDT", "amount": "1000"}
            await client.done("/api/v2/spot/wallet/transfer", **out, **names)
            order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
            for price in range(14_000, 15_000, 100):
                await maker.done(
                    "/api/v2/spot/trade/place-order", **order, price=str(price), size="1"
                )
            path = f"{mode}/liquidation-history"
            assert EMPTY == await client.read(path, **SINCE, **names)
            assert {"resultList": None, "idLessThan": None} == await client.read(
                f"{mode}/liquidation-order"
            )

            place.house.price("BTC", "1000")

            page = await client.read(path, **SINCE, **names)
            (liquidation,) = page["resultList"]
            assert {
                "liqId": page["maxId"],
                "liqStartTime": str(START_MS),
                "liqEndTime": liquidation["liqEndTime"],
                "liqRiskRatio": liquidation["liqRiskRatio"],
                "totalAssets": liquidation["totalAssets"],
                "totalDebt": liquidation["totalDebt"],
                "liqFee": liquidation["liqFee"],
                "cTime": str(START_MS),
                "uTime": liquidation["uTime"],
                **names,
            } == liquidation
            assert float(liquidation["liqRiskRatio"]) >= 1
            assert 18_000 == pytest.approx(float(liquidation["totalDebt"]), rel=1e-3)
            # Repaid by the liquidation first of all, interest before principal.
            repayments = await client.read(f"{mode}/repay-history", **SINCE, **names)
            assert {"liq_repay"} == {row["repayType"] for row in repayments["resultList"]}

            orders = await client.read(f"{mode}/liquidation-order", **names)
            shown = orders["resultList"]
            assert shown
            assert shown[-1]["orderId"] == orders["idLessThan"]
            for row in shown:
                assert ("BTCUSDT", "liquidation-sell") == (row["symbol"], row["side"])
                assert ("", "", "", "") == tuple(
                    row[name] for name in ("fromCoin", "toCoin", "fromSize", "toSize")
                )
            none = await client.read(f"{mode}/liquidation-order", type="swap")
            assert {"resultList": None, "idLessThan": None} == none

    run(test())


@pytest.mark.parametrize(
    ("path", "query", "code", "sentence"),
    [
        (f"{ISOLATED}/borrow-history", {}, "400172", "symbol is empty"),
        (f"{CROSSED}/borrow-history", {}, "400172", "startTime is empty"),
        (f"{CROSSED}/repay-history", {"startTime": 1, "coin": "X"}, "50032", "X"),
        (f"{CROSSED}/repay-history", {"startTime": 1, "repayId": "x"}, "40020", "repayId"),
        (f"{CROSSED}/borrow-history", {"startTime": 1, "loanId": "0"}, "40020", "loanId"),
        (f"{CROSSED}/interest-history", {"startTime": 2, "endTime": 1}, "40707", "Start"),
        (f"{CROSSED}/financial-records", {"startTime": 1, "marginType": "x"}, "50061", "margin"),
        (f"{CROSSED}/liquidation-order", {"type": "x"}, "50061", "type"),
        (f"{ISOLATED}/interest-history", {"symbol": "X", "startTime": 1}, "50024", "X"),
    ],
)
def test_questions_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str | int], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        found, said = fault_in(await client.get(path, **query))
        assert code == found
        assert sentence in said

    open_street.run(test)
