"""The laws that hold after every command, whatever it was (RULES 2, 7.3, 7.6, 8.3)."""

from collections import Counter

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import ledger
from lombard.core.engine import Engine
from lombard.core.state import Reply
from lombard.sim.auditor import Auditor
from lombard.sim.law import Broken, hold

# Of so many commands, one has its state hashed before, lest it be refused and leave a trace; one
# has the whole state audited after.
HASH_EVERY = 40
AUDIT_EVERY = 10


class Laws:
    """Holds an engine to the laws, with the auditor's books as the measure."""

    def __init__(self, engine: Engine, auditor: Auditor) -> None:
        self.engine = engine
        self.auditor = auditor
        self.number = 0
        self.hash_before = ""
        self.time_before = 0
        self.posted: Counter[tuple[int, int, int]] = Counter()

    def before(self, number: int) -> None:
        """Look at the state before a command."""
        self.number = number
        self.time_before = self.engine.time_ms
        self.hash_before = "" if number % HASH_EVERY else self.engine.state_hash()

    def after(self, envelope: c.Envelope, reply: Reply, events: list[e.Event]) -> None:
        """Hold the state after it to the laws."""
        self.check_postings(events)
        if reply.refusal is not None:
            self.check_no_trace(events)
        if events:
            self.check_trades(events)
        if isinstance(envelope.command, c.SetIndexPrices) and reply.refusal is None:
            self.check_none_overlooked()
        if self.number % AUDIT_EVERY == 0:
            self.audit()

    def check_postings(self, events: list[e.Event]) -> None:
        """What one loses another gains, in every event (RULES 2.1)."""
        pair_coins = ledger.pair_coins(self.engine.state) if events else []
        for event in events:
            rows = ledger.postings(event, pair_coins)
            sums: Counter[int] = Counter()
            for account, column, coin, units in rows:
                sums[coin] += units
                self.posted[account, column, coin] += units
            if any(sums.values()):
                raise Broken("an event's postings sum to zero", f"{type(event).__name__} {rows}")

    def audit(self) -> None:
        """No balance is negative, pools are whole, and the state is what was posted (RULES 2)."""
        self.engine.check()
        expected = {key: units for key, units in self.posted.items() if units}
        actual = ledger.columns(self.engine.state)
        if expected != actual:
            differing = {
                key: (expected.get(key, 0), actual.get(key, 0))
                for key in expected.keys() | actual.keys()
                if expected.get(key) != actual.get(key)
            }
            raise Broken("the books are what was posted", str(differing))

    def check_no_trace(self, events: list[e.Event]) -> None:
        """A refusal changes nothing (DESIGN 6)."""
        hold("a refusal makes no event", [], self.auditor.own)
        if self.hash_before and not events and self.time_before == self.engine.time_ms:
            hold("a refusal leaves no trace", self.hash_before, self.engine.state_hash())

    def check_trades(self, events: list[e.Event]) -> None:
        """Margin orders and system orders keep to their bands (RULES 7.6, 8.3)."""
        sources: dict[int, int] = {}
        for event in events:
            if isinstance(event, e.OrderPlaced):
                sources[event.order_id] = event.source
            elif isinstance(event, e.Traded):
                system = sources[event.taker_order_id] == c.SOURCE_SYSTEM
                if not system and c.slot_of(event.taker_account) == c.SLOT_SPOT:
                    continue
                name = "system_band_e6" if system else "band_e6"
                low, high = self.auditor.terms.band(event.pair, name)
                price = event.price_ticks
                inside = price <= high if event.taker_side == c.BUY else price >= low
                hold("a margin order trades inside its band", True, inside)

    def check_none_overlooked(self) -> None:
        """After prices, every account at its line is locked, if they may be trusted (RULES 7.3)."""
        a = self.auditor
        for account in sorted({key[0] for key, loan in a.loans.items() if loan.principal}):
            if account not in a.locked and a.trusts_prices(account):
                net, _, needed = a.risk(account)
                hold("an account at its line is locked", True, net > needed)
