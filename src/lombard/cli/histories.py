"""Histories from the command line: where one is, making it again, comparing it with the journal."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lombard.cli.control import ask_for_names
from lombard.core import queries
from lombard.core.engine import Engine
from lombard.history.comparing import first_difference, first_imbalance
from lombard.history.faults import HistoryFailed
from lombard.history.places import HISTORY_NAME, Place, Remote, url_of
from lombard.history.projector import Projector
from lombard.history.reader import Reader
from lombard.history.statement_rows import Names
from lombard.journal.files import write_file
from lombard.journal.lock import hold_directory
from lombard.journal.opening import Paths, open_journal
from lombard.journal.port import Journal
from lombard.journal.recovery import envelopes, recover
from lombard.node.errors import CannotStart

# What the directory calls its history in a database, so that no other directory continues it.
VENUE_NAME: Final = "history.id"
PROGRESS_RECORDS: Final = 20_000
Progress = Callable[[int, int], None]


def names_of(engine: Engine) -> Names:
    """Read the names off a venue's state."""
    coins = [(coin.name, coin.decimals) for coin in queries.coins(engine.state)]
    return Names(coins, [pair.symbol for pair in queries.pairs(engine.state)])


def names_in(directory: Path) -> Names:
    """Learn a venue's names from its node, or from the directory when it has none."""
    _refuse_nothing(directory)
    told = ask_for_names(directory)
    if told is not None:
        return Names(told.coins, told.pairs)
    lock = hold_directory(directory)
    try:
        engine = Engine()
        recovered = recover(directory)
        try:
            if recovered.snapshot is not None:
                engine.state = Engine.restore(recovered.snapshot.lines).state
            for envelope in recovered.tail:
                engine.apply(envelope)
        finally:
            recovered.journal.close()
        return names_of(engine)
    finally:
        lock.release()


def place_of(directory: Path, url: str) -> Place:
    """Say where a directory's history is: in it, or in the database of a URL."""
    if not url:
        return directory / HISTORY_NAME
    path = directory / VENUE_NAME
    try:
        if not path.exists():
            write_file(path, secrets.token_hex(16).encode())
        return Remote(url_of(url), path.read_text("ascii").strip())
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotStart(f"{path} cannot be used: {fault}.") from fault


def rebuild_history(directory: Path, url: str, progress: Progress) -> str:
    """Make a directory's history again from its journal; return the sentence about it.

    A file is replaced when the new one is complete. In a database the old tables are dropped
    first; when this is killed meanwhile, the next start goes on where it was.
    """
    _refuse_nothing(directory)
    lock = hold_directory(directory)
    try:
        place = place_of(directory, url)
        journal = open_journal(directory).journal
        try:
            if isinstance(place, Remote):
                from lombard.history.postgres import make_anew

                make_anew(place)
                _write_all(journal, place, journal.last_seq, progress)
            else:
                _replace_file(journal, place, progress)
            return f"Made the history of {journal.last_seq} commands again, in {place}."
        finally:
            journal.close()
    finally:
        lock.release()


def check_history(directory: Path, url: str, progress: Progress) -> str:
    """Compare a directory's history with one made from its journal; return what was found.

    Raises `CannotStart` with the first difference.
    """
    _refuse_nothing(directory)
    lock = hold_directory(directory)
    try:
        place = place_of(directory, url)
        reader = Reader(place)
        try:
            seq = reader.applied_seq()
        finally:
            reader.close()
        journal = open_journal(directory).journal
        try:
            with tempfile.TemporaryDirectory(prefix="lombard-history-") as room:
                alone = Path(room) / HISTORY_NAME
                _write_all(journal, alone, seq, progress)
                if difference := first_difference(place, alone):
                    raise CannotStart(
                        f"The history in {place} is not what the journal says: {difference} "
                        "To make it again: lombard history rebuild."
                    )
                if imbalance := first_imbalance(place):
                    raise CannotStart(f"In the history in {place} {imbalance}")
        finally:
            journal.close()
        return f"The history in {place} is what the journal says, row by row, up to record {seq}."
    finally:
        lock.release()


def _refuse_nothing(directory: Path) -> None:
    if not Paths(directory).journal.exists():
        raise CannotStart(f"{directory} holds no venue.")


def _replace_file(journal: Journal, path: Path, progress: Progress) -> None:
    made = path.with_name(f"{path.name}.new")
    for name in (made.name, f"{made.name}-wal", f"{made.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    _write_all(journal, made, journal.last_seq, progress)
    # The main file first: without it what is beside it means nothing to the next start.
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    os.replace(made, path)


def _write_all(journal: Journal, place: Place, last_seq: int, progress: Progress) -> None:
    """Write the history of a journal from its first record up to one."""
    if journal.first_seq > 1 or last_seq > journal.last_seq:
        raise CannotStart(
            f"The journal has the records {journal.first_seq} to {journal.last_seq}: the history "
            f"of 1 to {last_seq} cannot be made from it."
        )
    engine = Engine()

    def coins_of(pair: int) -> tuple[int, int]:
        found = queries.pairs(engine.state)[pair]
        return found.base.id, found.quote.id

    failures: list[BaseException] = []
    projector = Projector(place, coins_of, failures.append)
    try:
        for envelope in envelopes(journal, 1):
            if envelope.seq > last_seq:
                break
            _, events = engine.apply(envelope)
            if not projector.submit(envelope.seq, engine.time_ms, events):
                projector.room_blocking()
            if envelope.seq % PROGRESS_RECORDS == 0:
                progress(envelope.seq, last_seq)
        projector.wait_blocking(last_seq)
    finally:
        projector.close()
    if failures:
        raise HistoryFailed(f"History has stopped: {failures[0]}") from failures[0]
