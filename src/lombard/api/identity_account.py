"""People about themselves: signing up, logging in and out, passwords, second devices.

Lombard's own; for browsers. A log-in answers with a cookie that no script can read, and with the
token that pages send along with whatever changes anything (`X-CSRF-Token`).
"""

from typing import Final

import msgspec

from lombard.api.admission import admit
from lombard.api.context import Call
from lombard.api.errors import Fault
from lombard.api.signing import random_id
from lombard.api.table import GET, POST, Access, Endpoint, NoParameters, session
from lombard.identity import LoggedIn, WrongPassword, WrongToken, normal_email, weakness

PREFIX: Final = "/lombard/v1/identity"
SIGN_UPS_PER_SECOND: Final = 1
LOG_INS_PER_SECOND: Final = 5


class SignUpBody(msgspec.Struct):
    """POST sign-up"""

    email: str = ""
    password: str = ""


class SignedUp(msgspec.Struct):
    """A user; the number is what every other call knows them by."""

    userId: str
    email: str


class LogInBody(msgspec.Struct):
    """POST log-in; `code` is of the second device, or a recovery code."""

    email: str = ""
    password: str = ""
    code: str = ""


class Me(msgspec.Struct):
    """Who is logged in, and the token that this session's pages send along."""

    userId: str
    email: str
    role: str
    totp: bool
    csrfToken: str
    endsAt: str
    confirmed: bool


class SocketTicket(msgspec.Struct):
    """What a page logs in with at the WebSocket, once, before a time of the machine's."""

    ticket: str
    endsAt: str


class PasswordBody(msgspec.Struct):
    """POST password"""

    password: str = ""
    newPassword: str = ""
    code: str = ""


class ResetBody(msgspec.Struct):
    """POST password-reset: what an operator has handed over, and a password of one's own."""

    token: str = ""
    newPassword: str = ""
    code: str = ""


class ConfirmBody(msgspec.Struct):
    """POST confirm: the password; the code instead, where there is a second device."""

    password: str = ""
    code: str = ""


class CodeBody(msgspec.Struct):
    """A code of the second device."""

    code: str = ""


class EnrolmentView(msgspec.Struct):
    """What a second device is set up with; shown this once."""

    secret: str
    uri: str


class RecoveryCodes(msgspec.Struct):
    """Codes to be written down, each good once; shown this once."""

    recoveryCodes: list[str]
    csrfToken: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    entry = Access.ENTRY
    none = NoParameters
    return [
        session(
            POST,
            f"{PREFIX}/sign-up",
            SignUpBody,
            ("email", "password"),
            SignedUp,
            sign_up,
            entry,
            SIGN_UPS_PER_SECOND,
        ),
        session(
            POST,
            f"{PREFIX}/log-in",
            LogInBody,
            ("email", "password"),
            Me,
            log_in,
            entry,
            LOG_INS_PER_SECOND,
        ),
        session(
            POST,
            f"{PREFIX}/password-reset",
            ResetBody,
            ("token", "newPassword"),
            SignedUp,
            reset_password,
            entry,
            LOG_INS_PER_SECOND,
        ),
        session(POST, f"{PREFIX}/log-out", none, (), NoParameters, log_out),
        session(GET, f"{PREFIX}/me", none, (), Me, me),
        session(POST, f"{PREFIX}/socket-ticket", none, (), SocketTicket, socket_ticket),
        session(POST, f"{PREFIX}/confirm", ConfirmBody, (), Me, confirm),
        session(
            POST,
            f"{PREFIX}/password",
            PasswordBody,
            ("password", "newPassword"),
            Me,
            change_password,
        ),
        session(POST, f"{PREFIX}/totp/enrol", none, (), EnrolmentView, enrol),
        session(POST, f"{PREFIX}/totp/confirm", CodeBody, ("code",), RecoveryCodes, confirm_totp),
        session(POST, f"{PREFIX}/totp/remove", none, (), Me, remove_totp),
        session(POST, f"{PREFIX}/totp/recovery-codes", none, (), RecoveryCodes, recovery_codes),
    ]


async def sign_up(call: Call, body: SignUpBody) -> SignedUp:
    """POST sign-up"""
    if not call.visit.rules.sign_up_open:
        raise Fault("40805", "sign-up is closed", status=403)
    email = normal_email(body.email)
    if not email:
        raise Fault("40020", "email")
    weak = weakness(body.password, email)
    if weak:
        raise Fault("40017", weak)
    context = call.context
    accounts = context.directory.accounts
    person = await accounts.sign_up(email, body.password, random_id(context.clock_ms()))
    person = await admit(context.node, accounts, person, call.visit.address)
    return SignedUp(str(person.user), email)


async def log_in(call: Call, body: LogInBody) -> Me:
    """POST log-in"""
    context, visit = call.context, call.visit
    accounts = context.directory.accounts
    try:
        person = await accounts.check_password(
            normal_email(body.email), body.password, visit.origin
        )
    except WrongPassword:
        call.note_failure()
        raise
    person = await admit(context.node, accounts, person, visit.address)
    logged_in = await accounts.log_in(person, body.code, visit.origin)
    return await _renewed(call, logged_in)


async def reset_password(call: Call, body: ResetBody) -> SignedUp:
    """POST password-reset: once; ends all sessions, and begins none"""
    accounts = call.context.directory.accounts
    try:
        person = await accounts.reset_password(
            body.token, body.newPassword, body.code, call.visit.origin
        )
    except WrongToken:
        call.note_failure()
        raise
    return SignedUp(str(person.user or ""), person.email)


async def log_out(call: Call, _: NoParameters) -> NoParameters:
    """POST log-out"""
    own = call.visit.own_session()
    await call.context.directory.accounts.end([own], "logged out", call.visit.address)
    call.visit.take()
    return NoParameters()


async def me(call: Call, _: NoParameters) -> Me:
    """GET me"""
    return await _me(call)


async def socket_ticket(call: Call, _: NoParameters) -> SocketTicket:
    """POST socket-ticket: good once, for half a minute"""
    own = call.visit.own_session()
    ticket, ends_ms = call.context.directory.accounts.issue_ticket(own)
    return SocketTicket(ticket, str(ends_ms))


async def confirm(call: Call, body: ConfirmBody) -> Me:
    """POST confirm: opens for five minutes what asks for it"""
    own = call.visit.own_session()
    accounts = call.context.directory.accounts
    try:
        await accounts.confirm(own, body.password, body.code, call.visit.origin)
    except WrongPassword:
        call.note_failure()
        raise
    return await _me(call)


async def change_password(call: Call, body: PasswordBody) -> Me:
    """POST password: ends all sessions but the new one that this answer brings"""
    own = call.visit.own_session()
    weak = weakness(body.newPassword, own.email)
    if weak:
        raise Fault("40017", weak)
    accounts = call.context.directory.accounts
    logged_in = await accounts.change_password(
        own, body.password, body.newPassword, body.code, call.visit.origin
    )
    return await _renewed(call, logged_in)


async def enrol(call: Call, _: NoParameters) -> EnrolmentView:
    """POST totp/enrol: in force when its first code was shown"""
    check_confirmed(call)
    made = await call.context.directory.accounts.enrol(call.visit.own_session())
    return EnrolmentView(made.secret, made.uri)


async def confirm_totp(call: Call, body: CodeBody) -> RecoveryCodes:
    """POST totp/confirm: ends all sessions but the new one that this answer brings"""
    accounts = call.context.directory.accounts
    logged_in, codes = await accounts.confirm_totp(
        call.visit.own_session(), body.code, call.visit.origin
    )
    call.visit.renew(logged_in)
    return RecoveryCodes(codes, call.visit.csrf_token)


async def remove_totp(call: Call, _: NoParameters) -> Me:
    """POST totp/remove: ends all sessions but the new one that this answer brings"""
    check_confirmed(call)
    accounts = call.context.directory.accounts
    logged_in = await accounts.remove_totp(call.visit.own_session(), call.visit.origin)
    return await _renewed(call, logged_in)


async def recovery_codes(call: Call, _: NoParameters) -> RecoveryCodes:
    """POST totp/recovery-codes: the old ones are void"""
    check_confirmed(call)
    accounts = call.context.directory.accounts
    codes = await accounts.renew_recovery(call.visit.own_session(), call.visit.address)
    return RecoveryCodes(codes, call.visit.csrf_token)


def check_confirmed(call: Call) -> None:
    """Refuse what asks for password or code again, unless that was a short while ago."""
    if not call.context.directory.accounts.is_confirmed(call.visit.own_session()):
        raise Fault("40025", "confirm with password or code first")


async def _renewed(call: Call, logged_in: LoggedIn) -> Me:
    call.visit.renew(logged_in)
    return await _me(call)


async def _me(call: Call) -> Me:
    own = call.visit.own_session()
    accounts = call.context.directory.accounts
    return Me(
        str(own.user),
        own.email,
        own.role.value,
        await accounts.has_totp(own),
        call.visit.csrf_token,
        str(own.ends_ms()),
        accounts.is_confirmed(own),
    )
