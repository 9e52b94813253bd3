"""Tickets: what a page shows at the WebSocket in place of its cookie, which it cannot read.

A ticket is of one session, good once and for half a minute. Both sides of it are in memory: after a
restart a page asks for another.
"""

import secrets
from typing import Final, final

from lombard.identity.sessions import TOKEN_BYTES, Session, digest_of

TICKET_MS: Final = 30_000
# Of all sessions together; the oldest makes way.
TICKETS_MAX: Final = 10_000


@final
class TicketBook:
    """The tickets that may still be shown. Called in the event loop's thread only."""

    def __init__(self) -> None:
        self._tickets: dict[bytes, tuple[Session, int]] = {}

    def issue(self, session: Session, now_ms: int) -> tuple[str, int]:
        """Make a ticket; returns it and when it ends, by the machine's clock."""
        while self._tickets:
            oldest = next(iter(self._tickets))
            if len(self._tickets) < TICKETS_MAX and now_ms < self._tickets[oldest][1]:
                break
            del self._tickets[oldest]
        ticket = secrets.token_urlsafe(TOKEN_BYTES)
        self._tickets[digest_of(ticket)] = (session, now_ms + TICKET_MS)
        return ticket, now_ms + TICKET_MS

    def redeem(self, ticket: str, now_ms: int) -> Session | None:
        """Take a ticket and return whose session it is of; None when it is good no more."""
        session, ends_ms = self._tickets.pop(digest_of(ticket), (None, 0))
        return session if now_ms < ends_ms else None
