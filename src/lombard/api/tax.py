"""The margin ledger as tax offices like it: of all accounts of a kind, interest apart."""

from typing import Final

import msgspec

from lombard.api.amounts import coin_text
from lombard.api.context import Call
from lombard.api.errors import Scene
from lombard.api.lookup import coin_of, mode_of
from lombard.api.margin_records import MARGIN_TYPES
from lombard.api.order_calls import open_accounts
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, Endpoint, signed
from lombard.core import queries
from lombard.core.queries import Coin
from lombard.history import rows as past
from lombard.history.paging import Page
from lombard.identity import Permission

SPAN_DAYS: Final = 30


class TaxQuery(PageQuery):
    """A page of the ledger of crossed (if nothing is said) or isolated accounts."""

    marginType: str = ""
    coin: str = ""


class TaxRecord(msgspec.Struct):
    """What one event changed in one holding; a repayment has a row for its interest as well.

    `total` and `balance` are both what was held after it: clients know it by either name.
    """

    id: str
    coin: str
    symbol: str
    marginTaxType: str
    amount: str
    fee: str
    total: str
    balance: str
    ts: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        signed(
            GET,
            "/api/v2/tax/margin-record",
            Permission.READ,
            1,
            Scene.CROSSED,
            TaxQuery,
            ("startTime", "endTime"),
            list[TaxRecord],
            margin_record,
        ),
    ]


async def margin_record(call: Call, query: TaxQuery) -> list[TaxRecord]:
    """GET tax/margin-record: newest first"""
    page = parse_page(call.scene, query, days=SPAN_DAYS)
    mode = mode_of(call, query.marginType)
    coin = coin_of(call, query.coin).id if query.coin else None
    accounts = [account for account, _ in open_accounts(mode, call, "")]
    found: list[past.LedgerRow] = []
    for account in accounts:
        found += await call.past(call.context.reader.ledger, account, page, coin)
    found.sort(key=lambda row: row.ledger_id, reverse=True)
    found = found[: page.limit]
    interest = await _interest_of(call, found, coin)
    shown: list[TaxRecord] = []
    for row in found:
        shown += _records(call, row, interest.get((row.account, row.reference_id, row.coin), 0))
    return shown


async def _interest_of(
    call: Call, found: list[past.LedgerRow], coin: int | None
) -> dict[tuple[int, int, int], int]:
    """Look up how much of each repayment was interest, by account, repayment and coin."""
    repaid = [row for row in found if row.kind == past.LEDGER_REPAY]
    interest: dict[tuple[int, int, int], int] = {}
    for account in {row.account for row in repaid}:
        ids = [row.reference_id for row in repaid if row.account == account]
        page = Page(limit=1_000, before_id=max(ids) + 1)
        while page.before_id is not None and page.before_id > min(ids):
            rows = await call.past(call.context.reader.repayments, account, page, coin)
            for row in rows:
                interest[(account, row.repay_id, row.coin)] = row.interest_units
            page = page._replace(before_id=rows[-1].repay_id if rows else None)
    return interest


def _records(call: Call, row: past.LedgerRow, interest_units: int) -> list[TaxRecord]:
    coin = queries.coins(call.state)[row.coin]
    kind = MARGIN_TYPES[row.kind]
    if not interest_units:
        return [_record(call, coin, row, kind, row.delta_units, row.balance_units)]
    # Interest is paid first (RULES 6.4), so the newer of the two rows is the principal's.
    between = row.balance_units - row.delta_units - interest_units
    rows = [_record(call, coin, row, "interest_repay", -interest_units, between)]
    if row.delta_units + interest_units:
        principal = row.delta_units + interest_units
        rows.insert(0, _record(call, coin, row, kind, principal, row.balance_units))
    return rows


def _record(
    call: Call, coin: Coin, row: past.LedgerRow, kind: str, units: int, balance_units: int
) -> TaxRecord:
    slot = queries.slot_of(row.account) - queries.SLOT_ISOLATED
    return TaxRecord(
        str(row.ledger_id),
        coin.name,
        queries.pairs(call.state)[slot].symbol if slot >= 0 else "",
        kind,
        coin_text(coin, units),
        coin_text(coin, -row.fee_units),
        coin_text(coin, balance_units),
        coin_text(coin, balance_units),
        str(row.time_ms),
    )
