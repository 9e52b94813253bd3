"""A venue behind a gateway, in this process: the real engine and history, no journal, no socket.

A `House` is a venue of the sandbox's catalogue with an application in front of it; a `Client` signs
requests as one user does. Time stands unless a test moves it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from lombard.api.app import Gateway, build_app
from lombard.api.context import Context
from lombard.api.ports import CLOCK_MANUAL, SPEED_ONE_E6, Overloaded, WorldRefused
from lombard.api.ratelimit import RateLimits
from lombard.api.signing import WINDOW_MS, keyed_with, sign
from lombard.api.visit import Rules
from lombard.core import queries
from lombard.core.commands import (
    SLOT_SPOT,
    VENUE,
    AddUser,
    Command,
    ContinueLiquidation,
    Deposit,
    Envelope,
    SetIndexPrices,
    SetRate,
    Tick,
    account_id,
)
from lombard.core.engine import Engine
from lombard.core.events import Event
from lombard.core.state import Reply, State
from lombard.core.units import parse_units
from lombard.history.projector import Projector
from lombard.history.reader import Reader
from lombard.identity import ALL_PERMISSIONS, Directory, Permission, open_directory
from lombard.sandbox.catalogue import example, finished_price, genesis, read
from tests.api.contract import HeldTransport

# 2024-01-01T00:10:00Z
START_MS = 1_704_067_800_000
# The machine's clock, which stands as well.
MACHINE_MS = 1_750_000_000_000
HOST = "127.0.0.1:8080"
PRICES = {"USDC": "1", "BTC": "20000", "ETH": "1500", "DOGE": "0.1", "PEPE": "0.000001"}


def run(test: Awaitable[None], seconds: float = 60) -> None:
    """Run a test's coroutine."""

    async def limited() -> None:
        await asyncio.wait_for(test, seconds)

    asyncio.run(limited())


class House:
    """A venue that applies what it is handed at once; also the world of its sandbox."""

    def __init__(
        self, engine: Engine, path: Path, limits: RateLimits | None, rules: Rules | None = None
    ) -> None:
        self.engine = engine
        self.now_ms = engine.time_ms
        self.ready = True
        self.overloaded = False
        self.is_full = False  # known before a command is submitted
        self.stopped: Exception | None = None
        self.commands: list[Command] = []
        self.failures: list[BaseException] = []
        self.listeners: list[Callable[[Envelope, Reply, list[Event]], None]] = []
        self.seq = engine.state.seq
        self.mode, self.speed_e6 = CLOCK_MANUAL, 0
        pairs = queries.pairs(engine.state)
        self.projector = Projector(
            path / "history.sqlite",
            lambda pair: (pairs[pair].base.id, pairs[pair].quote.id),
            self.failures.append,
        )
        # The venue was made before history was told.
        for seq in range(1, self.seq + 1):
            self.projector.submit(seq, self.now_ms, [])
        self.projector.wait_blocking(self.seq)
        self.reader = Reader(path / "history.sqlite")
        self.machine_ms = MACHINE_MS
        self.directory: Directory = open_directory(path, lambda: self.machine_ms)
        # The gateway began a while ago: what clients sign here is of its own time.
        self.gateway_ms = MACHINE_MS - WINDOW_MS
        self.context = Context(
            self,
            self.reader,
            self.caught_up,
            self.directory,
            lambda: self.gateway_ms,
            limits,
            rules or Rules(sign_up_open=True, is_secure=False),
        )
        self.gateway_ms = MACHINE_MS

    @property
    def state(self) -> State:
        return self.engine.state

    def exchange_time_ms(self) -> int:
        return self.now_ms

    async def caught_up(self) -> None:
        await self.projector.wait(self.seq)

    def takes_trading(self) -> bool:
        return not self.is_full

    async def submit(self, account: int, command: Command, command_id: bytes = b"") -> Reply:
        if self.overloaded:
            raise Overloaded
        if self.stopped is not None:
            raise self.stopped
        return self.apply(account, command, command_id)

    def apply(self, account: int, command: Command, command_id: bytes = b"") -> Reply:
        self.seq += 1
        self.commands.append(command)
        envelope = Envelope(self.seq, self.now_ms, command_id, account, command)
        reply, events = self.engine.apply(envelope)
        self.projector.submit(self.seq, self.now_ms, events)
        for listener in self.listeners:
            listener(envelope, reply, events)
        return reply

    def done(self, command: Command, account: int = VENUE) -> Reply:
        """Apply a command that may not be refused."""
        reply = self.apply(account, command)
        assert reply.refusal is None, (reply.refusal, reply.detail)
        return reply

    def coin(self, name: str) -> int:
        found = queries.coin_named(self.state, name)
        assert found is not None
        return found

    def pair(self, symbol: str) -> int:
        found = queries.pair_named(self.state, symbol)
        assert found is not None
        return found

    def price(self, coin: str, price: str) -> None:
        """Publish an index price, and let liquidation run its course."""
        row = finished_price(self.coin(coin), parse_units(price, 12))
        self.done(SetIndexPrices([row]))
        while self.engine.liquidation_due():
            _, before = self.done(ContinueLiquidation(100)), self.engine.state_hash()
            if before == self.engine.state_hash() and not self.engine.liquidation_due():
                break

    def move_to(self, to_ms: int) -> None:
        """Let time pass."""
        self.now_ms = to_ms
        self.done(Tick())

    # --- the world of its sandbox ------------------------------------------------------------

    async def create_user(self) -> int:
        return self.done(AddUser()).id

    async def deposit(self, user: int, coin: int, units: int) -> Reply:
        return self.apply(account_id(user, SLOT_SPOT), Deposit(coin, units))

    def clock(self) -> "StandingClock":
        return StandingClock(self.now_ms, self.mode, self.speed_e6)

    async def set_clock(self, mode: str, speed_e6: int) -> "StandingClock":
        self.mode, self.speed_e6 = mode, speed_e6
        return self.clock()

    async def advance_by(self, ms: int) -> "StandingClock":
        if ms > 10**11:
            raise WorldRefused("So far ahead nobody looks.")
        return await self.advance_to(self.now_ms + ms)

    async def advance_to(self, to_ms: int) -> "StandingClock":
        if to_ms < self.now_ms:
            raise WorldRefused(f"It is {self.now_ms} already.")
        self.move_to(to_ms)
        return self.clock()

    async def set_index_price(self, coin: int, price_e12: int) -> Reply:
        return self.apply(VENUE, SetIndexPrices([finished_price(coin, price_e12)]))

    async def set_rate(self, coin: int, rate_e12: int) -> Reply:
        return self.apply(VENUE, SetRate(coin, rate_e12))

    async def operate(self, command: Command) -> Reply:
        return self.apply(VENUE, command)

    async def state_hash(self) -> str:
        return self.engine.state_hash()

    def close(self) -> None:
        """Let go of files and threads."""
        self.context.close()
        self.reader.close()
        self.projector.close()
        self.directory.close()
        assert [] == self.failures


class StandingClock(msgspec.Struct, frozen=True):
    """What `GET clock` shows."""

    now_ms: int
    mode: str
    speed_e6: int = SPEED_ONE_E6


@cache
def venue_lines() -> tuple[str, ...]:
    """Make the sandbox's venue with index prices once; every house starts from its snapshot."""
    engine = Engine()
    rows = [
        finished_price(queries_index(name), parse_units(price, 12))
        for name, price in PRICES.items()
    ]
    commands = [*genesis(read(example())), SetIndexPrices(rows)]
    for seq, command in enumerate(commands, 1):
        reply, _ = engine.apply(Envelope(seq, START_MS, b"", VENUE, command))
        assert reply.refusal is None, reply.detail
    return tuple(engine.snapshot_lines())


def queries_index(name: str) -> int:
    """Return a coin's index in the catalogue."""
    return [coin.name for coin in read(example()).coins].index(name)


class Client:
    """Signs and sends as the holder of one key does."""

    def __init__(
        self, http: httpx.AsyncClient, user: int, key: str, secret: str, passphrase: str
    ) -> None:
        self.http = http
        self.user = user
        self.key = key
        self.secret = secret
        self.passphrase = passphrase
        self._keyed = keyed_with(secret.encode())
        self._timestamp = MACHINE_MS

    def headers(self, method: str, target: str, body: bytes, timestamp: int = 0) -> dict[str, str]:
        """Sign a request; each gets a time of its own, so that no two are alike."""
        self._timestamp -= 1
        stamp = str(timestamp or self._timestamp)
        message = stamp.encode() + method.encode() + target.encode() + body
        return {
            "ACCESS-KEY": self.key,
            "ACCESS-SIGN": sign(self._keyed, message).decode(),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": self.passphrase,
            "Content-Type": "application/json",
        }

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        """Send a signed GET."""
        target = f"{path}?{urlencode(query)}" if query else path
        return await self.http.get(target, headers=self.headers("GET", target, b""))

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Send a signed POST."""
        content = json.dumps(body).encode()
        headers = self.headers("POST", path, content)
        return await self.http.post(path, content=content, headers=headers)

    async def read(self, path: str, **query: str | int) -> Any:
        """Return the `data` of a GET that has to succeed."""
        return data_of(await self.get(path, **query))

    async def done(self, path: str, **body: Any) -> Any:
        """Return the `data` of a POST that has to succeed."""
        return data_of(await self.post(path, **body))

    async def refused(self, path: str, **body: Any) -> tuple[str, str]:
        """Return code and sentence of a POST that has to fail."""
        return fault_in(await self.post(path, **body))


class Street:
    """A house, its application, and whoever comes along."""

    def __init__(self, house: House, app: Gateway, http: httpx.AsyncClient) -> None:
        self.house = house
        self.app = app
        self.http = http

    async def client(
        self,
        permissions: Permission = ALL_PERMISSIONS,
        user: int = 0,
        funds: dict[str, str] | None = None,
        **more: str,
    ) -> Client:
        """Admit a user with funds in the spot account; `user` makes another key for one."""
        user = user or await self.house.create_user()
        for coin, amount in {**(funds or {}), **more}.items():
            deposit = Deposit(self.house.coin(coin), parse_units(amount, 8))
            self.house.done(deposit, account_id(user, SLOT_SPOT))
        key = await self.house.directory.create_key(user, permissions)
        return Client(self.http, user, key.key, key.secret, key.passphrase)


@asynccontextmanager
async def street(
    path: Path,
    limits: RateLimits | None = None,
    sandbox: bool = True,
    token: str = "",
    rules: Rules | None = None,
) -> AsyncIterator[Street]:
    """Open a house with an application in front of it."""
    engine = Engine.restore(venue_lines())
    house = House(engine, path, limits, rules)
    app = build_app(house.context, house if sandbox else None, token)
    transport = HeldTransport(httpx.ASGITransport(app=app))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
            yield Street(house, app, http)
    finally:
        house.close()


class OpenStreet:
    """A street that several tests share; each brings its own users and leaves the rest alone."""

    def __init__(self, path: Path) -> None:
        self._runner = asyncio.Runner()
        self._opened = street(path)
        self._place = self._runner.run(self._opened.__aenter__())

    def run(self, test: Callable[[Street], Awaitable[None]]) -> None:
        """Run a test's coroutine in it."""

        async def limited() -> None:
            await asyncio.wait_for(test(self._place), 60)

        self._runner.run(limited())

    def close(self) -> None:
        """Close it."""
        self._runner.run(self._opened.__aexit__(None, None, None))
        self._runner.close()


def data_of(response: httpx.Response) -> Any:
    """Return the `data` of a success, having looked at the envelope around it."""
    body = response.json()
    assert (200, "00000", "success") == (response.status_code, body["code"], body["msg"]), body
    assert ["code", "data", "msg", "requestTime"] == sorted(body)
    assert MACHINE_MS == body["requestTime"]
    assert not list(numbers_in(body["data"])), "numbers travel as strings"
    return body["data"]


def numbers_in(data: Any) -> Iterator[Any]:
    """Find the numbers in a tree that are not strings."""
    if isinstance(data, dict):
        # sic: the one number of the dialect that is not a string
        data = [value for name, value in data.items() if name != "parentId"]
    if isinstance(data, list):
        for part in data:
            yield from numbers_in(part)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield data


def fault_in(response: httpx.Response) -> tuple[str, str]:
    """Return the code and sentence of a failure, having looked at the envelope around it."""
    body = response.json()
    assert response.status_code >= 400, body
    assert "application/json" == response.headers["content-type"]
    assert ["code", "data", "msg", "requestTime"] == sorted(body)
    assert isinstance(body["requestTime"], int)
    assert body["data"] is None
    assert body["code"] != "00000"
    assert body["msg"]
    return body["code"], body["msg"]


def elapsed(work: Callable[[], object]) -> float:
    """Measure a call, in seconds."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
