"""History in a process of its own, as the node sees it.

Writing history costs a third of what an order costs; here it takes nothing from the thread that
answers. The promises are the projector's, which does the work at the other end: each command
exactly once, a bounded backlog, a first failure that is final and loud. A writer that ends before
it is told to is such a failure.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, final

from lombard.child import Line
from lombard.core.events import Event
from lombard.history import parcels
from lombard.history.faults import (
    HistoryFailed,
    HistoryGap,
    HistoryRefused,
    HistoryUnavailable,
)
from lombard.history.places import Place
from lombard.history.projector import BACKLOG_MAX, BACKLOG_REFUSED, COMMIT_S, SLICE_MAX
from lombard.history.writer import write_history

# What comes within this time goes in one parcel, unless somebody waits: each wakes the writer.
GATHER_S: Final = 0.02
# Names the base and quote coin of every pair from one on, in the order of the pairs.
PairsFrom = Callable[[int], list[tuple[int, int]]]


@final
class HistoryProcess:
    """Hands what happens to the writer. Everything is called in the event loop's thread."""

    def __init__(
        self,
        place: Place,
        pairs_from: PairsFrom,
        on_failure: Callable[[BaseException], None],
        backlog_max: int = BACKLOG_MAX,
        commit_s: float = COMMIT_S,
        on_trouble: Callable[[str], None] = lambda why: None,
    ) -> None:
        """Start the writer of the history at a place; raises `HistoryRefused`.

        `on_failure` gets what made the writer stop, once; `on_trouble` why its database cannot be
        reached, and "" when it can be again. What nobody waits for is committed
        `commit_s` late.
        """
        self._pairs_from: Final = pairs_from
        self._on_failure: Final = on_failure
        self._on_trouble: Final = on_trouble
        self._backlog_max: Final = backlog_max
        self._loop: Final = asyncio.get_running_loop()
        self._closing = False
        self._failure: BaseException | None = None
        self._refusal = ""
        self._trouble = ""
        self._calm: Final = asyncio.Event()
        self._calm.set()
        # Commands that are not in a parcel yet.
        self._works: list[parcels.Packed] = []
        self._flushing = False
        self._pairs_told = 0
        # What the writer has said.
        self._applied_seq = -1
        self._submitted_seq = -1
        self._hurried_seq = 0
        self._waiting: list[tuple[int, Future[None]]] = []
        self._syncing: list[Future[int]] = []
        self._line: Final = Line(
            lambda end: write_history(end, place, backlog_max, commit_s),
            self._heard,
            self._writer_ended,
        )
        self._await_ready()

    @property
    def pid(self) -> int:
        """The process id of the writer."""
        return self._line.pid

    @property
    def applied_seq(self) -> int:
        """The last command whose rows are committed, as far as is known here."""
        return self._applied_seq

    @property
    def lag(self) -> int:
        """How many commands were submitted and are not known to be committed yet."""
        return self._submitted_seq - self._applied_seq

    @property
    def failure(self) -> BaseException | None:
        """What made the writer stop; None while all is well."""
        return self._failure

    @property
    def trouble(self) -> str:
        """Why the database of history cannot be reached; empty while all is well."""
        return self._trouble

    def submit(self, seq: int, time_ms: int, events: Sequence[Event]) -> bool:
        """Hand over what a command did; False asks to slow down (`room`).

        A command that was handed over before is ignored. Raises `HistoryGap` when one is missing,
        `HistoryFailed` when the writer has stopped or was outrun in spite of all asking.
        """
        self._refuse_failed()
        if seq > self._submitted_seq:
            if seq != self._submitted_seq + 1:
                raise HistoryGap(f"History is at {self._submitted_seq}, {seq} does not follow.")
            if self.lag >= BACKLOG_REFUSED * self._backlog_max:
                raise HistoryFailed(f"History is {self.lag} commands behind.")
            self._works.append(parcels.packed(seq, time_ms, events))
            self._submitted_seq = seq
            if len(self._works) >= SLICE_MAX:
                self._flush()
            elif not self._flushing:
                self._flushing = True
                self._loop.call_later(GATHER_S, self._flush)
        return self.lag < self._backlog_max

    async def wait(self, seq: int) -> None:
        """Return when the rows of command `seq` can be read.

        Raises `HistoryFailed`, and `HistoryUnavailable` rather than wait for a lost database.
        """
        if seq > self._applied_seq:
            self._refuse_trouble()
            self._hurry(seq)
            future: Future[None] = self._loop.create_future()
            self._waiting.append((seq, future))
            await future

    def wait_blocking(self, seq: int, timeout_s: float | None = None) -> None:
        """Do as `wait` while the event loop stands; raises `TimeoutError`."""
        if seq > self._applied_seq:
            self._hurry(seq)
            self._exchange_until(lambda: self._applied_seq >= seq, timeout_s)

    async def room(self) -> None:
        """Return when the backlog is down to half of what `submit` allows, whatever it takes."""
        seq = self._submitted_seq - self._backlog_max // 2
        while seq > self._applied_seq:
            await self.calm()
            with suppress(HistoryUnavailable):
                await self.wait(seq)

    async def calm(self) -> None:
        """Return when the database can be reached, or history has stopped."""
        await self._calm.wait()

    def room_blocking(self) -> None:
        """Do as `room` while the event loop stands."""
        self.wait_blocking(self._submitted_seq - self._backlog_max // 2)

    async def sync(self) -> int:
        """Bring all that was submitted so far through a power cut; give the last command of it.

        Until then a power cut may set the history back, never spoil it: the journal has the rest.
        """
        self._refuse_failed()
        self._refuse_trouble()
        self._flush()
        self._line.say(parcels.SYNC, None)
        future: Future[int] = self._loop.create_future()
        self._syncing.append(future)
        return await future

    def close(self) -> None:
        """Let the writer write what is waiting, and end. Closing twice is fine."""
        if not self._closing:
            self._closing = True
            if not self._line.ended:
                self._flush()
                self._line.say(parcels.CLOSE, None)
                self._exchange_until(lambda: self._line.ended, None)
            self._give_up_waiting()

    # --- towards the writer --------------------------------------------------------------------

    def _await_ready(self) -> None:
        self._exchange_until(lambda: self._applied_seq >= 0 or self._line.ended, None)
        if self._refusal:
            raise HistoryRefused(self._refusal)
        self._refuse_failed()
        self._submitted_seq = self._applied_seq

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise HistoryFailed(f"History has stopped: {self._failure}") from self._failure
        if self._closing:
            raise HistoryFailed("History is closed.")

    def _refuse_trouble(self) -> None:
        if self._trouble:
            raise HistoryUnavailable(f"The database of history is lost: {self._trouble}")

    def _hurry(self, seq: int) -> None:
        self._refuse_failed()
        self._flush()
        if seq > self._hurried_seq:
            self._hurried_seq = seq
            self._line.say(parcels.REACH, seq)

    def _flush(self) -> None:
        """Send the commands that were submitted, and first whatever pair is new."""
        self._flushing = False
        if not self._works or self._line.ended:
            return
        pairs = self._pairs_from(self._pairs_told)
        if pairs:
            self._line.say(parcels.PAIRS, pairs)
            self._pairs_told += len(pairs)
        works, self._works = self._works, []
        self._line.say(parcels.WORK, works)

    # --- from the writer -----------------------------------------------------------------------

    def _exchange_until(self, is_over: Callable[[], bool], timeout_s: float | None) -> None:
        """Send and receive while the event loop stands, until something is so."""

        def is_over_or_failed() -> bool:
            return is_over() or (self._failure is not None and not self._closing)

        self._line.exchange_until(is_over_or_failed, timeout_s)
        if not is_over() and not self._closing:
            self._refuse_failed()

    def _heard(self, word: str, what: Any) -> None:
        if word in (parcels.APPLIED, parcels.READY):
            self._applied_seq = what
            reached = [future for seq, future in self._waiting if seq <= what]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] > what]
            for future in reached:
                _resolve(future, None)
        elif word == parcels.SYNCED:
            _resolve(self._syncing.pop(0), what)
        elif word == parcels.TROUBLE:
            self._troubled(what)
        elif word == parcels.REFUSED:
            self._refusal = what
        elif word == parcels.FAILED:
            self._fail(HistoryFailed(what))

    def _troubled(self, why: str) -> None:
        """Let nobody wait for a database that is lost, until it is back."""
        self._trouble = why
        if not why:
            self._calm.set()
        else:
            self._calm.clear()
            forlorn: list[Future[Any]] = [future for _, future in self._waiting]
            self._waiting = []
            # These stay, for each of them will be answered.
            for future in [*forlorn, *self._syncing]:
                if not future.done():
                    future.set_exception(HistoryUnavailable(why))
        self._on_trouble(why)

    def _writer_ended(self, how: str) -> None:
        """Take note that the writer has ended, as it does when it is told to."""
        if how or not self._closing:
            how = how or "code 0"
            self._fail(HistoryFailed(f"The process that writes history has ended with {how}."))

    def _fail(self, failure: BaseException) -> None:
        """Keep the first failure, and tell of it."""
        if self._failure is None:
            self._failure = failure
            self._give_up_waiting()
            if self._submitted_seq >= 0:
                self._on_failure(failure)

    def _give_up_waiting(self) -> None:
        """Nothing will be written any more: nobody may go on waiting for it."""
        self._calm.set()
        forlorn: list[Future[Any]] = [future for _, future in self._waiting]
        forlorn += self._syncing
        self._waiting, self._syncing = [], []
        for future in forlorn:
            if not future.done():
                future.set_exception(HistoryFailed("History has stopped."))


def _resolve(future: "Future[Any]", value: object) -> None:
    # Whoever waited may have gone away.
    if not future.done():
        future.set_result(value)
