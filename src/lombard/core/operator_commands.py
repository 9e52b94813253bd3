"""Commands of the operator and of the clock: coins, pairs, prices, time.

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


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
