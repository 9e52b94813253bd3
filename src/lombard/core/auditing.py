"""What is on record of identity's audit log: its last line, and the digest of the chain there.

The state machine knows nothing of what the log says. It keeps the last seal, so that a node that
starts can hold the log against it; all of them are in the journal, for whoever reads that.
"""

from __future__ import annotations

from typing import Final

from lombard.core.audit_commands import SealAudit
from lombard.core.refusals import Refusal
from lombard.core.state import Reply, State

DIGEST_LENGTH: Final = 64
HEX: Final = "0123456789abcdef"


def seal(state: State, cmd: SealAudit) -> Reply:
    """Keep a seal. One that goes less far than the last is kept too: the log was lost, and goes on;
    the journal shows it."""
    if cmd.entry <= 0:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="entry")
    if len(cmd.digest) != DIGEST_LENGTH or cmd.digest.strip(HEX):
        return Reply(Refusal.CONFIGURATION_INVALID, detail="digest")

    # From here the seal succeeds.
    state.audit_entry, state.audit_digest = cmd.entry, cmd.digest
    return Reply(None)
