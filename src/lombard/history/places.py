"""Where a history is: a file of the data directory, or a database of a PostgreSQL server.

A password is in the URL only: whatever prints a place prints stars for it.
"""

import sqlite3
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy import exc as sql_errors
from sqlalchemy.pool import NullPool, QueuePool

from lombard.history.faults import HistoryRefused

HISTORY_NAME: Final = "history.sqlite"
# How many answers may be read at the same time.
READ_CONNECTIONS: Final = 4
SQLITE_BUSY_S: Final = 10.0
EXAMPLE: Final = "postgresql://USER:PASSWORD@HOST/DATABASE"
_DRIVER: Final = "postgresql+psycopg"
_SCHEMES: Final = ("postgresql", "postgres", _DRIVER)
# A server that has gone without a word is noticed within half a minute.
_ALIVE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_READING: Final = "-c default_transaction_read_only=on -c statement_timeout=60000"


class Remote(NamedTuple):
    """A database for the history of one venue; `venue` is the data directory's own name for it."""

    url: URL
    venue: str = ""

    def __str__(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=True)


Place = Path | Remote


def url_of(text: str) -> URL:
    """Read the URL of a PostgreSQL database; raises `HistoryRefused`, which never repeats it."""
    try:
        url = make_url(text)
    except (sql_errors.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _SCHEMES or not url.database:
        raise HistoryRefused(f"The URL of a history is written as {EXAMPLE}; this one is not.")
    return url.set(drivername=_DRIVER)


def writing_engine(remote: Remote) -> Engine:
    """Make the engine of the one who writes: every connection is a new one, committing by hand."""
    arguments = _ALIVE | {"application_name": "lombard history"}
    return create_engine(
        remote.url,
        poolclass=NullPool,
        connect_args=arguments,
        isolation_level="AUTOCOMMIT",
        # Statements are also sent raw, their parameters by position.
        paramstyle="format",
    )


def reading_engine(place: Place) -> Engine:
    """Make an engine whose connections cannot write."""
    if isinstance(place, Path):
        uri = f"file:{quote(str(place.absolute()))}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(
                uri, uri=True, timeout=SQLITE_BUSY_S, check_same_thread=False
            ),
            poolclass=QueuePool,
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
        )
    options = " ".join(filter(None, [str(place.url.query.get("options", "")), _READING]))
    return create_engine(
        # Of the same option in URL and arguments the URL's would win.
        place.url.difference_update_query(["options"]),
        connect_args=_ALIVE | {"application_name": "lombard reader", "options": options},
        # All reads of one answer see the same commits.
        isolation_level="REPEATABLE READ",
        pool_size=READ_CONNECTIONS,
        max_overflow=0,
        # A connection of before the server's restart is replaced, not handed out.
        pool_pre_ping=True,
    )
