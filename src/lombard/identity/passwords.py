"""Passwords: what may be one, and how it is kept.

Hashed with argon2id, which is slow on purpose, in a pool of their own: people who log in never wait
for programs whose passphrases are checked, nor these for them.
"""

import hmac
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 128
DIFFERENT_MIN: Final = 5
GENERATED_BYTES: Final = 18
# OWASP's least: 2 passes over 19 MiB; a check costs 25 ms on a small machine.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def weakness(password: str, email: str) -> str:
    """Say what is wrong with a password that somebody chose, empty for nothing."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        return f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters"
    if len(set(password)) < DIFFERENT_MIN:
        return f"a password has at least {DIFFERENT_MIN} different characters"
    if hmac.compare_digest(password.casefold().encode(), email.casefold().encode()):
        return "a password is not the e-mail address"
    return ""


def generate() -> str:
    """Make a password that nobody can guess."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def hashed(password: str) -> str:
    """Hash a password; slow."""
    return HASHER.hash(_bytes(password))


def matches(password_hash: str, password: str) -> bool:
    """Say whether a password is the one that was hashed; slow either way."""
    if len(password) > LENGTH_MAX:
        return False
    try:
        return HASHER.verify(password_hash, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    # Keyboards spell the same letter in more than one way.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
