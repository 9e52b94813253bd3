"""What was owed, when: the principal lent in some accounts, from the loans and what ended them."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Select, case, func, select, union_all

from lombard.core.commands import ACCOUNT_BITS
from lombard.history import schema as s
from lombard.history.rows import ENTRY_LOSS

_SLOTS: Final = (1 << ACCOUNT_BITS) - 1


class DebtChange(NamedTuple):
    """How much more principal was owed of a coin, in one kind of account and one span of time.

    `units` is exact in PostgreSQL; in SQLite it has the precision of a float.
    """

    open_ms: int
    slot: int
    coin: int
    units: int


def read_debt_changes(
    connection: Connection,
    slots: Collection[int],
    coins: Collection[int],
    span_ms: int,
    since_ms: int,
) -> list[DebtChange]:
    """Sum loans, repayments and losses by account slot, coin and span; `open_ms` 0 is before."""
    borrows, repayments = s.borrows.c, s.repayments.c
    entries, liquidations = s.liquidation_entries.c, s.liquidations.c
    lost = s.liquidation_entries.join(
        s.liquidations, entries.liquidation_id == liquidations.liquidation_id
    )

    def part(source: Any, account: Column[int], row: Any, units: Column[int]) -> Select[Any]:
        slot = account.bitwise_and(_SLOTS)
        opened = case((row.time_ms < since_ms, 0), else_=row.time_ms - row.time_ms % span_ms)
        return (
            select(opened, slot, row.coin, func.sum(units))
            .select_from(source)
            .where(slot.in_(slots), row.coin.in_(coins))
            .group_by(opened, slot, row.coin)
        )

    lent = part(s.borrows, borrows.account, borrows, borrows.units)
    paid = part(s.repayments, repayments.account, repayments, repayments.principal_units)
    written_off = part(lost, liquidations.account, entries, entries.units).where(
        entries.kind == ENTRY_LOSS
    )
    return [
        DebtChange(open_ms, slot, coin, sign * units)
        for sign, query in ((1, lent), (-1, union_all(paid, written_off)))
        for open_ms, slot, coin, units in connection.execute(query)
    ]
