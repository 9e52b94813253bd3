"""Positions: what a margin account has traded on a pair, and what it stands at now.

Size and entry come from its fills (`history.position_log`), everything else from the live account.
What left the account otherwise than by a trade is no longer shown.
"""

from typing import Final

import msgspec

from lombard.api.amounts import (
    PRICE_DECIMALS,
    average_text,
    base_text,
    coin_text,
    quote_text,
)
from lombard.api.context import Call
from lombard.api.errors import Scene
from lombard.api.explaining import PREFIX
from lombard.api.lookup import margin_account, mode_of
from lombard.api.order_calls import open_accounts
from lombard.api.table import GET, Endpoint, signed
from lombard.core import queries
from lombard.core import reason_queries as reasons
from lombard.core.queries import Pair
from lombard.core.units import POW10, div_ceil, format_units
from lombard.history.rows import PositionRow
from lombard.identity import Permission

ONE_E12: Final = POW10[PRICE_DECIMALS]


class PositionsQuery(msgspec.Struct):
    """Names a kind of margin, and a pair, or all of them."""

    mode: str = ""
    symbol: str = ""


class PositionView(msgspec.Struct):
    """A position; prices and profits in the quote coin.

    `side` is empty, and `size` 0, when only its profit is left. Interest is what the account ever
    paid, and owes now, of the pair's two coins: in a crossed account other pairs may share them.
    `dust` says that what is left is less than the pair's smallest order, in size or in value at the
    index: it cannot be traded away by itself.
    """

    mode: str
    symbol: str
    side: str
    size: str
    dust: bool
    averageEntryPrice: str
    indexPrice: str
    unrealisedProfit: str
    realisedProfit: str
    baseInterestPaid: str
    baseInterestDue: str
    quoteInterestPaid: str
    quoteInterestDue: str
    liquidationPrice: str
    liquidatedWhen: str
    openedTime: str
    uTime: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        signed(
            GET,
            f"{PREFIX}/positions",
            Permission.READ,
            10,
            Scene.CROSSED,
            PositionsQuery,
            (),
            list[PositionView],
            positions,
        ),
    ]


async def positions(call: Call, query: PositionsQuery) -> list[PositionView]:
    """GET positions"""
    mode = mode_of(call, query.mode)
    accounts = [account for account, _ in open_accounts(mode, call, "")]
    if query.symbol:
        accounts = [margin_account(call, query.mode, query.symbol)]
    rows: list[PositionRow] = []
    for account in accounts:
        rows += await call.past(call.context.reader.positions, account)
    pairs = queries.pairs(call.state)
    shown: list[PositionView] = []
    for row in rows:
        pair = pairs[row.pair]
        if query.symbol in ("", pair.symbol):
            shown.append(_view(call, mode.name, pair, row))
    return shown


def _view(call: Call, mode: str, pair: Pair, row: PositionRow) -> PositionView:
    state = call.state
    base = queries.balance(state, row.account, pair.base.id)
    quote = queries.balance(state, row.account, pair.quote.id)
    live = base.net_units if row.size_units > 0 else -base.net_units
    size = min(abs(row.size_units), max(0, live))
    cost = row.cost_units * size // abs(row.size_units) if size else 0
    worth = _worth_units(pair, size)
    long = row.size_units > 0
    side = ("long" if long else "short") if size else ""
    found = reasons.liquidation_price(state, row.account, pair.base.id) if size else None
    price, when = _liquidation(pair, found)
    return PositionView(
        mode,
        pair.symbol,
        side,
        base_text(pair, size),
        _is_dust(pair, size, worth),
        average_text(pair, size, cost),
        _index_text(pair),
        quote_text(pair, worth - cost if long else cost - worth),
        quote_text(pair, row.realised_units),
        coin_text(pair.base, reasons.interest_paid_units(state, row.account, pair.base.id)),
        coin_text(pair.base, base.interest_units),
        coin_text(pair.quote, reasons.interest_paid_units(state, row.account, pair.quote.id)),
        coin_text(pair.quote, quote.interest_units),
        price,
        when,
        str(row.opened_ms),
        str(row.updated_ms),
    )


def _is_dust(pair: Pair, size: int, worth_units: int) -> bool:
    """Say whether a position is too small for an order of its own (RULES 10)."""
    small = size < pair.min_size_steps * pair.step_units
    # Without an index nothing is known of its worth.
    return 0 < size and (small or 0 < worth_units < pair.min_value_units)


def _worth_units(pair: Pair, base_units: int) -> int:
    """Return what base coins are worth at the index, in quote units, rounded down."""
    if pair.quote.price_e12 == 0:
        return 0
    value = base_units * pair.base.price_e12 * POW10[pair.quote.decimals]
    return value // (pair.quote.price_e12 * POW10[pair.base.decimals])


def _index_text(pair: Pair) -> str:
    if pair.quote.price_e12 == 0:
        return "0"
    return format_units(pair.base.price_e12 * ONE_E12 // pair.quote.price_e12, PRICE_DECIMALS)


def _liquidation(pair: Pair, found: reasons.LiquidationPrice | None) -> tuple[str, str]:
    """Write the base coin's liquidation price in the quote coin, at the quote coin's index."""
    if found is None or pair.quote.price_e12 == 0:
        return "", ""
    price = found.price_e12 * ONE_E12
    if found.direction == reasons.LONG:
        return format_units(price // pair.quote.price_e12, PRICE_DECIMALS), "at or below"
    return format_units(div_ceil(price, pair.quote.price_e12), PRICE_DECIMALS), "at or above"
