"""Restrictions: what an operator may stop without a word about why (RULES 7.9).

A frozen account may repay, cancel and receive; it may not order, borrow or send. What it had in the
book is withdrawn; a trigger of its that fires fails. Liquidation does not look at it: a restriction
is no exemption from risk.
"""

from __future__ import annotations

from lombard.core.commands import SLOT_OPERATOR, account_id
from lombard.core.events import CLOSED_BY_VENUE, AccountRestricted, Event, VenueChanged
from lombard.core.matching import withdraw
from lombard.core.refusals import Refusal
from lombard.core.restriction_commands import ALL_SLOTS, FreezeAccount, RestrictCoin
from lombard.core.state import Account, Reply, State


def freeze(state: State, cmd: FreezeAccount, events: list[Event]) -> Reply:
    """Freeze an account or all that a user has open, or let them go. Replies with how many."""
    user = state.users.get(cmd.user)
    if user is None:
        return Reply(Refusal.USER_UNKNOWN)
    accounts: list[Account] = []
    if cmd.slot == ALL_SLOTS:
        # In an order that does not depend on which account was opened first.
        accounts = sorted(user.accounts, key=lambda account: account.id)
    elif 0 <= cmd.slot < SLOT_OPERATOR:
        account = state.account(account_id(user.id, cmd.slot))
        if account is not None:
            accounts = [account]
    if not accounts:
        return Reply(Refusal.ACCOUNT_UNKNOWN)

    # From here the change succeeds.
    changed = 0
    for account in accounts:
        if account.frozen != cmd.frozen:
            account.frozen = cmd.frozen
            for order in list(account.orders):
                withdraw(order, CLOSED_BY_VENUE, events)
            events.append(AccountRestricted(account.id, cmd.frozen))
            changed += 1
    return Reply(None, user.id, changed)


def restrict_coin(state: State, cmd: RestrictCoin, events: list[Event]) -> Reply:
    """Stop or resume the lending and the transfers of a coin. It holds at once."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    coin = state.coins[cmd.coin]
    if cmd.borrowable and coin.delisting:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=f"{coin.name} is being delisted")

    # From here the change succeeds.
    coin.borrowable = cmd.borrowable
    coin.transferable = cmd.transferable
    events.append(VenueChanged("coin", coin.name))
    return Reply(None, coin.id)
