"""Pages beside the calls: the OpenAPI document and what a person reads of it.

They are made once, in a thread, when they are first asked for. They say nothing of the venue, only
of the program, and are counted against their reader's address like any call.
"""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, final

import msgspec

from lombard.api import docs_page, envelope
from lombard.api.body import Message
from lombard.api.errors import Fault
from lombard.api.openapi import document
from lombard.api.ratelimit import RateLimits
from lombard.api.sandbox import is_this_machine
from lombard.api.table import Endpoint

Scope = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

DOCUMENT_PATH: Final = b"/openapi.json"
DOCS_PATH: Final = b"/docs"
METRICS_PATH: Final = b"/metrics"
_METRICS: Final = b"text/plain; version=1.0.0; charset=utf-8"
_HTML: Final = b"text/html; charset=utf-8"
_JSON: Final = b"application/json"
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"accept-encoding"),
)


@final
class Pages:
    """The pages of a table of endpoints."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        limits: RateLimits | None,
        clock_ms: Callable[[], int],
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._limits = limits
        self._clock_ms = clock_ms
        # What writes the metrics, where they are shown beside the calls.
        self.metrics: Callable[[], bytes] | None = None
        self._making: asyncio.Future[dict[bytes, tuple[bytes, bytes]]] | None = None

    async def answer(self, scope: Scope, send: Send) -> bool:
        """Answer a request for a page; False when it is for none."""
        path = scope["raw_path"].removesuffix(b"/")
        if path == METRICS_PATH and self.metrics is not None and _is_from_here(scope):
            await _send(scope, send, 200, [(b"content-type", _METRICS)], self.metrics())
            return True
        if path not in (DOCUMENT_PATH, DOCS_PATH) or scope["method"] not in ("GET", "HEAD"):
            return False
        address = scope["client"][0] if scope["client"] else ""
        limits = self._limits
        if limits is not None and not limits.admit_address(address, time.monotonic_ns()):
            fault = Fault("429")
            said = envelope.failure(fault.code, fault.sentence, self._clock_ms())
            await _send(scope, send, fault.status, [(b"content-type", _JSON)], said)
            return True
        if self._making is None:
            loop = asyncio.get_running_loop()
            self._making = loop.run_in_executor(None, make_pages, self._endpoints)
        body, packed = (await asyncio.shield(self._making))[path]
        headers = [(b"content-type", _HTML if path == DOCS_PATH else _JSON), *_HEADERS]
        if path == DOCS_PATH:
            headers.append((b"content-security-policy", docs_page.policy().encode()))
        if _takes_gzip(scope):
            headers.append((b"content-encoding", b"gzip"))
            body = packed
        await _send(scope, send, 200, headers, body)
        return True


async def _send(scope: Scope, send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def make_pages(endpoints: tuple[Endpoint, ...]) -> dict[bytes, tuple[bytes, bytes]]:
    """Make the pages, each plain and packed."""
    described = document(endpoints)
    plain = {
        DOCUMENT_PATH: msgspec.json.encode(described),
        DOCS_PATH: docs_page.render(described).encode(),
    }
    return {path: (page, gzip.compress(page, mtime=0)) for path, page in plain.items()}


def _is_from_here(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and is_this_machine(hosts[0].decode("latin-1"))


def _takes_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
