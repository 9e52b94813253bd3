"""The listener: a port, the connections that come to it, and their end."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, final

from lombard.web import limits
from lombard.web.connection import Connection, House
from lombard.web.request import App


@final
class Listener:
    """Serves an ASGI application at a port."""

    def __init__(self, app: App, times: limits.Times | None = None) -> None:
        self._house: Final = House(app, times or limits.Times())
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    def hand_over(self, prefix: bytes, take: Callable[[asyncio.Transport, bytes], None]) -> None:
        """Let others take the connections whose next bytes begin with a prefix."""
        self._house.socket_prefix, self._house.take_over = prefix, take

    async def start(self, address: str, port: int) -> int:
        """Listen at an address, at any free port for 0; returns the port. Raises `OSError`."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            # Without SO_REUSEPORT: two servers of one port would share its clients without a word.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port))
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Connection(self._house), sock=listening, backlog=limits.BACKLOG
            )
        except BaseException:
            listening.close()
            raise
        self._sweep()
        return int(listening.getsockname()[1])

    async def stop(self, within_s: float) -> bool:
        """Take no more connections and answer the requests under way; say whether that is done."""
        house = self._house
        house.is_closing = True
        if self._server is not None:
            self._server.close()
        for connection in list(house.connections):
            connection.leave()
        ends_s = asyncio.get_running_loop().time() + within_s
        while house.connections and asyncio.get_running_loop().time() < ends_s:
            await asyncio.sleep(0.005)
        if not house.connections and self._sweeper is not None:
            self._sweeper.cancel()
        return not house.connections

    def _sweep(self) -> None:
        loop, house = asyncio.get_running_loop(), self._house
        now_s = loop.time()
        house.tell_time()
        for connection in list(house.connections):
            connection.sweep(now_s)
        self._sweeper = loop.call_later(house.times.sweep_s, self._sweep)
