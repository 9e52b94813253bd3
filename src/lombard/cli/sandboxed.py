"""`lombard sandbox`: an exchange on one's own machine, with the clock in one's hand."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from typing import Final, NamedTuple

import msgspec

from lombard import __version__
from lombard.api.operator.door import COOKIE as OFFICE_COOKIE
from lombard.api.ratelimit import RateLimits
from lombard.api.visit import Rules
from lombard.cli.house import House
from lombard.cli.serving import Door, open_door, open_office, run_in_loop, until_stopped
from lombard.cli.telling import progress_bar, say, warn
from lombard.cli.web import address_of, socket_url_of, url_of
from lombard.core import __impl__
from lombard.core.commands import SetParameter
from lombard.identity import ALL_PERMISSIONS, EmailTaken, NewKey
from lombard.market import Tape
from lombard.node.clock import REAL, SPEED_ONE_E6, Clock, machine_ms
from lombard.node.errors import CannotStart
from lombard.node.snapshots import EVERY_COMMANDS, EVERY_S
from lombard.sandbox.catalogue import example, genesis, read
from lombard.sandbox.founding import found
from lombard.sandbox.notes import keep_notes, read_notes
from lombard.sandbox.opening import admit_demo_user, open_market, read_tape, set_first_prices
from lombard.sandbox.world import SandboxWorld

LOOPBACK: Final = "127.0.0.1"
# The console is so many ports beside the API, where that is free.
OFFICE_BESIDE: Final = 10
OPERATOR: Final = "operator{}@sandbox.example"


class ClockChoice(NamedTuple):
    """How the clock is to run; `start_ms` (None: now) is for an empty log."""

    mode: str
    speed_e6: int
    start_ms: int | None


class Plan(NamedTuple):
    """What a sandbox was asked to be. `directory` None is a temporary one."""

    directory: Path | None
    host: str
    port: int
    clock: ClockChoice
    market: bool
    recording: Path | None
    rate_limits: bool
    history_url: str = ""
    commands_per_second: int = 0
    operator_port: int | None = None


def run_sandbox(plan: Plan) -> None:
    """Run a sandbox until it is stopped; raises what makes it fail."""
    address = address_of(plan.host, plan.port)
    office = _office_of(plan)
    tape = read_tape(plan.recording) if plan.market else None
    with _directory(plan.directory) as directory:
        run_in_loop(lambda: _serve(plan, address, office, directory, tape))


def _office_of(plan: Plan) -> tuple[str, int]:
    """Find where operators are let in, on this machine only. Raises `CannotStart`."""
    if plan.operator_port is not None:
        return address_of(LOOPBACK, plan.operator_port)
    try:
        return address_of(LOOPBACK, plan.port + OFFICE_BESIDE if plan.port else 0)
    except (CannotStart, OverflowError):
        return address_of(LOOPBACK, 0)


@contextmanager
def _directory(asked: Path | None) -> Iterator[Path]:
    if asked is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="lombard-", ignore_cleanup_errors=True) as name:
        yield Path(name)


async def _serve(
    plan: Plan,
    address: tuple[str, int],
    office: tuple[str, int],
    directory: Path,
    tape: Tape | None,
) -> None:
    kept = "" if plan.directory else " (temporary)"
    say(f"Lombard {__version__} sandbox, core {__impl__}, data in {directory}{kept}")
    with progress_bar("Recovering") as progress:
        house = House(
            directory, warn, progress, lambda: _found(directory, plan.clock), plan.history_url
        )
    try:
        say(house.started.sentence())
        clock = _clock(house, plan.clock)
        node = house.begin(clock, EVERY_COMMANDS, EVERY_S, plan.commands_per_second)
        # Hours that passed while the sandbox was down are turned before anybody is let in.
        await node.timekeeper.play(None)
        moved = _offset_keeper(directory, clock)
        moved()
        demo = await _demo_key(house)
        if tape is None:
            await set_first_prices(node)
        else:
            await node.timekeeper.play(await open_market(node, directory, tape))
        token = "" if ip_address(address[0]).is_loopback else token_urlsafe(24)
        world = SandboxWorld(node, moved)
        limits = RateLimits() if plan.rate_limits else None
        rules = Rules(sign_up_open=True, is_secure=False)
        door = Door(address, limits, rules, world=world, token=token)
        behind_rules = Rules(is_secure=False, cookie=OFFICE_COOKIE)
        async with (
            open_door(house, door),
            open_office(house, office, (), behind_rules, is_sandbox=True),
        ):
            say(f"WebSocket: {socket_url_of(plan.host, address[1])}")
            await _tell_operator(house, url_of(*office))
            _tell(url_of(plan.host, address[1]), demo, clock, token)
            await until_stopped(house)
    finally:
        await house.close()


def _found(directory: Path, choice: ClockChoice) -> None:
    """Begin an empty log with the catalogue, at the time the clock shall start from."""
    start_ms = machine_ms() if choice.start_ms is None else choice.start_ms
    # In a sandbox prices may jump, and a slow average would only be in the way (RULES 7.5).
    terms = [*genesis(read(example())), SetParameter("caution_half_life_ms", 0)]
    began = found(directory, terms, start_ms)
    if began:
        notes = msgspec.structs.replace(
            read_notes(directory), clock_offset_ms=start_ms - machine_ms()
        )
        if choice.start_ms is not None:
            keep_notes(directory, notes)
    elif choice.start_ms is not None:
        warn(f"{directory} has a log already: --start does not apply.")


def _clock(house: House, choice: ClockChoice) -> Clock:
    offset_ms = read_notes(house.directory).clock_offset_ms
    return Clock(choice.mode, house.engine.time_ms, speed_e6=choice.speed_e6, offset_ms=offset_ms)


def _offset_keeper(directory: Path, clock: Clock) -> Callable[[], None]:
    """Remember, whenever a real clock was moved, how far it is from the machine's."""

    def keep() -> None:
        if clock.mode == REAL:
            notes = read_notes(directory)
            keep_notes(directory, msgspec.structs.replace(notes, clock_offset_ms=clock.offset_ms))

    return keep


async def _demo_key(house: House) -> NewKey:
    """Make a key for the demo user, who is admitted at the first start."""
    notes = read_notes(house.directory)
    if not notes.demo_user:
        notes = msgspec.structs.replace(notes, demo_user=await admit_demo_user(house.node))
        keep_notes(house.directory, notes)
    return await house.identity.create_key(notes.demo_user, ALL_PERMISSIONS)


async def _tell_operator(house: House, url: str) -> None:
    """Say where the operators' console is, and how to get in; the operator is made once."""
    notes = read_notes(house.directory)
    number = 0
    while not notes.operator_email:
        number += 1
        email = OPERATOR.format("" if number == 1 else number)
        try:
            made = await house.identity.create_operator(email)
        except EmailTaken:
            continue
        notes = msgspec.structs.replace(
            notes, operator_email=email, operator_password=made.password
        )
        keep_notes(house.directory, notes)
    say(f"Operators' console: {url}")
    say(f"  e-mail      {notes.operator_email}")
    say(f"  password    {notes.operator_password}")


def _tell(url: str, demo: NewKey, clock: Clock, token: str) -> None:
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
    speed = f" at {clock.speed_e6 / SPEED_ONE_E6:g} times" if clock.mode == "scaled" else ""
    say(f"The exchange's clock is {clock.mode}{speed}; it is {now.replace('+00:00', 'Z')} there.")
    say(
        f"""
A demo user with 100 000 USDT and 1 BTC:
  apiKey      {demo.key}
  secretKey   {demo.secret}
  passphrase  {demo.passphrase}

  import ccxt
  bitget = ccxt.bitget({{
      "apiKey": "{demo.key}",
      "secret": "{demo.secret}",
      "password": "{demo.passphrase}",
  }})
  bitget.urls["api"] = {{name: "{url}" for name in bitget.urls["api"]}}
  bitget.load_markets()
  bitget.transfer("USDT", 1000, "spot", "cross")
  bitget.borrow_cross_margin("USDT", 100)
  print(bitget.fetch_balance({{"marginMode": "cross"}})["USDT"])
"""
    )
    if token:
        say(
            f"This sandbox listens beyond this machine: its own calls need the header\n"
            f"  X-Lombard-Token: {token}\n"
        )
    say(f"Lombard is ready: {url}")
