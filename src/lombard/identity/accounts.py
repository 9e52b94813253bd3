"""People at the door: signing up, logging in, sessions, passwords and second devices.

Every answer to a wrong log-in is the same, and takes as long, whether there is such a user or not.
What is written is durable before it is answered, and the audit log is in the same transaction.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar, final

import sqlalchemy as sa
import structlog

from lombard.identity import passwords, people, resets, sessions, totp
from lombard.identity.audit import Entry, Seal, entries, fault, head, note
from lombard.identity.backoff import Backoff
from lombard.identity.keys import Role
from lombard.identity.outcomes import (
    CodeNeeded,
    Enrolment,
    LoggedIn,
    Origin,
    TotpState,
    UnknownUser,
    WeakPassword,
    WrongCode,
    WrongPassword,
    WrongToken,
)
from lombard.identity.people import Person
from lombard.identity.pool import HashPool
from lombard.identity.resets import RESET_MS, NewReset, Reset
from lombard.identity.schema import RECOVERY_CODES
from lombard.identity.sessions import Session, SessionBook
from lombard.identity.store import Store
from lombard.identity.tickets import TicketBook
from lombard.identity.vault import Vault

HASH_WORKERS: Final = 1
HASHES_WAITING_MAX: Final = 32
T = TypeVar("T")
_LOG: Final = structlog.get_logger("lombard.identity")


@final
class Accounts:
    """The users of a venue. Called in the event loop's thread only."""

    def __init__(self, store: Store, vault: Vault, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._vault = vault
        self._now_ms = now_ms
        self._hashes = HashPool(HASH_WORKERS, HASHES_WAITING_MAX, "passwords")
        self._sql = ThreadPoolExecutor(1, thread_name_prefix="accounts")
        self._backoff = Backoff()
        self._book = SessionBook(store)
        self._tickets = TicketBook()
        # The hash of no password: what a user who does not exist is checked against.
        self._nobody = ""

    # --- users -----------------------------------------------------------------------------------

    async def sign_up(self, email: str, password: str, admission: bytes) -> Person:
        """Add a trader, to be admitted by the state machine. Raises `EmailTaken`."""
        password_hash = await self._hashes.run(lambda: passwords.hashed(password))
        now_ms = self._now_ms()
        return await self._change(
            lambda sql: people.add(sql, Role.TRADER, email, password_hash, admission, now_ms)
        )

    async def not_admitted(self) -> list[Person]:
        """List those whom the state machine has not admitted as far as is known here."""
        return await self._run(lambda: self._store.read(people.not_admitted))

    async def admit(self, person: Person, user: int, address: str = "") -> Person:
        """Keep the number that the state machine gave; doing it again changes nothing."""

        def work(sql: sa.Connection) -> Person:
            found = people.find_id(sql, person.id)
            assert found is not None
            if found.user is None:
                people.change(sql, person.id, user=user)
                note(sql, self._now_ms(), user, "signed up", "", address)
                found = found._replace(user=user)
            return found

        return await self._change(work)

    # --- logging in ------------------------------------------------------------------------------

    async def check_password(self, email: str, password: str, origin: Origin) -> Person:
        """Return the user whose password this is.

        Raises `WrongPassword`, `TooManyFailures`, `TooManyChecks`.
        """
        self._backoff.attempt((email, origin.address), self._now_ms())
        person = await self._run(
            lambda: self._store.read(lambda sql: people.find_email(sql, email))
        )
        if not await self._hashes.run(lambda: self._matches(person, password)):
            await self._note_failure(person, "log-in failed", origin.address)
            raise WrongPassword
        assert person is not None
        self._backoff.clear((email, origin.address))
        return person

    async def log_in(self, person: Person, code: str, origin: Origin) -> LoggedIn:
        """Begin a session of somebody whose password was right.

        Raises `CodeNeeded`, `WrongCode`, `TooManyFailures`.
        """
        if person.totp_confirmed and not code:
            raise CodeNeeded
        if person.totp_confirmed:
            await self._use_code(person.id, code, origin.address)
        now_ms = self._now_ms()
        session, token = sessions.begin(person, now_ms, *origin)
        excess = self._book.excess(person.id, now_ms)

        def work(sql: sa.Connection) -> None:
            found = people.find_id(sql, person.id)
            # Changed since it was checked: what was checked counts no more.
            if found is None or _locks(found) != _locks(person):
                raise WrongPassword
            sessions.delete_old(sql, now_ms)
            sessions.delete(sql, excess)
            sessions.insert(sql, session)
            note(sql, now_ms, session.user, "logged in", session.id, origin.address)

        await self._change(work)
        self._book.drop(excess)
        self._book.add(session)
        return LoggedIn(session, token)

    # --- sessions --------------------------------------------------------------------------------

    def find_session(self, token: str) -> Session | None:
        """Look a session up by the token of its browser; None when it has ended."""
        now_ms = self._now_ms()
        session = self._book.find(token, now_ms)
        if session is not None and now_ms - session.kept_ms >= sessions.KEPT_BEHIND_MS:
            session.kept_ms = now_ms
            digest = session.digest
            written = self._sql.submit(
                self._store.change, lambda sql: sessions.keep_seen(sql, digest, now_ms)
            )
            # Nobody waits for it: a session that ends too soon is no more than a nuisance.
            written.add_done_callback(_tell_failure)
        return session

    def is_live(self, session: Session) -> bool:
        """Say whether a session has not ended."""
        return self._book.is_live(session, self._now_ms())

    def issue_ticket(self, session: Session) -> tuple[str, int]:
        """Make what a session's page logs in with at the WebSocket; also says when it ends."""
        return self._tickets.issue(session, self._now_ms())

    def redeem_ticket(self, ticket: str) -> Session | None:
        """Take a ticket and return its session; None when either is good no more."""
        session = self._tickets.redeem(ticket, self._now_ms())
        return session if session is not None and self.is_live(session) else None

    def sessions_of(self, session: Session) -> list[Session]:
        """List the live sessions of a session's user, oldest first."""
        return self._book.of(session.owner, self._now_ms())

    async def end(self, chosen: list[Session], why: str, address: str) -> None:
        """End sessions of one user: at once, and for ever when this returns."""
        self._book.drop(chosen)

        def work(sql: sa.Connection) -> None:
            sessions.delete(sql, chosen)
            for session in chosen:
                note(sql, self._now_ms(), session.user, why, session.id, address)

        await self._change(work)

    async def confirm(self, session: Session, password: str, code: str, origin: Origin) -> None:
        """Let a session's owner prove again who they are: with a code, if they have a device.

        Raises `WrongPassword`, `CodeNeeded`, `WrongCode`, `TooManyFailures`.
        """
        person = await self._person(session)
        if not person.totp_confirmed:
            await self.check_password(session.email, password, origin)
        elif not code:
            raise CodeNeeded
        else:
            await self._use_code(person.id, code, origin.address)
        session.confirmed_ms = self._now_ms()

    def is_confirmed(self, session: Session) -> bool:
        """Say whether a session's owner has done so a short while ago."""
        return session.is_confirmed(self._now_ms())

    async def change_password(
        self, session: Session, old: str, new: str, code: str, origin: Origin
    ) -> LoggedIn:
        """Change the password; all sessions of the user end, and a new one begins.

        Raises what `check_password` and `log_in` raise.
        """
        person = await self.check_password(session.email, old, origin)
        if person.totp_confirmed and not code:
            raise CodeNeeded
        if person.totp_confirmed:
            await self._use_code(person.id, code, origin.address)
        password_hash = await self._hashes.run(lambda: passwords.hashed(new))

        def write(sql: sa.Connection) -> None:
            people.change(sql, person.id, password_hash=password_hash)
            resets.void(sql, person.id)

        return await self._renew(person, "password changed", origin, write)

    async def issue_reset(
        self, who: int | str, by: int, drops_device: bool = False, address: str = ""
    ) -> NewReset:
        """Make what somebody sets a new password with: a user's number or e-mail address says who.

        `by` is the operator who does it, 0 for whoever has the machine. An earlier one is void.
        Raises `UnknownUser`.
        """
        now_ms = self._now_ms()

        def work(sql: sa.Connection) -> NewReset:
            if isinstance(who, int):
                person = people.find_user(sql, who)
            else:
                person = people.find_email(sql, who)
            if person is None:
                raise UnknownUser
            token = resets.issue(sql, person.id, now_ms + RESET_MS, drops_device)
            maker = f"by operator {by}" if by else "at the machine"
            device = ", device removed with it" if drops_device else ""
            note(sql, now_ms, person.user, "password reset made", maker + device, address)
            if by:
                note(sql, now_ms, by, "password reset given", f"to {person.user}", address)
            return NewReset(person.user, person.email, token, now_ms + RESET_MS)

        return await self._change(work)

    async def reset_password(self, token: str, new: str, code: str, origin: Origin) -> Person:
        """Set a new password with what an operator handed over; all sessions of the user end.

        Where there is a second device its code is asked for, unless the reset is of that too.
        Raises `WrongToken`, `WeakPassword`, `CodeNeeded`, `WrongCode`, `TooManyFailures`,
        `TooManyChecks`.
        """
        self._backoff.attempt(("reset", origin.address), self._now_ms())
        found = await self._run(lambda: self._store.read(lambda sql: self._reset(sql, token)))
        if found is None:
            await self._note_failure(None, "password reset refused", origin.address)
            raise WrongToken
        self._backoff.clear(("reset", origin.address))
        reset, person = found
        weak = passwords.weakness(new, person.email)
        if weak:
            raise WeakPassword(weak)
        if person.totp_confirmed and not reset.drops_device:
            if not code:
                raise CodeNeeded
            await self._use_code(person.id, code, origin.address)
        password_hash = await self._hashes.run(lambda: passwords.hashed(new))

        def work(sql: sa.Connection) -> None:
            # Used, or replaced by another, since it was looked up: then it is good no more.
            later = self._reset(sql, token)
            if later is None or later[0] != reset or _locks(later[1]) != _locks(person):
                raise WrongToken
            people.change(sql, person.id, password_hash=password_hash)
            if reset.drops_device:
                _drop_device(sql, person.id)
            resets.void(sql, person.id)
            sessions.delete_of(sql, person.id)
            note(sql, self._now_ms(), person.user, "password reset", "", origin.address)

        await self._change(work)
        # Whoever logged in before that was written is known by now, and goes as well.
        self._book.drop(self._book.of(person.id, self._now_ms()))
        return person

    # --- the second device -----------------------------------------------------------------------

    async def has_totp(self, session: Session) -> bool:
        """Say whether a session's user has a second device."""
        return (await self._person(session)).totp_confirmed

    async def enrol(self, session: Session) -> Enrolment:
        """Make the secret of a second device, in force when its first code was shown.

        Raises `TotpState` when there is one already.
        """
        secret = totp.new_secret()
        key_id, sealed = self._vault.seal(secret.encode(), _device(session.owner))

        def work(sql: sa.Connection) -> None:
            if _must(people.find_id(sql, session.owner)).totp_confirmed:
                raise TotpState
            people.change(sql, session.owner, totp_key_id=key_id, totp_sealed=sealed, totp_step=0)

        await self._change(work)
        return Enrolment(secret, totp.uri(secret, session.email))

    async def confirm_totp(
        self, session: Session, code: str, origin: Origin
    ) -> tuple[LoggedIn, list[str]]:
        """Put a second device in force by its first code; returns the recovery codes.

        All sessions of the user end, and a new one begins. Raises `TotpState`, `WrongCode`.
        """
        person = await self._person(session)
        if person.totp_confirmed or person.totp_sealed is None:
            raise TotpState
        await self._use_code(person.id, code, origin.address)
        codes = totp.new_recovery_codes()

        def write(sql: sa.Connection) -> None:
            people.change(sql, person.id, totp_confirmed=True)
            _replace_recovery(sql, person.id, codes)

        return await self._renew(person, "second device set up", origin, write), codes

    async def remove_totp(self, session: Session, origin: Origin) -> LoggedIn:
        """Do without a second device. Raises `TotpState` when there is none."""
        person = await self._person(session)
        if not person.totp_confirmed:
            raise TotpState

        return await self._renew(
            person, "second device removed", origin, lambda sql: _drop_device(sql, person.id)
        )

    async def renew_recovery(self, session: Session, address: str) -> list[str]:
        """Make new recovery codes; the old ones are void. Raises `TotpState`."""
        if not await self.has_totp(session):
            raise TotpState
        codes = totp.new_recovery_codes()

        def work(sql: sa.Connection) -> None:
            _replace_recovery(sql, session.owner, codes)
            note(sql, self._now_ms(), session.user, "recovery codes made", "", address)

        await self._change(work)
        return codes

    # --- the audit log ---------------------------------------------------------------------------

    async def audit(self, user: int | None, before: int, limit: int) -> list[Entry]:
        """Read the audit log, newest first: of one user, or all of it."""
        return await self._run(
            lambda: self._store.read(lambda sql: entries(sql, user, before, limit))
        )

    async def tell(self, what: str, detail: str) -> None:
        """Write a line about the venue itself into the audit log."""
        await self._change(lambda sql: note(sql, self._now_ms(), None, what, detail))

    async def audit_head(self) -> Seal:
        """Say up to which line the audit log goes, and that line's digest."""
        return await self._run(lambda: self._store.read(head))

    async def audit_fault(self, seal: Seal) -> str:
        """Hold the audit log against what is on record of it; empty when it is as it was."""
        return await self._run(lambda: self._store.read(lambda sql: fault(sql, [seal])))

    def close(self) -> None:
        """Finish what is under way."""
        self._hashes.close()
        self._sql.shutdown()

    # --- how -------------------------------------------------------------------------------------

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._sql, work)

    async def _change(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._run(lambda: self._store.change(work))

    async def _person(self, session: Session) -> Person:
        return _must(
            await self._run(
                lambda: self._store.read(lambda sql: people.find_id(sql, session.owner))
            )
        )

    def _reset(self, sql: sa.Connection, token: str) -> tuple[Reset, Person] | None:
        reset = resets.find(sql, token, self._now_ms())
        return None if reset is None else (reset, _must(people.find_id(sql, reset.owner)))

    def _matches(self, person: Person | None, password: str) -> bool:
        if not self._nobody:
            self._nobody = passwords.hashed(secrets.token_urlsafe())
        right = passwords.matches(person.password_hash if person else self._nobody, password)
        return right and person is not None

    async def _use_code(self, owner: int, code: str, address: str) -> None:
        """Use a code up: of the device, or a recovery code. Raises `WrongCode`."""
        # Only whoever knows the password comes here: nobody else can shut the owner out.
        self._backoff.attempt(("code", owner), self._now_ms())
        person = await self._change(lambda sql: self._spend(sql, owner, code))
        if person is not None:
            await self._note_failure(person, "code refused", address)
            raise WrongCode
        self._backoff.clear(("code", owner))

    def _spend(self, sql: sa.Connection, owner: int, code: str) -> Person | None:
        """Spend a code; returns whose it was not, None when it was right."""
        person = _must(people.find_id(sql, owner))
        if person.totp_sealed is None or person.totp_key_id is None:
            return person
        secret = self._vault.unseal(person.totp_key_id, person.totp_sealed, _device(owner))
        step = totp.step_of(secret.decode(), code.strip(), self._now_ms(), person.totp_step)
        if step is not None:
            people.change(sql, owner, totp_step=step)
            return None
        spent = sql.execute(
            sa.delete(RECOVERY_CODES).where(
                RECOVERY_CODES.c.owner == owner,
                RECOVERY_CODES.c.digest == totp.recovery_digest(owner, code),
            )
        )
        return None if spent.rowcount else person

    async def _renew(
        self,
        person: Person,
        why: str,
        origin: Origin,
        write: Callable[[sa.Connection], None],
    ) -> LoggedIn:
        """End all sessions of a user and begin another, together with a change."""
        now_ms = self._now_ms()
        session, token = sessions.begin(person, now_ms, *origin)

        def work(sql: sa.Connection) -> None:
            write(sql)
            sessions.delete_of(sql, person.id)
            sessions.insert(sql, session)
            note(sql, now_ms, person.user, why, "", origin.address)

        await self._change(work)
        # Whoever logged in before that was written is known by now, and goes as well.
        self._book.drop(self._book.of(person.id, now_ms))
        self._book.add(session)
        return LoggedIn(session, token)

    async def _note_failure(self, person: Person | None, what: str, address: str) -> None:
        user = person.user if person is not None else None
        await self._change(lambda sql: note(sql, self._now_ms(), user, what, "", address))


def _tell_failure(written: "Future[None]") -> None:
    failure = written.exception()
    if failure is not None:
        _LOG.error("the use of a session was not written", why=str(failure))


def _must(person: Person | None) -> Person:
    assert person is not None, "Invariant: a session's user exists"
    return person


def _locks(person: Person) -> tuple[str, bool]:
    return person.password_hash, person.totp_confirmed


def _replace_recovery(sql: sa.Connection, owner: int, codes: list[str]) -> None:
    sql.execute(sa.delete(RECOVERY_CODES).where(RECOVERY_CODES.c.owner == owner))
    for code in codes:
        sql.execute(
            RECOVERY_CODES.insert().values(owner=owner, digest=totp.recovery_digest(owner, code))
        )


def _drop_device(sql: sa.Connection, owner: int) -> None:
    people.change(sql, owner, totp_key_id=None, totp_sealed=None, totp_confirmed=False)
    _replace_recovery(sql, owner, [])


def _device(owner: int) -> str:
    return f"totp:{owner}"
