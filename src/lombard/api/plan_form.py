"""Plan orders as they are asked for: orders that wait for a price, and orders that bring one along.

The dialect has plan orders for spot only. Lombard's own calls word them alike for margin, and have
what the dialect lacks: trailing stops, OCO, exits of a margin order.
"""

from typing import Final, final

import msgspec

from lombard.api.amounts import RATIO_DECIMALS, need, parse_amount, parse_price, parse_size
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Scene
from lombard.api.lookup import CROSSED, ISOLATED, Mode, checked_oid, pair_of, spot_account
from lombard.api.order_form import (
    FORCES,
    KINDS,
    LOAN_TYPES,
    SIDES,
    STP_MODES,
    MarginOrderBody,
    SpotOrderBody,
    margin_order,
    one_of,
    spot_order,
)
from lombard.api.order_rows import Presets
from lombard.core.commands import (
    BUY,
    LIMIT,
    MARKET,
    NORMAL,
    PLAN_TPSL,
    PLAN_TRAILING,
    PLAN_TRIGGER,
    PRICE_INDEX,
    PRICE_LAST,
    SOURCE_API,
    ModifyTrigger,
    PlaceOco,
    PlaceOrder,
    PlaceTrigger,
    PlaceWithExits,
)
from lombard.core.queries import Pair
from lombard.core.trigger_queries import Trigger
from lombard.core.units import UnitsError, parse_units

TRIGGER_TYPES: Final = {"fill_price": PRICE_LAST, "mark_price": PRICE_INDEX}
LOAN_WORDS: Final = {"": NORMAL, **LOAN_TYPES}
# `tpslType` of an order and of one that waits for a price.
NORMAL_ORDER: Final = "normal"
TPSL_ORDER: Final = "tpsl"
# `planType` of a size in base and of one in quote.
AMOUNT: Final = "amount"
TOTAL: Final = "total"


class PlanOrderBody(msgspec.Struct):
    """A plan order as on the wire: `size` is base, or quote for a market buy."""

    symbol: str = ""
    side: str = ""
    triggerPrice: str = ""
    orderType: str = ""
    size: str = ""
    triggerType: str = ""
    executePrice: str = ""
    planType: str = ""
    clientOid: str = ""
    stpMode: str = ""


class OwnPlanBody(PlanOrderBody):
    """A plan order as Lombard's own calls take it: a trailing one has `callbackRatio`."""

    force: str = ""
    loanType: str = ""
    callbackRatio: str = ""


class ModifyPlanBody(msgspec.Struct):
    """What a plan order that waits shall be from now on."""

    orderId: str = ""
    clientOid: str = ""
    triggerPrice: str = ""
    orderType: str = ""
    executePrice: str = ""
    size: str = ""


class OcoBody(msgspec.Struct):
    """A limit order of a price, and a stop of the same size: a market one without `stopPrice`."""

    symbol: str = ""
    side: str = ""
    price: str = ""
    size: str = ""
    triggerPrice: str = ""
    triggerType: str = ""
    stopPrice: str = ""
    loanType: str = ""
    clientOid: str = ""
    stpMode: str = ""


class ExitOrderBody(MarginOrderBody):
    """An order with exits, in the words of margin; without `loanType` it borrows nothing."""

    presetTakeProfitPrice: str = ""
    executeTakeProfitPrice: str = ""
    presetStopLossPrice: str = ""
    executeStopLossPrice: str = ""
    triggerType: str = ""


@final
class Desk:
    """Where plan orders are taken: the spot account, or one of the two kinds of margin."""

    __slots__ = ("mode", "name", "required", "scene")

    def __init__(self, name: str, mode: Mode | None) -> None:
        self.name: Final = name
        self.mode: Final = mode
        self.scene: Final = Scene.SPOT if mode is None else mode.scene
        # Isolated accounts are named by their pair.
        self.required: Final = () if mode is None else mode.required

    @property
    def spot(self) -> bool:
        """Say whether this is the spot account's."""
        return self.mode is None

    def path(self, rest: str) -> str:
        """Spell one of the desk's own paths."""
        return f"/lombard/v1/{self.name}/{rest}"

    def account(self, call: Call, symbol: str) -> int:
        """Name the caller's account."""
        return spot_account(call) if self.mode is None else self.mode.account(call, symbol)


SPOT_DESK: Final = Desk("spot", None)
DESKS: Final = (SPOT_DESK, Desk("margin/crossed", CROSSED), Desk("margin/isolated", ISOLATED))


def plan_order(call: Call, pair: Pair, body: PlanOrderBody) -> PlaceTrigger:
    """Read a plan order. Raises `Fault`."""
    scene = call.scene
    side = one_of(scene, "side", SIDES, body.side)
    kind = one_of(scene, "orderType", KINDS, body.orderType)
    callback_e6, force, loan_type = 0, FORCES["gtc"], NORMAL
    if isinstance(body, OwnPlanBody):
        loan_type = one_of(scene, "loanType", LOAN_WORDS, body.loanType)
        callback_e6 = parse_ratio(scene, "callbackRatio", body.callbackRatio)
        if body.force:
            force = one_of(scene, "force", FORCES, body.force.lower())
    trigger_ticks = 0
    if not callback_e6 or body.triggerPrice:
        text = need(scene, "triggerPrice", body.triggerPrice)
        trigger_ticks = parse_price(scene, "triggerPrice", text, pair)
    steps, quote_units = plan_size(scene, pair, side, kind, body.planType, body.size)
    return PlaceTrigger(
        pair.id,
        PLAN_TRAILING if callback_e6 else PLAN_TRIGGER,
        one_of(scene, "triggerType", TRIGGER_TYPES, body.triggerType),
        trigger_ticks,
        callback_e6,
        side,
        kind,
        force,
        loan_type,
        one_of(scene, "stpMode", STP_MODES, body.stpMode),
        execute_price(scene, pair, kind, body.executePrice),
        steps,
        quote_units,
        checked_oid(call, body.clientOid),
        SOURCE_API,
    )


def plan_size(
    scene: Scene, pair: Pair, side: int, kind: int, plan_type: str, text: str
) -> tuple[int, int]:
    """Read a size: steps, or the quote units of a market buy."""
    by_quote = kind == MARKET and side == BUY
    if plan_type and plan_type.lower() != (TOTAL if by_quote else AMOUNT):
        raise malformed(scene, "planType")
    if by_quote:
        return 0, parse_amount(scene, "size", need(scene, "size", text), pair.quote)
    return parse_size(scene, "size", need(scene, "size", text), pair), 0


def execute_price(scene: Scene, pair: Pair, kind: int, text: str) -> int:
    """Read the limit of a plan's order; a market order's is ignored, as the venue does."""
    if kind == MARKET:
        return 0
    return parse_price(scene, "executePrice", need(scene, "executePrice", text), pair)


def parse_ratio(scene: Scene, name: str, text: str) -> int:
    """Read a ratio in 1e-6, 0 when there is none."""
    try:
        return parse_units(text, RATIO_DECIMALS) if text else 0
    except UnitsError:
        raise malformed(scene, name) from None


def optional_price(scene: Scene, name: str, text: str, pair: Pair) -> int:
    """Read a price, 0 when there is none."""
    return parse_price(scene, name, text, pair) if text else 0


def modified(call: Call, found: Trigger, body: ModifyPlanBody) -> ModifyTrigger:
    """Read what a plan order shall be from now on. Raises `Fault`."""
    scene, pair = call.scene, found.pair
    kind = one_of(scene, "orderType", KINDS, body.orderType)
    steps, quote_units = plan_size(scene, pair, found.side, kind, "", body.size)
    return ModifyTrigger(
        found.id,
        "",
        parse_price(scene, "triggerPrice", body.triggerPrice, pair),
        kind,
        execute_price(scene, pair, kind, body.executePrice),
        steps,
        quote_units,
    )


def oco_order(call: Call, pair: Pair, body: OcoBody) -> PlaceOco:
    """Read an OCO. Raises `Fault`."""
    scene = call.scene
    return PlaceOco(
        pair.id,
        one_of(scene, "side", SIDES, body.side),
        one_of(scene, "loanType", LOAN_WORDS, body.loanType),
        one_of(scene, "stpMode", STP_MODES, body.stpMode),
        parse_price(scene, "price", body.price, pair),
        parse_size(scene, "size", body.size, pair),
        one_of(scene, "triggerType", TRIGGER_TYPES, body.triggerType),
        parse_price(scene, "triggerPrice", body.triggerPrice, pair),
        optional_price(scene, "stopPrice", body.stopPrice, pair),
        checked_oid(call, body.clientOid),
        SOURCE_API,
    )


def with_exits(
    call: Call, pair: Pair, order: PlaceOrder, presets: Presets, price_source: int
) -> PlaceWithExits:
    """Add its exits to an order. Raises `Fault`."""

    def price(name: str) -> int:
        return optional_price(call.scene, name, getattr(presets, name), pair)

    return PlaceWithExits(
        order.pair,
        order.side,
        order.kind,
        order.force,
        order.loan_type,
        order.stp,
        order.price_ticks,
        order.size_steps,
        order.quote_units,
        price_source,
        price("presetTakeProfitPrice"),
        price("executeTakeProfitPrice"),
        price("presetStopLossPrice"),
        price("executeStopLossPrice"),
        order.client_oid,
        order.source,
    )


def exit_order(call: Call, body: ExitOrderBody) -> PlaceWithExits:
    """Read an order with exits, in the words of margin. Raises `Fault`."""
    pair = pair_of(call, body.symbol)
    body.loanType = body.loanType or "normal"
    order = margin_order(call, pair, body)
    presets = Presets(
        body.presetTakeProfitPrice,
        body.executeTakeProfitPrice,
        body.presetStopLossPrice,
        body.executeStopLossPrice,
    )
    source = one_of(call.scene, "triggerType", {"": PRICE_LAST, **TRIGGER_TYPES}, body.triggerType)
    return with_exits(call, pair, order, presets, source)


def spot_command(
    call: Call, pair: Pair, body: SpotOrderBody
) -> PlaceOrder | PlaceTrigger | PlaceWithExits:
    """Read a spot order: one that waits for a price, one with exits, or a plain one."""
    scene = call.scene
    if body.tpslType not in ("", NORMAL_ORDER, TPSL_ORDER):
        raise malformed(scene, "tpslType")
    order = spot_order(call, pair, body)
    if body.tpslType == TPSL_ORDER:
        return tpsl_order(call, order, pair, body)
    if body.triggerPrice:
        raise malformed(scene, "tpslType")
    if body.presetTakeProfitPrice or body.presetStopLossPrice:
        presets = Presets(
            body.presetTakeProfitPrice,
            body.executeTakeProfitPrice,
            body.presetStopLossPrice,
            body.executeStopLossPrice,
        )
        return with_exits(call, pair, order, presets, PRICE_LAST)
    return order


def tpsl_order(call: Call, order: PlaceOrder, pair: Pair, body: SpotOrderBody) -> PlaceTrigger:
    """Read a spot order that waits for the last price (`tpslType` tpsl). Raises `Fault`."""
    text = need(call.scene, "triggerPrice", body.triggerPrice)
    assert order.kind in (LIMIT, MARKET)
    return PlaceTrigger(
        order.pair,
        PLAN_TPSL,
        PRICE_LAST,
        parse_price(call.scene, "triggerPrice", text, pair),
        0,
        order.side,
        order.kind,
        order.force,
        NORMAL,
        order.stp,
        order.price_ticks,
        order.size_steps,
        order.quote_units,
        order.client_oid,
        order.source,
    )
