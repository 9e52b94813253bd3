"""Every endpoint, asked for nonsense: an answer in the envelope, never our own fault, and a refused
request changes nothing (reliability goal 26)."""

import random
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from lombard.api.endpoints import ENDPOINTS
from lombard.api.table import Access, Endpoint
from tests.api.browser import PASSWORD, Browser, trader
from tests.api.house import MACHINE_MS, START_MS, Client, Street, numbers_in, run, street

WORDS: tuple[Any, ...] = (
    *("BTCUSDT", "PEPEUSDT", "ETHUSDT", "XXX", "BTC", "USDT", "PEPE", "ETH", "btc"),
    *("buy", "sell", "limit", "market", "gtc", "GTC", "ioc", "fok", "post_only"),
    *("fill_price", "mark_price", "tpsl", "amount", "total", "0.01", "21000"),
    *("normal", "autoLoan", "autoRepay", "autoLoanAndRepay", "cancel_taker", "cancel_both"),
    *("spot", "crossed_margin", "isolated_margin", "p2p", "multiple", "single", "margin"),
    *("1min", "1h", "1Mutc", "1M", "step1", "step5", "API", "SYS", "place_order", "all"),
    *("0", "1", "-1", "0.1", "20000", "19999.99", "0.000001", "1e5", "1E400", "NaN", "Infinity"),
    *("9" * 25, "9" * 40, "0." + "9" * 30, ".", "", " ", "\x00", "é", "💸", "١", "%", "'", '"'),
    *("a" * 50, "a" * 51, "../..", "$ne", "' OR 1=1 --", "null", "true", "[]"),
    *(
        str(START_MS),
        str(MACHINE_MS),
        str(2**63 - 1),
        str(2**63),
        str(10**18),
        "1000000000000000040",
    ),
)
ODD: tuple[Any, ...] = (None, True, 0, 1, -1, 1.5, 1e-7, 10**30, [], {}, [[]], {"a": 1}, ["x"])


def wish(draw: random.Random, request: type[msgspec.Struct]) -> dict[str, Any]:
    """Fill a request with words that are right, nearly right, and wrong."""
    body: dict[str, Any] = {}
    for field in msgspec.structs.fields(request):
        if draw.random() < 0.2:
            continue
        if field.type in (str, str | bool) or draw.random() < 0.1:
            body[field.name] = draw.choice(ODD if draw.random() < 0.05 else WORDS)
        else:
            entry = msgspec.inspect.type_info(field.type)
            if isinstance(entry, msgspec.inspect.UnionType):
                # Something or nothing.
                (entry,) = [
                    kind for kind in entry.types if not isinstance(kind, msgspec.inspect.NoneType)
                ]
                if draw.random() < 0.7:
                    body[field.name] = None
                    continue
            if isinstance(entry, msgspec.inspect.StructType):
                body[field.name] = wish(draw, entry.cls)
                continue
            if isinstance(entry, msgspec.inspect.StrType):
                body[field.name] = draw.choice(WORDS)
                continue
            assert isinstance(entry, msgspec.inspect.ListType)
            size = draw.choice((0, 1, 2, 5))
            if isinstance(entry.item_type, msgspec.inspect.StrType):
                body[field.name] = draw.choices(WORDS, k=size)
                continue
            assert isinstance(entry.item_type, msgspec.inspect.StructType)
            body[field.name] = [wish(draw, entry.item_type.cls) for _ in range(size)]
    # Most requests should come further than the first name.
    if "symbol" in body and draw.random() < 0.7:
        body["symbol"] = draw.choice(("BTCUSDT", "ETHUSDT", "PEPEUSDT"))
    if "coin" in body and draw.random() < 0.7:
        body["coin"] = draw.choice(("USDT", "BTC", "PEPE"))
    return body


async def ask(
    client: Client, browser: Browser, row: Endpoint, draw: random.Random
) -> dict[str, Any]:
    body = wish(draw, row.request)
    target = f"{row.path}?{urlencode(body)}" if body else row.path
    if row.access in (Access.SESSION, Access.ENTRY):
        if not browser.cookies:
            await browser.done("log-in", email=browser.email, password=PASSWORD)
            await browser.done("confirm", password=PASSWORD)
        sent = browser.post(row.path, **body) if row.method == "POST" else browser.get(target)
        answer = await sent
    elif row.method == "POST":
        answer = await client.post(row.path, **body)
    else:
        answer = await client.http.get(target, headers=client.headers("GET", target, b""))
    said: dict[str, Any] = answer.json()
    assert ["code", "data", "msg", "requestTime"] == sorted(said), (row.path, body)
    assert answer.status_code < 500, (row.path, body, said)
    assert (said["code"] == "00000") == (answer.status_code == 200), (row.path, body, said)
    assert not list(numbers_in(said["data"])), (row.path, body, said)
    return said


async def one_of_everything(place: Street) -> Client:
    """Admit a user with funds, debts, orders and fills everywhere."""
    client = await place.client(USDT="100000", BTC="10", PEPE="1000000000")
    for coin, amount in (("USDT", "10000"), ("BTC", "1")):
        for to_type in ("crossed_margin", "isolated_margin"):
            words = {"fromType": "spot", "toType": to_type, "coin": coin, "amount": amount}
            await client.done("/api/v2/spot/wallet/transfer", **words, symbol="BTCUSDT")
    order = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "loanType": "normal"}
    for mode in ("crossed", "isolated"):
        path = f"/api/v2/margin/{mode}"
        words = {"coin": "USDT", "borrowAmount": "500", "symbol": "BTCUSDT"}
        await client.done(f"{path}/account/borrow", **words)
        for side in ("buy", "sell"):
            words = {**order, "side": side, "price": "20000", "baseSize": "0.01"}
            await client.done(f"{path}/place-order", **words)
    return client


async def fuzz(path: Path, seed: int, requests_each: int) -> None:
    draw = random.Random(seed)
    codes: set[str] = set()
    async with street(path) as place:
        client = await one_of_everything(place)
        browser = await trader(place)
        await browser.done("confirm", password=PASSWORD)
        for row in ENDPOINTS:
            for _ in range(requests_each):
                before = place.house.engine.state_hash() if row.method == "POST" else ""
                said = await ask(client, browser, row, draw)
                codes.add(said["code"])
                if before and said["code"] != "00000":
                    assert before == place.house.engine.state_hash(), (row.path, said)
        place.house.engine.check()
    assert "40725" not in codes
    assert len(codes) > 15, "most of it was refused for one reason"


def test_nonsense(tmp_path: Path) -> None:
    run(fuzz(tmp_path, 1, 12))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(10))
def test_much_nonsense(tmp_path: Path, seed: int) -> None:
    run(fuzz(tmp_path, seed, 250), seconds=1_000)
