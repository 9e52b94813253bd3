"""A user's orders and fills as they are told: a row for every step of an order, in their order.

An order's rows need what it was placed with, which later events do not repeat: a topic knows the
orders that rest when it begins, and those placed since, until they are closed.
"""

from typing import Final, Protocol, final

import msgspec

from lombard.api.context import Context
from lombard.api.order_rows import row_of
from lombard.api.socket.order_pushes import (
    CANCELLED,
    FILLED,
    LIVE,
    PARTIALLY_FILLED,
    Fill,
    FillPush,
    MarginOrderPush,
    SpotOrderPush,
    Standing,
)
from lombard.api.socket.topic import ROWS_MAX, SNAPSHOT, Topic
from lombard.api.socket.words import push
from lombard.core import queries
from lombard.core.commands import SLOT_ISOLATED, Envelope
from lombard.core.events import CLOSED_FILLED, Event, OrderClosed, OrderPlaced, Traded
from lombard.core.queries import Pair, slot_of, user_of

Push = SpotOrderPush | MarginOrderPush | FillPush


class Shape(Protocol):
    """How the rows of a channel look. None is a step the channel does not tell of."""

    def __call__(self, pair: Pair, order: Standing, fill: Fill | None) -> Push | None:
        """Show a step of an order."""


def is_of(kind: int, account: int) -> bool:
    """Say whether an account is of a kind: spot, crossed, or any isolated one."""
    slot = slot_of(account)
    return slot >= SLOT_ISOLATED if kind == SLOT_ISOLATED else slot == kind


@final
class Orders(Topic):
    """`orders`, `orders-crossed`, `orders-isolated`, `fill`: of one pair (or None: all)."""

    def __init__(
        self,
        context: Context,
        arg: dict[str, str],
        user: int,
        kind: int,
        pair: Pair | None,
        shape: Shape,
    ) -> None:
        super().__init__(context, arg)
        self._user: Final = user
        self._kind: Final = kind
        self._pair: Final = None if pair is None else pair.id
        self._shape: Final = shape
        self._untold: list[Push] = []
        # The last row of each order among those: closing one may change what it says.
        self._last: dict[int, Push] = {}
        self._standing: dict[int, Standing] = {}
        for account in queries.accounts_of(self.state, user):
            if is_of(kind, account):
                for order in queries.open_orders(self.state, account, self._pair):
                    row = msgspec.structs.asdict(row_of(order))
                    self._standing[order.id] = msgspec.convert(row, Standing)

    def hear(self, envelope: Envelope, event: Event) -> None:
        time_ms = envelope.time_ms
        if isinstance(event, OrderPlaced):
            if self._is_mine(event.account, event.pair):
                order = self._standing[event.order_id] = Standing.of(event, time_ms)
                self._tell(order, LIVE, None)
        elif isinstance(event, Traded):
            taker_fill = Fill(event, time_ms, taker=True)
            maker_fill = Fill(event, time_ms, taker=False)
            self._fill(event.taker_order_id, event.taker_account, taker_fill)
            self._fill(event.maker_order_id, event.maker_account, maker_fill)
        elif isinstance(event, OrderClosed) and self._is_mine(event.account, event.pair):
            self._close(event, time_ms)

    def snapshot(self) -> bytes | None:
        return None

    def changes(self) -> bytes | None:
        if not self._untold:
            return None
        rows, self._untold = self._untold[:ROWS_MAX], self._untold[ROWS_MAX:]
        # A fill and the closing it brings are of one command, and were heard together.
        self._last = {}
        if self._untold:
            self.wake()
        return push(SNAPSHOT, self.arg, rows, self.now_ms())

    def _is_mine(self, account: int, pair: int) -> bool:
        return (
            user_of(account) == self._user
            and is_of(self._kind, account)
            and self._pair in (None, pair)
        )

    def _fill(self, order_id: int, account: int, fill: Fill) -> None:
        if not self._is_mine(account, fill.event.pair):
            return
        order = self._standing[order_id]
        order.add(fill)
        self._tell(order, PARTIALLY_FILLED, fill)

    def _close(self, event: OrderClosed, time_ms: int) -> None:
        order = self._standing.pop(event.order_id)
        order.updated_ms = time_ms
        if event.reason != CLOSED_FILLED:
            self._tell(order, CANCELLED, None)
            return
        # Its last fill is told already: that was the one that filled it.
        last = self._last.get(order.order_id)
        if last is None:
            self._tell(order, FILLED, None)
        elif not isinstance(last, FillPush):
            last.status = FILLED

    def _tell(self, order: Standing, status: str, fill: Fill | None) -> None:
        order.status = status
        row = self._shape(queries.pairs(self.state)[order.pair], order, fill)
        if row is not None:
            self._untold.append(row)
            self._last[order.order_id] = row
            self.wake()
