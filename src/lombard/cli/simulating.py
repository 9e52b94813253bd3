"""`lombard sim`: run the simulator, and say what it found."""

import time

from lombard.cli.telling import progress_bar, say, tell_fault
from lombard.core import __impl__
from lombard.sim.campaign import Campaign, run_campaign
from lombard.sim.law import Broken
from lombard.sim.run import Failure, law_of
from lombard.sim.scenarios import SCENARIOS
from lombard.sim.show import show
from lombard.sim.shrink import shrink

EXIT_BROKEN = 1


def simulate(seed: int, commands: int, seeds: int, processes: int | None) -> int:
    """Run seeds; return the exit code: 1 when a law was broken."""
    begun = time.monotonic()
    with progress_bar(f"{count(seeds, 'seed')} of {count(commands, 'command')}") as update:
        campaign = run_campaign(seed, seeds, commands, processes, lambda done: update(done, seeds))
    if campaign.failure is not None:
        tell(campaign.failure, commands)
        return EXIT_BROKEN
    say_figures(campaign, time.monotonic() - begun)
    return 0


def count(number: int, what: str) -> str:
    """Say how many there are: one seed, two seeds."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def say_figures(campaign: Campaign, seconds: float) -> None:
    """Say what a campaign without a failure came to."""
    seen = campaign.seen
    refused = sum(n for name, n in seen.items() if " " in name and not name.endswith(" done"))
    commands, seeds = count(campaign.commands, "command"), count(campaign.seeds, "seed")
    say(f"No law broken: {commands}, {seeds}, core {__impl__}.")
    say(
        f"{refused} refused, each as foretold; {seen['Traded']} trades, {seen['Borrowed']} loans, "
        f"{seen['HourTurned']} hours, {seen['LiquidationStarted']} liquidations, "
        f"{seen['TriggerFired']} triggers fired, {seen['LossBooked']} losses to pools."
    )
    say(f"{seconds:.1f} s, states {campaign.digest}")


def tell(failure: Failure, commands: int) -> None:
    """Print a failure: the seed, the law, and the commands that matter."""
    shrunk = shrink(failure)
    left, all_of_them = len(shrunk.steps), len(failure.steps)
    tell_fault(f"A law is broken: {shrunk.law}")
    say(shrunk.detail)
    say(f"lombard sim --seed {failure.seed} --commands {commands}")
    say(f"{left} of {all_of_them} commands still break it, after the {len(shrunk.setup)} of setup:")
    for envelope, _ in shrunk.steps:
        who = envelope.account or "venue"
        again = f" id {envelope.command_id.hex()}" if envelope.command_id else ""
        say(f"  {envelope.time_ms} {who}{again} {show(envelope.command)}")


def play(name: str) -> int:
    """Play a scenario, or all of them; return the exit code."""
    names = list(SCENARIOS) if name == "all" else [name]
    if not set(names) <= set(SCENARIOS):
        tell_fault(f"There is no scenario {name!r}, only all, {', '.join(SCENARIOS)}.")
        return EXIT_BROKEN
    for each in names:
        scenario = SCENARIOS[each]
        try:
            scenario()
        except AssertionError as fault:
            law = fault.law if isinstance(fault, Broken) else law_of(fault)
            tell_fault(f"{each}: a law is broken: {law}")
            say(str(fault))
            return EXIT_BROKEN
        say(f"{each}: {(scenario.__doc__ or '').splitlines()[0]}")
    return 0
