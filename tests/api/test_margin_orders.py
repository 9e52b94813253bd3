"""Margin orders over the wire: what ccxt sends, what it is answered, and its shapes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, Client, OpenStreet, Street, data_of, fault_in, run, street

CROSSED = "/api/v2/margin/crossed"
ISOLATED = "/api/v2/margin/isolated"
MODES = [CROSSED, ISOLATED]
SINCE = {"startTime": START_MS - 1_000}


async def trader(place: Street, **funds: str) -> Client:
    """Admit a user with funds in the crossed account, and the same in isolated BTCUSDT."""
    doubled = {coin: str(2 * int(amount)) for coin, amount in funds.items()}
    client = await place.client(funds=doubled)
    for coin, amount in funds.items():
        for to_type in ("crossed_margin", "isolated_margin"):
            await client.done(
                "/api/v2/spot/wallet/transfer",
                fromType="spot",
                toType=to_type,
                coin=coin,
                amount=amount,
                symbol="BTCUSDT",
            )
    return client


def limit(side: str, price: str, size: str, **more: str) -> dict[str, str]:
    """Word a limit order as ccxt does."""
    words = {"orderType": "limit", "force": "GTC", "loanType": "normal", "symbol": "BTCUSDT"}
    return {**words, "side": side, "price": price, "baseSize": size, **more}


@pytest.mark.parametrize("mode", MODES)
def test_an_order_rests_trades_and_is_past(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, taker = await trader(place, USDT="10000"), await trader(place, BTC="1")
            placed = await maker.done(f"{mode}/place-order", **limit("buy", "19900.5", "0.1"))
            assert ["clientOid", "orderId"] == sorted(placed)
            assert re.fullmatch("[0-9a-f]{32}", placed["clientOid"])

            page = await maker.read(f"{mode}/open-orders", **SINCE)
            resting = {
                "symbol": "BTCUSDT",
                "orderType": "limit",
                "enterPointSource": "API",
                "orderId": placed["orderId"],
                "clientOid": placed["clientOid"],
                "loanType": "normal",
                "price": "19900.5",
                "side": "buy",
                "status": "live",
                "baseSize": "0.1",
                "quoteSize": "1990.05",
                "priceAvg": "0",
                "size": "0",
                "amount": "0",
                "force": "gtc",
                "cTime": str(START_MS),
                "uTime": str(START_MS),
            }
            assert {
                "orderList": [resting],
                "maxId": placed["orderId"],
                "minId": placed["orderId"],
            } == page

            await taker.done(f"{mode}/place-order", **limit("sell", "19900", "0.04"))
            (partly,) = (await maker.read(f"{mode}/open-orders", **SINCE))["orderList"]
            traded = {"priceAvg": "19900.5", "size": "0.04", "amount": "796.02"}
            assert {**resting, **traded, "status": "partial_fill"} == partly

            await maker.done(
                f"{mode}/cancel-order", symbol="BTCUSDT", clientOid=placed["clientOid"]
            )
            assert {"orderList": [], "maxId": None, "minId": None} == await maker.read(
                f"{mode}/open-orders", **SINCE
            )
            (past,) = (await maker.read(f"{mode}/history-orders", **SINCE))["orderList"]
            assert {**resting, **traded, "status": "cancelled", "quoteSize": "796.02"} == past
            (filled,) = (await taker.read(f"{mode}/history-orders", **SINCE))["orderList"]
            assert ("filled", "sell", "19900.5") == (
                filled["status"],
                filled["side"],
                filled["priceAvg"],
            )

    run(test())


@pytest.mark.parametrize("mode", MODES)
def test_fills(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, taker = await trader(place, USDT="10000"), await trader(place, BTC="1")
            empty = await maker.read(f"{mode}/fills", symbol="BTCUSDT", **SINCE)
            none: str | None = "0" if mode == CROSSED else None
            assert {"fills": [], "maxId": none, "minId": none} == empty

            bought = await maker.done(f"{mode}/place-order", **limit("buy", "20000", "0.1"))
            sold = await taker.done(f"{mode}/place-order", **limit("sell", "20000", "0.1"))
            page = await maker.read(f"{mode}/fills", symbol="BTCUSDT", **SINCE)
            (fill,) = page["fills"]
            assert {
                "symbol": "BTCUSDT",
                "orderId": bought["orderId"],
                "tradeId": fill["tradeId"],
                "orderType": "limit",
                "side": "buy",
                "priceAvg": "20000",
                "size": "0.1",
                "amount": "2000",
                "tradeScope": "maker",
                "feeDetail": {
                    "deduction": "no",
                    "feeCoin": "BTC",
                    "totalDeductionFee": "0",
                    "totalFee": "-0.0001",
                },
                "cTime": str(START_MS),
                "uTime": str(START_MS),
            } == fill
            assert (fill["tradeId"],) * 2 == (page["maxId"], page["minId"])

            query = {"symbol": "BTCUSDT", "orderId": sold["orderId"], **SINCE}
            (other,) = (await taker.read(f"{mode}/fills", **query))["fills"]
            fee = other["feeDetail"]
            assert ("taker", "USDT", "-2") == (
                other["tradeScope"],
                fee["feeCoin"],
                fee["totalFee"],
            )
            before = {"idLessThan": fill["tradeId"], **query}
            assert [] == (await taker.read(f"{mode}/fills", **before))["fills"]

    run(test())


def test_a_market_buy_on_credit(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, client = await trader(place, BTC="1"), await trader(place, USDT="1000")
            await maker.done(f"{CROSSED}/place-order", **limit("sell", "20000", "0.5"))
            order = {
                "symbol": "BTCUSDT",
                "orderType": "market",
                "force": "GTC",
                "side": "buy",
                "loanType": "autoLoan",
                "quoteSize": "2000",
            }
            placed = await client.done(f"{CROSSED}/place-order", **order)
            (row,) = (await client.read(f"{CROSSED}/history-orders", **SINCE))["orderList"]
            assert {
                "symbol": "BTCUSDT",
                "orderType": "market",
                "enterPointSource": "API",
                "orderId": placed["orderId"],
                "clientOid": placed["clientOid"],
                "loanType": "autoLoan",
                "price": "0",
                "side": "buy",
                "status": "filled",
                "baseSize": "0",
                "quoteSize": "2000",
                "priceAvg": "20000",
                "size": "0.1",
                "amount": "2000",
                "force": "gtc",
                "cTime": str(START_MS),
                "uTime": str(START_MS),
            } == row
            loans = await client.read(f"{CROSSED}/borrow-history", **SINCE)
            assert [("USDT", "1000", "auto_loan")] == [
                (loan["coin"], loan["borrowAmount"], loan["borrowType"])
                for loan in loans["resultList"]
            ]

    run(test())


@pytest.mark.parametrize("mode", MODES)
def test_batches(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await trader(place, USDT="10000")
            orders = [
                limit("buy", "19900", "0.1", clientOid="one"),
                limit("buy", "19900", "0.0000001", clientOid="two"),
                limit("buy", "19900", "5", clientOid="three"),
                {"clientOid": "four"},
                limit("buy", "19800", "0.1"),
            ]
            result = await client.done(
                f"{mode}/batch-place-order", symbol="BTCUSDT", orderList=orders
            )
            assert ["one", result["successList"][1]["clientOid"]] == [
                entry["clientOid"] for entry in result["successList"]
            ]
            assert [
                ("", "two", "40808"),
                ("", "three", "50020"),
                ("", "four", "400172"),
            ] == [
                (entry["orderId"], entry["clientOid"], entry["errorCode"])
                for entry in result["failureList"]
            ]
            assert ["clientOid", "errorCode", "errorMsg", "orderId"] == sorted(
                result["failureList"][0]
            )
            assert "side is empty" == result["failureList"][2]["errorMsg"]

            first, second = result["successList"]
            assert int(first["orderId"]) < int(second["orderId"])
            names: list[dict[str, Any]] = [
                {"orderId": first["orderId"]},
                {"clientOid": second["clientOid"]},
                {"clientOid": "unknown"},
                {"orderId": "x"},
                {},
            ]
            result = await client.done(
                f"{mode}/batch-cancel-order", symbol="BTCUSDT", orderIdList=names
            )
            assert [first, second] == result["successList"]
            assert [
                ("", "unknown", "43001"),
                ("x", "", "40020"),
                ("", "", "40924"),
            ] == [
                (entry["orderId"], entry["clientOid"], entry["errorCode"])
                for entry in result["failureList"]
            ]

    run(test())


def test_a_retried_batch_is_one_batch(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await trader(place, USDT="10000")
            orders = [limit("buy", "19900", "0.1"), limit("buy", "19900", "0.1")]
            result = await client.done(
                f"{CROSSED}/batch-place-order", symbol="BTCUSDT", orderList=orders
            )
            # Alike, and yet two: entries have names of their own.
            assert 2 == len({entry["orderId"] for entry in result["successList"]})

            path, body = (
                f"{CROSSED}/batch-place-order",
                json.dumps({"symbol": "BTCUSDT", "orderList": orders}).encode(),
            )
            headers = client.headers("POST", path, body)
            first = data_of(await client.http.post(path, content=body, headers=headers))
            assert first == data_of(await client.http.post(path, content=body, headers=headers))
            assert 4 == len(await ids(client, f"{CROSSED}/open-orders"))

    run(test())


def test_a_client_id_names_one_order(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await trader(place, USDT="10000")
            order = limit("buy", "19900", "0.1", clientOid="mine-1")
            placed = await client.done(f"{CROSSED}/place-order", **order)
            assert "mine-1" == placed["clientOid"]
            # The same wish again is answered the same (RULES 10).
            assert placed == await client.done(f"{CROSSED}/place-order", **order)
            other = {**order, "price": "19800"}
            assert ("50060", "Duplicated clientOid: mine-1") == await client.refused(
                f"{CROSSED}/place-order", **other
            )
            # Cancelled by id, shown with its client id.
            cancelled = await client.done(
                f"{CROSSED}/cancel-order", symbol="BTCUSDT", orderId=placed["orderId"]
            )
            assert placed == cancelled
            page = await client.read(f"{CROSSED}/history-orders", clientOid="mine-1", **SINCE)
            assert [placed["orderId"]] == [row["orderId"] for row in page["orderList"]]

    run(test())


def test_an_id_of_ours_is_taken(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await trader(place, USDT="10000")
            placed = await client.done(f"{CROSSED}/place-order", **limit("buy", "19900", "0.1"))
            order = limit("buy", "19800", "0.1", clientOid=placed["clientOid"])
            assert "50060" == (await client.refused(f"{CROSSED}/place-order", **order))[0]
            for name in ({"orderId": placed["orderId"]}, {"clientOid": placed["clientOid"]}):
                page = await client.read(f"{CROSSED}/open-orders", **name, **SINCE)
                assert [placed["orderId"]] == [row["orderId"] for row in page["orderList"]]

    run(test())


def test_lists_without_a_symbol_and_their_pages(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await trader(place, USDT="10000")
            await client.done(
                "/api/v2/spot/wallet/transfer",
                fromType="crossed_margin",
                toType="isolated_margin",
                coin="USDT",
                amount="1000",
                symbol="ETHUSDT",
            )
            placed: dict[str, list[str]] = {}
            for mode in MODES:
                placed[mode] = []
                for symbol, price in [
                    ("BTCUSDT", "19900"),
                    ("ETHUSDT", "1490"),
                    ("BTCUSDT", "19800"),
                ]:
                    order = limit("buy", price, "0.01", symbol=symbol)
                    answer = await client.done(f"{mode}/place-order", **order)
                    placed[mode].insert(0, answer["orderId"])
            for mode in MODES:
                assert placed[mode] == await ids(client, f"{mode}/open-orders")
                assert placed[mode][::2] == await ids(
                    client, f"{mode}/open-orders", symbol="BTCUSDT"
                )
                assert placed[mode][:1] == await ids(client, f"{mode}/open-orders", limit=1)
                assert placed[mode][1:] == await ids(
                    client, f"{mode}/open-orders", idLessThan=placed[mode][0]
                )
                assert [] == await ids(client, f"{mode}/open-orders", endTime=START_MS - 1)
                for symbol, order_id in zip(
                    ("BTCUSDT", "ETHUSDT", "BTCUSDT"), placed[mode], strict=True
                ):
                    await client.done(f"{mode}/cancel-order", symbol=symbol, orderId=order_id)
                assert placed[mode] == await ids(client, f"{mode}/history-orders")
                assert placed[mode][:2] == await ids(client, f"{mode}/history-orders", limit=2)
                assert placed[mode][1:2] == await ids(
                    client, f"{mode}/history-orders", symbol="ETHUSDT"
                )
                assert placed[mode][2:] == await ids(
                    client, f"{mode}/history-orders", idLessThan=placed[mode][1]
                )
                assert placed[mode] == await ids(
                    client, f"{mode}/history-orders", enterPointSource="API"
                )
                for source in ("SYS", "IOS"):
                    assert [] == await ids(
                        client, f"{mode}/history-orders", enterPointSource=source
                    )

    run(test())


async def ids(client: Client, path: str, **query: str | int) -> list[str]:
    """List the ids of a page of orders."""
    page = await client.read(path, **{**SINCE, **query})
    return [row["orderId"] for row in page["orderList"]]


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        # Each row is wrong in every later way too, so the table fixes the order.
        ({"symbol": ""}, "400172", "symbol is empty"),
        ({"side": ""}, "400172", "side is empty"),
        ({"orderType": ""}, "400172", "orderType is empty"),
        ({"loanType": ""}, "400172", "loanType is empty"),
        ({"symbol": "XXXUSDT"}, "50024", "The trading pair does not exist: XXXUSDT"),
        ({"side": "hold"}, "50061", "side"),
        ({"orderType": "stop"}, "50061", "orderType"),
        ({"loanType": "auto"}, "50061", "loanType"),
        ({"force": "day"}, "50061", "force"),
        ({"force": ""}, "400172", "force is empty"),
        ({"price": ""}, "400172", "price is empty"),
        ({"price": "19900.001"}, "41103", "price scale error"),
        ({"price": "x"}, "50061", "price"),
        ({"baseSize": ""}, "400172", "baseSize is empty"),
        ({"baseSize": "0.1234567"}, "40808", "checkScale=6"),
        ({"baseSize": "-1"}, "50061", "baseSize"),
        ({"stpMode": "cancel"}, "50061", "stpMode"),
        ({"clientOid": "x" * 51}, "40304", "50"),
        ({"clientOid": "a b"}, "40305", "Martian"),
    ],
)
def test_orders_that_are_none(
    open_street: OpenStreet, change: dict[str, str], code: str, sentence: str
) -> None:
    order = limit("buy", "19900", "0.1")
    later = [
        {"clientOid": "a b"},
        {"stpMode": "x"},
        {"baseSize": "x"},
        {"price": "x"},
        {"force": "x"},
        {"loanType": "x"},
        {"orderType": "x"},
        {"side": "x"},
    ]

    async def test(place: Street) -> None:
        client = await trader(place, USDT="10000")
        before = place.house.engine.state_hash()
        found, said = await client.refused(f"{CROSSED}/place-order", **{**order, **change})
        assert code == found
        assert sentence in said
        # What is checked later may be wrong as well: the answer stays.
        (name,) = change
        wrong = dict(order)
        for change_later in later:
            if name in change_later:
                break
            wrong |= change_later
        found, _ = await client.refused(f"{CROSSED}/place-order", **{**wrong, **change})
        assert code == found
        assert before == place.house.engine.state_hash()

    open_street.run(test)


def test_batches_that_are_none(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            for path, name in [
                ("batch-place-order", "orderList"),
                ("batch-cancel-order", "orderIdList"),
            ]:
                url = f"{CROSSED}/{path}"
                assert ("400172", "symbol is empty") == await client.refused(url)
                empty = await client.refused(url, symbol="BTCUSDT")
                assert ("400172", f"{name} is empty") == empty
                many = await client.refused(url, symbol="BTCUSDT", **{name: [{}] * 51})
                assert "40912" == many[0]
                unknown = await client.refused(url, symbol="X", **{name: [{}]})
                assert "50024" == unknown[0]
                odd = await client.refused(url, symbol="BTCUSDT", **{name: "x"})
                assert ("50061", True) == (odd[0], name in odd[1])

    run(test())


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ({}, "400172", "startTime is empty"),
        ({"startTime": "x"}, "50061", "startTime"),
        ({"startTime": "5", "endTime": "4"}, "40707", "Start time is greater"),
        ({"startTime": "0", "endTime": "7779600001"}, "40705", "90 days"),
        ({"startTime": "5", "limit": "0"}, "50061", "limit"),
        ({"startTime": "5", "idLessThan": "x"}, "40020", "idLessThan"),
        ({"startTime": "5", "orderId": "x"}, "40020", "orderId"),
        ({"startTime": "5", "symbol": "X"}, "50024", "X"),
    ],
)
@pytest.mark.parametrize("path", ["open-orders", "history-orders"])
def test_pages_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        for mode in MODES:
            found, said = fault_in(await client.get(f"{mode}/{path}", **query))
            assert code == found
            assert sentence in said

    open_street.run(test)


def test_ninety_days_exactly_are_accepted(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            span = {"startTime": START_MS - 7_776_000_000, "endTime": START_MS + 5_000}
            assert [] == (await client.read(f"{CROSSED}/history-orders", **span))["orderList"]

    run(test())
