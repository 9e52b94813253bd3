"""The format of a history: an older one keeps its rows, migrations make what the schema says."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, select, text

from lombard.core.commands import SLOT_SPOT, account_id
from lombard.core.events import Deposited
from lombard.history import formats
from lombard.history.comparing import first_difference, first_imbalance
from lombard.history.faults import HistoryRefused
from lombard.history.places import Place, Remote, url_of
from lombard.history.projector import Projector
from lombard.history.schema import FORMAT, metadata
from tests.history.desk import Desk, dump, place_of
from tests.history.streams import Stream, coins_of

COMMANDS = 600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def connection(path: Path) -> Iterator[Connection]:
    """A connection to the place of `path`, for whoever has business with its tables."""
    engine = engine_of(place_of(path))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def engine_of(place: Place) -> Engine:
    url = f"sqlite:///{place}" if isinstance(place, Path) else place.url
    return create_engine(url)


def make_format_2(connection: Connection) -> None:
    """Make the tables of the first release, as it left them: it knew nothing of Alembic."""
    formats.migrate(connection, None, "2")
    connection.execute(text("DROP TABLE alembic_version"))


def differences(connection: Connection) -> list[Any]:
    """Compare what is there with the schema, as `alembic check` does, but for the indexes.

    Those have one name and two forms, one for each kind of database; see `indexes`.
    """

    def compared(_thing: object, _name: object, kind: str, *_: object) -> bool:
        return kind != "index"

    found = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            # Of an empty text SQLite's side of Alembic loses the quotes.
            "compare_server_default": connection.dialect.name == "postgresql",
            "include_object": compared,
        },
    )
    return list(compare_metadata(found, metadata))


def test_migrations_make_what_the_schema_says(connection: Connection) -> None:
    formats.migrate(connection, None)
    connection.commit()
    assert [] == differences(connection)


def test_a_new_history_is_at_the_head_of_the_migrations(path: Path, connection: Connection) -> None:
    Desk(path).close()
    assert str(FORMAT) == MigrationContext.configure(connection).get_current_revision()
    assert [] == differences(connection)


def test_a_new_history_and_an_old_one_have_the_same_indexes(
    path: Path, tmp_path: Path, connection: Connection
) -> None:
    formats.migrate(connection, None)
    connection.commit()
    other = tmp_path / "new.sqlite"
    Desk(other).close()
    engine = engine_of(place_of(other))
    with engine.connect() as fresh:
        assert indexes(fresh) == indexes(connection)
    engine.dispose()


def indexes(connection: Connection) -> dict[str, str]:
    """Give every index of ours as the database itself writes it."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    rows = connection.execute(text(query))
    return {name: " ".join(sql.split()).replace('"', "") for name, sql in rows}


def test_an_older_history_keeps_every_row_and_goes_on(tmp_path: Path, path: Path) -> None:
    work = list(islice(Stream(11, step_ms=5_000), COMMANDS))
    with Desk(tmp_path / "straight.sqlite") as straight:
        straight.feed(work[: COMMANDS // 2])
    as_it_was = dump(straight.path)
    engine = engine_of(place_of(path))
    with engine.connect() as connection:
        make_format_2(connection)
        then = MetaData()
        then.reflect(connection)
        for name, rows in as_it_was.items():
            if name not in then.tables:
                # Not there yet; of the house, the older one has nothing.
                assert name == "house" or [] == rows
                continue
            table = then.tables[name]
            names = list(metadata.tables[name].columns.keys())
            for row in rows:
                values = dict(zip(names, map(plain, row), strict=True))
                if name == "meta":
                    values |= {"format": 2}
                    del values["venue"], values["house_seq"]
                connection.execute(table.insert().values(values))
        connection.commit()
    engine.dispose()

    with Desk(path) as desk:
        assert COMMANDS // 2 == desk.projector.applied_seq
        assert "" == first_difference(desk.place, straight.place)
        desk.feed(work)
    with Desk(straight.path) as straight:
        straight.feed(work)
        assert "" == first_difference(desk.place, straight.place)
        change(desk.place, "UPDATE house SET delta_units = '7' WHERE account = 2 AND kind = 5")
        assert "the table house has" in first_difference(desk.place, straight.place)
    with_house, without = dump(straight.path), dump(path)
    # What it did not keep books of is in the books since only.
    since = COMMANDS // 2
    assert {since} == {row[-1] for row in without["meta"]}
    assert [row[0] for row in with_house["house"] if row[1] > since] == [
        row[0] for row in without["house"]
    ]
    assert without["house"]
    assert len(with_house["house"]) > len(without["house"])


def change(place: Place, sql: str) -> None:
    engine = engine_of(place)
    with engine.connect() as connection:
        connection.execute(text(sql))
        connection.commit()
    engine.dispose()


def test_a_ledger_that_does_not_balance_is_told(path: Path) -> None:
    with Desk(path) as desk:
        desk.say(Deposited(7, account_id(1_000_001, SLOT_SPOT), 1, 50))
        assert "" == first_imbalance(desk.place)
        change(desk.place, "UPDATE house SET delta_units = '-49' WHERE account = 1")
        assert "the ledger does not balance: coin 1 by 1." == first_imbalance(desk.place)
        change(desk.place, "UPDATE meta SET house_seq = 3")
        assert "" == first_imbalance(desk.place)


def plain(value: object) -> object:
    """A number too large for SQLite's integers is text there."""
    return str(value) if isinstance(value, int) and abs(value) >= 2**63 else value


def test_a_first_start_that_was_killed_in_the_first_release_is_begun_again(path: Path) -> None:
    engine = engine_of(place_of(path))
    with engine.connect() as connection:
        make_format_2(connection)
        connection.commit()
    engine.dispose()
    with Desk(path) as desk:
        assert 0 == desk.projector.applied_seq


def test_a_migration_that_is_cut_short_leaves_what_there_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(path)
    engine = engine_of(place)
    with engine.connect() as connection:
        make_format_2(connection)
        connection.execute(text("INSERT INTO meta VALUES (1, 2, 0, 0, 7)"))
        connection.commit()
    migrate = formats.migrate

    def cut_short(*args: object) -> None:
        migrate(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(formats, "migrate", cut_short)
        with pytest.raises(KeyboardInterrupt):
            Projector(place, coins_of, lambda failure: None)
    with engine.connect() as connection:
        assert "venue" not in {column["name"] for column in inspect(connection).get_columns("meta")}
        assert "alembic_version" not in inspect(connection).get_table_names()
    engine.dispose()
    with Desk(path) as desk:
        assert 7 == desk.projector._store.next_ledger_id


@pytest.mark.postgresql
def test_a_newer_history_and_a_strangers_tables_are_refused(
    path: Path, connection: Connection
) -> None:
    place = place_of(path)
    connection.execute(text("CREATE TABLE recipes (name TEXT)"))
    connection.commit()
    with pytest.raises(HistoryRefused, match="it has \\['recipes'\\]"):
        Projector(place, coins_of, lambda failure: None)
    connection.execute(text("DROP TABLE recipes"))
    connection.commit()
    Desk(path).close()
    connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    connection.commit()
    with pytest.raises(HistoryRefused, match="has format 99, this build writes format"):
        Projector(place, coins_of, lambda failure: None)


@pytest.mark.postgresql
def test_the_history_of_another_venue_is_refused(path: Path) -> None:
    place = place_of(path)
    assert isinstance(place, Remote)
    Projector(place._replace(venue="a"), coins_of, lambda failure: None).close()
    with pytest.raises(HistoryRefused, match="is the history of another data directory"):
        Projector(place._replace(venue="b"), coins_of, lambda failure: None)
    Projector(place._replace(venue="a"), coins_of, lambda failure: None).close()


@pytest.mark.sqlite
def test_a_place_is_named_without_its_password() -> None:
    place = Remote(url_of("postgres://me:secret@db.example:5433/venue"), "abc")
    assert str(place) == f"{place}" == "postgresql://me:***@db.example:5433/venue"
    assert "secret" not in repr(place)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "url", ["mysql://me:secret@h/x", "secret", "postgresql://me:secret@host", "postgresql://[::/x"]
)
def test_another_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(HistoryRefused, match="is written as postgresql://") as refused:
        url_of(url)
    assert "secret" not in str(refused.value)


def test_the_exact_columns_are_exact(connection: Connection, path: Path) -> None:
    Desk(path).close()
    table = metadata.tables["rates"]
    wide = 10**79 + 1
    connection.execute(table.insert().values(coin=1, from_ms=2, rate_e12=wide))
    assert [wide] == list(connection.execute(select(table.c.rate_e12)).scalars())
