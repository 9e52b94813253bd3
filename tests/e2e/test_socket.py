"""The WebSocket's connections: what they bound, and that nobody waits for who does not read.

The venue is in this process and the sockets are real, so that what is kept for a client can be
looked at; the long form has its clients in a process of their own, and a real sandbox.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lombard.api.ratelimit import RateLimits
from lombard.api.socket import limits
from lombard.api.socket.connection import TOO_SLOW
from lombard.api.socket.limits import Limits
from lombard.api.socket.server import REQUEST_PREFIX, SocketServer
from lombard.web import Listener
from tests.api.house import Street, run, street
from tests.api.talking import arg, sign_login
from tests.e2e.sandbox import Sandbox

PLACE = "/api/v2/spot/trade/place-order"
LIMIT = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc"}
# Nobody waits here as long as people do; what is waited for comes when it comes.
QUICK = Limits(handshake_s=0.5, idle_s=0.5, stalled_s=0.5, parting_s=0.2, sweep_s=0.05)
SLOW_SOCKETS = 2_000


@asynccontextmanager
async def served(
    path: Path, figures: Limits, rate_limits: RateLimits | None = None
) -> AsyncIterator[tuple[Street, SocketServer, str]]:
    """Serve a venue; also gives the address of its WebSocket."""
    async with street(path, rate_limits) as place:
        server = SocketServer(place.house.context, figures)
        place.house.listeners.append(server.hub.heard)
        server.begin()
        listener = Listener(place.app)
        listener.hand_over(REQUEST_PREFIX, server.take_over)
        port = await listener.start("127.0.0.1", 0)
        try:
            yield place, server, f"ws://127.0.0.1:{port}/v2/ws"
        finally:
            await server.stop()
            assert await listener.stop(10)


async def ended(client: ClientConnection) -> tuple[int, str]:
    """Read until the venue closes, and return the code and reason it gave."""
    try:
        while True:
            await client.recv()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (0, "")


async def until(holds: Callable[..., bool]) -> None:
    """Wait until something holds."""
    while not holds():
        await asyncio.sleep(0.01)


def test_a_conversation(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, Limits()) as (place, server, url):
            user = await place.client(USDT="100000")
            async with connect(f"{url}/private?x=1") as client:
                await client.send("ping")
                assert "pong" == await client.recv()
                stamp = "1750000000"
                login = {"apiKey": user.key, "passphrase": user.passphrase, "timestamp": stamp}
                login["sign"] = sign_login(user.secret, stamp)
                await client.send(json.dumps({"op": "login", "args": [login]}))
                assert "login" == json.loads(await client.recv())["event"]
                order = {
                    "id": "1",
                    "instType": "SPOT",
                    "channel": "place-order",
                    "instId": "BTCUSDT",
                    "params": {
                        "side": "buy",
                        "orderType": "limit",
                        "force": "gtc",
                        "price": "19000",
                        "size": "0.01",
                    },
                }
                # In two fragments: a message is a message.
                text = json.dumps({"op": "trade", "args": [order]})
                await client.send([text[:20], text[20:]])
                assert 0 == json.loads(await client.recv())["code"]
            await until(lambda: not server.house.connections)

    run(main())


@pytest.mark.parametrize("path", ["/", "/v2/ws", "/v2/ws/publicly", "/v3/ws/public"])
def test_other_addresses_do_not_exist(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with served(tmp_path, Limits()) as (_, _, url):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url.removesuffix("/v2/ws") + path):
                    pass
            assert 404 == refused.value.response.status_code

    run(main())


def test_what_is_too_long_or_no_text_ends_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, Limits()) as (_, server, url):
            async with connect(f"{url}/public") as client:
                await client.send(b"ping")
                assert (1003, "text only") == await ended(client)
            async with connect(f"{url}/public") as client:
                await client.send("x" * (limits.MESSAGE_BYTES_MAX + 1))
                code, _ = await ended(client)
                assert 1009 == code
            async with connect(f"{url}/public") as client:
                # Nor in pieces.
                piece = "x" * (limits.MESSAGE_BYTES_MAX // 2)
                await client.send([piece, piece, "x"])
                code, _ = await ended(client)
                assert 1009 == code
            await until(lambda: not server.house.connections)

    run(main())


def test_who_says_nothing_is_disconnected(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, QUICK) as (_, server, url):
            async with connect(f"{url}/public", ping_interval=None) as client:
                code, reason = await ended(client)
                assert (1008, True) == (code, reason.startswith("no ping for"))
            # Nor is a connection kept that never says all it wants.
            _, writer = await asyncio.open_connection(*_place_of(url))
            writer.write(b"GET /v2/ws/public HTTP/1.1\r\n")
            await until(lambda: len(server.house.connections) == 1)
            await until(lambda: not server.house.connections)
            writer.close()

    run(main())


def test_a_ping_of_either_kind_keeps_a_connection(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            served(tmp_path, Limits()) as (_, server, url),
            connect(f"{url}/public", ping_interval=None) as client,
        ):
            (connection,) = server.house.connections
            session, idle_s = connection._session, server.house.figures.idle_s
            for ping in (lambda: client.send("ping"), client.ping):
                session.pinged_s -= 1000
                before_s = session.pinged_s
                await ping()
                await until(lambda before_s=before_s: session.pinged_s > before_s)
            assert "pong" == await client.recv()
            # Anything else does not: the venue asks for pings.
            before_s = session.pinged_s
            await client.send("{}")
            assert "error" == json.loads(await client.recv())["event"]
            assert before_s == session.pinged_s
            connection.sweep(before_s + idle_s - 1)
            assert not connection._leaving
            connection.sweep(before_s + idle_s + 1)
            assert (1008, "no ping for 120 s") == await ended(client)

    run(main())


def test_a_key_that_is_taken_back_ends_its_connections(tmp_path: Path) -> None:
    async def main() -> None:
        figures = QUICK._replace(idle_s=600.0)
        async with served(tmp_path, figures) as (place, _, url):
            user = await place.client()
            async with connect(f"{url}/private") as client:
                stamp = "1750000000"
                login = {"apiKey": user.key, "passphrase": user.passphrase, "timestamp": stamp}
                login["sign"] = sign_login(user.secret, stamp)
                await client.send(json.dumps({"op": "login", "args": [login]}))
                assert "login" == json.loads(await client.recv())["event"]
                del place.house.directory._keys[user.key]
                assert (1008, "the key was revoked") == await ended(client)

    run(main())


def test_a_stop_says_goodbye(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, Limits()) as (_, server, url):
            async with connect(f"{url}/public") as client:
                await asyncio.gather(server.stop(), _says(client, 1001, "the venue is stopping"))
            assert b"" == await _first_words_to(url)

    run(main())


async def _says(client: ClientConnection, code: int, reason: str) -> None:
    assert (code, reason) == await ended(client)


def test_too_many_messages_and_connections_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_PER_ADDRESS", 3)

    async def main() -> None:
        async with served(tmp_path, Limits(), RateLimits()) as (_, server, url):
            async with connect(f"{url}/public") as client:
                for _ in range(100):
                    await client.send("ping")
                code, reason = await ended(client)
                assert (1008, "request over limit, connection close") == (code, reason)
            await until(lambda: not server.house.connections)
            there = [await connect(f"{url}/public") for _ in range(3)]
            assert b"" == await _first_words_to(url)
            assert 3 == len(server.house.connections)
            await there[0].close()
            await until(lambda: len(server.house.connections) == 2)
            async with connect(f"{url}/public") as client:
                await client.send("ping")
                assert "pong" == await client.recv()
            for client in there:
                await client.close()

    run(main())


async def _first_words_to(url: str) -> bytes:
    """Connect, and read until the end; a reset is one."""
    reader, writer = await asyncio.open_connection(*_place_of(url))
    writer.write(b"GET /v2/ws/public HTTP/1.1\r\n")
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def _place_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
    return host, int(port)


async def deaf(url: str, *args: dict[str, str]) -> socket.socket:
    """Connect and subscribe as somebody who never reads."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(listener, _place_of(url))
    await loop.sock_sendall(
        listener,
        b"GET /v2/ws/public HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    text = json.dumps({"op": "subscribe", "args": args}).encode()
    assert 126 <= len(text) < 65_536
    mask = bytes(4)
    await loop.sock_sendall(listener, b"\x81\xfe" + len(text).to_bytes(2, "big") + mask + text)
    return listener


def test_who_does_not_read_is_dropped_and_delays_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By too much that waits: what is kept stays bounded until then, and is let go."""
    # The kernel takes some of it, and its least is a few kilobytes.
    monkeypatch.setattr(limits, "KERNEL_BYTES", 4096)
    monkeypatch.setattr(limits, "QUEUE_BYTES_MAX", 64 * 1024)
    figures = Limits(stalled_s=600.0, parting_s=0.2, sweep_s=0.05)

    async def main() -> None:
        async with served(tmp_path, figures) as (place, server, url):
            user = await place.client(USDT="1000000000", BTC="100000")
            names = ("books", "books1", "books5", "books15", "trade")
            slow = await deaf(url, *(arg("SPOT", name) for name in names))
            async with connect(f"{url}/public", max_queue=None) as good:
                await good.send(json.dumps({"op": "subscribe", "args": [arg("SPOT", "trade")]}))
                await until(lambda: any(t.subscribers for t in server.hub._topics.values()))
                await until(
                    lambda: sum(len(t.subscribers) for t in server.hub._topics.values()) == 6
                )
                trades, most = 0, 0
                while server.house.dropped_slow == 0:
                    for _ in range(50):
                        for side in ("buy", "sell"):
                            body = {"side": side, "price": "20000", "size": "0.01"}
                            await user.done(PLACE, **body, **LIMIT)
                        trades += 1
                        await asyncio.sleep(0)
                    for connection in list(server.house.connections):
                        size = connection._transport.get_write_buffer_size()
                        most = max(most, size)
                    assert trades < 12_000
                assert 0 < most <= limits.QUEUE_BYTES_MAX + 1024
                await until(lambda: len(server.house.connections) == 1)

                # The other has missed nothing, in its order.
                rows: list[Any] = []
                while len(rows) < trades:
                    push = json.loads(await good.recv())
                    rows += push.get("data", [])[::-1]
                ids = [int(row["tradeId"]) for row in rows]
                assert sorted(set(ids)) == ids
            slow.close()

    run(main(), 110)


def test_who_reads_too_late_is_told_why(tmp_path: Path) -> None:
    """By a backlog that does not become less: with a goodbye for who reads after all."""
    figures = Limits(stalled_s=0.3, parting_s=60.0, sweep_s=0.05)

    async def main() -> None:
        async with served(tmp_path, figures) as (place, server, url):
            user = await place.client(USDT="1000000000")
            for step in range(190):
                body = {"side": "buy", "price": str(19000 + step), "size": "0.01"}
                await user.done(PLACE, **body, **LIMIT)
            slow = await deaf(url, *[arg("SPOT", "books")] * 60)
            await until(lambda: server.house.dropped_slow == 1)
            (connection,) = server.house.connections
            assert 0 < connection._transport.get_write_buffer_size() < limits.QUEUE_BYTES_MAX

            loop, seen = asyncio.get_running_loop(), b""
            while b"\x88" + bytes([2 + len(TOO_SLOW)]) + (1008).to_bytes(2, "big") not in seen:
                part = await loop.sock_recv(slow, 1 << 16)
                assert part, "the connection ended without a word"
                seen = (seen + part)[-(1 << 17) :]
            assert seen.endswith(TOO_SLOW.encode())
            slow.close()

    run(main(), 110)


LONG = """
import asyncio, sys
sys.path.insert(0, sys.argv[3])
from tests.e2e.test_socket import arg, deaf

async def main():
    names = ("books", "books1", "books15", "trade", "ticker", "candle1m")
    args = [arg("SPOT", name) for name in names]
    there = [await deaf(sys.argv[1], *args) for _ in range(int(sys.argv[2]))]
    print("connected", len(there), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_thousand_who_do_not_read_delay_nobody() -> None:
    """The long form: the deaf are in another process, the venue is a real sandbox."""

    def memory_kb(process: int) -> int:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    async def main(sandbox: Sandbox) -> None:
        user = sandbox.user()
        user.deposit("USDT", "1000000000")
        user.deposit("BTC", "100000")
        before_kb = memory_kb(sandbox.process.pid)
        root = str(Path(__file__).parents[2])
        command = [sys.executable, "-c", LONG, sandbox.socket_address, str(SLOW_SOCKETS), root]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as deaf_process:
            assert deaf_process.stdout is not None
            said = await asyncio.to_thread(deaf_process.stdout.readline)
            assert f"connected {SLOW_SOCKETS}" == said.strip()
            async with connect(f"{sandbox.socket_address}/public", max_queue=None) as good:
                await good.send(json.dumps({"op": "subscribe", "args": [arg("SPOT", "trade")]}))
                waits: list[float] = []
                most_kb = 0
                for _ in range(300):
                    began = time.monotonic()
                    for side in ("buy", "sell"):
                        body = {"side": side, "price": "20000", "size": "0.01"}
                        await asyncio.to_thread(user.post, PLACE, **body, **LIMIT)
                    while not json.loads(await good.recv()).get("data"):
                        pass
                    waits.append(time.monotonic() - began)
                    most_kb = max(most_kb, memory_kb(sandbox.process.pid))
            deaf_process.kill()
        waits.sort()
        print(f"memory {before_kb} kB, at most {most_kb} kB; a trade to its push, median ", end="")
        print(f"{waits[len(waits) // 2] * 1000:.1f} ms, worst {waits[-1] * 1000:.1f} ms")
        # Far less than what 2,000 queues would hold if they were full.
        assert most_kb - before_kb < SLOW_SOCKETS * limits.QUEUE_BYTES_MAX // 1024 // 4

    with Sandbox("--market", "none") as sandbox:
        sandbox.call("index-prices", {"coin": "BTC", "price": "20000"})
        asyncio.run(main(sandbox))
        assert 0 == sandbox.stop()
