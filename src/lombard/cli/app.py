"""The commands of `lombard`. A fault is a sentence and an exit code, never a traceback."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from lombard import __version__
from lombard.cli.backups import back_up_directory
from lombard.cli.config import EXAMPLE, read_config
from lombard.cli.doctoring import examine_directory
from lombard.cli.histories import check_history, rebuild_history
from lombard.cli.operators import create_operator as make_operator
from lombard.cli.operators import reset_password as make_reset
from lombard.cli.sandboxed import ClockChoice, Plan, run_sandbox
from lombard.cli.serve import run_serve
from lombard.cli.serving import refuse_optimised
from lombard.cli.simulating import play, simulate
from lombard.cli.statements import Form, write_statement
from lombard.cli.telling import progress_bar, say, set_up_log, tell_fault
from lombard.core import __impl__
from lombard.core.units import UnitsError, parse_units
from lombard.history.faults import HistoryError
from lombard.identity import StoreError, VaultError
from lombard.journal.lock import hold_directory
from lombard.journal.port import JournalError
from lombard.market import RecordingError, StandingError
from lombard.node.clock import MANUAL, REAL, SCALED, SPEED_MAX_E6, ClockError, machine_ms
from lombard.node.errors import CannotStart
from lombard.sandbox.catalogue import CatalogueError, example, genesis, read
from lombard.sandbox.founding import found

FAULTS: Final = (
    CannotStart,
    CatalogueError,
    ClockError,
    HistoryError,
    JournalError,
    RecordingError,
    StandingError,
    StoreError,
    VaultError,
)
EXIT_FAULT: Final = 1

app = typer.Typer(
    help="An open, self-hostable spot margin exchange.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

histories = typer.Typer(help="History: make it again, compare it.", no_args_is_help=True)
app.add_typer(histories, name="history")

HistoryUrl = Annotated[
    str,
    typer.Option("--history", help="URL of a PostgreSQL database for history; a file by default."),
]
HistoryData = Annotated[Path, typer.Option("--data", help="A data directory nobody has open.")]
Data = Annotated[Path | None, typer.Option(help="Data directory; a temporary one by default.")]


def main() -> None:
    """Run the command line."""
    app()


@contextmanager
def _faults() -> Iterator[None]:
    """Say what is wrong in a sentence, and exit."""
    try:
        refuse_optimised()
        yield
    except FAULTS as fault:
        tell_fault(str(fault))
        raise typer.Exit(EXIT_FAULT) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def sandbox(
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
    operator_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Of the operators' console; by default ten further."),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    clock: Annotated[str, typer.Option(help="real, manual, or a speed such as 60.")] = REAL,
    start: Annotated[
        str | None, typer.Option(help="When an empty log begins, as ISO 8601; now by default.")
    ] = None,
    market: Annotated[str, typer.Option(help="replay, replay:FILE.csv[.gz], or none.")] = "replay",
    rate_limits: Annotated[bool, typer.Option(help="Count calls as the venue does.")] = False,
    history: HistoryUrl = "",
    commands_per_second: Annotated[
        int, typer.Option(min=0, help="Take no more than so many; 0: as many as can be.")
    ] = 0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning, error.")] = "warning",
    log_format: Annotated[str, typer.Option(help="text, or json.")] = "text",
) -> None:
    """Run an exchange with margin on this machine, the clock in your hand."""
    mode, speed_e6 = _clock(clock)
    start_ms = None if start is None else _moment(start)
    plays, recording = _market(market)
    _log(log_level, log_format)
    with _faults():
        run_sandbox(
            Plan(
                directory=data,
                host=host,
                port=port,
                clock=ClockChoice(mode, speed_e6, start_ms),
                market=plays,
                recording=recording,
                rate_limits=rate_limits,
                history_url=history,
                commands_per_second=commands_per_second,
                operator_port=operator_port,
            )
        )


@app.command()
def serve(
    config: Annotated[Path, typer.Option(help="Where the process's settings are.")],
) -> None:
    """Serve a venue that `lombard init` has made. A configuration is a TOML file."""
    with _faults():
        settings = read_config(config)
        set_up_log(settings.log.level, settings.log.format == "json")
        run_serve(settings)


serve.__doc__ = f"{serve.__doc__} At least:\n\n{EXAMPLE}"


@app.command()
def init(
    catalogue: Annotated[Path, typer.Argument(help="The file of coins, pairs and terms.")],
    data: Annotated[Path | None, typer.Option(help="Make a venue of it in this directory.")] = None,
) -> None:
    """Write an example catalogue, or make a venue of one that is there."""
    with _faults():
        if not catalogue.exists():
            if data is not None:
                raise CannotStart(
                    f"There is no {catalogue}; `lombard init {catalogue}` writes an example."
                )
            _write(catalogue, example())
            say(f"Wrote an example to {catalogue}. Change it to what you want, then make a venue:")
            say(f"  lombard init {catalogue} --data DIR")
            return
        commands = genesis(read(_read(catalogue)))
        if data is None:
            say(f"{catalogue} is in order. Make a venue of it: lombard init {catalogue} --data DIR")
            return
        lock = hold_directory(data)
        try:
            if not found(data, commands, machine_ms()):
                raise CannotStart(f"{data} has a venue already; its terms are in its log.")
        finally:
            lock.release()
        say(f"{data} is a venue now. Serve it: lombard serve --config lombard.toml, with in it")
        say(EXAMPLE.replace("/var/lib/lombard", str(data.absolute())).rstrip())


@app.command()
def doctor(
    directory: Annotated[Path, typer.Argument(help="A data directory that nobody has open.")],
    accept_journal_end: Annotated[
        bool,
        typer.Option(
            "--accept-journal-end",
            help="Go on with what the journal holds, giving up what the witness says is lost.",
        ),
    ] = False,
) -> None:
    """Examine a data directory and explain what is there. Changes nothing unless told to."""
    with _faults():
        raise typer.Exit(examine_directory(directory, accept_journal_end))


@app.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="A data directory, in use or not.")],
    target: Annotated[Path, typer.Argument(help="The directory to make; it must not exist.")],
) -> None:
    """Copy a data directory while its node trades on. The copy is a data directory."""
    with _faults():
        say(back_up_directory(directory, target))


@app.command()
def create_operator(
    email: Annotated[str, typer.Argument(help="Whom the operator is reached and logged in by.")],
    data: Annotated[Path, typer.Option(help="The venue's data directory, in use or not.")],
) -> None:
    """Make an operator of a venue: a user with a key that may administer it, shown once."""
    with _faults():
        say(make_operator(data, email))


@app.command()
def reset_password(
    email: Annotated[str, typer.Argument(help="Whose password: the address they log in with.")],
    data: Annotated[Path, typer.Option(help="The venue's data directory, in use or not.")],
    without_device: Annotated[
        bool, typer.Option("--without-device", help="Remove the second device as well.")
    ] = False,
) -> None:
    """Make a token with which a user sets a new password, once, within half an hour."""
    with _faults():
        say(make_reset(data, email, without_device))


@app.command()
def statement(
    data: Annotated[Path, typer.Option(help="A data directory, in use or not.")],
    user: Annotated[int, typer.Option(min=1, help="Whose statement.")],
    begin: Annotated[str, typer.Option("--from", help="The first moment, as ISO 8601.")],
    end: Annotated[str, typer.Option("--to", help="The first moment after it.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist.")],
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    history: HistoryUrl = "",
) -> None:
    """Write what a period changed in each holding of a user, from balance to balance."""
    from_ms, until_ms = _moment(begin, "--from"), _moment(end, "--to")
    if form not in ("csv", "parquet"):
        raise typer.BadParameter(f"{form!r} is neither csv nor parquet.", param_hint="--format")
    chosen: Form = "csv" if form == "csv" else "parquet"
    with _faults():
        say(write_statement(data, history, user, from_ms, until_ms, chosen, out))


@histories.command("rebuild")
def history_rebuild(data: HistoryData, history: HistoryUrl = "") -> None:
    """Make history again from the journal, in place of the one there is."""
    with _faults(), progress_bar("Rebuilding") as progress:
        sentence = rebuild_history(data, history, progress)
    say(sentence)


@histories.command("check")
def history_check(data: HistoryData, history: HistoryUrl = "") -> None:
    """Compare history with the journal, row by row. Changes nothing."""
    with _faults(), progress_bar("Checking") as progress:
        sentence = check_history(data, history, progress)
    say(sentence)


@app.command()
def sim(
    seed: Annotated[int, typer.Option(min=0, help="The first seed; a seed is a history.")] = 1,
    commands: Annotated[int, typer.Option(min=1, help="How many commands a seed.")] = 2_000,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, one after the other.")] = 1,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many at once; as many as there are processors.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Play an incident or a trap by its name, or all.")
    ] = None,
) -> None:
    """Run the engine under generated users and faults, beside an auditor that foretells it."""
    with _faults():
        if scenario is None:
            raise typer.Exit(simulate(seed, commands, seeds, processes))
        raise typer.Exit(play(scenario))


@app.command()
def version() -> None:
    """Print which Lombard this is."""
    python = ".".join(map(str, sys.version_info[:3]))
    sqlite = sqlite3.sqlite_version
    say(f"Lombard {__version__}, core {__impl__}, Python {python}, SQLite {sqlite}")


# --- arguments ------------------------------------------------------------------------------------


def _clock(text: str) -> tuple[str, int]:
    if text in (REAL, MANUAL):
        return text, 10**6
    try:
        speed_e6 = parse_units(text, 6)
    except UnitsError:
        speed_e6 = 0
    if not 0 < speed_e6 <= SPEED_MAX_E6:
        most = SPEED_MAX_E6 // 10**6
        raise typer.BadParameter(
            f"A clock is real, manual, or a speed up to {most}, not {text!r}.", param_hint="--clock"
        )
    return SCALED, speed_e6


def _moment(text: str, option: str = "--start") -> int:
    try:
        moment = datetime.fromisoformat(text)
        # A time without a zone is meant in UTC, as all of the venue's are.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        elapsed = None
    if elapsed is None or elapsed.days < 0:
        raise typer.BadParameter(
            f"{text!r} is not a time as 2024-01-31T12:00:00Z is one.", param_hint=option
        )
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def _market(text: str) -> tuple[bool, Path | None]:
    kind, colon, name = text.partition(":")
    if kind == "none" and not colon:
        return False, None
    if kind == "replay" and bool(colon) == bool(name):
        return True, Path(name) if name else None
    raise typer.BadParameter(
        f"A market is replay, replay:FILE or none, not {text!r}.", param_hint="--market"
    )


def _log(level: str, form: str = "text") -> None:
    if form not in ("text", "json"):
        raise typer.BadParameter(f"{form!r} is no format.", param_hint="--log-format")
    if level not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"{level!r} is no level.", param_hint="--log-level")
    set_up_log(level, as_json=form == "json")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotStart(f"{path} cannot be read: {fault}.") from fault


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as fault:
        raise CannotStart(f"{path} cannot be written: {fault.strerror}.") from fault
