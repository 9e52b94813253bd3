"""Rate limits: what is let in, what not, and that they forget who has gone."""

from pathlib import Path

import pytest

from lombard.api.ratelimit import (
    ADDRESS_CALLS_PER_MINUTE,
    ADDRESS_PAUSE_NS,
    FAILURES_PER_MINUTE,
    SECOND_NS,
    Buckets,
    RateLimits,
)
from lombard.cli.config import Limits, read_config
from lombard.cli.limiting import rate_limits_of
from lombard.node.errors import CannotStart

NOW = 10**15


def test_a_burst_is_let_in_and_then_one_by_one() -> None:
    buckets = Buckets(10, SECOND_NS)

    assert [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1] == [buckets.take("a", NOW) for _ in range(12)]
    assert -1 == buckets.take("a", NOW + SECOND_NS // 10 - SECOND_NS // 200 - 1)
    assert 0 == buckets.take("a", NOW + SECOND_NS // 10)
    assert 9 == buckets.take("a", NOW + 3 * SECOND_NS)


def test_no_second_sees_more_than_the_burst_and_the_refill() -> None:
    buckets = Buckets(5, SECOND_NS)
    let_in = [at for at in range(0, 4 * SECOND_NS, SECOND_NS // 50) if buckets.take("a", at) >= 0]

    for start in range(0, 3 * SECOND_NS, SECOND_NS // 10):
        assert sum(start <= at < start + SECOND_NS for at in let_in) <= 5 + 5
    assert 5 + 4 * 5 - 1 <= len(let_in) <= 5 + 4 * 5


def test_a_client_that_keeps_the_pace_may_be_a_moment_early() -> None:
    buckets = Buckets(1, SECOND_NS)
    early = SECOND_NS // 20

    assert 0 == buckets.take("a", NOW)
    assert not buckets.is_empty("a", NOW + SECOND_NS - early)
    assert 0 == buckets.take("a", NOW + SECOND_NS - early)
    # Once: the pace itself is kept.
    assert -1 == buckets.take("a", NOW + 2 * SECOND_NS - early - 1)
    assert 0 == buckets.take("a", NOW + 2 * SECOND_NS - early)


def test_callers_do_not_take_from_each_other() -> None:
    buckets = Buckets(1, SECOND_NS)

    assert [0, 0, -1] == [buckets.take(caller, NOW) for caller in ("a", "b", "a")]


def test_endpoints_are_counted_apart() -> None:
    limits = RateLimits()

    assert 0 == limits.admit_call("/a", 1, 7, NOW)
    assert 0 == limits.admit_call("/b", 1, 7, NOW)
    assert -1 == limits.admit_call("/a", 1, 7, NOW)


def test_an_address_that_asks_too_much_pauses_for_five_minutes() -> None:
    limits = RateLimits()

    assert all(limits.admit_address("a", NOW) for _ in range(ADDRESS_CALLS_PER_MINUTE))
    assert not limits.admit_address("a", NOW)
    assert limits.admit_address("b", NOW)
    assert not limits.admit_address("a", NOW + ADDRESS_PAUSE_NS - 1)
    assert limits.admit_address("a", NOW + ADDRESS_PAUSE_NS)


def test_an_address_with_too_many_failures_is_not_listened_to() -> None:
    limits = RateLimits()
    for _ in range(FAILURES_PER_MINUTE):
        assert limits.admit_address("a", NOW)
        limits.note_failure("a", NOW)

    assert not limits.admit_address("a", NOW)
    assert limits.admit_address("a", NOW + 2 * SECOND_NS)


def test_full_buckets_are_forgotten() -> None:
    buckets = Buckets(1, SECOND_NS)
    for caller in range(100_000):
        assert 0 == buckets.take(caller, NOW)

    assert 0 == buckets.take("late", NOW + 2 * SECOND_NS)
    assert 1 == len(buckets._full_at_ns)


def test_figures_of_one_s_own() -> None:
    limits = RateLimits({"/a": 2, "/b": 0}, 3, 7 * SECOND_NS, 1)

    assert (2, 0, 10) == tuple(limits.per_second(path, 10) for path in ("/a", "/b", "/c"))
    assert [True] * 3 + [False] == [limits.admit_address("x", NOW) for _ in range(4)]
    assert not limits.admit_address("x", NOW + 7 * SECOND_NS - 1)
    assert limits.admit_address("x", NOW + 60 * SECOND_NS)
    limits.note_failure("y", NOW)
    assert not limits.admit_address("y", NOW)


def test_addresses_that_paused_are_forgotten() -> None:
    limits = RateLimits(address_calls_per_minute=1)
    for address in range(100_000):
        assert limits.admit_address(str(address), NOW)
        assert not limits.admit_address(str(address), NOW)
    later = NOW + ADDRESS_PAUSE_NS
    assert limits.admit_address("late", later)
    assert not limits.admit_address("late", later)

    assert 1 == len(limits._paused_until_ns)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limits]\nfailures_per_minute = 0", "limits.failures_per_minute"),
        ("[limits]\naddress_pause_seconds = -1", "limits.address_pause_seconds"),
        ("[limits]\nburst = 1", "burst"),
        ('[limits.per_second]\n"/api/v2/public/time" = -1', "limits.per_second"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "lombard.toml").write_text(f'data = "x"\n{text}\n')

    with pytest.raises(CannotStart, match=sentence):
        read_config(tmp_path / "lombard.toml")


def test_limits_as_they_are_configured() -> None:
    assert rate_limits_of(Limits(enabled=False)) is None
    made = rate_limits_of(Limits(per_second={"/api/v2/public/time": 3}))
    assert made is not None
    assert (3, 20) == (made.per_second("/api/v2/public/time", 20), made.per_second("/x", 20))
    with pytest.raises(CannotStart, match="no call has this path"):
        rate_limits_of(Limits(enabled=False, per_second={"/x": 3}))
