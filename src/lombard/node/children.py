"""Work on the state as it is now, done in a forked child while the node goes on.

A forked child has the state as it was at one moment, for as long as it needs, and the parent only
waits for it. The child touches nothing but that state and the files it opens itself: it lets go of
every descriptor first, so neither the directory's lock nor a listening socket outlives the node in
it, and (on Linux) it ends with its node.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from lombard.child import ChildsEnd, Line, fork_child

_ANSWER: Final = "answer"


class ChildFailed(Exception):
    """A child ended without an answer; the message says how."""


async def in_child(work: Callable[[], None]) -> int:
    """Do some work in a child; return how it ended: DONE, FAILED, BROKEN, or minus a signal."""
    child = fork_child(work)
    loop = asyncio.get_running_loop()
    _, status = await loop.run_in_executor(None, os.waitpid, child, 0)
    return os.waitstatus_to_exitcode(status)


async def answer_of_child(work: Callable[[], bytes]) -> bytes:
    """Let a child work something out; return what it found. Raises `ChildFailed`."""
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    answers: list[bytes] = []

    def tell(end: ChildsEnd) -> None:
        end.say(_ANSWER, work())

    def heard(_: str, found: Any) -> None:
        answers.append(found)

    line = Line(tell, heard, over.set_result)
    try:
        how = await asyncio.shield(over)
    except asyncio.CancelledError:
        # Nobody waits any more.
        if not line.ended:
            os.kill(line.pid, signal.SIGKILL)
            await over
        raise
    if not answers:
        raise ChildFailed(f"A child has ended with {how or 'no answer'}.")
    return answers[0]
