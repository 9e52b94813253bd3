"""An API key: what a program holds instead of a password.

A key names its user and what it may do. Its secret signs requests, so it must be readable here; its
passphrase is only ever compared. The first comparison after a start costs what argon2 costs; the
digest kept from it makes later ones cost microseconds.
"""

import hashlib
import hmac
import secrets
import string
from enum import Enum, IntFlag
from typing import Final, final

from lombard.identity.allowlist import Network

# Read, trade and transfer are given apart; a key has the sum of what it was given.
PASSPHRASE_LENGTH: Final = 24
PASSPHRASE_ALPHABET: Final = string.ascii_letters + string.digits
# Digests of passphrases never leave this process, so their key does not either.
_DIGEST_KEY: Final = secrets.token_bytes(32)


class Permission(IntFlag):
    """What a key may do. The names are those of the wire."""

    READ = 1
    TRADE = 2
    TRANSFER = 4
    # Never a trader's: only keys of users with the operator's role have it, and nothing else.
    OPERATOR = 8


# All that a trader's key can have.
ALL_PERMISSIONS: Final = Permission.READ | Permission.TRADE | Permission.TRANSFER


class Role(Enum):
    """What a user is to the venue. Nobody is both."""

    TRADER = "trader"
    OPERATOR = "operator"


def may_be_given(role: Role, permissions: Permission) -> bool:
    """Say whether a key of somebody with this role may have these permissions."""
    allowed = Permission.OPERATOR if role is Role.OPERATOR else ALL_PERMISSIONS
    return not int(permissions) & ~int(allowed)


@final
class NewKey:
    """A key as it is shown once, to its owner, and never again."""

    __slots__ = ("key", "passphrase", "secret", "user")

    def __init__(self, user: int, key: str, secret: str, passphrase: str) -> None:
        self.user: Final = user
        self.key: Final = key
        self.secret: Final = secret
        self.passphrase: Final = passphrase

    def __repr__(self) -> str:
        """Name the key only: this may end up in a log."""
        return f"NewKey(user={self.user}, key={self.key!r})"


@final
class ApiKey:
    """A key that was looked up: whose, what it may do, and what its requests are checked with."""

    __slots__ = (
        "_digest",
        "allowed",
        "created_ms",
        "key",
        "keyed",
        "label",
        "passphrase_hash",
        "permissions",
        "user",
    )

    def __init__(
        self,
        key: str,
        user: int,
        permissions: Permission,
        secret: bytes,
        passphrase_hash: str,
        label: str = "",
        allowed: tuple[Network, ...] = (),
        created_ms: int = 0,
    ) -> None:
        self.key: Final = key
        self.user: Final = user
        # The secret, ready to sign with: copied for each request.
        self.keyed: Final = hmac.new(secret, digestmod=hashlib.sha256)
        self.passphrase_hash: Final = passphrase_hash
        self.created_ms: Final = created_ms
        # What its owner may change.
        self.permissions = permissions
        self.label = label
        self.allowed = allowed
        self._digest = b""

    def __repr__(self) -> str:
        """Name the key only: this may end up in a log."""
        return f"ApiKey(user={self.user}, key={self.key!r})"

    def known(self, passphrase: bytes) -> bool | None:
        """Say whether the passphrase is right; None while only argon2 could tell."""
        if not self._digest:
            return None
        return hmac.compare_digest(_digest(passphrase), self._digest)

    def remember(self, passphrase: bytes) -> None:
        """Keep the digest of the passphrase that was proven right."""
        self._digest = _digest(passphrase)


def generate(user: int, passphrase: str = "") -> NewKey:
    """Make a key that nobody can guess, with a passphrase of its owner's or one as good."""
    if not passphrase:
        passphrase = "".join(secrets.choice(PASSPHRASE_ALPHABET) for _ in range(PASSPHRASE_LENGTH))
    return NewKey(user, f"lk_{secrets.token_hex(16)}", secrets.token_hex(32), passphrase)


def _digest(passphrase: bytes) -> bytes:
    # Longer ones exist only in attacks: BLAKE2b takes any length, and they match nothing.
    return hashlib.blake2b(passphrase, digest_size=32, key=_DIGEST_KEY).digest()
