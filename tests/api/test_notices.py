"""Notices: pushed as they come, read later as the same rows, and nobody's but one's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, Client, Street, data_of, fault_in, run, street
from tests.api.talking import Talk, arg, hub_of

NOTICES = "/lombard/v1/notices"
SANDBOX = "/lombard/v1/sandbox"
MARGIN = "/api/v2/margin"
TRADE = "/api/v2/spot/trade"
LIMIT = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc"}
DAY_MS = 86_400_000


async def listening(place: Street, client: Client) -> Talk:
    """Subscribe to a user's notices."""
    talk = Talk(place.house, hub_of(place.house), private=True)
    await talk.login(client)
    told = await talk.subscribe(arg("MARGIN", "notices", "default"))
    assert ["subscribe"] == [row.get("event") for row in told]
    return talk


async def told_of(talk: Talk, count: int) -> list[Any]:
    """Wait for so many notices, and return all."""
    while len(talk.rows("notices")) < count:
        await asyncio.sleep(0.005)
    return talk.rows("notices")


async def fall_until_called(place: Street, client: Client) -> None:
    """Let Bitcoin fall, minute by minute, until there is a notice."""
    for price in range(5_000, 1_300, -50):
        place.house.move_to(place.house.now_ms + 60_000)
        place.house.price("BTC", str(price))
        if await client.read(NOTICES, startTime=place.house.now_ms):
            return
    raise AssertionError("nobody was called")


async def debtor(place: Street, mode: str) -> Client:
    """Admit a user with a Bitcoin, who has borrowed 18 000 USDT on it and sent 1 000 away."""
    names = {} if mode == "crossed" else {"symbol": "BTCUSDT"}
    client = await place.client(BTC="1")
    move = {"fromType": "spot", "toType": f"{mode}_margin", "coin": "BTC", "amount": "1"}
    await client.done("/api/v2/spot/wallet/transfer", **move, **names)
    loan = {"coin": "USDT", "borrowAmount": "18000"}
    await client.done(f"{MARGIN}/{mode}/account/borrow", **loan, **names)
    out = {"fromType": f"{mode}_margin", "toType": "spot", "coin": "USDT", "amount": "1000"}
    await client.done("/api/v2/spot/wallet/transfer", **out, **names)
    return client


@pytest.mark.parametrize("mode", ["crossed", "isolated"])
def test_a_call_and_a_liquidation_are_told_as_they_are_read(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client, other = await debtor(place, mode), await debtor(place, "crossed")
            stranger = await place.client(USDT="1")
            maker = await place.client(USDT="1000000")
            await maker.done(f"{TRADE}/place-order", **LIMIT, side="buy", price="1001", size="30")
            talk = await listening(place, client)
            aside = await listening(place, stranger)
            await fall_until_called(place, client)
            place.house.move_to(place.house.now_ms + 60_000)
            place.house.price("BTC", "1000")

            read = await client.read(NOTICES)

            assert ["liquidationFinished", "liquidationStarted", "marginCall"] == [
                row["kind"] for row in read
            ]
            assert read == (await told_of(talk, 3))[::-1]
            symbol = "" if mode == "crossed" else "BTCUSDT"
            assert {(f"{mode}_margin", symbol)} == {
                (row["accountType"], row["symbol"]) for row in read
            }
            names = {"symbol": symbol} if symbol else {}
            record = await client.read(
                f"/lombard/v1/margin/{mode}/liquidation", liqId=read[0]["liqId"], **names
            )
            assert record["riskRateBefore"] == read[1]["riskRate"]
            assert record["riskRateAfter"] == read[0]["riskRate"]
            # Another's are another's.
            assert [] == aside.rows("notices") == await stranger.read(NOTICES)
            ids = {row["noticeId"] for row in read}
            assert not ids & {row["noticeId"] for row in await other.read(NOTICES)}

    run(test())


def test_notices_are_of_a_time_and_so_many(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await debtor(place, "crossed")
            house = place.house
            await fall_until_called(place, client)
            first = house.now_ms
            house.price("BTC", "20000")
            await fall_until_called(place, client)
            times = [int(row["cTime"]) for row in await client.read(NOTICES)]
            assert [house.now_ms, first] == times
            newest = await client.read(NOTICES, limit=1)
            assert [times[0]] == [int(row["cTime"]) for row in newest]
            before = await client.read(NOTICES, endTime=times[0] - 1)
            assert [times[1]] == [int(row["cTime"]) for row in before]
            since = await client.read(NOTICES, startTime=times[1] + 1)
            assert [times[0]] == [int(row["cTime"]) for row in since]
            answer = await client.get(NOTICES, startTime=times[0], endTime=times[1])
            assert "40707" == fault_in(answer)[0]

    run(test())


def test_an_order_that_fails_when_its_price_comes_says_why(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker = await place.client(USDT="100000", BTC="1")
            client = await place.client(USDT="100")
            talk = await listening(place, client)
            for side in ("buy", "sell"):
                order = {**LIMIT, "price": "20000", "size": "0.01"}
                await maker.done(f"{TRADE}/place-order", **order, side=side)
            plan = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.1"}
            wish = {**plan, "triggerPrice": "19000", "triggerType": "fill_price"}
            placed = await client.done(f"{TRADE}/place-plan-order", **wish)
            for side in ("buy", "sell"):
                order = {**LIMIT, "price": "18000", "size": "0.01"}
                await maker.done(f"{TRADE}/place-order", **order, side=side)

            (told,) = await told_of(talk, 1)

            assert ("orderFailed", placed["orderId"]) == (told["kind"], told["orderId"])
            assert "nsufficient" in told["reason"]
            assert ("spot", "") == (told["accountType"], told["symbol"])
            assert [told] == await client.read(NOTICES)

    run(test())


def test_reminders_announcements_and_coupons_are_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            house = place.house
            client = await debtor(place, "crossed")
            stranger = await place.client(USDT="1")
            talk, aside = await listening(place, client), await listening(place, stranger)

            async def operate(path: str, **body: Any) -> Any:
                return data_of(await place.http.post(f"{SANDBOX}/{path}", json=body))

            terms = {"coin": "BTC", "collateralRatio": "0.9"}
            at = str(START_MS + 1_000)
            made = await operate("announcements/coin-terms", **terms, effectiveTime=at)
            house.move_to(START_MS + 2_000)
            campaign = await operate(
                "coupon-campaigns",
                name="June",
                discountRate="1",
                caps=[{"coin": "USDT", "amount": "10"}],
                durationHours="1",
                claimUntil=str(START_MS + DAY_MS),
                access="named",
            )
            users = {"campaignId": campaign["campaignId"], "userIds": [str(client.user)]}
            await operate("coupon-grants", **users)
            claimed = await client.done("/lombard/v1/coupons/claim", campaignId=users["campaignId"])
            for _ in range(3):
                house.move_to(house.now_ms + DAY_MS // 2)

            told = await told_of(talk, 7)

            changes = [row for row in told if row["announcementId"]]
            number = made["announcementId"]
            assert [
                ("changeAnnounced", number, "coin", "BTC"),
                ("changeMade", number, "coin", "BTC"),
            ] == [
                (row["kind"], row["announcementId"], row["change"], row["what"]) for row in changes
            ]
            assert {at} == {row["effectiveTime"] for row in changes}
            coupons = [(row["kind"], row["couponId"]) for row in told if row["couponId"]]
            number = claimed["couponId"]
            assert [
                (kind, number) for kind in ("couponGranted", "couponStarted", "couponEnded")
            ] == (coupons)
            # Two days have a part in a day and a half.
            reminders = [row for row in told if row["kind"] == "repayReminder"]
            assert 2 == len(reminders) == len({row["noticeId"] for row in reminders})
            for row in reminders:
                (debt,) = row["debts"]
                assert ("USDT", "18000") == (debt["coin"], debt["principal"])
                assert float(debt["interest"]) > 0
            # What is announced is for everybody, and nothing else is.
            assert changes == aside.rows("notices")

    run(test())


def test_trades_and_transfers_of_all_pairs_and_coins(tmp_path: Path) -> None:
    """What the dialect lists pair by pair, and coin by coin, here in one list."""

    async def test() -> None:
        async with street(tmp_path) as place:
            maker = await place.client(USDT="100000", BTC="1", ETH="10")
            client = await place.client(USDT="9000", ETH="1")
            for mode, amount in (("crossed", "2000"), ("isolated", "3000")):
                names = {"symbol": "ETHUSDT"} if mode == "isolated" else {}
                move = {"fromType": "spot", "toType": f"{mode}_margin", "coin": "USDT"}
                await client.done("/api/v2/spot/wallet/transfer", **move, amount=amount, **names)
            move = {"fromType": "spot", "toType": "crossed_margin", "coin": "ETH", "amount": "1"}
            await client.done("/api/v2/spot/wallet/transfer", **move)
            for symbol, price in (("BTCUSDT", "20000"), ("ETHUSDT", "1500")):
                order = {"symbol": symbol, "orderType": "limit", "force": "gtc", "size": "0.1"}
                for _ in range(2):
                    await maker.done(f"{TRADE}/place-order", **order, side="sell", price=price)
            buy = {"orderType": "market", "loanType": "normal", "side": "buy", "quoteSize": "30"}
            for mode, symbol in (
                ("crossed", "BTCUSDT"),
                ("crossed", "ETHUSDT"),
                ("isolated", "ETHUSDT"),
            ):
                await client.done(f"{MARGIN}/{mode}/place-order", symbol=symbol, **buy)

            path = "/lombard/v1/margin/crossed/fills"
            fills = await client.read(path)
            assert ["ETHUSDT", "BTCUSDT"] == [row["symbol"] for row in fills]
            dialect = await client.read(
                f"{MARGIN}/crossed/fills", symbol="BTCUSDT", startTime=START_MS - 1
            )
            assert dialect["fills"] == fills[1:] == await client.read(path, symbol="BTCUSDT")
            first, last = fills[0]["tradeId"], fills[1]["tradeId"]
            assert fills[1:] == await client.read(path, idLessThan=first)
            assert [] == await client.read(path, idLessThan=last)
            assert fills[:1] == await client.read(path, limit=1)
            isolated = await client.read("/lombard/v1/margin/isolated/fills")
            assert ["ETHUSDT"] == [row["symbol"] for row in isolated]
            assert [] == await maker.read(path)

            path = "/lombard/v1/transfers"
            moved = await client.read(path)
            assert [("ETH", "1"), ("USDT", "3000"), ("USDT", "2000")] == [
                (row["coin"], row["size"]) for row in moved
            ]
            assert moved[1:] == await client.read(path, coin="USDT")
            assert moved[1:] == await client.read(path, idLessThan=moved[0]["transferId"])
            assert [] == await maker.read(path)

    run(test())
