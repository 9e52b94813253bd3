"""What the tests of the core share."""

import pytest
from hypothesis import settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give thousands of examples the time they take."""
    if settings().max_examples >= 1_000:
        for item in items:
            item.add_marker(pytest.mark.timeout(14_400))
