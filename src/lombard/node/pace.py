"""How many commands a second a node takes, where that is pinned: for tests and small machines.

A token bucket that a tenth of a second fills. Trading is refused when it is empty. What lowers risk
and what the venue itself asks for is never refused by it, and is paid for by the trading after it,
so that the whole stays at the pace.
"""

from typing import Final, final

SECOND_NS: Final = 10**9
BURST_NS: Final = SECOND_NS // 10
# As much as the commands that go first may be ahead.
DEBT_NS: Final = SECOND_NS


@final
class Pace:
    """A token bucket kept as one number, the time at which it will be full again."""

    __slots__ = ("_full_at_ns", "_interval_ns")

    def __init__(self, commands_per_second: int) -> None:
        assert commands_per_second > 0
        self._interval_ns: Final = SECOND_NS // commands_per_second
        self._full_at_ns = 0

    def has_room(self, now_ns: int) -> bool:
        """Say whether there is a token."""
        full_at_ns = max(self._full_at_ns, now_ns) + self._interval_ns
        return full_at_ns <= now_ns + max(BURST_NS, self._interval_ns)

    def admit(self, now_ns: int) -> bool:
        """Take a token, if there is one."""
        if not self.has_room(now_ns):
            return False
        self._full_at_ns = max(self._full_at_ns, now_ns) + self._interval_ns
        return True

    def draw(self, now_ns: int) -> None:
        """Take a token that may not be there yet."""
        full_at_ns = max(self._full_at_ns, now_ns) + self._interval_ns
        self._full_at_ns = min(full_at_ns, now_ns + DEBT_NS)
