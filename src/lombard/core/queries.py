"""The only door for reads of live state (DESIGN 2). Nothing here changes anything.

Amounts are units, prices ticks, sizes steps; values are in 1e-26 USDT (`VALUE_ONE`).
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.book import Order
from lombard.core.borrow_limit import Limit
from lombard.core.borrow_limit import max_borrowable as _max_borrowable
from lombard.core.campaigns import NEVER, Campaign, Coupon
from lombard.core.cancelling import find
from lombard.core.commands import (
    ACCOUNT_BITS,
    SLOT_CROSSED,
    SLOT_ISOLATED,
    SLOT_SPOT,
    account_id,
    slot_of,
    user_of,
)
from lombard.core.events import InterestCharged
from lombard.core.interest import (
    hour_rate_e12,
    interest_due,
    level_at,
    receipts,
)
from lombard.core.lending import max_leverage as _max_leverage
from lombard.core.lending import refuse_lending
from lombard.core.proposals import Proposal
from lombard.core.rates import level_rate_e12, rate_of_next_hour
from lombard.core.refusals import Refusal
from lombard.core.risk import RATIO_INFINITE_E6, VALUE_ONE, Risk, assess, is_stale
from lombard.core.solvency import CoinSolvency as CoinSolvency
from lombard.core.solvency import Solvency as Solvency
from lombard.core.solvency import solvency as solvency
from lombard.core.state import (
    FIRST_USER,
    PARAMETERS,
    Account,
    Announcement,
    Coin,
    Liquidation,
    Pair,
    State,
)
from lombard.core.transfers import max_transferable as _max_transferable
from lombard.core.units import HOUR_MS, RATIO_ONE_E6, div_half_up

__all__ = [
    "ACCOUNT_BITS",
    "RATIO_INFINITE_E6",
    "SLOT_CROSSED",
    "SLOT_ISOLATED",
    "SLOT_SPOT",
    "VALUE_ONE",
    "Announcement",
    "BalanceView",
    "Campaign",
    "Coin",
    "CoinSolvency",
    "Coupon",
    "Limit",
    "Liquidation",
    "Order",
    "Pair",
    "Proposal",
    "Risk",
    "Solvency",
    "State",
    "account_id",
    "slot_of",
    "solvency",
    "user_of",
]


# A coupon may be claimed; waits for its first use; runs; ran out having covered something, or not.
COUPON_AVAILABLE: Final = "available"
COUPON_CLAIMED: Final = "claimed"
COUPON_ACTIVE: Final = "active"
COUPON_USED: Final = "used"
COUPON_EXPIRED: Final = "expired"
COUPON_STATUSES: Final = (
    COUPON_AVAILABLE,
    COUPON_CLAIMED,
    COUPON_ACTIVE,
    COUPON_USED,
    COUPON_EXPIRED,
)


@final
class BalanceView:
    """What an account has and owes of a coin now, interest up to this hour included."""

    __slots__ = (
        "available_units",
        "coin",
        "frozen_units",
        "interest_units",
        "principal_units",
    )

    def __init__(
        self,
        coin: int,
        available_units: int,
        frozen_units: int,
        principal_units: int,
        interest_units: int,
    ) -> None:
        self.coin: Final = coin
        self.available_units: Final = available_units
        self.frozen_units: Final = frozen_units
        self.principal_units: Final = principal_units
        self.interest_units: Final = interest_units

    @property
    def net_units(self) -> int:
        """Return holdings less debt; negative when more is owed than held."""
        held = self.available_units + self.frozen_units
        return held - self.principal_units - self.interest_units


def coin_named(state: State, name: str) -> int | None:
    """Return a coin's index."""
    return state.coin_ids.get(name)


def pair_named(state: State, symbol: str) -> int | None:
    """Return a pair's index."""
    return state.pair_ids.get(symbol)


def coins(state: State) -> list[Coin]:
    """Return every coin, by index. Not to be changed by the caller."""
    return state.coins


def pairs(state: State) -> list[Pair]:
    """Return every pair, by index. Not to be changed by the caller."""
    return state.pairs


def user_exists(state: State, user: int) -> bool:
    """Say whether a user was admitted."""
    return user in state.users


def account_exists(state: State, account: int) -> bool:
    """Say whether an account is open; an isolated one opens with its first transfer."""
    return account in state.accounts


def accounts_of(state: State, user: int) -> list[int]:
    """Return the ids of a user's open accounts, in the order of their slots."""
    found = state.users.get(user)
    return [] if found is None else sorted([account.id for account in found.accounts])


def balances(state: State, account: int) -> list[BalanceView]:
    """Return the balances of an account that were ever used, by coin."""
    found = state.accounts.get(account)
    if found is None:
        return []
    views: list[BalanceView] = []
    for balance in found.balances:
        views.append(
            BalanceView(
                balance.coin.id,
                balance.available_units,
                balance.frozen_units,
                balance.principal_units,
                interest_due(state, found.user, balance),
            )
        )
    return views


def balance(state: State, account: int, coin: int) -> BalanceView:
    """Return one balance of an account, an empty one if there is none."""
    for view in balances(state, account):
        if view.coin == coin:
            return view
    return BalanceView(coin, 0, 0, 0, 0)


def risk(state: State, account: int) -> Risk:
    """Return N, D and K of an account at the index (RULES 7.2); zeros for an unopened one."""
    found = state.accounts.get(account)
    return Risk(0, 0, 0) if found is None else assess(state, found)


def in_liquidation(state: State, account: int) -> bool:
    """Say whether an account is locked."""
    found = state.accounts.get(account)
    return found is not None and found.liquidation is not None


def is_frozen(state: State, account: int) -> bool:
    """Say whether an operator has frozen an account (RULES 7.9)."""
    found = state.accounts.get(account)
    return found is not None and found.frozen


def proposals(state: State) -> list[Proposal]:
    """Return the movements that wait for another operator, oldest first (RULES 2.4)."""
    return list(state.proposals.values())


def proposal(state: State, proposal_id: int) -> Proposal | None:
    """Return a movement that waits, by id."""
    return state.proposals.get(proposal_id)


def leverage(state: State, account: int) -> int:
    """Return the leverage in force for an account: its own, or the most its tiers allow."""
    found = _account(state, account)
    if found is None:
        return 0
    highest = _max_leverage(state, found)
    return min(found.leverage, highest) if found.leverage else highest


def _account(state: State, account: int) -> Account | None:
    """Return an account; an isolated one that is not open yet reads as an empty one."""
    found = state.accounts.get(account)
    if found is not None:
        return found
    user = state.users.get(user_of(account))
    pair = slot_of(account) - SLOT_ISOLATED
    if user is None or not 0 <= pair < len(state.pairs):
        return None
    return Account(account, user, state.pairs[pair])


def max_borrowable(state: State, account: int, coin: int) -> Limit:
    """Return the most an account may borrow of a coin now, and which bound binds (RULES 6.1).

    Where nothing may be borrowed whatever the amount it is 0, by the refusal that any would have.
    Less than the coin's minimum may be left: no loan by itself, but an order may borrow it.
    """
    found = _account(state, account)
    asked = state.coins[coin]
    if found is None or not found.margin or not found.holds(asked):
        return Limit(0, "leverage")
    if found.liquidation is not None:
        return Limit(0, Refusal.IN_LIQUIDATION.value)
    if found.frozen:
        return Limit(0, Refusal.ACCOUNT_FROZEN.value)
    blocked = refuse_lending(state, found, asked)
    if blocked is not None and blocked.refusal is not None:
        return Limit(0, blocked.refusal.value)
    return _max_borrowable(state, found, asked)


def audit_seal(state: State) -> tuple[int, str]:
    """Return what is on record of identity's audit log: its last line, 0 for none, and a digest."""
    return state.audit_entry, state.audit_digest


def max_transferable(state: State, account: int, coin: int) -> int:
    """Return how much of a coin may leave an account now (RULES 9.1)."""
    found = state.accounts.get(account)
    return 0 if found is None else _max_transferable(state, found, state.coins[coin])


def open_orders(state: State, account: int, pair: int | None = None) -> list[Order]:
    """Return an account's resting orders, newest first. Not to be changed by the caller."""
    found = state.accounts.get(account)
    if found is None:
        return []
    standing = [o for o in found.orders if pair is None or o.pair.id == pair]
    standing.reverse()
    return standing


def order(state: State, account: int, order_id: int) -> Order | None:
    """Return a resting order of an account by id."""
    found = state.accounts.get(account)
    return None if found is None else found.order(order_id)


def order_by_client_oid(state: State, account: int, pair: int, client_oid: str) -> Order | None:
    """Return a resting order of an account by client id."""
    found = state.accounts.get(account)
    return None if found is None else find(found, pair, 0, client_oid)


def depth(
    state: State, pair: int, levels: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return up to `levels` bids and asks as `(price_ticks, steps)`, best first."""
    book = state.pairs[pair]
    return book.bids.depth(levels), book.asks.depth(levels)


def user_level(state: State, user: int) -> int:
    """Return the VIP level in force for a user this hour."""
    found = state.users.get(user)
    return 0 if found is None else level_at(found, state.hour)


def vip_levels(state: State) -> list[tuple[int, int]]:
    """Return `(rate_discount_e6, limit_multiplier_e6)` of each VIP level."""
    return state.vip_levels


def daily_rate_e12(state: State, coin: int, level: int = 0) -> int:
    """Return the daily rate a loan taken now pays this hour (RULES 5.2)."""
    return hour_rate_e12(state, state.coins[coin], level, state.hour)


def next_rate_e12(state: State, coin: int, level: int = 0) -> int:
    """Return the daily rate the next hour will have if nothing is lent or repaid until then."""
    return level_rate_e12(state, rate_of_next_hour(state.coins[coin]), level)


def hourly_rates_e12(
    state: State, coin: int, start_ms: int, end_ms: int, limit: int
) -> list[tuple[int, int]]:
    """Return `(hour_ms, rate_e12)` of a coin, undiscounted, newest first (RULES 5.2).

    They are of the hours that began in `[start_ms, end_ms]`, the newest `limit` of them.
    """
    prefix = state.coins[coin].prefix_e12[0]
    newest = min(state.hour, end_ms // HOUR_MS - state.first_hour)
    oldest = max(0, -(-start_ms // HOUR_MS) - state.first_hour, newest - limit + 1)
    return [
        (state.hour_ms(hour), prefix[hour + 1] - prefix[hour])
        for hour in range(newest, oldest - 1, -1)
    ]


def utilisation_e6(state: State, coin: int) -> int:
    """Return which part of a coin's pool is lent now, rounded half up; 0 of an empty one."""
    found = state.coins[coin]
    supplied = found.lent_units + found.pool_units
    return div_half_up(found.lent_units * RATIO_ONE_E6, supplied) if supplied else 0


def campaigns(state: State) -> list[Campaign]:
    """Return every campaign, oldest first. Not to be changed by the caller."""
    return [state.campaigns[campaign_id] for campaign_id in sorted(state.campaigns)]


def campaign(state: State, campaign_id: int) -> Campaign | None:
    """Return a campaign by id."""
    return state.campaigns.get(campaign_id)


def coupons_of(state: State, user: int) -> list[Coupon]:
    """Return a user's coupons, newest first. Not to be changed by the caller."""
    found = state.users.get(user)
    mine = {} if found is None else {row.id: row for row in found.coupons.values()}
    return [mine[coupon_id] for coupon_id in sorted(mine, reverse=True)]


def coupon_status(coupon: Coupon, now_ms: int) -> str:
    """Say what a coupon is good for at a time: one of `COUPON_STATUSES`."""
    if coupon.claimed_ms == NEVER:
        return COUPON_AVAILABLE if now_ms < coupon.campaign.claim_until_ms else COUPON_EXPIRED
    if coupon.start_ms == NEVER:
        return COUPON_CLAIMED
    if now_ms < coupon.end_ms:
        return COUPON_ACTIVE
    return COUPON_USED if coupon.account else COUPON_EXPIRED


def index_is_stale(state: State, coin: int) -> bool:
    """Say whether a coin's index is missing or too old to decide on (RULES 7.7)."""
    return is_stale(state, state.coins[coin])


def pending_interest(state: State, account: int) -> list[InterestCharged]:
    """Return the receipts of full hours that the log has not shown yet (RULES 4.2, 4.4).

    They are emitted, with the same ids, when the loan is next touched.
    """
    found = state.accounts.get(account)
    rows: list[InterestCharged] = []
    if found is not None:
        for balance in found.balances:
            rows.extend(receipts(state, found, balance))
    return rows


def announcements(state: State) -> list[Announcement]:
    """Return the announced changes that have not come into force, soonest first (RULES 8.7)."""
    return list(state.announcements)


def parameter(state: State, name: str) -> int:
    """Return one of the venue's named numbers."""
    return state.parameters[name]


def parameters(state: State) -> list[tuple[str, int, int, int]]:
    """Return the venue's named numbers: `(name, value, least, most)`."""
    return [
        (name, state.parameters[name], bounds[1], bounds[2]) for name, bounds in PARAMETERS.items()
    ]


def users_after(state: State, user: int, limit: int) -> list[int]:
    """Return the next `limit` users' ids above one; 0 begins with the first."""
    first = max(user + 1, FIRST_USER)
    return list(range(first, min(first + limit, state.next_user)))


def user_count(state: State) -> int:
    """Return how many users were admitted."""
    return state.next_user - FIRST_USER


def user_levels(state: State, user: int) -> tuple[int, int]:
    """Return a user's VIP level in force, and the one of the next hour."""
    found = state.users[user]
    return level_at(found, state.hour), level_at(found, state.hour + 1)


def liquidations(state: State) -> list[Liquidation]:
    """Return the liquidations that go on, oldest first. Not to be changed by the caller."""
    running = {job.id: job for job in state.liquidations.values()}
    return [running[liquidation_id] for liquidation_id in sorted(running)]
