"""The oracle: how a command must be answered, worked out in fractions from the auditor's books.

One function for each kind of command, in `FORESEEN` and `OF_THE_VENUE`: the checks in the order in
which the rules name them. A new kind of command is one more row; there is none without.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim import (
    announcement_oracle,
    closing_oracle,
    coupon_oracle,
    order_oracle,
    restriction_oracle,
    terms_oracle,
    treasury_oracle,
    trigger_oracle,
)
from lombard.sim.limits import index_problem, limit, may_hold, refuse_lending, refuse_over_limit
from lombard.sim.venue import Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor


def foresee(a: Auditor, account: int, cmd: c.Command, command_id: bytes) -> Answer | None:
    """Say how a command must be answered now; None when `a.script` is to say so in the end."""
    a.recalled = a.answered = False
    ttl_ms = a.terms.parameters["client_oid_ttl_ms"]
    of_the_venue = c.is_venue(account)
    if not of_the_venue and account not in a.venue.accounts:
        known = a.venue.replies.get(command_id) if command_id else None
        if known is None or order_oracle.has_oid(cmd):
            return Answer(Refusal.ACCOUNT_UNKNOWN)
    earlier = a.venue.recall(account, cmd, command_id, a.time_ms, ttl_ms)
    if earlier is not None:
        a.recalled = True
        # Answered by its command id, it is not looked at any further.
        a.answered = not order_oracle.has_oid(cmd)
        return earlier
    rows = OF_THE_VENUE if of_the_venue else FORESEEN
    row = rows.get(type(cmd))
    return Answer(Refusal.COMMAND_UNKNOWN) if row is None else row(a, account, cmd)


def deposit(a: Auditor, account: int, cmd: c.Deposit) -> Answer:
    """RULES 2.3."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if c.slot_of(account) != c.SLOT_SPOT:
        return Answer(Refusal.NOT_TRANSFERABLE)
    if cmd.units <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    if cmd.units > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    return Answer(None, cmd.units)


def transfer(a: Auditor, account: int, cmd: c.Transfer) -> Answer:
    """RULES 9.1: at most N - D, and a ratio of at most 0.5 after it."""
    if c.user_of(cmd.to_account) != c.user_of(account):
        return Answer(Refusal.ACCOUNT_UNKNOWN)
    if cmd.to_account == account:
        return Answer(Refusal.SAME_ACCOUNT)
    if cmd.to_account not in a.venue.accounts:
        pair = c.slot_of(cmd.to_account) - c.SLOT_ISOLATED
        if pair not in range(len(a.terms.pairs)) or not a.terms.pairs[pair].terms.isolated_tiers:
            return Answer(Refusal.ACCOUNT_UNKNOWN)
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if not (may_hold(a, account, cmd.coin) and may_hold(a, cmd.to_account, cmd.coin)):
        return Answer(Refusal.COIN_NOT_IN_ACCOUNT)
    if not a.terms.coins[cmd.coin].transferable:
        return Answer(Refusal.NOT_TRANSFERABLE)
    if cmd.units <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    if account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    if account in a.restricted:
        return Answer(Refusal.ACCOUNT_FROZEN)
    available = a.available[account, cmd.coin]
    if cmd.units > available:
        return Answer(Refusal.INSUFFICIENT_BALANCE)
    if not a.indebted(account):
        return Answer(None, cmd.units)
    stale = index_problem(a, account)
    if stale is not None:
        return Answer(Refusal.INDEX_STALE, None, a.terms.coins[stale].name)
    slow = a.slow.values(a.terms)
    net, debt, needed = a.risk(account, slow)
    price = max(a.terms.unit_value(cmd.coin), slow[cmd.coin])
    most = max(0, min(available, floor(min(net - debt, net - 2 * needed) / price)))
    if cmd.units > most:
        return Answer(Refusal.TRANSFER_OVER_MAXIMUM, most)
    return Answer(None, cmd.units)


def borrow(a: Auditor, account: int, cmd: c.Borrow) -> Answer:
    """RULES 6.1, 6.2."""
    refusal = refuse_loan_account(a, account, cmd.coin, lends=True)
    if refusal is not None:
        return refusal
    if cmd.units <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    if cmd.units > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    least = a.terms.coins[cmd.coin].min_borrow_units
    if cmd.units < least:
        return Answer(Refusal.BORROW_UNDER_MINIMUM, least)
    refusal = refuse_lending(a, account, cmd.coin)
    if refusal is None:
        refusal = refuse_over_limit(limit(a, account, cmd.coin), cmd.units)
    return Answer(None, cmd.units) if refusal is None else refusal


def refuse_loan_account(a: Auditor, account: int, coin: int, lends: bool) -> Answer | None:
    """Say why an account has no loans of a coin at all, or none are made to it."""
    if c.slot_of(account) == c.SLOT_SPOT:
        return Answer(Refusal.MARGIN_NOT_OPENED)
    if coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if not may_hold(a, account, coin):
        return Answer(Refusal.COIN_NOT_IN_ACCOUNT)
    if lends and account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    if lends and account in a.restricted:
        return Answer(Refusal.ACCOUNT_FROZEN)
    return None


def repay(a: Auditor, account: int, cmd: c.Repay) -> Answer:
    """RULES 6.4: capped at the debt first; no less than the interest due."""
    refusal = refuse_loan_account(a, account, cmd.coin, lends=False)
    if refusal is not None:
        return refusal
    if cmd.units <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    loan = a.loans[account, cmd.coin]
    if loan.debt == 0:
        return Answer(Refusal.NO_DEBT)
    units = min(cmd.units, loan.debt)
    available = a.available[account, cmd.coin]
    if units > available:
        return Answer(Refusal.REPAY_OVER_AVAILABLE, available)
    if units < loan.due:
        return Answer(Refusal.REPAY_UNDER_INTEREST, loan.due)
    return Answer(None, units)


def set_leverage(a: Auditor, account: int, cmd: c.SetLeverage) -> Answer:
    """RULES 6.5: D <= (L - 1) x N, or say what to repay."""
    slot = c.slot_of(account)
    if slot == c.SLOT_SPOT:
        return Answer(Refusal.MARGIN_NOT_OPENED)
    if account in a.locked:
        return Answer(Refusal.IN_LIQUIDATION)
    if slot >= c.SLOT_ISOLATED:
        tops = [tier[2] for tier in a.terms.pairs[slot - c.SLOT_ISOLATED].terms.isolated_tiers]
    else:
        tops = [tier[1] for coin in a.terms.coins for tier in coin.cross_tiers]
    highest = max(tops, default=0)
    if not 1 <= cmd.leverage <= highest:
        return Answer(Refusal.LEVERAGE_OUT_OF_RANGE, highest)
    net, debt, _ = a.risk(account, a.slow.values(a.terms))
    excess: Fraction = debt - (cmd.leverage - 1) * net
    if debt and excess > 0:
        return Answer(Refusal.LEVERAGE_BELOW_DEBT, ceil(excess * 10**8))
    return Answer(None, cmd.leverage)


def cancel(a: Auditor, account: int, cmd: c.CancelOrder) -> Answer:
    """RULES 10."""
    found = order_oracle.find(a, account, cmd.pair, cmd.order_id, cmd.client_oid)
    return Answer(Refusal.ORDER_UNKNOWN) if found is None else Answer(None, None, None, found.id)


def cancel_all(a: Auditor, account: int, cmd: c.CancelAllOrders) -> Answer:
    """RULES 10."""
    if cmd.pair not in range(len(a.terms.pairs)):
        return Answer(Refusal.PAIR_UNKNOWN)
    return Answer(None, len(order_oracle.standing(a, account, cmd.pair)))


Row = Callable[["Auditor", int, Any], Answer | None]
FORESEEN: dict[type[c.Command], Row] = {
    c.PlaceOrder: order_oracle.place,
    c.ReplaceOrder: order_oracle.replace,
    c.CancelOrder: cancel,
    c.CancelAllOrders: cancel_all,
    c.Borrow: borrow,
    c.Repay: repay,
    c.SetLeverage: set_leverage,
    c.Transfer: transfer,
    c.Deposit: deposit,
    c.ClaimCoupon: coupon_oracle.claim,
    c.ClosePosition: closing_oracle.close,
    c.FlashRepay: closing_oracle.flash_repay,
    c.PlaceTrigger: trigger_oracle.place,
    c.ModifyTrigger: trigger_oracle.modify,
    c.CancelTrigger: trigger_oracle.cancel,
    c.CancelAllTriggers: trigger_oracle.cancel_all,
    c.CancelEverything: trigger_oracle.cancel_all,
    c.PlaceWithExits: trigger_oracle.with_exits,
    c.PlaceOco: trigger_oracle.oco,
}
OF_THE_VENUE: dict[type[c.Command], Row] = {
    **terms_oracle.FORESEEN,
    **announcement_oracle.FORESEEN,
    **treasury_oracle.FORESEEN,
    **restriction_oracle.FORESEEN,
}
