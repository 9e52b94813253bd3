"""The treasury: money that operators move in and out, and who has to agree (RULES 2.4).

A movement is one transition, and happens whole or not at all. A proposed one changes nothing but
the list of proposals; it is looked at again when another operator approves it, for what was there
may be gone. Nothing that is lent, frozen or owed to anybody can leave.
"""

from __future__ import annotations

from typing import Final

from lombard.core.commands import SLOT_SPOT, Deposit, account_id
from lombard.core.events import (
    Event,
    InsuranceFunded,
    MoveDecided,
    MoveProposed,
    PoolFunded,
    VenueWithdrew,
    Withdrawn,
)
from lombard.core.ledger import FEE, INSURANCE, INTEREST, POOL, fund_insurance, fund_pool, take_out
from lombard.core.proposals import Proposal
from lombard.core.rates import note_supplied
from lombard.core.refusals import Refusal
from lombard.core.state import Account, Coin, Reply, State
from lombard.core.transfers import deposit
from lombard.core.treasury_commands import (
    MOVE_DEPOSIT,
    MOVE_FUND_INSURANCE,
    MOVE_FUND_POOL,
    MOVE_TAKE_FEES,
    MOVE_TAKE_INTEREST,
    MOVE_WITHDRAW_INSURANCE,
    MOVE_WITHDRAW_POOL,
    MOVE_WITHDRAWAL,
    ApproveMove,
    MoveFunds,
    ProposeMove,
    RejectMove,
)
from lombard.core.units import too_large

PROPOSALS_MAX: Final = 1_000


def operate(
    state: State,
    operator: int,
    cmd: MoveFunds | ProposeMove | ApproveMove | RejectMove,
    events: list[Event],
) -> Reply:
    """Apply an operator's command about money. A refusal changes nothing."""
    if isinstance(cmd, MoveFunds):
        refusal = decide_move(state, cmd)
        return _move(state, cmd, events) if refusal is None else refusal
    if isinstance(cmd, ProposeMove):
        return _propose(state, operator, cmd, events)
    if isinstance(cmd, ApproveMove):
        return _approve(state, operator, cmd, events)
    return _reject(state, operator, cmd, events)


def decide_move(state: State, cmd: MoveFunds) -> Reply | None:
    """Say why a movement would be refused, or None. Changes nothing."""
    if not MOVE_DEPOSIT <= cmd.kind <= MOVE_TAKE_INTEREST:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="kind")
    spot: Account | None = None
    if cmd.kind <= MOVE_WITHDRAWAL:
        spot = state.account(account_id(cmd.user, SLOT_SPOT)) if cmd.user > 0 else None
        if spot is None:
            return Reply(Refusal.USER_UNKNOWN)
    elif cmd.user:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="user")
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    coin = state.coins[cmd.coin]
    if cmd.kind == MOVE_WITHDRAWAL:
        assert spot is not None
        if spot.frozen:
            return Reply(Refusal.ACCOUNT_FROZEN)
        if not coin.transferable:
            return Reply(Refusal.NOT_TRANSFERABLE, detail=coin.name)
    if cmd.units <= 0:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE, detail="amount")
    if too_large(cmd.units):
        return Reply(Refusal.AMOUNT_TOO_LARGE)
    there = there_units(coin, cmd.kind, spot)
    if there is not None and cmd.units > there:
        return Reply(Refusal.INSUFFICIENT_BALANCE, units=there, detail=coin.name)
    return None


def there_units(coin: Coin, kind: int, spot: Account | None) -> int | None:
    """Return how much could leave by a kind of movement; None for what comes in."""
    if kind == MOVE_WITHDRAWAL:
        balance = None if spot is None else spot.find(coin)
        return 0 if balance is None else balance.available_units
    if kind == MOVE_WITHDRAW_POOL:
        # What is lent is not there to be taken.
        return coin.pool_units
    if kind == MOVE_WITHDRAW_INSURANCE:
        return coin.insurance_units
    if kind == MOVE_TAKE_FEES:
        return coin.fee_units
    return coin.interest_units if kind == MOVE_TAKE_INTEREST else None


def _move(state: State, cmd: MoveFunds, events: list[Event]) -> Reply:
    """Do what `decide_move` has let pass. Replies with the id of a deposit or withdrawal."""
    coin, units = state.coins[cmd.coin], cmd.units
    if cmd.kind <= MOVE_WITHDRAWAL:
        spot = state.account(account_id(cmd.user, SLOT_SPOT))
        assert spot is not None, "Invariant: a movement of nobody"
        if cmd.kind == MOVE_DEPOSIT:
            return deposit(state, spot, Deposit(coin.id, units), events)
        return _withdraw(state, spot, coin, units, events)
    if cmd.kind == MOVE_FUND_POOL:
        fund_pool(coin, units)
        note_supplied(state, coin, units)
        events.append(PoolFunded(coin.id, units))
    elif cmd.kind == MOVE_FUND_INSURANCE:
        fund_insurance(coin, units)
        events.append(InsuranceFunded(coin.id, units))
    else:
        source = _SOURCES[cmd.kind]
        take_out(coin, source, units)
        if source == POOL:
            note_supplied(state, coin, -units)
        events.append(VenueWithdrew(source, coin.id, units))
    return Reply(None, 0, units)


_SOURCES: Final = {
    MOVE_WITHDRAW_POOL: POOL,
    MOVE_WITHDRAW_INSURANCE: INSURANCE,
    MOVE_TAKE_FEES: FEE,
    MOVE_TAKE_INTEREST: INTEREST,
}


def _withdraw(state: State, spot: Account, coin: Coin, units: int, events: list[Event]) -> Reply:
    balance = spot.balance(coin)
    balance.available_units -= units
    coin.external_units += units
    withdrawal_id = state.take_id()
    events.append(Withdrawn(withdrawal_id, spot.id, coin.id, units))

    assert balance.available_units >= 0, "Invariant: a withdrawal overdrew"
    return Reply(None, withdrawal_id, units)


# --- proposals -----------------------------------------------------------------------------------


def _propose(state: State, operator: int, cmd: ProposeMove, events: list[Event]) -> Reply:
    refusal = decide_move(state, MoveFunds(cmd.kind, cmd.user, cmd.coin, cmd.units))
    if refusal is not None:
        return refusal
    if len(state.proposals) >= PROPOSALS_MAX:
        return Reply(Refusal.TOO_MANY_PROPOSALS, units=PROPOSALS_MAX)

    # From here the proposal succeeds.
    made = Proposal(
        state.take_id(), operator, state.time_ms, cmd.kind, cmd.user, cmd.coin, cmd.units
    )
    state.proposals[made.id] = made
    events.append(MoveProposed(made.id, operator, made.kind, made.user, made.coin, made.units))
    return Reply(None, made.id, made.units)


def _approve(state: State, operator: int, cmd: ApproveMove, events: list[Event]) -> Reply:
    found = state.proposals.get(cmd.proposal)
    if found is None:
        return Reply(Refusal.PROPOSAL_UNKNOWN)
    if found.operator == operator:
        return Reply(Refusal.OWN_PROPOSAL)
    move = MoveFunds(found.kind, found.user, found.coin, found.units)
    refusal = decide_move(state, move)
    if refusal is not None:
        return refusal

    # From here the movement succeeds.
    del state.proposals[found.id]
    events.append(MoveDecided(found.id, operator, True))
    return _move(state, move, events)


def _reject(state: State, operator: int, cmd: RejectMove, events: list[Event]) -> Reply:
    if cmd.proposal not in state.proposals:
        return Reply(Refusal.PROPOSAL_UNKNOWN)

    # From here the rejection succeeds.
    found = state.proposals.pop(cmd.proposal)
    events.append(MoveDecided(found.id, operator, False))
    return Reply(None, found.id)
