"""Where a market stands, kept in the data directory for the next start.

The log has all that the market did, and not which recording it was or when it began. This small
file does. It is not needed for anything that has happened: without it a new market begins, with
two new users.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from lombard.core.commands import SLOT_SPOT, account_id
from lombard.market.makers import Makers
from lombard.market.tape import Tape

FORMAT: Final = 1
FILE_NAME: Final = "market.json"


class StandingError(ValueError):
    """The file is damaged or of a newer version; the message is a sentence."""


class Standing(msgspec.Struct, frozen=True):
    """Which tape plays, since when in exchange time, and which users make the market."""

    format: int
    digest: str
    seed: int
    start_ms: int
    maker_user: int
    taker_user: int

    def makers(self) -> Makers:
        """Return the accounts that the two trade with."""
        return Makers(
            account_id(self.maker_user, SLOT_SPOT), account_id(self.taker_user, SLOT_SPOT)
        )

    def is_of(self, tape: Tape) -> bool:
        """Say whether it is this tape that was playing; another one begins anew."""
        return (self.digest, self.seed) == (tape.digest, tape.seed)


def new_standing(tape: Tape, start_ms: int, maker_user: int, taker_user: int) -> Standing:
    """Begin a market, with two users that are there already."""
    return Standing(FORMAT, tape.digest, tape.seed, start_ms, maker_user, taker_user)


def read_standing(directory: Path) -> Standing | None:
    """Read what was kept, None if nothing was. Raises `StandingError`."""
    path = directory / FILE_NAME
    try:
        standing = msgspec.json.decode(path.read_bytes(), type=Standing)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StandingError(
            f"{path} is damaged ({error}). Remove it, and a new market begins."
        ) from error
    if standing.format != FORMAT:
        raise StandingError(
            f"{path} has format {standing.format}; this version reads {FORMAT}. Run the newer "
            "version of Lombard that wrote it, or remove the file, and a new market begins."
        )
    return standing


def keep_standing(directory: Path, standing: Standing) -> None:
    """Write it so that a crash leaves the old file or the new one."""
    path = directory / FILE_NAME
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(standing))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
