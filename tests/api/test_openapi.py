"""The OpenAPI document and the pages: complete, sound, and whole in themselves."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis

from lombard.api import docs_page, sandbox
from lombard.api.codes import codes_of
from lombard.api.endpoints import ENDPOINTS
from lombard.api.errors import SENTENCES
from lombard.api.pages import DOCS_PATH, DOCUMENT_PATH, make_pages
from lombard.api.ratelimit import RateLimits
from lombard.api.table import GET, Access, Endpoint
from tests.api.contract import described
from tests.api.house import OpenStreet, Street, run, street

ROWS: list[Endpoint] = [*ENDPOINTS, *sandbox.endpoints(None)]  # type: ignore[arg-type]
VOID = {"meta", "input"}
OPTIONAL_ENDS = {"tr", "td", "th"}


def references_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references_in(each)


def operation_of(row: Endpoint) -> Any:
    return described()["paths"][row.path][row.method.lower()]


def test_the_document_is_openapi_3_1() -> None:
    assert "3.1.0" == described()["openapi"]
    schemathesis.openapi.from_dict(described()).validate()


def test_every_row_is_there_and_nothing_else() -> None:
    found = {
        (method.upper(), path)
        for path, methods in described()["paths"].items()
        for method in methods
    }
    assert {(row.method, row.path) for row in ROWS} == found
    names = [operation_of(row)["operationId"] for row in ROWS]
    assert len(set(names)) == len(ROWS)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references_in(described())):
        found = described()
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_a_row_is_described_in_full(row: Endpoint) -> None:
    operation = operation_of(row)
    names = {field.encode_name for field in msgspec.structs.fields(row.request)}
    if row.method == GET:
        fields = operation["parameters"]
        assert names == {field["name"] for field in fields}
        assert set(row.required) == {field["name"] for field in fields if field["required"]}
    elif names:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert names == set(body["properties"])
        assert set(row.required) == set(body.get("required", ()))
    signed = [each for each in operation.get("security", ()) if "ACCESS-SIGN" in each]
    assert (row.access is Access.SIGNED) == bool(signed)
    assert {"200", "400", "429", "500", "503"} <= set(operation["responses"])
    counted = "headers" in operation["responses"]["200"]
    assert bool(row.per_second) == counted


def test_codes_are_found_where_they_are() -> None:
    by_path = {(row.method, row.path): set(codes_of(row)) for row in ROWS}
    borrow = by_path["POST", "/api/v2/margin/crossed/account/borrow"]
    assert {"50034", "50035", "50038", "40014", "429"} <= borrow
    assert {"50039", "40102", "40924", "40019"}.isdisjoint(borrow)
    clock = by_path["GET", "/api/v2/public/time"]
    assert {"429", "40007", "40017", "40020", "40200", "40725"} == clock
    assert {"40924"} <= by_path["GET", "/api/v2/spot/trade/orderInfo"]
    said = set().union(*by_path.values())
    assert set(SENTENCES) - said == {"40404"}, "a code that no endpoint has"


def test_the_pages_are_served(open_street: OpenStreet) -> None:
    async def test(place: Street) -> None:
        answer = await place.http.get("/openapi.json")
        assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
        assert json.loads(json.dumps(described())) == answer.json()
        for path in ("/docs", "/docs/"):
            page = await place.http.get(path)
            assert (200, "text/html; charset=utf-8") == (
                page.status_code,
                page.headers["content-type"],
            )
            assert docs_page.policy() == page.headers["content-security-policy"]
        plain = await place.http.get("/docs", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == page.text
        assert "gzip" == page.headers["content-encoding"]
        head = await place.http.head("/docs", headers={"accept-encoding": "identity"})
        assert (b"", str(len(plain.content))) == (head.content, head.headers["content-length"])
        assert 404 == (await place.http.post("/docs")).status_code

    open_street.run(test)


def test_a_public_venue_has_no_sandbox_in_its_document(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path, sandbox=False) as place:
            answer = await place.http.get("/openapi.json")
            assert "/lombard/v1/sandbox" not in answer.text

    run(test())


def test_reading_is_counted(tmp_path: Path) -> None:
    async def test() -> None:
        limits = RateLimits()
        async with street(tmp_path, limits) as place:
            assert 200 == (await place.http.get("/docs")).status_code
            while limits.admit_address("127.0.0.1", time.monotonic_ns()):
                pass
            assert 429 == (await place.http.get("/docs")).status_code

    run(test())


class Page(HTMLParser):
    """Follows the tags of a page, and notes what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID | OPTIONAL_ENDS:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset") or (tag == "link" and name == "href"):
                self.loads.append(str(value))
            elif name == "href":
                self.links.append(str(value))
            elif name == "id":
                self.names.add(str(value))

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPTIONAL_ENDS:
            assert tag == self.open.pop()


def test_the_page_is_whole_in_itself() -> None:
    pages = make_pages(tuple(ROWS))
    plain, packed = pages[DOCS_PATH]
    text = plain.decode()
    page = Page()
    page.feed(text)
    page.close()

    assert ([], []) == (page.open, page.loads)
    assert not re.search(r"https?://|@import|url\(|<script[^>]*src", text)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.names
    assert {operation_of(row)["operationId"] for row in ROWS} <= page.names
    assert plain == gzip.decompress(packed)
    assert pages[DOCUMENT_PATH][0] == gzip.decompress(pages[DOCUMENT_PATH][1])
    # Everything that is told is there: a code's sentence, a parameter's meaning, a field's.
    for word in ("The maximum borrowing amount is exceeded", "how much to borrow", "riskRateRatio"):
        assert word in text
