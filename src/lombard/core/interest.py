"""Interest: simple, by UTC clock hours, exact (RULES 4).

Nothing is done per loan when an hour turns: each coin keeps, for each VIP level, the running sum of
its hourly rates, and a loan is brought up to date when it is touched. What an account owes now can
be read at any time without touching it. Charges are kept as exact numerators and rounded only where
they are shown or paid, so receipts add up to the debt and churning gains nobody anything. What
coupons save is a numerator of its own beside what is charged, reckoned the same way between one
change of an account's coupons and the next.
"""

from __future__ import annotations

from typing import Final

from lombard.core.campaigns import Cover, cover, covers_of, steady_until, weight_e6
from lombard.core.coupons import detach_ended, turn_coupons, use_for_loan
from lombard.core.events import Event, HourTurned, InterestCharged
from lombard.core.rates import begin_hour, level_rate_e12, rate_of_next_hour
from lombard.core.state import Account, Balance, Coin, State, User
from lombard.core.units import (
    HOUR_MS,
    INTEREST_DENOMINATOR,
    RATIO_ONE_E6,
    SAVING_DENOMINATOR,
    div_ceil,
    interest_units,
    net_interest_units,
)

PROFILE_EXACT: Final = 0
PROFILE_CEIL_EACH_CHARGE: Final = 1


def turn_hours(state: State, time_ms: int, events: list[Event]) -> bool:
    """Turn every full hour up to and at `time_ms`, one by one; say whether there was one."""
    if state.first_hour < 0:
        _begin(state, time_ms)
        return False
    turned = False
    while state.next_hour_ms <= time_ms:
        state.hour += 1
        state.hour_ids.append(state.next_id)
        state.next_id += len(state.coins)
        rates = [rate_of_next_hour(coin) for coin in state.coins]
        for coin in state.coins:
            for level, prefix in enumerate(coin.prefix_e12):
                prefix.append(prefix[-1] + level_rate_e12(state, rates[coin.id], level))
            begin_hour(coin)
        events.append(HourTurned(state.next_hour_ms, rates))
        if state.coupon_turns:
            turn_coupons(state, events)
        state.next_hour_ms += HOUR_MS
        turned = True
    return turned


def _begin(state: State, time_ms: int) -> None:
    """Start counting hours with the one the first command falls into."""
    assert time_ms >= 0
    state.first_hour = time_ms // HOUR_MS
    state.next_hour_ms = (state.first_hour + 1) * HOUR_MS
    state.hour_ids.append(state.next_id)


def level_at(user: User, hour: int) -> int:
    """Return the VIP level whose rates a user pays in an hour (RULES 4.4)."""
    return user.next_level if hour >= user.next_level_hour else user.level


def hour_rate_e12(state: State, coin: Coin, level: int, hour: int) -> int:
    """Return the daily rate that was in force in an hour."""
    prefix = coin.prefix_e12[level]
    return prefix[hour + 1] - prefix[hour]


def _growth_e12(user: User, coin: Coin, after: int, until: int) -> int:
    """Return the sum of a user's daily rates of the hours `after` (left out) to `until`."""
    change = user.next_level_hour
    if after < change <= until:
        old, new = coin.prefix_e12[user.level], coin.prefix_e12[user.next_level]
        return old[change] - old[after + 1] + new[until + 1] - new[change]
    prefix = coin.prefix_e12[level_at(user, until)]
    return prefix[until + 1] - prefix[after + 1]


def _run_end(state: State, user: User, coin: Coin, hour: int, last: int) -> int:
    """Return the last hour, up to `last`, that has the rate of `hour`."""
    rate = hour_rate_e12(state, coin, level_at(user, hour), hour)
    end = hour
    while end < last and hour_rate_e12(state, coin, level_at(user, end + 1), end + 1) == rate:
        end += 1
    return end


def _ceil_charges(state: State, user: User, balance: Balance) -> int:
    """Return the numerator of the charges since the last touch, each rounded up to a unit."""
    total = 0
    hour = balance.hour + 1
    while hour <= state.hour:
        rate = hour_rate_e12(state, balance.coin, level_at(user, hour), hour)
        end = _run_end(state, user, balance.coin, hour, state.hour)
        total += (end - hour + 1) * _ceil_charge(balance.principal_units, rate)
        hour = end + 1
    return total


def _ceil_charge(principal_units: int, rate_e12: int) -> int:
    return div_ceil(principal_units * rate_e12, INTEREST_DENOMINATOR) * INTEREST_DENOMINATOR


def hour_charge(state: State, principal_units: int, rate_e12: int) -> int:
    """Return the numerator of an hour's interest on a principal, by the venue's profile."""
    if state.interest_profile == PROFILE_CEIL_EACH_CHARGE:
        return _ceil_charge(principal_units, rate_e12)
    return principal_units * rate_e12


def hour_saving(state: State, principal_units: int, weight: int, rate_e12: int) -> int:
    """Return the numerator of what coupons of a weight (`weight_e6`) save of one charge."""
    if weight == 0 or state.interest_profile != PROFILE_CEIL_EACH_CHARGE:
        return weight * rate_e12
    # What is left to pay is rounded up too: the saving is the difference of the two.
    net = (principal_units * RATIO_ONE_E6 - weight) * rate_e12
    gross = _ceil_charge(principal_units, rate_e12) * RATIO_ONE_E6
    return gross - div_ceil(net, SAVING_DENOMINATOR) * SAVING_DENOMINATOR


def _run_saving(
    state: State, user: User, balance: Balance, weight: int, after: int, until: int
) -> int:
    """Return the numerator saved by coupons that lie alike in the hours `after` to `until`."""
    if weight == 0 or state.interest_profile != PROFILE_CEIL_EACH_CHARGE:
        return weight * _growth_e12(user, balance.coin, after, until)
    saved = 0
    while after < until:
        rate = hour_rate_e12(state, balance.coin, level_at(user, after + 1), after + 1)
        end = _run_end(state, user, balance.coin, after + 1, until)
        saved += (end - after) * hour_saving(state, balance.principal_units, weight, rate)
        after = end
    return saved


def charged_now(state: State, user: User, balance: Balance) -> int:
    """Return the numerator of all interest ever charged, up to this hour, coupons not counted.

    Touches nothing.
    """
    if balance.principal_units == 0 or balance.hour == state.hour:
        return balance.charged
    if state.interest_profile == PROFILE_CEIL_EACH_CHARGE:
        return balance.charged + _ceil_charges(state, user, balance)
    growth = _growth_e12(user, balance.coin, balance.hour, state.hour)
    return balance.charged + balance.principal_units * growth


def saved_now(state: State, user: User, balance: Balance) -> int:
    """Return the numerator of all that coupons ever saved, up to this hour. Touches nothing.

    It walks from one change of the coupons to the next, not from hour to hour.
    """
    coupons = balance.coupons
    saved = balance.saved
    if coupons is None or balance.principal_units == 0:
        return saved
    after = balance.hour
    while after < state.hour:
        until = steady_until(coupons, after + 1, state.hour)
        weight = weight_e6(cover(coupons, balance.coin.id, after + 1, balance.principal_units))
        saved += _run_saving(state, user, balance, weight, after, until)
        after = until
    return saved


def interest_due(state: State, user: User, balance: Balance) -> int:
    """Return the interest due now, in units (RULES 4.2)."""
    if balance.hour == state.hour or balance.principal_units == 0:
        return balance.shown_units - balance.paid_units
    charged = charged_now(state, user, balance)
    return net_interest_units(charged, saved_now(state, user, balance)) - balance.paid_units


def receipts(state: State, account: Account, balance: Balance) -> list[InterestCharged]:
    """Return the receipts of the full hours since the last touch. Touches nothing."""
    rows: list[InterestCharged] = []
    principal = balance.principal_units
    if principal == 0:
        return rows
    coin = balance.coin
    ceil_each = state.interest_profile == PROFILE_CEIL_EACH_CHARGE
    charged, saved = balance.charged, balance.saved
    shown, shown_gross = balance.shown_units, interest_units(charged)
    for hour in range(balance.hour + 1, state.hour + 1):
        rate = hour_rate_e12(state, coin, level_at(account.user, hour), hour)
        charged += _ceil_charge(principal, rate) if ceil_each else principal * rate
        laid: Cover = []
        if balance.coupons is not None:
            laid = cover(balance.coupons, coin.id, hour, principal)
            saved += hour_saving(state, principal, weight_e6(laid), rate)
        total, gross = net_interest_units(charged, saved), interest_units(charged)
        rows.append(
            InterestCharged(
                state.hour_ids[hour] + coin.id,
                account.id,
                coin.id,
                state.hour_ms(hour),
                False,
                rate,
                principal,
                total - shown,
                gross - shown_gross - (total - shown),
                covers_of(laid),
            )
        )
        shown, shown_gross = total, gross
    return rows


def bring_up_to_date(state: State, account: Account, balance: Balance, events: list[Event]) -> None:
    """Charge the hours that passed since the loan was last touched, with a receipt for each."""
    if balance.principal_units == 0 or balance.hour == state.hour:
        return
    charged = charged_now(state, account.user, balance)
    saved = saved_now(state, account.user, balance)
    events.extend(receipts(state, account, balance))
    balance.charged = charged
    balance.saved = saved
    balance.shown_units = net_interest_units(charged, saved)
    balance.hour = state.hour
    detach_ended(state, balance)


def charge_first_hour(
    state: State,
    account: Account,
    balance: Balance,
    loan_id: int,
    units: int,
    events: list[Event],
) -> None:
    """Charge a newly borrowed amount the hour it is borrowed in (RULES 4.1)."""
    assert balance.principal_units >= units > 0
    assert balance.hour == state.hour, "Invariant: a loan was not brought up to date"
    rate = hour_rate_e12(state, balance.coin, level_at(account.user, state.hour), state.hour)
    shown = balance.shown_units
    covers: tuple[tuple[int, int], ...] = ()
    saved_units = 0
    if state.interest_profile == PROFILE_CEIL_EACH_CHARGE:
        charged = balance.charged + _ceil_charge(units, rate)
    else:
        charged = balance.charged + units * rate
    if account.user.coupons:
        laid = use_for_loan(state, account, balance, units, events)
        covers = covers_of(laid)
        balance.saved += hour_saving(state, units, weight_e6(laid), rate)
    total = balance.shown_units = net_interest_units(charged, balance.saved)
    if balance.saved:
        gross = interest_units(charged) - interest_units(balance.charged)
        saved_units = gross - (total - shown)
    balance.charged = charged
    events.append(
        InterestCharged(
            loan_id,
            account.id,
            balance.coin.id,
            state.time_ms,
            True,
            rate,
            units,
            total - shown,
            saved_units,
            covers,
        )
    )
