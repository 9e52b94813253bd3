"""Unmodified ccxt.pro on a real sandbox: nothing is changed but the addresses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro
import pytest

from tests.e2e.sandbox import Sandbox, User

SYMBOL = "BTC/USDT"
WAIT_SECONDS = 60
# What ccxt calls the mode, the account of a transfer, and what else a transfer needs.
MODES = {
    "cross": ("crossed_margin", {}),
    "isolated": ("isolated_margin", {"symbol": "BTCUSDT"}),
}


@asynccontextmanager
async def client(sandbox: Sandbox, user: User | None = None) -> AsyncIterator[Any]:
    """Connect as somebody, or as nobody."""
    keys = {"apiKey": user.key, "secret": user.secret, "password": user.passphrase} if user else {}
    exchange = ccxt.pro.bitget(keys)
    sockets = {name: f"{sandbox.socket_address}/{name}" for name in ("public", "private")}
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], sandbox.address)
    exchange.urls["api"]["ws"] = sockets
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


async def until(watch: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    """Watch until what is seen is what is waited for; the first look subscribes."""

    async def look() -> Any:
        while True:
            seen = await watch()
            if holds(seen):
                return seen

    return await asyncio.wait_for(look(), WAIT_SECONDS)


def watching(watch: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    """Begin to watch beside what goes on."""
    return asyncio.ensure_future(until(watch, holds))


async def subscribed(exchange: Any, count: int) -> None:
    """Wait until the client has been told of so many subscriptions."""

    async def look() -> None:
        def told() -> int:
            return sum(len(one.subscriptions) for one in exchange.clients.values())

        while told() < count or not all(one.connected.done() for one in exchange.clients.values()):
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), WAIT_SECONDS)


def funded(sandbox: Sandbox) -> User:
    """Make a user with coins."""
    user = sandbox.user()
    user.deposit("USDT", "100000")
    user.deposit("BTC", "10")
    return user


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with Sandbox("--market", "none") as running:
        running.call("index-prices", {"coin": "BTC", "price": "20000"})
        yield running
        assert 0 == running.stop()


def test_the_market_is_watched(sandbox: Sandbox) -> None:
    async def main() -> None:
        maker, taker = funded(sandbox), funded(sandbox)
        async with (
            client(sandbox) as public,
            client(sandbox, maker) as makes,
            client(sandbox, taker) as takes,
        ):
            await makes.create_order(SYMBOL, "limit", "buy", 1, 19000)
            book = await until(lambda: public.watch_order_book(SYMBOL), lambda seen: True)
            assert [19000.0, 1.0] in [level[:2] for level in book["bids"]]
            await until(lambda: public.watch_ticker(SYMBOL), lambda seen: seen["bid"] == 19000)
            await until(lambda: public.watch_trades(SYMBOL), lambda seen: True)
            await until(lambda: public.watch_ohlcv(SYMBOL, "1m"), lambda seen: True)

            traded = [
                watching(
                    lambda: public.watch_trades(SYMBOL), lambda seen: seen[-1]["price"] == 19500
                ),
                watching(lambda: public.watch_ticker(SYMBOL), lambda seen: seen["last"] == 19500),
                watching(
                    lambda: public.watch_ohlcv(SYMBOL, "1m"), lambda seen: seen[-1][4] == 19500
                ),
                watching(
                    lambda: public.watch_order_book(SYMBOL),
                    lambda seen: [19500.0, 0.5] == seen["bids"][0][:2],
                ),
            ]
            await makes.create_order(SYMBOL, "limit", "buy", 1, 19500)
            await takes.create_order(SYMBOL, "limit", "sell", 0.5, 19500)
            trades, ticker, candles, book = await asyncio.gather(*traded)

            assert ("sell", 0.5) == (trades[-1]["side"], trades[-1]["amount"])
            assert 0.5 == ticker["baseVolume"]
            assert 0.5 == candles[-1][5]
            # Updates were verified by their checksum, or ccxt would have raised.
            assert book["bids"]
            await asyncio.wait_for(public.un_watch_order_book(SYMBOL), WAIT_SECONDS)

    asyncio.run(main())


def test_spot_orders_balances_and_fills_are_watched(sandbox: Sandbox) -> None:
    async def main() -> None:
        user, other = funded(sandbox), funded(sandbox)
        async with client(sandbox, user) as mine, client(sandbox, other) as theirs:
            first = await until(lambda: mine.watch_balance(), lambda seen: True)
            assert (100000.0, 10.0) == (first["USDT"]["free"], first["BTC"]["free"])
            seen_statuses: list[str] = []

            def status(orders: list[Any]) -> bool:
                seen_statuses.append(orders[-1]["status"])
                return bool(orders[-1]["status"] == "closed")

            closed = watching(lambda: mine.watch_orders(SYMBOL), status)
            fills = watching(lambda: mine.watch_my_trades(SYMBOL), lambda seen: True)
            paid = watching(
                lambda: mine.watch_balance(), lambda seen: seen["USDT"]["total"] == 99600
            )
            await subscribed(mine, 4)
            order = await mine.create_order(SYMBOL, "limit", "buy", 0.02, 20000)
            await theirs.create_order(SYMBOL, "limit", "sell", 0.02, 20000)
            orders, trades, balance = await asyncio.gather(closed, fills, paid)

            assert order["id"] == orders[-1]["id"] == trades[-1]["order"]
            assert (0.02, 0.0) == (orders[-1]["filled"], orders[-1]["remaining"])
            assert 20000 == orders[-1]["average"]
            assert "open" in seen_statuses or ["closed"] == seen_statuses
            assert trades[-1]["fee"]["cost"] > 0
            assert balance["BTC"]["total"] > 10

    asyncio.run(main())


@pytest.mark.parametrize("mode", MODES)
def test_margin_orders_and_balances_are_watched(sandbox: Sandbox, mode: str) -> None:
    account, more = MODES[mode]
    options = {"marginMode": mode}

    async def main() -> None:
        user, other = funded(sandbox), funded(sandbox)
        user.transfer("spot", account, "USDT", "1000", **more)
        async with client(sandbox, user) as mine, client(sandbox, other) as theirs:
            first = await until(lambda: mine.watch_balance(options), lambda seen: True)
            assert 1000 == first["USDT"]["total"]
            closed = watching(
                lambda: mine.watch_orders(SYMBOL, params=options),
                lambda seen: seen[-1]["status"] == "closed",
            )
            owing = watching(
                lambda: mine.watch_balance(options), lambda seen: seen["USDT"]["debt"] > 0
            )
            await subscribed(mine, 3)
            order = await mine.create_order(
                SYMBOL, "limit", "buy", 0.1, 20000, options | {"loanType": "autoLoan"}
            )
            await theirs.create_order(SYMBOL, "limit", "sell", 0.1, 20000)
            orders, balance = await asyncio.gather(closed, owing)

            assert order["id"] == orders[-1]["id"]
            assert (0.1, 0.0) == (orders[-1]["filled"], orders[-1]["remaining"])
            assert (20000, 2000) == (orders[-1]["average"], orders[-1]["cost"])
            assert balance["USDT"]["debt"] >= 1000

    asyncio.run(main())
