"""The log of a gateway: what went wrong, findable by its id, and nothing that is secret."""

from pathlib import Path

import structlog

from lombard.core.state import Reply
from tests.api.house import Client, fault_in, run, street

BORROW = "/api/v2/margin/crossed/account/borrow"


def test_our_fault_is_logged_under_an_id_and_without_secrets(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()

            async def submit(*_: object) -> Reply:
                # The worst case: an error that quotes all it can lay its hands on.
                raise ValueError(f"{client.key} {client.passphrase} {signature_of(client)}")

            place.house.submit = submit  # type: ignore[method-assign, assignment]
            with structlog.testing.capture_logs() as logged:
                answer = await client.post(BORROW, coin="USDT", borrowAmount="1")
            assert ("40725", "service return an error") == fault_in(answer)
            (line,) = logged
            assert line["request_id"] == answer.headers["x-lombard-request-id"]
            assert ("error", BORROW, "POST") == (line["log_level"], line["path"], line["method"])
            assert "ValueError" in line["trace"]
            assert "[hidden]" in line["trace"]
            for secret in (client.key, client.secret, client.passphrase, signature_of(client)):
                assert secret not in str(line)

    run(test())


def signature_of(client: Client) -> str:
    """Sign what the client signed last."""
    client._timestamp += 1
    body = b'{"coin": "USDT", "borrowAmount": "1"}'
    return client.headers("POST", BORROW, body)["ACCESS-SIGN"]


def test_what_is_the_caller_s_fault_is_not_logged(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            with structlog.testing.capture_logs() as logged:
                assert "50061" == (await client.refused(BORROW, coin=["x"], borrowAmount="1"))[0]
                headers = client.headers("GET", BORROW, b"") | {"ACCESS-PASSPHRASE": "guess"}
                assert 405 == (await place.http.get(BORROW, headers=headers)).status_code
            assert [] == logged

    run(test())
