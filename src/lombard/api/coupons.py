"""Coupons: which campaigns there are, one's own coupons, and claiming them (RULES 9.3).

The dialect has no calls for coupons; these are Lombard's own.
"""

from typing import Final

import msgspec

from lombard.api.amounts import coin_text, parse_id, ratio_text
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Scene
from lombard.api.lookup import CROSSED, spot_account
from lombard.api.table import GET, POST, Endpoint, NoParameters, public, signed
from lombard.core import queries
from lombard.core.commands import ACCESS_DRAWN, ACCESS_NAMED, ACCESS_OPEN, ClaimCoupon
from lombard.core.queries import Campaign, Coupon, slot_of
from lombard.core.refusals import Refusal
from lombard.history import rows
from lombard.identity import Permission

ACCESS_NAMES: Final = {ACCESS_OPEN: "open", ACCESS_NAMED: "named", ACCESS_DRAWN: "draw"}
FROM_CLAIM: Final = "claim"
FROM_FIRST_USE: Final = "firstUse"
# So many at most of the coupons that only history knows are listed, the newest.
RETIRED_MAX: Final = 500


class Cap(msgspec.Struct):
    """How much of the principal of a coin a coupon covers at most."""

    coin: str
    amount: str


class CampaignRow(msgspec.Struct):
    """A campaign. `discountRate` is what is taken off: 1 is interest-free.

    Of a draw: `seedHash` is SHA-256 of the seed, which is shown once the draw was held, like the
    largest hash that won.
    """

    campaignId: str
    name: str
    discountRate: str
    caps: list[Cap]
    durationMs: str
    startsFrom: str
    claimFrom: str
    claimUntil: str
    access: str
    count: str
    left: str
    seedHash: str
    seed: str
    entrants: str
    cutHash: str


class CouponQuery(msgspec.Struct):
    """Which coupons: all, or those of a status."""

    status: str = ""


class CouponRow(msgspec.Struct):
    """A coupon of one's own; times and account are empty until there are any."""

    couponId: str
    campaignId: str
    name: str
    status: str
    discountRate: str
    caps: list[Cap]
    durationMs: str
    startsFrom: str
    claimUntil: str
    claimTime: str
    startTime: str
    endTime: str
    accountType: str
    symbol: str


class ClaimBody(msgspec.Struct):
    """Which campaign's."""

    campaignId: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        public(
            "/lombard/v1/public/coupon-campaigns",
            10,
            Scene.CROSSED,
            NoParameters,
            (),
            list[CampaignRow],
            coupon_campaigns,
        ),
        signed(
            GET,
            "/lombard/v1/coupons",
            Permission.READ,
            10,
            Scene.CROSSED,
            CouponQuery,
            (),
            list[CouponRow],
            coupons,
        ),
        signed(
            POST,
            "/lombard/v1/coupons/claim",
            Permission.TRADE,
            10,
            Scene.CROSSED,
            ClaimBody,
            ("campaignId",),
            CouponRow,
            claim,
        ),
    ]


async def coupon_campaigns(call: Call, _: NoParameters) -> list[CampaignRow]:
    """GET public/coupon-campaigns: newest first"""
    return [campaign_row(call, row) for row in reversed(queries.campaigns(call.state))]


async def coupons(call: Call, query: CouponQuery) -> list[CouponRow]:
    """GET coupons: one's own, newest first"""
    if query.status and query.status not in queries.COUPON_STATUSES:
        raise malformed(call.scene, "status")
    mine = [_coupon_row(call, coupon) for coupon in queries.coupons_of(call.state, call.user)]
    # What is retired between the two is in both.
    held = {row.couponId for row in mine}
    retired = await call.past(call.context.reader.retired_coupons, call.user, RETIRED_MAX)
    mine += [_retired_row(call, row) for row in retired if str(row.coupon_id) not in held]
    mine.sort(key=lambda row: int(row.couponId), reverse=True)
    return [row for row in mine if query.status in ("", row.status)]


async def claim(call: Call, body: ClaimBody) -> CouponRow:
    """POST coupons/claim"""
    command = ClaimCoupon(parse_id(call.scene, "campaignId", body.campaignId))
    reply = await call.submit(spot_account(call), command, _no_limit)
    mine = queries.coupons_of(call.state, call.user)
    return _coupon_row(call, next(coupon for coupon in mine if coupon.id == reply.id))


def _no_limit(_refusal: Refusal, _units: int) -> str:
    return ""


def campaign_row(call: Call, campaign: Campaign) -> CampaignRow:
    """Write a campaign."""
    return CampaignRow(
        str(campaign.id),
        campaign.name,
        ratio_text(campaign.discount_e6),
        _caps(call, campaign),
        str(campaign.duration_ms),
        _starts_from(campaign),
        str(campaign.claim_from_ms),
        str(campaign.claim_until_ms),
        ACCESS_NAMES[campaign.access],
        str(campaign.count),
        str(campaign.count - campaign.made),
        campaign.seed_hash,
        campaign.seed,
        str(len(campaign.entrants)),
        campaign.cut_hash,
    )


def _coupon_row(call: Call, coupon: Coupon) -> CouponRow:
    campaign = coupon.campaign
    account_type, symbol = _account(call, coupon.account)
    return CouponRow(
        str(coupon.id),
        str(campaign.id),
        campaign.name,
        queries.coupon_status(coupon, call.context.node.exchange_time_ms()),
        ratio_text(campaign.discount_e6),
        _caps(call, campaign),
        str(campaign.duration_ms),
        _starts_from(campaign),
        str(campaign.claim_until_ms),
        _time(coupon.claimed_ms),
        _time(coupon.start_ms),
        _time(coupon.end_ms),
        account_type,
        symbol,
    )


def _retired_row(call: Call, row: rows.CouponRow) -> CouponRow:
    campaign = queries.campaign(call.state, row.campaign)
    assert campaign is not None, "Invariant: a campaign was forgotten"
    account_type, symbol = _account(call, row.account)
    return CouponRow(
        str(row.coupon_id),
        str(campaign.id),
        campaign.name,
        queries.COUPON_USED if row.account else queries.COUPON_EXPIRED,
        ratio_text(campaign.discount_e6),
        _caps(call, campaign),
        str(campaign.duration_ms),
        _starts_from(campaign),
        str(campaign.claim_until_ms),
        _time(row.claimed_ms),
        _time(row.start_ms),
        _time(row.end_ms),
        account_type,
        symbol,
    )


def _account(call: Call, account: int) -> tuple[str, str]:
    """Write the account a coupon is bound to: its type, and its pair if it is isolated."""
    if not account:
        return "", ""
    pair = slot_of(account) - queries.SLOT_ISOLATED
    if pair < 0:
        return CROSSED.name, ""
    return "isolated", queries.pairs(call.state)[pair].symbol


def _starts_from(campaign: Campaign) -> str:
    return FROM_CLAIM if campaign.starts_on_claim else FROM_FIRST_USE


def _time(time_ms: int) -> str:
    return "" if time_ms < 0 else str(time_ms)


def _caps(call: Call, campaign: Campaign) -> list[Cap]:
    coins = queries.coins(call.state)
    return [
        Cap(coins[coin].name, coin_text(coins[coin], units))
        for coin, units in campaign.caps.items()
    ]
