"""What an order must do: who it trades with, what it borrows, freezes, pays and repays.

Half of the auditor: it fills `expected` with the events that must come next, one by one.
"""

from collections import deque
from typing import Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.sim.book import Fill, NaiveOrder, NaivePair
from lombard.sim.books import Books, Key, receipt_of
from lombard.sim.law import hold


class OrderAuditor(Books):
    """Books that say what becomes of an order."""

    def __init__(self) -> None:
        super().__init__()
        # Of the command at hand: what must come next, and what may be repaid of its own accord.
        self.expected: deque[tuple[str, dict[str, Any]]] = deque()
        self.repayable: deque[tuple[Key, int]] = deque()
        # The order that must be placed next, and the worst price of it where that is said apart.
        self.asked: c.PlaceOrder | None = None
        self.edge = 0
        self.placed_id = 0
        self.fired_id = 0
        # What the order that is replaced had borrowed, and that order.
        self.carried = 0
        self.replaced: NaiveOrder | None = None

    def expect(self, event_type: type[e.Event], /, **values: Any) -> None:
        """Predict the next event: its kind, and those of its fields that can be known."""
        self.expected.append((event_type.__name__, values))

    def ask(self, order: c.PlaceOrder, edge: int = 0) -> None:
        """Say that an order must be placed; `edge` is the worst price of a spot market order."""
        self.asked, self.edge = order, edge

    def repayment(self, key: Key, at_most: int) -> int:
        return min(at_most, self.loans[key].debt, self.available[key])

    def repays(self) -> bool:
        """Say whether something that was received is still to be repaid."""
        return any(self.repayment(key, at_most) for key, at_most in self.repayable)

    def finish_repayments(self) -> None:
        """See that whatever was to be repaid of its own accord was."""
        hold("an order repays what it received", False, self.repays())
        self.repayable.clear()
        self.carried = 0
        self.replaced = None

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

    # --- orders ----------------------------------------------------------------------------------

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
        limit = event.price_ticks or self.edge
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
        if event.source == c.SOURCE_SYSTEM:
            assert event.account in self.locked
            return
        asked, self.asked = self.asked, None
        hold("an order is one that somebody asked for", True, asked is not None)
        assert asked is not None
        assert event.account not in self.locked
        names = ["pair", "side", "kind", "loan_type", "stp", "price_ticks", "size_steps"]
        for name in [*names, "quote_units", "client_oid"]:
            hold("an order is as it was asked for", getattr(asked, name), getattr(event, name))
        self.placed_id = event.order_id
        if self.fired_id:
            hold("a trigger names the order that it placed", self.fired_id, event.order_id)
            self.fired_id = 0

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

    def take_out(self, order: NaiveOrder, reason: int, by_user: bool = False) -> None:
        """Take an order out of the book, which must be said next."""
        if by_user:
            self.give_back(order)
        del self.book.orders[order.id]
        self.release(order.account, self.terms.pairs[order.pair], order.side, order.frozen)
        self.expect(e.OrderClosed, order_id=order.id, reason=reason)

    def give_back(self, order: NaiveOrder) -> None:
        """Let a cancelled order return what it borrowed, where the venue says so (RULES 6.3)."""
        if self.terms.parameters["repay_on_cancel"]:
            pair = self.terms.pairs[order.pair]
            coin = pair.quote if order.side == c.BUY else pair.base
            self.repayable.append(((order.account, coin), min(order.borrowed, order.frozen)))

    def on_receipt(self, event: e.InterestCharged) -> None:
        """Check a receipt of a full hour against the hour it is for."""
        assert self.loans[event.account, event.coin].pending.popleft() == receipt_of(event)
