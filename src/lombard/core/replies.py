"""Replies, and the memory of them: a command sent again is answered as the first time (DESIGN 2).

This is for commands without a client id (those have a memory of their own, `client_ids`). A command
id begins with a stamp that rises from request to request: one stamped later than every command of
its account before it cannot be a retry, and need not be looked for. So replies are mostly only
appended, in segments; a segment is indexed when something stamped within it is looked for.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import mypyc_attr

from lombard.core.refusals import Refusal

SEGMENT_REPLIES: Final = 4096
# At least SEGMENT_REPLIES * (SEGMENTS_MAX - 1) of the newest replies are kept.
SEGMENTS_MAX: Final = 33


@final
@mypyc_attr(acyclic=True)
class Reply:
    """What a command came to. Exactly one reply answers each command.

    `id` names what was made (0 for nothing); `units` is what was borrowed or repaid, or, for a
    refusal by a limit, the limit; `remaining` the debt left after a repayment; `detail` a refusal's
    particulars.
    """

    __slots__ = ("detail", "id", "refusal", "remaining", "units")

    def __init__(
        self,
        refusal: Refusal | None,
        id_: int = 0,
        units: int = 0,
        remaining: int = 0,
        detail: str = "",
    ) -> None:
        self.refusal: Final = refusal
        self.id: Final = id_
        self.units: Final = units
        self.remaining: Final = remaining
        self.detail: Final = detail


@final
class Segment:
    """Replies that were given one after another, with the range of their stamps."""

    __slots__ = ("highest", "ids", "index", "indexed", "lowest", "replies")

    def __init__(self, stamp: int) -> None:
        self.lowest = stamp
        self.highest = stamp
        self.ids: Final[list[bytes]] = []
        self.replies: Final[list[Reply]] = []
        # Of the first `indexed` replies: the others are added when something is looked for.
        self.index: Final[dict[bytes, Reply]] = {}
        self.indexed = 0

    def find(self, command_id: bytes) -> Reply | None:
        """Return the reply to a command id."""
        while self.indexed < len(self.ids):
            self.index[self.ids[self.indexed]] = self.replies[self.indexed]
            self.indexed += 1
        return self.index.get(command_id)


@final
class Replies:
    """The newest replies, by segments, oldest first."""

    __slots__ = ("segments",)

    def __init__(self) -> None:
        self.segments: Final[list[Segment]] = []

    def find(self, command_id: bytes, stamp: int) -> Reply | None:
        """Return the reply given to a command id, None where there is none or it is forgotten."""
        for segment in reversed(self.segments):
            if segment.lowest <= stamp <= segment.highest:
                reply = segment.find(command_id)
                if reply is not None:
                    return reply
        return None

    def keep(self, command_id: bytes, stamp: int, reply: Reply) -> None:
        """Remember the reply to a command id that is not remembered."""
        if not self.segments or len(self.segments[-1].ids) >= SEGMENT_REPLIES:
            self.segments.append(Segment(stamp))
            if len(self.segments) > SEGMENTS_MAX:
                self.segments.pop(0)
        segment = self.segments[-1]
        segment.ids.append(command_id)
        segment.replies.append(reply)
        if stamp > segment.highest:
            segment.highest = stamp
        elif stamp < segment.lowest:
            segment.lowest = stamp

    def highest(self) -> int:
        """Return the highest stamp of all that is remembered, -1 for nothing."""
        return max([segment.highest for segment in self.segments], default=-1)
