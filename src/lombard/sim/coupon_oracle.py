"""How commands about coupons must be answered (RULES 9.3)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim.venue import DONE, Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

INVALID = Answer(Refusal.CONFIGURATION_INVALID)
CENTURY_MS = 36_525 * 86_400_000


def create_campaign(a: Auditor, account: int, cmd: c.CreateCampaign) -> Answer:
    """Its terms are possible, and there is time to claim."""
    coins = [coin for coin, _ in cmd.caps]
    right = 1 <= len(cmd.name) <= 50 and cmd.name.isprintable()
    right = right and 0 < cmd.discount_e6 <= 10**6 and bool(coins)
    right = right and coins == sorted(set(coins))
    right = right and all(coin in range(len(a.terms.coins)) for coin in coins)
    right = right and all(0 < units <= VALUE_MAX for _, units in cmd.caps)
    right = right and 0 < cmd.duration_ms <= CENTURY_MS
    right = right and 0 <= cmd.claim_from_ms < cmd.claim_until_ms <= VALUE_MAX
    right = right and a.time_ms < cmd.claim_until_ms
    right = right and 0 < cmd.count <= 1_000_000
    if cmd.access == c.ACCESS_DRAWN:
        right = right and len(cmd.seed_hash) == 64 and is_hex(cmd.seed_hash)
    else:
        right = right and cmd.access in (c.ACCESS_OPEN, c.ACCESS_NAMED) and not cmd.seed_hash
    return DONE if right else INVALID


def grant(a: Auditor, account: int, cmd: c.GrantCoupons) -> Answer:
    """By name, while coupons can be claimed, and to all of the users or to none."""
    terms = a.coupons.campaigns.get(cmd.campaign)
    if terms is None:
        return Answer(Refusal.CAMPAIGN_UNKNOWN)
    if terms.access != c.ACCESS_NAMED:
        return INVALID
    if a.time_ms >= terms.claim_until_ms:
        return Answer(Refusal.CLAIM_WINDOW_CLOSED)
    refusal = refuse_users(a, cmd.campaign, cmd.users)
    if refusal is not None:
        return refusal
    left = terms.count - len(a.coupons.granted[cmd.campaign])
    return Answer(Refusal.COUPONS_GONE, left) if len(cmd.users) > left else named(cmd.campaign)


def enter(a: Auditor, account: int, cmd: c.EnterDraw) -> Answer:
    """Before the draw, and all of the users or none."""
    problem = refuse_draw(a, cmd.campaign)
    if problem is None:
        problem = refuse_users(a, cmd.campaign, cmd.users)
    return named(cmd.campaign) if problem is None else problem


def draw(a: Auditor, account: int, cmd: c.DrawCoupons) -> Answer:
    """Once, among somebody, and by the seed that was committed to."""
    problem = refuse_draw(a, cmd.campaign)
    if problem is not None:
        return problem
    right = bool(a.coupons.entrants[cmd.campaign])
    right = right and 2 <= len(cmd.seed) <= 128 and len(cmd.seed) % 2 == 0 and is_hex(cmd.seed)
    if not right:
        return INVALID
    committed = sha256(bytes.fromhex(cmd.seed)).hexdigest()
    kept = committed == a.coupons.campaigns[cmd.campaign].seed_hash
    return named(cmd.campaign) if kept else INVALID


def claim(a: Auditor, account: int, cmd: c.ClaimCoupon) -> Answer:
    """In its window, once a user, granted before it unless anybody may, as long as there are."""
    terms = a.coupons.campaigns.get(cmd.campaign)
    if terms is None:
        return Answer(Refusal.CAMPAIGN_UNKNOWN)
    if not terms.claim_from_ms <= a.time_ms < terms.claim_until_ms:
        return Answer(Refusal.CLAIM_WINDOW_CLOSED)
    granted = a.coupons.granted[cmd.campaign]
    claimed = granted.get(c.user_of(account))
    if claimed:
        return Answer(Refusal.COUPON_CLAIMED)
    if claimed is None and terms.access != c.ACCESS_OPEN:
        return Answer(Refusal.COUPON_NOT_GRANTED)
    if claimed is None and len(granted) == terms.count:
        return Answer(Refusal.COUPONS_GONE)
    return DONE


def named(campaign: int) -> Answer:
    """Answer with the campaign's id."""
    return Answer(None, None, None, campaign)


def refuse_draw(a: Auditor, campaign: int) -> Answer | None:
    """Say why there is no draw to come."""
    terms = a.coupons.campaigns.get(campaign)
    if terms is None:
        return Answer(Refusal.CAMPAIGN_UNKNOWN)
    held = campaign in a.coupons.winners
    return INVALID if held or terms.access != c.ACCESS_DRAWN else None


def refuse_users(a: Auditor, campaign: int, users: list[int]) -> Answer | None:
    """Refuse whoever is unknown, or named twice, and nobody at all; the first one counts."""
    if not 1 <= len(users) <= 10_000:
        return INVALID
    for number, user in enumerate(users):
        if user not in a.venue.users:
            return Answer(Refusal.USER_UNKNOWN, None, str(user))
        known = user in a.coupons.granted[campaign] or user in a.coupons.entrants[campaign]
        if known or user in users[:number]:
            return INVALID
    return None


def is_hex(text: str) -> bool:
    """Say whether a text is made of lower-case hexadecimal digits."""
    return set(text) <= set("0123456789abcdef")
