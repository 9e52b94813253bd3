"""Valid signed requests with something changed in them: none is accepted, and nothing happens.

What is changed is all that is signed or signs: method, path, query, body and the four headers.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.house import HOST, Client, Street, run, street

MARGIN = "/api/v2/margin/crossed"
SPOT = "/api/v2/spot"
ORDER = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
POSTS: list[tuple[str, dict[str, Any]]] = [
    (f"{SPOT}/wallet/transfer", {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT"}),
    (f"{SPOT}/trade/place-order", {**ORDER, "price": "19000", "size": "0.001"}),
    (f"{MARGIN}/account/borrow", {"coin": "USDT", "borrowAmount": "4"}),
    (
        f"{MARGIN}/place-order",
        {**ORDER, "price": "19000", "baseSize": "0.001", "loanType": "normal"},
    ),
    (f"{SPOT}/trade/cancel-symbol-order", {"symbol": "BTCUSDT"}),
]
GETS = [
    f"{MARGIN}/account/assets?coin=USDT",
    f"{MARGIN}/open-orders?startTime=1704067000000&symbol=BTCUSDT&limit=20",
    f"{SPOT}/account/assets",
    f"{SPOT}/trade/orderInfo?clientOid=a%23b-_1",
]
# Everything that a change can come to. No path and method of the table is a byte from another's.
REFUSED = {"40001", "40002", "40005", "40006", "40008", "40009", "40011", "40012", "40404"}
# Letters that requests are made of, so that some changes still look like one.
LIKELY = b"0123456789abcdefABCDEF%&=?/+-_.:{}\"', \r\n\x00\xff"


class Signed(NamedTuple):
    """A request as the server hands it to the application."""

    method: bytes
    path: bytes
    query: bytes
    body: bytes
    key: bytes
    sign: bytes
    timestamp: bytes
    passphrase: bytes


def signed_by(client: Client, method: str, target: str, body: bytes = b"") -> Signed:
    """Sign a request."""
    path, _, query = target.partition("?")
    headers = client.headers(method, target, body)
    names = ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE")
    values = [headers[name].encode() for name in names]
    return Signed(method.encode(), path.encode(), query.encode(), body, *values)


def changed(draw: random.Random, request: Signed, other: Signed) -> Signed:
    """Change one thing: a byte or some, or a part for that of another valid request."""
    parts = list(request)
    which = draw.randrange(len(parts))
    part, kind = bytearray(parts[which]), draw.randrange(6)
    byte = draw.choice(LIKELY) if draw.random() < 0.7 else draw.randrange(256)
    at = draw.randrange(len(part) + 1)
    if kind == 0:
        part[at:at] = bytes([byte])
    elif kind == 1 and part:
        del part[min(at, len(part) - 1)]
    elif kind == 2 and part:
        part[min(at, len(part) - 1)] = byte
    elif kind == 3 and part:
        part[min(at, len(part) - 1)] ^= 1 << draw.randrange(8)
    elif kind == 4:
        del part[at:]
    else:
        part = bytearray(other[which])
    parts[which] = bytes(part)
    return Signed(*parts)


async def code_of(place: Street, request: Signed) -> str:
    """Send a request straight to the application; returns its code."""
    sent: list[dict[str, Any]] = []
    pieces: Iterator[bytes] = iter([request.body])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(pieces, b""), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    headers = [
        (b"host", HOST.encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(request.body)).encode()),
        (b"access-key", request.key),
        (b"access-sign", request.sign),
        (b"access-timestamp", request.timestamp),
        (b"access-passphrase", request.passphrase),
    ]
    scope = {
        "type": "http",
        "method": request.method.decode("latin-1"),
        "path": request.path.decode("latin-1"),
        "raw_path": request.path,
        "query_string": request.query,
        "headers": headers,
        "client": ("127.0.0.1", 5),
    }
    await place.app(scope, receive, send)
    code: str = json.loads(sent[1]["body"])["code"]
    return code


async def try_mutations(place: Street, count: int, seed: int) -> Counter[str]:
    """Send so many changed requests; returns how often each code came."""
    draw = random.Random(seed)
    clients = [await place.client(USDT="1000") for _ in range(2)]
    requests = []
    for client in clients:
        await client.done(POSTS[0][0], **POSTS[0][1], amount="100")
        requests += [signed_by(client, "GET", target) for target in GETS]
        requests += [
            signed_by(client, "POST", path, json.dumps({"amount": "1", **body}).encode())
            for path, body in POSTS
        ]
    before, seq = place.house.engine.state_hash(), place.house.seq
    codes: Counter[str] = Counter()
    while codes.total() < count:
        request, other = draw.choice(requests), draw.choice(requests)
        mutant = changed(draw, request, other)
        if mutant == request:
            continue
        code = await code_of(place, mutant)
        assert code in REFUSED, (code, request, mutant)
        codes[code] += 1
    assert (before, seq) == (place.house.engine.state_hash(), place.house.seq)
    # They were valid, all of them.
    assert {"00000"} == {await code_of(place, request) for request in requests}
    assert before != place.house.engine.state_hash()
    return codes


def test_no_changed_request_is_accepted(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            codes = await try_mutations(place, 3_000, seed=1)
            # Every way to be refused was met.
            assert REFUSED == set(codes)

    run(test())


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_no_changed_request_is_accepted_in_a_hundred_thousand(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            codes = await try_mutations(place, 100_000, seed=2)
            print(dict(codes))

    run(test(), 1_700)
