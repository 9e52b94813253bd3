"""Commands about triggers: orders that wait for a price (RULES 6.2, 10).

Named through `lombard.core.commands`, the one vocabulary. A trigger is not in the book: it freezes
and borrows nothing until its price is reached, and what it then places is checked afresh.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

# Which price a trigger waits for: that of the last trade, or the index (RULES 7.1).
PRICE_LAST: Final = 0
PRICE_INDEX: Final = 1
# What a trigger is for. The last three are made along with an order.
PLAN_TRIGGER: Final = 0
PLAN_TPSL: Final = 1
PLAN_TRAILING: Final = 2
PLAN_TAKE_PROFIT: Final = 3
PLAN_STOP_LOSS: Final = 4
PLAN_OCO: Final = 5


@final
@mypyc_attr(acyclic=True)
class PlaceTrigger:
    """Place an order when a price reaches `trigger_ticks`, from whichever side it is on now.

    `plan` is PLAN_TRIGGER, PLAN_TPSL or PLAN_TRAILING. A trailing stop follows the price's high (a
    sell; a buy its low) and fires when it has come back by `callback_e6`; it begins to follow when
    the price reaches `trigger_ticks`, at once when that is 0. The rest is the order's, as in
    `PlaceOrder`. Replies with the trigger's id.
    """

    __slots__ = (
        "callback_e6",
        "client_oid",
        "force",
        "kind",
        "loan_type",
        "pair",
        "plan",
        "price_source",
        "price_ticks",
        "quote_units",
        "side",
        "size_steps",
        "source",
        "stp",
        "trigger_ticks",
    )

    def __init__(
        self,
        pair: int,
        plan: int,
        price_source: int,
        trigger_ticks: int,
        callback_e6: int,
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
    ) -> None:
        self.pair: Final = pair
        self.plan: Final = plan
        self.price_source: Final = price_source
        self.trigger_ticks: Final = trigger_ticks
        self.callback_e6: Final = callback_e6
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


@final
@mypyc_attr(acyclic=True)
class ModifyTrigger:
    """Give a waiting trigger another price, kind and size; it keeps its id.

    Named by id, or by client id when `trigger_id` is 0. Only triggers of `PlaceTrigger` that have
    not begun to trail can be changed. Nothing changes when it is refused.
    """

    __slots__ = (
        "client_oid",
        "kind",
        "price_ticks",
        "quote_units",
        "size_steps",
        "trigger_id",
        "trigger_ticks",
    )

    def __init__(
        self,
        trigger_id: int,
        client_oid: str,
        trigger_ticks: int,
        kind: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
    ) -> None:
        self.trigger_id: Final = trigger_id
        self.client_oid: Final = client_oid
        self.trigger_ticks: Final = trigger_ticks
        self.kind: Final = kind
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.quote_units: Final = quote_units


@final
@mypyc_attr(acyclic=True)
class CancelTrigger:
    """Cancel a trigger that has not fired, by id, or by client id when `trigger_id` is 0.

    The limit order of an OCO goes with its stop.
    """

    __slots__ = ("client_oid", "trigger_id")

    def __init__(self, trigger_id: int, client_oid: str) -> None:
        self.trigger_id: Final = trigger_id
        self.client_oid: Final = client_oid


@final
@mypyc_attr(acyclic=True)
class CancelAllTriggers:
    """Cancel the asking account's triggers on some pairs; on every pair if none is named."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[int]) -> None:
        self.pairs: Final = pairs


@final
@mypyc_attr(acyclic=True)
class CancelEverything:
    """Cancel the asking account's orders and triggers on some pairs; on every pair if none is
    named. Replies with their number."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[int]) -> None:
        self.pairs: Final = pairs


@final
@mypyc_attr(acyclic=True)
class PlaceWithExits:
    """Place an order along with the triggers that will close what it opens (RULES 6.2).

    `take_profit_ticks` and `stop_loss_ticks` are trigger prices, 0 for none (not both); their
    orders are limited to `take_profit_price_ticks`, `stop_loss_price_ticks`, 0 for market orders.
    Replies with the order's id.
    """

    __slots__ = (
        "client_oid",
        "force",
        "kind",
        "loan_type",
        "pair",
        "price_source",
        "price_ticks",
        "quote_units",
        "side",
        "size_steps",
        "source",
        "stop_loss_price_ticks",
        "stop_loss_ticks",
        "stp",
        "take_profit_price_ticks",
        "take_profit_ticks",
    )

    def __init__(
        self,
        pair: int,
        side: int,
        kind: int,
        force: int,
        loan_type: int,
        stp: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
        price_source: int,
        take_profit_ticks: int,
        take_profit_price_ticks: int,
        stop_loss_ticks: int,
        stop_loss_price_ticks: int,
        client_oid: str,
        source: int,
    ) -> None:
        self.pair: Final = pair
        self.side: Final = side
        self.kind: Final = kind
        self.force: Final = force
        self.loan_type: Final = loan_type
        self.stp: Final = stp
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.quote_units: Final = quote_units
        self.price_source: Final = price_source
        self.take_profit_ticks: Final = take_profit_ticks
        self.take_profit_price_ticks: Final = take_profit_price_ticks
        self.stop_loss_ticks: Final = stop_loss_ticks
        self.stop_loss_price_ticks: Final = stop_loss_price_ticks
        self.client_oid: Final = client_oid
        self.source: Final = source


@final
@mypyc_attr(acyclic=True)
class PlaceOco:
    """Place a limit order, and a stop of the same size that takes its place when it fires.

    A sell's stop waits below the price, a buy's above it. `stop_price_ticks` limits the stop's
    order, 0 for a market order. Replies with the limit order's id.
    """

    __slots__ = (
        "client_oid",
        "loan_type",
        "pair",
        "price_source",
        "price_ticks",
        "side",
        "size_steps",
        "source",
        "stop_price_ticks",
        "stp",
        "trigger_ticks",
    )

    def __init__(
        self,
        pair: int,
        side: int,
        loan_type: int,
        stp: int,
        price_ticks: int,
        size_steps: int,
        price_source: int,
        trigger_ticks: int,
        stop_price_ticks: int,
        client_oid: str,
        source: int,
    ) -> None:
        self.pair: Final = pair
        self.side: Final = side
        self.loan_type: Final = loan_type
        self.stp: Final = stp
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.price_source: Final = price_source
        self.trigger_ticks: Final = trigger_ticks
        self.stop_price_ticks: Final = stop_price_ticks
        self.client_oid: Final = client_oid
        self.source: Final = source


@final
@mypyc_attr(acyclic=True)
class FireTriggers:
    """Let a cascade of triggers go on; every other command does so too, after its own work."""

    __slots__ = ()
