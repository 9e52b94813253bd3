"""Events about rates. Named through `lombard.core.events`."""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class RateSet:
    """A coin's daily rate will be `rate_e12` from the hour that starts at `from_ms`."""

    def __init__(self, coin: int, rate_e12: int, from_ms: int) -> None:
        self.coin: Final = coin
        self.rate_e12: Final = rate_e12
        self.from_ms: Final = from_ms


@final
@mypyc_attr(acyclic=True)
class RateModelSet:
    """A coin's daily rate will follow a curve of utilisation from the hour that starts then.

    The fields are those of `SetRateModel`; what a curve comes to, hour by hour, is in `HourTurned`.
    """

    def __init__(
        self,
        coin: int,
        base_e12: int,
        kink_e6: int,
        at_kink_e12: int,
        at_full_e12: int,
        premium_e12: int,
        from_ms: int,
    ) -> None:
        self.coin: Final = coin
        self.base_e12: Final = base_e12
        self.kink_e6: Final = kink_e6
        self.at_kink_e12: Final = at_kink_e12
        self.at_full_e12: Final = at_full_e12
        self.premium_e12: Final = premium_e12
        self.from_ms: Final = from_ms
