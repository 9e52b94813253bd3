"""The user as a whole: who calls, what it is worth, its leverage, and its ledger for the tax."""

from pathlib import Path

import pytest

from lombard.core.units import HOUR_MS
from lombard.identity import ALL_PERMISSIONS, Permission, parse_allowed
from tests.api.browser import trader
from tests.api.house import START_MS, Client, fault_in, run, street

ACCOUNT = "/api/v2/spot/account"
BALANCES = "/api/v2/account/all-account-balance"
LEVERAGE = "/lombard/v1/margin/leverage"
TAX = "/api/v2/tax/margin-record"
TRANSFER = "/api/v2/spot/wallet/transfer"
CROSSED = "/api/v2/margin/crossed/account"
DAY_MS = 24 * HOUR_MS
READ_CODES = ["stor", "smor", "wtor", "taxr"]


@pytest.mark.parametrize(
    ("permissions", "codes"),
    [
        (Permission.READ, READ_CODES),
        (Permission.READ | Permission.TRADE, [*READ_CODES, "stow", "smow"]),
        (ALL_PERMISSIONS, [*READ_CODES, "stow", "smow", "wtow"]),
    ],
    ids=str,
)
def test_who_calls(tmp_path: Path, permissions: Permission, codes: list[str]) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(permissions)
            body = (await client.get(f"{ACCOUNT}/info")).json()
            assert {
                "userId": str(client.user),
                "inviterId": "",
                "ips": "",
                "authorities": codes,
                # sic: the one number of the dialect that is not a string
                "parentId": client.user,
                "traderType": "not_trader",
                "channelCode": "",
                "channel": "",
                "regisTime": str(place.house.machine_ms),
            } == body["data"]

    run(test())


def test_from_where_and_since_when(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            since = str(place.house.machine_ms)
            place.house.machine_ms += HOUR_MS
            directory = place.house.directory
            allowed = parse_allowed(["127.0.0.1", "2001:db8::/32"])
            new = await directory.create_key(ann.user, Permission.READ, allowed=allowed)
            client = Client(place.http, ann.user, new.key, new.secret, new.passphrase)
            # Since signing up, not since the key; a browser has none.
            told = await client.read(f"{ACCOUNT}/info")
            assert (since, "127.0.0.1,2001:db8::/32") == (told["regisTime"], told["ips"])
            told = await ann.read(f"{ACCOUNT}/info")
            assert (since, "") == (told["regisTime"], told["ips"])

    run(test())


def test_fees_are_never_deducted_from_another_coin(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            assert {"deduct": "off"} == await client.read(f"{ACCOUNT}/deduct-info")
            switch = f"{ACCOUNT}/switch-deduct"
            for off, on in (("off", "on"), (False, True)):
                assert await client.done(switch, deduct=off) is True
                assert "40805" == (await client.refused(switch, deduct=on))[0]
            assert "40020" == (await client.refused(switch, deduct="maybe"))[0]
            assert "40019" == (await client.refused(switch))[0]

    run(test())


def test_what_the_accounts_are_worth(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1000", BTC="1")
            move = {"fromType": "spot", "coin": "USDT"}
            await client.done(TRANSFER, **move, toType="crossed_margin", amount="600")
            await client.done(
                TRANSFER, **move, toType="isolated_margin", amount="100", symbol="BTCUSDT"
            )
            await client.done(f"{CROSSED}/borrow", coin="BTC", borrowAmount="0.01")
            (row,) = (row for row in await client.read(f"{CROSSED}/assets") if row["coin"] == "BTC")
            due = float(row["interest"]) * 20_000
            found = await client.read(BALANCES)
            kinds = ["spot", "futures", "funding", "earn", "bots", "margin"]
            assert kinds == [row["accountType"] for row in found]
            worth = {row["accountType"]: row["usdtBalance"] for row in found}
            assert "20300" == worth["spot"]
            # A loan adds what it takes away, and then the first hour's interest is owed.
            assert pytest.approx(700 - due, abs=1e-6) == float(worth["margin"])
            assert due > 0
            assert {"0"} == {worth[kind] for kind in kinds[1:5]}

    run(test())


def test_fees_of_every_pair(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            path = "/api/v2/common/all-trade-rate"
            rows = await client.read(path, businessType="margin")
            one = await client.read(
                "/api/v2/common/trade-rate", symbol="BTCUSDT", businessType="margin"
            )
            assert {"symbol": "BTCUSDT", **one} == rows[0]
            assert rows == await client.read(path, businessType="spot")
            assert [] == await client.read(path, businessType="mix")
            assert "40020" == fault_in(await client.get(path, businessType="earn"))[0]

    run(test())


def test_leverage(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1000")
            words = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT"}
            await client.done(TRANSFER, **words, amount="1000")
            before = await client.read(LEVERAGE)
            assert ("crossed", "") == (before["mode"], before["symbol"])
            highest = int(before["leverage"])
            most = f"{CROSSED}/max-borrowable-amount"
            wide = float((await client.read(most, coin="USDT"))["maxBorrowableAmount"])
            assert {**before, "leverage": "2"} == await client.done(LEVERAGE, leverage=2)
            assert {**before, "leverage": "2"} == await client.read(LEVERAGE)
            narrow = float((await client.read(most, coin="USDT"))["maxBorrowableAmount"])
            assert narrow == 1000 < wide

            await client.done(f"{CROSSED}/borrow", coin="USDT", borrowAmount="900")
            code, sentence = await client.refused(LEVERAGE, leverage="1")
            assert "45044" == code
            assert "repay at least 900." in sentence
            for wrong in (highest + 1, 999_999):
                code, sentence = await client.refused(LEVERAGE, leverage=str(wrong))
                assert ("43050", True) == (code, sentence.endswith(f"at most {highest}"))
            for words, code in (
                ({"leverage": "0"}, "50061"),
                ({"leverage": "1.5"}, "50061"),
                ({}, "400172"),
                ({"leverage": "2", "mode": "both"}, "50061"),
                ({"leverage": "2", "mode": "isolated"}, "400172"),
            ):
                assert code == (await client.refused(LEVERAGE, **words))[0]
            assert {**before, "leverage": "2"} == await client.read(LEVERAGE)

    run(test())


def test_leverage_of_an_isolated_account(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1000")
            named = {"mode": "isolated", "symbol": "BTCUSDT"}
            before = await client.read(LEVERAGE, **named)
            assert named == {name: before[name] for name in named}
            assert "50021" == (await client.refused(LEVERAGE, **named, leverage="3"))[0]
            words = {"fromType": "spot", "toType": "isolated_margin", "coin": "USDT"}
            await client.done(TRANSFER, **words, amount="10", symbol="BTCUSDT")
            assert {**named, "leverage": "3"} == await client.done(LEVERAGE, **named, leverage="3")

    run(test())


def test_the_ledger_for_the_tax(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1000")
            words = {"fromType": "spot", "coin": "USDT"}
            await client.done(TRANSFER, **words, toType="crossed_margin", amount="500")
            await client.done(
                TRANSFER, **words, toType="isolated_margin", amount="100", symbol="BTCUSDT"
            )
            await client.done(f"{CROSSED}/borrow", coin="USDT", borrowAmount="100")
            (owed,) = await client.read(f"{CROSSED}/assets", coin="USDT")
            paid = await client.done(f"{CROSSED}/repay", coin="USDT", repayAmount="101")
            span = {"startTime": START_MS - DAY_MS, "endTime": START_MS + DAY_MS}
            rows = await client.read(TAX, **span)

            assert ["repay", "interest_repay", "borrow", "transfer_in"] == [
                row["marginTaxType"] for row in rows
            ]
            assert ["-100", f"-{owed['interest']}", "100", "500"] == [row["amount"] for row in rows]
            assert float(paid["repayAmount"]) == 100 + float(owed["interest"])
            left = await client.read(f"{CROSSED}/assets", coin="USDT")
            assert left[0]["available"] == rows[0]["total"]
            assert {
                "id": rows[2]["id"],
                "coin": "USDT",
                "symbol": "",
                "marginTaxType": "borrow",
                "amount": "100",
                "fee": "0",
                "total": "600",
                "balance": "600",
                "ts": str(START_MS),
            } == rows[2]
            assert rows[2:] == await client.read(TAX, **span, idLessThan=rows[1]["id"])
            assert rows[:2] == await client.read(TAX, **span, limit=1, coin="USDT")
            assert [] == await client.read(TAX, **span, coin="BTC")
            (isolated,) = await client.read(TAX, **span, marginType="isolated")
            assert ("BTCUSDT", "transfer_in", "100") == (
                isolated["symbol"],
                isolated["marginTaxType"],
                isolated["amount"],
            )

    run(test())


def test_the_tax_is_asked_for_a_month_at_most(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            for query, code in (
                ({"startTime": START_MS}, "400172"),
                ({"endTime": START_MS}, "400172"),
                ({"startTime": START_MS, "endTime": START_MS - 1}, "40707"),
                ({"startTime": START_MS, "endTime": START_MS + 31 * DAY_MS}, "00001"),
                ({"startTime": START_MS, "endTime": START_MS, "marginType": "both"}, "50061"),
                ({"startTime": START_MS, "endTime": START_MS, "coin": "XXX"}, "50032"),
            ):
                assert code == fault_in(await client.get(TAX, **query))[0]
            month = {"startTime": START_MS, "endTime": START_MS + 30 * DAY_MS}
            assert [] == await client.read(TAX, **month)

    run(test())
