"""API keys: durable, unreadable at rest, and quick to check once they were checked."""

import asyncio
import hmac
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lombard.api.signing import keyed_with, sign
from lombard.identity import (
    ALL_PERMISSIONS,
    Directory,
    Permission,
    StoreError,
    TooManyChecks,
    VaultError,
    open_directory,
)
from lombard.identity.directory import CHECKS_WAITING_MAX, DATABASE_NAME, KEY_FILE_NAME
from lombard.identity.keys import NewKey
from lombard.identity.vault import open_vault
from tests.api.house import elapsed, run


def test_a_key_is_found_again_after_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        directory = open_directory(tmp_path)
        new = await directory.create_key(7, Permission.READ | Permission.TRADE)
        directory.close()

        directory = open_directory(tmp_path)
        key = directory.find(new.key)
        assert key is not None
        assert (7, Permission.READ | Permission.TRADE) == (key.user, key.permissions)
        assert signed(keyed_with(new.secret.encode())) == signed(key.keyed)
        # Only argon2 knows the passphrase now.
        assert key.known(new.passphrase.encode()) is None
        assert not await directory.passphrase_is_right(key, b"wrong")
        assert key.known(new.passphrase.encode()) is None
        assert await directory.passphrase_is_right(key, new.passphrase.encode())
        assert key.known(new.passphrase.encode()) is True
        assert key.known(b"wrong") is False
        assert [key] == directory.keys_of(7)
        assert directory.find("lk_none") is None
        directory.close()

    run(test())


def test_nothing_at_rest_can_be_read(tmp_path: Path) -> None:
    new = made(tmp_path)

    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {DATABASE_NAME, KEY_FILE_NAME} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert new.secret.encode() not in content
        assert bytes.fromhex(new.secret) not in content
        assert new.passphrase.encode() not in content
    assert 0o600 == (tmp_path / KEY_FILE_NAME).stat().st_mode & 0o777


def test_a_key_does_not_print_its_secrets(tmp_path: Path) -> None:
    async def test() -> None:
        directory = open_directory(tmp_path)
        new = await directory.create_key(7, ALL_PERMISSIONS)
        for shown in (repr(new), repr(directory.find(new.key)), f"{new}"):
            assert new.key in shown
            assert new.secret not in shown
            assert new.passphrase not in shown
        directory.close()

    run(test())


def test_a_passphrase_once_checked_costs_microseconds(tmp_path: Path) -> None:
    async def test() -> None:
        directory = open_directory(tmp_path)
        new = await directory.create_key(7, ALL_PERMISSIONS)
        key = directory.find(new.key)
        assert key is not None

        def check() -> None:
            for _ in range(1_000):
                assert key.known(new.passphrase.encode())

        assert min(elapsed(check) for _ in range(5)) < 1_000 * 50e-6
        directory.close()

    run(test())


def test_too_many_checks_at_once_are_refused(tmp_path: Path) -> None:
    new = made(tmp_path)

    async def test() -> None:
        directory = open_directory(tmp_path)
        key = directory.find(new.key)
        assert key is not None
        right = [
            asyncio.ensure_future(directory.passphrase_is_right(key, new.passphrase.encode()))
            for _ in range(CHECKS_WAITING_MAX)
        ]
        await asyncio.sleep(0)
        with pytest.raises(TooManyChecks):
            await directory.passphrase_is_right(key, b"one more")
        # Those that queued behind the first right one did not pay for argon2 again.
        assert all(await asyncio.gather(*right))
        assert not await directory.passphrase_is_right(key, b"x" * 1_000)
        directory.close()

    run(test())


def test_a_vault_others_can_read_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    os.chmod(tmp_path / KEY_FILE_NAME, 0o644)

    with pytest.raises(VaultError, match="chmod 600"):
        open_directory(tmp_path)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text(""), "is empty"),
        (lambda path: path.write_text("abcd notbase64!\n"), "damaged"),
        (lambda path: path.write_text("abcd YWJj\n"), "damaged"),
        (lambda path: path.write_text("\n"), "damaged"),
    ],
)
def test_a_damaged_vault_is_refused(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    made(tmp_path)
    damage(tmp_path / KEY_FILE_NAME)

    with pytest.raises(VaultError, match=sentence):
        open_directory(tmp_path)


def test_a_vault_of_another_directory_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        made(path)
    (other / KEY_FILE_NAME).rename(one / KEY_FILE_NAME)

    with pytest.raises(VaultError, match="which the key file does not have"):
        open_directory(one)


def test_a_sealed_secret_belongs_to_its_key(tmp_path: Path) -> None:
    made(tmp_path)
    made(tmp_path)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        rows = connection.execute("SELECT key, secret_sealed FROM api_keys").fetchall()
        for (key, _), (_, sealed) in zip(rows, reversed(rows), strict=True):
            connection.execute("UPDATE api_keys SET secret_sealed=? WHERE key=?", (sealed, key))
    connection.close()

    with pytest.raises(VaultError, match="does not open"):
        open_directory(tmp_path)


def test_keys_can_be_rotated(tmp_path: Path) -> None:
    new = made(tmp_path)
    open_vault(tmp_path / "fresh", may_create=True)
    with (tmp_path / KEY_FILE_NAME).open("a") as file:
        file.write((tmp_path / "fresh").read_text())

    newer = made(tmp_path)
    directory = open_directory(tmp_path)
    for one in (new, newer):
        key = directory.find(one.key)
        assert key is not None
        assert signed(keyed_with(one.secret.encode())) == signed(key.keyed)
    directory.close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        ids = connection.execute("SELECT DISTINCT vault_key_id FROM api_keys").fetchall()
    connection.close()
    assert 2 == len(ids)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("UPDATE meta SET format = 99")
    connection.close()

    with pytest.raises(StoreError, match="has format 99; this version reads 3"):
        open_directory(tmp_path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"not a database, and long enough to look at" * 30)

    with pytest.raises(StoreError, match="no store of Lombard's keys"):
        open_directory(tmp_path)


def signed(keyed: hmac.HMAC) -> bytes:
    """Sign something, to see with which secret."""
    return sign(keyed, b"something")


def made(path: Path) -> NewKey:
    """Make a key and close the directory again."""

    async def make(directory: Directory) -> NewKey:
        return await directory.create_key(7, ALL_PERMISSIONS)

    directory = open_directory(path)
    try:
        return asyncio.run(make(directory))
    finally:
        directory.close()
