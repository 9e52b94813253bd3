"""What a process is told: where its data is, where it listens, what it logs.

Nothing here is about coins, pairs or terms; those are state (`lombard init`).
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from lombard.node.errors import CannotStart
from lombard.node.snapshots import EVERY_COMMANDS, EVERY_S

Table = msgspec.Struct


class Http(Table, forbid_unknown_fields=True, frozen=True):
    """Where the public API listens; the WebSocket at the next port, or its own (0: any)."""

    host: str = "127.0.0.1"
    port: int = 8080
    socket_port: int | None = None
    rate_limits: bool = True


class Snapshots(Table, forbid_unknown_fields=True, frozen=True):
    """How often a snapshot is taken: after so many commands, and after so many seconds."""

    every_commands: int = EVERY_COMMANDS
    every_seconds: float = EVERY_S


class Log(Table, forbid_unknown_fields=True, frozen=True):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(Table, forbid_unknown_fields=True, frozen=True):
    """A process's settings, as `lombard serve --config` reads them."""

    data: str
    http: Http = Http()
    snapshots: Snapshots = Snapshots()
    log: Log = Log()


EXAMPLE: Final = """\
data = "/var/lib/lombard"

[http]
host = "127.0.0.1"
port = 8080
"""


def read_config(path: Path) -> Config:
    """Read a configuration file; a relative data directory is beside it. Raises `CannotStart`."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=Config)
    except OSError as fault:
        raise CannotStart(f"{path} cannot be read: {fault.strerror}.") from fault
    except msgspec.MsgspecError as fault:
        raise CannotStart(f"{path} is not a configuration of Lombard: {fault}.") from fault
    return msgspec.structs.replace(config, data=str(path.parent.absolute() / config.data))
