"""What the command line says: plain lines to the output, the rest to standard error."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ERRORS: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line, at once, for people and programs alike."""
    print(text, flush=True)


def warn(sentence: str) -> None:
    """Tell of something that is worth a note and stops nobody."""
    ERRORS.print(f"Note: {sentence}", markup=False)


def tell_fault(sentence: str) -> None:
    """Tell why something was not done."""
    ERRORS.print(sentence, markup=False, style="red" if ERRORS.is_terminal else "")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a long piece of work is, to a person at a terminal."""
    if not ERRORS.is_terminal:
        yield lambda done, all_of_it: None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, all_of_it: bar.update(task, completed=done, total=all_of_it)


def set_up_log(level: str, as_json: bool) -> None:
    """Send the log to standard error, a line an event."""
    number = getattr(logging, level.upper())
    logging.basicConfig(level=number, stream=sys.stderr, format="%(levelname)s %(message)s")
    if as_json:
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        # Never with local variables: they may hold secrets.
        renderer = structlog.dev.ConsoleRenderer(
            colors=ERRORS.is_terminal, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info if as_json else structlog.dev.set_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
