"""The venue at a glance: how the node is, what it has done, and what goes on."""

from collections.abc import Callable
from functools import partial

import msgspec

from lombard import __version__
from lombard.api.context import Call
from lombard.api.operator.hand import reads
from lombard.api.table import Endpoint, NoParameters
from lombard.core import __impl__, queries
from lombard.core import reason_queries as reasons


class Vitals(msgspec.Struct, frozen=True):
    """What a node measures of itself; counts are since it began.

    `loop_lag_ms` and `loop_lag_ms_max` are how late the event loop ran, in the middle and at most,
    over the last ten seconds.
    """

    commands: int = 0
    refused: int = 0
    overloads: int = 0
    waiting: int = 0
    history_lag: int = 0
    loop_lag_ms: float = 0
    loop_lag_ms_max: float = 0
    snapshots: int = 0
    snapshots_failed: int = 0
    snapshot_seq: int = 0


NONE = Vitals()
ReadVitals = Callable[[], Vitals]


class Overview(msgspec.Struct):
    """The node and the venue. `commands`, `refused` and `overloads` count since the node began.

    `historyLag` is how many commands history is behind; times in ms. `machineTime` is when this
    was read: two readings make a rate. `stale` names the coins whose index may not be decided on.
    """

    version: str
    core: str
    ready: bool
    history: str
    machineTime: str
    exchangeTime: str
    appliedSeq: str
    commands: str
    refused: str
    overloads: str
    waiting: str
    historyLag: str
    loopLag: str
    loopLagMax: str
    snapshots: str
    snapshotsFailed: str
    snapshotSeq: str
    users: str
    debtors: str
    liquidations: str
    pendingMovements: str
    announcements: str
    stale: list[str]


def endpoints(read_vitals: ReadVitals) -> list[Endpoint]:
    """Make the row of this page."""
    handler = partial(overview, read_vitals)
    return [reads("overview", NoParameters, (), Overview, handler)]


async def overview(read_vitals: ReadVitals, call: Call, _: NoParameters) -> Overview:
    """GET overview"""
    context, state, vitals = call.context, call.state, read_vitals()
    coins = queries.coins(state)
    return Overview(
        __version__,
        __impl__,
        context.node.ready,
        context.history_trouble() or "ok",
        str(context.clock_ms()),
        str(context.node.exchange_time_ms()),
        str(state.seq),
        str(vitals.commands),
        str(vitals.refused),
        str(vitals.overloads),
        str(vitals.waiting),
        str(vitals.history_lag),
        f"{vitals.loop_lag_ms:.2f}",
        f"{vitals.loop_lag_ms_max:.2f}",
        str(vitals.snapshots),
        str(vitals.snapshots_failed),
        str(vitals.snapshot_seq),
        str(queries.user_count(state)),
        str(len(reasons.debtors(state))),
        str(len(queries.liquidations(state))),
        str(len(queries.proposals(state))),
        str(len(queries.announcements(state))),
        [coin.name for coin in coins if queries.index_is_stale(state, coin.id)],
    )
