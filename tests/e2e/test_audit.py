"""The audit log at a real process: sealed in the journal; what is done to it later shows."""

import re
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lombard.cli.doctoring import diagnose
from lombard.identity.directory import DATABASE_NAME
from lombard.journal.doctor import Gravity
from tests.e2e.sandbox import LOMBARD, free_port
from tests.e2e.test_identity import IDENTITY, PASSWORD, Page
from tests.e2e.test_process import lombard

WHO = {"email": "ann@example.org", "password": PASSWORD}
NEW = "another horse entirely"


class Venue:
    """A venue on the disk, and its process while there is one."""

    def __init__(self, path: Path) -> None:
        self.data = path / "data"
        self.config = path / "lombard.toml"
        catalogue = str(path / "catalogue.toml")
        assert 0 == lombard("init", catalogue)[0]
        assert 0 == lombard("init", catalogue, "--data", str(self.data))[0]
        self.port, self.metrics = free_port(), free_port()

    def start(self) -> "subprocess.Popen[str]":
        """Serve it; returns when it is ready, with what it said kept in `said`."""
        self.config.write_text(
            f'data = "data"\n[http]\nport = {self.port}\n'
            f"[metrics]\nport = {self.metrics}\n"
            '[identity]\nsign_up = "open"\nsecure_cookies = false\n'
        )
        process = subprocess.Popen(
            [str(LOMBARD), "serve", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        self.said = ""
        while "Lombard is ready" not in self.said:
            line = process.stdout.readline()
            assert line, self.said
            self.said += line
        return process

    def end(self, process: "subprocess.Popen[str]", kill: bool = False) -> None:
        """Stop the process, as one does or as a crash does."""
        (process.kill if kill else process.terminate)()
        process.communicate(timeout=60)
        assert kill or process.returncode == 0

    def metric(self, name: str) -> float:
        """Read a metric."""
        url = f"http://127.0.0.1:{self.metrics}/metrics"
        text = urllib.request.urlopen(url, timeout=30).read().decode()
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    def tamper(self, *statements: str) -> None:
        """Change the identities' file as somebody does who has it."""
        with sqlite3.connect(self.data / DATABASE_NAME) as connection:
            for statement in (
                "DROP TRIGGER audit_no_update",
                "DROP TRIGGER audit_no_delete",
                *statements,
            ):
                connection.execute(statement)
        connection.close()

    def lines(self) -> int:
        """Count the lines of the log."""
        with sqlite3.connect(self.data / DATABASE_NAME) as connection:
            (count,) = connection.execute("SELECT count(*) FROM audit").fetchone()
        connection.close()
        return int(count)

    def finding(self) -> tuple[Gravity, str]:
        """Say what the doctor finds of the log."""
        found = diagnose(self.data).findings[-1]
        return found.gravity, found.text


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_done_to_the_audit_log_shows(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    process = venue.start()
    page = Page(venue.port)
    page.done("POST", f"{IDENTITY}/sign-up", **WHO)
    # A password that is reset beside the running node, from the command line.
    code, said = lombard("reset-password", "ann@example.org", "--data", str(venue.data))
    assert 0 == code, said
    (token,) = re.findall(r"^  token +(\S+)$", said, re.MULTILINE)
    page.done("POST", f"{IDENTITY}/password-reset", token=token, newPassword=NEW)
    status, answer = page.call("POST", f"{IDENTITY}/password-reset", token=token, newPassword=NEW)
    assert (400, "40020") == (status, answer["code"])
    page.done("POST", f"{IDENTITY}/log-in", email="ann@example.org", password=NEW)
    actions = [row["action"] for row in page.done("GET", f"{IDENTITY}/audit")]
    assert ["logged in", "password reset", "password reset made", "signed up"] == actions
    until(lambda: venue.metric("lombard_audit_sealed_lines") == 5)
    assert 0 == venue.metric("lombard_audit_unsealed_lines")
    assert 0 == venue.metric("lombard_audit_altered")
    copy = tmp_path / "copy"
    code, said = lombard("backup", str(venue.data), str(copy))
    assert 0 == code, said
    venue.end(process, kill=True)

    # Sealed while it ran: a crash leaves nothing to be made up for.
    whole = "The audit log's 5 lines are as they were written; 5 are on record."
    for directory in (venue.data, copy):
        assert (Gravity.FINE, whole) == diagnose(directory).findings[-1]

    # A line changed, and the chain after it not: the start says so, and so does the doctor.
    venue.tamper("UPDATE audit SET address = '' WHERE id = 1")
    process = venue.start()
    assert "Line 1 of the audit log, or one before it, is not as it was written." in venue.said
    assert 1 == venue.metric("lombard_audit_altered")
    venue.end(process)
    code, said = lombard("doctor", str(venue.data))
    assert (1, True) == (code, "damage: Line 1 of the audit log" in said), said
    assert "A node can start here." in said


def test_an_end_that_was_cut_off_shows_for_ever(tmp_path: Path) -> None:
    venue = Venue(tmp_path)
    process = venue.start()
    page = Page(venue.port)
    page.done("POST", f"{IDENTITY}/sign-up", **WHO)
    for _ in range(3):
        page.call("POST", f"{IDENTITY}/log-in", email="ann@example.org", password="wrong")
    venue.end(process)
    # A clean stop has put all of it on record.
    assert venue.finding() == (
        Gravity.FINE, "The audit log's 4 lines are as they were written; 4 are on record.",
    )  # fmt: skip

    venue.tamper("DELETE FROM audit WHERE id > 1")
    assert venue.finding()[1].startswith("The audit log ends at line 1; 4 lines are on record.")
    process = venue.start()
    assert "The audit log ends at line 1; 4 lines are on record." in venue.said
    for _ in range(4):
        Page(venue.port).call("POST", f"{IDENTITY}/log-in", email="a@b.org", password="wrong")
    venue.end(process)
    # It has grown longer than it was. The journal remembers the other one.
    assert venue.lines() > 4
    gravity, text = venue.finding()
    assert (Gravity.DAMAGE, True) == (gravity, "is not what is on record" in text)

    for suffix in ("", "-wal"):
        (venue.data / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
    gravity, text = venue.finding()
    assert (Gravity.DAMAGE, True) == (gravity, "is missing" in text)
