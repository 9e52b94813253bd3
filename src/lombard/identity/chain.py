"""The chain of the audit log: each line's digest is of the line and of the digest before it.

Whoever changes, removes or adds a line changes every digest after it; and the last one is put on
record in the journal from time to time (decision 0025), where it cannot be changed unseen.
"""

import json
from hashlib import blake2b
from typing import Final

# The columns a digest is of, in this order.
LINE: Final = ("id", "at_ms", "user", "action", "detail", "address")
DIGEST_BYTES: Final = 32


def chained(before: bytes, line: tuple[object, ...]) -> bytes:
    """Return the digest of a line; `before` is that of the line before it, empty for the first."""
    text = json.dumps(line, separators=(",", ":")).encode()
    return blake2b(before + text, digest_size=DIGEST_BYTES).digest()
