"""What is on record of identity's audit log: kept, in snapshots and in the state hash."""

import pytest

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from tests.core.world import World

DIGEST = "0123456789abcdef" * 4


def test_the_last_seal_is_kept() -> None:
    world = World()
    before = world.engine.state_hash()
    assert (0, "") == q.audit_seal(world.state)
    assert not [line for line in world.engine.snapshot_lines() if "audit" in line]

    world.ok(c.VENUE, c.SealAudit(7, DIGEST))

    assert (7, DIGEST) == q.audit_seal(world.state)
    assert before != world.engine.state_hash()
    twin = Engine.restore(world.engine.snapshot_lines())
    assert (7, DIGEST) == q.audit_seal(twin.state)
    assert world.engine.state_hash() == twin.state_hash()
    # The log was lost and begins anew: what it is held against from now on is what there is.
    world.ok(c.VENUE, c.SealAudit(2, DIGEST[::-1]))
    assert (2, DIGEST[::-1]) == q.audit_seal(world.state)


@pytest.mark.parametrize(
    ("entry", "digest", "detail"),
    [
        (0, "", "entry"),
        (-1, DIGEST, "entry"),
        (1, "", "digest"),
        (1, DIGEST[1:], "digest"),
        (1, DIGEST + "0", "digest"),
        (1, DIGEST.upper(), "digest"),
        (1, "é" * 64, "digest"),
        (1, " " * 64, "digest"),
    ],
)
def test_what_is_no_seal(entry: int, digest: str, detail: str) -> None:
    world = World()
    world.ok(c.VENUE, c.SealAudit(7, DIGEST))

    reply = world.refused(c.VENUE, c.SealAudit(entry, digest))

    assert (Refusal.CONFIGURATION_INVALID, detail) == (reply.refusal, reply.detail)
    assert (7, DIGEST) == q.audit_seal(world.state)


def test_no_user_seals() -> None:
    world = World()
    account = world.crossed(USDT="1")

    reply = world.refused(account, c.SealAudit(7, DIGEST))

    assert Refusal.COMMAND_UNKNOWN is reply.refusal
    assert (0, "") == q.audit_seal(world.state)
