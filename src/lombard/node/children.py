"""Work on the state as it is now, done in a forked child while the node goes on.

A forked child has the state as it was at one moment, for as long as it needs, and the parent only
waits for it. The child touches nothing but that state and the files it opens itself: it lets go of
every descriptor first, so neither the directory's lock nor a listening socket outlives the node in
it, and (on Linux) it ends with its node.
"""

import asyncio
import os
from collections.abc import Callable

from lombard.child import fork_child


async def in_child(work: Callable[[], None]) -> int:
    """Do some work in a child; return how it ended: DONE, FAILED, BROKEN, or minus a signal."""
    child = fork_child(work)
    loop = asyncio.get_running_loop()
    _, status = await loop.run_in_executor(None, os.waitpid, child, 0)
    return os.waitstatus_to_exitcode(status)
