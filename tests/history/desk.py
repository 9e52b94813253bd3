"""A desk for tests: says events command by command, and reads what history made of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from lombard.core.commands import BUY, GTC, LIMIT, NORMAL, SOURCE_API, STP_NONE, account_id
from lombard.core.events import Event, OrderPlaced, Traded
from lombard.history.places import Place, Remote, reading_engine, url_of
from lombard.history.projector import Projector
from lombard.history.reader import Reader
from lombard.history.schema import metadata
from tests.history.postgres import server
from tests.history.streams import START_MS, Work, coins_of

ALICE, BOB = 1_000_001, 1_000_002
ALICE_SPOT, ALICE_CROSSED = account_id(ALICE, 0), account_id(ALICE, 1)
BOB_SPOT, BOB_CROSSED = account_id(BOB, 0), account_id(BOB, 1)
ID = 1_000_000_000_000_000_000
Table = dict[str, list[tuple[Any, ...]]]


SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Databases:
    """Which kind of database the tests write to now; the fixture `database` says."""

    kind = SQLITE


def place_of(path: Path) -> Place:
    """Give the place a test means by a path: that file, or a database of its own."""
    if Databases.kind == SQLITE:
        return path
    return Remote(server().database(str(path)))


def told(place: Place) -> str:
    """Name a place to another process."""
    if isinstance(place, Path):
        return str(place)
    return place.url.render_as_string(hide_password=False)


def place_told(text: str) -> Place:
    """Read what another process was told."""
    return Remote(url_of(text)) if "://" in text else Path(text)


class Desk:
    """One history. `failures` must stay empty unless a test says otherwise."""

    def __init__(
        self,
        path: Path,
        commit_s: float = 0.001,
        backlog_max: int = 20_000,
        place: Place | None = None,
    ) -> None:
        self.path = path
        self.place = place or place_of(path)
        self.failures: list[BaseException] = []
        self.projector = Projector(
            self.place, coins_of, self.failures.append, backlog_max, commit_s
        )
        self.reader = Reader(self.place)
        self.seq = self.projector.applied_seq
        self.time_ms = START_MS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def say(self, *events: Event, at: int | None = None) -> None:
        """Record one command's events; returns when they can be read."""
        self.seq += 1
        self.time_ms = self.time_ms if at is None else at
        self.projector.submit(self.seq, self.time_ms, events)
        self.projector.wait_blocking(self.seq, 60)
        assert self.failures == []

    def feed(self, work: Iterable[Work]) -> None:
        """Record many commands."""
        seq = self.projector.applied_seq
        for seq, time_ms, events in work:
            if not self.projector.submit(seq, time_ms, events):
                self.projector.room_blocking()
        self.projector.wait_blocking(seq, 60)
        self.seq = seq
        assert self.failures == []

    def close(self) -> None:
        self.projector.close()
        self.reader.close()


def dump(path: Path) -> Table:
    """Read every row of every table, in the order of their keys."""
    engine = reading_engine(place_of(path))
    with engine.connect() as connection:
        content = {
            table.name: [tuple(row) for row in connection.execute(_ordered(table))]
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return content


def _ordered(table: Any) -> Any:
    return select(table).order_by(*table.primary_key.columns)


def placed(
    order_id: int,
    account: int = ALICE_SPOT,
    pair: int = 0,
    side: int = BUY,
    price_ticks: int = 100,
    size_steps: int = 5,
    client_oid: str = "",
    source: int = SOURCE_API,
) -> OrderPlaced:
    """An order of no particular kind."""
    kind = (side, LIMIT, GTC, NORMAL, STP_NONE)
    return OrderPlaced(
        order_id, account, pair, *kind, price_ticks, size_steps, 0, client_oid, source
    )


def traded(
    trade_id: int,
    taker: OrderPlaced,
    maker: OrderPlaced,
    base_units: int = 500,
    quote_units: int = 50_000,
    fees: Sequence[int] = (3, 70),
) -> Traded:
    """A trade of two such orders at the maker's price."""
    return Traded(
        trade_id,
        taker.pair,
        maker.price_ticks,
        5,
        base_units,
        quote_units,
        taker.side,
        taker.order_id,
        taker.account,
        fees[0],
        maker.order_id,
        maker.account,
        fees[1],
    )
