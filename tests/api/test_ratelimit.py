"""Rate limits: what is let in, what not, and that they forget who has gone."""

from lombard.api.ratelimit import (
    ADDRESS_CALLS_PER_MINUTE,
    ADDRESS_PAUSE_NS,
    FAILURES_PER_MINUTE,
    SECOND_NS,
    Buckets,
    RateLimits,
)

NOW = 10**15


def test_a_burst_is_let_in_and_then_one_by_one() -> None:
    buckets = Buckets(10, SECOND_NS)

    assert [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1] == [buckets.take("a", NOW) for _ in range(12)]
    assert -1 == buckets.take("a", NOW + SECOND_NS // 10 - 1)
    assert 0 == buckets.take("a", NOW + SECOND_NS // 10)
    assert 9 == buckets.take("a", NOW + 3 * SECOND_NS)


def test_no_second_sees_more_than_the_burst_and_the_refill() -> None:
    buckets = Buckets(5, SECOND_NS)
    let_in = [at for at in range(0, 4 * SECOND_NS, SECOND_NS // 50) if buckets.take("a", at) >= 0]

    for start in range(0, 3 * SECOND_NS, SECOND_NS // 10):
        assert sum(start <= at < start + SECOND_NS for at in let_in) <= 5 + 5
    assert 5 + 4 * 5 - 1 <= len(let_in) <= 5 + 4 * 5


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
