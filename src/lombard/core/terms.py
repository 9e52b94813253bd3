"""A term of a limit: one bound of several, by name and with its own amount."""

from typing import Final, final


@final
class Term:
    """One bound: its name, and how many units it would allow by itself, below 0 when exceeded.

    `tier` counts the tiers from 1; 0 for a bound that has nothing to do with them.
    """

    __slots__ = ("name", "tier", "units")

    def __init__(self, name: str, units: int, tier: int = 0) -> None:
        self.name: Final = name
        self.units: Final = units
        self.tier: Final = tier
