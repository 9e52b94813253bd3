"""Many seeds, on several processes: until all have run, or one breaks a law."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b

from lombard.sim.run import Failure, Outcome, run_seed


@dataclass
class Campaign:
    """What so many seeds came to. `digest` is of all their final states."""

    seeds: int = 0
    commands: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    failure: Failure | None = None


def run_campaign(
    first_seed: int,
    seeds: int,
    commands: int,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Campaign:
    """Run seeds from `first_seed` on, each for so many commands; stop at the first failure."""
    campaign = Campaign()
    hashed = blake2b(digest_size=16)
    numbers = range(first_seed, first_seed + seeds)
    work = partial(run_lightly, commands=commands)
    processes = min(seeds, processes or os.cpu_count() or 1)
    failed = None
    if processes == 1:
        failed = add(campaign, map(work, numbers), hashed.update, progress)
    else:
        with ProcessPoolExecutor(processes) as pool:
            outcomes = pool.map(work, numbers, chunksize=1)
            failed = add(campaign, outcomes, hashed.update, progress)
            pool.shutdown(cancel_futures=True)
    if failed is not None:
        # Commands do not travel between processes; a seed fails again just as it did.
        campaign.failure = run_seed(failed, commands).failure
        assert campaign.failure is not None, f"Invariant: seed {failed} fails only sometimes"
    campaign.digest = hashed.hexdigest()
    return campaign


def run_lightly(seed: int, commands: int) -> tuple[Outcome, bool]:
    """Run a seed; return what it came to without its commands, and whether it failed."""
    outcome = run_seed(seed, commands)
    return replace(outcome, failure=None), outcome.failure is not None


def add(
    campaign: Campaign,
    outcomes: Iterator[tuple[Outcome, bool]],
    update: Callable[[bytes], None],
    progress: Callable[[int], None],
) -> int | None:
    """Add outcomes up, in the order of their seeds, until one failed; return that seed."""
    for outcome, failed in outcomes:
        campaign.seeds += 1
        campaign.commands += outcome.commands
        campaign.seen += outcome.seen
        update(outcome.state_hash.encode())
        progress(campaign.seeds)
        if failed:
            return outcome.seed
    return None
