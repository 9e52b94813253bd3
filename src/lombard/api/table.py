"""The table of endpoints: one row each, and the row says everything about it."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Final, TypeVar, final

import msgspec

from lombard.api.context import Call
from lombard.api.decoding import Request, body_decoder, query_decoder
from lombard.api.errors import Scene
from lombard.identity import Permission

GET: Final = "GET"
POST: Final = "POST"

Response = TypeVar("Response")


class Counted(Enum):
    """Whose calls a rate limit counts."""

    ADDRESS = "address"
    USER = "user"


class Access(Enum):
    """Who may call an endpoint."""

    PUBLIC = "public"
    # With a key's signature, or a browser's session.
    SIGNED = "signed"
    # With a browser's session only: what people do to their own account.
    SESSION = "session"
    # Anybody who is not logged in yet, but no page of another site.
    ENTRY = "entry"
    # The sandbox's own: anybody on this machine.
    LOCAL = "local"


class NoParameters(msgspec.Struct):
    """A request that says nothing; what is sent along is ignored."""


@final
class Endpoint:
    """One row. `required` names the parameters that may not be empty, in the order of checking."""

    __slots__ = (
        "access",
        "counted",
        "decode",
        "handler",
        "method",
        "path",
        "per_second",
        "permission",
        "request",
        "required",
        "response",
        "scene",
    )

    def __init__(
        self,
        method: str,
        path: str,
        access: Access,
        permission: Permission | None,
        per_second: int,
        counted: Counted,
        scene: Scene,
        request: type[msgspec.Struct],
        required: tuple[str, ...],
        response: object,
        decode: Callable[[bytes], msgspec.Struct],
        handler: Callable[[Call, Any], Awaitable[object]],
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        self.access: Final = access
        self.permission: Final = permission
        self.per_second: Final = per_second
        self.counted: Final = counted
        self.scene: Final = scene
        self.request: Final = request
        self.required: Final = required
        self.response: Final = response
        self.decode: Final = decode
        self.handler: Final = handler


def public(
    path: str,
    per_second: int,
    scene: Scene,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Response],
    handler: Callable[[Call, Request], Awaitable[Response]],
) -> Endpoint:
    """Make the row of a public GET, counted by address."""
    return Endpoint(
        GET,
        path,
        Access.PUBLIC,
        None,
        per_second,
        Counted.ADDRESS,
        scene,
        request,
        required,
        response,
        query_decoder(scene, request, required),
        handler,
    )


def signed(
    method: str,
    path: str,
    permission: Permission,
    per_second: int,
    scene: Scene,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Response],
    handler: Callable[[Call, Request], Awaitable[Response]],
    counted: Counted = Counted.USER,
) -> Endpoint:
    """Make the row of a signed call, counted by user."""
    make = query_decoder if method == GET else body_decoder
    return Endpoint(
        method,
        path,
        Access.SIGNED,
        permission,
        per_second,
        counted,
        scene,
        request,
        required,
        response,
        make(scene, request, required),
        handler,
    )


def session(
    method: str,
    path: str,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Response],
    handler: Callable[[Call, Request], Awaitable[Response]],
    access: Access = Access.SESSION,
    per_second: int = 10,
) -> Endpoint:
    """Make the row of a call that people make about themselves, counted by user; an entry's by
    address."""
    make = query_decoder if method == GET else body_decoder
    return Endpoint(
        method,
        path,
        access,
        None,
        per_second,
        Counted.USER if access is Access.SESSION else Counted.ADDRESS,
        Scene.SPOT,
        request,
        required,
        response,
        make(Scene.SPOT, request, required),
        handler,
    )


def local(
    method: str,
    path: str,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Response],
    handler: Callable[[Call, Request], Awaitable[Response]],
) -> Endpoint:
    """Make the row of one of the sandbox's own calls; they are never counted."""
    make = query_decoder if method == GET else body_decoder
    return Endpoint(
        method,
        path,
        Access.LOCAL,
        None,
        0,
        Counted.ADDRESS,
        Scene.SPOT,
        request,
        required,
        response,
        make(Scene.SPOT, request, required),
        handler,
    )
