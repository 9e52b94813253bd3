"""Start-up: from the files of a data directory to an engine that stands where the log ends.

The newest good snapshot that is not ahead of history is restored, the commands after it are
applied, and history is handed the events of those it has not committed: so it gets each command's
rows exactly once, whatever ended the last run. Nothing is served before all of it is done.
"""

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from lombard.core.commands import Envelope
from lombard.core.engine import Engine
from lombard.core.events import Event
from lombard.journal.opening import WitnessedJournal
from lombard.journal.recovery import Recovered, recover
from lombard.node.errors import CannotStart

PROGRESS_RECORDS: Final = 20_000


class History(Protocol):
    """What recovery needs of history."""

    @property
    def applied_seq(self) -> int:
        """The last command whose rows are committed."""

    def submit(self, seq: int, time_ms: int, events: list[Event]) -> bool:
        """Take what a command did, ignoring what is committed; False asks to slow down."""

    def room_blocking(self) -> None:
        """Wait until there is room again."""

    def wait_blocking(self, seq: int) -> None:
        """Wait until a command's rows are committed."""


class Started(NamedTuple):
    """An engine that stands where its journal ends, and what to tell of how it got there."""

    engine: Engine
    journal: WitnessedJournal
    snapshot_seq: int
    replayed: int
    seconds: float
    clean_stop: bool

    def sentence(self) -> str:
        """Say what was recovered."""
        if not self.journal.last_seq:
            return "The log is empty."
        base = f"the snapshot of record {self.snapshot_seq}" if self.snapshot_seq else "the log"
        stop = "" if self.clean_stop else " The last run did not end by a clean stop."
        return (
            f"Recovered {self.journal.last_seq} commands from {base}, {self.replayed} of them by "
            f"replay, in {self.seconds:.2f} s.{stop}"
        )


Progress = Callable[[int, int], None]


def start_from(
    directory: Path,
    engine: Engine,
    history: History,
    warn: Callable[[str], None],
    progress: Progress = lambda done, all_of_it: None,
) -> Started:
    """Recover a data directory that the caller holds the lock of.

    `engine` is an empty one; it is given the recovered state. `progress` is called with the record
    reached and the last one. Raises `CannotStart` and `JournalRefused`.
    """
    began = time.monotonic()
    recovered = recover(directory, history.applied_seq, warn)
    journal = recovered.journal
    # Nothing of what is built here is garbage; looking for some takes a third of the time.
    gc.disable()
    try:
        if history.applied_seq > journal.last_seq:
            raise CannotStart(
                f"The journal in {directory} ends at record {journal.last_seq}, but history knows "
                f"record {history.applied_seq}: the two are not of one time. Restore the newest "
                "backup, or, if the journal is right, make history again: lombard history rebuild."
            )
        snapshot_seq = _restore(recovered, engine)
        replayed = _replay(recovered.tail, engine, history, journal.last_seq, progress)
        history.wait_blocking(journal.last_seq)
    except BaseException:
        journal.close()
        raise
    finally:
        gc.enable()
    gc.freeze()
    seconds = time.monotonic() - began
    clean = recovered.opening.clean_stop
    return Started(engine, journal, snapshot_seq, replayed, seconds, clean)


def _restore(recovered: Recovered, engine: Engine) -> int:
    snapshot = recovered.snapshot
    if snapshot is None:
        return 0
    name = f"The snapshot {snapshot.head.seq}.snap"
    try:
        engine.state = Engine.restore(snapshot.lines).state
    except ValueError as fault:
        raise CannotStart(
            f"{name} cannot be used: {fault}. Move it away, and the node starts from an older one, "
            "or from the log."
        ) from fault
    if engine.state.seq != snapshot.head.seq:
        raise CannotStart(f"{name} holds the state after record {engine.state.seq}: move it away.")
    return snapshot.head.seq


def _replay(
    tail: Iterator[Envelope],
    engine: Engine,
    history: History,
    last_seq: int,
    progress: Progress,
) -> int:
    count = 0
    known_seq = history.applied_seq
    for count, envelope in enumerate(tail, 1):
        try:
            _, events = engine.apply(envelope)
        except AssertionError as fault:
            raise CannotStart(
                f"Record {envelope.seq} of the journal, a {type(envelope.command).__name__}, "
                f"cannot be applied: {fault}. This is a fault of Lombard: keep the directory, and "
                "report the record. The version that wrote it may still run it."
            ) from fault
        if envelope.seq > known_seq and not history.submit(envelope.seq, engine.time_ms, events):
            history.room_blocking()
        if count % PROGRESS_RECORDS == 0:
            progress(envelope.seq, last_seq)
    progress(last_seq, last_seq)
    return count
