"""What the tests of the core share: asserts in their helpers tell what they compared."""

import pytest

pytest.register_assert_rewrite(
    "tests.core.auditor",
    "tests.core.laws",
    "tests.core.naive_book",
    "tests.core.naive_terms",
    "tests.core.world",
)
