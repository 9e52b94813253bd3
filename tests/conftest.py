"""What every test shares: how hypothesis draws, and a header that says what is being tested.

Asserts in what tests share tell what they compared.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

import lombard.core

pytest.register_assert_rewrite(
    "lombard.sim.auditor",
    "tests.core.laws",
    "lombard.sim.book",
    "lombard.sim.liquidations",
    "lombard.sim.terms",
    "tests.core.naive_triggers",
    "tests.core.world",
)

# `ci` draws the same examples every time: a red build is about the change, not about luck.
settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=50,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    max_examples=2_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print which build of the core runs and how hypothesis draws."""
    profile = settings.get_current_profile_name()
    return [f"lombard core: {lombard.core.__impl__}", f"hypothesis profile: {profile}"]
