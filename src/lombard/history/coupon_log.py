"""The record of a coupon, written once: when it has left the venue's state (RULES 9.3)."""

from lombard.core.events import CouponRetired


def coupon_cells(event: CouponRetired) -> tuple[int, ...]:
    """Write the coupon's row."""
    return (
        event.coupon_id,
        event.campaign,
        event.user,
        event.claimed_ms,
        event.start_ms,
        event.end_ms,
        event.account,
    )
