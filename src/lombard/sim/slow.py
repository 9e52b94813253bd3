"""The slow average of the index (RULES 7.5): half the gap is left after each half-life.

The auditor works it out with ordinary floating-point powers, sees that the engine's integers agree
as far as those go, and decides with the engine's last digits, so that every limit is exact.
"""

from fractions import Fraction

from lombard.core.state import State
from lombard.sim.law import hold
from lombard.sim.terms import NaiveTerms

PRECISION = 1e-9


class SlowPrices:
    """By coin: the average at 1e-12, as of the last time that it was brought forward."""

    def __init__(self) -> None:
        self.prices: dict[int, float] = {}
        self.exact: dict[int, int] = {}
        self.time_ms = 0
        self.moved = False

    def relax(self, terms: NaiveTerms, time_ms: int) -> None:
        """Bring every average forward to now; the prices held since the last time."""
        self.moved = True
        half_life_ms = terms.parameters["caution_half_life_ms"]
        for coin, slow in self.prices.items():
            price = float(terms.prices[coin].usdt * 10**12)
            elapsed = (time_ms - self.time_ms) / half_life_ms if half_life_ms else 10_000
            self.prices[coin] = price + (slow - price) * 2.0**-elapsed
        self.time_ms = time_ms

    def publish(self, coin: int, price_e12: int, caution: bool) -> None:
        """Begin with a coin's first price; follow every price at once while there is no caution."""
        if coin not in self.prices or not caution:
            self.prices[coin] = float(price_e12)

    def adopt(self, state: State) -> None:
        """See that the engine's averages are these, and go on with its digits."""
        if not self.moved:
            return
        self.moved = False
        for coin, slow in self.prices.items():
            exact = state.coins[coin].slow_price_e12
            largest = max(slow, state.coins[coin].price_e12)
            near = abs(exact - slow) <= 3 + PRECISION * largest
            hold("the slow average follows the index by half in a half-life", True, near)
            self.exact[coin] = exact
            self.prices[coin] = float(exact)

    def values(self, terms: NaiveTerms) -> dict[int, Fraction]:
        """Return what a unit of each coin is worth at its average, in USDT."""
        return {
            coin: Fraction(self.exact.get(coin, 0), 10 ** (12 + terms.coins[coin].decimals))
            for coin in range(len(terms.coins))
        }
