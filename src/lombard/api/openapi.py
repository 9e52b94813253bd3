"""The OpenAPI 3.1 document of the wire, made from the table that serves it.

Nothing is written twice: paths, parameters and answers are the rows' and their types', codes are
found in the handlers, sentences are the catalogue's. What it promises: a request that the document
allows can be read, and every answer has the status, the code and the form it says.
"""

import re
import types
from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from lombard import __version__
from lombard.api.codes import statuses_of
from lombard.api.errors import SENTENCES
from lombard.api.parameters import DECIMAL, TIME, form_of, meaning_of
from lombard.api.table import GET, Access, Counted, Endpoint, NoParameters
from lombard.api.visit import COOKIE

Json = dict[str, Any]

REFERENCE: Final = "#/components/schemas/{name}"
REMAINING: Final = "x-mbx-used-remain-limit"
STATUS_WORDS: Final = {
    401: "There is no such session",
    431: "Cookies are too long",
    400: "Refused; `code` and `msg` say why, and nothing was changed",
    403: "Not for whoever asks",
    408: "The body did not arrive in time",
    413: "The body is larger than 64 KiB",
    414: "The query is longer than 4 KiB",
    415: "The body is not plain JSON",
    429: "Too many requests, or the queue is full: nothing was changed, try again later",
    500: "Our own fault",
    503: "No commands are taken: the venue starts, stops or has failed",
}
# Statuses that say the same of every call.
USUAL_CODES: Final = {
    401: "30004",
    431: "40017",
    408: "40017",
    413: "40017",
    414: "40017",
    415: "40007",
    429: "429",
    500: "40725",
    503: "40200",
}
_REMAINING_HEADER: Final = {
    "description": "how many calls are left this second, where calls are counted",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
FORMS: Final[dict[str, Json]] = {
    "Decimal": {
        "type": "string",
        "pattern": r"^(-?[0-9]+(\.[0-9]+)?)?$",
        "description": "A decimal number in full, exact; empty where there is none.",
        "examples": ["12.5"],
    },
    "Milliseconds": {
        "type": "string",
        "pattern": "^[0-9]*$",
        "description": "A moment, in milliseconds since 1970 UTC; empty where there is none.",
        "examples": ["1704067800000"],
    },
}
_FORM_NAMES: Final = {DECIMAL: "Decimal", TIME: "Milliseconds"}
# What a string of the dialect may be written as: a number means its digits, null that it is absent.
_WRITTEN: Final = ["string", "number"]
GROUPS: Final = (
    ("/api/v2/margin/crossed/", "Crossed margin"),
    ("/api/v2/margin/isolated/", "Isolated margin"),
    ("/api/v2/spot/trade/", "Spot orders"),
    ("/api/v2/spot/wallet/", "Wallet"),
    ("/api/v2/spot/account/", "Wallet"),
    ("/lombard/v1/sandbox/", "Sandbox"),
    ("/lombard/v1/margin/", "Lombard: margin"),
    ("/lombard/v1/spot/", "Lombard: spot"),
    ("/lombard/", "Lombard"),
    ("/api/", "Venue and market"),
)
_INTRODUCTION: Final = """\
Every answer is an envelope: `code` is `00000`, or one of the catalogue's and then `data` is null.
Inside `data` numbers and times are strings. A string of a request may be written as a plain number,
which means its digits; null means that it is absent.

A signed call needs four headers. `ACCESS-SIGN` is base64 of HMAC-SHA256, under the key's secret, of
`timestamp + METHOD + path + ("?" + query if there is one) + body`; the timestamp is the machine's,
in milliseconds, at most 30 s from the server's.
"""
_SIGNED_HEADERS: Final = {
    "ACCESS-KEY": "the key",
    "ACCESS-SIGN": "the signature",
    "ACCESS-TIMESTAMP": "the machine's time in milliseconds",
    "ACCESS-PASSPHRASE": "the key's passphrase",
}
# A browser shows its cookie, and for a POST the token that a page of another site does not know.
_SESSION_PARTS: Final[dict[str, list[str]]] = {"Session": []}
_SCHEMES: Final[dict[str, Json]] = {
    name: {"type": "apiKey", "in": "header", "name": name, "description": text}
    for name, text in _SIGNED_HEADERS.items()
} | {
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "a browser's session; a POST needs the header `X-CSRF-Token` as well",
    },
    "X-Lombard-Token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Lombard-Token",
        "description": "needed by a sandbox that listens beyond its machine; it prints it",
    },
}


def document(endpoints: Iterable[Endpoint]) -> Json:
    """Describe endpoints."""
    rows = list(endpoints)
    answers, schemas = msgspec.json.schema_components(
        [row.response for row in rows], ref_template=REFERENCE
    )
    for schema in schemas.values():
        _name_forms(schema)
    _plain_tuples([answers, schemas])
    paths: dict[str, Json] = {}
    for row, answer in zip(rows, answers, strict=True):
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, answer)
    tags = dict.fromkeys(_tag(row) for row in rows)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lombard", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in tags],
        "paths": paths,
        "components": {
            "schemas": {**_envelopes(), **FORMS, **schemas},
            "responses": _shared_responses(),
            "headers": {"Remaining": _REMAINING_HEADER},
            "securitySchemes": _SCHEMES,
        },
    }


def _operation(row: Endpoint, answer: Json) -> Json:
    says, promises = _summary(row)
    operation: Json = {
        "operationId": re.sub(r"[^A-Za-z0-9]+", "_", row.method.lower() + row.path),
        "tags": [_tag(row)],
        "summary": says,
        "description": "\n\n".join([*promises, _who(row), _how_often(row)]),
        "responses": _responses(row, answer),
    }
    security = _security(row)
    if security:
        operation["security"] = security
    if row.method == GET:
        operation["parameters"] = [
            _query_parameter(field.encode_name, field.encode_name in row.required)
            for field in msgspec.structs.fields(row.request)
        ]
    elif row.request is not NoParameters or row.access is Access.LOCAL:
        # A web page cannot send JSON unasked: the sandbox takes nothing else, even of no words.
        operation["requestBody"] = {
            "required": bool(row.required) or row.access is Access.LOCAL,
            "content": {"application/json": {"schema": _body(row.request, row.required)}},
        }
    return operation


def _tag(row: Endpoint) -> str:
    return next((name for start, name in GROUPS if row.path.startswith(start)), "Other")


def _summary(row: Endpoint) -> tuple[str, list[str]]:
    """Take the words from the docstrings: the handler's, the request's and the answer's."""
    handler: Any = row.handler
    while isinstance(handler, partial):
        handler = handler.func
    _, _, remark = (handler.__doc__ or "").partition(": ")
    summary = row.path.rpartition("/")[2].replace("-", " ")
    texts = [remark[:1].upper() + remark[1:].rstrip(".") + "."] if remark else []
    if row.request is not NoParameters:
        texts.append(f"Request: {_plain(row.request)}")
    kind = get_args(row.response)[0] if get_origin(row.response) is list else row.response
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        texts.append(f"Answer: {_plain(kind)}")
    return summary, texts


def _plain(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _who(row: Endpoint) -> str:
    if row.permission is not None and row.permission.name is not None:
        return f"Needs a key with the permission {row.permission.name.lower()}."
    return {
        Access.PUBLIC: "Needs no key.",
        Access.LOCAL: "For anybody on this machine, and nobody else.",
    }.get(row.access, f"Access: {row.access.value}.")


def _how_often(row: Endpoint) -> str:
    if not row.per_second:
        return "Not counted."
    whose = "user" if row.counted is Counted.USER else "address"
    return f"At most {row.per_second} a second for each {whose}, where calls are counted."


def _security(row: Endpoint) -> list[Json]:
    if row.access is Access.SIGNED:
        return [{name: [] for name in _SIGNED_HEADERS}, _SESSION_PARTS]
    if row.access is Access.SESSION:
        return [_SESSION_PARTS]
    return [{}, {"X-Lombard-Token": []}] if row.access is Access.LOCAL else []


# --- requests -----------------------------------------------------------------------------------


def _query_parameter(name: str, required: bool) -> Json:
    meaning = meaning_of(name)
    parameter: Json = {"name": name, "in": "query", "required": required}
    if meaning.text:
        parameter["description"] = meaning.text
    parameter["schema"] = _text(name, ["string"], required)
    return parameter


def _body(request: type[msgspec.Struct], required: tuple[str, ...]) -> Json:
    """Describe a body: any field may be left out unless it is required, and then not be empty."""
    properties = {}
    for field in msgspec.structs.fields(request):
        is_needed = field.encode_name in required
        properties[field.encode_name] = _property(field.encode_name, field.type, is_needed)
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def _property(name: str, kind: Any, required: bool) -> Json:
    kinds = [part for part in get_args(kind) if part is not types.NoneType]
    if get_origin(kind) in (Union, types.UnionType):
        if len(kinds) > 1:
            return msgspec.json.schema(kind)
        (kind,) = kinds
    if get_origin(kind) is list:
        entries: Json = {"type": "array", "items": _entry(get_args(kind)[0])}
        if required:
            return {**entries, "minItems": 1}
        return {**entries, "type": ["array", "null"]}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        part = _body(kind, _needed(kind))
        return part if required else {**part, "type": ["object", "null"]}
    if kind is str:
        return _text(name, _WRITTEN if required else [*_WRITTEN, "null"], required, described=True)
    plain = msgspec.json.schema(kind)
    return plain if required else {**plain, "type": [plain["type"], "null"]}


def _entry(kind: Any) -> Json:
    if kind is str:
        return {"type": _WRITTEN}
    if get_origin(kind) is list:
        return {"type": "array", "items": _entry(get_args(kind)[0])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _body(kind, _needed(kind))
    return msgspec.json.schema(kind)


def _needed(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind) if field.required)


def _text(name: str, written: list[str], required: bool, described: bool = False) -> Json:
    meaning = meaning_of(name)
    schema: Json = {"type": written if len(written) > 1 else written[0]}
    if required:
        schema["minLength"] = 1
    if meaning.form:
        schema["format"] = meaning.form
    if meaning.examples:
        schema["examples"] = list(meaning.examples)
    if described and meaning.text:
        schema["description"] = meaning.text
    return schema


# --- answers ------------------------------------------------------------------------------------


def _responses(row: Endpoint, answer: Json) -> Json:
    said = {"allOf": [_schema("Success"), {"type": "object", "properties": {"data": answer}}]}
    responses: Json = {"200": _response(row, "Done.", said)}
    for status, codes in statuses_of(row).items():
        if codes == [USUAL_CODES.get(status)]:
            responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
            continue
        text = STATUS_WORDS.get(status, "Refused") + "."
        responses[str(status)] = _response(row, text, _failure(codes))
    return responses


def _shared_responses() -> Json:
    return {
        str(status): {
            "description": STATUS_WORDS[status] + ".",
            "content": {"application/json": {"schema": _failure([code])}},
        }
        for status, code in USUAL_CODES.items()
    }


def _response(row: Endpoint, text: str, schema: Json) -> Json:
    response: Json = {"description": text, "content": {"application/json": {"schema": schema}}}
    if row.per_second:
        # Whatever is refused before the call is counted says nothing of what is left.
        response["headers"] = {REMAINING: {"$ref": "#/components/headers/Remaining"}}
    return response


def _failure(codes: list[str]) -> Json:
    narrowed = {"type": "object", "properties": {"code": {"enum": codes}}}
    return {"allOf": [_schema("Failure"), narrowed]}


def _envelope(code: Json, message: Json, data: Json) -> Json:
    return {
        "type": "object",
        "required": ["code", "msg", "requestTime", "data"],
        "properties": {
            "code": code,
            "msg": message,
            "requestTime": {"type": "integer", "description": "the machine's time, in ms"},
            **data,
        },
    }


def _envelopes() -> dict[str, Json]:
    """Describe what is around every answer, and the catalogue of codes."""
    sentences = [
        {"const": code, "description": sentence.replace("{0}", "…")}
        for code, sentence in SENTENCES.items()
    ]
    return {
        "Success": _envelope({"const": "00000"}, {"const": "success"}, {}),
        "Failure": _envelope(
            _schema("ErrorCode"), {"type": "string", "minLength": 1}, {"data": {"type": "null"}}
        ),
        "ErrorCode": {"type": "string", "oneOf": sentences},
    }


def _plain_tuples(part: Any) -> None:
    """Describe a tuple of strings as an array of that length, which every reader understands."""
    if isinstance(part, dict):
        entries = part.get("prefixItems")
        if entries and all(entry == entries[0] for entry in entries):
            del part["prefixItems"]
            part["items"] = entries[0]
        part = list(part.values())
    if isinstance(part, list | tuple):
        for each in part:
            _plain_tuples(each)


def _schema(name: str) -> Json:
    return {"$ref": REFERENCE.format(name=name)}


def _name_forms(schema: Json) -> None:
    """Say of strings in an answer what their names say of them."""
    for name, part in schema.get("properties", {}).items():
        form = _FORM_NAMES.get(form_of(name))
        if form is None:
            continue
        if part.get("type") == "string":
            schema["properties"][name] = _schema(form)
        elif {"type": "string"} in part.get("anyOf", ()):
            others = [kind for kind in part["anyOf"] if kind.get("type") != "string"]
            part["anyOf"] = [_schema(form), *others]
