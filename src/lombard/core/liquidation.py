"""Liquidation: repay, sell in slices inside the band, take over, book the loss (RULES 8).

Work is done step by step by `ContinueLiquidation` commands between users' commands, worst ratio
first. Each step is recorded with the index it used and the ratio before and after, so that a
trader can follow every unit.
"""

from __future__ import annotations

import heapq
from typing import Final, final

from lombard.core.book import Order
from lombard.core.commands import (
    BUY,
    IOC,
    MARKET,
    NORMAL,
    SELL,
    SOURCE_SYSTEM,
    STP_NONE,
    ContinueLiquidation,
)
from lombard.core.events import (
    REPAY_LIQUIDATION,
    Event,
    FundPaid,
    FundTook,
    LiquidationFeePaid,
    LiquidationFinished,
    LiquidationStepped,
    LossBooked,
    OrderClosed,
    OrderPlaced,
)
from lombard.core.interest import bring_up_to_date, interest_due
from lombard.core.ledger import set_debt_flag
from lombard.core.lending import pay_back
from lombard.core.matching import match
from lombard.core.orders import after_fill, end_reason
from lombard.core.rates import note_lent, note_supplied
from lombard.core.refusals import Refusal
from lombard.core.risk import (
    VALUE_PER_E8,
    Risk,
    assess,
    debt_units,
    may_liquidate,
    needed_e6,
)
from lombard.core.state import Account, Balance, Coin, Liquidation, Pair, Reply, State
from lombard.core.units import RATIO_ONE_E6, div_ceil
from lombard.core.watch import enqueue, watch

STEPS_MAX: Final = 10_000
BRIDGE: Final = "USDT"


@final
class Route:
    """How one coin is sold for another: the pair, and the side of the system order."""

    __slots__ = ("pair", "side")

    def __init__(self, pair: Pair, side: int) -> None:
        self.pair: Final = pair
        self.side: Final = side


def proceed(state: State, cmd: ContinueLiquidation, events: list[Event]) -> Reply:
    """Do up to `max_steps` steps, worst ratio first, then account id. Replies with their number."""
    if not 1 <= cmd.max_steps <= STEPS_MAX:
        return Reply(Refusal.AMOUNT_TOO_LARGE, units=STEPS_MAX)
    done = 0
    while done < cmd.max_steps and state.liquidation_queue:
        _, account_id = heapq.heappop(state.liquidation_queue)
        liquidation = state.liquidations[account_id]
        _step(state, liquidation, events)
        done += 1
    return Reply(None, 0, done)


def _step(state: State, liquidation: Liquidation, events: list[Event]) -> None:
    """Do one step of a liquidation and queue the next, let it wait, or finish it."""
    account = liquidation.account
    if not may_liquidate(state, account):
        liquidation.waiting = True
        return
    before = assess(state, account)
    if _is_safe(liquidation, before):
        _finish(state, liquidation, events)
        return
    if _repay_from_own_coins(state, liquidation, events):
        _record(state, liquidation, "repay", None, None, 0, before, events)
    else:
        _sell_or_wait(state, liquidation, before, events)
    after = assess(state, account)
    if _is_safe(liquidation, after):
        _finish(state, liquidation, events)
    elif not liquidation.waiting:
        enqueue(state, account, after)


def _is_safe(liquidation: Liquidation, risk: Risk) -> bool:
    """Stop at 2K <= N, the fee that falls due counted (RULES 7.3, 8.5)."""
    net = risk.net_e26 - liquidation.fee_value_e26
    return risk.debt_e26 == 0 or 2 * risk.maintenance_e26 <= net


def _fee_rate_e6(state: State, account: Account) -> int:
    if account.pair is not None:
        return account.pair.liquidation_fee_e6
    return state.parameters["crossed_liquidation_fee_e6"]


def _price(coin: Coin) -> int:
    """Return what one unit is worth in 1e-20 USDT."""
    return coin.price_e12 * coin.value_scale


def _repay(
    state: State, liquidation: Liquidation, balance: Balance, units: int, events: list[Event]
) -> None:
    """Repay a debt from available, and note the fee on what it was worth (RULES 8.5)."""
    pay_back(state, liquidation.account, balance, units, REPAY_LIQUIDATION, events)
    fee_e6 = _fee_rate_e6(state, liquidation.account)
    liquidation.fee_value_e26 += _price(balance.coin) * units * fee_e6


def _repay_from_own_coins(state: State, liquidation: Liquidation, events: list[Event]) -> bool:
    """Repay each debt from its own coin, no more than 0.5 asks for; say whether any was."""
    account = liquidation.account
    repaid = False
    for balance in account.balances:
        debt = debt_units(state, account, balance)
        if debt == 0 or balance.available_units == 0:
            continue
        risk = assess(state, account)
        if _is_safe(liquidation, risk):
            break
        units = min(balance.available_units, debt, _units_to_safety(state, liquidation, balance))
        _repay(state, liquidation, balance, units, events)
        repaid = True
    return repaid


def _units_to_safety(state: State, liquidation: Liquidation, balance: Balance) -> int:
    """Return how much of a debt, repaid from its own coin, brings the ratio to 0.5 after the fee.

    A unit repaid lowers K by MMR and costs the fee: y (2 MMR - fee) p >= 2K - N.
    """
    account = liquidation.account
    risk = assess(state, account)
    debt = debt_units(state, account, balance)
    mmr_e6 = needed_e6(account, balance.coin, balance.principal_units, debt) // debt
    gain_e6 = 2 * mmr_e6 - _fee_rate_e6(state, account)
    if gain_e6 <= 0:
        return debt
    missing = 2 * risk.maintenance_e26 - (risk.net_e26 - liquidation.fee_value_e26)
    return max(1, div_ceil(missing, _price(balance.coin) * gain_e6))


def _sell_or_wait(
    state: State, liquidation: Liquidation, before: Risk, events: list[Event]
) -> None:
    """Sell a slice of the largest surplus for the largest deficit; take over when it must end."""
    account = liquidation.account
    deficit = _largest_deficit(state, account)
    assert deficit is not None, "Invariant: a liquidation without a deficit"
    surplus = _surplus_to_sell(state, account, deficit.coin)
    late = state.time_ms - liquidation.started_ms >= state.parameters["takeover_after_ms"]
    if surplus is None or late:
        _take_over(state, liquidation, before, events)
        return
    route = _route(state, account, surplus.coin, deficit.coin)
    if route is None:
        liquidation.waiting = True
        return
    target = route.pair.base if route.side == BUY else route.pair.quote
    value = _slice_value_e26(state, liquidation, before, surplus, deficit)
    order = _system_order(state, account, surplus, route, value)
    if order is None:
        _take_over(state, liquidation, before, events)
        return
    _trade(state, order, events)
    if order.filled_steps == 0:
        liquidation.waiting = True
        return
    bought = account.balance(target)
    owed = debt_units(state, account, bought)
    units = min(owed, bought.available_units)
    if units:
        _repay(state, liquidation, bought, units, events)
    _record(state, liquidation, "sell", surplus.coin, target, order.id, before, events)


def _largest_surplus(state: State, account: Account) -> Balance | None:
    """Return the balance with the most value above its own debt, the lower coin id on a tie."""
    best: Balance | None = None
    best_value = 0
    for balance in account.balances:
        excess = balance.available_units - debt_units(state, account, balance)
        value = _price(balance.coin) * excess
        if value > best_value:
            best, best_value = balance, value
    return best


def _surplus_to_sell(state: State, account: Account, wanted: Coin) -> Balance | None:
    """Return the largest surplus, or the USDT it was already sold for on the way to `wanted`."""
    surplus = _largest_surplus(state, account)
    if surplus is None or _pair_between(state, account, surplus.coin, wanted) is not None:
        return surplus
    bridge = state.coin_ids.get(BRIDGE)
    halfway = None if bridge is None else account.find(state.coins[bridge])
    if halfway is None or wanted.name == BRIDGE:
        return surplus
    pair = _pair_between(state, account, halfway.coin, wanted)
    spare = halfway.available_units - debt_units(state, account, halfway)
    return halfway if pair is not None and spare >= max(1, pair.pair.min_value_units) else surplus


def _largest_deficit(state: State, account: Account) -> Balance | None:
    """Return the balance that lacks the most value to pay its debt."""
    best: Balance | None = None
    best_value = 0
    for balance in account.balances:
        missing = debt_units(state, account, balance) - balance.available_units
        value = _price(balance.coin) * missing
        if value > best_value:
            best, best_value = balance, value
    return best


def _route(state: State, account: Account, sold: Coin, wanted: Coin) -> Route | None:
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


def _slice_value_e26(
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
    cost_e6 = state.parameters["system_band_e6"] + taker_e6 + _fee_rate_e6(state, account)
    divisor = slice_divisor_e12(cost_e6, mmr_e6, weight_e6)
    assert divisor > 0, "Invariant: a slice would not improve the account"
    missing = 2 * risk.maintenance_e26 - (risk.net_e26 - liquidation.fee_value_e26)
    return div_ceil(missing * RATIO_ONE_E6 * RATIO_ONE_E6, divisor)


def _system_order(
    state: State, account: Account, surplus: Balance, route: Route, value_e26: int
) -> Order | None:
    """Build the market order of a slice; None when holdings are below the pair's minimum size."""
    pair = route.pair
    debt = debt_units(state, account, surplus)
    most = surplus.available_units - debt
    wanted = min(most, div_ceil(value_e26, _price(surplus.coin) * RATIO_ONE_E6))
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


def _trade(state: State, order: Order, events: list[Event]) -> None:
    """Trade a system order inside its band, stepping over the user's own orders (RULES 8.3)."""
    pair = order.pair
    limit = pair.system_high_ticks if order.side == BUY else pair.system_low_ticks
    first = len(events)
    assert order.id == state.take_id()
    makers = match(state, order, limit, order.account.user.id, events)
    if order.filled_steps == 0:
        return
    events.insert(
        first,
        OrderPlaced(
            order.id,
            order.account.id,
            pair.id,
            order.side,
            MARKET,
            IOC,
            NORMAL,
            STP_NONE,
            0,
            order.size_steps,
            order.quote_units,
            "",
            SOURCE_SYSTEM,
        ),
    )
    paid = order.filled_quote_units if order.side == BUY else order.filled_steps * pair.step_units
    order.pay.available_units -= paid
    order.get.available_units += order.received_units - order.fee_units
    assert order.pay.available_units >= 0, "Invariant: a liquidation sold what was not there"
    events.append(OrderClosed(order.id, order.account.id, pair.id, end_reason(order)))
    for maker, net_units in makers:
        if maker.account.debts:
            after_fill(state, maker, net_units, events)


def _record(
    state: State,
    liquidation: Liquidation,
    action: str,
    sold: Coin | None,
    bought: Coin | None,
    order_id: int,
    before: Risk,
    events: list[Event],
) -> None:
    """Write down a step: what was done, at which index, the ratio before and after (RULES 8.6)."""
    account = liquidation.account
    liquidation.step += 1
    prices: list[tuple[int, int]] = []
    for balance in account.balances:
        coin = balance.coin
        # A balance that merely exists says nothing: a read may have made it.
        used = balance.available_units or balance.frozen_units or balance.principal_units
        if used or balance.charged or coin is sold or coin is bought:
            prices.append((coin.id, coin.price_e12))
    events.append(
        LiquidationStepped(
            liquidation.id,
            account.id,
            liquidation.step,
            action,
            -1 if sold is None else sold.id,
            -1 if bought is None else bought.id,
            order_id,
            prices,
            before.ratio_e6(),
            assess(state, account).ratio_e6(),
        )
    )


def _take_over(state: State, liquidation: Liquidation, before: Risk, events: list[Event]) -> None:
    """Let the insurance fund take the rest over at index, and book what it cannot pay (RULES 8.4).

    The fund takes coins worth the whole remaining debt, as far as there are any; it pays each debt
    from its own balance of that coin; the pool loses the rest.
    """
    account = liquidation.account
    _fund_takes(state, liquidation, assess(state, account).debt_e26, events)
    for balance in account.balances:
        debt = debt_units(state, account, balance)
        if debt == 0:
            continue
        lacking = max(0, debt - balance.available_units)
        paid = min(lacking, balance.coin.insurance_units)
        if paid:
            balance.coin.insurance_units -= paid
            balance.available_units += paid
            events.append(FundPaid(liquidation.id, account.id, balance.coin.id, paid))
        units = min(debt, balance.available_units)
        if units:
            _repay(state, liquidation, balance, units, events)
        if balance.principal_units:
            _book_loss(state, liquidation, balance, events)
    _record(state, liquidation, "takeover", None, None, 0, before, events)


def _fund_takes(
    state: State, liquidation: Liquidation, value_e26: int, events: list[Event]
) -> None:
    """Move coins worth a value to the fund, the largest surplus first, rounded up in its favour."""
    account = liquidation.account
    while value_e26 > 0:
        surplus = _largest_surplus(state, account)
        if surplus is None:
            return
        price = _price(surplus.coin) * RATIO_ONE_E6
        most = surplus.available_units - debt_units(state, account, surplus)
        units = min(most, div_ceil(value_e26, price))
        surplus.available_units -= units
        surplus.coin.insurance_units += units
        value_e26 -= units * price
        events.append(FundTook(liquidation.id, account.id, surplus.coin.id, units))


def _book_loss(
    state: State, liquidation: Liquidation, balance: Balance, events: list[Event]
) -> None:
    """Write off what is still owed of a coin: the pool's loss, visible there and in the record."""
    account = liquidation.account
    bring_up_to_date(state, account, balance, events)
    coin = balance.coin
    principal = balance.principal_units
    interest = interest_due(state, account.user, balance)
    coin.lent_units -= principal
    coin.loss_units += principal
    note_lent(state, coin, -principal)
    note_supplied(state, coin, -principal)
    balance.principal_units = 0
    balance.paid_units += interest
    set_debt_flag(state, account, True, False)
    events.append(LossBooked(liquidation.id, account.id, coin.id, principal, interest))

    assert coin.lent_units >= 0, "Invariant: more was lost than was lent"


def _finish(state: State, liquidation: Liquidation, events: list[Event]) -> None:
    """Take the fee, at most what remains, and unlock the account (RULES 8.5)."""
    account = liquidation.account
    due = liquidation.fee_value_e26
    taken = 0
    while taken < due:
        surplus = _largest_surplus(state, account)
        if surplus is None:
            break
        price = _price(surplus.coin) * RATIO_ONE_E6
        most = surplus.available_units - debt_units(state, account, surplus)
        units = min(most, (due - taken) // price)
        if units == 0:
            break
        surplus.available_units -= units
        surplus.coin.insurance_units += units
        taken += units * price
        events.append(LiquidationFeePaid(liquidation.id, account.id, surplus.coin.id, units))
    account.liquidation = None
    del state.liquidations[account.id]
    ratio = assess(state, account).ratio_e6()
    events.append(LiquidationFinished(liquidation.id, account.id, ratio, taken // VALUE_PER_E8))
    watch(state, account, events)
