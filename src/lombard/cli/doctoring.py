"""`lombard doctor`: what is wrong with a data directory, and what to do."""

from pathlib import Path
from typing import Final

from rich.text import Text

from lombard.cli.telling import ERRORS, progress_bar, say
from lombard.journal.doctor import Gravity, accept_journal_end, examine

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
            diagnosis = examine(directory, progress)
    for finding in diagnosis.findings:
        line = f"{finding.gravity.value}: {finding.text}"
        if ERRORS.is_terminal:
            ERRORS.print(Text(line, COLOURS[finding.gravity]))
        else:
            say(line)
    return diagnosis.exit_code
