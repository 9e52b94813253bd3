"""The record of a trigger: what it waited for, whether it came, and how it ended (RULES 10)."""

from typing import Final, Protocol, final

from lombard.core.events import (
    TRIGGER_BY_LIQUIDATION,
    TRIGGER_BY_ORDER,
    TRIGGER_BY_SIBLING,
    TRIGGER_BY_USER,
    Event,
    TrailStarted,
    TriggerCancelled,
    TriggerFailed,
    TriggerFired,
    TriggerModified,
    TriggerPlaced,
    TriggerSized,
)
from lombard.history import rows as r

Cell = int | str
REASONS: Final = {
    TRIGGER_BY_USER: "user",
    TRIGGER_BY_ORDER: "order",
    TRIGGER_BY_SIBLING: "sibling",
    TRIGGER_BY_LIQUIDATION: "liquidation",
}


@final
class RunningTrigger:
    """A trigger that waits, or ended in this batch."""

    __slots__ = (
        "created_ms",
        "direction",
        "kind",
        "order_id",
        "placed",
        "price_ticks",
        "quote_units",
        "reached_ticks",
        "reason",
        "size_steps",
        "status",
        "trigger_ticks",
        "updated_ms",
    )

    def __init__(self, placed: TriggerPlaced, created_ms: int) -> None:
        self.placed: Final = placed
        self.created_ms: Final = created_ms
        self.updated_ms = created_ms
        self.direction = placed.direction
        self.trigger_ticks = placed.trigger_ticks
        self.kind = placed.kind
        self.price_ticks = placed.price_ticks
        self.size_steps = placed.size_steps
        self.quote_units = placed.quote_units
        self.status = r.TRIGGER_LIVE
        self.reason = ""
        self.reached_ticks = 0
        self.order_id = 0

    def cells(self) -> tuple[Cell, ...]:
        """Write the trigger's row."""
        placed = self.placed
        return (
            placed.trigger_id,
            placed.account,
            placed.pair,
            placed.plan,
            placed.price_source,
            self.direction,
            placed.side,
            self.kind,
            placed.force,
            placed.loan_type,
            placed.stp,
            placed.source,
            placed.client_oid,
            str(self.trigger_ticks),
            str(placed.callback_e6),
            str(self.price_ticks),
            str(self.size_steps),
            str(self.quote_units),
            placed.order_id,
            self.status,
            self.reason,
            str(self.reached_ticks),
            self.order_id,
            self.created_ms,
            self.updated_ms,
        )


class TriggerLookup(Protocol):
    """What was written before, for what is not remembered."""

    def trigger(self, trigger_id: int) -> RunningTrigger:
        """Give a trigger; raises `HistoryError` when there is none."""


@final
class TriggerLog:
    """The triggers that were placed or changed since the last `take`."""

    def __init__(self, lookup: TriggerLookup) -> None:
        self._lookup: Final = lookup
        self._running: Final[dict[int, RunningTrigger]] = {}
        self._changed: dict[int, RunningTrigger] = {}

    def add(self, event: Event, time_ms: int) -> bool:
        """Note an event, if it is one of a trigger."""
        if isinstance(event, TriggerPlaced):
            trigger = RunningTrigger(event, time_ms)
            self._running[event.trigger_id] = self._changed[event.trigger_id] = trigger
        elif isinstance(event, (TriggerModified, TriggerSized, TrailStarted)):
            self._change(event, time_ms)
        elif isinstance(event, (TriggerFired, TriggerFailed, TriggerCancelled)):
            self._end(event, time_ms)
        else:
            return False
        return True

    def take(self, cells: list[Cell]) -> None:
        """Write the rows of the batch."""
        for trigger in self._changed.values():
            cells += trigger.cells()
        self._changed = {}

    def trim(self, most: int) -> None:
        """Forget what takes too much room."""
        if len(self._running) > most:
            self._running.clear()

    def _trigger(self, trigger_id: int, time_ms: int) -> RunningTrigger:
        trigger = self._running.get(trigger_id)
        if trigger is None:
            trigger = self._running[trigger_id] = self._lookup.trigger(trigger_id)
        self._changed[trigger_id] = trigger
        trigger.updated_ms = time_ms
        return trigger

    def _change(self, event: TriggerModified | TriggerSized | TrailStarted, time_ms: int) -> None:
        trigger = self._trigger(event.trigger_id, time_ms)
        if isinstance(event, TriggerSized):
            trigger.size_steps = event.size_steps
        elif isinstance(event, TriggerModified):
            trigger.direction = event.direction
            trigger.trigger_ticks = event.trigger_ticks
            trigger.kind = event.kind
            trigger.price_ticks = event.price_ticks
            trigger.size_steps = event.size_steps
            trigger.quote_units = event.quote_units

    def _end(self, event: TriggerFired | TriggerFailed | TriggerCancelled, time_ms: int) -> None:
        trigger = self._trigger(event.trigger_id, time_ms)
        if isinstance(event, TriggerFired):
            trigger.status = r.TRIGGER_FIRED
            trigger.reached_ticks, trigger.order_id = event.reached_ticks, event.order_id
        elif isinstance(event, TriggerFailed):
            trigger.status, trigger.reason = r.TRIGGER_FAILED, event.refusal
            trigger.reached_ticks = event.reached_ticks
        else:
            trigger.status, trigger.reason = r.TRIGGER_CANCELLED, REASONS[event.reason]
        del self._running[event.trigger_id]
