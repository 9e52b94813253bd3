"""The projector: takes the events of a venue, and writes them in a thread of its own.

Exactly once: the rows of a command and its number are committed together; what was committed is
ignored when it comes again, and a missing command is an error. The queue is bounded by agreement:
`submit` never drops what the venue has already done, but says when it is time to slow down. The
first failure is final and loud; the journal still has everything.

Exchange time is in the events; the only clock looked at is the monotonic one, for pacing.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar, final

from lombard.core.events import Event
from lombard.history.faults import HistoryFailed, HistoryGap
from lombard.history.opening import open_store
from lombard.history.places import Place
from lombard.history.projection import CoinsOf, Projection

# Commands waiting at which `submit` asks to slow down, and the multiple at which it refuses.
BACKLOG_MAX: Final = 20_000
BACKLOG_REFUSED: Final = 4
# Work is taken in small slices, for the event loop waits while one is projected ...
SLICE_MAX: Final = 256
SLICE_S: Final = 0.02
# ... and committed in large transactions, which write each page once for many commands; unless
# somebody waits: then at once.
COMMIT_MAX: Final = 4_096
COMMIT_S: Final = 0.5

_T = TypeVar("_T")
_Work = tuple[int, int, Sequence[Event]]


@final
class Projector:
    """Writes history; one for a file. Every method may be called from any thread."""

    def __init__(
        self,
        place: Place,
        coins_of: CoinsOf,
        on_failure: Callable[[BaseException], None],
        backlog_max: int = BACKLOG_MAX,
        commit_s: float = COMMIT_S,
        on_commit: Callable[[int], None] = lambda seq: None,
        on_trouble: Callable[[str], None] = lambda why: None,
    ) -> None:
        """Open the history at a place and start the writer; raises `HistoryRefused`.

        The functions are called from the writer's thread: `coins_of` names the base and quote coin
        of a pair, once; `on_failure` gets what made the writer stop, once; `on_commit` hears of the
        last command of each commit, `on_trouble` of a database that cannot be reached (why), and of
        its return (""). What nobody waits for is committed `commit_s` late.
        """
        self._closing = False
        self._store: Final = open_store(place, on_trouble, lambda: self._closing)
        store = self._store
        self._projection: Final = Projection(store.lookup, coins_of, store.next_ledger_id)
        self._on_failure: Final = on_failure
        self._on_commit: Final = on_commit
        self._backlog_max: Final = backlog_max
        self._commit_s: Final = commit_s
        self._slice_s: Final = min(SLICE_S, commit_s)
        # The writer's own: what is projected and not committed, since when, and up to where.
        self._uncommitted = 0
        self._uncommitted_since_s = 0.0
        self._projected = (store.applied_seq, store.applied_ms)
        # Guards everything below, and wakes the writer.
        self._changed: Final = threading.Condition()
        self._queue: Final[deque[_Work]] = deque()
        self._submitted_seq = self._store.applied_seq
        self._applied_seq = self._store.applied_seq
        self._idle = False
        self._failure: BaseException | None = None
        self._waiting: list[tuple[int, Future[None]]] = []
        self._syncing: list[tuple[int, Future[int]]] = []
        self._thread: Final = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    @property
    def applied_seq(self) -> int:
        """The last command whose rows are committed."""
        return self._applied_seq

    @property
    def lag(self) -> int:
        """How many commands were submitted and are not committed yet."""
        return self._submitted_seq - self._applied_seq

    @property
    def failure(self) -> BaseException | None:
        """What made the writer stop; None while all is well."""
        return self._failure

    def submit(self, seq: int, time_ms: int, events: Sequence[Event]) -> bool:
        """Hand over what a command did; False asks to slow down (`room`).

        A command that was handed over before is ignored. Raises `HistoryGap` when one is missing,
        `HistoryFailed` when the writer has stopped or was outrun in spite of all asking.
        """
        with self._changed:
            self._refuse_failed()
            if seq > self._submitted_seq:
                if seq != self._submitted_seq + 1:
                    raise HistoryGap(f"History is at {self._submitted_seq}, {seq} does not follow.")
                if len(self._queue) >= BACKLOG_REFUSED * self._backlog_max:
                    raise HistoryFailed(f"History is {len(self._queue)} commands behind.")
                self._queue.append((seq, time_ms, events))
                self._submitted_seq = seq
                if self._idle or len(self._queue) == SLICE_MAX:
                    self._idle = False
                    self._changed.notify()
            return len(self._queue) < self._backlog_max

    async def wait(self, seq: int) -> None:
        """Return when the rows of command `seq` can be read; raises `HistoryFailed`."""
        if seq > self._applied_seq or self._failure is not None:
            await asyncio.wrap_future(self.reaching(seq))

    def wait_blocking(self, seq: int, timeout_s: float | None = None) -> None:
        """Do as `wait` in a thread; raises `TimeoutError`."""
        self.reaching(seq).result(timeout_s)

    def reaching(self, seq: int) -> Future[None]:
        """Begin to wait for a command; the future is done when its rows can be read."""
        future: Future[None] = Future()
        with self._changed:
            if seq > self._applied_seq:
                self._refuse_failed()
                self._waiting.append((seq, future))
                self._changed.notify()
            else:
                future.set_result(None)
        return future

    async def room(self) -> None:
        """Return when the backlog is down to half of what `submit` allows."""
        await self.wait(self._submitted_seq - self._backlog_max // 2)

    def room_blocking(self) -> None:
        """Do as `room` in a thread."""
        self.wait_blocking(self._submitted_seq - self._backlog_max // 2)

    async def sync(self) -> int:
        """Bring all that was submitted so far through a power cut; give the last command of it.

        Until then a power cut may set the history back, never spoil it: the journal has the rest.
        """
        return await asyncio.wrap_future(self.syncing())

    def syncing(self) -> Future[int]:
        """Begin to `sync`; the future is the last command of it."""
        future: Future[int] = Future()
        with self._changed:
            self._refuse_failed()
            self._syncing.append((self._submitted_seq, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._store.close()

    # --- the asking side ---------------------------------------------------------------------

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise HistoryFailed(f"History has stopped: {self._failure!r}") from self._failure
        if self._closing:
            raise HistoryFailed("History is closed.")

    # --- the writer --------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._await_work():
                self._project_slice()
                if self._is_commit_due():
                    self._commit()
                self._sync_asked()
        except BaseException as error:
            with self._changed:
                self._failure = error
            self._on_failure(error)
        finally:
            self._give_up_waiting()

    def _is_hurried(self) -> bool:
        return bool(self._waiting or self._syncing or self._closing)

    def _await_work(self) -> bool:
        """Wait until there is something to do; False when it is over."""
        with self._changed:
            while not (self._queue or self._uncommitted or self._syncing or self._closing):
                self._idle = True
                self._changed.wait()
            self._idle = False
            if len(self._queue) < SLICE_MAX and not self._is_hurried():
                self._changed.wait(self._slice_s)
            return bool(self._queue or self._uncommitted or self._syncing)

    def _project_slice(self) -> None:
        projection = self._projection
        # Only this thread takes from the queue, so what is counted is there.
        for _ in range(min(len(self._queue), SLICE_MAX)):
            seq, time_ms, events = self._queue.popleft()
            if events:
                projection.add(seq, time_ms, events)
            if not self._uncommitted:
                self._uncommitted_since_s = time.monotonic()
            self._uncommitted += 1
            self._projected = (seq, time_ms)

    def _is_commit_due(self) -> bool:
        if not self._uncommitted:
            return False
        if self._uncommitted >= COMMIT_MAX:
            return True
        seq, _ = self._projected
        if any(wanted <= seq for wanted, _ in [*self._waiting, *self._syncing]):
            return True
        if self._closing and not self._queue:
            return True
        return time.monotonic() - self._uncommitted_since_s >= self._commit_s

    def _commit(self) -> None:
        seq, time_ms = self._projected
        projection = self._projection
        self._store.commit(projection.take(), seq, time_ms, projection.next_ledger_id)
        projection.trim()
        self._uncommitted = 0

        with self._changed:
            self._applied_seq = seq
            reached = [future for wanted, future in self._waiting if wanted <= seq]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] > seq]
        self._on_commit(seq)
        for future in reached:
            _resolve(future, None)

    def _sync_asked(self) -> None:
        seq = self._applied_seq
        if any(wanted <= seq for wanted, _ in self._syncing):
            with self._changed:
                reached = [future for wanted, future in self._syncing if wanted <= seq]
                self._syncing = [syncing for syncing in self._syncing if syncing[0] > seq]
            self._store.sync()
            for future in reached:
                _resolve(future, seq)

    def _give_up_waiting(self) -> None:
        """Nothing will be written any more: nobody may go on waiting for it."""
        with self._changed:
            waiting, self._waiting = self._waiting, []
            syncing, self._syncing = self._syncing, []
        forlorn: list[Future[Any]] = [future for _, future in waiting]
        forlorn += [future for _, future in syncing]
        for future in forlorn:
            if future.set_running_or_notify_cancel():
                future.set_exception(HistoryFailed("History has stopped."))


def _resolve(future: Future[_T], value: _T) -> None:
    # False when whoever waited has gone away.
    if future.set_running_or_notify_cancel():
        future.set_result(value)
