"""Unmodified typed-bitget, another public client, which checks the type of all it is answered.

It has no option for the address of its HTTP client: the field is set. Every call of its that this
venue has is made, and it must find nothing amiss.
"""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typed_bitget

from tests.e2e.sandbox import Sandbox, User

SYMBOL = {"symbol": "BTCUSDT"}
BUY = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "15000"}
DAY = timedelta(days=1)

Modes = Any


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with one who sells."""
    with Sandbox("--market", "none") as running:
        for coin, price in (("USDC", "1"), ("BTC", "20000"), ("ETH", "1500")):
            running.call("index-prices", {"coin": coin, "price": price})
        maker = running.user()
        maker.deposit("BTC", "50")
        maker.post(
            "/api/v2/spot/trade/place-order",
            **SYMBOL,
            side="sell",
            orderType="limit",
            force="gtc",
            price="20010",
            size="50",
        )
        yield running
        assert 0 == running.stop()


@pytest.fixture
def user(sandbox: Sandbox) -> User:
    """A user with USDT in every kind of account."""
    made = sandbox.user()
    made.deposit("USDT", "10000")
    made.transfer("spot", "crossed_margin", "USDT", "1000")
    made.transfer("spot", "isolated_margin", "USDT", "1000", **SYMBOL)
    return made


def tell(user: User, story: Callable[[Any], Any]) -> None:
    """Tell a story with the client, which closes what it opened."""

    async def told() -> None:
        client = typed_bitget.Bitget.new(
            access_key=user.key, secret_key=user.secret, passphrase=user.passphrase
        )
        client.http_client.base_url = user.sandbox.address
        async with client.http_client:
            await story(client.classic)

    with warnings.catch_warnings():
        # Its own types disagree with how it writes the orders of a batch.
        warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
        asyncio.run(told())


@pytest.mark.parametrize("isolated", [False, True], ids=["cross", "isolated"])
def test_margin(user: User, isolated: bool) -> None:
    async def story(classic: Any) -> None:
        side = classic.margin.isolated if isolated else classic.margin.cross
        account, order = side.account, side.order
        named = SYMBOL if isolated else {}
        coin = SYMBOL if isolated else {"coin": "USDT"}
        since = {"start_time": datetime.now(UTC) - DAY}
        records = ("borrow_history", "repay_history", "interest_history", "liquidation_history")
        for name in records:
            assert [] == await every(account, name, **named, **since), name
        for name in ("open", "history", "fills"):
            assert [] == await every(order, name, **SYMBOL, **since), name
        assert [] == await every(order, "liquidation", **since)

        loan = await account.borrow(coin="USDT", borrow_amount="100", **named)
        assert 100 == loan["borrowAmount"]
        for name in ("max_borrowable", "max_transferable", "interest_rate_and_limit", "tier_data"):
            assert await getattr(account, name)(**coin)
        assert await account.assets()
        assert await account.risk_rate()

        words = {**BUY, "loanType": "normal", "baseSize": "0.01"}
        placed = await order.place({**SYMBOL, **words})
        bought = await order.place(
            {**SYMBOL, "side": "buy", "orderType": "market", "loanType": "autoLoan",
             "quoteSize": "500"}
        )  # fmt: skip
        batch = await order.batch_place(
            symbol="BTCUSDT", order_list=[words, {**words, "baseSize": "0.00001"}]
        )
        assert (1, 1) == (len(batch["successList"]), len(batch["failureList"]))
        assert 2 == len(await every(order, "open", **SYMBOL, **since))
        done = await order.cancel(symbol="BTCUSDT", order_id=placed["orderId"])
        assert placed["orderId"] == done["orderId"]
        cancelled = await order.batch_cancel(
            symbol="BTCUSDT",
            order_id_list=[{"orderId": batch["successList"][0]["orderId"]}, {"orderId": "77"}],
        )
        assert (1, 1) == (len(cancelled["successList"]), len(cancelled["failureList"]))
        past = await every(order, "history", **SYMBOL, **since)
        assert ["cancelled", "filled", "cancelled"] == [row["status"] for row in past]
        fills = await every(order, "fills", **SYMBOL, **since)
        assert {bought["orderId"]} == {row["orderId"] for row in fills}

        assert 10 == (await account.repay(coin="USDT", repay_amount="10", **named))["repayAmount"]
        flash = await account.flash_repay()
        repay_id = flash[0]["repayId"] if isolated else flash["repayId"]
        (state,) = await account.flash_repay_status(id_list=[repay_id])
        assert "FINISH" == state["status"]
        for name in records[:3]:
            assert await every(account, name, **named, **since), name
        ledger = await every(account, "financial_records", **named, **since)
        assert {"transfer_in", "borrow", "deal_in", "deal_out", "repay"} == {
            row["marginType"] for row in ledger
        }

    tell(user, story)


async def every(page: Any, name: str, **asked: Any) -> list[Any]:
    """List all there is, two rows to a page where the client has pages of its own."""
    paged = getattr(page, f"{name}_paged", None)
    if paged is not None:
        return list(await paged(limit=2, **asked))
    rows: list[Any] = (await getattr(page, name)(**asked))["orderList"]
    return rows


def test_spot(user: User) -> None:
    async def story(classic: Any) -> None:
        order = classic.spot.order
        words = {**BUY, "size": "0.01"}
        placed = await order.place({**SYMBOL, **words})
        (shown,) = await order.info(order_id=placed["orderId"])
        assert ("live", "BTC", "USDT") == (shown["status"], shown["baseCoin"], shown["quoteCoin"])
        assert 1 == len(await order.open())
        moved = await order.cancel_replace(
            symbol="BTCUSDT", price="14000", size="0.01", order_id=placed["orderId"]
        )
        await order.cancel(symbol="BTCUSDT", order_id=moved["orderId"])
        market = {"side": "buy", "orderType": "market", "force": "gtc", "size": "100"}
        bought = await order.place({**SYMBOL, **market})
        batch = await order.batch.place(
            symbol="BTCUSDT", order_list=[words, {**words, "size": "0.00001"}]
        )
        assert (1, 1) == (len(batch["successList"]), len(batch["failureList"]))
        replaced = await order.batch.cancel_replace(
            order_list=[
                {**SYMBOL, "price": "14000", "size": "0.01", "orderId": name}
                for name in (batch["successList"][0]["orderId"], "77")
            ]
        )
        assert ["success", "failure"] == [row["success"] for row in replaced]
        cancelled = await order.batch.cancel(
            symbol="BTCUSDT",
            order_list=[{"orderId": replaced[0]["orderId"]}, {"orderId": "77"}],
        )
        assert (1, 1) == (len(cancelled["successList"]), len(cancelled["failureList"]))
        await order.cancel_symbol("BTCUSDT")
        past = await order.history()
        assert {"cancelled", "filled"} == {row["status"] for row in past}
        assert {bought["orderId"]} == {
            row["orderId"] for row in await order.fills(symbol="BTCUSDT")
        }

        plan = await order.plan.place(
            {**SYMBOL, "side": "buy", "triggerPrice": "15000", "orderType": "limit",
             "executePrice": "15000", "planType": "amount", "size": "0.01",
             "triggerType": "mark_price"}
        )  # fmt: skip
        name = plan["orderId"]
        await order.plan.modify(
            order_id=name,
            trigger_price="15100",
            order_type="limit",
            execute_price="15100",
            size="0.01",
        )
        (waiting,) = (await order.plan.current(symbol="BTCUSDT"))["orderList"]
        assert name == waiting["orderId"]
        assert [] == await order.plan.sub_orders(name)
        await order.plan.cancel(order_id=name)
        (ended,) = (await order.plan.history(symbol="BTCUSDT"))["orderList"]
        assert "cancelled" == ended["status"]
        await order.plan.batch_cancel(symbol_list=["BTCUSDT"])

    tell(user, story)


def test_what_is_asked_of_the_venue_and_the_wallet(user: User) -> None:
    async def story(classic: Any) -> None:
        spot, common, now = classic.spot, classic.common, datetime.now(UTC)
        assert await common.time()
        assert await classic.margin.currencies()
        assert await classic.margin.interest_rate_record(coin="USDT")
        assert await common.trade_rate(symbol="BTCUSDT", business_type="margin")
        assert await common.all_trade_rates(business_type="margin")
        assert 6 == len(await common.all_account_balance())
        tax = await classic.tax.margin_records(start_time=now - DAY, end_time=now + DAY)
        assert ["transfer_in"] == [row["marginTaxType"] for row in tax]
        assert await spot.symbols()
        assert await spot.coins()
        assert await spot.tickers()
        for name in ("orderbook", "recent_trades", "historical_trades", "call_auction"):
            await getattr(spot, name)(**SYMBOL)
        await spot.merge_depth(**SYMBOL, precision="scale1", limit=50)
        assert 6 == len(await spot.vip_fee_rate())
        await spot.candles(**SYMBOL, granularity="1min")
        await spot.history_candles(**SYMBOL, granularity="1min", end_time=now + DAY)

        info = await spot.account.info()
        assert user.user_id == info["userId"]
        assert await spot.account.assets()
        assert await spot.account.assets(asset_type="all")
        bills = await spot.account.bills()
        assert ["transfer_out", "transfer_out", "deposit"] == [row["businessType"] for row in bills]
        assert {"deduct": "off"} == await spot.bgb_deduct.info()
        assert await spot.bgb_deduct.switch(False)
        words = {"from_type": "spot", "to_type": "crossed_margin"}
        moved = await spot.transfer.create(**words, amount="1", coin="USDT")
        records = await spot.transfer.records(coin="USDT", from_type="spot")
        assert moved["transferId"] == records[0]["transferId"]
        assert "USDT" in await spot.transfer.transferable_coins(**words)

    tell(user, story)
