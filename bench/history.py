"""How fast history is written: events of commands projected into rows, and the rows committed.

    python bench/history.py [OPS] [URL]

Applies the stream of `yardstick.py` in an engine, keeps what each command did, and times writing
all of it: into a file, and into the PostgreSQL database of URL (one of its own is started from the
tests' when there is none). A yardstick in the same run: the rows alone, made before the clock
starts, sent by a bare `executemany` of Python's `sqlite3`, all into the same tables and indexes.
"""

import sys

# Beside this file are `http` and `socket`: nothing may find them before the standard library's.
sys.path.append(sys.path.pop(0))

import gc
import sqlite3
import tempfile
import time
from pathlib import Path

from core import command_of, learn_ids, venue
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from yardstick import make_stream

from lombard.core import __impl__, queries
from lombard.core.commands import Envelope
from lombard.core.engine import Engine
from lombard.history.comparing import first_difference
from lombard.history.places import Remote, url_of
from lombard.history.projection import Projection
from lombard.history.projector import COMMIT_MAX, Projector
from lombard.history.statements import inserts
from lombard.history.store import Store

TIMES = 3


def work_of(ops):
    """Apply the stream; return what each command did, and the pairs' coins."""
    prefill, measured, _ = make_stream(ops)
    ids, _, _ = learn_ids(prefill + measured)
    log, owner, work = [], {}, []
    venue(log)
    engine = Engine()
    for envelope in log:
        _, events = engine.apply(envelope)
        work.append((envelope.seq, engine.time_ms, events))
    for row in prefill + measured:
        account, command = command_of(row, owner, ids)
        envelope = Envelope(engine.state.seq + 1, engine.time_ms, b"", account, command)
        _, events = engine.apply(envelope)
        work.append((envelope.seq, engine.time_ms, events))
    coins = [(pair.base.id, pair.quote.id) for pair in queries.pairs(engine.state)]
    return work, coins


def write(place, work, coins):
    """Write all of it as the node's child does; return the seconds, wall and processor."""
    failures = []
    projector = Projector(place, coins.__getitem__, failures.append)
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    for seq, time_ms, events in work:
        if not projector.submit(seq, time_ms, events):
            projector.room_blocking()
    projector.wait_blocking(work[-1][0])
    seconds = time.perf_counter() - wall, time.process_time() - processor
    projector.close()
    assert not failures, failures
    return seconds


def batches_of(work, coins, path):
    """Project everything; return the batches of rows as a store is given them."""
    store = Store(path)
    projection = Projection(store.lookup, coins.__getitem__, store.next_ledger_id)
    batches = []
    for first in range(0, len(work), COMMIT_MAX):
        part = work[first : first + COMMIT_MAX]
        for seq, time_ms, events in part:
            projection.add(seq, time_ms, events)
        rows = projection.take()
        store.commit(rows, *part[-1][:2], projection.next_ledger_id)
        batches.append(rows)
    store.close()
    return batches


def bare(batches, path):
    """Send rows that are made already to a bare connection; return seconds and rows."""
    Store(path).close()
    statements = inserts(SQLiteDialect_pysqlite())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA wal_autocheckpoint=10000")
    made = [
        [
            (statements[name].sql, list(zip(*[iter(cells)] * statements[name].width, strict=True)))
            for name, cells in batch.items()
        ]
        for batch in batches
    ]
    gc.collect()
    began = time.perf_counter()
    for batch in made:
        for sql, rows in batch:
            connection.executemany(sql, rows)
        connection.commit()
    seconds = time.perf_counter() - began
    connection.close()
    return seconds, sum(len(rows) for batch in made for _, rows in batch)


def tell(what, seconds, commands, rows, bare_seconds):
    """Print a line of figures."""
    wall, processor = seconds
    print(
        f"{what}: {commands / wall:,.0f} commands/s, {rows / wall:,.0f} rows/s, "
        f"{processor / commands * 1e6:.1f} us of processor a command; "
        f"{bare_seconds / wall:.2f} of the bare executemany"
    )


def main():
    """Print commands and rows a second, for both databases."""
    ops = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    url = sys.argv[2] if len(sys.argv) > 2 else ""
    work, coins = work_of(ops)
    with tempfile.TemporaryDirectory() as room:
        directory = Path(room)
        batches = batches_of(work, coins, directory / "projected.sqlite")
        bares = [bare(batches, directory / f"bare{n}.sqlite") for n in range(TIMES)]
        bare_seconds, rows = min(bares)
        print(
            f"{__impl__} core: {len(work):,} commands, {rows:,} rows; bare sqlite executemany "
            f"{rows / bare_seconds:,.0f} rows/s"
        )
        files = [directory / f"history{n}.sqlite" for n in range(TIMES)]
        best = min(write(path, work, coins) for path in files)
        tell("SQLite", best, len(work), rows, bare_seconds)
        own = None
        try:
            if not url:
                sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
                from tests.history.postgres import Server

                own = Server()
                places = [Remote(own.database(f"bench{n}")) for n in range(TIMES)]
            else:
                places = [Remote(url_of(url))]
            best = min(write(place, work, coins) for place in places)
            tell("PostgreSQL", best, len(work), rows, bare_seconds)
            assert first_difference(places[0], files[0]) == "", "the two are not alike"
        finally:
            if own is not None:
                own.close()


if __name__ == "__main__":
    main()
