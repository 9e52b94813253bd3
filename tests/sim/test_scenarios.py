"""The scenarios by name: incidents of real venues, and the traps of loan pools."""

import pytest
from typer.testing import CliRunner

from lombard.cli.app import app
from lombard.sim.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_ends_harmlessly(name: str) -> None:
    told = CliRunner().invoke(app, ["sim", "--scenario", name])

    assert (0, True) == (told.exit_code, told.output.startswith(f"{name}: ")), told.output


def test_a_scenario_that_is_not_there() -> None:
    told = CliRunner().invoke(app, ["sim", "--scenario", "atlantis"])

    assert 1 == told.exit_code
    assert "There is no scenario 'atlantis'" in told.output
