"""A connection: bytes from a socket, frames to it, and the bounds of both.

`websockets` speaks the protocol without touching a socket; this hands it bytes. Frames that are
pushed go past it, ready made. A client who does not read is told so and dropped: what waits for it
never exceeds its bounds.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, cast, final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from lombard.api.context import Context
from lombard.api.socket import limits
from lombard.api.socket.hub import Hub
from lombard.api.socket.session import OUR_FAULT, POLICY, Session

PUBLIC_PATH: Final = "/v2/ws/public"
PRIVATE_PATH: Final = "/v2/ws/private"
UNSUPPORTED: Final = 1003
NOT_TEXT: Final = 1007
TOO_SLOW: Final = "too slow: what was sent is not read"
# What a stranger sends is no news; the library would log it.
_QUIET: Final = logging.getLogger("lombard.socket.protocol")
_QUIET.disabled = True


class House:
    """What the connections of one listener share."""

    def __init__(self, context: Context, hub: Hub, figures: limits.Limits) -> None:
        self.context: Final = context
        self.hub: Final = hub
        self.figures: Final = figures
        self.connections: Final[dict[Connection, None]] = {}
        # Says whether one more from an address may come in.
        self.admits: Callable[[str], bool] = lambda _address: True
        self.dropped_slow = 0


@final
class Connection(asyncio.Protocol):
    """One client's connection, and the session on it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._figures = house.figures
        self._protocol = ServerProtocol(max_size=limits.MESSAGE_BYTES_MAX, logger=_QUIET)
        self._transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._session = Session(house.context, house.hub, self, house.figures)
        self._parts: list[bytes] = []
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._reading = True
        self._leaving = False
        self._lost = False
        self._began_s = self._loop.time()
        # Frames handed over since the client had read everything, and all bytes ever.
        self._frames_unread = 0
        self._written = 0
        self._read_before = 0
        self._read_at_s = self._began_s
        self.address = ""

    # --- asyncio ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(limits.QUEUE_BYTES_HIGH)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._house.admits(self.address):
            self._lost = True
            self._transport.abort()
            return
        self._house.connections[self] = None

    def data_received(self, data: bytes) -> None:
        """Take in what the client has sent."""
        if self._lost:
            return
        self._protocol.receive_data(data)
        self._go_on()

    def eof_received(self) -> bool:
        """Take in that the client has nothing more to say."""
        if not self._lost:
            self._protocol.receive_eof()
            self._go_on()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the client."""
        self._lost = True
        self._can_write.set()
        self._house.connections.pop(self, None)
        self._session.end()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._can_write.set()

    # --- what the session asks --------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """Hand over a frame, or drop the client if too much waits for it already."""
        if self._leaving or self._lost:
            return
        unread = self._transport.get_write_buffer_size()
        self._frames_unread = self._frames_unread + 1 if unread else 1
        if (
            unread + len(frame) > limits.QUEUE_BYTES_MAX
            or self._frames_unread > limits.QUEUE_FRAMES_MAX
        ):
            self._drop_slow()
            return
        self._written += len(frame)
        self._transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; who does not say it back is cut off after a while."""
        if self._leaving or self._lost:
            return
        self._leaving = True
        self._session.end()
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason[:120])
            self._flush()
        self._loop.call_later(self._figures.parting_s, self._transport.abort)

    async def drained(self) -> None:
        """Wait until the client has read most of what was sent."""
        await self._can_write.wait()
        self._read_on()

    # --- from time to time ------------------------------------------------------------------------

    def sweep(self, now_s: float) -> None:
        """Close a connection that is of no more use."""
        if self._leaving:
            return
        if self._protocol.state is not OPEN:
            if now_s - self._began_s > self._figures.handshake_s:
                self.cut()
            return
        unread = self._transport.get_write_buffer_size()
        read = self._written - unread
        if not unread or read != self._read_before:
            self._read_before, self._read_at_s = read, now_s
        elif now_s - self._read_at_s > self._figures.stalled_s:
            self._drop_slow()
            return
        if self._house.hub.broken:
            self.close(OUR_FAULT, "internal error")
        elif self._session.is_revoked():
            self.close(POLICY, "the key was revoked")
        elif now_s - self._session.pinged_s > self._figures.idle_s:
            self.close(POLICY, f"no ping for {self._figures.idle_s:.0f} s")

    # --- inside -----------------------------------------------------------------------------------

    def _drop_slow(self) -> None:
        self._house.dropped_slow += 1
        self.close(POLICY, TOO_SLOW)

    def cut(self) -> None:
        self._lost = True
        self._transport.abort()

    def _go_on(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame) and not self._take(event):
                break
        self._flush()
        if self._session.is_busy and self._reading and not self._lost:
            self._reading = False
            self._transport.pause_reading()
            self._loop.call_later(0.01, self._read_on)

    def _read_on(self) -> None:
        if self._reading or self._lost:
            return
        if self._session.is_busy:
            self._loop.call_later(0.01, self._read_on)
            return
        self._reading = True
        self._transport.resume_reading()

    def _shake_hands(self, request: Request) -> None:
        path = request.path.partition("?")[0]
        if path in (PUBLIC_PATH, PRIVATE_PATH):
            self._session.private = path == PRIVATE_PATH
            response = self._protocol.accept(request)
        else:
            response = self._protocol.reject(
                HTTPStatus.NOT_FOUND, f"There are {PUBLIC_PATH} and {PRIVATE_PATH}.\n"
            )
        self._protocol.send_response(response)

    def _take(self, frame: Frame) -> bool:
        """Take in a frame; False when nothing more of this client is wanted."""
        if self._leaving or not self._session.count():
            return False
        if frame.opcode is Opcode.PING:
            self._session.pinged_s = self._loop.time()
        elif frame.opcode is Opcode.BINARY:
            self.close(UNSUPPORTED, "text only")
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                text = b"".join(self._parts)
                self._parts.clear()
                self._session.hear(text)
        return not self._leaving

    def _flush(self) -> None:
        """Send what the protocol itself has to say: handshakes, pongs, goodbyes."""
        for data in self._protocol.data_to_send():
            if data:
                self._written += len(data)
                self._transport.write(data)
            else:
                self._transport.write_eof()
        if self._protocol.close_expected() and not self._leaving:
            self._leaving = True
            self._session.end()
            self._loop.call_later(self._figures.parting_s, self._transport.abort)
