"""Client order ids: what a client may send, and what the wire shows when it sent none.

An order placed without one is shown with an id made from its order id. Nothing is stored: the id
says which order it is of, and one that a client made up says that it is of none.
"""

import re
from typing import Final

LENGTH_MAX: Final = 50
# The venue's alphabet; empty stands for none.
CLIENT_OID: Final = re.compile(r"[0-9A-Za-z\-+_#]*")
_GENERATED: Final = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_RANGE: Final = 1 << 128
# An order id times an odd number, modulo 2^128, is 128 bits that look like nothing, and of which
# only one in 2^64 comes from an order id at all.
_FACTOR: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835
_INVERSE: Final = pow(_FACTOR, -1, _RANGE)
_ORDER_IDS: Final = 1 << 64


def generated_oid(order_id: int, spot: bool) -> str:
    """Make the client id of an order that was placed without: 32 hex digits, dashed for spot."""
    assert 0 < order_id < _ORDER_IDS
    text = f"{order_id * _FACTOR % _RANGE:032x}"
    if not spot:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def order_id_of(oid: str) -> int | None:
    """Read back the order id of a generated client id; None when it is a client's own."""
    if len(oid) not in (32, 36) or _GENERATED.fullmatch(oid) is None:
        return None
    order_id = int(oid.replace("-", ""), 16) * _INVERSE % _RANGE
    return order_id if 0 < order_id < _ORDER_IDS else None
