"""Making operators, and resets of passwords: through the node that has a directory open, or in a
directory that nobody has."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from lombard.cli.control import ask_for_operator, ask_for_reset
from lombard.identity import Directory, EmailTaken, UnknownUser, normal_email, open_directory
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths
from lombard.node.errors import CannotStart


def create_operator(directory: Path, email: str) -> str:
    """Make an operator; returns what to show, this once. Raises `CannotStart`."""
    return _done(
        directory,
        lambda: ask_for_operator(directory, email),
        lambda identity: make_operator(identity, email),
    )


def reset_password(directory: Path, email: str, drops_device: bool) -> str:
    """Make what somebody sets a new password with; returns what to show. Raises `CannotStart`."""
    return _done(
        directory,
        lambda: ask_for_reset(directory, email, drops_device),
        lambda identity: make_reset(identity, email, drops_device),
    )


def _done(
    directory: Path, ask: Callable[[], str | None], do: Callable[[Directory], Awaitable[str]]
) -> str:
    """Have it done by the node that has a directory open, or do it where there is none."""
    if not Paths(directory).journal.exists():
        raise CannotStart(f"{directory} holds no venue; `lombard init` makes one.")
    said = ask()
    if said is not None:
        return said
    lock = hold_directory(directory)
    try:
        identity = open_directory(directory)
        try:
            return asyncio.run(_run(do(identity)))
        finally:
            identity.close()
    finally:
        lock.release()


async def _run(work: Awaitable[str]) -> str:
    return await work


async def make_operator(identity: Directory, email: str) -> str:
    """Make an operator in an open directory; returns what to show. Raises `CannotStart`."""
    normal = normal_email(email)
    if not normal:
        raise CannotStart(f"{email!r} is no e-mail address.")
    try:
        made = await identity.create_operator(normal)
    except EmailTaken:
        raise CannotStart(f"{normal} is a user of this venue already.") from None
    return (
        f"Operator {made.key.user}, shown this once:\n"
        f"  e-mail      {normal}\n"
        f"  password    {made.password}\n"
        f"  apiKey      {made.key.key}\n"
        f"  secretKey   {made.key.secret}\n"
        f"  passphrase  {made.key.passphrase}"
    )


async def make_reset(identity: Directory, email: str, drops_device: bool) -> str:
    """Make a password reset in an open directory; returns what to show. Raises `CannotStart`."""
    try:
        made = await identity.accounts.issue_reset(normal_email(email), 0, drops_device)
    except UnknownUser:
        raise CannotStart(f"{email} is no user of this venue.") from None
    ends = datetime.fromtimestamp(made.ends_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    return (
        "A new password can be set with this, once; shown this once:\n"
        f"  e-mail   {made.email}\n"
        f"  token    {made.token}\n"
        f"  until    {ends}"
    )
