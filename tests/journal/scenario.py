"""The life of a data directory in half a second, for `test_syscalls` to interrupt anywhere.

    python -m tests.journal.scenario DIRECTORY

Start, six batches, two snapshots, a truncation, a clean stop. What is acknowledged is printed.
"""

import os
import sys
from pathlib import Path

from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths
from lombard.journal.port import JournalError
from lombard.journal.recovery import recover
from lombard.journal.snapshots import Head
from tests.journal.records import fill

BATCHES = 6
BATCH = 5
FAILED = 3


def say(what: str) -> None:
    """Print in one system call, so that no part of it can be lost."""
    os.write(1, f"{what}\n".encode())


def live(directory: Path) -> None:
    """Live through the scenario."""
    lock = hold_directory(directory)
    recovered = recover(directory, warn=lambda _: None)
    journal = recovered.journal
    for batch in range(BATCHES):
        fill(journal, 1, BATCH)
        say(f"acknowledged {journal.last_seq}")
        if batch in (2, 4):
            head = Head(journal.last_seq, 1_700_000_000_000, journal.last_hash, "ab")
            Paths(directory).snapshots.write(head, ["[1]"] * 10)
            journal.sync_witness()
        if batch == 4:
            journal.truncate_before(8)
    journal.close()
    lock.release()
    say("ended")


if __name__ == "__main__":
    say("begun")
    try:
        live(Path(sys.argv[1]))
    except (JournalError, OSError) as refusal:
        say(f"failed: {refusal}")
        sys.exit(FAILED)
