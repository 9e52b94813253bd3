"""Slices: which coin a liquidation sells for which, by which way, and how much at once (RULES 8.2).

Nothing here changes anything: `liquidation` trades the order that comes of it.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.book import Order
from lombard.core.commands import BUY, IOC, MARKET, NORMAL, SELL, SOURCE_SYSTEM, STP_NONE
from lombard.core.delisting import must_be_repaid
from lombard.core.risk import Risk, debt_units, needed_e6
from lombard.core.state import Account, Balance, Coin, Liquidation, Pair, State
from lombard.core.units import RATIO_ONE_E6, div_ceil

BRIDGE: Final = "USDT"


def fee_rate_e6(state: State, account: Account) -> int:
    """Return the liquidation fee of an account, as a part of the debt repaid (RULES 8.5)."""
    if account.pair is not None:
        return account.pair.liquidation_fee_e6
    return state.parameters["crossed_liquidation_fee_e6"]


def unit_value(coin: Coin) -> int:
    """Return what one unit is worth in 1e-20 USDT."""
    return coin.price_e12 * coin.value_scale


@final
class Route:
    """How one coin is sold for another: the pair, and the side of the system order."""

    __slots__ = ("pair", "side")

    def __init__(self, pair: Pair, side: int) -> None:
        self.pair: Final = pair
        self.side: Final = side


def largest_surplus(state: State, account: Account) -> Balance | None:
    """Return the balance with the most value above its own debt, the lower coin id on a tie."""
    best: Balance | None = None
    best_value = 0
    for balance in account.balances:
        excess = balance.available_units - debt_units(state, account, balance)
        value = unit_value(balance.coin) * excess
        if value > best_value:
            best, best_value = balance, value
    return best


def ranked_surpluses(state: State, account: Account) -> list[Balance]:
    """Return the balances with more than is owed of them, most value first, then by coin id."""
    ranked: list[tuple[int, int]] = []
    for place, balance in enumerate(account.balances):
        excess = balance.available_units - debt_units(state, account, balance)
        if excess > 0:
            ranked.append((-unit_value(balance.coin) * excess, place))
    ranked.sort()
    return [account.balances[place] for _, place in ranked]


def surpluses_to_sell(state: State, account: Account, wanted: Coin) -> list[Balance]:
    """Return what may be sold, most value first, then by coin id (RULES 8.2).

    USDT that the largest was already sold for, on the way to `wanted`, comes before everything.
    """
    surpluses = ranked_surpluses(state, account)
    if not surpluses or _pair_between(state, account, surpluses[0].coin, wanted) is not None:
        return surpluses
    bridge = state.coin_ids.get(BRIDGE)
    halfway = None if bridge is None else account.find(state.coins[bridge])
    if halfway is None or wanted.name == BRIDGE:
        return surpluses
    pair = _pair_between(state, account, halfway.coin, wanted)
    spare = halfway.available_units - debt_units(state, account, halfway)
    if pair is not None and spare >= max(1, pair.pair.min_value_units):
        surpluses.remove(halfway)
        surpluses.insert(0, halfway)
    return surpluses


def largest_deficit(state: State, account: Account, forced: bool) -> Balance | None:
    """Return the balance that lacks the most value to pay its debt."""
    best: Balance | None = None
    best_value = 0
    for balance in account.balances:
        if forced and not must_be_repaid(account, balance):
            continue
        missing = debt_units(state, account, balance) - balance.available_units
        value = unit_value(balance.coin) * missing
        if value > best_value:
            best, best_value = balance, value
    return best


def route_to(state: State, account: Account, sold: Coin, wanted: Coin) -> Route | None:
    """Return how to sell a coin for another, or for USDT on the way to it (RULES 8.2)."""
    direct = _pair_between(state, account, sold, wanted)
    if direct is not None or sold.name == BRIDGE:
        return direct
    bridge = state.coin_ids.get(BRIDGE)
    if bridge is None:
        return None
    halfway = state.coins[bridge]
    # The first leg is worth nothing without the second.
    if _pair_between(state, account, halfway, wanted) is None:
        return None
    return _pair_between(state, account, sold, halfway)


def _pair_between(state: State, account: Account, sold: Coin, wanted: Coin) -> Route | None:
    for pair in state.pairs:
        if not pair.trading or (account.pair is not None and account.pair is not pair):
            continue
        if pair.base is sold and pair.quote is wanted:
            return Route(pair, SELL)
        if pair.quote is sold and pair.base is wanted:
            return Route(pair, BUY)
    return None


def slice_divisor_e12(cost_e6: int, mmr_e6: int, weight_e6: int) -> int:
    """Return 2 ((1 - c)(MMR + 1/2) - w/2) of RULES 8.2, times 10**12."""
    return 2 * (RATIO_ONE_E6 - cost_e6) * (mmr_e6 + 500_000) - weight_e6 * RATIO_ONE_E6


def slice_value_e26(
    state: State, liquidation: Liquidation, risk: Risk, surplus: Balance, deficit: Balance
) -> int:
    """Return the value x whose sale brings the ratio to 0.5 at the band's edge (RULES 8.2)."""
    account = liquidation.account
    debt = debt_units(state, account, deficit)
    mmr_e6 = needed_e6(account, deficit.coin, deficit.principal_units, debt) // debt
    weight_e6 = RATIO_ONE_E6
    if account.pair is None:
        weight_e6 = max(ratio for _, ratio in surplus.coin.collateral_steps)
    taker_e6 = max([pair.taker_fee_e6 for pair in state.pairs], default=0)
    cost_e6 = state.parameters["system_band_e6"] + taker_e6
    if liquidation.forced:
        # All that is owed, at the band's edge and after the taker's fee.
        lacking = unit_value(deficit.coin) * (debt - deficit.available_units) * RATIO_ONE_E6
        return div_ceil(lacking * RATIO_ONE_E6, RATIO_ONE_E6 - cost_e6)
    divisor = slice_divisor_e12(cost_e6 + fee_rate_e6(state, account), mmr_e6, weight_e6)
    assert divisor > 0, "Invariant: a slice would not improve the account"
    missing = 2 * risk.maintenance_e26 - (risk.net_e26 - liquidation.fee_value_e26)
    return div_ceil(missing * RATIO_ONE_E6 * RATIO_ONE_E6, divisor)


def system_order(
    state: State, account: Account, surplus: Balance, route: Route, value_e26: int
) -> Order | None:
    """Build the market order of a slice; None when holdings are below the pair's minimum size."""
    pair = route.pair
    debt = debt_units(state, account, surplus)
    most = surplus.available_units - debt
    wanted = min(most, div_ceil(value_e26, unit_value(surplus.coin) * RATIO_ONE_E6))
    size_steps = 0
    quote_units = 0
    if route.side == BUY:
        least = pair.min_size_steps * pair.system_high_ticks * pair.quote_per_tick_step
        least = max(pair.min_value_units, least)
        quote_units = min(most, max(wanted, least))
        if quote_units < least:
            return None
    else:
        worth = pair.system_low_ticks * pair.quote_per_tick_step
        least = max(pair.min_size_steps, div_ceil(pair.min_value_units, max(1, worth)))
        size_steps = min(most // pair.step_units, max(least, div_ceil(wanted, pair.step_units)))
        if size_steps < least:
            return None
    base, quote = account.balance(pair.base), account.balance(pair.quote)
    pay, get = (quote, base) if route.side == BUY else (base, quote)
    return Order(
        state.next_id,
        account,
        pair,
        pay,
        get,
        route.side,
        MARKET,
        IOC,
        NORMAL,
        STP_NONE,
        0,
        size_steps,
        quote_units,
        "",
        SOURCE_SYSTEM,
        state.time_ms,
    )
