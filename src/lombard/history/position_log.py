"""Positions: what a margin account has traded on a pair, at what it cost on average.

A buy counts what it received after its fee, a sell what it was paid after its fee. What closes a
part of the position realises the difference to that part's cost. Coins that come or go otherwise
(a transfer, the insurance fund, a written-off debt) only ever shrink a position, at its cost: they
are no trades, and open nothing.
"""

from collections.abc import Callable
from typing import Final, Protocol, final

from lombard.core.commands import BUY

Cell = int | str
REMEMBERED_MAX: Final = 200_000


@final
class Position:
    """A position: `size_units` of base, below 0 when short, and what that part cost in quote.

    Of a short the cost is what it was sold for. `realised_units` of quote are profit, or loss.
    """

    __slots__ = ("cost_units", "opened_ms", "realised_units", "size_units", "updated_ms")

    def __init__(
        self,
        size_units: int = 0,
        cost_units: int = 0,
        realised_units: int = 0,
        opened_ms: int = 0,
        updated_ms: int = 0,
    ) -> None:
        self.size_units = size_units
        self.cost_units = cost_units
        self.realised_units = realised_units
        self.opened_ms = opened_ms
        self.updated_ms = updated_ms

    def trade(self, side: int, base_units: int, quote_units: int, time_ms: int) -> None:
        """Take in a fill, after its fee."""
        change = base_units if side == BUY else -base_units
        if self.size_units * change < 0:
            closed = min(base_units, abs(self.size_units))
            value = quote_units * closed // base_units
            cost = self._shrink(closed)
            self.realised_units += cost - value if side == BUY else value - cost
            change = base_units - closed if side == BUY else closed - base_units
            quote_units -= value
        if change:
            if self.size_units == 0:
                self.opened_ms = time_ms
            self.size_units += change
            self.cost_units += quote_units
        self.updated_ms = time_ms

    def move(self, change_units: int, time_ms: int) -> int:
        """Let base coins come or go without a trade; return how many of them it took in."""
        if self.size_units * change_units >= 0:
            return 0
        taken = min(abs(change_units), abs(self.size_units))
        self._shrink(taken)
        self.updated_ms = time_ms
        return taken

    def _shrink(self, units: int) -> int:
        """Take units off the position, and their part of its cost, which is returned."""
        size = abs(self.size_units)
        assert 0 < units <= size
        cost = self.cost_units * units // size
        self.cost_units -= cost
        self.size_units += units if self.size_units < 0 else -units
        return cost


class PositionLookup(Protocol):
    """What was written before about positions."""

    def position(self, account: int, pair: int) -> Position | None:
        """Give a position as far as it has come."""

    def position_pairs(self, account: int) -> list[int]:
        """List the pairs an account has positions of."""


@final
class PositionLog:
    """Keeps the positions of margin accounts."""

    def __init__(self, lookup: PositionLookup, coins_of: Callable[[int], tuple[int, int]]) -> None:
        self._lookup: Final = lookup
        self._coins_of: Final = coins_of
        self._positions: Final[dict[tuple[int, int], Position]] = {}
        self._changed: dict[tuple[int, int], Position] = {}

    def filled(
        self, account: int, pair: int, side: int, base_units: int, quote_units: int, time_ms: int
    ) -> None:
        """Take in a fill, after its fee."""
        if base_units:
            self._changing(account, pair).trade(side, base_units, quote_units, time_ms)

    def moved(self, account: int, coin: int, change_units: int, time_ms: int) -> None:
        """Let coins come or go without a trade; pairs take them in by their order."""
        pairs = {*self._lookup.position_pairs(account)}
        pairs.update(pair for owner, pair in self._changed if owner == account)
        for pair in sorted(pairs):
            if change_units and self._coins_of(pair)[0] == coin:
                taken = self._changing(account, pair).move(change_units, time_ms)
                change_units -= taken if change_units > 0 else -taken

    def _changing(self, account: int, pair: int) -> Position:
        key = (account, pair)
        position = self._positions.get(key)
        if position is None:
            position = self._lookup.position(account, pair) or Position()
            self._positions[key] = position
        self._changed[key] = position
        return position

    def take(self, cells: list[Cell]) -> None:
        """Write the positions this batch has changed."""
        for (account, pair), position in self._changed.items():
            cells += (
                account,
                pair,
                str(position.size_units),
                str(position.cost_units),
                str(position.realised_units),
                position.opened_ms,
                position.updated_ms,
            )
        self._changed = {}

    def trim(self) -> None:
        """Forget what takes too much room. Only when everything taken has been written."""
        if len(self._positions) > REMEMBERED_MAX:
            self._positions.clear()
