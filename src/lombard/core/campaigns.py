"""Campaigns and their coupons: the records, who wins a draw, and how coupons lie along a principal.

A coupon covers a slice of what an account owes of a coin: the first coupon the units from 0 to its
cap, the next one the units above, and so on until the principal ends (RULES 9.3). Nothing here
knows the venue; what happens to coupons, and when, is in `coupons`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, final

from lombard.core.units import HOUR_MS

_HEX: Final = "0123456789abcdef"
SEED_HASH_LENGTH: Final = 64
SEED_LENGTH_MAX: Final = 128
NEVER: Final = -1


@final
class Campaign:
    """A campaign as announced, how many of its coupons were made, and its draw if it has one."""

    __slots__ = (
        "access",
        "caps",
        "claim_from_ms",
        "claim_until_ms",
        "count",
        "cut_hash",
        "discount_e6",
        "duration_ms",
        "entrants",
        "id",
        "made",
        "name",
        "seed",
        "seed_hash",
        "starts_on_claim",
    )

    def __init__(
        self,
        campaign_id: int,
        name: str,
        discount_e6: int,
        caps: dict[int, int],
        duration_ms: int,
        claim_from_ms: int,
        claim_until_ms: int,
        count: int,
        access: int,
        starts_on_claim: bool,
        seed_hash: str,
    ) -> None:
        self.id: Final = campaign_id
        self.name: Final = name
        self.discount_e6: Final = discount_e6
        self.caps: Final = caps
        self.duration_ms: Final = duration_ms
        self.claim_from_ms: Final = claim_from_ms
        self.claim_until_ms: Final = claim_until_ms
        self.count: Final = count
        self.access: Final = access
        self.starts_on_claim: Final = starts_on_claim
        self.seed_hash: Final = seed_hash
        self.made = 0
        # Once the draw was held: its seed, and the largest hash that won.
        self.seed = ""
        self.cut_hash = ""
        self.entrants: dict[int, bool] = {}


@final
class Coupon:
    """A user's coupon of a campaign.

    `claimed_ms` and `start_ms` are NEVER until then. `account` is the one it is bound to, 0 before
    its first use. It covers the full hours `from_hour` to `last_hour` of that account; in
    `fresh_hour`, if not NEVER, it was started by the charge of that hour itself.
    """

    __slots__ = (
        "account",
        "campaign",
        "claimed_ms",
        "end_ms",
        "fresh_hour",
        "from_hour",
        "id",
        "last_hour",
        "start_ms",
        "user",
    )

    def __init__(self, coupon_id: int, campaign: Campaign, user: int) -> None:
        self.id: Final = coupon_id
        self.campaign: Final = campaign
        self.user: Final = user
        self.claimed_ms = NEVER
        self.start_ms = NEVER
        self.end_ms = NEVER
        self.account = 0
        self.from_hour = NEVER
        self.last_hour = NEVER
        self.fresh_hour = NEVER

    def run_from(self, start_ms: int, first_hour: int) -> None:
        """Let the coupon's time begin; `first_hour` is the venue's."""
        assert self.start_ms == NEVER
        self.start_ms = start_ms
        self.end_ms = start_ms + self.campaign.duration_ms
        # The last full hour that begins before the end.
        self.last_hour = (self.end_ms - 1) // HOUR_MS - first_hour

    def rank(self, now_ms: int, fresh: bool) -> tuple[bool, int, int, int]:
        """Return the place of a coupon among those that could cover a charge (RULES 9.3).

        Already active, higher discount, sooner to expire (reckoned as if started now), id.
        """
        end_ms = now_ms + self.campaign.duration_ms if self.start_ms == NEVER else self.end_ms
        idle = fresh or self.start_ms == NEVER
        return idle, -self.campaign.discount_e6, end_ms, self.id


# Coupons that cover a charge, and how many units of principal each.
Cover = list[tuple[Coupon, int]]


def insert(coupons: list[Coupon], coupon: Coupon) -> None:
    """Put a started coupon into its place in a list in order of rank."""
    coupons.append(coupon)
    coupons.sort(key=_started_rank)


def _started_rank(coupon: Coupon) -> tuple[bool, int, int, int]:
    return coupon.rank(0, False)


def cover(coupons: list[Coupon], coin: int, hour: int, principal_units: int) -> Cover:
    """Lay the started coupons of a balance, in order of rank, along its principal in an hour."""
    laid: Cover = []
    left = principal_units
    for fresh in (False, True):
        for coupon in coupons:
            if not coupon.from_hour <= hour <= coupon.last_hour:
                continue
            if (coupon.fresh_hour == hour) is fresh and left > 0:
                units = min(coupon.campaign.caps[coin], left)
                laid.append((coupon, units))
                left -= units
    return laid


def steady_until(coupons: list[Coupon], hour: int, last: int) -> int:
    """Return the last hour, up to `last`, in which the same coupons lie as they do in `hour`."""
    for coupon in coupons:
        for change in (coupon.from_hour, coupon.fresh_hour + 1, coupon.last_hour + 1):
            if hour < change <= last:
                last = change - 1
    return last


def weight_e6(laid: Cover) -> int:
    """Return covered principal x discount: a charge's saving is this x its rate."""
    weight = 0
    for coupon, units in laid:
        weight += units * coupon.campaign.discount_e6
    assert weight >= 0
    return weight


def covers_of(laid: Cover) -> tuple[tuple[int, int], ...]:
    """Write a cover as receipts have it: `(coupon_id, covered_units)`."""
    return tuple([(coupon.id, units) for coupon, units in laid])


def is_hex(text: str, length_max: int) -> bool:
    """Say whether a text is whole bytes in lower-case hex, at least one."""
    if not 0 < len(text) <= length_max or len(text) % 2:
        return False
    return all(digit in _HEX for digit in text)


def seed_hash_of(seed: str) -> str:
    """Return the hash by which a seed, in hex, is committed to."""
    return sha256(bytes.fromhex(seed)).hexdigest()


def draw_hash(seed: str, campaign: int, user: int) -> str:
    """Return a user's hash in a draw: SHA-256(seed ‖ campaign ‖ user), both of eight bytes."""
    ids = campaign.to_bytes(8, "big") + user.to_bytes(8, "big")
    return sha256(bytes.fromhex(seed) + ids).hexdigest()
