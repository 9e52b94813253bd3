"""Work on the state as it is now, done in a forked child while the node goes on.

A forked child has the state as it was at one moment, for as long as it needs, and the parent only
waits for it. The child touches nothing but that state and the files it opens itself: it lets go of
every descriptor first, so neither the directory's lock nor a listening socket outlives the node in
it, and (on Linux) it ends with its node.
"""

import asyncio
import ctypes
import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Final

# What a child ends with: the work was done, it could not be done, an invariant is broken.
DONE: Final = 0
FAILED: Final = 1
BROKEN: Final = 3
_SET_PARENT_DEATH_SIGNAL: Final = 1


async def in_child(work: Callable[[], None]) -> int:
    """Do some work in a child; return how it ended: DONE, FAILED, BROKEN, or minus a signal."""
    child = fork_child(work)
    loop = asyncio.get_running_loop()
    _, status = await loop.run_in_executor(None, os.waitpid, child, 0)
    return os.waitstatus_to_exitcode(status)


def fork_child(work: Callable[[], None], keep: int = -1) -> int:
    """Fork a child that does some work and ends; return its process id.

    Of the descriptors that are open it has `keep`, if that is one, and the standard three.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Other threads may hold locks that the child will never see released; it takes none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    status = FAILED
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        os.closerange(3, max(3, keep))
        os.closerange(max(3, keep + 1), os.sysconf("SC_OPEN_MAX"))
        work()
        status = DONE
    except BaseException as fault:
        status = BROKEN if isinstance(fault, AssertionError) else FAILED
        os.write(2, f"The work of a child could not be done: {fault!r}\n".encode())
    finally:
        os._exit(status)
