"""Safe bands: what has to happen before an account can come to a line (RULES 7.8).

At fixed amounts N, D and K are sums over coins of price times a coefficient, and so is the distance
to a line: `4N - 5K` to the call, `N - K` to liquidation, `10K - 7N` to calm. While that sum is
positive nothing is to be done, and the coins say which way each price would have to go: down where
the coefficient is positive, up where it is negative. With S the sum, and T the sum of the amounts
of its terms without USDT, no movement of every other price by less than S / T uses S up. So each
coin has one edge on its bad side, S / T away, and crossing an edge is the only way prices have.

Interest moves coefficients one way: it lowers N and raises K. They are taken as they will be when
each debt has grown by an allowance, and the coin's sum of hourly rates has an edge where the
allowance is used up. VIP levels pay at most level 0, so its rates serve for all.

Every inequality is one of integers, so no rounding is on a wrong side. Nothing here decides: an
account whose edge is crossed is evaluated by the exact rule, and so is, every time, one that has no
safe band. Bands are derived from the state and are no part of it.
"""

from __future__ import annotations

from typing import Final

from lombard.core.edges import Edges
from lombard.core.interest import PROFILE_CEIL_EACH_CHARGE, interest_due
from lombard.core.risk import needed_e6, weighted_e6
from lombard.core.state import Account, Coin, Pair, State
from lombard.core.units import INTEREST_DENOMINATOR, RATIO_ONE_E6, div_ceil

# The coin whose price does not move (RULES 7.1). Should it, every band is drawn anew.
UNIT: Final = "USDT"
# A debt may grow by a 32nd; where that leaves no band, by a 1024th.
ALLOWANCE_SHIFTS: Final = (5, 10)
# Where each hour's charge is rounded up, so many hours' roundings are allowed for.
ROUNDINGS: Final = 1_024
NO_DEBT: Final = -1


def terms_changed(state: State, coin: Coin | None, pair: Pair | None) -> None:
    """Mark the debtors that the risk terms of a coin, or of an isolated pair, hold for."""
    for account in state.indebted.values():
        if account.pair is pair and (coin is None or account.find(coin) is not None):
            state.touch(account)


def gather(state: State) -> None:
    """Mark the accounts an edge of which has been crossed."""
    unit = state.coin_ids.get(UNIT)
    unit_price_e12 = 0 if unit is None else state.coins[unit].price_e12
    if unit_price_e12 != state.unit_price_e12:
        state.unit_price_e12 = unit_price_e12
        for account in state.indebted.values():
            state.touch(account)
        return
    for coin in state.coins:
        _gather(state, coin.falls, -coin.price_e12)
        _gather(state, coin.rises, coin.price_e12)
        _gather(state, coin.growths, coin.prefix_e12[0][-1])
    _gather(state, state.roundings, state.hour)


def _gather(state: State, edges: Edges, number: int) -> None:
    while True:
        taken = edges.take(number)
        if taken is None:
            return
        account_id, band = taken
        account = state.accounts[account_id]
        if account.band == band:
            state.touch(account)


def draw(state: State, account: Account) -> bool:
    """Register the edges of an account's safe band; False when there is none to speak of."""
    account.band += 1
    large, small = ALLOWANCE_SHIFTS
    return _draw(state, account, large) or _draw(state, account, small)


def _draw(state: State, account: Account, shift: int) -> bool:
    """Draw a band with an allowance of a part of each principal."""
    ceil_each = state.interest_profile == PROFILE_CEIL_EACH_CHARGE
    coins: list[Coin] = []
    above: list[int] = []
    below: list[int] = []
    growths: list[int] = []
    for balance in account.balances:
        held = balance.available_units + balance.frozen_units
        principal = balance.principal_units
        if held == 0 and principal == 0:
            continue
        coin = balance.coin
        if coin.price_e12 == 0:
            return False
        owed = 0
        grown = 0
        growth = NO_DEBT
        if principal:
            allowed = (principal >> shift) + 1
            growth = coin.prefix_e12[0][-1]
            growth += div_ceil(allowed * INTEREST_DENOMINATOR, principal)
            owed = principal + interest_due(state, account.user, balance)
            grown = owed + allowed + (ROUNDINGS if ceil_each else 0)
        coins.append(coin)
        growths.append(growth)
        net, needed = _coefficients(account, coin, held, principal, grown)
        if account.called:
            above.append(net - needed)
            net, needed = _coefficients(account, coin, held, principal, owed)
            below.append(10 * needed - 7 * net)
        else:
            above.append(4 * net - 5 * needed)
    # Two lines for one that was called: it must neither reach liquidation nor calm down.
    if _distance(coins, above) <= 0 or (account.called and _distance(coins, below) <= 0):
        return False
    _register(state, account, coins, above)
    if account.called:
        _register(state, account, coins, below)
    for coin, growth in zip(coins, growths, strict=True):
        if growth != NO_DEBT:
            _add(state, coin.growths, growth, account)
    if ceil_each:
        _add(state, state.roundings, state.hour + ROUNDINGS, account)
    return True


def _coefficients(
    account: Account, coin: Coin, held: int, principal: int, owed: int
) -> tuple[int, int]:
    """Return what a coin adds to N and to K, for a price of 1e-12."""
    excess = held - owed
    net = weighted_e6(account, coin, excess) if excess >= 0 else excess * RATIO_ONE_E6
    needed = needed_e6(account, coin, principal, owed) if owed else 0
    return net * coin.value_scale, needed * coin.value_scale


def _distance(coins: list[Coin], coefficients: list[int]) -> int:
    distance = 0
    for coin, coefficient in zip(coins, coefficients, strict=True):
        distance += coin.price_e12 * coefficient
    return distance


def _register(state: State, account: Account, coins: list[Coin], coefficients: list[int]) -> None:
    """Register an edge per coin, on the side on which it comes nearer to the line."""
    distance = _distance(coins, coefficients)
    movable = 0
    for coin, coefficient in zip(coins, coefficients, strict=True):
        if coin.name != UNIT:
            movable += coin.price_e12 * abs(coefficient)
    for coin, coefficient in zip(coins, coefficients, strict=True):
        if coefficient == 0 or coin.name == UNIT:
            continue
        price = coin.price_e12
        if coefficient < 0:
            _add(state, coin.rises, div_ceil(price * (movable + distance), movable), account)
        elif movable > distance:
            # Otherwise even a worthless coin leaves the rest above the line.
            _add(state, coin.falls, -(price * (movable - distance) // movable), account)


def _add(state: State, edges: Edges, edge: int, account: Account) -> None:
    edges.add(edge, account.id, account.band)
    if len(edges.entries) > edges.sweep_at:
        bands = {key: debtor.band for key, debtor in state.indebted.items()}
        edges.sweep(bands)
