"""Files of identity: an older one is brought up with what is in it, a newer one left alone."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from lombard.identity import Permission, open_directory, schema
from lombard.identity import directory as directory_module
from lombard.identity.directory import DATABASE_NAME
from lombard.identity.schema import AUDIT
from lombard.identity.store import Store
from lombard.identity.vault import open_vault
from tests.api.house import run

# As version 0.1 made it.
FORMAT_1 = """
CREATE TABLE meta (format INTEGER NOT NULL);
CREATE TABLE api_keys (
    "key" VARCHAR NOT NULL,
    user BIGINT NOT NULL,
    permissions INTEGER NOT NULL,
    vault_key_id VARCHAR NOT NULL,
    secret_sealed BLOB NOT NULL,
    passphrase_hash VARCHAR NOT NULL,
    PRIMARY KEY ("key")
);
CREATE INDEX ix_api_keys_user ON api_keys (user);
INSERT INTO meta (format) VALUES (1);
"""


def test_a_file_of_format_1_keeps_its_keys(tmp_path: Path) -> None:

    vault = open_vault(tmp_path / "identity.key", may_create=True)
    key_id, sealed = vault.seal(b"the secret", "api-key:lk_old")
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.executescript(FORMAT_1)
        connection.execute(
            "INSERT INTO api_keys VALUES ('lk_old', 7, 3, ?, ?, ?)",
            (key_id, sealed, directory_module.HASHER.hash("old passphrase")),
        )
    connection.close()

    async def test() -> None:
        for _ in range(2):
            directory = open_directory(tmp_path)
            key = directory.find("lk_old")
            assert key is not None
            assert (7, Permission.READ | Permission.TRADE) == (key.user, key.permissions)
            assert ("", (), 0) == (key.label, key.allowed, key.created_ms)
            assert await directory.passphrase_is_right(key, b"old passphrase")
            await directory.create_key(7, Permission.READ, label="new")
            await directory.create_operator(f"op{len(directory.keys_of(7))}@example.org")
            directory.close()

    run(test())
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        assert [(schema.FORMAT,)] == connection.execute("SELECT format FROM meta").fetchall()
        counted = "SELECT count(*) FROM api_keys WHERE user = 7"
        assert [(3,)] == connection.execute(counted).fetchall()
    connection.close()


def test_an_upgrade_is_done_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.executescript(FORMAT_1)
    connection.close()

    def cut(*_: object) -> None:
        raise KeyError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(schema.METADATA, "create_all", cut)
        with pytest.raises(KeyError):
            Store(tmp_path / DATABASE_NAME)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        assert [(1,)] == connection.execute("SELECT format FROM meta").fetchall()
        columns = connection.execute("PRAGMA table_info(api_keys)").fetchall()
        assert 6 == len(columns)
    connection.close()
    Store(tmp_path / DATABASE_NAME).close()


def test_an_upgraded_file_is_like_a_new_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        path.mkdir()
    with sqlite3.connect(old / DATABASE_NAME) as connection:
        connection.executescript(FORMAT_1)
    connection.close()
    columns: list[object] = []
    for path in (old, new):
        store = Store(path / DATABASE_NAME)
        columns.append(
            store.read(
                lambda connection: {
                    table: [
                        (column["name"], str(column["type"]), column["nullable"])
                        for column in sa.inspect(connection).get_columns(table)
                    ]
                    for table in sa.inspect(connection).get_table_names()
                }
            )
        )
        store.close()
    assert columns[0] == columns[1]


def test_the_audit_log_is_only_added_to(tmp_path: Path) -> None:
    async def test() -> None:
        directory = open_directory(tmp_path)
        await directory.create_key(7, Permission.READ)
        directory.close()

    run(test())
    store = Store(tmp_path / DATABASE_NAME)
    for change in (sa.update(AUDIT).values(action="nothing"), sa.delete(AUDIT)):
        with pytest.raises(sa.exc.IntegrityError, match="only added to"):
            store.change(lambda connection, change=change: connection.execute(change))  # type: ignore[misc]
    assert [(7, "key made")] == store.read(
        lambda connection: [
            tuple(row) for row in connection.execute(sa.select(AUDIT.c.user, AUDIT.c.action))
        ]
    )
    store.close()
