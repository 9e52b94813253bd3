"""How an order must be answered: form, band, funds, and risk as if filled (RULES 6.2, 7.6, 10)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim import announcement_oracle
from lombard.sim.book import NaiveOrder, NaivePair
from lombard.sim.limits import index_problem, limit, refuse_lending, refuse_over_limit, stale
from lombard.sim.venue import DONE, Answer, request_of

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

# Of one coin: what an order adds to holdings, to what is owed, and to the principal.
Change = tuple[int, int, int]


def has_oid(cmd: c.Command) -> bool:
    """Say whether a command is remembered by a client id."""
    return bool(request_of(cmd)[0][1])


def standing(a: Auditor, account: int, pair: int) -> list[NaiveOrder]:
    """Return an account's resting orders on a pair, oldest first."""
    mine = [o for o in a.book.orders.values() if o.account == account and o.pair == pair]
    return sorted(mine, key=lambda order: order.id)


def find(a: Auditor, account: int, pair: int, order_id: int, oid: str) -> NaiveOrder | None:
    """Return the resting order that an account means."""
    for order in standing(a, account, pair):
        if order.id == order_id or (not order_id and oid and order.client_oid == oid):
            return order
    return None


def place(a: Auditor, account: int, cmd: c.PlaceOrder) -> Answer:
    """Say how a new order is answered."""
    return refuse(a, account, cmd, None) or ask(a, cmd)


def ask(a: Auditor, order: c.PlaceOrder) -> Answer:
    """Grant an order, which must then be placed."""
    a.ask(order)
    return DONE


def replace(a: Auditor, account: int, cmd: c.ReplaceOrder) -> Answer:
    """Say how a replacement is answered: as a new order, with what the old one holds."""
    old = find(a, account, cmd.pair, cmd.order_id, cmd.client_oid)
    if old is None:
        return Answer(Refusal.ORDER_UNKNOWN)
    new = c.PlaceOrder(
        old.pair, old.side, c.LIMIT, old.force, old.loan_type, old.stp, cmd.price_ticks,
        cmd.size_steps, 0, cmd.new_client_oid, c.SOURCE_API,
    )  # fmt: skip
    if new.price_ticks == old.price and new.size_steps < old.steps:
        # Smaller where it stands, it costs and risks less than it did.
        return refuse_form(a, account, new, old) or ask(a, new)
    return refuse(a, account, new, old) or ask(a, new)


def refuse_form(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None
) -> Answer | None:
    """Say why an order is refused whatever its account has."""
    for check in (refuse_place, refuse_increase, refuse_numbers, refuse_number_of_orders):
        refusal = check(a, account, cmd, old)
        if refusal is not None:
            return refusal
    return None


def refuse(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None, edge: int = 0
) -> Answer | None:
    """Say why an order is refused, in the order in which the reasons count.

    `edge` is the worst price of a spot market order, where there is one.
    """
    refusal = refuse_form(a, account, cmd, old)
    if refusal is not None:
        return refusal
    pair = a.terms.pairs[cmd.pair]
    worst = cmd.price_ticks or edge
    if c.slot_of(account) != c.SLOT_SPOT:
        if pair.base not in a.terms.prices or pair.quote not in a.terms.prices:
            return Answer(Refusal.INDEX_STALE)
        low, high = a.terms.band(cmd.pair, "band_e6")
        if cmd.kind == c.MARKET:
            worst = high if cmd.side == c.BUY else low
        elif cmd.side == c.BUY and cmd.price_ticks > high:
            return Answer(Refusal.PRICE_ABOVE_BAND, high)
        elif cmd.side == c.SELL and cmd.price_ticks < low:
            return Answer(Refusal.PRICE_BELOW_BAND, low)
    else:
        refusal = refuse_slip(a, cmd)
        if refusal is not None:
            return refusal
    return refuse_funds(a, account, cmd, old, worst)


def refuse_slip(a: Auditor, cmd: c.PlaceOrder) -> Answer | None:
    """Refuse a spot limit order too far from the last price, where the venue says so (RULES 10)."""
    width = Fraction(a.terms.parameters["spot_band_e6"], 10**6)
    last = a.book.last_price.get(cmd.pair, 0)
    if cmd.kind == c.MARKET or not (width and last):
        return None
    high, low = floor(last * (1 + width)), ceil(last * (1 - width))
    if cmd.side == c.BUY and cmd.price_ticks > high:
        return Answer(Refusal.PRICE_ABOVE_BAND, high)
    if cmd.side == c.SELL and cmd.price_ticks < low:
        return Answer(Refusal.PRICE_BELOW_BAND, low)
    return None


def refuse_place(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None
) -> Answer | None:
    """Say why an account has no orders on a pair."""
    if cmd.pair not in range(len(a.terms.pairs)):
        return Answer(Refusal.PAIR_UNKNOWN)
    terms = a.terms.pairs[cmd.pair].terms
    slot = c.slot_of(account)
    if not terms.trading:
        return Answer(Refusal.PAIR_NOT_TRADING)
    if slot == c.SLOT_SPOT and cmd.loan_type:
        return Answer(Refusal.ORDER_INVALID)
    if slot == c.SLOT_CROSSED and not terms.crossed:
        return Answer(Refusal.PAIR_NOT_MARGIN)
    if slot >= c.SLOT_ISOLATED and slot - c.SLOT_ISOLATED != cmd.pair:
        return Answer(Refusal.COIN_NOT_IN_ACCOUNT)
    if account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    return Answer(Refusal.ACCOUNT_FROZEN) if account in a.restricted else None


def refuse_increase(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None
) -> Answer | None:
    """Refuse what a delisting allows no more."""
    return announcement_oracle.refuse_increase(a, account, cmd)


def refuse_numbers(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None
) -> Answer | None:
    """Say what is wrong with an order's numbers."""
    choices = [(cmd.side, 2), (cmd.kind, 2), (cmd.force, 4), (cmd.loan_type, 4), (cmd.stp, 4)]
    if any(number not in range(count) for number, count in choices):
        return Answer(Refusal.ORDER_INVALID)
    market = cmd.kind == c.MARKET
    by_quote = market and cmd.side == c.BUY
    amount, other = cmd.size_steps, cmd.quote_units
    if by_quote:
        amount, other = other, amount
    if not market and cmd.price_ticks <= 0:
        return Answer(Refusal.PRICE_NOT_POSITIVE)
    if other or (market and cmd.price_ticks):
        return Answer(Refusal.ORDER_INVALID)
    if amount <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    if max(amount, cmd.price_ticks) > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    pair = a.terms.pairs[cmd.pair]
    if not by_quote and amount < pair.terms.min_size_steps:
        return Answer(Refusal.SIZE_UNDER_MINIMUM, pair.terms.min_size_steps)
    if not by_quote and amount > pair.terms.max_size_steps:
        return Answer(Refusal.SIZE_OVER_MAXIMUM, pair.terms.max_size_steps)
    least = pair.terms.min_value_units
    value = amount if by_quote else amount * pair.quote_per_tick_step
    if not by_quote:
        # The value of a market sell is taken at the best bid, or the last price, if there is one.
        price = cmd.price_ticks or a.book.best(cmd.pair, c.BUY)
        value *= price or a.book.last_price.get(cmd.pair, 0)
    if value < least and (by_quote or value > 0):
        return Answer(Refusal.VALUE_UNDER_MINIMUM, least)
    return None


def refuse_number_of_orders(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None
) -> Answer | None:
    """Refuse what may rest beside as many orders as a pair allows."""
    if cmd.kind == c.MARKET or cmd.force not in (c.GTC, c.POST_ONLY):
        return None
    others = [order for order in standing(a, account, cmd.pair) if order is not old]
    most = a.terms.pairs[cmd.pair].terms.max_open_orders
    return Answer(Refusal.TOO_MANY_OPEN_ORDERS, most) if len(others) >= most else None


def refuse_funds(
    a: Auditor, account: int, cmd: c.PlaceOrder, old: NaiveOrder | None, worst: int
) -> Answer | None:
    """Refuse what is neither paid for, nor lent, nor carried."""
    pair = a.terms.pairs[cmd.pair]
    order = NaiveOrder(
        0, account, cmd.pair, cmd.side, cmd.price_ticks, cmd.size_steps, cmd.quote_units,
        cmd.loan_type, cmd.stp,
    )  # fmt: skip
    pays = pair.quote if cmd.side == c.BUY else pair.base
    need = cmd.quote_units or order.cost(pair, cmd.size_steps)
    lacking = max(0, need - a.available[account, pays] - (old.frozen if old else 0))
    if lacking and not cmd.loan_type & c.AUTO_LOAN:
        return Answer(Refusal.INSUFFICIENT_BALANCE, None, a.terms.coins[pays].name)
    limited = cmd.kind == c.LIMIT
    best = a.book.best(cmd.pair, 1 - cmd.side)
    if limited and cmd.force == c.POST_ONLY and best:
        takes = best <= cmd.price_ticks if cmd.side == c.BUY else best >= cmd.price_ticks
        if takes:
            return Answer(Refusal.POST_ONLY_WOULD_TAKE, best)
    taken = a.book.plan(order, worst, a.left_behind)
    steps = sum(step.steps for step in taken)
    if limited and cmd.force == c.FOK and steps < cmd.size_steps:
        return Answer(Refusal.FOK_WOULD_NOT_FILL)
    if not lacking and not a.indebted(account):
        return None
    if lacking:
        refusal = refuse_lending(a, account, pays)
        if refusal is None:
            refusal = refuse_over_limit(limit(a, account, pays), lacking)
        if refusal is not None:
            return refusal
    quote = sum(step.steps * step.maker.price for step in taken) * pair.quote_per_tick_step
    rests = limited and cmd.force in (c.GTC, c.POST_ONLY)
    outcome = as_if_filled(pair, a, order, steps, quote, rests)
    return refuse_risk(a, order, old, outcome, lacking)


def as_if_filled(
    pair: NaivePair, a: Auditor, order: NaiveOrder, steps: int, quote: int, rests: bool
) -> tuple[int, int]:
    """Say what an order pays and gets after fee: what it takes now, and the rest at its limit.

    A limit better than the index may never be met, so nothing is gained by it.
    """
    base = steps * pair.step_units
    if rests:
        left = order.steps - steps
        prices = a.terms.prices
        centre = max(1, floor(prices[pair.base].usdt / prices[pair.quote].usdt / pair.tick))
        counted = min(order.price, centre)
        if order.side == c.BUY:
            quote += left * order.price * pair.quote_per_tick_step
            base += left * pair.step_units * counted // centre
        else:
            base += left * pair.step_units
            quote += left * counted * pair.quote_per_tick_step
    pays, gets = (quote, base) if order.side == c.BUY else (base, quote)
    return pays, gets - ceil(max(pair.maker_fee, pair.taker_fee) * gets)


def refuse_risk(
    a: Auditor, order: NaiveOrder, old: NaiveOrder | None, outcome: tuple[int, int], lacking: int
) -> Answer | None:
    """Refuse unless, all orders filled, the ratio is below 0.8 or falls (RULES 7.6, 7.7)."""
    account = order.account
    pair = a.terms.pairs[order.pair]
    pays, gets = (pair.quote, pair.base) if order.side == c.BUY else (pair.base, pair.quote)
    paid, got = outcome
    debt = a.loans[account, gets].debt
    repays = bool(order.loan_type & c.AUTO_REPAY) and debt > 0
    problem = index_problem(a, account)
    if problem is None and stale(a, gets):
        problem = gets
    if problem is not None:
        if repays and not lacking and got <= debt:
            return None
        return Answer(Refusal.INDEX_STALE, None, a.terms.coins[problem].name)
    repaid = min(got, debt) if repays else 0
    # Interest first, then principal (RULES 6.4).
    principal = max(0, repaid - a.loans[account, gets].due)
    slow = a.slow.values(a.terms)
    filled: dict[int, Change] = {
        pays: (lacking - paid, lacking, lacking),
        gets: (got - repaid, -repaid, -principal),
    }
    loss = open_loss(a, account, old, slow)
    net, _, needed = a.risk(account, slow, filled)
    if calm(net - loss, needed):
        if not lacking:
            return None
        # Not filled yet, the loan alone must be carried too.
        net, _, needed = a.risk(account, slow, {pays: (lacking, lacking, lacking)})
        return None if calm(net - loss, needed) else Answer(Refusal.RISK_TOO_HIGH)
    before, _, needed_before = a.risk(account, slow)
    falls = net > loss and needed * (before - loss) < needed_before * (net - loss)
    return None if falls and not lacking else Answer(Refusal.RISK_TOO_HIGH)


def calm(net: Fraction, needed: Fraction) -> bool:
    """Say whether a ratio is below 0.8."""
    return 5 * needed < 4 * net or not needed


def open_loss(
    a: Auditor, account: int, without: NaiveOrder | None, slow: dict[int, Fraction]
) -> Fraction:
    """Add up what an account's open orders would lose, filled now at their limits after fee."""
    loss = Fraction(0)
    for order in a.book.orders.values():
        if order.account != account or order is without:
            continue
        pair = a.terms.pairs[order.pair]
        base, quote = order.steps * pair.step_units, order.steps * order.price
        quote *= pair.quote_per_tick_step
        pays, gets, paid, got = pair.quote, pair.base, quote, base
        if order.side == c.SELL:
            pays, gets, paid, got = pair.base, pair.quote, base, quote
        got -= ceil(max(pair.maker_fee, pair.taker_fee) * got)
        high = max(a.terms.unit_value(pays), slow[pays])
        low = min(a.terms.unit_value(gets), slow[gets])
        weight = Fraction(1)
        if c.slot_of(account) == c.SLOT_CROSSED:
            weight = Fraction(a.terms.coins[gets].collateral_steps[-1][1], 10**6)
        loss += max(Fraction(0), high * paid - low * got * weight)
    return loss
