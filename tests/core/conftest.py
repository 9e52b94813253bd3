"""What the tests of the core share: asserts in their helpers tell what they compared."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite(
    "tests.core.auditor",
    "tests.core.laws",
    "tests.core.naive_book",
    "tests.core.naive_liquidation",
    "tests.core.naive_terms",
    "tests.core.naive_triggers",
    "tests.core.world",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give thousands of examples the time they take."""
    if settings().max_examples >= 1_000:
        for item in items:
            item.add_marker(pytest.mark.timeout(14_400))
