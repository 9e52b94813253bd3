"""People about what acts for them: API keys, sessions, and what was done with both."""

import re
from typing import Final

import msgspec

from lombard.api.context import Call
from lombard.api.errors import Fault
from lombard.api.identity_account import PREFIX, check_confirmed
from lombard.api.table import GET, POST, Endpoint, NoParameters, session
from lombard.identity import (
    KEYS_MAX,
    ApiKey,
    Entry,
    Permission,
    Role,
    Session,
    parse_allowed,
    write_allowed,
)

LABEL_LENGTH_MAX: Final = 50
# 8 to 32 letters and digits, some of each.
PASSPHRASE: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[0-9A-Za-z]{8,32}")
PERMISSIONS: Final = {
    "read": Permission.READ,
    "trade": Permission.TRADE,
    "transfer": Permission.TRANSFER,
}
AUDIT_PAGE: Final = 50


class NewKeyBody(msgspec.Struct):
    """POST keys/create; without a passphrase one is made. `ips` empty: from anywhere."""

    label: str = ""
    passphrase: str = ""
    permissions: list[str] = []
    ips: list[str] = []


class ChangeKeyBody(msgspec.Struct):
    """POST keys/change: what is not sent stays."""

    apiKey: str = ""
    label: str | None = None
    permissions: list[str] | None = None
    ips: list[str] | None = None


class KeyBody(msgspec.Struct):
    """Names a key."""

    apiKey: str = ""


class NewKeyView(msgspec.Struct):
    """A key with its secret; shown this once."""

    apiKey: str
    secretKey: str
    passphrase: str


class KeyView(msgspec.Struct):
    """A key as its owner sees it later."""

    apiKey: str
    label: str
    permissions: list[str]
    ips: list[str]
    cTime: str


class SessionBody(msgspec.Struct):
    """Names a session."""

    sessionId: str = ""


class SessionView(msgspec.Struct):
    """A browser that is logged in."""

    sessionId: str
    current: bool
    address: str
    agent: str
    cTime: str
    seenTime: str
    endsAt: str


class AuditQuery(msgspec.Struct):
    """GET audit: those before an entry, newest first."""

    idLessThan: str = ""


class AuditView(msgspec.Struct):
    """What was done, and from where."""

    id: str
    cTime: str
    action: str
    detail: str
    address: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    none, key = NoParameters, ("apiKey",)
    return [
        session(GET, f"{PREFIX}/keys", none, (), list[KeyView], list_keys),
        session(
            POST, f"{PREFIX}/keys/create", NewKeyBody, ("permissions",), NewKeyView, create_key
        ),
        session(POST, f"{PREFIX}/keys/change", ChangeKeyBody, key, KeyView, change_key),
        session(POST, f"{PREFIX}/keys/delete", KeyBody, key, NoParameters, delete_key),
        session(GET, f"{PREFIX}/sessions", none, (), list[SessionView], list_sessions),
        session(
            POST,
            f"{PREFIX}/sessions/revoke",
            SessionBody,
            ("sessionId",),
            NoParameters,
            revoke_session,
        ),
        session(POST, f"{PREFIX}/sessions/revoke-others", none, (), NoParameters, revoke_others),
        session(GET, f"{PREFIX}/audit", AuditQuery, (), list[AuditView], list_audit),
    ]


async def list_keys(call: Call, _: NoParameters) -> list[KeyView]:
    """GET keys"""
    return [_key_view(key) for key in call.context.directory.keys_of(call.user)]


async def create_key(call: Call, body: NewKeyBody) -> NewKeyView:
    """POST keys/create: the secret is shown this once"""
    check_confirmed(call)
    if body.passphrase and not PASSPHRASE.fullmatch(body.passphrase):
        raise Fault("40070")
    new = await call.context.directory.create_key(
        call.user,
        _permissions(call, body.permissions),
        body.passphrase,
        _label(body.label),
        parse_allowed(body.ips),
        call.visit.address,
        KEYS_MAX,
    )
    return NewKeyView(new.key, new.secret, new.passphrase)


async def change_key(call: Call, body: ChangeKeyBody) -> KeyView:
    """POST keys/change"""
    check_confirmed(call)
    key = _own_key(call, body.apiKey)
    await call.context.directory.change_key(
        key,
        key.permissions if body.permissions is None else _permissions(call, body.permissions),
        key.label if body.label is None else _label(body.label),
        key.allowed if body.ips is None else parse_allowed(body.ips),
        call.visit.address,
    )
    return _key_view(key)


async def delete_key(call: Call, body: KeyBody) -> NoParameters:
    """POST keys/delete: in force at once, and without asking for the password"""
    key = _own_key(call, body.apiKey)
    await call.context.directory.delete_key(key, call.visit.address)
    return NoParameters()


async def list_sessions(call: Call, _: NoParameters) -> list[SessionView]:
    """GET sessions"""
    own = call.visit.own_session()
    accounts = call.context.directory.accounts
    return [_session_view(each, each is own) for each in accounts.sessions_of(own)]


async def revoke_session(call: Call, body: SessionBody) -> NoParameters:
    """POST sessions/revoke"""
    own = call.visit.own_session()
    accounts = call.context.directory.accounts
    chosen = [each for each in accounts.sessions_of(own) if each.id == body.sessionId]
    if not chosen:
        raise Fault("40020", "sessionId")
    await accounts.end(chosen, "session revoked", call.visit.address)
    if own in chosen:
        call.visit.take()
    return NoParameters()


async def revoke_others(call: Call, _: NoParameters) -> NoParameters:
    """POST sessions/revoke-others"""
    own = call.visit.own_session()
    accounts = call.context.directory.accounts
    others = [each for each in accounts.sessions_of(own) if each is not own]
    await accounts.end(others, "session revoked", call.visit.address)
    return NoParameters()


async def list_audit(call: Call, query: AuditQuery) -> list[AuditView]:
    """GET audit: newest first"""
    before = query.idLessThan
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise Fault("40020", "idLessThan")
    found = await call.context.directory.accounts.audit(call.user, int(before or 0), AUDIT_PAGE)
    return [_audit_view(entry) for entry in found]


def _own_key(call: Call, name: str) -> ApiKey:
    """Find a key of the caller's; another's does not exist."""
    key = call.context.directory.find(name)
    if key is None or key.user != call.user:
        raise Fault("40037")
    return key


def _permissions(call: Call, names: list[str]) -> Permission:
    if call.visit.own_session().role is Role.OPERATOR:
        allowed = {"operator": Permission.OPERATOR}
    else:
        allowed = PERMISSIONS
    found = Permission(0)
    for name in names:
        if name not in allowed:
            raise Fault("40020", "permissions")
        found |= allowed[name]
    if not found:
        raise Fault("40019", "permissions")
    return found


def _label(text: str) -> str:
    if len(text) > LABEL_LENGTH_MAX or not text.isprintable():
        raise Fault("40020", "label")
    return text


def _key_view(key: ApiKey) -> KeyView:
    names = [str(each.name).lower() for each in Permission if each & key.permissions]
    return KeyView(key.key, key.label, names, write_allowed(key.allowed), str(key.created_ms))


def _session_view(each: Session, is_current: bool) -> SessionView:
    return SessionView(
        each.id,
        is_current,
        each.address,
        each.agent,
        str(each.created_ms),
        str(each.seen_ms),
        str(each.ends_ms()),
    )


def _audit_view(entry: Entry) -> AuditView:
    return AuditView(str(entry.id), str(entry.at_ms), entry.action, entry.detail, entry.address)
