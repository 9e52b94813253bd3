"""What the market has to know of the exchange, as plain values.

The makers are ordinary users: they see the pairs, their own orders and their own balances, and
nothing else.
"""

from typing import NamedTuple, Protocol


class CoinTerms(NamedTuple):
    """A coin's number, and how many decimals its amounts have."""

    id: int
    decimals: int


class PairTerms(NamedTuple):
    """A pair that trades: its coins by name and number, and its grid of prices and sizes."""

    id: int
    symbol: str
    base: str
    quote: str
    base_coin: int
    quote_coin: int
    base_decimals: int
    tick_e12: int
    step_units: int
    quote_per_tick_step: int
    min_value_units: int
    min_size_steps: int
    max_size_steps: int


class Resting(NamedTuple):
    """One of the makers' own orders in the book."""

    order_id: int
    side: int
    price_ticks: int
    remaining_steps: int


class MarketView(Protocol):
    """The exchange as it stands now; every answer is of this moment."""

    def coins(self) -> dict[str, CoinTerms]:
        """Return every coin by its name."""

    def pairs(self) -> list[PairTerms]:
        """Return the pairs that trade."""

    def resting(self, account: int, pair: int) -> list[Resting]:
        """Return an account's orders in a pair's book."""

    def available_units(self, account: int, coin: int) -> int:
        """Return what an account may spend of a coin."""
