"""Opening a history to write it, in either kind of place."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lombard.history.places import Place
from lombard.history.projection import Cell, Lookup
from lombard.history.store import Store


class RowStore(Protocol):
    """The tables, as the one who writes them sees them."""

    @property
    def lookup(self) -> Lookup:
        """What was written before."""

    applied_seq: int
    applied_ms: int
    next_ledger_id: int

    def commit(
        self, rows: dict[str, list[Cell]], seq: int, time_ms: int, next_ledger_id: int
    ) -> None:
        """Write rows and the number of the last command they belong to: all, or nothing."""

    def sync(self) -> None:
        """Bring everything committed so far through a power cut."""

    def close(self) -> None:
        """Let go; what was not committed is not there."""


def open_store(
    place: Place, on_trouble: Callable[[str], None], is_closing: Callable[[], bool]
) -> RowStore:
    """Open the history at a place, making it when there is none; raises `HistoryRefused`.

    A database that cannot be reached later on is waited for until `is_closing`; `on_trouble` is
    told why, and "" when it is over. A file has no such trouble: a fault of the disk is final.
    """
    if isinstance(place, Path):
        return Store(place)
    # Whoever keeps a file needs no driver for a server.
    from lombard.history.postgres import PostgresStore

    return PostgresStore(place, on_trouble, is_closing)
