"""Making operators: through the node that has a directory open, or in a directory nobody has."""

import asyncio
from pathlib import Path

from lombard.cli.control import ask_for_operator
from lombard.identity import Directory, EmailTaken, normal_email, open_directory
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths
from lombard.node.errors import CannotStart


def create_operator(directory: Path, email: str) -> str:
    """Make an operator; returns what to show, this once. Raises `CannotStart`."""
    if not Paths(directory).journal.exists():
        raise CannotStart(f"{directory} holds no venue; `lombard init` makes one.")
    said = ask_for_operator(directory, email)
    if said is not None:
        return said
    lock = hold_directory(directory)
    try:
        identity = open_directory(directory)
        try:
            return asyncio.run(make_operator(identity, email))
        finally:
            identity.close()
    finally:
        lock.release()


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
