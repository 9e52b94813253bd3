"""The recordings carried along take a second to read: once is enough."""

import pytest

from lombard.market import Tape, build_tape


@pytest.fixture(scope="session")
def tape() -> Tape:
    """Return the market of the recordings carried with the package."""
    return build_tape()
