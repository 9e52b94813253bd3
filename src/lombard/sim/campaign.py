"""Many seeds, on several processes: until all have run, or one breaks a law."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
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
    work = partial(run_seed, commands=commands)
    processes = min(seeds, processes or os.cpu_count() or 1)
    if processes == 1:
        outcomes = map(work, numbers)
        add(campaign, outcomes, hashed.update, progress)
    else:
        with ProcessPoolExecutor(processes) as pool:
            add(campaign, pool.map(work, numbers, chunksize=1), hashed.update, progress)
            pool.shutdown(cancel_futures=True)
    campaign.digest = hashed.hexdigest()
    return campaign


def add(
    campaign: Campaign,
    outcomes: Iterator[Outcome],
    update: Callable[[bytes], None],
    progress: Callable[[int], None],
) -> None:
    """Add outcomes up, in the order of their seeds, until one failed."""
    for outcome in outcomes:
        campaign.seeds += 1
        campaign.commands += outcome.commands
        campaign.seen += outcome.seen
        update(outcome.state_hash.encode())
        progress(campaign.seeds)
        if outcome.failure is not None:
            campaign.failure = outcome.failure
            return
