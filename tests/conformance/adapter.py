"""Our engine as a candidate of the outside judge, `tracebook-conformance`.

The judge sends order events and compares every outcome, trade and queue with its own reference
engine. Here each becomes a command to the whole engine, `Engine.apply`, from a spot account with
coins to pay for it; nothing is matched, queued or counted on this side. What differs between the
two vocabularies is translated:

* prices are snapped to the tick before they are sent, as the judge does (our venue refuses what is
  off its grid at the wire); a size is a whole number of 1e-12;
* `reduce` is a replacement at the same price with a smaller size, which keeps its place (RULES 10);
* `replace` gives its place up, whatever the change: a cancellation and a new order.

As a program it speaks the judge's protocol: `python -m tests.conformance.adapter`.
"""

import sys
from decimal import Decimal
from functools import cache

from tracebook.conformance import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
    serve_stdio,
)
from tracebook.core.order import OrderSide
from tracebook.events import MarketEvent

import lombard.core
from lombard import __version__
from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.book import BookSide, Order
from lombard.core.engine import Engine
from lombard.core.state import Pair, Reply
from lombard.core.units import VALUE_MAX

SIZE_DECIMALS = 12
QUOTE = "QUOTE"


class Rejected(Exception):
    """The venue refuses an event; the judge's reason for it."""


class LombardAdapter:
    """An empty venue that lists a symbol when it is first named, and admits its owners."""

    def __init__(self, config: ConformanceConfig) -> None:
        assert config.matching_algorithm == "fifo"
        self.metadata = EngineMetadata("lombard", __version__, f"Python ({lombard.core.__impl__})")
        self.tick_size = config.tick_size
        self.engine = Engine()
        self.events: list[e.Event] = []
        self.accounts: dict[int, int] = {}
        self.funded: set[tuple[int, int]] = set()
        # By symbol: the judge's order ids and ours.
        self.our_ids: dict[str, dict[int, int]] = {}
        self.their_ids: dict[int, int] = {}
        self.ok(c.VENUE, coin(QUOTE))

    # --- the judge's side ----------------------------------------------------------------------

    def apply(self, event: MarketEvent, index: int) -> Observation:
        """Send an event to the venue and say what came of it."""
        self.events = []
        try:
            getattr(self, event.op)(event)
            outcome = Outcome("applied")
        except Rejected as rejection:
            outcome = Outcome("rejected", str(rejection))
        trades = [row for row in self.events if isinstance(row, e.Traded)]
        state = self.snapshot()
        return Observation(
            index, outcome, tuple(map(self.fill, trades)), state.digest(), state.order_count
        )

    def snapshot(self) -> BookState:
        """Show every queue, in the order in which its orders would trade."""
        pairs = sorted(self.engine.state.pairs, key=self.symbol)
        return BookState(
            tuple(
                BookSnapshot(self.symbol(pair), self.queue(pair.bids), self.queue(pair.asks))
                for pair in pairs
            )
        )

    def close(self) -> None:
        """Audit the books a last time."""
        self.engine.check()

    # --- events as commands --------------------------------------------------------------------

    def new(self, event: MarketEvent) -> None:
        """Place an order; an id that rests already is refused."""
        pair = self.pair(event.symbol)
        if self.resting(event) is not None:
            raise Rejected("DUPLICATE_ORDER_ID")
        assert event.side is not None
        side = c.BUY if event.side is OrderSide.BUY else c.SELL
        account = self.account(event.owner, pair)
        self.place(event, account, pair, side, self.ticks(event.price), steps(event.quantity))

    def place(
        self, event: MarketEvent, account: int, pair: Pair, side: int, ticks: int, size: int
    ) -> None:
        cmd = c.PlaceOrder(
            pair.id, side, c.LIMIT, c.GTC, c.NORMAL, c.STP_NONE, ticks, size, 0, "", c.SOURCE_API
        )
        reply = self.do(account, cmd)
        if reply.refusal is not None:
            raise Rejected("INVALID_ORDER")
        self.name(event, reply.id)

    def cancel(self, event: MarketEvent) -> None:
        """Cancel an order."""
        order = self.order(event)
        self.ok(order.account.id, c.CancelOrder(order.pair.id, order.id, ""))

    def reduce(self, event: MarketEvent) -> None:
        """Make an order smaller where it stands."""
        order = self.order(event)
        left = order.remaining_steps - steps(event.quantity)
        if left < 0:
            raise Rejected("INVALID_ORDER")
        if left == 0:
            self.cancel(event)
            return
        cmd = c.ReplaceOrder(order.pair.id, order.id, "", order.price_ticks, left, "")
        self.name(event, self.ok(order.account.id, cmd).id)

    def replace(self, event: MarketEvent) -> None:
        """Cancel an order and place another of the same name."""
        order = self.order(event)
        ticks = order.price_ticks if event.price is None else self.ticks(event.price)
        size = order.remaining_steps if event.quantity is None else steps(event.quantity)
        if not (ticks and size):
            raise Rejected("INVALID_REPLACEMENT")
        self.cancel(event)
        self.place(event, order.account.id, order.pair, order.side, ticks, size)

    def clear(self, event: MarketEvent) -> None:
        """Cancel everything on a pair."""
        pair = self.pair(event.symbol)
        for account in self.accounts.values():
            self.ok(account, c.CancelAllOrders(pair.id))

    # --- naming --------------------------------------------------------------------------------

    def pair(self, symbol: str) -> Pair:
        """Return a symbol's pair, listed when it is first named."""
        state = self.engine.state
        if symbol not in self.our_ids:
            number = len(state.pairs)
            self.our_ids[symbol] = {}
            self.ok(c.VENUE, coin(f"BASE{number}"))
            self.ok(c.VENUE, listing(f"PAIR{number}", len(state.coins) - 1))
        return state.pairs[list(self.our_ids).index(symbol)]

    def symbol(self, pair: Pair) -> str:
        return list(self.our_ids)[pair.id]

    def account(self, owner: int, pair: Pair) -> int:
        """Return an owner's spot account, with all the coins that a trade of the pair may ask."""
        if owner not in self.accounts:
            self.accounts[owner] = c.account_id(self.ok(c.VENUE, c.AddUser()).id, c.SLOT_SPOT)
        account = self.accounts[owner]
        for coin_id in (pair.base.id, pair.quote.id):
            if (account, coin_id) not in self.funded:
                self.funded.add((account, coin_id))
                self.ok(account, c.Deposit(coin_id, VALUE_MAX))
        return account

    def name(self, event: MarketEvent, order_id: int) -> None:
        assert event.order_id is not None
        self.our_ids[event.symbol][event.order_id] = order_id
        self.their_ids[order_id] = event.order_id

    def resting(self, event: MarketEvent) -> Order | None:
        """Ask the venue for an order that rests under the judge's id."""
        assert event.order_id is not None
        order_id = self.our_ids.get(event.symbol, {}).get(event.order_id)
        if order_id is None:
            return None
        for account in self.engine.state.accounts.values():
            order = account.order(order_id)
            if order is not None:
                return order
        return None

    def order(self, event: MarketEvent) -> Order:
        order = self.resting(event)
        if order is None:
            raise Rejected("ORDER_NOT_ACTIVE")
        return order

    def ticks(self, price: float | None) -> int:
        """Snap a price to its tick as the judge does; 0 is the venue's to refuse."""
        assert price is not None
        return round(price / self.tick_size)

    # --- showing -------------------------------------------------------------------------------

    def price(self, ticks: int) -> str:
        return shown_price(ticks, self.tick_size)

    def fill(self, trade: e.Traded) -> TradeFill:
        taker = self.their_ids[trade.taker_order_id]
        maker = self.their_ids[trade.maker_order_id]
        buyer, seller = (taker, maker) if trade.taker_side == c.BUY else (maker, taker)
        pair = self.engine.state.pairs[trade.pair]
        return TradeFill(
            self.symbol(pair), buyer, seller, self.price(trade.price_ticks), size(trade.size_steps)
        )

    def queue(self, side: BookSide) -> tuple[RestingOrder, ...]:
        owners = {account: owner for owner, account in self.accounts.items()}
        return tuple(
            RestingOrder(
                self.their_ids[order.id],
                self.price(order.price_ticks),
                size(order.remaining_steps),
                owners[order.account.id],
            )
            for order in side.orders()
        )

    # --- the engine's side ---------------------------------------------------------------------

    def do(self, account: int, cmd: c.Command) -> Reply:
        seq = self.engine.state.seq + 1
        reply, events = self.engine.apply(c.Envelope(seq, seq, b"", account, cmd))
        self.events += events
        return reply

    def ok(self, account: int, cmd: c.Command) -> Reply:
        reply = self.do(account, cmd)
        assert reply.refusal is None, (cmd, reply.refusal, reply.detail)
        return reply


def steps(quantity: float | None) -> int:
    """Read a size as a whole number of steps."""
    assert quantity is not None
    scaled = Decimal(str(quantity)).scaleb(SIZE_DECIMALS)
    assert scaled == int(scaled), quantity
    return int(scaled)


@cache
def shown_price(ticks: int, tick_size: float) -> str:
    """Write a price as the judge does."""
    return canonical_decimal(ticks * Decimal(str(tick_size)))


@cache
def size(steps: int) -> str:
    """Write a number of steps as the judge does."""
    return canonical_decimal(Decimal(steps).scaleb(-SIZE_DECIMALS))


def coin(name: str) -> c.SetCoin:
    """Make the terms of a coin that nobody lends."""
    return c.SetCoin(name, 8, [(0, 10**6)], [], 0, 1, False, True)


def listing(symbol: str, base: int) -> c.SetPair:
    """Make the terms of a pair without fees: a step at a tick is worth one unit of quote."""
    one_coin_e12 = 10**12
    return c.SetPair(
        symbol, base, 0, one_coin_e12, 1, 0, 0, 0, 1, VALUE_MAX, 10_000, [], 0, False, True
    )


if __name__ == "__main__":
    sys.exit(serve_stdio(LombardAdapter))
