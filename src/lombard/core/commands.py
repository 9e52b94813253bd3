"""Commands: what a user, the operator or the clock asks of the venue.

Imperative, plain data, neither knows the wire. Coins and pairs are named by their index in the
state (`queries.coin_named`, `queries.pair_named`), amounts are units, prices ticks, sizes steps.
Who asks, and when, is in the `Envelope`.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

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
# The account of the venue itself: operator commands, ticks, prices.
VENUE: Final = 0


@final
@mypyc_attr(acyclic=True)
class AddUser:
    """Admit a user, with a spot and a crossed account. Replies with the user's id."""

    __slots__ = ()


@final
@mypyc_attr(acyclic=True)
class SetCoin:
    """Add a coin or change one.

    `collateral_steps` are `(up_to_units, ratio_e6)`, rising, the last `up_to_units` 0 for no bound
    (RULES 7.2); `user_limit_units` bounds what one user owes over all accounts (RULES 6.1).
    `cross_tiers` are `(max_units, leverage, mmr_e6)`, rising.
    """

    __slots__ = (
        "borrowable",
        "collateral_steps",
        "cross_tiers",
        "decimals",
        "min_borrow_units",
        "name",
        "transferable",
        "user_limit_units",
    )

    def __init__(
        self,
        name: str,
        decimals: int,
        collateral_steps: list[tuple[int, int]],
        cross_tiers: list[tuple[int, int, int]],
        user_limit_units: int,
        min_borrow_units: int,
        borrowable: bool,
        transferable: bool,
    ) -> None:
        self.name: Final = name
        self.decimals: Final = decimals
        self.collateral_steps: Final = collateral_steps
        self.cross_tiers: Final = cross_tiers
        self.user_limit_units: Final = user_limit_units
        self.min_borrow_units: Final = min_borrow_units
        self.borrowable: Final = borrowable
        self.transferable: Final = transferable


@final
@mypyc_attr(acyclic=True)
class SetPair:
    """Add a pair or change one.

    `tick_e12` is the price tick in quote coins per base coin; `step_units` the size step in base
    units. Their product must be a whole number of quote units (RULES 1.2). `isolated_tiers` are
    `(base_max_units, quote_max_units, leverage, mmr_e6)`, rising; empty when the pair has no
    isolated margin. `liquidation_fee_e6` is that of the pair's isolated accounts (RULES 8.2, 8.5).
    `crossed` says whether crossed accounts may trade it.
    """

    __slots__ = (
        "base",
        "crossed",
        "isolated_tiers",
        "liquidation_fee_e6",
        "maker_fee_e6",
        "max_open_orders",
        "max_size_steps",
        "min_size_steps",
        "min_value_units",
        "quote",
        "step_units",
        "symbol",
        "taker_fee_e6",
        "tick_e12",
        "trading",
    )

    def __init__(
        self,
        symbol: str,
        base: int,
        quote: int,
        tick_e12: int,
        step_units: int,
        maker_fee_e6: int,
        taker_fee_e6: int,
        min_value_units: int,
        min_size_steps: int,
        max_size_steps: int,
        max_open_orders: int,
        isolated_tiers: list[tuple[int, int, int, int]],
        liquidation_fee_e6: int,
        crossed: bool,
        trading: bool,
    ) -> None:
        self.symbol: Final = symbol
        self.base: Final = base
        self.quote: Final = quote
        self.tick_e12: Final = tick_e12
        self.step_units: Final = step_units
        self.maker_fee_e6: Final = maker_fee_e6
        self.taker_fee_e6: Final = taker_fee_e6
        self.min_value_units: Final = min_value_units
        self.min_size_steps: Final = min_size_steps
        self.max_size_steps: Final = max_size_steps
        self.max_open_orders: Final = max_open_orders
        self.isolated_tiers: Final = isolated_tiers
        self.liquidation_fee_e6: Final = liquidation_fee_e6
        self.crossed: Final = crossed
        self.trading: Final = trading


@final
@mypyc_attr(acyclic=True)
class SetParameter:
    """Set one of the venue's named numbers; names, units and ranges are in `parameters`."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: int) -> None:
        self.name: Final = name
        self.value: Final = value


@final
@mypyc_attr(acyclic=True)
class SetVipLevels:
    """Set the VIP schedule: `(rate_discount_e6, limit_multiplier_e6)` of level 0, 1, …"""

    __slots__ = ("levels",)

    def __init__(self, levels: list[tuple[int, int]]) -> None:
        self.levels: Final = levels


@final
@mypyc_attr(acyclic=True)
class SetUserLevel:
    """Put a user on a VIP level; rates follow at the next hour turn (RULES 4.4)."""

    __slots__ = ("level", "user")

    def __init__(self, user: int, level: int) -> None:
        self.user: Final = user
        self.level: Final = level


@final
@mypyc_attr(acyclic=True)
class FundPool:
    """Supply coins to lend from outside (RULES 2.1)."""

    __slots__ = ("coin", "units")

    def __init__(self, coin: int, units: int) -> None:
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class FundInsurance:
    """Pay coins from outside into the insurance fund."""

    __slots__ = ("coin", "units")

    def __init__(self, coin: int, units: int) -> None:
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class SetRate:
    """Lend a coin at a fixed daily rate from the next full hour on (RULES 3.1, 5.1)."""

    __slots__ = ("coin", "rate_e12")

    def __init__(self, coin: int, rate_e12: int) -> None:
        self.coin: Final = coin
        self.rate_e12: Final = rate_e12


@final
@mypyc_attr(acyclic=True)
class SetIndexPrices:
    """Publish index prices: `(coin, price_e12, sources, spread_e6, max_age_ms)` (RULES 7.1, 7.7).

    `max_age_ms` 0 means fresh until replaced. Fewer than two sources never liquidate; a finished
    index (set by hand, or replayed) counts as two.
    """

    __slots__ = ("prices",)

    def __init__(self, prices: list[tuple[int, int, int, int, int]]) -> None:
        self.prices: Final = prices


@final
@mypyc_attr(acyclic=True)
class Tick:
    """Let time pass: hour turns, staleness and waiting liquidations are looked at (RULES 3.3)."""

    __slots__ = ()


@final
@mypyc_attr(acyclic=True)
class ContinueLiquidation:
    """Do up to `max_steps` steps of the liquidations that are due (RULES 8.3)."""

    __slots__ = ("max_steps",)

    def __init__(self, max_steps: int) -> None:
        self.max_steps: Final = max_steps


@final
@mypyc_attr(acyclic=True)
class Upgrade:
    """Put a newer version of the rules in force (RULES 3.4)."""

    __slots__ = ("rules_version",)

    def __init__(self, rules_version: int) -> None:
        self.rules_version: Final = rules_version


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
    | Borrow
    | Repay
    | SetLeverage
    | Transfer
    | Deposit
    | Tick
    | ContinueLiquidation
    | SetIndexPrices
    | SetRate
    | AddUser
    | SetUserLevel
    | SetCoin
    | SetPair
    | SetParameter
    | SetVipLevels
    | FundPool
    | FundInsurance
    | Upgrade
)


@final
@mypyc_attr(acyclic=True)
class Envelope:
    """A command with its place in the log.

    `seq` counts from 1 without gaps; `time_ms` is exchange time; `command_id` is 16 bytes, the same
    for every retry of one request (empty: never a retry); `account` is who asks.
    """

    __slots__ = ("account", "command", "command_id", "seq", "time_ms")

    def __init__(
        self, seq: int, time_ms: int, command_id: bytes, account: int, command: Command
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.command_id: Final = command_id
        self.account: Final = account
        self.command: Final = command


def account_id(user: int, slot: int) -> int:
    """Name an account: `slot` is SLOT_SPOT, SLOT_CROSSED, or SLOT_ISOLATED + pair."""
    return user << ACCOUNT_BITS | slot


def user_of(account: int) -> int:
    """Say whose an account is."""
    return account >> ACCOUNT_BITS


def slot_of(account: int) -> int:
    """Say which of its user's accounts an account is."""
    return account & ((1 << ACCOUNT_BITS) - 1)
