"""A pool for slow hashes: few threads, a short queue, and a refusal for what does not fit in."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, final

T = TypeVar("T")


class TooManyChecks(Exception):
    """So many passwords or passphrases wait to be checked that this one will not be."""


@final
class HashPool:
    """Runs slow work in `workers` threads, at most `waiting_max` pieces of it at a time."""

    def __init__(self, workers: int, waiting_max: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._waiting_max = waiting_max
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns. Raises `TooManyChecks`."""
        if self._waiting >= self._waiting_max:
            raise TooManyChecks
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what is under way."""
        self._pool.shutdown()
