"""Bodies of requests: read whole, bounded in size and in time."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, final

from lombard.api.decoding import BODY_BYTES_MAX
from lombard.api.errors import Fault

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

JSON: Final = b"application/json"
SECONDS_MAX: Final = 10.0


@final
class BodyReader:
    """Reads bodies, and gives up on those that do not arrive.

    One timer looks after all requests that wait: a timer for each costs more than the rest of it.
    """

    def __init__(self, seconds_max: float = SECONDS_MAX) -> None:
        self._seconds_max = seconds_max
        # Since when each waits, oldest first.
        self._waiting: dict[asyncio.Task[object], float] = {}
        self._given_up: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request, empty when it has none. Raises `Fault`."""
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return b""
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Fault("40007", "the body may not be encoded", status=415)
        if not headers.get(b"content-type", JSON).startswith(JSON):
            raise Fault("40007", status=415)
        if length is None:
            return await self._guarded(receive, None)
        if not length.isdigit() or len(length) > 9 or int(length) > BODY_BYTES_MAX:
            raise _too_large()
        return await self._guarded(receive, int(length)) if int(length) else b""

    async def _guarded(self, receive: Receive, length: int | None) -> bytes:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._waiting[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds_max, self._give_up)
        try:
            return await _receive(receive, length)
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            raise Fault("40017", "the body did not arrive", status=408) from None
        finally:
            del self._waiting[task]
            self._given_up.discard(task)

    def _give_up(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, since in self._waiting.items():
            if now - since < self._seconds_max:
                break
            if task not in self._given_up:
                self._given_up.add(task)
                task.cancel()
        self._timer = None
        if self._waiting:
            self._timer = loop.call_later(self._seconds_max / 2, self._give_up)


async def _receive(receive: Receive, announced: int | None) -> bytes:
    """Receive as much as was announced, or until the end."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault("40017", "the body is not complete")
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > BODY_BYTES_MAX:
            raise _too_large()
        # A server may say that there is more when there is not.
        if length == announced:
            break
        if not message.get("more_body", False):
            if announced is not None:
                raise Fault("40017", "the body is not complete")
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large() -> Fault:
    return Fault("40017", f"the body is larger than {BODY_BYTES_MAX} bytes", status=413)
