"""The control socket: how `lombard backup` and others reach the node that has a directory open.

A socket in the data directory, for the user who runs the node. One request a connection, and one
answer, each a line of JSON.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from lombard.node.errors import CannotStart

SOCKET_NAME: Final = "control.sock"
# What the kernel takes as a socket's path.
PATH_BYTES_MAX: Final = 100
LINE_BYTES_MAX: Final = 65_536
_LOG: Final = structlog.get_logger("lombard")


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """Make a backup into a new directory, an operator with an e-mail address, or a password reset
    for one, of the second device as well if `drops_device` says so.

    Without any of them, tell what numbers mean.
    """

    backup: str = ""
    operator: str = ""
    reset: str = ""
    drops_device: bool = False


class Answer(msgspec.Struct, omit_defaults=True):
    """What came of it."""

    finished: str = ""
    refused: str = ""
    coins: list[tuple[str, int]] = []
    pairs: list[str] = []


BackUp = Callable[[Path], Awaitable[str]]
MakeOperator = Callable[[str], Awaitable[str]]
Reset = Callable[[str, bool], Awaitable[str]]
# Tells coins, with their decimals, and pairs, when history has everything that was acknowledged.
Tell = Callable[[], Awaitable[tuple[list[tuple[str, int]], list[str]]]]


class ControlSocket:
    """Listens in a data directory, and makes backups, operators and resets when asked."""

    def __init__(
        self,
        directory: Path,
        back_up: BackUp,
        make_operator: MakeOperator,
        tell: Tell,
        reset: Reset,
    ) -> None:
        self._directory = directory
        self._back_up = back_up
        self._make_operator = make_operator
        self._tell = tell
        self._reset = reset
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        path = self._directory / SOCKET_NAME
        # Whoever left it is gone: this process holds the directory.
        path.unlink(missing_ok=True)
        with _short(self._directory) as directory, _private():
            self._server = await asyncio.start_unix_server(
                self._serve, os.path.join(directory, SOCKET_NAME), limit=LINE_BYTES_MAX
            )

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            with suppress(FileNotFoundError):
                (self._directory / SOCKET_NAME).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = msgspec.json.decode(await reader.readline(), type=Request)
            answer = await self._do(request)
        except Exception as fault:
            _LOG.warning("control request refused", why=str(fault))
            answer = Answer(refused=str(fault) or repr(fault))
        writer.write(msgspec.json.encode(answer) + b"\n")
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async def _do(self, request: Request) -> Answer:
        if request.backup:
            return Answer(finished=await self._back_up(Path(request.backup)))
        if request.operator:
            return Answer(finished=await self._make_operator(request.operator))
        if request.reset:
            return Answer(finished=await self._reset(request.reset, request.drops_device))
        coins, pairs = await self._tell()
        return Answer(coins=coins, pairs=pairs)


def ask_for_backup(directory: Path, target: Path) -> str | None:
    """Ask the node that has a directory open for a backup; None when there is no such node.

    Returns what it says of the backup. Raises `CannotStart` with its reason when it refuses.
    """
    return _finished(_ask(directory, Request(backup=str(target.absolute()))), "No backup was made")


def ask_for_operator(directory: Path, email: str) -> str | None:
    """Ask the node that has a directory open for an operator; None when there is no such node.

    Returns what to show. Raises `CannotStart` with its reason when it refuses.
    """
    return _finished(_ask(directory, Request(operator=email)), "No operator was made")


def ask_for_reset(directory: Path, email: str, drops_device: bool) -> str | None:
    """Ask the node that has a directory open for a password reset; None when there is no such node.

    Returns what to show. Raises `CannotStart` with its reason when it refuses.
    """
    request = Request(reset=email, drops_device=drops_device)
    return _finished(_ask(directory, request), "No reset was made")


def ask_for_names(directory: Path) -> Answer | None:
    """Ask the node that has a directory open for its names; None when there is no such node."""
    answer = _ask(directory, Request())
    _finished(answer, "The node does not answer")
    return answer


def _finished(answer: Answer | None, failed: str) -> str | None:
    if answer is None:
        return None
    if answer.refused:
        raise CannotStart(f"{failed}: {answer.refused}")
    return answer.finished


def _ask(directory: Path, request: Request) -> Answer | None:
    with _short(directory) as short, socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.path.join(short, SOCKET_NAME))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(msgspec.json.encode(request) + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline()
    if not line:
        raise CannotStart("Nothing was done: the node stopped meanwhile.")
    return msgspec.json.decode(line, type=Answer)


@contextmanager
def _short(directory: Path) -> Iterator[str]:
    """Name a directory so that a socket's path in it fits."""
    if len(os.fsencode(directory / SOCKET_NAME)) <= PATH_BYTES_MAX:
        yield str(directory)
        return
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


@contextmanager
def _private() -> Iterator[None]:
    """Make what is made meanwhile this user's alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
