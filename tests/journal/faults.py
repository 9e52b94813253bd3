"""Faults for the disk of a journal: statements that fail, syncs that fail."""

import os
import sqlite3
from collections.abc import Iterable
from typing import Any

import pytest

from lombard.journal.sqlite import SqliteJournal


class FailingConnection:
    """An SQLite connection that fails once, at the n-th statement which begins with `prefix`."""

    def __init__(self, connection: sqlite3.Connection, prefix: str, when: int = 1) -> None:
        self.connection = connection
        self.prefix = prefix
        self.left = when

    def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        if sql.startswith(self.prefix):
            self.left -= 1
            if not self.left:
                raise sqlite3.OperationalError("disk I/O error")
        return self.connection.execute(sql, tuple(values))

    def close(self) -> None:
        self.connection.close()


def fail_statement(journal: SqliteJournal, prefix: str, when: int = 1) -> None:
    """Make one statement of an open journal fail."""
    connection = journal._connection
    journal._connection = FailingConnection(connection, prefix, when)  # type: ignore[assignment]


def fail_sync(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Make the next syncs of files that are not SQLite's fail. Later ones succeed, as disks do."""
    sync = os.fdatasync
    left = [times]

    def fdatasync(fd: int) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(5, "Input/output error")
        sync(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
