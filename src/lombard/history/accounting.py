"""Statements: what a period changed in each holding of a user, from balance to balance.

For every account and coin: the opening balance, each entry of the ledger, the closing balance.
Opening plus entries is closing, to the unit, and every entry's own balance is checked on the way:
a statement that does not reconcile is an error, never a file.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from lombard.core.commands import account_id
from lombard.history import rows as r
from lombard.history import schema as s
from lombard.history.faults import HistoryError
from lombard.history.paging import Page, bounds, keys_of

OPENING: Final = "opening"
CLOSING: Final = "closing"
# `StatementLine.kind` of a ledger entry.
ENTRY_NAMES: Final = {
    r.LEDGER_DEPOSIT: "deposit",
    r.LEDGER_TRANSFER_IN: "transfer_in",
    r.LEDGER_TRANSFER_OUT: "transfer_out",
    r.LEDGER_BORROW: "borrow",
    r.LEDGER_REPAY: "repay",
    r.LEDGER_BUY_IN: "buy_in",
    r.LEDGER_BUY_OUT: "buy_out",
    r.LEDGER_SELL_IN: "sell_in",
    r.LEDGER_SELL_OUT: "sell_out",
    r.LEDGER_LIQUIDATION_FEE: "liquidation_fee",
    r.LEDGER_COMPENSATE: "compensate",
    r.LEDGER_CONFISCATED: "confiscated",
    r.LEDGER_WITHDRAWAL: "withdrawal",
}
_CHUNK: Final = 10_000


class StatementLine(NamedTuple):
    """A line of a statement. `delta_units` is what the holding changed by, fees taken off.

    Opening and closing lines have a balance only; their `time_ms` are the period's ends.
    """

    account: int
    coin: int
    time_ms: int
    kind: str
    delta_units: int
    fee_units: int
    balance_units: int
    reference_id: int
    ledger_id: int


class Part(NamedTuple):
    """What a statement is of: accounts from the first to the last, one coin or (None) all."""

    first_account: int
    last_account: int
    coin: int | None = None


def all_of(user: int) -> Part:
    """Say a user's statement in full."""
    return Part(account_id(user, 0), account_id(user + 1, 0) - 1)


def statement(
    connection: Connection, part: Part, from_ms: int, until_ms: int
) -> Iterator[StatementLine]:
    """Yield the lines of `[from_ms, until_ms)`, by account, coin and time.

    All of it is read in the connection's transaction. Raises `HistoryError` when it does not
    reconcile.
    """
    e = s.ledger.c
    for account in _accounts(connection, part):
        for coin in keys_of(connection, e.account, account, e.coin):
            if part.coin in (None, coin):
                yield from _holding(connection, account, coin, from_ms, until_ms)


def _accounts(connection: Connection, part: Part) -> Iterator[int]:
    column = s.ledger.c.account
    account = part.first_account - 1
    while True:
        query = select(column).where(column > account).order_by(column).limit(1)
        found = connection.execute(query).scalar()
        if found is None or found > part.last_account:
            return
        account = found
        yield account


def _holding(
    connection: Connection, account: int, coin: int, from_ms: int, until_ms: int
) -> Iterator[StatementLine]:
    opening = balance = _balance_before(connection, account, coin, from_ms)
    yield StatementLine(account, coin, from_ms, OPENING, 0, 0, opening, 0, 0)
    changed = 0
    for row in _entries(connection, account, coin, from_ms, until_ms):
        balance += row.delta_units
        changed += row.delta_units
        if balance != row.balance_units:
            raise HistoryError(
                f"The ledger of account {account} does not reconcile: entry {row.ledger_id} says "
                f"{row.balance_units} of coin {coin}, the entries before it come to {balance}. "
                "Make history again from the journal: lombard history rebuild."
            )
        yield StatementLine(
            account,
            coin,
            row.time_ms,
            ENTRY_NAMES[row.kind],
            row.delta_units,
            row.fee_units,
            row.balance_units,
            row.reference_id,
            row.ledger_id,
        )
    closing = _balance_before(connection, account, coin, until_ms)
    if opening + changed != closing:
        raise HistoryError(
            f"The ledger of account {account} does not reconcile: coin {coin} opens with {opening} "
            f"and closes with {closing}, but its entries come to {changed}. "
            "Make history again from the journal: lombard history rebuild."
        )
    yield StatementLine(account, coin, until_ms, CLOSING, 0, 0, closing, 0, 0)


def _balance_before(connection: Connection, account: int, coin: int, time_ms: int) -> int:
    e = s.ledger.c
    before = bounds(connection, s.COUNTER_LEDGER, Page(1, None, None, time_ms - 1))
    query = (
        select(e.balance_units)
        .where(e.account == account, e.coin == coin, *before.of(e.ledger_id, e.time_ms))
        .order_by(e.ledger_id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return 0 if found is None else found


def _entries(
    connection: Connection, account: int, coin: int, from_ms: int, until_ms: int
) -> Iterator[r.LedgerRow]:
    """Yield the entries of a holding, rising, without holding all of them."""
    e = s.ledger.c
    within = bounds(connection, s.COUNTER_LEDGER, Page(1, None, from_ms, until_ms - 1))
    query = (
        select(s.ledger)
        .where(e.account == account, e.coin == coin, *within.of(e.ledger_id, e.time_ms))
        .order_by(e.ledger_id)
        .limit(_CHUNK)
    )
    last_id = 0
    while True:
        found = [
            r.LedgerRow(*row) for row in connection.execute(query.where(e.ledger_id > last_id))
        ]
        yield from found
        if len(found) < _CHUNK:
            return
        last_id = found[-1].ledger_id
