"""Run one seeded stream of commands on this process's build of the core, and print what it came to.

    python -m tests.core.stream SEED COMMANDS [--without-bounds]

Every thousand commands a line: their number, the state hash, and a hash of all that was said until
then. Two builds, two hash seeds, or two machines that print other lines are not the same exchange.
"""

import sys
from hashlib import blake2b
from random import Random

import lombard.core
from lombard.core import orders, watch
from lombard.sim.traffic import WITH_TRIGGERS, Traffic
from tests.core.laws import show
from tests.core.world import World

EVERY = 1_000


def without_bounds() -> None:
    """Have every question of risk decided by the exact rule (interpreted core only)."""
    assert lombard.core.__impl__ == "interpreted"
    for module in (orders, watch):
        module.__dict__["bounds_of"] = lambda *_: None


def stream(seed: int, commands: int) -> list[str]:
    """Apply the stream; return its lines."""
    world = World(audit=False)
    traffic = Traffic(world, Random(seed), weights=WITH_TRIGGERS)
    said = blake2b(digest_size=16)
    lines: list[str] = []
    for number in range(1, commands + 1):
        account, cmd = traffic.next()
        reply = world.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        for thing in [reply, *world.events]:
            said.update(show(thing).encode())
        if number % EVERY == 0:
            world.check()
            lines.append(f"{number} {world.engine.state_hash()} {said.hexdigest()}")
    return lines


if __name__ == "__main__":
    if "--without-bounds" in sys.argv:
        without_bounds()
    print(lombard.core.__impl__)
    print("\n".join(stream(int(sys.argv[1]), int(sys.argv[2]))))
