"""A topic: what one subscription is about, and all who subscribe to it."""

from collections.abc import Callable
from typing import Final, Protocol

from lombard.api.context import Context
from lombard.core.commands import Envelope
from lombard.core.events import Event
from lombard.core.queries import State

SNAPSHOT: Final = "snapshot"
UPDATE: Final = "update"
# A frame is small beside what may wait for a client; what is left goes into the next.
ROWS_MAX: Final = 200


class Listener(Protocol):
    """Whoever subscribes."""

    def send(self, frame: bytes) -> None:
        """Take a frame; never waits, and never keeps more than a bounded amount."""


class Topic:
    """Watches what happens, and says what has changed since it was last asked.

    `prepare` may wait for history, and is called before `snapshot`, and, for a topic that is
    `polled`, before `changes`. The others do not wait: what they say is of the live state, all of
    which is durable. Between two pushes lie at least `interval_s`.
    """

    interval_s: float = 0.0
    polled = False

    def __init__(self, context: Context, arg: dict[str, str]) -> None:
        self.context: Final = context
        self.arg: Final = arg
        self.subscribers: Final[dict[Listener, None]] = {}
        # Subscriptions that are being prepared.
        self.waiting = 0
        # Tells the hub that there is something to push; set by the hub.
        self.wake: Callable[[], None] = lambda: None

    @property
    def state(self) -> State:
        """The live state; never kept across an await."""
        return self.context.node.state

    def now_ms(self) -> int:
        """Say what time it is at the exchange."""
        return self.context.node.exchange_time_ms()

    def hear(self, envelope: Envelope, event: Event) -> None:
        """Take note of something that happened; cheap, for orders wait for it."""
        raise NotImplementedError

    def stroke(self) -> None:
        """Take note that time passes, about once a second."""

    async def prepare(self) -> None:
        """Read what is past, where that is needed."""

    def snapshot(self) -> bytes | None:
        """Say all there is, for who has just subscribed; None for nothing."""
        raise NotImplementedError

    def changes(self) -> bytes | None:
        """Say what has changed since the last time; None for nothing."""
        raise NotImplementedError
