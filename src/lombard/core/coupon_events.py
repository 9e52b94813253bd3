"""Events about coupons (RULES 9.3). Named through `lombard.core.events`."""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class CampaignCreated:
    """A campaign of coupons was announced."""

    def __init__(self, campaign: int, name: str) -> None:
        self.campaign: Final = campaign
        self.name: Final = name


@final
@mypyc_attr(acyclic=True)
class DrawEntered:
    """Users were put on the list of a draw."""

    def __init__(self, campaign: int, users: list[int]) -> None:
        self.campaign: Final = campaign
        self.users: Final = users


@final
@mypyc_attr(acyclic=True)
class CouponsDrawn:
    """A draw was held among `entrants` users: those whose hash is at most `cut_hash` have won."""

    def __init__(self, campaign: int, seed: str, entrants: int, cut_hash: str) -> None:
        self.campaign: Final = campaign
        self.seed: Final = seed
        self.entrants: Final = entrants
        self.cut_hash: Final = cut_hash


@final
@mypyc_attr(acyclic=True)
class CouponGranted:
    """A user may claim a coupon."""

    def __init__(self, coupon_id: int, campaign: int, user: int) -> None:
        self.coupon_id: Final = coupon_id
        self.campaign: Final = campaign
        self.user: Final = user


@final
@mypyc_attr(acyclic=True)
class CouponClaimed:
    """A user claimed a coupon."""

    def __init__(self, coupon_id: int, campaign: int, user: int) -> None:
        self.coupon_id: Final = coupon_id
        self.campaign: Final = campaign
        self.user: Final = user


@final
@mypyc_attr(acyclic=True)
class CouponStarted:
    """A coupon was used for the first time and is the account's; it runs in `[start, end)`."""

    def __init__(self, coupon_id: int, account: int, start_ms: int, end_ms: int) -> None:
        self.coupon_id: Final = coupon_id
        self.account: Final = account
        self.start_ms: Final = start_ms
        self.end_ms: Final = end_ms


@final
@mypyc_attr(acyclic=True)
class CouponEnded:
    """A coupon that was in use covers nothing from the hour that starts at `hour_ms` on."""

    def __init__(self, coupon_id: int, account: int, hour_ms: int) -> None:
        self.coupon_id: Final = coupon_id
        self.account: Final = account
        self.hour_ms: Final = hour_ms


@final
@mypyc_attr(acyclic=True)
class CouponRetired:
    """A coupon that nothing depends on any more left the state; this is what it was.

    Times that never came are -1; `account` is 0 where no account used it.
    """

    def __init__(
        self,
        coupon_id: int,
        campaign: int,
        user: int,
        claimed_ms: int,
        start_ms: int,
        end_ms: int,
        account: int,
    ) -> None:
        self.coupon_id: Final = coupon_id
        self.campaign: Final = campaign
        self.user: Final = user
        self.claimed_ms: Final = claimed_ms
        self.start_ms: Final = start_ms
        self.end_ms: Final = end_ms
        self.account: Final = account
