"""The vault: secrets encrypted at rest, under keys in a file that only the owner can read.

AES-256-GCM. Each record names the key it was sealed with and is bound to what it belongs to, so a
sealed secret moved to another record opens no more. The file holds one key a line, the newest
last; older ones stay readable, which is what a rotation needs.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class VaultError(Exception):
    """The vault cannot be opened, or a record not unsealed; the message says what to do."""


@final
class Vault:
    """Seals and unseals with the keys of one file."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        assert keys, "Invariant: a vault has a key"
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = list(keys)[-1]

    def seal(self, plain: bytes, belongs_to: str) -> tuple[str, bytes]:
        """Encrypt; returns the id of the key that was used and the sealed bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, belongs_to.encode())
        return self._current, nonce + sealed

    def unseal(self, key_id: str, sealed: bytes, belongs_to: str) -> bytes:
        """Decrypt what `seal` gave for the same owner. Raises `VaultError`."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(
                f"Secrets were sealed with the key {key_id}, which the key file does not have. "
                "Put back the key file that belongs to this data directory."
            )
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], belongs_to.encode())
        except InvalidTag:
            raise VaultError(
                f"A sealed secret does not open with the key {key_id}: the key file is not the one "
                "it was sealed with, or the record was altered. Restore both from one backup."
            ) from None


def open_vault(path: Path, may_create: bool) -> Vault:
    """Read the key file; make one when there is none and nothing was sealed yet (`may_create`).

    Raises `VaultError`.
    """
    if not path.exists():
        if not may_create:
            raise VaultError(
                f"{path} is missing, and API keys are sealed with the keys in it. "
                "Put back the key file that belongs to this data directory."
            )
        _write_new(path, f"{secrets.token_hex(4)} {_encode(secrets.token_bytes(KEY_BYTES))}\n")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise VaultError(f"Others can read {path}. Make it yours alone: chmod 600 {path}")

    keys: dict[str, bytes] = {}
    for line in path.read_text().splitlines():
        key_id, _, text = line.partition(" ")
        try:
            keys[key_id] = base64.b64decode(text, validate=True)
        except ValueError:
            keys[key_id] = b""
        if not key_id or len(keys[key_id]) != KEY_BYTES:
            raise VaultError(f"{path} is damaged: a line is not a key. Restore it from a backup.")
    if not keys:
        raise VaultError(f"{path} is empty. Restore it from a backup.")
    return Vault(keys)


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _write_new(path: Path, text: str) -> None:
    # Written whole under another name first: a crash leaves no half a key behind.
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
