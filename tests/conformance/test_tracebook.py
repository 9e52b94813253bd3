"""An outside judge of the matching: `tracebook-conformance`, its engine and its traces.

Its fixed suite also has a pro-rata case, which no book of price and time can pass; the profile
`fifo-limit-v1` is what ours claims: limit orders, partial fills, cancellation, reduction,
replacement, clearing, duplicate and inactive ids, several symbols.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tracebook.conformance import run_campaign
from tracebook.events import MarketEvent

from tests.conformance.adapter import LombardAdapter

ROOT = Path(__file__).resolve().parents[2]
PROFILE = "fifo-limit-v1"


@pytest.mark.timeout(600)
def test_the_profile_is_qualified_over_the_judges_own_protocol(tmp_path: Path) -> None:
    judge = Path(sys.executable).with_name("tracebook-conformance")
    candidate = shlex.join([sys.executable, "-m", "tests.conformance.adapter"])
    done = subprocess.run(
        [
            judge, "qualify", "--profile", PROFILE, "--seed", "42", "--timeout", "60",
            "--candidate-cmd", candidate, "--output-dir", tmp_path / "found",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr
    found = json.loads((tmp_path / "found" / "qualification.json").read_text())
    assert found["qualified"]
    cases = ["fifo-lifecycle", "tick-grid", "deep-cancellation"]
    assert cases == found["suite"]["selected_cases"]


@pytest.mark.timeout(1_200)
def test_a_hundred_thousand_events_are_judged_alike() -> None:
    """Every outcome, trade and queue of a seeded campaign is the judge's own."""
    found = run_campaign(LombardAdapter, PROFILE, seed=2023, traces=200, events_per_trace=500)

    assert found.conformant, found.failure
    coverage = found.to_dict()["semantic_coverage"]
    assert 100_000 == coverage["compared_events"]
    assert [] == coverage["uncovered_capabilities"]


def test_the_judge_sees_an_order_that_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reducing by cancelling and placing anew is what it must not accept."""

    def reduce(self: LombardAdapter, event: MarketEvent) -> None:
        order = self.order(event)
        self.cancel(event)
        if order.price_ticks:
            self.place(event, order.account.id, order.pair, order.side, order.price_ticks, 1)

    monkeypatch.setattr(LombardAdapter, "reduce", reduce)

    found = run_campaign(LombardAdapter, PROFILE, seed=1, traces=2, events_per_trace=200)

    assert not found.conformant
