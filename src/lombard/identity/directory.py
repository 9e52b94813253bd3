"""The directory of keys: makes them, finds them, and says whether a passphrase is right.

Finding is a look into memory. Passphrases are checked with argon2 once a start and key, in a pool
so small that a flood of logins cannot take the processor from trading; what does not fit into its
short queue is refused.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from lombard.identity import passwords, people
from lombard.identity.accounts import Accounts
from lombard.identity.allowlist import Network, parse_allowed, write_allowed
from lombard.identity.audit import note
from lombard.identity.keys import ApiKey, NewKey, Permission, Role, generate, may_be_given
from lombard.identity.pool import HashPool
from lombard.identity.schema import API_KEYS
from lombard.identity.store import Record, Store, insert_key, read_keys
from lombard.identity.vault import Vault, open_vault

DATABASE_NAME: Final = "identity.sqlite"
KEY_FILE_NAME: Final = "identity.key"
WORKERS: Final = 2
CHECKS_WAITING_MAX: Final = 64
PASSPHRASE_BYTES_MAX: Final = 128
# The venue's bound, for keys that users make themselves.
KEYS_MAX: Final = 10
# OWASP's least: 2 passes over 19 MiB; a check costs 25 ms on a small machine.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

Clock = Callable[[], int]
T = TypeVar("T")


class TooManyKeys(Exception):
    """The user has as many keys as a user may have."""


class NewOperator:
    """An operator as shown once: the key, and the password to log in with."""

    __slots__ = ("key", "password")

    def __init__(self, key: NewKey, password: str) -> None:
        self.key: Final = key
        self.password: Final = password


@final
class Directory:
    """Every API key of the venue, and who is an operator; `accounts` are the people."""

    def __init__(self, store: Store, records: list[Record], vault: Vault, now_ms: Clock) -> None:
        self._store = store
        self._vault = vault
        self._now_ms = now_ms
        self.accounts: Final = Accounts(store, vault, now_ms)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="identity")
        self._checks = HashPool(WORKERS, CHECKS_WAITING_MAX, "passphrases")
        self._operators = dict.fromkeys(store.read(people.operators))
        self._keys: dict[str, ApiKey] = {}
        for record in records:
            secret = vault.unseal(record.vault_key_id, record.secret_sealed, _owner(record.key))
            self._keys[record.key] = _api_key(record, secret)

    def find(self, key: str) -> ApiKey | None:
        """Look a key up."""
        return self._keys.get(key)

    def keys_of(self, user: int) -> list[ApiKey]:
        """List a user's keys."""
        return [key for key in self._keys.values() if key.user == user]

    async def registered_ms(self, user: int) -> int:
        """Say when a user signed up, or got the oldest key there is; 0 when neither is known."""
        person = await self._run(lambda: self._store.read(lambda sql: people.find_user(sql, user)))
        if person is not None:
            return person.created_ms
        return min((key.created_ms for key in self.keys_of(user)), default=0)

    def role_of(self, user: int) -> Role:
        """Say what a user is to the venue."""
        return Role.OPERATOR if user in self._operators else Role.TRADER

    async def create_key(
        self,
        user: int,
        permissions: Permission,
        passphrase: str = "",
        label: str = "",
        allowed: tuple[Network, ...] = (),
        address: str = "",
        keys_max: int | None = None,
    ) -> NewKey:
        """Give a user a key; it is durable when this returns, and shown this once.

        Without a passphrase it gets one. Raises `TooManyKeys` for one more than `keys_max`.
        """
        assert may_be_given(self.role_of(user), permissions), "Refused: not for this role"
        new = generate(user, passphrase)

        def write() -> ApiKey:
            record = self._record(new, permissions, label, allowed)

            def insert(connection: sa.Connection) -> None:
                if keys_max is not None and _count(connection, user) >= keys_max:
                    raise TooManyKeys
                insert_key(connection, record)
                note(connection, record.created_ms, user, "key made", new.key, address)

            self._store.change(insert)
            return _api_key(record, new.secret.encode())

        key = await self._run(write)
        key.remember(new.passphrase.encode())
        self._keys[key.key] = key
        return new

    async def change_key(
        self,
        key: ApiKey,
        permissions: Permission,
        label: str,
        allowed: tuple[Network, ...],
        address: str = "",
    ) -> None:
        """Change what a key may do, from where, and its label; in force when this returns."""
        assert may_be_given(self.role_of(key.user), permissions), "Refused: not for this role"
        values = {
            "permissions": int(permissions),
            "label": label,
            "allowed": "\n".join(write_allowed(allowed)),
        }

        def write(connection: sa.Connection) -> None:
            chosen = sa.update(API_KEYS).where(API_KEYS.c.key == key.key)
            connection.execute(chosen.values(**values))
            note(connection, self._now_ms(), key.user, "key changed", key.key, address)

        await self._run(lambda: self._store.change(write))
        key.permissions, key.label, key.allowed = permissions, label, allowed

    async def delete_key(self, key: ApiKey, address: str = "") -> None:
        """Take a key away: from now on it is unknown, and for ever when this returns."""
        self._keys.pop(key.key, None)

        def write(connection: sa.Connection) -> None:
            connection.execute(sa.delete(API_KEYS).where(API_KEYS.c.key == key.key))
            note(connection, self._now_ms(), key.user, "key deleted", key.key, address)

        await self._run(lambda: self._store.change(write))

    async def create_operator(self, email: str) -> NewOperator:
        """Make an operator with a password and a key, both shown this once.

        Raises `EmailTaken`.
        """
        password = passwords.generate()

        def write() -> int:
            password_hash = passwords.hashed(password)

            def insert(connection: sa.Connection) -> int:
                now_ms = self._now_ms()
                made = people.add(connection, Role.OPERATOR, email, password_hash, b"", now_ms)
                note(connection, now_ms, made.user, "operator made")
                assert made.user is not None
                return made.user

            return self._store.change(insert)

        user = await self._run(write)
        self._operators[user] = None
        return NewOperator(await self.create_key(user, Permission.OPERATOR), password)

    async def passphrase_is_right(self, key: ApiKey, passphrase: bytes) -> bool:
        """Check a passphrase with argon2, and remember a right one. Raises `TooManyChecks`."""
        if len(passphrase) > PASSPHRASE_BYTES_MAX:
            return False
        right = await self._checks.run(lambda: _check(key, passphrase))
        if right:
            key.remember(passphrase)
        return right

    def close(self) -> None:
        """Finish what is under way and let the file go."""
        self.accounts.close()
        self._checks.close()
        self._pool.shutdown()
        self._store.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _record(
        self, new: NewKey, permissions: Permission, label: str, allowed: tuple[Network, ...]
    ) -> Record:
        key_id, sealed = self._vault.seal(new.secret.encode(), _owner(new.key))
        return Record(
            new.key,
            new.user,
            int(permissions),
            key_id,
            sealed,
            HASHER.hash(new.passphrase),
            label,
            "\n".join(write_allowed(allowed)),
            self._now_ms(),
        )


def machine_ms() -> int:
    """Read the machine's clock."""
    return time.time_ns() // 1_000_000


def open_directory(data: Path, now_ms: Clock = machine_ms) -> Directory:
    """Open the keys of a data directory, making them when there are none.

    Raises `VaultError` or `StoreError` with a sentence a person can act on.
    """
    store = Store(data / DATABASE_NAME)
    try:
        records = store.read(read_keys)
        nothing_sealed = not records and not store.read(people.any_device)
        vault = open_vault(data / KEY_FILE_NAME, may_create=nothing_sealed)
        return Directory(store, records, vault, now_ms)
    except BaseException:
        store.close()
        raise


def _owner(key: str) -> str:
    return f"api-key:{key}"


def _api_key(record: Record, secret: bytes) -> ApiKey:
    return ApiKey(
        record.key,
        record.user,
        Permission(record.permissions),
        secret,
        record.passphrase_hash,
        record.label,
        parse_allowed(record.allowed.split()),
        record.created_ms,
    )


def _count(connection: sa.Connection, user: int) -> int:
    question = sa.select(sa.func.count()).select_from(API_KEYS).where(API_KEYS.c.user == user)
    return connection.execute(question).scalar_one()


def _check(key: ApiKey, passphrase: bytes) -> bool:
    # Several requests of one key may have queued here; the first right one answers for all.
    known = key.known(passphrase)
    if known is not None:
        return known
    try:
        return HASHER.verify(key.passphrase_hash, passphrase)
    except VerificationError:
        return False
