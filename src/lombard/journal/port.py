"""The journal port: all the node asks of a durable, ordered log.

A journal keeps records, numbered from 1 without gaps and chained by their hashes. Records come in
batches: a batch is durable as a whole or not there at all. Whoever calls one journal from several
threads calls it from one at a time.

What every journal promises: `append` returns after its batch is durable; the first failure is
final; and what `read` yields is what was appended, or it raises `JournalDamaged`.
"""

from collections.abc import Iterator
from typing import Final, Protocol

HASH_BYTES: Final = 32
# The hash before the first record.
GENESIS_HASH: Final = bytes(HASH_BYTES)
# Where a sentence about damage ends: what the reader of it can do.
ADVICE: Final = (
    "Nothing was changed. `lombard doctor` explains what is there; "
    "the newest backup can be restored into a new directory."
)


class JournalError(Exception):
    """Anything a journal or its directory refuses. Its message is written for an operator."""


class JournalFailed(JournalError):
    """A write or a sync failed. It is final: nothing is acknowledged after it; end the process."""


class JournalRefused(JournalError):
    """The directory cannot be opened as it is: in use, newer than this build, incomplete."""


class JournalDamaged(JournalRefused):
    """What is there is not what was written. The message names the records."""


class Records(Protocol):
    """The half of a journal that reads."""

    @property
    def first_seq(self) -> int:
        """The oldest record that can be read; `last_seq + 1` when there is none."""

    @property
    def last_seq(self) -> int:
        """The newest record; 0 when there never was one."""

    @property
    def last_hash(self) -> bytes:
        """The chain's hash at `last_seq`."""

    def read(self, from_seq: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield `(first_seq, payloads)` of each batch from a record on, verified.

        The first batch is trimmed to begin at `from_seq`. Batches appended while this runs are
        read too. Raises `JournalDamaged` at the first record that is not as it was written, and
        `ValueError` for a record that was truncated or never written.
        """

    def hash_at(self, seq: int) -> bytes:
        """Compute the chain's hash at a record from `first_seq - 1` to `last_seq`."""


class Journal(Records, Protocol):
    """A durable, ordered log of records."""

    def append(self, payloads: list[bytes]) -> int:
        """Make one batch durable and return the new `last_seq`.

        Raises `JournalFailed` when it cannot; every later call then raises it too. Whether the
        batch of the failed call will be found later is unknown.
        """

    def truncate_before(self, seq: int) -> None:
        """Forget the batches that end before a record; `JournalFailed` as with `append`."""

    def close(self) -> None:
        """Let go of the journal; closing twice is fine."""
