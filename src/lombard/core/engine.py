"""The engine: one ordered log of commands in, replies and events out (DESIGN 2).

`apply` is a pure function of the state: time, prices and every choice arrive inside commands, so
the same log gives the same state, byte for byte. Bad input is refused and changes nothing; what
the code itself got wrong raises `AssertionError` and must stop the venue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

from lombard.core import (
    announcements,
    auditing,
    cancelling,
    closing,
    coupons,
    exits,
    flash_repay,
    ledger,
    lending,
    liquidation,
    orders,
    rates,
    restrictions,
    snapshot,
    transfers,
    treasury,
    venue,
)
from lombard.core.announcements import make_due_changes
from lombard.core.client_ids import client_oid_of, content_of, recall, remember
from lombard.core.commands import (
    VENUE,
    AddUser,
    AnnounceCoinTerms,
    AnnounceDelisting,
    AnnouncePairTerms,
    ApproveMove,
    Borrow,
    CancelAllOrders,
    CancelOrder,
    ClaimCoupon,
    ClosePosition,
    Command,
    ContinueLiquidation,
    CreateCampaign,
    Deposit,
    DrawCoupons,
    EnterDraw,
    Envelope,
    FireTriggers,
    FlashRepay,
    FreezeAccount,
    FundInsurance,
    FundPool,
    GrantCoupons,
    MoveFunds,
    PlaceOrder,
    ProposeMove,
    RejectMove,
    Repay,
    ReplaceOrder,
    RestrictCoin,
    SealAudit,
    SetCoin,
    SetIndexPrices,
    SetLeverage,
    SetPair,
    SetParameter,
    SetRate,
    SetRateModel,
    SetUserLevel,
    SetVipLevels,
    Tick,
    Transfer,
    Upgrade,
    WithdrawAnnouncement,
    is_venue,
    user_of,
)
from lombard.core.events import Event
from lombard.core.firing import settle
from lombard.core.index import relax, set_index_prices
from lombard.core.interest import turn_hours
from lombard.core.notice import needs_notice
from lombard.core.refusals import Refusal
from lombard.core.reminders import remind
from lombard.core.state import Account, Reply, State
from lombard.core.watch import check_calm, rank_liquidations, wake_waiting, watch, watch_all


@final
class Engine:
    """The state machine. `state` is read through `lombard.core.queries` only."""

    def __init__(self) -> None:
        self.state: State = State()

    @property
    def time_ms(self) -> int:
        """Exchange time: that of the last command."""
        return self.state.time_ms

    def apply(self, envelope: Envelope) -> tuple[Reply, list[Event]]:
        """Apply the next command of the log; answer a repeated one as the first time."""
        state = self.state
        assert envelope.seq == state.seq + 1, "Invariant: the log has a gap"
        state.seq = envelope.seq
        events: list[Event] = []
        followed = 0
        time_ms = envelope.time_ms
        if time_ms < state.time_ms:
            time_ms = state.time_ms
        if time_ms >= state.next_change_ms:
            make_due_changes(state, time_ms, events)
            # Here too triggers hear of it at once: what follows may be a repeated command.
            followed = settle(state, events, 0)
        if time_ms >= state.next_hour_ms and turn_hours(state, time_ms, events):
            state.time_ms = time_ms
            watch_all(state, events)
            followed = settle(state, events, followed)
        state.time_ms = time_ms
        command = envelope.command
        client_oid = client_oid_of(command)
        account = None if envelope.account == VENUE else state.account(envelope.account)
        # A command with a client id is remembered by that instead.
        stamp = -1 if client_oid else envelope.stamp
        if stamp >= 0 and (account is None or stamp <= account.latest_stamp):
            earlier = state.replies.find(envelope.command_id, stamp)
            if earlier is not None:
                return earlier, events
        if account is not None:
            reply = _apply_user(state, account, command, client_oid, events)
        elif is_venue(envelope.account):
            reply = _apply_venue(state, user_of(envelope.account), command, events)
        else:
            reply = Reply(Refusal.ACCOUNT_UNKNOWN)
        if stamp >= 0 and reply.refusal is None:
            state.replies.keep(envelope.command_id, stamp, reply)
            if account is not None and stamp > account.latest_stamp:
                account.latest_stamp = stamp
        if state.triggers.by_id:
            settle(state, events, followed)
        return reply, events

    def liquidation_due(self) -> bool:
        """Say whether a `ContinueLiquidation` would do anything now."""
        return bool(self.state.liquidation_queue)

    def triggers_due(self) -> bool:
        """Say whether triggers wait to be fired: a cascade was cut short (RULES 10)."""
        return self.state.triggers.has_due()

    def check(self) -> None:
        """Audit the whole state (RULES 2). Raises `AssertionError`."""
        ledger.check(self.state)
        check_calm(self.state)
        self.state.triggers.check()

    def snapshot_lines(self) -> Iterator[str]:
        """Write the state as canonical lines of JSON, from which `restore` makes it again."""
        return snapshot.lines(self.state)

    @staticmethod
    def restore(lines: Iterable[str]) -> Engine:
        """Make an engine from `snapshot_lines`. Raises `ValueError` on anything malformed."""
        engine = Engine()
        engine.state = snapshot.restore(lines)
        return engine

    def state_hash(self) -> str:
        """Return BLAKE2b-256 over the canonical lines, sequence number and time left out."""
        return snapshot.state_hash(self.state)


def _apply_user(
    state: State, account: Account, cmd: Command, client_oid: str, events: list[Event]
) -> Reply:
    """Apply a user's command; a repeated client id is answered from memory (RULES 10)."""
    if account.debts:
        watch(state, account, events)
    if not client_oid:
        return _dispatch_user(state, account, cmd, events)
    content = content_of(cmd)
    earlier = recall(state, account, content)
    if earlier is not None:
        return earlier
    reply = _dispatch_user(state, account, cmd, events)
    if reply.refusal is None:
        remember(state, account, content, reply)
    return reply


def _dispatch_user(state: State, account: Account, cmd: Command, events: list[Event]) -> Reply:
    if isinstance(cmd, PlaceOrder):
        return orders.place(state, account, cmd, events)
    if isinstance(cmd, CancelOrder):
        return cancelling.cancel(state, account, cmd, events)
    if isinstance(cmd, ReplaceOrder):
        return orders.replace(state, account, cmd, events)
    if isinstance(cmd, CancelAllOrders):
        return cancelling.cancel_all(state, account, cmd, events)
    if isinstance(cmd, Borrow):
        return lending.borrow(state, account, cmd, events)
    if isinstance(cmd, Repay):
        return lending.repay(state, account, cmd, events)
    if isinstance(cmd, Transfer):
        return transfers.transfer(state, account, cmd, events)
    if isinstance(cmd, SetLeverage):
        return lending.set_leverage(state, account, cmd, events)
    if isinstance(cmd, Deposit):
        return transfers.deposit(state, account, cmd, events)
    if isinstance(cmd, ClaimCoupon):
        return coupons.claim(state, account, cmd, events)
    if isinstance(cmd, ClosePosition):
        return closing.close(state, account, cmd, events)
    if isinstance(cmd, FlashRepay):
        return flash_repay.flash_repay(state, account, cmd, events)
    return exits.dispatch(state, account, cmd, events)


def _apply_venue(state: State, operator: int, cmd: Command, events: list[Event]) -> Reply:
    """Apply a command of the venue's; `operator` is by whose hand, 0 by its own."""
    if isinstance(cmd, Tick):
        relax(state)
        wake_waiting(state)
        watch_all(state, events)
        remind(state, events)
        return Reply(None)
    if isinstance(cmd, ContinueLiquidation):
        return liquidation.proceed(state, cmd, events)
    if isinstance(cmd, FireTriggers):
        # What is due is fired after every command.
        return Reply(None)
    if isinstance(cmd, SetIndexPrices):
        reply = set_index_prices(state, cmd, events)
        if reply.refusal is None:
            rank_liquidations(state)
            watch_all(state, events)
        return reply
    if isinstance(cmd, AddUser):
        return venue.add_user(state, events)
    if isinstance(cmd, SetRate):
        return rates.set_rate(state, cmd, events)
    if isinstance(cmd, SetRateModel):
        return rates.set_rate_model(state, cmd, events)
    if isinstance(cmd, (FundPool, FundInsurance)):
        return venue.fund(state, cmd, events)
    if isinstance(cmd, (CreateCampaign, GrantCoupons, EnterDraw, DrawCoupons)):
        return coupons.operate(state, cmd, events)
    if isinstance(cmd, (MoveFunds, ProposeMove, ApproveMove, RejectMove)):
        return treasury.operate(state, operator, cmd, events)
    if isinstance(cmd, FreezeAccount):
        return restrictions.freeze(state, cmd, events)
    if isinstance(cmd, RestrictCoin):
        return restrictions.restrict_coin(state, cmd, events)
    if isinstance(cmd, SealAudit):
        return auditing.seal(state, cmd)
    return _apply_configuration(state, cmd, events)


def _apply_configuration(state: State, cmd: Command, events: list[Event]) -> Reply:
    reply = Reply(Refusal.COMMAND_UNKNOWN)
    if isinstance(cmd, (SetCoin, SetPair)) and needs_notice(state, cmd):
        return Reply(Refusal.NOTICE_TOO_SHORT, units=state.parameters["notice_ms"])
    if isinstance(cmd, SetCoin):
        reply = venue.set_coin(state, cmd, events)
    elif isinstance(cmd, SetPair):
        reply = venue.set_pair(state, cmd, events)
    elif isinstance(cmd, SetParameter):
        reply = venue.set_parameter(state, cmd, events)
    elif isinstance(cmd, SetVipLevels):
        reply = venue.set_vip_levels(state, cmd, events)
    elif isinstance(cmd, SetUserLevel):
        reply = venue.set_user_level(state, cmd, events)
    elif isinstance(cmd, Upgrade):
        reply = venue.upgrade(state, cmd, events)
    elif isinstance(cmd, AnnounceCoinTerms):
        reply = announcements.announce_coin_terms(state, cmd, events)
    elif isinstance(cmd, AnnouncePairTerms):
        reply = announcements.announce_pair_terms(state, cmd, events)
    elif isinstance(cmd, AnnounceDelisting):
        reply = announcements.announce_delisting(state, cmd, events)
    elif isinstance(cmd, WithdrawAnnouncement):
        reply = announcements.withdraw_announcement(state, cmd, events)
    if reply.refusal is None:
        # New terms may put an account below its line.
        watch_all(state, events)
    return reply
