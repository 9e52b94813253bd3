"""Reads of live triggers: the part of `core.queries` that is about them. Nothing here changes
anything, and what is returned is not to be changed by the caller."""

from __future__ import annotations

from lombard.core.state import State
from lombard.core.trigger_book import (
    CALLBACK_MAX_E6,
    CALLBACK_STEP_E6,
    DORMANT,
    TRAILING,
    Trigger,
)
from lombard.core.triggers import find

__all__ = ["CALLBACK_MAX_E6", "CALLBACK_STEP_E6", "DORMANT", "TRAILING", "Trigger"]


def triggers(state: State, account: int, pair: int | None = None) -> list[Trigger]:
    """Return an account's triggers that have not ended, newest first."""
    mine = state.triggers.of_account.get(account, {})
    found = [one for one in mine.values() if pair is None or one.pair.id == pair]
    found.reverse()
    return found


def trigger(state: State, account: int, trigger_id: int, client_oid: str = "") -> Trigger | None:
    """Return one of an account's triggers, by id, or by client id when `trigger_id` is 0."""
    found = state.accounts.get(account)
    return None if found is None else find(state, found, trigger_id, client_oid)


def triggers_of_order(state: State, order_id: int) -> list[Trigger]:
    """Return the exits of an entry, or the stop of an OCO."""
    return state.triggers.of_order.get(order_id, [])
