"""The triggers' part of a snapshot: one row each, and the queue of those that are due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lombard.core.state import State
from lombard.core.trigger_book import DUE, TRAILING, WAITING, Trigger

_MUTABLE: Final = ["stage", "filled_units", "reached_ticks"]


def trigger_rows(state: State) -> Iterator[list[Any]]:
    """Write every trigger, by id, then the queue."""
    book = state.triggers
    for trigger_id in sorted(book.by_id):
        trigger = book.by_id[trigger_id]
        row: list[Any] = ["trigger", trigger.id, trigger.account.id, trigger.pair.id, trigger.plan]
        row += [trigger.price_source, trigger.direction, trigger.trigger_ticks]
        row += [trigger.callback_e6, trigger.side, trigger.kind, trigger.force, trigger.loan_type]
        row += [trigger.stp, trigger.price_ticks, trigger.size_steps, trigger.quote_units]
        row += [trigger.order_id, trigger.client_oid, trigger.source, trigger.time_ms]
        row += [getattr(trigger, name) for name in _MUTABLE]
        row.append(trigger.crest_ticks())
        yield row
    yield ["due", *[trigger.id for trigger in book.due if trigger.stage == DUE]]


def read_trigger(state: State, row: list[Any]) -> None:
    """Take a trigger in, as its row says."""
    trigger = Trigger(
        row[1], state.accounts[row[2]], state.pairs[row[3]], row[4], row[5], row[6], row[7], row[8],
        row[9], row[10], row[11], row[12], row[13], row[14], row[15], row[16], row[17], row[18],
        row[19], row[20],
    )  # fmt: skip
    book = state.triggers
    book.add(trigger)
    stage, trigger.filled_units, trigger.reached_ticks, crest_ticks = row[21:]
    if stage == WAITING:
        book.wait(trigger)
    elif stage == TRAILING:
        trigger.stage = TRAILING
        market = book.market(trigger.pair.id, trigger.price_source)
        market.trail(trigger.side, trigger.callback_e6).add(trigger, crest_ticks)
    elif stage == DUE:
        trigger.stage = DUE


def read_due(state: State, row: list[Any]) -> None:
    """Put those that are due into their queue, in their order."""
    book = state.triggers
    book.due.extend([book.by_id[trigger_id] for trigger_id in row[1:]])
    waiting = [trigger for trigger in book.by_id.values() if trigger.stage == DUE]
    if len(waiting) != len(book.due) or any(one.stage != DUE for one in book.due):
        raise ValueError("the queue of triggers and its rows disagree")
