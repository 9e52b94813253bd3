"""Coupons and their campaigns as rows of a snapshot, and back."""

from __future__ import annotations

from typing import Any, Final

from lombard.core.campaigns import NEVER, Campaign, Coupon
from lombard.core.state import State

Row = list[Any]
_CAMPAIGN: Final = [
    "name",
    "discount_e6",
    "duration_ms",
    "claim_from_ms",
    "claim_until_ms",
    "count",
    "access",
    "starts_on_claim",
    "seed_hash",
]


def campaign_row(campaign: Campaign) -> Row:
    """Write a campaign down."""
    values: Row = [getattr(campaign, name) for name in _CAMPAIGN]
    caps = sorted(campaign.caps.items())
    draw = [campaign.seed, campaign.cut_hash, sorted(campaign.entrants)]
    return ["campaign", campaign.id, caps, campaign.made, *draw, *values]


def coupon_row(coupon: Coupon) -> Row:
    """Write a coupon down."""
    row: Row = ["coupon", coupon.id, coupon.campaign.id, coupon.user, coupon.claimed_ms]
    return [*row, coupon.start_ms, coupon.account, coupon.from_hour, coupon.fresh_hour]


def read_campaign(state: State, row: Row) -> None:
    """Read a campaign."""
    name, discount, duration, claim_from, claim_until, count, access, on_claim, seed_hash = row[7:]
    caps = dict(row[2])
    campaign = Campaign(
        row[1], name, discount, caps, duration, claim_from, claim_until, count, access, on_claim,
        seed_hash,
    )  # fmt: skip
    campaign.made, campaign.seed, campaign.cut_hash = row[3], row[4], row[5]
    campaign.entrants = dict.fromkeys(row[6], True)
    state.campaigns[campaign.id] = campaign


def read_coupon(state: State, row: Row) -> None:
    """Read a coupon, of a campaign and a user that are read."""
    user = state.users[row[3]]
    coupon = Coupon(row[1], state.campaigns[row[2]], user.id)
    coupon.claimed_ms = row[4]
    if row[5] != NEVER:
        coupon.run_from(row[5], state.first_hour)
    coupon.account, coupon.from_hour, coupon.fresh_hour = row[6], row[7], row[8]
    user.coupons[coupon.campaign.id] = coupon
