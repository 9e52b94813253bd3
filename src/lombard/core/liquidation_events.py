"""Events of a liquidation, from the call to the unlocking (RULES 7.3, 8).

Named through `lombard.core.events`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class MarginCalled:
    """An account's risk reached the call line (RULES 7.3). `ratio_e6` is K / N."""

    def __init__(self, account: int, ratio_e6: int) -> None:
        self.account: Final = account
        self.ratio_e6: Final = ratio_e6


@final
@mypyc_attr(acyclic=True)
class LiquidationStarted:
    """An account fell below its line and was locked (RULES 8.1).

    `ratio_e6` is K / N, `RATIO_INFINITE_E6` when N ≤ 0; assets and debt are values in 1e-8 USDT.
    """

    def __init__(
        self,
        liquidation_id: int,
        account: int,
        ratio_e6: int,
        assets_value_e8: int,
        debt_value_e8: int,
    ) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.ratio_e6: Final = ratio_e6
        self.assets_value_e8: Final = assets_value_e8
        self.debt_value_e8: Final = debt_value_e8


@final
@mypyc_attr(acyclic=True)
class LiquidationStepped:
    """One step of a liquidation ended; its trades and repayments came just before (RULES 8.6).

    `action` is "repay", "sell", "wait" or "takeover"; for a sale `sold_coin` was sold for
    `bought_coin` in system order `order_id`; `prices` are the index used, `(coin, price_e12)`.
    """

    def __init__(
        self,
        liquidation_id: int,
        account: int,
        step: int,
        action: str,
        sold_coin: int,
        bought_coin: int,
        order_id: int,
        prices: list[tuple[int, int]],
        ratio_before_e6: int,
        ratio_after_e6: int,
    ) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.step: Final = step
        self.action: Final = action
        self.sold_coin: Final = sold_coin
        self.bought_coin: Final = bought_coin
        self.order_id: Final = order_id
        self.prices: Final = prices
        self.ratio_before_e6: Final = ratio_before_e6
        self.ratio_after_e6: Final = ratio_after_e6


@final
@mypyc_attr(acyclic=True)
class FundPaid:
    """The insurance fund gave an account coins to settle its debt with (RULES 8.4)."""

    def __init__(self, liquidation_id: int, account: int, coin: int, units: int) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class FundTook:
    """The insurance fund took coins of an account it took over, at index (RULES 8.4)."""

    def __init__(self, liquidation_id: int, account: int, coin: int, units: int) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class LossBooked:
    """What neither the account nor the fund could pay was posted to the pool's loss (RULES 8.4).

    `interest_units` are forgiven: interest becomes the venue's only when it is paid.
    """

    def __init__(
        self,
        liquidation_id: int,
        account: int,
        coin: int,
        principal_units: int,
        interest_units: int,
    ) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.coin: Final = coin
        self.principal_units: Final = principal_units
        self.interest_units: Final = interest_units


@final
@mypyc_attr(acyclic=True)
class LiquidationFeePaid:
    """The liquidation fee went to the insurance fund (RULES 8.5)."""

    def __init__(self, liquidation_id: int, account: int, coin: int, units: int) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class LiquidationFinished:
    """The account is unlocked; `fee_value_e8` is what the fee was worth, in 1e-8 USDT."""

    def __init__(self, liquidation_id: int, account: int, ratio_e6: int, fee_value_e8: int) -> None:
        self.liquidation_id: Final = liquidation_id
        self.account: Final = account
        self.ratio_e6: Final = ratio_e6
        self.fee_value_e8: Final = fee_value_e8
