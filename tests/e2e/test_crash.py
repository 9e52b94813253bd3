"""SIGKILL under load: what was acknowledged is there, once, and history says what the log says.

A real sandbox is loaded over HTTP by concurrent clients, each of whose commands carries a client
id, and killed at a random moment. After the restart every command is sent again: one that was
acknowledged gets the same id, one whose answer was lost is done now if it was not before. What the
log holds is then replayed by itself, and compared with the answers and with history.

`LOMBARD_CRASH_ROUNDS` sets the number of kills (5 by default, 100 in the long form, which
`make test-slow` runs), `LOMBARD_CRASH_SEED` draws other commands and moments.
"""

import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import pytest

from lombard.core import queries
from lombard.core.commands import Borrow, PlaceOrder, Repay, Transfer
from lombard.core.engine import Engine
from lombard.core.events import Borrowed, Event, OrderPlaced, Repaid, Transferred
from lombard.history.projector import Projector
from lombard.journal.lock import hold_directory
from lombard.journal.opening import open_journal
from lombard.journal.recovery import envelopes
from lombard.node.recovery import start_from
from tests.e2e.sandbox import Sandbox, User

ROUNDS = int(os.environ.get("LOMBARD_CRASH_ROUNDS", "5"))
SEED = int(os.environ.get("LOMBARD_CRASH_SEED", "1"))
START = "2024-03-01T00:30:00Z"
USERS = 4
CLIENTS = 8
WAIT_S = 10.0

Sent = tuple[str, dict[str, str]]


class Answer(NamedTuple):
    """What came back for a command: its id, or why it was refused."""

    id: str
    refusal: str


class Load:
    """What was sent by client id, and what was answered; commands drawn from a seed."""

    def __init__(self, users: list[User], seed: int) -> None:
        self.users = users
        self.seed = seed
        self.sent: dict[str, tuple[User, Sent]] = {}
        self.answers: dict[str, Answer] = {}

    def run(self, kill_after_s: float, sandbox: Sandbox, label: str) -> None:
        """Load the sandbox with all clients at once, kill it, and wait for them to notice."""
        threads = [
            threading.Thread(target=self._client, args=(f"{label}-{number}",))
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(kill_after_s)
        sandbox.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()

    def _client(self, label: str) -> None:
        draw = random.Random(f"{self.seed} {label}")
        for number in range(100_000):
            user = draw.choice(self.users)
            client_oid = f"{label}-{number}"
            path, body = draw_command(draw)
            body["clientOid"] = client_oid
            self.sent[client_oid] = (user, (path, body))
            answer = send(user, (path, body))
            if answer is None:
                return
            self.answers[client_oid] = answer


def send(user: User, sent: Sent) -> Answer | None:
    """Send a command; None when the connection broke before the answer."""
    path, body = sent
    try:
        _, answer = user.send("POST", path, body)
    except (OSError, HTTPException, ValueError):
        return None
    if answer["code"] != "00000":
        assert answer["code"] not in ("40725", "50031"), answer
        return Answer("", answer["code"])
    data = answer["data"]
    found = [data[name] for name in ("orderId", "loanId", "repayId", "transferId") if name in data]
    return Answer(found[0], "")


def draw_command(draw: random.Random) -> Sent:
    """Draw a command that is usually possible: sizes are small, so that most are."""
    account = "/api/v2/margin/crossed/account"
    kind = draw.randrange(10)
    coin, amount = draw.choice(
        [("USDT", f"{draw.randint(1, 50)}"), ("BTC", f"0.00{draw.randint(1, 9)}")]
    )
    if kind < 2:
        return f"{account}/borrow", {"coin": coin, "borrowAmount": amount}
    if kind < 4:
        return f"{account}/repay", {"coin": coin, "repayAmount": amount}
    if kind < 6:
        source, target = draw.choice([("spot", "crossed_margin"), ("crossed_margin", "spot")])
        body = {"fromType": source, "toType": target, "coin": coin, "amount": amount}
        return "/api/v2/spot/wallet/transfer", body
    # Around one price, so that some rest and some trade.
    price = 20_000 + draw.randint(-4, 4)
    order = {
        "symbol": "BTCUSDT",
        "side": draw.choice(["buy", "sell"]),
        "orderType": "limit",
        "force": draw.choice(["gtc", "ioc"]),
        "price": str(price),
        "size": f"0.00{draw.randint(1, 9)}",
    }
    if kind < 8:
        return "/api/v2/spot/trade/place-order", order
    order["baseSize"] = order.pop("size")
    order["loanType"] = draw.choice(["normal", "autoLoan", "autoRepay"])
    return "/api/v2/margin/crossed/place-order", order


def furnish(sandbox: Sandbox) -> list[User]:
    """Make users with coins in both accounts."""
    users = [sandbox.user() for _ in range(USERS)]
    for user in users:
        for coin, amount in (("USDT", "200000"), ("BTC", "10")):
            user.deposit(coin, amount)
            half = str(float(amount) / 2)
            user.transfer("spot", "crossed_margin", coin, half)
    return users


def start(directory: Path, users: list[User]) -> Sandbox:
    """Start the sandbox on a directory, and point the users at its port."""
    arguments = ("--clock", "manual", "--market", "none", "--start", START)
    sandbox = Sandbox(*arguments, data=directory)
    for user in users:
        user.sandbox = sandbox
    return sandbox


# --- what the log holds, by itself ---------------------------------------------------------------


class Replay:
    """A copy of a killed node's directory, recovered here: its log is all that is believed."""

    def __init__(self, killed: Path, work: Path) -> None:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(killed, work, ignore=lambda _, names: [n for n in names if ".sock" in n])
        self.engine = Engine()
        self.effects: Counter[str] = Counter()
        self.ids: dict[str, set[int]] = {}
        lock = hold_directory(work)
        try:
            self._recover_with_history(work)
            self._replay_alone(work)
        finally:
            lock.release()
        self.state_hash = self.engine.state_hash()

    def coins_of(self, pair: int) -> tuple[int, int]:
        found = queries.pairs(self.engine.state)[pair]
        return found.base.id, found.quote.id

    def _recover_with_history(self, work: Path) -> None:
        """Recover as a node does: history catches up from where the kill left it."""
        history = Projector(work / "history.sqlite", self.coins_of, _unexpected)
        try:
            start_from(work, self.engine, history, print).journal.close()
        finally:
            history.close()
        self.engine.check()

    def _replay_alone(self, work: Path) -> None:
        """Apply the log from its first record, into a history of its own."""
        by_snapshot = self.engine.state_hash()
        self.engine.state = Engine().state
        journal = open_journal(work).journal
        alone = Projector(work / "alone.sqlite", self.coins_of, _unexpected)
        try:
            for envelope in envelopes(journal, 1):
                reply, events = self.engine.apply(envelope)
                self._note(envelope.command, reply.id, reply.refusal is None, events)
                if not alone.submit(envelope.seq, self.engine.time_ms, events):
                    alone.room_blocking()
        finally:
            alone.close()
            journal.close()
        assert by_snapshot == self.engine.state_hash()
        assert rows_of(work / "alone.sqlite") == rows_of(work / "history.sqlite")

    def _note(self, command: object, reply_id: int, done: bool, events: list[Event]) -> None:
        """Count what each client id came to."""
        client_oid = getattr(command, "client_oid", "")
        if not client_oid:
            return
        if done:
            self.ids.setdefault(client_oid, set()).add(reply_id)
        for event in events:
            match command, event:
                case (
                    (Transfer(), Transferred())
                    | (Borrow(), Borrowed(auto=False))
                    | (PlaceOrder(), OrderPlaced())
                    | (Repay(), Repaid())
                ):
                    self.effects[client_oid] += 1


def _unexpected(failure: BaseException) -> None:
    raise AssertionError(failure)


def rows_of(history: Path) -> dict[str, list[tuple[object, ...]]]:
    """Read every table of a history but its own mark."""
    connection = sqlite3.connect(f"file:{history}?mode=ro", uri=True)
    try:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        )
        tables = [name for (name,) in names if name != "meta"]
        return {
            table: sorted(connection.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
            for table in tables
        }
    finally:
        connection.close()


# --- the test ------------------------------------------------------------------------------------


def check_log(load: Load, replay: Replay) -> None:
    """What was acknowledged is in the log, once, under the id that was told."""
    for client_oid, answer in load.answers.items():
        if answer.id:
            assert {int(answer.id)} == replay.ids.get(client_oid), load.sent[client_oid]
    twice = {client_oid: count for client_oid, count in replay.effects.items() if count > 1}
    assert {} == twice
    assert set(replay.effects) <= set(load.sent)


def ask_again(load: Load, since: set[str]) -> None:
    """Send everything of this round again, and what was acknowledged earlier in part."""
    old = [oid for oid in sorted(load.answers) if oid not in since and load.answers[oid].id]
    again = sorted(since) + random.Random(load.seed).sample(old, min(len(old), 50))
    for client_oid in again:
        user, sent = load.sent[client_oid]
        before = load.answers.get(client_oid)
        if before is not None and before.refusal:
            continue
        answer = send(user, sent)
        assert answer is not None
        if before is not None:
            assert before == answer, sent
        else:
            load.answers[client_oid] = answer


def run_rounds(directory: Path, rounds: int) -> None:
    data, work = directory / "data", directory / "work"
    draw = random.Random(SEED)
    with start(data, []) as sandbox:
        load = Load(furnish(sandbox), SEED)
        sandbox.stop()
    for number in range(rounds):
        with start(data, load.users) as sandbox:
            known = set(load.sent)
            load.run(draw.uniform(0.05, 1.0), sandbox, f"r{number}")
        replay = Replay(data, work)
        check_log(load, replay)
        round_ids = set(load.sent) - known
        with start(data, load.users) as sandbox:
            assert replay.state_hash == sandbox.state_hash()
            ask_again(load, round_ids)
            # Every other start is after a clean stop, which leaves a snapshot.
            sandbox.stop(signal.SIGTERM if number % 2 else signal.SIGKILL)
        print(f"round {number}: {len(round_ids)} commands sent")
    check_log(load, Replay(data, work))
    acknowledged = [client_oid for client_oid, answer in load.answers.items() if answer.id]
    assert len(acknowledged) > rounds * CLIENTS


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_or_done_twice(tmp_path: Path) -> None:
    run_rounds(tmp_path, ROUNDS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_nothing_acknowledged_is_lost_or_done_twice_in_a_hundred_kills(tmp_path: Path) -> None:
    run_rounds(tmp_path, 100)
