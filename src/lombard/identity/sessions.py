"""Sessions: what a browser holds after it has logged in.

The browser has a random token, this side only its digest. A session ends when it was not used for
a while, a while after it began whatever is done with it, and when its owner says so. Finding one is
a look into memory.
"""

import hashlib
import hmac
import secrets
from typing import Final, final

import sqlalchemy as sa

from lombard.identity.keys import Role
from lombard.identity.people import Person
from lombard.identity.schema import SESSIONS, USERS
from lombard.identity.store import Store

TOKEN_BYTES: Final = 32
TOKEN_LENGTH: Final = 43
HOUR_MS: Final = 3_600_000
IDLE_MS: Final = {Role.TRADER: 2 * HOUR_MS, Role.OPERATOR: HOUR_MS // 2}
LIFE_MS: Final = {Role.TRADER: 24 * HOUR_MS, Role.OPERATOR: 12 * HOUR_MS}
# How long a password or code given again opens what needs it.
CONFIRMED_MS: Final = 5 * 60_000
# How far behind the file may be with when a session was used last.
KEPT_BEHIND_MS: Final = 60_000
SESSIONS_MAX: Final = 20
AGENT_LENGTH_MAX: Final = 200


@final
class Session:
    """A browser that is logged in. Times are the machine's."""

    __slots__ = (
        "address",
        "agent",
        "confirmed_ms",
        "created_ms",
        "digest",
        "email",
        "kept_ms",
        "owner",
        "role",
        "seen_ms",
        "user",
    )

    def __init__(
        self,
        digest: bytes,
        owner: int,
        created_ms: int,
        seen_ms: int,
        address: str,
        agent: str,
        user: int,
        role: Role,
        email: str,
    ) -> None:
        self.digest: Final = digest
        self.owner: Final = owner
        self.user: Final = user
        self.role: Final = role
        self.email: Final = email
        self.created_ms: Final = created_ms
        self.address: Final = address
        self.agent: Final = agent
        self.seen_ms = seen_ms
        # What the file says of `seen_ms`.
        self.kept_ms = seen_ms
        self.confirmed_ms: int | None = None

    def __repr__(self) -> str:
        """Name the user only: this may end up in a log."""
        return f"Session(user={self.user}, id={self.id!r})"

    @property
    def id(self) -> str:
        """What the session is called where its owner sees it."""
        return self.digest[:8].hex()

    def ends_ms(self) -> int:
        """Say when it ends if it is not used again."""
        return min(self.seen_ms + IDLE_MS[self.role], self.created_ms + LIFE_MS[self.role])

    def is_confirmed(self, now_ms: int) -> bool:
        """Say whether its owner has given password or code again a short while ago."""
        return self.confirmed_ms is not None and now_ms - self.confirmed_ms < CONFIRMED_MS


@final
class SessionBook:
    """All sessions there are. Its SQL is part of a transaction; the rest is of the event loop."""

    def __init__(self, store: Store) -> None:
        self._sessions = {session.digest: session for session in store.read(_read)}

    def find(self, token: str, now_ms: int) -> Session | None:
        """Look a session up, and note that it was used."""
        if len(token) != TOKEN_LENGTH:
            return None
        session = self._sessions.get(digest_of(token))
        if session is None:
            return None
        if now_ms >= session.ends_ms():
            del self._sessions[session.digest]
            return None
        session.seen_ms = max(session.seen_ms, now_ms)
        return session

    def of(self, owner: int, now_ms: int) -> list[Session]:
        """List the live sessions of a user, oldest first."""
        found = [each for each in self._sessions.values() if each.owner == owner]
        return [each for each in found if now_ms < each.ends_ms()]

    def add(self, session: Session) -> None:
        """Let a session in that is in the file."""
        self._sessions[session.digest] = session

    def drop(self, sessions: list[Session]) -> None:
        """End sessions, at once."""
        for session in sessions:
            self._sessions.pop(session.digest, None)

    def excess(self, owner: int, now_ms: int) -> list[Session]:
        """List the sessions that have to go when one more comes."""
        return self.of(owner, now_ms)[: -(SESSIONS_MAX - 1)]


def begin(person: Person, now_ms: int, address: str, agent: str) -> tuple[Session, str]:
    """Make a session and its token."""
    assert person.user is not None, "Invariant: who logs in is admitted"
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = Session(
        digest_of(token),
        person.id,
        now_ms,
        now_ms,
        address,
        agent[:AGENT_LENGTH_MAX],
        person.user,
        Role(person.role),
        person.email,
    )
    return session, token


def digest_of(token: str) -> bytes:
    """Hash a token. Quickly: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def csrf_token_of(token: str) -> str:
    """Make the token a page of ours sends along with what changes anything.

    A page of somebody else's makes the browser send the cookie, but can read neither.
    """
    return hmac.new(token.encode(), b"lombard csrf", hashlib.sha256).hexdigest()


def insert(connection: sa.Connection, session: Session) -> None:
    """Write a session."""
    connection.execute(
        SESSIONS.insert().values(
            digest=session.digest,
            owner=session.owner,
            created_ms=session.created_ms,
            seen_ms=session.seen_ms,
            address=session.address,
            agent=session.agent,
        )
    )


def delete(connection: sa.Connection, sessions: list[Session]) -> None:
    """Take sessions out of the file."""
    digests = [session.digest for session in sessions]
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest.in_(digests)))


def delete_of(connection: sa.Connection, owner: int) -> None:
    """Take all sessions of a user out of the file."""
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.owner == owner))


def delete_old(connection: sa.Connection, now_ms: int) -> None:
    """Take out of the file what has ended by itself for certain."""
    longest_ms = max(LIFE_MS.values())
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.created_ms < now_ms - longest_ms))


def keep_seen(connection: sa.Connection, digest: bytes, seen_ms: int) -> None:
    """Write when a session was used last."""
    chosen = sa.update(SESSIONS).where(SESSIONS.c.digest == digest)
    connection.execute(chosen.values(seen_ms=seen_ms))


def _read(connection: sa.Connection) -> list[Session]:
    question = (
        sa.select(SESSIONS, USERS.c.user, USERS.c.role, USERS.c.email)
        .join(USERS, USERS.c.id == SESSIONS.c.owner)
        .order_by(SESSIONS.c.created_ms)
    )
    return [
        Session(
            row.digest,
            row.owner,
            row.created_ms,
            row.seen_ms,
            row.address,
            row.agent,
            row.user,
            Role(row.role),
            row.email,
        )
        for row in connection.execute(question)
    ]
