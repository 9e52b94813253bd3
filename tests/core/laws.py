"""The laws that hold after every command, whatever came before (issue 2, RULES 2 to 10).

`Watched` is a world under guard: it applies a command and checks, beside the audit of `World`,
that the auditor predicted everything, that a refusal changed nothing, that ids only grow, that
books are sound, bands kept, and that no account below its line was overlooked.
"""

from collections.abc import Callable
from fractions import Fraction

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.bounds import bounds_of
from lombard.core.client_ids import client_oid_of
from lombard.core.commands import Command
from lombard.core.risk import assess, open_loss_e26
from lombard.core.state import Account, Pair, Reply, State
from lombard.sim.auditor import Auditor
from lombard.sim.show import show as show
from tests.core.world import World

# What looking at the clock and at accounts may cause, whatever the command comes to (RULES 3).
BESIDE_THE_COMMAND = (
    e.HourTurned,
    e.InterestCharged,
    e.LiquidationStarted,
    e.MarginCalled,
    e.CouponStarted,
    e.CouponEnded,
)
# The event a user's command must make when it is done, and the field that has the reply's id.
EFFECTS: dict[type[Command], tuple[type[e.Event], str]] = {
    c.Deposit: (e.Deposited, "deposit_id"),
    c.Transfer: (e.Transferred, "transfer_id"),
    c.Borrow: (e.Borrowed, "loan_id"),
    c.Repay: (e.Repaid, "repay_id"),
    c.PlaceOrder: (e.OrderPlaced, "order_id"),
    c.ReplaceOrder: (e.OrderPlaced, "order_id"),
    c.CancelOrder: (e.OrderClosed, "order_id"),
    c.AddUser: (e.UserAdded, "user"),
}
IDS = ["deposit_id", "transfer_id", "loan_id", "repay_id", "trade_id", "liquidation_id"]


class Watched(World):
    """A world that is held to the laws after every command."""

    def __init__(self, hash_every: int = 1) -> None:
        # Of so many commands, one has its state hashed before, lest it be refused.
        self.hash_every = hash_every
        self.auditor = Auditor()
        self.last_id = 0
        # The last id before each hour; the ids of receipts, and all others.
        self.last_ids: dict[int, int] = {}
        self.receipt_ids: set[int] = set()
        self.used_ids: set[int] = set()
        self.liquidations = 0
        super().__init__()

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        """Apply a command and hold the venue to its laws."""
        engine = self.engine
        # A client id, where there is one, is remembered in the place of the command's.
        known = None
        if command_id and not client_oid_of(cmd):
            known = engine.state.replies.find(command_id, c.stamp_of(command_id))
        before = "" if len(self.log) % self.hash_every else engine.state_hash()
        time_ms = engine.time_ms
        open_before = self.open_orders(account)
        risk_before = self.auditor.risk(account)
        reply = super().do(account, cmd, at, command_id)
        try:
            if known is not None:
                assert show(known) == show(reply), "a command id was answered anew"
                self.check_no_effect(before, time_ms)
            elif reply.refusal is not None:
                self.check_no_effect(before, time_ms)
            else:
                self.check_effect(account, cmd, reply)
            self.auditor.follow(self.log[-1], reply, self.events, self.state)
            self.auditor.slow.adopt(self.state)
            turned = any(isinstance(event, e.HourTurned) for event in self.events)
            self.auditor.compare(self.state, receipts=turned or len(self.log) % 20 == 0)
            self.check_ids()
            self.check_trades()
            self.check_open_orders(account, open_before)
            if isinstance(cmd, (c.PlaceOrder, c.ReplaceOrder)) and time_ms == engine.time_ms:
                self.check_risk(account, risk_before)
            for pair in self.state.pairs:
                check_book(pair, self.turn_of)
            for debtor in self.state.indebted.values():
                check_bounds(self.state, debtor)
            if isinstance(cmd, c.SetIndexPrices) and reply.refusal is None:
                self.check_none_overlooked()
        except AssertionError as error:
            error.add_note(f"command {len(self.log)}: {account} {show(cmd)} at {self.time_ms}")
            error.add_note(f"reply: {show(reply)}")
            error.add_note("\n".join(show(event) for event in self.events))
            raise
        return reply

    def turn_of(self, order_id: int) -> int:
        """Say in whose turn an order trades: that of the one whose place it took, or its own."""
        return self.auditor.book.orders[order_id].stands_for or order_id

    def check_no_effect(self, before: str, time_ms: int) -> None:
        """A refusal has no effect, nor has a command that was answered before (DESIGN 6)."""
        closed = [event for event in self.events if isinstance(event, e.OrderClosed)]
        assert all(event.reason == e.CLOSED_LIQUIDATION for event in closed)
        others = [event for event in self.events if not isinstance(event, e.OrderClosed)]
        assert all(isinstance(event, BESIDE_THE_COMMAND) for event in others)
        if before and not self.events and time_ms == self.engine.time_ms:
            assert before == self.engine.state_hash(), "it left a trace"

    def check_effect(self, account: int, cmd: Command, reply: Reply) -> None:
        """What is not refused has its effect, and the reply names it."""
        if type(cmd) not in EFFECTS:
            return
        kind, name = EFFECTS[type(cmd)]
        ids = [getattr(event, name) for event in self.events if isinstance(event, kind)]
        if ids:
            assert reply.id in ids
        else:
            # A client id that was used before: answered from memory (RULES 10).
            oid = client_oid_of(cmd)
            assert oid
            assert any(key[2:] == oid for key in self.state.accounts[account].client_oids)
            assert all(
                isinstance(event, (*BESIDE_THE_COMMAND, e.OrderClosed)) for event in self.events
            )

    def check_ids(self) -> None:
        """All ids come from one counter: each is new, and larger than those of earlier commands."""
        fresh: list[int] = []
        for event in self.events:
            for name in IDS:
                if hasattr(event, name):
                    fresh.append(getattr(event, name))
            if isinstance(event, e.OrderPlaced):
                fresh.append(event.order_id)
        started = [v.liquidation_id for v in self.events if isinstance(v, e.LiquidationStarted)]
        old_jobs = [v for v in fresh if v <= self.last_id]
        assert all(self.is_liquidation(number) for number in old_jobs), "an id was used again"
        fresh = [v for v in fresh if v > self.last_id]
        self.check_receipt_ids(fresh)
        unique = [v for v in fresh if not self.is_liquidation(v)] + started
        assert len(unique) == len(set(unique))
        self.last_id = max([self.last_id, *fresh])

    def check_receipt_ids(self, fresh: list[int]) -> None:
        """Receipts of full hours have the ids set apart at the turn: they sort by their hour."""
        for event in self.events:
            if isinstance(event, e.HourTurned):
                self.last_ids[event.hour_ms] = self.last_id
            elif isinstance(event, e.InterestCharged) and not event.first:
                assert event.interest_id > self.last_ids[event.hour_ms]
                assert event.interest_id not in self.used_ids
                self.receipt_ids.add(event.interest_id)
        self.used_ids.update(fresh)
        assert self.receipt_ids.isdisjoint(fresh)

    def is_liquidation(self, number: int) -> bool:
        names = (e.LiquidationStarted, e.LiquidationStepped, e.LiquidationFinished)
        mine = [v.liquidation_id for v in self.events if isinstance(v, names)]
        return number in mine

    def check_trades(self) -> None:
        """Margin orders and system orders keep to their bands (RULES 7.6, 8.3)."""
        sources = {v.order_id: v.source for v in self.events if isinstance(v, e.OrderPlaced)}
        for event in self.events:
            if not isinstance(event, e.Traded):
                continue
            source = sources[event.taker_order_id]
            if source != c.SOURCE_SYSTEM and c.slot_of(event.taker_account) == c.SLOT_SPOT:
                continue
            system = source == c.SOURCE_SYSTEM
            low, high = self.auditor.terms.band(
                event.pair, "system_band_e6" if system else "band_e6"
            )
            if event.taker_side == c.BUY:
                assert event.price_ticks <= high
            else:
                assert event.price_ticks >= low

    def check_risk(self, account: int, before: tuple[Fraction, Fraction, Fraction]) -> None:
        """A debtor's order leaves the ratio below 0.8, or no higher than it was (RULES 7.6).

        The first hour's interest is charged after it was decided, and is not held against it. On
        a stale index only what pays debt back goes on, whatever the ratio (RULES 7.7).
        """
        net, debt, needed = self.auditor.risk(account)
        placed = any(isinstance(event, e.OrderPlaced) for event in self.events)
        if not placed or not debt or account in self.auditor.locked:
            return
        if not self.auditor.trusts_prices(account):
            return
        for event in self.events:
            if isinstance(event, e.InterestCharged) and event.account == account and event.first:
                interest = event.units * self.auditor.terms.unit_value(event.coin)
                net += interest
                needed -= interest
        assert 5 * needed < 4 * net or needed * before[0] <= before[2] * net, (before, net, needed)

    def open_orders(self, account: int) -> dict[int, int]:
        """Count an account's open orders by pair."""
        counts: dict[int, int] = {}
        for order in q.open_orders(self.state, account):
            counts[order.pair.id] = counts.get(order.pair.id, 0) + 1
        return counts

    def check_open_orders(self, account: int, before: dict[int, int]) -> None:
        """No account has more open orders than the pair allows, or had when that was lowered."""
        for pair, count in self.open_orders(account).items():
            assert count <= max(self.state.pairs[pair].max_open_orders, before.get(pair, 0))

    def check_none_overlooked(self) -> None:
        """After prices, every account at its line is locked, if they may be trusted (RULES 7.3)."""
        for account in self.state.accounts.values():
            if account.debts and self.auditor.trusts_prices(account.id):
                net, _, needed = self.auditor.risk(account.id)
                assert net > needed or account.id in self.auditor.locked, account.id


def check_bounds(state: State, account: Account) -> None:
    """The quick bounds of an account enclose its exact risk, so they never decide against it."""
    bounds = bounds_of(state, account)
    if bounds is None:
        return
    risk = assess(state, account, caution=True)
    one = 10**20  # bounds are in 1e-6 USDT, risk in 1e-26
    assert bounds.net_low * one <= risk.net_e26 <= assess(state, account).net_e26
    assert bounds.debt_high * one >= risk.debt_e26
    assert bounds.maintenance_high * one >= risk.maintenance_e26
    assert bounds.frozen_high * one >= open_loss_e26(account, None)


def check_book(pair: Pair, turn_of: Callable[[int], int] | None = None) -> None:
    """A book is sorted, not crossed, and made of the orders its accounts know.

    `turn_of` says which order's age counts (RULES 10); without it no age is looked at.
    """
    best_bid, best_ask = pair.bids.best_ticks(), pair.asks.best_ticks()
    assert not best_bid or not best_ask or best_bid < best_ask, "the book is crossed"
    for side in (pair.bids, pair.asks):
        prices = [side.sign * level.price_ticks for level in side.levels]
        assert prices == sorted(set(prices))
        assert side.best is (side.levels[-1] if side.levels else None)
        queued = side.orders()
        turns = [
            (side.sign * o.price_ticks, -turn_of(o.id) if turn_of is not None else 0)
            for o in queued
        ]
        assert turns == sorted(turns, reverse=True)
        assert sum(level.steps for level in side.levels) == sum(
            order.remaining_steps for order in queued
        )
        for order in queued:
            per_step = pair.step_units
            if side.sign == 1:
                per_step = order.price_ticks * pair.quote_per_tick_step
            assert order.frozen_units == per_step * order.remaining_steps
            assert order.account.order(order.id) is order
            assert order.account.liquidation is None
