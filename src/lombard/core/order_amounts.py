"""What an order comes to: what it may spend, what it paid, what its rest freezes, how it ends."""

from __future__ import annotations

from lombard.core.book import Order
from lombard.core.commands import BUY, GTC, MARKET, POST_ONLY
from lombard.core.events import CLOSED_FILLED, CLOSED_SELF_TRADE, CLOSED_UNFILLED


def cost_units(order: Order) -> int:
    """Return the most an order can spend of the coin it pays with."""
    pair = order.pair
    if order.side != BUY:
        return order.size_steps * pair.step_units
    if order.kind == MARKET:
        return order.quote_units
    return order.price_ticks * order.size_steps * pair.quote_per_tick_step


def paid_units(order: Order) -> int:
    """Return what an order has paid for what it took."""
    if order.side == BUY:
        return order.filled_quote_units
    return order.filled_steps * order.pair.step_units


def resting_units(order: Order) -> int:
    """Return what the rest of an order must freeze, 0 when it does not rest."""
    if order.kind == MARKET or order.force not in (GTC, POST_ONLY) or order.stopped:
        return 0
    if order.side == BUY:
        return order.price_ticks * order.remaining_steps * order.pair.quote_per_tick_step
    return order.remaining_steps * order.pair.step_units


def end_reason(order: Order) -> int:
    """Return why an order that does not rest ended."""
    if order.stopped:
        return CLOSED_SELF_TRADE
    by_quote = order.size_steps == 0
    done = _budget_spent(order) if by_quote else order.remaining_steps == 0
    return CLOSED_FILLED if done else CLOSED_UNFILLED


def _budget_spent(order: Order) -> bool:
    """Say whether a market buy's left-over buys no further step at its worst price."""
    if order.filled_steps == 0:
        return False
    left = order.quote_units - order.filled_quote_units
    return left < order.pair.last_price_ticks * order.pair.quote_per_tick_step
