"""What a liquidation may cost its account, in fractions: the fee, and what the fund takes over."""

from collections import defaultdict
from fractions import Fraction
from math import floor

from lombard.core import commands as c
from lombard.core import events as e
from lombard.sim.terms import NaiveTerms

# What is of interest here.
OF_LIQUIDATION = (
    e.LiquidationStarted,
    e.Repaid,
    e.FundTook,
    e.LiquidationStepped,
    e.LiquidationFeePaid,
    e.LiquidationFinished,
)


class NaiveLiquidations:
    """Adds up, per account, what was repaid and what was taken."""

    def __init__(self, terms: NaiveTerms) -> None:
        self.terms = terms
        self.due: defaultdict[int, Fraction] = defaultdict(Fraction)
        self.fee: defaultdict[int, Fraction] = defaultdict(Fraction)
        # Of the step at hand: what the fund may take, and has taken.
        self.owed: dict[int, Fraction] = {}
        self.taken: defaultdict[int, Fraction] = defaultdict(Fraction)

    def note(self, event: e.Event, debt: Fraction) -> None:
        """Check an event of a liquidation; `debt` is what its account owed before, in USDT."""
        match event:
            case e.LiquidationStarted():
                self.due[event.account] = self.fee[event.account] = Fraction(0)
            case e.Repaid(kind=e.REPAY_LIQUIDATION):
                value = self.value(event.coin, event.interest_units + event.principal_units)
                self.due[event.account] += value * self.rate(event.account)
            case e.FundTook():
                # Coins worth the whole debt and not a unit more (RULES 8.4).
                owed = self.owed.setdefault(event.account, debt)
                assert self.taken[event.account] < owed
                self.taken[event.account] += self.value(event.coin, event.units)
                unit = self.value(event.coin, 1)
                assert self.taken[event.account] < owed + unit
            case e.LiquidationStepped():
                self.owed.pop(event.account, None)
                self.taken.pop(event.account, None)
                assert event.action != "takeover" or debt == 0
            case e.LiquidationFeePaid():
                # The rate times the debt repaid, at most (RULES 8.5).
                self.fee[event.account] += self.value(event.coin, event.units)
                assert self.fee[event.account] <= self.due[event.account]
            case e.LiquidationFinished():
                assert floor(self.fee[event.account] * 10**8) == event.fee_value_e8
                assert event.account not in self.owed

    def value(self, coin: int, units: int) -> Fraction:
        """Value units at the index, in USDT."""
        return self.terms.unit_value(coin) * units

    def rate(self, account: int) -> Fraction:
        """Return the liquidation fee of an account's kind."""
        slot = c.slot_of(account)
        if slot >= c.SLOT_ISOLATED:
            return Fraction(
                self.terms.pairs[slot - c.SLOT_ISOLATED].terms.liquidation_fee_e6, 10**6
            )
        return Fraction(self.terms.parameters["crossed_liquidation_fee_e6"], 10**6)
