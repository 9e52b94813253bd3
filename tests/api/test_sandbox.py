"""The sandbox's own endpoints: what they do, and that nobody else's web page reaches them."""

from pathlib import Path
from typing import Any

import pytest

from lombard.api.errors import Fault, Scene
from lombard.api.sandbox import is_this_machine, parse_moment
from tests.api.house import (
    MACHINE_MS,
    START_MS,
    Client,
    OpenStreet,
    Street,
    data_of,
    fault_in,
    run,
    street,
)

SANDBOX = "/lombard/v1/sandbox"
JSON = {"Content-Type": "application/json"}


async def post(place: Street, path: str, body: object = None, **headers: str) -> Any:
    return data_of(
        await place.http.post(f"{SANDBOX}/{path}", json=body or {}, headers={**JSON, **headers})
    )


async def refused(place: Street, path: str, body: object) -> tuple[str, str]:
    return fault_in(await place.http.post(f"{SANDBOX}/{path}", json=body))


def test_a_user_can_act_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            user = await post(place, "users")
            assert ["apiKey", "passphrase", "secretKey", "userId"] == sorted(user)
            deposit = await post(
                place, "deposits", {"userId": user["userId"], "coin": "USDT", "amount": "100.5"}
            )
            assert {
                "depositId": deposit["depositId"],
                "userId": user["userId"],
                "coin": "USDT",
                "amount": "100.5",
            } == deposit
            client = Client(
                place.http,
                int(user["userId"]),
                user["apiKey"],
                user["secretKey"],
                user["passphrase"],
            )
            assert "100.5" == (await client.read("/api/v2/spot/account/assets"))[0]["available"]
            # read, trade and transfer; the margin account is open
            words = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT"}
            await client.done("/api/v2/spot/wallet/transfer", **words, amount="100")
            path = "/api/v2/margin/crossed/account/borrow"
            await client.done(path, coin="USDT", borrowAmount="10")

    run(test())


def test_the_clock(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            clock = data_of(await place.http.get(f"{SANDBOX}/clock"))
            assert {"now": str(START_MS), "mode": "manual", "speed": "0"} == clock
            ahead = await post(place, "clock/advance", {"ms": 1_500})
            assert str(START_MS + 1_500) == ahead["now"]
            ahead = await post(place, "clock/advance", {"ms": "500"})
            assert str(START_MS + 2_000) == ahead["now"]
            ahead = await post(place, "clock/advance", {"to": "2024-01-01T02:30:00Z"})
            assert "1704076200000" == ahead["now"]
            ahead = await post(place, "clock/advance", {"to": "1704076200001"})
            assert "1704076200001" == ahead["now"]
            assert 1_704_076_200_001 == place.house.engine.time_ms
            past = await refused(place, "clock/advance", {"to": "2024-01-01T00:00:00Z"})
            assert "40017" == past[0]

            scaled = await post(place, "clock", {"mode": "scaled", "speed": "60.5"})
            assert ("scaled", "60.5") == (scaled["mode"], scaled["speed"])
            real = await post(place, "clock", {"mode": "real"})
            assert ("real", "1") == (real["mode"], real["speed"])

    run(test())


def test_prices_and_rates(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            price = await post(place, "index-prices", {"coin": "BTC", "price": "0.000000000001"})
            assert {"coin": "BTC", "price": "0.000000000001"} == price
            rate = await post(place, "rates", {"coin": "BTC", "dailyInterestRate": 0.0005})
            assert {"coin": "BTC", "dailyInterestRate": "0.0005"} == rate
            zero = await post(place, "rates", {"coin": "BTC", "dailyInterestRate": "0"})
            assert "0" == zero["dailyInterestRate"]

    run(test())


def test_the_hash(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            path = f"{SANDBOX}/state-hash"
            before = data_of(await place.http.get(path))
            assert {"stateHash": place.house.engine.state_hash()} == before
            await post(place, "users")
            assert before != data_of(await place.http.get(path))

    run(test())


@pytest.mark.parametrize(
    ("path", "body", "code", "sentence"),
    [
        ("deposits", {}, "40019", "userId"),
        ("deposits", {"userId": "1000001", "coin": "X", "amount": "1"}, "40806", "X"),
        ("deposits", {"userId": "x", "coin": "BTC", "amount": "1"}, "40020", "userId"),
        ("deposits", {"userId": "5", "coin": "BTC", "amount": "1"}, "40807", "account"),
        ("deposits", {"userId": "1000001", "coin": "BTC", "amount": "0"}, "01001", "than 0"),
        ("deposits", {"userId": "1000001", "coin": "BTC", "amount": "-1"}, "40020", "amount"),
        (
            "deposits",
            {"userId": "1000001", "coin": "BTC", "amount": "0.000000001"},
            "50063",
            "eight",
        ),
        ("clock", {}, "40019", "mode"),
        ("clock", {"mode": "fast"}, "40020", "mode"),
        ("clock", {"mode": "scaled"}, "40020", "speed"),
        ("clock", {"mode": "scaled", "speed": "0"}, "01001", "speed"),
        ("clock/advance", {}, "40017", "one of ms and to"),
        ("clock/advance", {"ms": 1, "to": "1"}, "40017", "one of ms and to"),
        ("clock/advance", {"ms": "-1"}, "40020", "ms"),
        ("clock/advance", {"ms": "1.5"}, "40020", "ms"),
        ("clock/advance", {"ms": "999999999999999"}, "40017", "nobody looks"),
        ("clock/advance", {"ms": "9999999999999999"}, "40020", "ms"),
        ("clock/advance", {"to": "tomorrow"}, "40020", "to"),
        ("clock/advance", {"to": "2024-01-01T00:00:00"}, "40020", "to"),
        ("clock/advance", {"to": "2024-01-01T00:00:00+02:00"}, "40020", "to"),
        ("index-prices", {"coin": "BTC"}, "40019", "price"),
        ("index-prices", {"coin": "BTC", "price": "0"}, "01001", "price"),
        ("index-prices", {"coin": "BTC", "price": "-1"}, "40020", "price"),
        ("index-prices", {"coin": "BTC", "price": "NaN"}, "40020", "price"),
        ("index-prices", {"coin": "X", "price": "1"}, "40806", "X"),
        ("rates", {"coin": "BTC"}, "40019", "dailyInterestRate"),
        ("rates", {"coin": "BTC", "dailyInterestRate": "2"}, "40017", "rate"),
        ("rates", {"coin": "BTC", "dailyInterestRate": "1e-20"}, "40020", "dailyInterestRate"),
    ],
)
def test_wishes_that_are_none(
    open_street: OpenStreet, path: str, body: dict[str, object], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        await post(place, "users")
        before = place.house.engine.state_hash()
        found, said = await refused(place, path, body)
        assert code == found
        assert sentence in said
        assert before == place.house.engine.state_hash()

    open_street.run(test)


def test_they_are_absent_from_a_public_venue(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path, sandbox=False) as place:
            for path in ("users", "deposits", "clock", "clock/advance", "index-prices", "rates"):
                answer = await place.http.post(f"{SANDBOX}/{path}", json={})
                assert (404, "40404") == (answer.status_code, fault_in(answer)[0])
            for path in ("clock", "state-hash"):
                assert 404 == (await place.http.get(f"{SANDBOX}/{path}")).status_code

    run(test())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        # What a form of a web page can send, and a name that leads here by another's DNS.
        ({"Content-Type": "text/plain"}, "40007"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "40007"),
        ({"Host": "evil.example"}, "40018"),
        ({"Host": "127.0.0.1.evil.example:8080"}, "40018"),
        ({"Host": "192.168.1.5:8080"}, "40018"),
        ({"Host": ""}, "40018"),
    ],
)
def test_other_pages_do_not_reach_them(
    open_street: OpenStreet, headers: dict[str, str], code: str
) -> None:
    async def test(place: Street) -> None:
        answer = await place.http.post(
            f"{SANDBOX}/users", content=b"{}", headers={**JSON, **headers}
        )
        assert code == fault_in(answer)[0]
        answer = await place.http.get(f"{SANDBOX}/state-hash", headers=headers)
        assert (code == "40018") == (answer.status_code == 403)

    open_street.run(test)


def test_a_body_without_a_type_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            answer = await place.http.post(f"{SANDBOX}/users", content=b"")
            assert (415, "40007") == (answer.status_code, fault_in(answer)[0])

    run(test())


def test_a_server_for_others_asks_for_its_token(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path, token="key to the sandbox") as place:
            # Whoever is far away may call himself what he likes.
            for token in ({}, {"x-lombard-token": "wrong"}, {"x-lombard-token": ""}):
                answer = await place.http.post(
                    f"{SANDBOX}/users", json={}, headers={**token, "Host": "localhost"}
                )
                assert (403, "40014") == (answer.status_code, fault_in(answer)[0])
            far = {"x-lombard-token": "key to the sandbox", "Host": "192.168.1.5:8080"}
            await post(place, "users", **far)
            data_of(await place.http.get(f"{SANDBOX}/clock", headers=far))

    run(test())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST:8080", True),
        ("127.0.0.1", True),
        ("127.8.9.1:80", True),
        ("[::1]", True),
        ("[::1]:8080", True),
        ("", False),
        ("localhost.evil.example", False),
        ("localhost:x", False),
        ("10.0.0.1", False),
        ("[2001:db8::1]:80", False),
        ("evil.example:127.0.0.1", False),
    ],
)
def test_names_of_this_machine(host: str, expected: bool) -> None:
    assert expected == is_this_machine(host)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T00:10:00Z", START_MS),
        ("2024-01-01T00:10:00.000+00:00", START_MS),
        ("2024-01-01T00:10:00.001Z", START_MS + 1),
        (str(MACHINE_MS), MACHINE_MS),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_moments(text: str, expected: int) -> None:
    assert expected == parse_moment(Scene.SPOT, text)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2024-13-01T00:00:00Z", "-5", "x" * 99])
def test_moments_that_are_none(text: str) -> None:
    with pytest.raises(Fault):
        parse_moment(Scene.SPOT, text)
