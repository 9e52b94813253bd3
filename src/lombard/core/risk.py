"""Risk: one collateral-weighted net for every decision, at index prices (RULES 7).

Of each coin an account's holdings offset its own debt in full, and only the excess is cut by the
collateral ratio. N is that net, D the debt, K the maintenance it needs; all three are exact
integers in 1e-26 USDT, so every comparison is by cross-multiplication and nothing rounds.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.book import Order
from lombard.core.commands import BUY
from lombard.core.interest import interest_due
from lombard.core.state import Account, Balance, Coin, State
from lombard.core.units import RATIO_ONE_E6, div_ceil

# One USDT in the unit values are kept in, and the divisors that show them.
VALUE_ONE: Final = 10**26
VALUE_PER_E8: Final = 10**18
# Shown for K / N when N <= 0: the dialect's 999.
RATIO_INFINITE_E6: Final = 999 * RATIO_ONE_E6
# A finished index needs no second source; a live one that has fewer never liquidates (RULES 7.7).
SOURCES_MIN: Final = 2


@final
class Risk:
    """Net N, debt D and maintenance K of an account, in 1e-26 USDT (RULES 7.2)."""

    __slots__ = ("debt_e26", "maintenance_e26", "net_e26")

    def __init__(self, net_e26: int, debt_e26: int, maintenance_e26: int) -> None:
        self.net_e26: Final = net_e26
        self.debt_e26: Final = debt_e26
        self.maintenance_e26: Final = maintenance_e26

    def to_liquidate(self) -> bool:
        """Liquidate iff, with debt, N <= K (RULES 7.3)."""
        return self.debt_e26 > 0 and self.net_e26 <= self.maintenance_e26

    def to_call(self) -> bool:
        """Call iff, with debt, 0.8 N <= K."""
        return self.debt_e26 > 0 and 4 * self.net_e26 <= 5 * self.maintenance_e26

    def calm(self) -> bool:
        """Say whether the ratio is below 0.7, so that the next call may be made."""
        return 10 * self.maintenance_e26 < 7 * self.net_e26 or self.debt_e26 == 0

    def ratio_e6(self) -> int:
        """Return K / N as shown: 0 without debt, 999 when N <= 0; rounded up, to the risky side."""
        if self.debt_e26 == 0:
            return 0
        if self.net_e26 <= 0:
            return RATIO_INFINITE_E6
        ratio = div_ceil(self.maintenance_e26 * RATIO_ONE_E6, self.net_e26)
        return min(ratio, RATIO_INFINITE_E6)


@final
class Deltas:
    """What an order would change: holdings and debts of the coin it pays and the coin it gets.

    A loan is all principal; a repayment is of interest first (RULES 6.4).
    """

    __slots__ = (
        "get",
        "get_debt",
        "get_holdings",
        "get_principal",
        "pay",
        "pay_debt",
        "pay_holdings",
    )

    def __init__(self, pay: Coin, get: Coin) -> None:
        self.pay: Final = pay
        self.get: Final = get
        self.pay_holdings = 0
        self.pay_debt = 0
        self.get_holdings = 0
        self.get_debt = 0
        self.get_principal = 0


def low_price_e12(coin: Coin) -> int:
    """Return what assets count at under caution: the lower of index and slow average."""
    return min(coin.price_e12, coin.slow_price_e12)


def high_price_e12(coin: Coin) -> int:
    """Return what debts count at under caution: the higher of index and slow average."""
    return max(coin.price_e12, coin.slow_price_e12)


def weighted_e6(account: Account, coin: Coin, excess_units: int) -> int:
    """Weigh an excess by the coin's collateral ratio, bracket by bracket (RULES 7.2)."""
    steps = coin.collateral_steps
    if account.pair is not None:
        return excess_units * RATIO_ONE_E6
    if len(steps) == 1:
        return excess_units * steps[0][1]
    weighted = 0
    floor = 0
    for up_to, ratio_e6 in steps:
        if up_to == 0 or excess_units <= up_to:
            return weighted + (excess_units - floor) * ratio_e6
        weighted += (up_to - floor) * ratio_e6
        floor = up_to
    raise AssertionError("Invariant: the last collateral step has a bound")


def isolated_tier(account: Account, deltas: Deltas | None = None) -> int:
    """Return which tier an isolated account is in: the higher of its two sides (RULES 7.2)."""
    pair = account.pair
    assert pair is not None
    base, quote = account.find(pair.base), account.find(pair.quote)
    owed_base = base.principal_units if base is not None else 0
    owed_quote = quote.principal_units if quote is not None else 0
    if deltas is not None:
        buys = deltas.pay is pair.quote
        owed_base += deltas.get_principal if buys else deltas.pay_debt
        owed_quote += deltas.pay_debt if buys else deltas.get_principal
    last = len(pair.isolated_tiers) - 1
    for tier, (base_max, quote_max, _, _) in enumerate(pair.isolated_tiers):
        if tier == last or (owed_base <= base_max and owed_quote <= quote_max):
            return tier
    raise AssertionError("Invariant: an isolated account of a pair without tiers")


def needed_e6(
    account: Account,
    coin: Coin,
    principal_units: int,
    debt_units: int,
    deltas: Deltas | None = None,
) -> int:
    """Return MMR x debt of a coin: marginal by principal when crossed (RULES 7.2)."""
    pair = account.pair
    if pair is not None:
        return debt_units * pair.isolated_tiers[isolated_tier(account, deltas)][3]
    tiers = coin.cross_tiers
    if len(tiers) == 1 or principal_units <= tiers[0][0]:
        return debt_units * tiers[0][2]
    needed = 0
    floor = 0
    for max_units, _, mmr_e6 in tiers:
        top = min(principal_units, max_units)
        needed += (top - floor) * mmr_e6
        floor = top
        if principal_units <= max_units:
            break
    # Interest, and principal beyond the last tier, count at the highest rate reached.
    return needed + (debt_units - floor) * mmr_e6


def assess(
    state: State, account: Account, caution: bool = False, deltas: Deltas | None = None
) -> Risk:
    """Return an account's risk at the index, or under caution (RULES 7.5), or after `deltas`."""
    net = 0
    debt = 0
    needed = 0
    for balance in account.balances:
        held = balance.available_units + balance.frozen_units
        principal = balance.principal_units
        owed = principal + interest_due(state, account.user, balance)
        coin = balance.coin
        if deltas is not None:
            if coin is deltas.pay:
                held += deltas.pay_holdings
                owed += deltas.pay_debt
                principal += deltas.pay_debt
            elif coin is deltas.get:
                held += deltas.get_holdings
                owed += deltas.get_debt
                principal += deltas.get_principal
        if held == 0 and owed == 0:
            continue
        price = coin.price_e12 * coin.value_scale
        high = price
        low = price
        if caution:
            low = low_price_e12(coin) * coin.value_scale
            high = high_price_e12(coin) * coin.value_scale
        excess = held - owed
        if excess >= 0:
            net += low * weighted_e6(account, coin, excess)
        else:
            net += high * excess * RATIO_ONE_E6
        if owed:
            debt += high * owed * RATIO_ONE_E6
            needed += high * needed_e6(account, coin, principal, owed, deltas)
    return Risk(net, debt, needed)


def index_problem(state: State, account: Account) -> Coin | None:
    """Return the first coin of the account whose index is missing or stale, if there is one."""
    first: Coin | None = None
    for balance in account.balances:
        if (
            (balance.available_units or balance.frozen_units or balance.principal_units)
            and is_stale(state, balance.coin)
            and (first is None or balance.coin.id < first.id)
        ):
            first = balance.coin
    return first


def is_stale(state: State, coin: Coin) -> bool:
    """Say whether a coin's index is missing or older than its source allows (RULES 7.7)."""
    if coin.price_e12 == 0:
        return True
    return 0 < coin.price_max_age_ms < state.time_ms - coin.price_time_ms


def may_liquidate(state: State, account: Account) -> bool:
    """Say whether every price the account depends on is fresh and has enough sources."""
    for balance in account.balances:
        if balance.available_units or balance.frozen_units or balance.principal_units:
            coin = balance.coin
            if is_stale(state, coin) or coin.price_sources < SOURCES_MIN:
                return False
    return True


def order_loss_e26(order: Order) -> int:
    """Return what an open order would lose if filled now at its limit after fee, never below 0."""
    pair = order.pair
    quote_units = order.price_ticks * order.remaining_steps * pair.quote_per_tick_step
    base_units = order.remaining_steps * pair.step_units
    rate = max(pair.taker_fee_e6, pair.maker_fee_e6)
    if order.side == BUY:
        pays, gets, paid, got = pair.quote, pair.base, quote_units, base_units
    else:
        pays, gets, paid, got = pair.base, pair.quote, base_units, quote_units
    got -= div_ceil(rate * got, RATIO_ONE_E6)
    weight = RATIO_ONE_E6
    if order.account.pair is None:
        weight = gets.collateral_steps[-1][1]
    paid_value = high_price_e12(pays) * pays.value_scale * paid * RATIO_ONE_E6
    got_value = low_price_e12(gets) * gets.value_scale * got * weight
    return max(0, paid_value - got_value)


def open_loss_e26(account: Account, without: Order | None) -> int:
    """Return the losses of an account's open orders together (RULES 7.6)."""
    loss = 0
    for order in account.orders:
        if order is not without:
            loss += order_loss_e26(order)
    return loss


def leverage_room_units(risk: Risk, leverage: int, coin: Coin) -> int:
    """Return how much of a coin the net still carries at a leverage (RULES 6.1)."""
    room = (leverage - 1) * risk.net_e26 - risk.debt_e26
    return room // (high_price_e12(coin) * coin.value_scale * RATIO_ONE_E6)


def debt_units(state: State, account: Account, balance: Balance) -> int:
    """Return principal and interest due of a balance."""
    return balance.principal_units + interest_due(state, account.user, balance)
