"""Commands about coupons (RULES 9.3). Named through `lombard.core.commands`, the one vocabulary."""

from typing import Final, final

from mypy_extensions import mypyc_attr

# Who may claim a campaign's coupons: anybody, whom the operator names, or whom a draw chooses.
ACCESS_OPEN: Final = 0
ACCESS_NAMED: Final = 1
ACCESS_DRAWN: Final = 2


@final
@mypyc_attr(acyclic=True)
class CreateCampaign:
    """Announce up to `count` coupons, one a user, to be claimed in `[claim_from, claim_until)`.

    A coupon takes `discount_e6` off the interest of the first `cap_units` owed of each coin in
    `caps`, `(coin, cap_units)` by rising coin, for `duration_ms` from its claim or its first use.
    `seed_hash` is SHA-256 of the seed of a draw in hex, and empty where nothing is drawn.
    """

    __slots__ = (
        "access",
        "caps",
        "claim_from_ms",
        "claim_until_ms",
        "count",
        "discount_e6",
        "duration_ms",
        "name",
        "seed_hash",
        "starts_on_claim",
    )

    def __init__(
        self,
        name: str,
        discount_e6: int,
        caps: list[tuple[int, int]],
        duration_ms: int,
        claim_from_ms: int,
        claim_until_ms: int,
        count: int,
        access: int,
        starts_on_claim: bool,
        seed_hash: str,
    ) -> None:
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


@final
@mypyc_attr(acyclic=True)
class GrantCoupons:
    """Grant coupons of a campaign to users by name; all of them or none."""

    __slots__ = ("campaign", "users")

    def __init__(self, campaign: int, users: list[int]) -> None:
        self.campaign: Final = campaign
        self.users: Final = users


@final
@mypyc_attr(acyclic=True)
class EnterDraw:
    """Put users on the list of a draw; all of them or none."""

    __slots__ = ("campaign", "users")

    def __init__(self, campaign: int, users: list[int]) -> None:
        self.campaign: Final = campaign
        self.users: Final = users


@final
@mypyc_attr(acyclic=True)
class DrawCoupons:
    """Close the list of a draw, and grant coupons by the seed that was committed to, in hex."""

    __slots__ = ("campaign", "seed")

    def __init__(self, campaign: int, seed: str) -> None:
        self.campaign: Final = campaign
        self.seed: Final = seed


@final
@mypyc_attr(acyclic=True)
class ClaimCoupon:
    """Claim the asking user's coupon of a campaign; it affects later charges only."""

    __slots__ = ("campaign",)

    def __init__(self, campaign: int) -> None:
        self.campaign: Final = campaign
