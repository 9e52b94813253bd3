"""How commands about triggers must be answered, and what they say (RULES 6.2, 10)."""

from __future__ import annotations

from collections.abc import Generator
from math import floor
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim import order_oracle
from lombard.sim.triggers import NaiveTrigger
from lombard.sim.venue import DONE, Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

INVALID = Answer(Refusal.ORDER_INVALID)
RISES, FALLS = 1, -1
SOURCES = (c.PRICE_LAST, c.PRICE_INDEX)


def place(a: Auditor, account: int, cmd: c.PlaceTrigger) -> Answer:
    """Say how a trigger of its own is answered."""
    order = order_form(cmd)
    refusal = (
        order_oracle.refuse_place(a, account, order, None)
        or refuse_words(cmd)
        or order_oracle.refuse_numbers(a, account, order, None)
        or refuse_count(a, account, cmd.pair, 1)
        or refuse_unpriced(a, cmd.pair, cmd.price_source)
        or refuse_reached(a, cmd.pair, cmd.price_source, cmd.trigger_ticks)
    )
    if refusal is not None:
        return refusal
    price = a.triggers.price_now(cmd.pair, cmd.price_source)
    rises = cmd.trigger_ticks > price or cmd.trigger_ticks == 0
    force = c.GTC if cmd.kind == c.MARKET else cmd.force
    a.expect(
        e.TriggerPlaced,
        trigger_id=a.reply.id,
        account=account,
        direction=RISES if rises else FALLS,
        force=force,
        order_id=0,
        **said(cmd, "pair plan price_source trigger_ticks callback_e6 side kind loan_type stp"),
        **said(cmd, "price_ticks size_steps quote_units client_oid source"),
    )
    if cmd.trigger_ticks == 0:
        seen = floor(price) if cmd.side == c.SELL else -floor(-price)
        a.expect(e.TrailStarted, trigger_id=a.reply.id, account=account, price_ticks=seen)
    return DONE


def said(cmd: c.Command, names: str) -> dict[str, Any]:
    """Return what a command says, by name."""
    return {name: getattr(cmd, name) for name in names.split()}


def order_form(cmd: c.PlaceTrigger) -> c.PlaceOrder:
    """Return the order that a trigger would place."""
    return c.PlaceOrder(
        cmd.pair, cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp, cmd.price_ticks,
        cmd.size_steps, cmd.quote_units, "", cmd.source,
    )  # fmt: skip


def refuse_words(cmd: c.PlaceTrigger) -> Answer | None:
    """Say what is wrong with a trigger's own words and numbers."""
    if cmd.plan not in (c.PLAN_TRIGGER, c.PLAN_TPSL, c.PLAN_TRAILING):
        return INVALID
    if cmd.price_source not in SOURCES:
        return INVALID
    trails = cmd.plan == c.PLAN_TRAILING
    if trails and (cmd.callback_e6 not in range(1_000, 100_001, 1_000) or cmd.kind != c.MARKET):
        return INVALID
    if not trails and cmd.callback_e6:
        return INVALID
    if cmd.trigger_ticks < (0 if trails else 1):
        return Answer(Refusal.PRICE_NOT_POSITIVE)
    return Answer(Refusal.AMOUNT_TOO_LARGE) if cmd.trigger_ticks > VALUE_MAX else None


def refuse_count(a: Auditor, account: int, pair: int, more: int) -> Answer | None:
    """Refuse more triggers on a pair than an account may have."""
    most = a.terms.parameters["open_triggers_max"]
    mine = [one for one in a.triggers.of_account(account) if one.placed.pair == pair]
    return Answer(Refusal.TOO_MANY_OPEN_ORDERS, most) if len(mine) + more > most else None


def refuse_unpriced(a: Auditor, pair_id: int, source: int) -> Answer | None:
    """Refuse to wait for a price that is not known, or not trusted."""
    pair = a.terms.pairs[pair_id]
    if source == c.PRICE_INDEX:
        for coin in (pair.base, pair.quote):
            if not a.terms.trusted(coin, a.time_ms):
                return Answer(Refusal.INDEX_STALE, None, a.terms.coins[coin].name)
    elif not a.triggers.price_now(pair_id, source):
        return Answer(Refusal.TRIGGER_PRICE_UNKNOWN, None, pair.terms.symbol)
    return None


def refuse_reached(a: Auditor, pair: int, source: int, trigger_ticks: int) -> Answer | None:
    """Refuse a trigger whose price is there."""
    price = a.triggers.price_now(pair, source)
    reached = trigger_ticks and price == trigger_ticks
    return Answer(Refusal.TRIGGER_PRICE_REACHED, floor(price)) if reached else None


def find(a: Auditor, account: int, trigger_id: int, client_oid: str) -> NaiveTrigger | None:
    """Return the trigger that an account means."""
    for one in a.triggers.of_account(account):
        named = client_oid and one.placed.client_oid == client_oid
        if one.id == trigger_id or (not trigger_id and named):
            return one
    return None


def modify(a: Auditor, account: int, cmd: c.ModifyTrigger) -> Answer:
    """Say how a change of a trigger is answered."""
    one = find(a, account, cmd.trigger_id, cmd.client_oid)
    if one is None:
        return Answer(Refusal.TRIGGER_UNKNOWN)
    if one.reached is not None:
        return Answer(Refusal.ORDER_CLOSED)
    if one.trails or one.placed.order_id:
        return INVALID
    old = one.placed
    new = c.PlaceTrigger(
        old.pair, old.plan, old.price_source, cmd.trigger_ticks, old.callback_e6, old.side,
        cmd.kind, old.force, old.loan_type, old.stp, cmd.price_ticks, cmd.size_steps,
        cmd.quote_units, "", old.source,
    )  # fmt: skip
    refusal = refuse_words(new)
    refusal = refusal or order_oracle.refuse_numbers(a, account, order_form(new), None)
    if refusal is None and cmd.trigger_ticks == 0:
        refusal = Answer(Refusal.PRICE_NOT_POSITIVE)
    refusal = refusal or refuse_unpriced(a, old.pair, old.price_source)
    refusal = refusal or refuse_reached(a, old.pair, old.price_source, cmd.trigger_ticks)
    if refusal is not None:
        return refusal
    price = a.triggers.price_now(old.pair, old.price_source)
    a.expect(
        e.TriggerModified,
        trigger_id=one.id,
        account=account,
        pair=old.pair,
        direction=RISES if cmd.trigger_ticks > price else FALLS,
        **said(cmd, "trigger_ticks kind price_ticks size_steps quote_units"),
    )
    return Answer(None, None, None, one.id)


# --- with an order --------------------------------------------------------------------------------


def with_exits(a: Auditor, account: int, cmd: c.PlaceWithExits) -> Answer:
    """Say how an order with its exits is answered, and which triggers come after it."""
    order = c.PlaceOrder(
        cmd.pair, cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp, cmd.price_ticks,
        cmd.size_steps, cmd.quote_units, cmd.client_oid, cmd.source,
    )  # fmt: skip
    refusal = order_oracle.refuse_place(a, account, order, None) or refuse_exits(a, account, cmd)
    if refusal is not None:
        return refusal
    answer = order_oracle.place(a, account, order)
    if answer.refusal is not None:
        return answer
    profit = RISES if cmd.side == c.BUY else FALLS
    for plan, direction, trigger_ticks, limit in [
        (c.PLAN_TAKE_PROFIT, profit, cmd.take_profit_ticks, cmd.take_profit_price_ticks),
        (c.PLAN_STOP_LOSS, -profit, cmd.stop_loss_ticks, cmd.stop_loss_price_ticks),
    ]:
        if trigger_ticks:
            loan_type = c.AUTO_REPAY if cmd.loan_type else c.NORMAL
            link(a, account, cmd, plan, direction, trigger_ticks, limit, 0, 1 - cmd.side, loan_type)
    return answer


def refuse_exits(a: Auditor, account: int, cmd: c.PlaceWithExits) -> Answer | None:
    """Say what is wrong with the exits of an order."""
    if cmd.side not in (c.BUY, c.SELL) or cmd.price_source not in SOURCES:
        return INVALID
    profit, loss = cmd.take_profit_ticks, cmd.stop_loss_ticks
    numbers = [profit, loss, cmd.take_profit_price_ticks, cmd.stop_loss_price_ticks]
    if min(numbers) < 0 or not (profit or loss):
        return Answer(Refusal.PRICE_NOT_POSITIVE)
    if max(numbers) > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    refusal = refuse_count(a, account, cmd.pair, sum(price > 0 for price in (profit, loss)))
    if refusal is not None:
        return refusal
    entry = cmd.price_ticks
    if cmd.kind != c.LIMIT:
        entry = floor(a.triggers.price_now(cmd.pair, cmd.price_source))
        if entry <= 0:
            symbol = a.terms.pairs[cmd.pair].terms.symbol
            return Answer(Refusal.TRIGGER_PRICE_UNKNOWN, None, symbol)
    if entry <= 0:
        # Its price is refused as that of any order.
        return None
    above, below = (profit, loss) if cmd.side == c.BUY else (loss, profit)
    if above and above <= entry:
        return Answer(Refusal.TRIGGER_PRICE_TOO_LOW, entry)
    if below and below >= entry:
        return Answer(Refusal.TRIGGER_PRICE_TOO_HIGH, entry)
    return None


def oco(a: Auditor, account: int, cmd: c.PlaceOco) -> Answer:
    """Say how an order with a stop that may take its place is answered."""
    order = c.PlaceOrder(
        cmd.pair, cmd.side, c.LIMIT, c.GTC, cmd.loan_type, cmd.stp, cmd.price_ticks,
        cmd.size_steps, 0, cmd.client_oid, cmd.source,
    )  # fmt: skip
    refusal = order_oracle.refuse_place(a, account, order, None) or refuse_stop(a, account, cmd)
    if refusal is not None:
        return refusal
    answer = order_oracle.place(a, account, order)
    if answer.refusal is None:
        direction = RISES if cmd.side == c.BUY else FALLS
        link(
            a, account, cmd, c.PLAN_OCO, direction, cmd.trigger_ticks, cmd.stop_price_ticks,
            cmd.size_steps, cmd.side, cmd.loan_type,
        )  # fmt: skip
    return answer


def refuse_stop(a: Auditor, account: int, cmd: c.PlaceOco) -> Answer | None:
    """Say what is wrong with the stop of an OCO."""
    if cmd.side not in (c.BUY, c.SELL) or cmd.price_source not in SOURCES:
        return INVALID
    if cmd.trigger_ticks <= 0 or cmd.stop_price_ticks < 0:
        return Answer(Refusal.PRICE_NOT_POSITIVE)
    if max(cmd.trigger_ticks, cmd.stop_price_ticks) > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    refusal = refuse_count(a, account, cmd.pair, 1)
    refusal = refusal or refuse_unpriced(a, cmd.pair, cmd.price_source)
    if refusal is not None:
        return refusal
    price = a.triggers.price_now(cmd.pair, cmd.price_source)
    if cmd.side == c.BUY and cmd.trigger_ticks <= price:
        return Answer(Refusal.TRIGGER_PRICE_TOO_LOW, floor(price))
    if cmd.side == c.SELL and cmd.trigger_ticks >= price:
        return Answer(Refusal.TRIGGER_PRICE_TOO_HIGH, -floor(-price))
    return None


def link(
    a: Auditor,
    account: int,
    cmd: c.PlaceWithExits | c.PlaceOco,
    plan: int,
    direction: int,
    trigger_ticks: int,
    limit: int,
    steps: int,
    side: int,
    loan_type: int,
) -> None:
    """Say that a trigger which belongs to an order must be placed after it."""
    a.linked.append(
        {
            "account": account,
            "plan": plan,
            "direction": direction,
            "trigger_ticks": trigger_ticks,
            "callback_e6": 0,
            "side": side,
            "kind": c.LIMIT if limit else c.MARKET,
            "force": c.GTC,
            "loan_type": loan_type,
            "price_ticks": limit,
            "size_steps": steps,
            "quote_units": 0,
            "order_id": a.reply.id,
            "client_oid": "",
            **said(cmd, "pair price_source stp source"),
        }
    )


# --- cancelling -----------------------------------------------------------------------------------


def cancel(a: Auditor, account: int, cmd: c.CancelTrigger) -> Answer | None:
    """Say how a cancellation is answered; the order of an OCO goes with its stop."""
    one = find(a, account, cmd.trigger_id, cmd.client_oid)
    if one is None:
        return Answer(Refusal.TRIGGER_UNKNOWN)
    a.script = ending(a, [one], [], Answer(None, None, None, one.id))
    return None


def cancel_all(
    a: Auditor, account: int, cmd: c.CancelAllTriggers | c.CancelEverything
) -> Answer | None:
    """Say how the cancellation of all triggers is answered, or of them and what orders are left."""
    pairs = range(len(a.terms.pairs))
    if any(pair not in pairs for pair in cmd.pairs):
        return Answer(Refusal.PAIR_UNKNOWN)
    meant = cmd.pairs or list(pairs)
    doomed = [one for one in a.triggers.of_account(account) if one.placed.pair in meant]
    count = len(doomed)
    orders: list[int] = []
    if isinstance(cmd, c.CancelEverything):
        gone = {one.placed.order_id for one in doomed if one.placed.plan == c.PLAN_OCO}
        for pair in dict.fromkeys(meant):
            orders += [o.id for o in order_oracle.standing(a, account, pair) if o.id not in gone]
    a.script = ending(a, doomed, orders, Answer(None, count + len(orders)))
    return None


def ending(
    a: Auditor, doomed: list[NaiveTrigger], orders: list[int], answer: Answer
) -> Generator[None, None, Answer]:
    """Say what is cancelled, one after the other."""
    for one in doomed:
        a.triggers.drop(one)
        a.expect(e.TriggerCancelled, trigger_id=one.id, reason=e.TRIGGER_BY_USER)
        if one.placed.plan == c.PLAN_OCO:
            a.take_out(a.book.orders[one.placed.order_id], e.CLOSED_BY_USER, by_user=True)
        yield
    for order_id in orders:
        a.take_out(a.book.orders[order_id], e.CLOSED_BY_USER, by_user=True)
        yield
    return answer
