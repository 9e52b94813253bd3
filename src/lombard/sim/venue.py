"""What the venue itself has: who is there, pools and fund, what it remembers.

Added up from events and commands alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.core.state import Reply

if TYPE_CHECKING:
    from lombard.sim.book import NaivePair
    from lombard.sim.treasury_oracle import Waiting

# The venue's own funds, as events number them.
POOL, FEES, INTEREST, FUND = 2, 4, 5, 6


class Answer(NamedTuple):
    """What a command must be answered; `units` and `detail` are None where nothing is foretold."""

    refusal: Refusal | None
    units: int | None = None
    detail: str | None = None
    id: int | None = None


DONE = Answer(None)


class Request(NamedTuple):
    """A client id's first use: when, for what, and how it was answered."""

    time_ms: int
    content: tuple[object, ...]
    reply: Reply


class NaiveVenue:
    """Users, accounts, leverages, pools and other funds, proposals, the memory of requests."""

    def __init__(self, pairs: list[NaivePair]) -> None:
        self.pairs = pairs
        self.users: set[int] = set()
        self.accounts: set[int] = set()
        self.accounts_of: defaultdict[int, set[int]] = defaultdict(set)
        self.leverage: dict[int, int] = {}
        # By coin: what is idle of the pools, the insurance fund, and what the venue has earned.
        self.pools: defaultdict[int, int] = defaultdict(int)
        self.fund: defaultdict[int, int] = defaultdict(int)
        self.fees: defaultdict[int, int] = defaultdict(int)
        self.interest: defaultdict[int, int] = defaultdict(int)
        self.funds = {
            POOL: self.pools, FUND: self.fund, FEES: self.fees, INTEREST: self.interest,
        }  # fmt: skip
        # The movements that wait for another operator, by id.
        self.proposals: dict[int, Waiting] = {}
        # What VIP levels do to a user's limits.
        self.multipliers: list[int] = [10**6]
        self.rules_version = 1
        self.replies: dict[bytes, Reply] = {}
        self.requests: defaultdict[int, dict[tuple[str, str], Request]] = defaultdict(dict)

    def note(self, event: e.Event) -> None:
        """Post what an event means for the venue's own books."""
        match event:
            case e.UserAdded():
                self.users.add(event.user)
                self.open(c.account_id(event.user, c.SLOT_SPOT))
                self.open(c.account_id(event.user, c.SLOT_CROSSED))
            case e.Transferred():
                self.open(event.to_account)
            case e.LeverageSet():
                self.leverage[event.account] = event.leverage
            case e.PoolFunded():
                self.pools[event.coin] += event.units
            case e.Borrowed():
                self.pools[event.coin] -= event.units
            case e.Repaid():
                self.pools[event.coin] += event.principal_units
                self.interest[event.coin] += event.interest_units
            case e.Traded():
                # Each pays in what it gets: the buyer in base, the seller in quote.
                pair = self.pairs[event.pair]
                of_taker, of_maker = pair.base, pair.quote
                if event.taker_side == c.SELL:
                    of_taker, of_maker = of_maker, of_taker
                self.fees[of_taker] += event.taker_fee_units
                self.fees[of_maker] += event.maker_fee_units
            case e.VenueWithdrew():
                self.funds[event.source][event.coin] -= event.units
            case e.InsuranceFunded() | e.FundTook() | e.LiquidationFeePaid():
                self.fund[event.coin] += event.units
            case e.FundPaid():
                self.fund[event.coin] -= event.units

    def open(self, account: int) -> None:
        """Open an account, unless it is open."""
        self.accounts.add(account)
        self.accounts_of[c.user_of(account)].add(account)

    def change(self, cmd: c.Command) -> None:
        """Take note of the operator's new terms."""
        if isinstance(cmd, c.SetVipLevels):
            self.multipliers = [multiplier for _, multiplier in cmd.levels]
        elif isinstance(cmd, c.Upgrade):
            self.rules_version = cmd.rules_version

    # --- memory --------------------------------------------------------------------------------

    def recall(
        self, account: int, cmd: c.Command, command_id: bytes, time_ms: int, ttl_ms: int
    ) -> Answer | None:
        """Say how a request that was made before is answered, None if it is new (RULES 10)."""
        key, content = request_of(cmd)
        if not key[1]:
            known = self.replies.get(command_id) if command_id else None
            return None if known is None else again(known)
        first = self.requests[account].get(key)
        if account == c.VENUE or first is None or first.time_ms + ttl_ms <= time_ms:
            return None
        if first.content != content:
            return Answer(Refusal.CLIENT_OID_REUSED)
        return again(first.reply)

    def remember(
        self,
        account: int,
        cmd: c.Command,
        command_id: bytes,
        reply: Reply,
        time_ms: int,
        parameters: dict[str, int],
    ) -> None:
        """Remember a request that was granted, and forget what is too old or too much."""
        key, content = request_of(cmd)
        if not key[1]:
            if command_id:
                self.replies.setdefault(command_id, reply)
            return
        memory = self.requests[account]
        memory.pop(key, None)
        while memory:
            oldest = next(iter(memory))
            young = memory[oldest].time_ms + parameters["client_oid_ttl_ms"] > time_ms
            if young and len(memory) < parameters["client_oids_max"]:
                break
            del memory[oldest]
        memory[key] = Request(time_ms, content, reply)


def again(reply: Reply) -> Answer:
    """Answer as the first time."""
    return Answer(reply.refusal, reply.units, None, reply.id)


def request_of(cmd: c.Command) -> tuple[tuple[str, str], tuple[object, ...]]:
    """Return a request's kind and client id (empty: none), and everything else it says."""
    match cmd:
        case c.PlaceOrder():
            how = (cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp)
            numbers = (cmd.price_ticks, cmd.size_steps, cmd.quote_units)
            return ("order", cmd.client_oid), (cmd.pair, *how, *numbers)
        case c.ReplaceOrder():
            named = (cmd.pair, cmd.order_id, cmd.client_oid)
            return ("order", cmd.new_client_oid), (*named, cmd.price_ticks, cmd.size_steps)
        case c.ClosePosition():
            return ("order", cmd.client_oid), ("close", cmd.pair, cmd.repay)
        case c.PlaceTrigger():
            what = (cmd.pair, cmd.plan, cmd.price_source, cmd.trigger_ticks, cmd.callback_e6)
            how = (cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp)
            numbers = (cmd.price_ticks, cmd.size_steps, cmd.quote_units)
            return ("plan", cmd.client_oid), (*what, *how, *numbers)
        case c.PlaceWithExits():
            how = (cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp)
            numbers = (cmd.price_ticks, cmd.size_steps, cmd.quote_units)
            profit = (cmd.take_profit_ticks, cmd.take_profit_price_ticks)
            loss = (cmd.stop_loss_ticks, cmd.stop_loss_price_ticks)
            exits = ("exits", cmd.price_source, *profit, *loss)
            return ("order", cmd.client_oid), (cmd.pair, *how, *numbers, *exits)
        case c.PlaceOco():
            order = (cmd.side, cmd.loan_type, cmd.stp, cmd.price_ticks, cmd.size_steps)
            stop = ("oco", cmd.price_source, cmd.trigger_ticks, cmd.stop_price_ticks)
            return ("order", cmd.client_oid), (cmd.pair, *order, *stop)
        case c.Borrow():
            return ("borrow", cmd.client_oid), (cmd.coin, cmd.units)
        case c.Repay():
            return ("repay", cmd.client_oid), (cmd.coin, cmd.units)
        case c.Transfer():
            return ("transfer", cmd.client_oid), (cmd.to_account, cmd.coin, cmd.units)
    return ("", ""), ()


def is_beside_the_command(event: e.Event) -> bool:
    """Say whether time brings an event, whatever the command comes to (RULES 3)."""
    if isinstance(event, e.InterestCharged):
        return not event.first
    if isinstance(event, e.OrderClosed):
        return event.reason == e.CLOSED_LIQUIDATION
    kinds = e.HourTurned | e.LiquidationStarted | e.MarginCalled | e.CouponStarted | e.CouponEnded
    return isinstance(event, kinds)


def is_of_triggers(event: e.Event, following: e.Event | None) -> bool:
    """Say whether triggers bring an event, if no command does (RULES 10)."""
    ends = e.TriggerFired | e.TriggerFailed
    if isinstance(event, e.OrderClosed):
        # An exit ends its entry, and then fires.
        return event.reason == e.CLOSED_BY_VENUE and isinstance(following, ends)
    if isinstance(event, e.TriggerCancelled):
        return event.reason != e.TRIGGER_BY_USER
    return isinstance(event, ends | e.TriggerSized | e.TrailStarted)
