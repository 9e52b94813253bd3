"""A street for schemathesis: its requests, signed or not, go to the application in this process.

Every answer to a refused call is followed by a look at the state, which may not have moved.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from lombard.api import parameters
from lombard.api.app import build_operator_app
from lombard.api.visit import COOKIE
from lombard.identity import Origin, csrf_token_of
from tests.api.browser import PASSWORD, trader
from tests.api.contract import described, described_to_operators
from tests.api.house import HOST, Client, Street, street
from tests.api.test_fuzz import one_of_everything

MEANT = {
    parameters.DECIMAL: ("0.01", "0.5", "1", "100", "19990", "20000", "20010", "0", "-1", "1e3"),
    parameters.TIME: ("1704067200000", "1704067800000", "1704070800000", "0", "now"),
    parameters.COUNT: ("1", "10", "100", "0", "-1", "1e9"),
    parameters.ID: ("1", "2", "1000000000000000001", "1000000000000000004", "0", "x"),
    parameters.COIN: ("USDT", "BTC", "ETH", "PEPE", "XXX"),
    parameters.SYMBOL: ("BTCUSDT", "ETHUSDT", "PEPEUSDT", "XXXUSDT"),
}
FINE = ["400", "401", "403", "404", "414", "429"]
TELL_EVERY = 10_000
# Who asks.
NOBODY, OWNER, BROWSER, OPERATOR = "", "owner", "browser", "operator"
OPERATOR_PATHS = "/lombard/v1/operator/"
AnyCase = Case[Any]
Test = Callable[["Judged", AnyCase], None]
AUTH_CODES = {"30004", "40001", "40002", "40005", "40006", "40008", "40009", "40011", "40012"}


class SignatureHook(requests.auth.AuthBase):
    """Signs a request as it is about to be sent."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        assert request.method is not None
        headers = self._client.headers(request.method, target_of(request.url), body_of(request))
        content_type = request.headers.get("Content-Type")
        request.headers.update(headers)
        if content_type is None:
            del request.headers["Content-Type"]
        else:
            request.headers["Content-Type"] = content_type
        return request


class SessionHook(requests.auth.AuthBase):
    """Sends what a page of ours sends, with a session that has not ended."""

    def __init__(self, place: Street, runner: asyncio.Runner) -> None:
        self._accounts = place.house.directory.accounts
        self._runner = runner
        browser = runner.run(trader(place))
        self._times = 0
        self._email, self._page = browser.email, browser.page
        (self._token,) = browser.cookies.values()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._accounts.find_session(self._token) is None:
            self._token = self._runner.run(self._begin())
        request.headers["Cookie"] = f"{COOKIE}={self._token}"
        if request.method == "POST":
            request.headers["Origin"] = self._page
            request.headers["X-CSRF-Token"] = csrf_token_of(self._token)
        return request

    async def _begin(self) -> str:
        # Wrong passwords are counted by address: from here they may have been too many.
        self._times += 1
        origin = Origin(f"10.0.{self._times // 256}.{self._times % 256}", "Browser/1")
        person = await self._accounts.check_password(self._email, PASSWORD, origin)
        return (await self._accounts.log_in(person, "", origin)).token


class Judged:
    """A venue in which everything is asked for, and a count of what was."""

    def __init__(self, path: Path) -> None:
        self._runner = asyncio.Runner()
        self._opened = street(path)
        self._place: Street = self._runner.run(self._opened.__aenter__())
        owner = self._runner.run(one_of_everything(self._place))
        operator = self._runner.run(self._operator())
        self._hooks: dict[str, requests.auth.AuthBase] = {
            OWNER: SignatureHook(owner),
            BROWSER: SessionHook(self._place, self._runner),
            OPERATOR: SignatureHook(operator),
        }
        self._office = build_operator_app(self._place.house.context, ())
        self._hashed_seq, self._hash = -1, ""
        self.codes: Counter[str] = Counter()

    async def _operator(self) -> Client:
        made = (await self._place.house.directory.create_operator("op@example.org")).key
        return Client(self._place.http, made.user, made.key, made.secret, made.passphrase)

    @property
    def count(self) -> int:
        return sum(self.codes.values())

    def ask(self, case: AnyCase, caller: str) -> tuple[schemathesis.Response, str]:
        """Send a request as somebody, empty for nobody; returns the answer and its code."""
        words = case.as_transport_kwargs(base_url=f"http://{HOST}")
        allowed = ("method", "url", "headers", "params", "json", "data", "cookies")
        asked = requests.Request(**{key: words[key] for key in allowed if key in words})
        asked.auth = self._hooks.get(caller)
        prepared = requests.Session().prepare_request(asked)
        hash_before = self._state_hash()
        response = self._runner.run(self._send(prepared))
        code = str(response.json()["code"])
        self.codes[code] += 1
        if self.count % TELL_EVERY == 0:
            print(f"\n{self.count} requests")
        assert response.status_code != 500, (prepared.url, prepared.body)
        if code != "00000":
            assert hash_before == self._state_hash(), (prepared.url, prepared.body, code)
        return response, code

    def _state_hash(self) -> str:
        """Hash the state, if it can have moved since the last time."""
        house = self._place.house
        if self._hashed_seq != house.seq:
            self._hashed_seq, self._hash = house.seq, house.engine.state_hash()
        return self._hash

    async def _send(self, prepared: requests.PreparedRequest) -> schemathesis.Response:
        content = body_of(prepared)
        assert prepared.url is not None
        path, _, query = target_of(prepared.url).partition("?")
        headers = [
            (name.lower().encode("latin-1"), str(value).encode("latin-1"))
            if isinstance(value, str)
            else (name.lower().encode("latin-1"), bytes(value))
            for name, value in prepared.headers.items()
        ]
        scope = {
            "type": "http",
            "method": prepared.method,
            "path": path,
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(b"host", HOST.encode()), *headers],
            "client": ("127.0.0.1", 1),
        }
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        app = self._office if path.startswith(OPERATOR_PATHS) else self._place.app
        await app(scope, receive, send)
        found: dict[str, list[str]] = {}
        for name, value in said[0]["headers"]:
            found.setdefault(name.decode(), []).append(value.decode())
        answer = b"".join(part.get("body", b"") for part in said[1:])
        return schemathesis.Response(said[0]["status"], found, answer, prepared, 0.0, verify=True)

    def close(self) -> None:
        self._place.house.engine.check()
        self._runner.run(self._opened.__aexit__(None, None, None))
        self._runner.close()


def body_of(request: requests.PreparedRequest) -> bytes:
    """Return what a request carries."""
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    assert isinstance(body, bytes)
    return body


def target_of(url: str) -> str:
    """Return what of an address is sent: path and query."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def each_case(
    max_examples: int,
    signed: bool,
    mode: str = "all",
    repeatable: bool = True,
    paths: str = "",
    operators: bool = False,
) -> Callable[[Test], Test]:
    """Ask for everything in a document; `mode` is what is asked: positive, negative or all.

    `paths` is how the paths begin that are asked for. There is a document of operators, too.

    The format of a parameter says what is meant by it, and helps to ask for things that are there.
    It is no promise to refuse all else: a market order may bring any price, which nobody reads.
    """
    for name, words in MEANT.items():
        schemathesis.openapi.format(name, st.sampled_from(words))
    document = described_to_operators() if operators else described()
    if mode != "positive":
        document = without_formats(document)
    config = SchemathesisConfig.from_dict(
        {
            "generation": {
                "mode": mode,
                "max-examples": max_examples,
                "deterministic": repeatable,
                # The hook signs; otherwise headers are left out, and made up.
                "with-security-parameters": not signed,
                "database": "none",
                "no-shrink": True,
            },
            # Without a signature every request ends at the same place: a few are enough.
            "phases": {"coverage": {"enabled": signed}},
            # A request of the right form may still ask for what cannot be: 400 and a code.
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["200", *FINE]},
                "negative_data_rejection": {"expected-statuses": [*FINE, "415"]},
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config).include(path_regex="^" + paths)
    return cast(Callable[[Test], Test], schema.parametrize())


def without_formats(part: Any) -> Any:
    """Copy a document but for the formats in it."""
    if isinstance(part, dict):
        return {name: without_formats(each) for name, each in part.items() if name != "format"}
    return [without_formats(each) for each in part] if isinstance(part, list) else part
