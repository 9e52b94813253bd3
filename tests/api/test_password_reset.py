"""A password that was lost: an operator hands over a token, its user sets another one, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyotp
import pytest

from lombard.api.errors import Fault
from lombard.api.replays import Replays
from lombard.identity import Permission, passwords
from lombard.identity.resets import RESET_MS
from tests.api.browser import IDENTITY, PASSWORD, Browser, logged_in, trader
from tests.api.house import Client, fault_in, run
from tests.api.office import Office, at, office
from tests.api.test_replays import Captured

NEW = "another horse entirely"
ME = f"{IDENTITY}/me"
RESET = at("users/password-reset")
WRONG = ("40020", "Parameter token error")


class Desk:
    """A trader with a browser, and Ann the operator."""

    def __init__(self, place: Office, user: Browser) -> None:
        self.place = place
        self.house = place.place.house
        self.user = user
        self.ann: Client = place.ann

    async def hand_over(self) -> str:
        """Let Ann make a token."""
        return str((await self.ann.done(RESET, userId=str(self.user.user)))["token"])

    async def refused(self, token: str, password: str = NEW, **more: str) -> tuple[str, str]:
        """Use a token that is not good for it."""
        body = {"token": token, "newPassword": password, **more}
        return await Browser(self.place.place).refused("password-reset", **body)

    async def used(self, token: str, password: str = NEW, **more: str) -> Any:
        """Use a token."""
        body = {"token": token, "newPassword": password, **more}
        return await Browser(self.place.place).done("password-reset", **body)

    async def actions(self, user: int) -> list[tuple[str, str]]:
        """Read what is written down of a user, oldest first."""
        found = await self.house.directory.accounts.audit(user, 0, 100)
        return [(entry.action, entry.detail) for entry in reversed(found)]


@asynccontextmanager
async def desk(path: Path) -> AsyncIterator[Desk]:
    """Open an office with somebody in front of it."""
    async with office(path) as place:
        yield Desk(place, await trader(place.place, "carl@example.org"))


async def device_of(our: Desk) -> tuple[pyotp.TOTP, list[str]]:
    """Set a second device up."""
    await our.user.done("confirm", password=PASSWORD)
    device = pyotp.TOTP((await our.user.done("totp/enrol"))["secret"])
    code = device.generate_otp(our.house.machine_ms // 30_000 - 1)
    return device, (await our.user.done("totp/confirm", code=code))["recoveryCodes"]


def test_a_new_password_by_what_an_operator_hands_over(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            email = our.user.email
            key = await our.house.directory.create_key(our.user.user, Permission.READ)
            other = await logged_in(our.place.place, email)
            made = await our.ann.done(RESET, userId=str(our.user.user))
            assert [email, str(our.user.user), str(our.house.machine_ms + RESET_MS)] == [
                made["email"], made["userId"], made["endsAt"],
            ]  # fmt: skip
            # Nothing has changed before it is used.
            await other.read("me")

            told = await our.used(made["token"])
            assert {"userId": str(our.user.user), "email": email} == told
            for browser in (our.user, other):
                assert "30004" == fault_in(await browser.get(ME))[0]
            wish = {"email": email, "password": PASSWORD}
            assert "40012" == (await Browser(our.place.place).refused("log-in", **wish))[0]
            await Browser(our.place.place).done("log-in", email=email, password=NEW)
            # Keys are for programs: they go on, and their owner may delete them.
            assert our.house.directory.find(key.key) is not None

            assert WRONG == await our.refused(made["token"], "a third horse, brown")
            said = await our.actions(our.user.user)
            operator = our.ann.user
            assert ("password reset made", f"by operator {operator}") in said
            assert ("password reset", "") in said
            assert ("password reset given", f"to {our.user.user}") in await our.actions(operator)

    run(test())


def test_tokens_that_are_good_no_more(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            first = await our.hand_over()
            second = await our.hand_over()
            assert WRONG == await our.refused(first)
            our.house.machine_ms += RESET_MS
            assert WRONG == await our.refused(second)
            # Who remembers the old one after all makes the token void by changing it.
            third = await our.hand_over()
            await our.user.done("password", password=PASSWORD, newPassword=NEW)
            assert WRONG == await our.refused(third)
            assert WRONG == await our.refused("x" * len(third))
            assert WRONG == await our.refused("x")
            assert "40019" == (await our.refused(""))[0]

    run(test())


def test_what_fails_does_not_use_a_token_up(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            device, _ = await device_of(our)
            token = await our.hand_over()
            before = await our.actions(our.user.user)
            for weak in ("short", "carl@EXAMPLE.org", "aaaaaaaaaaaaaaaa"):
                assert "40017" == (await our.refused(token, weak))[0]
            # Who gives the token cannot come in by it: the device is the user's.
            assert ("40019", "Parameter code cannot be empty") == await our.refused(token)
            assert before == await our.actions(our.user.user)
            assert "40020" == (await our.refused(token, code="000000"))[0]
            await our.user.read("me")
            code = device.generate_otp(our.house.machine_ms // 30_000)
            await our.used(token, code=code)
            later = device.generate_otp(our.house.machine_ms // 30_000 + 1)
            browser = Browser(our.place.place)
            await browser.done("log-in", email=our.user.email, password=NEW, code=later)

    run(test())


def test_a_device_that_is_lost_too_goes_with_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            _, codes = await device_of(our)
            accounts = our.house.directory.accounts
            made = await accounts.issue_reset(our.user.email, 0, drops_device=True)
            said = ("password reset made", "at the machine, device removed with it")
            assert said in await our.actions(our.user.user)
            await our.used(made.token)
            browser = Browser(our.place.place)
            me = await browser.done("log-in", email=our.user.email, password=NEW)
            assert False is me["totp"]
            assert codes

    run(test())


def test_one_token_used_twice_at_once_is_used_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            token = await our.hand_over()
            wishes = [f"horse number {number}, red" for number in range(5)]
            answers = await asyncio.gather(
                *(
                    Browser(our.place.place).post(
                        f"{IDENTITY}/password-reset", token=token, newPassword=wish
                    )
                    for wish in wishes
                )
            )
            done = [wish for wish, it in zip(wishes, answers, strict=True) if it.status_code == 200]
            assert 1 == len(done)
            refused = [fault_in(it) for it in answers if it.status_code != 200]
            assert [WRONG] * 4 == refused
            await Browser(our.place.place).done("log-in", email=our.user.email, password=done[0])

    run(test())


def test_guessing_tokens_costs_no_hashes_and_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is looked up by its digest: nothing in how long it takes says how near a guess is."""

    async def test() -> None:
        async with desk(tmp_path) as our:
            token = await our.hand_over()
            hashed: list[str] = []
            monkeypatch.setattr(passwords, "hashed", hashed.append)
            for guess in range(5):
                assert WRONG == await our.refused(f"{guess}" + token[1:-1] + "?")
            code, sentence = await our.refused(token)
            assert ("429", True) == (code, "try again in 60 s" in sentence)
            assert [] == hashed
            refused = [
                entry
                for entry in await our.house.directory.accounts.audit(None, 0, 100)
                if entry.action == "password reset refused"
            ]
            assert 5 == len(refused)
            assert {(None, "")} == {(entry.user, entry.detail) for entry in refused}
            monkeypatch.undo()
            our.house.machine_ms += 60_000
            await our.used(token)

    run(test())


def test_for_whom_an_operator_makes_none(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            # Of another operator's whoever has the machine makes one, and nobody else: two
            # operators are two people.
            for user in ("-1", "-2", "0", "77", "x"):
                assert "40020" == (await our.ann.refused(RESET, userId=user))[0], user
            # Admitted with a key, and never signed up.
            program = await our.place.place.client(USDT="1")
            told = await our.ann.refused(RESET, userId=str(program.user))
            assert ("40807", True) == (told[0], "nobody of this number can log in" in told[1])

    run(test())


def test_a_captured_request_brings_no_second_secret(tmp_path: Path) -> None:
    async def test() -> None:
        async with desk(tmp_path) as our:
            for path, body in [(RESET, {"userId": str(our.user.user)}), (at("users"), {})]:
                wish = Captured(our.ann, path, **body)
                first = (await wish.send()).json()["data"]
                assert first.get("token") or first.get("secretKey")
                before = await our.actions(our.user.user)
                assert "40008" == fault_in(await wish.send())[0]
                assert before == await our.actions(our.user.user)

    run(test())


def test_nor_one_that_the_process_before_may_have_answered() -> None:
    async def test() -> None:
        replays = Replays(lambda: 1_000)

        async def secret(name: bytes) -> tuple[object, bool]:
            replays.forbid(name)
            return "secret", False

        for name, signed_ms in [(b"before", 999), (b"since", 1_000)]:
            told: list[object] = []
            for _ in range(2):
                try:
                    told.append(
                        await replays.once(name, signed_ms, 1_500, lambda: 1, partial(secret, name))
                    )
                except Fault as fault:
                    told.append(fault.code)
            expected = ["40008", "40008"] if name == b"before" else ["secret", "40008"]
            assert expected == told

    run(test())
