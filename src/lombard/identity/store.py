"""API keys in SQL. Secrets are sealed, passphrases hashed; nothing here is readable by itself.

What is here when `insert` has returned is on the disk.
"""

from pathlib import Path
from typing import Final, final

import sqlalchemy as sa

FORMAT: Final = 1

METADATA: Final = sa.MetaData()
META: Final = sa.Table("meta", METADATA, sa.Column("format", sa.Integer, nullable=False))
API_KEYS: Final = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("user", sa.BigInteger, nullable=False, index=True),
    sa.Column("permissions", sa.Integer, nullable=False),
    sa.Column("vault_key_id", sa.String, nullable=False),
    sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
    sa.Column("passphrase_hash", sa.String, nullable=False),
)


class StoreError(Exception):
    """The store cannot be used; the message says why."""


@final
class Record:
    """One row of `api_keys`."""

    __slots__ = ("key", "passphrase_hash", "permissions", "secret_sealed", "user", "vault_key_id")

    def __init__(
        self,
        key: str,
        user: int,
        permissions: int,
        vault_key_id: str,
        secret_sealed: bytes,
        passphrase_hash: str,
    ) -> None:
        self.key: Final = key
        self.user: Final = user
        self.permissions: Final = permissions
        self.vault_key_id: Final = vault_key_id
        self.secret_sealed: Final = secret_sealed
        self.passphrase_hash: Final = passphrase_hash


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
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _make_durable)
        self._prepare(path)

    def insert(self, record: Record) -> None:
        """Add a key; durable when this returns."""
        with self._engine.begin() as connection:
            connection.execute(
                API_KEYS.insert().values(
                    key=record.key,
                    user=record.user,
                    permissions=record.permissions,
                    vault_key_id=record.vault_key_id,
                    secret_sealed=record.secret_sealed,
                    passphrase_hash=record.passphrase_hash,
                )
            )

    def records(self) -> list[Record]:
        """Read every key."""
        with self._engine.connect() as connection:
            return [Record(*row) for row in connection.execute(sa.select(API_KEYS))]

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()

    def _prepare(self, path: Path) -> None:
        try:
            with self._engine.begin() as connection:
                METADATA.create_all(connection)
                formats = connection.execute(sa.select(META.c.format)).scalars().all()
                if not formats:
                    connection.execute(META.insert().values(format=FORMAT))
        except sa.exc.DatabaseError as error:
            self.close()
            raise StoreError(f"{path} is no store of Lombard's keys: {error.orig}") from None
        if formats and formats[0] > FORMAT:
            self.close()
            raise StoreError(
                f"{path} has format {formats[0]}; this version reads {FORMAT}. "
                "Run the newer version of Lombard that wrote it."
            )


def _make_durable(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # Versions of SQLite before 3.51.3 can corrupt a log that two connections write and
    # checkpoint; exclusively locked there is only ever this one.
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
