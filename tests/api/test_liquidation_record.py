"""The whole record of a liquidation, over the wire: it adds up, for its owner and for operators."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, Client, fault_in, run
from tests.api.office import Office, at, office

CROSSED, ISOLATED = "crossed", "isolated"
HOUR_MS = 3_600_000


async def liquidated(desk: Office, mode: str, bids: range) -> tuple[Client, dict[str, str]]:
    """Liquidate a debtor of 18 000 USDT; return them, and how the liquidation is named."""
    place = desk.place
    maker = await place.client(USDT="10000000")
    names = {} if mode == CROSSED else {"symbol": "BTCUSDT"}
    client = await place.client(BTC="1")
    to_type = f"{mode}_margin"
    wish = {"fromType": "spot", "toType": to_type, "coin": "BTC", "amount": "1"}
    await client.done("/api/v2/spot/wallet/transfer", **wish, **names)
    account = f"/api/v2/margin/{mode}/account"
    await client.done(f"{account}/borrow", coin="USDT", borrowAmount="18000", **names)
    out = {"fromType": to_type, "toType": "spot", "coin": "USDT", "amount": "1000"}
    await client.done("/api/v2/spot/wallet/transfer", **out, **names)
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
    for price in bids:
        await maker.done("/api/v2/spot/trade/place-order", **order, price=str(price), size="1")
    place.house.price("BTC", "1000")
    rows = await client.read(
        f"/api/v2/margin/{mode}/liquidation-history", startTime=START_MS - 1, **names
    )
    return client, {"liqId": rows["resultList"][0]["liqId"], **names}


def total(entries: list[dict[str, str]], kind: str, coin: str) -> Fraction:
    """Add up what entries of a kind say of a coin."""
    return sum(
        (
            Fraction(entry["principal"]) + Fraction(entry["interest"])
            for entry in entries
            if (entry["type"], entry["coin"]) == (kind, coin)
        ),
        Fraction(0),
    )


def check_record(record: dict[str, Any]) -> list[dict[str, str]]:
    """See that steps follow from each other; return all entries."""
    steps = record["steps"]
    assert [str(number) for number in range(1, len(steps) + 1)] == [row["step"] for row in steps]
    assert steps[0]["riskRateBefore"] == record["riskRateBefore"]
    for row in steps:
        assert {"USDT", "BTC"} <= {price["coin"] for price in row["indexPrices"]}
        order = row["order"]
        if order is not None:
            assert ("BTC", "USDT", "sell") == (row["soldCoin"], row["boughtCoin"], order["side"])
            fills = order["fills"]
            assert fills
            assert Fraction(order["size"]) == sum(Fraction(fill["size"]) for fill in fills)
            assert Fraction(order["amount"]) == sum(Fraction(fill["amount"]) for fill in fills)
            assert {"USDT"} == {fill["feeCoin"] for fill in fills}
    return [entry for row in steps for entry in row["entries"]] + record["ended"]


@pytest.mark.parametrize("mode", [CROSSED, ISOLATED])
def test_a_record_says_where_everything_went(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            client, which = await liquidated(desk, mode, range(14_000, 15_000, 100))

            record = await client.read(f"/lombard/v1/margin/{mode}/liquidation", **which)

            entries = check_record(record)
            assert f"{mode}_margin" == record["accountType"]
            assert record["liqEndTime"]
            assert any(row["order"] for row in record["steps"])
            # All that was repaid is what the venue's own list of repayments says.
            repaid = await client.read(
                f"/api/v2/margin/{mode}/repay-history",
                startTime=START_MS - 1,
                **{name: which[name] for name in which if name != "liqId"},
            )
            assert {row["repayId"] for row in repaid["resultList"]} == {
                entry["repayId"] for entry in entries if entry["type"] == "repaid"
            }
            assert total(entries, "repaid", "USDT") == sum(
                Fraction(row["repayAmount"]) for row in repaid["resultList"]
            )
            # An operator reads the same.
            same = await desk.ann.read(at("liquidations/record"), liqId=which["liqId"])
            assert record == same
            listed = await desk.ann.read(at("liquidations"))
            assert [(which["liqId"], str(client.user))] == [
                (row["liqId"], row["userId"]) for row in listed
            ]
            assert [] == await desk.ann.read(at("liquidations/running"))

    run(test())


def test_what_the_fund_and_the_pool_gave_is_there(tmp_path: Path) -> None:
    """Nobody buys: the fund takes over after ten minutes, and what it lacks is the pool's loss."""

    async def test() -> None:
        async with office(tmp_path) as desk:
            house = desk.place.house
            # Let the fund have too little.
            rows = await desk.ann.read(at("pools"))
            fund = next(row["insurance"] for row in rows if row["coin"] == "USDT")
            leave = Fraction(fund) - 500
            body = {"kind": "insurance-withdrawal", "coin": "USDT", "amount": str(leave)}
            await desk.ann.done(at("movements"), **body)
            client, which = await liquidated(desk, CROSSED, range(0))
            (running,) = await desk.ann.read(at("liquidations/running"))
            assert (which["liqId"], True, False) == (
                running["liqId"],
                running["stalled"],
                running["forced"],
            )
            unfinished = await desk.ann.read(at("liquidations/record"), liqId=which["liqId"])
            assert "" == unfinished["liqEndTime"]

            house.move_to(START_MS + 11 * 60_000)
            house.price("BTC", "1000")

            record = await client.read("/lombard/v1/margin/crossed/liquidation", **which)
            entries = check_record(record)
            assert record["liqEndTime"]
            assert "takeover" in [row["action"] for row in record["steps"]]
            assert total(entries, "fund_took", "BTC") > 0
            assert 500 == total(entries, "fund_paid", "USDT")
            lost = total(entries, "pool_loss", "USDT")
            (pool,) = [row for row in await desk.ann.read(at("pools")) if row["coin"] == "USDT"]
            principal = [row["principal"] for row in entries if row["type"] == "pool_loss"]
            assert lost > 0
            assert Fraction(pool["loss"]) == sum(map(Fraction, principal))
            report = await desk.ann.read(at("solvency"))
            assert report["balanced"] is True

    run(test())


def test_nobody_reads_another_s_record(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            _, which = await liquidated(desk, CROSSED, range(14_000, 15_000, 500))
            other = await desk.place.client()
            path = "/lombard/v1/margin/crossed/liquidation"
            assert ("50061", True) == (
                (found := fault_in(await other.get(path, **which)))[0],
                "liqId" in found[1],
            )
            assert "400172" == fault_in(await other.get(path))[0]
            assert "40020" == fault_in(await other.get(path, liqId="x"))[0]

    run(test())


def test_a_forced_repayment_is_in_the_record(tmp_path: Path) -> None:
    """RULES 8.7: what is owed of a delisted coin is repaid by system orders, step by step."""

    async def test() -> None:
        async with office(tmp_path) as desk:
            house = desk.place.house
            maker = await desk.place.client(ETH="100")
            client = await desk.place.client(USDT="10000")
            wish = {
                "fromType": "spot", "toType": "crossed_margin", "coin": "USDT",
                "amount": "10000",
            }  # fmt: skip
            await client.done("/api/v2/spot/wallet/transfer", **wish)
            margin = "/api/v2/margin/crossed/account"
            await client.done(f"{margin}/borrow", coin="ETH", borrowAmount="1")
            times = {
                "reduceOnlyTime": str(START_MS + HOUR_MS), "repayTime": str(START_MS + 2 * HOUR_MS),
            }  # fmt: skip
            await desk.ann.done(at("announcements/delisting"), coin="ETH", **times)
            order = {"symbol": "ETHUSDT", "side": "sell", "orderType": "limit", "force": "gtc"}
            await maker.done("/api/v2/spot/trade/place-order", **order, price="1500", size="50")
            house.move_to(START_MS + 2 * HOUR_MS + 1)
            house.price("BTC", "20000")

            (row,) = await desk.ann.read(at("liquidations"))
            record = await desk.ann.read(at("liquidations/record"), liqId=row["liqId"])
            entries = [entry for step in record["steps"] for entry in step["entries"]]
            assert total([*entries, *record["ended"]], "repaid", "ETH") > 1

    run(test())
