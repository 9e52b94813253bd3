"""Identity in SQL. Secrets are sealed, passphrases hashed; nothing here is readable by itself.

What was written is on the disk when the call returns that wrote it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar, final

import sqlalchemy as sa

from lombard.identity.schema import API_KEYS, FORMAT, prepare

T = TypeVar("T")


class StoreError(Exception):
    """The store cannot be used; the message says why."""


@final
class Record:
    """One row of `api_keys`."""

    __slots__ = (
        "allowed",
        "created_ms",
        "key",
        "label",
        "passphrase_hash",
        "permissions",
        "secret_sealed",
        "user",
        "vault_key_id",
    )

    def __init__(
        self,
        key: str,
        user: int,
        permissions: int,
        vault_key_id: str,
        secret_sealed: bytes,
        passphrase_hash: str,
        label: str = "",
        allowed: str = "",
        created_ms: int = 0,
    ) -> None:
        self.key: Final = key
        self.user: Final = user
        self.permissions: Final = permissions
        self.vault_key_id: Final = vault_key_id
        self.secret_sealed: Final = secret_sealed
        self.passphrase_hash: Final = passphrase_hash
        self.label: Final = label
        self.allowed: Final = allowed
        self.created_ms: Final = created_ms


@final
class Store:
    """The tables. One connection at a time; safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        # A pool of one that hands its connection from thread to thread.
        self._engine = sa.create_engine(
            f"sqlite:///{path}",
            poolclass=sa.QueuePool,
            pool_size=1,
            max_overflow=0,
            # Errors end up in the log; what was to be written stays out of it.
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _make_durable)
        self._prepare(path)

    def change(self, work: Callable[[sa.Connection], T]) -> T:
        """Do some work in one transaction; durable when this returns, undone when it raises."""
        with self._engine.begin() as connection:
            return work(connection)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Do some reading."""
        with self._engine.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()

    def _prepare(self, path: Path) -> None:
        try:
            found = self.change(prepare)
        except sa.exc.DatabaseError as error:
            self.close()
            raise StoreError(f"{path} is no store of Lombard's keys: {error.orig}") from None
        except BaseException:
            self.close()
            raise
        if found > FORMAT:
            self.close()
            raise StoreError(
                f"{path} has format {found}; this version reads {FORMAT}. "
                "Run the newer version of Lombard that wrote it."
            )


def insert_key(connection: sa.Connection, record: Record) -> None:
    """Add a key."""
    values = {column.name: getattr(record, column.name) for column in API_KEYS.c}
    connection.execute(API_KEYS.insert().values(values))


def read_keys(connection: sa.Connection) -> list[Record]:
    """Read every key."""
    return [Record(*row) for row in connection.execute(sa.select(API_KEYS))]


def _make_durable(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # Versions of SQLite before 3.51.3 can corrupt a log that two connections write and
    # checkpoint; exclusively locked there is only ever this one.
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
