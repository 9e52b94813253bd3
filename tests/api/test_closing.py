"""Ending a position over the wire: flash repayment, its status, and closing."""

from pathlib import Path
from typing import Any

from tests.api.house import Client, Street, fault_in, run, street
from tests.api.test_margin_account import CROSSED, ISOLATED, TRANSFER, funded

CLOSE = "/lombard/v1/margin/close-position"


async def maker(place: Street) -> None:
    """Quote BTCUSDT on both sides, out of spot."""
    client = await place.client(USDT="100000", BTC="5")
    for side, price in (("buy", "19990"), ("sell", "20010")):
        wish = {"symbol": "BTCUSDT", "side": side, "orderType": "limit", "force": "gtc"}
        await client.done("/api/v2/spot/trade/place-order", **wish, price=price, size="2")


async def long_of(place: Street, path: str) -> Client:
    """Admit a user who borrowed 1000 USDT against 0.5 BTC, and moved 900 of it away."""
    client = await funded(place, BTC="1")
    await client.done(f"{path}/account/borrow", symbol="BTCUSDT", coin="USDT", borrowAmount="1000")
    kind = "crossed_margin" if path == CROSSED else "isolated_margin"
    wish = {"fromType": kind, "toType": "spot", "coin": "USDT", "amount": "900"}
    await client.done(TRANSFER, symbol="BTCUSDT", **wish)
    return client


def row_of(rows: list[dict[str, Any]], coin: str) -> dict[str, Any]:
    return next(row for row in rows if row["coin"] == coin)


def test_a_crossed_debt_is_paid_in_one_step(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await long_of(place, CROSSED)
            done = await client.done(f"{CROSSED}/account/flash-repay", coin="USDT")
            assert {"repayId": done["repayId"], "coin": "USDT"} == done
            assets = await client.read(f"{CROSSED}/account/assets")
            usdt = row_of(assets, "USDT")
            assert ("0", "0") == (usdt["borrow"], usdt["interest"])
            assert float(row_of(assets, "BTC")["available"]) < 0.96

            path = f"{CROSSED}/account/query-flash-repay-status"
            status = await client.done(path, idList=[done["repayId"], "1000000000000000001"])
            assert [{"repayId": done["repayId"], "status": "FINISH"}] == status
            assert [] == await client.done(
                f"{ISOLATED}/account/query-flash-repay-status", idList=[done["repayId"]]
            )
            assert "400172" == fault_in(await client.post(path))[0]
            assert "50040" == fault_in(await client.post(f"{CROSSED}/account/flash-repay"))[0]

    run(test())


def test_every_crossed_debt_at_once_has_no_coin(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await long_of(place, CROSSED)
            done = await client.done(f"{CROSSED}/account/flash-repay")
            assert "" == done["coin"]
            assert "0" == (await client.read(f"{CROSSED}/account/risk-rate"))["riskRateRatio"]

    run(test())


def test_isolated_pairs_are_paid_one_by_one(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await long_of(place, ISOLATED)
            path = f"{ISOLATED}/account/flash-repay"
            both = await client.done(path, symbolList=["ETHUSDT", "BTCUSDT"])
            assert [("ETHUSDT", "failure"), ("BTCUSDT", "success")] == [
                (row["symbol"], row["result"]) for row in both
            ]
            repay_id = both[1]["repayId"]
            status = await client.done(
                f"{ISOLATED}/account/query-flash-repay-status", idList=[repay_id]
            )
            assert [{"repayId": repay_id, "status": "FINISH"}] == status
            assert [] == await client.done(path)
            await client.done(
                f"{ISOLATED}/account/borrow", symbol="BTCUSDT", coin="USDT", borrowAmount="10"
            )
            (row,) = await client.done(path)
            assert ("BTCUSDT", "success") == (row["symbol"], row["result"])
            assert fault_in(await client.post(path, symbolList=["XXX"]))
            assert fault_in(await client.post(path, symbolList=["BTCUSDT"] * 101))

    run(test())


def test_a_position_is_closed(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await long_of(place, ISOLATED)
            wish = {"mode": "isolated", "symbol": "BTCUSDT", "clientOid": "bye"}
            done = await client.done(CLOSE, **wish)
            assert "bye" == done["clientOid"]
            assert done == await client.done(CLOSE, **wish)
            assets = await client.read(f"{ISOLATED}/account/assets", symbol="BTCUSDT")
            assert "0" == row_of(assets, "BTC")["available"]
            assert "0" == row_of(assets, "USDT")["borrow"]
            again = await client.refused(CLOSE, mode="isolated", symbol="BTCUSDT")
            assert ("22002", "No position to close: BTCUSDT") == again
            assert fault_in(await client.post(CLOSE, symbol="BTCUSDT", repay="maybe"))

    run(test())


def test_a_short_is_closed_and_its_debt_left_when_asked(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await funded(place, USDT="10000")
            order = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "baseSize": "0.1"}
            await client.done(f"{CROSSED}/place-order", **order, loanType="autoLoan")

            await client.done(CLOSE, symbol="BTCUSDT", repay="false")

            bitcoin = row_of(await client.read(f"{CROSSED}/account/assets"), "BTC")
            assert "0.1" == bitcoin["borrow"]
            # Its interest and the fee are in what was bought.
            assert float(bitcoin["net"]) >= 0
            assert float(bitcoin["net"]) < 0.000002

    run(test())


POSITIONS = "/lombard/v1/margin/positions"


def test_a_position_is_shown_from_its_entry_to_its_profit(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await funded(place, USDT="1000")
            assert [] == await client.read(POSITIONS, mode="isolated")
            order = {"symbol": "BTCUSDT", "orderType": "market", "quoteSize": "6003"}
            await client.done(f"{ISOLATED}/place-order", **order, side="buy", loanType="autoLoan")

            (row,) = await client.read(POSITIONS, mode="isolated")
            # 6003 at 20 010 are 0.3, 0.2997 after the fee.
            assert ("isolated", "BTCUSDT", "long", "0.2997") == (
                row["mode"],
                row["symbol"],
                row["side"],
                row["size"],
            )
            assert "20030.03003003003" == row["averageEntryPrice"]
            assert ("20000", "-9") == (row["indexPrice"], row["unrealisedProfit"])
            assert "0" == row["realisedProfit"]
            assert "at or below" == row["liquidatedWhen"]
            told = await client.read(
                "/lombard/v1/margin/explain/liquidation", mode="isolated", symbol="BTCUSDT"
            )
            (part,) = [part for part in told["parts"] if part["coin"] == "BTC"]
            assert part["liquidationPrice"] == row["liquidationPrice"]

            await client.done(CLOSE, mode="isolated", symbol="BTCUSDT")
            (row,) = await client.read(POSITIONS, mode="isolated", symbol="BTCUSDT")
            # 0.2997 sold at 19 990, 5991.003 and its fee of 5.991003; bought for 6003.
            assert ("", "0", "-17.988003") == (row["side"], row["size"], row["realisedProfit"])
            assert float(row["quoteInterestPaid"]) > 0
            assert [] == await client.read(POSITIONS)

    run(test())


def test_what_was_moved_away_is_no_longer_shown(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await maker(place)
            client = await funded(place, USDT="1000")
            order = {"symbol": "BTCUSDT", "orderType": "market", "quoteSize": "400.2"}
            await client.done(f"{CROSSED}/place-order", **order, side="buy", loanType="normal")
            out = {"fromType": "crossed_margin", "toType": "spot", "coin": "BTC"}
            await client.done(TRANSFER, **out, amount="0.01")

            (row,) = await client.read(POSITIONS, symbol="BTCUSDT")

            # 0.01998 bought, 0.00998 left, at the same average but for a unit of its cost.
            assert ("long", "0.00998") == (row["side"], row["size"])
            assert "20030.0300300" == row["averageEntryPrice"][:13]
            assert False is row["dust"]

            # Less than an order may be, first by its value (1 USDT), then by its size.
            for moved, left in [("0.00993", "0.00005"), ("0.000001", "0.000049")]:
                await client.done(TRANSFER, **out, amount=moved)
                (row,) = await client.read(POSITIONS, symbol="BTCUSDT")
                small = float(left) * 20_000 < 1
                assert (left, small) == (row["size"], row["dust"])
            await client.done(TRANSFER, **out, amount="0.0000485")
            (row,) = await client.read(POSITIONS, symbol="BTCUSDT")
            assert ("0.0000005", True) == (row["size"], row["dust"])
            await client.done(TRANSFER, **out, amount="0.0000005")
            (row,) = await client.read(POSITIONS, symbol="BTCUSDT")
            assert ("", "0", False) == (row["side"], row["size"], row["dust"])

    run(test())
