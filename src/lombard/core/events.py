"""Events: what happened, in the order it happened.

Past tense, plain data. An event says everything its ledger postings need (`ledger.postings`), so
history, statements and the audit are derived from events alone. The time and the sequence number
are those of the envelope whose command made them; events of hour turns carry their own hour.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from lombard.core.announcement_events import AnnouncedChangeMade as AnnouncedChangeMade
from lombard.core.announcement_events import AnnouncementWithdrawn as AnnouncementWithdrawn
from lombard.core.announcement_events import ChangeAnnounced as ChangeAnnounced
from lombard.core.coupon_events import CampaignCreated as CampaignCreated
from lombard.core.coupon_events import CouponClaimed as CouponClaimed
from lombard.core.coupon_events import CouponEnded as CouponEnded
from lombard.core.coupon_events import CouponGranted as CouponGranted
from lombard.core.coupon_events import CouponRetired as CouponRetired
from lombard.core.coupon_events import CouponsDrawn as CouponsDrawn
from lombard.core.coupon_events import CouponStarted as CouponStarted
from lombard.core.coupon_events import DrawEntered as DrawEntered
from lombard.core.liquidation_events import FundPaid as FundPaid
from lombard.core.liquidation_events import FundTook as FundTook
from lombard.core.liquidation_events import LiquidationFeePaid as LiquidationFeePaid
from lombard.core.liquidation_events import LiquidationFinished as LiquidationFinished
from lombard.core.liquidation_events import LiquidationStarted as LiquidationStarted
from lombard.core.liquidation_events import LiquidationStepped as LiquidationStepped
from lombard.core.liquidation_events import LossBooked as LossBooked
from lombard.core.liquidation_events import MarginCalled as MarginCalled
from lombard.core.rate_events import RateModelSet as RateModelSet
from lombard.core.rate_events import RateSet as RateSet
from lombard.core.reminder_events import RepayReminded as RepayReminded
from lombard.core.treasury_events import AccountRestricted as AccountRestricted
from lombard.core.treasury_events import MoveDecided as MoveDecided
from lombard.core.treasury_events import MoveProposed as MoveProposed
from lombard.core.treasury_events import VenueWithdrew as VenueWithdrew
from lombard.core.treasury_events import Withdrawn as Withdrawn
from lombard.core.trigger_events import TRIGGER_BY_LIQUIDATION as TRIGGER_BY_LIQUIDATION
from lombard.core.trigger_events import TRIGGER_BY_ORDER as TRIGGER_BY_ORDER
from lombard.core.trigger_events import TRIGGER_BY_SIBLING as TRIGGER_BY_SIBLING
from lombard.core.trigger_events import TRIGGER_BY_USER as TRIGGER_BY_USER
from lombard.core.trigger_events import TrailStarted as TrailStarted
from lombard.core.trigger_events import TriggerCancelled as TriggerCancelled
from lombard.core.trigger_events import TriggerFailed as TriggerFailed
from lombard.core.trigger_events import TriggerFired as TriggerFired
from lombard.core.trigger_events import TriggerModified as TriggerModified
from lombard.core.trigger_events import TriggerPlaced as TriggerPlaced
from lombard.core.trigger_events import TriggerSized as TriggerSized

# kinds of repayment
REPAY_MANUAL: Final = 0
REPAY_AUTO: Final = 1
REPAY_LIQUIDATION: Final = 2
REPAY_FORCED: Final = 3
# why an order left the book
CLOSED_FILLED: Final = 0
CLOSED_BY_USER: Final = 1
CLOSED_UNFILLED: Final = 2  # the rest of a market, ioc order
CLOSED_SELF_TRADE: Final = 3
CLOSED_LIQUIDATION: Final = 4
CLOSED_REPLACED: Final = 5
CLOSED_BY_VENUE: Final = 6


@final
@mypyc_attr(acyclic=True)
class UserAdded:
    """A user with a spot and a crossed account was admitted."""

    def __init__(self, user: int) -> None:
        self.user: Final = user


@final
@mypyc_attr(acyclic=True)
class VenueChanged:
    """Configuration changed: `what` names the coin, pair, parameter or level list."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind: Final = kind
        self.what: Final = what


@final
@mypyc_attr(acyclic=True)
class HourTurned:
    """A full hour began at `hour_ms`; `rates_e12` are the daily rates in force, by coin."""

    def __init__(self, hour_ms: int, rates_e12: list[int]) -> None:
        self.hour_ms: Final = hour_ms
        self.rates_e12: Final = rates_e12


@final
@mypyc_attr(acyclic=True)
class IndexPricesSet:
    """Index prices were published: `(coin, price_e12)`."""

    def __init__(self, prices: list[tuple[int, int]]) -> None:
        self.prices: Final = prices


@final
@mypyc_attr(acyclic=True)
class PoolFunded:
    """Coins came from outside into a coin's pool."""

    def __init__(self, coin: int, units: int) -> None:
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class InsuranceFunded:
    """Coins came from outside into the insurance fund."""

    def __init__(self, coin: int, units: int) -> None:
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class Deposited:
    """Coins came from outside to an account."""

    def __init__(self, deposit_id: int, account: int, coin: int, units: int) -> None:
        self.deposit_id: Final = deposit_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class Transferred:
    """Coins moved between two accounts of one user."""

    def __init__(
        self,
        transfer_id: int,
        from_account: int,
        to_account: int,
        coin: int,
        units: int,
        client_oid: str,
    ) -> None:
        self.transfer_id: Final = transfer_id
        self.from_account: Final = from_account
        self.to_account: Final = to_account
        self.coin: Final = coin
        self.units: Final = units
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Borrowed:
    """The pool lent and the account owes. `auto` when an order borrowed."""

    def __init__(
        self, loan_id: int, account: int, coin: int, units: int, auto: bool, client_oid: str
    ) -> None:
        self.loan_id: Final = loan_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units
        self.auto: Final = auto
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class InterestCharged:
    """One receipt: the interest of one hour on one coin's principal (RULES 4.2).

    `first` is the hour of borrowing (`interest_id` is the loan's, `hour_ms` the moment of
    borrowing); the others are full hours, and are charged when the loan is next touched.
    `units` may be 0: receipts are differences of the rounded total and add up to the debt. They are
    net of `saved_units`, by which coupons made them smaller (RULES 9.3): the sum is what the hour
    costs without. Both are differences of rounded totals, so what a receipt says of savings may be
    a unit too few or too many, even -1; the sums are right. `covers` are `(coupon_id,
    covered_units)`, in the order in which they lie along the principal.
    """

    def __init__(
        self,
        interest_id: int,
        account: int,
        coin: int,
        hour_ms: int,
        first: bool,
        rate_e12: int,
        principal_units: int,
        units: int,
        saved_units: int = 0,
        covers: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.interest_id: Final = interest_id
        self.account: Final = account
        self.coin: Final = coin
        self.hour_ms: Final = hour_ms
        self.first: Final = first
        self.rate_e12: Final = rate_e12
        self.principal_units: Final = principal_units
        self.units: Final = units
        self.saved_units: Final = saved_units
        self.covers: Final = covers


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Repaid:
    """An account paid interest and principal back; `remaining_units` of debt are left."""

    def __init__(
        self,
        repay_id: int,
        account: int,
        coin: int,
        interest_units: int,
        principal_units: int,
        kind: int,
        remaining_units: int,
    ) -> None:
        self.repay_id: Final = repay_id
        self.account: Final = account
        self.coin: Final = coin
        self.interest_units: Final = interest_units
        self.principal_units: Final = principal_units
        self.kind: Final = kind
        self.remaining_units: Final = remaining_units


@final
@mypyc_attr(acyclic=True)
class LeverageSet:
    """An account's leverage was set."""

    def __init__(self, account: int, leverage: int) -> None:
        self.account: Final = account
        self.leverage: Final = leverage


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class OrderPlaced:
    """An order was accepted. Its trades, and its closing, follow."""

    def __init__(
        self,
        order_id: int,
        account: int,
        pair: int,
        side: int,
        kind: int,
        force: int,
        loan_type: int,
        stp: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
        client_oid: str,
        source: int,
    ) -> None:
        self.order_id: Final = order_id
        self.account: Final = account
        self.pair: Final = pair
        self.side: Final = side
        self.kind: Final = kind
        self.force: Final = force
        self.loan_type: Final = loan_type
        self.stp: Final = stp
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.quote_units: Final = quote_units
        self.client_oid: Final = client_oid
        self.source: Final = source


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Traded:
    """Two orders met at the resting order's price.

    The buyer receives `base_units` less its fee in base, the seller `quote_units` less its fee in
    quote; `taker_side` says which of the two was the taker.
    """

    def __init__(
        self,
        trade_id: int,
        pair: int,
        price_ticks: int,
        size_steps: int,
        base_units: int,
        quote_units: int,
        taker_side: int,
        taker_order_id: int,
        taker_account: int,
        taker_fee_units: int,
        maker_order_id: int,
        maker_account: int,
        maker_fee_units: int,
    ) -> None:
        self.trade_id: Final = trade_id
        self.pair: Final = pair
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.base_units: Final = base_units
        self.quote_units: Final = quote_units
        self.taker_side: Final = taker_side
        self.taker_order_id: Final = taker_order_id
        self.taker_account: Final = taker_account
        self.taker_fee_units: Final = taker_fee_units
        self.maker_order_id: Final = maker_order_id
        self.maker_account: Final = maker_account
        self.maker_fee_units: Final = maker_fee_units


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class OrderClosed:
    """An order left the book or never reached it; `reason` is one of the CLOSED_ numbers."""

    def __init__(self, order_id: int, account: int, pair: int, reason: int) -> None:
        self.order_id: Final = order_id
        self.account: Final = account
        self.pair: Final = pair
        self.reason: Final = reason


Event = (
    UserAdded
    | VenueChanged
    | RateSet
    | RateModelSet
    | CampaignCreated
    | DrawEntered
    | CouponsDrawn
    | CouponGranted
    | CouponClaimed
    | CouponStarted
    | CouponEnded
    | CouponRetired
    | HourTurned
    | IndexPricesSet
    | PoolFunded
    | InsuranceFunded
    | Deposited
    | Transferred
    | Borrowed
    | InterestCharged
    | Repaid
    | LeverageSet
    | OrderPlaced
    | Traded
    | OrderClosed
    | TriggerPlaced
    | TriggerModified
    | TriggerSized
    | TrailStarted
    | TriggerFired
    | TriggerFailed
    | TriggerCancelled
    | MarginCalled
    | LiquidationStarted
    | LiquidationStepped
    | FundPaid
    | FundTook
    | LossBooked
    | LiquidationFeePaid
    | LiquidationFinished
    | ChangeAnnounced
    | AnnouncedChangeMade
    | AnnouncementWithdrawn
    | RepayReminded
    | Withdrawn
    | VenueWithdrew
    | MoveProposed
    | MoveDecided
    | AccountRestricted
)
