"""`lombard serve`: the same node for a venue of one's own, without the sandbox's calls."""

from pathlib import Path

from lombard.cli.config import Config
from lombard.cli.house import House
from lombard.cli.serving import open_door, run_in_loop, until_stopped
from lombard.cli.telling import progress_bar, say, warn
from lombard.cli.web import address_of, socket_port_of, socket_url_of, url_of
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
    run_in_loop(lambda: _serve(config, address, directory))


async def _serve(config: Config, address: tuple[str, int], directory: Path) -> None:
    with progress_bar("Recovering") as progress:
        house = House(directory, warn, progress)
    try:
        say(house.started.sentence())
        clock = Clock(REAL, house.engine.time_ms)
        times = config.snapshots
        node = house.begin(clock, times.every_commands, times.every_seconds)
        # Hours that passed while the venue was down are turned before anybody is let in.
        await node.timekeeper.play(None)
        port = socket_port_of(config.http.port, config.http.socket_port)
        door = open_door(house, address, config.http.rate_limits, socket_port=port)
        async with door as (web, socket_port):
            say(f"WebSocket: {socket_url_of(config.http.host, socket_port)}")
            say(f"Lombard is ready: {url_of(config.http.host, address[1])}")
            await until_stopped(house, web)
    finally:
        await house.close()
