"""Browsers: whether a request is of one that is logged in, and of a page of ours.

A browser sends its cookie along whatever page asks it to. So whatever changes anything must bring
what only a page of ours can: its origin, and a token that belongs to the session.
"""

import hmac
import re
from typing import Final
from urllib.parse import urlsplit

from lombard.api.auth import KEY
from lombard.api.context import Context
from lombard.api.errors import Fault
from lombard.api.table import GET, Access, Endpoint
from lombard.api.visit import Rules, Visit, address_of, token_in
from lombard.identity import ALL_PERMISSIONS, Permission, Role

COOKIE: Final = b"cookie"
ORIGIN: Final = b"origin"
FETCH_SITE: Final = b"sec-fetch-site"
CSRF_TOKEN: Final = b"x-csrf-token"
AGENT: Final = b"user-agent"
FORWARDED: Final = b"x-forwarded-for"
IDEMPOTENCY_KEY: Final = b"idempotency-key"
HOST: Final = b"host"
_KEY: Final = re.compile(rb"[0-9A-Za-z_\-]{0,64}")
HEADERS: Final = frozenset(
    {COOKIE, ORIGIN, FETCH_SITE, CSRF_TOKEN, AGENT, FORWARDED, IDEMPOTENCY_KEY}
)


def address(rules: Rules, client: tuple[str, int] | None, headers: dict[bytes, bytes]) -> str:
    """Say which address a request comes from, behind the venue's own proxies."""
    peer = client[0] if client else ""
    return address_of(peer, headers.get(FORWARDED, b""), rules.proxies)


def idempotency_key(headers: dict[bytes, bytes]) -> bytes:
    """Read the key a page chose for a request, empty for none. Raises `Fault`."""
    key = headers.get(IDEMPOTENCY_KEY, b"")
    if not _KEY.fullmatch(key):
        raise Fault("40020", "Idempotency-Key")
    return key


def visit_of(
    context: Context,
    endpoint: Endpoint,
    headers: dict[bytes, bytes],
    address: str,
    is_signed: bool,
) -> Visit:
    """See who comes: with a session where its endpoint is for one, and it is not signed.

    Raises `Fault`.
    """
    rules = context.rules
    agent = headers.get(AGENT, b"").decode("latin-1")
    if endpoint.access is Access.ENTRY:
        check_page(rules, headers, needs_origin=False)
        return Visit(rules, address, agent, None, "")
    token = ""
    if not is_signed and endpoint.access in (Access.SIGNED, Access.SESSION):
        token = token_in(headers.get(COOKIE, b""), rules.cookie)
    if not token:
        if endpoint.access is Access.SESSION:
            raise Fault("30004")
        visit = Visit(rules, address, agent, None, "")
        visit.key = headers.get(KEY, b"").decode("latin-1")
        return visit
    session = context.directory.accounts.find_session(token)
    if session is None:
        raise Fault("30004")
    visit = Visit(rules, address, agent, session, token)
    if endpoint.method == GET:
        check_site(headers, (b"same-origin", b"none"))
    else:
        check_page(rules, headers, needs_origin=True)
        sent = headers.get(CSRF_TOKEN, b"")
        if not hmac.compare_digest(visit.csrf_token.encode(), sent):
            raise Fault("40017", "X-CSRF-Token", status=403)
    return visit


def check_page(rules: Rules, headers: dict[bytes, bytes], needs_origin: bool) -> None:
    """Refuse what another venue's page, or nobody's, makes a browser send."""
    check_site(headers, (b"same-origin",))
    origin = headers.get(ORIGIN)
    if origin is None and not needs_origin:
        return
    if not is_of_this_venue(rules, (origin or b"").decode("latin-1"), headers.get(HOST, b"")):
        raise Fault("40017", "Origin", status=403)


def check_site(headers: dict[bytes, bytes], allowed: tuple[bytes, ...]) -> None:
    """Refuse what a browser says comes from elsewhere; older ones, and programs, say nothing."""
    site = headers.get(FETCH_SITE)
    if site is not None and site not in allowed:
        raise Fault("40017", "Sec-Fetch-Site", status=403)


def permissions_of(visit: Visit) -> Permission:
    """Say what a session may do: all that a key of its user's could."""
    if visit.own_session().role is Role.OPERATOR:
        return Permission.OPERATOR
    return ALL_PERMISSIONS


def is_of_this_venue(rules: Rules, origin: str, host: bytes) -> bool:
    """Say whether a page is of this venue, asked at a host."""
    if rules.origins:
        return origin in rules.origins
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    is_page = parts.scheme in ("http", "https") and not (parts.path or parts.query)
    return is_page and bool(parts.netloc) and parts.netloc.lower() == host.decode("latin-1").lower()
