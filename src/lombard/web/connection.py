"""A connection: bytes of a client, cut into requests by llhttp, and their answers in their order.

One request at a time is with the application; while another waits behind it, nothing more is read.
A request that cannot be understood ends the connection, since nobody knows where the next one would
begin.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Final, cast, final

import httptools
import structlog

from lombard.web import limits
from lombard.web.request import STATUS, App, Header, Request, Scope

_LOG: Final = structlog.get_logger("lombard.web")


class House:
    """What the connections of one listener share.

    A connection whose next bytes begin with `socket_prefix` is handed to `take_over`, together with
    them: it is not HTTP any more.
    """

    def __init__(self, app: App, times: limits.Times) -> None:
        self.app: Final = app
        self.times: Final = times
        self.connections: Final[dict[Connection, None]] = {}
        self.is_closing = False
        self.socket_prefix = b""
        self.take_over: Callable[[asyncio.Transport, bytes], None] | None = None
        self.date = b""
        self.tell_time()

    def tell_time(self) -> None:
        """Write the date anew, as it stands on answers."""
        self.date = b"date: %s\r\n" % formatdate(usegmt=True).encode()


@final
class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._client: tuple[str, int] | None = None
        # The head that is arriving.
        self._in_head = False
        self._head_bytes = 0
        self._target = b""
        self._headers: list[Header] = []
        self._expects_go_on = False
        # The request whose body is arriving, the one that is answered, and those behind it.
        self._arriving: Request | None = None
        self._current: Request | None = None
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._held = b""
        self._is_reading = True
        self._can_write = True
        self._has_ended = False
        self._is_leaving = False
        self._is_lost = False
        # Since when: what is waited for, and how much was unread.
        self._since_s = self._arriving_since_s = self._loop.time()
        self._unread = 0

    # --- asyncio ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client = (str(peer[0]), int(peer[1])) if peer else None
        if self._house.is_closing or len(self._house.connections) >= limits.CONNECTIONS_MAX:
            self._is_lost = True
            self._transport.abort()
            return
        self._house.connections[self] = None

    def data_received(self, data: bytes) -> None:
        """Take in what the client has sent."""
        if self._is_leaving or self._is_lost:
            return
        if self._current is None and not self._in_head:
            self._since_s = self._loop.time()
            if self._house.take_over is not None and self._is_for_socket(data):
                return
            data, self._held = self._held + data, b""
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(400)
            return
        if self._in_head and self._head_bytes > limits.HEAD_BYTES_MAX:
            self._refuse(431)
            return
        self._go_on()

    def eof_received(self) -> bool:
        """Take in that the client has nothing more to say: what it has said is still answered."""
        self._has_ended = True
        self._lose()
        return self._current is not None and not self._is_lost

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the client. A request under way is carried out all the same."""
        self._is_lost = True
        self._house.connections.pop(self, None)
        self._waiting.clear()
        self._lose()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self._can_write = False

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._can_write = True
        self._go_on()

    # --- llhttp -----------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        self._head_bytes = 0
        self._target = b""
        self._headers = []
        self._expects_go_on = False

    def on_url(self, part: bytes) -> None:
        """Take in a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_go_on = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Make a request of the head."""
        self._in_head = False
        parser = self._parser
        path, _, query = self._target.partition(b"?")
        scope = {
            "type": "http",
            "http_version": parser.get_http_version(),
            "method": parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
            "client": self._client,
        }
        is_kept = parser.should_keep_alive()
        self._arriving = Request(scope, self, is_kept, self._expects_go_on)
        self._arriving_since_s = self._loop.time()
        self._waiting.append(self._arriving)

    def on_body(self, part: bytes) -> None:
        """Take in a part of a body."""
        assert self._arriving is not None
        self._arriving.parts.append(part)

    def on_message_complete(self) -> None:
        """Note that a request has arrived."""
        assert self._arriving is not None
        self._arriving.is_whole = True
        self._arriving.wake()
        self._arriving = None

    # --- what requests ask ------------------------------------------------------------------------

    def taken(self) -> None:
        """Read on, if what had arrived was too much before."""
        self._read_on()

    def write(self, data: bytes) -> None:
        """Send bytes, to whoever is still there."""
        if not self._is_lost:
            self._transport.write(data)

    def own_headers(self, request: Request) -> bytes:
        """Write the headers that are the connection's own: when it is, and whether it stays."""
        date = self._house.date
        if self._ends_with(request):
            return date + b"connection: close\r\n"
        return date + b"connection: keep-alive\r\n" if _is_old(request) else date

    # --- from time to time ------------------------------------------------------------------------

    def sweep(self, now_s: float) -> None:
        """End a connection that is of no more use."""
        times = self._house.times
        unread = self._transport.get_write_buffer_size()
        if unread and unread != self._unread:
            self._since_s = now_s
        self._unread = unread
        waited_s = now_s - self._since_s
        if self._is_leaving:
            limit_s = times.stalled_s if unread else times.linger_s
        elif unread:
            limit_s = times.stalled_s
        elif self._current is not None:
            if self._is_reading and now_s - self._arriving_since_s > times.body_s:
                self._lose()
            return
        else:
            limit_s = times.head_s if self._in_head or self._held else times.idle_s
        if waited_s <= limit_s:
            return
        if self._in_head and not self._is_leaving:
            self._refuse(408)
        else:
            self.cut()

    def leave(self) -> None:
        """Take no more requests; end when the one under way is answered."""
        if self._current is None and not self._is_leaving:
            self._transport.close()

    def cut(self) -> None:
        """End at once."""
        self._is_lost = True
        self._transport.abort()

    # --- inside -----------------------------------------------------------------------------------

    def _is_for_socket(self, data: bytes) -> bool:
        """Hand the connection over if it is the WebSocket's; hold back what could become one's."""
        prefix, data = self._house.socket_prefix, self._held + data
        if not prefix.startswith(data[: len(prefix)]):
            return False
        if len(data) < len(prefix):
            self._held = data
            return True
        assert self._house.take_over is not None
        self._house.connections.pop(self, None)
        self._house.take_over(self._transport, data)
        return True

    def _feed(self, data: bytes) -> None:
        """Parse. Nothing else than HTTP/1.1 is spoken here: who asks for it is answered in that."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Parsing ends after such a head: the same one without the wish goes on from there.
            head = _without_upgrade(self._waiting.pop().scope)
            self._parser = httptools.HttpRequestParser(self)
            self._feed(head + data[upgrade.args[0] :])

    def _go_on(self) -> None:
        """Give the next request to the application, if it is its turn."""
        if self._waiting and self._current is None and self._can_write and not self._is_lost:
            request = self._waiting.popleft()
            fault = _fault_of(request)
            if fault:
                self._refuse(fault)
                return
            self._current = request
            self._task = self._loop.create_task(self._answer(request))
        if len(self._waiting) > limits.PIPELINED_MAX:
            self._refuse(400)
        else:
            self._read_on()

    def _read_on(self) -> None:
        """Read on, or no further for now: nothing is read behind what waits already."""
        arriving, has_enough = self._arriving, bool(self._waiting)
        if arriving is not None and not has_enough:
            has_enough = sum(map(len, arriving.parts)) > limits.UNREAD_BYTES_MAX
        if self._is_reading is has_enough and not self._is_lost:
            self._is_reading = not has_enough
            if has_enough:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _lose(self) -> None:
        """Give up the body that is arriving, if one is."""
        if self._arriving is not None:
            self._arriving.is_lost = True
            self._arriving.wake()

    async def _answer(self, request: Request) -> None:
        try:
            await self._house.app(request.scope, request.receive, request.send)
        except Exception:
            _LOG.exception("a request could not be answered")
        if not request.is_answered:
            request.answer(500, ((b"content-length", b"0"),), b"")
        self._current = None
        self._since_s = self._loop.time()
        if self._is_lost:
            return
        if self._ends_with(request):
            self._part(request)
            return
        self._go_on()

    def _ends_with(self, request: Request) -> bool:
        if self._house.is_closing or self._is_leaving or not (request.is_kept and request.is_whole):
            return True
        return self._has_ended and not self._waiting

    def _part(self, request: Request) -> None:
        """End the connection after an answer.

        Closed with something unread it would be reset, and the answer lost on its way: who has not
        sent all yet is listened to for a while, and not heard.
        """
        self._is_leaving = True
        if request.is_whole:
            self._transport.close()
            return
        self._transport.write_eof()
        if not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()

    def _refuse(self, status: int) -> None:
        """Answer what is no request, after what was one, and end the connection."""
        self._waiting.clear()
        self._is_leaving = True
        self._lose()
        if self._current is None:
            self._since_s = self._loop.time()
            tail = b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.write(STATUS[status] + self._house.date + tail)
            self._transport.write_eof()


def _without_upgrade(scope: Scope) -> bytes:
    target = scope["raw_path"] + (scope["query_string"] and b"?" + scope["query_string"])
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target)]
    for name, value in scope["headers"]:
        if name not in (b"upgrade", b"connection"):
            lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join([*lines, b"", b""])


def _fault_of(request: Request) -> int:
    """Return the status that refuses a request nobody should serve, or 0 (RFC 9112)."""
    scope = request.scope
    size, hosts = len(scope["raw_path"]) + len(scope["query_string"]), 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        hosts += name == b"host"
    if size > limits.HEAD_BYTES_MAX or len(scope["headers"]) > limits.HEADERS_MAX:
        return 431
    if not scope["raw_path"].startswith(b"/"):
        return 400
    return 0 if hosts == 1 or (hosts == 0 and _is_old(request)) else 400


def _is_old(request: Request) -> bool:
    return bool(request.scope["http_version"] == "1.0")
