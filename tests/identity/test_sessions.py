"""Sessions and codes over time: a model says who is let in, and the real one agrees.

The clock is the test's. It only goes forward here, by anything from a moment to a day.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pyotp
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lombard.identity import LoggedIn, Origin, WrongCode, open_directory
from lombard.identity.backoff import Backoff
from lombard.identity.keys import Role
from lombard.identity.sessions import (
    CONFIRMED_MS,
    IDLE_MS,
    KEPT_BEHIND_MS,
    LIFE_MS,
    SESSIONS_MAX,
    csrf_token_of,
)

T = TypeVar("T")
EMAIL, PASSWORD = "ann@example.org", "correct horse battery"
HERE = Origin("192.0.2.1", "Browser/1")
IDLE, LIFE = IDLE_MS[Role.TRADER], LIFE_MS[Role.TRADER]
STEPS = st.sampled_from([0, 1, 1_000, 29_999, 30_000, KEPT_BEHIND_MS, CONFIRMED_MS - 1])
LONG = st.sampled_from([CONFIRMED_MS, IDLE // 2, IDLE - 1, IDLE, LIFE - IDLE, LIFE])


class Expected(NamedTuple):
    """What the model knows of a session; `kept_ms` is what a restart knows of `seen_ms`."""

    created_ms: int
    seen_ms: int
    kept_ms: int
    confirmed_ms: int | None

    def lives(self, now_ms: int) -> bool:
        return now_ms < min(self.seen_ms + IDLE, self.created_ms + LIFE)


class Visits(RuleBasedStateMachine):
    """One user with a second device, and browsers that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1_750_000_000_000
        self.loop = asyncio.new_event_loop()
        self.path = tempfile.TemporaryDirectory()
        self.model: dict[str, Expected] = {}
        self.all: dict[str, LoggedIn] = {}
        self.used = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def open(self) -> None:
        self.directory = open_directory(Path(self.path.name), lambda: self.now_ms)
        self.accounts = self.directory.accounts

    @initialize()
    def begin(self) -> None:
        self.open()
        person = self.do(self.accounts.sign_up(EMAIL, PASSWORD, bytes(16)))
        self.person = self.do(self.accounts.admit(person, 7))
        first = self.do(self.accounts.log_in(self.person, "", HERE))
        enrolment = self.do(self.accounts.enrol(first.session))
        self.device = pyotp.TOTP(enrolment.secret)
        self.used = self.now_ms // 30_000
        code = self.device.generate_otp(self.used)
        renewed, _ = self.do(self.accounts.confirm_totp(first.session, code, HERE))
        self.all[first.token] = first
        self.know(renewed)

    def know(self, made: LoggedIn) -> None:
        self.all[made.token] = made
        self.model[made.token] = Expected(self.now_ms, self.now_ms, self.now_ms, None)

    def living(self) -> list[str]:
        return [token for token, each in self.model.items() if each.lives(self.now_ms)]

    @rule(step_ms=STEPS)
    def time_passes(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule(step_ms=LONG)
    def much_time_passes(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule(offset=st.integers(-2, 2))
    def log_in(self, offset: int) -> None:
        """A code is good around its time, and if it is later than the last that was."""
        # How attempts are counted is not what this is about.
        self.accounts._backoff = Backoff()
        step = self.now_ms // 30_000 + offset
        person = self.do(self.accounts.check_password(EMAIL, PASSWORD, HERE))
        try:
            made = self.do(self.accounts.log_in(person, self.device.generate_otp(step), HERE))
        except WrongCode:
            assert not (abs(offset) <= 1 and step > self.used)
            return
        assert abs(offset) <= 1
        assert step > self.used
        self.used = step
        for token in self.living()[: -(SESSIONS_MAX - 1)]:
            del self.model[token]
        self.know(made)

    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """A token is known while its session lives, and never again."""
        token = data.draw(st.sampled_from(sorted(self.all)))
        session = self.accounts.find_session(token)
        known = self.model.get(token)
        if known is None or not known.lives(self.now_ms):
            assert session is None
            self.model.pop(token, None)
            return
        assert session is not None
        kept_ms = self.now_ms if self.now_ms - known.kept_ms >= KEPT_BEHIND_MS else known.kept_ms
        self.model[token] = known._replace(seen_ms=self.now_ms, kept_ms=kept_ms)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(sorted(self.living())))
        session = self.all[token].session
        own = [each for each in self.accounts.sessions_of(session) if each.id == session.id]
        self.do(self.accounts.end(own, "logged out", HERE.address))
        del self.model[token]

    @precondition(lambda self: self.living())
    @rule(data=st.data(), offset=st.integers(-2, 2))
    def confirm(self, data: st.DataObject, offset: int) -> None:
        self.accounts._backoff = Backoff()
        token = data.draw(st.sampled_from(sorted(self.living())))
        session = self.accounts.find_session(token)
        assert session is not None
        known = self.model[token]
        kept_ms = self.now_ms if self.now_ms - known.kept_ms >= KEPT_BEHIND_MS else known.kept_ms
        known = known._replace(seen_ms=self.now_ms, kept_ms=kept_ms)
        step = self.now_ms // 30_000 + offset
        is_good = abs(offset) <= 1 and step > self.used
        try:
            self.do(self.accounts.confirm(session, "", self.device.generate_otp(step), HERE))
            assert is_good
            self.used, known = step, known._replace(confirmed_ms=self.now_ms)
        except WrongCode:
            assert not is_good
        self.model[token] = known
        expected = (
            known.confirmed_ms is not None and self.now_ms - known.confirmed_ms < CONFIRMED_MS
        )
        assert expected == self.accounts.is_confirmed(session)

    @rule()
    def restart(self) -> None:
        """What was used is at most a minute behind; what was confirmed is to be said again."""
        self.directory.close()
        self.open()
        for token, known in self.model.items():
            self.model[token] = known._replace(seen_ms=known.kept_ms, confirmed_ms=None)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def change_password(self, data: st.DataObject) -> None:
        self.accounts._backoff = Backoff()
        step = self.now_ms // 30_000
        if step <= self.used:
            return
        token = data.draw(st.sampled_from(sorted(self.living())))
        session = self.all[token].session
        code = self.device.generate_otp(step)
        renewed = self.do(self.accounts.change_password(session, PASSWORD, PASSWORD, code, HERE))
        self.used = step
        self.model.clear()
        self.know(renewed)

    @invariant()
    def the_list_is_right(self) -> None:
        if self.all:
            session = next(iter(self.all.values())).session
            listed = {each.digest for each in self.accounts.sessions_of(session)}
            assert {self.all[token].session.digest for token in self.living()} == listed
            assert len(listed) <= SESSIONS_MAX

    def teardown(self) -> None:
        self.directory.close()
        self.loop.close()
        self.path.cleanup()


def test_who_is_let_in_over_time() -> None:
    examples = max(15, settings.default.max_examples // 10 if settings.default else 15)
    run_state_machine_as_test(
        Visits, settings=settings(max_examples=min(examples, 60), stateful_step_count=30)
    )


def test_the_token_of_pages_is_the_session_s() -> None:
    tokens = {csrf_token_of(token) for token in ("a", "b", "")}
    assert (3, {64}) == (len(tokens), {len(token) for token in tokens})
    assert csrf_token_of("a") == csrf_token_of("a")
