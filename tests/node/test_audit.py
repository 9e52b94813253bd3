"""The live audit: balanced books are noted, others stop the venue (RULES 2.1)."""

import asyncio

import pytest

from lombard.core.commands import Deposit
from lombard.node.audit import Auditor
from lombard.node.node import Node
from tests.node.world import ONE, USDT, MemoryHistory, ThreadedLog, manual_clock, run, spot, venue


def test_balanced_books_are_audited_while_the_node_runs() -> None:
    async def scenario() -> None:
        engine, journal = venue()
        node = Node(engine, ThreadedLog(journal), manual_clock(), MemoryHistory(journal.last_seq))
        node.start()
        auditor = Auditor(node, every_s=0.01)
        auditing = asyncio.create_task(auditor.run())

        await node.submit(spot(0), Deposit(USDT, ONE))
        while auditor.audited_seq < node.applied_seq:
            await asyncio.sleep(0.01)

        auditing.cancel()
        await node.drain()

    run(scenario())


def test_a_unit_too_many_ends_the_audit_with_the_record(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        engine, journal = venue()
        node = Node(engine, ThreadedLog(journal), manual_clock(), MemoryHistory(journal.last_seq))
        engine.state.coins[USDT].pool_units += 1

        with pytest.raises(AssertionError, match=f"do not balance after record {journal.last_seq}"):
            await Auditor(node).audit()

    run(scenario())
    assert "coin 0 does not balance by 1" in capfd.readouterr().err
