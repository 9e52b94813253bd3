"""What if, and what it takes to be free of a debt: answers of the engine, before the deed."""

from functools import partial

import msgspec

from lombard.api.account_view import AccountView, account_view
from lombard.api.amounts import PRICE_DECIMALS, coin_text, explain_coin, parse_amount, parse_time
from lombard.api.context import Call, Explain
from lombard.api.decoding import malformed
from lombard.api.errors import Fault, Scene
from lombard.api.explaining import PREFIX, RefusalView, refusal_view
from lombard.api.lookup import coin_of, margin_account, pair_of
from lombard.api.order_calls import no_limit
from lombard.api.order_form import MarginOrderBody, explain_side, margin_order
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.api.wallet import account_of_type
from lombard.core import reason_queries as reasons
from lombard.core.commands import Borrow, Command, Repay, Transfer
from lombard.core.units import UnitsError, parse_units
from lombard.identity import Permission


class PriceMove(msgspec.Struct):
    """A coin's index price as it might become, in USDT."""

    coin: str = ""
    price: str = ""


class Amount(msgspec.Struct):
    """An amount of a coin, to be borrowed or repaid."""

    coin: str = ""
    amount: str = ""


class Move(msgspec.Struct):
    """A transfer out of the account; `toSymbol` for an isolated target."""

    coin: str = ""
    amount: str = ""
    toType: str = "spot"
    toSymbol: str = ""


class WhatIfBody(msgspec.Struct):
    """Prices that move, and then at most one of order, borrow, repay and transfer."""

    mode: str = ""
    symbol: str = ""
    prices: list[PriceMove] = []
    order: MarginOrderBody | None = None
    borrow: Amount | None = None
    repay: Amount | None = None
    transfer: Move | None = None


class WhatIfView(msgspec.Struct):
    """What would happen, and the account before and after it."""

    accepted: bool
    refusal: RefusalView | None
    before: AccountView
    after: AccountView


class PayOffQuery(msgspec.Struct):
    """Names a debt; `before` is when it would be paid at the latest, in ms; now if empty."""

    mode: str = ""
    symbol: str = ""
    coin: str = ""
    before: str = ""


class PayOffView(msgspec.Struct):
    """What clears the debt if paid before `before`.

    Exact before `exactBefore`; `estimatedHours` beyond it count at the rates of now.
    """

    coin: str
    amount: str
    principal: str
    interest: str
    before: str
    exactBefore: str
    estimatedHours: str
    exact: bool
    interestPerDay: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, scene = Permission.READ, Scene.CROSSED
    return [
        signed(
            POST,
            f"{PREFIX}/what-if",
            read,
            5,
            scene,
            WhatIfBody,
            (),
            WhatIfView,
            what_if,
        ),
        signed(
            GET,
            f"{PREFIX}/pay-off",
            read,
            10,
            scene,
            PayOffQuery,
            ("coin",),
            PayOffView,
            pay_off,
        ),
    ]


async def what_if(call: Call, body: WhatIfBody) -> WhatIfView:
    """POST what-if"""
    account = margin_account(call, body.mode, body.symbol)
    prices = [(coin_of(call, move.coin).id, _price(call, move.price)) for move in body.prices]
    command, words = _command(call, body)
    state = call.state
    told = reasons.what_if(state, account, prices, command)
    return WhatIfView(
        told.reply.refusal is None,
        refusal_view(call, told.reply, words),
        account_view(state, account),
        account_view(told.after, account),
    )


def _command(call: Call, body: WhatIfBody) -> tuple[Command | None, Explain]:
    """Read what would be done, and how its limits are worded."""
    asked = [body.order, body.borrow, body.repay, body.transfer]
    if len([wish for wish in asked if wish is not None]) > 1:
        raise Fault("40017", "one of order, borrow, repay and transfer")
    if body.order is not None:
        pair = pair_of(call, body.order.symbol)
        order = margin_order(call, pair, body.order)
        return order, explain_side(pair, order.side)
    for kind, wish in ((Borrow, body.borrow), (Repay, body.repay)):
        if wish is not None:
            coin = coin_of(call, wish.coin)
            units = parse_amount(call.scene, "amount", wish.amount, coin)
            return kind(coin.id, units, ""), partial(explain_coin, coin)
    if body.transfer is not None:
        move = body.transfer
        coin = coin_of(call, move.coin)
        units = parse_amount(call.scene, "amount", move.amount, coin)
        target = account_of_type(call, "toType", move.toType, move.toSymbol)
        return Transfer(target, coin.id, units, ""), partial(explain_coin, coin)
    return None, no_limit


def _price(call: Call, text: str) -> int:
    try:
        return parse_units(text, PRICE_DECIMALS)
    except UnitsError:
        raise malformed(call.scene, "price") from None


async def pay_off(call: Call, query: PayOffQuery) -> PayOffView:
    """GET pay-off"""
    account = margin_account(call, query.mode, query.symbol)
    coin = coin_of(call, query.coin)
    now_ms = call.context.node.exchange_time_ms()
    before_ms = parse_time(call.scene, "before", query.before)
    if before_ms is None or before_ms <= now_ms:
        before_ms = now_ms + 1
    quote = reasons.pay_off(call.state, account, coin.id, before_ms)
    daily = reasons.daily_interest_units(call.state, account, coin.id)
    return PayOffView(
        coin.name,
        coin_text(coin, quote.units),
        coin_text(coin, quote.principal_units),
        coin_text(coin, quote.interest_units),
        str(before_ms),
        str(quote.exact_until_ms),
        str(quote.hours),
        quote.hours == 0,
        coin_text(coin, daily),
    )
