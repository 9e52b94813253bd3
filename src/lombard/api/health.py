"""Whether the node is up, and whether it serves: for whoever watches over it."""

import msgspec

from lombard.api.context import Call
from lombard.api.errors import Fault, Scene
from lombard.api.table import Endpoint, NoParameters, public


class Health(msgspec.Struct):
    """The process answers. `history` is "ok", or "unreachable" while its database is lost."""

    status: str
    history: str


class Ready(msgspec.Struct):
    """Commands are taken; `exchangeTime` is the exchange's clock."""

    status: str
    exchangeTime: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    scene = Scene.SPOT
    return [
        public("/lombard/v1/health", 0, scene, NoParameters, (), Health, health),
        public("/lombard/v1/ready", 0, scene, NoParameters, (), Ready, ready),
    ]


async def health(call: Call, _: NoParameters) -> Health:
    """GET health"""
    return Health("ok", "unreachable" if call.context.history_trouble() else "ok")


async def ready(call: Call, _: NoParameters) -> Ready:
    """GET ready: an error until commands are taken, and again once they are not"""
    node = call.context.node
    if not node.ready:
        raise Fault("40200")
    return Ready("ready", str(node.exchange_time_ms()))
