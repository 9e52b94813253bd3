"""The auditor: dictionaries and fractions, no code shared with the engine.

It is told every command with its reply and events, keeps books of its own, and predicts: balances,
freezes, debts, receipts, fees, who trades with whom, what is borrowed and repaid. Where an event is
determined by the command and the books (a loan, a repayment, a trade) it must be as predicted; the
rest (what a liquidation chose to do) is posted as told, and then checked against the rules.
"""

from collections import deque
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.state import Reply, State
from lombard.sim import announcement_oracle
from lombard.sim.announcement_oracle import Announced
from lombard.sim.closing_oracle import Script
from lombard.sim.coupons import OF_COUPONS
from lombard.sim.firing import Steps, settle
from lombard.sim.law import Broken, hold
from lombard.sim.liquidations import OF_LIQUIDATION, NaiveLiquidations
from lombard.sim.oracle import foresee
from lombard.sim.order_auditor import OrderAuditor
from lombard.sim.venue import Answer, is_beside_the_command, is_of_triggers

HOUR_MS = 3_600_000
# The phases of a command: what time brings, its own work, and what triggers do then.
CHANGES, HOURS, COMMAND, AFTER = 1, 2, 3, 4


class Auditor(OrderAuditor):
    """Books kept beside the engine's."""

    def __init__(self) -> None:
        super().__init__()
        self.hour_ms = 0
        self.next_levels: dict[int, int] = {}
        self.called: set[int] = set()
        # Who was ever called or locked, and who is locked only to repay what is delisted.
        self.flagged: set[int] = set()
        self.forced: set[int] = set()
        self.stepping = 0  # whose liquidation is at a step
        self.announced: list[Announced] = []
        # Whom the terms that a command announces would bring to the call line.
        self.callable: set[int] = set()
        self.liquidated = NaiveLiquidations(self.terms)
        self.liquidations_seen = 0
        self.cmd: c.Command = c.Tick()
        self.account = 0
        self.reply = Reply(None)
        self.envelope = c.Envelope(0, 0, b"", c.VENUE, self.cmd)
        self.state: State | None = None
        self.foretold = False
        self.phase = COMMAND
        self.until_ms = 0
        # The events of the command's own work.
        self.own: list[str] = []
        # All its events, and how many of them triggers have taken note of.
        self.happened: list[e.Event] = []
        self.followed = 0
        self.settling: Steps | None = None
        # The triggers that must be placed along with an order.
        self.linked: deque[dict[str, Any]] = deque()
        # Whether the announced change that is due has begun.
        self.changing = False
        # What the command at hand does step by step, where one answer does not tell all.
        self.script: Script | None = None

    # --- following the log ---------------------------------------------------------------------

    def follow(
        self, envelope: c.Envelope, reply: Reply, events: list[e.Event], state: State | None = None
    ) -> None:
        """Post a command's events, predicting those that can be.

        The last digits of the slow averages are those of `state`, after the command.
        """
        self.state = state
        self.begin(envelope, reply)
        for event, following in pairwise([*events, None]):
            assert event is not None
            self.reach(event, following)
            self.take(event)
        self.end()
        for account in sorted(self.called):
            net, _, needed = self.risk(account)
            if 10 * needed < 7 * net or not needed:
                self.called.remove(account)

    def begin(self, envelope: c.Envelope, reply: Reply) -> None:
        """Forget the command before; see what time brings before this one."""
        self.envelope, self.reply = envelope, reply
        self.cmd, self.account = envelope.command, envelope.account
        self.repayable.clear()
        self.carried = 0
        self.foretold = False
        self.replaced = None
        self.asked = self.script = None
        self.placed_id = 0
        self.callable = set()
        self.own = []
        self.answered = False
        self.until_ms = max(self.time_ms, envelope.time_ms)
        self.hour_ms = self.hour_ms or self.until_ms // HOUR_MS * HOUR_MS
        self.changing = False
        self.happened = []
        self.followed = 0
        self.settling = None
        self.linked.clear()
        self.phase = 0
        self.next_phase()

    def reach(self, event: e.Event, following: e.Event | None) -> None:
        """Get so far that an event may come: changes are made, hours turned, then the command."""
        if self.expected:
            return
        while not self.may_come(event, following):
            self.next_phase()
        if self.phase == COMMAND and not is_beside_the_command(event):
            self.own.append(type(event).__name__)

    def may_come(self, event: e.Event, following: e.Event | None) -> bool:
        """Say whether an event belongs to this phase of the command."""
        beside = is_beside_the_command(event)
        of_triggers = is_of_triggers(event, following)
        change = self.due_change()
        if self.phase == CHANGES and change is not None:
            announcement_oracle.reach(self, event, change)
            return True
        if self.phase == HOURS and self.hour_ms < self.last_hour():
            return beside
        if self.phase != COMMAND:
            if self.answered:
                return False
            if of_triggers and self.asked is None:
                self.settle_on()
            elif isinstance(event, e.HourTurned):
                return False
            return beside or of_triggers or self.asked is not None or self.repays()
        if beside:
            return True
        if not self.foretold:
            self.foretell()
        if of_triggers and not self.expected:
            return False
        goes_on = not self.expected and self.asked is None and not self.repays()
        if self.script is not None and goes_on:
            self.go_on(self.script)
        return True

    def due_change(self) -> Announced | None:
        """Return the announced change that is to be made next, before the command."""
        change = self.announced[0] if self.announced else None
        return change if change is not None and change.effective_ms <= self.until_ms else None

    def last_hour(self) -> int:
        """Return the full hour that the command falls into."""
        return self.until_ms // HOUR_MS * HOUR_MS

    def next_phase(self) -> None:
        """Go on to the next phase that there is; what had to happen in this one must have."""
        if self.phase == CHANGES:
            hold("announced changes are made when they are due", None, self.due_change())
        elif self.phase == HOURS:
            hold("every hour is turned", self.last_hour(), self.hour_ms)
        if self.phase == COMMAND:
            self.finish_own()
        elif self.phase:
            self.settle_out()
        self.phase += 1
        hold("nothing happens that was not foretold", True, self.phase <= AFTER)
        if self.phase == CHANGES and self.due_change() is None:
            self.phase = HOURS
        if self.phase == HOURS:
            self.time_ms = self.until_ms
            if self.hour_ms == self.last_hour():
                self.phase = COMMAND
        if self.phase == COMMAND:
            self.placed_id = 0

    def settle_on(self) -> None:
        """Let triggers say what must happen next."""
        self.finish_repayments()
        if self.settling is None:
            self.settling = settle(self)
        while not self.expected:
            if next(self.settling, False) is False:
                raise Broken("triggers do nothing that was not foretold")

    def settle_out(self) -> None:
        """See that triggers have nothing more to say."""
        self.finish_repayments()
        for _ in self.settling or settle(self):
            hold("triggers do what is foretold", [], list(self.expected))
        hold("triggers do what is foretold", None, self.asked)
        self.settling = None

    def take(self, event: e.Event) -> None:
        """Hold an event against what is expected, and post it."""
        self.happened.append(event)
        self.triggers.note(event)
        if isinstance(event, e.TriggerFired):
            self.fired_id = event.order_id
        self.terms.pools.note(event, self.time_ms)
        if isinstance(event, e.InterestCharged) and not event.first:
            self.on_receipt(event)
            return
        if isinstance(event, OF_COUPONS):
            self.coupons.note(event, self.cmd, self.time_ms)
            return
        if isinstance(self.cmd, c.ContinueLiquidation):
            announcement_oracle.turn_to_liquidation(self, event)
        if isinstance(event, OF_LIQUIDATION):
            forced = event.account in self.forced
            if forced and not announcement_oracle.owes_delisted(self, event.account):
                self.liquidated.note(event, Fraction(0))
            else:
                self.liquidated.note(event, self.risk(event.account)[1])
        if not self.expected:
            self.predict(event)
        if self.expected:
            kind, values = self.expected.popleft()
            actual = {name: getattr(event, name, None) for name in values}
            told = (type(event).__name__, actual)
            hold("what happens is as foretold", (kind, values), told)
        else:
            self.post(event)
        self.venue.note(event)

    def end(self) -> None:
        """See that all has happened that had to."""
        hold("what is foretold happens", [], list(self.expected))
        while self.phase < AFTER:
            self.next_phase()
        if not self.answered:
            self.settle_out()

    def finish_own(self) -> None:
        """See that the command has done all its own work."""
        if not self.foretold:
            self.foretell()
        hold("what is foretold happens", [], list(self.expected))
        self.finish_repayments()
        if self.script is not None:
            answer = self.last_word(self.script)
            self.hold_reply(answer)
        hold("what was granted is done", None, self.asked)
        hold("triggers come with their order", [], list(self.linked))
        untold = {account for account in self.callable if account not in self.flagged}
        hold("whom announced terms bring to the line is called", set(), untold)
        if self.reply.refusal is None and not self.recalled:
            self.grant()
        if self.state is not None:
            self.slow.adopt(self.state)
        if self.placed_id and not isinstance(self.cmd, c.FlashRepay | c.ContinueLiquidation):
            hold("the order of a reply is the one placed", self.placed_id, self.reply.id)

    def go_on(self, script: Script) -> None:
        """Let a script say what must happen next."""
        self.finish_repayments()
        while not self.expected and self.asked is None and not self.repayable:
            try:
                next(script)
            except StopIteration:
                raise Broken("nothing happens that was not foretold") from None

    def last_word(self, script: Script) -> Answer:
        """See that a script has nothing more to say; return how it answers."""
        try:
            next(script)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        raise Broken("what is foretold happens", str(self.expected or self.asked))

    def foretell(self) -> None:
        """Say how the command is answered, before its own work is done; it must be so."""
        self.foretold = True
        envelope = self.envelope
        answer = foresee(self, envelope.account, envelope.command, envelope.command_id)
        if answer is not None:
            self.hold_reply(answer)

    def hold_reply(self, answer: Answer) -> None:
        """Hold the reply against what was foretold."""
        reply = self.reply
        actual = Answer(
            reply.refusal,
            None if answer.units is None else reply.units,
            None if answer.detail is None else reply.detail,
            None if answer.id is None else reply.id,
        )
        hold("every reply is as foretold", answer, actual)

    def grant(self) -> None:
        """Take note of what a command leaves behind that was done, not answered again."""
        cmd, envelope = self.cmd, self.envelope
        if isinstance(cmd, c.Tick | c.SetParameter):
            self.slow.relax(self.terms, self.time_ms)
        self.venue.remember(
            envelope.account,
            cmd,
            envelope.command_id,
            self.reply,
            self.time_ms,
            self.terms.parameters,
        )

    def predict(self, event: e.Event) -> None:
        """Fill `expected` when the command's own work begins with this event."""
        cmd = self.cmd
        if isinstance(event, e.TriggerPlaced) and self.linked:
            self.expect(e.TriggerPlaced, **self.linked.popleft())
        elif isinstance(event, e.Deposited):
            assert isinstance(cmd, c.Deposit)
            self.available[self.account, cmd.coin] += cmd.units
            self.expect(
                e.Deposited,
                deposit_id=self.reply.id,
                account=self.account,
                coin=cmd.coin,
                units=cmd.units,
            )
        elif isinstance(event, e.Transferred):
            self.predict_transfer()
        elif isinstance(event, e.Borrowed):
            assert isinstance(cmd, c.Borrow)
            self.lend(self.account, cmd.coin, cmd.units, False, cmd.client_oid)
            assert (cmd.units, self.loans[self.account, cmd.coin].debt) == (
                self.reply.units,
                self.reply.remaining,
            )
        elif isinstance(event, e.Repaid):
            self.predict_repayment(event)
        elif isinstance(event, e.OrderPlaced):
            self.predict_order(event)

    def predict_transfer(self) -> None:
        cmd = self.cmd
        assert isinstance(cmd, c.Transfer)
        self.available[self.account, cmd.coin] -= cmd.units
        self.available[cmd.to_account, cmd.coin] += cmd.units
        self.expect(
            e.Transferred,
            transfer_id=self.reply.id,
            from_account=self.account,
            to_account=cmd.to_account,
            coin=cmd.coin,
            units=cmd.units,
        )

    def predict_repayment(self, event: e.Repaid) -> None:
        """Say what is repaid, interest first, and of its own accord as much as is there."""
        key = (event.account, event.coin)
        if event.kind == e.REPAY_MANUAL:
            assert isinstance(self.cmd, c.Repay)
            assert key == (self.account, self.cmd.coin)
            units = min(self.cmd.units, self.loans[key].debt)
            assert units >= self.loans[key].due  # RULES 6.4
            remaining = self.loans[key].debt - units
            assert (units, remaining) == (self.reply.units, self.reply.remaining)
        elif event.kind == e.REPAY_AUTO:
            while self.repayable[0][0] != key or not self.repayment(*self.repayable[0]):
                assert 0 == self.repayment(*self.repayable.popleft()), "an order did not repay"
            units = self.repayment(*self.repayable.popleft())
        else:
            assert event.account in self.locked
            units = event.interest_units + event.principal_units
        self.repay(key, units, event.kind)

    # --- posting what was told -----------------------------------------------------------------

    def post(self, event: e.Event) -> None:
        """Post an event that the auditor does not predict."""
        match event:
            case e.HourTurned():
                self.turn_hour(event)
            case e.RateSet():
                self.terms.set_rate(event.coin, event.rate_e12)
            case e.AnnouncedChangeMade():
                announcement_oracle.made(self, event, self.announced.pop(0))
                self.changing = False
            case e.VenueChanged():
                self.keep_last_price()
                self.terms.change(self.cmd)
                self.venue.change(self.cmd)
                if isinstance(self.cmd, c.SetUserLevel):
                    self.next_levels[self.cmd.user] = self.cmd.level
            case e.IndexPricesSet():
                assert isinstance(self.cmd, c.SetIndexPrices)
                self.slow.relax(self.terms, self.time_ms)
                self.terms.set_prices(self.cmd, self.time_ms)
                for coin, price_e12 in event.prices:
                    self.slow.publish(
                        coin, price_e12, self.terms.parameters["caution_half_life_ms"] > 0
                    )
            case e.OrderClosed():
                self.close(event)
            case e.RepayReminded():
                self.remind(event)
            case e.MarginCalled():
                self.call(event)
            case e.LiquidationStarted():
                self.lock(event)
            case e.LiquidationFinished():
                self.unlock(event)
            case e.FundPaid():
                self.available[event.account, event.coin] += event.units
            case e.FundTook() | e.LiquidationFeePaid():
                self.available[event.account, event.coin] -= event.units
            case e.LossBooked():
                loan = self.loans[event.account, event.coin]
                told = (event.principal_units, event.interest_units)
                assert (loan.principal, loan.due) == told
                loan.paid += loan.due
                loan.principal = 0

    def keep_last_price(self) -> None:
        """Count a pair's last price in its new ticks, before they change."""
        if isinstance(self.cmd, c.SetPair) and self.cmd.symbol in self.terms.pair_ids:
            number = self.terms.pair_ids[self.cmd.symbol]
            if number in self.book.last_price:
                price = self.book.last_price[number] * self.terms.pairs[number].tick
                self.book.last_price[number] = floor(price / Fraction(self.cmd.tick_e12, 10**12))

    def close(self, event: e.OrderClosed) -> None:
        order = self.book.orders.pop(event.order_id)
        pair = self.terms.pairs[order.pair]
        self.release(order.account, pair, order.side, order.frozen)
        if event.reason == e.CLOSED_REPLACED:
            self.carried = order.borrowed
            self.replaced = order
        if event.reason == e.CLOSED_BY_USER:
            self.give_back(order)

    def turn_hour(self, event: e.HourTurned) -> None:
        """Charge every loan of the venue its hour, one by one (RULES 4.1)."""
        assert event.hour_ms == self.hour_ms + HOUR_MS
        self.hour_ms = event.hour_ms
        assert event.rates_e12 == self.terms.turn_hour(event.hour_ms)
        self.levels.update(self.next_levels)
        self.next_levels.clear()
        self.coupons.begin_hour(self.loans, event.hour_ms)
        for (account, coin), loan in self.loans.items():
            if loan.principal:
                rate, owed = self.rate(account, coin), loan.principal
                wallet = self.coupons.wallets[c.user_of(account)]
                covered = wallet.covered_in_hour((account, coin), owed, event.hour_ms)
                units = loan.charge(owed, rate, self.ceil_each(), covered)
                loan.pending.append((event.hour_ms, rate, owed, units, loan.saved_units))

    def remind(self, event: e.RepayReminded) -> None:
        """Check that a debtor is told what it owes."""
        owed = [(coin, self.loans[event.account, coin]) for coin in range(len(self.terms.coins))]
        told = [(coin, loan.principal, loan.due) for coin, loan in owed if loan.principal]
        assert told == event.debts
        assert told

    # --- risk ---------------------------------------------------------------------------------

    def call(self, event: e.MarginCalled) -> None:
        """Check that a call is due, and that its account was calm since the last (RULES 7.3)."""
        self.flagged.add(event.account)
        if event.account in self.callable:
            self.callable.remove(event.account)
            return
        net, debt, needed = self.risk(event.account)
        assert debt > 0
        assert 4 * net <= 5 * needed
        assert net > needed
        assert event.account not in self.called
        self.called.add(event.account)

    def lock(self, event: e.LiquidationStarted) -> None:
        """Check that a locked account had reached its line, at prices to be trusted (RULES 7.3)."""
        net, debt, needed = self.risk(event.account)
        assert debt > 0
        if not (net <= needed and self.trusts_prices(event.account)):
            # Then it is to repay what is being delisted (RULES 8.7).
            assert announcement_oracle.owes_delisted(self, event.account)
            self.forced.add(event.account)
        self.flagged.add(event.account)
        assert event.debt_value_e8 == floor(debt * 10**8)
        shown = 999 * 10**6 if net <= 0 else min(999 * 10**6, ceil(needed / net * 10**6))
        assert event.ratio_e6 == shown
        assert event.account not in self.locked
        self.locked.add(event.account)
        self.liquidations_seen += 1

    def unlock(self, event: e.LiquidationFinished) -> None:
        """Check that an unlocked account is safe: a ratio of at most 0.5 (RULES 8.5)."""
        net, debt, needed = self.risk(event.account)
        repaid = event.account in self.forced
        repaid = repaid and not announcement_oracle.owes_delisted(self, event.account)
        assert debt == 0 or 2 * needed <= net or repaid
        self.forced.discard(event.account)
        self.locked.remove(event.account)
