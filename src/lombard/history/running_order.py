"""An order on its way: what its row says of it so far."""

from typing import Final, final

from lombard.core.events import OrderPlaced
from lombard.history import rows as r

Cell = int | str


@final
class RunningOrder:
    """An order that is open, or was closed in this batch."""

    __slots__ = (
        "base_units",
        "created_ms",
        "fee_units",
        "is_written",
        "placed",
        "quote_units",
        "reason",
        "status",
        "updated_ms",
    )

    def __init__(self, placed: OrderPlaced, created_ms: int) -> None:
        self.placed: Final = placed
        self.created_ms: Final = created_ms
        self.status = r.STATUS_LIVE
        self.reason = r.REASON_OPEN
        self.base_units = 0
        self.quote_units = 0
        self.fee_units = 0
        self.updated_ms = created_ms
        # Whether there is a row of it by now, which then has to be renewed.
        self.is_written = False

    def cells(self) -> tuple[Cell, ...]:
        """Write the order's row."""
        placed = self.placed
        return (
            placed.order_id,
            placed.account,
            placed.pair,
            placed.side,
            placed.kind,
            placed.force,
            placed.loan_type,
            placed.stp,
            placed.source,
            placed.client_oid,
            str(placed.price_ticks),
            str(placed.size_steps),
            str(placed.quote_units),
            self.status,
            self.reason,
            str(self.base_units),
            str(self.quote_units),
            str(self.fee_units),
            self.created_ms,
            self.updated_ms,
        )
