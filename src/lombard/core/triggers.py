"""Triggers: orders that wait for a price (RULES 10).

Here they are accepted, changed and cancelled; `core/firing.py` says when they fire, `core/exits.py`
places those that come along with an order. A trigger owns
nothing while it waits: what is checked here is its form, and that its price is still to come.
"""

from __future__ import annotations

from lombard.core import cancelling, orders
from lombard.core.commands import (
    GTC,
    MARKET,
    PLAN_OCO,
    PLAN_TRAILING,
    PLAN_TRIGGER,
    PRICE_INDEX,
    PRICE_LAST,
    CancelAllOrders,
    CancelAllTriggers,
    CancelEverything,
    CancelOrder,
    CancelTrigger,
    Command,
    ModifyTrigger,
    PlaceOrder,
    PlaceTrigger,
)
from lombard.core.events import TRIGGER_BY_USER, Event, TriggerModified, TriggerPlaced
from lombard.core.firing import cancel_trigger, index_ticks, start_trail
from lombard.core.refusals import Refusal
from lombard.core.risk import SOURCES_MIN, is_stale
from lombard.core.state import Account, Pair, Reply, State
from lombard.core.trigger_book import (
    CALLBACK_MAX_E6,
    CALLBACK_STEP_E6,
    DUE,
    FALLS,
    RISES,
    WAITING,
    Trigger,
)
from lombard.core.units import VALUE_MAX


def dispatch(state: State, account: Account, cmd: Command, events: list[Event]) -> Reply:
    """Apply a user's command about triggers. A refusal changes nothing."""
    if isinstance(cmd, PlaceTrigger):
        return _place(state, account, cmd, events)
    if isinstance(cmd, CancelTrigger):
        return _cancel(state, account, cmd, events)
    if isinstance(cmd, ModifyTrigger):
        return _modify(state, account, cmd, events)
    if isinstance(cmd, CancelAllTriggers):
        return _cancel_all(state, account, cmd.pairs, events)
    if isinstance(cmd, CancelEverything):
        return _cancel_everything(state, account, cmd, events)
    return Reply(Refusal.COMMAND_UNKNOWN)


# --- a trigger of its own ------------------------------------------------------------------------


def _place(state: State, account: Account, cmd: PlaceTrigger, events: list[Event]) -> Reply:
    refusal = orders.refuse_account(state, account, cmd.pair, cmd.loan_type)
    if refusal is not None:
        return refusal
    pair = state.pairs[cmd.pair]
    refusal = _refuse_words(cmd) or orders.refuse_numbers(pair, _order_form(cmd))
    if refusal is not None:
        return refusal
    refusal = refuse_count(state, account, pair, 1)
    if refusal is not None:
        return refusal
    refusal = refuse_unpriced(state, pair, cmd.price_source)
    if refusal is not None:
        return refusal
    low, high = price_now(pair, cmd.price_source)
    direction = direction_to(cmd.trigger_ticks, low, high) if cmd.trigger_ticks else RISES
    if direction == 0:
        return Reply(Refusal.TRIGGER_PRICE_REACHED, units=low)

    # From here the trigger succeeds.
    trigger = _trigger(state, account, pair, cmd, direction)
    accept(state, trigger, events)
    if cmd.trigger_ticks:
        state.triggers.wait(trigger)
    else:
        start_trail(state, trigger, low, high, events)
    return Reply(None, trigger.id)


def _refuse_words(cmd: PlaceTrigger) -> Reply | None:
    """Return what is wrong with a trigger's own words and numbers, in this order."""
    if not (PLAN_TRIGGER <= cmd.plan <= PLAN_TRAILING):
        return Reply(Refusal.ORDER_INVALID, detail="planType")
    if cmd.price_source not in (PRICE_LAST, PRICE_INDEX):
        return Reply(Refusal.ORDER_INVALID, detail="triggerType")
    if cmd.plan == PLAN_TRAILING:
        if not CALLBACK_STEP_E6 <= cmd.callback_e6 <= CALLBACK_MAX_E6:
            return Reply(Refusal.ORDER_INVALID, detail="callbackRatio")
        if cmd.callback_e6 % CALLBACK_STEP_E6 or cmd.kind != MARKET:
            wrong = "orderType" if cmd.kind != MARKET else "callbackRatio"
            return Reply(Refusal.ORDER_INVALID, detail=wrong)
    elif cmd.callback_e6:
        return Reply(Refusal.ORDER_INVALID, detail="callbackRatio")
    if cmd.trigger_ticks < 0 or (cmd.trigger_ticks == 0 and cmd.plan != PLAN_TRAILING):
        return Reply(Refusal.PRICE_NOT_POSITIVE)
    if cmd.trigger_ticks > VALUE_MAX:
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    return None


def _order_form(cmd: PlaceTrigger) -> PlaceOrder:
    """Return the order a trigger would place."""
    return PlaceOrder(
        cmd.pair,
        cmd.side,
        cmd.kind,
        cmd.force,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        cmd.size_steps,
        cmd.quote_units,
        "",
        cmd.source,
    )


def refuse_count(state: State, account: Account, pair: Pair, more: int) -> Reply | None:
    """Refuse more triggers on a pair than an account may have."""
    most = state.parameters["open_triggers_max"]
    if state.triggers.count_on(account.id, pair.id) + more > most:
        return Reply(Refusal.TOO_MANY_OPEN_ORDERS, units=most)
    return None


def refuse_unpriced(state: State, pair: Pair, price_source: int) -> Reply | None:
    """Refuse to wait for a price that is not known, or not trusted, now."""
    if price_source == PRICE_INDEX:
        for coin in (pair.base, pair.quote):
            if is_stale(state, coin) or coin.price_sources < SOURCES_MIN:
                return Reply(Refusal.INDEX_STALE, detail=coin.name)
    elif pair.last_price_ticks == 0:
        return Reply(Refusal.TRIGGER_PRICE_UNKNOWN, detail=pair.symbol)
    return None


def price_now(pair: Pair, price_source: int) -> tuple[int, int]:
    """Return a pair's price in ticks, rounded down and up."""
    if price_source == PRICE_INDEX:
        return index_ticks(pair)
    return pair.last_price_ticks, pair.last_price_ticks


def direction_to(trigger_ticks: int, low: int, high: int) -> int:
    """Say which way a price, rounded down and up, must go to a trigger; 0 if it is there."""
    if trigger_ticks > low:
        return RISES
    return FALLS if trigger_ticks < high else 0


def _trigger(
    state: State, account: Account, pair: Pair, cmd: PlaceTrigger, direction: int
) -> Trigger:
    return Trigger(
        state.take_id(),
        account,
        pair,
        cmd.plan,
        cmd.price_source,
        direction,
        cmd.trigger_ticks,
        cmd.callback_e6,
        cmd.side,
        cmd.kind,
        GTC if cmd.kind == MARKET else cmd.force,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        cmd.size_steps,
        cmd.quote_units,
        0,
        cmd.client_oid,
        cmd.source,
        state.time_ms,
    )


def accept(state: State, trigger: Trigger, events: list[Event]) -> None:
    """Take a trigger in, and say so."""
    state.triggers.add(trigger)
    events.append(
        TriggerPlaced(
            trigger.id,
            trigger.account.id,
            trigger.pair.id,
            trigger.plan,
            trigger.price_source,
            trigger.direction,
            trigger.trigger_ticks,
            trigger.callback_e6,
            trigger.side,
            trigger.kind,
            trigger.force,
            trigger.loan_type,
            trigger.stp,
            trigger.price_ticks,
            trigger.size_steps,
            trigger.quote_units,
            trigger.order_id,
            trigger.client_oid,
            trigger.source,
        )
    )


# --- changing and cancelling ---------------------------------------------------------------------


def find(state: State, account: Account, trigger_id: int, client_oid: str) -> Trigger | None:
    """Return an account's trigger by id, or by client id when `trigger_id` is 0."""
    mine = state.triggers.of_account.get(account.id)
    if mine is None:
        return None
    if trigger_id:
        return mine.get(trigger_id)
    for trigger in mine.values():
        if trigger.client_oid == client_oid and client_oid:
            return trigger
    return None


def _modify(state: State, account: Account, cmd: ModifyTrigger, events: list[Event]) -> Reply:
    found = find(state, account, cmd.trigger_id, cmd.client_oid)
    if found is None:
        return Reply(Refusal.TRIGGER_UNKNOWN)
    if found.stage == DUE:
        return Reply(Refusal.ORDER_CLOSED)
    if found.stage != WAITING or found.order_id:
        return Reply(Refusal.ORDER_INVALID, detail="planType")
    new = _modified(found, cmd)
    refusal = _refuse_words(new) or orders.refuse_numbers(found.pair, _order_form(new))
    if refusal is not None:
        return refusal
    if cmd.trigger_ticks == 0:
        return Reply(Refusal.PRICE_NOT_POSITIVE)
    refusal = refuse_unpriced(state, found.pair, found.price_source)
    if refusal is not None:
        return refusal
    low, high = price_now(found.pair, found.price_source)
    direction = direction_to(cmd.trigger_ticks, low, high)
    if direction == 0:
        return Reply(Refusal.TRIGGER_PRICE_REACHED, units=low)

    # From here the change succeeds.
    state.triggers.unplace(found)
    found.direction = direction
    found.trigger_ticks = cmd.trigger_ticks
    found.kind = cmd.kind
    found.price_ticks = cmd.price_ticks
    found.size_steps = cmd.size_steps
    found.quote_units = cmd.quote_units
    state.triggers.wait(found)
    events.append(
        TriggerModified(
            found.id,
            account.id,
            found.pair.id,
            direction,
            cmd.trigger_ticks,
            cmd.kind,
            cmd.price_ticks,
            cmd.size_steps,
            cmd.quote_units,
        )
    )
    return Reply(None, found.id)


def _modified(found: Trigger, cmd: ModifyTrigger) -> PlaceTrigger:
    """Return the command that would have placed a trigger as it is to be."""
    return PlaceTrigger(
        found.pair.id,
        found.plan,
        found.price_source,
        cmd.trigger_ticks,
        found.callback_e6,
        found.side,
        cmd.kind,
        found.force,
        found.loan_type,
        found.stp,
        cmd.price_ticks,
        cmd.size_steps,
        cmd.quote_units,
        "",
        found.source,
    )


def _cancel(state: State, account: Account, cmd: CancelTrigger, events: list[Event]) -> Reply:
    found = find(state, account, cmd.trigger_id, cmd.client_oid)
    if found is None:
        return Reply(Refusal.TRIGGER_UNKNOWN)
    _cancel_by_user(state, found, events)
    return Reply(None, found.id)


def _cancel_all(state: State, account: Account, pairs: list[int], events: list[Event]) -> Reply:
    for pair in pairs:
        if not 0 <= pair < len(state.pairs):
            return Reply(Refusal.PAIR_UNKNOWN)
    mine = state.triggers.of_account.get(account.id, {})
    doomed = [one for one in mine.values() if not pairs or one.pair.id in pairs]
    for trigger in doomed:
        _cancel_by_user(state, trigger, events)
    return Reply(None, 0, len(doomed))


def _cancel_everything(
    state: State, account: Account, cmd: CancelEverything, events: list[Event]
) -> Reply:
    """Cancel triggers, then the orders that are left; an OCO counts once."""
    reply = _cancel_all(state, account, cmd.pairs, events)
    if reply.refusal is not None:
        return reply
    count = reply.units
    for pair in cmd.pairs or list(range(len(state.pairs))):
        count += cancelling.cancel_all(state, account, CancelAllOrders(pair), events).units
    return Reply(None, 0, count)


def _cancel_by_user(state: State, trigger: Trigger, events: list[Event]) -> None:
    """Cancel a trigger; the limit order of an OCO goes with its stop."""
    cancel_trigger(state, trigger, TRIGGER_BY_USER, events)
    if trigger.plan == PLAN_OCO:
        one = CancelOrder(trigger.pair.id, trigger.order_id, "")
        reply = cancelling.cancel(state, trigger.account, one, events)
        assert reply.refusal is None, "Invariant: the stop of an OCO outlives its order"
