"""Password resets: what an operator hands to somebody who has lost their password.

A random token, of which this side keeps the digest. It is good once, for half an hour, and until
the next one is made for the same user; nothing is sent by the venue itself.
"""

import secrets
from typing import Final, NamedTuple

import sqlalchemy as sa

from lombard.identity.schema import PASSWORD_RESETS
from lombard.identity.sessions import TOKEN_BYTES, TOKEN_LENGTH, digest_of

RESET_MS: Final = 30 * 60_000


class NewReset(NamedTuple):
    """A reset as it is shown once: whose it is, the token, and when it ends."""

    user: int | None
    email: str
    token: str
    ends_ms: int

    def __repr__(self) -> str:
        """Name the user only: this may end up in a log."""
        return f"NewReset(user={self.user})"


class Reset(NamedTuple):
    """A row of `password_resets` that is good still."""

    owner: int
    digest: bytes
    ends_ms: int
    drops_device: bool


def issue(connection: sa.Connection, owner: int, ends_ms: int, drops_device: bool) -> str:
    """Make a token for a user; an earlier one is void."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    void(connection, owner)
    row = Reset(owner, digest_of(token), ends_ms, drops_device)
    connection.execute(PASSWORD_RESETS.insert().values(row._asdict()))
    return token


def find(connection: sa.Connection, token: str, now_ms: int) -> Reset | None:
    """Look a token up; None when it is none, or good no more."""
    if len(token) != TOKEN_LENGTH:
        return None
    chosen = PASSWORD_RESETS.c.digest == digest_of(token)
    row = connection.execute(sa.select(PASSWORD_RESETS).where(chosen)).first()
    found = None if row is None else Reset(*row)
    return found if found is not None and now_ms < found.ends_ms else None


def void(connection: sa.Connection, owner: int) -> None:
    """Take away what a user was handed, if anything."""
    connection.execute(sa.delete(PASSWORD_RESETS).where(PASSWORD_RESETS.c.owner == owner))
