"""`lombard serve`: the same node for a venue of one's own, without the sandbox's calls."""

from pathlib import Path

from lombard.cli.config import Config, rules_of
from lombard.cli.house import House
from lombard.cli.serving import open_door, open_office, run_in_loop, until_stopped
from lombard.cli.telling import progress_bar, say, warn
from lombard.cli.web import address_of, url_of
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
    metrics = config.metrics
    scraped = address_of(metrics.host, metrics.port) if metrics.port else None
    operator = config.operator
    office = address_of(operator.host, operator.port) if operator.port else None
    if office == address:
        raise CannotStart(
            "Operators need a port of their own: [operator] and [http] name the same."
        )
    run_in_loop(lambda: _serve(config, address, office, scraped, directory))


async def _serve(
    config: Config,
    address: tuple[str, int],
    office: tuple[str, int] | None,
    scraped: tuple[str, int] | None,
    directory: Path,
) -> None:
    with progress_bar("Recovering") as progress:
        house = House(directory, warn, progress)
    try:
        say(house.started.sentence())
        clock = Clock(REAL, house.engine.time_ms)
        times = config.snapshots
        pace = config.node.commands_per_second
        node = house.begin(clock, times.every_commands, times.every_seconds, pace)
        # Hours that passed while the venue was down are turned before anybody is let in.
        await node.timekeeper.play(None)
        operator, counted = config.operator, config.http.rate_limits
        async with (
            open_door(house, address, counted, rules=rules_of(config), metrics=scraped) as web,
            open_office(house, office, operator.needs_two) as behind,
        ):
            if office is not None:
                say(f"Operators are answered at {url_of(operator.host, office[1])}")
            if scraped is not None:
                say(f"Metrics: {url_of(config.metrics.host, scraped[1])}/metrics")
            say(f"Lombard is ready: {url_of(config.http.host, address[1])}")
            await until_stopped(house, web, *behind)
    finally:
        await house.close()
