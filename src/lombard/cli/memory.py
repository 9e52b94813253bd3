"""Memory that a load needed is given back when it is over.

The allocator of the C library keeps what is freed, in case it is needed again; one that never is
looks like a leak, and is taken from everything else on the machine.
"""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Any, Final

LOOK_S: Final = 5.0
# An interval with fewer answers than this is a quiet one.
QUIET_ANSWERS: Final = 250
# The longest anything is kept behind a request is a minute and a bit (`lombard.api.replays`).
QUIET_TIMES: Final = 24


def trimmer() -> Callable[[int], int] | None:
    """Return what gives freed memory back to the system; None where the C library cannot."""
    try:
        trim: Any = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
    return trim  # type: ignore[no-any-return]


async def give_back(answers: Callable[[], int], look_s: float = LOOK_S) -> None:
    """Give memory back in quiet intervals after busy ones, until cancelled.

    `answers` says how many requests have been answered altogether. What a load leaves behind for a
    while, such as the signatures of the last minute, is freed later: the first `QUIET_TIMES` quiet
    intervals give back.
    """
    trim = trimmer()
    if trim is None:
        return
    seen, left = answers(), 0
    while True:
        await asyncio.sleep(look_s)
        before, seen = seen, answers()
        if seen - before >= QUIET_ANSWERS:
            left = QUIET_TIMES
        elif left:
            left -= 1
            # In a thread: it takes milliseconds, in which others may run.
            await asyncio.to_thread(trim, 0)
