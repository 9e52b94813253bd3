"""Unmodified ccxt, sync and async, through every row of what it does at a venue of this dialect.

The rows are those of reference §7.3, and the smoke list of §12.4; each row is asked in every way
ccxt has for it (both margin modes, with a symbol and without). The market is a maker of our own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import ccxt.async_support
import pytest

from tests.e2e.sandbox import Sandbox, User

PAIR = "BTC/USDT"
CROSS = {"marginMode": "cross"}
ISOLATED = {"marginMode": "isolated"}
MODES = (CROSS, ISOLATED)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "4h", "6h", "12h", "1d", "3d", "1w", "1M")

Ccxt = Any


class Waited:
    """The sync client, its methods to be awaited like those of the async one."""

    def __init__(self, client: ccxt.bitget) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if not callable(method):
            return method

        async def waited(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return waited


def wait_for_sync(user: User, story: Callable[[Ccxt], Awaitable[None]]) -> None:
    """Tell a story with the sync client."""
    client = ccxt.bitget(keys_of(user))
    client.urls["api"] = dict.fromkeys(client.urls["api"], user.sandbox.address)
    asyncio.run(_of(story(Waited(client))))


def wait_for_async(user: User, story: Callable[[Ccxt], Awaitable[None]]) -> None:
    """Tell a story with the async client."""

    async def tell() -> None:
        client = ccxt.async_support.bitget(keys_of(user))
        client.urls["api"] = dict.fromkeys(client.urls["api"], user.sandbox.address)
        try:
            await story(client)
        finally:
            await client.close()

    asyncio.run(tell())


async def _of(told: Awaitable[None]) -> None:
    await told


def keys_of(user: User) -> dict[str, Any]:
    """Word a user's keys as ccxt wants them. Nothing is rationed in the sandbox."""
    keys = {"apiKey": user.key, "secret": user.secret, "password": user.passphrase}
    return {**keys, "enableRateLimit": False}


Tell = Callable[[User, Callable[[Ccxt], Awaitable[None]]], None]


@pytest.fixture(params=[wait_for_sync, wait_for_async], ids=["sync", "async"])
def tell(request: pytest.FixtureRequest) -> Tell:
    """One of the two clients."""
    told: Tell = request.param
    return told


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose market is the maker below; each test brings users of its own."""
    with Sandbox("--market", "none") as running:
        for coin, price in (("USDC", "1"), ("BTC", "20000"), ("ETH", "1500")):
            running.call("index-prices", {"coin": coin, "price": price})
        maker = running.user()
        maker.deposit("USDT", "10000000")
        maker.deposit("BTC", "500")
        for side, price in (("buy", "19990"), ("sell", "20010")):
            maker.post(
                "/api/v2/spot/trade/place-order",
                symbol="BTCUSDT",
                side=side,
                orderType="limit",
                force="gtc",
                price=price,
                size="200",
            )
        taker = running.user()
        taker.deposit("BTC", "1")
        taker.post(
            "/api/v2/spot/trade/place-order",
            symbol="BTCUSDT",
            side="sell",
            orderType="market",
            size="0.5",
        )
        yield running
        assert 0 == running.stop()


@pytest.fixture
def user(sandbox: Sandbox) -> User:
    """A user with 6,000 USDT in spot, 3,000 in crossed margin and 3,000 in isolated."""
    made = sandbox.user()
    made.deposit("USDT", "12000")
    made.deposit("BTC", "1")
    made.transfer("spot", "crossed_margin", "USDT", "3000")
    made.transfer("spot", "isolated_margin", "USDT", "3000", symbol="BTCUSDT")
    return made


def test_the_market(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        assert abs(await client.fetch_time() - client.milliseconds_now()) < 60_000
        currencies = await client.fetch_currencies()
        assert {"BTC", "USDT"} <= set(currencies)
        markets = await client.load_markets()
        market = markets[PAIR]
        assert (True, True) == (market["spot"], market["margin"])
        assert {"cross": True, "isolated": True} == market["marginModes"]

        ticker = await client.fetch_ticker(PAIR)
        assert (19990, 20010, 19990) == (ticker["bid"], ticker["ask"], ticker["last"])
        tickers = await client.fetch_tickers()
        assert ticker["symbol"] in tickers
        assert [PAIR] == list(await client.fetch_tickers([PAIR]))
        book = await client.fetch_order_book(PAIR, 5)
        assert (19990, 20010) == (book["bids"][0][0], book["asks"][0][0])
        trades = await client.fetch_trades(PAIR, None, 10)
        assert (PAIR, "sell", 19990) == tuple(trades[0][key] for key in ("symbol", "side", "price"))
        fills = await client.fetch_trades(
            PAIR, None, 10, {"method": "publicSpotGetV2SpotMarketFills"}
        )
        assert trades[0]["id"] == fills[0]["id"]
        assert {"maker", "taker"} <= set(await client.fetch_trading_fee(PAIR, CROSS))
        assert PAIR in await client.fetch_trading_fees({"margin": True})
        assert PAIR in await client.fetch_trading_fees()

    tell(user, with_clock(story))


def with_clock(story: Callable[[Ccxt], Awaitable[None]]) -> Callable[[Ccxt], Awaitable[None]]:
    """Give both clients a clock that is read in the same way."""

    async def told(client: Ccxt) -> None:
        inner = client.client if isinstance(client, Waited) else client
        inner.milliseconds_now = inner.milliseconds
        if isinstance(client, Waited):
            client.milliseconds_now = inner.milliseconds  # type: ignore[attr-defined]
        await story(client)

    return told


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_candles(user: User, timeframe: str) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        candles = await client.fetch_ohlcv(PAIR, timeframe)
        assert [19990, 19990, 19990, 19990] == candles[-1][1:5]
        now = candles[-1][0]
        since = await client.fetch_ohlcv(PAIR, timeframe, now, 5)
        assert candles[-1:] == since
        # So old that ccxt asks for history.
        assert [] == await client.fetch_ohlcv(PAIR, timeframe, now - 400 * DAY_MS, 5)

    wait_for_sync(user, story)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["marginMode"])
def test_orders(user: User, tell: Tell, mode: dict[str, str]) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        placed = [
            await client.create_order(PAIR, "limit", "buy", 0.01, 15000, {**mode, **more})
            for more in (
                {"clientOrderId": "mine"},
                {"postOnly": True},
                {"timeInForce": "GTC", "loanType": "autoLoan"},
            )
        ]
        assert "mine" == placed[0]["clientOrderId"]
        batch = [
            {
                "symbol": PAIR,
                "type": "limit",
                "side": "buy",
                "amount": 0.01,
                "price": price,
                "params": mode,
            }
            for price in (14000, 13000, 12000, 0.01)
        ]
        made = await client.create_orders(batch, mode)
        # The one that was refused is of no symbol to ccxt, and so not in its list.
        assert [None, None, None] == [order["status"] for order in made]
        placed += made

        for symbol in (PAIR, None):
            resting = await client.fetch_open_orders(symbol, None, None, mode)
            assert {order["id"] for order in placed} == {order["id"] for order in resting}
            assert {("open", "limit", "buy", PAIR, 0.01, 0)} == {
                tuple(
                    order[key] for key in ("status", "type", "side", "symbol", "amount", "filled")
                )
                for order in resting
            }
        assert ["PO", "GTC"] == sorted(
            {order["timeInForce"] for order in resting}, key=lambda word: word != "PO"
        )
        assert len(await client.fetch_open_orders(PAIR, None, 2, mode)) == 2

        by_oid = await client.cancel_order(None, PAIR, {**mode, "clientOid": "mine"})
        assert placed[0]["id"] == by_oid["id"]
        assert placed[1]["id"] == (await client.cancel_order(placed[1]["id"], PAIR, mode))["id"]
        ids = [order["id"] for order in placed[2:]]
        assert set(ids) == {row["id"] for row in await client.cancel_orders(ids, PAIR, mode)}
        assert [] == await client.fetch_open_orders(PAIR, None, None, mode)
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(ids[0], PAIR, mode)

        canceled = await client.fetch_canceled_orders(PAIR, None, None, mode)
        assert {order["id"] for order in placed} == {order["id"] for order in canceled}
        assert {"canceled"} == {order["status"] for order in canceled}
        assert [] == await client.fetch_closed_orders(PAIR, None, None, mode)

    tell(user, story)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["marginMode"])
def test_trading(user: User, tell: Tell, mode: dict[str, str]) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        began = client.milliseconds_now()
        orders: list[tuple[str, str, float, float | None, dict[str, Any]]] = [
            ("market", "buy", 0.05, 20010, {}),
            ("market", "buy", 0, None, {"cost": 500}),
            ("limit", "buy", 0.01, 20010, {"timeInForce": "IOC"}),
            ("limit", "buy", 0.01, 20010, {"timeInForce": "FOK"}),
            ("market", "buy", 0, None, {"cost": 4000, "loanType": "autoLoan"}),
            ("market", "sell", 0.02, None, {}),
            ("market", "sell", 0.05, None, {"loanType": "autoRepay"}),
            ("limit", "sell", 0.01, 19990, {"loanType": "autoLoanAndRepay"}),
        ]
        ids = [
            (await client.create_order(PAIR, kind, side, amount, price, {**mode, **more}))["id"]
            for kind, side, amount, price, more in orders
        ]
        closed = await client.fetch_closed_orders(PAIR, None, None, mode)
        assert set(ids) == {order["id"] for order in closed}
        by_id = {order["id"]: order for order in closed}
        for order_id, (kind, side, amount, _price, more) in zip(ids, orders, strict=True):
            order = by_id[order_id]
            assert (kind, side, "closed") == (order["type"], order["side"], order["status"])
            assert order["average"] == (20010 if side == "buy" else 19990)
            cost = float(more.get("cost", amount * order["average"]))
            assert pytest.approx(cost, rel=1e-3) == order["cost"]
        assert ids[-1:] == [
            order["id"]
            for order in await client.fetch_canceled_and_closed_orders(PAIR, began, 1, mode)
        ]

        trades = await client.fetch_my_trades(PAIR, began, 100, mode)
        assert set(ids) == {trade["order"] for trade in trades}
        for trade in trades:
            assert trade["takerOrMaker"] == "taker"
            coin, part = (
                ("BTC", trade["amount"])
                if trade["side"] == "buy"
                else (
                    "USDT",
                    trade["cost"],
                )
            )
            assert coin == trade["fee"]["currency"]
            # The dialect says what was taken with a minus; ccxt turns it.
            assert pytest.approx(part * 0.001, abs=1e-8) == trade["fee"]["cost"]
        # ccxt's own pagination forgets the margin mode; by hand it goes down by ids.
        paged: list[str] = []
        page = [None] * 3
        while len(page) == 3:
            below = {"idLessThan": min(paged)} if paged else {}
            page = await client.fetch_my_trades(PAIR, began, 3, {**mode, **below})
            paged += [trade["id"] for trade in reversed(page)]
        assert [trade["id"] for trade in reversed(trades)] == paged

    tell(user, with_clock(story))


def test_a_margin_order_with_a_trigger_price_is_refused(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        for mode in MODES:
            with pytest.raises(ccxt.BadRequest, match="size"):
                await client.create_order(
                    PAIR, "limit", "buy", 0.01, 25000, {**mode, "triggerPrice": 24000}
                )
        assert [] == await client.fetch_open_orders(PAIR, params={"trigger": True})
        assert [] == await client.fetch_open_orders(PAIR)

    tell(user, story)


def test_loans(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        began = client.milliseconds_now() - HOUR_MS
        loans = [
            await client.borrow_cross_margin("USDT", 4),
            await client.borrow_isolated_margin(PAIR, "USDT", 4),
        ]
        assert [("USDT", 4)] * 2 == [(loan["currency"], loan["amount"]) for loan in loans]
        assert all(loan["id"] for loan in loans)
        for mode, symbol in ((CROSS, None), (ISOLATED, PAIR)):
            balance = await client.fetch_balance(mode)
            assert 3004 == balance["USDT"]["total"]
            # ccxt reads `transferable`, which v2 has no more and we have (reference §2.8).
            assert 0 < balance["USDT"]["free"] < 3004
            assert 4 < balance["USDT"]["debt"] < 4.1
            rows = await client.fetch_borrow_interest("USDT", symbol, began, 100, mode)
            assert [("USDT", symbol)] == [(row["currency"], row["symbol"]) for row in rows]
            assert pytest.approx(balance["USDT"]["debt"] - 4) == rows[0]["interest"]

        assert "BTC" == (await client.fetch_cross_borrow_rate("BTC"))["currency"]
        rate = await client.fetch_isolated_borrow_rate(PAIR)
        assert ("BTC", "USDT") == (rate["base"], rate["quote"])
        assert 0 < rate["quoteRate"] < 1
        repaid = [
            await client.repay_cross_margin("USDT", 5),
            await client.repay_isolated_margin(PAIR, "USDT", 5),
        ]
        assert all(row["id"] and 4 < row["amount"] < 5 for row in repaid)
        for mode in MODES:
            assert 0 == (await client.fetch_balance(mode))["USDT"]["debt"]
        with pytest.raises(ccxt.BaseError, match="50040"):
            await client.repay_cross_margin("USDT", 5)
        with pytest.raises(ccxt.BaseError, match="50035"):
            await client.borrow_cross_margin("USDT", 10**6)

    tell(user, with_clock(story))


def test_tiers(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        for params in ({**CROSS, "code": "BTC"}, ISOLATED, {**ISOLATED, "code": "BTC"}):
            tiers = await client.fetch_market_leverage_tiers(PAIR, params)
            assert [number + 1 for number in range(len(tiers))] == [row["tier"] for row in tiers]
            assert all(0 < row["maintenanceMarginRate"] < 1 < row["maxLeverage"] for row in tiers)

    tell(user, story)


def test_the_wallet(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        there = await client.transfer("USDT", 10, "spot", "cross")
        await client.transfer("USDT", 10.5, "spot", "isolated", {"symbol": "BTCUSDT"})
        back = await client.transfer("USDT", 5, "cross", "funding")
        await client.transfer("USDT", 5, "isolated", "spot", {"symbol": "BTCUSDT"})
        with pytest.raises(ccxt.ExchangeError):
            await client.transfer("USDT", 5, "spot", "swap")
        out = await client.fetch_transfers("USDT", None, 3)
        assert ["ok"] * 3 == [row["status"] for row in out]
        assert there["id"] in {row["id"] for row in out}
        since = await client.fetch_transfers("USDT", client.milliseconds_now() - HOUR_MS, 100)
        assert len(since) == 4
        home = await client.fetch_transfers("USDT", None, 3, {"fromType": "crossed_margin"})
        assert [back["id"]] == [row["id"] for row in home]
        ledger = await client.fetch_ledger("USDT")
        # 12,000 came, 6,000 went before, then 20.5 out and 10 back.
        assert [12000, 5989.5] == [ledger[0]["amount"], ledger[-1]["after"]]
        assert {"in", "out"} == {row["direction"] for row in ledger}
        spot = await client.fetch_balance()
        assert 5989.5 == spot["USDT"]["free"]

    tell(user, with_clock(story))


def test_spot_orders_where_margin_has_no_call(user: User, tell: Tell) -> None:
    async def story(client: Ccxt) -> None:
        await client.load_markets()
        placed = [
            await client.create_order(PAIR, "limit", "buy", 0.01, price) for price in (15000, 14000)
        ]
        shown = await client.fetch_order(placed[0]["id"], PAIR)
        assert ("open", 15000, 0.01) == (shown["status"], shown["price"], shown["amount"])
        edited = await client.edit_order(placed[0]["id"], PAIR, "limit", "buy", 0.02, 15100)
        assert edited["id"] != placed[0]["id"]
        assert 2 == len(await client.fetch_open_orders(PAIR))
        # cancelAllOrders goes to spot, whatever the margin mode.
        await client.cancel_all_orders(PAIR)
        assert [] == await client.fetch_open_orders(PAIR)
        bought = await client.create_order(PAIR, "market", "buy", 0, None, {"cost": 100})
        closed = await client.fetch_order(bought["id"], PAIR)
        assert ("closed", "BTC") == (closed["status"], closed["fee"]["currency"])
        assert {bought["id"]} == {row["order"] for row in await client.fetch_my_trades(PAIR)}
        done = await client.fetch_canceled_and_closed_orders(PAIR)
        assert {"closed", "canceled"} == {order["status"] for order in done}

    tell(user, story)


def test_liquidations(tell: Tell) -> None:
    """A sandbox of its own: the price falls for everybody."""
    with Sandbox("--market", "none") as sandbox:
        for coin, price in (("USDC", "1"), ("BTC", "20000"), ("ETH", "1500")):
            sandbox.call("index-prices", {"coin": coin, "price": price})
        maker, user = sandbox.user(), sandbox.user()
        maker.deposit("USDT", "100000")
        user.deposit("BTC", "2")
        words = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
        maker.post("/api/v2/spot/trade/place-order", **words, price="5390", size="4")
        user.transfer("spot", "crossed_margin", "BTC", "1")
        user.transfer("spot", "isolated_margin", "BTC", "1", symbol="BTCUSDT")

        async def story(client: Ccxt) -> None:
            await client.load_markets()
            await client.borrow_cross_margin("USDT", 9000)
            await client.borrow_isolated_margin(PAIR, "USDT", 9000)
            for mode, coin in ((CROSS, "spot"), (ISOLATED, "spot")):
                more = {"symbol": "BTCUSDT"} if mode is ISOLATED else {}
                source = "isolated" if mode is ISOLATED else "cross"
                await client.transfer("USDT", 5000, source, coin, more)
            sandbox.call("index-prices", {"coin": "BTC", "price": "5400"})
            for mode, symbol in ((CROSS, None), (ISOLATED, PAIR)):
                found = await client.fetch_my_liquidations(symbol, None, None, mode)
                assert 1 == len(found), mode
                assert found[0]["quoteValue"] > 8000
                assert symbol == found[0]["symbol"]

        tell(user, story)
        assert 0 == sandbox.stop()
