"""`lombard doctor`: what is wrong with a data directory, and what to do."""

from pathlib import Path
from typing import Final

from rich.text import Text

from lombard.cli.telling import ERRORS, progress_bar, say
from lombard.core.commands import Envelope, SealAudit
from lombard.identity import Seal, StoreError, examine_audit
from lombard.identity.directory import DATABASE_NAME
from lombard.journal.doctor import (
    Diagnosis,
    Finding,
    Gravity,
    Progress,
    accept_journal_end,
    examine,
)
from lombard.journal.lock import look_at_directory

COLOURS: Final = {
    Gravity.FINE: "green",
    Gravity.NOTE: "yellow",
    Gravity.DAMAGE: "red",
    Gravity.NOT_EXAMINED: "red",
}


def examine_directory(directory: Path, accept: bool) -> int:
    """Examine a directory, print what is found, and return the exit code."""
    if accept:
        diagnosis = accept_journal_end(directory)
    else:
        with progress_bar("Reading the journal") as progress:
            diagnosis = diagnose(directory, progress)
    for finding in diagnosis.findings:
        line = f"{finding.gravity.value}: {finding.text}"
        if ERRORS.is_terminal:
            ERRORS.print(Text(line, COLOURS[finding.gravity]))
        else:
            say(line)
    return diagnosis.exit_code


def diagnose(directory: Path, progress: Progress = lambda done, all_of_it: None) -> Diagnosis:
    """Examine a directory's journal, and its audit log by what the journal has of it."""
    seals: list[Seal] = []

    def heard(envelope: Envelope) -> None:
        command = envelope.command
        if isinstance(command, SealAudit):
            seals.append(Seal(command.entry, command.digest))

    diagnosis = examine(directory, progress, heard)
    if diagnosis.findings[0].gravity is Gravity.NOT_EXAMINED:
        return diagnosis
    lock = look_at_directory(directory)
    try:
        return Diagnosis([*diagnosis.findings, *_audit(directory / DATABASE_NAME, seals)])
    finally:
        lock.release()


def _audit(path: Path, seals: list[Seal]) -> list[Finding]:
    if not path.exists():
        if not seals:
            return []
        text = f"{path.name} is missing; {max(seals).entry} lines of its audit log are on record."
        return [Finding(Gravity.DAMAGE, text)]
    try:
        found = examine_audit(path, seals)
    except StoreError as trouble:
        return [Finding(Gravity.DAMAGE, str(trouble))]
    if found is None:
        text = f"The audit log in {path.name} is of an older format: the next start chains it."
        return [Finding(Gravity.NOTE, text)]
    if found.fault:
        text = f"{found.fault} Somebody changed {path.name}, or put an older copy back."
        return [Finding(Gravity.DAMAGE, text)]
    sealed = max(seals).entry if seals else 0
    text = f"The audit log's {found.lines} lines are as they were written; {sealed} are on record."
    return [Finding(Gravity.FINE, text)]
