"""What the tests of identity share."""

import pytest
from argon2 import PasswordHasher

from lombard.identity import directory, passwords


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash cheaply: none of these tests is about the cost."""
    for module in (directory, passwords):
        monkeypatch.setattr(module, "HASHER", PasswordHasher(1, 8, 1))
