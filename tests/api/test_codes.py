"""Every code of the catalogue, brought about by a request: what is refused, and what goes wrong.

The codes of the core's refusals are in `test_refusals.py`; the others have their row here.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lombard.api.errors import SENTENCES, STATUSES
from lombard.api.socket.words import SENTENCES as SOCKET_SENTENCES
from lombard.core.commands import ALL_SLOTS, FreezeAccount, SetPair, SetParameter
from lombard.core.refusals import Refusal
from lombard.core.state import Reply
from lombard.identity import Permission
from lombard.sandbox.catalogue import example, genesis, read
from tests.api.browser import IDENTITY, PASSWORD, Browser, trader
from tests.api.house import MACHINE_MS, START_MS, Client, Street, fault_in, run, street
from tests.api.test_refusals import (
    BORROW,
    CROSSED,
    IN,
    OUT,
    OWN,
    PLACE,
    REPAY,
    ROWS,
    SPOT,
    TRANSFER,
    limit,
    move,
    pair_terms,
    plan,
    terms_of,
)

Ask = Callable[[Street, Client], Awaitable[httpx.Response]]

HERE = Path(__file__)
ERRORS_PAGE = HERE.parents[2] / "docs" / "reference" / "errors.md"
ASSETS = f"{CROSSED}/account/assets"
DAY_MS = 86_400_000
TAX = "/api/v2/tax/margin-record"
SPOT_ORDER = {
    "symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "19000",
    "size": "0.001",
}  # fmt: skip
SOCKET_TESTS = ("test_socket.py", "test_site.py")


def got(path: str, **query: str | int) -> Ask:
    async def ask(_place: Street, client: Client) -> httpx.Response:
        return await client.get(path, **query)

    return ask


def posted(path: str, **body: Any) -> Ask:
    async def ask(_place: Street, client: Client) -> httpx.Response:
        return await client.post(path, **body)

    return ask


def headed(**changes: str | None) -> Ask:
    """Sign a request, then change headers of it; None takes one away."""

    async def ask(place: Street, client: Client) -> httpx.Response:
        headers = client.headers("POST", BORROW, b"{}")
        for name, value in changes.items():
            name = name.replace("_", "-")
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        return await place.http.post(BORROW, content=b"{}", headers=headers)

    return ask


def answered(refusal: Refusal, path: str, detail: str = "", **body: Any) -> Ask:
    """Let the node refuse for a reason that no request of today brings about."""

    async def ask(place: Street, client: Client) -> httpx.Response:
        async def submit(*_: object) -> Reply:
            return Reply(refusal, detail=detail)

        place.house.submit = submit  # type: ignore[method-assign, assignment]
        return await client.post(path, **body)

    return ask


def by_browser(call: str, logged_in: bool = False, confirmed: bool = False, **body: Any) -> Ask:
    """Let somebody in a browser ask about themselves."""

    async def ask(place: Street, _client: Client) -> httpx.Response:
        browser = await trader(place) if logged_in else Browser(place)
        if confirmed:
            await browser.done("confirm", password=PASSWORD)
        return await browser.post(f"{IDENTITY}/{call}", **body)

    return ask


def frozen(path: str, **body: Any) -> Ask:
    """Let an operator freeze whoever asks."""

    async def ask(place: Street, client: Client) -> httpx.Response:
        place.house.done(FreezeAccount(client.user, ALL_SLOTS, True))
        return await client.post(path, **body)

    return ask


async def overload(place: Street, client: Client) -> httpx.Response:
    place.house.overloaded = True
    return await client.post(BORROW, coin="USDT", borrowAmount="1")


async def break_down(place: Street, client: Client) -> httpx.Response:
    async def submit(*_: object) -> Reply:
        raise RuntimeError("a bug")

    place.house.submit = submit  # type: ignore[method-assign, assignment]
    return await client.post(BORROW, coin="USDT", borrowAmount="1")


async def stop(place: Street, _client: Client) -> httpx.Response:
    place.house.ready = False
    return await place.http.get("/lombard/v1/ready")


async def read_only(place: Street, client: Client) -> httpx.Response:
    reader = await place.client(Permission.READ, client.user)
    return await reader.post(BORROW, coin="USDT", borrowAmount="1")


async def come_from_elsewhere(place: Street, _client: Client) -> httpx.Response:
    headers = {"host": "example.org", "content-type": "application/json"}
    return await place.http.post("/lombard/v1/sandbox/users", content=b"{}", headers=headers)


async def say_it_twice(place: Street, client: Client) -> httpx.Response:
    headers = [*client.headers("GET", ASSETS, b"").items(), ("ACCESS-KEY", "another")]
    return await place.http.get(ASSETS, headers=headers)


async def ask_for_what_is_not(place: Street, _client: Client) -> httpx.Response:
    return await place.http.get("/api/v2/spot/market/nothing")


async def use_an_odd_tick(place: Street, client: Client) -> httpx.Response:
    await pair_terms(tick_e12=5 * 10**10)(place, client)
    return await client.post(PLACE, **limit("buy", "19900.02", "0.01"))


async def use_a_pair_without_margin(place: Street, client: Client) -> httpx.Response:
    (terms,) = [
        terms_of(command)
        for command in genesis(read(example()))
        if isinstance(command, SetPair) and command.symbol == "BTCUSDT"
    ]
    coins = {"base": place.house.coin("DOGE"), "quote": place.house.coin("USDC")}
    new = {**terms, **coins, "symbol": "DOGEUSDC", "isolated_tiers": []}
    place.house.done(SetPair(**new))
    return await client.post(TRANSFER, **move("spot", "isolated_margin", "1", symbol="DOGEUSDC"))


async def leave_the_band(place: Street, client: Client, side: str, price: str) -> httpx.Response:
    place.house.done(SetParameter("spot_band_e6", 50_000))
    maker = await place.client(USDT="10000", BTC="1")
    for other in ("sell", "buy"):
        await maker.done(f"{SPOT}/place-order", **limit(other, "20000", "0.1"))
    return await client.post(f"{SPOT}/place-order", **limit(side, price, "0.1"))


async def pay_too_much(place: Street, client: Client) -> httpx.Response:
    return await leave_the_band(place, client, "buy", "21000.01")


async def ask_too_little(place: Street, client: Client) -> httpx.Response:
    return await leave_the_band(place, client, "sell", "18999.99")


async def change_what_fires(place: Street, client: Client) -> httpx.Response:
    found = await client.done(f"{OWN}/place-plan-order", **plan())
    return await answered(
        Refusal.ORDER_CLOSED, f"{OWN}/modify-plan-order", orderId=found["orderId"], **PLAN
    )(place, client)


async def be_in_liquidation(place: Street, client: Client) -> httpx.Response:
    other = await place.client(BTC="1")
    await other.done(TRANSFER, **move(*IN, "1", "BTC"))
    await other.done(BORROW, coin="USDT", borrowAmount="5000")
    await other.done(TRANSFER, **move(*OUT, "5000"))
    place.house.price("BTC", "5000")
    return await other.post(BORROW, coin="USDT", borrowAmount="1")


async def owe_too_much(place: Street, _client: Client) -> httpx.Response:
    client = await place.client(USDT="10000")
    await client.done(TRANSFER, **move(*IN, "10000"))
    await client.done(BORROW, coin="USDT", borrowAmount="20000")
    order = limit("buy", "0.000001", "29000000000", symbol="PEPEUSDT")
    return await client.post(PLACE, **order)


LATER = {"startTime": START_MS + 1, "endTime": START_MS}
FAR = {"startTime": START_MS - 100 * DAY_MS, "endTime": START_MS}
PLAN = {"triggerPrice": "18000", "orderType": "limit", "executePrice": "17900", "size": "0.1"}
NEW_ORDER = limit("buy", "19900", "0.01")
CALLS: dict[str, Ask] = {
    "429": overload,
    "40001": headed(ACCESS_KEY=None),
    "40002": headed(ACCESS_SIGN=None),
    "40005": headed(ACCESS_TIMESTAMP="soon"),
    "40006": headed(ACCESS_KEY="lk_nobody"),
    "40007": headed(Content_Type="text/plain"),
    "40008": headed(ACCESS_TIMESTAMP=str(MACHINE_MS - 60_000)),
    "40009": headed(ACCESS_SIGN="AAAA"),
    "40011": headed(ACCESS_PASSPHRASE=None),
    "40012": headed(ACCESS_PASSPHRASE="guess"),
    "40014": read_only,
    "40017": say_it_twice,
    "40018": come_from_elsewhere,
    "40019": posted(f"{SPOT}/place-order"),
    "40084": got("/api/v3/account/settings"),
    "40102": posted(f"{SPOT}/place-order", **{**NEW_ORDER, "symbol": "XXXUSDT"}),
    "40200": stop,
    "40304": posted(PLACE, **NEW_ORDER, clientOid="a" * 51),
    "40305": posted(PLACE, **NEW_ORDER, clientOid="ö"),
    "40404": ask_for_what_is_not,
    "40705": got(f"{CROSSED}/borrow-history", **FAR),
    "40707": got(f"{CROSSED}/borrow-history", **LATER),
    "40725": break_down,
    "40805": posted(TRANSFER, **move("p2p", "spot", "1")),
    "40806": posted("/lombard/v1/sandbox/rates", coin="XXX", dailyInterestRate="0.001"),
    "40807": answered(Refusal.USER_UNKNOWN, BORROW, coin="USDT", borrowAmount="1"),
    "40808": posted(PLACE, **limit("buy", "19900", "0.123456789")),
    "40912": posted(
        f"{CROSSED}/batch-cancel-order", symbol="BTCUSDT", orderIdList=[{"orderId": "1"}] * 51
    ),
    "40924": got(f"{SPOT}/orderInfo"),
    "41103": posted(PLACE, **limit("buy", "19900.123456789", "0.01")),
    "400172": posted(BORROW, coin="USDT"),
    "43008": ask_too_little,
    "43009": pay_too_much,
    "43026": change_what_fires,
    "43050": answered(Refusal.LEVERAGE_OUT_OF_RANGE, BORROW, coin="USDT", borrowAmount="1"),
    "43129": posted(TRANSFER, **move(*IN, "1", "XXX")),
    "45009": owe_too_much,
    "45044": answered(Refusal.LEVERAGE_BELOW_DEBT, BORROW, coin="USDT", borrowAmount="1"),
    "45115": use_an_odd_tick,
    "50001": answered(Refusal.COIN_NOT_IN_ACCOUNT, REPAY, "ETH", coin="ETH", repayAmount="1"),
    "50002": use_a_pair_without_margin,
    "50022": be_in_liquidation,
    "00001": got(TAX, startTime=START_MS, endTime=START_MS + 31 * DAY_MS),
    "30004": by_browser("password"),
    "40025": by_browser("totp/enrol", logged_in=True),
    "40037": by_browser("keys/delete", logged_in=True, apiKey="lk_none"),
    "40070": by_browser(
        "keys/create", logged_in=True, confirmed=True, permissions=["read"], passphrase="weak"
    ),
    "40078": posted(f"{SPOT}/place-order", **SPOT_ORDER, requestTime=1, receiveWindow=1_000),
    "40079": posted(
        f"{SPOT}/place-order", **SPOT_ORDER, requestTime=MACHINE_MS, receiveWindow=60_000
    ),
    "40710": frozen(f"{SPOT}/place-order", **SPOT_ORDER),
    "50064": frozen(BORROW, coin="USDT", borrowAmount="1"),
    "50063": posted(BORROW, coin="USDT", borrowAmount="1.123456789"),
}
# Statuses that a code has in one place only.
OTHER_STATUSES = {"40007": 415, "40018": 403}


def test_every_code_is_brought_about() -> None:
    assert set(SENTENCES) == set(CALLS) | {row[4] for row in ROWS}, "a code that no test produces"


def test_every_code_of_the_socket_is_brought_about() -> None:
    """Those that are asked for by number where the socket is tested."""
    asked = "".join((HERE.parent / name).read_text("utf-8") for name in SOCKET_TESTS)
    missing = [code for code in SOCKET_SENTENCES if not re.search(rf"\b{code}\b", asked)]
    assert missing == []


def test_every_code_is_documented() -> None:
    page = ERRORS_PAGE.read_text("utf-8")
    missing = [code for code in SENTENCES if f"| `{code}` |" not in page]

    assert missing == [], "run `make docs`"


@pytest.mark.parametrize("code", CALLS)
def test_a_code(tmp_path: Path, code: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000", BTC="1")
            await client.done(TRANSFER, **move(*IN, "10000"))
            await client.done(TRANSFER, **move(*IN, "0.5", "BTC"))
            answer = await CALLS[code](place, client)
            found, sentence = fault_in(answer)
            assert code == found, sentence
            assert SENTENCES[code].partition("{0}")[0].strip() in sentence
            status = OTHER_STATUSES.get(code, STATUSES.get(code, 400))
            assert status == answer.status_code
            assert json.loads(answer.content)["data"] is None
            place.house.engine.check()

    run(test())
