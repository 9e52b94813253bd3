"""Every endpoint of the operators' port."""

from collections.abc import Collection

from lombard.api import health
from lombard.api.coupons import CampaignRow, coupon_campaigns
from lombard.api.operator import (
    books,
    door,
    liquidations,
    listings,
    money,
    overview,
    people,
    statements,
    stress,
    terms,
)
from lombard.api.operator.hand import by_hand, reads, writes
from lombard.api.sandbox_coupons import (
    CampaignBody,
    DrawBody,
    UsersBody,
    create_campaign,
    draw,
    enter,
    grant,
)
from lombard.api.table import Endpoint, NoParameters


def operator_endpoints(
    needs_two: Collection[str] = (),
    read_vitals: overview.ReadVitals = lambda: overview.NONE,
) -> list[Endpoint]:
    """Make the rows; `needs_two` are the kinds of movement (`money.KINDS`) that two make."""
    return [
        *overview.endpoints(read_vitals),
        *listings.endpoints(),
        *terms.endpoints(),
        *money.endpoints([money.KINDS[name] for name in needs_two]),
        *people.endpoints(),
        *books.endpoints(),
        *statements.endpoints(),
        *liquidations.endpoints(),
        *stress.endpoints(),
        *_campaigns(),
        *door.endpoints(),
        *health.endpoints(),
    ]


def _campaigns() -> list[Endpoint]:
    users = ("campaignId", "userIds")
    needed = ("name", "discountRate", "caps", "durationHours", "claimUntil")
    seed = ("campaignId", "seed")
    return [
        reads("campaigns", NoParameters, (), list[CampaignRow], coupon_campaigns),
        writes("campaigns", CampaignBody, needed, CampaignRow, by_hand(create_campaign)),
        writes("campaigns/grants", UsersBody, users, CampaignRow, by_hand(grant)),
        writes("campaigns/entries", UsersBody, users, CampaignRow, by_hand(enter)),
        writes("campaigns/draws", DrawBody, seed, CampaignRow, by_hand(draw)),
    ]
