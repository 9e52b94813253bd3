"""The wallet: spot balances, transfers between one's own accounts, and the statement of both."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import (
    coin_text,
    explain_coin,
    padded,
    parse_amount,
    parse_count,
)
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import checked_oid, coin_of, pair_of, spot_account
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.core import queries
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, SLOT_SPOT, Transfer, account_id
from lombard.core.queries import ACCOUNT_BITS, slot_of
from lombard.history import rows as past
from lombard.identity import Permission

SPOT_TYPE: Final = "spot"
CROSSED_TYPE: Final = "crossed_margin"
ISOLATED_TYPE: Final = "isolated_margin"
ACCOUNT_TYPES: Final = (SPOT_TYPE, CROSSED_TYPE, ISOLATED_TYPE)
# Accounts the dialect knows and this venue does not have.
FOREIGN_TYPES: Final = ("p2p", "coin_futures", "usdt_futures", "usdc_futures")
BILL_DECIMALS: Final = 8
PAGES_MAX: Final = 1000

# group and business type of what moves a spot balance
BILL_TYPES: Final = {
    past.LEDGER_DEPOSIT: ("deposit", "deposit"),
    past.LEDGER_WITHDRAWAL: ("withdraw", "withdraw"),
    past.LEDGER_TRANSFER_IN: ("transfer", "transfer_in"),
    past.LEDGER_TRANSFER_OUT: ("transfer", "transfer_out"),
    past.LEDGER_BUY_IN: ("transaction", "buy"),
    past.LEDGER_BUY_OUT: ("transaction", "buy"),
    past.LEDGER_SELL_IN: ("transaction", "sell"),
    past.LEDGER_SELL_OUT: ("transaction", "sell"),
}


class TransferBody(msgspec.Struct):
    """As on the wire; `symbol` when either side is an isolated account."""

    fromType: str = ""
    toType: str = ""
    amount: str = ""
    coin: str = ""
    symbol: str = ""
    clientOid: str = ""


class TransferAck(msgspec.Struct):
    """A transfer that was made."""

    transferId: str
    clientOid: str


class TransferCoinsQuery(msgspec.Struct):
    """Two kinds of accounts."""

    fromType: str = ""
    toType: str = ""


class TransfersQuery(PageQuery):
    """A page of transfers of a coin."""

    coin: str = ""
    fromType: str = ""
    clientOid: str = ""
    pageNum: str = ""


class TransferRecord(msgspec.Struct):
    """A transfer; the symbols are of isolated accounts."""

    coin: str
    status: str
    toType: str
    toSymbol: str
    fromType: str
    fromSymbol: str
    size: str
    ts: str
    clientOid: str
    transferId: str


class AssetsQuery(msgspec.Struct):
    """One coin, or those that are held, or all."""

    coin: str = ""
    assetType: str = ""


class SpotAsset(msgspec.Struct):
    """A coin of the spot account."""

    coin: str
    available: str
    frozen: str
    locked: str
    limitAvailable: str
    uTime: str


class BillsQuery(PageQuery):
    """A page of the spot account's statement."""

    coin: str = ""
    groupType: str = ""
    businessType: str = ""


class Bill(msgspec.Struct):
    """What one event changed in one spot balance: signed, with the balance after it.

    `bizOrderId` names the order, deposit or transfer that changed it.
    """

    cTime: str
    coin: str
    groupType: str
    businessType: str
    size: str
    balance: str
    fees: str
    billId: str
    bizOrderId: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, scene = Permission.READ, Scene.WALLET
    types = ("fromType", "toType")
    return [
        signed(
            POST,
            "/api/v2/spot/wallet/transfer",
            Permission.TRANSFER,
            10,
            scene,
            TransferBody,
            (*types, "amount", "coin"),
            TransferAck,
            transfer,
        ),
        signed(
            GET,
            "/api/v2/spot/wallet/transfer-coin-info",
            read,
            10,
            scene,
            TransferCoinsQuery,
            types,
            list[str],
            transfer_coins,
        ),
        signed(
            GET,
            "/api/v2/spot/account/transferRecords",
            read,
            20,
            scene,
            TransfersQuery,
            ("coin",),
            list[TransferRecord],
            transfer_records,
        ),
        signed(
            GET,
            "/api/v2/spot/account/assets",
            read,
            10,
            scene,
            AssetsQuery,
            (),
            list[SpotAsset],
            assets,
        ),
        signed(
            GET, "/api/v2/spot/account/bills", read, 10, scene, BillsQuery, (), list[Bill], bills
        ),
    ]


async def transfer(call: Call, body: TransferBody) -> TransferAck:
    """POST wallet/transfer"""
    source = account_of_type(call, "fromType", body.fromType, body.symbol)
    target = account_of_type(call, "toType", body.toType, body.symbol)
    coin = coin_of(call, body.coin)
    units = parse_amount(call.scene, "amount", body.amount, coin)
    command = Transfer(target, coin.id, units, checked_oid(call, body.clientOid))
    reply = await call.submit(source, command, partial(explain_coin, coin))
    return TransferAck(str(reply.id), body.clientOid or str(reply.id))


async def transfer_coins(call: Call, query: TransferCoinsQuery) -> list[str]:
    """GET wallet/transfer-coin-info"""
    state = call.state
    for name, account_type in (("fromType", query.fromType), ("toType", query.toType)):
        if account_type in FOREIGN_TYPES:
            return []
        if account_type not in ACCOUNT_TYPES:
            raise malformed(call.scene, name)
    coins = [coin for coin in queries.coins(state) if coin.transferable]
    if ISOLATED_TYPE in (query.fromType, query.toType):
        pairs = [pair for pair in queries.pairs(state) if pair.isolated_tiers]
        held = {coin.id for pair in pairs for coin in (pair.base, pair.quote)}
        coins = [coin for coin in coins if coin.id in held]
    return [coin.name for coin in coins]


async def transfer_records(call: Call, query: TransfersQuery) -> list[TransferRecord]:
    """GET account/transferRecords"""
    page = parse_page(call.scene, query)
    coin = coin_of(call, query.coin)
    sources: tuple[int, int] | None = None
    if query.fromType in FOREIGN_TYPES:
        return []
    if query.fromType:
        sources = _accounts_of_type(call, query.fromType)
    page_number = parse_count(call.scene, "pageNum", query.pageNum, 1, PAGES_MAX)
    rows = await call.past(
        call.context.reader.transfers,
        call.user,
        page,
        coin.id,
        sources,
        query.clientOid or None,
        (page_number - 1) * page.limit,
    )
    return [transfer_record(call, row) for row in rows]


def transfer_record(call: Call, row: past.TransferRow) -> TransferRecord:
    """Show a transfer."""
    coin = queries.coins(call.state)[row.coin]
    return TransferRecord(
        coin.name,
        "Successful",
        *_type_and_symbol(call, row.to_account),
        *_type_and_symbol(call, row.from_account),
        coin_text(coin, row.units),
        str(row.time_ms),
        row.client_oid or str(row.transfer_id),
        str(row.transfer_id),
    )


async def assets(call: Call, query: AssetsQuery) -> list[SpotAsset]:
    """GET account/assets"""
    if query.assetType not in ("", "hold_only", "all"):
        raise malformed(call.scene, "assetType")
    state = call.state
    views = {view.coin: view for view in queries.balances(state, spot_account(call))}
    coins = [coin_of(call, query.coin)] if query.coin else queries.coins(state)
    now = str(call.context.node.exchange_time_ms())
    rows: list[SpotAsset] = []
    for coin in coins:
        view = views.get(coin.id)
        available = 0 if view is None else view.available_units
        frozen = 0 if view is None else view.frozen_units
        if available or frozen or query.coin or query.assetType == "all":
            free, held = coin_text(coin, available), coin_text(coin, frozen)
            rows.append(SpotAsset(coin.name, free, held, "0", "0", now))
    return rows


async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    """GET account/bills"""
    page = parse_page(call.scene, query)
    coin = coin_of(call, query.coin).id if query.coin else None
    kinds: list[int] | None = None
    if query.groupType or query.businessType:
        kinds = [
            kind
            for kind, (group, business) in BILL_TYPES.items()
            if query.groupType in ("", group) and query.businessType.lower() in ("", business)
        ]
    rows = await call.past(call.context.reader.ledger, spot_account(call), page, coin, kinds)
    coins = queries.coins(call.state)
    return [
        Bill(
            str(row.time_ms),
            coins[row.coin].name,
            *BILL_TYPES[row.kind],
            padded(coin_text(coins[row.coin], row.delta_units), BILL_DECIMALS),
            padded(coin_text(coins[row.coin], row.balance_units), BILL_DECIMALS),
            padded(coin_text(coins[row.coin], -row.fee_units), BILL_DECIMALS),
            str(row.ledger_id),
            str(row.reference_id),
        )
        for row in rows
    ]


def account_of_type(call: Call, name: str, account_type: str, symbol: str) -> int:
    """Name the caller's account of a kind."""
    if account_type == SPOT_TYPE:
        return account_id(call.user, SLOT_SPOT)
    if account_type == CROSSED_TYPE:
        return account_id(call.user, SLOT_CROSSED)
    if account_type != ISOLATED_TYPE:
        if account_type in FOREIGN_TYPES:
            raise Fault("40805", f"{account_type} accounts")
        raise malformed(call.scene, name)
    if not symbol:
        raise empty(call.scene, "symbol")
    pair = pair_of(call, symbol)
    if not pair.isolated_tiers:
        raise Fault("50002", pair.symbol)
    return account_id(call.user, SLOT_ISOLATED + pair.id)


def _accounts_of_type(call: Call, account_type: str) -> tuple[int, int]:
    """Return the first and last of the caller's accounts of a kind."""
    if account_type == SPOT_TYPE:
        first = last = SLOT_SPOT
    elif account_type == CROSSED_TYPE:
        first = last = SLOT_CROSSED
    elif account_type == ISOLATED_TYPE:
        first, last = SLOT_ISOLATED, (1 << ACCOUNT_BITS) - 1
    else:
        raise malformed(call.scene, "fromType")
    return account_id(call.user, first), account_id(call.user, last)


def _type_and_symbol(call: Call, account: int) -> tuple[str, str]:
    slot = slot_of(account)
    if slot == SLOT_SPOT:
        return SPOT_TYPE, ""
    if slot == SLOT_CROSSED:
        return CROSSED_TYPE, ""
    return ISOLATED_TYPE, queries.pairs(call.state)[slot - SLOT_ISOLATED].symbol
