"""Events of triggers, from placing to the one end each of them has (RULES 6.2, 10).

Named through `lombard.core.events`, the one vocabulary. Every trigger that was placed ends once:
it is fired, or failed, or cancelled.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

# why a trigger was cancelled
TRIGGER_BY_USER: Final = 0
TRIGGER_BY_ORDER: Final = 1  # the order it belongs to has ended
TRIGGER_BY_SIBLING: Final = 2  # the other exit has fired
TRIGGER_BY_LIQUIDATION: Final = 3


@final
@mypyc_attr(acyclic=True)
class TriggerPlaced:
    """A trigger was accepted. `order_id` is the order it belongs to, 0 for none.

    One with an order of the kinds PLAN_TAKE_PROFIT and PLAN_STOP_LOSS has no size, and does not
    wait for its price, until `TriggerSized` says so.
    """

    def __init__(
        self,
        trigger_id: int,
        account: int,
        pair: int,
        plan: int,
        price_source: int,
        direction: int,
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
        order_id: int,
        client_oid: str,
        source: int,
    ) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.plan: Final = plan
        self.price_source: Final = price_source
        self.direction: Final = direction
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
        self.order_id: Final = order_id
        self.client_oid: Final = client_oid
        self.source: Final = source


@final
@mypyc_attr(acyclic=True)
class TriggerModified:
    """A waiting trigger has another price, kind or size."""

    def __init__(
        self,
        trigger_id: int,
        account: int,
        pair: int,
        direction: int,
        trigger_ticks: int,
        kind: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
    ) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.direction: Final = direction
        self.trigger_ticks: Final = trigger_ticks
        self.kind: Final = kind
        self.price_ticks: Final = price_ticks
        self.size_steps: Final = size_steps
        self.quote_units: Final = quote_units


@final
@mypyc_attr(acyclic=True)
class TriggerSized:
    """The order an exit belongs to has filled: the exit waits for its price, with this size."""

    def __init__(self, trigger_id: int, account: int, pair: int, size_steps: int) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.size_steps: Final = size_steps


@final
@mypyc_attr(acyclic=True)
class TrailStarted:
    """A trailing stop began to follow the price, at `price_ticks`."""

    def __init__(self, trigger_id: int, account: int, pair: int, price_ticks: int) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.price_ticks: Final = price_ticks


@final
@mypyc_attr(acyclic=True)
class TriggerFired:
    """A trigger's price was reached, at `reached_ticks`, and its order accepted."""

    def __init__(
        self, trigger_id: int, account: int, pair: int, reached_ticks: int, order_id: int
    ) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.reached_ticks: Final = reached_ticks
        self.order_id: Final = order_id


@final
@mypyc_attr(acyclic=True)
class TriggerFailed:
    """A trigger's price was reached, and its order refused; `refusal` names the reason."""

    def __init__(
        self,
        trigger_id: int,
        account: int,
        pair: int,
        reached_ticks: int,
        refusal: str,
        units: int,
        detail: str,
    ) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.reached_ticks: Final = reached_ticks
        self.refusal: Final = refusal
        self.units: Final = units
        self.detail: Final = detail


@final
@mypyc_attr(acyclic=True)
class TriggerCancelled:
    """A trigger will not fire; `reason` is one of the TRIGGER_ numbers."""

    def __init__(self, trigger_id: int, account: int, pair: int, reason: int) -> None:
        self.trigger_id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.reason: Final = reason
