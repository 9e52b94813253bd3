"""Why: what bounds a loan, a transfer, an order, an account, in words and numbers.

The numbers are the core's (`core.explain`); here they get their sentences: what a term is, and what
would lift it.
"""

from typing import Final

import msgspec

from lombard.api.account_view import MEASURE, RiskView, liquidation_text, risk_view, value_e8_text
from lombard.api.amounts import (
    PRICE_DECIMALS,
    coin_text,
    explain_coin,
    quote_text,
    size_text,
)
from lombard.api.context import Call, Explain
from lombard.api.errors import Scene
from lombard.api.lookup import coin_of, margin_account, pair_of
from lombard.api.order_form import MarginOrderBody, explain_side, margin_order
from lombard.api.ports import Reply
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.core import queries
from lombard.core import reason_queries as reasons
from lombard.core.commands import BUY, MARKET
from lombard.core.queries import Coin
from lombard.core.refusals import Refusal
from lombard.core.units import format_units
from lombard.identity import Permission

PREFIX: Final = "/lombard/v1/margin"

# What a term is, and what would lift it; {coin} is the coin asked about, {tier} its tier.
BORROW_TERMS: Final[dict[str, tuple[str, str]]] = {
    "leverage": (
        "what net carries at the leverage of tier {tier}: (leverage - 1) x net - debt (RULES 6.1)",
        "more collateral, a repayment, or a higher leverage where the tier has one",
    ),
    "tier": (
        "what tier {tier} still holds of {coin} (RULES 6.1)",
        "a repayment of {coin}; a higher tier lends more, at its own leverage",
    ),
    "ratio": (
        "what leaves the ratio at 0.5 or less: 2 x maintenance <= net (RULES 6.1)",
        "more collateral, or a repayment of the debt with the highest maintenance rate",
    ),
    "user_limit": (
        "what one user may owe of {coin} over all accounts, less what you owe (RULES 6.1)",
        "a repayment of {coin} in any of your accounts, or a higher VIP level",
    ),
    "pool": ("what the pool has of {coin} (RULES 6.1)", "others' repayments of {coin}"),
    "minimum": ("the least that may be borrowed of {coin} (RULES 6.2)", "asking for at least this"),
}
TRANSFER_TERMS: Final[dict[str, tuple[str, str]]] = {
    "available": (
        "what is available of {coin}",
        "cancelling orders that freeze {coin}, or getting more of it",
    ),
    "equity": ("net less debt, in {coin} (RULES 9.1)", "a repayment, or more collateral"),
    "ratio": (
        "what leaves the ratio at 0.5 or less (RULES 9.1)",
        "a repayment, or more collateral",
    ),
}


class ExplainQuery(msgspec.Struct):
    """Names a margin account and a coin; `mode` is crossed or isolated, then with `symbol`."""

    mode: str = ""
    symbol: str = ""
    coin: str = ""


class AccountQuery(msgspec.Struct):
    """Names a margin account."""

    mode: str = ""
    symbol: str = ""


class ExplainOrderBody(MarginOrderBody):
    """An order as one would place it, and the account that would."""

    mode: str = ""


class TermView(msgspec.Struct):
    """A term: how much it would allow by itself, and what would lift it."""

    name: str
    amount: str
    binding: bool
    meaning: str
    lift: str
    tier: str | msgspec.UnsetType = msgspec.UNSET


class RefusalView(msgspec.Struct):
    """A refusal as the call itself would word it."""

    refusal: str
    code: str
    msg: str


class LimitView(msgspec.Struct):
    """The most that is allowed, its terms, and what stands in the way of any amount."""

    coin: str
    amount: str
    binding: str
    terms: list[TermView]
    blocked: RefusalView | None


class OrderView(msgspec.Struct):
    """What an order would come to, and how large one like it may be.

    `largest` is in base, or in quote for a market buy; `beyond` is the refusal of the next larger.
    """

    accepted: bool
    refusal: RefusalView | None
    largest: str
    largestCoin: str
    beyond: RefusalView | None
    payCoin: str
    available: str
    loan: LimitView | None
    riskNow: RiskView
    riskWithLargest: RiskView


class PartView(msgspec.Struct):
    """What a coin adds to net and maintenance; its liquidation price, all else equal."""

    coin: str
    held: str
    owed: str
    indexPrice: str
    net: str
    maintenance: str
    liquidationPrice: str
    liquidatedWhen: str
    nearest: bool


class LiquidationView(msgspec.Struct):
    """How far an account is from liquidation, and what would take it further away."""

    risk: RiskView
    parts: list[PartView]
    toRatioHalf: str
    lift: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, scene = Permission.READ, Scene.CROSSED
    return [
        signed(
            GET,
            f"{PREFIX}/explain/max-borrowable",
            read,
            10,
            scene,
            ExplainQuery,
            ("coin",),
            LimitView,
            explain_borrow,
        ),
        signed(
            GET,
            f"{PREFIX}/explain/max-transfer-out",
            read,
            10,
            scene,
            ExplainQuery,
            ("coin",),
            LimitView,
            explain_transfer,
        ),
        signed(
            POST,
            f"{PREFIX}/explain/order",
            read,
            # A search: dozens of orders, each given to a fork.
            2,
            scene,
            ExplainOrderBody,
            ("symbol", "side", "orderType", "loanType"),
            OrderView,
            explain_placing,
        ),
        signed(
            GET,
            f"{PREFIX}/explain/liquidation",
            read,
            10,
            scene,
            AccountQuery,
            (),
            LiquidationView,
            explain_liquidation,
        ),
    ]


async def explain_borrow(call: Call, query: ExplainQuery) -> LimitView:
    """GET explain/max-borrowable"""
    account = margin_account(call, query.mode, query.symbol)
    coin = coin_of(call, query.coin)
    told = reasons.explain_borrow(call.state, account, coin.id)
    return limit_view(call, coin, told, BORROW_TERMS)


async def explain_transfer(call: Call, query: ExplainQuery) -> LimitView:
    """GET explain/max-transfer-out"""
    account = margin_account(call, query.mode, query.symbol)
    coin = coin_of(call, query.coin)
    told = reasons.explain_transfer(call.state, account, coin.id)
    return limit_view(call, coin, told, TRANSFER_TERMS)


async def explain_placing(call: Call, body: ExplainOrderBody) -> OrderView:
    """POST explain/order"""
    account = margin_account(call, body.mode, body.symbol)
    pair = pair_of(call, body.symbol)
    command = margin_order(call, pair, body)
    told = reasons.explain_order(call.state, account, command)
    if told is None:
        # A pair without isolated margin has no such account, not even one to be opened.
        raise call.fault(Refusal.ACCOUNT_UNKNOWN)
    words = explain_side(pair, command.side)
    by_quote = command.kind == MARKET and command.side == BUY
    largest = quote_text(pair, told.most) if by_quote else size_text(pair, told.most)
    loan = None
    if told.borrow is not None:
        loan = limit_view(call, told.pay, told.borrow, BORROW_TERMS)
    return OrderView(
        told.reply.refusal is None,
        refusal_view(call, told.reply, words),
        largest,
        pair.quote.name if by_quote else pair.base.name,
        refusal_view(call, told.beyond, words),
        told.pay.name,
        coin_text(told.pay, told.own_units),
        loan,
        risk_view(told.risk),
        risk_view(told.after),
    )


async def explain_liquidation(call: Call, query: AccountQuery) -> LiquidationView:
    """GET explain/liquidation"""
    account = margin_account(call, query.mode, query.symbol)
    risk = queries.risk(call.state, account)
    parts = reasons.explain_account(call.state, account)
    nearest = nearest_part(parts)
    missing = max(0, 2 * risk.maintenance_e26 - risk.net_e26)
    lift = "nothing is owed: no price liquidates this account"
    if missing:
        lift = "collateral of this value, or a repayment, brings the ratio to 0.5"
    elif risk.debt_e26:
        lift = "the ratio is at 0.5 or below; repayments and collateral take it further"
    return LiquidationView(
        risk_view(risk),
        [_part_view(part, part is nearest) for part in parts],
        value_e8_text(missing),
        lift,
    )


def nearest_part(parts: list[reasons.Part]) -> reasons.Part | None:
    """Return the coin whose price has the least way to go, in proportion, to liquidation."""
    best: reasons.Part | None = None
    # Ways as fractions: far / price, compared crosswise.
    best_way, best_price = 0, 1
    for part in parts:
        found, price = part.liquidation_price, part.coin.price_e12
        if found is None or part.coin.name == MEASURE:
            continue
        way = abs(price - found.price_e12)
        if best is None or way * best_price < best_way * price:
            best, best_way, best_price = part, way, price
    return best


def _part_view(part: reasons.Part, nearest: bool) -> PartView:
    coin = part.coin
    return PartView(
        coin.name,
        coin_text(coin, part.held_units),
        coin_text(coin, part.debt_units),
        format_units(coin.price_e12, PRICE_DECIMALS),
        value_e8_text(part.net_e26),
        value_e8_text(part.maintenance_e26),
        *liquidation_text(None if coin.name == MEASURE else part.liquidation_price),
        nearest,
    )


def limit_view(
    call: Call, coin: Coin, told: reasons.Explanation, words: dict[str, tuple[str, str]]
) -> LimitView:
    """Word an explanation."""
    terms: list[TermView] = []
    marked = told.blocked is not None
    for term in told.terms:
        named = term.name == told.binding and told.tier in (0, term.tier)
        binding = named and not marked
        marked = marked or binding
        meaning, lift = words[term.name]
        terms.append(
            TermView(
                term.name,
                coin_text(coin, term.units),
                binding,
                meaning.format(coin=coin.name, tier=term.tier),
                lift.format(coin=coin.name),
                str(term.tier) if term.tier else msgspec.UNSET,
            )
        )
    blocked = None
    if told.blocked is not None:
        blocked = refusal_view(call, told.blocked, lambda r, u: explain_coin(coin, r, u))
    return LimitView(coin.name, coin_text(coin, told.units), told.binding, terms, blocked)


def refusal_view(call: Call, reply: Reply, words: Explain) -> RefusalView | None:
    """Word a refusal as the call itself would; None for none."""
    if reply.refusal is None:
        return None
    fault = call.fault(reply.refusal, reply.detail, words(reply.refusal, reply.units))
    return RefusalView(reply.refusal.value, fault.code, fault.sentence)
