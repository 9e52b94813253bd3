"""The timekeeper: lets exchange time pass, moment by moment, with all that is due on the way.

At each moment what the market has to say is submitted, then a tick, and liquidations that come of
it are carried through before time goes on. A running clock is followed at least once a second; one
that is put forward on purpose passes through every full hour, and every moment of the market, that
lies between (RULES 3.1, 3.3). So an hour's interest and marks belong to that hour, whether it
passed in an hour or in a millisecond.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from lombard.core.commands import VENUE, Command, Tick
from lombard.core.state import Reply
from lombard.core.units import HOUR_MS
from lombard.node.clock import SPEED_ONE_E6, Clock
from lombard.node.errors import Overloaded

# The machine's seconds between two ticks: a little less than the second that is promised.
TICK_S: Final = 0.9
PAUSE_S_MIN: Final = 0.005
# A liquidation that waits for a market is looked at this often while a clock is put forward.
WAITING_STEP_MS: Final = 60_000

Submit = Callable[[int, Command, int], "asyncio.Future[Reply]"]


class Due(Protocol):
    """A command with the exchange time it is due at."""

    @property
    def time_ms(self) -> int:
        """When it is due."""

    @property
    def account(self) -> int:
        """Who asks."""

    @property
    def command(self) -> Command:
        """What is asked."""


class Player(Protocol):
    """What plays in exchange time: a replayed market."""

    def next_due_ms(self) -> int:
        """Say when there is next something to do."""

    def due(self, until_ms: int) -> Sequence[Due]:
        """Return the commands of the next moment due; the moment is done with."""

    def is_behind(self, now_ms: int) -> bool:
        """Say whether a running clock has left it so far behind that it should skip."""

    def skip_to(self, now_ms: int) -> None:
        """Leave out what was due before `now_ms`."""


class Timekeeper:
    """Lets time pass on a clock, from the log's time on (0: from the clock's).

    `submit` queues a command at an exchange time; `settled` waits until no liquidation can go on;
    `unsettled` says whether one waits for time or prices.
    """

    def __init__(
        self,
        clock: Clock,
        submit: Submit,
        settled: Callable[[], Awaitable[None]],
        unsettled: Callable[[], bool],
        log_ms: int,
    ) -> None:
        self._clock = clock
        self._submit = submit
        self._settled = settled
        self._unsettled = unsettled
        self._player: Player | None = None
        # Hours that passed while the venue was down are passed through too (RULES 3.2).
        self._passed_ms = log_ms or clock.now_ms()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow a running clock until cancelled."""
        while True:
            await self._pause()
            if not self._clock.speed_e6:
                continue
            async with self._turn:
                now_ms = self._clock.now_ms()
                if self._player is not None and self._player.is_behind(now_ms):
                    self._player.skip_to(now_ms)
                await self._pass(now_ms, moves=False)

    async def play(self, player: Player | None) -> None:
        """Let a market play, or none, from now on; what it has to say now is applied on return."""
        async with self._turn:
            self._player = player
            await self._pass(self._clock.now_ms(), moves=False)

    async def advance_to(self, to_ms: int) -> None:
        """Put the clock forward; returns when everything due by then is applied.

        Raises `ClockError` for a time past.
        """
        async with self._turn:
            self._clock.check_move(to_ms)
            await self._pass(to_ms, moves=True)

    async def advance_by(self, ms: int) -> None:
        """Put the clock forward by a span, from wherever it is when its turn has come."""
        async with self._turn:
            to_ms = self._clock.now_ms() + ms
            self._clock.check_move(to_ms)
            await self._pass(to_ms, moves=True)

    async def set_mode(self, mode: str, speed_e6: int) -> None:
        """Let the clock go on in another mode. Raises `ClockError`."""
        async with self._turn:
            self._clock.set_mode(mode, speed_e6)
            self._changed.set()

    async def _pause(self) -> None:
        """Sleep until the next tick; a change of the clock's mode wakes it."""
        self._changed.clear()
        pause_s = TICK_S
        speed_e6 = self._clock.speed_e6
        if speed_e6:
            now_ms = self._clock.now_ms()
            ahead_ms = self._next_moment(now_ms + 1, now_ms + HOUR_MS) - now_ms
            pause_s = min(TICK_S, ahead_ms * SPEED_ONE_E6 / speed_e6 / 1000)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(pause_s, PAUSE_S_MIN)):
                await self._changed.wait()

    async def _pass(self, to_ms: int, moves: bool) -> None:
        """Go from moment to moment up to `to_ms`."""
        while True:
            moment_ms = self._next_moment(self._passed_ms, to_ms)
            if moves:
                self._clock.move_to(max(moment_ms, self._clock.now_ms()))
            await self._moment(moment_ms, to_ms)
            self._passed_ms = max(self._passed_ms, moment_ms)
            if moment_ms >= to_ms and not self._player_due(to_ms):
                return

    def _next_moment(self, after_ms: int, until_ms: int) -> int:
        """Return when something is due next, `until_ms` if nothing is before."""
        moment_ms = min(until_ms, after_ms - after_ms % HOUR_MS + HOUR_MS)
        if self._player is not None:
            moment_ms = min(moment_ms, max(after_ms, self._player.next_due_ms()))
        if self._unsettled():
            moment_ms = min(moment_ms, after_ms + WAITING_STEP_MS)
        return moment_ms

    def _player_due(self, now_ms: int) -> bool:
        return self._player is not None and self._player.next_due_ms() <= now_ms

    async def _moment(self, moment_ms: int, until_ms: int) -> None:
        """Submit what is due at a moment, and a tick, and see them applied."""
        waiting = []
        if self._player is not None and self._player_due(moment_ms):
            waiting = [
                self._try(due.account, due.command, moment_ms) for due in self._player.due(until_ms)
            ]
        waiting.append(self._try(VENUE, Tick(), moment_ms))
        submitted = [reply for reply in waiting if reply is not None]
        if submitted:
            await asyncio.wait(submitted)
        await self._settled()

    def _try(self, account: int, command: Command, at_ms: int) -> "asyncio.Future[Reply] | None":
        """Submit what the venue can do without for once: the next moment brings another."""
        try:
            return self._submit(account, command, at_ms)
        except Overloaded:
            return None
