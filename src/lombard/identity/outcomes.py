"""What comes of knocking: why somebody is not let in, and what they get who are."""

from typing import NamedTuple

from lombard.identity.sessions import Session


class WrongPassword(Exception):
    """There is no such user, or the password is another's."""


class WrongCode(Exception):
    """The code is wrong, or used up."""


class CodeNeeded(Exception):
    """The password is right, and this user has a second device besides."""


class TotpState(Exception):
    """The second device is set up already, or not at all."""


class WrongToken(Exception):
    """There is no such reset, or it is good no more."""


class WeakPassword(Exception):
    """A password that nobody should have; says why."""


class UnknownUser(Exception):
    """Nobody of this name can log in."""


class LoggedIn(NamedTuple):
    """A session and the token that its browser gets, this once."""

    session: Session
    token: str


class Enrolment(NamedTuple):
    """What a second device is set up with, shown this once."""

    secret: str
    uri: str


class Origin(NamedTuple):
    """Where a request comes from."""

    address: str
    agent: str
