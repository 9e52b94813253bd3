"""The order book of a pair: one for spot and margin, price first, then time (RULES 10).

A side is a sorted list of price keys with the best one last, and a queue of orders at each price.
Bids are keyed by their price, asks by their negative, so both sides read alike. The book moves no
money: it knows who stands where, and nothing of what they own.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final, final

from mypy_extensions import mypyc_attr

if TYPE_CHECKING:
    from lombard.core.state import Account, Balance, Pair


@final
@mypyc_attr(free_list_len=1)
class Order:
    """An order on its way through the book.

    `pay` and `get` are the account's balances it spends and fills. `remaining_steps` is what may
    still trade (0 for a market buy, which has `budget_units`); `frozen_units` is what a resting
    order holds; `fee_numerator` is the exact fee so far times 10**6 (RULES 1.3).
    """

    __slots__ = (
        "account",
        "borrowed_units",
        "budget_units",
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
        self.budget_units = quote_units
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
    """The bids (`sign` 1) or the asks (`sign` -1) of a pair."""

    __slots__ = ("best", "keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        assert sign in (1, -1)
        self.sign: Final = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self.best: Level | None = None

    def best_ticks(self) -> int:
        """Return the best price, or 0 when the side is empty."""
        return 0 if self.best is None else self.best.price_ticks

    def first(self) -> Order | None:
        """Return the order that trades next."""
        return None if self.best is None else self.best.head

    def first_not_of(self, user: int) -> Order | None:
        """Return the order that trades next when a user's own orders are stepped over."""
        for key in reversed(self.keys):
            order = self.levels[key].head
            while order is not None:
                if order.account.user.id != user:
                    return order
                order = order.next
        return None

    def add(self, order: Order) -> None:
        """Queue an order at its price, behind those already there."""
        assert order.remaining_steps > 0, "Invariant: an empty order rests"
        key = order.price_ticks if self.sign > 0 else -order.price_ticks
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = Level(order.price_ticks)
            if self.keys and key < self.keys[-1]:
                insort(self.keys, key)
            else:
                self.keys.append(key)
                self.best = level
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
            key = level.price_ticks if self.sign > 0 else -level.price_ticks
            del self.levels[key]
            if self.keys[-1] == key:
                self.keys.pop()
                self.best = self.levels[self.keys[-1]] if self.keys else None
            else:
                del self.keys[bisect_left(self.keys, key)]

    def depth(self, levels: int) -> list[tuple[int, int]]:
        """Return up to `levels` of `(price_ticks, steps)`, best first."""
        best_first = self.keys[: -levels - 1 : -1]
        return [(self.sign * key, self.levels[key].steps) for key in best_first]

    def orders(self) -> list[Order]:
        """Return every resting order in the order in which they would trade."""
        queue: list[Order] = []
        for key in reversed(self.keys):
            order = self.levels[key].head
            while order is not None:
                queue.append(order)
                order = order.next
        return queue
