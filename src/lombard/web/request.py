"""A request, as its application sees it: a scope, a body that arrives, an answer to send (ASGI)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, Final, Protocol, final

Message = MutableMapping[str, Any]
Scope = dict[str, Any]
Header = tuple[bytes, bytes]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
STATUS: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Wire(Protocol):
    """The connection a request came by."""

    def taken(self) -> None:
        """Hear that what had arrived of a body was taken."""

    def write(self, data: bytes) -> None:
        """Send bytes; never waits."""

    def own_headers(self, request: "Request") -> bytes:
        """Write the headers that are the connection's own: when it is, and whether it stays."""


@final
class Request:
    """One request. `is_kept` is whether its client wants to send another by the same connection."""

    __slots__ = (
        "_head",
        "_wire",
        "expects_go_on",
        "is_answered",
        "is_kept",
        "is_lost",
        "is_whole",
        "parts",
        "scope",
        "waiter",
    )

    def __init__(self, scope: Scope, wire: Wire, is_kept: bool, expects_go_on: bool) -> None:
        self.scope: Final = scope
        self.is_kept: Final = is_kept
        self.expects_go_on = expects_go_on
        self.parts: list[bytes] = []
        self.is_whole = False
        self.is_lost = False
        self.is_answered = False
        self.waiter: asyncio.Future[None] | None = None
        self._wire = wire
        self._head: tuple[int, Iterable[Header]] | None = None

    def wake(self) -> None:
        """Tell who waits for the body that there is more of it, or no more."""
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def receive(self) -> Message:
        """Return what has arrived of the body; wait where nothing has."""
        if self.expects_go_on and not self.is_whole:
            self.expects_go_on = False
            self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self.parts and not self.is_whole and not self.is_lost:
            self.waiter = asyncio.get_running_loop().create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None
        if not self.parts and not self.is_whole:
            return {"type": "http.disconnect"}
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.parts.clear()
        self._wire.taken()
        return {"type": "http.request", "body": body, "more_body": not self.is_whole}

    async def send(self, message: Message) -> None:
        """Send the answer: its head first, then its body, in one piece."""
        if self._head is None:
            self._head = message["status"], message["headers"]
            return
        assert not self.is_answered
        assert not message.get("more_body", False)
        status, headers = self._head
        self.answer(status, headers, message.get("body", b""))

    def answer(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Send the whole answer."""
        self.is_answered = True
        said = [STATUS[status]]
        for name, value in headers:
            said += (name, b": ", value, b"\r\n")
        said += (self._wire.own_headers(self), b"\r\n", body)
        self._wire.write(b"".join(said))
