"""A forked child, and the line to it: work that is done beside the node instead of in it.

Node and child are one program, so what they say to each other travels in Python's own `marshal`,
which keeps integers of any size and tells tuples from lists; nothing of it is ever stored. A parcel
is a word and what it is about.
"""

import asyncio
import ctypes
import gc
import marshal
import os
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from struct import Struct
from threading import Lock
from typing import Any, Final, final

# What a child ends with: the work was done, it could not be done, an invariant is broken.
DONE: Final = 0
FAILED: Final = 1
BROKEN: Final = 3
RECEIVE_BYTES: Final = 1 << 18
_SET_PARENT_DEATH_SIGNAL: Final = 1
_LENGTH: Final = Struct("<I")
# Later versions look for objects that come twice, which costs more than it saves.
_MARSHAL: Final = 2

Parcel = tuple[str, Any]


def fork_child(work: Callable[[], None], *keep: int) -> int:
    """Fork a child that does some work and ends; return its process id.

    Of the descriptors that are open it has those it is to `keep`, and the standard three. It ends
    with its parent (on Linux).
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
        _close_all_but(keep)
        work()
        status = DONE
    except BaseException as fault:
        status = BROKEN if isinstance(fault, AssertionError) else FAILED
        os.write(2, f"The work of a child could not be done: {fault!r}\n".encode())
    finally:
        os._exit(status)


def _close_all_but(keep: tuple[int, ...]) -> None:
    lowest = 3
    for descriptor in sorted(fd for fd in keep if fd >= lowest):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def written(parcel: Parcel) -> bytes:
    """Write a parcel for a stream."""
    data = marshal.dumps(parcel, _MARSHAL)
    return _LENGTH.pack(len(data)) + data


@final
class Unwrapper:
    """Takes parcels out of a stream, however it is cut."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Parcel]:
        """Take in what was received; gives the parcels that are whole by now."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                break
            parcel = marshal.loads(self._data[_LENGTH.size : end])
            del self._data[:end]
            yield parcel


@final
class ChildsEnd:
    """The line as the child has it; any of its threads may speak."""

    def __init__(self, end: socket.socket) -> None:
        # A stop is for the node to see to: it drains first, and then says so.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._end: Final = end
        self._turn: Final = Lock()

    def say(self, word: str, what: object) -> None:
        """Send a parcel. When nobody listens any more, the end of what is heard says so."""
        with self._turn:
            try:
                self._end.sendall(written((word, what)))
            except OSError:
                return

    def hear(self) -> Iterator[Parcel]:
        """Give what the node says, until it has gone."""
        unwrapper = Unwrapper()
        while data := self._end.recv(RECEIVE_BYTES):
            yield from unwrapper.feed(data)


@final
class Line:
    """A child at work, and the line to it as the node has it: in the event loop's thread.

    `heard` is called with each parcel of the child, `ended` once when the child has ended, with how
    ("code 1", "signal 9"), or with nothing when all went well.
    """

    def __init__(
        self,
        work: Callable[[ChildsEnd], None],
        heard: Callable[[str, Any], None],
        ended: Callable[[str], None],
        *keep: int,
    ) -> None:
        """Fork the child; of the open descriptors it has those it is to `keep`."""
        self._heard: Final = heard
        self._on_end: Final = ended
        self._loop: Final = asyncio.get_running_loop()
        self._end, far = socket.socketpair()
        with far:
            self.pid: Final = fork_child(lambda: work(ChildsEnd(far)), far.fileno(), *keep)
        self._end.setblocking(False)
        self._unwrapper: Final = Unwrapper()
        self._outgoing = bytearray()
        self._is_pushing = False
        self.ended = False
        self._loop.add_reader(self._end.fileno(), self._pull)

    @property
    def unsent(self) -> int:
        """How many bytes the socket has not taken yet."""
        return len(self._outgoing)

    def say(self, word: str, what: object) -> None:
        """Send a parcel; when the child has ended, nobody hears it."""
        if not self.ended:
            self._outgoing += written((word, what))
            self._push()

    def exchange_until(self, is_over: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Send and receive while the event loop stands, until something is so, or the child ended.

        Raises `TimeoutError`.
        """
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not is_over() and not self.ended:
            poll = select.poll()
            poll.register(self._end, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
            left_s = None if until_s is None else max(0.0, until_s - time.monotonic())
            if not poll.poll(None if left_s is None else left_s * 1000) and left_s == 0:
                raise TimeoutError
            self._push()
            self._pull()

    def _push(self) -> None:
        """Send what the socket takes; the event loop sends the rest as soon as it takes more."""
        try:
            while self._outgoing:
                del self._outgoing[: self._end.send(self._outgoing)]
        except BlockingIOError:
            if not self._is_pushing:
                self._is_pushing = True
                self._loop.add_writer(self._end.fileno(), self._push)
            return
        except OSError:
            # Nobody listens: the end of what is heard says why.
            self._outgoing.clear()
        if self._is_pushing:
            self._is_pushing = False
            self._loop.remove_writer(self._end.fileno())

    def _pull(self) -> None:
        """Receive what the child says."""
        try:
            data = self._end.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._child_ended()
            return
        for word, what in self._unwrapper.feed(data):
            self._heard(word, what)

    def _child_ended(self) -> None:
        self.ended = True
        self._loop.remove_reader(self._end.fileno())
        self._outgoing.clear()
        self._push()
        self._end.close()
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {-code}" if code < 0 else f"code {code}"
        self._on_end(how if code else "")
