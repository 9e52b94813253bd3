"""The journal in a process of its own, as the node sees it.

Writing a batch takes a third of a millisecond. A thread of the node that does it waits three times
as long for its turn at the interpreter, and makes the thread that answers wait as well; a process
needs no turns. The promises are the journal's, which does the work at the other end: what `append`
has answered is durable and witnessed, and the first failure is final. A writer that ends before it
is told to is such a failure.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, final

from lombard.child import ChildsEnd, Line
from lombard.journal.backup import Backup, BackupRefused
from lombard.journal.lock import DirectoryLock
from lombard.journal.opening import Paths, WitnessedJournal, open_journal
from lombard.journal.port import JournalDamaged, JournalError, JournalFailed, JournalRefused

# To the writer; each is answered, in the order of asking.
OPEN: Final = "open"
APPEND: Final = "append"
SYNC_WITNESS: Final = "sync witness"
BACKUP: Final = "backup"
BACKUP_STEP: Final = "backup step"
BACKUP_ABANDON: Final = "backup abandon"
BACKUP_FINISH: Final = "backup finish"
CLOSE: Final = "close"
# From the writer.
DONE: Final = "done"  # what the work gave
FAULT: Final = "fault"  # which kind, and its sentence
_FAULTS: Final[dict[str, type[JournalError]]] = {
    kind.__name__: kind for kind in (JournalFailed, JournalDamaged, JournalRefused, BackupRefused)
}


@final
class JournalProcess:
    """The log of a running node. Everything is called in the event loop's thread."""

    def __init__(
        self, directory: Path, lock: DirectoryLock, on_failure: Callable[[BaseException], None]
    ) -> None:
        """Start the writer, which opens nothing before it is told to (`open`).

        It shares the hold on the directory: a write that was under way when its node was killed is
        over before another node has the directory. `on_failure` gets what made it stop, once.
        """
        self._on_failure: Final = on_failure
        # Who waits, and for a batch the number its last record must have.
        self._asked: deque[tuple[Future[Any], int]] = deque()
        self._closing = False
        self._failure: JournalError | None = None
        self._next_seq = 1
        self.last_seq = 0
        self.last_hash = b""
        self._line: Final = Line(
            lambda end: _Writer(end, directory).serve(), self._heard, self._ended, lock.fd
        )

    @property
    def pid(self) -> int:
        """The process id of the writer."""
        return self._line.pid

    def open(self, last_seq: int, last_hash: bytes) -> None:
        """Let the writer open the journal, which ends at this record, and wait until it has.

        Raises `JournalError`.
        """
        opened = self._ask(OPEN, None)
        self._line.exchange_until(opened.done)
        self.last_seq, self.last_hash = opened.result()
        self._next_seq = self.last_seq + 1
        if (self.last_seq, self.last_hash) != (last_seq, last_hash):
            raise JournalDamaged(
                f"The journal ended at record {last_seq} when read and at {self.last_seq} when "
                "opened: another program changes its files."
            )

    def append(self, payloads: list[bytes]) -> "Future[bytes]":
        """Write one batch; when it is durable and witnessed, the hash of its last record is given.

        Raises `JournalFailed`, at once or later.
        """
        self._next_seq += len(payloads)
        return self._ask(APPEND, payloads, self._next_seq - 1)

    async def sync_witness(self) -> None:
        """Wait until the witness has reached the disk; call it beside a snapshot."""
        await self._ask(SYNC_WITNESS, None)

    async def back_up(self, target: Path, copy_others: Callable[[Path], None]) -> tuple[int, int]:
        """Back the directory up, some batches at a time; trading goes on.

        `copy_others` puts into the copy what else belongs there. Returns the last record, and the
        record of the snapshot that was copied, or 0. Raises `JournalError`.
        """
        copy = Path(await self._ask(BACKUP, str(target)))
        try:
            while await self._ask(BACKUP_STEP, None):
                pass
            copy_others(copy)
        except BaseException:
            await self._ask(BACKUP_ABANDON, None)
            raise
        last_seq, snapshot_seq = await self._ask(BACKUP_FINISH, None)
        return last_seq, snapshot_seq

    def close(self) -> None:
        """Let the writer fold its log into the file, and end. Closing twice is fine.

        Raises `JournalFailed` when that fails. Nothing is lost by it: the log still has everything.
        """
        if self._closing:
            return
        self._closing = True
        closed: Future[Any] = asyncio.get_running_loop().create_future()
        if not self._line.ended:
            self._asked.append((closed, 0))
            self._line.say(CLOSE, None)
            self._line.exchange_until(lambda: self._line.ended)
            closed.result()

    def _ask(self, word: str, what: object, last_seq: int = 0) -> "Future[Any]":
        if self._failure is not None or self._closing:
            raise self._failure or JournalFailed("The journal is closed.")
        future: Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append((future, last_seq))
        self._line.say(word, what)
        return future

    def _heard(self, word: str, what: Any) -> None:
        future, last_seq = self._asked.popleft()
        if word == FAULT:
            kind, sentence = what
            failure = _FAULTS[kind](sentence)
            if isinstance(failure, JournalFailed):
                self._fail(failure)
            _refuse(future, failure)
            return
        if last_seq:
            self.last_seq, what = what
            assert self.last_seq == last_seq, "Invariant: the journal is where it should be"
            self.last_hash = what
        if not future.done():
            future.set_result(what)

    def _ended(self, how: str) -> None:
        if how or not self._closing:
            how = how or "code 0"
            sentence = f"The process that writes the journal has ended with {how}."
            self._fail(JournalFailed(f"{sentence} Nothing more is acknowledged."))
        while self._asked:
            future, _ = self._asked.popleft()
            _refuse(future, self._failure or JournalFailed("The journal is closed."))

    def _fail(self, failure: JournalFailed) -> None:
        """Keep the first failure, and tell of it."""
        if self._failure is None:
            self._failure = failure
            self._on_failure(failure)


def _refuse(future: "Future[Any]", failure: JournalError) -> None:
    if not future.done():
        future.set_exception(failure)
        future.exception()  # whoever asked may have gone away


@final
class _Writer:
    """The other end: does what it is told, and says what came of it."""

    def __init__(self, end: ChildsEnd, directory: Path) -> None:
        self._end: Final = end
        self._directory: Final = directory
        self._journal: WitnessedJournal | None = None
        self._backup: Backup | None = None

    def serve(self) -> None:
        """Work until told to end, or until the node has gone."""
        for word, what in self._end.hear():
            try:
                self._end.say(DONE, self._do(word, what))
            except JournalError as fault:
                kind = type(fault).__name__
                self._end.say(FAULT, (kind if kind in _FAULTS else "JournalFailed", str(fault)))
            if word == CLOSE:
                return

    def _do(self, word: str, what: Any) -> object:
        if word == OPEN:
            self._journal = open_journal(self._directory).journal
            return self._journal.last_seq, self._journal.last_hash
        journal = self._journal
        if word == CLOSE:
            if journal is not None:
                journal.close()
            return None
        assert journal is not None, "Invariant: the journal is opened first"
        if word == APPEND:
            return journal.append(what), journal.last_hash
        if word == SYNC_WITNESS:
            journal.sync_witness()
            return None
        if word == BACKUP:
            self._backup = Backup(journal, Paths(self._directory).snapshots, Path(what))
            return str(self._backup.directory)
        assert self._backup is not None, "Invariant: a backup is begun first"
        if word == BACKUP_STEP:
            return self._backup.step()
        if word == BACKUP_ABANDON:
            self._backup.abandon()
            return None
        assert word == BACKUP_FINISH, word
        report = self._backup.finish()
        return report.last_seq, report.snapshot_seq
