"""Rate models and utilisation as the auditor knows them: from events alone, in fractions."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from lombard.core import events as e
from lombard.sim.venue import POOL

FLAT_KINK = 10**6


@dataclass
class Pool:
    """What is lent of a coin and what may be, and both weighed by the time of this hour so far."""

    since_ms: int = 0
    lent: int = 0
    supplied: int = 0
    lent_ms: int = 0
    supplied_ms: int = 0

    def pass_to(self, time_ms: int) -> None:
        """Let time pass with things as they are."""
        self.lent_ms += self.lent * (time_ms - self.since_ms)
        self.supplied_ms += self.supplied * (time_ms - self.since_ms)
        self.since_ms = time_ms


class NaiveRates:
    """Every coin's pool and the model that makes its rates (RULES 5.1)."""

    def __init__(self) -> None:
        self.pools: defaultdict[int, Pool] = defaultdict(Pool)
        self.models: dict[int, tuple[int, int, int, int, int]] = {}

    def note(self, event: e.Event, time_ms: int) -> None:
        """Take note of what was lent, given back, lost and supplied, and of new models."""
        match event:
            case e.Borrowed():
                self.change(event.coin, event.units, 0, time_ms)
            case e.Repaid():
                self.change(event.coin, -event.principal_units, 0, time_ms)
            case e.LossBooked():
                units = event.principal_units
                self.change(event.coin, -units, -units, time_ms)
            case e.PoolFunded():
                self.change(event.coin, 0, event.units, time_ms)
            case e.VenueWithdrew():
                if event.source == POOL:
                    self.change(event.coin, 0, -event.units, time_ms)
            case e.RateSet():
                rate_e12 = event.rate_e12
                # A curve that is a coin's first model tells its first rate like this, too.
                if event.coin not in self.models or event.from_ms > time_ms:
                    self.models[event.coin] = (rate_e12, FLAT_KINK, rate_e12, rate_e12, 0)
            case e.RateModelSet():
                self.models[event.coin] = (
                    event.base_e12,
                    event.kink_e6,
                    event.at_kink_e12,
                    event.at_full_e12,
                    event.premium_e12,
                )

    def change(self, coin: int, lent: int, supplied: int, time_ms: int) -> None:
        pool = self.pools[coin]
        pool.pass_to(time_ms)
        pool.lent += lent
        pool.supplied += supplied

    def turn(self, coin: int, hour_ms: int) -> int:
        """End an hour; return the rate that it makes for the next."""
        pool = self.pools[coin]
        pool.pass_to(hour_ms)
        used = Fraction(pool.lent_ms, pool.supplied_ms) if pool.supplied_ms else Fraction(0)
        pool.lent_ms = pool.supplied_ms = 0
        return self.rate(coin, used)

    def rate(self, coin: int, used: Fraction) -> int:
        """Return the rate at a utilisation, rounded up."""
        base, kink_e6, at_kink, at_full, premium = self.models.get(coin, (0, FLAT_KINK, 0, 0, 0))
        kink = Fraction(kink_e6, 10**6)
        if used <= kink:
            return ceil(base + (at_kink - base) * used / kink + premium)
        return ceil(at_kink + (at_full - at_kink) * (used - kink) / (1 - kink) + premium)
