"""The HTTP server: granian, embedded in the node's process and event loop.

Three of its habits are seen to here. It binds with `SO_REUSEPORT`, so two servers on one port would
share its connections without a word: the port is tried first. It takes addresses only, not names.
And it reports a failed start by ending: who starts it waits until it answers.
"""

import asyncio
import socket
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from lombard.api.socket.server import SocketServer
from lombard.node.errors import CannotStart

BACKLOG: Final = 1_024
HEADER_MS_MAX: Final = 10_000
START_S_MAX: Final = 10.0


def address_of(host: str, port: int) -> tuple[str, int]:
    """Find the address to listen at, with a free port for 0. Raises `CannotStart`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as fault:
        raise CannotStart(f"The host {host!r} is unknown: {fault.strerror}.") from fault
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as fault:
            raise CannotStart(
                f"Port {port} of {host} cannot be had: {(fault.strerror or str(fault)).lower()}. "
                "Choose another with --port, or stop the program that uses it."
            ) from fault
        name = trial.getsockname()
        return str(name[0]), int(name[1])


def socket_port_of(port: int, asked: int | None) -> int:
    """Say where the WebSocket listens: where it was asked to, or beside the HTTP port.

    That is the next port; of a port of 0, which is any free one, another free one.
    """
    if asked is not None:
        return asked
    return (port + 1) % 65_536 if port else 0


async def listen_beside(sockets: SocketServer, host: str, port: int) -> int:
    """Listen for the WebSocket at a port, 0 for any free one; returns it. Raises `CannotStart`."""
    try:
        return await sockets.start(host, port)
    except OSError as fault:
        raise CannotStart(
            f"Port {port} of {host}, for the WebSocket, cannot be had: "
            f"{(fault.strerror or str(fault)).lower()}. Choose another with --socket-port "
            "(`http.socket_port` in a configuration)."
        ) from fault


def url_of(host: str, port: int) -> str:
    """Write the address of a server for people and clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def socket_url_of(host: str, port: int) -> str:
    """Write the address of the WebSocket."""
    return url_of(host, port).replace("http", "ws", 1) + "/v2/ws"


class WebServer:
    """One server of one ASGI application."""

    def __init__(self, app: Any, address: str, port: int) -> None:
        self._address = address
        self._port = port
        self._server = Server(
            app,
            address=address,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS_MAX),
            backlog=BACKLOG,
            log_enabled=False,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when connections are taken. Raises `CannotStart`."""
        self._task = asyncio.create_task(self._server.serve(), name="web")
        try:
            async with asyncio.timeout(START_S_MAX):
                while not await self._answers():
                    if self._task.done():
                        raise CannotStart(
                            f"The server cannot listen at {self._address}:{self._port}: "
                            f"{self._task.exception() or 'it ended'}."
                        )
                    await asyncio.sleep(0.01)
        except TimeoutError as fault:
            raise CannotStart(
                f"The server does not answer at {self._address}:{self._port}."
            ) from fault

    async def stopped(self) -> None:
        """Wait until the server has ended, which it does by itself only when it fails."""
        assert self._task is not None
        await asyncio.wait([self._task])

    async def stop(self, within_s: float) -> bool:
        """Take no more connections and answer the requests under way; say whether that is done."""
        if self._task is None or self._task.done():
            return True
        self._server.stop()  # type: ignore[no-untyped-call]
        done, _ = await asyncio.wait([self._task], timeout=within_s)
        return bool(done)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._address, self._port)
        except OSError:
            return False
        writer.close()
        return True
