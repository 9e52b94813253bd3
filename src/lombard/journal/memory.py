"""The journal in memory: for tests, simulations and sandboxes that need not last.

It keeps the same sealed batches as a journal on disk, so it is verified in the same way.
"""

from collections.abc import Iterator
from typing import Final, final

from lombard.journal.chain import Batch, chain_to, seal, unseal
from lombard.journal.port import GENESIS_HASH, JournalFailed


@final
class MemoryStore:
    """What a journal in memory is kept in; a journal opened on it again finds its records."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.base_seq = 0
        self.base_hash = GENESIS_HASH


@final
class MemoryJournal:
    """A `Journal` whose records last as long as its store."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store: Final = store or MemoryStore()
        self._failure: str = ""

    @property
    def first_seq(self) -> int:
        """The oldest record that can be read."""
        return self._store.base_seq + 1

    @property
    def last_seq(self) -> int:
        """The newest record."""
        batches = self._store.batches
        return batches[-1].last_seq if batches else self._store.base_seq

    @property
    def last_hash(self) -> bytes:
        """The chain's hash at the newest record."""
        batches = self._store.batches
        return batches[-1].hash if batches else self._store.base_hash

    def append(self, payloads: list[bytes]) -> int:
        """Keep one batch."""
        self._ensure_open()
        if payloads:
            batch = seal(self.last_seq + 1, self.last_hash, payloads)
            try:
                self._store.batches.append(batch)
            except Exception as fault:
                raise self._fail(fault) from fault
        return self.last_seq

    def read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the batches from a record on, verified."""
        if not self.first_seq <= from_seq <= self.last_seq + 1:
            raise ValueError(
                f"Record {from_seq} is not in the journal of records "
                f"{self.first_seq} to {self.last_seq}."
            )
        return self._read(from_seq)

    def hash_at(self, seq: int) -> bytes:
        """Compute the chain's hash at a record."""
        if seq == self._store.base_seq:
            return self._store.base_hash
        for batch in self._store.batches:
            if batch.first_seq <= seq <= batch.last_seq:
                payloads = unseal(batch, batch.first_seq, batch.prev_hash)
                return chain_to(batch.prev_hash, payloads[: seq - batch.first_seq + 1])
        raise ValueError(f"Record {seq} is not in the journal.")

    def truncate_before(self, seq: int) -> None:
        """Forget the batches that end before a record."""
        self._ensure_open()
        batches = self._store.batches
        while batches and batches[0].last_seq < seq:
            try:
                gone = batches.pop(0)
            except Exception as fault:
                raise self._fail(fault) from fault
            self._store.base_seq, self._store.base_hash = gone.last_seq, gone.hash

    def close(self) -> None:
        """Let go of the store."""
        self._failure = self._failure or "The journal is closed."

    def _fail(self, fault: Exception) -> JournalFailed:
        """Make this the last thing the journal did."""
        self._failure = f"The journal has stopped after record {self.last_seq}: {fault}."
        return JournalFailed(self._failure)

    def _ensure_open(self) -> None:
        if self._failure:
            raise JournalFailed(self._failure)

    def _read(self, seq: int) -> Iterator[tuple[int, list[bytes]]]:
        index = next((i for i, b in enumerate(self._store.batches) if b.last_seq >= seq), 0)
        prev_hash = b""
        while seq <= self.last_seq:
            batch = self._store.batches[index]
            skipped = seq - batch.first_seq if not prev_hash else 0
            payloads = unseal(batch, seq - skipped, prev_hash or batch.prev_hash)
            yield seq, payloads[skipped:]
            seq, prev_hash, index = batch.last_seq + 1, batch.hash, index + 1
