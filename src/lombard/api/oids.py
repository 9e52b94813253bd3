"""Client order ids: what a client may send, and what the wire shows when it sent none.

An order placed without one is shown with an id made from its order id. Nothing is stored: the id
says which order it is of, and a check in it tells it from what a client made up.
"""

import hashlib
import re
from typing import Final

LENGTH_MAX: Final = 50
# The venue's alphabet; empty stands for none.
CLIENT_OID: Final = re.compile(r"[0-9A-Za-z\-+_#]*")
_GENERATED: Final = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_HALF_BYTES: Final = 8


def generated_oid(order_id: int, spot: bool) -> str:
    """Make the client id of an order that was placed without: 32 hex digits, dashed for spot."""
    assert 0 < order_id < 1 << 64
    check = _hash(order_id.to_bytes(_HALF_BYTES, "big"))
    # The id is veiled, so that neighbours do not look alike.
    text = (order_id ^ _veil(check)).to_bytes(_HALF_BYTES, "big").hex() + check.hex()
    if not spot:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def order_id_of(oid: str) -> int | None:
    """Read back the order id of a generated client id; None when it is a client's own."""
    if len(oid) not in (32, 36) or _GENERATED.fullmatch(oid) is None:
        return None
    raw = bytes.fromhex(oid.replace("-", ""))
    check = raw[_HALF_BYTES:]
    order_id = int.from_bytes(raw[:_HALF_BYTES], "big") ^ _veil(check)
    if _hash(order_id.to_bytes(_HALF_BYTES, "big")) != check:
        return None
    return order_id or None


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_HALF_BYTES, person=b"lombard.oid").digest()


def _veil(check: bytes) -> int:
    return int.from_bytes(_hash(check), "big")
