"""The other side of the ledger: the system's own accounts, and what everybody owes.

The table `ledger` has what users hold. Here is the rest of the books (RULES 2.1): every posting to
an account of the system, and to the debt of a user, under that user's account and below zero. Both
together sum to zero, coin by coin, after every command, as the postings of each event do.

What one command moves on one account for one reason is one entry, so a taker that meets ten orders
pays two fees.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, final

from lombard.core.commands import BUY
from lombard.core.events import (
    Borrowed,
    Deposited,
    Event,
    FundPaid,
    FundTook,
    InsuranceFunded,
    LiquidationFeePaid,
    LossBooked,
    PoolFunded,
    Repaid,
    Traded,
    VenueWithdrew,
    Withdrawn,
)
from lombard.history import rows as r

Cell = int | str
# Entries of a command: more than one can bring about, as its work is bounded.
ENTRY_BITS: Final = 20
ENTRIES_MAX: Final = 1 << ENTRY_BITS


class HouseLookup(Protocol):
    """What was written before about the house's books."""

    def house_balance(self, account: int, coin: int) -> int:
        """Give the last balance of an account; 0 when there is none."""


@final
class HouseLog:
    """Turns events into the entries of the house's books."""

    def __init__(self, lookup: HouseLookup) -> None:
        self._lookup: Final = lookup
        self._balances: Final[dict[tuple[int, int], int]] = {}
        self._cells: list[Cell] = []
        # Of this command: units and the first reference, by account, coin and kind.
        self._moved: Final[dict[tuple[int, int, int], list[int]]] = {}
        self._next_id = 0
        self._seq = 0
        self._add: Final[dict[type, Callable[[Any], None]]] = {
            Borrowed: self._borrowed,
            Repaid: self._repaid,
            Deposited: self._deposited,
            Withdrawn: self._withdrawn,
            PoolFunded: lambda event: self._outside(event, r.HOUSE_POOL),
            InsuranceFunded: lambda event: self._outside(event, r.HOUSE_INSURANCE),
            VenueWithdrew: self._taken,
            FundPaid: lambda event: self._insured(event, -event.units, r.HOUSE_COMPENSATE),
            FundTook: lambda event: self._insured(event, event.units, r.HOUSE_CONFISCATED),
            LiquidationFeePaid: lambda event: self._insured(
                event, event.units, r.HOUSE_LIQUIDATION_FEE
            ),
            LossBooked: self._lost,
        }

    def begin(self, seq: int) -> None:
        """Begin a command."""
        self._seq = seq
        self._next_id = seq << ENTRY_BITS

    def add(self, event: Event) -> None:
        """Add an event that is no trade; most move nothing here."""
        add = self._add.get(type(event))
        if add is not None:
            add(event)

    def traded(self, event: Traded, coins: tuple[int, int]) -> None:
        """Add a trade's fees, each in the coin its payer received."""
        base, quote = coins
        bought, sold = event.taker_fee_units, event.maker_fee_units
        if event.taker_side != BUY:
            bought, sold = sold, bought
        if bought:
            self._move(r.HOUSE_FEES, base, bought, r.HOUSE_FEE, event.trade_id)
        if sold:
            self._move(r.HOUSE_FEES, quote, sold, r.HOUSE_FEE, event.trade_id)

    def end(self, time_ms: int) -> None:
        """Write what was moved at a moment."""
        if not self._moved:
            return
        balances = self._balances
        for (account, coin, kind), (units, reference) in self._moved.items():
            if not units:
                continue
            key = (account, coin)
            balance_units = balances.get(key)
            if balance_units is None:
                balance_units = self._lookup.house_balance(account, coin)
            balance_units += units
            balances[key] = balance_units
            house_id = self._next_id
            self._cells += (
                house_id,
                self._seq,
                account,
                coin,
                kind,
                str(units),
                str(balance_units),
                reference,
                time_ms,
            )
            self._next_id = house_id + 1
        assert self._next_id - (self._seq << ENTRY_BITS) < ENTRIES_MAX, "Invariant: entries"
        self._moved.clear()

    def take(self, cells: list[Cell]) -> None:
        """Hand over the rows, flat, and begin the next batch."""
        cells += self._cells
        self._cells = []

    def trim(self, remembered_max: int) -> None:
        """Forget what takes too much room."""
        if len(self._balances) > remembered_max:
            self._balances.clear()

    # --- what events move ---------------------------------------------------------------------

    def _move(self, account: int, coin: int, units: int, kind: int, reference: int) -> None:
        moved = self._moved.get((account, coin, kind))
        if moved is None:
            self._moved[account, coin, kind] = [units, reference]
        else:
            moved[0] += units

    def _lend(self, account: int, coin: int, units: int, kind: int, reference: int) -> None:
        """Let the pool give coins for a claim, and the account owe them."""
        self._move(r.HOUSE_POOL, coin, -units, kind, reference)
        self._move(r.HOUSE_LENT, coin, units, kind, reference)
        self._move(account, coin, -units, kind, reference)

    def _borrowed(self, event: Borrowed) -> None:
        self._lend(event.account, event.coin, event.units, r.HOUSE_BORROW, event.loan_id)

    def _repaid(self, event: Repaid) -> None:
        coin, repay_id = event.coin, event.repay_id
        self._lend(event.account, coin, -event.principal_units, r.HOUSE_REPAY, repay_id)
        self._move(r.HOUSE_INTEREST, coin, event.interest_units, r.HOUSE_REPAY, repay_id)

    def _deposited(self, event: Deposited) -> None:
        reference = event.deposit_id
        self._move(r.HOUSE_EXTERNAL, event.coin, -event.units, r.HOUSE_DEPOSIT, reference)

    def _withdrawn(self, event: Withdrawn) -> None:
        reference = event.withdrawal_id
        self._move(r.HOUSE_EXTERNAL, event.coin, event.units, r.HOUSE_WITHDRAWAL, reference)

    def _outside(self, event: PoolFunded | InsuranceFunded, account: int) -> None:
        self._move(r.HOUSE_EXTERNAL, event.coin, -event.units, r.HOUSE_FUNDING, 0)
        self._move(account, event.coin, event.units, r.HOUSE_FUNDING, 0)

    def _taken(self, event: VenueWithdrew) -> None:
        self._move(event.source, event.coin, -event.units, r.HOUSE_TAKING, 0)
        self._move(r.HOUSE_EXTERNAL, event.coin, event.units, r.HOUSE_TAKING, 0)

    def _insured(
        self, event: FundPaid | FundTook | LiquidationFeePaid, units: int, kind: int
    ) -> None:
        self._move(r.HOUSE_INSURANCE, event.coin, units, kind, event.liquidation_id)

    def _lost(self, event: LossBooked) -> None:
        """Let the claim become a loss, which takes the debt over."""
        units, reference = event.principal_units, event.liquidation_id
        self._move(r.HOUSE_LENT, event.coin, -units, r.HOUSE_LOSS, reference)
        self._move(r.HOUSE_LOSSES, event.coin, units, r.HOUSE_LOSS, reference)
        self._move(event.account, event.coin, units, r.HOUSE_LOSS, reference)
        self._move(r.HOUSE_LOST_DEBT, event.coin, -units, r.HOUSE_LOSS, reference)
