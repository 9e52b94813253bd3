"""Logs: whatever goes wrong while people and programs use what is secret, none of it is written."""

import json
import logging
from pathlib import Path
from typing import Any

import pyotp
import pytest
import structlog

from lombard.api.endpoints import ENDPOINTS
from lombard.api.table import Access
from lombard.identity.store import Store
from tests.api.browser import IDENTITY, PASSWORD, Browser, trader
from tests.api.house import Client, Street, run, street

NEW = "another horse entirely"


async def use_everything(place: Street) -> list[str]:
    """Do all there is with secrets once; returns them."""
    ann = await trader(place)
    secrets = [PASSWORD, NEW, *ann.cookies.values(), ann.csrf_token]
    await ann.done("confirm", password=PASSWORD)
    wish = {"permissions": ["read", "trade", "transfer"], "passphrase": "letters4digits"}
    made = await ann.done("keys/create", **wish)
    secrets += [made["secretKey"], made["passphrase"]]
    enrolment = await ann.done("totp/enrol")
    code = pyotp.TOTP(enrolment["secret"]).generate_otp(place.house.machine_ms // 30_000)
    codes = await ann.done("totp/confirm", code=code)
    secrets += [enrolment["secret"], *codes["recoveryCodes"]]
    secrets += [*ann.cookies.values(), ann.csrf_token]
    client = Client(place.http, ann.user, made["apiKey"], made["secretKey"], made["passphrase"])
    reset = await place.house.directory.accounts.issue_reset(ann.user, 0)
    secrets += [reset.token]
    await fail_everywhere(place, ann, client, reset.token)
    return secrets


async def fail_everywhere(place: Street, ann: Browser, client: Client, token: str) -> None:
    """Call every endpoint while node, history or file of identities are broken."""

    def broken(*_args: object, **_more: object) -> Any:
        raise KeyError("internal")

    place.house.stopped = KeyError("internal")
    change, read = Store.change, Store.read
    try:
        for _ in range(2):
            for row in ENDPOINTS:
                if row.access is Access.SESSION and row.path != f"{IDENTITY}/log-out":
                    body = {"password": PASSWORD, "newPassword": NEW, "code": "123456"}
                    content = json.dumps({**body, "permissions": ["read"]}).encode()
                    await ann.send(row.method, row.path, content if row.method == "POST" else b"")
                elif row.access is Access.ENTRY:
                    sent = {"email": ann.email, "password": PASSWORD, "code": "123456"}
                    await ann.post(row.path, **sent, token=token, newPassword=NEW)
                elif row.method == "POST":
                    await client.post(row.path, coin="USDT", symbol="BTCUSDT", borrowAmount="4")
            Store.change = broken  # type: ignore[method-assign]
            Store.read = broken  # type: ignore[method-assign]
    finally:
        Store.change, Store.read = change, read  # type: ignore[method-assign]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_log_has_a_secret(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    as_json: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    secrets: list[str] = []

    async def test() -> None:
        async with street(tmp_path) as place:
            secrets.extend(await use_everything(place))

    try:
        run(test())
    finally:
        structlog.configure(**before)
    written = "".join(capfd.readouterr()) + caplog.text
    # It was logged that things went wrong, and where.
    assert written.count("internal") > 10
    assert f"{IDENTITY}/log-in" in written
    assert len(set(secrets)) > 18
    for secret in secrets:
        assert secret not in written
        assert secret.replace("-", "") not in written
    # Nor hashes of them, nor parts of cookies.
    assert "$argon2" not in written
    assert "lombard_session=" not in written
