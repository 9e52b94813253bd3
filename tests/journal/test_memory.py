"""The journal in memory under the suite of all journals."""

from typing import cast

import pytest

from lombard.journal.chain import Batch
from lombard.journal.memory import MemoryJournal, MemoryStore
from lombard.journal.port import Journal
from tests.journal.conformance import JournalConformance, Place


class FailingOnce(list[Batch]):
    """A store's list whose next change fails."""

    broken = True

    def fail_once(self) -> None:
        if self.broken:
            self.broken = False
            raise OSError("no space left")

    def append(self, batch: Batch) -> None:
        self.fail_once()
        super().append(batch)

    def pop(self, index: int = -1) -> Batch:  # type: ignore[override]
        self.fail_once()
        return super().pop(index)


class MemoryPlace:
    """A store that outlives its journals."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def open(self) -> Journal:
        return MemoryJournal(self.store)

    def break_writes(self, journal: Journal) -> None:
        assert isinstance(journal, MemoryJournal)
        self.store.batches = FailingOnce(self.store.batches)


class TestMemoryJournal(JournalConformance):
    """The suite on `MemoryJournal`."""

    @pytest.fixture
    def place(self) -> Place:
        return cast(Place, MemoryPlace())
