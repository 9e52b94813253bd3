"""Bodies of requests: read whole, bounded in size; the listener bounds them in time."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from lombard.api.decoding import BODY_BYTES_MAX
from lombard.api.errors import Fault

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

JSON: Final = b"application/json"


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Return the body of a request, empty when it has none. Raises `Fault`."""
    length = headers.get(b"content-length")
    if length is None and b"transfer-encoding" not in headers:
        return b""
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Fault("40007", "the body may not be encoded", status=415)
    if not headers.get(b"content-type", JSON).startswith(JSON):
        raise Fault("40007", status=415)
    if length is None:
        return await _receive(receive, None)
    if not length.isdigit() or len(length) > 9 or int(length) > BODY_BYTES_MAX:
        raise _too_large()
    return await _receive(receive, int(length)) if int(length) else b""


async def _receive(receive: Receive, announced: int | None) -> bytes:
    """Receive as much as was announced, or until the end."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault("40017", "the body did not arrive", status=408)
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
