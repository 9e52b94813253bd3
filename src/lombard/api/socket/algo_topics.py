"""A user's plan orders as they are told: each step of a trigger, from placing to its end."""

from typing import Final, final

import msgspec

from lombard.api.amounts import price_text
from lombard.api.context import Context
from lombard.api.order_rows import STP_NAMES
from lombard.api.plan_rows import STATUS_NAMES, execute_text, plan_row, row_of_trigger
from lombard.api.socket.order_pushes import LOAN_TYPE_NAMES
from lombard.api.socket.order_topics import is_of
from lombard.api.socket.topic import ROWS_MAX, SNAPSHOT, Topic
from lombard.api.socket.words import push
from lombard.core import queries, trigger_queries
from lombard.core.commands import SLOT_SPOT, Envelope
from lombard.core.events import (
    Event,
    TriggerCancelled,
    TriggerFailed,
    TriggerFired,
    TriggerModified,
    TriggerPlaced,
    TriggerSized,
)
from lombard.core.queries import Pair, user_of
from lombard.history.rows import TRIGGER_CANCELLED, TRIGGER_FAILED, TRIGGER_FIRED, TriggerRow

_Later = TriggerModified | TriggerSized | TriggerFired | TriggerFailed | TriggerCancelled


class AlgoPush(msgspec.Struct):
    """A plan order; `executeOrderId` (ours) is the order it placed, empty while it has not."""

    instId: str
    orderId: str
    clientOid: str
    triggerPrice: str
    triggerType: str
    planType: str
    price: str
    size: str
    actualSize: str
    orderType: str
    side: str
    status: str
    executePrice: str
    executeOrderId: str
    enterPointSource: str
    cTime: str
    uTime: str
    stpMode: str
    loanType: str | msgspec.UnsetType = msgspec.UNSET


@final
class Algos(Topic):
    """`orders-algo` and its like for margin: of one pair (or None: all)."""

    def __init__(
        self, context: Context, arg: dict[str, str], user: int, kind: int, pair: Pair | None
    ) -> None:
        super().__init__(context, arg)
        self._user: Final = user
        self._kind: Final = kind
        self._pair: Final = None if pair is None else pair.id
        self._untold: list[AlgoPush] = []
        self._live: dict[int, TriggerRow] = {}
        for account in queries.accounts_of(self.state, user):
            if is_of(kind, account):
                for trigger in trigger_queries.triggers(self.state, account, self._pair):
                    self._live[trigger.id] = row_of_trigger(trigger)

    def hear(self, envelope: Envelope, event: Event) -> None:
        if isinstance(event, TriggerPlaced):
            if self._is_mine(event.account, event.pair):
                self._tell(placed(event, envelope.time_ms))
        elif isinstance(event, _Later) and self._is_mine(event.account, event.pair):
            row = stepped(self._live.pop(event.trigger_id), event, envelope.time_ms)
            self._tell(row)

    def snapshot(self) -> bytes | None:
        return None

    def changes(self) -> bytes | None:
        if not self._untold:
            return None
        rows, self._untold = self._untold[:ROWS_MAX], self._untold[ROWS_MAX:]
        if self._untold:
            self.wake()
        return push(SNAPSHOT, self.arg, rows, self.now_ms())

    def _is_mine(self, account: int, pair: int) -> bool:
        return (
            user_of(account) == self._user
            and is_of(self._kind, account)
            and self._pair in (None, pair)
        )

    def _tell(self, row: TriggerRow) -> None:
        if row.status < TRIGGER_FIRED:
            self._live[row.trigger_id] = row
        pair = queries.pairs(self.state)[row.pair]
        self._untold.append(algo_push(pair, row, self._kind == SLOT_SPOT))
        self.wake()


def placed(event: TriggerPlaced, time_ms: int) -> TriggerRow:
    """Take down a trigger as it is placed."""
    return TriggerRow(
        event.trigger_id,
        event.account,
        event.pair,
        event.plan,
        event.price_source,
        event.direction,
        event.side,
        event.kind,
        event.force,
        event.loan_type,
        event.stp,
        event.source,
        event.client_oid,
        event.trigger_ticks,
        event.callback_e6,
        event.price_ticks,
        event.size_steps,
        event.quote_units,
        event.order_id,
        0,
        "",
        0,
        0,
        time_ms,
        time_ms,
    )


def stepped(row: TriggerRow, event: _Later, time_ms: int) -> TriggerRow:
    """Take down what became of a trigger."""
    if isinstance(event, TriggerModified):
        return msgspec.structs.replace(
            row,
            direction=event.direction,
            trigger_ticks=event.trigger_ticks,
            kind=event.kind,
            price_ticks=event.price_ticks,
            size_steps=event.size_steps,
            budget_units=event.quote_units,
            updated_ms=time_ms,
        )
    if isinstance(event, TriggerSized):
        return msgspec.structs.replace(row, size_steps=event.size_steps, updated_ms=time_ms)
    if isinstance(event, TriggerFired):
        return msgspec.structs.replace(
            row, status=TRIGGER_FIRED, order_id=event.order_id, updated_ms=time_ms
        )
    status = TRIGGER_FAILED if isinstance(event, TriggerFailed) else TRIGGER_CANCELLED
    return msgspec.structs.replace(row, status=status, updated_ms=time_ms)


def algo_push(pair: Pair, row: TriggerRow, spot: bool) -> AlgoPush:
    """Show a plan order as it stands."""
    shown = plan_row(pair, row)
    limit = execute_text(pair, row)
    return AlgoPush(
        pair.symbol,
        shown.orderId,
        shown.clientOid,
        price_text(pair, row.trigger_ticks) if row.trigger_ticks else "",
        shown.triggerType,
        shown.planType,
        limit,
        shown.size,
        shown.size,
        shown.orderType,
        shown.side,
        STATUS_NAMES[row.status],
        limit,
        str(row.order_id) if row.order_id else "",
        shown.enterPointSource.lower(),
        shown.cTime,
        shown.uTime,
        STP_NAMES[row.stp],
        msgspec.UNSET if spot else LOAN_TYPE_NAMES[row.loan_type],
    )
