"""Spot orders over the wire: placing, replacing, cancelling, and the lists, in their own shapes."""

import json
import re
from pathlib import Path

import pytest

from lombard.core.commands import SetParameter
from tests.api.house import (
    MACHINE_MS,
    START_MS,
    Client,
    OpenStreet,
    Street,
    data_of,
    fault_in,
    run,
    street,
)

TRADE = "/api/v2/spot/trade"
NOW = str(START_MS)


def order(side: str, price: str, size: str, **more: str) -> dict[str, str]:
    """Word a limit order."""
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc"}
    return {**words, "side": side, "price": price, "size": size, **more}


async def pair_of_clients(place: Street) -> tuple[Client, Client]:
    """Admit one who can buy and one who can sell."""
    return await place.client(USDT="100000"), await place.client(BTC="10")


def test_an_order_from_beginning_to_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, taker = await pair_of_clients(place)
            placed = await maker.done(f"{TRADE}/place-order", **order("buy", "19900", "0.3"))
            assert ["clientOid", "orderId"] == sorted(placed)
            assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", placed["clientOid"])
            (unfilled,) = await maker.read(f"{TRADE}/unfilled-orders")
            assert {
                "userId": str(maker.user),
                "symbol": "BTCUSDT",
                "orderId": placed["orderId"],
                "clientOid": placed["clientOid"],
                # sic: the order's price is here, the average in `basePrice`
                "priceAvg": "19900.0000000000000000",
                "size": "0.3000000000000000",
                "orderType": "limit",
                "side": "buy",
                "status": "live",
                "basePrice": "0.0000000000000000",
                "baseVolume": "0.0000000000000000",
                "quoteVolume": "0.0000000000000000",
                "enterPointSource": "API",
                "orderSource": "normal",
                "presetTakeProfitPrice": "",
                "executeTakeProfitPrice": "",
                "presetStopLossPrice": "",
                "executeStopLossPrice": "",
                "cTime": NOW,
                "uTime": NOW,
                "tpslType": "normal",
                "triggerPrice": None,
            } == unfilled

            await taker.done(f"{TRADE}/place-order", **order("sell", "19900", "0.1"))
            (info,) = await maker.read(f"{TRADE}/orderInfo", orderId=placed["orderId"])
            expected = {
                "userId": str(maker.user),
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "orderId": placed["orderId"],
                "clientOid": placed["clientOid"],
                "price": "19900.0000000000000000",
                "size": "0.3000000000000000",
                "orderType": "limit",
                "side": "buy",
                "status": "partially_filled",
                "priceAvg": "19900.0000000000000000",
                "baseVolume": "0.1000000000000000",
                "quoteVolume": "1990.0000000000000000",
                "enterPointSource": "API",
                "feeDetail": info["feeDetail"],
                "orderSource": "normal",
                "cancelReason": "",
                "cTime": NOW,
                "uTime": NOW,
                "tpslType": "normal",
                "triggerPrice": None,
            }
            assert expected == info
            assert {
                "newFees": {
                    "c": 0,
                    "d": 0,
                    "deduction": False,
                    "r": -0.0001,
                    "t": -0.0001,
                    "totalDeductionFee": 0,
                },
                "BTC": {
                    "deduction": False,
                    "feeCoinCode": "BTC",
                    "totalDeductionFee": 0,
                    "totalFee": -0.0001,
                },
            } == json.loads(info["feeDetail"])

            cancelled = await maker.done(
                f"{TRADE}/cancel-order", symbol="BTCUSDT", orderId=placed["orderId"]
            )
            assert placed == cancelled
            past = {**expected, "status": "cancelled", "cancelReason": "normal_cancel"}
            assert [past] == await maker.read(f"{TRADE}/orderInfo", clientOid=placed["clientOid"])
            assert [past] == await maker.read(f"{TRADE}/history-orders")
            assert [] == await maker.read(f"{TRADE}/unfilled-orders")
            gone = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
            assert "43001" == (await maker.refused(f"{TRADE}/cancel-order", **gone))[0]

    run(test())


def test_fills(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, taker = await pair_of_clients(place)
            await maker.done(f"{TRADE}/place-order", **order("buy", "20000", "1"))
            market = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "force": "gtc"}
            sold = await taker.done(f"{TRADE}/place-order", **market, size="0.5")
            (fill,) = await taker.read(f"{TRADE}/fills")
            assert {
                "userId": str(taker.user),
                "symbol": "BTCUSDT",
                "orderId": sold["orderId"],
                "tradeId": fill["tradeId"],
                "orderType": "market",
                "side": "sell",
                "priceAvg": "20000",
                "size": "0.5",
                "amount": "10000",
                "feeDetail": {
                    "deduction": "no",
                    "feeCoin": "USDT",
                    "totalDeductionFee": "0",
                    "totalFee": "-10",
                },
                "tradeScope": "taker",
                "cTime": NOW,
                "uTime": NOW,
            } == fill
            assert [fill] == await taker.read(f"{TRADE}/fills", orderId=sold["orderId"])
            assert [fill] == await taker.read(f"{TRADE}/fills", symbol="BTCUSDT")
            assert [] == await taker.read(f"{TRADE}/fills", symbol="ETHUSDT")
            assert [] == await taker.read(f"{TRADE}/fills", idLessThan=fill["tradeId"])

            (row,) = await taker.read(f"{TRADE}/history-orders", symbol="BTCUSDT")
            assert ("market", "market", "filled", "0.5000000000000000") == (
                row["orderType"],
                row["orderSource"],
                row["status"],
                row["size"],
            )

    run(test())


def test_a_market_buy_is_sized_in_quote(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client, maker = await pair_of_clients(place)
            await maker.done(f"{TRADE}/place-order", **order("sell", "20000", "1"))
            market = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "force": "gtc"}
            await client.done(f"{TRADE}/place-order", **market, size="2000")
            (row,) = await client.read(f"{TRADE}/history-orders")
            assert ("2000.0000000000000000", "0.1000000000000000") == (
                row["size"],
                row["baseVolume"],
            )

    run(test())


def test_replacing_is_one_step(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="2000")
            placed = await client.done(f"{TRADE}/place-order", **order("buy", "19900", "0.1"))
            path = f"{TRADE}/cancel-replace-order"
            wish = {"symbol": "BTCUSDT", "orderId": placed["orderId"], "size": "0.1"}
            replaced = await client.done(path, **wish, price="19800", newClientOid="new")
            assert {
                "orderId": replaced["orderId"],
                "clientOid": "new",
                "success": "success",
                "msg": None,
            } == replaced
            (row,) = await client.read(f"{TRADE}/unfilled-orders")
            assert ("new", "19800.0000000000000000") == (row["clientOid"], row["priceAvg"])
            # More than there is: the old one stands.
            wish = {"symbol": "BTCUSDT", "clientOid": "new", "size": "5"}
            before = place.house.engine.state_hash()
            refused = await client.refused(path, **wish, price="19800")
            assert ("43012", "Insufficient balance: USDT") == refused
            assert before == place.house.engine.state_hash()

    run(test())


def test_replacing_several(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000")
            for name in ("a", "b"):
                wish = order("buy", "19900", "0.1", clientOid=name)
                await client.done(f"{TRADE}/place-order", **wish)
            result = await client.done(
                f"{TRADE}/batch-cancel-replace-order",
                orderList=[
                    {"symbol": "BTCUSDT", "clientOid": "a", "price": "19800", "size": "0.2"},
                    {"symbol": "BTCUSDT", "clientOid": "x", "price": "19800", "size": "0.2"},
                    {"symbol": "BTCUSDT", "clientOid": "b", "price": "19800"},
                ],
            )
            assert ["success", "failure", "failure"] == [row["success"] for row in result]
            assert [None, "The order does not exist", "Parameter size cannot be empty"] == [
                row["msg"] for row in result
            ]
            resting = await client.read(f"{TRADE}/unfilled-orders")
            assert ["0.2000000000000000", "0.1000000000000000"] == [row["size"] for row in resting]

    run(test())


def test_batches(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000")
            bare = order("buy", "19900", "0.1", clientOid="a")
            del bare["symbol"]
            eth = order("buy", "1490", "1", clientOid="b", symbol="ETHUSDT")
            path = f"{TRADE}/batch-orders"
            single = await client.done(path, symbol="BTCUSDT", orderList=[bare, eth])
            assert ["a"] == [entry["clientOid"] for entry in single["successList"]]
            # An entry of another pair than its batch's would be placed at the wrong price.
            assert [("b", "40020")] == [
                (entry["clientOid"], entry["errorCode"]) for entry in single["failureList"]
            ]
            multiple = await client.done(path, batchMode="multiple", orderList=[bare, eth])
            assert ["b"] == [entry["clientOid"] for entry in multiple["successList"]]
            assert [("a", "40019")] == [
                (entry["clientOid"], entry["errorCode"]) for entry in multiple["failureList"]
            ]
            cancel = await client.done(
                f"{TRADE}/batch-cancel-order",
                batchMode="multiple",
                orderList=[
                    {"symbol": "BTCUSDT", "clientOid": "a"},
                    {"symbol": "ETHUSDT", "orderId": multiple["successList"][0]["orderId"]},
                    {"symbol": "XXX", "clientOid": "a"},
                    {"clientOid": "a"},
                ],
            )
            assert 2 == len(cancel["successList"])
            assert ["40102", "40019"] == [entry["errorCode"] for entry in cancel["failureList"]]
            for name in ("batch-orders", "batch-cancel-order", "batch-cancel-replace-order"):
                refused = await client.refused(f"{TRADE}/{name}")
                assert ("40019", "Parameter orderList cannot be empty") == refused
            for name in ("batch-orders", "batch-cancel-order"):
                refused = await client.refused(f"{TRADE}/{name}", batchMode="x", orderList=[bare])
                assert ("40020", "Parameter batchMode error") == refused

    run(test())


def test_everything_of_a_pair_is_cancelled(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000")
            for _ in range(3):
                await client.done(f"{TRADE}/place-order", **order("buy", "19900", "0.1"))
            eth = order("buy", "1490", "1", symbol="ETHUSDT")
            kept = await client.done(f"{TRADE}/place-order", **eth)
            done = await client.done(f"{TRADE}/cancel-symbol-order", symbol="BTCUSDT")
            assert {"symbol": "BTCUSDT"} == done
            resting = await client.read(f"{TRADE}/unfilled-orders")
            assert [kept["orderId"]] == [row["orderId"] for row in resting]

    run(test())


def test_a_self_trade_is_prevented_and_named(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000", BTC="1")
            await client.done(f"{TRADE}/place-order", **order("buy", "20000", "0.1"))
            selling = order("sell", "20000", "0.1", stpMode="cancel_maker")
            await client.done(f"{TRADE}/place-order", **selling)
            (row,) = await client.read(f"{TRADE}/history-orders")
            assert ("buy", "cancelled", "stp_cancel") == (
                row["side"],
                row["status"],
                row["cancelReason"],
            )

    run(test())


@pytest.mark.parametrize(
    ("path", "wish", "code", "sentence"),
    [
        ("place-order", order("", "1", "1"), "40019", "Parameter side cannot be empty"),
        ("place-order", order("buy", "", "1"), "40019", "Parameter price cannot be empty"),
        ("place-order", order("buy", "1", ""), "40019", "Parameter size cannot be empty"),
        ("place-order", order("buy", "1", "1", symbol="X"), "40102", "Symbol does not exist: X"),
        ("place-order", order("hold", "1", "1"), "40020", "Parameter side error"),
        ("place-order", order("buy", "1", "1", force="day"), "40020", "Parameter force error"),
        ("place-order", order("buy", "1", "1", stpMode="x"), "40020", "Parameter stpMode error"),
        ("place-order", order("buy", "1", "1", triggerPrice="5"), "40020", "tpslType"),
        ("place-order", order("buy", "1", "1", tpslType="x"), "40020", "tpslType"),
        ("place-order", order("buy", "1", "1", tpslType="tpsl"), "40019", "triggerPrice"),
        ("cancel-order", {"symbol": "BTCUSDT"}, "40924", "must have one"),
        ("cancel-order", {"orderId": "1"}, "40019", "symbol"),
        ("cancel-symbol-order", {}, "40019", "symbol"),
        ("cancel-replace-order", {"symbol": "BTCUSDT", "price": "1"}, "40019", "size"),
        # What ccxt makes of a margin order with a trigger price (reference §7.3).
        (
            "place-plan-order",
            {
                "symbol": "BTCUSDT",
                "orderType": "limit",
                "price": "24000",
                "force": "gtc",
                "side": "buy",
                "loanType": "normal",
                "baseSize": "0.01",
                "triggerPrice": 24000,
            },
            "40019",
            "size",
        ),
        (
            "place-plan-order",
            order("buy", "1", "1", triggerPrice="5", triggerType="fill_price"),
            "40019",
            "executePrice",
        ),
    ],
)
def test_wishes_that_are_none(
    open_street: OpenStreet, path: str, wish: dict[str, str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client(USDT="10")
        before = place.house.engine.state_hash()
        found, said = await client.refused(f"{TRADE}/{path}", **wish)
        assert code == found
        assert sentence in said
        assert before == place.house.engine.state_hash()

    open_street.run(test)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("orderInfo", {}, "40924"),
        ("orderInfo", {"orderId": "x"}, "40020"),
        ("unfilled-orders", {"symbol": "X"}, "40102"),
        ("unfilled-orders", {"orderId": "x"}, "40020"),
        ("history-orders", {"startTime": "2", "endTime": "1"}, "40707"),
        ("fills", {"limit": "x"}, "40020"),
    ],
)
def test_questions_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str], code: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        assert code == fault_in(await client.get(f"{TRADE}/{path}", **query))[0]

    open_street.run(test)


def test_unknown_orders_are_an_empty_list(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            assert [] == await client.read(f"{TRADE}/orderInfo", orderId=str(10**18))
            assert [] == await client.read(f"{TRADE}/orderInfo", clientOid="nobody")
            assert [] == await client.read(f"{TRADE}/history-orders", orderId=str(10**18))

    run(test())


def test_the_band_of_spot_orders_is_shown_and_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            place.house.done(SetParameter("spot_band_e6", 50_000))
            path = "/api/v2/spot/public/symbols?symbol=BTCUSDT"
            (row,) = data_of(await place.http.get(path))
            assert ("0.05", "0.05") == (row["buyLimitPriceRatio"], row["sellLimitPriceRatio"])
            client = await place.client(USDT="100000", BTC="10")
            for side in ("sell", "buy"):
                await client.done(f"{TRADE}/place-order", **order(side, "20000", "0.1"))

            path = f"{TRADE}/place-order"
            found = await client.refused(path, **order("buy", "21000.01", "0.1"))
            assert ("43009", "The current order price exceeds the limit 21000") == found
            found = await client.refused(path, **order("sell", "18999.99", "0.1"))
            assert ("43008", "The current order price cannot be less than 19000") == found

    run(test())


def test_a_request_that_comes_too_late_for_its_sender(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, _ = await pair_of_clients(place)
            path, words = f"{TRADE}/place-order", order("buy", "19900", "0.1")
            for window, code in (
                ({"requestTime": MACHINE_MS - 1_001, "receiveWindow": 1_000}, "40078"),
                ({"requestTime": MACHINE_MS + 1_001, "receiveWindow": 1_000}, "40078"),
                ({"requestTime": MACHINE_MS - 30_001}, "40078"),
                ({"requestTime": MACHINE_MS, "receiveWindow": 60_000}, "40079"),
                ({"requestTime": "now"}, "40020"),
            ):
                before = place.house.engine.state_hash()
                assert code == (await maker.refused(path, **words, **window))[0]
                asked = await maker.get(f"{TRADE}/orderInfo", orderId="1", **window)
                assert code == fault_in(asked)[0]
                assert before == place.house.engine.state_hash()
            timely = {"requestTime": MACHINE_MS - 1_000, "receiveWindow": 1_000}
            placed = await maker.done(path, **words, **timely)
            (shown,) = await maker.read(f"{TRADE}/orderInfo", orderId=placed["orderId"], **timely)
            assert placed["clientOid"] == shown["clientOid"]

    run(test())


def test_an_order_that_takes_another_s_place_brings_no_exits(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            maker, _ = await pair_of_clients(place)
            placed = await maker.done(f"{TRADE}/place-order", **order("buy", "19900", "0.1"))
            words = {"symbol": "BTCUSDT", "price": "19800", "size": "0.1", **placed}
            for name in ("presetTakeProfitPrice", "presetStopLossPrice"):
                before = place.house.engine.state_hash()
                path = f"{TRADE}/cancel-replace-order"
                assert "40805" == (await maker.refused(path, **words, **{name: "21000"}))[0]
                assert before == place.house.engine.state_hash()

    run(test())
