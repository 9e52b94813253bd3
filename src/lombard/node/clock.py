"""Exchange time: the time data is stamped with, which need not be the machine's.

A clock runs in one of three modes. `real` keeps the machine's time, give or take a fixed offset;
`scaled` runs at a speed of its own; `manual` stands until it is moved. Whatever its mode a clock
never goes back, and only `move_to` makes it jump: while it runs it follows the monotonic clock,
and a machine whose time of day is put forward an hour does not charge anybody an hour's interest
(RULES 3.2). Durations are never measured with it.
"""

import time
from collections.abc import Callable
from typing import Final

REAL: Final = "real"
MANUAL: Final = "manual"
SCALED: Final = "scaled"
MODES: Final = (REAL, MANUAL, SCALED)
SPEED_ONE_E6: Final = 10**6
SPEED_MAX_E6: Final = 100_000 * SPEED_ONE_E6
# A real clock follows the machine's within this; a bigger difference is a jump, not a drift.
DRIFT_MS_MAX: Final = 1_000
# The year 9999 ends here; beyond it timestamps have no calendar.
TIME_MS_MAX: Final = 253_402_300_799_999

_NS_PER_MS: Final = 10**6


class ClockError(ValueError):
    """A clock will not do that; the message is a sentence."""


def machine_ms() -> int:
    """Read the machine's time of day."""
    return time.time_ns() // _NS_PER_MS


def elapsed_ns() -> int:
    """Read the machine's monotonic clock; it counts the time a laptop sleeps, where it can."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class Clock:
    """Exchange time in one of three modes, from `start_ms` on.

    `real` starts at the machine's time plus `offset_ms`, or at `start_ms` if that is later.
    """

    def __init__(
        self,
        mode: str,
        start_ms: int,
        *,
        speed_e6: int = SPEED_ONE_E6,
        offset_ms: int = 0,
        machine: Callable[[], int] = machine_ms,
        elapsed: Callable[[], int] = elapsed_ns,
    ) -> None:
        self._machine = machine
        self._elapsed = elapsed
        self._anchor_ms = start_ms
        self._anchor_ns = elapsed()
        self._last_ms = start_ms
        self._offset_ms = 0
        self.jumped_ms = 0
        self.mode = MANUAL
        self.speed_e6 = 0
        self._check_time(start_ms)
        self._run(mode, speed_e6)
        if mode == REAL:
            self._anchor_ms = max(start_ms, machine() + offset_ms)
            self._offset_ms = self._anchor_ms - machine()

    @property
    def offset_ms(self) -> int:
        """Exchange time less the machine's, while the clock is real; 0 otherwise."""
        return self._offset_ms if self.mode == REAL else 0

    def now_ms(self) -> int:
        """Say what time it is at the exchange; never less than it said before."""
        now = self._anchor_ms
        if self.speed_e6:
            now += (self._elapsed() - self._anchor_ns) * self.speed_e6 // (10**6 * _NS_PER_MS)
        if self.mode == REAL:
            now = self._follow_machine(now)
        self._last_ms = max(self._last_ms, min(now, TIME_MS_MAX))
        return self._last_ms

    def check_move(self, to_ms: int) -> None:
        """Raise `ClockError` where `move_to` would."""
        now = self.now_ms()
        if to_ms < now:
            raise ClockError(f"The exchange's clock is at {now} and cannot go back to {to_ms}.")
        self._check_time(to_ms)

    def move_to(self, to_ms: int) -> None:
        """Jump forward, on purpose. Raises `ClockError` for a time past."""
        self.check_move(to_ms)
        self._settle(to_ms)

    def set_mode(self, mode: str, speed_e6: int = SPEED_ONE_E6) -> None:
        """Go on in another mode from the present exchange time. Raises `ClockError`."""
        now = self.now_ms()
        self._run(mode, speed_e6)
        self._settle(now)

    def _follow_machine(self, steady_ms: int) -> int:
        drift = self._machine() + self._offset_ms - steady_ms
        self.jumped_ms = drift if abs(drift) > DRIFT_MS_MAX else 0
        return steady_ms + (0 if self.jumped_ms else drift)

    def _settle(self, now_ms: int) -> None:
        """Anchor the clock anew, so that it reads `now_ms` at this moment."""
        self._anchor_ms = self._last_ms = now_ms
        self._anchor_ns = self._elapsed()
        self._offset_ms = now_ms - self._machine()
        self.jumped_ms = 0

    def _run(self, mode: str, speed_e6: int) -> None:
        if mode not in MODES:
            raise ClockError(f"A clock runs in mode {', '.join(MODES)}, not {mode!r}.")
        if mode == SCALED and not 0 < speed_e6 <= SPEED_MAX_E6:
            most = SPEED_MAX_E6 // SPEED_ONE_E6
            raise ClockError(f"The speed of a clock is more than 0 and at most {most}.")
        self.mode = mode
        self.speed_e6 = {REAL: SPEED_ONE_E6, MANUAL: 0, SCALED: speed_e6}[mode]

    @staticmethod
    def _check_time(ms: int) -> None:
        if not 0 <= ms <= TIME_MS_MAX:
            raise ClockError(f"{ms} is no time that a calendar has.")
