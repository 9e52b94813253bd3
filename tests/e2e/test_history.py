"""History under SIGKILL, on a file and in PostgreSQL: what it says is what the journal says.

A sandbox is loaded over HTTP while the node, or only the process that writes its history, is
killed. The command line then compares the history with the journal, row by row, makes it again,
and writes a statement, which is added up here.
"""

import csv
import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.e2e.sandbox import LOMBARD, Sandbox
from tests.e2e.test_crash import START, Load, furnish
from tests.history.postgres import Server

SINCE, UNTIL = "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """What the command line is told of where history is."""
    if request.param == "sqlite":
        return []
    server: Server = request.getfixturevalue("server")
    url = server.database(str(tmp_path))
    return ["--history", url.render_as_string(hide_password=False)]


def lombard(*arguments: str) -> str:
    """Run a command that must succeed."""
    done = subprocess.run(
        [str(LOMBARD), *arguments], capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(data: Path, history: list[str], load: Load | None = None) -> Sandbox:
    arguments = ("--clock", "manual", "--market", "none", "--start", START, *history)
    sandbox = Sandbox(*arguments, data=data)
    for user in [] if load is None else load.users:
        user.sandbox = sandbox
    return sandbox


def writer_of(sandbox: Sandbox) -> int:
    """Find the process that writes a node's history: its only child."""
    node = sandbox.process.pid
    children = Path(f"/proc/{node}/task/{node}/children").read_text().split()
    return int(children[0])


def kill_writer(load: Load, sandbox: Sandbox, after_s: float) -> None:
    """Kill the writer under load; the node then stops by itself, and says why."""

    def kill() -> None:
        time.sleep(after_s)
        os.kill(writer_of(sandbox), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    clients = [threading.Thread(target=load._client, args=(f"w{n}",)) for n in range(4)]
    for client in clients:
        client.start()
    killer.join()
    assert 1 == sandbox.process.wait(60)
    assert sandbox.process.stdout is not None
    assert "has ended with signal 9" in sandbox.process.stdout.read()
    sandbox.process.stdout.close()
    for client in clients:
        client.join(60)
        assert not client.is_alive()


@pytest.mark.timeout(300)
def test_killed_under_load_it_says_what_the_journal_says(
    tmp_path: Path, history: list[str]
) -> None:
    data = tmp_path / "data"
    where = ["--data", str(data), *history]
    with start(data, history) as sandbox:
        load = Load(furnish(sandbox), 7)
        kill_writer(load, sandbox, 0.5)
    with start(data, history, load) as sandbox:
        load.run(0.5, sandbox, "k")
    # As the kill left it: perhaps behind the journal, never beside it.
    assert "row by row" in lombard("history", "check", *where)
    with start(data, history, load) as sandbox:
        user = load.users[0].user_id
        told = statement(where, user, "csv", tmp_path / "running.csv")
        sandbox.stop(signal.SIGTERM)
    assert "row by row" in lombard("history", "check", *where)
    assert "again" in lombard("history", "rebuild", *where)
    assert "row by row" in lombard("history", "check", *where)
    assert told == statement(where, user, "parquet", tmp_path / "rebuilt.parquet")


def statement(where: list[str], user: str, form: str, out: Path) -> list[tuple[object, ...]]:
    """Have a statement written, add it up, and return its lines."""
    period = ("--user", user, "--from", SINCE, "--to", UNTIL)
    lombard("statement", *where, *period, "--format", form, "--out", str(out))
    if form == "csv":
        with out.open(newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = parquet.read_table(out).to_pylist()
    amounts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = (row["account"], row["coin"])
        if row["type"] == "opening":
            assert 0 == Decimal(row["balance"])
        elif row["type"] == "closing":
            assert amounts[key] == Decimal(row["balance"])
        else:
            amounts[key] += Decimal(row["amount"])
            assert amounts[key] == Decimal(row["balance"])
    assert {account for account, _ in amounts} == {"spot", "crossed"}
    assert len(rows) > 10
    numbers = ("amount", "fee", "balance")
    return [
        (
            row["account"],
            row["coin"],
            row["type"],
            row["entry"],
            *(Decimal(row[n]) for n in numbers),
        )
        for row in rows
    ]


def test_a_node_goes_on_without_its_database(tmp_path: Path) -> None:
    own = Server()
    try:
        url = own.database("venue").render_as_string(hide_password=False)
        data = tmp_path / "data"
        with start(data, ["--history", url]) as sandbox:
            load = Load(furnish(sandbox), 7)
            user = load.users[0]
            own.stop()
            user.deposit("USDT", "5")
            until = time.monotonic() + 60
            while health(sandbox) != "unreachable":
                assert time.monotonic() < until
                time.sleep(0.1)
            status, answer = user.send("GET", "/api/v2/spot/account/bills")
            assert (503, "40200") == (status, answer["code"])
            status, answer = user.send("GET", "/api/v2/spot/account/assets?coin=USDT")
            assert (200, "100005") == (status, answer["data"][0]["available"])
            assert 0 == sandbox.stop(signal.SIGTERM)
        own.start()
        with start(data, ["--history", url], load) as sandbox:
            assert "ok" == health(sandbox)
            _, answer = user.send("GET", "/api/v2/spot/account/bills")
            assert 5 in [Decimal(row["size"]) for row in answer["data"]]
            assert 0 == sandbox.stop(signal.SIGTERM)
    finally:
        own.close()


def health(sandbox: Sandbox) -> str:
    _, answer = sandbox.request("GET", "/lombard/v1/health", None, {})
    said: str = answer["data"]["history"]
    return said
