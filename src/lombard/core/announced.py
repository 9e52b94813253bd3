"""An announced change: the plain record. What is done with it is in `announcements`."""

from __future__ import annotations

from typing import Final, final


@final
class Announcement:
    """A change that was announced and comes into force at `effective_ms` (RULES 8.7).

    `kind` is "coin" or "pair" (new terms), or a stage of a delisting, "reduce_only" or "repay"; the
    stages of one delisting share its id. Either `coin` or `pair` is -1.
    """

    __slots__ = (
        "announced_ms",
        "coin",
        "collateral_steps",
        "cross_tiers",
        "effective_ms",
        "id",
        "isolated_tiers",
        "kind",
        "pair",
        "user_limit_units",
    )

    def __init__(
        self, kind: str, coin: int, pair: int, announced_ms: int, effective_ms: int
    ) -> None:
        self.id = 0
        self.kind: Final = kind
        self.coin: Final = coin
        self.pair: Final = pair
        self.announced_ms: Final = announced_ms
        self.effective_ms: Final = effective_ms
        self.collateral_steps: list[tuple[int, int]] = []
        self.cross_tiers: list[tuple[int, int, int]] = []
        self.user_limit_units = 0
        self.isolated_tiers: list[tuple[int, int, int, int]] = []
