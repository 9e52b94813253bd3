"""Statistics of margin debt: who is long and who short, how debt grows, its two sides."""

from pathlib import Path
from typing import Any

import pytest

from lombard.core.units import HOUR_MS
from tests.api.house import START_MS, Client, Street, data_of, fault_in, run, street

RATIO = "/api/v2/margin/market/long-short-ratio"
GROWTH = "/api/v2/margin/market/loan-growth"
SIDES = "/api/v2/mix/market/isolated-borrow-rate"
MARGIN = "/api/v2/margin"
ORDER = "/api/v2/spot/trade/place-order"
TRANSFER = "/api/v2/spot/wallet/transfer"
PAIR = {"symbol": "BTCUSDT"}
DAY_MS = 24 * HOUR_MS
FIRST_MS = START_MS - START_MS % HOUR_MS


async def ask(place: Street, path: str, **query: str) -> Any:
    return data_of(await place.http.get(path, params={**PAIR, **query}))


async def trade(place: Street, price: str) -> None:
    """Let two trade at a price, for a candle to close at."""
    buyer, seller = await place.client(USDT="100000"), await place.client(BTC="1")
    words = {**PAIR, "orderType": "limit", "force": "gtc", "price": price, "size": "0.01"}
    await buyer.done(ORDER, **words, side="buy")
    await seller.done(ORDER, **words, side="sell")


async def borrower(place: Street) -> Client:
    """Admit one with USDT in crossed and in isolated margin."""
    client = await place.client(USDT="10000")
    words = {"fromType": "spot", "coin": "USDT", "amount": "5000"}
    await client.done(TRANSFER, **words, toType="crossed_margin")
    await client.done(TRANSFER, **words, toType="isolated_margin", **PAIR)
    return client


def test_debt_by_hour(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await borrower(place)
            crossed, isolated = (f"{MARGIN}/{mode}/account" for mode in ("crossed", "isolated"))
            await trade(place, "20000")
            await client.done(f"{isolated}/borrow", **PAIR, coin="BTC", borrowAmount="0.01")
            await client.done(f"{isolated}/borrow", **PAIR, coin="USDT", borrowAmount="100")
            await client.done(f"{crossed}/borrow", coin="USDT", borrowAmount="300")

            place.house.move_to(START_MS + HOUR_MS)
            await client.done(f"{crossed}/borrow", coin="BTC", borrowAmount="0.03")
            (owed,) = await client.read(f"{isolated}/assets", **PAIR) and [
                row["interest"]
                for row in await client.read(f"{isolated}/assets", **PAIR)
                if row["coin"] == "USDT"
            ]
            # Interest is no principal.
            paid = str(round(60 + float(owed), 8))
            await client.done(f"{isolated}/repay", **PAIR, coin="USDT", repayAmount=paid)
            place.house.move_to(START_MS + 2 * HOUR_MS)
            await trade(place, "25000")

            hours = [str(FIRST_MS + number * HOUR_MS) for number in range(3)]
            # 400 against 0.01 BTC, then 340 against 0.04: at 20,000, and at last 25,000.
            assert ["2", "0.425", "0.34"] == [
                row["longShortRatio"] for row in await ask(place, RATIO)
            ]
            inverse = await ask(place, RATIO, coin="USDT", period="24h")
            assert ["0.5", "2.3529", "2.9412"] == [row["longShortRatio"] for row in inverse]
            assert hours == [row["ts"] for row in inverse]
            # Isolated: 200 to 100, 200 to 40, 250 to 40.
            assert [
                {"ts": hour, "borrowRate": rate}
                for hour, rate in zip(hours, ("2", "5", "6.25"), strict=True)
            ] == await ask(place, SIDES)
            assert [
                {"ts": hours[1], "growthRate": "3"},
                {"ts": hours[2], "growthRate": "0"},
            ] == await ask(place, GROWTH)
            usdt = await ask(place, GROWTH, coin="USDT")
            assert ["-0.15", "0"] == [row["growthRate"] for row in usdt]
            (today,) = await ask(place, SIDES, period="30d")
            assert "6.25" == today["borrowRate"]

            # What was owed before the first candle shown counts as well.
            place.house.move_to(START_MS + 40 * DAY_MS)
            assert ["6.25"] * 24 == [row["borrowRate"] for row in await ask(place, SIDES)]
            month = await ask(place, RATIO, period="30d")
            assert (30, {"0.34"}) == (len(month), {row["longShortRatio"] for row in month})

    run(test())


def test_figures_are_a_minute_old_at_most(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await borrower(place)
            await trade(place, "20000")
            assert [] == await ask(place, SIDES)
            path = f"{MARGIN}/isolated/account/borrow"
            await client.done(path, **PAIR, coin="BTC", borrowAmount="0.01")
            await client.done(path, **PAIR, coin="USDT", borrowAmount="100")
            place.house.move_to(START_MS + 60_000)
            assert ["2"] == [row["borrowRate"] for row in await ask(place, SIDES)]

    run(test())


def test_a_liquidated_debt_is_owed_no_more(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(BTC="1")
            words = {"fromType": "spot", "toType": "isolated_margin", "coin": "BTC"}
            await client.done(TRANSFER, **words, amount="1", **PAIR)
            borrow = f"{MARGIN}/isolated/account/borrow"
            await client.done(borrow, **PAIR, coin="USDT", borrowAmount="15000")
            await trade(place, "20000")
            maker = await place.client(USDT="5000", BTC="2")
            limit = {**PAIR, "orderType": "limit", "force": "gtc"}
            await maker.done(ORDER, **limit, side="sell", price="20000", size="1")
            await maker.done(ORDER, **limit, side="buy", price="2000", size="2")
            market = {**PAIR, "side": "buy", "orderType": "market", "loanType": "normal"}
            bought = {**market, "quoteSize": "15000"}
            await client.done(f"{MARGIN}/isolated/place-order", **bought)
            assert ["0"] == [row["borrowRate"] for row in await ask(place, SIDES)]
            # Far below what is owed: the fund covers what the sale does not.
            place.house.price("BTC", "2000")
            owed = await client.read(f"{MARGIN}/isolated/account/assets", **PAIR)
            assert {"0"} == {row["borrow"] for row in owed}
            records = await client.read(
                f"{MARGIN}/isolated/liquidation-history", **PAIR, startTime=START_MS - 1
            )
            (record,) = records["resultList"]
            assert float(record["totalDebt"]) > float(record["totalAssets"])
            place.house.move_to(START_MS + HOUR_MS)

            assert [] == await ask(place, SIDES)

    run(test())


@pytest.mark.parametrize("path", [RATIO, GROWTH, SIDES])
def test_what_is_asked_wrongly(tmp_path: Path, path: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            assert [] == await ask(place, path), "never traded"
            for query, code in (
                ({}, "400172"),
                ({"symbol": "XYZ"}, "50024"),
                ({**PAIR, "period": "1y"}, "50061"),
            ):
                assert code == fault_in(await place.http.get(path, params=query))[0]
            if path != SIDES:
                wrong = {**PAIR, "coin": "ETH"}
                assert "50061" == fault_in(await place.http.get(path, params=wrong))[0]

    run(test())
