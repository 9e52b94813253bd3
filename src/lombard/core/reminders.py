"""Once a day: while interest runs, a debtor is told what it owes; spent coupons are let go.

Each user has a minute of the day of its own, so that a tick's work is that of the minutes that
have passed since the last, and never that of all loans. Who is in a minute's list is derived from
the debts; one who has repaid is dropped from it when its minute comes.
"""

from __future__ import annotations

from typing import Final

from lombard.core.coupons import retire_coupons
from lombard.core.events import Event, RepayReminded
from lombard.core.risk import debt_units
from lombard.core.state import Account, State
from lombard.core.units import MINUTE_MS, MINUTES

# A tick ends its work with the list in which it has said so much; the next goes on from there.
AT_ONCE: Final = 256


def remind(state: State, events: list[Event]) -> None:
    """Do what is due of the minutes since the last look; a day at most is made up for.

    The first look of a venue only begins to count.
    """
    minute = state.time_ms // MINUTE_MS
    if state.reminded_minute < 0:
        state.reminded_minute = minute
        return
    state.reminded_minute = max(state.reminded_minute, minute - MINUTES)
    before = len(events)
    while state.reminded_minute < minute and len(events) - before < AT_ONCE:
        state.reminded_minute += 1
        slot = state.reminded_minute % MINUTES
        retire_coupons(state, slot, events)
        if state.reminders[slot] and state.parameters["repay_reminders"]:
            _remind(state, slot, events)


def _remind(state: State, slot: int, events: list[Event]) -> None:
    """Remind the debtors of a minute, in the order of their ids."""
    staying: list[int] = []
    for account_id in sorted(state.reminders[slot]):
        account = state.accounts[account_id]
        if account.debts == 0:
            account.reminded = False
            continue
        staying.append(account_id)
        events.append(RepayReminded(account_id, _debts(state, account)))
    state.reminders[slot] = staying


def _debts(state: State, account: Account) -> list[tuple[int, int, int]]:
    debts: list[tuple[int, int, int]] = []
    for balance in account.balances:
        principal = balance.principal_units
        if principal:
            interest = debt_units(state, account, balance) - principal
            debts.append((balance.coin.id, principal, interest))
    return debts
