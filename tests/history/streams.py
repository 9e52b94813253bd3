"""Made-up streams of events: what a venue would say, from a seed, with no venue.

Only what history relies on is true of them: ids rise with time, orders close once, holdings never
end a command below zero.
"""

import random
from collections.abc import Iterator
from typing import Final

from lombard.core.commands import (
    AUTO_LOAN,
    BUY,
    GTC,
    LIMIT,
    SELL,
    SOURCE_API,
    STP_NONE,
    account_id,
    user_of,
)
from lombard.core.events import (
    CLOSED_BY_USER,
    CLOSED_FILLED,
    REPAY_LIQUIDATION,
    REPAY_MANUAL,
    Borrowed,
    CouponRetired,
    Deposited,
    Event,
    FundPaid,
    FundTook,
    HourTurned,
    InterestCharged,
    LiquidationFeePaid,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationStepped,
    LossBooked,
    MarginCalled,
    MoveDecided,
    MoveProposed,
    OrderClosed,
    OrderPlaced,
    Repaid,
    Traded,
    Transferred,
    TriggerCancelled,
    TriggerFailed,
    TriggerFired,
    TriggerModified,
    TriggerPlaced,
    TriggerSized,
)

HOUR_MS: Final = 3_600_000
START_MS: Final = 1_700_000_000_000
FIRST_ID: Final = 1_000_000_000_000_000_000
FIRST_USER: Final = 1_000_001
# Before this, histories are as older formats could hold them.
NEW_FROM: Final = 400
PLENTY: Final = 10**24
Work = tuple[int, int, list[Event]]


def coins_of(pair: int) -> tuple[int, int]:
    """Every pair here has its own base coin and the same quote coin."""
    return 1 + pair, 0


class Stream:
    """Commands one after another, as `(seq, time_ms, events)`."""

    def __init__(self, seed: int, users: int = 20, pairs: int = 3, step_ms: int = 700) -> None:
        self._random = random.Random(seed)
        self._accounts = [account_id(FIRST_USER + n, 1) for n in range(users)]
        self._pairs = pairs
        self._step_ms = step_ms
        self._next_id = FIRST_ID
        self._time_ms = START_MS
        self._hour_ms = START_MS - START_MS % HOUR_MS
        self._hour_id = 0
        self._open: list[OrderPlaced] = []
        self._owed: list[tuple[int, int, int]] = []
        self._charged: set[tuple[int, int, int]] = set()
        self._triggers: list[TriggerPlaced] = []
        self._liquidation = 0
        self._step = 0
        self._asked = 0

    def __iter__(self) -> Iterator[Work]:
        seq = 0
        for account in self._accounts:
            seq += 1
            yield seq, self._time_ms, self._fund(account)
        while True:
            seq += 1
            self._time_ms += self._random.randrange(self._step_ms)
            events = self._hour()
            draw = self._random.random()
            if draw < 0.5 or not self._open:
                events += self._order()
            elif draw < 0.8:
                events += self._cancel()
            elif draw < 0.9:
                events += self._transfer()
            elif draw < 0.97:
                events += self._lend()
            elif draw < 0.98:
                events += self._liquidate()
            elif draw < 0.995:
                events += self._trigger()
            elif draw < 0.998 and seq > NEW_FROM:
                events += self._move()
            elif draw < 0.999 and seq > NEW_FROM:
                whose = self._accounts[0]
                events.append(CouponRetired(self._id(), 1, user_of(whose), 1, 2, 3, whose))
            # else: refused, nothing happened
            yield seq, self._time_ms, events

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _fund(self, account: int) -> list[Event]:
        coins = range(self._pairs + 1)
        return [Deposited(self._id(), account, coin, PLENTY) for coin in coins]

    def _hour(self) -> list[Event]:
        events: list[Event] = []
        while self._time_ms >= self._hour_ms + HOUR_MS:
            self._hour_ms += HOUR_MS
            self._hour_id = self._id()
            rates_e12 = [self._random.randrange(3) * 10**9 for _ in range(self._pairs + 1)]
            events.append(HourTurned(self._hour_ms, rates_e12))
        return events

    def _trigger(self) -> list[Event]:
        """Place a trigger, change one, or end one."""
        rnd = self._random
        what = rnd.randrange(5)
        if what < 2 or not self._triggers:
            account, pair, trigger_id = (
                rnd.choice(self._accounts),
                rnd.randrange(self._pairs),
                self._id(),
            )
            ticks, size = rnd.randrange(1, 10**6), rnd.randrange(1, 100)
            placed = TriggerPlaced(
                trigger_id, account, pair, rnd.randrange(6), rnd.randrange(2), 1, ticks, 0, BUY,
                LIMIT, GTC, 0, STP_NONE, ticks, size, 0, 0, rnd.choice(("", "a")), SOURCE_API,
            )  # fmt: skip
            self._triggers.append(placed)
            return [placed]
        one = rnd.choice(self._triggers)
        names = (one.trigger_id, one.account, one.pair)
        if what == 2:
            return [TriggerSized(*names, rnd.randrange(1, 100))]
        if what == 3:
            return [TriggerModified(*names, -1, rnd.randrange(1, 10**6), LIMIT, 5, 6, 0)]
        self._triggers.remove(one)
        ends: list[Event] = [
            TriggerFired(*names, 7, self._id()),
            TriggerFailed(*names, 7, "risk_too_high", 0, ""),
            TriggerCancelled(*names, rnd.randrange(4)),
        ]
        return [rnd.choice(ends)]

    def _move(self) -> list[Event]:
        """Ask another operator for a movement, or decide the one that waits."""
        if not self._asked:
            self._asked = self._id()
            return [MoveProposed(self._asked, 1, 5, 0, 1, 10**25)]
        asked, self._asked = self._asked, 0
        return [MoveDecided(asked, 2, asked % 2 > 0)]

    def _order(self) -> list[Event]:
        rnd = self._random
        account, pair = rnd.choice(self._accounts), rnd.randrange(self._pairs)
        side, order_id, size = rnd.choice((BUY, SELL)), self._id(), rnd.randrange(1, 100)
        oid = f"oid-{order_id}" if rnd.random() < 0.5 else ""
        events: list[Event] = []
        if rnd.random() < 0.3:
            events += self._borrow(account, coins_of(pair)[1 - side], True)
        terms = (pair, side, LIMIT, GTC, AUTO_LOAN, STP_NONE, rnd.randrange(1000, 1100), size)
        placed = OrderPlaced(order_id, account, *terms, 0, oid, SOURCE_API)
        events.append(placed)
        makers = [o for o in self._open[-50:] if o.pair == pair and o.side != side]
        if makers and rnd.random() < 0.24:
            maker = rnd.choice(makers)
            events.append(self._trade(placed, maker, size))
            events.append(OrderClosed(maker.order_id, maker.account, pair, CLOSED_FILLED))
            self._open.remove(maker)
            if rnd.random() < 0.5:
                events.append(OrderClosed(order_id, account, pair, CLOSED_FILLED))
                return events
        self._open.append(placed)
        return events

    def _trade(self, taker: OrderPlaced, maker: OrderPlaced, size: int) -> Traded:
        base_units, quote_units = size * 100, size * maker.price_ticks
        amounts = (maker.price_ticks, size, base_units, quote_units)
        sides = (taker.order_id, taker.account, size // 10)
        return Traded(
            self._id(),
            taker.pair,
            *amounts,
            taker.side,
            *sides,
            maker.order_id,
            maker.account,
            size // 20,
        )

    def _cancel(self) -> list[Event]:
        order = self._open.pop(self._random.randrange(len(self._open)))
        return [OrderClosed(order.order_id, order.account, order.pair, CLOSED_BY_USER)]

    def _transfer(self) -> list[Event]:
        account = self._random.choice(self._accounts)
        spot = account - 1
        return [Transferred(self._id(), account, spot, 0, self._random.randrange(1, 10**6), "")]

    def _borrow(self, account: int, coin: int, auto: bool) -> list[Event]:
        loan_id, units = self._id(), self._random.randrange(1, 10**9)
        self._owed.append((account, coin, units))
        return [
            Borrowed(loan_id, account, coin, units, auto, ""),
            InterestCharged(loan_id, account, coin, self._time_ms, True, 10**9, units, 1),
        ]

    def _lend(self) -> list[Event]:
        rnd = self._random
        if not self._owed or rnd.random() < 0.5:
            return self._borrow(rnd.choice(self._accounts), rnd.randrange(self._pairs + 1), False)
        account, coin, units = self._owed.pop(rnd.randrange(len(self._owed)))
        events: list[Event] = []
        # One receipt for an account, a coin and an hour.
        key = (self._hour_id, account, coin)
        if self._hour_id and key not in self._charged:
            self._charged.add(key)
            events.append(InterestCharged(*key, self._hour_ms, False, 10**9, units, 2))
        events.append(Repaid(self._id(), account, coin, 1, units, REPAY_MANUAL, 0))
        events.append(MarginCalled(account, rnd.randrange(800_000, 10**6)))
        return events

    def _liquidate(self) -> list[Event]:
        """Go on with the liquidation there is: start, three steps, the end; or begin one."""
        account = self._accounts[0]
        if not self._liquidation:
            self._liquidation, self._step = self._id(), 0
            return [LiquidationStarted(self._liquidation, account, 1_100_000, 10**12, 10**12)]
        one = self._liquidation
        self._step += 1
        if self._step < 4:
            prices = [(0, 10**12), (1, 25 * 10**22)]
            done = (self._step, "takeover", 1, 0, 0, prices, 1_100_000, 900_000)
            return [
                FundPaid(one, account, 0, 70),
                Repaid(self._id(), account, 0, 10, 60, REPAY_LIQUIDATION, 5),
                FundTook(one, account, 1, 1000),
                LossBooked(one, account, 0, 4, 1),
                LiquidationStepped(one, account, *done),
            ]
        self._liquidation = 0
        return [
            LiquidationFeePaid(one, account, 0, 2),
            LiquidationFinished(one, account, 400_000, 2 * 10**8),
        ]
