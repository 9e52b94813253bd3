"""The venue's terms as the auditor knows them: from accepted commands alone, in fractions."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from lombard.core import commands as c
from lombard.core.state import PARAMETERS
from lombard.sim.book import NaivePair
from lombard.sim.rates import NaiveRates

# A coin or a pair: which of the two, and its number.
What = tuple[str, int]
# The stages of a delisting.
LENDING_ENDS, REDUCE_ONLY, REPAYMENT = 1, 2, 3


@dataclass
class Price:
    """A coin's index price, in USDT a coin, and how far it may be trusted (RULES 7.7)."""

    usdt: Fraction
    sources: int
    time_ms: int
    max_age_ms: int


class NaiveTerms:
    """Coins, pairs, prices and rates in force."""

    def __init__(self) -> None:
        self.coins: list[c.SetCoin] = []
        self.coin_ids: dict[str, int] = {}
        self.pairs: list[NaivePair] = []
        self.pair_ids: dict[str, int] = {}
        self.prices: dict[int, Price] = {}
        self.pools = NaiveRates()
        self.has_rate: set[int] = set()
        # By coin and VIP level: this hour's daily rates.
        self.rates: dict[tuple[int, int], int] = {}
        self.discounts: list[int] = [10**6]
        # How far the delisting of a coin, or of a pair's isolated margin, has come.
        self.stages: defaultdict[What, int] = defaultdict(int)
        # How they begin is the venue's to say; what they do is worked out here.
        self.parameters = {name: default for name, (default, _, _) in PARAMETERS.items()}

    def change(self, cmd: c.Command) -> None:
        """Take note of the operator's new terms."""
        if isinstance(cmd, c.SetCoin):
            number = self.coin_ids.setdefault(cmd.name, len(self.coins))
            ends = self.stages["coin", number] > 0
            self.coins[number : number + 1] = [without_lending(cmd) if ends else cmd]
        elif isinstance(cmd, c.SetPair):
            number = self.pair_ids.setdefault(cmd.symbol, len(self.pairs))
            self.pairs[number : number + 1] = [self.pair(cmd)]
        elif isinstance(cmd, c.SetParameter):
            self.parameters[cmd.name] = cmd.value
        elif isinstance(cmd, c.SetVipLevels):
            self.discounts = [discount for discount, _ in cmd.levels]

    def restrict(self, cmd: c.RestrictCoin) -> None:
        """Stop or resume a coin's lending and transfers; its other terms stay."""
        coin = self.coins[cmd.coin]
        self.coins[cmd.coin] = c.SetCoin(
            coin.name, coin.decimals, coin.collateral_steps, coin.cross_tiers,
            coin.user_limit_units, coin.min_borrow_units, cmd.borrowable, cmd.transferable,
        )  # fmt: skip

    def terms_of(self, what: What) -> c.SetCoin | c.SetPair:
        """Return the terms of a coin or a pair."""
        kind, number = what
        return self.coins[number] if kind == "coin" else self.pairs[number].terms

    def put(self, what: What, terms: c.SetCoin | c.SetPair) -> None:
        """Put other terms in the place of a coin's or a pair's."""
        if isinstance(terms, c.SetCoin):
            self.coins[what[1]] = terms
        else:
            self.pairs[what[1]] = self.pair(terms)

    def enter(self, what: What, stage: int) -> None:
        """Let a delisting enter a stage."""
        self.stages[what] = stage
        if what[0] == "coin":
            self.coins[what[1]] = without_lending(self.coins[what[1]])

    def pair(self, cmd: c.SetPair) -> NaivePair:
        """Make a pair of its terms; a trade of it must never round (RULES 1.2)."""
        base, quote = self.coins[cmd.base], self.coins[cmd.quote]
        tick = Fraction(cmd.tick_e12, 10**12)
        whole = tick * Fraction(cmd.step_units, 10**base.decimals) * 10**quote.decimals
        assert whole.denominator == 1
        return NaivePair(
            cmd.base,
            cmd.quote,
            tick,
            cmd.step_units,
            int(whole),
            Fraction(cmd.maker_fee_e6, 10**6),
            Fraction(cmd.taker_fee_e6, 10**6),
            cmd,
        )

    def set_prices(self, cmd: c.SetIndexPrices, time_ms: int) -> None:
        """Take note of index prices."""
        for coin, price_e12, sources, _, max_age_ms in cmd.prices:
            usdt = Fraction(price_e12, 10**12)
            self.prices[coin] = Price(usdt, sources, time_ms, max_age_ms)

    def set_rate(self, coin: int, rate_e12: int) -> None:
        """Take note of a rate: it holds from the next hour, the very first one at once."""
        if coin not in self.has_rate:
            self.rate_levels(coin, rate_e12)
        self.has_rate.add(coin)

    def turn_hour(self, hour_ms: int) -> list[int]:
        """Put the rates of the next hour in force; return them, by coin."""
        rates = [self.pools.turn(coin, hour_ms) for coin in range(len(self.coins))]
        for coin, rate_e12 in enumerate(rates):
            self.rate_levels(coin, rate_e12)
        return rates

    def rate_levels(self, coin: int, rate_e12: int) -> None:
        """Discount a rate for every level, rounded up (RULES 5.1)."""
        for level, discount in enumerate(self.discounts):
            self.rates[coin, level] = ceil(Fraction(rate_e12 * discount, 10**6))

    def band(self, pair_id: int, parameter: str) -> tuple[int, int]:
        """Return the lowest and the highest price inside a band around the index (RULES 7.6)."""
        pair = self.pairs[pair_id]
        centre = self.prices[pair.base].usdt / self.prices[pair.quote].usdt / pair.tick
        width = Fraction(self.parameters[parameter], 10**6)
        return max(1, ceil(centre * (1 - width))), max(1, floor(centre * (1 + width)))

    def trusted(self, coin: int, time_ms: int) -> bool:
        """Say whether a price is fresh and of two sources (RULES 7.7)."""
        price = self.prices.get(coin)
        if price is None or price.sources < 2:
            return False
        return price.max_age_ms == 0 or time_ms - price.time_ms <= price.max_age_ms

    def unit_value(self, coin: int) -> Fraction:
        """Return what a unit of a coin is worth, in USDT; nothing while there is no price."""
        price = self.prices.get(coin)
        return price.usdt / 10 ** self.coins[coin].decimals if price else Fraction(0)

    def weighed(self, slot: int, coin: int, excess: int) -> Fraction:
        """Cut an excess by the collateral ratio, bracket by bracket (RULES 7.2)."""
        if slot >= c.SLOT_ISOLATED:
            return Fraction(excess)
        weighed_e6 = 0
        floor_units = 0
        for up_to, ratio_e6 in self.coins[coin].collateral_steps:
            top = min(excess, up_to) if up_to else excess
            weighed_e6 += max(0, top - floor_units) * ratio_e6
            floor_units = up_to
        return Fraction(weighed_e6, 10**6)

    def maintenance(self, slot: int, coin: int, debt: int, principals: dict[int, int]) -> Fraction:
        """Return MMR x debt, marginal by principal; interest counts at its last rate."""
        if slot >= c.SLOT_ISOLATED:
            pair = self.pairs[slot - c.SLOT_ISOLATED]
            base, quote = principals.get(pair.base, 0), principals.get(pair.quote, 0)
            tiers = pair.terms.isolated_tiers
            fitting = [row for row in tiers if base <= row[0] and quote <= row[1]]
            return debt * Fraction((fitting or tiers[-1:])[0][3], 10**6)
        principal = principals.get(coin, 0)
        needed_e6, floor_units, rate_e6 = 0, 0, 0
        for max_units, _, mmr_e6 in self.coins[coin].cross_tiers:
            if floor_units and principal <= floor_units:
                break
            rate_e6 = mmr_e6
            needed_e6 += (min(principal, max_units) - floor_units) * rate_e6
            floor_units = max_units
        needed_e6 += (debt - min(principal, floor_units)) * rate_e6
        return Fraction(needed_e6, 10**6)


def without_lending(coin: c.SetCoin) -> c.SetCoin:
    """Return a coin's terms, but that nothing of it is lent."""
    return c.SetCoin(
        coin.name, coin.decimals, coin.collateral_steps, coin.cross_tiers, coin.user_limit_units,
        coin.min_borrow_units, False, coin.transferable,
    )  # fmt: skip
