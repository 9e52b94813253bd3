"""Two users: nobody reads, cancels or moves what is another's, whatever id is asked for."""

from pathlib import Path
from typing import Any

from tests.api.house import START_MS, Client, Street, run, street

MARGIN = "/api/v2/margin"
SPOT = "/api/v2/spot"
SINCE = {"startTime": START_MS - 1_000}
ORDER = {
    "symbol": "BTCUSDT",
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "loanType": "normal",
    "price": "19900",
    "baseSize": "0.01",
    "size": "0.01",
    "clientOid": "mine",
}


async def owner_of_everything(place: Street) -> tuple[Client, dict[str, Any]]:
    """Admit a user who has done everything once; returns the ids of it."""
    seller = await place.client(BTC="1")
    owner = await place.client(USDT="100000")
    ids: dict[str, Any] = {}
    for to_type in ("crossed_margin", "isolated_margin"):
        moved = await owner.done(
            f"{SPOT}/wallet/transfer",
            fromType="spot",
            toType=to_type,
            coin="USDT",
            amount="1000",
            symbol="BTCUSDT",
            clientOid=f"to-{to_type}",
        )
        ids[f"transfer {to_type}"] = moved["transferId"]
    names = {"symbol": "BTCUSDT", "coin": "USDT"}
    for mode in ("crossed", "isolated"):
        path = f"{MARGIN}/{mode}"
        loan = await owner.done(f"{path}/account/borrow", **names, borrowAmount="10")
        paid = await owner.done(f"{path}/account/repay", **names, repayAmount="5")
        ids[f"{mode} loan"], ids[f"{mode} repay"] = loan["loanId"], paid["repayId"]
        filled = {**ORDER, "clientOid": "filled"}
        await owner.done(f"{path}/place-order", **filled)
        selling = {**ORDER, "side": "sell", "clientOid": f"sell-{mode}"}
        await seller.done(f"{SPOT}/trade/place-order", **selling)
        ids[f"{mode} order"] = await owner.done(f"{path}/place-order", **ORDER)
    ids["spot order"] = await owner.done(f"{SPOT}/trade/place-order", **ORDER)
    return owner, ids


def test_nobody_reads_what_is_another_s(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            _, ids = await owner_of_everything(place)
            stranger = await place.client(USDT="100")
            for mode in ("crossed", "isolated"):
                path = f"{MARGIN}/{mode}"
                order_id = ids[f"{mode} order"]["orderId"]
                for name in ({}, {"orderId": order_id}, {"clientOid": "mine"}):
                    for page in ("open-orders", "history-orders"):
                        query = {"symbol": "BTCUSDT", **SINCE, **name}
                        assert [] == (await stranger.read(f"{path}/{page}", **query))["orderList"]
                for page, name in [
                    ("fills", {"orderId": order_id}),
                    ("borrow-history", {"loanId": ids[f"{mode} loan"]}),
                    ("repay-history", {"repayId": ids[f"{mode} repay"]}),
                    ("interest-history", {}),
                    ("liquidation-history", {}),
                    ("financial-records", {}),
                ]:
                    found = await stranger.read(f"{path}/{page}", symbol="BTCUSDT", **SINCE, **name)
                    assert [] == (found.get("fills") or found.get("resultList") or [])
                assert [] == await stranger.read(f"{path}/account/assets")
            order_id = ids["spot order"]["orderId"]
            for name in ({"orderId": order_id}, {"clientOid": "mine"}):
                for page in ("orderInfo", "unfilled-orders", "history-orders"):
                    assert [] == await stranger.read(f"{SPOT}/trade/{page}", **name)
            assert [] == await stranger.read(f"{SPOT}/trade/fills", orderId=order_id)
            records = f"{SPOT}/account/transferRecords"
            assert [] == await stranger.read(records, coin="USDT", clientOid="to-crossed_margin")
            assert ["100"] == [
                row["available"] for row in await stranger.read(f"{SPOT}/account/assets")
            ]
            assert 1 == len(await stranger.read(f"{SPOT}/account/bills"))

    run(test())


def test_nobody_touches_what_is_another_s(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            owner, ids = await owner_of_everything(place)
            stranger = await place.client(USDT="100")
            for account in ("crossed", "isolated"):
                wish = {"fromType": "spot", "toType": f"{account}_margin", "coin": "USDT"}
                await stranger.done(f"{SPOT}/wallet/transfer", **wish, amount="1", symbol="BTCUSDT")
            before = place.house.engine.state_hash()
            for mode in ("crossed", "isolated"):
                order = ids[f"{mode} order"]
                for name in ({"orderId": order["orderId"]}, {"clientOid": "mine"}):
                    wish = {"symbol": "BTCUSDT", **name}
                    path = f"{MARGIN}/{mode}/cancel-order"
                    assert "43001" == (await stranger.refused(path, **wish))[0]
                    result = await stranger.done(
                        f"{MARGIN}/{mode}/batch-cancel-order", symbol="BTCUSDT", orderIdList=[name]
                    )
                    assert ["43001"] == [row["errorCode"] for row in result["failureList"]]
            order_id = ids["spot order"]["orderId"]
            for name in ({"orderId": order_id}, {"clientOid": "mine"}):
                wish = {"symbol": "BTCUSDT", **name}
                path = f"{SPOT}/trade/cancel-order"
                assert "43001" == (await stranger.refused(path, **wish))[0]
                path = f"{SPOT}/trade/cancel-replace-order"
                replaced = await stranger.refused(path, **wish, price="19000", size="0.001")
                assert "43001" == replaced[0]
            assert before == place.house.engine.state_hash()
            await stranger.done(f"{SPOT}/trade/cancel-symbol-order", symbol="BTCUSDT")
            resting = await owner.read(f"{SPOT}/trade/unfilled-orders")
            assert [order_id] == [row["orderId"] for row in resting]

    run(test())


def test_ids_of_orders_do_not_cross_accounts(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            owner, ids = await owner_of_everything(place)
            path = f"{SPOT}/trade/cancel-order"
            crossed = {"symbol": "BTCUSDT", "orderId": ids["crossed order"]["orderId"]}
            assert "43001" == (await owner.refused(path, **crossed))[0]
            isolated = {"symbol": "BTCUSDT", "orderId": ids["isolated order"]["orderId"]}
            path = f"{MARGIN}/crossed/cancel-order"
            assert "43001" == (await owner.refused(path, **isolated))[0]

    run(test())


def test_what_is_not_asked_for_is_not_taken(tmp_path: Path) -> None:
    """A body cannot say who one is, what an order costs, or what became of it."""

    async def test() -> None:
        async with street(tmp_path) as place:
            owner = await place.client(USDT="100")
            other = await place.client(USDT="100")
            await owner.done(
                f"{SPOT}/wallet/transfer",
                fromType="spot",
                toType="crossed_margin",
                coin="USDT",
                amount="10",
                userId=str(other.user),
                uid=other.user,
                accountId="1",
                status="failed",
            )
            assert "100" == (await other.read(f"{SPOT}/account/assets"))[0]["available"]
            assert "90" == (await owner.read(f"{SPOT}/account/assets"))[0]["available"]

    run(test())
