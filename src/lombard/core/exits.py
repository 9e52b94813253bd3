"""Orders that come with their own end: exits that close what they open, and OCO (RULES 6.2, 10).

An entry's take-profit and stop-loss sleep until it fills, and then wait with the size it has
filled. An OCO is a limit order with a stop that takes its place. The order is decided last: when it
is refused nothing has changed, and after it nothing can fail.
"""

from __future__ import annotations

from lombard.core import orders, triggers
from lombard.core.commands import (
    AUTO_REPAY,
    BUY,
    GTC,
    LIMIT,
    MARKET,
    NORMAL,
    PLAN_OCO,
    PLAN_STOP_LOSS,
    PLAN_TAKE_PROFIT,
    PRICE_INDEX,
    PRICE_LAST,
    SELL,
    Command,
    PlaceOco,
    PlaceOrder,
    PlaceWithExits,
)
from lombard.core.events import Event
from lombard.core.refusals import Refusal
from lombard.core.state import Account, Pair, Reply, State
from lombard.core.trigger_book import DORMANT, FALLS, RISES, Trigger
from lombard.core.triggers import accept, price_now, refuse_count, refuse_unpriced
from lombard.core.units import VALUE_MAX


def dispatch(state: State, account: Account, cmd: Command, events: list[Event]) -> Reply:
    """Apply a user's command about orders with triggers, or about triggers alone."""
    if isinstance(cmd, PlaceWithExits):
        return _place_with_exits(state, account, cmd, events)
    if isinstance(cmd, PlaceOco):
        return _place_oco(state, account, cmd, events)
    return triggers.dispatch(state, account, cmd, events)


def _place_with_exits(
    state: State, account: Account, cmd: PlaceWithExits, events: list[Event]
) -> Reply:
    refusal = orders.refuse_account(state, account, cmd.pair, cmd.loan_type)
    if refusal is not None:
        return refusal
    pair = state.pairs[cmd.pair]
    refusal = _refuse_exits(state, account, pair, cmd)
    if refusal is not None:
        return refusal
    entry = PlaceOrder(
        cmd.pair,
        cmd.side,
        cmd.kind,
        cmd.force,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        cmd.size_steps,
        cmd.quote_units,
        cmd.client_oid,
        cmd.source,
    )
    reply = orders.place(state, account, entry, events)
    if reply.refusal is not None:
        return reply

    # From here the exits succeed.
    side = SELL if cmd.side == BUY else BUY
    profit, loss = (RISES, FALLS) if cmd.side == BUY else (FALLS, RISES)
    for plan, direction, trigger_ticks, price_ticks in (
        (PLAN_TAKE_PROFIT, profit, cmd.take_profit_ticks, cmd.take_profit_price_ticks),
        (PLAN_STOP_LOSS, loss, cmd.stop_loss_ticks, cmd.stop_loss_price_ticks),
    ):
        if trigger_ticks:
            # What an entry borrowed its exit pays back.
            loan_type = AUTO_REPAY if cmd.loan_type else NORMAL
            made = _linked(
                state, account, pair, plan, cmd.price_source, direction, trigger_ticks, side,
                loan_type, cmd.stp, price_ticks, 0, reply.id, cmd.source,
            )  # fmt: skip
            accept(state, made, events)
    return reply


def _refuse_exits(state: State, account: Account, pair: Pair, cmd: PlaceWithExits) -> Reply | None:
    """Return what is wrong with the exits of an order, in this order."""
    if cmd.side not in (BUY, SELL):
        return Reply(Refusal.ORDER_INVALID, detail="enum")
    if cmd.price_source not in (PRICE_LAST, PRICE_INDEX):
        return Reply(Refusal.ORDER_INVALID, detail="triggerType")
    profit, loss = cmd.take_profit_ticks, cmd.stop_loss_ticks
    limits = (cmd.take_profit_price_ticks, cmd.stop_loss_price_ticks)
    if min(profit, loss, *limits) < 0 or profit == loss == 0:
        return Reply(Refusal.PRICE_NOT_POSITIVE)
    if max(profit, loss, *limits) > VALUE_MAX:
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    refusal = refuse_count(state, account, pair, (profit > 0) + (loss > 0))
    if refusal is not None:
        return refusal
    entry = cmd.price_ticks if cmd.kind == LIMIT else price_now(pair, cmd.price_source)[0]
    if entry <= 0:
        return (
            None if cmd.kind == LIMIT else Reply(Refusal.TRIGGER_PRICE_UNKNOWN, detail=pair.symbol)
        )
    above, below = (profit, loss) if cmd.side == BUY else (loss, profit)
    if above and above <= entry:
        return Reply(Refusal.TRIGGER_PRICE_TOO_LOW, units=entry)
    if below and below >= entry:
        return Reply(Refusal.TRIGGER_PRICE_TOO_HIGH, units=entry)
    return None


def _place_oco(state: State, account: Account, cmd: PlaceOco, events: list[Event]) -> Reply:
    refusal = orders.refuse_account(state, account, cmd.pair, cmd.loan_type)
    if refusal is not None:
        return refusal
    pair = state.pairs[cmd.pair]
    refusal = _refuse_stop(state, account, pair, cmd)
    if refusal is not None:
        return refusal
    limit = PlaceOrder(
        cmd.pair,
        cmd.side,
        LIMIT,
        GTC,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        cmd.size_steps,
        0,
        cmd.client_oid,
        cmd.source,
    )
    reply = orders.place(state, account, limit, events)
    if reply.refusal is not None:
        return reply

    # From here the stop succeeds.
    direction = RISES if cmd.side == BUY else FALLS
    stop = _linked(
        state, account, pair, PLAN_OCO, cmd.price_source, direction, cmd.trigger_ticks, cmd.side,
        cmd.loan_type, cmd.stp, cmd.stop_price_ticks, cmd.size_steps, reply.id, cmd.source,
    )  # fmt: skip
    accept(state, stop, events)
    state.triggers.wait(stop)
    return reply


def _refuse_stop(state: State, account: Account, pair: Pair, cmd: PlaceOco) -> Reply | None:
    """Return what is wrong with the stop of an OCO, in this order."""
    if cmd.side not in (BUY, SELL):
        return Reply(Refusal.ORDER_INVALID, detail="enum")
    if cmd.price_source not in (PRICE_LAST, PRICE_INDEX):
        return Reply(Refusal.ORDER_INVALID, detail="triggerType")
    if cmd.trigger_ticks <= 0 or cmd.stop_price_ticks < 0:
        return Reply(Refusal.PRICE_NOT_POSITIVE)
    if max(cmd.trigger_ticks, cmd.stop_price_ticks) > VALUE_MAX:
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    refusal = refuse_count(state, account, pair, 1)
    if refusal is not None:
        return refusal
    refusal = refuse_unpriced(state, pair, cmd.price_source)
    if refusal is not None:
        return refusal
    low, high = price_now(pair, cmd.price_source)
    if cmd.side == BUY and cmd.trigger_ticks <= low:
        return Reply(Refusal.TRIGGER_PRICE_TOO_LOW, units=low)
    if cmd.side == SELL and cmd.trigger_ticks >= high:
        return Reply(Refusal.TRIGGER_PRICE_TOO_HIGH, units=high)
    return None


def _linked(
    state: State,
    account: Account,
    pair: Pair,
    plan: int,
    price_source: int,
    direction: int,
    trigger_ticks: int,
    side: int,
    loan_type: int,
    stp: int,
    price_ticks: int,
    size_steps: int,
    order_id: int,
    source: int,
) -> Trigger:
    """Make a trigger that belongs to an order; its own is a limit order if it has a price."""
    made = Trigger(
        state.take_id(),
        account,
        pair,
        plan,
        price_source,
        direction,
        trigger_ticks,
        0,
        side,
        LIMIT if price_ticks else MARKET,
        GTC,
        loan_type,
        stp,
        price_ticks,
        size_steps,
        0,
        order_id,
        "",
        source,
        state.time_ms,
    )
    assert made.stage == DORMANT
    return made
