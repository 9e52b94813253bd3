"""How an operator's restrictions must be answered, and what they do at once (RULES 7.9); seals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.sim.venue import Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor


def freeze(a: Auditor, account: int, cmd: c.FreezeAccount) -> Answer:
    """Freeze or let go one account of a user, or all; what they have in the books is withdrawn."""
    if cmd.user not in a.venue.users:
        return Answer(Refusal.USER_UNKNOWN)
    mine = sorted(a.venue.accounts_of[cmd.user])
    if cmd.slot != c.ALL_SLOTS:
        mine = [each for each in mine if c.slot_of(each) == cmd.slot]
    if not mine:
        return Answer(Refusal.ACCOUNT_UNKNOWN)
    changed = [each for each in mine if (each in a.restricted) != cmd.frozen]
    for each in changed:
        for order_id in sorted(o.id for o in a.book.orders.values() if o.account == each):
            a.take_out(a.book.orders[order_id], e.CLOSED_BY_VENUE)
        a.expect(e.AccountRestricted, account=each, frozen=cmd.frozen)
    a.restricted.symmetric_difference_update(changed)
    return Answer(None, len(changed), None, cmd.user)


def restrict_coin(a: Auditor, account: int, cmd: c.RestrictCoin) -> Answer:
    """Stop or resume a coin's lending and transfers; what is being delisted is lent no more."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if cmd.borrowable and a.terms.stages["coin", cmd.coin]:
        return Answer(Refusal.CONFIGURATION_INVALID)
    a.terms.restrict(cmd)
    a.expect(e.VenueChanged, kind="coin", what=a.terms.coins[cmd.coin].name)
    return Answer(None, None, None, cmd.coin)


def seal_audit(a: Auditor, account: int, cmd: c.SealAudit) -> Answer:
    """Keep what is on record of the audit log: a line there is, and a digest that is one."""
    try:
        is_digest = len(bytes.fromhex(cmd.digest)) == 32 and cmd.digest == cmd.digest.lower()
    except ValueError:
        is_digest = False
    return Answer(None if cmd.entry > 0 and is_digest else Refusal.CONFIGURATION_INVALID)


FORESEEN: dict[type[c.Command], Callable[[Auditor, int, Any], Answer]] = {
    c.FreezeAccount: freeze,
    c.RestrictCoin: restrict_coin,
    c.SealAudit: seal_audit,
}
