"""Matching: what a walk through the book says is what then trades (RULES 1.3, 6.2, 10)."""

from collections import defaultdict
from fractions import Fraction
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.book import Order
from lombard.core.commands import account_id
from lombard.core.matching import walk
from lombard.core.refusals import Refusal
from tests.core.strategies import STANDING, TAKING, TERMS, Booth, Standing, Taking, Terms

# Cheap: several times as many examples as the profile asks for.
MORE = settings(max_examples=6 * settings().max_examples)
BOOKS = st.lists(STANDING, max_size=12)


def order_of(booth: Booth, account_id: int, cmd: c.PlaceOrder) -> Order:
    """Make the order that a command asks for, to walk with."""
    account = booth.world.state.accounts[account_id]
    base, quote = account.balance(booth.pair.base), account.balance(booth.pair.quote)
    pay, get = (quote, base) if cmd.side == c.BUY else (base, quote)
    return Order(
        1, account, booth.pair, pay, get, cmd.side, cmd.kind, cmd.force, cmd.loan_type, cmd.stp,
        cmd.price_ticks, cmd.size_steps, cmd.quote_units, "", 0, 0,
    )  # fmt: skip


def limit_of(booth: Booth, slot: int, cmd: c.PlaceOrder) -> int:
    """Return the worst price an order takes: its own, or for margin market orders the band's."""
    if cmd.kind == c.LIMIT or slot == c.SLOT_SPOT:
        return cmd.price_ticks
    return booth.pair.band_high_ticks if cmd.side == c.BUY else booth.pair.band_low_ticks


@given(terms=TERMS, book=BOOKS, taking=TAKING)
@MORE
def test_a_walk_says_what_is_traded(terms: Terms, book: list[Standing], taking: Taking) -> None:
    booth = Booth(terms)
    for standing in book:
        booth.stand(standing)
    account = account_id(booth.users[0], taking.slot)
    cmd = booth.command(taking)
    foretold = walk(order_of(booth, account, cmd), limit_of(booth, taking.slot, cmd))
    resting = {order.id for user in booth.world.state.accounts.values() for order in user.orders}

    refusal = booth.world.refusal(account, cmd)

    traded = booth.world.of_type(e.Traded)
    limit = cmd.kind == c.LIMIT
    if limit and cmd.force == c.FOK:
        # All or nothing, and nothing changes for nothing.
        refused = Refusal.FOK_WOULD_NOT_FILL if foretold.steps < cmd.size_steps else None
        assert refused == refusal
    elif limit and cmd.force == c.POST_ONLY:
        best = booth.pair.asks.best_ticks() if cmd.side == c.BUY else booth.pair.bids.best_ticks()
        buys = cmd.side == c.BUY
        takes = best and (best <= cmd.price_ticks if buys else best >= cmd.price_ticks)
        assert (Refusal.POST_ONLY_WOULD_TAKE if takes else None) == refusal
    else:
        assert refusal is None
    if refusal is None:
        assert (foretold.steps, foretold.quote_units) == (
            sum(trade.size_steps for trade in traded),
            sum(trade.quote_units for trade in traded),
        )
        check_self_trades(booth, cmd, traded)
    else:
        assert [] == booth.world.events
        left = {order.id for user in booth.world.state.accounts.values() for order in user.orders}
        assert resting == left


def check_self_trades(booth: Booth, cmd: c.PlaceOrder, traded: list[e.Traded]) -> None:
    """With prevention on nobody trades with themselves, whichever of their accounts (RULES 10)."""
    if cmd.stp == c.STP_NONE:
        return
    for trade in traded:
        assert c.user_of(trade.maker_account) != c.user_of(trade.taker_account)
    closed = [v for v in booth.world.of_type(e.OrderClosed) if v.reason == e.CLOSED_SELF_TRADE]
    placed = booth.world.of_type(e.OrderPlaced)[0]
    makers = [v for v in closed if v.order_id != placed.order_id]
    stopped = len(closed) > len(makers)
    assert not (stopped and cmd.stp == c.STP_CANCEL_MAKER)
    assert not (makers and cmd.stp == c.STP_CANCEL_TAKER)
    assert not (cmd.stp == c.STP_CANCEL_BOTH and len(makers) != int(stopped))


@given(
    terms=TERMS,
    steps=st.integers(1, 40),
    parts=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    side=st.integers(0, 1),
)
def test_a_fee_does_not_depend_on_the_fills(
    terms: Terms, steps: int, parts: list[int], side: int
) -> None:
    """Many fills of an order pay what one would have: the fee is rounded once (RULES 1.3, 1.4)."""
    booth = Booth(terms)
    world = booth.world
    maker = account_id(booth.users[1], c.SLOT_SPOT)
    price = 997
    world.ok(maker, c.PlaceOrder(0, side, c.LIMIT, c.GTC, 0, 0, price, steps, 0, "", 0))
    fees: defaultdict[int, int] = defaultdict(int)
    received: defaultdict[int, int] = defaultdict(int)
    for part in parts:
        taker = account_id(booth.users[2], c.SLOT_SPOT)
        world.ok(taker, c.PlaceOrder(0, 1 - side, c.LIMIT, c.IOC, 0, 0, price, part, 0, "", 0))
        for trade in world.of_type(e.Traded):
            gets = (trade.base_units, trade.quote_units)
            received[trade.taker_order_id] += gets[1 - side]
            received[trade.maker_order_id] += gets[side]
            fees[trade.taker_order_id] += trade.taker_fee_units
            fees[trade.maker_order_id] += trade.maker_fee_units
            assert trade.maker_fee_units <= gets[side]

    first = min(fees)
    for order, fee in fees.items():
        rate = terms.maker_fee_e6 if order == first else terms.taker_fee_e6
        assert ceil(Fraction(rate, 10**6) * received[order]) == fee
