"""Operators and users at once: no run of movements, approvals and freezes loses or makes a coin.

A ledger of three dictionaries, which shares nothing with the engine, says what must be where; the
world around it audits the books after every command (RULES 2).
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import account_id, operator_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from tests.core.world import USDT, World

OPERATORS = [operator_id(number) for number in (1, 2, 3)]
OPERATOR = st.sampled_from(OPERATORS)
# What this machine moves: interest and fees are another test's.
KIND = st.sampled_from(
    [
        c.MOVE_DEPOSIT, c.MOVE_WITHDRAWAL, c.MOVE_FUND_POOL, c.MOVE_WITHDRAW_POOL,
        c.MOVE_FUND_INSURANCE, c.MOVE_WITHDRAW_INSURANCE,
    ]
)  # fmt: skip
UNITS = st.integers(0, 10**7)
WHO = st.integers(0, 1)


class Treasury(RuleBasedStateMachine):
    """Two users, three operators, and what should be where of one coin."""

    @initialize()
    def open(self) -> None:
        self.world = World()
        self.world.rate("USDT", "0")
        self.users = [self.world.user(), self.world.user()]
        self.spot = dict.fromkeys(self.users, 0)
        self.crossed = dict.fromkeys(self.users, 0)
        self.owed = dict.fromkeys(self.users, 0)
        coin = self.world.coin("USDT")
        self.pool, self.fund = coin.pool_units, coin.insurance_units
        self.frozen: set[tuple[int, int]] = set()
        self.waiting: dict[int, tuple[int, int, int, int]] = {}

    def expected(self, kind: int, user: int, units: int) -> Refusal | None:
        """Say why a movement must be refused."""
        if kind == c.MOVE_WITHDRAWAL and (user, c.SLOT_SPOT) in self.frozen:
            return Refusal.ACCOUNT_FROZEN
        if units == 0:
            return Refusal.AMOUNT_NOT_POSITIVE
        there = {
            c.MOVE_WITHDRAWAL: self.spot.get(user, 0),
            c.MOVE_WITHDRAW_POOL: self.pool,
            c.MOVE_WITHDRAW_INSURANCE: self.fund,
        }
        return Refusal.INSUFFICIENT_BALANCE if units > there.get(kind, units) else None

    def book(self, kind: int, user: int, units: int) -> None:
        """Move it in the dictionaries."""
        out = kind in (c.MOVE_WITHDRAWAL, c.MOVE_WITHDRAW_POOL, c.MOVE_WITHDRAW_INSURANCE)
        signed = -units if out else units
        if kind in (c.MOVE_DEPOSIT, c.MOVE_WITHDRAWAL):
            self.spot[user] += signed
        elif kind in (c.MOVE_FUND_POOL, c.MOVE_WITHDRAW_POOL):
            self.pool += signed
        else:
            self.fund += signed

    def whose(self, kind: int, who: int) -> int:
        return self.users[who] if kind <= c.MOVE_WITHDRAWAL else 0

    def most(self, kind: int, who: int, units: int) -> int:
        """Ask for all there is where the draw says nothing: the edge is what matters."""
        user = self.users[who]
        if units == 10**7:
            if kind == c.MOVE_WITHDRAWAL:
                return self.spot[user]
            return self.pool if kind == c.MOVE_WITHDRAW_POOL else self.fund
        return units

    @rule(operator=OPERATOR, kind=KIND, who=WHO, units=UNITS)
    def move(self, operator: int, kind: int, who: int, units: int) -> None:
        user, units = self.whose(kind, who), self.most(kind, who, units)
        reply = self.world.do(operator, c.MoveFunds(kind, user, USDT, units))
        assert self.expected(kind, user, units) == reply.refusal
        if reply.refusal is None:
            self.book(kind, user, units)
        self.compare()

    @rule(operator=OPERATOR, kind=KIND, who=WHO, units=UNITS)
    def propose(self, operator: int, kind: int, who: int, units: int) -> None:
        user, units = self.whose(kind, who), self.most(kind, who, units)
        reply = self.world.do(operator, c.ProposeMove(kind, user, USDT, units))
        assert self.expected(kind, user, units) == reply.refusal
        if reply.refusal is None:
            self.waiting[reply.id] = (operator, kind, user, units)
        self.compare()

    @precondition(lambda self: self.waiting)
    @rule(operator=OPERATOR, which=st.integers(0, 99), twice=st.booleans())
    def approve(self, operator: int, which: int, twice: bool) -> None:
        asked = list(self.waiting)[which % len(self.waiting)]
        proposer, kind, user, units = self.waiting[asked]
        reply = self.world.do(operator, c.ApproveMove(asked))
        if operator == proposer:
            assert Refusal.OWN_PROPOSAL == reply.refusal
        else:
            assert self.expected(kind, user, units) == reply.refusal
        if reply.refusal is None:
            self.book(kind, user, units)
            del self.waiting[asked]
            if twice:
                again = self.world.do(operator, c.ApproveMove(asked))
                assert Refusal.PROPOSAL_UNKNOWN == again.refusal
        self.compare()

    @precondition(lambda self: self.waiting)
    @rule(operator=OPERATOR, which=st.integers(0, 99))
    def reject(self, operator: int, which: int) -> None:
        asked = list(self.waiting)[which % len(self.waiting)]
        self.world.ok(operator, c.RejectMove(asked))
        del self.waiting[asked]
        self.compare()

    @rule(operator=OPERATOR, who=WHO, slot=st.integers(-1, 1), frozen=st.booleans())
    def freeze(self, operator: int, who: int, slot: int, frozen: bool) -> None:
        user = self.users[who]
        self.world.ok(operator, c.FreezeAccount(user, slot, frozen))
        for each in (0, 1) if slot == c.ALL_SLOTS else (slot,):
            (self.frozen.add if frozen else self.frozen.discard)((user, each))
        self.compare()

    @rule(who=WHO, units=UNITS)
    def transfer(self, who: int, units: int) -> None:
        user = self.users[who]
        to = account_id(user, c.SLOT_CROSSED)
        reply = self.world.do(account_id(user, c.SLOT_SPOT), c.Transfer(to, USDT, units, ""))
        if (user, c.SLOT_SPOT) in self.frozen:
            assert reply.refusal in (Refusal.ACCOUNT_FROZEN, Refusal.AMOUNT_NOT_POSITIVE)
        if reply.refusal is None:
            self.spot[user] -= units
            self.crossed[user] += units
        self.compare()

    @rule(who=WHO, units=UNITS)
    def borrow(self, who: int, units: int) -> None:
        user = self.users[who]
        reply = self.world.do(account_id(user, c.SLOT_CROSSED), c.Borrow(USDT, units, ""))
        if (user, c.SLOT_CROSSED) in self.frozen:
            assert Refusal.ACCOUNT_FROZEN == reply.refusal
        if reply.refusal is None:
            self.crossed[user] += units
            self.owed[user] += units
            self.pool -= units
        self.compare()

    @rule(who=WHO, units=UNITS)
    def repay(self, who: int, units: int) -> None:
        user = self.users[who]
        reply = self.world.do(account_id(user, c.SLOT_CROSSED), c.Repay(USDT, units, ""))
        assert Refusal.ACCOUNT_FROZEN != reply.refusal
        if reply.refusal is None:
            self.crossed[user] -= reply.units
            self.owed[user] -= reply.units
            self.pool += reply.units
        self.compare()

    def compare(self) -> None:
        """Hold the engine to the dictionaries."""
        state = self.world.state
        coin = self.world.coin("USDT")
        assert (self.pool, self.fund) == (coin.pool_units, coin.insurance_units)
        assert list(self.waiting) == [made.id for made in q.proposals(state)]
        for user in self.users:
            spot, crossed = account_id(user, c.SLOT_SPOT), account_id(user, c.SLOT_CROSSED)
            assert self.spot[user] == self.world.available(spot, "USDT")
            assert self.crossed[user] == self.world.available(crossed, "USDT")
            assert self.owed[user] == self.world.debt(crossed, "USDT")
            for slot, account in ((c.SLOT_SPOT, spot), (c.SLOT_CROSSED, crossed)):
                assert ((user, slot) in self.frozen) == q.is_frozen(state, account)

    def teardown(self) -> None:
        """The log alone, and the snapshot alone, give the same state."""
        if not hasattr(self, "world"):
            return
        engine = Engine()
        for envelope in self.world.log:
            engine.apply(envelope)
        assert self.world.engine.state_hash() == engine.state_hash()
        lines = list(engine.snapshot_lines())
        assert lines == list(Engine.restore(lines).snapshot_lines())


TestTreasury = Treasury.TestCase
TestTreasury.settings = settings(stateful_step_count=40)
