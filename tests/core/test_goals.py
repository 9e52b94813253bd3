"""The goals of value, order and time, each with the tests that own it.

`GOALS` names them; those without a better place are here. A goal whose test is gone fails.
"""

import ast
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.engine import Engine
from lombard.sim.loan import half_up
from lombard.sim.run import Run
from lombard.sim.stage import BTC, USDT, Stage
from lombard.sim.traffic import Traffic
from tests.core.test_laws_replay import recorded

ROOT = Path(__file__).resolve().parents[2]
HOUR_MS = 3_600_000

GOALS = {
    "1 conservation, after every command": [
        "tests/sim/test_simulator.py::test_a_million_commands_break_no_law",
        "tests/sim/test_simulator.py::test_fifty_million_commands_break_no_law",
        "tests/node/test_audit.py::test_a_unit_too_many_ends_the_audit_with_the_record",
    ],
    "2 no negative pool; of the racing borrowers of the last unit one wins": [
        "tests/sim/test_scenarios.py::test_it_ends_harmlessly",
        "tests/core/test_laws_limits.py::test_a_limit_is_accepted_and_one_unit_more_refused",
    ],
    "3 no account leaves under-collateralised": [
        "tests/core/test_goals.py::test_ten_thousand_interleavings_leave_nobody_uncovered",
    ],
    "4 interest exact": [
        "tests/core/test_goals.py::test_a_hundred_thousand_loans_pay_hour_by_hour_interest",
        "tests/core/test_laws_interest.py::test_churning_gains_nobody_a_unit",
        "tests/e2e/test_golden.py::test_one_bitcoin_over_a_change_of_rate",
    ],
    "5 splitting does not pay": [
        "tests/core/test_laws_matching.py::test_a_fee_does_not_depend_on_the_fills",
        "tests/core/test_laws_interest.py::test_borrowing_in_parts_pays_nobody",
        "tests/core/test_exploits.py::test_repaying_in_pieces_costs_what_repaying_at_once_does",
        "tests/core/test_exploits.py::test_a_trade_in_pieces_pays_no_less_fee",
    ],
    "6 determinism": [
        "tests/core/test_laws_builds.py::test_compiled_and_interpreted_agree",
        "tests/core/test_laws_builds.py::test_the_hash_seed_changes_nothing",
        "tests/test_tidy.py::test_the_core_depends_on_its_commands_only",
    ],
    "7 the hour turns exactly once": [
        "tests/core/test_goals.py::test_every_hour_turns_once_at_its_own_rate",
        "tests/core/test_goals.py::test_the_turn_of_hours_does_not_look_at_loans",
    ],
    "8 snapshots are invisible": [
        "tests/core/test_goals.py::test_any_of_two_hundred_snapshots_goes_on_as_the_first",
    ],
}


@pytest.mark.parametrize("goal", GOALS)
def test_a_goal_has_its_tests(goal: str) -> None:
    for name in GOALS[goal]:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert function in [n.name for n in tree.body if isinstance(n, ast.FunctionDef)], name


# --- 3 ------------------------------------------------------------------------------------------

ADVERSARIES = {
    "transfer": 10, "borrow": 14, "order": 12, "quote": 12, "gamble": 6, "repay": 4, "prices": 10,
    "jump": 1, "outage": 1, "run_off": 12, "ladder": 10, "all_in": 8, "leverage": 2, "proceed": 6,
    "deposit": 4,
}  # fmt: skip


@pytest.mark.timeout(600)
def test_ten_thousand_interleavings_leave_nobody_uncovered() -> None:
    """After what is accepted the rule holds, at the index of that command, in fractions."""
    accepted = 0
    for seed in range(5):
        run, random = Run(), Random(seed)
        run.list_catalogue()
        traffic = Traffic(run, random, 4, ADVERSARIES)
        traffic.pace = 20
        for _ in range(2_000):
            account, cmd = traffic.next()
            reply = run.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
            if reply.refusal is None and not run.auditor.recalled:
                accepted += covered(run, account, cmd)
        run.close()
    assert accepted > 500


def covered(run: Run, account: int, cmd: c.Command) -> int:
    """Hold a debtor to the rule that let the command pass; say whether there was one to hold."""
    a = run.auditor
    if not a.indebted(account) or account in a.locked:
        return 0
    net, debt, needed = a.risk(account, a.slow.values(a.terms))
    if isinstance(cmd, c.Transfer):
        assert debt <= net
        assert 2 * needed <= net
        return 1
    if isinstance(cmd, c.Borrow):
        # The limit is tested before the first hour is charged (RULES 6.1).
        first = [v for v in run.of_type(e.InterestCharged) if v.first]
        charged = sum((a.terms.unit_value(v.coin) * v.units for v in first), Fraction(0))
        slot = c.slot_of(account)
        top = 3
        if slot >= c.SLOT_ISOLATED:
            top = max(t[2] for t in a.terms.pairs[slot - c.SLOT_ISOLATED].terms.isolated_tiers)
        leverage = min(top, a.venue.leverage.get(account, top))
        assert debt - charged <= (leverage - 1) * (net + charged)
        return 1
    return 0


# --- 4 ------------------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_a_hundred_thousand_loans_pay_hour_by_hour_interest() -> None:
    """Interest by prefix sums is what one hour after the other comes to, exactly (RULES 4)."""
    stage, random = Stage(), Random(4)
    stage.list_catalogue()
    stage.ok(c.VENUE, c.FundPool(BTC, 10**18))
    accounts = [stage.crossed(USDT="100000", BTC="10") for _ in range(500)]
    rate = 70_000_000
    owed = dict.fromkeys(accounts, 0)
    # What was charged, in 1 / (24 * 10**12) units, and the units paid of it.
    charged, paid = dict.fromkeys(accounts, 0), dict.fromkeys(accounts, 0)
    loans = 0
    while loans < 100_000:
        # Put in force at the turn that follows (RULES 3.1).
        rate = random.choice([70_000_000, 0, 1, 10**9, 999_999_999])
        stage.ok(c.VENUE, c.SetRate(BTC, rate))
        stage.tick(stage.time_ms + HOUR_MS)
        for account in accounts:
            charged[account] += owed[account] * rate
        for account in random.sample(accounts, 200):
            if owed[account]:
                due = half_up(Fraction(charged[account], 24 * 10**12)) - paid[account]
                reply = stage.ok(account, c.Repay(BTC, 10**12, ""))
                assert (owed[account] + due, 0) == (reply.units, reply.remaining)
                paid[account] += due
            owed[account] = random.choice([1, 95_027, random.randrange(1, 10**8)])
            charged[account] += owed[account] * rate
            stage.ok(account, c.Borrow(BTC, owed[account], ""))
            loans += 1
    stage.engine.check()


# --- 7 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 12, 31, 21, 30, tzinfo=UTC),
        datetime(2028, 2, 28, 22, 15, tzinfo=UTC),
        # Where seconds no longer fit into 31 bits.
        datetime(2038, 1, 19, 1, 14, 7, tzinfo=UTC),
        datetime(2026, 3, 28, 23, 59, 59, tzinfo=UTC),
    ],
    ids=["year end", "leap day", "2038", "summer time"],
)
def test_every_hour_turns_once_at_its_own_rate(start: datetime) -> None:
    """A clock that jumps an hour either way, a change of rate an hour, a day of downtime."""
    stage = Stage()
    stage.time_ms = int(start.timestamp()) * 1_000
    stage.list_catalogue()
    debtor = stage.crossed(USDT="1000000")
    stage.rate("BTC", "0.0024")
    stage.tick(stage.time_ms + HOUR_MS)
    stage.borrow(debtor, "BTC", "1")
    rates = [2_400_000_000]
    hours = [stage.time_ms // HOUR_MS]
    for number, jump_ms in enumerate([HOUR_MS, -HOUR_MS, HOUR_MS, 24 * HOUR_MS, 1, HOUR_MS]):
        rate = 2_400_000_000 * (number + 2)
        stage.ok(c.VENUE, c.SetRate(BTC, rate))
        stage.tick(stage.time_ms + jump_ms)
        turned = [event.hour_ms // HOUR_MS for event in stage.of_type(e.HourTurned)]
        assert turned == list(range(hours[-1] + 1, stage.engine.time_ms // HOUR_MS + 1))
        hours += turned
        rates += [rate] * len(turned)
        stage.time_ms = stage.engine.time_ms
    assert list(range(hours[0], hours[-1] + 1)) == hours
    due = half_up(sum((Fraction(10**8 * rate, 24 * 10**12) for rate in rates), Fraction(0)))
    assert 10**8 + due == stage.debt(debtor, "BTC")


def test_the_turn_of_hours_does_not_look_at_loans() -> None:
    """A day of missed hours is 24 events, with no loan or with a thousand (RULES 4.4)."""
    for loans in (0, 1_000):
        stage = Stage()
        stage.list_catalogue()
        accounts = [stage.crossed(USDT="1000") for _ in range(loans)]
        for account in accounts:
            stage.ok(account, c.Borrow(USDT, 10**8, ""))
        stage.tick("2 00:00")
        assert 48 == len(stage.events)
        for account in accounts[:3]:
            assert stage.debt(account, "USDT") > 10**8


# --- 8 ------------------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_any_of_two_hundred_snapshots_goes_on_as_the_first() -> None:
    """Snapshot and the rest of the log are the whole log: same lines, same hash."""
    log = recorded(8, 1_200).log
    cuts = set(Random(8).sample(range(1, len(log)), 200))
    first = Engine()
    snapshots: list[tuple[int, list[str]]] = []
    for number, envelope in enumerate(log):
        if number in cuts:
            snapshots.append((number, list(first.snapshot_lines())))
        first.apply(envelope)
    assert 200 == len(snapshots)
    expected = list(first.snapshot_lines())
    for number, lines in snapshots:
        restored = Engine.restore(lines)
        for envelope in log[number:]:
            restored.apply(envelope)
        assert first.state_hash() == restored.state_hash(), number
        assert expected == list(restored.snapshot_lines())
