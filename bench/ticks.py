"""What prices, hours and a storm cost a venue of many debtors, and what each of them weighs.

    python bench/ticks.py [ACCOUNTS] [IN THE STORM]

Fills a venue with margin accounts, half of them long and half short, none near its line; times
price commands and hour turns on it, and on a venue of a thousand; then lets the index fall by 30 %
over leveraged accounts and times what locks and liquidates them. The bare book of `yardstick.py` is
timed in the same process, as a measure of the machine: a figure in its commands holds elsewhere.
Times are the processor's, so that they hold on a machine that others use too.
"""

import gc
import sys
import time

from core import START_MS
from yardstick import make_stream, time_reference

ACCOUNTS = 100_000
FEW = 1_000
STORM = 10_000
HOUR_MS = 3_600_000
ONE = 10**8
MIDDLE = 20_000


def rss():
    """Return the bytes of memory this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Venue:
    """An engine with BTC at 20 000 USDT, and a clock in the benchmark's hand."""

    def __init__(self):
        from lombard.core import commands as c
        from lombard.core.engine import Engine

        self.c = c
        self.engine = Engine()
        self.ms = START_MS
        huge = 10**20 * ONE
        for name in ("USDT", "BTC"):
            tiers = [(10**6 * ONE, 5, 100_000), (huge, 3, 120_000)]
            self.do(0, c.SetCoin(name, 8, [(0, 10**6)], tiers, huge, 1, True, True))
        self.do(0, c.SetPair("BTCUSDT", 1, 0, 10**12, 10**4, 1000, 1000, 1, 1, 10**9, 10_000, [], 0,
                             True, True))  # fmt: skip
        self.do(0, c.SetParameter("caution_half_life_ms", 0))
        # Reminders cost what is said, and are spread over the ticks of a day.
        self.do(0, c.SetParameter("repay_reminders", 0))
        for coin in (0, 1):
            self.do(0, c.FundPool(coin, 10**15 * ONE))
            self.do(0, c.SetRate(coin, 10**8))
        self.price(0, 1)
        self.price(1, MIDDLE)

    def do(self, account, command):
        """Apply a command; return its reply and its events."""
        envelope = self.c.Envelope(self.engine.state.seq + 1, self.ms, b"", account, command)
        reply, events = self.engine.apply(envelope)
        assert reply.refusal is None, (reply.refusal, reply.detail)
        return reply, events

    def price(self, coin, price):
        """Publish a price in USDT."""
        return self.do(0, self.c.SetIndexPrices([(coin, int(price * 10**12), 2, 0, 0)]))

    def user(self, coin, units):
        """Admit a user with coins in crossed margin; return that account."""
        c = self.c
        user = self.do(0, c.AddUser())[0].id
        crossed = c.account_id(user, c.SLOT_CROSSED)
        spot = c.account_id(user, c.SLOT_SPOT)
        self.do(spot, c.Deposit(coin, units))
        self.do(spot, c.Transfer(crossed, coin, units, ""))
        return crossed

    def fill(self, accounts):
        """Admit debtors; return them and the bytes each weighs, without and with its loan."""
        gc.collect()
        before = rss()
        names = [self.user(n % 2, ONE if n % 2 else MIDDLE * ONE) for n in range(accounts)]
        gc.collect()
        admitted = rss()
        for n, account in enumerate(names):
            # A loan of an eighth: far from any line.
            units = MIDDLE * ONE // 8 if n % 2 else ONE // 8
            self.do(account, self.c.Borrow(0 if n % 2 else 1, units, ""))
        self.price(1, MIDDLE)
        gc.collect()
        return names, (admitted - before) // accounts, (rss() - admitted) // accounts

    def fill_book(self, names, orders):
        """Let orders rest; return the bytes each weighs."""
        c = self.c
        gc.collect()
        before = rss()
        for n in range(orders):
            # Long accounts sell, far above the market.
            account = names[(2 * n + 1) % len(names)]
            price = MIDDLE + 100 + n % 500
            self.do(account, c.PlaceOrder(0, c.SELL, 0, 0, 0, 0, price, 1, 0, "", 0))
        gc.collect()
        return (rss() - before) // orders


def timed(work, rounds):
    """Return the median and the longest of some rounds, in microseconds."""
    took = []
    for n in range(rounds):
        started = time.process_time()
        work(n)
        took.append((time.process_time() - started) * 1e6)
    return sorted(took)[rounds // 2], max(took)


def ticks(venue):
    """Time price commands that move BTC by up to 2 %, and hour turns."""
    moves = [0.99, 1.01, 1.02, 1.0, 0.98]
    # The first look draws the bands of all.
    venue.price(1, MIDDLE)
    price = timed(lambda n: venue.price(1, MIDDLE * moves[n % 5]), 100)

    def turn(_):
        venue.ms = venue.ms - venue.ms % HOUR_MS + HOUR_MS
        venue.do(0, venue.c.Tick())

    return price, timed(turn, 100)


def storm(accounts):
    """Let the index fall by 30 % over leveraged accounts on a thin book; return what it took."""
    venue = Venue()
    c = venue.c
    venue.do(0, c.FundInsurance(0, 10**6 * ONE))
    bystander = venue.user(0, accounts * 10**4 * ONE)
    seller = venue.user(1, accounts * 3 * ONE)
    for _ in range(accounts):
        account = venue.user(0, 10_000 * ONE)
        # 4x long: 2 BTC for 10 000 of its own, 30 000 borrowed.
        venue.do(seller, c.PlaceOrder(0, c.SELL, 0, 0, 0, 0, MIDDLE, 2 * 10**4, 0, "", 0))
        venue.do(account, c.PlaceOrder(0, c.BUY, 0, 0, c.AUTO_LOAN, 0, MIDDLE, 2 * 10**4, 0, "", 0))
    venue.price(1, MIDDLE)
    started = time.process_time()
    _, events = venue.price(1, MIDDLE * 0.7)
    locking = time.process_time() - started
    locked = sum(type(event).__name__ == "LiquidationStarted" for event in events)
    worst_step = worst_order = steps = 0.0
    started = time.process_time()
    while venue.engine.state.liquidations:
        if not venue.engine.liquidation_due():
            venue.ms += 10_000
            venue.do(0, c.Tick())
            continue
        begun = time.process_time()
        reply, _ = venue.do(0, c.ContinueLiquidation(20))
        worst_step = max(worst_step, time.process_time() - begun)
        steps += reply.units
        # Between the steps a user buys some of what is sold.
        begun = time.process_time()
        price = int(MIDDLE * 0.695)
        venue.do(bystander, c.PlaceOrder(0, c.BUY, 0, 0, 0, 0, price, 100, 0, "", 0))
        worst_order = max(worst_order, time.process_time() - begun)
    venue.engine.check()
    took = time.process_time() - started
    return locked, locking, took, int(steps), worst_step, worst_order


def main():
    """Print the figures."""
    from lombard.core import __impl__

    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    prefill, measured, _ = make_stream(100_000)
    bare_us = min(time_reference(prefill, measured)[0] for _ in range(3)) / len(measured) * 1e6
    print(f"{__impl__} core; the bare book takes {bare_us:.2f} µs a command")
    few = Venue()
    few.fill(FEW)
    few_price, few_turn = ticks(few)
    many = Venue()
    names, weight, loan = many.fill(accounts)
    order = many.fill_book(names, max(10_000, accounts // 10))
    gc.freeze()
    price, turn = ticks(many)
    for what, at_few, at_many in (("price", few_price, price), ("hour turn", few_turn, turn)):
        print(
            f"{what:10} {at_few[0]:8.1f} µs with {FEW:,} debtors, {at_many[0]:8.1f} µs "
            f"({at_many[0] / bare_us:.0f} bare commands; longest {at_many[1]:.0f} µs) "
            f"with {accounts:,}"
        )
    print(
        f"a user with spot and margin {weight:,} bytes, a loan with its band {loan:,}, an "
        f"open order {order:,}"
    )
    locked, locking, seconds, steps, step, late = storm(
        int(sys.argv[2]) if len(sys.argv) > 2 else STORM
    )
    print(
        f"storm: {locked:,} accounts locked in {locking * 1e3:.0f} ms "
        f"({locking / locked * 1e6:.1f} µs each), liquidated in {seconds:.1f} s "
        f"({steps:,} steps); longest 20 steps {step * 1e3:.1f} ms, "
        f"longest order between them {late * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
