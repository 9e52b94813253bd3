"""Flash repayment: a debt paid in one step, from its own coin and then from any other (RULES 6.4).

Other coins are sold by market orders that repay with what they bring, the largest surplus first, no
more of each than the debt asks for. They are orders like any other, with every check, inside the
band: one that is refused is passed over. What cannot be paid stays owed.
"""

from __future__ import annotations

from typing import Final

from lombard.core import orders
from lombard.core.commands import AUTO_REPAY, BUY, NORMAL, SOURCE_API, FlashRepay, PlaceOrder
from lombard.core.events import CLOSED_BY_USER, REPAY_AUTO, Event, Repaid
from lombard.core.lending import pay_back
from lombard.core.matching import withdraw
from lombard.core.refusals import Refusal
from lombard.core.risk import debt_units
from lombard.core.sizing import Terms, before_fee, buy, sell
from lombard.core.slices import BRIDGE, ranked_surpluses
from lombard.core.state import Account, Balance, Coin, Pair, Reply, State
from lombard.core.units import VALUE_MAX, div_ceil
from lombard.core.watch import watch

ALL_COINS: Final = -1


def flash_repay(state: State, account: Account, cmd: FlashRepay, events: list[Event]) -> Reply:
    """Pay one debt, or all of them. Refused, and nothing changed, when nothing can be paid.

    In an isolated account the pair's orders are cancelled first.
    """
    if not account.margin:
        return Reply(Refusal.MARGIN_NOT_OPENED)
    if cmd.coin != ALL_COINS and not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if cmd.coin != ALL_COINS and not account.holds(state.coins[cmd.coin]):
        return Reply(Refusal.COIN_NOT_IN_ACCOUNT, detail=state.coins[cmd.coin].name)
    if account.liquidation is not None:
        return Reply(Refusal.IN_LIQUIDATION)
    if account.frozen:
        # It sells: what a frozen account has of the coin it owes, it may repay by hand.
        return Reply(Refusal.ACCOUNT_FROZEN)
    debts = _debts(state, account, cmd.coin)
    if not debts:
        return Reply(Refusal.NO_DEBT, detail="" if cmd.coin < 0 else state.coins[cmd.coin].name)
    owed = [debt_units(state, account, balance) for balance in debts]

    # From here as much is done as can be. An order that is refused changes nothing, so where
    # nothing could be done nothing has changed.
    first = len(events)
    if account.pair is not None:
        for order in list(account.orders):
            withdraw(order, CLOSED_BY_USER, events)
    for balance in debts:
        _pay_from_own(state, account, balance, events)
    for balance in debts:
        _pay_from_others(state, account, balance, events)
    if len(events) == first:
        return Reply(Refusal.NO_LIQUIDITY, detail=debts[0].coin.name)
    for balance, before in zip(debts, owed, strict=True):
        assert debt_units(state, account, balance) <= before, "Invariant: a repayment raised a debt"
    watch(state, account, events)
    last_id = 0
    units = 0
    for event in events[first:]:
        if isinstance(event, Repaid) and event.account == account.id:
            last_id = event.repay_id
            if event.coin == cmd.coin:
                units += event.interest_units + event.principal_units
    remaining = debt_units(state, account, debts[0]) if cmd.coin != ALL_COINS else 0
    return Reply(None, last_id, units, remaining)


def _debts(state: State, account: Account, coin_id: int) -> list[Balance]:
    """Return the debts that are meant, by coin."""
    found: list[Balance] = []
    for balance in account.balances:
        if balance.principal_units and coin_id in (ALL_COINS, balance.coin.id):
            found.append(balance)
    return found


def _pay_from_own(state: State, account: Account, balance: Balance, events: list[Event]) -> None:
    units = min(balance.available_units, debt_units(state, account, balance))
    if units:
        pay_back(state, account, balance, units, REPAY_AUTO, events)


def _pay_from_others(state: State, account: Account, owed: Balance, events: list[Event]) -> None:
    """Sell other coins for the one that is owed, the largest surplus first."""
    for surplus in ranked_surpluses(state, account):
        coin = surplus.coin
        if coin is owed.coin:
            continue
        debt = debt_units(state, account, owed)
        if debt == 0 or account.liquidation is not None:
            return
        pair = _pair_of(state, account, coin, owed.coin)
        if pair is not None:
            _sell(state, account, pair, coin, debt, AUTO_REPAY, events)
            continue
        bridge = state.coin_ids.get(BRIDGE)
        if bridge is None or coin.id == bridge or not account.holds(state.coins[bridge]):
            continue
        halfway = state.coins[bridge]
        near = _pair_of(state, account, coin, halfway)
        far = _pair_of(state, account, halfway, owed.coin)
        if near is None or far is None:
            continue
        # The first half is worth nothing without the second: no more than that one takes.
        order = _order(account, far, halfway, debt, VALUE_MAX, AUTO_REPAY)
        if order is None or order.side != BUY:
            continue
        if _sell(state, account, near, coin, order.quote_units, NORMAL, events):
            _sell(state, account, far, halfway, debt, AUTO_REPAY, events)


def _spare(state: State, account: Account, balance: Balance) -> int:
    return balance.available_units - debt_units(state, account, balance)


def _pair_of(state: State, account: Account, one: Coin, other: Coin) -> Pair | None:
    """Return the pair of two coins that an account may trade: a user, in crossed margin only where
    the pair is open to it; a liquidation (`slices.route_to`) sells wherever there is a book."""
    for pair in state.pairs:
        mine = account.pair is pair or (account.pair is None and pair.crossed)
        coins = (pair.base, pair.quote)
        if mine and pair.trading and one in coins and other in coins:
            return pair
    return None


def _order(
    account: Account, pair: Pair, coin: Coin, wanted_units: int, spare_units: int, loan_type: int
) -> PlaceOrder | None:
    """Return the market order that sells a coin for `wanted_units`, after fee, of the other."""
    terms = Terms(loan_type, "", SOURCE_API)
    wanted = before_fee(pair, wanted_units)
    if coin is pair.base:
        return sell(account, pair, wanted, spare_units, terms)
    return buy(account, pair, div_ceil(wanted, pair.step_units), spare_units, terms)


def _sell(
    state: State,
    account: Account,
    pair: Pair,
    coin: Coin,
    wanted_units: int,
    loan_type: int,
    events: list[Event],
) -> bool:
    """Sell as much of a coin as brings `wanted_units` of the other; say whether it was done."""
    spare = _spare(state, account, account.balance(coin))
    if spare <= 0:
        return False
    order = _order(account, pair, coin, wanted_units, spare, loan_type)
    return order is not None and orders.place(state, account, order, events).refusal is None
