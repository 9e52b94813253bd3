"""Founding a venue: the first commands of an empty log, written as one batch."""

from collections.abc import Sequence
from pathlib import Path

from lombard.core.commands import VENUE, Command, Envelope
from lombard.journal.codec import encode
from lombard.journal.opening import open_journal


def found(directory: Path, commands: Sequence[Command], time_ms: int) -> bool:
    """Write a venue's first commands; False, and nothing written, when the log is not empty.

    The caller holds the directory's lock. Raises `JournalError`.
    """
    journal = open_journal(directory).journal
    try:
        if journal.last_seq:
            return False
        journal.append(
            [
                encode(Envelope(seq, time_ms, b"", VENUE, command))
                for seq, command in enumerate(commands, 1)
            ]
        )
        return True
    finally:
        journal.close()
