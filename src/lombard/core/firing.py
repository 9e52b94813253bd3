"""Firing: what the events of a command mean for the triggers, and what those then do (RULES 10).

Triggers follow the events that a command has made: a trade and a published index are prices, a
trade of an order sizes its exits, an order's end cancels what belongs to it, a lock cancels all the
account's. What a price reaches leaves its ladder and joins one queue, in the order in which the
prices came; so each trigger fires once. Of that queue at most FIRED_PER_COMMAND orders are placed
after a command, and their trades are followed too. The rest is left to the next command, so that
a cascade never holds the venue.

A fired order is as any other: checked, frozen and borrowed for now (RULES 6.2). Its refusal is an
event, and the trigger's end. Market orders keep to the band around the index in every account.
"""

from __future__ import annotations

from typing import Final

from lombard.core.commands import (
    BUY,
    IOC,
    LIMIT,
    MARKET,
    PLAN_OCO,
    PLAN_STOP_LOSS,
    PLAN_TAKE_PROFIT,
    PLAN_TRAILING,
    PRICE_INDEX,
    PRICE_LAST,
    PlaceOrder,
)
from lombard.core.events import (
    CLOSED_BY_VENUE,
    TRIGGER_BY_LIQUIDATION,
    TRIGGER_BY_ORDER,
    TRIGGER_BY_SIBLING,
    Event,
    IndexPricesSet,
    LiquidationStarted,
    OrderClosed,
    Traded,
    TrailStarted,
    TriggerCancelled,
    TriggerFailed,
    TriggerFired,
    TriggerSized,
)
from lombard.core.matching import withdraw
from lombard.core.orders import place_fired
from lombard.core.risk import SOURCES_MIN, is_stale
from lombard.core.state import Pair, State
from lombard.core.trigger_book import DORMANT, Trigger
from lombard.core.units import PRICE_ONE_E12, RATIO_ONE_E6, div_ceil
from lombard.core.watch import watch

FIRED_PER_COMMAND: Final = 100


def settle(state: State, events: list[Event], followed: int) -> int:
    """Follow the events from `followed` on, and fire what is due; return how many were followed."""
    followed = _follow(state, events, followed)
    for _ in range(FIRED_PER_COMMAND):
        trigger = state.triggers.next_due()
        if trigger is None:
            break
        _fire(state, trigger, events)
        followed = _follow(state, events, followed)
    return followed


def index_ticks(pair: Pair) -> tuple[int, int]:
    """Return the index price of a pair in ticks, rounded down and up; zeros while there is none."""
    base, quote = pair.base.price_e12, pair.quote.price_e12
    if base == 0 or quote == 0:
        return 0, 0
    numerator, divisor = base * PRICE_ONE_E12, quote * pair.tick_e12
    return numerator // divisor, div_ceil(numerator, divisor)


def cancel_trigger(state: State, trigger: Trigger, reason: int, events: list[Event]) -> None:
    """End a trigger without firing it."""
    state.triggers.drop(trigger)
    events.append(TriggerCancelled(trigger.id, trigger.account.id, trigger.pair.id, reason))


# --- following -----------------------------------------------------------------------------------


def _follow(state: State, events: list[Event], followed: int) -> int:
    """Let triggers take note of what has happened."""
    book = state.triggers
    for index in range(followed, len(events)):
        event = events[index]
        if isinstance(event, Traded):
            if book.of_order:
                _size_exits(state, event.taker_order_id, event, event.taker_fee_units, events)
                _size_exits(state, event.maker_order_id, event, event.maker_fee_units, events)
            price = event.price_ticks
            _touch(state, state.pairs[event.pair], PRICE_LAST, price, price, events)
        elif isinstance(event, OrderClosed):
            _order_ended(state, event.order_id, events)
        elif isinstance(event, IndexPricesSet):
            for pair in state.pairs:
                _touch_index(state, pair, events)
        elif isinstance(event, LiquidationStarted):
            for trigger in list(book.of_account.get(event.account, {}).values()):
                cancel_trigger(state, trigger, TRIGGER_BY_LIQUIDATION, events)
    # What was appended here is nothing to follow.
    return len(events)


def _touch_index(state: State, pair: Pair, events: list[Event]) -> None:
    """Let an index price reach what waits for it, if it may be trusted (RULES 7.7)."""
    if (pair.id, PRICE_INDEX) not in state.triggers.markets or not pair.trading:
        return
    for coin in (pair.base, pair.quote):
        if is_stale(state, coin) or coin.price_sources < SOURCES_MIN:
            return
    low, high = index_ticks(pair)
    _touch(state, pair, PRICE_INDEX, low, high, events)


def _touch(
    state: State, pair: Pair, price_source: int, low: int, high: int, events: list[Event]
) -> None:
    """Let a price, rounded down and up, reach what waits for it: first what waits for it to rise,
    then to fall, then what trails it, by side and callback ratio."""
    book = state.triggers
    market = book.markets.get((pair.id, price_source))
    if market is None:
        return
    for trigger_id in market.rising.take_reached(low):
        _reached(state, book.by_id[trigger_id], low, high, events)
    for trigger_id in market.falling.take_reached(high):
        _reached(state, book.by_id[trigger_id], low, high, events)
    for key in sorted(market.trails):
        trail = market.trails[key]
        follows, fires = (low, high) if trail.sign > 0 else (high, low)
        trail.follow(follows)
        for trigger_id in trail.take_reached(fires):
            book.make_due(book.by_id[trigger_id], fires)
        if not trail.crests:
            del market.trails[key]


def _reached(state: State, trigger: Trigger, low: int, high: int, events: list[Event]) -> None:
    """Make a trigger due whose price has come; a trailing stop begins to follow there."""
    if trigger.plan == PLAN_TRAILING:
        start_trail(state, trigger, low, high, events)
    else:
        state.triggers.make_due(trigger, low if trigger.direction > 0 else high)


def start_trail(state: State, trigger: Trigger, low: int, high: int, events: list[Event]) -> None:
    """Let a trailing stop follow a price, rounded down and up, from now on."""
    price = high if trigger.side == BUY else low
    state.triggers.trail(trigger, price)
    events.append(TrailStarted(trigger.id, trigger.account.id, trigger.pair.id, price))


def _size_exits(
    state: State, order_id: int, traded: Traded, fee_units: int, events: list[Event]
) -> None:
    """Let the exits of an order have the size it has filled, net of a fee taken in base."""
    exits = state.triggers.of_order.get(order_id)
    if exits is None:
        return
    for trigger in exits:
        if trigger.plan == PLAN_OCO:
            continue
        # An exit that sells was bought, and the fee of that was taken from the base.
        fee = 0 if trigger.side == BUY else fee_units
        trigger.filled_units += traded.base_units - fee
        steps = trigger.filled_units // trigger.pair.step_units
        if steps == trigger.size_steps:
            continue
        trigger.size_steps = steps
        events.append(TriggerSized(trigger.id, trigger.account.id, trigger.pair.id, steps))
        if trigger.stage == DORMANT:
            state.triggers.wait(trigger)
            if trigger.price_source == PRICE_INDEX:
                _touch_index(state, trigger.pair, events)


def _order_ended(state: State, order_id: int, events: list[Event]) -> None:
    """Cancel the stop of an OCO whose order has ended, and the exits of an order that opened
    nothing; the others go on waiting without it."""
    mine = state.triggers.of_order.get(order_id)
    if mine is None:
        return
    for trigger in list(mine):
        if trigger.plan == PLAN_OCO or trigger.stage == DORMANT:
            cancel_trigger(state, trigger, TRIGGER_BY_ORDER, events)


# --- firing --------------------------------------------------------------------------------------


def _fire(state: State, trigger: Trigger, events: list[Event]) -> None:
    """Place a due trigger's order, or say why not. It is the trigger's end."""
    account, pair = trigger.account, trigger.pair
    siblings = state.triggers.of_order.get(trigger.order_id, [])
    siblings = [other for other in siblings if other is not trigger]
    if account.debts:
        watch(state, account, events)
    standing = account.order(trigger.order_id) if trigger.order_id else None
    if trigger.plan == PLAN_OCO and standing is None:
        # Its account has just been locked, and the order gone before it.
        cancel_trigger(state, trigger, TRIGGER_BY_ORDER, events)
        return
    state.triggers.drop(trigger)
    size_steps = trigger.size_steps
    replaced = None
    if trigger.plan == PLAN_OCO and standing is not None:
        # The stop takes the place of what is left of the limit order, in one step.
        size_steps = standing.remaining_steps
        replaced = standing
    elif standing is not None:
        # An exit ends the entry too.
        withdraw(standing, CLOSED_BY_VENUE, events)
    first = len(events)
    edge_ticks = _edge_ticks(state, trigger)
    cmd = _order_of(trigger, size_steps, edge_ticks)
    reply = place_fired(state, account, cmd, replaced, edge_ticks, events)
    reached = trigger.reached_ticks
    if reply.refusal is not None:
        reason = reply.refusal.value
        events.append(
            TriggerFailed(
                trigger.id, account.id, pair.id, reached, reason, reply.units, reply.detail
            )
        )
        return
    events.insert(first, TriggerFired(trigger.id, account.id, pair.id, reached, reply.id))
    if trigger.plan in (PLAN_TAKE_PROFIT, PLAN_STOP_LOSS):
        for other in siblings:
            cancel_trigger(state, other, TRIGGER_BY_SIBLING, events)


def _order_of(trigger: Trigger, size_steps: int, edge_ticks: int) -> PlaceOrder:
    """Build a trigger's order. A market buy of a size is one limited to the edge of the band."""
    kind, force, price_ticks = trigger.kind, trigger.force, trigger.price_ticks
    if kind == MARKET and trigger.side == BUY and size_steps:
        kind, force, price_ticks = LIMIT, IOC, edge_ticks
    return PlaceOrder(
        trigger.pair.id,
        trigger.side,
        kind,
        force,
        trigger.loan_type,
        trigger.stp,
        price_ticks,
        size_steps,
        trigger.quote_units,
        "",
        trigger.source,
    )


def _edge_ticks(state: State, trigger: Trigger) -> int:
    """Return the worst price of a fired market order: the band's edge around the index, and while
    there is no index, as far from the price that was reached."""
    pair = trigger.pair
    band_e6 = state.parameters["band_e6"]
    if trigger.side == BUY:
        around = trigger.reached_ticks * (RATIO_ONE_E6 + band_e6) // RATIO_ONE_E6
        return pair.band_high_ticks or around
    around = div_ceil(trigger.reached_ticks * (RATIO_ONE_E6 - band_e6), RATIO_ONE_E6)
    return pair.band_low_ticks or around
