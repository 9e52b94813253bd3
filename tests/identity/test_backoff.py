"""Counted failures: a few are free, then each wait is twice the last, and nobody else waits."""

from collections.abc import Hashable

import pytest

from lombard.identity.backoff import (
    FIRST_PAUSE_MS,
    FORGOTTEN_MS,
    FREE,
    PAUSE_MS_MAX,
    Backoff,
    TooManyFailures,
)


def waits(backoff: Backoff, who: Hashable, now_ms: int) -> int:
    """Attempt; returns the seconds to wait, 0 when it is let through."""
    try:
        backoff.attempt(who, now_ms)
    except TooManyFailures as refused:
        return refused.seconds
    return 0


def test_the_waits_double_up_to_an_hour() -> None:
    backoff, now_ms, pauses = Backoff(), 0, []
    for _ in range(FREE):
        assert 0 == waits(backoff, "a", now_ms)
    for _ in range(9):
        seconds = waits(backoff, "a", now_ms)
        pauses.append(seconds)
        assert 1 == waits(backoff, "a", now_ms + seconds * 1000 - 1)
        now_ms += seconds * 1000
        assert 0 == waits(backoff, "a", now_ms)
    first, most = FIRST_PAUSE_MS // 1000, PAUSE_MS_MAX // 1000
    assert [min(first << each, most) for each in range(9)] == pauses
    assert 0 == waits(backoff, "b", now_ms)


def test_a_right_attempt_or_a_day_forgets() -> None:
    backoff = Backoff()
    for _ in range(FREE):
        backoff.attempt("a", 0)
    assert waits(backoff, "a", 1)
    backoff.clear("a")
    for _ in range(FREE):
        assert 0 == waits(backoff, "a", 2)
    assert waits(backoff, "a", 3)
    for _ in range(FREE):
        assert 0 == waits(backoff, "a", 2 + FORGOTTEN_MS)
    assert waits(backoff, "a", 2 + FORGOTTEN_MS)


def test_a_clock_set_back_locks_nobody_out_for_ever() -> None:
    backoff = Backoff()
    for _ in range(FREE):
        backoff.attempt("a", 10**12)
    assert waits(backoff, "a", 10**12 - 1000) <= FIRST_PAUSE_MS // 1000 + 1


def test_what_is_counted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from lombard.identity import backoff as module

    monkeypatch.setattr(module, "_COUNTS_MAX", 3)
    backoff = Backoff()
    for _ in range(FREE):
        backoff.attempt("a", 0)
    for other in "bcd":
        backoff.attempt(other, 0)
    assert 0 == waits(backoff, "a", 0)
