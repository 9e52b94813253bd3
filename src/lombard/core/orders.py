"""Orders: what is checked before one is accepted, what it borrows, and how it ends (RULES 6.2, 7.6,
10).

An order is decided first, on what it would come to at worst, and then trades in one pass. It
borrows only what it lacks: what finishes within the command borrows what it consumed beyond
available, what comes to rest borrows ahead.
"""

from __future__ import annotations

from mypy_extensions import i64

from lombard.core.bands import refuse_band, refuse_spot_band
from lombard.core.book import Order
from lombard.core.bounds import VALUE_LIMIT, bounds_of, mmr_bound, share, value_high
from lombard.core.cancelling import find
from lombard.core.commands import (
    AUTO_LOAN,
    AUTO_REPAY,
    BUY,
    FOK,
    GTC,
    LIMIT,
    MARKET,
    POST_ONLY,
    STP_CANCEL_BOTH,
    PlaceOrder,
    ReplaceOrder,
)
from lombard.core.delisting import refuse_increase
from lombard.core.events import (
    CLOSED_REPLACED,
    REPAY_AUTO,
    Event,
    OrderClosed,
    OrderPlaced,
)
from lombard.core.interest import interest_due
from lombard.core.lending import (
    lend,
    pay_back,
    refuse_lending,
    refuse_over_limit,
    surely_lendable,
)
from lombard.core.matching import (
    NO_MAKERS,
    crosses,
    facing,
    match,
    rest,
    resting_side,
    walk,
    withdraw,
)
from lombard.core.order_amounts import cost_units, end_reason, paid_units, resting_units
from lombard.core.refusals import Refusal
from lombard.core.risk import (
    Deltas,
    assess,
    debt_units,
    index_problem,
    is_stale,
    open_loss_e26,
)
from lombard.core.state import Account, Pair, Reply, State
from lombard.core.units import PRICE_ONE_E12, RATIO_ONE_E6, div_ceil, too_large
from lombard.core.watch import watch


def place(state: State, account: Account, cmd: PlaceOrder, events: list[Event]) -> Reply:
    """Place an order. A refusal changes nothing."""
    refusal = _refuse_form(state, account, cmd, None)
    if refusal is not None:
        return refusal
    return _place(state, account, cmd, None, events)


def replace(state: State, account: Account, cmd: ReplaceOrder, events: list[Event]) -> Reply:
    """Cancel an order and place another in one step; a refusal leaves the old one standing."""
    found = find(account, cmd.pair, cmd.order_id, cmd.client_oid)
    if found is None:
        return Reply(Refusal.ORDER_UNKNOWN)
    new = PlaceOrder(
        found.pair.id,
        found.side,
        found.kind,
        found.force,
        found.loan_type,
        found.stp,
        cmd.price_ticks,
        cmd.size_steps,
        0,
        cmd.new_client_oid,
        found.source,
    )
    refusal = _refuse_form(state, account, new, found)
    if refusal is not None:
        return refusal
    if new.price_ticks == found.price_ticks and new.size_steps < found.remaining_steps:
        return _shrink(state, found, new, events)
    return _place(state, account, new, found, events)


def _shrink(state: State, old: Order, cmd: PlaceOrder, events: list[Event]) -> Reply:
    """Let a smaller order of the same price take an order's place in its queue (RULES 10).

    It needs no check of funds or risk: it can only cost, and lose, less than what stands.
    """
    order = _order(state, old.account, old.pair, cmd)
    units = cost_units(order)
    freed = old.frozen_units - units
    assert freed > 0, "Invariant: a smaller order freezes more"

    # From here the order succeeds.
    assert order.id == state.take_id()
    resting_side(old).take_place(old, order)
    order.pay.frozen_units -= freed
    order.pay.available_units += freed
    order.frozen_units, old.frozen_units = units, 0
    order.borrowed_units = old.borrowed_units
    order.account.drop(old)
    order.account.keep(order)
    events.append(OrderClosed(old.id, order.account.id, order.pair.id, CLOSED_REPLACED))
    events.append(_placed(order))
    return Reply(None, order.id)


def place_fired(
    state: State,
    account: Account,
    cmd: PlaceOrder,
    replaced: Order | None,
    edge_ticks: int,
    events: list[Event],
) -> Reply:
    """Place a trigger's order; a market order of any account keeps to `edge_ticks` (RULES 10)."""
    refusal = _refuse_form(state, account, cmd, replaced)
    if refusal is not None:
        return refusal
    return _place(state, account, cmd, replaced, events, edge_ticks)


def refuse_account(state: State, account: Account, pair_id: int, loan_type: int) -> Reply | None:
    """Return why an account may not place anything on a pair, in this order."""
    if not 0 <= pair_id < len(state.pairs):
        return Reply(Refusal.PAIR_UNKNOWN)
    pair = state.pairs[pair_id]
    if not pair.trading:
        return Reply(Refusal.PAIR_NOT_TRADING, detail=pair.symbol)
    if account.margin:
        if account.pair is None and not pair.crossed:
            return Reply(Refusal.PAIR_NOT_MARGIN, detail=pair.symbol)
        if account.pair is not None and account.pair is not pair:
            return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=pair.symbol)
        if account.liquidation is not None:
            return Reply(Refusal.IN_LIQUIDATION)
    elif loan_type:
        return Reply(Refusal.ORDER_INVALID, detail="loanType")
    return Reply(Refusal.ACCOUNT_FROZEN) if account.frozen else None


def _refuse_form(
    state: State, account: Account, cmd: PlaceOrder, replaced: Order | None
) -> Reply | None:
    """Return why an order is refused whatever the account owns, in this order."""
    refusal = refuse_account(state, account, cmd.pair, cmd.loan_type)
    if refusal is not None:
        return refusal
    pair = state.pairs[cmd.pair]
    if pair.reduce_only and account.margin:
        refusal = refuse_increase(state, account, pair, cmd)
        if refusal is not None:
            return refusal
    refusal = refuse_numbers(pair, cmd)
    if refusal is not None:
        return refusal
    standing = len(account.orders) - (0 if replaced is None else 1)
    may_rest = cmd.kind == LIMIT and cmd.force in (GTC, POST_ONLY)
    if may_rest and standing >= pair.max_open_orders:
        resting = 0
        for order in account.orders:
            if order.pair is pair and order is not replaced:
                resting += 1
        if resting >= pair.max_open_orders:
            return Reply(Refusal.TOO_MANY_OPEN_ORDERS, units=pair.max_open_orders)
    return None


def refuse_numbers(pair: Pair, cmd: PlaceOrder) -> Reply | None:
    """Return what is wrong with an order's words and numbers, in this order."""
    if not (
        0 <= cmd.side <= 1
        and 0 <= cmd.kind <= 1
        and GTC <= cmd.force <= POST_ONLY
        and 0 <= cmd.loan_type <= 3
        and 0 <= cmd.stp <= STP_CANCEL_BOTH
    ):
        return Reply(Refusal.ORDER_INVALID, detail="enum")
    if cmd.kind == LIMIT and cmd.price_ticks <= 0:
        return Reply(Refusal.PRICE_NOT_POSITIVE)
    by_quote = cmd.kind == MARKET and cmd.side == BUY
    if (cmd.kind == MARKET and cmd.price_ticks) or (
        cmd.size_steps if by_quote else cmd.quote_units
    ):
        return Reply(Refusal.ORDER_INVALID, detail="size")
    if (cmd.quote_units if by_quote else cmd.size_steps) <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)
    if too_large(cmd.price_ticks) or too_large(cmd.size_steps) or too_large(cmd.quote_units):
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    value = cmd.quote_units
    if not by_quote:
        if cmd.size_steps < pair.min_size_steps:
            return Reply(Refusal.SIZE_UNDER_MINIMUM, units=pair.min_size_steps)
        if cmd.size_steps > pair.max_size_steps:
            return Reply(Refusal.SIZE_OVER_MAXIMUM, units=pair.max_size_steps)
        price = cmd.price_ticks or pair.bids.best_ticks() or pair.last_price_ticks
        value = price * cmd.size_steps * pair.quote_per_tick_step
    if value < pair.min_value_units and (by_quote or value > 0):
        return Reply(Refusal.VALUE_UNDER_MINIMUM, units=pair.min_value_units)
    return None


def _place(
    state: State,
    account: Account,
    cmd: PlaceOrder,
    replaced: Order | None,
    events: list[Event],
    edge_ticks: int = 0,
) -> Reply:
    """Decide on what the account owns, then trade. `replaced` is the order this one stands for.

    `edge_ticks` is the worst price of a spot market order, 0 for any.
    """
    pair = state.pairs[cmd.pair]
    limit_ticks = cmd.price_ticks or edge_ticks
    if account.margin:
        refusal = refuse_band(state, pair, cmd)
        if refusal is not None:
            return refusal
        if cmd.kind == MARKET:
            limit_ticks = pair.band_high_ticks if cmd.side == BUY else pair.band_low_ticks
    elif pair.spot_band_e6:
        refusal = refuse_spot_band(pair, cmd)
        if refusal is not None:
            return refusal
    order = _order(state, account, pair, cmd)
    need = cost_units(order)
    freed = 0 if replaced is None else replaced.frozen_units
    shortfall = need - order.pay.available_units - freed
    if shortfall < 0:
        shortfall = 0
    if shortfall and not cmd.loan_type & AUTO_LOAN:
        return Reply(Refusal.INSUFFICIENT_BALANCE, detail=order.pay.coin.name)
    if cmd.force == POST_ONLY and cmd.kind == LIMIT:
        best = facing(order).best_ticks()
        if best and (best <= cmd.price_ticks if cmd.side == BUY else best >= cmd.price_ticks):
            return Reply(Refusal.POST_ONLY_WOULD_TAKE, units=best)
    fill_or_kill = cmd.force == FOK and cmd.kind == LIMIT
    if fill_or_kill and walk(order, limit_ticks).steps < order.size_steps:
        return Reply(Refusal.FOK_WOULD_NOT_FILL)
    if (shortfall or account.debts) and not _surely_allowed(state, order, need, shortfall):
        refusal = None
        if shortfall:
            refusal = refuse_lending(state, account, order.pay.coin)
            if refusal is None:
                refusal = refuse_over_limit(state, account, order.pay.coin, shortfall)
        if refusal is None:
            refusal = _refuse_risk(state, order, limit_ticks, shortfall, replaced)
        if refusal is not None:
            return refusal

    # From here the order succeeds.
    if replaced is not None:
        withdraw(replaced, CLOSED_REPLACED, events)
        order.borrowed_units = replaced.borrowed_units
    assert order.id == state.take_id()
    _trade(state, order, limit_ticks, events)
    return Reply(None, order.id)


def _order(state: State, account: Account, pair: Pair, cmd: PlaceOrder) -> Order:
    """Build an order, with the id it will have if it succeeds."""
    base, quote = account.balance(pair.base), account.balance(pair.quote)
    pay, get = (quote, base) if cmd.side == BUY else (base, quote)
    return Order(
        state.next_id,
        account,
        pair,
        pay,
        get,
        cmd.side,
        cmd.kind,
        GTC if cmd.kind == MARKET else cmd.force,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        cmd.size_steps,
        cmd.quote_units,
        cmd.client_oid,
        cmd.source,
        state.time_ms,
    )


def _surely_allowed(state: State, order: Order, need: int, shortfall: int) -> bool:
    """Say whether bounds alone prove that limits and risk allow an order; False decides nothing.

    Whatever becomes of it, the order and those that rest lose at most all that they pay with.
    """
    account = order.account
    account.calm_epoch = -1
    bounds = bounds_of(state, account)
    if bounds is None or is_stale(state, order.get.coin):
        return False
    coin = order.pay.coin
    lost = bounds.frozen_high + value_high(coin, need)
    maintenance: i64 = 0
    if shortfall:
        lent = value_high(coin, shortfall)
        if not surely_lendable(state, account, order.pay, bounds, shortfall, lent):
            return False
        # At the highest rate the first hour costs a 24th.
        interest = (lent >> 4) + 1
        lost += interest
        maintenance = share(lent + interest, mmr_bound(account, coin)) + 1
    if lost >= VALUE_LIMIT or not bounds.calm_after(lost, maintenance):
        return False
    if not account.called:
        account.calm_epoch = state.epoch
    return True


def _refuse_risk(
    state: State, order: Order, limit_ticks: int, shortfall: int, replaced: Order | None
) -> Reply | None:
    """Refuse unless, every order filled now, the ratio is below 0.8 or falls (RULES 7.6)."""
    account = order.account
    pair = order.pair
    debt_to_repay = debt_units(state, account, order.get)
    repays = order.loan_type & AUTO_REPAY and debt_to_repay > 0
    stale = index_problem(state, account)
    if stale is None and is_stale(state, order.get.coin):
        stale = order.get.coin
    paid, got = _outcome(order, limit_ticks)
    got -= div_ceil(max(pair.taker_fee_e6, pair.maker_fee_e6) * got, RATIO_ONE_E6)
    if stale is not None:
        # Stale: only what pays debt back, with all it brings, goes on (RULES 7.7).
        if repays and not shortfall and got <= debt_to_repay:
            return None
        return Reply(Refusal.INDEX_STALE, detail=stale.name)
    deltas = Deltas(order.pay.coin, order.get.coin)
    deltas.pay_holdings = shortfall - paid
    deltas.pay_debt = shortfall
    repaid = min(got, debt_to_repay) if repays else 0
    deltas.get_holdings = got - repaid
    deltas.get_debt = -repaid
    if repaid:
        due = interest_due(state, account.user, order.get)
        deltas.get_principal = min(0, due - repaid)
    after = assess(state, account, True, deltas)
    loss = open_loss_e26(account, replaced)
    net = after.net_e26 - loss
    if _ratio_below_08(net, after.maintenance_e26):
        if not shortfall:
            return None
        # Not filled yet, the loan alone must be carried too.
        deltas.pay_holdings = shortfall
        deltas.get_holdings = 0
        deltas.get_debt = 0
        deltas.get_principal = 0
        unfilled = assess(state, account, True, deltas)
        if _ratio_below_08(unfilled.net_e26 - loss, unfilled.maintenance_e26):
            return None
    elif not shortfall and net > 0:
        before = assess(state, account, True)
        if after.maintenance_e26 * (before.net_e26 - loss) < before.maintenance_e26 * net:
            return None
    return Reply(Refusal.RISK_TOO_HIGH)


def _ratio_below_08(net_e26: int, maintenance_e26: int) -> bool:
    return 5 * maintenance_e26 < 4 * net_e26 or maintenance_e26 == 0


def _outcome(order: Order, limit_ticks: int) -> tuple[int, int]:
    """Return what an order would pay and get before fees: what it takes now, the rest at its limit.

    A gain is not counted: an order that asks more than the index may never be filled. Such an
    order pays its limit, and gets what that is worth at the index.
    """
    pair = order.pair
    done = walk(order, limit_ticks)
    base, quote = done.steps * pair.step_units, done.quote_units
    if order.kind == LIMIT and order.force in (GTC, POST_ONLY):
        left = order.size_steps - done.steps
        limit = order.price_ticks
        centre = pair.base.price_e12 * PRICE_ONE_E12 // (pair.quote.price_e12 * pair.tick_e12)
        centre = max(1, centre)
        if order.side == BUY:
            quote += left * limit * pair.quote_per_tick_step
            base += left * pair.step_units * min(limit, centre) // centre
        else:
            base += left * pair.step_units
            quote += left * min(limit, centre) * pair.quote_per_tick_step
    return (quote, base) if order.side == BUY else (base, quote)


def _trade(state: State, order: Order, limit_ticks: int, events: list[Event]) -> None:
    """Match an order, settle it, borrow what it lacked, and rest or close what is left."""
    events.append(_placed(order))
    # What an order borrows comes before what it trades, and is known after it.
    may_borrow = order.loan_type & AUTO_LOAN != 0
    takes = crosses(order, limit_ticks)
    trades: list[Event] = [] if takes and may_borrow else events
    makers = match(state, order, limit_ticks, 0, trades) if takes else NO_MAKERS
    resting = resting_units(order)
    paid = paid_units(order)
    borrowed = paid + resting - order.pay.available_units
    if borrowed > 0:
        assert may_borrow, "Invariant: an order spent what it did not have"
        order.borrowed_units += borrowed
        lend(state, order.account, order.pay, borrowed, True, order.client_oid, events)
    if trades is not events:
        events.extend(trades)
    if paid:
        order.pay.available_units -= paid
        order.get.available_units += order.received_units - order.fee_units
    if resting:
        rest(order, resting)
    else:
        events.append(OrderClosed(order.id, order.account.id, order.pair.id, end_reason(order)))
    if paid:
        after_fill(state, order, order.received_units - order.fee_units, events)
        for maker, net_units in makers:
            if maker.account.debts:
                after_fill(state, maker, net_units, events)

    assert order.pay.available_units >= 0, "Invariant: an order overdrew"


def _placed(order: Order) -> OrderPlaced:
    return OrderPlaced(
        order.id,
        order.account.id,
        order.pair.id,
        order.side,
        order.kind,
        order.force,
        order.loan_type,
        order.stp,
        order.price_ticks,
        order.size_steps,
        order.quote_units,
        order.client_oid,
        order.source,
    )


def after_fill(state: State, order: Order, net_units: int, events: list[Event]) -> None:
    """Repay from what an order received, if it was told to, and look at the account's risk again.

    One repayment per order and command (RULES 6.4); the account is evaluated after it (RULES 7.6).
    """
    account = order.account
    if order.loan_type & AUTO_REPAY:
        debt = debt_units(state, account, order.get)
        units = min(min(net_units, debt), order.get.available_units)
        if units:
            pay_back(state, account, order.get, units, REPAY_AUTO, events)
    watch(state, account, events)
