"""A process killed at each of its writes, and a disk that fails each of them once.

Whatever the moment: the next start is clean, nothing that was acknowledged is lost, nothing is
invented, and the doctor finds nothing wrong. Needs strace, and skips aloud without it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lombard.journal.doctor import EXIT_HEALTHY, examine
from lombard.journal.recovery import recover
from tests.journal.records import fill, payloads, read_all
from tests.journal.scenario import BATCH, BATCHES, FAILED

ROOT = Path(__file__).resolve().parents[2]
CALLS = ("fdatasync", "pwrite64", "fsync", "write", "rename", "ftruncate", "unlink", "mkdir")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
STRACE = shutil.which("strace")

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed: NOT TESTED")


def run(directory: Path, call: str, inject: str = "") -> tuple[str, int, int]:
    """Live through the scenario. Returns what it printed, its exit code, and how many calls."""
    log = directory.with_name("strace.log")
    inject = f"inject={call}:{inject}" if inject else f"trace={call}"
    command = [str(STRACE), "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject]
    scenario = [sys.executable, "-m", "tests.journal.scenario", str(directory)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [*command, *scenario],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=directory.parent,
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.stdout, done.returncode, len(re.findall(rf"\b{call}\(", log.read_text()))


def check(directory: Path, printed: str) -> str:
    """Start again, compare with what was acknowledged, and go on."""
    acknowledged = max([0, *map(int, re.findall(r"acknowledged (\d+)", printed))])
    if not directory.exists():
        assert acknowledged == 0
        return "nothing"
    assert examine(directory).exit_code == EXIT_HEALTHY

    journal = recover(directory, warn=lambda _: None).journal
    found = journal.last_seq
    assert acknowledged <= found <= acknowledged + BATCH
    first = journal.first_seq
    assert payloads(first, found - first + 1) == read_all(journal, first)
    fill(journal, 1, BATCH)
    journal.close()

    again = recover(directory, warn=lambda _: None)
    assert [e.seq for e in again.tail][-BATCH:] == list(range(found + 1, found + BATCH + 1))
    again.journal.close()
    return "exact" if found == acknowledged else "one batch more"


def interrupt(tmp_path: Path, call: str, fault: str, every: int) -> Counter[str]:
    """Interrupt the scenario at every so many of its calls. Returns how it went how often."""
    whole, code, calls = run(tmp_path / "whole", call)
    assert (0, BATCHES) == (code, whole.count("acknowledged"))
    assert calls > 0
    outcomes: Counter[str] = Counter()
    for when in range(1, calls + 1, every):
        directory = tmp_path / str(when)
        printed, code, _ = run(directory, call, f"{fault}:when={when}")
        if "ended" not in printed and not fault.startswith("signal"):
            # A reason is given, unless it is the giving of it that fails.
            assert code == (FAILED if "failed: " in printed else 1), printed
            assert "failed: " in printed or call == "write"
        outcomes[check(directory, printed)] += 1
    return outcomes


@pytest.mark.parametrize("fault", FAULTS[:2])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_some_calls(tmp_path: Path, call: str, fault: str) -> None:
    assert interrupt(tmp_path, call, fault, 9).total() >= 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_every_call(tmp_path: Path, call: str, fault: str) -> None:
    assert interrupt(tmp_path, call, fault, 1).total() >= 1
