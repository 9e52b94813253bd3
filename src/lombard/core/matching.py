"""Matching: an order meets the other side of the book, price first, then time (RULES 1.3, 10).

The taker's money moves once, when it is done trading; each maker's with its fill. `walk` says what
a run through the book would come to without changing anything: fill-or-kill and the risk of a
market order are decided by it, and a property test holds the two together.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.book import BookSide, Order
from lombard.core.commands import (
    BUY,
    MARKET,
    STP_CANCEL_BOTH,
    STP_CANCEL_MAKER,
    STP_CANCEL_TAKER,
    STP_NONE,
)
from lombard.core.events import (
    CLOSED_BY_VENUE,
    CLOSED_FILLED,
    CLOSED_SELF_TRADE,
    Event,
    OrderClosed,
    Traded,
)
from lombard.core.state import Pair, State
from lombard.core.units import RATIO_ONE_E6, div_ceil, times

# Whom an order met that met nobody.
NO_MAKERS: Final[list[tuple[Order, int]]] = []


@final
class Walk:
    """What an order would take from the book: steps, and the quote units they come to."""

    __slots__ = ("quote_units", "steps")

    def __init__(self, steps: int, quote_units: int) -> None:
        self.steps: Final = steps
        self.quote_units: Final = quote_units


def facing(order: Order) -> BookSide:
    """Return the side of the book an order trades with."""
    return order.pair.asks if order.side == BUY else order.pair.bids


def resting_side(order: Order) -> BookSide:
    """Return the side of the book an order rests on."""
    return order.pair.bids if order.side == BUY else order.pair.asks


def beyond(order: Order, price_ticks: int, limit_ticks: int) -> bool:
    """Say whether a price is worse for the taker than its limit (0: no limit)."""
    if limit_ticks == 0:
        return False
    return price_ticks > limit_ticks if order.side == BUY else price_ticks < limit_ticks


def steps_wanted(order: Order, price_ticks: int, steps: int, spent_units: int) -> int:
    """Return how many steps an order still takes at a price."""
    if order.side == BUY and order.kind == MARKET:
        step_cost = price_ticks * order.pair.quote_per_tick_step
        return (order.quote_units - spent_units) // step_cost
    return order.size_steps - steps


def walk(order: Order, limit_ticks: int) -> Walk:
    """Say what an order would trade now. Changes nothing; honours self-trade prevention."""
    steps = 0
    spent = 0
    per_tick_step = order.pair.quote_per_tick_step
    for maker in _makers(order, limit_ticks):
        wanted = steps_wanted(order, maker.price_ticks, steps, spent)
        if wanted <= 0:
            break
        if maker.account.user is order.account.user and order.stp != STP_NONE:
            if order.stp == STP_CANCEL_MAKER:
                continue
            break
        if left_behind(maker):
            continue
        taken = min(wanted, maker.remaining_steps)
        steps += taken
        spent += taken * maker.price_ticks * per_tick_step
    return Walk(steps, spent)


def _makers(order: Order, limit_ticks: int) -> list[Order]:
    """Return the resting orders an order could reach, in trading order, as far as needed."""
    side = facing(order)
    makers: list[Order] = []
    reached = 0
    for level in reversed(side.levels):
        if beyond(order, level.price_ticks, limit_ticks):
            break
        maker = level.head
        while maker is not None:
            makers.append(maker)
            if not left_behind(maker):
                reached += maker.remaining_steps
            maker = maker.next
        if order.size_steps and not order.stp and reached >= order.size_steps:
            break
    return makers


def left_behind(maker: Order) -> bool:
    """Say whether the index has left a debtor's resting order outside its band (RULES 7.6).

    Filled there it would lose what the account borrowed to whoever comes first; it is cancelled.
    """
    if maker.account.debts == 0:
        return False
    if maker.side == BUY:
        return maker.price_ticks > maker.pair.band_high_ticks
    return maker.price_ticks < maker.pair.band_low_ticks


def crosses(order: Order, limit_ticks: int) -> bool:
    """Say whether the best price an order faces is within its limit."""
    best = facing(order).best
    return best is not None and not beyond(order, best.price_ticks, limit_ticks)


def match(
    state: State,
    order: Order,
    limit_ticks: int,
    skip_user: int,
    events: list[Event],
) -> list[tuple[Order, int]]:
    """Trade an order against the book; return the makers it met and what each got, net of fee.

    The taker's balances are untouched: `order` says what it spent and received. `skip_user` names
    a user whose resting orders are stepped over (RULES 8.3), 0 for none.
    """
    side = facing(order)
    makers: list[tuple[Order, int]] = []
    order_is_market_buy = order.side == BUY and order.kind == MARKET
    while True:
        maker = side.first() if skip_user == 0 else side.first_not_of(skip_user)
        if maker is None or beyond(order, maker.price_ticks, limit_ticks):
            break
        if order_is_market_buy:
            wanted = steps_wanted(
                order, maker.price_ticks, order.filled_steps, order.filled_quote_units
            )
        else:
            wanted = order.remaining_steps
        if wanted <= 0:
            break
        if order.stp != STP_NONE and maker.account.user is order.account.user:
            if order.stp != STP_CANCEL_TAKER:
                withdraw(maker, CLOSED_SELF_TRADE, events)
            if order.stp in (STP_CANCEL_TAKER, STP_CANCEL_BOTH):
                order.stopped = True
                break
            continue
        if maker.account.debts and left_behind(maker):
            withdraw(maker, CLOSED_BY_VENUE, events)
            continue
        if wanted > maker.remaining_steps:
            wanted = maker.remaining_steps
        net = fill(state, order, maker, wanted, events)
        makers.append((maker, net))
    return makers


def fill(state: State, taker: Order, maker: Order, steps: int, events: list[Event]) -> int:
    """Let two orders trade at the maker's price; move the maker's money, return its net."""
    pair = taker.pair
    price = maker.price_ticks
    quote_units = times(price * steps, pair.quote_per_tick_step)
    base_units = times(steps, pair.step_units)
    assert quote_units > 0
    pair.last_price_ticks = price

    maker_gets = quote_units
    maker_pays = base_units
    if taker.side != BUY:
        maker_gets = base_units
        maker_pays = quote_units
    taker_fee = take_fee(taker, maker_pays, pair.taker_fee_e6)
    maker_fee = take_fee(maker, maker_gets, pair.maker_fee_e6)
    maker.pay.frozen_units -= maker_pays
    maker.frozen_units -= maker_pays
    maker.get.available_units += maker_gets - maker_fee
    assert maker.frozen_units >= 0, "Invariant: a fill spends more than its order froze"

    taker.remaining_steps -= 0 if taker.size_steps == 0 else steps
    taker.filled_steps += steps
    taker.filled_quote_units += quote_units
    maker.filled_steps += steps
    maker.filled_quote_units += quote_units
    events.append(
        Traded(
            state.take_id(),
            pair.id,
            price,
            steps,
            base_units,
            quote_units,
            taker.side,
            taker.id,
            taker.account.id,
            taker_fee,
            maker.id,
            maker.account.id,
            maker_fee,
        )
    )
    resting_side(maker).reduce(maker, steps)
    if maker.remaining_steps == 0:
        assert maker.frozen_units == 0, "Invariant: a filled order keeps coins frozen"
        maker.account.drop(maker)
        events.append(OrderClosed(maker.id, maker.account.id, pair.id, CLOSED_FILLED))
    return maker_gets - maker_fee


def take_fee(order: Order, received_units: int, rate_e6: int) -> int:
    """Charge an order the fee of a fill in the coin received (RULES 1.3).

    The fee so far is rounded up, in the venue's favour, over the whole order; a fill takes the
    difference, so splitting costs nothing. The venue's fee account gains it at once.
    """
    order.received_units += received_units
    order.fee_numerator += times(received_units, rate_e6)
    so_far = div_ceil(order.fee_numerator, RATIO_ONE_E6)
    fee = so_far - order.fee_units
    assert 0 <= fee <= received_units, "Invariant: a fee exceeds what was received"
    order.fee_units = so_far
    order.get.coin.fee_units += fee
    return fee


def rest(order: Order, units: int) -> None:
    """Freeze what an order's remainder needs and queue it in the book."""
    assert 0 < units <= order.pay.available_units, "Invariant: an order rests unfunded"
    order.pay.available_units -= units
    order.pay.frozen_units += units
    order.frozen_units = units
    order.account.keep(order)
    resting_side(order).add(order)


def withdraw(order: Order, reason: int, events: list[Event]) -> None:
    """Take a resting order out of the book and give its account back what it froze."""
    resting_side(order).remove(order)
    units = order.frozen_units
    assert 0 < units <= order.pay.frozen_units, "Invariant: a freeze is not there"
    order.pay.frozen_units -= units
    order.pay.available_units += units
    order.frozen_units = 0
    order.account.drop(order)
    events.append(OrderClosed(order.id, order.account.id, order.pair.id, reason))


def pair_is_free(pair: Pair) -> bool:
    """Say whether nothing rests in a pair's book."""
    return not pair.bids.levels and not pair.asks.levels
