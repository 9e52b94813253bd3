"""What every liquidation did, added up beside the venue, unit by unit (RULES 2.1, 8.4, 8.5, 8.6).

The inquest posts all events to a ledger of its own. Between its start and its end a liquidation
has a record: the events that carry its number, and the system orders and repayments of its account.
The record must explain by itself what became of the account's coins and debts.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import ledger
from lombard.core.commands import Command
from lombard.core.engine import Engine

Column = tuple[int, int]  # column, coin
NAMES = ("USDT", "USDC", "BTC")
# Of the sandbox's catalogue: of crossed and of isolated accounts alike.
FEE_RATE = Fraction(20_000, 10**6)


@dataclass
class Record:
    """A liquidation as its events tell it; `moved` is what others did to the account meanwhile."""

    started: e.LiquidationStarted
    before: Counter[Column]
    moved: Counter[Column] = field(default_factory=Counter)
    told: Counter[Column] = field(default_factory=Counter)
    steps: list[e.LiquidationStepped] = field(default_factory=list)
    # What was repaid by liquidation, and what the fee took, at the index, in USDT.
    repaid: Fraction = Fraction(0)
    fee: Fraction = Fraction(0)
    sold: int = 0
    bought: int = 0


Key = TypeVar("Key")


def nonzero(units: Mapping[Key, int]) -> dict[Key, int]:
    """Return what is not zero."""
    return {key: value for key, value in units.items() if value}


class Inquest:
    """Books beside those of an engine, and the records of its liquidations."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.books: defaultdict[tuple[int, int, int], int] = defaultdict(int)
        self.holdings: defaultdict[int, Counter[Column]] = defaultdict(Counter)
        self.open: dict[int, Record] = {}
        self.system_orders: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.totals: Counter[tuple[str, int]] = Counter()
        self.prices: dict[int, Fraction] = {}
        self.lowest: dict[int, Fraction] = {}

    def note(self, command: Command, events: list[e.Event]) -> None:
        """Take note of a command's events, in their order."""
        pair_coins = ledger.pair_coins(self.engine.state)
        if isinstance(command, c.SetIndexPrices):
            self.publish(command, events)
        for event in events:
            self.counts[type(event).__name__] += 1
            if isinstance(event, e.LiquidationStarted):
                assert event.account not in self.open
                self.open[event.account] = Record(event, Counter(self.holdings[event.account]))
            elif isinstance(event, e.OrderPlaced) and event.source == c.SOURCE_SYSTEM:
                self.system_orders.add(event.order_id)
            rows = ledger.postings(event, pair_coins)
            sums: Counter[int] = Counter()
            for account, column, coin, units in rows:
                sums[coin] += units
                self.books[account, column, coin] += units
                self.holdings[account][column, coin] += units
                if account in self.open:
                    record = self.open[account]
                    (record.told if self.is_its(event, account) else record.moved)[
                        column, coin
                    ] += units
            assert not any(sums.values()), event
            self.follow(event)

    def publish(self, command: c.SetIndexPrices, events: list[e.Event]) -> None:
        if any(isinstance(event, e.IndexPricesSet) for event in events):
            for coin, price_e12, *_ in command.prices:
                # Of one unit, in USDT: all three coins have eight decimals.
                self.prices[coin] = Fraction(price_e12, 10**20)
                self.lowest[coin] = min(
                    self.lowest.get(coin, Fraction(10**9)), Fraction(price_e12, 10**12)
                )

    def is_its(self, event: e.Event, account: int) -> bool:
        """Say whether an event belongs to the record of an account's liquidation."""
        if isinstance(event, e.Traded):
            return event.taker_order_id in self.system_orders and event.taker_account == account
        if isinstance(event, e.Repaid):
            return event.kind == e.REPAY_LIQUIDATION
        return isinstance(event, (e.FundPaid, e.FundTook, e.LossBooked, e.LiquidationFeePaid))

    def follow(self, event: e.Event) -> None:
        """Add an event to the record it belongs to, and to the totals of the run."""
        match event:
            case e.Traded(taker_order_id=taker) if taker in self.system_orders:
                record = self.open[event.taker_account]
                record.sold += 1
                self.totals["sold", event.pair] += event.base_units
            case e.Repaid(kind=e.REPAY_LIQUIDATION):
                units = event.interest_units + event.principal_units
                self.open[event.account].repaid += self.prices[event.coin] * units
                self.totals["repaid", event.coin] += units
            case e.FundPaid():
                self.totals["fund paid", event.coin] += event.units
            case e.FundTook():
                self.totals["fund took", event.coin] += event.units
            case e.LiquidationFeePaid():
                self.open[event.account].fee += self.prices[event.coin] * event.units
                self.totals["fee", event.coin] += event.units
            case e.LossBooked():
                # The pool loses only what the fund does not have (RULES 8.4).
                assert self.books[ledger.INSURANCE, ledger.HOLDS, event.coin] == 0
                self.totals["pool lost", event.coin] += event.principal_units
                self.totals["forgiven", event.coin] += event.interest_units
            case e.InsuranceFunded():
                self.totals["insured", event.coin] += event.units
            case e.LiquidationStepped():
                record = self.open[event.account]
                record.steps.append(event)
                self.counts[event.action] += 1
                for coin, price_e12 in event.prices:
                    assert self.prices[coin] == Fraction(price_e12, 10**20)
            case e.LiquidationFinished():
                self.finish(event)

    def finish(self, event: e.LiquidationFinished) -> None:
        """Hold a record against what became of its account (RULES 8.6)."""
        record = self.open.pop(event.account)
        assert record.started.liquidation_id == event.liquidation_id
        numbers = [step.step for step in record.steps]
        assert list(range(1, len(numbers) + 1)) == numbers
        # To the last unit: what it had, and what the record and others did to it, is what it has.
        after = Counter(record.before)
        after.update(record.told)
        after.update(record.moved)
        have = self.holdings[event.account]
        assert nonzero(after) == nonzero(have)
        # The fee is its rate times what was repaid, or all there was (RULES 8.5).
        due = FEE_RATE * record.repaid
        assert record.fee <= due
        assert int(record.fee * 10**8) == event.fee_value_e8
        if due - record.fee >= max(self.prices.values()):
            assert not any(have[ledger.HOLDS, coin] for coin in self.prices)
        if any(step.action == "takeover" for step in record.steps):
            self.counts["taken over"] += 1

    def check_books(self) -> None:
        """Hold the venue's books against these, to the last unit."""
        self.engine.check()
        assert nonzero(self.books) == ledger.columns(self.engine.state)

    def close(self) -> None:
        """Account for what fund and pools lost, coin by coin (RULES 2.2, 8.4)."""
        self.check_books()
        for coin in self.engine.state.coins:
            total = {name: self.totals[name, coin.id] for name, _ in list(self.totals)}
            fund = total.get("insured", 0) + total.get("fund took", 0) + total.get("fee", 0)
            assert fund - total.get("fund paid", 0) == coin.insurance_units
            assert total.get("pool lost", 0) == coin.loss_units
            assert coin.pool_units + coin.lent_units == coin.supplied_units - coin.loss_units
        started = self.counts["LiquidationStarted"]
        assert started == self.counts["LiquidationFinished"] + len(self.open)

    def figures(self) -> dict[str, object]:
        """Say what was seen; amounts in units of 1e-8."""
        names = [
            "LiquidationStarted", "LiquidationFinished", "MarginCalled", "Borrowed", "Traded",
            "HourTurned", "sell", "repay", "takeover", "taken over",
        ]  # fmt: skip
        return {
            **{name: self.counts[name] for name in names},
            "lowest": {NAMES[coin]: float(price) for coin, price in sorted(self.lowest.items())},
            **{
                f"{name} {'' if name == 'sold' else NAMES[number]}".strip(): units
                for (name, number), units in sorted(self.totals.items())
            },
        }
