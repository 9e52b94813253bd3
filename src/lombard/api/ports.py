"""What the gateway needs of the rest of the house, and nothing more.

The gateway reads, submits and replies. Everything it reads live comes through `core.queries` over
`Node.state`; everything it changes goes through `Node.submit`; what is past comes from history. A
sandbox offers a `World` besides; a venue that serves the public has none.
"""

from typing import Protocol

from lombard.core.commands import Command
from lombard.core.queries import State
from lombard.core.refusals import Refusal
from lombard.node.errors import Overloaded, Stopped

# The ways a sandbox's clock can run.
CLOCK_REAL = "real"
CLOCK_MANUAL = "manual"
CLOCK_SCALED = "scaled"
SPEED_ONE_E6 = 10**6


class WorldRefused(Exception):
    """A sandbox's world will not do that; the message is a sentence for the caller."""


class Reply(Protocol):
    """What became of a command (`core.engine.Reply`)."""

    @property
    def refusal(self) -> Refusal | None:
        """Why nothing was changed; None when it is done."""

    @property
    def id(self) -> int:
        """The id that was given: of an order, loan, repayment, transfer, deposit or user."""

    @property
    def units(self) -> int:
        """Units borrowed or repaid; for a refusal by a limit, that limit."""

    @property
    def remaining(self) -> int:
        """Debt that a repayment left, in units."""

    @property
    def detail(self) -> str:
        """Particulars of a refusal, empty otherwise."""


class Node(Protocol):
    """The running venue, as the gateway sees it. Called in the event loop's thread only."""

    @property
    def state(self) -> State:
        """The live state, for `core.queries`; never kept across an await."""

    @property
    def ready(self) -> bool:
        """True while commands are taken: recovered, not draining, journal sound."""

    async def submit(self, account: int, command: Command, command_id: bytes = b"") -> Reply:
        """Return the reply once the command is durable and applied.

        Raises `Overloaded` at once when the queue is full, `Stopped` when none are taken.
        """

    def takes_trading(self) -> bool:
        """Say whether `submit` would take a command that does not lower risk now."""

    def exchange_time_ms(self) -> int:
        """Say what time it is at the exchange, which a sandbox's user may have set."""


class Clock(Protocol):
    """A sandbox's clock at one moment."""

    @property
    def now_ms(self) -> int:
        """Exchange time."""

    @property
    def mode(self) -> str:
        """`CLOCK_REAL`, `CLOCK_MANUAL` or `CLOCK_SCALED`."""

    @property
    def speed_e6(self) -> int:
        """Exchange milliseconds per machine millisecond x 10^6; 0 for a manual clock."""


class Operates(Protocol):
    """Whoever gives the venue's commands: a sandbox's world, or an operator's hand."""

    async def operate(self, command: Command) -> Reply:
        """Submit a command of the operator's."""


class World(Protocol):
    """What the user of a sandbox holds in their hand (implemented in `lombard.sandbox.world`).

    Commands go through the node like any other; a refusal comes back in the reply. What is no
    matter of the state machine (a clock that cannot go there) raises `WorldRefused`.
    """

    async def create_user(self) -> int:
        """Admit a user and return its id; keys are made by the gateway, in `identity`."""

    async def deposit(self, user: int, coin: int, units: int) -> Reply:
        """Credit a user's spot account from outside."""

    def clock(self) -> Clock:
        """Read the clock."""

    async def set_clock(self, mode: str, speed_e6: int) -> Clock:
        """Let the clock run in another mode from the exchange's present time on."""

    async def advance_by(self, ms: int) -> Clock:
        """Move the clock forward; returns when everything due by then is applied."""

    async def advance_to(self, to_ms: int) -> Clock:
        """Move the clock forward to a time; a time past raises `WorldRefused`."""

    async def set_index_price(self, coin: int, price_e12: int) -> Reply:
        """Publish a coin's index price, fresh until replaced."""

    async def set_rate(self, coin: int, rate_e12: int) -> Reply:
        """Lend a coin at a fixed daily rate from the next full hour on."""

    async def operate(self, command: Command) -> Reply:
        """Submit a command of the operator's."""

    async def state_hash(self) -> str:
        """Hash the state."""


__all__ = [
    "CLOCK_MANUAL",
    "CLOCK_REAL",
    "CLOCK_SCALED",
    "SPEED_ONE_E6",
    "Clock",
    "Node",
    "Operates",
    "Overloaded",
    "Reply",
    "State",
    "Stopped",
    "World",
    "WorldRefused",
]
