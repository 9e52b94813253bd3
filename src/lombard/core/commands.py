"""Commands: what a user, the operator or the clock asks of the venue.

Imperative, plain data, neither knows the wire. Coins and pairs are named by their index in the
state (`queries.coin_named`, `queries.pair_named`), amounts are units, prices ticks, sizes steps.
Who asks, and when, is in the `Envelope`.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from lombard.core.announcement_commands import AnnounceCoinTerms as AnnounceCoinTerms
from lombard.core.announcement_commands import AnnounceDelisting as AnnounceDelisting
from lombard.core.announcement_commands import AnnouncePairTerms as AnnouncePairTerms
from lombard.core.announcement_commands import WithdrawAnnouncement as WithdrawAnnouncement
from lombard.core.audit_commands import SealAudit as SealAudit
from lombard.core.closing_commands import ClosePosition as ClosePosition
from lombard.core.closing_commands import FlashRepay as FlashRepay
from lombard.core.coupon_commands import ACCESS_DRAWN as ACCESS_DRAWN
from lombard.core.coupon_commands import ACCESS_NAMED as ACCESS_NAMED
from lombard.core.coupon_commands import ACCESS_OPEN as ACCESS_OPEN
from lombard.core.coupon_commands import ClaimCoupon as ClaimCoupon
from lombard.core.coupon_commands import CreateCampaign as CreateCampaign
from lombard.core.coupon_commands import DrawCoupons as DrawCoupons
from lombard.core.coupon_commands import EnterDraw as EnterDraw
from lombard.core.coupon_commands import GrantCoupons as GrantCoupons
from lombard.core.operator_commands import AddUser as AddUser
from lombard.core.operator_commands import ContinueLiquidation as ContinueLiquidation
from lombard.core.operator_commands import FundInsurance as FundInsurance
from lombard.core.operator_commands import FundPool as FundPool
from lombard.core.operator_commands import SetCoin as SetCoin
from lombard.core.operator_commands import SetIndexPrices as SetIndexPrices
from lombard.core.operator_commands import SetPair as SetPair
from lombard.core.operator_commands import SetParameter as SetParameter
from lombard.core.operator_commands import SetUserLevel as SetUserLevel
from lombard.core.operator_commands import SetVipLevels as SetVipLevels
from lombard.core.operator_commands import Tick as Tick
from lombard.core.operator_commands import Upgrade as Upgrade
from lombard.core.rate_commands import SetRate as SetRate
from lombard.core.rate_commands import SetRateModel as SetRateModel
from lombard.core.restriction_commands import ALL_SLOTS as ALL_SLOTS
from lombard.core.restriction_commands import FreezeAccount as FreezeAccount
from lombard.core.restriction_commands import RestrictCoin as RestrictCoin
from lombard.core.treasury_commands import MOVE_DEPOSIT as MOVE_DEPOSIT
from lombard.core.treasury_commands import MOVE_FUND_INSURANCE as MOVE_FUND_INSURANCE
from lombard.core.treasury_commands import MOVE_FUND_POOL as MOVE_FUND_POOL
from lombard.core.treasury_commands import MOVE_TAKE_FEES as MOVE_TAKE_FEES
from lombard.core.treasury_commands import MOVE_TAKE_INTEREST as MOVE_TAKE_INTEREST
from lombard.core.treasury_commands import MOVE_WITHDRAW_INSURANCE as MOVE_WITHDRAW_INSURANCE
from lombard.core.treasury_commands import MOVE_WITHDRAW_POOL as MOVE_WITHDRAW_POOL
from lombard.core.treasury_commands import MOVE_WITHDRAWAL as MOVE_WITHDRAWAL
from lombard.core.treasury_commands import ApproveMove as ApproveMove
from lombard.core.treasury_commands import MoveFunds as MoveFunds
from lombard.core.treasury_commands import ProposeMove as ProposeMove
from lombard.core.treasury_commands import RejectMove as RejectMove
from lombard.core.trigger_commands import PLAN_OCO as PLAN_OCO
from lombard.core.trigger_commands import PLAN_STOP_LOSS as PLAN_STOP_LOSS
from lombard.core.trigger_commands import PLAN_TAKE_PROFIT as PLAN_TAKE_PROFIT
from lombard.core.trigger_commands import PLAN_TPSL as PLAN_TPSL
from lombard.core.trigger_commands import PLAN_TRAILING as PLAN_TRAILING
from lombard.core.trigger_commands import PLAN_TRIGGER as PLAN_TRIGGER
from lombard.core.trigger_commands import PRICE_INDEX as PRICE_INDEX
from lombard.core.trigger_commands import PRICE_LAST as PRICE_LAST
from lombard.core.trigger_commands import CancelAllTriggers as CancelAllTriggers
from lombard.core.trigger_commands import CancelEverything as CancelEverything
from lombard.core.trigger_commands import CancelTrigger as CancelTrigger
from lombard.core.trigger_commands import FireTriggers as FireTriggers
from lombard.core.trigger_commands import ModifyTrigger as ModifyTrigger
from lombard.core.trigger_commands import PlaceOco as PlaceOco
from lombard.core.trigger_commands import PlaceTrigger as PlaceTrigger
from lombard.core.trigger_commands import PlaceWithExits as PlaceWithExits

# Sides, kinds and the like are small integers: they are compared on every match.
BUY: Final = 0
SELL: Final = 1
LIMIT: Final = 0
MARKET: Final = 1
GTC: Final = 0
IOC: Final = 1
FOK: Final = 2
POST_ONLY: Final = 3
# loan types: bit 0 borrows before the order, bit 1 repays after it
NORMAL: Final = 0
AUTO_LOAN: Final = 1
AUTO_REPAY: Final = 2
AUTO_LOAN_AND_REPAY: Final = 3
# self-trade prevention
STP_NONE: Final = 0
STP_CANCEL_TAKER: Final = 1
STP_CANCEL_MAKER: Final = 2
STP_CANCEL_BOTH: Final = 3
# where an order came from
SOURCE_API: Final = 0
SOURCE_SYSTEM: Final = 1
SOURCE_WEB: Final = 2
# An account's id is `user << ACCOUNT_BITS | slot`; slot 0 is spot, 1 crossed, 2 + pair isolated.
ACCOUNT_BITS: Final = 16
SLOT_SPOT: Final = 0
SLOT_CROSSED: Final = 1
SLOT_ISOLATED: Final = 2
# No account: whoever asks as `operator_id` of a user asks as the venue, by that user's hand.
SLOT_OPERATOR: Final = (1 << ACCOUNT_BITS) - 1
STAMP_BYTES: Final = 8
# The account of the venue itself: operator commands, ticks, prices.
VENUE: Final = 0


@final
@mypyc_attr(acyclic=True)
class Deposit:
    """Credit coins from outside to the asking spot account, complete in one step (RULES 2.3)."""

    __slots__ = ("coin", "units")

    def __init__(self, coin: int, units: int) -> None:
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class Transfer:
    """Move coins from the asking account to another account of the same user (RULES 9.1)."""

    __slots__ = ("client_oid", "coin", "to_account", "units")

    def __init__(self, to_account: int, coin: int, units: int, client_oid: str) -> None:
        self.to_account: Final = to_account
        self.coin: Final = coin
        self.units: Final = units
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True)
class Borrow:
    """Ask for `units` of a coin against the asking account's collateral (RULES 6)."""

    __slots__ = ("client_oid", "coin", "units")

    def __init__(self, coin: int, units: int, client_oid: str) -> None:
        self.coin: Final = coin
        self.units: Final = units
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True)
class Repay:
    """Pay back up to `units` of a coin, interest first (RULES 6.4)."""

    __slots__ = ("client_oid", "coin", "units")

    def __init__(self, coin: int, units: int, client_oid: str) -> None:
        self.coin: Final = coin
        self.units: Final = units
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True)
class SetLeverage:
    """Bound the asking margin account: debt at most (leverage - 1) x net (RULES 6.5)."""

    __slots__ = ("leverage",)

    def __init__(self, leverage: int) -> None:
        self.leverage: Final = leverage


@final
@mypyc_attr(acyclic=True)
class PlaceOrder:
    """Place an order of the asking account (RULES 10).

    Limit orders and market sells give `size_steps`, market buys `quote_units`; the other is 0.
    `price_ticks` is 0 for market orders. `client_oid` may be empty.
    """

    __slots__ = (
        "client_oid",
        "force",
        "kind",
        "loan_type",
        "pair",
        "price_ticks",
        "quote_units",
        "side",
        "size_steps",
        "source",
        "stp",
    )

    def __init__(
        self,
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
@mypyc_attr(acyclic=True)
class CancelOrder:
    """Cancel a resting order of the asking account, by id, or by client id when `order_id` is 0."""

    __slots__ = ("client_oid", "order_id", "pair")

    def __init__(self, pair: int, order_id: int, client_oid: str) -> None:
        self.pair: Final = pair
        self.order_id: Final = order_id
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True)
class CancelAllOrders:
    """Cancel every resting order of the asking account on a pair. Replies with their number."""

    __slots__ = ("pair",)

    def __init__(self, pair: int) -> None:
        self.pair: Final = pair


@final
@mypyc_attr(acyclic=True)
class ReplaceOrder:
    """Cancel a resting limit order and place another in one step (RULES 6.2).

    Nothing changes when the new order is refused. Named like `CancelOrder`; side, force, loan type
    and self-trade prevention are the old order's.
    """

    __slots__ = ("client_oid", "new_client_oid", "order_id", "pair", "price_ticks", "size_steps")

    def __init__(
        self,
        pair: int,
        order_id: int,
        client_oid: str,
        price_ticks: int,
        size_steps: int,
        new_client_oid: str,
    ) -> None:
        self.pair: Final = pair
        self.order_id: Final = order_id
        self.client_oid: Final = client_oid
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.new_client_oid: Final = new_client_oid


Command = (
    PlaceOrder
    | CancelOrder
    | CancelAllOrders
    | ReplaceOrder
    | ClosePosition
    | FlashRepay
    | Borrow
    | Repay
    | SetLeverage
    | Transfer
    | Deposit
    | Tick
    | PlaceTrigger
    | ModifyTrigger
    | CancelTrigger
    | CancelAllTriggers
    | CancelEverything
    | PlaceWithExits
    | PlaceOco
    | FireTriggers
    | ContinueLiquidation
    | SetIndexPrices
    | SetRate
    | SetRateModel
    | CreateCampaign
    | GrantCoupons
    | EnterDraw
    | DrawCoupons
    | ClaimCoupon
    | AddUser
    | SetUserLevel
    | SetCoin
    | SetPair
    | SetParameter
    | SetVipLevels
    | FundPool
    | FundInsurance
    | Upgrade
    | AnnounceCoinTerms
    | AnnouncePairTerms
    | AnnounceDelisting
    | WithdrawAnnouncement
    | MoveFunds
    | ProposeMove
    | ApproveMove
    | RejectMove
    | FreezeAccount
    | RestrictCoin
    | SealAudit
)


@final
@mypyc_attr(acyclic=True)
class Envelope:
    """A command with its place in the log.

    `seq` counts from 1 without gaps; `time_ms` is exchange time; `command_id` is 16 bytes, the same
    for every retry of one request (empty: never a retry), and begins with its `stamp_of`; `account`
    is who asks.
    """

    __slots__ = ("account", "command", "command_id", "seq", "stamp", "time_ms")

    def __init__(
        self, seq: int, time_ms: int, command_id: bytes, account: int, command: Command
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.command_id: Final = command_id
        self.stamp: Final = stamp_of(command_id)
        self.account: Final = account
        self.command: Final = command


def stamp_of(command_id: bytes) -> int:
    """Read the stamp a command id begins with: 63 bits that rise from request to request.

    They are the request's millisecond and its place in a batch; -1 for no id. Only speed depends on
    their rising: a command stamped like an earlier one of its account is looked for (`replies`).
    """
    if len(command_id) < STAMP_BYTES:
        return -1
    stamp: i64 = command_id[0] & 0x7F
    for place in range(1, STAMP_BYTES):
        stamp = stamp << 8 | command_id[place]
    return stamp


def account_id(user: int, slot: int) -> int:
    """Name an account: `slot` is SLOT_SPOT, SLOT_CROSSED, or SLOT_ISOLATED + pair."""
    return user << ACCOUNT_BITS | slot


def operator_id(user: int) -> int:
    """Name an operator, in the place of an account: the venue's commands say who gave them."""
    return user << ACCOUNT_BITS | SLOT_OPERATOR


def is_venue(account: int) -> bool:
    """Say whether the venue asks, by itself or by an operator's hand."""
    return account == VENUE or (account > 0 and slot_of(account) == SLOT_OPERATOR)


def user_of(account: int) -> int:
    """Say whose an account is."""
    return account >> ACCOUNT_BITS


def slot_of(account: int) -> int:
    """Say which of its user's accounts an account is."""
    return account & ((1 << ACCOUNT_BITS) - 1)
