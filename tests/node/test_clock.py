"""The exchange's clock: three modes, never back, and no jump that nobody asked for."""

import pytest

from lombard.node.clock import DRIFT_MS_MAX, MANUAL, REAL, SCALED, TIME_MS_MAX, Clock, ClockError

HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


class Machine:
    """A machine whose time of day and monotonic clock the test moves."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms
        self.elapsed_ns = 5

    def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        self.elapsed_ns += ms * 10**6

    def clock(
        self, mode: str, start_ms: int, *, speed_e6: int = 10**6, offset_ms: int = 0
    ) -> Clock:
        return Clock(
            mode,
            start_ms,
            speed_e6=speed_e6,
            offset_ms=offset_ms,
            machine=lambda: self.now_ms,
            elapsed=lambda: self.elapsed_ns,
        )


@pytest.mark.parametrize(
    ("mode", "speed_e6", "passed_ms"),
    [(REAL, 1, 10_000), (MANUAL, 1, 0), (SCALED, 60 * 10**6, 600_000), (SCALED, 500_000, 5_000)],
)
def test_a_clock_keeps_the_pace_of_its_mode(mode: str, speed_e6: int, passed_ms: int) -> None:
    machine = Machine()
    clock = machine.clock(mode, START_MS, speed_e6=speed_e6)

    machine.pass_time(10_000)

    assert START_MS + passed_ms == clock.now_ms()


@pytest.mark.parametrize(
    ("log_ms", "offset_ms", "now_ms"),
    [
        # An empty log: the machine's time, or that of `--start`.
        (0, 0, START_MS),
        (0, -HOUR_MS, START_MS - HOUR_MS),
        # The venue was down for an hour.
        (START_MS - HOUR_MS, 0, START_MS),
        # The log is ahead of the machine: the clock goes on from there.
        (START_MS + HOUR_MS, 0, START_MS + HOUR_MS),
        (START_MS + HOUR_MS, 2 * HOUR_MS, START_MS + 2 * HOUR_MS),
    ],
)
def test_a_real_clock_starts_at_the_later_of_machine_and_log(
    log_ms: int, offset_ms: int, now_ms: int
) -> None:
    machine = Machine()
    clock = machine.clock(REAL, log_ms, offset_ms=offset_ms)

    assert now_ms == clock.now_ms()
    assert now_ms - START_MS == clock.offset_ms
    machine.pass_time(1)
    assert now_ms + 1 == clock.now_ms()


@pytest.mark.parametrize("mode", [MANUAL, SCALED])
def test_other_clocks_go_on_where_the_log_ends(mode: str) -> None:
    assert 77 == Machine().clock(mode, 77, speed_e6=60 * 10**6).now_ms()


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS, DRIFT_MS_MAX + 1])
def test_a_jump_of_the_machine_is_not_followed(jump_ms: int) -> None:
    machine = Machine()
    clock = machine.clock(REAL, START_MS)

    machine.now_ms += jump_ms
    machine.pass_time(5_000)

    assert START_MS + 5_000 == clock.now_ms()
    assert jump_ms == clock.jumped_ms


def test_a_drift_is_followed_but_never_backwards() -> None:
    machine = Machine()
    clock = machine.clock(REAL, START_MS)

    machine.now_ms += 800
    assert START_MS + 800 == clock.now_ms()
    machine.now_ms -= 1_600
    assert START_MS + 800 == clock.now_ms()
    machine.pass_time(2_000)
    assert START_MS + 1_200 == clock.now_ms()
    assert 0 == clock.jumped_ms


@pytest.mark.parametrize("mode", [REAL, MANUAL, SCALED])
def test_a_clock_is_moved_forward_on_purpose(mode: str) -> None:
    machine = Machine()
    clock = machine.clock(mode, START_MS)

    clock.move_to(START_MS + 3 * HOUR_MS)
    assert START_MS + 3 * HOUR_MS == clock.now_ms()
    machine.pass_time(1_000)
    assert START_MS + 3 * HOUR_MS + (0 if mode == MANUAL else 1_000) == clock.now_ms()

    with pytest.raises(ClockError, match="cannot go back"):
        clock.move_to(START_MS)
    with pytest.raises(ClockError, match="no time that a calendar has"):
        clock.move_to(TIME_MS_MAX + 1)


def test_a_mode_is_changed_without_a_jump() -> None:
    machine = Machine()
    clock = machine.clock(MANUAL, 1_000)

    clock.set_mode(SCALED, 2 * 10**6)
    machine.pass_time(500)
    assert 2_000 == clock.now_ms()
    clock.set_mode(REAL)
    machine.pass_time(500)
    assert 2_500 == clock.now_ms()
    assert 2_500 - machine.now_ms == clock.offset_ms
    clock.set_mode(MANUAL)
    machine.pass_time(500)
    assert (2_500, 0, 0) == (clock.now_ms(), clock.offset_ms, clock.speed_e6)


@pytest.mark.parametrize(
    ("mode", "speed_e6"), [("fast", 10**6), (SCALED, 0), (SCALED, -1), (SCALED, 10**12)]
)
def test_what_is_no_mode_is_refused_and_changes_nothing(mode: str, speed_e6: int) -> None:
    clock = Machine().clock(MANUAL, 1_000)

    with pytest.raises(ClockError):
        clock.set_mode(mode, speed_e6)

    assert (MANUAL, 0, 1_000) == (clock.mode, clock.speed_e6, clock.now_ms())


def test_a_clock_stops_at_the_end_of_the_calendar() -> None:
    machine = Machine()
    clock = machine.clock(SCALED, TIME_MS_MAX - 5, speed_e6=10**9)

    machine.pass_time(1_000)

    assert TIME_MS_MAX == clock.now_ms()
