"""Statements: what a period changed in each holding of a user, from balance to balance.

What is answered reconciles: opening plus the entries between is closing, to the unit, for every
account and coin (`history.accounting`). A statement is one answer, so it is bounded; what is longer
is refused, and is had for a shorter period, an account or a coin, or from the command line.
"""

import csv
import io
from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import coin_text, parse_time
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import coin_of, pair_of
from lombard.api.table import GET, Endpoint, signed
from lombard.api.wallet import ACCOUNT_TYPES, CROSSED_TYPE, ISOLATED_TYPE, SPOT_TYPE
from lombard.core import queries
from lombard.core.commands import (
    ACCOUNT_BITS,
    SLOT_CROSSED,
    SLOT_ISOLATED,
    SLOT_SPOT,
    account_id,
    slot_of,
)
from lombard.history.accounting import Part, StatementLine
from lombard.history.statement_rows import COLUMNS, Names, written
from lombard.identity import Permission

LINES_MAX: Final = 10_000
# The end of the year 9999, after which no time has a name.
END_MS_MAX: Final = 253_402_300_799_999
# Kinds of answers.
ROWS: Final = "rows"
CSV: Final = "csv"


class StatementQuery(msgspec.Struct):
    """A period from its first moment to before its last; all accounts and coins, or one of them."""

    startTime: str = ""
    endTime: str = ""
    accountType: str = ""
    symbol: str = ""
    coin: str = ""
    format: str = ""


class StatementRow(msgspec.Struct):
    """A line: `opening` and `closing` have a balance only, the others what an entry changed.

    `amount` is what the holding changed by, `fee` what was taken off before.
    """

    ts: str
    accountType: str
    symbol: str
    coin: str
    type: str
    amount: str
    fee: str
    balance: str
    referenceId: str
    entryId: str


class Statement(msgspec.Struct):
    """By account, coin and time: `rows`, or the text of a file in `csv`."""

    startTime: str
    endTime: str
    rows: list[StatementRow]
    csv: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        signed(
            GET,
            "/lombard/v1/statement",
            Permission.READ,
            1,
            Scene.WALLET,
            StatementQuery,
            ("startTime", "endTime"),
            Statement,
            statement,
        ),
    ]


async def statement(call: Call, query: StatementQuery) -> Statement:
    """GET statement"""
    return await read_statement(call, call.user, query)


async def read_statement(call: Call, user: int, query: StatementQuery) -> Statement:
    """Read a user's statement; raises `Fault`."""
    start_ms = parse_time(call.scene, "startTime", query.startTime)
    end_ms = parse_time(call.scene, "endTime", query.endTime)
    assert start_ms is not None
    assert end_ms is not None
    if end_ms > END_MS_MAX:
        raise malformed(call.scene, "endTime")
    if start_ms >= end_ms:
        raise Fault("40707")
    if query.format not in ("", ROWS, CSV):
        raise malformed(call.scene, "format")
    part = _part(call, user, query)
    coins = [(coin.name, coin.decimals) for coin in queries.coins(call.state)]
    names = Names(coins, [pair.symbol for pair in queries.pairs(call.state)])
    read = partial(call.context.reader.statement_lines, part, start_ms, end_ms, LINES_MAX)
    lines = await call.past(read)
    if len(lines) > LINES_MAX:
        raise Fault(
            "40017",
            f"a statement of more than {LINES_MAX} lines: ask for a shorter period, for one "
            "account or one coin",
        )
    is_file = query.format == CSV
    return Statement(
        str(start_ms),
        str(end_ms),
        [] if is_file else [_row(call, line) for line in lines],
        _csv_text(lines, names) if is_file else "",
    )


def _part(call: Call, user: int, query: StatementQuery) -> Part:
    """Read which accounts and coins are meant."""
    coin = coin_of(call, query.coin).id if query.coin else None
    slots = {
        "": (SLOT_SPOT, (1 << ACCOUNT_BITS) - 1),
        SPOT_TYPE: (SLOT_SPOT, SLOT_SPOT),
        CROSSED_TYPE: (SLOT_CROSSED, SLOT_CROSSED),
        ISOLATED_TYPE: (SLOT_ISOLATED, (1 << ACCOUNT_BITS) - 1),
    }.get(query.accountType)
    if slots is None:
        raise malformed(call.scene, "accountType")
    if query.symbol:
        if not query.accountType:
            raise empty(call.scene, "accountType")
        if query.accountType != ISOLATED_TYPE:
            raise malformed(call.scene, "symbol")
        slots = (SLOT_ISOLATED + pair_of(call, query.symbol).id,) * 2
    first, last = slots
    return Part(account_id(user, first), account_id(user, last), coin)


def _row(call: Call, line: StatementLine) -> StatementRow:
    coin = queries.coins(call.state)[line.coin]
    slot = slot_of(line.account)
    symbol = ""
    if slot >= SLOT_ISOLATED:
        symbol = queries.pairs(call.state)[slot - SLOT_ISOLATED].symbol
    return StatementRow(
        str(line.time_ms),
        ACCOUNT_TYPES[min(slot, SLOT_ISOLATED)],
        symbol,
        coin.name,
        line.kind,
        coin_text(coin, line.delta_units),
        coin_text(coin, line.fee_units),
        coin_text(coin, line.balance_units),
        str(line.reference_id) if line.reference_id else "",
        str(line.ledger_id) if line.ledger_id else "",
    )


def _csv_text(lines: list[StatementLine], names: Names) -> str:
    """Write the file that the command line writes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(written(lines, names))
    return text.getvalue()
