"""Commands about rates. Named through `lombard.core.commands`, the one vocabulary."""

from typing import Final, final

from mypy_extensions import mypyc_attr


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
class SetRateModel:
    """Lend a coin at a kinked curve of utilisation from the next full hour on (RULES 5.1).

    The daily rate rises evenly from `base_e12` at utilisation 0 to `at_kink_e12` at `kink_e6`, and
    on to `at_full_e12` at 1; `premium_e12` is added everywhere.
    """

    __slots__ = ("at_full_e12", "at_kink_e12", "base_e12", "coin", "kink_e6", "premium_e12")

    def __init__(
        self,
        coin: int,
        base_e12: int,
        kink_e6: int,
        at_kink_e12: int,
        at_full_e12: int,
        premium_e12: int,
    ) -> None:
        self.coin: Final = coin
        self.base_e12: Final = base_e12
        self.kink_e6: Final = kink_e6
        self.at_kink_e12: Final = at_kink_e12
        self.at_full_e12: Final = at_full_e12
        self.premium_e12: Final = premium_e12
