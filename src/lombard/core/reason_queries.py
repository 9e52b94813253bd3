"""The door for questions of why and what if, beside `queries` (DESIGN 2). Changes nothing.

What `what_if` returns holds a state of its own, `after`, for every question that can be put to a
live one.
"""

from __future__ import annotations

from lombard.core.liquidation_price import LONG, SHORT, LiquidationPrice
from lombard.core.liquidation_price import liquidation_price as _liquidation_price
from lombard.core.queries import in_liquidation, risk
from lombard.core.state import State
from lombard.core.what_if import WhatIf, what_if

__all__ = [
    "LONG",
    "SHORT",
    "LiquidationPrice",
    "WhatIf",
    "in_liquidation",
    "liquidation_price",
    "risk",
    "what_if",
]


def liquidation_price(state: State, account: int, coin: int) -> LiquidationPrice | None:
    """Return at which index price of a coin an account is liquidated, all else equal."""
    found = state.accounts.get(account)
    if found is None or not 0 <= coin < len(state.coins):
        return None
    return _liquidation_price(state, found, state.coins[coin])
