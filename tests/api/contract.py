"""The OpenAPI document as a contract: every answer that a test of the wire gets is held to it."""

import json
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from lombard.api import sandbox
from lombard.api.endpoints import ENDPOINTS
from lombard.api.openapi import document
from lombard.api.operator.endpoints import operator_endpoints


@cache
def described() -> dict[str, Any]:
    """Describe everything there is."""
    return document([*ENDPOINTS, *sandbox.endpoints(None)])  # type: ignore[arg-type]


@cache
def described_to_operators() -> dict[str, Any]:
    """Describe the operators' port."""
    return document(operator_endpoints())


@cache
def judge(path: str, method: str, status: int) -> jsonschema_rs.Validator | None:
    """Return what judges an answer; None for a path or method that does not exist."""
    operation = described()["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return None
    found = operation["responses"].get(str(status))
    assert found is not None, f"{method} {path} says nothing of status {status}"
    components = described()["components"]
    if "$ref" in found:
        found = components["responses"][str(status)]
    (schema,) = [part["schema"] for part in found["content"].values()]
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **schema,
            "components": components,
        }
    )


def check(request: httpx.Request, response: httpx.Response, content: bytes) -> None:
    """Hold an answer to the document."""
    path = request.url.raw_path.partition(b"?")[0].decode()
    if response.status_code == 404 and b'"40404"' in content:
        return  # a venue that serves the public has no calls of a sandbox
    found = judge(path, request.method, response.status_code)
    if found is None:
        return
    errors = [error.message for error in found.iter_errors(json.loads(content))]
    assert errors == [], (request.method, path, response.status_code, content, errors)


class HeldTransport(httpx.AsyncBaseTransport):
    """Sends what it is given, and holds each answer to the document."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        check(request, response, content)
        return response
