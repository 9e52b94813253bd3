"""Solvency: whether what came in is all there, coin by coin, to the unit (RULES 2.1).

Everything that was brought from outside is somebody's: a user's holding, the pool's idle part, the
insurance fund's, or what the venue has earned. What is lent is among the users' holdings, so the
claims of the pool are a second sum: what is lent is what is owed.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.interest import interest_due
from lombard.core.risk import assess
from lombard.core.state import Coin, State


@final
class CoinSolvency:
    """One coin: where its units came from, and whose they are. All amounts are units."""

    __slots__ = (
        "coin",
        "collateral_units",
        "fee_units",
        "insurance_units",
        "interest_due_units",
        "interest_units",
        "lent_units",
        "loss_units",
        "owed_units",
        "pool_units",
        "received_units",
        "supplied_units",
        "user_units",
    )

    def __init__(self, coin: Coin) -> None:
        self.coin: Final = coin
        # Net of what was withdrawn.
        self.received_units: Final = -coin.external_units
        self.user_units = 0
        self.pool_units: Final = coin.pool_units
        self.insurance_units: Final = coin.insurance_units
        self.fee_units: Final = coin.fee_units
        self.interest_units: Final = coin.interest_units
        self.lent_units: Final = coin.lent_units
        self.supplied_units: Final = coin.supplied_units
        self.loss_units: Final = coin.loss_units
        # Principal of all loans, the interest due on them, and what their debtors hold.
        self.owed_units = 0
        self.interest_due_units = 0
        self.collateral_units = 0

    @property
    def claimed_units(self) -> int:
        """Return what the venue has to have: the sum of everybody's claims."""
        own = self.insurance_units + self.fee_units + self.interest_units
        return self.user_units + self.pool_units + own

    @property
    def balances(self) -> bool:
        """Say whether all that came in is claimed once, and all that is lent is owed."""
        supplied = self.pool_units + self.lent_units + self.loss_units
        return (
            self.received_units == self.claimed_units
            and self.lent_units == self.owed_units
            and self.supplied_units == supplied
        )


@final
class Solvency:
    """The whole venue: its coins, and, in 1e-26 USDT at the index, what its debtors have and owe.

    `uncovered_e26` is by how much debtors owe more than they have, at the ratios of collateral.
    """

    __slots__ = ("assets_e26", "coins", "debt_e26", "debtors", "uncovered_e26")

    def __init__(self, coins: list[CoinSolvency]) -> None:
        self.coins: Final = coins
        self.debtors = 0
        self.assets_e26 = 0
        self.debt_e26 = 0
        self.uncovered_e26 = 0


def solvency(state: State) -> Solvency:
    """Add everything up. Its cost is that of all balances there are."""
    report = Solvency([CoinSolvency(coin) for coin in state.coins])
    for account in state.accounts.values():
        for balance in account.balances:
            row = report.coins[balance.coin.id]
            held = balance.available_units + balance.frozen_units
            row.user_units += held
            if account.debts:
                row.collateral_units += held
            if balance.principal_units:
                row.owed_units += balance.principal_units
                row.interest_due_units += interest_due(state, account.user, balance)
    for account in state.indebted.values():
        risk = assess(state, account)
        report.debtors += 1
        report.assets_e26 += risk.net_e26 + risk.debt_e26
        report.debt_e26 += risk.debt_e26
        if risk.net_e26 < 0:
            report.uncovered_e26 -= risk.net_e26
    return report
