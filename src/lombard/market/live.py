"""The exchange's state as the market sees it."""

from lombard.core import queries
from lombard.market.view import CoinTerms, PairTerms, Resting


class StateView:
    """Answers of a live state, as `MarketView` asks for them."""

    def __init__(self, state: queries.State) -> None:
        self._state = state

    def coins(self) -> dict[str, CoinTerms]:
        """Return every coin by its name."""
        found = queries.coins(self._state)
        return {coin.name: CoinTerms(coin.id, coin.decimals) for coin in found}

    def pairs(self) -> list[PairTerms]:
        """Return the pairs that trade."""
        return [
            PairTerms(
                pair.id,
                pair.symbol,
                pair.base.name,
                pair.quote.name,
                pair.base.id,
                pair.quote.id,
                pair.base.decimals,
                pair.tick_e12,
                pair.step_units,
                pair.quote_per_tick_step,
                pair.min_value_units,
                pair.min_size_steps,
                pair.max_size_steps,
            )
            for pair in queries.pairs(self._state)
            if pair.trading
        ]

    def resting(self, account: int, pair: int) -> list[Resting]:
        """Return an account's orders in a pair's book."""
        return [
            Resting(order.id, order.side, order.price_ticks, order.remaining_steps)
            for order in queries.open_orders(self._state, account, pair)
        ]

    def available_units(self, account: int, coin: int) -> int:
        """Return what an account may spend of a coin."""
        return queries.balance(self._state, account, coin).available_units
