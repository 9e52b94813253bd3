"""The order book of a pair: one for spot and margin, price first, then time (RULES 10).

A side is a list of price levels with the best one last, and a queue of orders at each level: what
happens near the best price moves little, and a level is found by halving. The book moves no money:
it knows who stands where, and nothing of what they own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64, mypyc_attr

if TYPE_CHECKING:
    from lombard.core.state import Account, Balance, Pair


@final
@mypyc_attr(free_list_len=1)
class Order:
    """An order on its way through the book.

    `pay` and `get` are the account's balances it spends and fills. `remaining_steps` is what may
    still trade (0 for a market buy, which has `quote_units`); `frozen_units` is what a resting
    order holds; `fee_numerator` is the exact fee so far times 10**6 (RULES 1.3).
    """

    __slots__ = (
        "account",
        "borrowed_units",
        "client_oid",
        "fee_numerator",
        "fee_units",
        "filled_quote_units",
        "filled_steps",
        "force",
        "frozen_units",
        "get",
        "id",
        "kind",
        "level",
        "loan_type",
        "next",
        "pair",
        "pay",
        "previous",
        "price_ticks",
        "quote_units",
        "received_units",
        "remaining_steps",
        "side",
        "size_steps",
        "source",
        "stopped",
        "stp",
        "time_ms",
    )

    def __init__(
        self,
        order_id: int,
        account: Account,
        pair: Pair,
        pay: Balance,
        get: Balance,
        side: int,
        kind: int,
        force: int,
        loan_type: int,
        stp: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
        client_oid: str,
        source: int,
        time_ms: int,
    ) -> None:
        self.id: Final = order_id
        self.account: Final = account
        self.pair: Final = pair
        self.pay: Final = pay
        self.get: Final = get
        self.side: Final = side
        self.kind: Final = kind
        self.force: Final = force
        self.loan_type: Final = loan_type
        self.stp: Final = stp
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.quote_units: Final = quote_units
        self.client_oid: Final = client_oid
        self.source: Final = source
        self.time_ms: Final = time_ms
        self.remaining_steps = size_steps
        self.frozen_units = 0
        self.filled_steps = 0
        self.filled_quote_units = 0
        self.received_units = 0
        self.fee_numerator = 0
        self.fee_units = 0
        self.borrowed_units = 0
        # Self-trade prevention ended it.
        self.stopped = False
        # Its place in the book while it rests.
        self.level: Level | None = None
        self.previous: Order | None = None
        self.next: Order | None = None


@final
class Level:
    """The queue of orders at one price, oldest first."""

    __slots__ = ("head", "price_ticks", "steps", "tail")

    def __init__(self, price_ticks: int) -> None:
        self.price_ticks: Final = price_ticks
        self.head: Order | None = None
        self.tail: Order | None = None
        self.steps = 0


@final
class BookSide:
    """The bids (`sign` 1) or the asks (`sign` -1) of a pair; `levels` has the best price last."""

    __slots__ = ("best", "levels", "sign")

    def __init__(self, sign: int) -> None:
        assert sign in (1, -1)
        self.sign: Final = sign
        self.levels: list[Level] = []
        self.best: Level | None = None

    def best_ticks(self) -> int:
        """Return the best price, or 0 when the side is empty."""
        return 0 if self.best is None else self.best.price_ticks

    def first(self) -> Order | None:
        """Return the order that trades next."""
        return None if self.best is None else self.best.head

    def first_not_of(self, user: int) -> Order | None:
        """Return the order that trades next when a user's own orders are stepped over."""
        for level in reversed(self.levels):
            order = level.head
            while order is not None:
                if order.account.user.id != user:
                    return order
                order = order.next
        return None

    def add(self, order: Order) -> None:
        """Queue an order at its price, behind those already there."""
        assert order.remaining_steps > 0, "Invariant: an empty order rests"
        level = self._level_at(order.price_ticks)
        tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
            order.previous = tail
        level.tail = order
        order.level = level
        level.steps += order.remaining_steps

    def reduce(self, order: Order, steps: int) -> None:
        """Take traded steps off a resting order; an order with nothing left is removed."""
        assert 0 < steps <= order.remaining_steps
        order.remaining_steps -= steps
        level = order.level
        assert level is not None, "Invariant: an order trades that does not rest"
        level.steps -= steps
        if order.remaining_steps == 0:
            self._unlink(order, level)

    def remove(self, order: Order) -> None:
        """Take a resting order out of its queue."""
        level = order.level
        assert level is not None, "Invariant: an order is withdrawn that does not rest"
        level.steps -= order.remaining_steps
        self._unlink(order, level)

    def take_place(self, old: Order, new: Order) -> None:
        """Let a smaller order of the same price stand where the old one stood."""
        level = old.level
        assert level is not None, "Invariant: an order is replaced that does not rest"
        assert new.price_ticks == old.price_ticks
        assert 0 < new.remaining_steps < old.remaining_steps
        before, after = old.previous, old.next
        new.level, new.previous, new.next = level, before, after
        if before is None:
            level.head = new
        else:
            before.next = new
        if after is None:
            level.tail = new
        else:
            after.previous = new
        level.steps -= old.remaining_steps - new.remaining_steps
        old.level = None
        old.previous = None
        old.next = None

    def _place_of(self, price_ticks: int) -> int:
        """Return where the level of a price is, or would be, among the levels."""
        low: i64 = 0
        high: i64 = len(self.levels)
        rising = self.sign > 0
        if self.best is not None:
            # No more levels than ticks lie between two prices; near the best one, hardly fewer.
            best = self.best.price_ticks
            away = best - price_ticks if rising else price_ticks - best
            if away < 0:
                return high
            if away < high:
                low = high - 1 - away
                if self.levels[low].price_ticks == price_ticks:
                    return low
        while low < high:
            middle = (low + high) >> 1
            price = self.levels[middle].price_ticks
            if price < price_ticks if rising else price > price_ticks:
                low = middle + 1
            else:
                high = middle
        return low

    def _level_at(self, price_ticks: int) -> Level:
        """Return the level of a price, a new one if there was none."""
        place = self._place_of(price_ticks)
        if place < len(self.levels):
            level = self.levels[place]
            if level.price_ticks == price_ticks:
                return level
            level = Level(price_ticks)
            self.levels.insert(place, level)
            return level
        level = self.best = Level(price_ticks)
        self.levels.append(level)
        return level

    def _unlink(self, order: Order, level: Level) -> None:
        before, after = order.previous, order.next
        if before is None:
            level.head = after
        else:
            before.next = after
        if after is None:
            level.tail = before
        else:
            after.previous = before
        order.previous = None
        order.next = None
        order.level = None
        if level.head is None:
            assert level.steps == 0, "Invariant: an empty level has size"
            if level is self.best:
                self.levels.pop()
                self.best = self.levels[-1] if self.levels else None
            else:
                self.levels.pop(self._place_of(level.price_ticks))

    def depth(self, levels: int) -> list[tuple[int, int]]:
        """Return up to `levels` of `(price_ticks, steps)`, best first."""
        return [(level.price_ticks, level.steps) for level in self.levels[: -levels - 1 : -1]]

    def orders(self) -> list[Order]:
        """Return every resting order in the order in which they would trade."""
        queue: list[Order] = []
        for level in reversed(self.levels):
            order = level.head
            while order is not None:
                queue.append(order)
                order = order.next
        return queue
