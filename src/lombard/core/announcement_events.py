"""Events of announced changes (RULES 8.7).

Named through `lombard.core.events`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class ChangeAnnounced:
    """A change was announced: `kind` is "coin" or "pair" (new terms), or a stage of a delisting,
    "reduce_only" or "repay"; `what` names the coin or pair.

    The margin calls that follow in the same command are on the new values.
    """

    def __init__(self, announcement_id: int, kind: str, what: str, effective_ms: int) -> None:
        self.announcement_id: Final = announcement_id
        self.kind: Final = kind
        self.what: Final = what
        self.effective_ms: Final = effective_ms


@final
@mypyc_attr(acyclic=True)
class AnnouncedChangeMade:
    """An announced change came into force, exactly at `effective_ms`.

    `problem` is why it could not, empty when it did: other terms have changed meanwhile.
    """

    def __init__(
        self, announcement_id: int, kind: str, what: str, effective_ms: int, problem: str
    ) -> None:
        self.announcement_id: Final = announcement_id
        self.kind: Final = kind
        self.what: Final = what
        self.effective_ms: Final = effective_ms
        self.problem: Final = problem


@final
@mypyc_attr(acyclic=True)
class AnnouncementWithdrawn:
    """An announced change will not be made."""

    def __init__(self, announcement_id: int) -> None:
        self.announcement_id: Final = announcement_id
