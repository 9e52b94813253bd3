"""The auditor's books: what every account has, owes and has in the book, and what that is worth."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries
from lombard.core.state import State
from lombard.sim.book import NaiveBook, NaiveOrder
from lombard.sim.coupons import NaiveCoupons
from lombard.sim.law import hold
from lombard.sim.loan import Loan
from lombard.sim.slow import SlowPrices
from lombard.sim.terms import NaiveTerms
from lombard.sim.triggers import NaiveTriggers
from lombard.sim.venue import FEES, FUND, INTEREST, POOL, NaiveVenue

Key = tuple[int, int]  # account, coin


class Books:
    """Balances, loans, orders and terms, and the risk they make."""

    def __init__(self) -> None:
        self.time_ms = 0
        self.available: defaultdict[Key, int] = defaultdict(int)
        self.frozen: defaultdict[Key, int] = defaultdict(int)
        self.loans: defaultdict[Key, Loan] = defaultdict(Loan)
        self.terms = NaiveTerms()
        self.coupons = NaiveCoupons()
        self.book = NaiveBook(self.terms.pairs)
        self.venue = NaiveVenue(self.terms.pairs)
        self.triggers = NaiveTriggers(self)
        self.slow = SlowPrices()
        self.levels: defaultdict[int, int] = defaultdict(int)
        self.locked: set[int] = set()
        # Whom an operator has frozen.
        self.restricted: set[int] = set()
        # Whether the command at hand is answered as the first time.
        self.recalled = False
        # The same, and by its command id.
        self.answered = False

    def rate(self, account: int, coin: int) -> int:
        return self.terms.rates[coin, self.levels[c.user_of(account)]]

    def ceil_each(self) -> bool:
        return bool(self.terms.parameters["interest_profile"])

    def holds(self, key: Key) -> bool:
        return bool(self.available[key] or self.frozen[key] or self.loans[key].principal)

    def indebted(self, account: int) -> bool:
        """Say whether an account owes any coin."""
        return any(self.loans[account, coin].principal for coin in range(len(self.terms.coins)))

    def risk(
        self,
        account: int,
        slow: dict[int, Fraction] | None = None,
        changes: Mapping[int, tuple[int, int, int]] = MappingProxyType({}),
    ) -> tuple[Fraction, Fraction, Fraction]:
        """Return N, D and K of an account, in USDT (RULES 7.2).

        With `slow` averages, assets count at the lower of the two prices, debts at the higher.
        `changes` are what would be added, by coin, to holdings, debt and principal.
        """
        slot = c.slot_of(account)
        coins = range(len(self.terms.coins))
        none = (0, 0, 0)
        principals = {
            coin: max(0, self.loans[account, coin].principal + changes.get(coin, none)[2])
            for coin in coins
        }
        net = debt = needed = Fraction(0)
        for coin in coins:
            key = (account, coin)
            if coin not in changes and not self.holds(key):
                continue
            more_held, more_owed, _ = changes.get(coin, none)
            held = self.available[key] + self.frozen[key] + more_held
            owed = self.loans[key].debt + more_owed
            low = high = self.terms.unit_value(coin)
            if slow is not None:
                low, high = min(low, slow[coin]), max(low, slow[coin])
            excess = held - owed
            net += low * self.terms.weighed(slot, coin, excess) if excess > 0 else high * excess
            if owed or principals[coin]:
                debt += high * owed
                needed += high * self.terms.maintenance(slot, coin, owed, principals)
        return net, debt, needed

    def trusts_prices(self, account: int) -> bool:
        """Say whether every price an account depends on is fresh, of two sources (RULES 7.7)."""
        for coin in range(len(self.terms.coins)):
            key = (account, coin)
            used = self.available[key] or self.frozen[key] or self.loans[key].principal
            if used and not self.terms.trusted(coin, self.time_ms):
                return False
        return True

    def left_behind(self, order: NaiveOrder) -> bool:
        """Say whether a debtor's order is worse for its account than the band (RULES 7.6)."""
        if not self.indebted(order.account):
            return False
        low, high = self.terms.band(order.pair, "band_e6")
        return order.price > high if order.side == c.BUY else order.price < low

    # --- holding the engine's books against these ------------------------------------------------

    def compare(self, state: State, receipts: bool = True) -> None:
        """Assert that every balance and debt, and every open receipt, is as predicted."""
        self.compare_accounts(state, self.venue.accounts)
        hold("the accounts are those that were opened", self.venue.accounts, set(state.accounts))
        frozen = {account for account in state.accounts if queries.is_frozen(state, account)}
        hold("who is frozen is whom an operator froze", self.restricted, frozen)
        waiting = [each.id for each in queries.proposals(state)]
        hold("what waits for another operator is as foretold", [*self.venue.proposals], waiting)
        for coin in state.coins:
            mine = {name: fund[coin.id] for name, fund in self.venue.funds.items()}
            actual = {
                POOL: coin.pool_units,
                FUND: coin.insurance_units,
                FEES: coin.fee_units,
                INTEREST: coin.interest_units,
            }
            hold("the venue's funds are what came in less what went out", mine, actual)
        self.slow.adopt(state)
        self.coupons.check_starts()
        if receipts:
            for account in sorted({account for account, _ in self.loans}):
                self.compare_receipts(state, account)

    def compare_accounts(self, state: State, accounts: set[int]) -> None:
        """Assert that the balances and debts of some accounts are as predicted."""
        coins = range(len(self.terms.coins))
        for account in accounts & self.venue.accounts:
            expected = {
                coin: (self.available[key], self.frozen[key], self.loans[key].principal, due)
                for coin in coins
                if (due := self.loans[key := (account, coin)].due) or self.holds(key)
            }
            actual = {
                view.coin: row
                for view in queries.balances(state, account)
                if any(row := row_of(view))
            }
            if expected != actual:
                hold(f"the balances of account {account} are as predicted", expected, actual)

    def compare_receipts(self, state: State, account: int) -> None:
        expected = [
            (coin, *row)
            for coin in range(len(self.terms.coins))
            for row in self.loans[account, coin].pending
        ]
        assert expected == [
            (row.coin, *receipt_of(row)) for row in queries.pending_interest(state, account)
        ]


def receipt_of(row: e.InterestCharged) -> tuple[int, int, int, int, int]:
    """Return what a receipt says, in the auditor's order."""
    return row.hour_ms, row.rate_e12, row.principal_units, row.units, row.saved_units


def row_of(view: queries.BalanceView) -> tuple[int, int, int, int]:
    """Return what the engine says of a balance, in the auditor's order."""
    return view.available_units, view.frozen_units, view.principal_units, view.interest_units
