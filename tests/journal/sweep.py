"""Cuts and flipped bits, everywhere in a journal of 200 records: an exact prefix, or a refusal.

The journal is taken in three states: with all batches in SQLite's log, with half of them, and
stopped cleanly; and with a witness of the last record, or of the hundredth (a process that ended
long before it acknowledged). Each file of each is cut, and has bits flipped; whatever is read then
must be the first n records, n not less than the witness's; anything else must be refused.

    python -m tests.journal.sweep            the short form, as in `make test`
    python -m tests.journal.sweep --full     every byte and every bit: 1.9 million faults

The short form cuts at every byte of the witness, the frame headers and the last three frames of
the log, and flips some bits; now and then it goes on to open the journal in earnest, append, stop,
and read again.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from lombard.journal.opening import Paths, judge
from lombard.journal.port import JournalRefused
from lombard.journal.recovery import recover
from lombard.journal.sqlite import PAGE_BYTES, SqliteJournal, at_rest, create_journal
from lombard.journal.table import Table
from lombard.journal.wal import FRAME_BYTES, HEADER_BYTES, LogEnd
from lombard.journal.witness import SLOT_BYTES, Witness, parse_witness, write_witness
from tests.journal.records import fill, payloads, read_all

BATCHES: Final = 10
RECORDS: Final = 200
BEHIND: Final = 100
EXPECTED: Final = payloads(1, RECORDS)
JOURNAL: Final = "journal.sqlite"
LOG: Final = "journal.sqlite-wal"
WITNESS: Final = "witness"
FRAME: Final = FRAME_BYTES + PAGE_BYTES
REFUSED: Final = -1
STATES: Final = ("log", "half", "file")

Outcomes = dict[str, Counter[str]]


class Image(NamedTuple):
    """A data directory in one state: its files, and the witness file for each witnessed record."""

    state: str
    files: dict[str, bytes]
    witnesses: dict[int, bytes]


class Fault(NamedTuple):
    """A cut before a byte, or a flipped bit, of one file."""

    file: str
    kind: str
    at: int

    def apply(self, content: bytes) -> bytes:
        """Return the file's content with the fault."""
        if self.kind == "cut":
            return content[: self.at]
        changed = bytearray(content)
        changed[self.at // 8] ^= 1 << self.at % 8
        return bytes(changed)


class Broken(Exception):
    """A fault after which something else than an exact prefix was read."""


# --- the states a journal is taken in ------------------------------------------------------------


def make_images(work: Path) -> list[Image]:
    """Make the journal in its three states, each with its two witnesses."""
    images = [take(work / state, state) for state in STATES]
    with at_rest(work / "file" / JOURNAL) as table:
        write_witness(work / WITNESS, BEHIND, table.hash_at(BEHIND))
    for image in images:
        image.witnesses[BEHIND] = (work / WITNESS).read_bytes()
    return images


def take(directory: Path, state: str) -> Image:
    """Write the journal and copy its files in one state."""
    directory.mkdir()
    path = directory / JOURNAL
    create_journal(path)
    write_witness(directory / WITNESS, 0, bytes(32))
    journal = SqliteJournal(path)
    witness = Witness(directory / WITNESS)
    for batch in range(BATCHES):
        if state == "half" and batch == 7:
            # The log is begun again; what it held before stays behind its new end.
            journal._checkpoint("PASSIVE")
        fill(journal, 1, RECORDS // BATCHES)
        witness.write(journal.last_seq, journal.last_hash)
    if state == "file":
        journal.close()
    names = (JOURNAL, LOG) if state != "file" else (JOURNAL,)
    files = {name: (directory / name).read_bytes() for name in names}
    journal.close()
    witness.close()
    return Image(state, files, {RECORDS: (directory / WITNESS).read_bytes()})


# --- which faults --------------------------------------------------------------------------------


def contents(image: Image) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an image, with one of its witnesses."""
    yield from image.files.items()
    yield WITNESS, image.witnesses[RECORDS]


def all_faults(image: Image) -> Iterator[Fault]:
    """Yield every cut and every flipped bit."""
    for file, content in contents(image):
        for at in range(len(content)):
            yield Fault(file, "cut", at)
        for at in range(len(content) * 8):
            yield Fault(file, "flip", at)


def some_faults(image: Image) -> Iterator[Fault]:
    """Yield the faults of the short form."""
    for file, content in contents(image):
        for at in range(len(content)):
            if at % 151 == 0 or is_critical(image, file, at):
                yield Fault(file, "cut", at)
        # Primes: every bit of a byte, every place in a page.
        for at in range(0, len(content) * 8, 31 if file == WITNESS else 1009):
            yield Fault(file, "flip", at)


def is_critical(image: Image, file: str, at: int) -> bool:
    """Say whether the short form cuts here: witness, frame headers, last three frames of the log.

    In the log that was begun again the last frames are left over from before, and of no concern.
    """
    if file == WITNESS:
        return at % 4096 <= SLOT_BYTES
    if file == JOURNAL:
        return at < 100
    last_three = image.state == "log" and at > len(image.files[LOG]) - 3 * FRAME
    return last_three or (at - HEADER_BYTES) % FRAME < FRAME_BYTES


# --- one trial -----------------------------------------------------------------------------------


class Bench:
    """A directory in which one fault after another is tried."""

    def __init__(self, image: Image, work: Path) -> None:
        self.image = image
        self.directory = Path(tempfile.mkdtemp(dir=work))
        self.paths = Paths(self.directory)
        for name, content in image.files.items():
            (self.directory / name).write_bytes(content)

    def look(self, fault: Fault) -> dict[int, int]:
        """Say for each witness how many records are read after a fault. Changes nothing."""
        if fault.file == WITNESS:
            return self.look_at_journal(fault)
        content = self.image.files[fault.file]
        with (self.directory / fault.file).open("r+b", buffering=0) as file:
            self.put(file, fault, content)
            before = self.stamps()
            try:
                return self.look_at_journal(fault)
            finally:
                if before != self.stamps():
                    raise Broken(f"{self.image.state}, {fault}: a look changed the files")
                start = fault.at if fault.kind == "cut" else fault.at // 8
                file.seek(start)
                file.write(content[start:] if fault.kind == "cut" else content[start : start + 1])

    def put(self, file: FileIO, fault: Fault, content: bytes) -> None:
        """Put a fault into a file, in its place."""
        if fault.kind == "cut":
            file.truncate(fault.at)
        else:
            file.seek(fault.at // 8)
            file.write(bytes([content[fault.at // 8] ^ 1 << fault.at % 8]))

    def stamps(self) -> list[tuple[str, int, int]]:
        """List the files with their sizes and the time of their last change."""
        stats = [(entry.name, entry.stat()) for entry in os.scandir(self.directory)]
        return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)

    def look_at_journal(self, fault: Fault) -> dict[int, int]:
        """Read all of the journal, and hold it against each witness."""
        refused = dict.fromkeys(self.image.witnesses, REFUSED)
        try:
            with at_rest(self.paths.journal) as table:
                found = read_all(table)
                return {
                    seq: self.judged(table, seq, content, fault, found)
                    for seq, content in self.image.witnesses.items()
                }
        except JournalRefused:
            return refused

    def judged(
        self, table: Table, seq: int, content: bytes, fault: Fault, found: list[bytes]
    ) -> int:
        """Say whether a journal stands beside its witness, and how long it is."""
        reading = parse_witness(fault.apply(content) if fault.file == WITNESS else content)
        try:
            judge(table, reading, LogEnd(0, 0), self.paths)
        except JournalRefused:
            return REFUSED
        self.check(fault, seq, found)
        return len(found)

    def use(self, fault: Fault, seq: int) -> int:
        """Do the same in earnest: recover, append, stop, and recover again."""
        copy = self.directory.with_name(self.directory.name + "-used")
        copy.mkdir()
        files = {**self.image.files, WITNESS: self.image.witnesses[seq]}
        files[fault.file] = fault.apply(files[fault.file])
        for name, content in files.items():
            (copy / name).write_bytes(content)
        try:
            return self.recover_twice(copy, fault, seq)
        except JournalRefused:
            return REFUSED
        finally:
            shutil.rmtree(copy)

    def recover_twice(self, copy: Path, fault: Fault, seq: int) -> int:
        journal = recover(copy, warn=lambda _: None).journal
        try:
            found = read_all(journal)
            self.check(fault, seq, found)
            fill(journal, 2, 10)
        finally:
            journal.close()
        again = recover(copy, warn=lambda _: None)
        seqs = [envelope.seq for envelope in again.tail]
        again.journal.close()
        if seqs != list(range(1, len(found) + 21)):
            raise Broken(f"{self.image.state}, {fault}: what was appended is not there")
        return len(found)

    def check(self, fault: Fault, seq: int, found: list[bytes]) -> None:
        """Hold what was read against what was written."""
        if found != EXPECTED[: len(found)] or len(found) < seq:
            raise Broken(f"{self.image.state}, {fault}: {len(found)} records, witness {seq}")


def sweep(image: Image, faults: Iterator[Fault], work: Path, use_every: int) -> Outcomes:
    """Try faults; every so many in earnest. Returns how many ended how."""
    bench = Bench(image, work)
    whole = Fault(WITNESS, "cut", len(image.witnesses[RECORDS]))
    assert {RECORDS: RECORDS, BEHIND: RECORDS} == bench.look(whole)
    outcomes: Outcomes = {}
    for number, fault in enumerate(faults):
        try:
            found_beside = bench.look(fault)
            for seq, found in found_beside.items():
                if number % use_every == 0 and bench.use(fault, seq) != found:
                    raise Broken(f"{image.state}, {fault}: {found} when looked at, other when used")
        except Exception as unexpected:
            raise Broken(f"{image.state}, {fault}: {unexpected!r}") from unexpected
        for seq, found in found_beside.items():
            what = f"{image.state:4}  witness {seq}  {fault.kind:4} {fault.file}"
            outcomes.setdefault(what, Counter())[outcome(found)] += 1
    return outcomes


def outcome(found: int) -> str:
    """Name how a trial ended."""
    if found == REFUSED:
        return "refused"
    return "whole" if found == RECORDS else "prefix"


def show(outcomes: Outcomes) -> int:
    """Print how many ended how; return how many there were."""
    for what, counts in sorted(outcomes.items()):
        shown = "".join(f"{counts[name]:9} {name}" for name in ("whole", "prefix", "refused"))
        print(f"{what:44}{counts.total():9}:{shown}", flush=True)
    return sum(counts.total() for counts in outcomes.values())


def main() -> None:
    """Sweep and print the counts."""
    parser = argparse.ArgumentParser(description="Sweep a journal with cuts and flipped bits.")
    parser.add_argument("--full", action="store_true", help="every byte and every bit")
    parser.add_argument("--only", choices=STATES, help="only one state of the journal")
    options = parser.parse_args()
    trials = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        for image in make_images(work):
            if options.only in (None, image.state):
                faults = all_faults(image) if options.full else some_faults(image)
                trials += show(sweep(image, faults, work, 1009 if options.full else 101))
    seconds = time.monotonic() - started
    print(f"{trials} outcomes in {seconds:.0f} s: every one an exact prefix or a refusal.")


if __name__ == "__main__":
    main()
