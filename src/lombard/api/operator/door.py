"""How operators come in with a browser: the log-in of the venue's people, for operators only.

The session is one of the office's own: its cookie has another name than the public port's, for a
browser sends a host's cookies to all its ports.
"""

from typing import Final

from lombard.api import identity_account, identity_keys
from lombard.api.context import Call
from lombard.api.errors import Fault
from lombard.api.identity_account import LOG_INS_PER_SECOND, PREFIX, LogInBody, Me
from lombard.api.table import POST, Access, Endpoint, NoParameters, session
from lombard.identity import Role, WrongPassword, normal_email

COOKIE: Final = "lombard_office"
# What people do to their own account, here as there.
KEPT: Final = frozenset(
    {
        f"{PREFIX}/{name}"
        for name in (
            "log-out",
            "me",
            "confirm",
            "password",
            "totp/enrol",
            "totp/confirm",
            "totp/remove",
            "totp/recovery-codes",
            "sessions",
            "sessions/revoke",
            "sessions/revoke-others",
            "audit",
        )
    }
)


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    needed = ("email", "password")
    path = f"{PREFIX}/log-in"
    entry, rate = Access.ENTRY, LOG_INS_PER_SECOND
    return [
        session(POST, path, LogInBody, needed, Me, log_in, entry, rate),
        *[row for row in identity_account.endpoints() if row.path in KEPT],
        *[row for row in identity_keys.endpoints() if row.path in KEPT],
    ]


async def log_in(call: Call, body: LogInBody) -> Me:
    """POST log-in: of an operator; anybody else's is refused"""
    accounts = call.context.directory.accounts
    try:
        person = await accounts.check_password(
            normal_email(body.email), body.password, call.visit.origin
        )
    except WrongPassword:
        call.note_failure()
        raise
    if person.role != Role.OPERATOR.value:
        raise Fault("40014", "operator")
    logged_in = await accounts.log_in(person, body.code, call.visit.origin)
    call.visit.renew(logged_in)
    return await identity_account.me(call, NoParameters())
