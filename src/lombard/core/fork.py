"""A fork: as much of the venue as one user's next command can touch, copied.

What happens to the copy happens to nobody. It holds the user's accounts with all their orders, and
of the other side of a book as many levels as an order could reach, with the accounts they belong
to. Triggers stay behind: what a trade would set off is not foretold. So its cost is that of the
account, of the trade and of the catalogue, not of the venue.

A flash repayment cannot be asked about: which books it sells into is known only as it goes on. No
call of the API asks (`api.foresight` knows orders, loans, repayments and transfers); who asks from
Python gets an `AssertionError`.
"""

from __future__ import annotations

from lombard.core.book import Order
from lombard.core.campaigns import Campaign
from lombard.core.cancelling import find
from lombard.core.closing import closing_order
from lombard.core.commands import (
    BUY,
    ClaimCoupon,
    ClosePosition,
    Command,
    FlashRepay,
    PlaceOrder,
    ReplaceOrder,
    user_of,
)
from lombard.core.matching import left_behind
from lombard.core.snapshot import copy_part
from lombard.core.state import Account, Pair, State


def fork(state: State, account_id: int, command: Command | None = None) -> State:
    """Copy what a command of an account can touch. An unknown account makes an empty venue."""
    user = state.users.get(user_of(account_id))
    if user is None:
        return copy_part(state, [], [])
    accounts = list(user.accounts)
    orders = _reached(state, account_id, command)
    taken = {order.id: True for order in orders}
    known = {account.id: True for account in accounts}
    for order in orders:
        if order.account.id not in known:
            known[order.account.id] = True
            accounts.append(order.account)
    for account in user.accounts:
        # The others of the user stand behind those that can be reached at the same price.
        for order in account.orders:
            if order.id not in taken:
                orders.append(order)
    claimed: Campaign | None = None
    if isinstance(command, ClaimCoupon):
        claimed = state.campaigns.get(command.campaign)
    return copy_part(state, accounts, orders, claimed)


def _reached(state: State, account_id: int, command: Command | None) -> list[Order]:
    """Return the resting orders a command could trade with, in trading order."""
    account = state.accounts.get(account_id)
    if account is None:
        return []
    assert not isinstance(command, FlashRepay), "Invariant: its orders are not known beforehand"
    if isinstance(command, ClosePosition):
        order = closing_order(state, account, command)
        command = order if isinstance(order, PlaceOrder) else None
    if isinstance(command, PlaceOrder) and 0 <= command.pair < len(state.pairs):
        pair = state.pairs[command.pair]
        return _levels(
            account,
            pair,
            command.side,
            command.price_ticks,
            command.size_steps,
            command.quote_units,
        )
    if isinstance(command, ReplaceOrder):
        found = find(account, command.pair, command.order_id, command.client_oid)
        if found is not None:
            return _levels(
                account, found.pair, found.side, command.price_ticks, command.size_steps, 0
            )
    return []


def _levels(
    account: Account, pair: Pair, side: int, limit_ticks: int, steps: int, quote_units: int
) -> list[Order]:
    """Return whole levels facing an order, best first, until they are enough for it."""
    facing = pair.asks if side == BUY else pair.bids
    makers: list[Order] = []
    steps_there = 0
    quote_there = 0
    for level in reversed(facing.levels):
        price = level.price_ticks
        if limit_ticks and (price > limit_ticks if side == BUY else price < limit_ticks):
            break
        maker = level.head
        while maker is not None:
            makers.append(maker)
            # Those that may be cancelled instead of traded with do not count.
            if maker.account.user is not account.user and not left_behind(maker):
                steps_there += maker.remaining_steps
                quote_there += price * maker.remaining_steps * pair.quote_per_tick_step
            maker = maker.next
        # A budget may have less than a step's price left and still go no further.
        if steps_there >= steps and quote_there >= quote_units:
            break
    return makers
