"""The market over the wire: tickers, the book, trades and candles."""

from pathlib import Path
from typing import Any

import pytest

from lombard.api.market import merge_levels
from tests.api.house import START_MS, Client, OpenStreet, Street, data_of, fault_in, run, street

MARKET = "/api/v2/spot/market"
MINUTE = 60_000


async def ask(place: Street, path: str, **query: str | int) -> Any:
    return data_of(await place.http.get(f"{MARKET}/{path}", params=query))


async def trade(buyer: Client, seller: Client, price: str, size: str) -> None:
    """Let two meet; the seller takes."""
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "price": price}
    path = "/api/v2/spot/trade/place-order"
    await buyer.done(path, **words, side="buy", size=size)
    await seller.done(path, **words, side="sell", size=size)


async def pair_of_clients(place: Street) -> tuple[Client, Client]:
    return await place.client(USDT="1000000"), await place.client(BTC="100")


def test_a_pair_never_traded(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            (ticker,) = await ask(place, "tickers", symbol="BTCUSDT")
            assert {
                "symbol": "BTCUSDT",
                "high24h": "0",
                "open": "0",
                "low24h": "0",
                "lastPr": "0",
                "quoteVolume": "0",
                "baseVolume": "0",
                "usdtVolume": "0",
                "bidPr": "0",
                "askPr": "0",
                "bidSz": None,
                "askSz": None,
                "openUtc": "0",
                "ts": str(START_MS),
                "changeUtc24h": "0",
                "change24h": "0",
            } == ticker
            assert {"asks": [], "bids": [], "ts": str(START_MS)} == await ask(
                place, "orderbook", symbol="BTCUSDT"
            )
            for path in ("fills", "fills-history"):
                assert [] == await ask(place, path, symbol="BTCUSDT")
            assert [] == await ask(place, "candles", symbol="BTCUSDT", granularity="1min")

    run(test())


def test_tickers(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await pair_of_clients(place)
            await trade(buyer, seller, "20000", "1")
            place.house.move_to(START_MS + MINUTE)
            await trade(buyer, seller, "20100", "0.5")
            words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "size": "2"}
            path = "/api/v2/spot/trade/place-order"
            await buyer.done(path, **words, side="buy", price="20050.5")
            await seller.done(path, **words, side="sell", price="20200")
            (ticker,) = await ask(place, "tickers", symbol="BTCUSDT")
            assert {
                "symbol": "BTCUSDT",
                "high24h": "20100",
                "open": "20000",
                "low24h": "20000",
                "lastPr": "20100",
                "quoteVolume": "30050",
                "baseVolume": "1.5",
                "usdtVolume": "30050",
                "bidPr": "20050.5",
                "askPr": "20200",
                "bidSz": "2",
                "askSz": "2",
                "openUtc": "20000",
                "ts": str(START_MS + MINUTE),
                "changeUtc24h": "0.005",
                "change24h": "0.005",
            } == ticker
            every = await ask(place, "tickers")
            assert ["BTCUSDT", "ETHUSDT", "BTCUSDC", "DOGEUSDT", "PEPEUSDT"] == [
                row["symbol"] for row in every
            ]
            assert ticker == every[0]

    run(test())


def test_a_volume_in_another_coin_is_valued_at_its_index(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await place.client(USDC="100000"), await place.client(BTC="1")
            words = {"symbol": "BTCUSDC", "orderType": "limit", "force": "gtc", "price": "20000"}
            path = "/api/v2/spot/trade/place-order"
            await buyer.done(path, **words, side="buy", size="0.5")
            await seller.done(path, **words, side="sell", size="0.5")
            place.house.price("USDC", "0.9")
            (ticker,) = await ask(place, "tickers", symbol="BTCUSDC")
            assert ("10000", "9000") == (ticker["quoteVolume"], ticker["usdtVolume"])

    run(test())


def test_the_book(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await pair_of_clients(place)
            words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "size": "0.5"}
            path = "/api/v2/spot/trade/place-order"
            for price in ("19999.97", "19999.94", "19990.01", "19999.97"):
                await buyer.done(path, **words, side="buy", price=price)
            for price in ("20000.02", "20000.11", "20000.12"):
                await seller.done(path, **words, side="sell", price=price)
            book = await ask(place, "orderbook", symbol="BTCUSDT")
            assert {
                "asks": [["20000.02", "0.5"], ["20000.11", "0.5"], ["20000.12", "0.5"]],
                "bids": [["19999.97", "1"], ["19999.94", "0.5"], ["19990.01", "0.5"]],
                "ts": str(START_MS),
            } == book
            top = await ask(place, "orderbook", symbol="BTCUSDT", limit=1, type="step0")
            assert ([["20000.02", "0.5"]], [["19999.97", "1"]]) == (top["asks"], top["bids"])
            merged = await ask(place, "orderbook", symbol="BTCUSDT", type="step1")
            # Asks are merged upwards and bids downwards: never better than they are.
            assert [["20000.1", "0.5"], ["20000.2", "1"]] == merged["asks"]
            assert [["19999.9", "1.5"], ["19990", "0.5"]] == merged["bids"]
            coarse = await ask(place, "orderbook", symbol="BTCUSDT", type="step5", limit=1)
            assert ([["21000", "1.5"]], [["19000", "2"]]) == (coarse["asks"], coarse["bids"])

    run(test())


def test_the_merged_book(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await pair_of_clients(place)
            words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "size": "0.5"}
            path = "/api/v2/spot/trade/place-order"
            for price in ("19999.97", "19999.94"):
                await buyer.done(path, **words, side="buy", price=price)
            for price in ("20000.02", "20000.11", "20000.12"):
                await seller.done(path, **words, side="sell", price=price)
            assert {
                "asks": [["20000.02", "0.5"], ["20000.11", "0.5"], ["20000.12", "0.5"]],
                "bids": [["19999.97", "0.5"], ["19999.94", "0.5"]],
                "ts": str(START_MS),
                "scale": "0.01",
                "precision": "scale0",
                "isMaxPrecision": "NO",
            } == await ask(place, "merge-depth", symbol="BTCUSDT")
            coarse = await ask(
                place, "merge-depth", symbol="BTCUSDT", precision="scale3", limit="max"
            )
            assert {
                "asks": [["20010", "1.5"]],
                "bids": [["19990", "1"]],
                "ts": str(START_MS),
                "scale": "10",
                "precision": "scale3",
                "isMaxPrecision": "YES",
            } == coarse
            top = await ask(place, "merge-depth", symbol="BTCUSDT", limit=1)
            assert ([["20000.02", "0.5"]], [["19999.97", "0.5"]]) == (top["asks"], top["bids"])
            for wrong in ({"limit": "7"}, {"precision": "scale4"}):
                query = {"symbol": "BTCUSDT", **wrong}
                answer = await place.http.get(f"{MARKET}/merge-depth", params=query)
                assert "40020" == fault_in(answer)[0]
            assert "40019" == fault_in(await place.http.get(f"{MARKET}/merge-depth"))[0]

    run(test())


def test_fees_by_level_and_auctions(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            levels = await ask(place, "vip-fee-rate")
            assert [str(level) for level in range(6)] == [row["level"] for row in levels]
            assert {
                "level": "0",
                "dealAmount": "0",
                "assetAmount": "0",
                "takerFeeRate": "0.001",
                "makerFeeRate": "0.001",
                "btcWithdrawAmount": "0",
                "usdtWithdrawAmount": "0",
            } == levels[0]
            assert {
                "stage": "",
                "stageEndTime": "0",
                "estOpeningPrice": "",
                "matchedVolume": "0",
                "auctionEndTime": "0",
            } == await ask(place, "auction", symbol="BTCUSDT")
            answer = await place.http.get(f"{MARKET}/auction", params={"symbol": "XYZ"})
            assert "40102" == fault_in(answer)[0]

    run(test())


def test_merging() -> None:
    levels = [(100, 1), (101, 2), (110, 4)]

    assert [(100, 1), (110, 6)] == merge_levels(levels, 10, up=True)
    assert [(110, 4), (100, 3)] == merge_levels(levels[::-1], 10, up=False)


def test_trades(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await pair_of_clients(place)
            place.house.move_to(START_MS + 1_234)
            for price in ("20000", "20010", "20020"):
                await trade(buyer, seller, price, "0.5")
            rows = await ask(place, "fills", symbol="BTCUSDT")
            assert ["20020", "20010", "20000"] == [row["price"] for row in rows]
            assert {
                "symbol": "BTCUSDT",
                "tradeId": rows[0]["tradeId"],
                "side": "sell",
                "price": "20020",
                "size": "0.5",
                "ts": str(START_MS + 1_234),
            } == rows[0]
            # sic: capitalised, and in whole seconds
            second = {"side": "Sell", "ts": str(START_MS + 1_000)}
            past = [{**row, **second} for row in rows]
            assert past == await ask(place, "fills-history", symbol="BTCUSDT")
            assert past[:2] == await ask(place, "fills-history", symbol="BTCUSDT", limit=2)
            assert past[1:] == await ask(
                place, "fills-history", symbol="BTCUSDT", idLessThan=rows[0]["tradeId"]
            )
            assert [] == await ask(place, "fills", symbol="ETHUSDT")

    run(test())


def test_candles(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            buyer, seller = await pair_of_clients(place)
            for minutes, price in [(0, "20000"), (0, "20010"), (0, "19990"), (2, "20020")]:
                place.house.move_to(START_MS + minutes * MINUTE)
                await trade(buyer, seller, price, "0.1")
            query: dict[str, Any] = {"symbol": "BTCUSDT", "granularity": "1min"}
            candles = await ask(place, "candles", **query)
            flat, last = ["19990"] * 4, ["20020"] * 4
            assert [
                [str(START_MS), "20000", "20010", "19990", "19990", "0.3", "6000", "6000"],
                [str(START_MS + MINUTE), *flat, "0", "0", "0"],
                [str(START_MS + 2 * MINUTE), *last, "0.1", "2002", "2002"],
            ] == candles
            assert candles[1:] == await ask(place, "candles", **query, startTime=START_MS + 1)
            assert candles[2:] == await ask(place, "candles", **query, limit=1)
            # A candle that opens exactly at the end is left out (reference §4.7).
            end = {"endTime": START_MS + 2 * MINUTE}
            assert candles[:2] == await ask(place, "history-candles", **query, **end)
            (hour,) = await ask(place, "candles", symbol="BTCUSDT", granularity="1h")
            assert [
                str(START_MS - START_MS % 3_600_000),
                "20000",
                "20020",
                "19990",
                "20020",
            ] == hour[:5]
            for granularity in ("6Hutc", "1Dutc", "1Wutc", "1Mutc", "1M", "1week", "3day"):
                (one,) = await ask(place, "candles", symbol="BTCUSDT", granularity=granularity)
                assert hour[1:] == one[1:]

    run(test())


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("tickers", {"symbol": "X"}, "40102"),
        ("orderbook", {}, "40019"),
        ("orderbook", {"symbol": "BTCUSDT", "type": "step6"}, "40020"),
        ("orderbook", {"symbol": "BTCUSDT", "limit": "x"}, "40020"),
        ("fills", {}, "40019"),
        ("fills-history", {"symbol": "BTCUSDT", "idLessThan": "x"}, "40020"),
        ("candles", {"symbol": "BTCUSDT"}, "40019"),
        ("candles", {"symbol": "BTCUSDT", "granularity": "2min"}, "40020"),
        ("candles", {"symbol": "BTCUSDT", "granularity": "1min", "startTime": "x"}, "40020"),
        (
            "candles",
            {"symbol": "BTCUSDT", "granularity": "1min", "startTime": "5", "endTime": "4"},
            "40707",
        ),
        ("history-candles", {"symbol": "BTCUSDT", "granularity": "1min"}, "40019"),
    ],
)
def test_questions_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str], code: str
) -> None:
    async def test(place: Street) -> None:
        assert code == fault_in(await place.http.get(f"{MARKET}/{path}", params=query))[0]

    open_street.run(test)


def test_trades_are_asked_for_a_week_at_most(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            week = 7 * 24 * 60 * MINUTE
            span: dict[str, str | int] = {"symbol": "BTCUSDT", "startTime": START_MS - week}
            span["endTime"] = START_MS
            assert [] == await ask(place, "fills-history", **span)
            answer = await place.http.get(
                f"{MARKET}/fills-history", params={**span, "endTime": START_MS + week}
            )
            assert "00001" == fault_in(answer)[0]
            assert "cannot be greater than 7 days" in fault_in(answer)[1]

    run(test())
