"""A journal of 200 records, cut and with flipped bits: an exact prefix, or a refusal.

The long form takes half an hour or more: `python -m tests.journal.sweep --full` prints its counts.
"""

from pathlib import Path

import pytest

from tests.journal import sweep
from tests.journal.sweep import STATES, Image


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """The journal in each of its states."""
    return {image.state: image for image in sweep.make_images(tmp_path_factory.mktemp("images"))}


@pytest.mark.parametrize("state", STATES)
def test_some_faults(images: dict[str, Image], state: str, tmp_path: Path) -> None:
    outcomes = sweep.sweep(images[state], sweep.some_faults(images[state]), tmp_path, 101)

    # The sweep has seen what it is for.
    assert outcomes[f"{state:4}  witness 200  cut  journal.sqlite"]["refused"] > 0
    if state != "file":
        assert outcomes[f"{state:4}  witness 100  flip journal.sqlite-wal"]["prefix"] > 0
        assert outcomes[f"{state:4}  witness 200  flip journal.sqlite-wal"]["prefix"] == 0


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("state", STATES)
def test_all_faults(images: dict[str, Image], state: str, tmp_path: Path) -> None:
    sweep.sweep(images[state], sweep.all_faults(images[state]), tmp_path, 1009)
