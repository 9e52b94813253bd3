"""One run: a seed, the history that follows from it, and the laws after every command.

A run is one venue, its traffic, and the auditor beside it. It ends at the first law that does not
hold, with the commands that were asked until then.
"""

import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from lombard.core.commands import (
    CancelOrder,
    CancelTrigger,
    ClaimCoupon,
    Command,
    DrawCoupons,
    EnterDraw,
    Envelope,
    GrantCoupons,
    ModifyTrigger,
    ReplaceOrder,
    WithdrawAnnouncement,
)
from lombard.core.engine import Engine
from lombard.core.state import Reply
from lombard.sim.auditor import Auditor
from lombard.sim.law import Broken, hold
from lombard.sim.laws import Laws
from lombard.sim.stage import Stage
from lombard.sim.swarm import Swarm
from lombard.sim.traffic import Traffic

# All balances are compared once in so many commands, those of whoever asked after each.
COMPARE_EVERY = 50


class Step(NamedTuple):
    """A command that was asked, and the id in its reply."""

    envelope: Envelope
    id: int


@dataclass(frozen=True)
class Failure:
    """A law that does not hold: which, what was seen, and the commands that led there.

    `setup` lists the catalogue and brings the users in; it is the same for all seeds, but for the
    number of users.
    """

    seed: int
    law: str
    detail: str
    setup: list[Step]
    steps: list[Step]


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seed: int
    commands: int
    seen: Counter[str]
    state_hash: str
    failure: Failure | None


class Run(Stage):
    """A stage under the eyes of the auditor, where the laws are held after every command."""

    def __init__(self) -> None:
        super().__init__()
        self.auditor = Auditor()
        self.laws = Laws(self.engine, self.auditor)
        self.steps: list[Step] = []
        # Kinds of commands with what they came to, and kinds of events.
        self.seen: Counter[str] = Counter()

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        """Apply a command; the auditor must have foreseen it, and the laws must hold after it."""
        self.laws.before(len(self.log))
        reply = super().do(account, cmd, at, command_id)
        envelope = self.log[-1]
        self.steps.append(Step(envelope, reply.id))
        outcome = "done" if reply.refusal is None else reply.refusal.value
        self.seen[f"{type(cmd).__name__} {outcome}"] += 1
        for event in self.events:
            self.seen[type(event).__name__] += 1
        self.auditor.follow(envelope, reply, self.events, self.state)
        self.auditor.triggers.compare(self.state)
        self.laws.after(envelope, reply, self.events)
        if len(self.log) % COMPARE_EVERY == 0:
            self.auditor.compare(self.state)
        else:
            self.auditor.compare_accounts(self.state, touched(account, self.events))
        return reply

    def restart(self) -> None:
        """Go on from a snapshot, which must be the same venue."""
        lines = list(self.engine.snapshot_lines())
        before = self.engine.state_hash()
        self.engine = Engine.restore(lines)
        hold("a snapshot is the same venue", before, self.engine.state_hash())
        self.laws.engine = self.engine

    def close(self) -> None:
        """Compare everything a last time."""
        self.auditor.compare(self.state)
        self.laws.audit()


def touched(account: int, events: Iterable[object]) -> set[int]:
    """Return the accounts that a command may have changed."""
    names = ("account", "taker_account", "maker_account", "from_account", "to_account")
    found = {account}
    for event in events:
        for name in names:
            number = getattr(event, name, None)
            if number is not None:
                found.add(number)
    return found


def run_seed(seed: int, commands: int) -> Outcome:
    """Run a seed's history for so many commands, or until a law does not hold."""
    run = Run()
    done = setup = 0
    failure = None
    try:
        random = Random(seed)
        swarm = Swarm(random)
        run.list_catalogue()
        traffic = Traffic(run, random, swarm.users, swarm.weights)
        traffic.pace = swarm.pace
        setup = len(run.steps)
        for number in range(1, commands + 1):
            done = number
            if swarm.restarts and random.randrange(swarm.restarts) == 0:
                run.restart()
            account, cmd = traffic.next()
            run.do(account, cmd, traffic.next_ms(), traffic.command_id(account))
        run.close()
    except Exception as fault:
        steps = run.steps
        failure = Failure(seed, law_of(fault), str(fault), steps[:setup], steps[setup:])
    hashed = "" if failure else run.engine.state_hash()
    return Outcome(seed, done, run.seen, hashed, failure)


def replay(steps: Iterable[Step]) -> Exception | None:
    """Ask again what was asked; return what then breaks.

    Where commands were left out, ids are others than they were: what has an id goes by what made
    it.
    """
    run = Run()
    ids: dict[int, int] = {}
    try:
        for envelope, id_ in steps:
            cmd = translated(envelope.command, ids)
            reply = run.do(envelope.account, cmd, envelope.time_ms, envelope.command_id)
            ids[id_] = reply.id
        run.close()
    except Exception as fault:
        return fault
    return None


def translated(cmd: Command, ids: dict[int, int]) -> Command:
    """Name the order or campaign that a command is about by the id it has now."""
    if isinstance(cmd, CancelOrder):
        return CancelOrder(cmd.pair, ids.get(cmd.order_id, cmd.order_id), cmd.client_oid)
    if isinstance(cmd, ReplaceOrder):
        order_id = ids.get(cmd.order_id, cmd.order_id)
        new = (cmd.price_ticks, cmd.size_steps, cmd.new_client_oid)
        return ReplaceOrder(cmd.pair, order_id, cmd.client_oid, *new)
    if isinstance(cmd, ClaimCoupon):
        return ClaimCoupon(ids.get(cmd.campaign, cmd.campaign))
    if isinstance(cmd, CancelTrigger):
        return CancelTrigger(ids.get(cmd.trigger_id, cmd.trigger_id), cmd.client_oid)
    if isinstance(cmd, ModifyTrigger):
        trigger_id = ids.get(cmd.trigger_id, cmd.trigger_id)
        numbers = (cmd.trigger_ticks, cmd.kind, cmd.price_ticks, cmd.size_steps, cmd.quote_units)
        return ModifyTrigger(trigger_id, cmd.client_oid, *numbers)
    if isinstance(cmd, WithdrawAnnouncement):
        return WithdrawAnnouncement(ids.get(cmd.announcement, cmd.announcement))
    if isinstance(cmd, DrawCoupons):
        return DrawCoupons(ids.get(cmd.campaign, cmd.campaign), cmd.seed)
    if isinstance(cmd, (GrantCoupons, EnterDraw)):
        return type(cmd)(ids.get(cmd.campaign, cmd.campaign), cmd.users)
    return cmd


def law_of(fault: Exception) -> str:
    """Name the law that a fault breaks: its own name, or the line that raised it."""
    if isinstance(fault, Broken):
        return fault.law
    frames = traceback.extract_tb(fault.__traceback__)
    where = frames[-1]
    name = where.filename.rpartition("/")[2]
    return f"{type(fault).__name__} in {where.name} ({name}): {where.line or str(fault)}"
