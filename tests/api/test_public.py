"""What anybody may ask: the start-up sequence of ccxt, field by field."""

from pathlib import Path
from typing import Any

import pytest

from lombard.core.commands import SetParameter
from tests.api.house import MACHINE_MS, START_MS, OpenStreet, Street, data_of, fault_in, run, street


async def ask(place: Street, path: str) -> Any:
    return data_of(await place.http.get(path))


def test_time_is_the_machine_s(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            assert {"serverTime": str(MACHINE_MS)} == await ask(place, "/api/v2/public/time")

    run(test())


def test_coins(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            rows = await ask(place, "/api/v2/spot/public/coins")
            assert ["USDT", "USDC", "BTC", "ETH", "DOGE", "PEPE"] == [row["coin"] for row in rows]
            assert {
                "coinId": "3",
                "coin": "BTC",
                "transfer": "true",
                "areaCoin": "no",
                "chains": rows[2]["chains"],
            } == rows[2]
            # Nothing can be withdrawn, and nothing pretends that it could.
            (chain,) = rows[2]["chains"]
            assert ("false", "false", "8") == (
                chain["withdrawable"],
                chain["rechargeable"],
                chain["withdrawMinScale"],
            )
            assert [rows[2]] == await ask(place, "/api/v2/spot/public/coins?coin=BTC")

    run(test())


def test_symbols(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            rows = await ask(place, "/api/v2/spot/public/symbols")
            assert ["BTCUSDT", "ETHUSDT", "BTCUSDC", "DOGEUSDT", "PEPEUSDT"] == [
                row["symbol"] for row in rows
            ]
            assert {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "minTradeAmount": "0.000001",
                "maxTradeAmount": rows[0]["maxTradeAmount"],
                "takerFeeRate": "0.001",
                "makerFeeRate": "0.001",
                "pricePrecision": "2",
                "quantityPrecision": "6",
                "quotePrecision": "8",
                "status": "online",
                "minTradeUSDT": "1",
                "maxLimitOrderValue": "900000000000000000000",
                "maxMarketOrderValue": "900000000000000000000",
                "buyLimitPriceRatio": "1",
                "sellLimitPriceRatio": "1",
                "areaSymbol": "no",
                "orderQuantity": "200",
                "openTime": "0",
                "offTime": "",
            } == rows[0]
            # For ccxt a `symbolType` marks futures (reference §4.1).
            assert all("symbolType" not in row for row in rows)
            assert rows[4:] == await ask(place, "/api/v2/spot/public/symbols?symbol=PEPEUSDT")

    run(test())


def test_margin_currencies(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            rows = await ask(place, "/api/v2/margin/currencies")
            assert {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "maxCrossedLeverage": "3",
                "maxIsolatedLeverage": "10",
                "warningRiskRatio": "0.80000000",
                "liquidationRiskRatio": "1.00000000",
                "minTradeAmount": "0.00000100",
                "maxTradeAmount": rows[0]["maxTradeAmount"],
                "takerFeeRate": "0.00100000",
                "makerFeeRate": "0.00100000",
                "pricePrecision": "2",
                "quantityPrecision": "6",
                "minTradeUSDT": "1.00000000",
                "isBorrowable": True,
                "userMinBorrow": "0.00000010",
                "status": "1",
                "isIsolatedBaseBorrowable": True,
                "isIsolatedQuoteBorrowable": True,
                "isCrossBorrowable": True,
            } == rows[0]
            assert [rows[0]] == await ask(place, "/api/v2/margin/currencies?symbol=BTCUSDT")

    run(test())


def test_the_current_rate(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            path = "/api/v2/margin/interest-rate-record?coin=BTC"
            hour = str(START_MS - START_MS % 3_600_000)
            assert {
                "coin": "BTC",
                "dailyInterestRate": "0.00007000",
                "annualInterestRate": "0.02555000",
                "updatedTime": hour,
            } == await ask(place, path)
            # Set now, in force from the next full hour (RULES 3.1).
            await place.house.set_rate(place.house.coin("BTC"), 126_279_000)
            assert "0.00007000" == (await ask(place, path))["dailyInterestRate"]
            place.house.move_to(START_MS + 3_600_000)
            # Shown cut to eight decimals (reference §9, 12).
            assert "0.00012627" == (await ask(place, path))["dailyInterestRate"]

    run(test())


def test_what_ccxt_probes_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            settings = fault_in(await client.get("/api/v3/account/settings"))
            assert "40084" == settings[0]
            for kind in ("USDT-FUTURES", "COIN-FUTURES", "SUSDC-FUTURES"):
                path = f"/api/v2/mix/market/contracts?productType={kind}"
                assert [] == await ask(place, path)

    run(test())


def test_fees(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            path = "/api/v2/common/trade-rate"
            assert {"makerFeeRate": "0.001", "takerFeeRate": "0.001"} == await client.read(
                path, symbol="BTCUSDT", businessType="margin"
            )
            assert "40019" == fault_in(await client.get(path, symbol="BTCUSDT"))[0]
            odd = await client.get(path, symbol="BTCUSDT", businessType="x")
            assert "40020" == fault_in(odd)[0]

    run(test())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v2/spot/public/coins?coin=X", "40806"),
        ("/api/v2/spot/public/symbols?symbol=X", "40102"),
        ("/api/v2/margin/currencies?symbol=X", "50024"),
        ("/api/v2/margin/interest-rate-record", "400172"),
        ("/api/v2/margin/interest-rate-record?coin=X", "50032"),
    ],
)
def test_questions_that_are_none(open_street: OpenStreet, path: str, code: str) -> None:
    async def test(place: Street) -> None:
        assert code == fault_in(await place.http.get(path))[0]

    open_street.run(test)


def test_the_venue_may_change_while_it_runs(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            place.house.done(SetParameter("band_e6", 40_000))
            assert 5 == len(await ask(place, "/api/v2/spot/public/symbols"))

    run(test())
