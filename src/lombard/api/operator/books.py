"""The other side of the ledger: the accounts of the system, and what a user's account owes.

With what users hold (`users/ledger`) all of it sums to zero, coin by coin (RULES 2.1).
"""

from typing import Final

import msgspec

from lombard.api.amounts import coin_text
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.lookup import coin_of
from lombard.api.operator.hand import SCENE, parse_user, reads
from lombard.api.operator.people import slot_of_type
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import Endpoint
from lombard.core import queries
from lombard.core.commands import account_id
from lombard.history import rows as past

ACCOUNTS: Final = {
    "external": past.HOUSE_EXTERNAL,
    "pool": past.HOUSE_POOL,
    "lent": past.HOUSE_LENT,
    "fees": past.HOUSE_FEES,
    "interest": past.HOUSE_INTEREST,
    "insurance": past.HOUSE_INSURANCE,
    "losses": past.HOUSE_LOSSES,
    "lostDebt": past.HOUSE_LOST_DEBT,
}
# What a user's account owes.
DEBT: Final = "debt"
KIND_NAMES: Final = {
    past.HOUSE_DEPOSIT: "deposit",
    past.HOUSE_WITHDRAWAL: "withdrawal",
    past.HOUSE_FUNDING: "funding",
    past.HOUSE_TAKING: "taking",
    past.HOUSE_FEE: "fee",
    past.HOUSE_BORROW: "borrow",
    past.HOUSE_REPAY: "repay",
    past.HOUSE_COMPENSATE: "compensate",
    past.HOUSE_CONFISCATED: "confiscated",
    past.HOUSE_LIQUIDATION_FEE: "liquidation_fee",
    past.HOUSE_LOSS: "loss",
}


class BooksQuery(PageQuery):
    """A page of one account of the system; with `debt`, of what a user's account owes."""

    account: str = ""
    coin: str = ""
    userId: str = ""
    accountType: str = ""
    symbol: str = ""


class BookEntry(msgspec.Struct):
    """What one command moved for one reason, and the balance after it.

    What came from outside is below zero, and so is what is owed. `referenceId` is the first trade,
    loan, repayment, deposit, withdrawal or liquidation of it, or empty.
    """

    entryId: str
    kind: str
    coin: str
    amount: str
    balance: str
    referenceId: str
    cTime: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [reads("books", BooksQuery, ("account",), list[BookEntry], books)]


async def books(call: Call, query: BooksQuery) -> list[BookEntry]:
    """GET books: newest first"""
    page = parse_page(SCENE, query)
    account = _account(call, query)
    coin = coin_of(call, query.coin).id if query.coin else None
    rows = await call.past(call.context.reader.house, account, page, coin)
    coins = queries.coins(call.state)
    return [
        BookEntry(
            str(row.house_id),
            KIND_NAMES[row.kind],
            coins[row.coin].name,
            coin_text(coins[row.coin], row.delta_units),
            coin_text(coins[row.coin], row.balance_units),
            str(row.reference_id) if row.reference_id else "",
            str(row.time_ms),
        )
        for row in rows
    ]


def _account(call: Call, query: BooksQuery) -> int:
    if query.account != DEBT:
        account = ACCOUNTS.get(query.account)
        if account is None:
            raise malformed(SCENE, "account")
        for name in ("userId", "accountType", "symbol"):
            if getattr(query, name):
                raise malformed(SCENE, name)
        return account
    for name in ("userId", "accountType"):
        if not getattr(query, name):
            raise empty(SCENE, name)
    user = parse_user(call, query.userId)
    return account_id(user, slot_of_type(call, query.accountType, query.symbol))
