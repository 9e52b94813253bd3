"""A book of orders as a child would keep it: one list, sorted again for every order that comes.

It is half of the auditor and shares nothing with the engine. It says who trades with whom, how
much and at which price, and what fee each fill costs, exactly, in fractions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from lombard.core import commands as c
from lombard.core import events as e


@dataclass
class NaivePair:
    """A pair's terms, as the last accepted `SetPair` gave them."""

    base: int
    quote: int
    tick: Fraction
    step_units: int
    quote_per_tick_step: int
    maker_fee: Fraction
    taker_fee: Fraction
    terms: c.SetPair


@dataclass
class NaiveOrder:
    """An order: what may still trade, what it froze, and its exact fee so far."""

    id: int
    account: int
    pair: int
    side: int
    price: int
    steps: int
    budget: int = 0
    loan_type: int = c.NORMAL
    stp: int = c.STP_NONE
    force: int = c.GTC
    client_oid: str = ""
    frozen: int = 0
    borrowed: int = 0
    fee_exact: Fraction = Fraction(0)
    fee: int = 0
    paid: int = 0
    received: int = 0
    traded_steps: int = 0
    stopped: bool = False
    # The order in whose place it stands in the queue, itself unless it took another's.
    stands_for: int = 0

    def take_fee(self, received: int, rate: Fraction) -> int:
        """Charge a fill: the fee so far is rounded up over the whole order (RULES 1.3)."""
        self.received += received
        self.fee_exact += received * rate
        fee = ceil(self.fee_exact) - self.fee
        self.fee += fee
        return fee

    def cost(self, pair: NaivePair, steps: int) -> int:
        """Return what so many steps cost at the order's own price, in the coin it pays."""
        if self.side == c.BUY:
            return self.price * steps * pair.quote_per_tick_step
        return steps * pair.step_units


@dataclass(frozen=True)
class Fill:
    """A trade of the taker with a maker."""

    maker: NaiveOrder
    price: int
    steps: int
    base_units: int
    quote_units: int
    taker_fee: int
    maker_fee: int


@dataclass(frozen=True)
class Step:
    """A step through the book: so much of a maker is taken, or it is closed, or the taker stops."""

    maker: NaiveOrder
    steps: int
    closed: int | None = None
    stops: bool = False


@dataclass
class NaiveBook:
    """Every resting order of the venue."""

    pairs: list[NaivePair] = field(default_factory=list)
    orders: dict[int, NaiveOrder] = field(default_factory=dict)
    last_price: dict[int, int] = field(default_factory=dict)

    def facing(self, taker: NaiveOrder) -> list[NaiveOrder]:
        """Return the other side's orders, best price first, then the older."""
        sign = 1 if taker.side == c.BUY else -1
        others = [
            order
            for order in self.orders.values()
            if order.pair == taker.pair and order.side != taker.side
        ]
        return sorted(others, key=lambda order: (sign * order.price, order.stands_for or order.id))

    def side(self, pair: int, side: int) -> list[NaiveOrder]:
        """Return one side's orders of a pair, best price first, then the older."""
        return self.facing(NaiveOrder(0, 0, pair, 1 - side, 0, 0))

    def best(self, pair: int, side: int) -> int:
        """Return the best price of a side of a pair's book, 0 when nothing rests there."""
        prices = [o.price for o in self.orders.values() if o.pair == pair and o.side == side]
        if not prices:
            return 0
        return max(prices) if side == c.BUY else min(prices)

    def plan(
        self,
        taker: NaiveOrder,
        limit: int,
        left_behind: Callable[[NaiveOrder], bool],
        skip_user: int = 0,
    ) -> list[Step]:
        """Say what an order would do, step by step, without doing it.

        Makers are cancelled on the way: the taker's own, by self-trade prevention, and those
        `left_behind`.
        """
        done: list[Step] = []
        steps, paid = taker.steps, taker.paid
        per_tick_step = self.pairs[taker.pair].quote_per_tick_step
        sign = 1 if taker.side == c.BUY else -1
        for maker in self.facing(taker):
            if limit and sign * maker.price > sign * limit:
                break
            own = c.user_of(maker.account) == c.user_of(taker.account)
            if own and skip_user == c.user_of(taker.account):
                continue
            wanted = steps
            if taker.budget:
                wanted = (taker.budget - paid) // (maker.price * per_tick_step)
            if wanted <= 0:
                break
            if own and taker.stp:
                stops = taker.stp != c.STP_CANCEL_MAKER
                closes = taker.stp != c.STP_CANCEL_TAKER
                done.append(Step(maker, 0, e.CLOSED_SELF_TRADE if closes else None, stops))
                if stops:
                    break
            elif left_behind(maker):
                done.append(Step(maker, 0, e.CLOSED_BY_VENUE))
            else:
                taken = min(wanted, maker.steps)
                done.append(Step(maker, taken))
                steps -= taken
                paid += taken * maker.price * per_tick_step
        return done

    def run(
        self,
        taker: NaiveOrder,
        limit: int,
        left_behind: Callable[[NaiveOrder], bool],
        skip_user: int = 0,
    ) -> list[Fill | e.OrderClosed]:
        """Trade an order: its fills in order, and the makers that are cancelled on the way."""
        done: list[Fill | e.OrderClosed] = []
        for step in self.plan(taker, limit, left_behind, skip_user):
            if step.steps:
                done.append(self.fill(taker, step.maker, step.steps))
            elif step.closed is not None:
                done.append(self.close(step.maker, step.closed))
            taker.stopped = step.stops
        return done

    def close(self, order: NaiveOrder, reason: int) -> e.OrderClosed:
        """Take an order out of the book."""
        del self.orders[order.id]
        return e.OrderClosed(order.id, order.account, order.pair, reason)

    def fill(self, taker: NaiveOrder, maker: NaiveOrder, steps: int) -> Fill:
        """Let two orders trade at the maker's price."""
        pair = self.pairs[taker.pair]
        base = steps * pair.step_units
        quote = maker.price * steps * pair.quote_per_tick_step
        taker_gets, maker_gets = (base, quote) if taker.side == c.BUY else (quote, base)
        taker_fee = taker.take_fee(taker_gets, pair.taker_fee)
        maker_fee = maker.take_fee(maker_gets, pair.maker_fee)
        if not taker.budget:
            taker.steps -= steps
        taker.paid += maker_gets
        taker.traded_steps += steps
        maker.paid += taker_gets
        maker.frozen -= taker_gets
        maker.traded_steps += steps
        maker.steps -= steps
        if maker.steps == 0:
            assert maker.frozen == 0, maker
            del self.orders[maker.id]
        self.last_price[taker.pair] = maker.price
        return Fill(maker, maker.price, steps, base, quote, taker_fee, maker_fee)
