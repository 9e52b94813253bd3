"""What may be borrowed, and why not, in fractions (RULES 6.1, 7.7)."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.sim.venue import Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

REFUSALS = {
    "leverage": Refusal.BORROW_OVER_LEVERAGE,
    "tier": Refusal.BORROW_OVER_LEVERAGE,
    "ratio": Refusal.BORROW_OVER_RATIO,
    "user_limit": Refusal.BORROW_OVER_USER_LIMIT,
    "pool": Refusal.BORROW_OVER_POOL,
}


class Most(NamedTuple):
    """The most that may be borrowed, and what binds; of equals the first named."""

    units: int
    binding: str


def may_hold(a: Auditor, account: int, coin: int) -> bool:
    """Say whether an account is one for a coin: an isolated one is for its pair's two."""
    slot = c.slot_of(account)
    if slot < c.SLOT_ISOLATED:
        return True
    pair = a.terms.pairs[slot - c.SLOT_ISOLATED]
    return coin in (pair.base, pair.quote)


def tiers(a: Auditor, account: int, coin: int) -> list[tuple[int, int]]:
    """Return up to how much of a coin may be owed at which leverage."""
    slot = c.slot_of(account)
    if slot < c.SLOT_ISOLATED:
        return [(row[0], row[1]) for row in a.terms.coins[coin].cross_tiers]
    pair = a.terms.pairs[slot - c.SLOT_ISOLATED]
    column = 0 if coin == pair.base else 1
    return [(row[column], row[2]) for row in pair.terms.isolated_tiers]


def stale(a: Auditor, coin: int) -> bool:
    """Say whether a coin's index is missing or older than its source allows (RULES 7.7)."""
    price = a.terms.prices.get(coin)
    if price is None:
        return True
    return bool(price.max_age_ms) and a.time_ms - price.time_ms > price.max_age_ms


def index_problem(a: Auditor, account: int) -> int | None:
    """Return the first coin of an account whose index is stale."""
    for coin in range(len(a.terms.coins)):
        if a.holds((account, coin)) and stale(a, coin):
            return coin
    return None


def refuse_lending(a: Auditor, account: int, coin: int) -> Answer | None:
    """Say why nothing of a coin is lent to an account, whatever the amount."""
    terms = a.terms.coins[coin]
    if not (terms.borrowable and coin in a.terms.has_rate and tiers(a, account, coin)):
        return Answer(Refusal.NOT_BORROWABLE)
    if a.terms.stages["pair", c.slot_of(account) - c.SLOT_ISOLATED]:
        return Answer(Refusal.NOT_BORROWABLE)
    problem = coin if stale(a, coin) else index_problem(a, account)
    if problem is not None:
        return Answer(Refusal.INDEX_STALE, None, a.terms.coins[problem].name)
    return None


def limit(a: Auditor, account: int, coin: int) -> Most:
    """Return the least of leverage room, tier, ratio, user limit and pool (RULES 6.1)."""
    slow = a.slow.values(a.terms)
    price = max(a.terms.unit_value(coin), slow.get(coin, Fraction(0)))
    if not price:
        return Most(0, "leverage")
    net, debt, _ = a.risk(account, slow)
    own = a.venue.leverage.get(account, 0)
    most = Most(0, "leverage")
    for top_units, top in tiers(a, account, coin):
        leverage = min(own, top) if own else top
        room = floor(((leverage - 1) * net - debt) / price)
        left = top_units - a.loans[account, coin].principal
        found = Most(left, "tier") if left < room else Most(room, "leverage")
        if found.units > most.units:
            most = found
    calm = calm_room(a, account, coin, slow, most.units)
    if calm < most.units:
        most = Most(calm, "ratio")
    user = c.user_of(account)
    owed = sum(a.loans[other, coin].debt for other in a.venue.accounts_of[user])
    multiplier = Fraction(a.venue.multipliers[a.levels[user]], 10**6)
    unused = floor(a.terms.coins[coin].user_limit_units * multiplier) - owed
    if unused < most.units:
        most = Most(max(0, unused), "user_limit")
    if a.venue.pools[coin] < most.units:
        most = Most(a.venue.pools[coin], "pool")
    return most


def calm_room(a: Auditor, account: int, coin: int, slow: dict[int, Fraction], most: int) -> int:
    """Return up to how much, `most` at most, every loan leaves the ratio at 0.5 or less.

    Within a tier the need rises evenly: two of its loans tell of all of them.
    """

    def spare(units: int) -> Fraction:
        net, _, needed = a.risk(account, slow, {coin: (units, units, units)})
        return net - 2 * needed

    room = 0
    principal = a.loans[account, coin].principal
    for top_units, _ in tiers(a, account, coin):
        edge = min(top_units - principal, most)
        if edge <= room:
            continue
        first, last = spare(room + 1), spare(edge)
        if first < 0:
            return room
        if last < 0:
            each = (first - last) / (edge - room - 1)
            return room + 1 + floor(first / each)
        room = edge
    return room


def refuse_over_limit(most: Most, units: int) -> Answer | None:
    """Refuse more than the most, and name what binds."""
    if units <= most.units:
        return None
    return Answer(REFUSALS[most.binding], most.units, most.binding)
