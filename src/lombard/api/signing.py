"""Signatures: whether a request is from whom it says, and of now.

Bytes in, a verdict out: no socket, no clock, no store. What is signed is what was received, byte
for byte: `timestamp + METHOD + path[?query] + body`, HMAC-SHA256 under the key's secret, base64.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import unquote_to_bytes

from lombard.core.commands import STAMP_BYTES

WINDOW_MS: Final = 30_000
# Of a command's id, behind its stamp.
_DIGEST_BYTES: Final = 8
_MILLISECOND_MAX: Final = (1 << 47) - 1
_TIMESTAMP_DIGITS_MAX: Final = 16


def keyed_with(secret: bytes) -> hmac.HMAC:
    """Make a secret ready to sign with; that is most of the work of one signature."""
    return hmac.new(secret, digestmod=hashlib.sha256)


def sign(keyed: hmac.HMAC, message: bytes) -> bytes:
    """Sign a message: base64 of its HMAC-SHA256."""
    signing = keyed.copy()
    signing.update(message)
    return base64.b64encode(signing.digest())


def prehash(timestamp: bytes, method: bytes, path: bytes, query: bytes, body: bytes) -> bytes:
    """Put together what is signed; the query without its `?`, empty when there is none."""
    if query:
        return b"".join((timestamp, method, path, b"?", query, body))
    return b"".join((timestamp, method, path, body))


def is_signed(
    keyed: hmac.HMAC,
    signature: bytes,
    timestamp: bytes,
    method: bytes,
    path: bytes,
    query: bytes,
    body: bytes,
) -> bool:
    """Say whether the signature is the request's.

    The query counts as it was sent, or percent-decoded: ccxt signs it decoded.
    """
    expected = sign(keyed, prehash(timestamp, method, path, query, body))
    if hmac.compare_digest(expected, signature):
        return True
    if b"%" not in query:
        return False
    decoded = prehash(timestamp, method, path, unquote_to_bytes(query), body)
    return hmac.compare_digest(sign(keyed, decoded), signature)


def parse_timestamp(text: bytes) -> int | None:
    """Read the timestamp header, milliseconds; None when it is no number."""
    if not (text.isdigit() and len(text) <= _TIMESTAMP_DIGITS_MAX):
        return None
    return int(text)


def is_timely(timestamp_ms: int, now_ms: int) -> bool:
    """Say whether a request is of now; both times are the machine's."""
    return abs(now_ms - timestamp_ms) <= WINDOW_MS


def command_id(key: bytes, timestamp: bytes, signature: bytes) -> bytes:
    """Name the command of a signed request: the same for the request sent again.

    The engine answers an id it has seen with its first reply, so a captured request moves nothing.
    It begins with the stamp that spares the engine looking for it (`lombard.core.replies`): six
    bytes of the request's millisecond, two of the place in a batch.
    """
    parts = b"\n".join((key, timestamp, signature))
    millisecond = min(int(timestamp or b"0"), _MILLISECOND_MAX)
    stamp = (millisecond << 16).to_bytes(STAMP_BYTES, "big")
    return stamp + hashlib.blake2b(parts, digest_size=_DIGEST_BYTES).digest()


def random_id(now_ms: int) -> bytes:
    """Name the command of a request that nothing names: sent again it is another one."""
    stamp = (min(now_ms, _MILLISECOND_MAX) << 16).to_bytes(STAMP_BYTES, "big")
    return stamp + secrets.token_bytes(_DIGEST_BYTES)


def session_id(user: int, path: bytes, key: bytes, body: bytes, now_ms: int) -> bytes:
    """Name the command of a browser's request: the same again if it chose a key for it.

    The key belongs to its user and what is asked for: with another body it is another command. Its
    stamp says no time, so the engine always looks for it.
    """
    if not key:
        return random_id(now_ms)
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in (b"%d" % user, path, key, body):
        digest.update(b"%d:" % len(part) + part)
    return bytes(STAMP_BYTES) + digest.digest()


def entry_id(command: bytes, index: int) -> bytes:
    """Name the command of one entry of a batch."""
    place = (index + 1).to_bytes(2, "big")
    digest = hashlib.blake2b(command + place, digest_size=_DIGEST_BYTES).digest()
    return command[: STAMP_BYTES - 2] + place + digest


# Stands in for the secret of a key that does not exist, so that both cost the same.
NO_SECRET: Final = keyed_with(bytes(64))
