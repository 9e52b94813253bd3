"""What happened in a margin account: loans, repayments, interest, and the ledger."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import coin_text, parse_id, rate_text
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.lookup import MODES, Mode, coin_of
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, Counted, Endpoint, signed
from lombard.core import queries
from lombard.core.events import (
    REPAY_AUTO,
    REPAY_FORCED,
    REPAY_LIQUIDATION,
    REPAY_MANUAL,
    InterestCharged,
)
from lombard.core.queries import Coin
from lombard.history import rows as past
from lombard.history.paging import Page
from lombard.identity import Permission

REPAY_TYPES: Final = {
    REPAY_MANUAL: "manual_repay",
    REPAY_AUTO: "auto_repay",
    REPAY_LIQUIDATION: "liq_repay",
    REPAY_FORCED: "force_repay",
}
MARGIN_TYPES: Final = {
    past.LEDGER_DEPOSIT: "transfer_in",
    past.LEDGER_TRANSFER_IN: "transfer_in",
    past.LEDGER_TRANSFER_OUT: "transfer_out",
    past.LEDGER_BORROW: "borrow",
    past.LEDGER_REPAY: "repay",
    past.LEDGER_BUY_IN: "deal_in",
    past.LEDGER_BUY_OUT: "deal_out",
    past.LEDGER_SELL_IN: "deal_in",
    past.LEDGER_SELL_OUT: "deal_out",
    past.LEDGER_LIQUIDATION_FEE: "liquidation_fee",
    past.LEDGER_COMPENSATE: "compensate",
    past.LEDGER_CONFISCATED: "confiscated",
}
# Types the dialect has and this venue does not come by: conversions are sales here.
EXCHANGES: Final = ("exchange_in", "exchange_out", "sys_exchange_in", "sys_exchange_out")
NO_ID: Final = "0"


class RecordQuery(PageQuery):
    """A page of records; `symbol` for isolated accounts only."""

    symbol: str = ""
    coin: str = ""
    loanId: str = ""
    repayId: str = ""
    marginType: str = ""


class BorrowRecord(msgspec.Struct):
    """A loan as it was made."""

    loanId: str
    coin: str
    borrowAmount: str
    borrowType: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class RepayRecord(msgspec.Struct):
    """A repayment: interest and principal add up to the amount."""

    repayId: str
    coin: str
    repayAmount: str
    repayType: str
    repayInterest: str
    repayPrincipal: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class InterestRecord(msgspec.Struct):
    """A receipt for an hour's interest (RULES 4.2). `interstType`: sic."""

    interestId: str
    loanCoin: str
    interestCoin: str
    dailyInterestRate: str
    interestAmount: str
    interstType: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class Cover(msgspec.Struct):
    """A coupon, and how much of the principal it covered."""

    couponId: str
    amount: str


class InterestReceipt(msgspec.Struct):
    """A receipt in full (RULES 4.2, 9.3): what the hour would cost, what coupons saved, the rest.

    `grossAmount` − `savedAmount` = `interestAmount`; all three add up, receipt by receipt.
    """

    interestId: str
    coin: str
    hour: str
    first: bool
    principal: str
    dailyInterestRate: str
    grossAmount: str
    savedAmount: str
    interestAmount: str
    coupons: list[Cover]
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class FinancialRecord(msgspec.Struct):
    """What one event changed in one holding: signed, with the balance after it."""

    marginId: str
    coin: str
    amount: str
    balance: str
    fee: str
    marginType: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class BorrowPage(msgspec.Struct):
    """A page of loans."""

    resultList: list[BorrowRecord]
    maxId: str
    minId: str


class RepayPage(msgspec.Struct):
    """A page of repayments."""

    resultList: list[RepayRecord]
    maxId: str
    minId: str


class InterestPage(msgspec.Struct):
    """A page of receipts."""

    resultList: list[InterestRecord]
    maxId: str
    minId: str


class ReceiptPage(msgspec.Struct):
    """A page of receipts in full."""

    resultList: list[InterestReceipt]
    maxId: str
    minId: str


class FinancialPage(msgspec.Struct):
    """A page of the ledger."""

    resultList: list[FinancialRecord]
    maxId: str
    minId: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page, for both kinds of margin."""
    return [row for mode in MODES for row in (*_rows(mode), _receipts_row(mode))]


def _rows(mode: Mode) -> list[Endpoint]:
    read, scene, path = Permission.READ, mode.scene, mode.path
    needed = (*mode.required, "startTime")
    by_address = Counted.USER if mode.isolated else Counted.ADDRESS
    return [
        signed(
            GET,
            path("borrow-history"),
            read,
            10,
            scene,
            RecordQuery,
            needed,
            BorrowPage,
            partial(borrow_history, mode),
        ),
        signed(
            GET,
            path("repay-history"),
            read,
            10,
            scene,
            RecordQuery,
            needed,
            RepayPage,
            partial(repay_history, mode),
            by_address,
        ),
        signed(
            GET,
            path("interest-history"),
            read,
            10,
            scene,
            RecordQuery,
            needed,
            InterestPage,
            partial(interest_history, mode),
        ),
        signed(
            GET,
            path("financial-records"),
            read,
            10,
            scene,
            RecordQuery,
            needed,
            FinancialPage,
            partial(financial_records, mode),
        ),
    ]


def _receipts_row(mode: Mode) -> Endpoint:
    return signed(
        GET,
        f"/lombard/v1/margin/{mode.name}/interest-receipts",
        Permission.READ,
        10,
        mode.scene,
        RecordQuery,
        mode.required,
        ReceiptPage,
        partial(interest_receipts, mode),
    )


async def borrow_history(mode: Mode, call: Call, query: RecordQuery) -> BorrowPage:
    """GET borrow-history"""
    page, account, coin = asked_of(mode, call, query)
    loan_id = parse_id(call.scene, "loanId", query.loanId) or None
    rows = await call.past(call.context.reader.borrows, account, page, coin, loan_id)
    coins, symbol = queries.coins(call.state), symbol_of(mode, query)
    shown = [
        BorrowRecord(
            str(row.loan_id),
            coins[row.coin].name,
            coin_text(coins[row.coin], row.units),
            "auto_loan" if row.auto else "manual_loan",
            str(row.time_ms),
            str(row.time_ms),
            symbol,
        )
        for row in rows
    ]
    return BorrowPage(shown, *page_ids([row.loan_id for row in rows]))


async def repay_history(mode: Mode, call: Call, query: RecordQuery) -> RepayPage:
    """GET repay-history"""
    page, account, coin = asked_of(mode, call, query)
    repay_id = parse_id(call.scene, "repayId", query.repayId) or None
    rows = await call.past(call.context.reader.repayments, account, page, coin, repay_id)
    coins, symbol = queries.coins(call.state), symbol_of(mode, query)
    shown = [
        RepayRecord(
            str(row.repay_id),
            coins[row.coin].name,
            coin_text(coins[row.coin], row.interest_units + row.principal_units),
            REPAY_TYPES[row.kind],
            coin_text(coins[row.coin], row.interest_units),
            coin_text(coins[row.coin], row.principal_units),
            str(row.time_ms),
            str(row.time_ms),
            symbol,
        )
        for row in rows
    ]
    return RepayPage(shown, *page_ids([row.repay_id for row in rows]))


async def interest_history(mode: Mode, call: Call, query: RecordQuery) -> InterestPage:
    """GET interest-history: what is written, and the hours no touch of the loan has written yet"""
    rows = await _receipts(mode, call, query)
    coins, symbol = queries.coins(call.state), symbol_of(mode, query)
    shown = [
        InterestRecord(
            str(row.interest_id),
            coins[row.coin].name,
            coins[row.coin].name,
            rate_text(row.rate_e12),
            coin_text(coins[row.coin], row.units),
            "first" if row.first else "scheduled",
            str(row.time_ms),
            str(row.time_ms),
            symbol,
        )
        for row in rows
    ]
    return InterestPage(shown, *page_ids([row.interest_id for row in rows]))


async def interest_receipts(mode: Mode, call: Call, query: RecordQuery) -> ReceiptPage:
    """GET interest-receipts: like interest-history, with what coupons saved"""
    rows = await _receipts(mode, call, query)
    symbol = symbol_of(mode, query)
    shown = [_receipt(queries.coins(call.state)[row.coin], row, symbol) for row in rows]
    return ReceiptPage(shown, *page_ids([row.interest_id for row in rows]))


def _receipt(coin: Coin, row: past.InterestRow, symbol: str | msgspec.UnsetType) -> InterestReceipt:
    return InterestReceipt(
        str(row.interest_id),
        coin.name,
        str(row.time_ms),
        row.first,
        coin_text(coin, row.principal_units),
        rate_text(row.rate_e12),
        coin_text(coin, row.units + row.saved_units),
        coin_text(coin, row.saved_units),
        coin_text(coin, row.units),
        [Cover(str(coupon_id), coin_text(coin, units)) for coupon_id, units in row.covers],
        symbol,
    )


async def _receipts(mode: Mode, call: Call, query: RecordQuery) -> list[past.InterestRow]:
    page, account, coin = asked_of(mode, call, query)
    # Taken now: what is written while history is read is then in both, and shown once.
    pending = queries.pending_interest(call.state, account)
    written = await call.past(call.context.reader.interest, account, page, coin)
    return merge_interest(written, pending, page, coin)


async def financial_records(mode: Mode, call: Call, query: RecordQuery) -> FinancialPage:
    """GET financial-records"""
    page, account, coin = asked_of(mode, call, query)
    kinds: list[int] | None = None
    if query.marginType:
        kinds = [kind for kind, name in MARGIN_TYPES.items() if name == query.marginType]
        if not kinds and query.marginType not in EXCHANGES:
            raise malformed(call.scene, "marginType")
    rows = await call.past(call.context.reader.ledger, account, page, coin, kinds)
    coins, symbol = queries.coins(call.state), symbol_of(mode, query)
    shown = [
        FinancialRecord(
            str(row.ledger_id),
            coins[row.coin].name,
            coin_text(coins[row.coin], row.delta_units),
            coin_text(coins[row.coin], row.balance_units),
            coin_text(coins[row.coin], -row.fee_units),
            MARGIN_TYPES[row.kind],
            str(row.time_ms),
            str(row.time_ms),
            symbol,
        )
        for row in rows
    ]
    return FinancialPage(shown, *page_ids([row.ledger_id for row in rows]))


def merge_interest(
    written: list[past.InterestRow], pending: list[InterestCharged], page: Page, coin: int | None
) -> list[past.InterestRow]:
    """Put the receipts that are written and those that are not on one page, each once."""
    found = {(row.interest_id, row.coin): row for row in written}
    for charge in pending:
        if coin is not None and charge.coin != coin:
            continue
        if page.before_id is not None and charge.interest_id >= page.before_id:
            continue
        if page.start_ms is not None and charge.hour_ms < page.start_ms:
            continue
        if page.end_ms is not None and charge.hour_ms > page.end_ms:
            continue
        found.setdefault(
            (charge.interest_id, charge.coin),
            past.InterestRow(
                charge.account,
                charge.interest_id,
                charge.coin,
                charge.first,
                charge.rate_e12,
                charge.principal_units,
                charge.units,
                charge.hour_ms,
                charge.saved_units,
                charge.covers,
            ),
        )
    newest = sorted(found, reverse=True)
    # A page never ends between two receipts of one id: the next one asks below that id.
    if len(newest) > page.limit:
        last_id, _ = newest[page.limit - 1]
        newest = [key for key in newest if key[0] >= last_id]
    return [found[key] for key in newest]


def asked_of(mode: Mode, call: Call, query: RecordQuery) -> tuple[Page, int, int | None]:
    """Read what a page of records is about: which rows, whose, and of which coin."""
    page = parse_page(call.scene, query)
    account = mode.account(call, query.symbol)
    return page, account, coin_of(call, query.coin).id if query.coin else None


def symbol_of(mode: Mode, query: RecordQuery) -> str | msgspec.UnsetType:
    """Return the symbol that rows of isolated accounts carry."""
    return query.symbol if mode.isolated else msgspec.UNSET


def page_ids(ids: list[int]) -> tuple[str, str]:
    """Return the largest and smallest id of a page, `"0"` when it is empty (reference §2.21)."""
    return (str(ids[0]), str(ids[-1])) if ids else (NO_ID, NO_ID)
