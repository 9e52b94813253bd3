"""A history written to by hand and read back; every test on a file and on a real PostgreSQL.

What is about one of the two only is marked with its name.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.desk import POSTGRESQL, SQLITE, Databases, Desk
from tests.history.postgres import close_server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each kind of database it is about."""
    marked = [
        kind
        for kind in (SQLITE, POSTGRESQL)
        if metafunc.definition.get_closest_marker(kind) is not None
    ]
    kinds = marked or [SQLITE, POSTGRESQL]
    metafunc.parametrize("database", kinds, indirect=True, scope="session")


@pytest.fixture(autouse=True, scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Say which kind of database the tests write to now."""
    Databases.kind = request.param
    yield request.param
    Databases.kind = SQLITE
    if request.param == POSTGRESQL:
        close_server()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "history.sqlite") as desk:
        yield desk


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most worlds that lived (`test_agreement`) on PostgreSQL to the long form.

    What they find is about the projection, which is the same; one of them shows that.
    """
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if given.get("told", 0) and given["database"] == POSTGRESQL:
            item.add_marker(pytest.mark.slow)
