"""A venue to test on: a catalogue, a clock in the test's hand, and an audit after every command.

`World()` lists the coins and pairs of the sandbox's catalogue at round prices. `do` applies one
command and audits: `Engine.check` (RULES 2), and a shadow ledger summed from the postings of the
events alone must agree with the state. Amounts may be written as the wire does (`"1.5"`).
"""

from collections.abc import Iterable

from lombard.core import events as e
from lombard.core import ledger
from lombard.core.commands import Command
from lombard.core.refusals import Refusal
from lombard.core.state import Reply
from lombard.sim.stage import BTC as BTC
from lombard.sim.stage import BTCUSDC as BTCUSDC
from lombard.sim.stage import BTCUSDT as BTCUSDT
from lombard.sim.stage import COINS as COINS
from lombard.sim.stage import DAY_MS as DAY_MS
from lombard.sim.stage import DOGE as DOGE
from lombard.sim.stage import DOGEUSDT as DOGEUSDT
from lombard.sim.stage import ETH as ETH
from lombard.sim.stage import ETHUSDT as ETHUSDT
from lombard.sim.stage import PAIRS as PAIRS
from lombard.sim.stage import PEPE as PEPE
from lombard.sim.stage import PEPEUSDT as PEPEUSDT
from lombard.sim.stage import START_MS as START_MS
from lombard.sim.stage import USDC as USDC
from lombard.sim.stage import USDT as USDT
from lombard.sim.stage import Stage
from lombard.sim.stage import clock as clock
from lombard.sim.stage import coin_terms as coin_terms
from lombard.sim.stage import pair_terms as pair_terms


class World(Stage):
    """An engine, its clock, its log, and what the events of that log add up to."""

    def __init__(self, *, catalogue: bool = True, audit: bool = True) -> None:
        super().__init__()
        self.audit = audit
        # The events of all commands, and what they add up to.
        self.history: list[e.Event] = []
        self.shadow: dict[tuple[int, int, int], int] = {}
        if catalogue:
            self.list_catalogue()

    # --- applying ------------------------------------------------------------------------------

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        """Apply a command, at `at` if given (a `clock` text or ms), and audit the venue."""
        reply = super().do(account, cmd, at, command_id)
        self.history += self.events
        self.book(self.events)
        if self.audit:
            self.check()
        return reply

    def refused(self, account: int, cmd: Command) -> Reply:
        """Apply a command that must be refused, now, and change nothing."""
        before = self.engine.state_hash()
        reply = self.do(account, cmd)
        assert reply.refusal is not None, (reply.id, reply.units)
        assert before == self.engine.state_hash(), reply.refusal
        return reply

    def refusal(self, account: int, cmd: Command) -> Refusal | None:
        """Apply a command; say why it was refused, in which case it must have changed nothing."""
        before = self.engine.state_hash()
        reply = self.do(account, cmd)
        assert reply.refusal is None or before == self.engine.state_hash(), reply.refusal
        return reply.refusal

    def book(self, events: Iterable[e.Event]) -> None:
        """Add the postings of events to the shadow ledger; those of each must sum to zero."""
        pair_coins = ledger.pair_coins(self.state)
        for event in events:
            sums: dict[int, int] = {}
            for account, column, coin, units in ledger.postings(event, pair_coins):
                sums[coin] = sums.get(coin, 0) + units
                key = (account, column, coin)
                self.shadow[key] = self.shadow.get(key, 0) + units
            assert not any(sums.values()), event

    def check(self) -> None:
        """Audit the state, and hold it against the shadow ledger (RULES 2)."""
        self.engine.check()
        expected = {key: units for key, units in self.shadow.items() if units}
        assert expected == ledger.columns(self.state)
