"""A history on `tmp_path`, written to by hand and read back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "history.sqlite") as desk:
        yield desk
