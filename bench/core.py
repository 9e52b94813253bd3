"""How fast the core is, beside a bare book that has no accounts at all.

    python bench/core.py [OPS]

One process builds the stream of `yardstick.py`, times the bare book on it, and lets one child for
each build of the core time the engine on the same stream: crossed accounts, margin checks, bands,
ledger movements and assertions on, every event consumed. Ratios hold on a noisy machine, seconds
do not; so the runs alternate and the best of each is taken.
"""

import gc
import json
import os
import subprocess
import sys
import time

from yardstick import BORROWERS, make_stream, time_reference

ROUNDS = 5
OPS = 300_000
START_MS = 1_800_000_000_000


def command_of(row, owner, ids):
    """Turn a row of the stream into `(account, command)`; `ids` has the engine's order ids."""
    from lombard.core import commands as c

    if len(row) == 1:
        return owner[row[0]], c.CancelOrder(0, ids[row[0]], "")
    oid, side, price, size, n = row
    account = owner[oid] = c.account_id(1_000_001 + n, c.SLOT_CROSSED)
    loan = c.AUTO_LOAN_AND_REPAY if n < BORROWERS else c.NORMAL
    return account, c.PlaceOrder(0, side, c.LIMIT, c.GTC, loan, 0, price, size, 0, "", 0)


def venue(log=None):
    """Return an engine with the stream's pair and accounts; `log` gets its genesis."""
    from lombard.core import commands as c
    from lombard.core.engine import Engine

    one = 10**8
    engine = Engine()

    def do(account, command):
        envelope = c.Envelope(engine.state.seq + 1, START_MS, b"", account, command)
        reply, _ = engine.apply(envelope)
        assert reply.refusal is None, (reply.refusal, reply.detail)
        if log is not None:
            log.append(envelope)
        return reply

    huge = 10**9 * one
    for name in ("USDT", "BTC", "USDC"):
        do(0, c.SetCoin(name, 8, [(0, 10**6)], [(huge, 3, 100_000)], huge, 1, True, True))
    # A tick of 1 USDT around 10,000, a step of 0.0001 BTC.
    pair = c.SetPair(
        "BTCUSDT", 1, 0, 10**12, 10**4, 1000, 1000, 1, 1, 10**9, 10_000, [], 0, True, True
    )
    do(0, pair)
    do(0, c.SetParameter("band_e6", 200_000))
    # A cancelled order returns its loan, so that borrowers must borrow again and again.
    do(0, c.SetParameter("repay_on_cancel", 1))
    for coin in range(3):
        do(0, c.FundPool(coin, 10**7 * one))
        do(0, c.SetRate(coin, 10**8))
    do(0, c.SetIndexPrices([(0, 10**12, 2, 0, 0), (1, 10**16, 2, 0, 0), (2, 10**12, 2, 0, 0)]))
    for n in range(1000):
        user = do(0, c.AddUser()).id
        spot, crossed = c.account_id(user, c.SLOT_SPOT), c.account_id(user, c.SLOT_CROSSED)
        # Borrowers own a third coin only; the others own both sides of the pair.
        funds = [(2, 10**6 * one)] if n < BORROWERS else [(0, 10**7 * one), (1, 10**4 * one)]
        for coin, units in funds:
            do(spot, c.Deposit(coin, units))
            do(spot, c.Transfer(crossed, coin, units, ""))
    return engine


def run(engine, commands):
    """Return seconds, replies and how many events there were; envelopes are built before."""
    from lombard.core.commands import Envelope

    first = engine.state.seq + 1
    log = [
        Envelope(first + n, START_MS, (first + n).to_bytes(8, "big") * 2, account, command)
        for n, (account, command) in enumerate(commands)
    ]
    apply, replies, events = engine.apply, [], 0
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    for envelope in log:
        reply, happened = apply(envelope)
        for _ in happened:
            events += 1
        replies.append(reply)
    seconds = time.perf_counter() - started
    gc.enable()
    return seconds, replies, events


def learn_ids(rows):
    """Run the stream once: the ids the engine gives, the part of orders that borrowed, the hash."""
    from lombard.core.commands import Envelope
    from lombard.core.events import Borrowed

    engine, owner, ids, borrowed = venue(), {}, {}, 0
    for row in rows:
        account, command = command_of(row, owner, ids)
        envelope = Envelope(engine.state.seq + 1, START_MS, b"", account, command)
        reply, happened = engine.apply(envelope)
        assert reply.refusal is None, (row, reply.refusal, reply.detail)
        if len(row) > 1:
            ids[row[0]] = reply.id
            borrowed += any(isinstance(event, Borrowed) for event in happened)
    engine.check()
    return ids, borrowed / len(ids), engine.state_hash()


def child(ops, rounds):
    """Time the engine of this process's build, and the bare book beside it; one line a round."""
    from lombard.core import __impl__
    from lombard.core import queries as q

    prefill, measured, expected = make_stream(ops)
    ids, borrowed, state_hash = learn_ids(prefill + measured)
    for _ in range(rounds):
        bare_seconds, _ = time_reference(prefill, measured)
        engine, owner = venue(), {}
        commands = [command_of(row, owner, ids) for row in prefill + measured]
        run(engine, commands[: len(prefill)])
        seconds, replies, events = run(engine, commands[len(prefill) :])
        assert all(reply.refusal is None for reply in replies)
        bids, asks = q.depth(engine.state, 0, 10**6)
        assert (bids[0][0], asks[0][0]) == (expected["bid"], expected["ask"])
        assert engine.state.pairs[0].last_price_ticks > 0
        row = {
            "impl": __impl__,
            "rate": ops / seconds,
            "bare": ops / bare_seconds,
            "events": events,
            "borrowed": borrowed,
            "hash": state_hash,
        }
        print(json.dumps(row), flush=True)


def main():
    """Time both builds and print them as ratios to the bare book of the same process."""
    ops = int(sys.argv[1]) if len(sys.argv) > 1 else OPS
    hashes = set()
    for build in ("compiled", "interpreted"):
        command = [sys.executable, __file__, "--child", str(ops), str(ROUNDS)]
        done = subprocess.run(
            command, env=os.environ | {"LOMBARD_CORE": build}, stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            sys.exit(f"the {build} core did not run")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        rate, bare = max(r["rate"] for r in rows), max(r["bare"] for r in rows)
        ratios = sorted(r["rate"] / r["bare"] for r in rows)
        hashes.add(rows[0]["hash"])
        print(
            f"{build:12} {rate:>10,.0f} commands/s, bare book {bare:,.0f}: "
            f"{rate / bare:.2f}x (by round {ratios[0]:.2f} to {ratios[-1]:.2f}); "
            f"{rows[0]['events'] / ops:.2f} events a command, "
            f"{rows[0]['borrowed']:.0%} of the orders borrowed"
        )
    assert len(hashes) == 1, "the builds disagree"
    print(f"both builds end in state {hashes.pop()[:16]}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
