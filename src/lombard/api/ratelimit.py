"""Rate limits: so many calls a second for each endpoint and caller, so many a minute altogether.

A token bucket kept as one number, the time at which it will be full again. Pure: the caller brings
the (monotonic) time.
"""

from collections.abc import Hashable, Mapping
from typing import Final, final

from lombard.api.replays import SEEN_MAX

SECOND_NS: Final = 10**9
# Every address altogether; one that exceeds it is let in again after the pause (reference §1.9).
ADDRESS_CALLS_PER_MINUTE: Final = 6000
ADDRESS_PAUSE_NS: Final = 5 * 60 * SECOND_NS
# Wrong signatures and passphrases, by address.
FAILURES_PER_MINUTE: Final = 60
# By which part of the time between two tokens a call may come early.
EARLY_PART: Final = 20
_BUCKETS_MAX: Final = 100_000
NO_OTHERS: Final[Mapping[str, int]] = {}


@final
class Buckets:
    """Token buckets of one size: `burst` calls at once, refilled evenly over `period_ns`.

    A client that keeps the pace exactly is a moment early now and then: a call may come a little
    before its token, which the next one waits for all the longer.
    """

    __slots__ = ("_burst_ns", "_early_ns", "_full_at_ns", "_interval_ns")

    def __init__(self, burst: int, period_ns: int) -> None:
        assert burst > 0
        self._interval_ns: Final = period_ns // burst
        self._burst_ns: Final = self._interval_ns * burst
        self._early_ns: Final = self._interval_ns // EARLY_PART
        self._full_at_ns: dict[Hashable, int] = {}

    def take(self, caller: Hashable, now_ns: int) -> int:
        """Take a token; returns how many are left, or -1 when there was none to take."""
        full_at_ns = max(self._full_at_ns.get(caller, 0), now_ns) + self._interval_ns
        left_ns = now_ns + self._burst_ns - full_at_ns
        if left_ns < -self._early_ns:
            return -1
        if len(self._full_at_ns) >= _BUCKETS_MAX:
            self._forget_full(now_ns)
        self._full_at_ns[caller] = full_at_ns
        return max(0, left_ns) // self._interval_ns

    def is_empty(self, caller: Hashable, now_ns: int) -> bool:
        """Say whether a token could not be taken now."""
        full_at_ns = self._full_at_ns.get(caller, 0)
        return full_at_ns + self._interval_ns > now_ns + self._burst_ns + self._early_ns

    def _forget_full(self, now_ns: int) -> None:
        # A full bucket is as good as none.
        self._full_at_ns = {key: at for key, at in self._full_at_ns.items() if at > now_ns}


@final
class RateLimits:
    """All limits of the gateway. Endpoints are named by their path.

    `per_second` has other limits for some paths than the table's; 0 does not count them.
    `signed_max` is how many signed requests are remembered (`lombard.api.replays`).
    """

    __slots__ = (
        "_addresses",
        "_endpoints",
        "_failures",
        "_pause_ns",
        "_paused_until_ns",
        "_per_second",
        "signed_max",
    )

    def __init__(
        self,
        per_second: Mapping[str, int] = NO_OTHERS,
        address_calls_per_minute: int = ADDRESS_CALLS_PER_MINUTE,
        address_pause_ns: int = ADDRESS_PAUSE_NS,
        failures_per_minute: int = FAILURES_PER_MINUTE,
        signed_max: int = SEEN_MAX,
    ) -> None:
        self.signed_max: Final = signed_max
        self._per_second: Final = dict(per_second)
        self._endpoints: dict[tuple[str, int], Buckets] = {}
        self._addresses: Final = Buckets(address_calls_per_minute, 60 * SECOND_NS)
        self._failures: Final = Buckets(failures_per_minute, 60 * SECOND_NS)
        self._pause_ns: Final = address_pause_ns
        self._paused_until_ns: dict[str, int] = {}

    def per_second(self, endpoint: str, usual: int) -> int:
        """Say how many calls of an endpoint are let through each second, 0 for all."""
        return self._per_second.get(endpoint, usual)

    def admit_address(self, address: str, now_ns: int) -> bool:
        """Count a call against its address as a whole."""
        paused_until_ns = self._paused_until_ns.get(address)
        if paused_until_ns is not None:
            if now_ns < paused_until_ns:
                return False
            del self._paused_until_ns[address]
        if self._failures.is_empty(address, now_ns):
            return False
        if self._addresses.take(address, now_ns) < 0:
            self._pause(address, now_ns)
            return False
        return True

    def _pause(self, address: str, now_ns: int) -> None:
        if len(self._paused_until_ns) >= _BUCKETS_MAX:
            paused = self._paused_until_ns.items()
            self._paused_until_ns = {key: at for key, at in paused if at > now_ns}
        self._paused_until_ns[address] = now_ns + self._pause_ns

    def note_failure(self, address: str, now_ns: int) -> None:
        """Count a wrong signature or passphrase; an address with too many is not listened to."""
        self._failures.take(address, now_ns)

    def admit_call(self, endpoint: str, per_second: int, caller: Hashable, now_ns: int) -> int:
        """Count a call of an endpoint; returns how many are left this second, -1 for too many."""
        buckets = self._endpoints.get((endpoint, per_second))
        if buckets is None:
            buckets = self._endpoints[(endpoint, per_second)] = Buckets(per_second, SECOND_NS)
        return buckets.take(caller, now_ns)
