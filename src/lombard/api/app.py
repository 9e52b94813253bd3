"""The gateway: from an ASGI request to its answer.

A path is looked up in a table, byte for byte; what is not in it does not exist. Whatever goes wrong
is answered in the envelope, with the catalogue's code; what is our own fault is logged, and says
nothing of itself to the caller.
"""

import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from secrets import token_hex
from typing import Any, Final, final

import structlog

from lombard.api import browser, envelope, sandbox
from lombard.api.auth import (
    HEADERS,
    KEY,
    PASSPHRASE,
    SIGN,
    TIMESTAMP,
    check_address,
    check_passphrase,
    check_permission,
    check_permissions,
    check_signature,
)
from lombard.api.body import JSON, Message, Receive, read_body
from lombard.api.context import NO_PERMISSIONS, Call, Context
from lombard.api.endpoints import ENDPOINTS
from lombard.api.errors import Fault, fault_of
from lombard.api.operator.endpoints import operator_endpoints
from lombard.api.operator.overview import NONE, ReadVitals
from lombard.api.pages import Pages
from lombard.api.ports import World
from lombard.api.ratelimit import RateLimits
from lombard.api.relief import Relief
from lombard.api.signing import command_id, parse_timestamp, session_id
from lombard.api.table import GET, Access, Counted, Endpoint
from lombard.api.tally import Tally
from lombard.api.visit import Visit
from lombard.identity import Permission

Scope = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

REMAINING_HEADER: Final = b"x-mbx-used-remain-limit"
REQUEST_ID_HEADER: Final = b"x-lombard-request-id"
_CONTENT_TYPE: Final = (b"content-type", JSON)
_NO_STORE: Final = (b"cache-control", b"no-store")
_WANTED: Final = (
    HEADERS
    | browser.HEADERS
    | {
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"transfer-encoding",
        sandbox.TOKEN_HEADER,
    }
)
_SECRET: Final = HEADERS | browser.HEADERS | {sandbox.TOKEN_HEADER, b"cookie", b"authorization"}
_LOG: Final = structlog.get_logger("lombard.api")


@final
class Gateway:
    """An ASGI application that answers the endpoints of a table."""

    def __init__(
        self, context: Context, endpoints: Iterable[Endpoint], local: sandbox.Door
    ) -> None:
        self._context = context
        self._local = local  # who may use the sandbox's own endpoints
        self._routes: dict[bytes, dict[str, Endpoint]] = {}
        endpoints = tuple(endpoints)
        self._relief = Relief(context.node, endpoints, context.replays)
        self.tally: Final = Tally()
        self.pages: Final = Pages(endpoints, context.limits, context.clock_ms)
        for endpoint in endpoints:
            methods = self._routes.setdefault(endpoint.path.encode(), {})
            assert endpoint.method not in methods, f"two rows for {endpoint.path}"
            methods[endpoint.method] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await _other(scope, receive, send)
            return
        if scope["raw_path"] not in self._routes and await self.pages.answer(scope, send):
            return
        began_ns = time.perf_counter_ns()
        now_ms = self._context.clock_ms()
        extra: list[tuple[bytes, bytes]] = []
        status, code = 200, envelope.OK_CODE
        try:
            payload = envelope.success(await self._answer(scope, receive, now_ms, extra), now_ms)
        except Exception as error:
            fault = fault_of(error) or _our_fault(scope, error, extra)
            status, code = fault.status, fault.code
            payload = envelope.failure(fault.code, fault.sentence, now_ms)
        path = scope["raw_path"] if scope["raw_path"] in self._routes else b""
        elapsed_ns = time.perf_counter_ns() - began_ns
        self.tally.note(path, scope["method"], status, code, elapsed_ns)
        length = (b"content-length", b"%d" % len(payload))
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [_CONTENT_TYPE, length, *extra],
            }
        )
        await send({"type": "http.response.body", "body": payload})

    async def _answer(
        self, scope: Scope, receive: Receive, now_ms: int, extra: list[tuple[bytes, bytes]]
    ) -> object:
        context = self._context
        endpoint = self._route(scope, extra)
        headers = _headers(scope)
        address = browser.address(context.rules, scope["client"], headers)
        limits = context.limits
        if limits is not None and not limits.admit_address(address, time.monotonic_ns()):
            raise Fault("429")
        if self._relief.refuses(scope["raw_path"]) and not _has_come_before(context, headers):
            raise Fault("429")
        query: bytes = scope["query_string"]
        body = await read_body(headers, receive)

        is_signed = not HEADERS.isdisjoint(headers)
        visit = browser.visit_of(context, endpoint, headers, address, is_signed)
        if visit.session is not None or endpoint.access is Access.ENTRY:
            extra.append(_NO_STORE)
        user, command, permissions = 0, b"", NO_PERMISSIONS
        if endpoint.access is Access.SIGNED and visit.session is None:
            user, command, permissions = await self._authenticate(
                endpoint, scope["raw_path"], query, body, headers, address, now_ms
            )
        elif visit.session is not None:
            user, command = _session_call(endpoint, visit, headers, body, now_ms)
            permissions = browser.permissions_of(visit)
        elif endpoint.access is Access.LOCAL:
            self._local.check(endpoint.method, headers)
        if limits is not None:
            caller = user if endpoint.counted is Counted.USER else address
            _count_call(limits, endpoint, caller, extra)
        call = Call(context, endpoint.scene, user, command, visit, permissions)

        async def work() -> tuple[object, bool]:
            request = endpoint.decode(query if endpoint.method == GET else body)
            return await endpoint.handler(call, request), call.has_parts

        if command and visit.session is None:
            # Signed: the same bytes may come again.
            signed_ms = int(headers[TIMESTAMP])
            return await context.replays.once(
                command, signed_ms, now_ms, lambda: context.node.state.seq, work
            )
        answer, _ = await work()
        if visit.cookie:
            extra.append((b"set-cookie", visit.cookie))
        return answer

    def _route(self, scope: Scope, extra: list[tuple[bytes, bytes]]) -> Endpoint:
        methods = self._routes.get(scope["raw_path"])
        if methods is None:
            raise Fault("40404")
        endpoint = methods.get(scope["method"])
        if endpoint is None:
            extra.append((b"allow", ", ".join(methods).encode()))
            raise Fault("40404", f"{scope['method']} is not for this path", status=405)
        return endpoint

    async def _authenticate(
        self,
        endpoint: Endpoint,
        path: bytes,
        query: bytes,
        body: bytes,
        headers: dict[bytes, bytes],
        address: str,
        now_ms: int,
    ) -> tuple[int, bytes, Permission]:
        """Return the calling user, what its command is called, and what the key may do."""
        try:
            method = endpoint.method.encode()
            key = check_signature(self._context, headers, method, path, query, body, now_ms)
            await check_passphrase(self._context, key, headers[PASSPHRASE])
            check_address(key, address)
        except Fault:
            if self._context.limits is not None:
                self._context.limits.note_failure(address, time.monotonic_ns())
            raise
        assert endpoint.permission is not None
        check_permission(key, endpoint.permission)
        if endpoint.method == GET:
            return key.user, b"", key.permissions
        name = command_id(
            headers[b"access-key"], headers[b"access-timestamp"], headers[b"access-sign"]
        )
        return key.user, name, key.permissions


def build_app(context: Context, world: World | None = None, sandbox_token: str = "") -> Gateway:
    """Build the application. With a `world` it has the sandbox's own endpoints as well.

    `sandbox_token` must be shown with those when the request names another host than this machine.
    """
    door = sandbox.Door(sandbox_token)
    rows = list(ENDPOINTS)
    if world is not None:
        rows += sandbox.endpoints(world)
    return Gateway(context, rows, door)


def build_operator_app(
    context: Context,
    needs_two: Collection[str],
    read_vitals: ReadVitals = lambda: NONE,
) -> Gateway:
    """Build the operators' application; `needs_two` are the movements that two operators make."""
    return Gateway(context, operator_endpoints(needs_two, read_vitals), sandbox.Door(""))


def _count_call(
    limits: RateLimits, endpoint: Endpoint, caller: int | str, extra: list[tuple[bytes, bytes]]
) -> None:
    """Count a call against its endpoint's limit, and say what is left of it."""
    per_second = limits.per_second(endpoint.path, endpoint.per_second)
    if per_second:
        left = limits.admit_call(endpoint.path, per_second, caller, time.monotonic_ns())
        extra.append((REMAINING_HEADER, b"%d" % max(0, left)))
        if left < 0:
            raise Fault("429")


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Pick the headers that matter; one that comes twice could be read two ways."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _WANTED:
            if name in found:
                raise Fault("40017", f"header {name.decode('latin-1')} comes twice")
            found[name] = value
    return found


def _has_come_before(context: Context, headers: dict[bytes, bytes]) -> bool:
    """Say whether the same signed request was here; what became of it is never kept back."""
    key, stamp, sign = (headers.get(name, b"") for name in (KEY, TIMESTAMP, SIGN))
    if parse_timestamp(stamp) is None:
        return False
    return context.replays.knows(command_id(key, stamp, sign))


def _session_call(
    endpoint: Endpoint, visit: Visit, headers: dict[bytes, bytes], body: bytes, now_ms: int
) -> tuple[int, bytes]:
    """Return the calling user, and what the command of a browser's request is called."""
    user = visit.own_session().user
    if endpoint.permission is not None:
        check_permissions(browser.permissions_of(visit), endpoint.permission)
    if endpoint.method == GET:
        return user, b""
    key = browser.idempotency_key(headers)
    return user, session_id(user, endpoint.path.encode(), key, body, now_ms)


def _our_fault(scope: Scope, error: Exception, extra: list[tuple[bytes, bytes]]) -> Fault:
    # What the caller is told names what is in the log.
    request_id = token_hex(8)
    extra.append((REQUEST_ID_HEADER, request_id.encode()))
    # The bare traceback: renderings with local variables would show keys and passphrases. The words
    # of an error may still quote what was sent.
    trace = "".join(traceback.format_exception(error))
    for name, value in scope["headers"]:
        if name in _SECRET and value:
            trace = trace.replace(value.decode("latin-1"), "[hidden]")
    path, method = scope["path"], scope["method"]
    _LOG.error("request failed", request_id=request_id, path=path, method=method, trace=trace)
    return Fault("40725")


async def _other(scope: Scope, receive: Receive, send: Send) -> None:
    """Start and stop with the server; the WebSocket has a listener of its own."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
