"""Statements in words: a line's cells as a file has them, with names instead of numbers."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, slot_of
from lombard.core.units import format_units
from lombard.history.accounting import StatementLine

COLUMNS: Final = (
    "time",
    "account",
    "coin",
    "type",
    "amount",
    "fee",
    "balance",
    "reference",
    "entry",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[str, ...]


class Names(NamedTuple):
    """What numbers mean: coins with their decimals, and pairs, by index."""

    coins: list[tuple[str, int]]
    pairs: list[str]


def written(lines: Iterable[StatementLine], names: Names) -> Iterator[Row]:
    """Write lines, one after the other."""
    for line in lines:
        coin, decimals = names.coins[line.coin]
        moment = (_EPOCH + timedelta(milliseconds=line.time_ms)).isoformat(timespec="milliseconds")
        yield (
            moment.replace("+00:00", "Z"),
            account_name(line.account, names),
            coin,
            line.kind,
            signed(line.delta_units, decimals),
            format_units(line.fee_units, decimals),
            format_units(line.balance_units, decimals),
            str(line.reference_id) if line.reference_id else "",
            str(line.ledger_id) if line.ledger_id else "",
        )


def account_name(account: int, names: Names) -> str:
    """Call an account `spot`, `crossed`, or `isolated` and its pair."""
    slot = slot_of(account)
    if slot >= SLOT_ISOLATED:
        return f"isolated {names.pairs[slot - SLOT_ISOLATED]}"
    return "crossed" if slot == SLOT_CROSSED else "spot"


def signed(units: int, decimals: int) -> str:
    """Write an amount that may be below zero."""
    sign = "-" if units < 0 else ""
    return sign + format_units(abs(units), decimals)
