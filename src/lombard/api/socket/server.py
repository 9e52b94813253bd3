"""What looks after the connections of the WebSocket."""

import asyncio
import socket
import time
from typing import Final, final

from lombard.api.context import Context
from lombard.api.ratelimit import SECOND_NS, Buckets
from lombard.api.socket import limits
from lombard.api.socket.connection import Connection, House
from lombard.api.socket.hub import Hub

# Of a connection whose first bytes are these, the HTTP listener hears no more.
REQUEST_PREFIX: Final = b"GET /v2/ws"
GOING_AWAY: Final = 1001


@final
class SocketServer:
    """Serves clients of the WebSocket; `hub.heard` is for the node to call."""

    def __init__(self, context: Context, figures: limits.Limits | None = None) -> None:
        self.hub: Final = Hub(context)
        self.house: Final = House(context, self.hub, figures or limits.Limits())
        self.house.admits = self._admits
        self._is_counted: Final = context.limits is not None
        self._connects: Final = Buckets(limits.CONNECTS_PER_FIVE_MINUTES, 300 * SECOND_NS)
        self._is_stopping = False
        self._sweeper: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin to look after connections."""
        self._sweep()

    def take_over(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take over a connection that came as one of HTTP, with the first bytes of it."""
        # What the kernel keeps for a slow client is bounded, too.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, limits.KERNEL_BYTES
        )
        connection = Connection(self.house)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        connection.data_received(data)

    async def stop(self) -> None:
        """Take no more clients, and say goodbye to those that are there."""
        self._is_stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self.house.connections):
            connection.close(GOING_AWAY, "the venue is stopping")
        self.hub.close()
        # Most have said goodbye by then; the others are cut off with the process.
        ends_s = time.monotonic() + 1.0
        while self.house.connections and time.monotonic() < ends_s:
            await asyncio.sleep(0.01)
        for connection in list(self.house.connections):
            connection.cut()

    def _admits(self, address: str) -> bool:
        there = self.house.connections
        if self._is_stopping or len(there) >= limits.CONNECTIONS_MAX:
            return False
        if not self._is_counted:
            return True
        if self._connects.take(address, time.monotonic_ns()) < 0:
            return False
        from_there = sum(connection.address == address for connection in there)
        return from_there < limits.CONNECTIONS_PER_ADDRESS

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for connection in list(self.house.connections):
            connection.sweep(now_s)
        if self.hub.broken:
            # Everybody was sent away: who comes back begins anew.
            self.hub.close()
            self.hub.broken = False
        self.hub.stroke()
        self._sweeper = loop.call_later(self.house.figures.sweep_s, self._sweep)
