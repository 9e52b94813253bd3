"""A session: one client's conversation, from its first word to its last.

Messages are looked at one after the other, in their order; an order that is under way does not keep
the next message waiting. What a session sends is bounded by its connection.
"""

import asyncio
import secrets
import time
from collections import deque
from typing import Final, Protocol, final

import structlog

from lombard.api.auth import check_passphrase
from lombard.api.browser import is_of_this_venue
from lombard.api.context import Context
from lombard.api.errors import Fault
from lombard.api.ratelimit import SECOND_NS, Buckets
from lombard.api.signing import NO_SECRET, command_id, is_signed, is_timely, parse_timestamp
from lombard.api.socket import limits, words
from lombard.api.socket.channels import CHANNELS, Channel
from lombard.api.socket.hub import Hub, Key
from lombard.api.socket.order_entry import enter, refused
from lombard.api.socket.words import Message, SocketFault
from lombard.identity import ApiKey, Permission, Role
from lombard.identity import Session as BrowserSession

LOGIN_METHOD: Final = b"GET"
LOGIN_PATH: Final = b"/user/verify"
# Shorter timestamps are in seconds.
MILLISECOND_DIGITS: Final = 13
PONG: Final = words.text_frame(b"pong")
POLICY: Final = 1008
OUR_FAULT: Final = 1011
_LOG: Final = structlog.get_logger("lombard.socket")


class Wire(Protocol):
    """The connection a session talks over."""

    address: str

    def send(self, frame: bytes) -> None:
        """Send a frame; never waits."""

    def close(self, code: int, reason: str) -> None:
        """End the connection, saying why."""

    async def drained(self) -> None:
        """Wait until the client has read most of what was sent."""


@final
class Session:
    """What is known of one client. `private` is whether it came to the private address."""

    def __init__(self, context: Context, hub: Hub, wire: Wire, figures: limits.Limits) -> None:
        self._context = context
        self._hub = hub
        self._wire = wire
        self._figures = figures
        self.private = False
        self.pinged_s = asyncio.get_running_loop().time()
        # Where the page is from that speaks; "" for a program. Kept from the handshake.
        self.page: tuple[bytes, bytes] = (b"", b"")
        self._key: ApiKey | None = None
        self._browser: BrowserSession | None = None
        self._subscribed: dict[Key, None] = {}
        self._messages: deque[bytes] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._orders: set[asyncio.Task[None]] = set()
        self._requests = 0
        self._name = secrets.token_bytes(16)
        self._per_second = Buckets(limits.MESSAGES_PER_SECOND, SECOND_NS)
        self._per_hour = Buckets(limits.SUBSCRIBES_PER_HOUR, 3600 * SECOND_NS)
        self.closed = False

    @property
    def is_busy(self) -> bool:
        """True while no more should be read from the client."""
        return (
            len(self._orders) >= limits.ORDERS_MAX
            or len(self._messages) >= limits.MESSAGES_WAITING_MAX
        )

    @property
    def user(self) -> int:
        """Whose session it is; 0 before a login."""
        if self._browser is not None:
            return self._browser.user
        return 0 if self._key is None else self._key.user

    def send(self, frame: bytes) -> None:
        """Send what a topic has to tell."""
        self._wire.send(frame)

    def count(self) -> bool:
        """Count something the client has sent; False when that was too much."""
        if self._context.limits is None:
            return True
        if self._per_second.take(None, time.monotonic_ns()) >= 0:
            return True
        self._fail(SocketFault("30007", ends=True))
        return False

    def hear(self, text: bytes) -> None:
        """Take in a message."""
        if self.closed:
            return
        if text == words.PING:
            self.pinged_s = asyncio.get_running_loop().time()
            self._wire.send(PONG)
            return
        self._messages.append(text)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    def is_revoked(self) -> bool:
        """Say whether the key of the session is no longer one, or its browser has logged out."""
        if self._browser is not None:
            return not self._context.directory.accounts.is_live(self._browser)
        return self._key is not None and self._context.directory.find(self._key.key) is None

    def end(self) -> None:
        """Forget the client. Orders under way are carried out all the same."""
        self.closed = True
        for key in self._subscribed:
            self._hub.unsubscribe(key, self)
        self._subscribed.clear()
        self._messages.clear()
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        try:
            while self._messages and not self.closed:
                await self._answer(self._messages.popleft())
                await self._wire.drained()
        except Exception:
            _LOG.exception("a message could not be answered")
            self._wire.close(OUR_FAULT, "internal error")
        finally:
            self._worker = None

    async def _answer(self, text: bytes) -> None:
        try:
            message = words.read_message(text)
            if message.op == "trade":
                self._trade(message)
                return
            if len(message.args) > limits.ARGS_BYTES_MAX:
                raise SocketFault("30016", f"args are longer than {limits.ARGS_BYTES_MAX} bytes")
            match message.op:
                case "subscribe":
                    await self._subscribe(message)
                case "unsubscribe":
                    self._unsubscribe(message)
                case "login":
                    await self._login(message)
                case _:
                    raise SocketFault("30003", message.op[:40])
        except SocketFault as fault:
            self._fail(fault)

    def _fail(self, fault: SocketFault) -> None:
        self._wire.send(words.failure(fault))
        if fault.ends:
            self._wire.close(POLICY, fault.sentence)

    # --- subscriptions ----------------------------------------------------------------------------

    async def _subscribe(self, message: Message) -> None:
        if not self._may_subscribe():
            raise SocketFault("30006", f"{limits.SUBSCRIBES_PER_HOUR} subscribes an hour")
        for arg in words.read_args(message.args):
            try:
                key = self._topic_of(words.read_arg(arg))
                if key not in self._subscribed and len(self._subscribed) >= self._figures.channels:
                    raise SocketFault("30006", f"{self._figures.channels} channels")
            except SocketFault as fault:
                self._wire.send(words.failure(fault, arg))
                continue
            self._wire.send(words.ack("subscribe", arg))
            if key in self._subscribed:
                self._hub.unsubscribe(key, self)
            self._subscribed[key] = None
            await self._hub.subscribe(key, self)
            await self._wire.drained()
            if self.closed:
                self._hub.unsubscribe(key, self)
                return

    def _may_subscribe(self) -> bool:
        if self._context.limits is None:
            return True
        return self._per_hour.take(None, time.monotonic_ns()) >= 0

    def _unsubscribe(self, message: Message) -> None:
        for arg in words.read_args(message.args):
            try:
                key = self._topic_of(words.read_arg(arg))
            except SocketFault as fault:
                self._wire.send(words.failure(fault, arg))
                continue
            if key in self._subscribed:
                del self._subscribed[key]
                self._hub.unsubscribe(key, self)
            self._wire.send(words.ack("unsubscribe", arg))

    def _topic_of(self, arg: words.Arg) -> Key:
        """Find what is meant, and whether this client may hear of it."""
        channel = CHANNELS.get((arg.instType, arg.channel))
        value = None
        if channel is not None and channel.private == self.private:
            value = channel.value(self._context, arg)
        if channel is None or value is None:
            said = f"instType:{arg.instType},channel:{arg.channel},"
            said += f"coin:{arg.coin}" if arg.coin else f"instId:{arg.instId}"
            raise SocketFault("30001", said)
        return channel, value, self._reader(channel)

    def _reader(self, channel: Channel) -> int:
        if not channel.private:
            return 0
        if self._browser is not None:
            return self._browser.user
        if self._key is None:
            raise SocketFault("30004")
        if not int(self._key.permissions) & int(Permission.READ):
            raise SocketFault("25620", "need read permissions")
        return self._key.user

    # --- login ------------------------------------------------------------------------------------

    async def _login(self, message: Message) -> None:
        if not self.private:
            raise SocketFault("30005", "log in at the private address", ends=True)
        login = words.read_login(message.args)
        if self.user:
            raise SocketFault("30005", "logged in already", ends=True)
        if login.ticket:
            self._browser = self._ticket_holder(login.ticket)
            self._wire.send(words.encoded({"event": "login", "code": 0, "msg": ""}))
            return
        try:
            key = await self._signer(login)
        except SocketFault:
            if self._context.limits is not None:
                self._context.limits.note_failure(self._wire.address, time.monotonic_ns())
            raise
        if not int(key.permissions) & int(Permission.READ | Permission.TRADE):
            raise SocketFault("30005", "need read or trade permissions", ends=True)
        self._key = key
        self._wire.send(words.encoded({"event": "login", "code": 0, "msg": ""}))

    def _ticket_holder(self, ticket: str) -> BrowserSession:
        """Find the session a page of ours speaks for. Raises `SocketFault`."""
        origin, host = self.page
        if origin and not is_of_this_venue(self._context.rules, origin.decode("latin-1"), host):
            raise SocketFault("30005", "a page of another origin", ends=True)
        found = self._context.directory.accounts.redeem_ticket(ticket)
        if found is None:
            raise SocketFault("30017", ends=True)
        if found.role is Role.OPERATOR:
            raise SocketFault("30005", "operators have no account", ends=True)
        return found

    async def _signer(self, login: words.Login) -> ApiKey:
        """Find the key that signed a login (reference §6.2). Raises `SocketFault`."""
        timestamp = str(login.timestamp).encode()
        time_ms = parse_timestamp(timestamp)
        if not login.apiKey:
            raise SocketFault("30011", ends=True)
        if time_ms is None:
            raise SocketFault("30013", ends=True)
        if len(timestamp) < MILLISECOND_DIGITS:
            time_ms *= 1000
        if not is_timely(time_ms, self._context.clock_ms()):
            raise SocketFault("30014", ends=True)
        key = self._context.directory.find(login.apiKey)
        keyed = NO_SECRET if key is None else key.keyed
        sign = login.sign.encode("utf-8", "replace")
        is_right = is_signed(keyed, sign, timestamp, LOGIN_METHOD, LOGIN_PATH, b"", b"")
        if key is None:
            raise SocketFault("30011", ends=True)
        if not is_right:
            raise SocketFault("30015", ends=True)
        try:
            await check_passphrase(self._context, key, login.passphrase.encode("utf-8", "replace"))
        except Fault:
            raise SocketFault("30012", ends=True) from None
        return key

    # --- orders -----------------------------------------------------------------------------------

    def _trade(self, message: Message) -> None:
        if self._browser is not None:
            raise SocketFault("25620", "pages place orders by REST")
        if not self.private or self._key is None:
            raise SocketFault("30004")
        trade = words.read_trade(message.args)
        # The key as it is now: what it may do may have changed since the login.
        key = self._context.directory.find(self._key.key)
        if key is None:
            raise SocketFault("30011", ends=True)
        task = asyncio.create_task(self._carry_out(key, trade, self._command_id()))
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def _carry_out(self, key: ApiKey, trade: words.Trade, command: bytes) -> None:
        try:
            answer = await enter(self._context, key, trade, command)
        except Exception:
            _LOG.exception("an order could not be answered")
            answer = refused(trade, Fault("40725"))
        if not self.closed:
            self._wire.send(answer)

    def _command_id(self) -> bytes:
        """Name the next command: no two messages are one, whatever they say."""
        self._requests += 1
        count = self._requests.to_bytes(8, "big")
        return command_id(self._name, str(self._context.clock_ms()).encode(), count)
