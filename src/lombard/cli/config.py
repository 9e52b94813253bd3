"""What a process is told: where its data is, where it listens, what it logs.

Nothing here is about coins, pairs or terms; those are state (`lombard init`).
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from lombard.api.operator.door import COOKIE as OFFICE_COOKIE
from lombard.api.ratelimit import (
    ADDRESS_CALLS_PER_MINUTE,
    ADDRESS_PAUSE_NS,
    FAILURES_PER_MINUTE,
    SECOND_NS,
)
from lombard.api.replays import SEEN_MAX
from lombard.api.visit import Rules
from lombard.node.errors import CannotStart
from lombard.node.snapshots import EVERY_COMMANDS, EVERY_S

Table = msgspec.Struct
# The kinds of movement of money (`lombard.api.operator.money.KINDS`).
Movement = Literal[
    "deposit",
    "withdrawal",
    "pool-funding",
    "pool-withdrawal",
    "insurance-funding",
    "insurance-withdrawal",
    "fee-withdrawal",
    "interest-withdrawal",
]
Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Http(Table, forbid_unknown_fields=True, frozen=True):
    """Where the public API and the WebSocket listen."""

    host: str = "127.0.0.1"
    port: int = 8080
    proxies: tuple[str, ...] = ()


class Identity(Table, forbid_unknown_fields=True, frozen=True):
    """Who may become a user, and what is asked of browsers."""

    sign_up: Literal["open", "closed"] = "closed"
    secure_cookies: bool = True
    origins: tuple[str, ...] = ()


class Operators(Table, forbid_unknown_fields=True, frozen=True):
    """Where operators' calls are answered, and their console is; port 0: nowhere.

    `origins` are those of the console behind a proxy, as `identity.origins` are the terminal's.
    With `approvals = 2` the kinds of movement in `needs_approval` need a second operator.
    """

    host: str = "127.0.0.1"
    port: int = 0
    origins: tuple[str, ...] = ()
    approvals: Literal[1, 2] = 1
    needs_approval: tuple[Movement, ...] = (
        "deposit",
        "withdrawal",
        "pool-withdrawal",
        "insurance-withdrawal",
        "fee-withdrawal",
        "interest-withdrawal",
    )

    @property
    def needs_two(self) -> tuple[str, ...]:
        """The kinds of movement that two operators make."""
        return self.needs_approval if self.approvals > 1 else ()


class Limits(Table, forbid_unknown_fields=True, frozen=True):
    """How many calls are let in; `per_second` has other limits for some paths, 0 for none."""

    enabled: bool = True
    address_calls_per_minute: Positive = ADDRESS_CALLS_PER_MINUTE
    address_pause_seconds: NotNegative = ADDRESS_PAUSE_NS // SECOND_NS
    failures_per_minute: Positive = FAILURES_PER_MINUTE
    signed_requests_remembered: Annotated[int, msgspec.Meta(ge=1_000)] = SEEN_MAX
    per_second: dict[str, NotNegative] = msgspec.field(default_factory=dict)


class Snapshots(Table, forbid_unknown_fields=True, frozen=True):
    """How often a snapshot is taken: after so many commands, and after so many seconds."""

    every_commands: int = EVERY_COMMANDS
    every_seconds: float = EVERY_S


class NodeSettings(Table, forbid_unknown_fields=True, frozen=True):
    """How many commands a second are taken; 0 is as many as can be. For tests, small machines."""

    commands_per_second: int = 0


class MetricsSettings(Table, forbid_unknown_fields=True, frozen=True):
    """Where `/metrics` is served for Prometheus; port 0 is nowhere."""

    host: str = "127.0.0.1"
    port: int = 0


class Log(Table, forbid_unknown_fields=True, frozen=True):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class History(Table, forbid_unknown_fields=True, frozen=True):
    """Where history is written: a PostgreSQL database, or (empty) a file in the data directory."""

    url: str = ""


class Config(Table, forbid_unknown_fields=True, frozen=True):
    """A process's settings, as `lombard serve --config` reads them."""

    data: str
    http: Http = Http()
    identity: Identity = Identity()
    operator: Operators = Operators()
    limits: Limits = Limits()
    snapshots: Snapshots = Snapshots()
    history: History = History()
    node: NodeSettings = NodeSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: Log = Log()


EXAMPLE: Final = """\
data = "/var/lib/lombard"

[http]
host = "127.0.0.1"
port = 8080

[operator]
port = 8090
"""


def rules_of(config: Config) -> Rules:
    """Say what is asked of browsers."""
    identity = config.identity
    is_open = identity.sign_up == "open"
    return Rules(is_open, identity.secure_cookies, identity.origins, config.http.proxies)


def office_rules_of(config: Config) -> Rules:
    """Say what is asked of operators' browsers."""
    is_secure, proxies = config.identity.secure_cookies, config.http.proxies
    return Rules(False, is_secure, config.operator.origins, proxies, OFFICE_COOKIE)


def read_config(path: Path) -> Config:
    """Read a configuration file; a relative data directory is beside it. Raises `CannotStart`."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=Config)
    except OSError as fault:
        raise CannotStart(f"{path} cannot be read: {fault.strerror}.") from fault
    except msgspec.MsgspecError as fault:
        raise CannotStart(f"{path} is not a configuration of Lombard: {fault}.") from fault
    if config.node.commands_per_second < 0:
        raise CannotStart(f"{path}: node.commands_per_second is less than 0.")
    return msgspec.structs.replace(config, data=str(path.parent.absolute() / config.data))
