"""The crash of March 2023, replayed: every unit of every liquidation accounted for (RULES 8).

The run is the same in another process, with another hash seed, and on the core's other build.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lombard.core

ROOT = Path(__file__).resolve().parents[2]


def start(build: str, *options: str) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    environment = os.environ | {"LOMBARD_CORE": build, "PYTHONHASHSEED": "random"}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    command = [sys.executable, "-m", "tests.market.crash", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def finish(run: subprocess.Popen[str], build: str) -> str:
    """Return the run's line of figures; the run has held all its liquidations to account."""
    output, _ = run.communicate()
    assert 0 == run.returncode
    figures, footer = output.splitlines()
    assert footer.startswith(build)
    return figures


def replay(builds: list[str], *options: str) -> dict[str, object]:
    """Run the crash on each of the builds; return the figures, which must be the same."""
    runs = [start(build, *options) for build in builds]
    first, *others = [finish(run, build) for run, build in zip(runs, builds, strict=True)]
    for other in others:
        assert first == other
    figures: dict[str, object] = json.loads(first)
    return figures


def check(figures: dict[str, object]) -> None:
    """See that what was to be shown happened at all."""
    # USDC lost its peg, fund and pool lost money, and both ways of ending were seen.
    lowest = figures["lowest"]
    assert isinstance(lowest, dict)
    assert 0.87 > lowest["USDC"]
    names = ["MarginCalled", "LiquidationFinished", "sell", "fund paid USDT", "pool lost USDT"]
    assert [] == [name for name in names if not figures.get(name)]


@pytest.mark.timeout(600)
def test_the_crash_is_accounted_for_to_the_unit() -> None:
    """8 to 11 March with 300 accounts; the long form has all of it, with 10 000."""
    builds = ["interpreted", lombard.core.__impl__]

    figures = replay(builds, "--accounts", "300", "--days", "4")

    check(figures)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_the_whole_crash_is_accounted_for_to_the_unit() -> None:
    build = lombard.core.__impl__

    figures = replay([build, build], "--accounts", "10000", "--first-day", "0", "--days", "21")

    check(figures)
