"""Looking at the audit log of a directory that nobody has open, changing nothing."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa

from lombard.identity.audit import Seal, fault, head
from lombard.identity.schema import FORMAT, META
from lombard.identity.store import StoreError

_LOG_SUFFIX: Final = "-wal"
_CHAINED_FORMAT: Final = 3


class Examined(NamedTuple):
    """What was found: how many lines there are, and what is wrong with them, empty for nothing."""

    lines: int
    fault: str


def examine_audit(path: Path, seals: Sequence[Seal]) -> Examined | None:
    """Hold the audit log in a file against all that is on record of it.

    None for a file of a format that had no chain. Raises `StoreError`.
    """
    with tempfile.TemporaryDirectory() as place:
        # A copy: whoever opens the file itself folds its log into it.
        copy = Path(place) / path.name
        for suffix in ("", _LOG_SUFFIX):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copy(source, copy.with_name(copy.name + suffix))
        engine = sa.create_engine(f"sqlite:///{copy}", poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                found = connection.execute(sa.select(META.c.format)).scalars().first() or 0
                if found > FORMAT:
                    raise StoreError(f"{path} has format {found}; this version reads {FORMAT}.")
                if found < _CHAINED_FORMAT:
                    return None
                return Examined(head(connection).entry, fault(connection, seals))
        except sa.exc.DatabaseError as error:
            raise StoreError(f"{path} cannot be read: {error.orig}") from None
