"""People at the door: answers that give nothing away, races, and nothing readable at rest."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pyotp
import pytest

from lombard.identity import (
    CodeNeeded,
    Directory,
    LoggedIn,
    Origin,
    Permission,
    TooManyChecks,
    WrongCode,
    WrongPassword,
    open_directory,
    passwords,
    sessions,
)
from lombard.identity.accounts import HASHES_WAITING_MAX
from lombard.identity.directory import DATABASE_NAME
from lombard.identity.people import Person
from lombard.identity.sessions import HOUR_MS, SESSIONS_MAX
from lombard.identity.vault import VaultError
from tests.api.house import run

EMAIL, PASSWORD = "ann@example.org", "correct horse battery"
HERE = Origin("192.0.2.1", "Browser/1")
NOW_MS = 1_750_000_000_000


class Door:
    """A directory with one user in it, and a clock."""

    def __init__(self, path: Path) -> None:
        self.now_ms = NOW_MS
        self.directory: Directory = open_directory(path, lambda: self.now_ms)
        self.accounts = self.directory.accounts

    async def sign_up(self, email: str = EMAIL, user: int = 7) -> Person:
        person = await self.accounts.sign_up(email, PASSWORD, b"0123456789abcdef")
        return await self.accounts.admit(person, user)

    async def log_in(
        self, password: str = PASSWORD, code: str = "", origin: Origin = HERE
    ) -> LoggedIn:
        person = await self.accounts.check_password(EMAIL, password, origin)
        return await self.accounts.log_in(person, code, origin)

    async def device(self, at: LoggedIn) -> pyotp.TOTP:
        """Set a second device up; its first code is that of the step before."""
        device = pyotp.TOTP((await self.accounts.enrol(at.session)).secret)
        await self.accounts.confirm_totp(at.session, self.code(device, -1), HERE)
        return device

    def code(self, device: pyotp.TOTP, step: int = 0) -> str:
        return device.generate_otp(self.now_ms // 30_000 + step)


def test_an_unknown_user_costs_what_a_wrong_password_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One slow hash of the same kind each, and one line of the log; no clock is looked at here."""
    checked: list[str] = []
    matches = passwords.matches

    def counted(password_hash: str, password: str) -> bool:
        checked.append(password_hash.rsplit("$", 2)[0])
        return matches(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counted)

    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        for email in (EMAIL, "nobody@example.org", ""):
            before, count = len(checked), len(await door.accounts.audit(None, 0, 100))
            with pytest.raises(WrongPassword):
                await door.accounts.check_password(email, "wrong", HERE)
            assert before + 1 == len(checked)
            assert count + 1 == len(await door.accounts.audit(None, 0, 100))
        assert 1 == len(set(checked))
        # What nobody is called is not written down: it may be a password in the wrong place.
        lines = await door.accounts.audit(None, 0, 3)
        assert [None, None, 7] == [line.user for line in lines]
        assert {""} == {line.detail for line in lines}
        door.directory.close()

    run(test())


def test_one_code_at_the_same_time_lets_one_in(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        device = await door.device(await door.log_in())
        with pytest.raises(CodeNeeded):
            await door.log_in()
        code = door.code(device)
        tried = await asyncio.gather(
            *(door.log_in(code=code) for _ in range(5)), return_exceptions=True
        )
        assert 1 == sum(isinstance(each, LoggedIn) for each in tried)
        assert 4 == sum(isinstance(each, WrongCode) for each in tried)
        door.directory.close()

    run(test())


def test_who_logs_in_with_the_old_password_while_it_changes_is_out(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        first = await door.log_in()
        checked = [
            await door.accounts.check_password(EMAIL, PASSWORD, Origin(f"192.0.2.{host}", ""))
            for host in range(8)
        ]
        results = await asyncio.gather(
            *(door.accounts.log_in(person, "", HERE) for person in checked[:4]),
            door.accounts.change_password(first.session, PASSWORD, "a new one, long", "", HERE),
            *(door.accounts.log_in(person, "", HERE) for person in checked[4:]),
            return_exceptions=True,
        )
        renewed = results[4]
        assert isinstance(renewed, LoggedIn)
        late = await asyncio.gather(
            *(door.accounts.log_in(person, "", HERE) for person in checked), return_exceptions=True
        )
        assert all(isinstance(each, WrongPassword) for each in late)
        alive = [
            each
            for each in results
            if isinstance(each, LoggedIn) and door.accounts.find_session(each.token)
        ]
        assert [renewed] == alive
        door.directory.close()

        door = Door(tmp_path)
        assert door.accounts.find_session(renewed.token) is not None
        assert 1 == len(door.accounts.sessions_of(renewed.session))
        door.directory.close()

    run(test())


def test_a_flood_of_log_ins_is_refused_and_programs_do_not_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    matches = passwords.matches

    def slow(password_hash: str, password: str) -> bool:
        assert let_go.wait(60)
        return matches(password_hash, password)

    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        key = await door.directory.create_key(7, Permission.READ)
        monkeypatch.setattr(passwords, "matches", slow)
        more = 10
        attempts = [
            asyncio.ensure_future(
                door.accounts.check_password(EMAIL, "wrong", Origin(f"host {each}", ""))
            )
            for each in range(HASHES_WAITING_MAX + more)
        ]
        while sum(each.done() for each in attempts) < more:
            await asyncio.sleep(0.001)
        # The pool is full: a passphrase is checked all the same, and a session found.
        found = door.directory.find(key.key)
        assert found is not None
        assert not await door.directory.passphrase_is_right(found, b"wrong")
        let_go.set()
        done = await asyncio.gather(*attempts, return_exceptions=True)
        kinds = [type(each) for each in done]
        assert (HASHES_WAITING_MAX, more) == (
            kinds.count(WrongPassword),
            kinds.count(TooManyChecks),
        )
        door.directory.close()

    run(test())


def test_sessions_are_bounded_and_outlive_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        made = []
        for _ in range(SESSIONS_MAX + 3):
            made.append(await door.log_in())
            door.now_ms += 1
        found = [door.accounts.find_session(each.token) is not None for each in made]
        assert [False] * 3 + [True] * SESSIONS_MAX == found
        door.directory.close()

        door = Door(tmp_path)
        found = [door.accounts.find_session(each.token) is not None for each in made]
        assert [False] * 3 + [True] * SESSIONS_MAX == found
        # A restart does not make one younger.
        door.now_ms = NOW_MS + 24 * HOUR_MS + 30
        assert door.accounts.find_session(made[-1].token) is None
        door.directory.close()

    run(test())


def test_a_use_that_cannot_be_written_is_told_and_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        made = await door.log_in()

        def full(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(sessions, "keep_seen", full)
        door.now_ms += HOUR_MS
        assert door.accounts.find_session(made.token) is not None
        door.directory.close()

    run(test())
    written = "".join(capfd.readouterr())
    assert "the use of a session was not written" in written
    assert "no space left" in written


def test_an_operator_s_session_ends_sooner(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        made = await door.directory.create_operator(EMAIL)
        logged_in = await door.log_in(made.password)
        for _ in range(24):
            door.now_ms += HOUR_MS // 2 - 1
            alive = door.accounts.find_session(logged_in.token) is not None
            assert alive == (door.now_ms < NOW_MS + 12 * HOUR_MS)
        door.now_ms = NOW_MS
        logged_in = await door.log_in(made.password)
        door.now_ms += HOUR_MS // 2
        assert door.accounts.find_session(logged_in.token) is None
        door.directory.close()

    run(test())


def test_nothing_at_rest_can_be_read(tmp_path: Path) -> None:
    secrets: list[str] = []

    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        logged_in = await door.log_in()
        enrolment = await door.accounts.enrol(logged_in.session)
        device = pyotp.TOTP(enrolment.secret)
        renewed, codes = await door.accounts.confirm_totp(
            logged_in.session, door.code(device), HERE
        )
        operator = await door.directory.create_operator("op@example.org")
        secrets.extend([PASSWORD, logged_in.token, renewed.token, enrolment.secret, *codes])
        reset = await door.accounts.issue_reset(7, -1)
        secrets.append(reset.token)
        assert reset.token not in repr(reset)
        secrets.extend([operator.password, operator.key.secret, operator.key.passphrase])
        secrets.extend(code.replace("-", "") for code in codes)
        for each in (renewed, renewed.session, await door.accounts.not_admitted(), operator.key):
            assert not [secret for secret in secrets if secret in repr(each)] or each is renewed
        door.directory.close()

    run(test())
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content]


def test_a_lost_key_file_is_missed_for_the_sake_of_devices(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        await door.device(await door.log_in())
        door.directory.close()
        (tmp_path / "identity.key").unlink()
        with pytest.raises(VaultError, match="is missing"):
            open_directory(tmp_path)

    run(test())


def test_a_code_sealed_for_one_user_is_none_of_another_s(tmp_path: Path) -> None:
    async def test() -> None:
        door = Door(tmp_path)
        await door.sign_up()
        await door.sign_up("bob@example.org", 8)
        device = await door.device(await door.log_in())
        door.directory.close()
        with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
            connection.execute(
                "UPDATE users SET (totp_sealed, totp_key_id, totp_confirmed) = "
                "(SELECT totp_sealed, totp_key_id, 1 FROM users WHERE user = 7) WHERE user = 8"
            )
        connection.close()
        door = Door(tmp_path)
        bob = await door.accounts.check_password("bob@example.org", PASSWORD, HERE)
        with pytest.raises(VaultError, match="does not open"):
            await door.accounts.log_in(bob, door.code(device), HERE)
        door.directory.close()

    run(test())
