"""The audit log of identity: who did what, when, from where. It is only ever added to.

Nothing secret is written into it, and nothing somebody typed in vain: what is taken for an address
may be a password.
"""

from typing import Final, NamedTuple

import sqlalchemy as sa

from lombard.identity.schema import AUDIT

PAGE_MAX: Final = 100


class Entry(NamedTuple):
    """One line. `user` is None where nobody was recognised."""

    id: int
    at_ms: int
    user: int | None
    action: str
    detail: str
    address: str


def note(
    connection: sa.Connection,
    at_ms: int,
    user: int | None,
    action: str,
    detail: str = "",
    address: str = "",
) -> None:
    """Write a line, in the transaction of what it tells."""
    connection.execute(
        AUDIT.insert().values(at_ms=at_ms, user=user, action=action, detail=detail, address=address)
    )


def entries(connection: sa.Connection, user: int | None, before: int, limit: int) -> list[Entry]:
    """Read lines, newest first: of one user, or all; those before an id, 0 for the newest."""
    question = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(min(limit, PAGE_MAX))
    if user is not None:
        question = question.where(AUDIT.c.user == user)
    if before:
        question = question.where(AUDIT.c.id < before)
    return [Entry(*row) for row in connection.execute(question)]
