"""Failed attempts, counted: a few are free, then each makes the next wait twice as long.

Counted by whatever the caller names. Log-ins name account and address together: whoever guesses
shuts out themselves, and not the owner of the account somewhere else.
"""

from collections.abc import Hashable
from typing import Final, final

FREE: Final = 5
FIRST_PAUSE_MS: Final = 60_000
PAUSE_MS_MAX: Final = 3_600_000
# After so long without an attempt the count begins anew.
FORGOTTEN_MS: Final = 86_400_000
_COUNTS_MAX: Final = 100_000


class TooManyFailures(Exception):
    """Another attempt has to wait."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.seconds: Final = -(-wait_ms // 1000)


@final
class Backoff:
    """Counts failures. Pure: the caller brings the time."""

    def __init__(self) -> None:
        # How many, and when the last was; the longest untouched first.
        self._counts: dict[Hashable, tuple[int, int]] = {}

    def attempt(self, who: Hashable, now_ms: int) -> None:
        """Count an attempt as failed until `clear` says otherwise. Raises `TooManyFailures`.

        Counted before it is checked, so that many at once are not one.
        """
        count, last_ms = self._counts.get(who, (0, now_ms))
        if now_ms - last_ms >= FORGOTTEN_MS:
            count = 0
        if count >= FREE:
            pause_ms = min(FIRST_PAUSE_MS << min(count - FREE, 16), PAUSE_MS_MAX)
            if now_ms - last_ms < pause_ms:
                raise TooManyFailures(last_ms + pause_ms - now_ms)
        self._counts.pop(who, None)
        self._counts[who] = (count + 1, now_ms)
        if len(self._counts) > _COUNTS_MAX:
            del self._counts[next(iter(self._counts))]

    def clear(self, who: Hashable) -> None:
        """Forget the failures: an attempt was right."""
        self._counts.pop(who, None)
