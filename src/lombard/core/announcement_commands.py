"""Commands of changes that raise risk and are therefore announced (RULES 8.7).

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class AnnounceCoinTerms:
    """Announce collateral steps, crossed tiers and user limit of a coin, from `effective_ms` on.

    The coin's other terms stay as they are then. Replies with the announcement's id.
    """

    __slots__ = ("coin", "collateral_steps", "cross_tiers", "effective_ms", "user_limit_units")

    def __init__(
        self,
        coin: int,
        collateral_steps: list[tuple[int, int]],
        cross_tiers: list[tuple[int, int, int]],
        user_limit_units: int,
        effective_ms: int,
    ) -> None:
        self.coin: Final = coin
        self.collateral_steps: Final = collateral_steps
        self.cross_tiers: Final = cross_tiers
        self.user_limit_units: Final = user_limit_units
        self.effective_ms: Final = effective_ms


@final
@mypyc_attr(acyclic=True)
class AnnouncePairTerms:
    """Announce the isolated tiers of a pair, from `effective_ms` on."""

    __slots__ = ("effective_ms", "isolated_tiers", "pair")

    def __init__(
        self, pair: int, isolated_tiers: list[tuple[int, int, int, int]], effective_ms: int
    ) -> None:
        self.pair: Final = pair
        self.isolated_tiers: Final = isolated_tiers
        self.effective_ms: Final = effective_ms


@final
@mypyc_attr(acyclic=True)
class AnnounceDelisting:
    """Announce that a coin, or a pair's isolated margin, ends (the other of the two is -1).

    Nothing more is lent at once; from `reduce_only_ms` on margin orders may only reduce what is
    owed or held of it; from `repay_ms` on what is owed is repaid by system orders.
    """

    __slots__ = ("coin", "pair", "reduce_only_ms", "repay_ms")

    def __init__(self, coin: int, pair: int, reduce_only_ms: int, repay_ms: int) -> None:
        self.coin: Final = coin
        self.pair: Final = pair
        self.reduce_only_ms: Final = reduce_only_ms
        self.repay_ms: Final = repay_ms


@final
@mypyc_attr(acyclic=True)
class WithdrawAnnouncement:
    """Take an announcement back that has not come into force."""

    __slots__ = ("announcement",)

    def __init__(self, announcement: int) -> None:
        self.announcement: Final = announcement
