"""What a sandbox keeps beside the log for its next start: its demo people, where its clock is.

Nothing in it matters to what has happened; without it there is a new demo user, a new operator, and
a real clock is at the machine's time again.
"""

from pathlib import Path
from typing import Final

import msgspec

from lombard.journal.files import write_file
from lombard.node.errors import CannotStart

FORMAT: Final = 1
FILE_NAME: Final = "sandbox.json"


class Notes(msgspec.Struct, frozen=True):
    """`clock_offset_ms` is exchange time less the machine's when last the clock was real.

    The demo operator's password is as it was made: a sandbox has no secrets from
    whoever may read its directory.
    """

    format: int = FORMAT
    demo_user: int = 0
    clock_offset_ms: int = 0
    operator_email: str = ""
    operator_password: str = ""


def read_notes(directory: Path) -> Notes:
    """Read a directory's notes, empty ones if there are none. Raises `CannotStart`."""
    path = directory / FILE_NAME
    try:
        notes = msgspec.json.decode(path.read_bytes(), type=Notes)
    except FileNotFoundError:
        return Notes()
    except msgspec.MsgspecError as fault:
        raise CannotStart(
            f"{path} is damaged ({fault}). Remove it: there is a new demo user then, and a real "
            "clock is at the machine's time."
        ) from fault
    if notes.format > FORMAT:
        raise CannotStart(
            f"{path} has format {notes.format}; this build reads format {FORMAT}. Run the newer "
            "version of Lombard that wrote it."
        )
    return notes


def keep_notes(directory: Path, notes: Notes) -> None:
    """Write a directory's notes, if they have changed."""
    if notes != read_notes(directory):
        write_file(directory / FILE_NAME, msgspec.json.encode(notes))
