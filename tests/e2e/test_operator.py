"""A venue as one runs it: made, served, operated by two; and the guide that tells how."""

import io
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sandbox import LOMBARD, Sandbox, User, free_port
from tests.test_docs import ROOT, blocks_of

GUIDE = ROOT / "docs" / "operating" / "operating-a-venue.md"
OPERATOR = "/lombard/v1/operator"
ENVIRONMENT = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"}


def lombard(place: Path, *arguments: str) -> str:
    """Run a command of the line that must succeed; return what it printed."""
    done = subprocess.run(
        [str(LOMBARD), *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def keys_in(printed: str) -> list[str]:
    """Find an API key as it is shown once."""
    found = re.findall(r"(?:apiKey|secretKey|passphrase) +(\S+)", printed)
    assert 3 == len(found), printed
    return found


class Door(Sandbox):
    """A port of a venue that somebody else has started, for the signing client."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"


class Venue:
    """A venue made by the guide's own commands, and the processes that serve it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.keys: list[list[str]] = []
        self.passwords: list[str] = []
        self.text = GUIDE.read_text("utf-8")
        shell = re.findall(r"```sh\n(.*?)```", self.text, re.DOTALL)
        *making, self.serving = [line for block in shell for line in block.splitlines()]
        for line in making:
            program, *arguments = line.split()
            assert "lombard" == program
            printed = lombard(place, *arguments)
            if arguments[0] == "create-operator":
                self.keys.append(keys_in(printed))
                self.passwords += re.findall(r"password +(\S+)", printed)
        (config,) = re.findall(r"```toml\n(.*?)```", self.text, re.DOTALL)
        self.ports = free_port(), free_port()
        for said, port in zip(("8080", "8090"), self.ports, strict=True):
            assert f"port = {said}" in config
            config = config.replace(f"port = {said}", f"port = {port}")
        (place / "lombard.toml").write_text(config)

    @contextmanager
    def served(self, how: int = signal.SIGTERM) -> Iterator[list[str]]:
        """Serve it, then stop it in a way; yields what was printed until it was ready."""
        program, *arguments = self.serving.split()
        assert "lombard" == program
        process = subprocess.Popen(
            [str(LOMBARD), *arguments],
            cwd=self.place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT,
        )
        assert process.stdout is not None
        printed: list[str] = []
        try:
            for line in process.stdout:
                printed.append(line)
                if "Lombard is ready: " in line:
                    break
            else:
                raise AssertionError("".join(printed))
            # What it logs from here on has to go somewhere: a full pipe would stop it.
            drain = threading.Thread(target=process.stdout.read)
            drain.start()
            yield printed
        except BaseException:
            process.kill()
            process.wait(60)
            raise
        process.send_signal(how)
        code = process.wait(60)
        drain.join(60)
        process.stdout.close()
        assert code == (0 if how == signal.SIGTERM else -how)

    def operator(self, number: int) -> User:
        """Return an operator's signing client."""
        return User(Door(self.ports[1]), str(-number), *self.keys[number - 1])


@pytest.mark.timeout(600)
def test_the_guide_prints_what_it_says(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    spare = [key for keys in venue.keys for key in keys]
    names: dict[str, object] = {}
    printed = []
    with venue.served() as said:
        assert f"Operators are answered at http://127.0.0.1:{venue.ports[1]}\n" in said
        for code, _ in blocks_of(GUIDE):
            while '"..."' in code:
                code = code.replace('"..."', f'"{spare.pop(0)}"', 1)
            for port, free in zip(("8080", "8090"), venue.ports, strict=True):
                code = code.replace(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free}")
            output = io.StringIO()
            with redirect_stdout(output):
                exec(compile(code, str(GUIDE), "exec"), names)
            printed.append(output.getvalue())

    assert [text for _, text in blocks_of(GUIDE)] == printed
    assert [] == spare


def balance_of(ann: User, user: str) -> Any:
    """Read what a user has of USDT in spot."""
    rows = ann.get(f"{OPERATOR}/users/accounts?userId={user}")[0]["balances"]
    return next((row["available"] for row in rows if row["coin"] == "USDT"), "0")


@pytest.mark.timeout(600)
def test_what_waits_for_a_second_operator_outlives_a_crash(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    ann, ben = venue.operator(1), venue.operator(2)
    with venue.served(signal.SIGKILL):
        user = ann.post(f"{OPERATOR}/users")["userId"]
        wish = {"kind": "deposit", "userId": user, "coin": "USDT", "amount": "12.5"}
        asked = ann.post(f"{OPERATOR}/movements", **wish)["movementId"]
        assert "0" == balance_of(ann, user)
    with venue.served(signal.SIGKILL):
        (waiting,) = ben.get(f"{OPERATOR}/movements/pending")
        assert (asked, "-1") == (waiting["movementId"], waiting["operatorId"])
        status, answer = ann.send("POST", f"{OPERATOR}/movements/approve", {"movementId": asked})
        assert (400, "40805") == (status, answer["code"])
        ben.post(f"{OPERATOR}/movements/approve", movementId=asked)
        assert "12.5" == balance_of(ann, user)
    with venue.served():
        status, answer = ben.send("POST", f"{OPERATOR}/movements/approve", {"movementId": asked})
        assert (400, "40805") == (status, answer["code"])
        assert "12.5" == balance_of(ann, user)
        assert ann.get(f"{OPERATOR}/solvency")["balanced"] is True
        # The public port does not know the operators' calls, nor their keys.
        outside = User(Door(venue.ports[0]), "", *venue.keys[0])
        assert "40404" == outside.send("GET", f"{OPERATOR}/coins")[1]["code"]
        status, answer = outside.send("GET", "/api/v2/spot/account/assets")
        assert (400, "40014") == (status, answer["code"])


@pytest.mark.timeout(600)
def test_operators_need_a_port_of_their_own(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    config = (tmp_path / "lombard.toml").read_text()
    same = config.replace(f"port = {venue.ports[1]}", f"port = {venue.ports[0]}")
    (tmp_path / "lombard.toml").write_text(same)

    done = subprocess.run(
        [str(LOMBARD), "serve", "--config", "lombard.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )

    assert 1 == done.returncode
    assert "Operators need a port of their own" in done.stderr + done.stdout
