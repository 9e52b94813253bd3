"""Random commands about coupons, right and wrong."""

from hashlib import sha256
from random import Random

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.state import State

SEED = "5eed"
SEED_HASH = sha256(bytes.fromhex(SEED)).hexdigest()
HOUR_MS = 3_600_000


def campaign(r: Random, now_ms: int) -> c.CreateCampaign:
    """Announce a campaign, mostly a right one that anybody may claim from."""
    caps = [(coin, r.choice([1, 10**8, 10**11, 10**14])) for coin in range(6) if r.randrange(2)]
    access = r.choice([c.ACCESS_OPEN] * 3 + [c.ACCESS_NAMED, c.ACCESS_DRAWN])
    return c.CreateCampaign(
        r.choice(["May", "June", ""] + ["July"] * 7),
        r.choice([1, 333_333, 500_000, 10**6, 10**6, 10**6 + 1]),
        caps,
        r.choice([1, HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS + 1]),
        now_ms,
        now_ms + 100 * HOUR_MS,
        r.choice([1, 2, 100]),
        access,
        r.randrange(2) == 0,
        SEED_HASH if access == c.ACCESS_DRAWN else "",
    )


def about_coupons(r: Random, state: State, users: list[int], account: int) -> tuple[int, c.Command]:
    """Claim, mostly; or announce, grant, enter or draw."""
    known = [campaign.id for campaign in q.campaigns(state)]
    number = r.choice([*known, 5])
    what = r.randrange(10)
    if what == 0 or not known:
        return c.VENUE, campaign(r, state.time_ms)
    if what == 1:
        return c.VENUE, c.GrantCoupons(number, r.sample(users, r.randrange(len(users) + 1)))
    if what == 2:
        return c.VENUE, c.EnterDraw(number, r.sample(users, r.randrange(len(users) + 1)))
    if what == 3:
        return c.VENUE, c.DrawCoupons(number, r.choice([SEED, SEED, "00"]))
    return account, c.ClaimCoupon(number)
