"""Fifty thousand commands, and every balance and debt as an independent auditor works it out.

The auditor (`lombard.sim.auditor`) has dictionaries and fractions and no code of the engine's. It
predicts each loan, repayment, receipt, trade, fee and freeze from commands and its own books.
"""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from lombard.core import events as e
from lombard.core import ledger
from lombard.core import queries as q
from lombard.sim.traffic import STORM, WEIGHTS, Traffic
from tests.core.audited import Audited
from tests.core.laws import show


def simulate(seed: int, commands: int, weights: dict[str, int]) -> None:
    """Let traffic run under audit; compare all books every so often, and at the end."""
    world = Audited()
    traffic = Traffic(world, Random(seed), users=5, weights=weights)
    for number in range(commands):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        check_sales(world.events)
        if number % 25 == 0:
            world.compare()
    world.compare()
    world.engine.check()
    assert {key: v for key, v in world.shadow.items() if v} == ledger.columns(world.state)

    check_debts(world)

    # What is never seen is not proven.
    seen = {e.Traded, e.Repaid, e.LiquidationFinished, e.FundTook, e.LiquidationFeePaid}
    assert seen <= {type(event) for event in world.history}
    interest = sum(coin.interest_units for coin in world.state.coins)
    paid = sum(event.interest_units for event in world.history if isinstance(event, e.Repaid))
    taken = sum(
        event.units
        for event in world.history
        if isinstance(event, e.VenueWithdrew) and event.source == ledger.INTEREST
    )
    assert interest + taken == paid > 0


def check_debts(world: Audited) -> None:
    """Interest due is what the receipts say, less what was paid and forgiven (RULES 4.2)."""
    due: Counter[tuple[int, int]] = Counter()
    for event in world.history:
        if isinstance(event, e.InterestCharged):
            due[event.account, event.coin] += event.units
        elif isinstance(event, (e.Repaid, e.LossBooked)):
            due[event.account, event.coin] -= event.interest_units
    for account in world.state.accounts:
        for row in q.pending_interest(world.state, account):
            due[account, row.coin] += row.units
        for view in q.balances(world.state, account):
            assert due[account, view.coin] == view.interest_units


def check_sales(events: list[e.Event]) -> None:
    """A slice that was sold to repay leaves its account better off, never worse (RULES 8.2).

    N - K grows with every slice; at a ratio of up to 1 that cannot but lower the ratio.
    """
    for before, event in pairwise(events):
        if isinstance(event, e.LiquidationStepped) and event.action == "sell":
            repaid = isinstance(before, e.Repaid) and before.coin == event.bought_coin
            if repaid and event.ratio_before_e6 <= 10**6:
                assert event.ratio_after_e6 <= event.ratio_before_e6, show(event)


@pytest.mark.parametrize("seed", range(4))
def test_the_auditor_agrees(seed: int) -> None:
    simulate(seed, 10_000, WEIGHTS)


def test_the_auditor_agrees_in_a_storm() -> None:
    simulate(1, 10_000, STORM)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("weights", [WEIGHTS, STORM], ids=["usual", "storm"])
@pytest.mark.parametrize("seed", range(50, 60))
def test_the_auditor_agrees_for_long(seed: int, weights: dict[str, int]) -> None:
    simulate(seed, 100_000, weights)
