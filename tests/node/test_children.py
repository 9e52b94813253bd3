"""Work in a child: its answer comes back, and a child without one is an error."""

import asyncio
import os
import signal

import pytest

from lombard.node.children import ChildFailed, answer_of_child
from tests.node.world import run


def test_a_child_answers_of_what_there_was_when_it_was_asked() -> None:
    async def scenario() -> None:
        there = [b"before" * 100_000]
        answers = [asyncio.create_task(answer_of_child(lambda: there[0])) for _ in range(2)]
        await asyncio.sleep(0)
        there[0] = b"after"
        assert [b"before" * 100_000] * 2 == await asyncio.gather(*answers)
        assert b"after" == await answer_of_child(lambda: there[0])

    run(scenario())


@pytest.mark.parametrize("how", ["raises", "is killed"])
def test_a_child_without_an_answer_is_an_error(how: str, capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> bytes:
        if how == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("no")

    async def scenario() -> None:
        with pytest.raises(ChildFailed, match="code 1" if how == "raises" else "signal 9"):
            await answer_of_child(work)

    run(scenario())
    assert ("could not be done" in capfd.readouterr().err) == (how == "raises")


def test_nobody_needs_to_wait_for_the_answer() -> None:
    async def scenario() -> None:
        asked = asyncio.create_task(answer_of_child(lambda: b"late"))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert b"next" == await answer_of_child(lambda: b"next")

    run(scenario())
