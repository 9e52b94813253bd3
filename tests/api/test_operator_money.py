"""Money by operators' hands: movements, two people's word, solvency, users and their freezing."""

import asyncio
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lombard.api.operator import money
from lombard.core import queries
from lombard.core.commands import (
    MOVE_WITHDRAW_POOL,
    SLOT_CROSSED,
    SLOT_SPOT,
    Borrow,
    Deposit,
    ProposeMove,
    Repay,
    Transfer,
    account_id,
    operator_id,
)
from lombard.core.units import parse_units
from tests.api.browser import Browser, trader
from tests.api.house import START_MS, Client, fault_in, run
from tests.api.office import Office, at, office

TWO = ("deposit", "withdrawal", "pool-withdrawal")


async def move(by: Client, kind: str, coin: str, amount: str, **more: str) -> Any:
    """Move money; it must succeed."""
    return await by.done(at("movements"), kind=kind, coin=coin, amount=amount, **more)


async def pool(desk: Office, coin: str) -> dict[str, str]:
    """Read a coin's pool and funds."""
    rows: list[dict[str, str]] = await desk.ann.read(at("pools"))
    return next(row for row in rows if row["coin"] == coin)


def test_one_operator_moves_money_where_one_is_enough(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            user = str((await desk.ann.done(at("users")))["userId"])
            done = await move(desk.ann, "deposit", "USDT", "100.5", userId=user)
            assert {
                "movementId": done["movementId"], "status": "done", "kind": "deposit",
                "userId": user, "coin": "USDT", "amount": "100.5", "operatorId": "-1",
            } == done  # fmt: skip
            await move(desk.ben, "withdrawal", "USDT", "40.25", userId=user)

            lines = await desk.ann.read(at("users/ledger"), userId=user)
            assert [("withdrawal", "-40.25", "60.25"), ("deposit", "100.5", "100.5")] == [
                (line["kind"], line["amount"], line["balance"]) for line in lines
            ]
            assert done["movementId"] == lines[1]["referenceId"]
            only = await desk.ann.read(at("users/ledger"), userId=user, kind="withdrawal")
            assert lines[:1] == only

    run(test())


def test_the_venues_own_funds(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            before = await pool(desk, "BTC")
            for kind, amount in (
                ("pool-funding", "5"),
                ("pool-withdrawal", "2"),
                ("insurance-funding", "3"),
                ("insurance-withdrawal", "1"),
            ):
                await move(desk.ann, kind, "BTC", amount)
            after = await pool(desk, "BTC")
            for name, change in (("supplied", 3), ("idle", 3), ("insurance", 2), ("lent", 0)):
                assert Fraction(before[name]) + change == Fraction(after[name])
            for kind in ("fee-withdrawal", "interest-withdrawal"):
                body = {"kind": kind, "coin": "BTC", "amount": "1"}
                assert ("43012", "Insufficient balance: BTC") == await desk.ann.refused(
                    at("movements"), **body
                )

    run(test())


def test_two_operators_where_two_are_asked_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path, TWO) as desk:
            user = str((await desk.ann.done(at("users")))["userId"])
            asked = await move(desk.ann, "deposit", "USDT", "10", userId=user)
            assert "pending" == asked["status"]
            # What is not in the list is done at once.
            assert "done" == (await move(desk.ann, "pool-funding", "USDT", "1"))["status"]
            waiting = await desk.ben.read(at("movements/pending"))
            assert [
                {
                    "movementId": asked["movementId"], "kind": "deposit", "userId": user,
                    "coin": "USDT", "amount": "10", "operatorId": "-1", "time": str(START_MS),
                }
            ] == waiting  # fmt: skip
            this = {"movementId": asked["movementId"]}
            before = desk.state_hash
            code, sentence = await desk.ann.refused(at("movements/approve"), **this)
            assert ("40805", True) == (code, "another operator has to approve it" in sentence)
            assert before == desk.state_hash

            done = await desk.ben.done(at("movements/approve"), **this)

            assert ("done", "deposit", "10", "-1") == (
                done["status"],
                done["kind"],
                done["amount"],
                done["operatorId"],
            )
            assert [] == await desk.ben.read(at("movements/pending"))
            code, _ = await desk.ben.refused(at("movements/approve"), **this)
            assert "40805" == code
            lines = await desk.ann.read(at("users/ledger"), userId=user)
            assert [done["movementId"]] == [line["referenceId"] for line in lines]

    run(test())


def test_a_request_is_rejected_or_has_become_too_much(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path, TWO) as desk:
            idle = (await pool(desk, "USDT"))["idle"]
            first = await move(desk.ann, "pool-withdrawal", "USDT", idle)
            second = await move(desk.ann, "pool-withdrawal", "USDT", idle)
            await desk.ben.done(at("movements/approve"), movementId=first["movementId"])
            assert "0" == (await pool(desk, "USDT"))["idle"]
            this = {"movementId": second["movementId"]}
            assert "43012" == (await desk.ben.refused(at("movements/approve"), **this))[0]

            gone = await desk.ann.done(at("movements/reject"), **this)

            assert ("rejected", second["movementId"]) == (gone["status"], gone["movementId"])
            assert [] == await desk.ben.read(at("movements/pending"))

    run(test())


def test_more_requests_than_may_wait_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path, TWO) as desk:
            house = desk.place.house
            wish = ProposeMove(MOVE_WITHDRAW_POOL, 0, house.coin("USDT"), 1)
            for _ in range(1_000):
                house.done(wish, operator_id(1))
            before = desk.state_hash
            body = {"kind": "pool-withdrawal", "coin": "USDT", "amount": "1"}
            code, sentence = await desk.ben.refused(at("movements"), **body)
            assert ("40805", True) == (code, "more requests wait" in sentence)
            assert before == desk.state_hash

    run(test())


def test_a_call_sent_again_is_done_once(tmp_path: Path) -> None:
    """Byte for byte the same request, as a client sends it that did not hear the answer."""

    async def test() -> None:
        async with office(tmp_path, TWO) as desk:
            user = str((await desk.ann.done(at("users")))["userId"])
            asked = await move(desk.ann, "deposit", "USDT", "10", userId=user)
            content = json.dumps({"movementId": asked["movementId"]}).encode()
            headers = desk.ben.headers("POST", at("movements/approve"), content)
            for _ in range(2):
                await desk.http.post(at("movements/approve"), content=content, headers=headers)
            lines = await desk.ann.read(at("users/ledger"), userId=user)
            assert ["10"] == [line["balance"] for line in lines]

    run(test())


# --- solvency -------------------------------------------------------------------------------------


def test_the_books_add_up_to_the_unit(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            house = desk.place.house
            trader = await desk.place.client(USDT="1000.00000007", BTC="0.3")
            spot = account_id(trader.user, SLOT_SPOT)
            crossed = account_id(trader.user, SLOT_CROSSED)
            usdt = house.coin("USDT")
            house.done(Transfer(crossed, usdt, parse_units("900", 8), ""), spot)
            house.done(Borrow(usdt, parse_units("333.33333333", 8), ""), crossed)
            house.move_to(START_MS + 3 * 3_600_000)
            house.done(Repay(usdt, parse_units("100", 8), ""), crossed)
            await move(desk.ann, "withdrawal", "BTC", "0.1", userId=str(trader.user))
            await move(desk.ann, "pool-withdrawal", "USDT", "1.5")

            report = await desk.ann.read(at("solvency"))

            assert (True, "1") == (report["balanced"], report["debtors"])
            for row in report["coins"]:
                assert row["balanced"] is True
                amount = {name: Fraction(row[name]) for name in row if name not in NOT_AMOUNTS}
                claims = ("users", "idle", "insurance", "fees", "interest")
                assert amount["received"] == sum(amount[name] for name in claims)
                assert amount["lent"] == amount["owed"]
                assert amount["supplied"] == amount["idle"] + amount["lent"] + amount["loss"]
            row = next(row for row in report["coins"] if row["coin"] == "USDT")
            view = queries.balance(house.state, crossed, usdt)
            held = view.available_units + view.frozen_units
            assert parse_units(row["collateral"], 8) == held
            assert parse_units(row["owed"], 8) == view.principal_units
            assert parse_units(row["interestDue"], 8) == view.interest_units
            assert Fraction(row["interest"]) > 0
            assert "0" == report["uncovered"]

    run(test())


NOT_AMOUNTS = ("coin", "balanced")


# --- users ----------------------------------------------------------------------------------------


def test_an_operator_admits_a_user_who_then_trades(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            made = await desk.ann.done(at("users"))
            trader = Client(
                desk.place.http, int(made["userId"]), made["apiKey"], made["secretKey"],
                made["passphrase"],
            )  # fmt: skip
            await move(desk.ann, "deposit", "USDT", "1000", userId=made["userId"])
            order = {
                "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc",
                "price": "20000", "size": "0.01",
            }  # fmt: skip
            await trader.done("/api/v2/spot/trade/place-order", **order)
            rows = await desk.ann.read(at("users/accounts"), userId=made["userId"])
            spot = rows[0]
            assert ("spot", "", False, "1") == (
                spot["accountType"],
                spot["symbol"],
                spot["frozen"],
                spot["openOrders"],
            )
            assert [("USDT", "800", "200")] == [
                (row["coin"], row["available"], row["frozen"])
                for row in spot["balances"]
                if row["coin"] == "USDT"
            ]

    run(test())


def test_users_come_in_pages(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ids = [(await desk.ann.done(at("users")))["userId"] for _ in range(3)]
            assert ids == [row["userId"] for row in await desk.ann.read(at("users"))]
            page = await desk.ann.read(at("users"), after=ids[0], limit=1)
            assert [ids[1]] == [row["userId"] for row in page]
            await desk.ann.done(at("users/level"), userId=ids[2], level="1")
            row = (await desk.ann.read(at("users"), after=ids[1]))[0]
            assert ("0", "1", "2") == (row["vipLevel"], row["nextVipLevel"], row["accounts"])

    run(test())


def test_a_frozen_trader_is_told_so(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            house = desk.place.house
            trader = await desk.place.client(USDT="1000")
            spot, crossed = (account_id(trader.user, slot) for slot in (SLOT_SPOT, SLOT_CROSSED))
            usdt = house.coin("USDT")
            house.done(Transfer(crossed, usdt, parse_units("500", 8), ""), spot)
            house.done(Borrow(usdt, parse_units("100", 8), ""), crossed)
            freeze = {"userId": str(trader.user), "frozen": True}
            assert {"userId": str(trader.user), "changed": "2"} == await desk.ann.done(
                at("users/freeze"), **freeze
            )
            order = {
                "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc",
                "price": "20000", "size": "0.01",
            }  # fmt: skip
            margin = {
                "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc",
                "price": "20000", "baseSize": "0.01", "loanType": "normal",
            }  # fmt: skip
            transfer = {
                "fromType": "crossed_margin", "toType": "spot", "amount": "1", "coin": "USDT",
            }  # fmt: skip
            for path, body, code in (
                ("/api/v2/spot/trade/place-order", order, "40710"),
                ("/api/v2/spot/wallet/transfer", transfer, "40710"),
                ("/api/v2/margin/crossed/place-order", margin, "50064"),
                (
                    "/api/v2/margin/crossed/account/borrow",
                    {"coin": "USDT", "borrowAmount": "1"},
                    "50064",
                ),
            ):
                before = desk.state_hash
                assert code == fault_in(await trader.post(path, **body))[0], path
                assert before == desk.state_hash
            await trader.done("/api/v2/margin/crossed/account/repay", coin="USDT", repayAmount="50")
            house.done(Deposit(usdt, 5), spot)
            one = {"userId": str(trader.user), "accountType": "spot", "frozen": False}
            assert "1" == (await desk.ann.done(at("users/freeze"), **one))["changed"]
            await trader.done("/api/v2/spot/trade/place-order", **order)
            row = (await desk.ann.read(at("users")))[0]
            assert (True, True, False) == (row["frozen"], row["inDebt"], row["inLiquidation"])

    run(test())


def test_what_was_decided_is_listed_with_who_and_when(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path, TWO) as desk:
            user = str(await desk.place.house.create_user())
            wish = {"kind": "deposit", "userId": user, "coin": "USDT"}
            asked = []
            for number in range(1, 5):
                made = await desk.ann.done(at("movements"), **wish, amount=str(number))
                asked.append(made["movementId"])
                desk.place.house.now_ms += 1_000
            assert [] == await desk.ann.read(at("movements/decided"))
            await desk.ben.done(at("movements/approve"), movementId=asked[0])
            desk.place.house.now_ms += 1_000
            await desk.ann.done(at("movements/reject"), movementId=asked[2])
            await desk.ben.done(at("movements/reject"), movementId=asked[3])

            rows = await desk.ann.read(at("movements/decided"))
            assert [asked[3], asked[2], asked[0]] == [row["movementId"] for row in rows]
            assert [("rejected", "-2"), ("rejected", "-1"), ("done", "-2")] == [
                (row["status"], row["decidedBy"]) for row in rows
            ]
            assert {
                "movementId": asked[0],
                "status": "done",
                "kind": "deposit",
                "userId": user,
                "coin": "USDT",
                "amount": "1",
                "operatorId": "-1",
                "time": str(START_MS),
                "decidedBy": "-2",
                "decidedTime": str(START_MS + 4_000),
            } == rows[2]
            (first,) = await desk.ann.read(at("movements/decided"), limit=1)
            more = await desk.ben.read(at("movements/decided"), idLessThan=first["movementId"])
            assert rows == [first, *more]
            late = await desk.ann.read(at("movements/decided"), startTime=START_MS + 1_000)
            assert rows[:2] == late
            waiting = await desk.ann.read(at("movements/pending"))
            assert [asked[1]] == [row["movementId"] for row in waiting]

    run(test())


def test_operators_page_through_the_audit_log(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            carl = await trader(desk.place, "carl@example.org")
            await Browser(desk.place).refused("log-in", email="x@example.org", password="wrong")
            await desk.ann.done(at("users/password-reset"), userId=str(carl.user))
            rows = await desk.ben.read(at("audit"))
            ids = [int(row["id"]) for row in rows]
            assert list(range(len(ids), 0, -1)) == ids
            assert ("password reset given", "-1") == (rows[0]["action"], rows[0]["userId"])
            (failed,) = [row for row in rows if row["action"] == "log-in failed"]
            assert ("", "", "127.0.0.1") == (failed["userId"], failed["detail"], failed["address"])
            mine = await desk.ben.read(at("audit"), userId=str(carl.user))
            assert ["password reset made", "logged in", "signed up"] == [
                row["action"] for row in mine
            ]
            assert {"-1"} == {
                row["userId"] for row in await desk.ann.read(at("audit"), userId="-1")
            }
            page = await desk.ann.read(at("audit"), limit=2, idLessThan=rows[1]["id"])
            assert rows[2:4] == page
            for query in ({"userId": "x"}, {"userId": "--1"}, {"idLessThan": "-1"}):
                answer = await desk.ann.get(at("audit"), **query)
                assert answer.status_code == 400, query

    run(test())


def test_the_books_of_the_house(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            client = await desk.place.client(USDT="100")
            before = (await pool(desk, "USDT"))["idle"]
            await move(desk.ann, "pool-funding", "USDT", "25")
            await move(desk.ann, "pool-withdrawal", "USDT", "5.5")
            wish = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT", "amount": "100"}
            await client.done("/api/v2/spot/wallet/transfer", **wish)
            borrow = "/api/v2/margin/crossed/account/borrow"
            loan = (await client.done(borrow, coin="USDT", borrowAmount="10"))["loanId"]

            async def books(account: str, **more: str) -> list[tuple[str, ...]]:
                rows = await desk.ann.read(at("books"), account=account, **more)
                assert {"USDT"} == {row["coin"] for row in rows}
                return [(row["kind"], row["amount"], row["referenceId"]) for row in rows]

            # What the venue began with was there before its history was told of anything.
            assert [("borrow", "-10", loan), ("taking", "-5.5", ""), ("funding", "25", "")] == (
                await books("pool")
            )
            (entry,) = await desk.ann.read(at("books"), account="lent")
            assert ("borrow", "10", "10") == (entry["kind"], entry["amount"], entry["balance"])
            owed = {"userId": str(client.user), "accountType": "crossed_margin"}
            (entry,) = await desk.ann.read(at("books"), account="debt", **owed)
            assert ("borrow", "-10", "-10") == (entry["kind"], entry["amount"], entry["balance"])
            external = await books("external", coin="USDT")
            assert ["taking", "funding", "deposit"] == [row[0] for row in external]
            page = await desk.ann.read(at("books"), account="pool", limit="1")
            rest = await desk.ann.read(
                at("books"), account="pool", limit="1", idLessThan=page[0]["entryId"]
            )
            assert ["borrow", "taking"] == [row["kind"] for row in page + rest]
            after = (await pool(desk, "USDT"))["idle"]
            assert Decimal("9.5") == Decimal(after) - Decimal(before)

    run(test())


def test_a_large_venue_is_added_up_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            client = await desk.place.client(USDT="100")
            wish = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT", "amount": "100"}
            await client.done("/api/v2/spot/wallet/transfer", **wish)
            borrow = "/api/v2/margin/crossed/account/borrow"
            await client.done(borrow, coin="USDT", borrowAmount="10")
            wanted = await desk.ann.read(at("solvency"))
            assert ("1", True) == (wanted["debtors"], wanted["balanced"])
            monkeypatch.setattr(money, "ACCOUNTS_AT_ONCE", 0)
            asked = [desk.ann.read(at("solvency")) for _ in range(3)]
            assert [wanted] * 3 == await asyncio.gather(*asked)
            monkeypatch.setattr(money, "_report", lambda state: 1 / 0)
            answer = await desk.ann.get(at("solvency"))
            assert (500, "40725") == (answer.status_code, fault_in(answer)[0])

    run(test())
