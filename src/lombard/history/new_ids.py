"""Which id was new with an event: ids rise with time, so a time finds the ids of its minute."""

from lombard.core.events import (
    Borrowed,
    Deposited,
    Event,
    LiquidationStarted,
    OrderPlaced,
    Repaid,
    Traded,
    Transferred,
    TriggerPlaced,
    Withdrawn,
)


def new_id_of(event: Event) -> int:
    """Give the id that was new with an event; 0 for one that names only what was there before."""
    if isinstance(event, OrderPlaced):
        return event.order_id
    if isinstance(event, Traded):
        return event.trade_id
    if isinstance(event, Borrowed):
        return event.loan_id
    if isinstance(event, Repaid):
        return event.repay_id
    if isinstance(event, Transferred):
        return event.transfer_id
    if isinstance(event, Deposited):
        return event.deposit_id
    if isinstance(event, Withdrawn):
        return event.withdrawal_id
    if isinstance(event, LiquidationStarted):
        return event.liquidation_id
    if isinstance(event, TriggerPlaced):
        return event.trigger_id
    return 0
