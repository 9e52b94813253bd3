"""Lists that the dialect has by coin or pair only, here of all: one's trades and transfers."""

from functools import partial

from lombard.api.context import Call
from lombard.api.errors import Scene
from lombard.api.lookup import MODES, Mode, coin_of
from lombard.api.order_calls import FillsQuery, open_accounts, parse_named
from lombard.api.order_rows import MarginFill, margin_fill_row
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, Endpoint, signed
from lombard.api.wallet import TransferRecord, transfer_record
from lombard.core import queries
from lombard.history.rows import FillRow
from lombard.identity import Permission


class OwnTransfersQuery(PageQuery):
    """A page of transfers, of one coin if it is named."""

    coin: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read = Permission.READ
    rows = [
        signed(
            GET,
            f"/lombard/v1/margin/{mode.name}/fills",
            read,
            10,
            mode.scene,
            FillsQuery,
            (),
            list[MarginFill],
            partial(own_fills, mode),
        )
        for mode in MODES
    ]
    path = "/lombard/v1/transfers"
    rows.append(
        signed(
            GET,
            path,
            read,
            10,
            Scene.WALLET,
            OwnTransfersQuery,
            (),
            list[TransferRecord],
            own_transfers,
        )
    )
    return rows


async def own_fills(mode: Mode, call: Call, query: FillsQuery) -> list[MarginFill]:
    """GET fills: newest first, of all pairs unless one is named; go on below the last `tradeId`"""
    page = parse_page(call.scene, query)
    order_id, _ = parse_named(call, query.orderId, "")
    found: list[FillRow] = []
    for account, pair in open_accounts(mode, call, query.symbol):
        pair_id = None if pair is None else pair.id
        found += await call.past(
            call.context.reader.fills, account, page, pair_id, order_id or None
        )
    found.sort(key=lambda row: row.trade_id, reverse=True)
    # A page never ends between the two sides of a trade with oneself.
    if len(found) > page.limit:
        last_id = found[page.limit - 1].trade_id
        found = [row for row in found if row.trade_id >= last_id]
    pairs = queries.pairs(call.state)
    return [margin_fill_row(pairs[row.pair], row) for row in found]


async def own_transfers(call: Call, query: OwnTransfersQuery) -> list[TransferRecord]:
    """GET transfers: newest first, of all coins unless one is named; go on below the last id"""
    page = parse_page(call.scene, query)
    coin = coin_of(call, query.coin).id if query.coin else None
    rows = await call.past(call.context.reader.transfers, call.user, page, coin)
    return [transfer_record(call, row) for row in rows]
