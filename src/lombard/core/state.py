"""The state of the venue: users and their accounts, and all there is beside coins and pairs.

Plain records. What they mean, and what may be done to them, is in the module of each idea.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from lombard.core.announced import Announcement as Announcement
from lombard.core.book import Order
from lombard.core.campaigns import Campaign, Coupon
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, SLOT_SPOT, slot_of, user_of
from lombard.core.edges import Edges
from lombard.core.listings import Coin as Coin
from lombard.core.listings import Pair as Pair
from lombard.core.listings import RateCurve as RateCurve
from lombard.core.listings import quote_per_tick_step as quote_per_tick_step
from lombard.core.proposals import Proposal as Proposal
from lombard.core.replies import Replies
from lombard.core.replies import Reply as Reply
from lombard.core.trigger_book import TriggerBook
from lombard.core.units import HOUR_MS, RATIO_ONE_E6

FIRST_ID: Final = 10**18
FIRST_USER: Final = 1_000_001
RULES_VERSION: Final = 1
# Later than any time there is.
NEVER_MS: Final = 2**61

# The venue's named numbers: name -> (default, least, most).
PARAMETERS: Final[dict[str, tuple[int, int, int]]] = {
    # Margin orders stay within this part of the band centre (RULES 7.6).
    "band_e6": (50_000, 1, 500_000),
    # Spot limit orders stay within this part of the last price; 0: wherever they like (RULES 10).
    "spot_band_e6": (0, 0, 1_000_000),
    # System orders stay within this part of it (RULES 8.3).
    "system_band_e6": (20_000, 1, 500_000),
    # Half-life of the slow average of the index; 0 turns caution off (RULES 7.5).
    "caution_half_life_ms": (300_000, 0, 86_400_000),
    # Part of the debt repaid by liquidation, of crossed accounts (RULES 8.5).
    "crossed_liquidation_fee_e6": (20_000, 0, 500_000),
    # The insurance fund takes a liquidation over after this long (RULES 8.4).
    "takeover_after_ms": (600_000, 0, 86_400_000),
    # 1: a debtor is reminded once a day what it owes.
    "repay_reminders": (1, 0, 1),
    # How long before it holds a change that raises risk must be announced; 0: it may hold at once
    # (RULES 8.7).
    "notice_ms": (0, 0, 31_536_000_000),
    # How long, and how many at most, client ids are remembered per account (RULES 10).
    "client_oid_ttl_ms": (86_400_000, 0, 864_000_000),
    "client_oids_max": (10_000, 1, 1_000_000),
    # How many triggers an account may have on a pair (RULES 10).
    "open_triggers_max": (100, 1, 10_000),
    # 1: a cancelled order returns what it borrowed (RULES 6.3).
    "repay_on_cancel": (0, 0, 1),
    # How interest is rounded: 0 exact, 1 ceil-each-charge (RULES 4.5).
    "interest_profile": (0, 0, 1),
}


@final
class User:
    """A user, with the VIP level in force and the one that takes over at `next_level_hour`.

    `coupons` are the user's, by campaign.
    """

    __slots__ = ("accounts", "coupons", "id", "level", "next_level", "next_level_hour")

    def __init__(self, user_id: int) -> None:
        self.id: Final = user_id
        self.level = 0
        self.next_level = 0
        self.next_level_hour = 0
        self.accounts: list[Account] = []
        self.coupons: dict[int, Coupon] = {}


@final
class Balance:
    """What an account has and owes of a coin (RULES 4.2).

    `charged` is the integer numerator of all interest ever charged, over INTEREST_DENOMINATOR, and
    `saved` that of what coupons took off it, over SAVING_DENOMINATOR; `shown_units` is the rest of
    it, rounded half up; `paid_units` all interest ever paid; `hour` the last hour charged while
    there is principal. `coupons` are those that cover it, by rank, None for none.
    """

    __slots__ = (
        "available_units",
        "charged",
        "coin",
        "coupons",
        "frozen_units",
        "hour",
        "paid_units",
        "principal_units",
        "saved",
        "shown_units",
    )

    def __init__(self, coin: Coin) -> None:
        self.coin: Final = coin
        self.available_units = 0
        self.frozen_units = 0
        self.principal_units = 0
        self.charged = 0
        self.saved = 0
        self.coupons: list[Coupon] | None = None
        self.shown_units = 0
        self.paid_units = 0
        self.hour = 0


@final
class Remembered:
    """A client id's first use: when, with what content, and what it came to."""

    __slots__ = ("content", "id", "remaining", "time_ms", "units")

    def __init__(self, time_ms: int, content: str, id_: int, units: int, remaining: int) -> None:
        self.time_ms: Final = time_ms
        self.content: Final = content
        self.id: Final = id_
        self.units: Final = units
        self.remaining: Final = remaining


@final
class Liquidation:
    """A liquidation in progress. `fee_value_e26` is the fee that falls due when it ends.

    `waiting` while it is out of the queue; `stalled` since that was recorded, until it goes on;
    `forced` while it repays a delisted debt of an account above its line (RULES 8.7).
    """

    __slots__ = (
        "account",
        "fee_value_e26",
        "forced",
        "id",
        "stalled",
        "started_ms",
        "step",
        "waiting",
    )

    def __init__(self, liquidation_id: int, account: Account, started_ms: int) -> None:
        self.id: Final = liquidation_id
        self.account: Final = account
        self.started_ms: Final = started_ms
        self.step = 0
        self.fee_value_e26 = 0
        self.waiting = False
        self.stalled = False
        self.forced = False


@final
class Account:
    """One of a user's accounts: spot, crossed, or isolated (`pair` is set).

    `debts` counts its coins with principal. While `liquidation` is set the account is locked.
    `marked` when it is to be looked at at the next price or hour; `band` numbers its safe bands;
    `reminded` while it is in its minute's list of debtors.
    """

    __slots__ = (
        "balances",
        "band",
        "called",
        "calm_epoch",
        "client_oids",
        "debts",
        "frozen",
        "id",
        "latest_stamp",
        "leverage",
        "liquidation",
        "margin",
        "marked",
        "orders",
        "pair",
        "reminded",
        "user",
    )

    def __init__(self, account_id: int, user: User, pair: Pair | None) -> None:
        slot = slot_of(account_id)
        assert (pair is not None) == (slot >= SLOT_ISOLATED)
        self.id: Final = account_id
        self.user: Final = user
        self.pair: Final = pair
        self.margin: Final = slot != SLOT_SPOT
        # In the order of the coins, few to an account: looked through rather than looked up.
        self.balances: tuple[Balance, ...] = ()
        # The open ones, oldest first.
        self.orders: list[Order] = []
        self.debts = 0
        # 0: the most the tiers allow.
        self.leverage = 0
        self.called = False
        # Derived: the epoch in which `watch` has nothing to find, whatever of its orders trades.
        self.calm_epoch = -1
        self.liquidation: Liquidation | None = None
        # By an operator (`restrictions`).
        self.frozen = False
        self.client_oids: dict[str, Remembered] = {}
        # Of its commands that `State.replies` remembers.
        self.latest_stamp = -1
        self.marked = False
        self.band = 0
        self.reminded = False

    def holds(self, coin: Coin) -> bool:
        """Say whether the account may hold a coin: an isolated one holds its pair's only."""
        return self.pair is None or coin is self.pair.base or coin is self.pair.quote

    def find(self, coin: Coin) -> Balance | None:
        """Return the balance of a coin, if the account ever had one."""
        for balance in self.balances:
            if balance.coin is coin:
                return balance
        return None

    def balance(self, coin: Coin) -> Balance:
        """Return the balance of a coin, an empty one if there was none."""
        balance = self.find(coin)
        if balance is None:
            balance = Balance(coin)
            below = [row for row in self.balances if row.coin.id < coin.id]
            self.balances = (*below, balance, *self.balances[len(below) :])
        return balance

    def order(self, order_id: int) -> Order | None:
        """Return an open order by id."""
        place = self._place_of(order_id)
        if place < len(self.orders) and self.orders[place].id == order_id:
            return self.orders[place]
        return None

    def keep(self, order: Order) -> None:
        """Add an order to the open ones."""
        orders = self.orders
        if not orders or orders[-1].id < order.id:
            # As it is but for what a snapshot lists by price.
            orders.append(order)
        else:
            orders.insert(self._place_of(order.id), order)

    def drop(self, order: Order) -> None:
        """Take an order out of the open ones."""
        place = self._place_of(order.id)
        assert self.orders[place] is order, "Invariant: an order is not its account's"
        self.orders.pop(place)

    def _place_of(self, order_id: int) -> int:
        """Return where an order is, or would be, among the open ones."""
        low: i64 = 0
        high: i64 = len(self.orders)
        while low < high:
            middle = (low + high) >> 1
            if self.orders[middle].id < order_id:
                low = middle + 1
            else:
                high = middle
        return low


@final
class State:
    """Everything the venue knows. `hour` counts the hours since `first_hour` (an hour number)."""

    __slots__ = (
        "accounts",
        "announcements",
        "audit_digest",
        "audit_entry",
        "campaigns",
        "coin_ids",
        "coins",
        "coupon_holders",
        "coupon_turns",
        "epoch",
        "first_accounts",
        "first_hour",
        "hour",
        "hour_ids",
        "indebted",
        "interest_profile",
        "liquidation_queue",
        "liquidations",
        "marked",
        "next_change_ms",
        "next_hour_ms",
        "next_id",
        "next_user",
        "pair_ids",
        "pairs",
        "parameters",
        "proposals",
        "reminded_minute",
        "reminders",
        "repay_on_cancel",
        "replies",
        "roundings",
        "rules_version",
        "seq",
        "time_ms",
        "triggers",
        "unit_price_e12",
        "users",
        "vip_levels",
        "waiting",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.time_ms = 0
        # Derived: moves with whatever every account's risk depends on.
        self.epoch = 0
        self.first_hour = -1
        self.hour = 0
        self.next_hour_ms = 0
        self.rules_version = RULES_VERSION
        self.next_id = FIRST_ID
        self.next_user = FIRST_USER
        self.coins: list[Coin] = []
        self.coin_ids: dict[str, int] = {}
        self.pairs: list[Pair] = []
        self.pair_ids: dict[str, int] = {}
        self.users: dict[int, User] = {}
        self.accounts: dict[int, Account] = {}
        # Spot and crossed ones by the user's place, as far as users are there without a gap.
        self.first_accounts: list[Account] = []
        self.indebted: dict[int, Account] = {}
        self.parameters: dict[str, int] = {name: row[0] for name, row in PARAMETERS.items()}
        # The same, of those that every loan and every cancel asks for.
        self.interest_profile = self.parameters["interest_profile"]
        self.repay_on_cancel = self.parameters["repay_on_cancel"]
        # (rate discount, limit multiplier) of each level.
        self.vip_levels: list[tuple[int, int]] = [(RATIO_ONE_E6, RATIO_ONE_E6)]
        # The first of the ids set apart for the receipts of each hour, by hour.
        self.hour_ids: list[int] = []
        self.campaigns: dict[int, Campaign] = {}
        # By hour: the users whose coupons its turn has to look at. Derived, for `coupons`.
        self.coupon_turns: dict[int, dict[int, bool]] = {}
        # By minute of the day: the users who have coupons. Derived, for `coupons`.
        self.coupon_holders: dict[int, dict[int, bool]] = {}
        self.liquidations: dict[int, Liquidation] = {}
        # A heap of (-ratio_e6, account): the worst comes first, then the lower id (RULES 8.3).
        self.liquidation_queue: list[tuple[int, int]] = []
        # The accounts whose liquidation waits, longest first.
        self.waiting: list[int] = []
        # Announced changes by time, and when the first of them is due.
        self.announcements: list[Announcement] = []
        self.next_change_ms = NEVER_MS
        # Movements of money that wait for another operator, oldest first.
        self.proposals: dict[int, Proposal] = {}
        # What is on record of identity's audit log: its last line, and the digest of it.
        self.audit_entry = 0
        self.audit_digest = ""
        self.replies: Final = Replies()
        self.triggers: Final = TriggerBook()
        # Derived, for `watch`: the accounts to be looked at; and what the safe bands of the others
        # rest on, beside the edges that the coins keep.
        self.marked: list[int] = []
        self.roundings: Final = Edges()
        # The last minute that was reminded of, and, derived, the debtors by minute of the day.
        self.reminded_minute = -1
        self.reminders: list[list[int]] = [[] for _ in range(1_440)]
        self.unit_price_e12 = -1

    def set_parameter(self, name: str, value: int) -> None:
        """Set one of the venue's named numbers."""
        assert name in PARAMETERS
        self.parameters[name] = value
        self.interest_profile = self.parameters["interest_profile"]
        self.repay_on_cancel = self.parameters["repay_on_cancel"]

    def account(self, account_id: int) -> Account | None:
        """Return an open account by id."""
        slot = slot_of(account_id)
        place = (user_of(account_id) - FIRST_USER) * SLOT_ISOLATED + slot
        if slot < SLOT_ISOLATED and 0 <= place < len(self.first_accounts):
            return self.first_accounts[place]
        return self.accounts.get(account_id)

    def open_account(self, account: Account) -> None:
        """Add an account to the open ones."""
        place = (account.user.id - FIRST_USER) * SLOT_ISOLATED + slot_of(account.id)
        if account.pair is None and place == len(self.first_accounts):
            self.first_accounts.append(account)
        self.accounts[account.id] = account
        account.user.accounts.append(account)

    def touch(self, account: Account) -> None:
        """Have an account looked at at the next price or hour: what it owns or owes has changed."""
        if not account.marked:
            account.marked = True
            self.marked.append(account.id)

    def remember_debt(self, account: Account) -> None:
        """Put a debtor into its minute's list, unless it is there."""
        if not account.reminded:
            account.reminded = True
            self.reminders[account.user.id % len(self.reminders)].append(account.id)

    def take_id(self) -> int:
        """Return the next id. All ids come from one counter: larger is newer."""
        taken = self.next_id
        self.next_id = taken + 1
        return taken

    def hour_ms(self, hour: int) -> int:
        """Return when an hour began, in exchange time."""
        return (self.first_hour + hour) * HOUR_MS


def is_crossed(account: Account) -> bool:
    """Say whether an account is its user's crossed account."""
    return slot_of(account.id) == SLOT_CROSSED
