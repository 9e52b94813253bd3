"""What the tests of the wire share."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from lombard.identity import directory, passwords
from tests.api.house import OpenStreet


@pytest.fixture(autouse=True)
def _quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passphrases cheaply: every test makes users, and none is about the cost."""
    for module in (directory, passwords):
        monkeypatch.setattr(module, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture(scope="module")
def open_street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenStreet]:
    """Keep one street open for tables of questions that leave it as it is."""
    opened = OpenStreet(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()
