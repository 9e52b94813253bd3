"""What the makers may still spend, while the commands of one moment are written down.

None of these commands has been carried out yet, and those for one pair spend what those for the
next would: so they are counted here, and an order is never sent that cannot be paid.
"""

from lombard.core.commands import SELL
from lombard.market.view import MarketView, PairTerms


class Purse:
    """Balances as the view has them, less what was spent since. Proceeds are not counted."""

    def __init__(self, view: MarketView) -> None:
        self._view = view
        self._units: dict[tuple[int, int], int] = {}

    def affords(
        self, account: int, terms: PairTerms, side: int, price_ticks: int, steps: int
    ) -> bool:
        """Say whether an account can pay an order."""
        key = self._key(account, terms, side)
        return cost_units(terms, side, price_ticks, steps) <= self._units[key]

    def take(self, account: int, terms: PairTerms, side: int, price_ticks: int, steps: int) -> int:
        """Pay an order of up to `steps`, as far as it goes; return how many steps that is."""
        key = self._key(account, terms, side)
        fits = min(steps, self._units[key] // cost_units(terms, side, price_ticks, 1))
        self._units[key] -= cost_units(terms, side, price_ticks, fits)
        return fits

    def give_back(
        self, account: int, terms: PairTerms, side: int, price_ticks: int, steps: int
    ) -> None:
        """Count what an order holds as there to be spent: it will be cancelled."""
        key = self._key(account, terms, side)
        self._units[key] += cost_units(terms, side, price_ticks, steps)

    def _key(self, account: int, terms: PairTerms, side: int) -> tuple[int, int]:
        coin = terms.base_coin if side == SELL else terms.quote_coin
        key = (account, coin)
        if key not in self._units:
            self._units[key] = self._view.available_units(account, coin)
        return key


def cost_units(terms: PairTerms, side: int, price_ticks: int, steps: int) -> int:
    """Return what an order freezes, of base or of quote."""
    if side == SELL:
        return steps * terms.step_units
    return price_ticks * steps * terms.quote_per_tick_step
