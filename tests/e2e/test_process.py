"""The process: one to a directory, drained by SIGTERM, with a sentence for what is wrong."""

import http.client
import json
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lombard.cli.app import app
from tests.e2e.sandbox import LOMBARD, Sandbox, free_port

QUIET = ("--clock", "manual", "--market", "none", "--start", "2024-01-01T00:10:00Z")


def lombard(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command that ends by itself; return its exit code and everything it printed."""
    done = subprocess.run(
        [str(LOMBARD), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        env=os.environ | {"COLUMNS": "200", **environment},
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


@contextmanager
def started(*arguments: str) -> Iterator[list[str]]:
    """Start a command that serves; yield what it printed until it was ready, and stop it."""
    process = subprocess.Popen([str(LOMBARD), *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said: list[str] = []
        while not (said and "Lombard is ready" in said[-1]):
            said.append(process.stdout.readline())
            assert said[-1], said
        yield said
        process.terminate()
        assert 0 == process.wait(30)
    finally:
        process.kill()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(*QUIET, data=tmp_path / "data") as sandbox:
        yield sandbox


def test_a_running_sandbox_keeps_its_directory_and_port(sandbox: Sandbox, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    code, said = lombard("sandbox", "--data", data, "--port", "0", "--market", "none")
    assert (1, True) == (code, f"in use by process {sandbox.process.pid}" in said), said
    code, said = lombard("sandbox", "--port", str(sandbox.port), "--market", "none")
    assert (1, True) == (code, "address already in use" in said), said
    code, said = lombard("doctor", data)
    assert (2, True) == (code, "in use by process" in said), said

    status, answer = sandbox.request("GET", "/lombard/v1/ready", None, {})
    assert (200, "ready") == (status, answer["data"]["status"])


def test_a_backup_is_made_while_it_trades_and_opens_elsewhere(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    user = sandbox.user()
    user.deposit("BTC", "1")
    state_hash = sandbox.state_hash()
    data, copy = str(tmp_path / "data"), tmp_path / "copy"

    code, said = lombard("backup", data, str(copy))
    assert (0, True) == (code, "holds records up to" in said), said
    code, said = lombard("backup", data, str(copy))
    assert (1, True) == (code, "exists already" in said), said
    sandbox.stop()

    assert 0 == lombard("doctor", str(copy))[0]
    with Sandbox(*QUIET, data=copy) as again:
        assert state_hash == again.state_hash()
        # Keys are part of the copy.
        user.sandbox = again
        assert user.get("/api/v2/spot/account/assets?coin=BTC")


def test_sigterm_answers_what_is_under_way_and_leaves_a_snapshot(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    user = sandbox.user()
    sandbox.advance(ms="3600000")
    acknowledged: list[str] = []

    def load() -> None:
        while True:
            try:
                user.deposit("USDT", "1")
            except (OSError, AssertionError, json.JSONDecodeError):
                return
            acknowledged.append("1")

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 20:
        pass
    assert 0 == sandbox.stop(signal.SIGTERM)
    for thread in threads:
        thread.join(10)

    data = tmp_path / "data"
    (snapshot,) = (data / "snapshots").iterdir()
    assert not (data / "journal.sqlite-wal").exists()
    assert not (data / "control.sock").exists()
    with Sandbox(*QUIET, data=data) as again:
        assert f"from the snapshot of record {snapshot.stem}, 0 of them by replay" in again.log
        # The clock of a manual sandbox goes on where it stood.
        assert str(1_704_067_800_000 + 3_600_000) == again.call("clock")["now"]
        user.sandbox = again
        (assets,) = user.get("/api/v2/spot/account/assets?coin=USDT")
        assert float(assets["available"]) >= len(acknowledged)
        user.deposit("BTC", "1")


def test_a_stop_does_not_wait_for_a_clock_put_forward_by_years(sandbox: Sandbox) -> None:
    answers: list[str] = []

    def advance() -> None:
        body = json.dumps({"ms": str(9 * 365 * 86_400_000)}).encode()
        headers = {"Content-Type": "application/json"}
        path = "/lombard/v1/sandbox/clock/advance"
        answers.append(sandbox.request("POST", path, body, headers)[1]["code"])

    before = sandbox.call("clock")["now"]
    thread = threading.Thread(target=advance)
    thread.start()
    while before == sandbox.call("clock")["now"]:
        pass
    assert 0 == sandbox.stop(signal.SIGTERM)
    thread.join(10)
    assert ["40200"] == answers


def writer_of(name: str, node: int) -> int:
    """Find the child of a node that has a file open."""
    for task in Path(f"/proc/{node}/task").iterdir():
        for child in (task / "children").read_text().split():
            files = [os.readlink(each) for each in Path(f"/proc/{child}/fd").iterdir()]
            if any(file.endswith(f"/{name}") for file in files):
                return int(child)
    raise AssertionError(f"nobody has {name} open")


def test_a_failed_write_is_final(sandbox: Sandbox, tmp_path: Path) -> None:
    user = sandbox.user()
    user.deposit("USDT", "1")
    # From here on no file may grow: the journal cannot be written.
    resource.prlimit(
        writer_of("journal.sqlite", sandbox.process.pid), resource.RLIMIT_FSIZE, (1024, 1024)
    )
    status, answer = sandbox.request(
        "POST",
        "/lombard/v1/sandbox/deposits",
        json.dumps({"userId": user.user_id, "coin": "USDT", "amount": "1"}).encode(),
        {"Content-Type": "application/json"},
    )
    assert (503, "40200") == (status, answer["code"])
    assert sandbox.process.stdout is not None
    said = sandbox.process.stdout.read()
    assert 1 == sandbox.process.wait(5)
    assert "could not be written" in said.splitlines()[-1]
    assert "Traceback" not in said
    sandbox.process.stdout.close()

    with Sandbox(*QUIET, data=tmp_path / "data") as again:
        user.sandbox = again
        (assets,) = user.get("/api/v2/spot/account/assets?coin=USDT")
        # The one that failed may be there or not; nothing else.
        assert assets["available"] in ("1", "2")


@pytest.mark.parametrize(
    ("name", "what"), [("history.sqlite", "history"), ("journal.sqlite", "the journal")]
)
def test_a_node_does_not_go_on_without_its_writers(sandbox: Sandbox, name: str, what: str) -> None:
    os.kill(writer_of(name, sandbox.process.pid), signal.SIGKILL)
    assert sandbox.process.stdout is not None
    said = sandbox.process.stdout.read()
    assert 1 == sandbox.process.wait(10)
    sentence = f"The process that writes {what} has ended with signal 9."
    assert sentence in said.splitlines()[-1]
    assert "Traceback" not in said
    sandbox.process.stdout.close()


def test_a_damaged_journal_is_explained(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Sandbox(*QUIET, data=data) as sandbox:
        sandbox.user()
        sandbox.stop()
    journal = data / "journal.sqlite"
    content = bytearray(journal.read_bytes())
    place = content.rindex(b"USDT")
    content[place] ^= 1
    journal.write_bytes(content)
    for snapshot in (data / "snapshots").iterdir():
        snapshot.unlink()

    code, said = lombard("sandbox", "--data", str(data), "--port", "0", "--market", "none")
    assert (1, True) == (code, "of the journal is damaged" in said), said
    code, said = lombard("doctor", str(data))
    assert (1, True) == (code, "damage: Record" in said), said
    assert bytes(content) == journal.read_bytes()


def test_a_venue_is_made_of_a_catalogue_and_served(tmp_path: Path) -> None:
    catalogue, data = tmp_path / "catalogue.toml", tmp_path / "venue"
    config = tmp_path / "lombard.toml"
    port = free_port()
    config.write_text(f'data = "venue"\n[http]\nport = {port}\n')

    code, said = lombard("serve", "--config", str(config))
    assert (1, True) == (code, "holds no venue" in said), said
    assert 0 == lombard("init", str(catalogue))[0]
    catalogue.write_text(catalogue.read_text().replace("leverage = 10", "leverage = 20", 1))
    code, said = lombard("init", str(catalogue), "--data", str(data))
    assert (1, True) == (code, "The terms of BTCUSDT are refused" in said), said
    catalogue.write_text(catalogue.read_text().replace("leverage = 20", "leverage = 10", 1))
    assert 0 == lombard("init", str(catalogue), "--data", str(data))[0]
    code, said = lombard("init", str(catalogue), "--data", str(data))
    assert (1, True) == (code, "has a venue already" in said), said

    limits = "[limits]\nfailures_per_minute = 5\n[limits.per_second]\n"
    plain = config.read_text()
    config.write_text(f'{plain}{limits}"/api/v2/no/such" = 7\n')
    code, said = lombard("serve", "--config", str(config))
    assert (1, True) == (code, "/api/v2/no/such, and no call has this path" in said), said
    config.write_text(
        f'{plain}{limits}"/api/v2/public/time" = 7\n"/api/v2/spot/public/coins" = 0\n'
    )

    with started("serve", "--config", str(config)) as lines:
        assert "Recovered" in lines[0]
        assert f"Lombard is ready: http://127.0.0.1:{port}\n" == lines[-1]
        # A public venue has none of the sandbox's calls.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/lombard/v1/sandbox/clock")
        response = connection.getresponse()
        assert (404, True) == (response.status, bool(response.read()))
        for path, left in (
            ("/api/v2/public/time", "6"),
            ("/api/v2/spot/public/symbols", "19"),
            ("/api/v2/spot/public/coins", None),
        ):
            connection.request("GET", path)
            response = connection.getresponse()
            assert (200, True) == (response.status, bool(response.read()))
            assert left == response.headers["x-mbx-used-remain-limit"]
        connection.close()


def test_a_real_clock_that_began_elsewhere_stays_there(tmp_path: Path) -> None:
    arguments = ("--market", "none", "--start", "2024-01-01T00:10:00Z")
    with Sandbox(*arguments, data=tmp_path) as sandbox:
        sandbox.advance(ms="86400000")
        began = int(sandbox.call("clock")["now"])
        sandbox.stop(signal.SIGKILL)
    with Sandbox(*arguments, data=tmp_path) as sandbox:
        assert "--start does not apply" in sandbox.log
        assert 0 <= int(sandbox.call("clock")["now"]) - began < 60_000


def test_a_sandbox_open_to_others_asks_for_its_token(tmp_path: Path) -> None:
    port = free_port()
    arguments = ["sandbox", *QUIET, "--host", "0.0.0.0", "--port", str(port)]
    with started(*arguments, "--data", str(tmp_path)) as said:
        assert f"Lombard is ready: http://0.0.0.0:{port}\n" == said[-1]
        token = "".join(said).split("X-Lombard-Token: ")[1].split()[0]
        for headers, status in (({}, 403), ({"X-Lombard-Token": token}, 200)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/lombard/v1/sandbox/clock", None, headers)
            assert status == connection.getresponse().status
            connection.close()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("sandbox", "--clock", "fast"), 2, "not 'fast'"),
        (("sandbox", "--clock", "0"), 2, "not '0'"),
        (("sandbox", "--market", "replay:"), 2, "not 'replay:'"),
        (("sandbox", "--start", "yesterday"), 2, "'yesterday' is not a time"),
        (("sandbox", "--start", "1969-12-31"), 2, "'1969-12-31' is not a time"),
        (("sandbox", "--port", "70000"), 2, "Invalid value for '--port'"),
        (("sandbox", "--log-level", "loud"), 2, "'loud' is no level"),
        (("serve", "--config", "no-such-file.toml"), 1, "no-such-file.toml cannot be read"),
        (("init", "no-such-file.toml", "--data", "x"), 1, "There is no no-such-file.toml"),
        (("doctor", "no-such-directory"), 2, "There is no data directory no-such-directory"),
        (("backup", "no-such-directory", "x"), 1, "There is no data directory"),
    ],
)
def test_a_mistake_gets_a_sentence(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    assert (code, True) == (result.exit_code, sentence in result.output), result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--market", "replay:no-such-file.csv"), "no-such-file.csv cannot be read"),
        (("--host", "no.such.host.invalid"), "is unknown"),
        (("--data", "/dev/null/x", "--market", "none"), "/dev/null/x cannot be used"),
    ],
)
def test_what_a_sandbox_cannot_have_gets_a_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    code, said = lombard("sandbox", "--port", "0", *arguments)
    assert (1, True) == (code, sentence in said), said


def test_assertions_stay_on() -> None:
    code, said = lombard("sandbox", PYTHONOPTIMIZE="1")
    assert (1, True) == (code, "does not run under `python -O`" in said), said


def test_the_version_says_which_core_runs() -> None:
    code, said = lombard("version")
    assert (0, True) == (code, "core compiled" in said or "core interpreted" in said), said
