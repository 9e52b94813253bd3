"""Trigger orders as unmodified ccxt sends them: created, edited, listed, cancelled, fired; and a
cascade that outlives a SIGKILL."""

import signal
from pathlib import Path

import ccxt
import pytest

from tests.e2e.sandbox import Sandbox, User

PAIR = "BTC/USDT"
STANDING = ("--market", "none")


def connect(sandbox: Sandbox, user: User) -> ccxt.bitget:
    """Return ccxt's client of the dialect, told another address."""
    client = ccxt.bitget({"apiKey": user.key, "secret": user.secret, "password": user.passphrase})
    client.urls["api"] = dict.fromkeys(client.urls["api"], sandbox.address)
    return client


def test_trigger_orders_of_ccxt() -> None:
    with Sandbox(*STANDING) as sandbox:
        for coin, price in (("USDC", "1"), ("BTC", "20000"), ("ETH", "1500")):
            sandbox.call("index-prices", {"coin": coin, "price": price})
        maker, user = sandbox.user(), sandbox.user()
        maker.deposit("USDT", "100000")
        user.deposit("BTC", "1")
        user.deposit("USDT", "10000")
        bids, client = connect(sandbox, maker), connect(sandbox, user)
        bids.create_order(PAIR, "limit", "buy", 1, 19400)

        # ccxt waits for the mark price unless told otherwise: our index.
        stop = client.create_order(PAIR, "limit", "sell", 0.2, 19300, {"triggerPrice": 19500})
        market = client.create_order(PAIR, "market", "sell", 0.1, None, {"triggerPrice": 19450})
        far = client.create_order(
            PAIR, "market", "buy", 1, None, {"triggerPrice": 30000, "cost": 5000}
        )
        listed = client.fetch_open_orders(PAIR, params={"trigger": True})
        assert {
            (stop["id"], 19500.0, 19300.0, 0.2, "open"),
            (market["id"], 19450.0, None, 0.1, "open"),
            (far["id"], 30000.0, None, None, "open"),
        } == {(o["id"], o["triggerPrice"], o["price"], o["amount"], o["status"]) for o in listed}
        edited = client.edit_order(
            stop["id"], PAIR, "limit", "sell", 0.3, 19350, {"triggerPrice": 19550}
        )
        assert stop["id"] == edited["id"]
        client.cancel_order(far["id"], PAIR, {"trigger": True})

        sandbox.call("index-prices", {"coin": "BTC", "price": "19550"})
        assert [market["id"]] == [
            o["id"] for o in client.fetch_open_orders(PAIR, params={"trigger": True})
        ]
        sandbox.call("index-prices", {"coin": "BTC", "price": "19450"})
        ended = client.fetch_canceled_and_closed_orders(PAIR, params={"trigger": True})
        assert {
            (stop["id"], "closed"), (market["id"], "closed"), (far["id"], "canceled")
        } == {(o["id"], o["status"]) for o in ended}  # fmt: skip
        trades = client.fetch_my_trades(PAIR)
        assert [(0.3, 19400.0), (0.1, 19400.0)] == sorted(
            ((t["amount"], t["price"]) for t in trades), reverse=True
        )

        other = client.create_order(PAIR, "market", "sell", 0.1, None, {"triggerPrice": 15000})
        client.cancel_all_orders(PAIR, {"trigger": True})
        assert [] == client.fetch_open_orders(PAIR, params={"trigger": True})
        ended = client.fetch_canceled_and_closed_orders(PAIR, params={"trigger": True})
        assert "canceled" == next(o["status"] for o in ended if o["id"] == other["id"])
        # ccxt itself knows stop-loss and take-profit orders of contracts only.
        with pytest.raises(ccxt.InvalidOrder, match="only swap markets"):
            client.create_order(PAIR, "market", "sell", 0.1, None, {"stopLossPrice": 15000})
        params = {"triggerPrice": 15000, "marginMode": "cross"}
        with pytest.raises(ccxt.BaseError, match="Parameter"):
            client.create_order(PAIR, "limit", "sell", 0.1, 15000, params)
        assert 0 == sandbox.stop()


def test_triggers_outlive_a_kill_and_a_cascade_is_carried_through(tmp_path: Path) -> None:
    """135 stops of three users: a command fires 100 at most, and the node asks for the rest."""
    with Sandbox(*STANDING, "--clock", "manual", data=tmp_path) as sandbox:
        sandbox.call("index-prices", {"coin": "BTC", "price": "20000"})
        users = [sandbox.user() for _ in range(3)]
        for user in users:
            user.deposit("BTC", "1")
            for number in range(45):
                # Two that are signed alike within a millisecond would be one command.
                user.post(
                    "/api/v2/spot/trade/place-plan-order", symbol="BTCUSDT", side="sell",
                    triggerPrice="19000", orderType="limit", executePrice="21000", size="0.001",
                    triggerType="mark_price", clientOid=f"stop{number}",
                )  # fmt: skip
        before = sandbox.state_hash()
        sandbox.stop(signal.SIGKILL)

    with Sandbox(*STANDING, "--clock", "manual", data=tmp_path) as sandbox:
        assert before == sandbox.state_hash()
        for user in users:
            user.sandbox = sandbox
        sandbox.call("index-prices", {"coin": "BTC", "price": "19000"})
        sandbox.advance(ms=1)

        for user in users:
            assert [] == user.get("/api/v2/spot/trade/current-plan-order")["orderList"]
            ended = user.get("/api/v2/spot/trade/history-plan-order")["orderList"]
            assert ["executed"] * 45 == [row["status"] for row in ended]
            resting = user.get("/api/v2/spot/trade/unfilled-orders")
            assert ["21000.0000000000000000"] * 45 == [row["priceAvg"] for row in resting]
        assert 0 == sandbox.stop()
