"""The sandbox's calls for coupons: campaigns, grants and draws in the user's hand (RULES 9.3)."""

from functools import partial
from hashlib import sha256
from typing import Final

import msgspec

from lombard.api.amounts import RATIO_DECIMALS, parse_amount, parse_count, parse_id, parse_time
from lombard.api.context import Call
from lombard.api.coupons import (
    ACCESS_NAMES,
    FROM_CLAIM,
    FROM_FIRST_USE,
    CampaignRow,
    Cap,
    campaign_row,
)
from lombard.api.decoding import malformed
from lombard.api.lookup import coin_of
from lombard.api.ports import Operates, World
from lombard.api.table import POST, Endpoint, local
from lombard.core import queries
from lombard.core.commands import (
    ACCESS_DRAWN,
    Command,
    CreateCampaign,
    DrawCoupons,
    EnterDraw,
    GrantCoupons,
)
from lombard.core.units import UnitsError, parse_units

HOUR_MS: Final = 3_600_000
COUNT_MAX: Final = 1_000_000
_ACCESS: Final = {name: access for access, name in ACCESS_NAMES.items()}


class CampaignBody(msgspec.Struct):
    """A campaign. Hours are clock hours; the claim window begins now unless told otherwise.

    For a draw give its `seed` (hex), which the sandbox hashes, or the `seedHash` itself.
    """

    name: str = ""
    discountRate: str = ""
    caps: list[Cap] = []
    durationHours: str = ""
    startsFrom: str = FROM_FIRST_USE
    claimFrom: str = ""
    claimUntil: str = ""
    access: str = "open"
    count: str = "1000"
    seed: str = ""
    seedHash: str = ""


class UsersBody(msgspec.Struct):
    """Users of a campaign."""

    campaignId: str = ""
    userIds: list[str] = []


class DrawBody(msgspec.Struct):
    """A campaign's draw, with the seed in hex."""

    campaignId: str = ""
    seed: str = ""


def endpoints(prefix: str, world: World) -> list[Endpoint]:
    """Make the rows of this page."""
    users = ("campaignId", "userIds")
    return [
        local(
            POST,
            f"{prefix}/coupon-campaigns",
            CampaignBody,
            ("name", "discountRate", "caps", "durationHours", "claimUntil"),
            CampaignRow,
            partial(create_campaign, world),
        ),
        local(
            POST, f"{prefix}/coupon-grants", UsersBody, users, CampaignRow, partial(grant, world)
        ),
        local(
            POST, f"{prefix}/coupon-entries", UsersBody, users, CampaignRow, partial(enter, world)
        ),
        local(
            POST,
            f"{prefix}/coupon-draws",
            DrawBody,
            ("campaignId", "seed"),
            CampaignRow,
            partial(draw, world),
        ),
    ]


async def create_campaign(world: Operates, call: Call, body: CampaignBody) -> CampaignRow:
    """POST coupon-campaigns"""
    if body.startsFrom not in (FROM_CLAIM, FROM_FIRST_USE):
        raise malformed(call.scene, "startsFrom")
    if body.access not in _ACCESS:
        raise malformed(call.scene, "access")
    now_ms = call.context.node.exchange_time_ms()
    claim_from_ms = parse_time(call.scene, "claimFrom", body.claimFrom)
    command = CreateCampaign(
        body.name,
        _ratio(call, "discountRate", body.discountRate),
        sorted([_cap(call, cap) for cap in body.caps]),
        parse_count(call.scene, "durationHours", body.durationHours, 0, COUNT_MAX) * HOUR_MS,
        now_ms if claim_from_ms is None else claim_from_ms,
        parse_time(call.scene, "claimUntil", body.claimUntil) or 0,
        parse_count(call.scene, "count", body.count, 0, COUNT_MAX),
        _ACCESS[body.access],
        body.startsFrom == FROM_CLAIM,
        _seed_hash(call, body),
    )
    return await _submit(world, call, command)


def _cap(call: Call, cap: Cap) -> tuple[int, int]:
    coin = coin_of(call, cap.coin)
    return coin.id, parse_amount(call.scene, "caps", cap.amount, coin)


def _seed_hash(call: Call, body: CampaignBody) -> str:
    if _ACCESS[body.access] != ACCESS_DRAWN or body.seedHash or not body.seed:
        return body.seedHash
    try:
        return sha256(bytes.fromhex(body.seed)).hexdigest()
    except ValueError:
        raise malformed(call.scene, "seed") from None


async def grant(world: Operates, call: Call, body: UsersBody) -> CampaignRow:
    """POST coupon-grants: all of the users, or none"""
    return await _submit(world, call, GrantCoupons(*_users(call, body)))


async def enter(world: Operates, call: Call, body: UsersBody) -> CampaignRow:
    """POST coupon-entries: onto the list of a draw"""
    return await _submit(world, call, EnterDraw(*_users(call, body)))


async def draw(world: Operates, call: Call, body: DrawBody) -> CampaignRow:
    """POST coupon-draws: the list closes, and the users with the smallest hashes are granted"""
    campaign = parse_id(call.scene, "campaignId", body.campaignId)
    return await _submit(world, call, DrawCoupons(campaign, body.seed))


def _users(call: Call, body: UsersBody) -> tuple[int, list[int]]:
    campaign = parse_id(call.scene, "campaignId", body.campaignId)
    return campaign, [parse_id(call.scene, "userIds", user) for user in body.userIds]


async def _submit(world: Operates, call: Call, command: Command) -> CampaignRow:
    reply = await world.operate(command)
    if reply.refusal is not None:
        raise call.fault(reply.refusal, reply.detail)
    campaign = queries.campaign(call.state, reply.id)
    assert campaign is not None
    return campaign_row(call, campaign)


def _ratio(call: Call, name: str, text: str) -> int:
    try:
        return parse_units(text, RATIO_DECIMALS)
    except UnitsError:
        raise malformed(call.scene, name) from None
