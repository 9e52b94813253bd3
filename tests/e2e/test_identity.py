"""People at a real process: sessions outlive kill -9, operators are made beside it, logs clean."""

import http.client
import json
import re
import signal
from pathlib import Path
from typing import Any

from lombard.identity import open_directory
from tests.e2e.sandbox import Sandbox, free_port
from tests.e2e.test_process import QUIET, lombard, started

IDENTITY = "/lombard/v1/identity"
PASSWORD = "correct horse battery"
ASSETS = "/api/v2/spot/account/assets"


class Page:
    """A page of the venue in a browser."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self.csrf_token = ""

    def call(self, method: str, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        """Send what a page sends; return status and parsed body."""
        host = f"127.0.0.1:{self.port}"
        headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if method == "POST":
            headers |= {"Origin": f"http://{host}", "X-CSRF-Token": self.csrf_token}
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            content = json.dumps(body).encode() if method == "POST" else None
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            for cookie in response.headers.get_all("Set-Cookie") or []:
                self.cookie = cookie.split(";")[0]
        finally:
            connection.close()
        data = answer["data"]
        if isinstance(data, dict) and data.get("csrfToken"):
            self.csrf_token = data["csrfToken"]
        return response.status, answer

    def done(self, method: str, path: str, **body: object) -> Any:
        """Return the data of a call that has to succeed."""
        status, answer = self.call(method, path, **body)
        assert (200, "00000") == (status, answer["code"]), answer
        return answer["data"]


def test_a_session_outlives_kill_9_and_the_log_is_clean(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Sandbox(*QUIET, "--log-level", "debug", data=data) as sandbox:
        page = Page(sandbox.port)
        who = {"email": "ann@example.org", "password": PASSWORD}
        made = page.done("POST", f"{IDENTITY}/sign-up", **who)
        page.done("POST", f"{IDENTITY}/log-in", **who)
        page.done("POST", f"{IDENTITY}/confirm", password=PASSWORD)
        key = page.done("POST", f"{IDENTITY}/keys/create", permissions=["read", "trade"])
        sandbox.call("deposits", {"userId": made["userId"], "coin": "USDT", "amount": "100"})
        secrets = [PASSWORD, page.cookie.split("=")[1], page.csrf_token]
        secrets += [key["secretKey"], key["passphrase"]]
        sandbox.process.send_signal(signal.SIGKILL)
        assert sandbox.process.stdout is not None
        printed = sandbox.log + sandbox.process.stdout.read()
        sandbox.process.wait(30)
        sandbox.process.stdout.close()
    assert not [secret for secret in secrets if secret in printed]

    with Sandbox(*QUIET[:4], data=data) as sandbox:
        page.port = sandbox.port
        assert made["userId"] == page.done("GET", f"{IDENTITY}/me")["userId"]
        assert ["100"] == [row["available"] for row in page.done("GET", ASSETS)]
        assert [key["apiKey"]] == [row["apiKey"] for row in page.done("GET", f"{IDENTITY}/keys")]
        # What was confirmed is to be said again.
        status, answer = page.call("POST", f"{IDENTITY}/keys/create", permissions=["read"])
        assert (403, "40025") == (status, answer["code"])
        page.done("POST", f"{IDENTITY}/log-out")
        assert 401 == page.call("GET", f"{IDENTITY}/me")[0]


def test_a_venue_is_closed_unless_it_says_so_and_an_operator_is_made_beside_it(
    tmp_path: Path,
) -> None:
    assert 0 == lombard("init", str(tmp_path / "catalogue.toml"))[0]
    data = tmp_path / "data"
    assert 0 == lombard("init", str(tmp_path / "catalogue.toml"), "--data", str(data))[0]
    config, port = tmp_path / "lombard.toml", free_port()
    text = f'data = "{data}"\n[http]\nport = {port}\n'
    config.write_text(text)
    who = {"email": "ann@example.org", "password": PASSWORD}
    with started("serve", "--config", str(config)):
        status, answer = Page(port).call("POST", f"{IDENTITY}/sign-up", **who)
        assert (403, "40805") == (status, answer["code"])
        code, said = lombard("create-operator", "op@example.org", "--data", str(data))
        assert 0 == code, said
        shown = dict(re.findall(r"^  (\S+) +(\S+)$", said, re.MULTILINE))
        assert 1 == lombard("create-operator", "op@example.org", "--data", str(data))[0]
        page = Page(port)
        wish = {"email": shown["e-mail"], "password": shown["password"]}
        assert "operator" == page.done("POST", f"{IDENTITY}/log-in", **wish)["role"]
        # Over TLS only, and of this host.
        assert page.cookie.startswith("__Host-lombard_session=")
    directory = open_directory(data)
    assert directory.find(shown["apiKey"]) is not None
    directory.close()

    config.write_text(f'{text}[identity]\nsign_up = "open"\nsecure_cookies = false\n')
    with started("serve", "--config", str(config)):
        page = Page(port)
        user = page.done("POST", f"{IDENTITY}/sign-up", **who)["userId"]
        page.done("POST", f"{IDENTITY}/log-in", **who)
        assert user == page.done("GET", f"{IDENTITY}/me")["userId"]
        assert [] == page.done("GET", ASSETS)
