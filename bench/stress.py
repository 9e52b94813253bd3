"""What a stress question costs a venue of many debtors, and for how long it holds others up.

    python bench/stress.py [ACCOUNTS]

Fills a venue as `ticks.py` does, half of it long and half short of BTC; asks what a fall of 20 %
and one of 95 % would come to, in parts as the server does it; and times the solvency report, which
is made in one go, beside it. Times are the processor's.
"""

import gc
import sys
import time

from ticks import ACCOUNTS, MIDDLE, ONE, Venue

# `lombard.api.operator.stress.PART`.
PART = 250


def ask(state, change_e6, part):
    """Ask in parts; return what was found, and the milliseconds of all and of the longest part."""
    from lombard.core import reason_queries as reasons

    began = time.process_time()
    stress = reasons.Stress(reasons.moved_prices(state, [(1, change_e6)]), 20_000, 100)
    debtors = reasons.debtors(state)
    longest = time.process_time() - began
    for place in range(0, len(debtors), part):
        started = time.process_time()
        stress.look_at(state, debtors[place : place + part])
        longest = max(longest, time.process_time() - started)
    started = time.process_time()
    stress.rank()
    ended = time.process_time()
    return stress, (ended - began) * 1e3, max(longest, ended - started) * 1e3


def main():
    """Print the figures."""
    from lombard.core import __impl__, queries

    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    venue = Venue()
    names, _, _ = venue.fill(accounts)
    c = venue.c
    for n, account in enumerate(names):
        # What was borrowed leaves the account: it is long of what it brought, short of the loan.
        coin, units = (0, MIDDLE * ONE // 8) if n % 2 else (1, ONE // 8)
        spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
        venue.do(account, c.Transfer(spot, coin, units, ""))
    gc.freeze()
    state = venue.engine.state
    print(f"{__impl__} core, {accounts:,} debtors, {PART} at a time")
    for change_e6 in (-200_000, -950_000):
        runs = [ask(state, change_e6, PART) for _ in range(5)]
        stress = runs[0][0]
        total, longest = min(run[1] for run in runs), min(run[2] for run in runs)
        print(
            f"BTC {change_e6 / 1e4:+.0f} %: {stress.liquidated:,} liquidated, {stress.short:,} "
            f"short; {total:.0f} ms in all, the longest part {longest:.2f} ms"
        )
    took = []
    for _ in range(5):
        began = time.process_time()
        queries.solvency(state)
        took.append(time.process_time() - began)
    print(f"the solvency report: {min(took) * 1e3:.0f} ms in one go")


if __name__ == "__main__":
    main()
