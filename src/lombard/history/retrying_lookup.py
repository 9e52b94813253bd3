"""Look-ups over a connection that may break: each is asked again when there is a new one."""

from collections.abc import Callable
from typing import Any, Final, final

from lombard.history.candles import Candle
from lombard.history.liquidation_log import RunningLiquidation
from lombard.history.position_log import Position
from lombard.history.projection import Lookup
from lombard.history.running_order import RunningOrder
from lombard.history.trigger_log import RunningTrigger

# Asks something of the look-up there is, until it is answered.
Ask = Callable[[Callable[[Lookup], Any]], Any]


@final
class RetryingLookup:
    """Implements `projection.Lookup` by asking another."""

    def __init__(self, ask: Ask) -> None:
        self._ask: Final = ask

    def balance(self, account: int, coin: int) -> int:
        """See `Lookup`."""
        units: int = self._ask(lambda tables: tables.balance(account, coin))
        return units

    def house_balance(self, account: int, coin: int) -> int:
        """See `HouseLookup`."""
        units: int = self._ask(lambda tables: tables.house_balance(account, coin))
        return units

    def order(self, order_id: int) -> RunningOrder:
        """See `Lookup`."""
        order: RunningOrder = self._ask(lambda tables: tables.order(order_id))
        return order

    def rate_e12(self, coin: int) -> int | None:
        """See `Lookup`."""
        rate_e12: int | None = self._ask(lambda tables: tables.rate_e12(coin))
        return rate_e12

    def trigger(self, trigger_id: int) -> RunningTrigger:
        """See `TriggerLookup`."""
        trigger: RunningTrigger = self._ask(lambda tables: tables.trigger(trigger_id))
        return trigger

    def candle(self, pair: int, span_ms: int, open_ms: int) -> Candle | None:
        """See `CandleLookup`."""
        candle: Candle | None = self._ask(lambda tables: tables.candle(pair, span_ms, open_ms))
        return candle

    def position(self, account: int, pair: int) -> Position | None:
        """See `PositionLookup`."""
        position: Position | None = self._ask(lambda tables: tables.position(account, pair))
        return position

    def position_pairs(self, account: int) -> list[int]:
        """See `PositionLookup`."""
        pairs: list[int] = self._ask(lambda tables: tables.position_pairs(account))
        return pairs

    def liquidation(self, account: int) -> RunningLiquidation:
        """See `LiquidationLookup`."""
        liquidation: RunningLiquidation = self._ask(lambda tables: tables.liquidation(account))
        return liquidation
