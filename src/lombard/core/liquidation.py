"""Liquidation: repay, sell in slices inside the band, take over, book the loss (RULES 8).

Work is done step by step by `ContinueLiquidation` commands between users' commands, worst ratio
first. Each step is recorded with the index it used and the ratio before and after, so that a
trader can follow every unit.
"""

from __future__ import annotations

import heapq
from typing import Final

from lombard.core.book import Order
from lombard.core.commands import (
    BUY,
    IOC,
    MARKET,
    NORMAL,
    SOURCE_SYSTEM,
    STP_NONE,
    ContinueLiquidation,
)
from lombard.core.delisting import force, must_be_repaid, owes_delisted
from lombard.core.events import (
    REPAY_FORCED,
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
from lombard.core.order_amounts import end_reason
from lombard.core.orders import after_fill
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
from lombard.core.slices import (
    fee_rate_e6,
    largest_deficit,
    largest_surplus,
    route_to,
    slice_value_e26,
    surpluses_to_sell,
    system_order,
    unit_value,
)
from lombard.core.state import Balance, Coin, Liquidation, Reply, State
from lombard.core.units import RATIO_ONE_E6, div_ceil
from lombard.core.watch import enqueue, watch

STEPS_MAX: Final = 10_000


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
    before = assess(state, account)
    if not may_liquidate(state, account):
        _wait(state, liquidation, before, events)
        return
    if liquidation.forced and before.to_liquidate():
        # What was a repayment of one debt is a liquidation now.
        liquidation.forced = False
    if _is_done(liquidation, before):
        _finish(state, liquidation, events)
        return
    if _repay_from_own_coins(state, liquidation, events):
        _record(state, liquidation, "repay", None, None, 0, before, events)
    else:
        _sell_or_wait(state, liquidation, before, events)
    after = assess(state, account)
    if _is_done(liquidation, after):
        _finish(state, liquidation, events)
    elif not liquidation.waiting:
        enqueue(state, account, after)


def _is_done(liquidation: Liquidation, risk: Risk) -> bool:
    """Say whether there is nothing left to do: the ratio is safe, or the delisted debt repaid."""
    if liquidation.forced:
        return not owes_delisted(liquidation.account)
    return _is_safe(liquidation, risk)


def _is_safe(liquidation: Liquidation, risk: Risk) -> bool:
    """Stop at 2K <= N, the fee that falls due counted (RULES 7.3, 8.5)."""
    net = risk.net_e26 - liquidation.fee_value_e26
    return risk.debt_e26 == 0 or 2 * risk.maintenance_e26 <= net


def _repay(
    state: State, liquidation: Liquidation, balance: Balance, units: int, events: list[Event]
) -> None:
    """Repay a debt from available, and note the fee on what it was worth (RULES 8.5, 8.7)."""
    kind = REPAY_FORCED if liquidation.forced else REPAY_LIQUIDATION
    pay_back(state, liquidation.account, balance, units, kind, events)
    if liquidation.forced:
        return
    fee_e6 = fee_rate_e6(state, liquidation.account)
    liquidation.fee_value_e26 += unit_value(balance.coin) * units * fee_e6


def _repay_from_own_coins(state: State, liquidation: Liquidation, events: list[Event]) -> bool:
    """Repay each debt from its own coin, no more than 0.5 asks for; say whether any was."""
    account = liquidation.account
    repaid = False
    for balance in account.balances:
        debt = debt_units(state, account, balance)
        if debt == 0 or balance.available_units == 0:
            continue
        units = min(balance.available_units, debt)
        if not liquidation.forced:
            if _is_safe(liquidation, assess(state, account)):
                break
            units = min(units, _units_to_safety(state, liquidation, balance))
        elif not must_be_repaid(account, balance):
            continue
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
    gain_e6 = 2 * mmr_e6 - fee_rate_e6(state, account)
    if gain_e6 <= 0:
        return debt
    missing = 2 * risk.maintenance_e26 - (risk.net_e26 - liquidation.fee_value_e26)
    return max(1, div_ceil(missing, unit_value(balance.coin) * gain_e6))


def _sell_or_wait(
    state: State, liquidation: Liquidation, before: Risk, events: list[Event]
) -> None:
    """Sell a slice of a surplus for the largest deficit; take over when it must end.

    The largest surplus first; where it finds no way or no buyer, the next largest.
    """
    account = liquidation.account
    deficit = largest_deficit(state, account, liquidation.forced)
    assert deficit is not None, "Invariant: a liquidation without a deficit"
    late = state.time_ms - liquidation.started_ms >= state.parameters["takeover_after_ms"]
    if late:
        _take_over(state, liquidation, before, events)
        return
    stuck = False
    for surplus in surpluses_to_sell(state, account, deficit.coin):
        route = route_to(state, account, surplus.coin, deficit.coin)
        if route is None:
            stuck = True
            continue
        value = slice_value_e26(state, liquidation, before, surplus, deficit)
        order = system_order(state, account, surplus, route, value)
        if order is None:
            continue
        _trade(state, order, events)
        if order.filled_steps == 0:
            stuck = True
            continue
        _repay_with(state, liquidation, surplus, order, before, events)
        return
    if stuck:
        _wait(state, liquidation, before, events)
    else:
        _take_over(state, liquidation, before, events)


def _repay_with(
    state: State,
    liquidation: Liquidation,
    sold: Balance,
    order: Order,
    before: Risk,
    events: list[Event],
) -> None:
    """Repay what is owed of the coin that a slice has brought, and record the slice."""
    bought = order.get
    owed = debt_units(state, liquidation.account, bought)
    units = min(owed, bought.available_units)
    if units:
        _repay(state, liquidation, bought, units, events)
    _record(state, liquidation, "sell", sold.coin, bought.coin, order.id, before, events)


def _wait(state: State, liquidation: Liquidation, before: Risk, events: list[Event]) -> None:
    """Let a liquidation wait for prices or a buyer; recorded when it begins to, once."""
    liquidation.waiting = True
    state.waiting.append(liquidation.account.id)
    if not liquidation.stalled:
        _record(state, liquidation, "wait", None, None, 0, before, events)
        liquidation.stalled = True


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
    first: int = 2**62,
) -> None:
    """Write down a step: what was done, at which index, the ratio before and after (RULES 8.6).

    The events of a takeover are those from `first` on.
    """
    account = liquidation.account
    liquidation.step += 1
    liquidation.stalled = False
    prices: list[tuple[int, int]] = []
    # What the fund took whole has left no balance, and yet went at its index price.
    taken: list[int] = []
    for index in range(first, len(events)):
        event = events[index]
        if isinstance(event, FundTook):
            taken.append(event.coin)
    for balance in account.balances:
        coin = balance.coin
        # A balance that merely exists says nothing: a read may have made it.
        used = balance.available_units or balance.frozen_units or balance.principal_units
        traded = coin is sold or coin is bought or coin.id in taken
        if used or balance.charged or traded:
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
    first = len(events)
    doomed = list(account.balances)
    if liquidation.forced:
        doomed = [balance for balance in doomed if must_be_repaid(account, balance)]
    value_e26 = 0
    for balance in doomed:
        value_e26 += unit_value(balance.coin) * debt_units(state, account, balance) * RATIO_ONE_E6
    _fund_takes(state, liquidation, value_e26, events)
    for balance in doomed:
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
    _record(state, liquidation, "takeover", None, None, 0, before, events, first)


def _fund_takes(
    state: State, liquidation: Liquidation, value_e26: int, events: list[Event]
) -> None:
    """Move coins worth a value to the fund, the largest surplus first, rounded up in its favour."""
    account = liquidation.account
    while value_e26 > 0:
        surplus = largest_surplus(state, account)
        if surplus is None:
            return
        price = unit_value(surplus.coin) * RATIO_ONE_E6
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
        surplus = largest_surplus(state, account)
        if surplus is None:
            break
        price = unit_value(surplus.coin) * RATIO_ONE_E6
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
    force(state, account, events)
