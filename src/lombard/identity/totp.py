"""Codes of a second device (RFC 6238), and the recovery codes for when it is lost.

A code is good for its half minute and the ones beside it, and once: the caller keeps the time step
of the last code accepted, and neither that nor an older one is accepted again.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode
from typing import Final

import pyotp

STEP_S: Final = 30
# Devices whose clock is half a minute off.
STEPS_EITHER_WAY: Final = 1
DIGITS: Final = 6
ISSUER: Final = "Lombard"
RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10


def new_secret() -> str:
    """Make the secret that venue and device share; base32, 160 bits."""
    return pyotp.random_base32()


def uri(secret: str, email: str) -> str:
    """Write what a device scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, now_ms: int, used: int) -> int | None:
    """Return the time step a code is of; None for a wrong code, and one used up."""
    if not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        return None
    otp = pyotp.TOTP(secret)
    now = now_ms // 1000 // STEP_S
    found = None
    for step in range(now - STEPS_EITHER_WAY, now + STEPS_EITHER_WAY + 1):
        # Compared each, whatever the others said: a wrong code costs what a right one does.
        is_right = hmac.compare_digest(otp.generate_otp(step), code)
        if is_right and step > used:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Make the codes to be written down; each is good once."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_digest(owner: int, code: str) -> bytes:
    """Hash a recovery code, however its letters are spelled and grouped.

    Quickly: eighty random bits cannot be guessed.
    """
    letters = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(f"{owner}:{letters}".encode()).digest()


def _grouped(random: bytes) -> str:
    letters = b32encode(random).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
