"""A venue for the market to run on: the core with the sandbox's catalogue, and nothing else."""

from collections import Counter

from lombard.core.commands import SLOT_SPOT, AddUser, Command, Deposit, Envelope, Tick, account_id
from lombard.core.engine import Engine
from lombard.core.events import Traded
from lombard.core.state import Reply
from lombard.market import Makers, ReplayMarket, StateView, Tape, funding
from lombard.sandbox import catalogue

START_MS = 1_700_000_040_000


class Venue:
    """An engine with a manual clock, a market, and a record of what was traded when."""

    def __init__(self, tape: Tape, start_ms: int = START_MS) -> None:
        self.engine = Engine()
        self.now_ms = start_ms
        self.seq = 0
        self.commands: list[str] = []
        self.trades: list[tuple[int, Traded]] = []
        self.refusals: Counter[str] = Counter()
        self.submit(0, Tick())
        for command in catalogue.genesis(catalogue.read(catalogue.example())):
            assert self.submit(0, command).refusal is None
        self.makers = Makers(self.add_user(), self.add_user())
        self.view = StateView(self.engine.state)
        for account, deposit in funding(self.view, self.makers):
            assert self.submit(account, deposit).refusal is None
        self.market = ReplayMarket(tape, start_ms, self.makers)

    def submit(self, account: int, command: Command) -> Reply:
        """Apply a command now."""
        self.seq += 1
        reply, events = self.engine.apply(
            Envelope(self.seq, self.now_ms, b"", account, command),
        )
        if reply.refusal is not None:
            self.refusals[f"{type(command).__name__} {reply.refusal.name} {reply.detail}"] += 1
        self.trades += [(self.now_ms, event) for event in events if isinstance(event, Traded)]
        return reply

    def add_user(self) -> int:
        """Admit a user; return the spot account."""
        return account_id(self.submit(0, AddUser()).id, SLOT_SPOT)

    def deposit(self, account: int, coin: str, units: int) -> None:
        """Give an account coins."""
        number = self.view.coins()[coin].id
        assert self.submit(account, Deposit(number, units)).refusal is None

    def advance(self, ms: int) -> int:
        """Move the clock at once, and the market with it; return how many moments that took."""
        until_ms = self.now_ms + ms
        moments = 0
        while self.market.next_due_ms() <= until_ms:
            self.now_ms = self.market.next_due_ms()
            moments += 1
            for each in self.market.commands_until(until_ms, self.view):
                assert self.now_ms == each.time_ms
                self.commands.append(describe(each.account, each.command))
                self.submit(each.account, each.command)
        self.now_ms = until_ms
        return moments

    def index_e12(self, coin: str) -> int:
        """Return a published index price."""
        return self.engine.state.coins[self.view.coins()[coin].id].price_e12


def describe(account: int, command: Command) -> str:
    """Write a command out, so that two may be compared."""
    fields = [getattr(command, name) for name in dir(command) if not name.startswith("_")]
    return f"{account} {type(command).__name__} {fields}"
