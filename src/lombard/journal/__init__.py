"""The log: durable, in order, and the only thing that cannot be made again."""

from lombard.journal.memory import MemoryJournal, MemoryStore
from lombard.journal.port import (
    Journal,
    JournalDamaged,
    JournalError,
    JournalFailed,
    JournalRefused,
    Records,
)

__all__ = [
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalFailed",
    "JournalRefused",
    "MemoryJournal",
    "MemoryStore",
    "Records",
]
