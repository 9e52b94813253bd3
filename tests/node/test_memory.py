"""Memory is given back after a load, and not while there is one."""

import asyncio

import pytest

from lombard.cli import memory


def test_memory_is_given_back_in_the_quiet_after_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    answers = [0]

    def trim(kept: int) -> int:
        assert kept == 0
        given.append(answers[0])
        return 1

    def count() -> int:
        # Busy for ten looks, then nobody comes any more.
        answers[0] += memory.QUIET_ANSWERS if answers[0] < 10 * memory.QUIET_ANSWERS else 0
        return answers[0]

    async def test() -> None:
        monkeypatch.setattr(memory, "trimmer", lambda: trim)
        task = asyncio.create_task(memory.give_back(count, look_s=0.001))
        while len(given) < memory.QUIET_TIMES:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(test())
    # Only after all of it, and then not for ever.
    assert given == [10 * memory.QUIET_ANSWERS] * memory.QUIET_TIMES


def test_where_memory_cannot_be_given_back_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "trimmer", lambda: None)
    asyncio.run(memory.give_back(lambda: 0))
