"""How fast a node recovers: journal read, verified and decoded, commands applied.

    python bench/recovery.py [OPS]

Writes the stream of `yardstick.py` into a real SQLite journal in batches of 64, closes it, and
times reading it all back into an empty engine; then takes a snapshot and times restoring it. The
bare book is timed in the same process, as a measure of the machine.
"""

import gc
import logging
import sys
import tempfile
import time
from pathlib import Path

from core import command_of, learn_ids, venue
from yardstick import make_stream, time_reference

from lombard.core import __impl__
from lombard.core.commands import Envelope
from lombard.core.engine import Engine
from lombard.journal.codec import encode
from lombard.journal.recovery import recover

BATCH = 64


def write(directory, ops):
    """Write the venue's genesis and the stream into a journal; return the state hash at its end."""
    prefill, measured, _ = make_stream(ops)
    ids, _, _ = learn_ids(prefill + measured)
    log, owner = [], {}
    engine = venue(log)
    for row in prefill + measured:
        account, command = command_of(row, owner, ids)
        envelope = Envelope(engine.state.seq + 1, engine.time_ms, b"", account, command)
        engine.apply(envelope)
        log.append(envelope)
    journal = recover(directory).journal
    for first in range(0, len(log), BATCH):
        journal.append([encode(envelope) for envelope in log[first : first + BATCH]])
    journal.close()
    return engine.state_hash(), len(log)


def main():
    """Print replayed commands a second, and the snapshot's times."""
    logging.disable(logging.WARNING)
    ops = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as room:
        directory = Path(room)
        want, records = write(directory, ops)
        rates = []
        for _ in range(3):
            gc.collect()
            gc.disable()
            started = time.perf_counter()
            recovered = recover(directory)
            engine = Engine()
            for envelope in recovered.tail:
                engine.apply(envelope)
            rates.append(records / (time.perf_counter() - started))
            gc.enable()
            recovered.journal.close()
            assert engine.state_hash() == want, "the replay ends elsewhere"
        bare_seconds, _ = time_reference(*make_stream(ops)[:2])
        bare = ops / bare_seconds
        print(
            f"{__impl__} core: {records:,} commands recovered at {max(rates):,.0f} commands/s "
            f"(of three: {min(rates):,.0f} to {max(rates):,.0f}); the bare book ran {bare:,.0f}, "
            f"so {max(rates) / bare:.2f}x"
        )
        started = time.perf_counter()
        lines = list(engine.snapshot_lines())
        taken = time.perf_counter() - started
        started = time.perf_counter()
        assert Engine.restore(lines).state_hash() == want
        print(f"snapshot of {len(lines):,} lines: {taken:.3f} s to take, ", end="")
        print(f"{time.perf_counter() - started:.3f} s to restore and hash")


if __name__ == "__main__":
    main()
