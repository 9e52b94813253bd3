"""The live audit: the books are balanced while the venue runs (RULES 2.1).

Every few seconds, if anything has happened, a forked child adds everything up. Books that do not
balance stop the node: nothing is answered that may be wrong.
"""

import asyncio
from typing import Final

from lombard.child import BROKEN
from lombard.node.children import in_child
from lombard.node.node import Node

EVERY_S: Final = 10.0


class Auditor:
    """Audits a node from time to time."""

    def __init__(self, node: Node, every_s: float = EVERY_S) -> None:
        self._node = node
        self._every_s = every_s
        # The last command that is known to have left balanced books.
        self.audited_seq = 0

    async def run(self) -> None:
        """Audit until cancelled; raises `AssertionError` when the books do not balance."""
        while True:
            await asyncio.sleep(self._every_s)
            if self._node.applied_seq > self.audited_seq:
                await self.audit()

    async def audit(self) -> None:
        """Audit the state as it is now; raises `AssertionError` when it does not balance."""
        seq = self._node.applied_seq
        status = await in_child(self._node.engine.check)
        assert status != BROKEN, f"Invariant: the books do not balance after record {seq}"
        if status == 0:
            self.audited_seq = seq
