"""Coupons hour by hour and charge by charge, in fractions (RULES 9.3).

At every charge every coupon of the user is asked anew; nothing is remembered but what was claimed,
started and bound. No code is shared with the engine.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from tests.core.naive_loan import half_up

Key = tuple[int, int]  # account, coin
HOUR_MS = 3_600_000


@dataclass
class NaiveCoupon:
    """A claimed coupon, whose it is once it is bound, and from when to when it runs."""

    number: int
    discount: Fraction
    caps: dict[int, int]
    duration_ms: int
    start_ms: int | None = None
    account: int | None = None
    # The full hour whose charge was the first use of it.
    begun_by_ms: int | None = None

    def end_ms(self, now_ms: int) -> int:
        """Return when it ends, or would if it started now."""
        return (now_ms if self.start_ms is None else self.start_ms) + self.duration_ms

    def order(self, now_ms: int) -> tuple[bool, Fraction, int, int]:
        """Already active, higher discount, sooner to expire, id."""
        idle = self.start_ms is None or self.begun_by_ms == now_ms
        return idle, -self.discount, self.end_ms(now_ms), self.number


@dataclass
class Debt:
    """A balance's principal, its interest without coupons, and what they saved, all exact."""

    principal: int = 0
    gross: Fraction = Fraction(0)
    saved: Fraction = Fraction(0)
    paid: int = 0

    @property
    def due(self) -> int:
        """Return the interest due."""
        return half_up(self.gross - self.saved) - self.paid


@dataclass
class NaiveUser:
    """A user's debts and claimed coupons."""

    ceil_each: bool
    debts: dict[Key, Debt] = field(default_factory=dict)
    coupons: list[NaiveCoupon] = field(default_factory=list)

    def able(self, key: Key, now_ms: int) -> list[NaiveCoupon]:
        """Return the coupons that could cover a charge, in order."""
        account, coin = key
        found = [
            coupon
            for coupon in self.coupons
            if coin in coupon.caps
            and coupon.account in (None, account)
            and now_ms < coupon.end_ms(now_ms)
        ]
        return sorted(found, key=lambda coupon: coupon.order(now_ms))

    def bind(self, coupon: NaiveCoupon, account: int, now_ms: int, hour: bool) -> None:
        coupon.account = account
        if coupon.start_ms is None:
            coupon.start_ms = now_ms
            coupon.begun_by_ms = now_ms if hour else None

    def add(self, debt: Debt, units: int, rate_e12: int, covered: Fraction) -> None:
        """Charge an amount; `covered` is units x discount."""
        gross = Fraction(units * rate_e12, 24 * 10**12)
        saved = covered * Fraction(rate_e12, 24 * 10**12)
        if self.ceil_each:
            saved = Fraction(ceil(gross) - ceil(gross - saved))
            gross = Fraction(ceil(gross))
        debt.gross += gross
        debt.saved += saved

    def turn(self, hour_ms: int, rates: dict[int, int]) -> None:
        """Charge every debt a full hour."""
        owed = [key for key in sorted(self.debts) if self.debts[key].principal]
        for key in owed:
            laid = 0
            for coupon in self.able(key, hour_ms):
                if laid < self.debts[key].principal:
                    if coupon.account is None:
                        self.bind(coupon, key[0], hour_ms, hour=True)
                    laid += coupon.caps[key[1]]
        for key in owed:
            debt = self.debts[key]
            left, covered = debt.principal, Fraction(0)
            for coupon in self.able(key, hour_ms):
                if coupon.account == key[0]:
                    units = min(left, coupon.caps[key[1]])
                    covered += units * coupon.discount
                    left -= units
            self.add(debt, debt.principal, rates[key[1]], covered)

    def borrow(self, key: Key, units: int, now_ms: int, rate_e12: int) -> None:
        """Charge a new loan the hour it is borrowed in."""
        debt = self.debts.setdefault(key, Debt())
        low, high = debt.principal, debt.principal + units
        debt.principal = high
        position, covered = 0, Fraction(0)
        for coupon in self.able(key, now_ms):
            top = position + coupon.caps[key[1]]
            part = max(0, min(high, top) - max(low, position))
            if position >= high or (coupon.account is None and not part):
                continue
            if coupon.account is None:
                self.bind(coupon, key[0], now_ms, hour=False)
            covered += part * coupon.discount
            position = top
        self.add(debt, units, rate_e12, covered)
