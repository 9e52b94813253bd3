"""The command that puts the audit log of identity on record.

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class SealAudit:
    """Put on record up to which line identity's audit log goes, and the digest of its chain there.

    The digest is BLAKE2b-256 in hex: of that line, and so of all before it (decision 0025).
    """

    __slots__ = ("digest", "entry")

    def __init__(self, entry: int, digest: str) -> None:
        self.entry: Final = entry
        self.digest: Final = digest
