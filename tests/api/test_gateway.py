"""The gateway: who gets in, and that whatever goes wrong is answered in the envelope."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lombard.api.ratelimit import FAILURES_PER_MINUTE, RateLimits
from lombard.core.commands import Borrow
from lombard.identity import Permission
from lombard.node.errors import Stopped
from tests.api.house import (
    HOST,
    MACHINE_MS,
    Client,
    OpenStreet,
    Street,
    data_of,
    fault_in,
    run,
    street,
)

ASSETS = "/api/v2/margin/crossed/account/assets"
BORROW = "/api/v2/margin/crossed/account/borrow"
PLACE = "/api/v2/margin/crossed/place-order"
TIME = "/api/v2/public/time"

Headers = dict[str, str]


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        # In the order of checking: each row is wrong in every later way too.
        (["ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"], "40001", "KEY"),
        (["ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"], "40002", "SIGN"),
        (["ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"], "40005", "TIMESTAMP"),
        (["ACCESS-PASSPHRASE"], "40011", "PASSPHRASE"),
    ],
)
def test_missing_headers(
    open_street: OpenStreet, changes: list[str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        headers = client.headers("GET", ASSETS, b"", timestamp=1)
        for name in changes:
            del headers[name]
        found, said = fault_in(await place.http.get(ASSETS, headers=headers))
        assert code == found
        assert sentence in said

    open_street.run(test)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ACCESS-TIMESTAMP", "now", "40005"),
        ("ACCESS-TIMESTAMP", str(MACHINE_MS - 30_001), "40008"),
        ("ACCESS-TIMESTAMP", str(MACHINE_MS + 30_001), "40008"),
        ("ACCESS-KEY", "lk_unknown", "40006"),
        ("ACCESS-KEY", "é", "40006"),
        ("ACCESS-SIGN", "AAAA", "40009"),
        ("ACCESS-TIMESTAMP", str(MACHINE_MS - 29_000), "40009"),
        ("ACCESS-PASSPHRASE", "wrong", "40012"),
    ],
)
def test_wrong_headers(open_street: OpenStreet, name: str, value: str, code: str) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        headers = client.headers("GET", ASSETS, b"")
        changed = {**headers, name: value}
        raw = [(key.encode(), text.encode("latin-1")) for key, text in changed.items()]
        assert code == fault_in(await place.http.get(ASSETS, headers=raw))[0]

    open_street.run(test)


def test_stale_is_said_before_unknown_and_unknown_before_wrong(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            headers = client.headers("GET", ASSETS, b"", timestamp=1)
            headers |= {"ACCESS-KEY": "x", "ACCESS-SIGN": "x", "ACCESS-PASSPHRASE": "x"}
            assert "40008" == fault_in(await place.http.get(ASSETS, headers=headers))[0]
            headers |= {"ACCESS-TIMESTAMP": str(MACHINE_MS)}
            assert "40006" == fault_in(await place.http.get(ASSETS, headers=headers))[0]
            headers |= {"ACCESS-KEY": client.key}
            assert "40009" == fault_in(await place.http.get(ASSETS, headers=headers))[0]

    run(test())


def test_a_header_that_comes_twice_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            for name in ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"):
                headers = list(client.headers("GET", ASSETS, b"").items())
                headers.append((name.lower(), dict(headers)[name]))
                fault = fault_in(await place.http.get(ASSETS, headers=headers))
                assert ("40017", True) == (fault[0], name.lower() in fault[1])

    run(test())


def test_what_was_signed_is_what_counts(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            body = b'{"coin":"USDT","borrowAmount":"4"}'
            headers = client.headers("POST", BORROW, body)
            other = body.replace(b"4", b"5")
            spaced = body.replace(b",", b", ")
            for sent, path, method in [
                (other, BORROW, "POST"),
                (spaced, BORROW, "POST"),
                (b"", BORROW, "POST"),
                (body, BORROW + "?x=1", "POST"),
                (body, BORROW.replace("borrow", "repay"), "POST"),
            ]:
                answer = await place.http.request(method, path, content=sent, headers=headers)
                assert "40009" == fault_in(answer)[0]
            assert not any(isinstance(command, Borrow) for command in place.house.commands)

    run(test())


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/", "GET", 404, "40404"),
        ("/api/v2/margin/cross/account/assets", "GET", 404, "40404"),
        (ASSETS + "/", "GET", 404, "40404"),
        ("//api/v2/public/time", "GET", 404, "40404"),
        ("/api%2Fv2/public/time", "GET", 404, "40404"),
        ("/api/v2/public/%74ime", "GET", 404, "40404"),
        ("/api/v2/public/TIME", "GET", 404, "40404"),
        ("/lombard/v1/sandbox/reset", "POST", 404, "40404"),
        (TIME, "POST", 405, "40404"),
        (TIME, "DELETE", 405, "40404"),
        (BORROW, "GET", 405, "40404"),
    ],
)
def test_paths_that_are_none(
    open_street: OpenStreet, path: str, method: str, status: int, code: str
) -> None:
    async def test(place: Street) -> None:
        answer = await place.http.request(method, path)
        assert (status, code) == (answer.status_code, fault_in(answer)[0])
        assert (status == 405) == ("allow" in answer.headers)

    open_street.run(test)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415, "40007"),
        ({"Content-Encoding": "gzip"}, b"{}", 415, "40007"),
        ({}, b" " * 65_537, 413, "40017"),
        ({"Content-Length": "10"}, b"{}", 400, "40017"),
        ({"Content-Length": "x"}, b"{}", 413, "40017"),
    ],
)
def test_bodies_that_are_refused_unread(
    open_street: OpenStreet, headers: Headers, body: bytes, status: int, code: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        every = {**client.headers("POST", BORROW, body), **headers}
        answer = await answer_of(place, "POST", BORROW, every, [body])
        assert (status, code) == (answer[0], answer[1]["code"])

    open_street.run(test)


def test_a_body_in_parts_is_one_body(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1")
            body = b'{"fromType":"spot","toType":"crossed_margin","amount":"1","coin":"USDT"}'
            path = "/api/v2/spot/wallet/transfer"
            headers = client.headers("POST", path, body) | {"Transfer-Encoding": "chunked"}
            status, answer = await answer_of(
                place, "POST", path, headers, [body[:7], b"", body[7:]]
            )
            assert (200, "00000") == (status, answer["code"])

            headers = client.headers("POST", path, body) | {"Transfer-Encoding": "chunked"}
            status, answer = await answer_of(place, "POST", path, headers, [b" " * 50_000] * 2)
            assert (413, "40017") == (status, answer["code"])

    run(test())


def test_a_body_that_does_not_arrive_is_given_up(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            headers = client.headers("POST", BORROW, b"{}") | {"Content-Length": "10"}
            started: list[Any] = []

            async def receive() -> dict[str, Any]:
                if started:
                    return {"type": "http.disconnect"}
                started.append(1)
                return {"type": "http.request", "body": b"{", "more_body": True}

            status, answer = await answer_of(place, "POST", BORROW, headers, receive)
            assert (408, "40017") == (status, answer["code"])
            # The next one is served as if nothing had been.
            assert data_of(await client.get(ASSETS)) == []

    run(test())


def test_a_repeated_request_moves_nothing_and_is_answered_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            path = "/api/v2/spot/wallet/transfer"
            body = json.dumps(
                {"fromType": "spot", "toType": "crossed_margin", "amount": "10", "coin": "USDT"}
            ).encode()
            headers = client.headers("POST", path, body)
            first = data_of(await place.http.post(path, content=body, headers=headers))
            moved = place.house.engine.state_hash()
            again = data_of(await place.http.post(path, content=body, headers=headers))
            assert first == again
            assert moved == place.house.engine.state_hash()
            # The same wish signed anew is another one.
            anew = await client.done(path, **json.loads(body))
            assert first != anew
            assert "80" == (await client.read("/api/v2/spot/account/assets"))[0]["available"]

    run(test())


def test_what_stops_the_node_is_said_without_its_reason(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            wish = {"coin": "USDT", "borrowAmount": "4"}
            place.house.overloaded = True
            answer = await client.post(BORROW, **wish)
            assert (429, "429") == (answer.status_code, fault_in(answer)[0])

            place.house.overloaded = False
            place.house.stopped = Stopped("The disk is gone.")
            answer = await client.post(BORROW, **wish)
            assert (503, "40200") == (answer.status_code, fault_in(answer)[0])
            assert "disk" not in answer.text

            place.house.stopped = KeyError("internal")
            answer = await client.post(BORROW, **wish)
            assert (500, "40725") == (answer.status_code, fault_in(answer)[0])
            assert "internal" not in answer.text

    run(test())


def test_trading_is_refused_unread_while_the_node_is_full(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="1000")
            order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
            order |= {"price": "10000", "size": "0.01"}
            path = "/api/v2/spot/trade/place-order"
            content = json.dumps(order).encode()
            headers = client.headers("POST", path, content)
            first = await place.http.post(path, content=content, headers=headers)
            placed = data_of(first)
            place.house.is_full = True
            before = place.house.engine.state_hash()
            # What became of a request that has come before is never kept back.
            again = await place.http.post(path, content=content, headers=headers)
            assert placed == data_of(again)
            assert "429" == (await client.refused(path, **order))[0]
            unsigned = await place.http.post(path, content=b"{")
            assert (429, "429") == (unsigned.status_code, fault_in(unsigned)[0])
            assert before == place.house.engine.state_hash()

            # What lowers risk, and what only looks, is let through.
            words = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
            await client.done("/api/v2/spot/trade/cancel-order", **words)
            code, _ = await client.refused(
                "/api/v2/margin/crossed/account/repay", coin="USDT", repayAmount="1"
            )
            assert "429" != code
            assert [] == await client.read("/api/v2/spot/trade/unfilled-orders")

            place.house.is_full = False
            await client.done(path, **order)

    run(test())


def test_overload_within_a_batch_is_each_entry_s_own(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            place.house.overloaded = True
            order = {"side": "buy", "orderType": "market", "loanType": "normal", "quoteSize": "5"}
            result = await client.done(
                "/api/v2/margin/crossed/batch-place-order",
                symbol="BTCUSDT",
                orderList=[order, order],
            )
            assert ["429", "429"] == [entry["errorCode"] for entry in result["failureList"]]

            place.house.overloaded, place.house.stopped = False, KeyError("internal")
            answer = await client.post(
                "/api/v2/margin/crossed/batch-place-order",
                symbol="BTCUSDT",
                orderList=[order, order],
            )
            assert (500, "40725") == (answer.status_code, fault_in(answer)[0])

    run(test())


def test_limits_count_by_user_and_by_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is: all of it happens at one moment.
    clock = SimpleNamespace(monotonic_ns=lambda: 10**12, perf_counter_ns=time.perf_counter_ns)
    monkeypatch.setattr("lombard.api.app.time", clock)

    async def test() -> None:
        async with street(tmp_path, limits=RateLimits()) as place:
            client, other = await place.client(), await place.client()
            second_key = await place.client(Permission.READ, user=client.user)
            answers = [await client.get(ASSETS) for _ in range(6)]
            answers += [await second_key.get(ASSETS) for _ in range(5)]
            left = [answer.headers["x-mbx-used-remain-limit"] for answer in answers]
            assert ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"] == left[:10]
            assert (429, "429") == (answers[10].status_code, fault_in(answers[10])[0])
            # Another user, and another endpoint, are not concerned.
            data_of(await other.get(ASSETS))
            data_of(await client.get("/api/v2/spot/account/assets"))

            coins = [await place.http.get("/api/v2/spot/public/coins") for _ in range(4)]
            assert [200, 200, 200, 429] == [answer.status_code for answer in coins]

    run(test())


def test_an_address_that_guesses_is_shut_out(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path, limits=RateLimits()) as place:
            client = await place.client()
            for _ in range(FAILURES_PER_MINUTE):
                headers = client.headers("GET", ASSETS, b"") | {"ACCESS-SIGN": "AAAA"}
                assert "40009" == fault_in(await place.http.get(ASSETS, headers=headers))[0]
            assert "429" == fault_in(await client.get(ASSETS))[0]

    run(test())


def test_nothing_is_counted_where_limits_are_off(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            for _ in range(30):
                answer = await client.get(ASSETS)
                data_of(answer)
            assert "x-mbx-used-remain-limit" not in answer.headers

    run(test())


def test_health_and_readiness(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            healthy = {"status": "ok", "history": "ok"}
            assert healthy == data_of(await place.http.get("/lombard/v1/health"))
            ready = data_of(await place.http.get("/lombard/v1/ready"))
            assert {"status": "ready", "exchangeTime": str(place.house.now_ms)} == ready
            place.house.ready = False
            answer = await place.http.get("/lombard/v1/ready")
            assert (503, "40200") == (answer.status_code, fault_in(answer)[0])
            data_of(await place.http.get("/lombard/v1/health"))

    run(test())


def test_headers_of_public_calls_are_not_looked_at(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            data_of(await place.http.get(TIME, headers={"ACCESS-KEY": "x", "ACCESS-SIGN": "y"}))

    run(test())


def test_logs_have_no_secrets(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def test() -> Client:
        async with street(tmp_path) as place:
            client = await place.client()
            place.house.stopped = KeyError("internal")
            await client.post(BORROW, coin="USDT", borrowAmount="4")
            return client

    clients: list[Client] = []

    async def keep() -> None:
        clients.append(await test())

    run(keep())
    written = "".join(capfd.readouterr())
    assert "internal" in written
    assert clients[0].secret not in written
    assert clients[0].passphrase not in written


async def answer_of(
    place: Street, method: str, path: str, headers: Headers, body: Any
) -> tuple[int, dict[str, Any]]:
    """Send what no decent client would, straight to the application."""
    parts = list(body) if isinstance(body, list) else []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    names = {name for name, _ in raw}
    if not {b"content-length", b"transfer-encoding"} & names:
        raw.append((b"content-length", str(sum(len(part) for part in parts)).encode()))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), *raw],
        "client": ("127.0.0.1", 5),
    }
    await place.app(scope, body if callable(body) else receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
