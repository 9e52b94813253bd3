"""The directory of keys: makes them, finds them, and says whether a passphrase is right.

Finding is a look into memory. Passphrases are checked with argon2 once a start and key, in a pool
so small that a flood of logins cannot take the processor from trading; what does not fit into its
short queue is refused.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from lombard.identity.keys import ApiKey, NewKey, Permission, generate
from lombard.identity.store import Record, Store
from lombard.identity.vault import Vault, open_vault

DATABASE_NAME: Final = "identity.sqlite"
KEY_FILE_NAME: Final = "identity.key"
WORKERS: Final = 2
CHECKS_WAITING_MAX: Final = 64
PASSPHRASE_BYTES_MAX: Final = 128
# OWASP's least: 2 passes over 19 MiB; a check costs 25 ms on a small machine.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class TooManyChecks(Exception):
    """So many passphrases wait to be checked that this one will not be."""


@final
class Directory:
    """Every API key of the venue."""

    def __init__(self, store: Store, records: list[Record], vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="identity")
        self._checks_waiting = 0
        self._keys: dict[str, ApiKey] = {}
        for record in records:
            self._keys[record.key] = ApiKey(
                record.key,
                record.user,
                Permission(record.permissions),
                vault.unseal(record.vault_key_id, record.secret_sealed, _owner(record.key)),
                record.passphrase_hash,
            )

    def find(self, key: str) -> ApiKey | None:
        """Look a key up."""
        return self._keys.get(key)

    def keys_of(self, user: int) -> list[ApiKey]:
        """List a user's keys."""
        return [key for key in self._keys.values() if key.user == user]

    async def create_key(self, user: int, permissions: Permission) -> NewKey:
        """Give a user a key; it is durable when this returns, and shown this once."""
        new = generate(user)
        loop = asyncio.get_running_loop()
        key = await loop.run_in_executor(self._pool, self._write, new, permissions)
        key.remember(new.passphrase.encode())
        self._keys[key.key] = key
        return new

    async def passphrase_is_right(self, key: ApiKey, passphrase: bytes) -> bool:
        """Check a passphrase with argon2, and remember a right one. Raises `TooManyChecks`."""
        if len(passphrase) > PASSPHRASE_BYTES_MAX:
            return False
        if self._checks_waiting >= CHECKS_WAITING_MAX:
            raise TooManyChecks
        self._checks_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._pool, _check, key, passphrase)
        finally:
            self._checks_waiting -= 1
        if right:
            key.remember(passphrase)
        return right

    def close(self) -> None:
        """Finish what is under way and let the file go."""
        self._pool.shutdown()
        self._store.close()

    def _write(self, new: NewKey, permissions: Permission) -> ApiKey:
        passphrase_hash = HASHER.hash(new.passphrase)
        key_id, sealed = self._vault.seal(new.secret.encode(), _owner(new.key))
        self._store.insert(
            Record(new.key, new.user, int(permissions), key_id, sealed, passphrase_hash)
        )
        return ApiKey(new.key, new.user, permissions, new.secret.encode(), passphrase_hash)


def open_directory(data: Path) -> Directory:
    """Open the keys of a data directory, making them when there are none.

    Raises `VaultError` or `StoreError` with a sentence a person can act on.
    """
    store = Store(data / DATABASE_NAME)
    try:
        records = store.records()
        vault = open_vault(data / KEY_FILE_NAME, may_create=not records)
        return Directory(store, records, vault)
    except BaseException:
        store.close()
        raise


def _owner(key: str) -> str:
    return f"api-key:{key}"


def _check(key: ApiKey, passphrase: bytes) -> bool:
    # Several requests of one key may have queued here; the first right one answers for all.
    known = key.known(passphrase)
    if known is not None:
        return known
    try:
        return HASHER.verify(key.passphrase_hash, passphrase)
    except VerificationError:
        return False
