"""Coupons: campaigns, grants, draws and claims, and when a coupon begins to cover (RULES 9.3).

A claimed coupon waits for its first use: the first charge, of a new loan or of a full hour, of
which it covers a unit. That charge binds it to its account. Such a moment comes only with a loan,
a claim, or the end of another coupon; so the hour turn looks at the users who claimed a coupon in
the hour before, or whose coupon ended, and never at loans. What coupons save is in `interest`.
"""

from __future__ import annotations

from typing import Final

from lombard.core.campaigns import (
    NEVER,
    SEED_HASH_LENGTH,
    SEED_LENGTH_MAX,
    Campaign,
    Coupon,
    Cover,
    draw_hash,
    insert,
    is_hex,
    seed_hash_of,
)
from lombard.core.commands import (
    ACCESS_DRAWN,
    ACCESS_NAMED,
    ACCESS_OPEN,
    ClaimCoupon,
    CreateCampaign,
    DrawCoupons,
    EnterDraw,
    GrantCoupons,
)
from lombard.core.events import (
    CampaignCreated,
    CouponClaimed,
    CouponEnded,
    CouponGranted,
    CouponRetired,
    CouponsDrawn,
    CouponStarted,
    DrawEntered,
    Event,
)
from lombard.core.refusals import Refusal
from lombard.core.state import Account, Balance, Reply, State, User
from lombard.core.units import MINUTES, RATIO_ONE_E6, VALUE_MAX

NAME_LENGTH_MAX: Final = 50
COUNT_MAX: Final = 1_000_000
USERS_MAX: Final = 10_000
# A hundred years.
DURATION_MS_MAX: Final = 36_525 * 86_400_000


# --- campaigns ------------------------------------------------------------------------------------


def operate(
    state: State,
    cmd: CreateCampaign | GrantCoupons | EnterDraw | DrawCoupons,
    events: list[Event],
) -> Reply:
    """Apply one of the operator's commands about coupons."""
    if isinstance(cmd, CreateCampaign):
        return create_campaign(state, cmd, events)
    if isinstance(cmd, GrantCoupons):
        return grant_coupons(state, cmd, events)
    if isinstance(cmd, EnterDraw):
        return enter_draw(state, cmd, events)
    return draw_coupons(state, cmd, events)


def create_campaign(state: State, cmd: CreateCampaign, events: list[Event]) -> Reply:
    """Announce a campaign; replies with its id."""
    problem = _campaign_problem(state, cmd)
    if problem:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)

    # From here the campaign succeeds.
    campaign = Campaign(
        state.take_id(),
        cmd.name,
        cmd.discount_e6,
        dict(cmd.caps),
        cmd.duration_ms,
        cmd.claim_from_ms,
        cmd.claim_until_ms,
        cmd.count,
        cmd.access,
        cmd.starts_on_claim,
        cmd.seed_hash,
    )
    state.campaigns[campaign.id] = campaign
    events.append(CampaignCreated(campaign.id, campaign.name))
    return Reply(None, campaign.id)


def _campaign_problem(state: State, cmd: CreateCampaign) -> str:
    """Return what is wrong with a campaign's terms, or nothing."""
    if not (0 < len(cmd.name) <= NAME_LENGTH_MAX and cmd.name.isprintable()):
        return "name"
    if not 0 < cmd.discount_e6 <= RATIO_ONE_E6:
        return "discount"
    before = -1
    for coin, units in cmd.caps:
        if not before < coin < len(state.coins) or not 0 < units <= VALUE_MAX:
            return "caps"
        before = coin
    if before < 0:
        return "caps"
    if not 0 < cmd.duration_ms <= DURATION_MS_MAX:
        return "duration"
    if not 0 <= cmd.claim_from_ms < cmd.claim_until_ms <= VALUE_MAX:
        return "claim window"
    if cmd.claim_until_ms <= state.time_ms:
        return "claim window"
    if not 0 < cmd.count <= COUNT_MAX:
        return "count"
    if cmd.access not in (ACCESS_OPEN, ACCESS_NAMED, ACCESS_DRAWN):
        return "access"
    if cmd.access != ACCESS_DRAWN:
        return "seed hash" if cmd.seed_hash else ""
    if len(cmd.seed_hash) != SEED_HASH_LENGTH or not is_hex(cmd.seed_hash, SEED_HASH_LENGTH):
        return "seed hash"
    return ""


def grant_coupons(state: State, cmd: GrantCoupons, events: list[Event]) -> Reply:
    """Grant coupons by name, to all of the users or to none."""
    campaign = state.campaigns.get(cmd.campaign)
    if campaign is None:
        return Reply(Refusal.CAMPAIGN_UNKNOWN)
    if campaign.access != ACCESS_NAMED:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="access")
    if state.time_ms >= campaign.claim_until_ms:
        return Reply(Refusal.CLAIM_WINDOW_CLOSED)
    refusal = _refuse_users(state, campaign, cmd.users)
    if refusal is not None:
        return refusal
    if campaign.made + len(cmd.users) > campaign.count:
        return Reply(Refusal.COUPONS_GONE, units=campaign.count - campaign.made)

    # From here the grant succeeds.
    for user_id in cmd.users:
        _grant(state, campaign, state.users[user_id], events)
    return Reply(None, campaign.id)


def enter_draw(state: State, cmd: EnterDraw, events: list[Event]) -> Reply:
    """Put all of the users, or none, on the list of a draw."""
    campaign = state.campaigns.get(cmd.campaign)
    if campaign is None:
        return Reply(Refusal.CAMPAIGN_UNKNOWN)
    if campaign.access != ACCESS_DRAWN:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="access")
    if campaign.seed:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="the draw was held")
    refusal = _refuse_users(state, campaign, cmd.users)
    if refusal is not None:
        return refusal

    # From here the entry succeeds.
    for user_id in cmd.users:
        campaign.entrants[user_id] = True
    events.append(DrawEntered(campaign.id, cmd.users))
    return Reply(None, campaign.id)


def _refuse_users(state: State, campaign: Campaign, users: list[int]) -> Reply | None:
    """Return why users cannot be granted a coupon each, or entered in its draw."""
    if not 0 < len(users) <= USERS_MAX:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="users")
    seen: dict[int, bool] = {}
    for user_id in users:
        user = state.users.get(user_id)
        if user is None:
            return Reply(Refusal.USER_UNKNOWN, detail=str(user_id))
        if user_id in seen or user_id in campaign.entrants or campaign.id in user.coupons:
            return Reply(Refusal.CONFIGURATION_INVALID, detail=f"user {user_id} twice")
        seen[user_id] = True
    return None


def draw_coupons(state: State, cmd: DrawCoupons, events: list[Event]) -> Reply:
    """Hold a draw: the users with the smallest hashes are granted a coupon each."""
    campaign = state.campaigns.get(cmd.campaign)
    if campaign is None:
        return Reply(Refusal.CAMPAIGN_UNKNOWN)
    if campaign.access != ACCESS_DRAWN:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="access")
    if campaign.seed:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="the draw was held")
    if not campaign.entrants:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="users")
    if not is_hex(cmd.seed, SEED_LENGTH_MAX) or seed_hash_of(cmd.seed) != campaign.seed_hash:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="seed")

    # From here the draw succeeds.
    hashes = sorted([(draw_hash(cmd.seed, campaign.id, user), user) for user in campaign.entrants])
    winners = hashes[: campaign.count]
    campaign.seed = cmd.seed
    campaign.cut_hash = winners[-1][0]
    events.append(CouponsDrawn(campaign.id, cmd.seed, len(hashes), campaign.cut_hash))
    for _, user_id in winners:
        _grant(state, campaign, state.users[user_id], events)
    return Reply(None, campaign.id)


def _grant(state: State, campaign: Campaign, user: User, events: list[Event]) -> Coupon:
    assert campaign.made < campaign.count
    assert campaign.id not in user.coupons
    coupon = Coupon(state.take_id(), campaign, user.id)
    campaign.made += 1
    user.coupons[campaign.id] = coupon
    _hold(state, user)
    events.append(CouponGranted(coupon.id, campaign.id, user.id))
    return coupon


# --- claiming -------------------------------------------------------------------------------------


def claim(state: State, account: Account, cmd: ClaimCoupon, events: list[Event]) -> Reply:
    """Claim the user's coupon of a campaign; replies with its id."""
    campaign = state.campaigns.get(cmd.campaign)
    if campaign is None:
        return Reply(Refusal.CAMPAIGN_UNKNOWN)
    if not campaign.claim_from_ms <= state.time_ms < campaign.claim_until_ms:
        return Reply(Refusal.CLAIM_WINDOW_CLOSED)
    user = account.user
    coupon = user.coupons.get(campaign.id)
    if coupon is not None and coupon.claimed_ms != NEVER:
        return Reply(Refusal.COUPON_CLAIMED)
    if coupon is None and campaign.access != ACCESS_OPEN:
        return Reply(Refusal.COUPON_NOT_GRANTED)
    if coupon is None and campaign.made == campaign.count:
        return Reply(Refusal.COUPONS_GONE)

    # From here the claim succeeds.
    if coupon is None:
        coupon = _grant(state, campaign, user, events)
    coupon.claimed_ms = state.time_ms
    if campaign.starts_on_claim:
        coupon.run_from(state.time_ms, state.first_hour)
    _look_at(state, user, state.hour + 1)
    events.append(CouponClaimed(coupon.id, campaign.id, user.id))
    return Reply(None, coupon.id)


def _look_at(state: State, user: User, hour: int) -> None:
    """Have the turn of an hour look at a user's coupons."""
    if hour not in state.coupon_turns:
        state.coupon_turns[hour] = {}
    state.coupon_turns[hour][user.id] = True


# --- using ----------------------------------------------------------------------------------------


def _candidates(account: Account, coin: int, now_ms: int, fresh_hour: int) -> list[Coupon]:
    """Return the coupons that could cover a charge now, in order of rank."""
    found: list[tuple[tuple[bool, int, int, int], Coupon]] = []
    for coupon in account.user.coupons.values():
        if coupon.claimed_ms == NEVER or coin not in coupon.campaign.caps:
            continue
        if coupon.account not in (0, account.id) or (
            coupon.start_ms != NEVER and coupon.end_ms <= now_ms
        ):
            continue
        fresh = coupon.fresh_hour != NEVER and coupon.fresh_hour == fresh_hour
        found.append((coupon.rank(now_ms, fresh), coupon))
    found.sort(key=_first)
    return [coupon for _, coupon in found]


def _first(row: tuple[tuple[bool, int, int, int], Coupon]) -> tuple[bool, int, int, int]:
    return row[0]


def use_for_loan(
    state: State, account: Account, balance: Balance, units: int, events: list[Event]
) -> Cover:
    """Return what covers the first hour of what was just borrowed, starting coupons for it.

    What is borrowed lies above what was owed before, so borrowing in parts saves nothing more.
    """
    coin = balance.coin.id
    high = balance.principal_units
    low = high - units
    laid: Cover = []
    position = 0
    for coupon in _candidates(account, coin, state.time_ms, NEVER):
        cap_units = coupon.campaign.caps[coin]
        covered = min(high, position + cap_units) - max(low, position)
        if coupon.account == 0:
            if covered <= 0:
                # It would cover what has been charged already: it waits for the hour.
                continue
            _bind(state, account, coupon, state.hour + 1, state.time_ms, events)
        position += cap_units
        if covered > 0:
            laid.append((coupon, covered))
        if position >= high:
            break
    return laid


def turn_coupons(state: State, events: list[Event]) -> None:
    """End coupons and start others at the turn to the hour that has just begun (RULES 3.1)."""
    users = state.coupon_turns.pop(state.hour, None)
    if users is None:
        return
    hour_ms = state.hour_ms(state.hour)
    for user_id in sorted(users):
        user = state.users[user_id]
        for coupon in sorted(user.coupons.values(), key=_id_of):
            if coupon.account and coupon.last_hour == state.hour - 1:
                events.append(CouponEnded(coupon.id, coupon.account, hour_ms))
        for account in sorted(user.accounts, key=_id_of_account):
            for balance in account.balances:
                if balance.principal_units:
                    _use_for_hour(state, account, balance, hour_ms, events)


def _id_of(coupon: Coupon) -> int:
    return coupon.id


def _id_of_account(account: Account) -> int:
    return account.id


def _use_for_hour(
    state: State, account: Account, balance: Balance, hour_ms: int, events: list[Event]
) -> None:
    """Start the coupons that cover a unit of a balance's charge of a full hour."""
    coin = balance.coin.id
    position = 0
    for coupon in _candidates(account, coin, hour_ms, state.hour):
        if position >= balance.principal_units:
            return
        if coupon.account == 0:
            if coupon.start_ms == NEVER:
                coupon.fresh_hour = state.hour
            _bind(state, account, coupon, state.hour, hour_ms, events)
        position += coupon.campaign.caps[coin]


def _bind(
    state: State,
    account: Account,
    coupon: Coupon,
    from_hour: int,
    now_ms: int,
    events: list[Event],
) -> None:
    """Give a coupon to the account that uses it first; if it has not begun to run, it does now."""
    assert coupon.account == 0
    coupon.account = account.id
    coupon.from_hour = from_hour
    if coupon.start_ms == NEVER:
        coupon.run_from(now_ms, state.first_hour)
    attach(state, account, coupon)
    assert coupon.last_hour >= state.hour, "Invariant: a coupon that had ended was used"
    _look_at(state, account.user, coupon.last_hour + 1)
    events.append(CouponStarted(coupon.id, account.id, coupon.start_ms, coupon.end_ms))


def attach(state: State, account: Account, coupon: Coupon) -> None:
    """Let the balances that a bound coupon covers know of it."""
    for coin_id in coupon.campaign.caps:
        coin = state.coins[coin_id]
        if account.holds(coin):
            balance = account.balance(coin)
            if balance.coupons is None:
                balance.coupons = []
            insert(balance.coupons, coupon)


def detach_ended(state: State, balance: Balance) -> None:
    """Let a balance that is charged up to now forget the coupons that cover no later hour."""
    coupons = balance.coupons
    if coupons is not None:
        balance.coupons = [row for row in coupons if row.last_hour > state.hour] or None


# --- retiring -------------------------------------------------------------------------------------


def retire_coupons(state: State, minute: int, events: list[Event]) -> None:
    """Let go of the spent coupons of the users whose minute of the day it is."""
    holders = state.coupon_holders.get(minute)
    if holders is None:
        return
    for user_id in sorted(holders):
        user = state.users[user_id]
        spent = [coupon for coupon in user.coupons.values() if _is_spent(state, coupon)]
        for coupon in sorted(spent, key=_id_of):
            _retire(state, user, coupon, events)
        if not user.coupons:
            del holders[user_id]
    if not holders:
        del state.coupon_holders[minute]


def _hold(state: State, user: User) -> None:
    """Have a user's coupons looked at once a day."""
    minute = user.id % MINUTES
    if minute not in state.coupon_holders:
        state.coupon_holders[minute] = {}
    state.coupon_holders[minute][user.id] = True


def _is_spent(state: State, coupon: Coupon) -> bool:
    """Say whether nothing that may come depends on a coupon any more (RULES 9.3)."""
    if state.time_ms < coupon.campaign.claim_until_ms:
        # That its user has one keeps it from another.
        return False
    if coupon.claimed_ms == NEVER:
        return True
    if coupon.claimed_ms >= state.hour_ms(state.hour):
        # The next hour's turn looks at its user.
        return False
    if coupon.start_ms == NEVER or state.time_ms < coupon.end_ms:
        return False
    if coupon.account == 0:
        return True
    return coupon.last_hour < state.hour and not _is_uncharged(state, coupon)


def _is_uncharged(state: State, coupon: Coupon) -> bool:
    """Say whether a debt is still to be charged an hour that a coupon covers."""
    for balance in state.accounts[coupon.account].balances:
        if (
            balance.principal_units
            and balance.hour < coupon.last_hour
            and balance.coin.id in coupon.campaign.caps
        ):
            return True
    return False


def _retire(state: State, user: User, coupon: Coupon, events: list[Event]) -> None:
    del user.coupons[coupon.campaign.id]
    events.append(
        CouponRetired(
            coupon.id,
            coupon.campaign.id,
            user.id,
            coupon.claimed_ms,
            coupon.start_ms,
            coupon.end_ms,
            coupon.account,
        )
    )
    if coupon.account:
        for balance in state.accounts[coupon.account].balances:
            if balance.coupons is not None:
                balance.coupons = [row for row in balance.coupons if row is not coupon] or None


# --- restoring ------------------------------------------------------------------------------------


def resume(state: State) -> None:
    """Make what is derived from a restored state: which balances are covered, whom hours look at.

    An hour is told of the users who claimed in the hour before it, and of the ends of coupons.
    """
    for user_id in sorted(state.users):
        user = state.users[user_id]
        if user.coupons:
            _hold(state, user)
        for coupon in sorted(user.coupons.values(), key=_id_of):
            if coupon.claimed_ms >= state.hour_ms(state.hour):
                _look_at(state, user, state.hour + 1)
            if coupon.account == 0:
                continue
            attach(state, state.accounts[coupon.account], coupon)
            if coupon.last_hour >= state.hour:
                _look_at(state, user, coupon.last_hour + 1)
    for account in state.accounts.values():
        for balance in account.balances:
            if balance.principal_units == 0:
                detach_ended(state, balance)
