"""How a position is closed and a debt paid at a stroke (RULES 6.4, 9.2): orders made of the book.

What such a command comes to is one order, or several: each is made here, by what stands in the book
when its turn comes, and is then held to the rules of any order.
"""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim import order_oracle
from lombard.sim.book import NaiveOrder
from lombard.sim.limits import may_hold
from lombard.sim.venue import Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

ALL_COINS = -1
Script = Generator[None, None, Answer]


def close(a: Auditor, account: int, cmd: c.ClosePosition) -> Answer:
    """RULES 9.2: a market order the other way, of what there is above what is owed, or below."""
    if cmd.pair not in range(len(a.terms.pairs)):
        return Answer(Refusal.PAIR_UNKNOWN)
    if c.slot_of(account) == c.SLOT_SPOT:
        return Answer(Refusal.MARGIN_NOT_OPENED)
    pair = a.terms.pairs[cmd.pair]
    if not (may_hold(a, account, pair.base) and may_hold(a, account, pair.quote)):
        return Answer(Refusal.COIN_NOT_IN_ACCOUNT)
    if account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    if account in a.restricted:
        return Answer(Refusal.ACCOUNT_FROZEN)
    base = (account, pair.base)
    excess = a.available[base] + a.frozen[base] - a.loans[base].debt
    loan_type = c.AUTO_REPAY if cmd.repay else c.NORMAL
    if excess >= 0:
        steps = min(a.available[base], excess) // pair.step_units
        if steps == 0:
            return Answer(Refusal.NO_POSITION)
        if not offers(a, account, cmd.pair, c.SELL):
            return Answer(Refusal.NO_LIQUIDITY)
        order = market(cmd.pair, c.SELL, steps, 0, loan_type, cmd.client_oid)
    else:
        spare = a.available[account, pair.quote]
        if spare == 0:
            return Answer(Refusal.INSUFFICIENT_BALANCE, None, a.terms.coins[pair.quote].name)
        steps = ceil(Fraction(ceil(-excess / (1 - pair.taker_fee)), pair.step_units))
        cost = cost_of(a, account, cmd.pair, steps, spare)
        if cost == 0:
            return Answer(Refusal.NO_LIQUIDITY)
        order = market(cmd.pair, c.BUY, 0, cost, loan_type, cmd.client_oid)
    return order_oracle.place(a, account, order)


def flash_repay(a: Auditor, account: int, cmd: c.FlashRepay) -> Answer | None:
    """RULES 6.4: why nothing is tried; None when `paying` is to tell the rest."""
    if c.slot_of(account) == c.SLOT_SPOT:
        return Answer(Refusal.MARGIN_NOT_OPENED)
    coins = range(len(a.terms.coins))
    if cmd.coin != ALL_COINS and cmd.coin not in coins:
        return Answer(Refusal.COIN_UNKNOWN)
    if cmd.coin != ALL_COINS and not may_hold(a, account, cmd.coin):
        return Answer(Refusal.COIN_NOT_IN_ACCOUNT)
    if account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    if account in a.restricted:
        return Answer(Refusal.ACCOUNT_FROZEN)
    meant = coins if cmd.coin == ALL_COINS else [cmd.coin]
    debts = [coin for coin in meant if a.loans[account, coin].principal]
    if not debts:
        return Answer(Refusal.NO_DEBT)
    a.script = paying(a, account, debts, cmd.coin)
    return None


def paying(a: Auditor, account: int, debts: list[int], coin: int) -> Script:
    """Pay debts from their own coins, then from others; say how it is answered.

    Before every `yield` stands what must happen next: events, or an order that is asked for.
    """
    owed = {each: a.loans[account, each].debt for each in debts}
    done = False
    if c.slot_of(account) >= c.SLOT_ISOLATED:
        for resting in order_oracle.standing(a, account, c.slot_of(account) - c.SLOT_ISOLATED):
            a.take_out(resting, e.CLOSED_BY_USER)
            done = True
    for each in debts:
        units = a.repayment((account, each), owed[each])
        if units:
            a.repayable.append(((account, each), units))
            done = True
    if done:
        yield
    for each in debts:
        for other in surpluses(a, account, each):
            if a.loans[account, each].debt == 0 or account in a.locked:
                break
            for order in sales(a, account, other, each):
                if order_oracle.refuse(a, account, order, None) is None:
                    a.ask(order)
                    done = True
                    yield
                    continue
                break
    if not done:
        return Answer(Refusal.NO_LIQUIDITY, None, a.terms.coins[debts[0]].name)
    assert all(a.loans[account, each].debt <= owed[each] for each in debts)
    if coin == ALL_COINS:
        return Answer(None, 0)
    left = a.loans[account, coin].debt
    assert a.reply.remaining == left
    return Answer(None, owed[coin] - left)


def sales(a: Auditor, account: int, sold: int, wanted: int) -> Generator[c.PlaceOrder, None, None]:
    """Yield the order that sells one coin for another, or the two by way of USDT."""
    pair = pair_of(a, account, sold, wanted)
    if pair is not None:
        order = sale(a, account, pair, sold, a.loans[account, wanted].debt, c.AUTO_REPAY)
        if order is not None:
            yield order
        return
    usdt = a.terms.coin_ids.get("USDT")
    if usdt is None or sold == usdt or not may_hold(a, account, usdt):
        return
    near, far = pair_of(a, account, sold, usdt), pair_of(a, account, usdt, wanted)
    if near is None or far is None or a.terms.pairs[far].quote != usdt:
        return
    debt = a.loans[account, wanted].debt
    cost = cost_of(a, account, far, steps_for(a, far, debt), VALUE_MAX)
    order = sale(a, account, near, sold, cost, c.NORMAL) if cost else None
    if order is None:
        return
    yield order
    second = sale(a, account, far, usdt, a.loans[account, wanted].debt, c.AUTO_REPAY)
    if second is not None:
        yield second


def sale(
    a: Auditor, account: int, pair_id: int, sold: int, wanted: int, loan_type: int
) -> c.PlaceOrder | None:
    """Return the market order of one coin that brings `wanted` of the other, after fee."""
    spare = a.available[account, sold] - a.loans[account, sold].debt
    pair = a.terms.pairs[pair_id]
    if spare <= 0:
        return None
    if sold == pair.quote:
        cost = cost_of(a, account, pair_id, steps_for(a, pair_id, wanted), spare)
        return market(pair_id, c.BUY, 0, cost, loan_type, "") if cost else None
    value = ceil(wanted / (1 - pair.taker_fee))
    found = offers(a, account, pair_id, c.SELL)
    if not found:
        return None
    steps = 0
    for price, offered in found:
        step_value = price * pair.quote_per_tick_step
        taken = min(offered, ceil(Fraction(max(0, value), step_value)))
        steps += taken
        value -= taken * step_value
    least = ceil(Fraction(pair.terms.min_value_units, found[0][0] * pair.quote_per_tick_step))
    steps = max(steps, least, pair.terms.min_size_steps)
    steps = min(steps, spare // pair.step_units, pair.terms.max_size_steps)
    return market(pair_id, c.SELL, steps, 0, loan_type, "") if steps else None


def steps_for(a: Auditor, pair_id: int, units: int) -> int:
    """Say how many steps must be bought so that units are left after the fee."""
    pair = a.terms.pairs[pair_id]
    return ceil(Fraction(ceil(units / (1 - pair.taker_fee)), pair.step_units))


def cost_of(a: Auditor, account: int, pair_id: int, steps: int, spare: int) -> int:
    """Say what so many steps cost, or as many as there are; 0 when nothing is offered."""
    pair = a.terms.pairs[pair_id]
    cost = 0
    for price, offered in offers(a, account, pair_id, c.BUY):
        taken = min(steps, offered)
        cost += taken * price * pair.quote_per_tick_step
        steps -= taken
    return min(spare, max(cost, pair.terms.min_value_units)) if cost else 0


def offers(a: Auditor, account: int, pair_id: int, side: int) -> list[tuple[int, int]]:
    """List what an account's market order would meet inside the band: prices and steps."""
    pair = a.terms.pairs[pair_id]
    low, high = 0, 0
    if pair.base in a.terms.prices and pair.quote in a.terms.prices:
        low, high = a.terms.band(pair_id, "band_e6")
    taker = NaiveOrder(0, account, pair_id, side, 0, 0)
    return [
        (maker.price, maker.steps)
        for maker in a.book.facing(taker)
        if (maker.price <= high if side == c.BUY else maker.price >= low)
        and c.user_of(maker.account) != c.user_of(account)
        and not a.left_behind(maker)
    ]


def surpluses(a: Auditor, account: int, owed: int) -> list[int]:
    """List the coins of which there is more than is owed, the most value first."""
    found: list[tuple[Fraction, int]] = []
    for coin in range(len(a.terms.coins)):
        spare = a.available[account, coin] - a.loans[account, coin].debt
        if coin != owed and spare > 0:
            found.append((-a.terms.unit_value(coin) * spare, coin))
    return [coin for _, coin in sorted(found)]


def pair_of(a: Auditor, account: int, one: int, other: int) -> int | None:
    """Return the pair of two coins that an account may trade."""
    slot = c.slot_of(account)
    for number, pair in enumerate(a.terms.pairs):
        mine = pair.terms.crossed if slot < c.SLOT_ISOLATED else slot - c.SLOT_ISOLATED == number
        if mine and pair.terms.trading and {one, other} == {pair.base, pair.quote}:
            return number
    return None


def market(
    pair: int, side: int, steps: int, quote: int, loan_type: int, client_oid: str
) -> c.PlaceOrder:
    """Make a market order that withdraws what its user offers in its way."""
    return c.PlaceOrder(
        pair, side, c.MARKET, c.GTC, loan_type, c.STP_CANCEL_MAKER, 0, steps, quote, client_oid,
        c.SOURCE_API,
    )  # fmt: skip
