"""A real `lombard sandbox` process on a free port, and a small signing client of its own.

The client shares no code with the venue: what it signs is what reference clients sign.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

READY_SECONDS = 30
# The command as it is installed beside the interpreter of the tests.
LOMBARD = Path(sys.executable).parent / "lombard"


# Below those that the kernel gives to connections, which end in the way of who listens later.
PORTS: Final = count(12_000 + os.getpid() % 4_000 * 4, 4)


def free_port() -> int:
    """Return a port nobody listens on now, as nobody does on the next."""
    while True:
        port = 12_000 + next(PORTS) % 20_000
        try:
            for each in (port, port + 1):
                with socket.socket() as listener:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    listener.bind(("127.0.0.1", each))
        except OSError:
            continue
        return port


class Sandbox:
    """A running sandbox. `log` has what it printed until it was ready."""

    def __init__(self, *arguments: str, data: Path | None = None) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        command = [str(LOMBARD), "sandbox", "--port", str(self.port), "--operator-port", "0"]
        if data is not None:
            command += ["--data", str(data)]
        started = time.monotonic()
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )
        self.log = self._wait_until_ready()
        found = re.search(r"WebSocket: (ws://\S+)", self.log)
        assert found is not None, self.log
        self.socket_address = found.group(1)
        found = re.search(r"console: (\S+)\n +e-mail +(\S+)\n +password +(\S+)", self.log)
        assert found is not None, self.log
        # Where operators come in, and as whom.
        self.office, self.operator = found.group(1), (found.group(2), found.group(3))
        self.ready_seconds = time.monotonic() - started

    def _wait_until_ready(self) -> str:
        printed = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            printed += line
            if f"Lombard is ready: {self.address}" in line:
                return printed
        raise AssertionError(f"the sandbox did not start: {printed}")

    def call(self, path: str, body: object = None) -> Any:
        """Call one of the sandbox's own endpoints; return its data."""
        status, answer = self.request(
            "GET" if body is None else "POST",
            f"/lombard/v1/sandbox/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        assert (status, answer["code"]) == (200, "00000"), answer
        return answer["data"]

    def request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        """Send a request as it is; return status and parsed body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def user(self) -> "User":
        """Make a user with an API key of every permission."""
        keys = self.call("users", {})
        return User(self, keys["userId"], keys["apiKey"], keys["secretKey"], keys["passphrase"])

    def advance(self, **how: object) -> None:
        """Let exchange time pass: `ms` or `to`."""
        self.call("clock/advance", how)

    def state_hash(self) -> str:
        """Return the state hash."""
        data = self.call("state-hash")
        found = re.search("[0-9a-f]{64}", json.dumps(data))
        assert found is not None, data
        return found.group()

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End the process; return its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)


class User:
    """A user of the sandbox, signing as the dialect asks."""

    def __init__(
        self, sandbox: Sandbox, user_id: str, key: str, secret: str, passphrase: str
    ) -> None:
        self.sandbox = sandbox
        self.user_id = user_id
        self.key, self.secret, self.passphrase = key, secret, passphrase

    def deposit(self, coin: str, amount: str) -> None:
        """Receive coins from nowhere."""
        body = {"userId": self.user_id, "coin": coin, "amount": amount}
        self.sandbox.call("deposits", body)

    def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a signed request; return status and parsed body."""
        text = "" if body is None else json.dumps(body)
        stamp = str(time.time_ns() // 1_000_000)
        prehash = stamp + method + path + text
        digest = hmac.new(self.secret.encode(), prehash.encode(), hashlib.sha256).digest()
        headers = {
            "ACCESS-KEY": self.key,
            "ACCESS-SIGN": base64.b64encode(digest).decode(),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": self.passphrase,
            "Content-Type": "application/json",
        }
        return self.sandbox.request(method, path, text.encode() if text else None, headers)

    def post(self, path: str, **body: object) -> Any:
        """Send a signed POST that must succeed; return its data."""
        status, answer = self.send("POST", path, body)
        assert (status, answer["code"]) == (200, "00000"), answer
        return answer["data"]

    def get(self, path: str) -> Any:
        """Send a signed GET that must succeed; return its data."""
        status, answer = self.send("GET", path)
        assert (status, answer["code"]) == (200, "00000"), answer
        return answer["data"]

    def transfer(self, source: str, target: str, coin: str, amount: str, **more: str) -> Any:
        """Move coins between the user's own accounts."""
        return self.post(
            "/api/v2/spot/wallet/transfer",
            fromType=source,
            toType=target,
            coin=coin,
            amount=amount,
            **more,
        )
