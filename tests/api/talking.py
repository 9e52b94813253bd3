"""Somebody at the other end of a WebSocket session, without a socket between."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

from lombard.api.socket.hub import Hub
from lombard.api.socket.limits import Limits
from lombard.api.socket.session import Session
from tests.api.house import MACHINE_MS, Client, House


def payload_of(frame: bytes) -> bytes:
    """Take a text out of its frame, as the protocol lays it down (RFC 6455, section 5.2)."""
    assert 0x81 == frame[0]
    length, start = frame[1], 2
    if length == 126:
        length, start = int.from_bytes(frame[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(frame[2:10], "big"), 10
    assert start + length == len(frame)
    return frame[start:]


def sign_login(secret: str, timestamp: str) -> str:
    """Sign as a client does; shares no code with the venue."""
    message = f"{timestamp}GET/user/verify".encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


class Talk:
    """A session, and what it was told; also the session's connection."""

    def __init__(
        self, house: House, hub: Hub, private: bool, figures: Limits | None = None
    ) -> None:
        self.address = "127.0.0.1"
        self.told: list[Any] = []
        self.closed: tuple[int, str] | None = None
        self.session = Session(house.context, hub, self, figures or Limits())
        self.session.private = private

    # --- what a session asks of its connection ----------------------------------------------------

    def send(self, frame: bytes) -> None:
        if self.closed is None:
            text = payload_of(frame)
            self.told.append("pong" if text == b"pong" else json.loads(text))

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)
            self.session.end()

    async def drained(self) -> None:
        pass

    # --- what a client does -----------------------------------------------------------------------

    async def say(self, message: object) -> list[Any]:
        """Say something, wait until it is answered, and return what was told since before."""
        before = len(self.told)
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        if self.session.count():
            self.session.hear(text)
        await self.settled()
        return self.told[before:]

    async def settled(self) -> None:
        """Wait until everything said is answered."""
        while self.session._worker is not None or self.session._orders:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def login(self, client: Client, **more: str) -> list[Any]:
        """Log in as the holder of a key; `more` replaces what is said."""
        timestamp = more.get("timestamp", str(MACHINE_MS // 1000))
        said = {
            "apiKey": client.key,
            "passphrase": client.passphrase,
            "timestamp": timestamp,
            "sign": sign_login(client.secret, timestamp),
        }
        return await self.say({"op": "login", "args": [said | more], "url": "ws://ignored"})

    async def subscribe(self, *args: dict[str, str]) -> list[Any]:
        """Subscribe."""
        return await self.say({"op": "subscribe", "args": list(args)})

    async def trade(self, inst_type: str, channel: str, inst_id: str, **params: Any) -> Any:
        """Send an order, and return its answer."""
        entry = {
            "id": "mine",
            "instType": inst_type,
            "channel": channel,
            "instId": inst_id,
            "params": params,
        }
        told = await self.say({"op": "trade", "args": [entry]})
        answers = [one for one in told if one.get("event") in ("trade", "error")]
        assert 1 == len(answers), told
        return answers[0]

    def pushes(self, channel: str, since: int = 0) -> list[Any]:
        """List what a channel has pushed."""
        told = [one for one in self.told[since:] if isinstance(one, dict)]
        return [one for one in told if "action" in one and one["arg"]["channel"] == channel]

    def rows(self, channel: str, since: int = 0) -> list[Any]:
        """List the rows that a channel has pushed."""
        return [row for one in self.pushes(channel, since) for row in one["data"]]

    async def until(self, channel: str, count: int = 1, since: int = 0) -> list[Any]:
        """Wait for so many pushes of a channel."""
        while len(self.pushes(channel, since)) < count:
            await asyncio.sleep(0.005)
        return self.pushes(channel, since)


def arg(inst_type: str, channel: str, value: str = "BTCUSDT") -> dict[str, str]:
    """Write the argument of a subscription."""
    named = "coin" if channel.startswith("account") else "instId"
    return {"instType": inst_type, "channel": channel, named: value}


def hub_of(house: House) -> Hub:
    """Let a hub hear what a house does."""
    hub = Hub(house.context)
    house.listeners.append(hub.heard)
    return hub
