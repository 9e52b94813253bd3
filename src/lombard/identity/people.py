"""Users as rows: finding, adding, changing them. Each function is a part of a transaction."""

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from lombard.identity.keys import Role
from lombard.identity.schema import USERS

EMAIL_LENGTH_MAX: Final = 254


class EmailTaken(Exception):
    """Somebody has this e-mail address already."""


class Person(NamedTuple):
    """A row of `users`."""

    id: int
    user: int | None
    role: str
    email: str
    password_hash: str
    admission: bytes
    created_ms: int
    totp_key_id: str | None
    totp_sealed: bytes | None
    totp_confirmed: bool
    totp_step: int

    def __repr__(self) -> str:
        """Name the user only: this may end up in a log."""
        return f"Person(id={self.id}, user={self.user})"


def normal_email(text: str) -> str:
    """Write an e-mail address in the one way in which it is kept; empty when it is none."""
    email = text.strip().lower()
    local, at, domain = email.rpartition("@")
    if not (at and local and "." in domain.strip(".")) or len(email) > EMAIL_LENGTH_MAX:
        return ""
    if not email.isascii() or not email.isprintable() or set(email) & set(" \"'<>(),;:\\[]"):
        return ""
    return "" if "@" in local else email


def find_email(connection: sa.Connection, email: str) -> Person | None:
    """Find a user by e-mail address, in its normal form."""
    return _one(connection, USERS.c.email == email)


def find_user(connection: sa.Connection, user: int) -> Person | None:
    """Find a user by what the rest of the house calls them."""
    return _one(connection, USERS.c.user == user)


def find_id(connection: sa.Connection, id_: int) -> Person | None:
    """Find a user by row."""
    return _one(connection, USERS.c.id == id_)


def add(
    connection: sa.Connection,
    role: Role,
    email: str,
    password_hash: str,
    admission: bytes,
    now_ms: int,
) -> Person:
    """Add a user; a trader has no number yet. Raises `EmailTaken`."""
    if find_email(connection, email) is not None:
        raise EmailTaken(email)
    made = connection.execute(
        USERS.insert().values(
            role=role.value,
            email=email,
            password_hash=password_hash,
            admission=admission,
            created_ms=now_ms,
        )
    )
    assert made.inserted_primary_key is not None
    id_: int = made.inserted_primary_key[0]
    if role is Role.OPERATOR:
        change(connection, id_, user=-id_)
    found = find_id(connection, id_)
    assert found is not None
    return found


def change(connection: sa.Connection, id_: int, **values: Any) -> None:
    """Change columns of a user."""
    connection.execute(sa.update(USERS).where(USERS.c.id == id_).values(**values))


def operators(connection: sa.Connection) -> list[int]:
    """List the numbers of all operators."""
    question = sa.select(USERS.c.user).where(USERS.c.role == Role.OPERATOR.value)
    return [number for number in connection.execute(question).scalars() if number is not None]


def not_admitted(connection: sa.Connection) -> list[Person]:
    """List the traders whom the state machine has not admitted as far as is known here."""
    question = sa.select(USERS).where(USERS.c.user.is_(None))
    return [Person(*row) for row in connection.execute(question)]


def any_device(connection: sa.Connection) -> bool:
    """Say whether a second device of anybody's is sealed in the file."""
    question = sa.select(USERS.c.id).where(USERS.c.totp_sealed.is_not(None)).limit(1)
    return connection.execute(question).first() is not None


def _one(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Person | None:
    row = connection.execute(sa.select(USERS).where(which)).first()
    return None if row is None else Person(*row)
