"""Edges: who is to be looked at once a number has come so far, nearest first (RULES 7.8).

An entry is one integer, `edge << 96 | account << 32 | band`: it orders by edge and then by account,
and takes a third of the memory of a tuple. Entries are never searched for: an account that is
registered anew gets a new band number, and what is left of the old band is dropped when it is met,
or swept out once there is more of it than of the living.
"""

from __future__ import annotations

import heapq
from typing import Final, final

_BAND_BITS: Final = 32
_BAND_MASK: Final = (1 << _BAND_BITS) - 1
_ACCOUNT_MASK: Final = (1 << 64) - 1
_EDGE_SHIFT: Final = 96
_SWEEP_MIN: Final = 1_024


@final
class Edges:
    """A heap of edges; the smallest is the first to be reached."""

    __slots__ = ("entries", "sweep_at")

    def __init__(self) -> None:
        self.entries: list[int] = []
        self.sweep_at = _SWEEP_MIN

    def add(self, edge: int, account_id: int, band: int) -> None:
        """Have an account looked at when the number reaches `edge`; edges may be negative."""
        assert 0 <= account_id <= _ACCOUNT_MASK
        assert 0 <= band <= _BAND_MASK
        heapq.heappush(self.entries, edge << _EDGE_SHIFT | account_id << _BAND_BITS | band)

    def take(self, number: int) -> tuple[int, int] | None:
        """Take out the first `(account, band)` whose edge the number has reached, if there is one.

        Reaching is inclusive: `edge <= number`.
        """
        if not self.entries or self.entries[0] >> _EDGE_SHIFT > number:
            return None
        entry = heapq.heappop(self.entries)
        return entry >> _BAND_BITS & _ACCOUNT_MASK, entry & _BAND_MASK

    def sweep(self, bands: dict[int, int]) -> None:
        """Drop the entries of bands other than those given, by account."""
        living = []
        for entry in self.entries:
            if bands.get(entry >> _BAND_BITS & _ACCOUNT_MASK) == entry & _BAND_MASK:
                living.append(entry)
        heapq.heapify(living)
        self.entries = living
        self.sweep_at = 2 * len(living) + _SWEEP_MIN
