"""Admission: a user who signed up becomes one of the state machine's.

Two stores have to agree: identity, and the log. A user is written to identity first, with the id of
the command that admits them; the command is logged; its number is written back. Whatever stops this
half-way, it is taken up at the next log-in or start, with the same command id: the engine answers a
command it has seen with the number it gave then.
"""

from lombard.api.ports import Node
from lombard.core.commands import VENUE, AddUser
from lombard.identity import Accounts, Person


async def admit(node: Node, accounts: Accounts, person: Person, address: str = "") -> Person:
    """See to it that a user is admitted. Raises what `Node.submit` raises."""
    if person.user is not None:
        return person
    reply = await node.submit(VENUE, AddUser(), person.admission)
    assert reply.refusal is None, "Invariant: a user can be admitted"
    return await accounts.admit(person, reply.id, address)


async def admit_all(node: Node, accounts: Accounts) -> None:
    """Admit those who were not before the last stop."""
    for person in await accounts.not_admitted():
        await admit(node, accounts, person)
