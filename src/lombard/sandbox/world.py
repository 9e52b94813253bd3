"""The world of a sandbox: clock, prices, deposits and users in the hand of whoever calls.

Everything goes through the log like any other command; only the clock is not the state machine's.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from lombard.api.ports import WorldRefused
from lombard.core import queries
from lombard.core.commands import (
    SLOT_SPOT,
    VENUE,
    AddUser,
    Command,
    Deposit,
    SetIndexPrices,
    SetRate,
    account_id,
)
from lombard.core.state import Reply
from lombard.core.units import PRICE_ONE_E12
from lombard.node.clock import ClockError
from lombard.node.node import Node
from lombard.sandbox.catalogue import UNIT_OF_VALUE, finished_price

# Ten years: what a person means who asks for more is something else.
ADVANCE_MS_MAX: Final = 10 * 366 * 86_400_000


class ClockReading(NamedTuple):
    """The clock at one moment."""

    now_ms: int
    mode: str
    speed_e6: int


class SandboxWorld:
    """A world over a node. `clock_moved` is told when the clock was set, or put forward."""

    def __init__(self, node: Node, clock_moved: Callable[[], None]) -> None:
        self._node = node
        self._clock_moved = clock_moved

    async def create_user(self) -> int:
        """Admit a user and return its id."""
        return (await self._node.submit(VENUE, AddUser())).id

    async def deposit(self, user: int, coin: int, units: int) -> Reply:
        """Credit a user's spot account from outside."""
        return await self._node.submit(account_id(user, SLOT_SPOT), Deposit(coin, units))

    def clock(self) -> ClockReading:
        """Read the clock."""
        clock = self._node.clock
        return ClockReading(self._node.exchange_time_ms(), clock.mode, clock.speed_e6)

    async def set_clock(self, mode: str, speed_e6: int) -> ClockReading:
        """Let the clock run in another mode from the exchange's present time on."""
        try:
            await self._node.timekeeper.set_mode(mode, speed_e6)
        except ClockError as refusal:
            raise WorldRefused(str(refusal)) from refusal
        self._clock_moved()
        return self.clock()

    async def advance_by(self, ms: int) -> ClockReading:
        """Put the clock forward; returns when everything due by then is applied."""
        if not 0 <= ms <= ADVANCE_MS_MAX:
            raise WorldRefused(
                f"A clock is put forward by 0 to {ADVANCE_MS_MAX} ms at once, not by {ms}."
            )
        return await self._advance(self._node.timekeeper.advance_by, ms)

    async def advance_to(self, to_ms: int) -> ClockReading:
        """Put the clock forward to a time; a time past raises `WorldRefused`."""
        if to_ms - self._node.exchange_time_ms() > ADVANCE_MS_MAX:
            raise WorldRefused(f"A clock is put forward by at most {ADVANCE_MS_MAX} ms at once.")
        return await self._advance(self._node.timekeeper.advance_to, to_ms)

    async def set_index_price(self, coin: int, price_e12: int) -> Reply:
        """Publish a coin's index price, fresh until replaced."""
        unit = queries.coin_named(self._node.state, UNIT_OF_VALUE)
        if coin == unit and price_e12 != PRICE_ONE_E12:
            raise WorldRefused(f"The index price of {UNIT_OF_VALUE} is 1: it is the unit.")
        return await self._node.submit(VENUE, SetIndexPrices([finished_price(coin, price_e12)]))

    async def set_rate(self, coin: int, rate_e12: int) -> Reply:
        """Lend a coin at a fixed daily rate from the next full hour on."""
        return await self._node.submit(VENUE, SetRate(coin, rate_e12))

    async def operate(self, command: Command) -> Reply:
        """Submit a command of the operator's."""
        return await self._node.submit(VENUE, command)

    async def state_hash(self) -> str:
        """Hash the state."""
        return self._node.engine.state_hash()

    async def _advance(self, move: Callable[[int], Awaitable[None]], to: int) -> ClockReading:
        try:
            await move(to)
        except ClockError as refusal:
            raise WorldRefused(str(refusal)) from refusal
        self._clock_moved()
        return self.clock()
