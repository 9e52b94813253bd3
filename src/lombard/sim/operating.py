"""What the operator does while users trade: rates, funds, levels, terms, listings, parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core.state import PARAMETERS
from lombard.sim import stage

if TYPE_CHECKING:
    from lombard.sim.faults import Asked
    from lombard.sim.traffic import Traffic


def rate(t: Traffic) -> Asked:
    """Set a daily rate or a curve, at times a usurious one."""
    r = t.random
    rates = [0, 10**8, 126_279_000, 10**9, 3 * 10**10, 10**12, 10**13]
    if r.randrange(2):
        return c.VENUE, c.SetRate(r.randrange(7), r.choice(rates))
    base, at_kink, at_full = sorted(r.choices(rates, k=3))
    kink_e6 = r.choice([0, 1, 10**5, 8 * 10**5, 10**6])
    return c.VENUE, c.SetRateModel(r.randrange(7), base, kink_e6, at_kink, at_full, rates[1])


def fund(t: Traffic) -> Asked:
    """Add to a pool or to the insurance fund."""
    coin, units = t.random.randrange(7), t.random.choice([0, 1, 10**9])
    if t.random.randrange(2):
        return c.VENUE, c.FundPool(coin, units)
    return c.VENUE, c.FundInsurance(coin, units)


def level(t: Traffic) -> Asked:
    """Put a user on a level, or change what the levels mean."""
    r = t.random
    if r.randrange(4):
        return c.VENUE, c.SetUserLevel(r.choice([*t.users, 5]), r.randrange(4))
    levels = [(10**6, 10**6)]
    for _ in range(r.randrange(4)):
        levels.append((r.randrange(10**6 + 1), r.randrange(10**5, 3 * 10**6)))
    return c.VENUE, c.SetVipLevels(levels)


def coin_terms(t: Traffic) -> Asked:
    """Change a coin's collateral ratio, tiers and limits."""
    r = t.random
    coin = r.choice(t.world.state.coins)
    top = r.choice([10**5, 10**6]) * 10**coin.decimals
    ratio = r.choice([10**6, 950_000, 700_000, 400_000])
    steps = r.choice(
        [
            [(0, ratio)],
            [(top // 50, ratio), (0, ratio // 2)],
            [(top // 900, ratio), (top // 90, ratio // 2), (0, ratio // 5)],
            [(5, 9)],
        ]
    )
    mmr = r.choice([60_000, 100_000, 150_000])
    tiers = r.choice(
        [
            [(top, r.randrange(1, 5), mmr)],
            [(top // 100, 3, mmr), (top // 10, 2, mmr + 50_000), (top, 2, 300_000)],
            [(top, 9, 400_000)],
        ]
    )
    limit = r.choice([coin.user_limit_units, top // 100, top])
    borrowable, transferable = r.randrange(12) > 0, r.randrange(12) > 0
    cmd = c.SetCoin(
        coin.name, coin.decimals, steps, tiers, limit, r.choice([1, 1000]), borrowable,
        transferable,
    )  # fmt: skip
    return c.VENUE, cmd


def pair_terms(t: Traffic) -> Asked:
    """Change a pair's fees, precision, tiers; stop and resume its trading."""
    r = t.random
    pair = r.choice(t.world.state.pairs[: len(t.ticks)])
    base, quote = pair.base.user_limit_units, pair.quote.user_limit_units
    tiers = r.choice(
        [
            [(base + 1, quote + 1, r.randrange(1, 12), r.choice([50_000, 90_000]))],
            [
                (base // 50 + 1, quote // 50 + 1, 8, 60_000),
                (base + 2, quote + 2, r.randrange(1, 5), r.choice([55_000, 140_000])),
            ],
        ]
    )
    return c.VENUE, stage.pair_terms(
        pair,
        tick_e12=t.ticks[pair.id] * r.choice([1, 1, 1, 10]) // r.choice([1, 1, 1, 10]),
        maker_fee_e6=r.choice([0, 200, 1000]),
        taker_fee_e6=r.choice([0, 1000, 1000, 3000, 60_000]),
        min_value_units=r.choice([0, pair.min_value_units, 10 ** (pair.quote.decimals + 1)]),
        max_open_orders=r.choice([2, 20, 200]),
        isolated_tiers=tiers,
        liquidation_fee_e6=r.choice([0, 10_000, 20_000]),
        crossed=r.randrange(12) > 0,
        trading=not pair.trading or r.randrange(6) > 0,
    )


def listing(t: Traffic) -> Asked:
    """List a coin, then a pair with it, that has no price and no rate for a while."""
    count = len(t.world.state.coins)
    if count == 6:
        return c.VENUE, stage.coin_terms("NEW", 3, "0.9", "5000")
    return c.VENUE, c.SetPair(
        "NEWUSDT", count - 1, 0, 10**8, 10, 0, 1_000, 0, 1, 10**9, 50,
        [(10**9, 10**14, 4, 90_000)], 20_000, True, True,
    )  # fmt: skip


def parameter(t: Traffic) -> Asked:
    """Set one of the venue's named numbers, at times out of range."""
    name = t.random.choice(list(PARAMETERS))
    default, least, most = PARAMETERS[name]
    usual = {
        "client_oid_ttl_ms": [0, 3_600_000],
        "client_oids_max": [1, 3],
        "takeover_after_ms": [0, 60_000],
        "system_band_e6": [1, 5_000],
        "band_e6": [10_000],
        "spot_band_e6": [20_000, 100_000],
        "notice_ms": [0, 60_000],
        "caution_half_life_ms": [0, 0, 60_000],
    }.get(name, [default])
    return c.VENUE, c.SetParameter(
        name, t.random.choice([default, default, *usual, *usual, least - 1, most + 1, most])
    )


def announce(t: Traffic) -> Asked:
    """Announce terms or the end of a coin or a pair, or take an announcement back."""
    r = t.random
    now_ms = t.world.engine.time_ms
    soon = now_ms + r.choice([-1, 0, 1, 500, 20_000, 3_600_000 - now_ms % 3_600_000, 60_000])
    later = soon + r.choice([-1, 0, 0, 5_000, 600_000, 7_200_000])
    announced = [change.id for change in t.world.state.announcements]
    what = r.randrange(9)
    if what < 3:
        _, terms = coin_terms(t)
        assert isinstance(terms, c.SetCoin)
        coin = t.world.state.coin_ids[terms.name]
        steps, tiers = terms.collateral_steps, terms.cross_tiers
        coin = coin if r.randrange(20) else len(t.world.state.coins)
        return c.VENUE, c.AnnounceCoinTerms(coin, steps, tiers, terms.user_limit_units, soon)
    if what < 5:
        _, changed = pair_terms(t)
        assert isinstance(changed, c.SetPair)
        pair = t.world.state.pair_ids[changed.symbol]
        return c.VENUE, c.AnnouncePairTerms(pair, changed.isolated_tiers, soon)
    if what < 7:
        return c.VENUE, c.WithdrawAnnouncement(r.choice(announced) if announced else 1)
    # What has ended is lent no more: the coins that everybody needs end seldom.
    coin, pair = r.choice(
        [(3, -1), (3, -1), (4, -1), (5, -1), (2, -1), (-1, r.randrange(5)), (1, 1)]
    )
    return c.VENUE, c.AnnounceDelisting(coin, pair, soon, later)


OPERATOR: dict[str, Callable[[Traffic], Asked]] = {
    "rate": rate,
    "fund": fund,
    "level": level,
    "coin_terms": coin_terms,
    "pair_terms": pair_terms,
    "listing": listing,
    "parameter": parameter,
    "announce": announce,
}
