"""The notary: puts the audit log of identity on record in the journal.

A line of that log is durable when its call is answered; within a second the digest of its chain is
in the journal as well (decision 0025), where nobody changes anything unseen. A node that starts
holds the log against what is on record, and tells when they do not agree.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, final

import structlog

from lombard.cli.house import House
from lombard.cli.telling import warn
from lombard.core import queries
from lombard.core.commands import VENUE, SealAudit
from lombard.identity import Accounts, Seal
from lombard.node.errors import Overloaded, Stopped
from lombard.node.node import Node

SEAL_S: Final = 1.0
_LOG: Final = structlog.get_logger("lombard.identity")


@final
class Notary:
    """Seals the audit log of a running node from time to time."""

    def __init__(self, node: Node, accounts: Accounts) -> None:
        self._node = node
        self._accounts = accounts
        # Lines that are not on record, when it was last looked at.
        self.unsealed = 0
        # What was wrong with the log at the start, in a sentence; empty for nothing.
        self.fault = ""

    async def begin(self) -> None:
        """Hold the log against what is on record of it, and put on record what came after."""
        self.fault = await self._accounts.audit_fault(self._sealed())
        if self.fault:
            warn(f"{self.fault} Somebody changed identity.sqlite, or put an older copy back.")
            await self._accounts.tell("audit log altered", self.fault)
        await self.seal()

    async def run(self) -> None:
        """Seal what is new, until cancelled or the node stops."""
        while True:
            await asyncio.sleep(SEAL_S)
            try:
                await self.seal()
            except Overloaded:
                _LOG.info("audit log not sealed yet: the node is full", lines=self.unsealed)
            except Stopped:
                return

    async def seal(self) -> None:
        """Put on record up to where the log goes; nothing when that is so already.

        Raises what `Node.submit` raises.
        """
        head, sealed = await self._accounts.audit_head(), self._sealed()
        self.unsealed = head.entry - sealed.entry
        if head.entry and head != sealed:
            reply = await self._node.submit(VENUE, SealAudit(head.entry, head.digest))
            assert reply.refusal is None, "Invariant: a log can be sealed"
            self.unsealed = 0

    def _sealed(self) -> Seal:
        return Seal(*queries.audit_seal(self._node.state))


@asynccontextmanager
async def sealing(house: House) -> AsyncIterator[Notary]:
    """Keep the audit log of a house on record while the context lasts, to its last line."""
    notary = house.notary = Notary(house.node, house.identity.accounts)
    await notary.begin()
    task = asyncio.create_task(notary.run(), name="notary")
    task.add_done_callback(lambda ended: _watch(house, ended))
    try:
        yield notary
    finally:
        task.cancel()
        # A node that has failed takes no more: the next start seals the rest.
        with suppress(Overloaded, Stopped):
            await notary.seal()


def _watch(house: House, ended: "asyncio.Task[None]") -> None:
    failure = None if ended.cancelled() else ended.exception()
    if failure is not None:
        house.node.fail(failure)
