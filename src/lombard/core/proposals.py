"""A movement that was proposed and waits for another operator (RULES 2.4)."""

from __future__ import annotations

from typing import Final, final


@final
class Proposal:
    """Who asked for which movement, and when."""

    __slots__ = ("coin", "id", "kind", "operator", "proposed_ms", "units", "user")

    def __init__(
        self,
        proposal_id: int,
        operator: int,
        proposed_ms: int,
        kind: int,
        user: int,
        coin: int,
        units: int,
    ) -> None:
        self.id: Final = proposal_id
        self.operator: Final = operator
        self.proposed_ms: Final = proposed_ms
        self.kind: Final = kind
        self.user: Final = user
        self.coin: Final = coin
        self.units: Final = units
