"""Orders as they are asked for: the words of the wire, and the commands they come to.

What is checked here is form: which fields an order of its kind needs, and whether they can be read.
Whether the order may be placed is for the core to say.
"""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import (
    explain_order,
    need,
    parse_amount,
    parse_id,
    parse_price,
    parse_size,
)
from lombard.api.context import Call, Explain
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import checked_oid
from lombard.api.oids import order_id_of
from lombard.core.commands import (
    AUTO_LOAN,
    AUTO_LOAN_AND_REPAY,
    AUTO_REPAY,
    BUY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    NORMAL,
    POST_ONLY,
    SELL,
    SOURCE_API,
    STP_CANCEL_BOTH,
    STP_CANCEL_MAKER,
    STP_CANCEL_TAKER,
    STP_NONE,
    PlaceOrder,
)
from lombard.core.queries import Pair

ENTRIES_MAX: Final = 50

SIDES: Final = {"buy": BUY, "sell": SELL}
KINDS: Final = {"limit": LIMIT, "market": MARKET}
FORCES: Final = {"gtc": GTC, "ioc": IOC, "fok": FOK, "post_only": POST_ONLY}
LOAN_TYPES: Final = {
    "normal": NORMAL,
    "autoLoan": AUTO_LOAN,
    "autoRepay": AUTO_REPAY,
    "autoLoanAndRepay": AUTO_LOAN_AND_REPAY,
}
STP_MODES: Final = {
    "": STP_NONE,
    "none": STP_NONE,
    "cancel_taker": STP_CANCEL_TAKER,
    "cancel_maker": STP_CANCEL_MAKER,
    "cancel_both": STP_CANCEL_BOTH,
}


class MarginOrderBody(msgspec.Struct):
    """A margin order as on the wire: `baseSize`, or `quoteSize` for a market buy."""

    symbol: str = ""
    side: str = ""
    orderType: str = ""
    force: str = ""
    loanType: str = ""
    price: str = ""
    baseSize: str = ""
    quoteSize: str = ""
    clientOid: str = ""
    stpMode: str = ""


class SpotOrderBody(msgspec.Struct):
    """A spot order as on the wire: `size` is base, or quote for a market buy."""

    symbol: str = ""
    side: str = ""
    orderType: str = ""
    force: str = ""
    price: str = ""
    size: str = ""
    clientOid: str = ""
    stpMode: str = ""
    triggerPrice: str = ""
    tpslType: str = ""
    presetTakeProfitPrice: str = ""
    executeTakeProfitPrice: str = ""
    presetStopLossPrice: str = ""
    executeStopLossPrice: str = ""
    requestTime: str = ""
    receiveWindow: str = ""


class OrderName(msgspec.Struct):
    """Names an order of a pair, by id or by client id; the id counts when both are there."""

    symbol: str = ""
    orderId: str = ""
    clientOid: str = ""


def one_of(scene: Scene, name: str, words: dict[str, int], word: str) -> int:
    """Read one of the words of the wire."""
    value = words.get(word)
    if value is None:
        raise malformed(scene, name)
    return value


def margin_order(call: Call, pair: Pair, body: MarginOrderBody) -> PlaceOrder:
    """Read a margin order. Raises `Fault`."""
    scene = call.scene
    side = one_of(scene, "side", SIDES, body.side)
    kind = one_of(scene, "orderType", KINDS, body.orderType)
    loan_type = one_of(scene, "loanType", LOAN_TYPES, body.loanType)
    force, price = _force_and_price(scene, pair, kind, body.force, body.price)
    steps = quote_units = 0
    if kind == MARKET and side == BUY:
        text = need(scene, "quoteSize", body.quoteSize)
        quote_units = parse_amount(scene, "quoteSize", text, pair.quote)
    else:
        text = need(scene, "baseSize", body.baseSize)
        steps = parse_size(scene, "baseSize", text, pair)
    return PlaceOrder(
        pair.id,
        side,
        kind,
        force,
        loan_type,
        one_of(scene, "stpMode", STP_MODES, body.stpMode),
        price,
        steps,
        quote_units,
        checked_oid(call, body.clientOid),
        SOURCE_API,
    )


def spot_order(call: Call, pair: Pair, body: SpotOrderBody) -> PlaceOrder:
    """Read a spot order. Raises `Fault`."""
    scene = call.scene
    side = one_of(scene, "side", SIDES, body.side)
    kind = one_of(scene, "orderType", KINDS, body.orderType)
    force, price = _force_and_price(scene, pair, kind, body.force, body.price)
    steps = quote_units = 0
    if kind == MARKET and side == BUY:
        quote_units = parse_amount(scene, "size", need(scene, "size", body.size), pair.quote)
    else:
        steps = parse_size(scene, "size", need(scene, "size", body.size), pair)
    return PlaceOrder(
        pair.id,
        side,
        kind,
        force,
        NORMAL,
        one_of(scene, "stpMode", STP_MODES, body.stpMode),
        price,
        steps,
        quote_units,
        checked_oid(call, body.clientOid),
        SOURCE_API,
    )


def explain_side(pair: Pair, side: int) -> Explain:
    """Word the limits an order of a side may run into; what it lacks it lacks of what it pays."""
    return partial(explain_order, pair, pair.quote if side == BUY else pair.base)


def parse_order_name(call: Call, order_id_text: str, client_oid: str) -> tuple[int, str]:
    """Read which order is meant: its id, or 0 and its client id."""
    order_id = parse_id(call.scene, "orderId", order_id_text)
    if order_id:
        return order_id, ""
    if not client_oid:
        raise Fault("40924")
    # The wire shows ids of our making for orders that have none of their own.
    own = order_id_of(client_oid)
    return (own, "") if own is not None else (0, client_oid)


def check_entries(call: Call, name: str, count: int, most: int = ENTRIES_MAX) -> None:
    """Refuse a batch with nothing in it, or with too much."""
    if count == 0:
        raise empty(call.scene, name)
    if count > most:
        raise Fault("40912")


def same_symbol(call: Call, whole: str, own: str) -> str:
    """Return the pair of a batch's entry; one that names another pair than its batch is refused."""
    if whole and own and own != whole:
        raise malformed(call.scene, "symbol")
    return whole or own


def _force_and_price(
    scene: Scene, pair: Pair, kind: int, force: str, price: str
) -> tuple[int, int]:
    """Read what only limit orders have; a market order's is ignored, as the venue does."""
    if kind == MARKET:
        return GTC, 0
    value = FORCES.get(need(scene, "force", force).lower())
    if value is None:
        raise malformed(scene, "force")
    return value, parse_price(scene, "price", need(scene, "price", price), pair)
