"""What the WebSocket pushes: books that add up, and rows that are those of REST."""

import asyncio
import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest

from lombard.api.socket.books import checksum
from lombard.api.socket.channels import CANDLES
from lombard.api.socket.order_entry import ENTRIES
from lombard.core.commands import FireTriggers
from tests.api.house import Client, Street, run, street
from tests.api.talking import Talk, arg, hub_of

PLACE = "/api/v2/spot/trade/place-order"
CANCEL = "/api/v2/spot/trade/cancel-order"
MARGIN = "/api/v2/margin/crossed/place-order"
LIMIT = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc"}


async def place_order(client: Client, side: str, price: str, size: str) -> str:
    """Place a spot order, and return its id."""
    data = await client.done(PLACE, side=side, price=price, size=size, **LIMIT)
    return str(data["orderId"])


async def to_margin(client: Client, amount: str) -> None:
    """Move USDT into the crossed account."""
    await client.done(
        "/api/v2/spot/wallet/transfer",
        fromType="spot",
        toType="crossed_margin",
        coin="USDT",
        amount=amount,
    )


# Reference §12.2.
@pytest.mark.parametrize(
    ("bids", "asks", "expected"),
    [
        (
            [("43231.1", "4"), ("43231", "6")],
            [("43232.8", "9"), ("43232.9", "8")],
            -1504501796,
        ),
        ([("3366.1", "7")], [("3366.8", "9"), ("3368", "8"), ("3372", "8")], 831078360),
        ([], [], 0),
    ],
)
def test_the_checksum_is_the_references(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], expected: int
) -> None:
    assert expected == checksum(bids, asks)


class ClientBook:
    """The book as a client keeps it, and its checksum in a client's own arithmetic."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        self.seq = -1

    def take(self, frame: Any) -> None:
        """Take in a push, and check it against what it says of itself."""
        (data,) = frame["data"]
        if frame["action"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        else:
            assert data["seq"] > self.seq
            assert data["bids"] or data["asks"]
        self.seq = data["seq"]
        for name, levels in self.sides.items():
            for price, size in data[name]:
                if size == "0":
                    del levels[price]
                else:
                    levels[price] = size
        parts = []
        bids, asks = self.best("bids"), self.best("asks")
        for place in range(25):
            for levels_of in (bids, asks):
                if place < len(levels_of):
                    parts.append(":".join(levels_of[place]))
        crc = zlib.crc32(":".join(parts).encode())
        assert data["checksum"] == crc - 2**32 * (crc >= 2**31)

    def best(self, name: str, levels: int = 150) -> list[list[str]]:
        """List a side, best first."""
        rows = [list(row) for row in self.sides[name].items()]
        rows.sort(key=lambda row: float(row[0]), reverse=name == "bids")
        return rows[:levels]


@pytest.mark.parametrize("seed", range(6))
def test_a_book_kept_by_its_changes_is_the_book(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)

    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            talk, book = Talk(place.house, hub, private=False), ClientBook()
            client = await place.client(USDT="1000000000", BTC="100000")
            resting = [await place_order(client, "buy", "19000", "1")]
            await talk.subscribe(arg("SPOT", "books"))
            for _ in range(8):
                for _ in range(draw.randrange(1, 15)):
                    if resting and draw.random() < 0.3:
                        order = resting.pop(draw.randrange(len(resting)))
                        await client.post(CANCEL, symbol="BTCUSDT", orderId=order)
                        continue
                    side = draw.choice(("buy", "sell"))
                    price = 20000 + draw.randrange(-60, 60) + (30 if side == "sell" else -30)
                    size = f"{draw.randrange(1, 2000) / 1000}"
                    resting.append(await place_order(client, side, str(price), size))
                # A second client begins in between: what the first was told stays in order.
                if draw.random() < 0.3:
                    await Talk(place.house, hub, private=False).subscribe(arg("SPOT", "books"))
                elif draw.random() < 0.3:
                    await talk.until("books", len(talk.pushes("books")) + 1)
            # The last push is one interval away at most: anything later would be one too many.
            newest = place.house.state.seq
            await place_order(client, "buy", "15000", str(seed + 1))
            while talk.pushes("books")[-1]["data"][0]["seq"] <= newest:
                await asyncio.sleep(0.01)

            for frame in talk.pushes("books"):
                book.take(frame)

            shown = await client.read("/api/v2/spot/market/orderbook", symbol="BTCUSDT")
            assert shown["bids"] == book.best("bids")
            assert shown["asks"] == book.best("asks")
            assert 1 == [frame["action"] for frame in talk.pushes("books")].count("snapshot")

    run(main())


@pytest.mark.parametrize("levels", [1, 5, 15])
def test_the_best_levels_are_told_whole(tmp_path: Path, levels: int) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=False)
            client = await place.client(USDT="1000000", BTC="10")
            name = f"books{levels}"
            await talk.subscribe(arg("SPOT", name))
            for step in range(20):
                await place_order(client, "buy", str(19000 + step), "0.01")
            while [["19019", "0.01"]] != talk.pushes(name)[-1]["data"][0]["bids"][:1]:
                await asyncio.sleep(0.01)
            (data,) = talk.pushes(name)[-1]["data"]
            assert levels == len(data["bids"])
            assert checksum([(p, s) for p, s in data["bids"]], []) == data["checksum"]
            # Nothing is told of what is behind them.
            told = len(talk.told)
            await place_order(client, "buy", "18000", "0.01")
            await asyncio.sleep(0.4)
            assert told == len(talk.told)

    run(main())


def test_trades_candles_tickers_and_index_are_those_of_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            talk = Talk(place.house, hub, private=False)
            client = await place.client(USDT="1000000", BTC="10")
            await place_order(client, "buy", "19000", "0.01")
            await place_order(client, "sell", "19000", "0.01")
            await talk.subscribe(
                arg("SPOT", "trade"),
                arg("SPOT", "ticker"),
                *(arg("SPOT", f"candle{name}") for name in CANDLES),
                arg("MARGIN", "index-price", "default"),
            )
            assert "snapshot" == talk.pushes("trade")[0]["action"]
            assert 1 == len(talk.rows("trade"))
            for price in ("19100", "18900"):
                await place_order(client, "buy", price, "0.02")
                await place_order(client, "sell", price, "0.02")

            await talk.until("trade", 2)
            seen = {row["tradeId"]: row for row in talk.rows("trade")}
            shown = await client.read("/api/v2/spot/market/fills", symbol="BTCUSDT")
            assert len(seen) == len(talk.rows("trade")) == len(shown)
            for row in shown:
                del row["symbol"]
                assert row == seen[row["tradeId"]]

            while "18900" != talk.rows("ticker")[-1]["lastPr"]:
                await asyncio.sleep(0.01)
            ticker = talk.rows("ticker")[-1]
            (day,) = await client.read("/api/v2/spot/market/tickers", symbol="BTCUSDT")
            for ours, theirs in (("open24h", "open"), ("instId", "symbol")):
                assert day[theirs] == ticker[ours]
            for name in ("high24h", "low24h", "baseVolume", "quoteVolume", "bidPr", "change24h"):
                assert day[name] == ticker[name]

            for name, granularity in CANDLES.items():
                while "18900" != talk.rows(f"candle{name}")[-1][4]:
                    await asyncio.sleep(0.01)
                shown = await client.read(
                    "/api/v2/spot/market/candles", symbol="BTCUSDT", granularity=granularity
                )
                row = talk.rows(f"candle{name}")[-1]
                assert [*shown[-1][:6], shown[-1][7], shown[-1][6]] == row

            told = len(talk.told)
            place.house.price("BTC", "20500")
            (push,) = await talk.until("index-price", 1, told)
            (row,) = [row for row in push["data"] if row["symbol"] == "BTCUSDT"]
            assert ("BTC", "USDT", "20500") == (
                row["baseCoin"],
                row["quoteCoin"],
                row["indexPrice"],
            )

    run(main())


def test_a_candle_begins_when_its_time_comes(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            talk = Talk(place.house, hub, private=False)
            client = await place.client(USDT="1000000", BTC="10")
            await place_order(client, "buy", "19000", "0.01")
            await place_order(client, "sell", "19000", "0.01")
            await talk.subscribe(arg("SPOT", "candle1m"))
            told = len(talk.told)
            place.house.move_to(place.house.now_ms + 60_000)
            hub.stroke()
            (push,) = await talk.until("candle1m", 1, told)
            assert "update" == push["action"]
            assert str(place.house.now_ms // 60_000 * 60_000) == push["data"][-1][0]
            assert ["19000"] * 4 + ["0"] * 3 == push["data"][-1][1:]

    run(main())


# --- private -------------------------------------------------------------------------------------


async def mine(place: Street, *asked: dict[str, str], **funds: str) -> tuple[Talk, Client]:
    """Log somebody in who subscribes."""
    client = await place.client(funds=funds)
    talk = Talk(place.house, hub_of(place.house), private=True)
    await talk.login(client)
    await talk.subscribe(*asked)
    return talk, client


def test_a_margin_order_tells_each_step(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, arg("MARGIN", "orders-crossed"), USDT="10000")
            other = await place.client(BTC="10", USDT="100000")
            await to_margin(client, "1000")
            order = LIMIT | {"side": "buy", "price": "19000", "baseSize": "0.1"}
            placed = await client.done(MARGIN, loanType="autoLoan", **order)
            await place_order(other, "sell", "19000", "0.04")
            await place_order(other, "sell", "19000", "0.06")
            await talk.settled()

            rows = talk.rows("orders-crossed")
            assert ["live", "partially_filled", "filled"] == [row["status"] for row in rows]
            assert {placed["orderId"]} == {row["orderId"] for row in rows}
            assert {placed["clientOid"]} == {row["clientOid"] for row in rows}
            live, part, filled = rows
            assert ([], "0.000000000", "0.000000000") == (
                live["feeDetail"],
                live["fillPrice"],
                live["baseVolume"],
            )
            assert ("BTCUSDT", "auto-loan", "api", "limit", "gtc", "buy", "none") == (
                live["symbol"],
                live["loanType"],
                live["enterPointSource"],
                live["orderType"],
                live["force"],
                live["side"],
                live["stpMode"],
            )
            for row in rows:
                assert "19000.000000000" == row["price"]
                assert ("0.100000000", "1900.000000000") == (row["baseSize"], row["quoteSize"])
            assert ("0.040000000", "760.000000000") == (part["baseVolume"], part["fillTotalAmount"])
            assert ("0.100000000", "1900.000000000") == (
                filled["baseVolume"],
                filled["fillTotalAmount"],
            )
            (fee,) = filled["feeDetail"]
            assert "BTC" == fee["feeCoin"]
            assert float(fee["totalFee"]) < float(part["feeDetail"][0]["totalFee"]) < 0

    run(main())


def test_an_order_that_rested_before_is_known_when_it_trades_and_is_cancelled(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, USDT="10000")
            other = await place.client(BTC="10")
            order = await place_order(client, "buy", "19000", "0.1")
            await talk.subscribe(arg("SPOT", "orders", "default"), arg("SPOT", "fill"))
            assert [] == talk.pushes("orders")
            await place_order(other, "sell", "19000", "0.04")
            await client.done(CANCEL, symbol="BTCUSDT", orderId=order)
            await talk.settled()

            part, cancelled = talk.rows("orders")
            assert (order, "partially_filled", "cancelled") == (
                part["orderId"],
                part["status"],
                cancelled["status"],
            )
            (fill,) = talk.rows("fill")
            assert (part["tradeId"], order, "0.04", "760", "maker") == (
                fill["tradeId"],
                fill["orderId"],
                fill["size"],
                fill["amount"],
                fill["tradeScope"],
            )
            assert ("M", "0.04", "0.04", "19000", "BTC") == (
                part["tradeScope"],
                part["baseVolume"],
                part["accBaseVolume"],
                part["fillPrice"],
                part["fillFeeCoin"],
            )
            assert ("0.1", "0.1", "1900", "19000") == (
                part["size"],
                part["newSize"],
                part["notional"],
                part["price"],
            )
            assert ("", "0", "0.04") == (
                cancelled["tradeId"],
                cancelled["baseVolume"],
                cancelled["accBaseVolume"],
            )
            history = await client.read("/api/v2/spot/trade/fills", symbol="BTCUSDT")
            assert history[0]["feeDetail"] == fill["feeDetail"][0]

    run(main())


def test_a_market_order_shows_no_more_than_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, arg("SPOT", "orders"), USDT="10000")
            other = await place.client(BTC="10")
            await place_order(other, "sell", "20000", "0.01")
            await place_order(other, "sell", "20010", "0.01")
            body = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "size": "300"}
            await client.done(PLACE, **body)
            await talk.settled()

            rows = talk.rows("orders")
            assert ["live", "partially_filled"] == [row["status"] for row in rows[:2]]
            assert rows[-1]["status"] in ("filled", "cancelled")
            assert {"300"} == {row["newSize"] for row in rows}
            assert all("price" not in row for row in rows)
            assert rows[-1]["size"] == rows[-1]["accBaseVolume"]

    run(main())


def test_balances_tell_all_and_then_what_has_changed(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(
                place,
                arg("SPOT", "account", "default"),
                arg("MARGIN", "account-crossed", "default"),
                USDT="10000",
                BTC="1",
            )
            assert {"USDT", "BTC"} == {row["coin"] for row in talk.rows("account")}
            assert [] == talk.rows("account-crossed")
            told = len(talk.told)
            await to_margin(client, "1000")
            await talk.settled()
            (spot,) = talk.rows("account", told)
            assert ("USDT", "9000", "0") == (spot["coin"], spot["available"], spot["frozen"])
            (margin,) = talk.rows("account-crossed", told)
            assert ("USDT", "1000.00000000", "0.00000000") == (
                margin["coin"],
                margin["available"],
                margin["borrow"],
            )

            await client.done(
                "/api/v2/margin/crossed/account/borrow", coin="USDT", borrowAmount="100"
            )
            await talk.settled()
            owing = talk.rows("account-crossed")[-1]
            assert ("1100.00000000", "100.00000000") == (owing["available"], owing["borrow"])
            # An hour's interest, without anything being done.
            place.house.move_to(place.house.now_ms + 3_600_000)
            await talk.settled()
            later = talk.rows("account-crossed")[-1]
            assert float(later["interest"]) > float(owing["interest"]) > 0
            (asset,) = await client.read("/api/v2/margin/crossed/account/assets", coin="USDT")
            assert float(asset["interest"]) == float(later["interest"])
            assert owing["id"] == later["id"]

    run(main())


def test_a_plan_order_tells_each_step(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, arg("SPOT", "orders-algo"), USDT="10000")
            other = await place.client(BTC="10")
            await place_order(other, "sell", "20000", "1")
            plan = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "planType": "total"}
            plan |= {"size": "100", "triggerPrice": "21000", "triggerType": "mark_price"}
            placed = await client.done("/api/v2/spot/trade/place-plan-order", **plan)
            plan["triggerPrice"] = "22000"
            gone = await client.done("/api/v2/spot/trade/place-plan-order", **plan)
            cancel = "/api/v2/spot/trade/cancel-plan-order"
            await client.done(cancel, orderId=gone["orderId"])
            place.house.price("BTC", "21000")
            while place.house.engine.triggers_due():
                place.house.done(FireTriggers())
            await talk.settled()

            steps = [(row["orderId"], row["status"]) for row in talk.rows("orders-algo")]
            assert [
                (placed["orderId"], "live"),
                (gone["orderId"], "live"),
                (gone["orderId"], "cancelled"),
                (placed["orderId"], "executed"),
            ] == steps
            row = talk.rows("orders-algo")[-1]
            assert ("100", "21000", "total", "mark_price") == (
                row["size"],
                row["triggerPrice"],
                row["planType"],
                row["triggerType"],
            )
            assert row["executeOrderId"]

    run(main())


# --- orders over the socket ----------------------------------------------------------------------


def test_orders_over_the_socket_are_those_of_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, USDT="100000", BTC="1")
            await to_margin(client, "1000")
            form = {"orderType": "limit", "side": "buy", "price": "19000", "force": "gtc"}
            spot = await talk.trade("SPOT", "place-order", "BTCUSDT", size="0.01", **form)
            assert ("trade", 0, "Success") == (spot["event"], spot["code"], spot["msg"])
            (entry,) = spot["arg"]
            assert ("mine", "SPOT", "place-order", "BTCUSDT") == (
                entry["id"],
                entry["instType"],
                entry["channel"],
                entry["instId"],
            )
            # Numbers as numbers keep every digit of theirs.
            assert (
                0
                == (
                    await talk.trade(
                        "MARGIN",
                        "place-order-crossed",
                        "BTCUSDT",
                        **form | {"baseSize": 0.01, "loanType": "autoLoan"},
                    )
                )["code"]
            )
            resting = await client.read("/api/v2/spot/trade/unfilled-orders", symbol="BTCUSDT")
            assert [entry["params"]["orderId"]] == [row["orderId"] for row in resting]
            margin = "/api/v2/margin/crossed/open-orders"
            (row,) = (await client.read(margin, symbol="BTCUSDT", startTime=1))["orderList"]
            assert "0.01" == row["baseSize"]

            name = {"orderId": entry["params"]["orderId"]}
            gone = await talk.trade("SPOT", "cancel-order", "BTCUSDT", **name)
            assert name["orderId"] == gone["arg"][0]["params"]["orderId"]
            again = await talk.trade("SPOT", "cancel-order", "BTCUSDT", **name)
            assert ("error", 43001) == (again["event"], again["code"])
            batch = await talk.trade(
                "MARGIN",
                "batch-place-order-crossed",
                "BTCUSDT",
                orderList=[
                    form | {"baseSize": "0.01", "loanType": "normal"},
                    form | {"baseSize": "9999", "loanType": "normal"},
                ],
            )
            params = batch["arg"][0]["params"]
            assert (1, 1) == (len(params["successList"]), len(params["failureList"]))

    run(main())


BAD_ENTRIES = [
    (("SPOT", "place-order", "BTCUSDT", {"symbol": "ETHUSDT"}), 40017),
    (("SPOT", "place-order", "NOPE", {}), 40019),
    (("SPOT", "replace-order", "BTCUSDT", {}), 40017),
    (("MARGIN", "place-order", "BTCUSDT", {}), 40017),
    (("MARGIN", "place-order-crossed", "BTCUSDT", {}), 400172),
]


@pytest.mark.parametrize(("entry", "code"), BAD_ENTRIES)
def test_a_wrong_order_is_refused_as_rest_refuses_it(
    tmp_path: Path, entry: tuple[str, str, str, dict[str, str]], code: int
) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, _ = await mine(place, USDT="1000")
            *where, params = entry
            before = len(place.house.commands)
            answer = await talk.trade(*where, **params)
            assert ("error", code) == (answer["event"], answer["code"])
            assert params == answer["arg"][0]["params"]
            assert before == len(place.house.commands)
            for args in (b"[]", b"[1]", b"[{},{}]", b"{}"):
                (told,) = await talk.say(b'{"op":"trade","args":%b}' % args)
                assert 30016 == told["code"]
            for message in (b"[" * 40 + b"]" * 40, b'"x"', b"7"):
                said = b'{"op":"trade","args":[{"instType":"SPOT","channel":"place-order",'
                (told,) = await talk.say(said + b'"params":%b}]}' % message)
                assert 40017 == told["code"]
            assert before == len(place.house.commands)

    run(main())


def test_the_same_order_twice_is_two_unless_it_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, _ = await mine(place, USDT="100000")
            form = {"orderType": "limit", "side": "buy", "price": "19000", "force": "gtc"}
            for more, count in (({}, 2), ({"clientOid": "named"}, 1)):
                ids = {
                    (
                        await talk.trade(
                            "SPOT", "place-order", "BTCUSDT", size="0.01", **form, **more
                        )
                    )["arg"][0]["params"]["orderId"]
                    for _ in range(2)
                }
                assert count == len(ids)

    run(main())


def test_orders_are_carried_out_in_the_order_of_the_messages(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk, client = await mine(place, USDT="1000000")
            form = {"orderType": "limit", "side": "buy", "price": "19000", "force": "gtc"}
            for number in range(50):
                entry = {"id": str(number), "instType": "SPOT", "channel": "place-order"}
                params = form | {"size": "0.01", "clientOid": f"n{number}"}
                said = entry | {"instId": "BTCUSDT", "params": params}
                talk.session.hear(json.dumps({"op": "trade", "args": [said]}).encode())
            await talk.settled()

            path = "/api/v2/spot/trade/unfilled-orders"
            rows = await client.read(path, symbol="BTCUSDT", limit=100)
            assert [f"n{number}" for number in reversed(range(50))] == [
                row["clientOid"] for row in rows
            ]

    run(main())


def test_every_entry_is_a_row_of_the_table_of_endpoints() -> None:
    assert 12 == len(ENTRIES)
    for (inst_type, channel), row in ENTRIES.items():
        assert row.path.rpartition("/")[2] == channel.removesuffix("-crossed").removesuffix(
            "-isolated"
        )
        assert ("/margin/" in row.path) == (inst_type == "MARGIN")
