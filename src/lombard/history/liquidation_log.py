"""The record of a liquidation: where it stood, what each step did, how it ended (RULES 8.6).

The events of a step come before the event that ends it: they are held until it says its number.
"""

from typing import Final, Protocol, final

import msgspec

from lombard.core.events import (
    FundPaid,
    FundTook,
    LiquidationFeePaid,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationStepped,
    LossBooked,
    Repaid,
)
from lombard.history import rows as r

Cell = int | str


@final
class RunningLiquidation:
    """A liquidation that goes on; `last_step` has ended, `entries` have been written."""

    __slots__ = (
        "entries",
        "fee_value_e8",
        "finished_ms",
        "last_step",
        "ratio_after_e6",
        "started",
        "started_ms",
    )

    def __init__(
        self, started: LiquidationStarted, started_ms: int, last_step: int, entries: int
    ) -> None:
        self.started: Final = started
        self.started_ms: Final = started_ms
        self.last_step = last_step
        self.entries = entries
        self.finished_ms = 0
        self.ratio_after_e6 = 0
        self.fee_value_e8 = 0

    def cells(self) -> tuple[Cell, ...]:
        """Write the liquidation's row."""
        started = self.started
        return (
            started.liquidation_id,
            started.account,
            self.started_ms,
            str(started.ratio_e6),
            str(started.assets_value_e8),
            str(started.debt_value_e8),
            self.finished_ms,
            str(self.ratio_after_e6),
            str(self.fee_value_e8),
        )


class LiquidationLookup(Protocol):
    """What was written before about a liquidation that goes on."""

    def liquidation(self, account: int) -> RunningLiquidation:
        """Give an account's running liquidation; raises `HistoryError` when there is none."""


# kind, coin, units, interest_units, reference_id
_Entry = tuple[int, int, int, int, int]


@final
class LiquidationLog:
    """Turns the events of liquidations into rows."""

    def __init__(self, lookup: LiquidationLookup, rows: dict[str, list[Cell]]) -> None:
        self._lookup: Final = lookup
        self._rows: Final = rows
        self._running: Final[dict[int, RunningLiquidation]] = {}
        self._changed: dict[int, RunningLiquidation] = {}
        # What this command's step has done so far, by account.
        self._held: Final[dict[int, list[_Entry]]] = {}

    def started(self, event: LiquidationStarted, time_ms: int) -> None:
        """Open the record."""
        running = self._running[event.account] = RunningLiquidation(event, time_ms, 0, 0)
        self._changed[event.liquidation_id] = running

    def repaid(self, event: Repaid) -> None:
        """Note a repayment of the step that is going on."""
        units, interest_units = event.principal_units, event.interest_units
        entry = (r.ENTRY_REPAID, event.coin, units, interest_units, event.repay_id)
        self._held.setdefault(event.account, []).append(entry)

    def loss_booked(self, event: LossBooked) -> None:
        """Note what nobody could pay."""
        entry = (r.ENTRY_LOSS, event.coin, event.principal_units, event.interest_units, 0)
        self._held.setdefault(event.account, []).append(entry)

    def settled(self, kind: int, event: FundPaid | FundTook | LiquidationFeePaid) -> None:
        """Note what the insurance fund gave or took."""
        entry = (kind, event.coin, event.units, 0, 0)
        self._held.setdefault(event.account, []).append(entry)

    def stepped(self, event: LiquidationStepped, time_ms: int) -> None:
        """Write a step, and what was done in it."""
        running = self._of(event.account)
        running.last_step = event.step
        self._rows["liquidation_steps"] += (
            event.liquidation_id,
            event.step,
            event.account,
            event.action,
            event.sold_coin,
            event.bought_coin,
            event.order_id,
            # Prices may pass 64 bits, which JSON does not mind and msgspec does: they go as text.
            msgspec.json.encode([(coin, str(e12)) for coin, e12 in event.prices]).decode(),
            str(event.ratio_before_e6),
            str(event.ratio_after_e6),
            time_ms,
        )
        self._release(event.account, running, event.step, time_ms)

    def finished(self, event: LiquidationFinished, time_ms: int) -> None:
        """Close the record."""
        running = self._of(event.account)
        self._release(event.account, running, running.last_step + 1, time_ms)
        running.finished_ms = time_ms
        running.ratio_after_e6 = event.ratio_e6
        running.fee_value_e8 = event.fee_value_e8
        self._changed[event.liquidation_id] = running
        del self._running[event.account]

    def end_command(self, time_ms: int) -> None:
        """Write what was done outside any step: nothing is held from one command to the next."""
        for account in list(self._held):
            running = self._of(account)
            self._release(account, running, running.last_step + 1, time_ms)

    def take(self) -> None:
        """Write the records opened or closed in this batch."""
        for running in self._changed.values():
            self._rows["liquidations"] += running.cells()
        self._changed = {}

    def _of(self, account: int) -> RunningLiquidation:
        running = self._running.get(account)
        if running is None:
            running = self._running[account] = self._lookup.liquidation(account)
        return running

    def _release(self, account: int, running: RunningLiquidation, step: int, time_ms: int) -> None:
        liquidation_id = running.started.liquidation_id
        for kind, coin, units, interest_units, reference_id in self._held.pop(account, ()):
            self._rows["liquidation_entries"] += (
                liquidation_id,
                running.entries,
                step,
                kind,
                coin,
                str(units),
                str(interest_units),
                reference_id,
                time_ms,
            )
            running.entries += 1
