"""What the projection does not remember, looked up in the tables.

Only the writer asks, between one batch and the next, so the tables say exactly what was taken.
"""

from typing import Any, Final, final

from sqlalchemy import Connection, Select, bindparam, func, select

from lombard.core.events import LiquidationStarted, OrderPlaced, TriggerPlaced
from lombard.history.candles import Candle
from lombard.history.faults import HistoryError
from lombard.history.liquidation_log import RunningLiquidation
from lombard.history.position_log import Position
from lombard.history.running_order import RunningOrder
from lombard.history.schema import (
    candles,
    house,
    ledger,
    liquidation_entries,
    liquidation_steps,
    liquidations,
    orders,
    positions,
    rates,
    triggers,
)
from lombard.history.statements import compiled
from lombard.history.trigger_log import RunningTrigger

_LAST: Final = (
    select(func.max(ledger.c.ledger_id))
    .where(ledger.c.account == bindparam("account"), ledger.c.coin == bindparam("coin"))
    .scalar_subquery()
)
_BALANCE: Final[Select[Any]] = select(ledger.c.balance_units).where(ledger.c.ledger_id == _LAST)
_LAST_OF_HOUSE: Final = (
    select(func.max(house.c.house_id))
    .where(house.c.account == bindparam("account"), house.c.coin == bindparam("coin"))
    .scalar_subquery()
)
_HOUSE_BALANCE: Final[Select[Any]] = select(house.c.balance_units).where(
    house.c.house_id == _LAST_OF_HOUSE
)
_CANDLE_COLUMNS: Final = (
    candles.c.open_ticks,
    candles.c.high_ticks,
    candles.c.low_ticks,
    candles.c.close_ticks,
    candles.c.base_units,
    candles.c.quote_units,
    candles.c.trades,
)

_POSITION_COLUMNS: Final = (
    positions.c.size_units,
    positions.c.cost_units,
    positions.c.realised_units,
    positions.c.opened_ms,
    positions.c.updated_ms,
)


@final
class TableLookup:
    """Implements `projection.Lookup` over the writer's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection
        # Asked once for every holding there is, when all is made again: worth the shorter way.
        self._cursor: Final = connection.connection.cursor()
        self._balance: Final = compiled(_BALANCE, connection.dialect, ["account", "coin"])

    def balance(self, account: int, coin: int) -> int:
        """Give the last balance of the ledger; 0 when there is none."""
        self._cursor.execute(self._balance, (account, coin))
        row = self._cursor.fetchone()
        return 0 if row is None else int(row[0])

    def house_balance(self, account: int, coin: int) -> int:
        """Give the last balance of an account of the house; 0 when there is none."""
        row = self._connection.execute(_HOUSE_BALANCE, {"account": account, "coin": coin}).first()
        return 0 if row is None else row[0]

    def order(self, order_id: int) -> RunningOrder:
        """Give an order; raises `HistoryError` when there is none."""
        query = select(orders).where(orders.c.order_id == order_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise HistoryError(f"Order {order_id} has not been seen.")
        order = RunningOrder(
            OrderPlaced(
                row.order_id,
                row.account,
                row.pair,
                row.side,
                row.kind,
                row.force,
                row.loan_type,
                row.stp,
                row.price_ticks,
                row.size_steps,
                row.budget_units,
                row.client_oid,
                row.source,
            ),
            row.created_ms,
        )
        order.is_written = True
        order.status, order.reason = row.status, row.reason
        order.base_units, order.quote_units = row.base_units, row.quote_units
        order.fee_units, order.updated_ms = row.fee_units, row.updated_ms
        return order

    def trigger(self, trigger_id: int) -> RunningTrigger:
        """Give a trigger; raises `HistoryError` when there is none."""
        query = select(triggers).where(triggers.c.trigger_id == trigger_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise HistoryError(f"Trigger {trigger_id} has not been seen.")
        trigger = RunningTrigger(
            TriggerPlaced(
                row.trigger_id,
                row.account,
                row.pair,
                row.plan,
                row.price_source,
                row.direction,
                row.trigger_ticks,
                row.callback_e6,
                row.side,
                row.kind,
                row.force,
                row.loan_type,
                row.stp,
                row.price_ticks,
                row.size_steps,
                row.budget_units,
                row.parent_id,
                row.client_oid,
                row.source,
            ),
            row.created_ms,
        )
        trigger.status, trigger.reason = row.status, row.reason
        trigger.reached_ticks, trigger.order_id = row.reached_ticks, row.order_id
        trigger.updated_ms = row.updated_ms
        return trigger

    def candle(self, pair: int, span_ms: int, open_ms: int) -> Candle | None:
        """Give a candle as far as it has come."""
        query = select(*_CANDLE_COLUMNS).where(
            candles.c.pair == pair, candles.c.span_ms == span_ms, candles.c.open_ms == open_ms
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Candle(*row)

    def position(self, account: int, pair: int) -> Position | None:
        """Give a position as far as it has come."""
        query = select(*_POSITION_COLUMNS).where(
            positions.c.account == account, positions.c.pair == pair
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Position(*row)

    def position_pairs(self, account: int) -> list[int]:
        """List the pairs an account has positions of."""
        query = select(positions.c.pair).where(positions.c.account == account)
        return list(self._connection.execute(query).scalars())

    def rate_e12(self, coin: int) -> int | None:
        """Give the last rate of a coin."""
        query = select(rates.c.rate_e12).where(rates.c.coin == coin)
        return self._connection.execute(query.order_by(rates.c.from_ms.desc()).limit(1)).scalar()

    def liquidation(self, account: int) -> RunningLiquidation:
        """Give an account's running liquidation; raises `HistoryError` when there is none."""
        query = select(liquidations).where(
            liquidations.c.account == account, liquidations.c.finished_ms == 0
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise HistoryError(f"Account {account} is not being liquidated.")
        started = LiquidationStarted(
            row.liquidation_id, account, row.ratio_e6, row.assets_value_e8, row.debt_value_e8
        )
        steps, entries = liquidation_steps.c, liquidation_entries.c
        last_step = self._connection.execute(
            select(func.max(steps.step)).where(steps.liquidation_id == row.liquidation_id)
        ).scalar()
        written = self._connection.execute(
            select(func.count()).where(entries.liquidation_id == row.liquidation_id)
        ).scalar_one()
        return RunningLiquidation(started, row.started_ms, last_step or 0, written)
