"""The margin account: borrowing and paying back, what is in it, and how far it is from its line."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import coin_text, explain_coin, parse_amount, parse_count, ratio_text
from lombard.api.context import Call
from lombard.api.lookup import CROSSED, ISOLATED, Mode, checked_oid, coin_of, pair_of
from lombard.api.table import GET, POST, Endpoint, NoParameters, signed
from lombard.core import queries
from lombard.core.commands import SLOT_ISOLATED, Borrow, Repay, account_id
from lombard.identity import Permission

RISK_ROWS_MAX: Final = 500
RISK_ROWS: Final = 100


class BorrowBody(msgspec.Struct):
    """As on the wire; `symbol` for isolated accounts only."""

    symbol: str = ""
    coin: str = ""
    borrowAmount: str = ""
    clientOid: str = ""


class Loan(msgspec.Struct):
    """A loan that was made."""

    loanId: str
    coin: str
    borrowAmount: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class RepayBody(msgspec.Struct):
    """As on the wire; `symbol` for isolated accounts only."""

    symbol: str = ""
    coin: str = ""
    repayAmount: str = ""
    clientOid: str = ""


class Repayment(msgspec.Struct):
    """A repayment that was made, capped at the debt."""

    repayId: str
    coin: str
    repayAmount: str
    remainDebtAmount: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class CoinQuery(msgspec.Struct):
    """Names a coin."""

    coin: str = ""


class SymbolQuery(msgspec.Struct):
    """Names a pair."""

    symbol: str = ""


class RiskQuery(msgspec.Struct):
    """Names a pair, or asks for a page of all."""

    symbol: str = ""
    pageNum: str = ""
    pageSize: str = ""


class AssetRow(msgspec.Struct):
    """A coin of a margin account. `transferable` is ours: ccxt reads it as what is free."""

    coin: str
    totalAmount: str
    available: str
    transferable: str
    frozen: str
    borrow: str
    interest: str
    net: str
    coupon: str
    cTime: str
    uTime: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class RiskRate(msgspec.Struct):
    """The ratio K / N: `"0"` without debt, liquidation at 1 (RULES 7.3)."""

    riskRateRatio: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class MaxBorrowable(msgspec.Struct):
    """The most a crossed account may borrow of a coin now."""

    coin: str
    maxBorrowableAmount: str


class PairMaxBorrowable(msgspec.Struct):
    """The most an isolated account may borrow now."""

    symbol: str
    baseCoin: str
    baseCoinMaxBorrowAmount: str
    quoteCoin: str
    quoteCoinMaxBorrowAmount: str


class MaxTransferOut(msgspec.Struct):
    """The most of a coin that may leave a crossed account now."""

    coin: str
    maxTransferOutAmount: str


class PairMaxTransferOut(msgspec.Struct):
    """The most that may leave an isolated account now."""

    baseCoin: str
    symbol: str
    baseCoinMaxTransferOutAmount: str
    quoteCoin: str
    quoteCoinMaxTransferOutAmount: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page, for both kinds of margin."""
    return [*_rows(CROSSED), *_rows(ISOLATED), *_crossed_rows(), *_isolated_rows()]


def _rows(mode: Mode) -> list[Endpoint]:
    return [
        signed(
            POST,
            mode.path("account/borrow"),
            Permission.TRADE,
            10,
            mode.borrow_scene,
            BorrowBody,
            (*mode.required, "coin", "borrowAmount"),
            Loan,
            partial(borrow, mode),
        ),
        signed(
            POST,
            mode.path("account/repay"),
            Permission.TRADE,
            10,
            mode.repay_scene,
            RepayBody,
            (*mode.required, "coin", "repayAmount"),
            Repayment,
            partial(repay, mode),
        ),
    ]


def _crossed_rows() -> list[Endpoint]:
    path, scene, read = CROSSED.path, CROSSED.scene, Permission.READ
    coin = ("coin",)
    return [
        signed(
            GET,
            path("account/assets"),
            read,
            10,
            scene,
            CoinQuery,
            (),
            list[AssetRow],
            crossed_assets,
        ),
        signed(
            GET,
            path("account/risk-rate"),
            read,
            10,
            scene,
            NoParameters,
            (),
            RiskRate,
            crossed_risk,
        ),
        signed(
            GET,
            path("account/max-borrowable-amount"),
            read,
            10,
            scene,
            CoinQuery,
            coin,
            MaxBorrowable,
            crossed_max_borrowable,
        ),
        signed(
            GET,
            path("account/max-transfer-out-amount"),
            read,
            10,
            scene,
            CoinQuery,
            coin,
            MaxTransferOut,
            crossed_max_transfer,
        ),
    ]


def _isolated_rows() -> list[Endpoint]:
    path, scene, read = ISOLATED.path, ISOLATED.scene, Permission.READ
    symbol = ("symbol",)
    return [
        signed(
            GET,
            path("account/assets"),
            read,
            10,
            scene,
            SymbolQuery,
            (),
            list[AssetRow],
            isolated_assets,
        ),
        signed(
            GET,
            path("account/risk-rate"),
            read,
            10,
            scene,
            RiskQuery,
            (),
            list[RiskRate],
            isolated_risk,
        ),
        signed(
            GET,
            path("account/max-borrowable-amount"),
            read,
            10,
            scene,
            SymbolQuery,
            symbol,
            PairMaxBorrowable,
            isolated_max_borrowable,
        ),
        signed(
            GET,
            path("account/max-transfer-out-amount"),
            read,
            10,
            scene,
            SymbolQuery,
            symbol,
            PairMaxTransferOut,
            isolated_max_transfer,
        ),
    ]


async def borrow(mode: Mode, call: Call, body: BorrowBody) -> Loan:
    """POST account/borrow"""
    account = mode.account(call, body.symbol)
    coin = coin_of(call, body.coin)
    units = parse_amount(call.scene, "borrowAmount", body.borrowAmount, coin)
    command = Borrow(coin.id, units, checked_oid(call, body.clientOid))
    reply = await call.submit(account, command, partial(explain_coin, coin))
    symbol = body.symbol if mode.isolated else msgspec.UNSET
    return Loan(str(reply.id), coin.name, coin_text(coin, reply.units), symbol)


async def repay(mode: Mode, call: Call, body: RepayBody) -> Repayment:
    """POST account/repay"""
    account = mode.account(call, body.symbol)
    coin = coin_of(call, body.coin)
    units = parse_amount(call.scene, "repayAmount", body.repayAmount, coin)
    command = Repay(coin.id, units, checked_oid(call, body.clientOid))
    reply = await call.submit(account, command, partial(explain_coin, coin))
    return Repayment(
        str(reply.id),
        coin.name,
        coin_text(coin, reply.units),
        coin_text(coin, reply.remaining),
        body.symbol if mode.isolated else msgspec.UNSET,
    )


async def crossed_assets(call: Call, query: CoinQuery) -> list[AssetRow]:
    """GET crossed/account/assets"""
    wanted = coin_of(call, query.coin).id if query.coin else None
    return _assets(call, CROSSED.account(call, ""), wanted, msgspec.UNSET)


async def isolated_assets(call: Call, query: SymbolQuery) -> list[AssetRow]:
    """GET isolated/account/assets: two rows for each pair, base and quote."""
    if query.symbol:
        account = ISOLATED.account(call, query.symbol)
        return _assets(call, account, None, query.symbol)
    rows: list[AssetRow] = []
    for account, symbol in _isolated_accounts(call):
        rows += _assets(call, account, None, symbol)
    return rows


async def crossed_risk(call: Call, _: NoParameters) -> RiskRate:
    """GET crossed/account/risk-rate"""
    return RiskRate(_ratio(call, CROSSED.account(call, "")))


async def isolated_risk(call: Call, query: RiskQuery) -> list[RiskRate]:
    """GET isolated/account/risk-rate"""
    if query.symbol:
        account = ISOLATED.account(call, query.symbol)
        return [RiskRate(_ratio(call, account), query.symbol)]
    page = parse_count(call.scene, "pageNum", query.pageNum, 1, 1000)
    size = parse_count(call.scene, "pageSize", query.pageSize, RISK_ROWS, RISK_ROWS_MAX)
    accounts = _isolated_accounts(call)[(page - 1) * size : page * size]
    return [RiskRate(_ratio(call, account), symbol) for account, symbol in accounts]


async def crossed_max_borrowable(call: Call, query: CoinQuery) -> MaxBorrowable:
    """GET crossed/account/max-borrowable-amount"""
    coin = coin_of(call, query.coin)
    limit = queries.max_borrowable(call.state, CROSSED.account(call, ""), coin.id)
    return MaxBorrowable(coin.name, coin_text(coin, limit.units))


async def isolated_max_borrowable(call: Call, query: SymbolQuery) -> PairMaxBorrowable:
    """GET isolated/account/max-borrowable-amount"""
    state, pair = call.state, pair_of(call, query.symbol)
    account = account_id(call.user, SLOT_ISOLATED + pair.id)
    base, quote = (
        coin_text(coin, queries.max_borrowable(state, account, coin.id).units)
        for coin in (pair.base, pair.quote)
    )
    return PairMaxBorrowable(pair.symbol, pair.base.name, base, pair.quote.name, quote)


async def crossed_max_transfer(call: Call, query: CoinQuery) -> MaxTransferOut:
    """GET crossed/account/max-transfer-out-amount"""
    coin = coin_of(call, query.coin)
    units = queries.max_transferable(call.state, CROSSED.account(call, ""), coin.id)
    return MaxTransferOut(coin.name, coin_text(coin, units))


async def isolated_max_transfer(call: Call, query: SymbolQuery) -> PairMaxTransferOut:
    """GET isolated/account/max-transfer-out-amount"""
    state, pair = call.state, pair_of(call, query.symbol)
    account = account_id(call.user, SLOT_ISOLATED + pair.id)
    base, quote = (
        coin_text(coin, queries.max_transferable(state, account, coin.id))
        for coin in (pair.base, pair.quote)
    )
    return PairMaxTransferOut(pair.base.name, pair.symbol, base, pair.quote.name, quote)


def _isolated_accounts(call: Call) -> list[tuple[int, str]]:
    """List the caller's isolated accounts that are open, with their symbols."""
    pairs = queries.pairs(call.state)
    return [
        (account, pairs[queries.slot_of(account) - SLOT_ISOLATED].symbol)
        for account in queries.accounts_of(call.state, call.user)
        if queries.slot_of(account) >= SLOT_ISOLATED
    ]


def _ratio(call: Call, account: int) -> str:
    return ratio_text(queries.risk(call.state, account).ratio_e6())


def _assets(
    call: Call, account: int, wanted: int | None, symbol: str | msgspec.UnsetType
) -> list[AssetRow]:
    state = call.state
    coins = queries.coins(state)
    # Balances carry no time of their own: what is shown is what holds now.
    now = str(call.context.node.exchange_time_ms())
    rows: list[AssetRow] = []
    for view in queries.balances(state, account):
        if wanted is not None and view.coin != wanted:
            continue
        coin = coins[view.coin]
        rows.append(
            AssetRow(
                coin.name,
                coin_text(coin, view.available_units + view.frozen_units),
                coin_text(coin, view.available_units),
                coin_text(coin, queries.max_transferable(state, account, coin.id)),
                coin_text(coin, view.frozen_units),
                coin_text(coin, view.principal_units),
                coin_text(coin, view.interest_units),
                coin_text(coin, view.net_units),
                "0",
                now,
                now,
                symbol,
            )
        )
    return rows
