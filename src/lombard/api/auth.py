"""Who calls: the four headers of a signed request, checked in the order the dialect documents."""

from typing import Final

from lombard.api.context import Context
from lombard.api.errors import Fault
from lombard.api.signing import NO_SECRET, is_signed, is_timely, parse_timestamp
from lombard.identity import ApiKey, Permission, permits

KEY: Final = b"access-key"
SIGN: Final = b"access-sign"
TIMESTAMP: Final = b"access-timestamp"
PASSPHRASE: Final = b"access-passphrase"
HEADERS: Final = frozenset({KEY, SIGN, TIMESTAMP, PASSPHRASE})

_PERMISSION_NAMES: Final = {
    Permission.READ: "read",
    Permission.TRADE: "trade",
    Permission.TRANSFER: "transfer",
    Permission.OPERATOR: "operator",
}


def check_signature(
    context: Context,
    headers: dict[bytes, bytes],
    method: bytes,
    path: bytes,
    query: bytes,
    body: bytes,
    now_ms: int,
) -> ApiKey:
    """Return the key that signed a request, `now_ms` being the machine's. Raises `Fault`."""
    key_text, signature = headers.get(KEY, b""), headers.get(SIGN, b"")
    timestamp = headers.get(TIMESTAMP, b"")
    if not key_text:
        raise Fault("40001")
    if not signature:
        raise Fault("40002")
    timestamp_ms = parse_timestamp(timestamp)
    if timestamp_ms is None:
        raise Fault("40005")
    if not headers.get(PASSPHRASE):
        raise Fault("40011")
    if not is_timely(timestamp_ms, now_ms):
        raise Fault("40008")
    key = context.directory.find(key_text.decode("latin-1"))
    keyed = NO_SECRET if key is None else key.keyed
    is_right = is_signed(keyed, signature, timestamp, method, path, query, body)
    if key is None:
        raise Fault("40006")
    if not is_right:
        raise Fault("40009")
    return key


async def check_passphrase(context: Context, key: ApiKey, passphrase: bytes) -> None:
    """Refuse a wrong passphrase. The first right one of a key costs argon2, later ones nothing."""
    known = key.known(passphrase)
    if known is None:
        known = await context.directory.passphrase_is_right(key, passphrase)
    if not known:
        raise Fault("40012")


def check_address(key: ApiKey, address: str) -> None:
    """Refuse a call from where the key may not be used."""
    if not permits(key.allowed, address):
        raise Fault("40018")


def check_permission(key: ApiKey, needed: Permission) -> None:
    """Refuse a call the key was not made for."""
    check_permissions(key.permissions, needed)


def check_permissions(given: Permission, needed: Permission) -> None:
    """Refuse a call that needs a permission which was not given."""
    if not int(given) & int(needed):
        raise Fault("40014", _PERMISSION_NAMES[needed])
