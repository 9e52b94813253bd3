"""Plan orders over the wire: the dialect's shapes for spot, and Lombard's own for every account."""

from pathlib import Path
from typing import Any

import pytest

from lombard.core.commands import CancelAllOrders, SetParameter
from tests.api.house import START_MS, Client, OpenStreet, Street, run, street

TRADE = "/api/v2/spot/trade"
NOW = str(START_MS)
DESKS = ("spot", "margin/crossed", "margin/isolated")


def plan(side: str, trigger: str, size: str, **more: str) -> dict[str, str]:
    """Word a plan order of the last price, market unless it has an execution price."""
    kind = "limit" if "executePrice" in more else "market"
    words = {"symbol": "BTCUSDT", "side": side, "triggerPrice": trigger, "size": size}
    return {**words, "orderType": kind, "triggerType": "fill_price", **more}


def order(side: str, price: str, size: str, **more: str) -> dict[str, str]:
    """Word a limit order."""
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc"}
    return {**words, "side": side, "price": price, "size": size, **more}


class Market:
    """Somebody who makes the last price."""

    def __init__(self, place: Street, client: Client) -> None:
        self.place = place
        self.client = client

    @classmethod
    async def open(cls, place: Street) -> "Market":
        market = cls(place, await place.client(USDT="1000000", BTC="100"))
        await market.move_to("20000")
        return market

    async def move_to(self, price: str, size: str = "0.001") -> None:
        """Clear the book and trade at a price."""
        await self.client.done(f"{TRADE}/cancel-symbol-order", symbol="BTCUSDT")
        await self.client.done(f"{TRADE}/place-order", **order("sell", price, size))
        await self.client.done(f"{TRADE}/place-order", **order("buy", price, size))

    async def stand(self, side: str, price: str, size: str) -> None:
        """Let an order rest."""
        await self.client.done(f"{TRADE}/place-order", **order(side, price, size))


def test_a_plan_order_from_beginning_to_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client = await place.client(BTC="1")
            placed = await client.done(
                f"{TRADE}/place-plan-order",
                **plan("sell", "19500", "0.1", executePrice="19400", clientOid="mine"),
            )
            assert "mine" == placed["clientOid"]
            page = await client.read(f"{TRADE}/current-plan-order", symbol="BTCUSDT")
            expected = {
                "orderId": placed["orderId"],
                "clientOid": "mine",
                "symbol": "BTCUSDT",
                "size": "0.1",
                "executePrice": "19400",
                "triggerPrice": "19500",
                "status": "live",
                "orderType": "limit",
                "side": "sell",
                "planType": "amount",
                "triggerType": "fill_price",
                "enterPointSource": "API",
                "cTime": NOW,
                "uTime": NOW,
            }
            assert {
                "nextFlag": False,
                "idLessThan": placed["orderId"],
                "orderList": [expected],
            } == page
            sub = f"{TRADE}/plan-sub-order"
            assert [] == await client.read(sub, planOrderId=placed["orderId"])

            changed = await client.done(
                f"{TRADE}/modify-plan-order",
                clientOid="mine",
                triggerPrice="19600",
                orderType="limit",
                executePrice="19550",
                size="0.2",
            )
            assert placed == changed
            await market.move_to("19600")

            assert [] == (await client.read(f"{TRADE}/current-plan-order"))["orderList"]
            (unfilled,) = await client.read(f"{TRADE}/unfilled-orders")
            assert ("19550.0000000000000000", "0.2000000000000000") == (
                unfilled["priceAvg"], unfilled["size"],
            )  # fmt: skip
            (row,) = (await client.read(f"{TRADE}/history-plan-order"))["orderList"]
            assert {
                **expected, "size": "0.2", "executePrice": "19550", "triggerPrice": "19600",
                "status": "executed",
            } == row  # fmt: skip
            under = {"orderId": unfilled["orderId"], "price": "19550", "type": "limit"}
            assert [{**under, "status": "in_progress"}] == await client.read(
                sub, planOrderId=placed["orderId"]
            )
            await market.stand("buy", "19550", "0.2")
            assert [{**under, "status": "success"}] == await client.read(
                sub, planOrderId=placed["orderId"]
            )

    run(test())


def test_what_was_refused_when_it_fired_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client = await place.client(USDT="10")
            placed = await client.done(f"{TRADE}/place-plan-order", **plan("buy", "20100", "500"))
            await market.move_to("20100")

            (row,) = (await client.read(f"{TRADE}/history-plan-order"))["orderList"]
            assert ("fail_execute", "total", "500") == (row["status"], row["planType"], row["size"])
            (sub,) = await client.read(f"{TRADE}/plan-sub-order", planOrderId=placed["orderId"])
            assert {"orderId": "", "price": "", "type": "market", "status": "fail"} == sub
            (own,) = (await client.read("/lombard/v1/spot/history-plan-order"))["orderList"]
            assert ("insufficient_balance", "20100") == (own["reason"], own["reachedPrice"])

    run(test())


def test_plan_orders_are_cancelled_alone_or_by_the_pair(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await Market.open(place)
            client = await place.client(BTC="1")
            ids = []
            for number in range(4):
                wish = plan("sell", f"19{number}00", "0.1")
                ids.append((await client.done(f"{TRADE}/place-plan-order", **wish))["orderId"])
            path = f"{TRADE}/cancel-plan-order"
            assert {"result": "success"} == await client.done(path, orderId=ids[0])
            page = await client.read(f"{TRADE}/current-plan-order", limit=2)
            assert (True, ids[2]) == (page["nextFlag"], page["idLessThan"])
            page = await client.read(f"{TRADE}/current-plan-order", limit=2, idLessThan=ids[2])
            assert (False, [ids[1]]) == (
                page["nextFlag"], [row["orderId"] for row in page["orderList"]],
            )  # fmt: skip

            batch = f"{TRADE}/batch-cancel-plan-order"
            assert [] == (await client.done(batch, symbolList=["ETHUSDT"]))["successList"]
            done = await client.done(batch, symbolList=["BTCUSDT"])
            assert ids[:0:-1] == [row["orderId"] for row in done["successList"]]
            assert [] == done["failureList"]
            page = await client.read(f"{TRADE}/history-plan-order", limit=3)
            assert (True, {"cancelled"}) == (
                page["nextFlag"], {row["status"] for row in page["orderList"]},
            )  # fmt: skip
            assert "43025" == (await client.refused(path, orderId=ids[1]))[0]

    run(test())


def test_a_spot_order_of_type_tpsl_waits_among_the_unfilled(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client = await place.client(BTC="1")
            wish = order("sell", "19400", "0.1", triggerPrice="19500", tpslType="tpsl")
            one = await client.done(f"{TRADE}/place-order", **wish)
            two = await client.done(f"{TRADE}/place-order", **{**wish, "clientOid": "two"})

            assert [] == await client.read(f"{TRADE}/unfilled-orders")
            assert [] == (await client.read(f"{TRADE}/current-plan-order"))["orderList"]
            rows = await client.read(f"{TRADE}/unfilled-orders", tpslType="tpsl")
            assert [("two", "tpsl", "19500"), (one["clientOid"], "tpsl", "19500")] == [
                (row["clientOid"], row["tpslType"], row["triggerPrice"]) for row in rows
            ]
            (found,) = await client.read(
                f"{TRADE}/unfilled-orders", tpslType="tpsl", orderId=two["orderId"]
            )
            assert "two" == found["clientOid"]
            path = f"{TRADE}/cancel-order"
            done = await client.done(path, symbol="BTCUSDT", clientOid="two", tpslType="tpsl")
            assert two == done
            await market.move_to("19500")
            rows = await client.read(f"{TRADE}/history-orders", tpslType="tpsl")
            assert [("cancelled", "normal_cancel"), ("filled", "")] == [
                (row["status"], row["cancelReason"]) for row in rows
            ]
            assert 1 == len(await client.read(f"{TRADE}/unfilled-orders"))

    run(test())


def test_presets_become_exits(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client = await place.client(USDT="5000")
            presets = {
                "presetTakeProfitPrice": "21000",
                "executeTakeProfitPrice": "20990",
                "presetStopLossPrice": "19000",
            }
            await client.done(f"{TRADE}/place-order", **order("buy", "19990", "0.1"), **presets)
            (resting,) = await client.read(f"{TRADE}/unfilled-orders")
            assert {**presets, "executeStopLossPrice": ""} == {
                name: resting[name] for name in [*presets, "executeStopLossPrice"]
            }
            await market.stand("sell", "19990", "0.1")
            rows = await client.read(f"{TRADE}/unfilled-orders", tpslType="tpsl")
            assert [("19000", "market"), ("21000", "limit")] == [
                (row["triggerPrice"], row["orderType"]) for row in rows
            ]
            await market.move_to("21000")
            (exit_,) = await client.read(f"{TRADE}/unfilled-orders")
            assert ("20990.0000000000000000", "0.0999000000000000") == (
                exit_["priceAvg"], exit_["size"],
            )  # fmt: skip
            assert [] == await client.read(f"{TRADE}/unfilled-orders", tpslType="tpsl")

    run(test())


async def funded(place: Street, desk: str) -> tuple[Client, dict[str, str]]:
    """Admit somebody with coins where a desk wants them; returns what names the account."""
    client = await place.client(USDT="10000", BTC="1")
    if desk == "spot":
        return client, {}
    to = "crossed_margin" if desk == "margin/crossed" else "isolated_margin"
    for coin, amount in (("USDT", "10000"), ("BTC", "1")):
        move = {"fromType": "spot", "toType": to, "coin": coin, "amount": amount}
        await client.done("/api/v2/spot/wallet/transfer", **move, symbol="BTCUSDT")
    return client, {"symbol": "BTCUSDT"}


@pytest.mark.parametrize("desk", DESKS)
def test_the_desks_of_our_own(tmp_path: Path, desk: str) -> None:
    """A trailing stop, an OCO and an order with exits, in each kind of account."""

    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client, names = await funded(place, desk)
            path = f"/lombard/v1/{desk}"
            await client.done(
                f"{path}/place-plan-order",
                **{**plan("sell", "", "0.1"), "callbackRatio": "0.02", "triggerType": "mark_price"},
            )
            place.house.price("BTC", "20500")
            oco = {"side": "sell", "price": "22000", "size": "0.1", "triggerPrice": "19000"}
            await client.done(
                f"{path}/place-oco-order", symbol="BTCUSDT", triggerType="fill_price", **oco
            )
            await market.stand("sell", "20000", "0.1")
            entry = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "20000"}
            exits = {"presetTakeProfitPrice": "23000", "presetStopLossPrice": "18000"}
            await client.done(
                f"{path}/place-exit-order", symbol="BTCUSDT", baseSize="0.1", **entry, **exits
            )

            rows = await rows_of(client, f"{path}/current-plan-order", names)
            assert [
                ("stop_loss", "18000", "0.0999"),
                ("take_profit", "23000", "0.0999"),
                ("oco", "19000", "0.1"),
                ("trailing", "", "0.1"),
            ] == [(row["plan"], row["triggerPrice"], row["size"]) for row in rows]
            trailing, oco_row = rows[3], rows[2]
            assert ("0.02", "20500") == (trailing["callbackRatio"], trailing["bestPrice"])
            assert oco_row["parentOrderId"]

            # 20 500 less 2 % is 20 090.
            place.house.price("BTC", "20090")
            (fired,) = await rows_of(client, f"{path}/history-plan-order", names)
            assert ("trailing", "executed", "20090") == (
                fired["plan"], fired["status"], fired["reachedPrice"],
            )  # fmt: skip
            change = {"triggerPrice": "18000", "orderType": "market", "size": "0.1"}
            named = {**names, "orderId": oco_row["orderId"]}
            code, _ = await client.refused(f"{path}/modify-plan-order", **named, **change)
            assert ("40017" if desk == "spot" else "50061") == code
            assert {"result": "success"} == await client.done(f"{path}/cancel-plan-order", **named)
            done = await client.done(f"{path}/batch-cancel-plan-order", **names)
            assert 2 == len(done["successList"])
            await client.done(
                f"{path}/place-oco-order", symbol="BTCUSDT", triggerType="fill_price", **oco
            )
            cancelled = await client.done(f"{path}/cancel-everything", **names)
            assert {"cancelled": "1"} == cancelled
            assert [] == await rows_of(client, f"{path}/current-plan-order", names)

    run(test())


async def rows_of(client: Client, path: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """Read the rows of a page."""
    rows: list[dict[str, Any]] = (await client.read(path, **names))["orderList"]
    return rows


def test_a_margin_plan_order_borrows_when_it_fires(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            market = await Market.open(place)
            client, _ = await funded(place, "margin/crossed")
            await client.done(
                "/lombard/v1/margin/crossed/place-plan-order",
                **plan("sell", "19900", "1.5"),
                loanType="autoLoan",
            )
            place.house.done(CancelAllOrders(place.house.pair("BTCUSDT")), market.client.user << 16)
            await market.stand("buy", "19890", "2")
            await market.client.done(f"{TRADE}/place-order", **order("sell", "19890", "0.1"))

            assets = await client.read("/api/v2/margin/crossed/account/assets", coin="BTC")
            assert "0.5" == assets[0]["borrow"]

    run(test())


def test_too_many_plan_orders_are_refused_with_their_bound(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            place.house.done(SetParameter("open_triggers_max", 1))
            await Market.open(place)
            client = await place.client(BTC="1")
            await client.done(f"{TRADE}/place-plan-order", **plan("sell", "19000", "0.1"))
            found = await client.refused(f"{TRADE}/place-plan-order", **plan("sell", "1", "0.1"))
            assert ("43005", "Exceed the maximum number of orders: at most 1") == found

    run(test())


@pytest.mark.parametrize(
    ("path", "wish", "code", "sentence"),
    [
        (f"{TRADE}/place-plan-order", plan("sell", "", "1"), "40019", "triggerPrice"),
        (f"{TRADE}/place-plan-order", plan("sell", "1", "1", triggerType="x"), "40020", "triggerT"),
        (f"{TRADE}/place-plan-order", plan("sell", "1", "1", planType="total"), "40020", "planTyp"),
        (f"{TRADE}/place-plan-order", plan("buy", "1", "1", planType="amount"), "40020", "planTyp"),
        (f"{TRADE}/place-plan-order", plan("buy", "1.001", "1"), "41103", "triggerPrice scale"),
        (f"{TRADE}/modify-plan-order", {"orderId": "1"}, "40019", "triggerPrice"),
        (
            f"{TRADE}/modify-plan-order",
            {"orderId": "1", "triggerPrice": "1", "orderType": "market", "size": "1"},
            "43025",
            "does not exist",
        ),
        (f"{TRADE}/cancel-plan-order", {}, "40924", "must have one"),
        (f"{TRADE}/batch-cancel-plan-order", {"symbolList": ["X"]}, "40102", "Symbol"),
        (
            "/lombard/v1/spot/place-plan-order",
            {**plan("sell", "1", "1"), "callbackRatio": "x"},
            "40020",
            "callbackRatio",
        ),
        (
            "/lombard/v1/spot/place-plan-order",
            {**plan("sell", "1", "1"), "loanType": "autoLoan"},
            "40017",
            "loanType",
        ),
        ("/lombard/v1/margin/isolated/cancel-plan-order", {"orderId": "1"}, "400172", "symbol"),
    ],
)
def test_wishes_that_are_none(
    open_street: OpenStreet, path: str, wish: dict[str, str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client(USDT="10")
        before = place.house.engine.state_hash()
        found, said = await client.refused(path, **wish)
        assert (code, True) == (found, sentence in said), said
        assert before == place.house.engine.state_hash()

    open_street.run(test)
