"""The state of the venue: coins with their pools, pairs with their books, users and accounts.

Plain records. What they mean, and what may be done to them, is in the module of each idea.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import mypyc_attr

from lombard.core.announced import Announcement as Announcement
from lombard.core.book import BookSide, Order
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, SLOT_SPOT, slot_of
from lombard.core.edges import Edges
from lombard.core.refusals import Refusal
from lombard.core.units import DECIMALS_MAX, HOUR_MS, POW10, PRICE_ONE_E12, RATIO_ONE_E6

FIRST_ID: Final = 10**18
FIRST_USER: Final = 1_000_001
RULES_VERSION: Final = 1
# Later than any time there is.
NEVER_MS: Final = 2**62

# The venue's named numbers: name -> (default, least, most).
PARAMETERS: Final[dict[str, tuple[int, int, int]]] = {
    # Margin orders stay within this part of the band centre (RULES 7.6).
    "band_e6": (50_000, 1, 500_000),
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
    # 1: a cancelled order returns what it borrowed (RULES 6.3).
    "repay_on_cancel": (0, 0, 1),
    # How interest is rounded: 0 exact, 1 ceil-each-charge (RULES 4.5).
    "interest_profile": (0, 0, 1),
}


@final
@mypyc_attr(acyclic=True)
class Reply:
    """What a command came to. Exactly one reply answers each command.

    `id` names what was made (0 for nothing); `units` is what was borrowed or repaid, or, for a
    refusal by a limit, the limit; `remaining` the debt left after a repayment; `detail` a refusal's
    particulars.
    """

    __slots__ = ("detail", "id", "refusal", "remaining", "units")

    def __init__(
        self,
        refusal: Refusal | None,
        id_: int = 0,
        units: int = 0,
        remaining: int = 0,
        detail: str = "",
    ) -> None:
        self.refusal: Final = refusal
        self.id: Final = id_
        self.units: Final = units
        self.remaining: Final = remaining
        self.detail: Final = detail


@final
class Coin:
    """A coin: its terms, its index price, its pool, and what the venue holds of it."""

    __slots__ = (
        "borrowable",
        "bound_high",
        "bound_low",
        "bound_mmr",
        "bound_shift",
        "bound_weight",
        "collateral_steps",
        "cross_tiers",
        "decimals",
        "delisting",
        "external_units",
        "falls",
        "fee_units",
        "fixed_rate_e12",
        "growths",
        "has_rate",
        "id",
        "insurance_units",
        "interest_units",
        "lent_units",
        "loss_units",
        "min_borrow_units",
        "name",
        "pool_units",
        "prefix_e12",
        "price_e12",
        "price_max_age_ms",
        "price_sources",
        "price_spread_e6",
        "price_time_ms",
        "rises",
        "slow_price_e12",
        "slow_time_ms",
        "supplied_units",
        "transferable",
        "user_limit_units",
        "value_scale",
    )

    def __init__(self, coin_id: int, name: str, decimals: int) -> None:
        self.id: Final = coin_id
        self.name: Final = name
        self.decimals: Final = decimals
        # One unit at price_e12 is worth price_e12 * value_scale / 10**20 USDT.
        self.value_scale: Final = POW10[DECIMALS_MAX - decimals]
        self.collateral_steps: list[tuple[int, int]] = [(0, RATIO_ONE_E6)]
        self.cross_tiers: list[tuple[int, int, int]] = []
        self.user_limit_units = 0
        self.min_borrow_units = 1
        self.borrowable = False
        self.transferable = True
        self.price_e12 = 0
        self.slow_price_e12 = 0
        self.slow_time_ms = 0
        self.price_time_ms = 0
        self.price_sources = 0
        self.price_spread_e6 = 0
        self.price_max_age_ms = 0
        self.pool_units = 0
        self.lent_units = 0
        self.supplied_units = 0
        self.loss_units = 0
        self.insurance_units = 0
        self.fee_units = 0
        self.interest_units = 0
        self.external_units = 0
        # How far its delisting has come (`delisting`), 0 while there is none.
        self.delisting = 0
        self.fixed_rate_e12 = 0
        self.has_rate = False
        # By VIP level: element k is the sum of the daily rates of the venue's first k hours.
        self.prefix_e12: list[list[int]] = []
        # Derived, for `bounds`.
        self.bound_low = 0
        self.bound_high = 0
        self.bound_shift = 0
        self.bound_weight = 0
        self.bound_mmr = 0
        # Derived, for `safe_bands`: edges of the negated price, the price, the sum of rates.
        self.falls: Final = Edges()
        self.rises: Final = Edges()
        self.growths: Final = Edges()


@final
class Pair:
    """A pair: its terms, its book, and the band its margin orders must keep to."""

    __slots__ = (
        "asks",
        "band_high_ticks",
        "band_low_ticks",
        "base",
        "bids",
        "crossed",
        "delisting",
        "id",
        "isolated_tiers",
        "last_price_ticks",
        "liquidation_fee_e6",
        "maker_fee_e6",
        "max_open_orders",
        "max_size_steps",
        "min_size_steps",
        "min_value_units",
        "quote",
        "quote_per_tick_step",
        "reduce_only",
        "step_units",
        "symbol",
        "system_high_ticks",
        "system_low_ticks",
        "taker_fee_e6",
        "tick_e12",
        "trading",
    )

    def __init__(
        self, pair_id: int, symbol: str, base: Coin, quote: Coin, tick_e12: int, step_units: int
    ) -> None:
        self.id: Final = pair_id
        self.symbol: Final = symbol
        self.base: Final = base
        self.quote: Final = quote
        self.tick_e12 = tick_e12
        self.step_units = step_units
        self.quote_per_tick_step = quote_per_tick_step(base, quote, tick_e12, step_units)
        self.maker_fee_e6 = 0
        self.taker_fee_e6 = 0
        self.min_value_units = 0
        self.min_size_steps = 1
        self.max_size_steps = 0
        self.max_open_orders = 0
        self.isolated_tiers: list[tuple[int, int, int, int]] = []
        self.liquidation_fee_e6 = 0
        self.crossed = True
        self.trading = True
        self.bids: Final = BookSide(1)
        self.asks: Final = BookSide(-1)
        self.last_price_ticks = 0
        # 0 until both coins have an index price.
        self.band_low_ticks = 0
        self.band_high_ticks = 0
        self.system_low_ticks = 0
        self.system_high_ticks = 0
        # How far the delisting of its isolated margin has come, and, derived from that and from
        # its coins', whether some of its margin orders may only reduce.
        self.delisting = 0
        self.reduce_only = False


def quote_per_tick_step(base: Coin, quote: Coin, tick_e12: int, step_units: int) -> int:
    """Return the quote units of one step at a price of one tick, 0 if not whole (RULES 1.2)."""
    numerator = tick_e12 * step_units * POW10[quote.decimals]
    divisor = PRICE_ONE_E12 * POW10[base.decimals]
    return numerator // divisor if numerator % divisor == 0 else 0


@final
class User:
    """A user, with the VIP level in force and the one that takes over at `next_level_hour`."""

    __slots__ = ("accounts", "id", "level", "next_level", "next_level_hour")

    def __init__(self, user_id: int) -> None:
        self.id: Final = user_id
        self.level = 0
        self.next_level = 0
        self.next_level_hour = 0
        self.accounts: list[Account] = []


@final
class Balance:
    """What an account has and owes of a coin (RULES 4.2).

    `charged` is the integer numerator of all interest ever charged, over INTEREST_DENOMINATOR, and
    `shown_units` the same rounded half up; `paid_units` all interest ever paid; `hour` the last
    hour charged while there is principal.
    """

    __slots__ = (
        "available_units",
        "charged",
        "coin",
        "frozen_units",
        "hour",
        "paid_units",
        "principal_units",
        "shown_units",
    )

    def __init__(self, coin: Coin) -> None:
        self.coin: Final = coin
        self.available_units = 0
        self.frozen_units = 0
        self.principal_units = 0
        self.charged = 0
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
        "client_oids",
        "debts",
        "id",
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
        self.balances: dict[int, Balance] = {}
        self.orders: dict[int, Order] = {}
        self.debts = 0
        # 0: the most the tiers allow.
        self.leverage = 0
        self.called = False
        self.liquidation: Liquidation | None = None
        self.client_oids: dict[str, Remembered] = {}
        self.marked = False
        self.band = 0
        self.reminded = False

    def holds(self, coin: Coin) -> bool:
        """Say whether the account may hold a coin: an isolated one holds its pair's only."""
        return self.pair is None or coin is self.pair.base or coin is self.pair.quote

    def balance(self, coin: Coin) -> Balance:
        """Return the balance of a coin, an empty one if there was none."""
        balance = self.balances.get(coin.id)
        if balance is None:
            balance = self.balances[coin.id] = Balance(coin)
        return balance


@final
class State:
    """Everything the venue knows. `hour` counts the hours since `first_hour` (an hour number)."""

    __slots__ = (
        "accounts",
        "announcements",
        "coin_ids",
        "coins",
        "first_hour",
        "hour",
        "hour_ids",
        "indebted",
        "liquidation_queue",
        "liquidations",
        "marked",
        "next_change_ms",
        "next_hour_ms",
        "next_id",
        "next_user",
        "older_replies",
        "pair_ids",
        "pairs",
        "parameters",
        "reminded_minute",
        "reminders",
        "replies",
        "roundings",
        "rules_version",
        "seq",
        "time_ms",
        "unit_price_e12",
        "users",
        "vip_levels",
        "waiting",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.time_ms = 0
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
        self.indebted: dict[int, Account] = {}
        self.parameters: dict[str, int] = {name: row[0] for name, row in PARAMETERS.items()}
        # (rate discount, limit multiplier) of each level.
        self.vip_levels: list[tuple[int, int]] = [(RATIO_ONE_E6, RATIO_ONE_E6)]
        # The first of the ids set apart for the receipts of each hour, by hour.
        self.hour_ids: list[int] = []
        self.liquidations: dict[int, Liquidation] = {}
        # A heap of (-ratio_e6, account): the worst comes first, then the lower id (RULES 8.3).
        self.liquidation_queue: list[tuple[int, int]] = []
        # The accounts whose liquidation waits, longest first.
        self.waiting: list[int] = []
        # Announced changes by time, and when the first of them is due.
        self.announcements: list[Announcement] = []
        self.next_change_ms = NEVER_MS
        # Replies to recent commands by command id, in two generations.
        self.replies: dict[bytes, Reply] = {}
        self.older_replies: dict[bytes, Reply] = {}
        # Derived, for `watch`: the accounts to be looked at; and what the safe bands of the others
        # rest on, beside the edges that the coins keep.
        self.marked: list[int] = []
        self.roundings: Final = Edges()
        # The last minute that was reminded of, and, derived, the debtors by minute of the day.
        self.reminded_minute = -1
        self.reminders: list[list[int]] = [[] for _ in range(1_440)]
        self.unit_price_e12 = -1

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
