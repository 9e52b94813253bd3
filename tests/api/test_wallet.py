"""The wallet over the wire: transfers, spot balances, and the statement of both."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, OpenStreet, Street, fault_in, run, street

TRANSFER = "/api/v2/spot/wallet/transfer"
COINS = "/api/v2/spot/wallet/transfer-coin-info"
RECORDS = "/api/v2/spot/account/transferRecords"
ASSETS = "/api/v2/spot/account/assets"
BILLS = "/api/v2/spot/account/bills"
NOW = str(START_MS)


def wish(to_type: str, amount: object, **more: str) -> dict[str, Any]:
    words = {"fromType": "spot", "toType": to_type, "coin": "USDT"}
    return {**words, "amount": amount, **more}


def test_transfers(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            # ccxt sends a number.
            crossed = await client.done(TRANSFER, **wish("crossed_margin", 10))
            assert {
                "transferId": crossed["transferId"],
                "clientOid": crossed["transferId"],
            } == crossed
            place.house.move_to(START_MS + 1_000)
            isolated = await client.done(
                TRANSFER, **wish("isolated_margin", "20.5", symbol="BTCUSDT", clientOid="mine")
            )
            assert "mine" == isolated["clientOid"]
            # A repeated client id moves nothing again (reference §3.1).
            again = await client.done(
                TRANSFER, **wish("isolated_margin", "20.5", symbol="BTCUSDT", clientOid="mine")
            )
            assert isolated == again

            assert [
                {
                    "coin": "USDT",
                    "status": "Successful",
                    "toType": "isolated_margin",
                    "toSymbol": "BTCUSDT",
                    "fromType": "spot",
                    "fromSymbol": "",
                    "size": "20.5",
                    "ts": str(START_MS + 1_000),
                    "clientOid": "mine",
                    "transferId": isolated["transferId"],
                },
                {
                    "coin": "USDT",
                    "status": "Successful",
                    "toType": "crossed_margin",
                    "toSymbol": "",
                    "fromType": "spot",
                    "fromSymbol": "",
                    "size": "10",
                    "ts": NOW,
                    "clientOid": crossed["transferId"],
                    "transferId": crossed["transferId"],
                },
            ] == await client.read(RECORDS, coin="USDT")
            assert "69.5" == (await client.read(ASSETS))[0]["available"]

    run(test())


def test_lists_of_transfers(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            made = [
                (await client.done(TRANSFER, **wish("crossed_margin", 1)))["transferId"]
                for _ in range(3)
            ]
            back = {"fromType": "crossed_margin", "toType": "spot", "coin": "USDT", "amount": "1"}
            made.append((await client.done(TRANSFER, **back, clientOid="back"))["transferId"])
            made.reverse()

            async def ids(**query: str | int) -> list[str]:
                rows = await client.read(RECORDS, coin="USDT", **query)
                return [row["transferId"] for row in rows]

            assert made == await ids()
            assert made[1:] == await ids(fromType="spot")
            assert made[:1] == await ids(fromType="crossed_margin")
            assert [] == await ids(fromType="isolated_margin")
            assert [] == await ids(fromType="usdt_futures")
            assert made[:1] == await ids(clientOid="back")
            assert made[2:] == await ids(limit=2, pageNum=2)
            assert [] == await ids(pageNum=2)
            assert [] == await ids(endTime=START_MS - 1)
            assert [] == await client.read(RECORDS, coin="BTC")

    run(test())


def test_coins_that_can_be_transferred(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            everything = ["USDT", "USDC", "BTC", "ETH", "DOGE", "PEPE"]
            assert everything == await client.read(COINS, fromType="spot", toType="crossed_margin")
            isolated = await client.read(COINS, fromType="isolated_margin", toType="spot")
            assert set(isolated) <= set(everything)
            assert {"USDT", "BTC"} <= set(isolated)
            assert [] == await client.read(COINS, fromType="spot", toType="usdt_futures")

    run(test())


def test_balances(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100", BTC="1")
            await client.done(
                "/api/v2/spot/trade/place-order",
                symbol="BTCUSDT",
                side="buy",
                orderType="limit",
                force="gtc",
                price="19900",
                size="0.001",
            )
            held = await client.read(ASSETS)
            assert [
                {
                    "coin": "USDT",
                    "available": "80.1",
                    "frozen": "19.9",
                    "locked": "0",
                    "limitAvailable": "0",
                    "uTime": NOW,
                },
                {
                    "coin": "BTC",
                    "available": "1",
                    "frozen": "0",
                    "locked": "0",
                    "limitAvailable": "0",
                    "uTime": NOW,
                },
            ] == held
            assert held == await client.read(ASSETS, assetType="hold_only")
            assert held[1:] == await client.read(ASSETS, coin="BTC")
            assert 6 == len(await client.read(ASSETS, assetType="all"))
            (eth,) = await client.read(ASSETS, coin="ETH")
            assert "0" == eth["available"]

    run(test())


def test_bills(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client, other = await place.client(USDT="10000"), await place.client(BTC="1")
            trade = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "price": "20000"}
            path = "/api/v2/spot/trade/place-order"
            await other.done(path, **trade, side="sell", size="0.1")
            await client.done(path, **trade, side="buy", size="0.1")
            await client.done(TRANSFER, **wish("crossed_margin", "1.5"))
            rows = await client.read(BILLS)
            assert [
                ("USDT", "transfer", "transfer_out", "-1.50000000", "7998.50000000", "0.00000000"),
                ("BTC", "transaction", "buy", "0.09990000", "0.09990000", "-0.00010000"),
                ("USDT", "transaction", "buy", "-2000.00000000", "8000.00000000", "0.00000000"),
                ("USDT", "deposit", "deposit", "10000.00000000", "10000.00000000", "0.00000000"),
            ] == sorted(
                [
                    tuple(
                        row[name]
                        for name in (
                            "coin",
                            "groupType",
                            "businessType",
                            "size",
                            "balance",
                            "fees",
                        )
                    )
                    for row in rows
                ],
                key=lambda row: ["transfer", "transaction", "deposit"].index(row[1]),
            )
            assert {"billId", "cTime"} <= set(rows[0])
            ids = [int(row["billId"]) for row in rows]
            assert sorted(set(ids), reverse=True) == ids
            assert ["transfer_out"] == [
                row["businessType"] for row in await client.read(BILLS, groupType="transfer")
            ]
            assert rows[1:] == await client.read(BILLS, idLessThan=rows[0]["billId"])
            assert [] == await client.read(BILLS, groupType="withdraw")
            assert 1 == len(await client.read(BILLS, coin="BTC"))

    run(test())


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"fromType": ""}, "40019", "fromType"),
        ({"toType": ""}, "40019", "toType"),
        ({"amount": ""}, "40019", "amount"),
        ({"coin": ""}, "40019", "coin"),
        ({"fromType": "savings"}, "40020", "fromType"),
        ({"toType": "savings"}, "40020", "toType"),
        ({"toType": "usdt_futures"}, "40805", "usdt_futures accounts"),
        ({"toType": "isolated_margin"}, "40019", "symbol"),
        ({"toType": "isolated_margin", "symbol": "X"}, "50024", "X"),
        ({"coin": "XXX"}, "43129", "XXX"),
        ({"amount": "1.123456789"}, "50063", "1.123456789"),
        ({"amount": "-1"}, "40020", "amount"),
        ({"amount": -1}, "40020", "amount"),
        ({"amount": "1e3"}, "40020", "amount"),
        ({"clientOid": "x" * 51}, "40304", "50"),
        ({"toType": "spot"}, "40020", "toType"),
        ({"amount": "0"}, "01001", "must be greater than 0"),
        ({"amount": "100.00000001"}, "43012", "USDT"),
        ({"coin": "ETH", "toType": "isolated_margin", "symbol": "BTCUSDT"}, "50039", "ETH"),
    ],
)
def test_transfers_that_are_none(
    open_street: OpenStreet, change: dict[str, Any], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client(USDT="100")
        before = place.house.engine.state_hash()
        found, said = await client.refused(TRANSFER, **{**wish("crossed_margin", "1"), **change})
        assert code == found
        assert sentence in said
        assert before == place.house.engine.state_hash()

    open_street.run(test)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (COINS, {}, "40019"),
        (COINS, {"fromType": "spot", "toType": "x"}, "40020"),
        (RECORDS, {}, "40019"),
        (RECORDS, {"coin": "X"}, "43129"),
        (RECORDS, {"coin": "USDT", "fromType": "x"}, "40020"),
        (RECORDS, {"coin": "USDT", "pageNum": "0"}, "40020"),
        (ASSETS, {"coin": "X"}, "43129"),
        (ASSETS, {"assetType": "x"}, "40020"),
        (BILLS, {"coin": "X"}, "43129"),
        (BILLS, {"startTime": "9", "endTime": "8"}, "40707"),
    ],
)
def test_questions_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str], code: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        assert code == fault_in(await client.get(path, **query))[0]

    open_street.run(test)
