"""Requests, from bytes to typed fields. Whatever is wrong with one raises a `Fault` that says what.

Bodies come from anybody: their size, depth and numbers are bounded before they are parsed. Every
value of the dialect is a string; a client that sends a plain number means its digits.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from lombard.api.errors import Fault, Scene

BODY_BYTES_MAX: Final = 64 * 1024
QUERY_BYTES_MAX: Final = 4 * 1024
DEPTH_MAX: Final = 16
NUMBER_LENGTH_MAX: Final = 40
PARAMETERS_MAX: Final = 50
EMPTY_BODY: Final = b"{}"
_SPOT_SCENES: Final = frozenset({Scene.SPOT, Scene.WALLET})
_STRINGS_AND_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')

Request = TypeVar("Request", bound=msgspec.Struct)
Decode = Callable[[bytes], Request]


def empty(scene: Scene, name: str) -> Fault:
    """Word a parameter that is missing."""
    return Fault("40019" if scene in _SPOT_SCENES else "400172", name)


def malformed(scene: Scene, name: str) -> Fault:
    """Word a parameter that cannot be read, or names nothing the venue knows."""
    return Fault("40020" if scene in _SPOT_SCENES else "50061", name)


def body_decoder(
    scene: Scene, request: type[Request], required: tuple[str, ...]
) -> Decode[Request]:
    """Make the function that reads a body of one endpoint."""
    decoder = msgspec.json.Decoder(request)

    def decode(body: bytes) -> Request:
        _check_depth(scene, body)
        try:
            # Most bodies are all strings, as they should be; the others take a second look.
            parsed = decoder.decode(body or EMPTY_BODY)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parsed = _decode_leniently(scene, body, request)
        check_required(scene, parsed, required)
        return parsed

    return decode


def query_decoder(
    scene: Scene, request: type[Request], required: tuple[str, ...]
) -> Decode[Request]:
    """Make the function that reads a query string of one endpoint."""

    def decode(query: bytes) -> Request:
        if len(query) > QUERY_BYTES_MAX:
            raise Fault("40017", "query is too long", status=414)
        try:
            pairs = parse_qsl(
                query.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=PARAMETERS_MAX,
            )
        except ValueError:
            raise malformed(scene, "query") from None
        values = dict(pairs)
        if len(values) != len(pairs):
            # Two readers may disagree on which of the two counts.
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise malformed(scene, twice)
        parsed = msgspec.convert(values, request)
        check_required(scene, parsed, required)
        return parsed

    return decode


def check_required(scene: Scene, request: msgspec.Struct, names: tuple[str, ...]) -> None:
    """Refuse a request that lacks a parameter; the first that is missing is named."""
    for name in names:
        if not getattr(request, name):
            raise empty(scene, name)


def _decode_leniently(scene: Scene, body: bytes, request: type[Request]) -> Request:
    try:
        tree = msgspec.json.Decoder(float_hook=_Number).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise malformed(scene, "body") from None
    try:
        return msgspec.convert(_as_strings(tree), request)
    except msgspec.ValidationError as error:
        # "Expected `str`, got `null` - at `$.coin`"
        _, _, path = str(error).partition(" - at `$")
        raise malformed(scene, path.strip(".`") or "body") from None


class _Number(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


def _as_strings(value: object) -> object:
    if isinstance(value, _Number):
        return _plain_digits(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return {name: _as_strings(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_as_strings(part) for part in value]
    return value


def _plain_digits(text: str) -> str:
    """Write `1e-7` as `0.0000001`; what would become too long stays, and is refused later."""
    if "e" not in text and "E" not in text:
        return str(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return str(text)
    if abs(number.adjusted()) > NUMBER_LENGTH_MAX:
        return str(text)
    return format(number, "f")


def _check_depth(scene: Scene, body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return
    depth = 0
    for token in _STRINGS_AND_BRACKETS.findall(body):
        if token in (b"{", b"["):
            depth += 1
            if depth > DEPTH_MAX:
                raise malformed(scene, "body is nested too deeply")
        elif token in (b"}", b"]"):
            depth -= 1
