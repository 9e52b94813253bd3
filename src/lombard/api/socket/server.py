"""The listener of the WebSocket, and what looks after its connections."""

import asyncio
import socket
import time
from typing import Final, final

from lombard.api.context import Context
from lombard.api.ratelimit import SECOND_NS, Buckets
from lombard.api.socket import limits
from lombard.api.socket.connection import Connection, House
from lombard.api.socket.hub import Hub

BACKLOG: Final = 1024
GOING_AWAY: Final = 1001


@final
class SocketServer:
    """Listens for clients of the WebSocket; `hub.heard` is for the node to call."""

    def __init__(self, context: Context, figures: limits.Limits | None = None) -> None:
        self.hub: Final = Hub(context)
        self.house: Final = House(context, self.hub, figures or limits.Limits())
        self.house.admits = self._admits
        self._is_counted: Final = context.limits is not None
        self._connects: Final = Buckets(limits.CONNECTS_PER_FIVE_MINUTES, 300 * SECOND_NS)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises `OSError`."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit it: what the kernel keeps for a slow client is bounded, too.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.KERNEL_BYTES)
            listener.bind((host, port))
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Connection(self.house), sock=listener, backlog=BACKLOG
            )
        except BaseException:
            listener.close()
            raise
        self._sweep()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Take no more clients, and say goodbye to those that are there."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
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
        if len(there) >= limits.CONNECTIONS_MAX:
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
