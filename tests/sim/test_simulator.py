"""The simulator: many seeds without a broken law; and that it sees what is wrong when it is."""

import os
import re
import subprocess
import sys
from fractions import Fraction
from math import floor
from typing import get_args

import pytest
from typer.testing import CliRunner

from lombard.cli.app import app
from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.sim import oracle, order_oracle
from lombard.sim.book import NaiveOrder
from lombard.sim.campaign import Campaign, run_campaign
from lombard.sim.coupons import NaiveWallet
from lombard.sim.rates import NaiveRates
from lombard.sim.run import Run, replay, run_seed
from lombard.sim.shrink import shrink
from lombard.sim.venue import NaiveVenue
from tests.sim.planted import PLANTED

SEEN = [
    "Traded", "Borrowed", "Repaid", "MarginCalled", "LiquidationFinished", "FundPaid", "FundTook",
    "LiquidationFeePaid", "LossBooked", "HourTurned", "RateModelSet", "CouponStarted",
    "CouponEnded", "CouponRetired", "CouponsDrawn", "RepayReminded", "ChangeAnnounced",
    "AnnouncedChangeMade",
    "AnnouncementWithdrawn", "TriggerFired", "TriggerFailed", "TriggerCancelled", "TriggerModified",
    "TriggerSized", "TrailStarted", "FlashRepay done", "ClosePosition done", "Withdrawn",
    "VenueWithdrew", "MoveProposed", "MoveDecided", "AccountRestricted", "RestrictCoin done",
]  # fmt: skip


# What has no occasion: every pair's least size is one step; and seldom are more triggers due at
# once than a command fires, so that one is due for longer; a thousand proposals never wait.
NEVER_REFUSED = {
    Refusal.SIZE_UNDER_MINIMUM, Refusal.ORDER_CLOSED, Refusal.TOO_MANY_PROPOSALS,
}  # fmt: skip


def test_every_reply_is_foretold() -> None:
    assert set(get_args(c.Command)) == {*oracle.FORESEEN, *oracle.OF_THE_VENUE}


def check(campaign: Campaign, seeds: int, commands: int) -> None:
    """See that no law was broken, and that all that matters happened."""
    assert campaign.failure is None, (campaign.failure.seed, campaign.failure.law)
    assert (seeds, seeds * commands) == (campaign.seeds, campaign.commands)
    # What is never seen is not proven: every kind of event, every refusal of the core's own rules.
    assert [] == [kind for kind in SEEN if not campaign.seen[kind]]
    refusals = {name.partition(" ")[2] for name in campaign.seen if " " in name}
    missing = {refusal for refusal in Refusal if refusal.value not in refusals}
    assert missing <= NEVER_REFUSED


@pytest.mark.timeout(1_200)
def test_a_million_commands_break_no_law() -> None:
    """500 seeds of 2 000 commands, every reply and balance as foretold."""
    check(run_campaign(1, 500, 2_000), 500, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(86_400)
def test_fifty_million_commands_break_no_law() -> None:
    check(run_campaign(1_000_000, 5_000, 10_000), 5_000, 10_000)


@pytest.mark.parametrize("seed", [100_984, 101_035, 101_711])
def test_a_seed_that_broke_a_law_once(seed: int) -> None:
    """A stop that trailed an index of one source; a forced repayment that became a liquidation."""
    assert run_seed(seed, 2_000).failure is None


def test_a_seed_is_a_history() -> None:
    first, second = run_seed(7, 400), run_seed(7, 400)

    assert (first.state_hash, first.seen) == (second.state_hash, second.seen)
    assert first.state_hash != run_seed(8, 400).state_hash


def test_a_log_can_be_asked_again() -> None:
    run = Run()
    run.list_catalogue()
    run.borrow(run.crossed(USDT="100"), "USDT", "50")

    assert replay(run.steps) is None


def by_an_instant(rates: NaiveRates, coin: int, hour_ms: int) -> int:
    """Make the next hour's rate of what is lent as the hour turns, not of the hour's average."""
    pool = rates.pools[coin]
    return rates.rate(coin, Fraction(pool.lent, pool.supplied or 1))


# Errors in what the auditor believes are as good as errors in the engine: the two must differ.
ERRORS = [
    (NaiveOrder, "take_fee", lambda order, units, rate: floor(units * rate)),
    (order_oracle, "calm", lambda net, needed: 5 * needed < 3 * net or not needed),
    (order_oracle, "open_loss", lambda *_: Fraction(0)),
    (NaiveVenue, "recall", lambda *_: None),
    (NaiveRates, "turn", by_an_instant),
    (NaiveWallet, "covered_in_hour", lambda *_: Fraction(0)),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("place", "name", "error"), ERRORS, ids=[row[1] for row in ERRORS])
def test_an_error_is_found_and_shrunk(
    place: object, name: str, error: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, error)

    failure = run_campaign(1, 60, 2_000, processes=1).failure

    assert failure is not None
    shrunk = shrink(failure)
    assert (failure.seed, failure.law) == (shrunk.seed, shrunk.law)
    # Less than a quarter is left, or next to nothing where the error came at once.
    left = len(shrunk.steps)
    assert left <= 3 or 4 * left < len(failure.steps)
    assert replay([*shrunk.setup, *shrunk.steps]) is not None


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_planted_in_the_engine_is_found(name: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.sim.planted", name],
        env={**os.environ, "LOMBARD_CORE": "interpreted"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.startswith("broken: "), told.stdout


def test_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*ERRORS[0])

    told = CliRunner().invoke(app, ["sim", "--seeds", "3", "--commands", "300", "--processes", "1"])

    assert 1 == told.exit_code
    assert "lombard sim --seed 1 --commands 300" in told.output
    assert re.search(
        r"(\d+) of (\d+) commands still break it, after the \d+ of setup:\n  \d+ ", told.output
    )


def test_figures_are_told() -> None:
    told = CliRunner().invoke(app, ["sim", "--seeds", "2", "--commands", "50"])

    assert 0 == told.exit_code
    assert "No law broken: 100 commands, 2 seeds" in told.output
