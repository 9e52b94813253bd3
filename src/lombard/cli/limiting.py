"""Rate limits as they are configured."""

from lombard.api.endpoints import ENDPOINTS
from lombard.api.ratelimit import SECOND_NS, RateLimits
from lombard.cli.config import Limits
from lombard.node.errors import CannotStart


def rate_limits_of(settings: Limits) -> RateLimits | None:
    """Make the limits of the public API, None for none. Raises `CannotStart`."""
    paths = {row.path for row in ENDPOINTS}
    for path in settings.per_second:
        if path not in paths:
            raise CannotStart(f"limits.per_second names {path}, and no call has this path.")
    if not settings.enabled:
        return None
    return RateLimits(
        settings.per_second,
        settings.address_calls_per_minute,
        settings.address_pause_seconds * SECOND_NS,
        settings.failures_per_minute,
        settings.signed_requests_remembered,
    )
