"""Serving: from an open house to a port that answers, and back to nothing on SIGTERM.

A stop takes no more connections, answers the requests under way, lets the node finish what waits,
takes a last snapshot and closes the files. A failure does the same as far as it still can, and is
raised.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import structlog
import uvloop

from lombard import __version__
from lombard.api.admission import admit_all
from lombard.api.app import build_app, build_operator_app
from lombard.api.context import Context
from lombard.api.ports import World
from lombard.api.ratelimit import RateLimits
from lombard.api.site import CONSOLE, Site, Venue
from lombard.api.socket.server import REQUEST_PREFIX, SocketServer
from lombard.api.visit import Rules
from lombard.cli.backups import back_up_house
from lombard.cli.control import ControlSocket
from lombard.cli.histories import names_of
from lombard.cli.house import House
from lombard.cli.memory import give_back
from lombard.cli.metrics import Metrics, metrics_app
from lombard.cli.operators import make_operator, make_reset
from lombard.cli.telling import warn
from lombard.cli.vitals import Watch
from lombard.cli.web import listen
from lombard.history.statement_rows import Names
from lombard.node.clock import machine_ms
from lombard.node.errors import CannotStart
from lombard.web import Listener

# How long requests under way may take before a stop ends what they wait for.
STOP_S: Final = 3.0
# The threads of journal and history need the interpreter for moments only; at Python's 5 ms they
# would wait for it longer than for the disk (measured with 64 clients: 8 % fewer orders a second).
SWITCH_S: Final = 0.0005
_T = TypeVar("_T")
# What `make web` builds; a package carries none.
TERMINAL: Final = Path(__file__).resolve().parents[3] / "web" / "dist"
GC_THRESHOLD: Final = (50_000, 20, 50)
_LOG: Final = structlog.get_logger("lombard")


def refuse_optimised() -> None:
    """Refuse to run without assertions: they are what stops a venue that has gone wrong."""
    if sys.flags.optimize:
        raise CannotStart(
            "Lombard does not run under `python -O` or PYTHONOPTIMIZE: its assertions stay on."
        )


def run_in_loop(main: Callable[[], Awaitable[_T]]) -> _T:
    """Run a coroutine in the kind of event loop that a node runs in."""

    async def run() -> _T:
        return await main()

    sys.setswitchinterval(SWITCH_S)
    # Nearly everything made for a request dies with it: looking for cycles so often is waste.
    gc.set_threshold(*GC_THRESHOLD)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


class Door(NamedTuple):
    """Where clients are let in, and on which terms; None of `limits` counts no calls.

    A sandbox brings its `world`, and the `token` that its own calls need beyond this machine; it
    shows its metrics at the address. A venue shows them at `metrics`, if anywhere.
    """

    address: tuple[str, int]
    limits: RateLimits | None
    rules: Rules
    metrics: tuple[str, int] | None = None
    world: World | None = None
    token: str = ""


@asynccontextmanager
async def open_door(house: House, door: Door) -> AsyncIterator[None]:
    """Let clients in while the context lasts."""
    context = Context(
        house.node,
        house.reader,
        house.node.history_caught_up,
        house.identity,
        machine_ms,
        door.limits,
        door.rules,
        lambda: house.history.trouble,
    )
    app = build_app(context, door.world, door.token)
    shown = Metrics(house, app.tally)
    if door.world is not None:
        app.pages.metrics = shown.render
    app.pages.site = _site(door.world is not None, bool(door.token), context.rules)
    web, scraped = Listener(app), Listener(metrics_app(shown.render))
    watching = [
        asyncio.create_task(shown.watch_loop(), name="loop lag"),
        asyncio.create_task(give_back(app.tally.count), name="memory"),
    ]
    control = ControlSocket(
        house.directory,
        lambda target: back_up_house(house, target),
        lambda email: make_operator(house.identity, email),
        lambda: _names(house),
        lambda email, drops_device: make_reset(house.identity, email, drops_device),
    )
    sockets = SocketServer(context)
    house.node.listen(sockets.hub.heard)
    web.hand_over(REQUEST_PREFIX, sockets.take_over)
    try:
        await admit_all(house.node, house.identity.accounts)
        await control.start()
        if door.metrics is not None:
            await listen(scraped, door.metrics)
        sockets.begin()
        await listen(web, door.address)
        yield
    finally:
        for task in watching:
            task.cancel()
        await sockets.stop()
        if not await web.stop(STOP_S):
            # Somebody waits for something long, as a clock put forward by years: not any more.
            await house.drain()
            await web.stop(STOP_S)
        await scraped.stop(STOP_S)
        await control.stop()
        context.readers.shutdown()


def _site(is_sandbox: bool, needs_token: bool, rules: Rules) -> Site:
    site = Site(TERMINAL, Venue(is_sandbox, needs_token, rules, __version__))
    if not site.is_built:
        warn("The web terminal was not built: `make web` does it, with Node.js and npm.")
    return site


@asynccontextmanager
async def open_office(
    house: House,
    address: tuple[str, int] | None,
    needs_two: Collection[str],
    rules: Rules,
    is_sandbox: bool = False,
) -> AsyncIterator[None]:
    """Let operators in at an address of their own, if there is one, while the context lasts."""
    if address is None:
        yield
        return
    context = Context(
        house.node,
        house.reader,
        house.node.history_caught_up,
        house.identity,
        machine_ms,
        RateLimits(),
        rules,
        lambda: house.history.trouble,
    )
    watch = Watch(house)
    app = build_operator_app(context, needs_two, watch.read)
    app.pages.site = Site(TERMINAL, Venue(is_sandbox, False, rules, __version__), CONSOLE)
    web = Listener(app)
    watching = asyncio.create_task(watch.run(), name="vitals")
    try:
        await listen(web, address)
        yield
    finally:
        watching.cancel()
        await web.stop(STOP_S)
        context.readers.shutdown()


async def _names(house: House) -> Names:
    await house.node.history_caught_up()
    return names_of(house.engine)


async def until_stopped(house: House) -> None:
    """Wait for SIGTERM or SIGINT, or raise what made the node fail."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    failing = asyncio.create_task(house.node.stopped())
    try:
        await asyncio.wait([stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
        _LOG.info("stopping", seq=house.node.applied_seq)
    finally:
        for task in (stopping, failing):
            task.cancel()
        # A second signal ends the process at once.
        for number in signals:
            loop.remove_signal_handler(number)
