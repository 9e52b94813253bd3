"""The listener: requests as clients send them, well and badly, over real sockets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from lombard.web import Listener, limits

Message = Any
# Nobody waits here as long as people do.
QUICK = limits.Times(head_s=0.2, body_s=0.2, idle_s=0.4, stalled_s=0.4, linger_s=0.1, sweep_s=0.02)
PATIENCE_S = 20.0


class Echo:
    """An application that answers with what it was asked; `/wait` until it is let go."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, bytes]] = []
        self.let_go = asyncio.Event()
        self.done = 0

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        path = scope["raw_path"]
        body = b""
        if path == b"/fails":
            raise RuntimeError("as asked")
        if path != b"/early":
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.seen.append(("lost", path, body))
                    body = b"lost"
                    break
                body += message["body"]
                if not message["more_body"]:
                    break
        if path == b"/wait":
            await self.let_go.wait()
        self.seen.append((scope["method"], path, body))
        self.done += 1
        answer = b"%b %b?%b %b" % (scope["method"].encode(), path, scope["query_string"], body)
        if path == b"/large":
            answer = bytes(20_000_000)
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer}
        )


@asynccontextmanager
async def served(
    times: limits.Times | None = None,
) -> AsyncIterator[tuple[Echo, Listener, int]]:
    app = Echo()
    listener = Listener(app, times)
    port = await listener.start("127.0.0.1", 0)
    try:
        yield app, listener, port
    finally:
        app.let_go.set()
        assert await listener.stop(PATIENCE_S)


async def said(port: int, *parts: bytes, ends: bool = True) -> bytes:
    """Send parts, one after the other, and return all that is answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if ends:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request(path: str, body: bytes = b"", method: str = "POST", extra: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\n{length}{extra}\r\n".encode() + body


def run(main: Awaitable[None]) -> None:
    async def guarded() -> None:
        await asyncio.wait_for(main, 2 * PATIENCE_S)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(guarded())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.005)


def statuses(answers: bytes) -> list[int]:
    return [int(part[1:4]) for part in answers.split(b"HTTP/1.1")[1:]]


def test_a_request_is_answered_and_its_connection_kept() -> None:
    async def main() -> None:
        async with served() as (_, _, port):
            first, second = request("/a?b=c", b"xyz"), request("/d", method="GET")
            answers = await said(port, first, second)
            head, _, rest = answers.partition(b"\r\n\r\n")
            assert b"\r\ndate: " in head
            assert b"connection" not in head
            assert rest.startswith(b"POST /a?b=c xyzHTTP/1.1 200 OK\r\n")
            assert answers.endswith(b"GET /d? ")

    run(main())


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_requests_are_the_same_however_they_are_cut(size: int) -> None:
    stream = request("/a", b"one") + request("/b", method="GET")
    stream += b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    stream += b"3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n" + request("/d", b"four")

    async def main() -> None:
        async with served() as (app, _, port):
            parts = [stream[at : at + size] for at in range(0, len(stream), size)]
            assert [200] * 4 == statuses(await said(port, *parts))
            assert [
                ("POST", b"/a", b"one"),
                ("GET", b"/b", b""),
                ("POST", b"/c", b"twothree"),
                ("POST", b"/d", b"four"),
            ] == app.seen

    run(main())


def test_answers_come_in_the_order_of_the_requests() -> None:
    async def main() -> None:
        async with served() as (app, _, port):
            answering = asyncio.create_task(
                said(port, request("/wait", b"1") + request("/b", b"2") + request("/c", b"3"))
            )
            await asyncio.sleep(0.05)
            assert [] == app.seen
            app.let_go.set()
            answers = await answering
            assert [200, 200, 200] == statuses(answers)
            assert answers.index(b"/wait") < answers.index(b"/b?") < answers.index(b"/c?")

    run(main())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x, chunked, y\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 200_000, 431),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_and_ends_the_connection(sent: bytes, status: int) -> None:
    async def main() -> None:
        async with served() as (app, _, port):
            answers = await said(port, sent, ends=False)
            # A body may have been refused while it was on its way: the answer is then lost to some.
            assert [status] == statuses(answers)
            assert b"connection: close" in answers
            assert [] == app.seen

    run(main())


def test_nothing_is_smuggled_behind_a_request_that_is_refused() -> None:
    """What follows a broken request is never taken for another one."""

    async def main() -> None:
        async with served() as (app, _, port):
            broken = (
                b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked"
                b"\r\n\r\n0\r\n\r\n"
            )
            await said(port, broken + request("/smuggled", b"x"), ends=False)
            await said(port, broken, request("/smuggled", b"x"), ends=False)
            assert [] == app.seen

    run(main())


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_noise_stops_nobody(parts: list[bytes]) -> None:
    async def main() -> None:
        async with served() as (_, _, port):
            await said(port, *parts)
            assert [200] == statuses(await said(port, request("/after", b"x")))

    run(main())


def test_who_is_slow_to_ask_is_not_waited_for() -> None:
    async def main() -> None:
        async with served(QUICK) as (app, listener, port):
            assert [408] == statuses(await said(port, b"GET / HT", ends=False))
            assert b"" == await said(port, ends=False)
            # A body that stops arriving.
            half = b"POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"
            answers = await said(port, half, ends=False)
            assert [200] == statuses(answers)
            assert b"connection: close" in answers
            assert ("lost", b"/half", b"abc") in app.seen
            await until(lambda: not listener._house.connections)

    run(main())


def test_who_does_not_read_is_cut_off() -> None:
    async def main() -> None:
        async with served(QUICK) as (_, listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/large", b"x"))
            await until(lambda: bool(listener._house.connections))
            await until(lambda: not listener._house.connections)
            writer.close()

    run(main())


def test_who_sends_too_much_ahead_is_not_read_on() -> None:
    """Behind a request that takes its time, only so much is taken in."""

    async def main() -> None:
        async with served() as (app, listener, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/wait", b"x") + request("/behind", b"y"))
            await until(lambda: any(each._waiting for each in listener._house.connections))
            (connection,) = listener._house.connections
            for _ in range(100):
                writer.write(request("/more", bytes(60_000)))
            await asyncio.sleep(0.1)
            assert 1 == len(connection._waiting)
            assert not connection._is_reading
            # Nor are answers made for who does not read them.
            app.let_go.set()
            await until(lambda: not connection._can_write)
            assert app.done < 102
            reading = asyncio.create_task(reader.read())
            await until(lambda: app.done == 102)
            writer.write_eof()
            assert [200] * 102 == statuses(await reading)
            writer.close()

    run(main())


def test_a_large_body_is_not_held_before_it_is_asked_for() -> None:
    async def main() -> None:
        async with served() as (_, listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/wait", b"x"))
            await until(lambda: bool(listener._house.connections))
            writer.write(request("/huge", bytes(5_000_000)))
            await asyncio.sleep(0.1)
            (connection,) = listener._house.connections
            held = sum(len(part) for each in connection._waiting for part in each.parts)
            assert held <= 512 * 1024
            writer.close()

    run(main())


def test_an_answer_before_the_end_of_its_request_reaches_who_is_still_sending() -> None:
    async def main() -> None:
        async with served() as (app, _, port):
            head = b"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n"
            answers = await said(port, head, bytes(1_000_000), ends=False)
            assert [200] == statuses(answers)
            assert b"connection: close" in answers
            assert [("POST", b"/early", b"")] == app.seen

    run(main())


def test_a_request_is_carried_out_though_its_client_has_gone() -> None:
    async def main() -> None:
        async with served() as (app, listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/wait", b"x"))
            await until(lambda: bool(listener._house.connections))
            await asyncio.sleep(0.05)
            # Not an end of what it has to say, but of listening, too.
            never = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, never)
            writer.transport.abort()
            await until(lambda: not listener._house.connections)
            app.let_go.set()
            await until(lambda: ("POST", b"/wait", b"x") in app.seen)

    run(main())


def test_a_fault_of_the_application_is_answered() -> None:
    async def main() -> None:
        async with served() as (_, _, port):
            assert [500, 200] == statuses(await said(port, request("/fails") + request("/b")))

    run(main())


def test_old_and_particular_clients() -> None:
    async def main() -> None:
        async with served() as (_, _, port):
            old = await said(port, b"GET /old HTTP/1.0\r\n\r\n", ends=False)
            assert old.endswith(b"GET /old? ")
            assert b"connection: close" in old
            kept = b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
            assert b"connection: keep-alive" in await said(port, kept)
            closing = request("/c", method="GET", extra="Connection: close\r\n")
            assert b"connection: close" in await said(port, closing, ends=False)
            # To HTTP/2 over clear text, as some clients ask first of all.
            extra = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
            upgrade = request("/u?v=w", b"body", extra=extra)
            for each in (upgrade, upgrade[:30], upgrade[:-2]):
                rest = upgrade[len(each) :] + request("/v", b"next")
                answers = await said(port, each, rest)
                assert [200, 200] == statuses(answers)
                assert b"POST /u?v=w body" in answers
                assert answers.endswith(b"POST /v? next")
            head = await said(port, request("/h", method="HEAD"))
            assert head.endswith(b"\r\n\r\n")

    run(main())


def test_who_asks_whether_to_go_on_is_told() -> None:
    async def main() -> None:
        async with served() as (app, _, port):
            asking = request("/e", b"xy", extra="Expect: 100-continue\r\n")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(asking[:-2])
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == await reader.readuntil(b"\r\n\r\n")
            writer.write(asking[-2:])
            writer.write_eof()
            assert [200] == statuses(await reader.read())
            assert [("POST", b"/e", b"xy")] == app.seen
            writer.close()

    run(main())


def test_a_stop_answers_what_is_under_way_and_takes_nothing_more() -> None:
    async def main() -> None:
        async with served() as (app, listener, port):
            idle_reader, idle = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/wait", b"x") + request("/never", b"y"))
            await until(lambda: any(each._current for each in listener._house.connections))
            assert not await listener.stop(0.05)
            assert b"" == await idle_reader.read()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            app.let_go.set()
            answers = await reader.read()
            assert [200] == statuses(answers)
            assert b"connection: close" in answers
            assert [("POST", b"/wait", b"x")] == app.seen
            assert await listener.stop(PATIENCE_S)
            writer.close()
            idle.close()

    run(main())


def test_connections_beyond_the_most_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with served() as (_, listener, port):
            monkeypatch.setattr(limits, "CONNECTIONS_MAX", 1)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await until(lambda: len(listener._house.connections) == 1)
            assert b"" == await said(port, request("/b"), ends=False)
            writer.close()
            await until(lambda: not listener._house.connections)
            assert [200] == statuses(await said(port, request("/b")))

    run(main())


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_connection_of_another_kind_is_handed_over_whole(size: int) -> None:
    async def main() -> None:
        async with served() as (app, listener, port):
            taken: list[bytes] = []

            class Other(asyncio.Protocol):
                def data_received(self, data: bytes) -> None:
                    taken.append(data)

            def take(transport: asyncio.Transport, data: bytes) -> None:
                other = Other()
                transport.set_protocol(other)
                other.connection_made(transport)
                other.data_received(data)

            listener.hand_over(b"GET /v2/ws", take)
            stream = b"GET /v2/ws/public HTTP/1.1\r\n\r\nanything"
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            # By a connection that was HTTP's before, too, and not what only begins like it.
            writer.write(request("/v2/wsx", method="PUT"))
            await until(lambda: len(app.seen) == 1)
            writer.write(b"GET /v2/wide HTTP/1.1\r\nHost: h\r\n\r\n")
            await until(lambda: len(app.seen) == 2)
            for at in range(0, len(stream), size):
                writer.write(stream[at : at + size])
                await writer.drain()
                await asyncio.sleep(0.001)
            await until(lambda: b"".join(taken) == stream)
            assert 2 == len(app.seen)
            assert not listener._house.connections
            writer.close()

    run(main())
