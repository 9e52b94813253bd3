"""Coupons over the wire: campaigns, claims, one's own, and what they save (RULES 9.3)."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lombard.core import queries
from tests.api.house import START_MS, Client, OpenStreet, Street, data_of, fault_in, run, street

SANDBOX = "/lombard/v1/sandbox"
CLAIM = "/lombard/v1/coupons/claim"
HOUR_MS = 3_600_000
# The house opens at ten past.
HOUR_0 = START_MS - START_MS % HOUR_MS
SEED = "00ff" * 16
CAMPAIGN: dict[str, Any] = {
    "name": "May",
    "discountRate": "0.5",
    "caps": [{"coin": "USDT", "amount": "4000"}],
    "durationHours": "2",
    "claimUntil": str(HOUR_0 + 10 * HOUR_MS),
}


async def operate(place: Street, path: str, **body: Any) -> Any:
    return data_of(await place.http.post(f"{SANDBOX}/{path}", json=body))


async def announce(place: Street, **changes: Any) -> str:
    """Announce a campaign; return its id."""
    row = await operate(place, "coupon-campaigns", **{**CAMPAIGN, **changes})
    number: str = row["campaignId"]
    return number


async def debtor(place: Street) -> Client:
    """Admit a user with collateral in crossed margin, where 10 000 USDT cost one an hour."""
    await operate(place, "rates", coin="USDT", dailyInterestRate="0.0024")
    place.house.move_to(HOUR_0 + HOUR_MS)
    client = await place.client(USDT="20000")
    words = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT"}
    await client.done("/api/v2/spot/wallet/transfer", **words, amount="20000")
    return client


def test_from_the_claim_to_the_receipt(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await debtor(place)
            number = await announce(place)
            claimed = await client.done(CLAIM, campaignId=number)
            assert {
                "couponId": claimed["couponId"],
                "campaignId": number,
                "name": "May",
                "status": "claimed",
                "discountRate": "0.5",
                "caps": [{"coin": "USDT", "amount": "4000"}],
                "durationMs": str(2 * HOUR_MS),
                "startsFrom": "firstUse",
                "claimUntil": CAMPAIGN["claimUntil"],
                "claimTime": str(HOUR_0 + HOUR_MS),
                "startTime": "",
                "endTime": "",
                "accountType": "",
                "symbol": "",
            } == claimed
            place.house.move_to(HOUR_0 + HOUR_MS + 600_000)
            loan = await client.done(
                "/api/v2/margin/crossed/account/borrow", coin="USDT", borrowAmount="10000"
            )
            (mine,) = await client.read("/lombard/v1/coupons")
            started = HOUR_0 + HOUR_MS + 600_000
            assert ("active", str(started), str(started + 2 * HOUR_MS), "crossed", "") == (
                mine["status"],
                mine["startTime"],
                mine["endTime"],
                mine["accountType"],
                mine["symbol"],
            )
            # 01:10, 02:00 and 03:00 are covered; 04:00 is not.
            place.house.move_to(HOUR_0 + 4 * HOUR_MS)
            await client.done(
                "/api/v2/margin/crossed/account/repay", coin="USDT", repayAmount="5000"
            )
            place.house.move_to(HOUR_0 + 5 * HOUR_MS)

            page = await client.read("/lombard/v1/margin/crossed/interest-receipts")

            rows = page["resultList"]
            covered = [{"couponId": claimed["couponId"], "amount": "4000"}]
            assert [
                ("0.50034", "0", "0.50034", []),
                ("1", "0", "1", []),
                ("1", "0.2", "0.8", covered),
                ("1", "0.2", "0.8", covered),
                ("1", "0.2", "0.8", covered),
            ] == [
                (row["grossAmount"], row["savedAmount"], row["interestAmount"], row["coupons"])
                for row in rows
            ]
            assert {
                "interestId": loan["loanId"],
                "coin": "USDT",
                "hour": str(started),
                "first": True,
                "principal": "10000",
                "dailyInterestRate": "0.0024",
                "grossAmount": "1",
                "savedAmount": "0.2",
                "interestAmount": "0.8",
                "coupons": covered,
            } == rows[-1]
            assert (rows[0]["interestId"], loan["loanId"]) == (page["maxId"], page["minId"])
            # The dialect's own call has what is paid.
            told = await client.read(
                "/api/v2/margin/crossed/interest-history", startTime=str(HOUR_0)
            )
            assert [row["interestAmount"] for row in rows] == [
                row["interestAmount"] for row in told["resultList"]
            ]
            assert "savedAmount" not in told["resultList"][0]
            (mine,) = await client.read("/lombard/v1/coupons", status="used")
            assert claimed["couponId"] == mine["couponId"]
            assert [] == await client.read("/lombard/v1/coupons", status="active")

    run(test())


def test_a_coupon_that_the_venue_let_go_of_stays_on_the_list(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await debtor(place)
            until = str(HOUR_0 + 2 * HOUR_MS)
            for coin in ("USDT", "BTC"):
                caps = [{"coin": coin, "amount": "4000"}]
                number = await announce(place, claimUntil=until, caps=caps)
                await client.done(CLAIM, campaignId=number)
            await client.done(
                "/api/v2/margin/crossed/account/borrow", coin="USDT", borrowAmount="4000"
            )
            place.house.move_to(HOUR_0 + 5 * HOUR_MS)
            await client.done(
                "/api/v2/margin/crossed/account/repay", coin="USDT", repayAmount="4100"
            )
            waiting, used = await client.read("/lombard/v1/coupons")
            assert ("claimed", "used") == (waiting["status"], used["status"])

            place.house.move_to(HOUR_0 + 30 * HOUR_MS)

            held = queries.coupons_of(place.house.engine.state, client.user)
            assert [waiting["couponId"]] == [str(coupon.id) for coupon in held]
            assert [waiting, used] == await client.read("/lombard/v1/coupons")
            assert [used] == await client.read("/lombard/v1/coupons", status="used")

    run(test())


def test_an_isolated_account_s_coupon_names_its_pair(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000")
            words = {"fromType": "spot", "toType": "isolated_margin", "coin": "USDT"}
            words["symbol"] = "BTCUSDT"
            await client.done("/api/v2/spot/wallet/transfer", **words, amount="20000")
            await client.done(CLAIM, campaignId=await announce(place, startsFrom="claim"))
            body = {"coin": "USDT", "borrowAmount": "100", "symbol": "BTCUSDT"}
            await client.done("/api/v2/margin/isolated/account/borrow", **body)

            (mine,) = await client.read("/lombard/v1/coupons")
            assert ("isolated", "BTCUSDT", "claim") == (
                mine["accountType"],
                mine["symbol"],
                mine["startsFrom"],
            )
            path = "/lombard/v1/margin/isolated/interest-receipts"
            (row,) = (await client.read(path, symbol="BTCUSDT"))["resultList"]
            assert ("BTCUSDT", "100") == (row["symbol"], row["coupons"][0]["amount"])

    run(test())


def test_a_draw_that_anybody_can_check(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            clients = [await place.client() for _ in range(5)]
            committed = sha256(bytes.fromhex(SEED)).hexdigest()
            number = await announce(place, access="draw", count="2", seed=SEED)
            users = [str(client.user) for client in clients]
            await operate(place, "coupon-entries", campaignId=number, userIds=users)
            (row,) = data_of(await place.http.get("/lombard/v1/public/coupon-campaigns"))
            assert (committed, "", "5", "2", "draw") == (
                row["seedHash"],
                row["seed"],
                row["entrants"],
                row["left"],
                row["access"],
            )

            await operate(place, "coupon-draws", campaignId=number, seed=SEED)

            (row,) = data_of(await place.http.get("/lombard/v1/public/coupon-campaigns"))
            assert (SEED, "0") == (row["seed"], row["left"])
            for client in clients:
                ids = int(number).to_bytes(8, "big") + client.user.to_bytes(8, "big")
                won = sha256(bytes.fromhex(SEED) + ids).hexdigest() <= row["cutHash"]
                mine = await client.read("/lombard/v1/coupons", status="available")
                assert won == bool(mine)
                answer = await client.post(CLAIM, campaignId=number)
                if won:
                    assert "claimed" == data_of(answer)["status"]
                else:
                    assert (
                        "40805",
                        "Unsupported operation: no coupon of this campaign was granted",
                    ) == (fault_in(answer))

    run(test())


def test_grants_by_name(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            first, second = await place.client(), await place.client()
            number = await announce(place, access="named", seedHash="")
            await operate(place, "coupon-grants", campaignId=number, userIds=[str(first.user)])

            await first.done(CLAIM, campaignId=number)
            assert "no coupon" in (await second.refused(CLAIM, campaignId=number))[1]

    run(test())


def test_claims_that_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            first, second = await place.client(), await place.client()
            number = await announce(place, count="1")
            await first.done(CLAIM, campaignId=number)
            later = await announce(place, claimFrom=str(HOUR_0 + HOUR_MS))
            unchanged = place.house.engine.state_hash()
            table = [
                (first, "5", "40805", "no such campaign"),
                (first, number, "40805", "claimed before"),
                (second, number, "40805", "no coupons of this campaign are left"),
                (first, later, "40805", "cannot be claimed now"),
                (first, "", "400172", "campaignId"),
                (first, "x", "40020", "campaignId"),
            ]
            for client, campaign, code, sentence in table:
                found, said = await client.refused(CLAIM, campaignId=campaign)
                assert code == found
                assert sentence in said
            answer = await first.get("/lombard/v1/coupons", status="lost")
            assert "50061" == fault_in(answer)[0]
            assert unchanged == place.house.engine.state_hash()

    run(test())


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"name": ""}, "40019", "name"),
        ({"caps": []}, "40019", "caps"),
        ({"caps": [{"coin": "XXX", "amount": "1"}]}, "40806", "XXX"),
        ({"caps": [{"coin": "USDT", "amount": "x"}]}, "40020", "caps"),
        ({"caps": [{"coin": "USDT", "amount": "0"}]}, "40017", "caps"),
        ({"caps": [{"coin": "USDT", "amount": "1"}] * 2}, "40017", "caps"),
        ({"discountRate": "1.1"}, "40017", "discount"),
        ({"discountRate": "x"}, "40020", "discountRate"),
        ({"durationHours": "x"}, "40020", "durationHours"),
        ({"startsFrom": "now"}, "40020", "startsFrom"),
        ({"access": "all"}, "40020", "access"),
        ({"access": "draw"}, "40017", "seed hash"),
        ({"access": "draw", "seed": "x"}, "40020", "seed"),
        ({"seedHash": "0" * 64}, "40017", "seed hash"),
        ({"claimUntil": "1"}, "40017", "claim window"),
    ],
)
def test_campaigns_that_are_none(
    open_street: OpenStreet, changes: dict[str, Any], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        before = place.house.engine.state_hash()
        answer = await place.http.post(
            f"{SANDBOX}/coupon-campaigns", json={**CAMPAIGN, "claimUntil": str(10**14), **changes}
        )
        found, said = fault_in(answer)
        assert code == found, said
        assert sentence in said
        assert before == place.house.engine.state_hash()

    open_street.run(test)


@pytest.mark.parametrize(
    ("path", "body", "code", "sentence"),
    [
        ("coupon-grants", {"campaignId": "5", "userIds": ["1"]}, "40805", "no such campaign"),
        ("coupon-grants", {"campaignId": "5", "userIds": []}, "40019", "userIds"),
        ("coupon-entries", {"campaignId": "5", "userIds": ["x"]}, "40020", "userIds"),
        ("coupon-draws", {"campaignId": "5", "seed": "00"}, "40805", "no such campaign"),
        ("coupon-draws", {"campaignId": "5"}, "40019", "seed"),
    ],
)
def test_operations_that_are_none(
    open_street: OpenStreet, path: str, body: dict[str, Any], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        found, said = fault_in(await place.http.post(f"{SANDBOX}/{path}", json=body))
        assert code == found
        assert sentence in said

    open_street.run(test)
