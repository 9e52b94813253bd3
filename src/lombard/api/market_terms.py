"""What else is asked about the market: the merged book, fees by level, auctions."""

from typing import Final

import msgspec

from lombard.api.amounts import price_text, ratio_text
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Scene
from lombard.api.lookup import pair_of
from lombard.api.margin_account import SymbolQuery
from lombard.api.market import MERGED_LEVELS_MAX, level_texts, merge_levels
from lombard.api.table import Endpoint, NoParameters, public
from lombard.core import queries

# Ticks to a level; every pair has all four (reference §4.5).
SCALES: Final = {f"scale{zeros}": 10**zeros for zeros in range(4)}
FINEST: Final = "scale0"
COARSEST: Final = "scale3"
DEPTHS: Final = {"": 100, "1": 1, "5": 5, "15": 15, "50": 50, "100": 100, "max": 1_000}


class MergedQuery(msgspec.Struct):
    """How deep, and how finely."""

    symbol: str = ""
    precision: str = ""
    limit: str = ""


class MergedBook(msgspec.Struct):
    """Levels of price and size, best first, each as wide as `scale`; YES on the coarsest."""

    asks: list[tuple[str, str]]
    bids: list[tuple[str, str]]
    ts: str
    scale: str
    precision: str
    isMaxPrecision: str


class FeeLevel(msgspec.Struct):
    """What a VIP level pays: the same at every level. Nothing is withdrawn, so no limits."""

    level: str
    dealAmount: str
    assetAmount: str
    takerFeeRate: str
    makerFeeRate: str
    btcWithdrawAmount: str
    usdtWithdrawAmount: str


class Auction(msgspec.Struct):
    """An auction under way: there is never one, trading opens at once."""

    stage: str
    stageEndTime: str
    estOpeningPrice: str
    matchedVolume: str
    auctionEndTime: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    scene, symbol = Scene.SPOT, ("symbol",)

    def path(name: str) -> str:
        return f"/api/v2/spot/market/{name}"

    return [
        public(path("merge-depth"), 20, scene, MergedQuery, symbol, MergedBook, merge_depth),
        public(path("vip-fee-rate"), 10, scene, NoParameters, (), list[FeeLevel], vip_fee_rate),
        public(path("auction"), 20, scene, SymbolQuery, symbol, Auction, auction),
    ]


async def merge_depth(call: Call, query: MergedQuery) -> MergedBook:
    """GET merge-depth"""
    pair = pair_of(call, query.symbol)
    precision = query.precision or FINEST
    merged, depth = SCALES.get(precision), DEPTHS.get(query.limit)
    if merged is None:
        raise malformed(call.scene, "precision")
    if depth is None:
        raise malformed(call.scene, "limit")
    bids, asks = queries.depth(call.state, pair.id, depth if merged == 1 else MERGED_LEVELS_MAX)
    if merged > 1:
        bids = merge_levels(bids, merged, up=False)[:depth]
        asks = merge_levels(asks, merged, up=True)[:depth]
    return MergedBook(
        level_texts(pair, asks),
        level_texts(pair, bids),
        str(call.context.node.exchange_time_ms()),
        price_text(pair, merged),
        precision,
        "YES" if precision == COARSEST else "NO",
    )


async def vip_fee_rate(call: Call, _: NoParameters) -> list[FeeLevel]:
    """GET vip-fee-rate: fees are each pair's own; here the highest of them"""
    state = call.state
    pairs = queries.pairs(state)
    taker = ratio_text(max((pair.taker_fee_e6 for pair in pairs), default=0))
    maker = ratio_text(max((pair.maker_fee_e6 for pair in pairs), default=0))
    return [
        FeeLevel(str(level), "0", "0", taker, maker, "0", "0")
        for level in range(len(queries.vip_levels(state)))
    ]


async def auction(call: Call, query: SymbolQuery) -> Auction:
    """GET auction"""
    pair_of(call, query.symbol)
    return Auction("", "0", "", "0", "0")
