"""The words of the WebSocket: what clients say, and how they are answered (reference §6).

Bytes in, plain objects out, and back. Nothing here knows a connection.
"""

from typing import Any, Final

import msgspec
from websockets.frames import Frame, Opcode

PING: Final = b"ping"

SENTENCES: Final[dict[str, str]] = {
    "30001": "{0} doesn't exist",
    "30002": "illegal request",
    "30003": "invalid op",
    "30004": "user needs to log in",
    "30005": "login failed",
    "30006": "too many requests",
    "30007": "request over limit, connection close",
    "30011": "invalid ACCESS_KEY",
    "30012": "invalid ACCESS_PASSPHRASE",
    "30013": "invalid ACCESS_TIMESTAMP",
    "30014": "Request timestamp expired",
    "30015": "invalid sign",
    "30016": "param error",
    "25620": "permission denied",
}

_ENCODER: Final = msgspec.json.Encoder()


class SocketFault(Exception):
    """What a client said cannot be done; `ends` closes the connection after it was told."""

    def __init__(self, code: str, particulars: str = "", ends: bool = False) -> None:
        super().__init__(code, particulars)
        self.code: Final = code
        self.ends: Final = ends
        sentence = SENTENCES[code]
        if "{0}" in sentence:
            self.sentence: str = sentence.replace("{0}", particulars)
        else:
            self.sentence = f"{sentence}: {particulars}" if particulars else sentence


class Message(msgspec.Struct):
    """Anything a client says; what else is in it is nobody's business."""

    op: str = ""
    args: msgspec.Raw = msgspec.Raw(b"[]")


class Arg(msgspec.Struct):
    """What a subscription is about."""

    instType: str = ""
    channel: str = ""
    instId: str = ""
    coin: str = ""


class Login(msgspec.Struct):
    """Who a client says it is; the time is in seconds, or in milliseconds."""

    apiKey: str = ""
    passphrase: str = ""
    timestamp: str | int = ""
    sign: str = ""


class Trade(msgspec.Struct):
    """An order, or a cancellation, as REST would have it in its body."""

    id: str = ""
    instType: str = ""
    instId: str = ""
    channel: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


_MESSAGE: Final = msgspec.json.Decoder(Message)
_RAW_ARGS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ARG: Final = msgspec.json.Decoder(Arg)
_LOGINS: Final = msgspec.json.Decoder(list[Login])
_TRADES: Final = msgspec.json.Decoder(list[Trade])
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_message(text: bytes) -> Message:
    """Read what a client said. Raises `SocketFault`."""
    try:
        return _MESSAGE.decode(text)
    except _FAULTS:
        raise SocketFault("30002") from None


def read_args(args: msgspec.Raw) -> list[msgspec.Raw]:
    """Take the arguments apart. Raises `SocketFault`."""
    try:
        found = _RAW_ARGS.decode(args)
    except _FAULTS:
        raise SocketFault("30016", "args") from None
    if not found:
        raise SocketFault("30016", "args is empty")
    return found


def read_arg(arg: msgspec.Raw) -> Arg:
    """Read what a subscription is about. Raises `SocketFault`."""
    try:
        return _ARG.decode(arg)
    except _FAULTS:
        raise SocketFault("30016", "args") from None


def read_login(args: msgspec.Raw) -> Login:
    """Read a login: a connection is of one user. Raises `SocketFault`."""
    try:
        found = _LOGINS.decode(args)
    except _FAULTS:
        raise SocketFault("30005", "args", ends=True) from None
    if len(found) != 1:
        raise SocketFault("30005", "one login at a time", ends=True)
    return found[0]


def read_trade(args: msgspec.Raw) -> Trade:
    """Read an order or a cancellation: one to a message. Raises `SocketFault`."""
    try:
        found = _TRADES.decode(args)
    except _FAULTS:
        raise SocketFault("30016", "args") from None
    if len(found) != 1:
        raise SocketFault("30016", "one entry in args")
    return found[0]


def text_frame(payload: bytes) -> bytes:
    """Put a text into the frame that every client gets of it."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def encoded(answer: object) -> bytes:
    """Write an answer as a frame."""
    return text_frame(_ENCODER.encode(answer))


def ack(event: str, arg: msgspec.Raw) -> bytes:
    """Say that a subscription has begun or ended, in the client's own words."""
    return text_frame(b'{"event":"%b","arg":%b}' % (event.encode(), bytes(arg)))


def failure(fault: SocketFault, arg: msgspec.Raw | None = None) -> bytes:
    """Say that something could not be done, and to what in the client's words."""
    said: dict[str, object] = {"event": "error"}
    if arg is not None:
        said["arg"] = arg
    return encoded(said | {"code": int(fault.code), "msg": fault.sentence})


def push(action: str, arg: dict[str, str], data: object, ts: int) -> bytes:
    """Tell what a topic has to tell, as of an exchange time."""
    frame: dict[str, Any] = {"action": action, "arg": arg, "data": data, "ts": ts}
    return encoded(frame)
