"""A loan whose interest is charged hour by hour, exactly, in fractions (RULES 4)."""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil


def half_up(value: Fraction) -> int:
    """Round halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass
class Loan:
    """What an account owes of a coin: `cum` is all interest ever charged, exact (RULES 4.2).

    `gross` is what it would be without coupons, `saved_units` what the last receipt says of them.
    """

    principal: int = 0
    cum: Fraction = Fraction(0)
    gross: Fraction = Fraction(0)
    saved_units: int = 0
    cum_units: int = 0
    paid: int = 0
    # Receipts of full hours the log has not shown yet: hour, rate, principal, units, saved.
    pending: deque[tuple[int, int, int, int, int]] = field(default_factory=deque)

    @property
    def due(self) -> int:
        """Return the interest due."""
        return self.cum_units - self.paid

    @property
    def debt(self) -> int:
        """Return principal and interest due."""
        return self.principal + self.due

    def charge(
        self, units: int, rate_e12: int, ceil_each: bool, covered: Fraction = Fraction(0)
    ) -> int:
        """Charge an hour on an amount, `covered` (units x discount) off; return what is to pay."""
        before, gross_before = self.cum_units, half_up(self.gross)
        rate = Fraction(rate_e12, 24 * 10**12)
        gross, net = units * rate, (units - covered) * rate
        self.gross += ceil(gross) if ceil_each else gross
        self.cum += ceil(net) if ceil_each else net
        self.cum_units = half_up(self.cum)
        shown = self.cum_units - before
        self.saved_units = half_up(self.gross) - gross_before - shown
        return shown
