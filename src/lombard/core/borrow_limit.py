"""How much may be borrowed: every bound by name, and the least of them (RULES 6.1).

A limit that nobody can follow is a quarrel. Each bound is a `Term` with its own amount; the limit
is the least of them, and says which one it is. `explain` shows the same list to whoever asks.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.interest import level_at
from lombard.core.risk import (
    Risk,
    assess,
    debt_units,
    high_price_e12,
    isolated_tier,
    leverage_room_units,
)
from lombard.core.state import Account, Coin, State, User
from lombard.core.terms import Term
from lombard.core.units import RATIO_ONE_E6

BY_LEVERAGE: Final = "leverage"
BY_TIER: Final = "tier"
BY_RATIO: Final = "ratio"
BY_USER_LIMIT: Final = "user_limit"
BY_POOL: Final = "pool"


@final
class Limit:
    """The most that may be borrowed, in units, and which bound binds (RULES 6.1)."""

    __slots__ = ("binding", "tier", "units")

    def __init__(self, units: int, binding: str, tier: int = 0) -> None:
        self.units: Final = units
        self.binding: Final = binding
        self.tier: Final = tier


def tiers_of(account: Account, coin: Coin) -> list[tuple[int, int]]:
    """Return `(max_units, leverage)` of the tiers a coin may be borrowed in, lowest first."""
    pair = account.pair
    if pair is None:
        return [(max_units, leverage) for max_units, leverage, _ in coin.cross_tiers]
    if coin is pair.base:
        return [(base_max, leverage) for base_max, _, leverage, _ in pair.isolated_tiers]
    return [(quote_max, leverage) for _, quote_max, leverage, _ in pair.isolated_tiers]


def lowered(account: Account, leverage: int) -> int:
    """Return a tier's leverage, or the account's own if that is lower."""
    return account.leverage if 0 < account.leverage < leverage else leverage


def owed_by_user(state: State, user: User, coin: Coin) -> int:
    """Return what a user owes of a coin over all accounts."""
    owed = 0
    for account in user.accounts:
        balance = account.find(coin) if account.debts else None
        if balance is not None:
            owed += debt_units(state, account, balance)
    return owed


def borrow_terms(state: State, account: Account, coin: Coin) -> list[Term]:
    """Return every bound of RULES 6.1, two for each tier; the coin must have a price."""
    assert coin.price_e12 > 0
    risk = assess(state, account, caution=True)
    balance = account.find(coin)
    principal = 0 if balance is None else balance.principal_units
    terms: list[Term] = []
    tier = 0
    for max_units, tier_leverage in tiers_of(account, coin):
        tier += 1
        room = leverage_room_units(risk, lowered(account, tier_leverage), coin)
        terms.append(Term(BY_LEVERAGE, room, tier))
        terms.append(Term(BY_TIER, max_units - principal, tier))
    if tier:
        owed = 0 if balance is None else debt_units(state, account, balance)
        terms.append(Term(BY_RATIO, ratio_room_units(account, coin, risk, principal, owed)))
    level = level_at(account.user, state.hour)
    allowed = coin.user_limit_units * state.vip_levels[level][1] // RATIO_ONE_E6
    terms.append(Term(BY_USER_LIMIT, allowed - owed_by_user(state, account.user, coin)))
    terms.append(Term(BY_POOL, coin.pool_units))
    return terms


def least(terms: list[Term]) -> Limit:
    """Return the least of the best tier and every other bound; on a tie the earlier one."""
    best = Limit(0, BY_LEVERAGE)
    leverage: Term | None = None
    for term in terms:
        if term.name == BY_LEVERAGE:
            leverage = term
        elif term.name == BY_TIER:
            assert leverage is not None
            assert leverage.tier == term.tier
            tighter = term if term.units < leverage.units else leverage
            if tighter.units > best.units:
                best = Limit(tighter.units, tighter.name, tighter.tier)
        elif term.units < best.units:
            best = Limit(max(0, term.units), term.name)
    return best


def max_borrowable(state: State, account: Account, coin: Coin) -> Limit:
    """Return the most that may be borrowed of a coin, and what bounds it (RULES 6.1)."""
    if coin.price_e12 == 0:
        return Limit(0, BY_LEVERAGE)
    return least(borrow_terms(state, account, coin))


def ratio_room_units(
    account: Account, coin: Coin, risk: Risk, principal_units: int, owed_units: int
) -> int:
    """Return how much more may be owed before 2K > N, never below 0.

    A loan leaves N as it is and raises K, in each bracket at its own rate. A catalogue of one tier
    never comes here: RULES 7.4 keeps it below by leverage alone.
    """
    price = high_price_e12(coin) * coin.value_scale
    if account.pair is not None:
        return _isolated_ratio_room(account, coin, risk, principal_units, price)
    tiers = coin.cross_tiers
    last = len(tiers) - 1
    spare = risk.net_e26 - 2 * risk.maintenance_e26
    interest = owed_units - principal_units
    room = 0
    for tier, (max_units, _, mmr_e6) in enumerate(tiers):
        if principal_units > max_units and tier < last:
            continue
        fits = spare // (2 * price * mmr_e6)
        left = max_units - principal_units
        if tier == last or fits < left:
            return room + max(0, fits)
        room += left
        spare -= 2 * price * mmr_e6 * left
        principal_units = max_units
        # Beyond the edge the interest counts at the next rate too.
        spare -= 2 * price * interest * (tiers[tier + 1][2] - mmr_e6)
    raise AssertionError("Invariant: a coin that is lent has no tiers")


def _isolated_ratio_room(
    account: Account, coin: Coin, risk: Risk, principal_units: int, price: int
) -> int:
    """Return the same for an isolated account, whose tier's rate applies to all that it owes."""
    pair = account.pair
    assert pair is not None
    tiers = pair.isolated_tiers
    owed = risk.debt_e26 // RATIO_ONE_E6
    room = 0
    for tier in range(isolated_tier(account), len(tiers)):
        base_max, quote_max, _, mmr_e6 = tiers[tier]
        fits = (risk.net_e26 - 2 * mmr_e6 * owed) // (2 * mmr_e6 * price)
        left = (base_max if coin is pair.base else quote_max) - principal_units
        if tier == len(tiers) - 1 or fits < left:
            return max(room, fits)
        room = left
    raise AssertionError("Invariant: an isolated account is in no tier")
