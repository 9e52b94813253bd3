"""Liquidations as their owner may read them: when, how bad, what it cost, and with which orders."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import (
    average_text,
    base_text,
    quote_text,
    ratio_text,
    size_text,
    value_text,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.lookup import MODES, Mode
from lombard.api.margin_records import RecordQuery, asked_of, page_ids, symbol_of
from lombard.api.order_calls import open_accounts
from lombard.api.order_rows import KIND_NAMES, SIDE_NAMES
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, Endpoint, signed
from lombard.core import queries
from lombard.core.queries import Pair
from lombard.history.rows import OrderRow
from lombard.identity import Permission

# What a liquidation sells it sells in the book: there are no conversions.
PLACED: Final = "place_order"
SWAPPED: Final = "swap"


class LiquidationRecord(msgspec.Struct):
    """A liquidation; assets, debt and fee in USDT."""

    liqId: str
    liqStartTime: str
    liqEndTime: str
    liqRiskRatio: str
    totalAssets: str
    totalDebt: str
    liqFee: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class LiquidationOrderQuery(PageQuery):
    """A page of the orders that liquidations placed, or of conversions, of which there are none."""

    type: str = ""
    symbol: str = ""


class LiquidationOrder(msgspec.Struct):
    """An order a liquidation placed; the fields of conversions stay empty."""

    symbol: str
    orderType: str
    side: str
    priceAvg: str
    price: str
    fillSize: str
    size: str
    amount: str
    orderId: str
    fromCoin: str
    toCoin: str
    fromSize: str
    toSize: str
    cTime: str
    uTime: str


class LiquidationPage(msgspec.Struct):
    """A page of liquidations."""

    resultList: list[LiquidationRecord]
    maxId: str
    minId: str


class LiquidationOrderPage(msgspec.Struct):
    """A page of such orders; both are null when there are none."""

    resultList: list[LiquidationOrder] | None
    idLessThan: str | None


def endpoints() -> list[Endpoint]:
    """Make the rows of this page, for both kinds of margin."""
    return [row for mode in MODES for row in _rows(mode)]


def _rows(mode: Mode) -> list[Endpoint]:
    return [
        signed(
            GET,
            mode.path("liquidation-history"),
            Permission.READ,
            10,
            mode.scene,
            RecordQuery,
            (*mode.required, "startTime"),
            LiquidationPage,
            partial(liquidation_history, mode),
        ),
        signed(
            GET,
            mode.path("liquidation-order"),
            Permission.READ,
            10,
            mode.scene,
            LiquidationOrderQuery,
            (),
            LiquidationOrderPage,
            partial(liquidation_orders, mode),
        ),
    ]


async def liquidation_history(mode: Mode, call: Call, query: RecordQuery) -> LiquidationPage:
    """GET liquidation-history: those under way have no end yet"""
    page, account, _ = asked_of(mode, call, query)
    rows = await call.past(call.context.reader.liquidations, account, page)
    symbol = symbol_of(mode, query)
    shown = [
        LiquidationRecord(
            str(row.liquidation_id),
            str(row.started_ms),
            str(row.finished_ms) if row.finished_ms else "",
            ratio_text(row.ratio_e6),
            value_text(row.assets_value_e8),
            value_text(row.debt_value_e8),
            value_text(row.fee_value_e8),
            str(row.started_ms),
            str(row.finished_ms or row.started_ms),
            symbol,
        )
        for row in rows
    ]
    return LiquidationPage(shown, *page_ids([row.liquidation_id for row in rows]))


async def liquidation_orders(
    mode: Mode, call: Call, query: LiquidationOrderQuery
) -> LiquidationOrderPage:
    """GET liquidation-order"""
    page = parse_page(call.scene, query)
    if query.type not in ("", PLACED, SWAPPED):
        raise malformed(call.scene, "type")
    rows: list[OrderRow] = []
    if query.type != SWAPPED:
        for account, pair in open_accounts(mode, call, query.symbol):
            pair_id = None if pair is None else pair.id
            rows += await call.past(call.context.reader.system_orders, account, page, pair_id)
    if not rows:
        return LiquidationOrderPage(None, None)
    rows.sort(key=lambda row: row.order_id, reverse=True)
    pairs = queries.pairs(call.state)
    shown = [_order(pairs[row.pair], row) for row in rows[: page.limit]]
    return LiquidationOrderPage(shown, shown[-1].orderId)


def _order(pair: Pair, row: OrderRow) -> LiquidationOrder:
    average = average_text(pair, row.base_units, row.quote_units)
    return LiquidationOrder(
        pair.symbol,
        KIND_NAMES[row.kind],
        f"liquidation-{SIDE_NAMES[row.side]}",
        average,
        average,
        base_text(pair, row.base_units),
        size_text(pair, row.size_steps),
        quote_text(pair, row.quote_units),
        str(row.order_id),
        "",
        "",
        "",
        "",
        str(row.created_ms),
        str(row.updated_ms),
    )
