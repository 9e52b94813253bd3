"""A world whose log the auditor follows; its books are compared when asked."""

from lombard.core.commands import Command
from lombard.core.state import Reply
from lombard.sim.auditor import Auditor
from tests.core.world import World


class Audited(World):
    """A world under the eyes of the auditor, who is told everything as it happens."""

    def __init__(self) -> None:
        self.auditor = Auditor()
        super().__init__(audit=False)

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        """Apply a command; what the auditor can predict must be so."""
        reply = super().do(account, cmd, at, command_id)
        self.auditor.follow(self.log[-1], reply, self.events, self.state)
        return reply

    def compare(self) -> None:
        """Hold every balance, debt and open receipt against the auditor's books."""
        self.auditor.compare(self.state)
