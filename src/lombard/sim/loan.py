"""A loan whose interest is charged hour by hour, exactly, in fractions (RULES 4)."""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor


def half_up(value: Fraction) -> int:
    """Round halves up."""
    return floor(value + Fraction(1, 2))


@dataclass
class Loan:
    """What an account owes of a coin: `cum` is all interest ever charged, exact (RULES 4.2)."""

    principal: int = 0
    cum: Fraction = Fraction(0)
    cum_units: int = 0
    paid: int = 0
    # Receipts of full hours the log has not shown yet: hour, rate, principal, units.
    pending: deque[tuple[int, int, int, int]] = field(default_factory=deque)

    @property
    def due(self) -> int:
        """Return the interest due."""
        return self.cum_units - self.paid

    @property
    def debt(self) -> int:
        """Return principal and interest due."""
        return self.principal + self.due

    def charge(self, units: int, rate_e12: int, ceil_each: bool) -> int:
        """Charge an hour on an amount; return what the receipt shows."""
        before = self.cum_units
        hour = Fraction(units * rate_e12, 24 * 10**12)
        self.cum += ceil(hour) if ceil_each else hour
        self.cum_units = half_up(self.cum)
        return self.cum_units - before
