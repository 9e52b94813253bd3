"""The audit log of identity: who did what, when, from where. It is only ever added to.

Nothing secret is written into it, and nothing somebody typed in vain: what is taken for an address
may be a password. Its lines are chained (`lombard.identity.chain`), so that whoever knows the
digest of one knows whether that one, and all before it, are as they were written.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from lombard.identity.chain import LINE, chained
from lombard.identity.schema import AUDIT

PAGE_MAX: Final = 100
_READ_AT_ONCE: Final = 10_000


class Entry(NamedTuple):
    """One line. `user` is None where nobody was recognised."""

    id: int
    at_ms: int
    user: int | None
    action: str
    detail: str
    address: str


class Seal(NamedTuple):
    """What is on record of the log: up to which line it went, and that line's digest in hex."""

    entry: int
    digest: str


NOTHING: Final = Seal(0, "")


def note(
    connection: sa.Connection,
    at_ms: int,
    user: int | None,
    action: str,
    detail: str = "",
    address: str = "",
) -> None:
    """Write a line, in the transaction of what it tells."""
    last, digest = _last(connection)
    line = Entry(last + 1, at_ms, user, action, detail, address)
    connection.execute(AUDIT.insert().values(**line._asdict(), digest=chained(digest, line)))


def entries(connection: sa.Connection, user: int | None, before: int, limit: int) -> list[Entry]:
    """Read lines, newest first: of one user, or all; those before an id, 0 for the newest."""
    question = sa.select(*_COLUMNS).order_by(AUDIT.c.id.desc()).limit(min(limit, PAGE_MAX))
    if user is not None:
        question = question.where(AUDIT.c.user == user)
    if before:
        question = question.where(AUDIT.c.id < before)
    return [Entry(*row) for row in connection.execute(question)]


def head(connection: sa.Connection) -> Seal:
    """Say up to which line the log goes, as it can be put on record."""
    last, digest = _last(connection)
    return Seal(last, digest.hex())


def fault(
    connection: sa.Connection,
    seals: Sequence[Seal],
    progress: Callable[[int], object] = lambda entry: None,
) -> str:
    """Say what is wrong with the log, in a sentence; empty when every line is as it was written.

    `seals` are what is on record of it. Lines after the last of them can be held against the chain
    alone. `progress` is called with the line reached.
    """
    expected: dict[int, str] = {}
    for seal in seals:
        # The earlier one holds: a log that was lost and has grown again is not the one it was.
        expected.setdefault(seal.entry, seal.digest)
    last, digest = 0, b""
    question = sa.select(*_COLUMNS, AUDIT.c.digest).order_by(AUDIT.c.id)
    rows = connection.execution_options(yield_per=_READ_AT_ONCE).execute(question)
    for *line, kept in rows:
        if line[0] != last + 1:
            rows.close()
            return f"Lines {last + 1} to {line[0] - 1} of the audit log are missing."
        last, digest = line[0], chained(digest, tuple(line))
        if kept != digest:
            rows.close()
            return f"Line {last} of the audit log, or one before it, is not as it was written."
        if expected.pop(last, digest.hex()) != digest.hex():
            rows.close()
            return f"Line {last} of the audit log, or one before it, is not what is on record."
        if last % _READ_AT_ONCE == 0:
            progress(last)
    missing = max(expected, default=0)
    if missing > last:
        return f"The audit log ends at line {last}; {missing} lines are on record."
    return ""


_COLUMNS: Final = [AUDIT.c[name] for name in LINE]


def _last(connection: sa.Connection) -> tuple[int, bytes]:
    question = sa.select(AUDIT.c.id, AUDIT.c.digest).order_by(AUDIT.c.id.desc()).limit(1)
    row = connection.execute(question).first()
    return (0, b"") if row is None else (row[0], row[1])
