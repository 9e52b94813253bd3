"""The two builds of the core are one exchange, whatever Python's hash seed (DESIGN 2).

The same seeded stream runs in processes of their own; they must agree on the state and on every
word they said. A third build, without the bounds that spare exact risk, must agree too: bounds
never decide.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.compile_core import missing_for_c

ROOT = Path(__file__).resolve().parents[2]


def start(
    build: str, hash_seed: str, seed: int, commands: int, *options: str
) -> subprocess.Popen[str]:
    """Start the stream in a process of its own."""
    environment = os.environ | {
        "LOMBARD_CORE": build,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
    }
    command = [sys.executable, "-m", "tests.core.stream", str(seed), str(commands), *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def lines_of(process: subprocess.Popen[str], build: str) -> list[str]:
    """Return the stream's lines, once the build is known to be the one that was asked for."""
    output, _ = process.communicate()
    assert process.returncode == 0
    ran, *lines = output.splitlines()
    assert build == ran
    return lines


def compare_builds(seed: int, commands: int, hash_seeds: list[str]) -> None:
    expected = lines_of(start("interpreted", "0", seed, commands), "interpreted")
    assert commands // 1_000 == len(expected)
    for hash_seed in hash_seeds:
        assert expected == lines_of(start("compiled", hash_seed, seed, commands), "compiled")


@pytest.fixture(scope="module")
def compiled() -> None:
    """Have the compiled core made, unless it is up to date; skip where there is no C compiler."""
    missing = missing_for_c()
    if missing:
        pytest.skip(f"THE TWO BUILDS WERE NOT COMPARED: {missing}")
    subprocess.run([sys.executable, "tools/compile_core.py"], cwd=ROOT, check=True)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("compiled")
def test_compiled_and_interpreted_agree() -> None:
    compare_builds(1, 20_000, ["1", "random"])


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("seed", range(10, 20))
def test_compiled_and_interpreted_agree_for_long(seed: int) -> None:
    compare_builds(seed, 200_000, ["random"])


def test_the_hash_seed_changes_nothing() -> None:
    first, second = (start("interpreted", seed, 2, 4_000) for seed in ("1", "2"))
    assert lines_of(first, "interpreted") == lines_of(second, "interpreted")


@pytest.mark.parametrize("seed", [3, 4])
def test_bounds_decide_nothing(seed: int) -> None:
    exact = start("interpreted", "0", seed, 4_000, "--without-bounds")
    bounded = start("interpreted", "0", seed, 4_000)
    assert lines_of(exact, "interpreted") == lines_of(bounded, "interpreted")
