"""The auditor: dictionaries and fractions, no code shared with the engine.

It is told every command with its reply and events, keeps books of its own, and predicts: balances,
freezes, debts, receipts, fees, who trades with whom, what is borrowed and repaid. Where an event is
determined by the command and the books (a loan, a repayment, a trade) it must be as predicted; the
rest (what a liquidation chose to do) is posted as told, and then checked against the rules.
"""

from collections import deque
from fractions import Fraction
from math import ceil, floor
from typing import Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.state import Reply
from lombard.sim.book import Fill, NaiveOrder, NaivePair
from lombard.sim.books import Books, Key, receipt_of
from lombard.sim.coupons import OF_COUPONS
from lombard.sim.law import hold
from lombard.sim.liquidations import OF_LIQUIDATION, NaiveLiquidations
from lombard.sim.oracle import foresee
from lombard.sim.venue import Answer, is_beside_the_command

HOUR_MS = 3_600_000


class Auditor(Books):
    """Books kept beside the engine's."""

    def __init__(self) -> None:
        super().__init__()
        self.hour_ms = 0
        self.next_levels: dict[int, int] = {}
        self.called: set[int] = set()
        self.liquidated = NaiveLiquidations(self.terms)
        self.liquidations_seen = 0
        # Of the command at hand: what must come next, and what may be repaid of its own accord.
        self.cmd: c.Command = c.Tick()
        self.account = 0
        self.reply = Reply(None)
        self.expected: deque[tuple[str, dict[str, Any]]] = deque()
        self.repayable: deque[tuple[Key, int]] = deque()
        self.foretold = False
        # What the order that is replaced had borrowed, and that order.
        self.carried = 0
        self.replaced: NaiveOrder | None = None

    # --- following the log ---------------------------------------------------------------------

    def follow(self, envelope: c.Envelope, reply: Reply, events: list[e.Event]) -> None:
        """Post a command's events, predicting those that can be."""
        self.time_ms = max(self.time_ms, envelope.time_ms)
        hour_ms = self.time_ms // HOUR_MS * HOUR_MS
        self.hour_ms = self.hour_ms or hour_ms
        self.cmd, self.account, self.reply = envelope.command, envelope.account, reply
        self.repayable.clear()
        self.carried = 0
        self.foretold = False
        self.replaced = None
        for event in events:
            if not (self.foretold or is_beside_the_command(event)):
                self.foretell(envelope)
            self.terms.pools.note(event, self.time_ms)
            if isinstance(event, e.InterestCharged) and not event.first:
                self.on_receipt(event)
                continue
            if isinstance(event, OF_COUPONS):
                self.coupons.note(event, self.cmd, self.time_ms)
                continue
            if isinstance(event, OF_LIQUIDATION):
                self.liquidated.note(event, self.risk(event.account)[1])
            if not self.expected:
                self.predict(event)
            if self.expected:
                kind, values = self.expected.popleft()
                actual = {name: getattr(event, name, None) for name in values}
                assert (kind, values) == (type(event).__name__, actual)
            else:
                self.post(event)
            self.venue.note(event)
        assert not self.expected, self.expected
        for account in sorted(self.called):
            net, _, needed = self.risk(account)
            if 10 * needed < 7 * net or not needed:
                self.called.remove(account)
        assert hour_ms == self.hour_ms, "an hour was not turned"
        while self.repayable:
            assert 0 == self.repayment(*self.repayable.popleft()), "an order did not repay"
        if not self.foretold:
            self.foretell(envelope)
        if reply.refusal is None and not self.recalled:
            self.grant(envelope)

    def foretell(self, envelope: c.Envelope) -> None:
        """Say how the command is answered, before its own work is done; it must be so."""
        self.foretold = True
        reply = self.reply
        answer = foresee(self, envelope.account, envelope.command, envelope.command_id)
        if answer is None:
            return
        actual = Answer(
            reply.refusal,
            None if answer.units is None else reply.units,
            None if answer.detail is None else reply.detail,
            None if answer.id is None else reply.id,
        )
        hold("every reply is as foretold", answer, actual)

    def grant(self, envelope: c.Envelope) -> None:
        """Take note of what a command leaves behind that was done, not answered again."""
        cmd = envelope.command
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

    def expect(self, event_type: type[e.Event], /, **values: Any) -> None:
        """Predict the next event: its kind, and those of its fields that can be known."""
        self.expected.append((event_type.__name__, values))

    def predict(self, event: e.Event) -> None:
        """Fill `expected` when the command's own work begins with this event."""
        cmd = self.cmd
        if isinstance(event, e.Deposited):
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

    def repayment(self, key: Key, at_most: int) -> int:
        return min(at_most, self.loans[key].debt, self.available[key])

    def repay(self, key: Key, units: int, kind: int) -> None:
        loan = self.loans[key]
        interest = min(units, loan.due)
        self.available[key] -= units
        loan.paid += interest
        loan.principal -= units - interest
        self.expect(
            e.Repaid,
            account=key[0],
            coin=key[1],
            interest_units=interest,
            principal_units=units - interest,
            kind=kind,
            remaining_units=loan.debt,
        )

    def lend(self, account: int, coin: int, units: int, auto: bool, client_oid: str) -> None:
        """Lend, and charge the hour in which it is borrowed (RULES 4.1)."""
        loan = self.loans[account, coin]
        self.available[account, coin] += units
        rate = self.rate(account, coin)
        low = loan.principal
        loan.principal += units
        wallet = self.coupons.wallets[c.user_of(account)]
        covered = wallet.covered_of_loan((account, coin), low, loan.principal, self.time_ms)
        receipt = loan.charge(units, rate, self.ceil_each(), covered)
        self.expect(
            e.Borrowed, account=account, coin=coin, units=units, auto=auto, client_oid=client_oid
        )
        self.expect(
            e.InterestCharged,
            account=account,
            coin=coin,
            hour_ms=self.time_ms,
            first=True,
            rate_e12=rate,
            principal_units=units,
            units=receipt,
            saved_units=loan.saved_units,
        )

    # --- orders --------------------------------------------------------------------------------

    def predict_order(self, event: e.OrderPlaced) -> None:
        """Say everything an order does: what it trades, borrows and freezes, and how it ends."""
        self.check_order(event)
        pair = self.terms.pairs[event.pair]
        order = NaiveOrder(
            event.order_id,
            event.account,
            event.pair,
            event.side,
            event.price_ticks,
            event.size_steps,
            event.quote_units,
            event.loan_type,
            event.stp,
            event.force,
            event.client_oid,
        )
        old = self.replaced
        if old is not None and old.price == order.price and order.steps < old.steps:
            # Smaller at the same price: it keeps its turn (RULES 10).
            order.stands_for = old.stands_for or old.id
        system = event.source == c.SOURCE_SYSTEM
        limit = event.price_ticks
        if system or (event.kind == c.MARKET and c.slot_of(event.account) != c.SLOT_SPOT):
            low, high = self.terms.band(event.pair, "system_band_e6" if system else "band_e6")
            limit = high if event.side == c.BUY else low
        frozen_before = {maker.id: maker.frozen for maker in self.book.orders.values()}
        skip_user = c.user_of(event.account) if system else 0
        done = self.book.run(order, limit, self.left_behind, skip_user)
        pays, gets = (pair.quote, pair.base) if event.side == c.BUY else (pair.base, pair.quote)
        pay, get = (event.account, pays), (event.account, gets)
        self.expect(e.OrderPlaced, order_id=order.id)
        makers: list[tuple[Key, int, int]] = []
        trades: list[tuple[type[e.Event], dict[str, Any]]] = []
        for step in done:
            if isinstance(step, e.OrderClosed):
                self.release(step.account, pair, 1 - order.side, frozen_before[step.order_id])
                trades.append((e.OrderClosed, {"order_id": step.order_id, "reason": step.reason}))
            else:
                trades += self.trade_rows(order, step)
                makers.append(self.settle_maker(step, pays, gets))
        rests = not order.stopped and event.kind == c.LIMIT
        rests = rests and event.force in (c.GTC, c.POST_ONLY) and order.steps > 0
        order.frozen = order.cost(pair, order.steps) if rests else 0
        lacking = max(0, order.paid + order.frozen - self.available[pay])
        order.borrowed = self.carried + lacking
        if lacking:
            assert event.loan_type & c.AUTO_LOAN
            self.lend(event.account, pays, lacking, True, event.client_oid)
        self.expected.extend((kind.__name__, values) for kind, values in trades)
        self.available[pay] -= order.paid + order.frozen
        self.available[get] += order.received - order.fee
        if rests:
            self.book.orders[order.id] = order
            self.frozen[pay] += order.frozen
        else:
            self.expect(e.OrderClosed, order_id=order.id, reason=self.ending(event, order))
        if order.received and event.loan_type & c.AUTO_REPAY:
            self.repayable.append((get, order.received - order.fee))
        self.repayable.extend((key, net) for key, net, loan_type in makers if loan_type & 2)

    def check_order(self, event: e.OrderPlaced) -> None:
        """Check that an order is what was asked for, and of an account that may place it."""
        cmd = self.cmd
        if event.source == c.SOURCE_SYSTEM:
            assert isinstance(cmd, c.ContinueLiquidation)
            assert event.account in self.locked
            return
        assert event.account not in self.locked
        assert event.account == self.account
        if isinstance(cmd, c.PlaceOrder):
            names = ["pair", "side", "kind", "loan_type", "stp", "price_ticks", "size_steps"]
            for name in [*names, "quote_units", "client_oid"]:
                assert getattr(cmd, name) == getattr(event, name), name
        else:
            assert isinstance(cmd, c.ReplaceOrder)
            assert (cmd.price_ticks, cmd.size_steps) == (event.price_ticks, event.size_steps)
        assert event.order_id == self.reply.id

    def trade_rows(
        self, order: NaiveOrder, fill: Fill
    ) -> list[tuple[type[e.Event], dict[str, Any]]]:
        assert fill.maker.account not in self.locked
        values = {
            "pair": order.pair,
            "price_ticks": fill.price,
            "size_steps": fill.steps,
            "base_units": fill.base_units,
            "quote_units": fill.quote_units,
            "taker_side": order.side,
            "taker_order_id": order.id,
            "taker_account": order.account,
            "taker_fee_units": fill.taker_fee,
            "maker_order_id": fill.maker.id,
            "maker_account": fill.maker.account,
            "maker_fee_units": fill.maker_fee,
        }
        rows: list[tuple[type[e.Event], dict[str, Any]]] = [(e.Traded, values)]
        if fill.maker.id not in self.book.orders:
            closed = {"order_id": fill.maker.id, "reason": e.CLOSED_FILLED}
            rows.append((e.OrderClosed, closed))
        return rows

    def settle_maker(self, fill: Fill, taker_pays: int, taker_gets: int) -> tuple[Key, int, int]:
        maker = fill.maker
        buys = maker.side == c.BUY
        got, gave = (
            (fill.base_units, fill.quote_units) if buys else (fill.quote_units, fill.base_units)
        )
        self.frozen[maker.account, taker_gets] -= gave
        key = (maker.account, taker_pays)
        self.available[key] += got - fill.maker_fee
        return key, got - fill.maker_fee, maker.loan_type

    def ending(self, event: e.OrderPlaced, order: NaiveOrder) -> int:
        """Say why an order that does not rest ended."""
        if order.stopped:
            return e.CLOSED_SELF_TRADE
        done = order.steps == 0
        if order.budget:
            per_tick = self.terms.pairs[order.pair].quote_per_tick_step
            last = self.book.last_price.get(order.pair, 0)
            left = order.budget - order.paid
            done = order.paid > 0 and left < last * per_tick
        return e.CLOSED_FILLED if done else e.CLOSED_UNFILLED

    def release(self, account: int, pair: NaivePair, side: int, units: int) -> None:
        """Give back what an order froze."""
        key = (account, pair.quote if side == c.BUY else pair.base)
        self.frozen[key] -= units
        self.available[key] += units

    # --- posting what was told -----------------------------------------------------------------

    def post(self, event: e.Event) -> None:
        """Post an event that the auditor does not predict."""
        match event:
            case e.HourTurned():
                self.turn_hour(event)
            case e.RateSet():
                self.terms.set_rate(event.coin, event.rate_e12)
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
        if event.reason == e.CLOSED_BY_USER and self.terms.parameters["repay_on_cancel"]:
            coin = pair.quote if order.side == c.BUY else pair.base
            self.repayable.append(((order.account, coin), min(order.borrowed, order.frozen)))

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

    def on_receipt(self, event: e.InterestCharged) -> None:
        """Check a receipt of a full hour against the hour it is for."""
        assert self.loans[event.account, event.coin].pending.popleft() == receipt_of(event)

    # --- risk ---------------------------------------------------------------------------------

    def call(self, event: e.MarginCalled) -> None:
        """Check that a call is due, and that its account was calm since the last (RULES 7.3)."""
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
        assert net <= needed
        assert self.trusts_prices(event.account)
        assert event.debt_value_e8 == floor(debt * 10**8)
        shown = 999 * 10**6 if net <= 0 else min(999 * 10**6, ceil(needed / net * 10**6))
        assert event.ratio_e6 == shown
        assert event.account not in self.locked
        self.locked.add(event.account)
        self.liquidations_seen += 1

    def unlock(self, event: e.LiquidationFinished) -> None:
        """Check that an unlocked account is safe: a ratio of at most 0.5 (RULES 8.5)."""
        net, debt, needed = self.risk(event.account)
        assert debt == 0 or 2 * needed <= net
        self.locked.remove(event.account)
