"""Where a request comes from: address, browser, session; and the cookie its answer brings."""

from collections.abc import Sequence
from typing import Final, final

from lombard.api.errors import Fault
from lombard.identity import LoggedIn, Origin, Session, csrf_token_of

COOKIE: Final = "lombard_session"
# A browser takes a cookie of such a name over TLS only, from this very host only.
SECURE_PREFIX: Final = "__Host-"
COOKIES_BYTES_MAX: Final = 8 * 1024


@final
class Rules:
    """What a venue asks of browsers, and believes of proxies.

    `origins` are those of its pages (`https://trade.example.org`); without any, a page of the host
    that is asked is one. The address in `X-Forwarded-For` counts when one of `proxies` says it.
    `cookie` is what a session's is called; a browser sends a host's cookies to all its ports.
    """

    __slots__ = ("cookie", "is_secure", "origins", "proxies", "sign_up_open")

    def __init__(
        self,
        sign_up_open: bool = False,
        is_secure: bool = True,
        origins: Sequence[str] = (),
        proxies: Sequence[str] = (),
        cookie: str = COOKIE,
    ) -> None:
        self.sign_up_open: Final = sign_up_open
        self.is_secure: Final = is_secure
        self.origins: Final = frozenset(origins)
        self.proxies: Final = frozenset(proxies)
        self.cookie: Final = SECURE_PREFIX + cookie if is_secure else cookie


@final
class Visit:
    """One request's sender. `session` is None where it came without one, or is signed.

    `key` names the API key that it says has signed it, empty for none.
    """

    __slots__ = ("address", "agent", "cookie", "key", "rules", "session", "token")

    def __init__(
        self, rules: Rules, address: str, agent: str, session: Session | None, token: str
    ) -> None:
        self.rules: Final = rules
        self.address: Final = address
        self.agent: Final = agent
        self.session = session
        self.token = token
        self.key = ""
        # What the answer tells the browser to keep; empty for nothing.
        self.cookie = b""

    @property
    def origin(self) -> Origin:
        """Where it comes from, as identity notes it."""
        return Origin(self.address, self.agent)

    @property
    def csrf_token(self) -> str:
        """What pages with this session send along."""
        return csrf_token_of(self.token)

    def own_session(self) -> Session:
        """Return the session; an endpoint of sessions has one."""
        if self.session is None:
            raise Fault("30004")
        return self.session

    def renew(self, logged_in: LoggedIn) -> None:
        """Go on with another session, and let the browser keep its token."""
        self.session, self.token = logged_in
        self.cookie = self._cookie(logged_in.token, "")

    def take(self) -> None:
        """Let the browser forget its token."""
        self.cookie = self._cookie("", "; Max-Age=0")

    def _cookie(self, token: str, ending: str) -> bytes:
        secure = "; Secure" if self.rules.is_secure else ""
        return (
            f"{self.rules.cookie}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{ending}"
        ).encode()


NOBODY: Final = Visit(Rules(), "", "", None, "")


def token_in(cookies: bytes, name: str) -> str:
    """Find a session's token among the cookies of a request; empty when it has none.

    Raises `Fault` when there are two: a page of a neighbouring host may have planted one.
    """
    if len(cookies) > COOKIES_BYTES_MAX:
        raise Fault("40017", "cookies are too long", status=431)
    wanted = name.encode()
    found = [
        value
        for each, _, value in (part.strip().partition(b"=") for part in cookies.split(b";"))
        if each == wanted
    ]
    if len(found) > 1:
        raise Fault("40017", "the session's cookie comes twice")
    return found[0].decode("latin-1") if found else ""


def address_of(peer: str, forwarded: bytes, proxies: frozenset[str]) -> str:
    """Say where a request comes from: the last address that no proxy of ours has."""
    if peer not in proxies:
        return peer
    for hop in reversed(forwarded.decode("latin-1").split(",")):
        address = hop.strip()
        if address and address not in proxies:
            return address[:45]
    return peer
