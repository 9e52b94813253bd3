"""Metrics for Prometheus: what the parts of a running house count, read when somebody asks.

Nothing is kept here but how late the event loop runs; a scrape reads the counts and the live state
in the loop's thread. Names of series come from the code and from the
catalogue (commands, refusals, paths of the table, coins): strangers cannot make any.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from lombard import __version__
from lombard.api.tally import ELSEWHERE, Tally
from lombard.cli.house import House
from lombard.core import __impl__, queries
from lombard.node.meter import Histogram

LOOK_S: Final = 0.25
LAG_NS: Final = tuple(int(ms * 1e6) for ms in (1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000))
NS: Final = 1e-9
PATH: Final = "/metrics"
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST.encode()

Scope = Mapping[str, Any]


@final
class Metrics(Collector):
    """The metrics of a house and of the gateway in front of it."""

    def __init__(self, house: House, tally: Tally) -> None:
        self._house = house
        self._tally = tally
        self._lag = Histogram(LAG_NS)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """Write all metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    async def watch_loop(self) -> None:
        """Measure how late the event loop runs, until cancelled."""
        while True:
            began_ns = time.perf_counter_ns()
            await asyncio.sleep(LOOK_S)
            late_ns = time.perf_counter_ns() - began_ns - int(LOOK_S / NS)
            self._lag.add(max(0, late_ns))

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; called by the registry."""
        # A registry asks what there is when it is made, before there is a node.
        if self._house.is_begun:
            yield from self._of_the_node()
            yield from self._of_the_venue()
        yield from self._of_the_gateway()

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance."""
        return ()

    def _of_the_node(self) -> Iterator[Metric]:
        node = self._house.node
        meter = node.meter
        info = GaugeMetricFamily("lombard_info", "what runs", labels=["version", "core"])
        info.add_metric([__version__, __impl__], 1)
        yield info
        commands = CounterMetricFamily(
            "lombard_commands", "commands applied, by what came of them", labels=["kind", "outcome"]
        )
        for (kind, refusal), count in sorted(
            meter.commands.items(), key=lambda row: (row[0][0].__name__, str(row[0][1]))
        ):
            outcome = "done" if refusal is None else refusal.value
            commands.add_metric([kind.__name__, outcome], count)
        yield commands
        yield _counter("lombard_overloads", "commands refused for a full lane", meter.overloads)
        yield _histogram("lombard_batch_commands", "commands a batch", meter.batches, 1)
        yield _histogram("lombard_journal_write_seconds", "writes of batches", meter.writes, NS)
        yield _histogram("lombard_loop_lag_seconds", "how late the loop ran", self._lag, NS)
        yield _gauges("lombard_lane_commands", "commands that wait", "lane", node.depths())
        yield _gauge("lombard_ready", "whether commands are taken", node.ready)
        yield _gauge("lombard_applied_seq", "the last command applied", node.applied_seq)
        history = self._house.history
        yield _gauge("lombard_history_lag_commands", "applied, not in history", history.lag)
        yield from self._of_the_snapshots()
        notary = self._house.notary
        if notary is not None:
            yield _gauge(
                "lombard_audit_unsealed_lines", "audit lines not on record", notary.unsealed
            )
            sealed, _ = queries.audit_seal(node.state)
            yield _gauge("lombard_audit_sealed_lines", "audit lines on record", sealed)
            yield _gauge("lombard_audit_altered", "audit log not as written", bool(notary.fault))
        liquidations = CounterMetricFamily(
            "lombard_liquidation_events", "events of liquidations", labels=["event"]
        )
        for event, count in meter.liquidations.items():
            liquidations.add_metric([event.__name__], count)
        yield liquidations

    def _of_the_snapshots(self) -> Iterator[Metric]:
        taken, failed, last_seq = self._house.snapshot_counts()
        yield _counter("lombard_snapshots", "snapshots taken", taken)
        yield _counter("lombard_snapshots_failed", "snapshots that failed", failed)
        yield _gauge("lombard_snapshot_seq", "the last command in a snapshot", last_seq)

    def _of_the_venue(self) -> Iterator[Metric]:
        state = self._house.node.state
        names = [coin.name for coin in queries.coins(state)]
        stale = {name: queries.index_is_stale(state, coin) for coin, name in enumerate(names)}
        used = {name: queries.utilisation_e6(state, coin) / 1e6 for coin, name in enumerate(names)}
        yield _gauges("lombard_index_stale", "index missing or too old", "coin", stale)
        yield _gauges("lombard_pool_utilisation_ratio", "lent, of what is supplied", "coin", used)
        yield _gauge("lombard_liquidations_open", "accounts locked", len(state.liquidations))

    def _of_the_gateway(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "lombard_http_requests", "answers", labels=["path", "method", "status", "code"]
        )
        for (path, method, status, code), count in self._tally.requests.items():
            requests.add_metric([path.decode() or ELSEWHERE, method, str(status), code], count)
        yield requests
        latencies = HistogramMetricFamily(
            "lombard_http_seconds", "from request to answer", labels=["path"]
        )
        for name, found in self._tally.latencies().items():
            latencies.add_metric([name], _buckets(found, NS), found.total * NS)
        yield latencies


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, text: str, found: Histogram, unit: float) -> Metric:
    return HistogramMetricFamily(name, text, _buckets(found, unit), found.total * unit)


def _buckets(found: Histogram, unit: float) -> list[tuple[str, float]]:
    below = 0
    buckets: list[tuple[str, float]] = []
    bounds = [f"{bound * unit:g}" for bound in found.bounds]
    for bound, count in zip([*bounds, "+Inf"], found.counts, strict=True):
        below += count
        buckets.append((bound, below))
    return buckets


def metrics_app(render: Callable[[], bytes]) -> Callable[..., Awaitable[None]]:
    """Make the application of a listener that serves metrics, and nothing else."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        if scope["type"] != "http":
            return
        is_there = scope["path"] == PATH and scope["method"] == "GET"
        body = render() if is_there else b""
        headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body))]
        status = 200 if is_there else 404
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
