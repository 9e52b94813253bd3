"""`lombard serve`: the same node for a venue of one's own, without the sandbox's calls."""

from pathlib import Path

from lombard.cli.config import Config, office_rules_of, rules_of
from lombard.cli.house import House
from lombard.cli.limiting import rate_limits_of
from lombard.cli.notary import sealing
from lombard.cli.serving import Door, open_door, open_office, run_in_loop, until_stopped
from lombard.cli.telling import progress_bar, say, warn
from lombard.cli.web import address_of, socket_url_of, url_of
from lombard.journal.opening import Paths
from lombard.node.clock import REAL, Clock
from lombard.node.errors import CannotStart


def run_serve(config: Config) -> None:
    """Serve a venue until it is stopped; raises what makes it fail."""
    directory = Path(config.data)
    if not Paths(directory).journal.exists():
        raise CannotStart(
            f"{directory} holds no venue. `lombard init catalogue.toml` writes a catalogue, and "
            f"`lombard init catalogue.toml --data {directory}` makes a venue of it."
        )
    address = address_of(config.http.host, config.http.port)
    operator = config.operator
    office = address_of(operator.host, operator.port) if operator.port else None
    if office == address:
        raise CannotStart(
            "Operators need a port of their own: [operator] and [http] name the same."
        )
    metrics = None
    if config.metrics.port:
        metrics = address_of(config.metrics.host, config.metrics.port)
    run_in_loop(lambda: _serve(config, address, office, directory, metrics))


async def _serve(
    config: Config,
    address: tuple[str, int],
    office: tuple[str, int] | None,
    directory: Path,
    metrics: tuple[str, int] | None,
) -> None:
    with progress_bar("Recovering") as progress:
        house = House(directory, warn, progress, history_url=config.history.url)
    try:
        say(house.started.sentence())
        clock = Clock(REAL, house.engine.time_ms)
        times = config.snapshots
        pace = config.node.commands_per_second
        node = house.begin(clock, times.every_commands, times.every_seconds, pace)
        # Hours that passed while the venue was down are turned before anybody is let in.
        await node.timekeeper.play(None)
        operator = config.operator
        limits, rules = rate_limits_of(config.limits), rules_of(config)
        door = Door(address, limits, rules, metrics)
        async with (
            sealing(house),
            open_door(house, door),
            open_office(house, office, operator.needs_two, office_rules_of(config)),
        ):
            if metrics is not None:
                say(f"Metrics: {url_of(config.metrics.host, metrics[1])}/metrics")
            if office is not None:
                say(f"Operators are answered at {url_of(operator.host, office[1])}")
            say(f"WebSocket: {socket_url_of(config.http.host, address[1])}")
            say(f"Lombard is ready: {url_of(config.http.host, address[1])}")
            await until_stopped(house)
    finally:
        await house.close()
