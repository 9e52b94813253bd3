"""How the operators' movements of money must be answered, and what they say (RULES 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX
from lombard.sim.venue import FEES, FUND, INTEREST, POOL, Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

PROPOSALS_MAX = 1_000
OF_USERS = (c.MOVE_DEPOSIT, c.MOVE_WITHDRAWAL)
# What leaves the venue's own funds, and from which of them.
TAKES = {
    c.MOVE_WITHDRAW_POOL: POOL,
    c.MOVE_WITHDRAW_INSURANCE: FUND,
    c.MOVE_TAKE_FEES: FEES,
    c.MOVE_TAKE_INTEREST: INTEREST,
}
KINDS = (*OF_USERS, c.MOVE_FUND_POOL, c.MOVE_FUND_INSURANCE, *TAKES)


class Movement(NamedTuple):
    """A movement: of which kind, of whose money, which coin, how much."""

    kind: int
    user: int
    coin: int
    units: int


class Waiting(NamedTuple):
    """A movement that was proposed, and by whom."""

    operator: int
    movement: Movement


def movement_of(cmd: c.MoveFunds | c.ProposeMove) -> Movement:
    """Read a movement out of a command."""
    return Movement(cmd.kind, cmd.user, cmd.coin, cmd.units)


def move(a: Auditor, account: int, cmd: c.MoveFunds) -> Answer:
    """At once, where the venue asks for one operator only."""
    movement = movement_of(cmd)
    return refuse(a, movement) or make(a, movement)


def propose(a: Auditor, account: int, cmd: c.ProposeMove) -> Answer:
    """A movement that is possible now waits for another operator; nothing moves yet."""
    movement = movement_of(cmd)
    refusal = refuse(a, movement)
    if refusal is not None:
        return refusal
    waiting = a.venue.proposals
    if len(waiting) >= PROPOSALS_MAX:
        return Answer(Refusal.TOO_MANY_PROPOSALS, PROPOSALS_MAX)
    number, operator = a.reply.id, c.user_of(account)
    assert number not in waiting
    waiting[number] = Waiting(operator, movement)
    a.expect(e.MoveProposed, proposal_id=number, operator=operator, **movement._asdict())
    return Answer(None, cmd.units)


def approve(a: Auditor, account: int, cmd: c.ApproveMove) -> Answer:
    """Another than the proposer lets it happen, if it is still possible; else it waits on."""
    operator = c.user_of(account)
    found = a.venue.proposals.get(cmd.proposal)
    if found is None:
        return Answer(Refusal.PROPOSAL_UNKNOWN)
    if found.operator == operator:
        return Answer(Refusal.OWN_PROPOSAL)
    refusal = refuse(a, found.movement)
    if refusal is not None:
        return refusal
    decide(a, cmd.proposal, operator, approved=True)
    return make(a, found.movement)


def reject(a: Auditor, account: int, cmd: c.RejectMove) -> Answer:
    """Anybody may drop what waits, its proposer too."""
    if cmd.proposal not in a.venue.proposals:
        return Answer(Refusal.PROPOSAL_UNKNOWN)
    decide(a, cmd.proposal, c.user_of(account), approved=False)
    return Answer(None, None, None, cmd.proposal)


def decide(a: Auditor, number: int, operator: int, approved: bool) -> None:
    """Take a proposal off the list, which must be said next."""
    del a.venue.proposals[number]
    a.expect(e.MoveDecided, proposal_id=number, operator=operator, approved=approved)


def refuse(a: Auditor, movement: Movement) -> Answer | None:
    """Say why a movement is refused: it is none, or more than is there to be moved."""
    kind, user, coin, units = movement
    if kind not in KINDS:
        return Answer(Refusal.CONFIGURATION_INVALID)
    if kind in OF_USERS and user not in a.venue.users:
        return Answer(Refusal.USER_UNKNOWN)
    if kind not in OF_USERS and user:
        return Answer(Refusal.CONFIGURATION_INVALID)
    if coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if kind == c.MOVE_WITHDRAWAL and spot_of(user) in a.restricted:
        return Answer(Refusal.ACCOUNT_FROZEN)
    if kind == c.MOVE_WITHDRAWAL and not a.terms.coins[coin].transferable:
        return Answer(Refusal.NOT_TRANSFERABLE)
    if units <= 0:
        return Answer(Refusal.AMOUNT_NOT_POSITIVE)
    if units > VALUE_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE)
    there = units
    if kind == c.MOVE_WITHDRAWAL:
        there = a.available[spot_of(user), coin]
    elif kind in TAKES:
        there = a.venue.funds[TAKES[kind]][coin]
    if units > there:
        return Answer(Refusal.INSUFFICIENT_BALANCE, there, a.terms.coins[coin].name)
    return None


def make(a: Auditor, movement: Movement) -> Answer:
    """Move what may be moved, which must be said next."""
    kind, user, coin, units = movement
    if kind in OF_USERS:
        spot = spot_of(user)
        a.available[spot, coin] += units if kind == c.MOVE_DEPOSIT else -units
        told = {"account": spot, "coin": coin, "units": units}
        if kind == c.MOVE_DEPOSIT:
            a.expect(e.Deposited, deposit_id=a.reply.id, **told)
        else:
            a.expect(e.Withdrawn, withdrawal_id=a.reply.id, **told)
        return Answer(None, units)
    if kind in TAKES:
        a.expect(e.VenueWithdrew, source=TAKES[kind], coin=coin, units=units)
    else:
        said = e.PoolFunded if kind == c.MOVE_FUND_POOL else e.InsuranceFunded
        a.expect(said, coin=coin, units=units)
    return Answer(None, units, None, 0)


def spot_of(user: int) -> int:
    """Return a user's spot account."""
    return c.account_id(user, c.SLOT_SPOT)


FORESEEN: dict[type[c.Command], Callable[[Auditor, int, Any], Answer]] = {
    c.MoveFunds: move,
    c.ProposeMove: propose,
    c.ApproveMove: approve,
    c.RejectMove: reject,
}
