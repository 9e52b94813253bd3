"""A margin account at a glance: net, debt, ratio, what it costs a day, where it would end."""

from typing import Final

import msgspec

from lombard.api.amounts import PRICE_DECIMALS, RATIO_DECIMALS, coin_text, ratio_text, value_text
from lombard.core import queries
from lombard.core import reason_queries as reasons
from lombard.core.queries import VALUE_ONE, Risk, State
from lombard.core.units import POW10, format_units

_VALUE_PER_E8: Final = VALUE_ONE // POW10[8]
# Whose price decides nothing: values are in it.
MEASURE: Final = "USDT"


class RiskView(msgspec.Struct):
    """N, D and K in USDT, and what they come to (RULES 7.2, 7.3).

    `riskRateRatio` is K / N, liquidation at 1; `riskRatio` is (N + D) / D, lower being riskier,
    empty without debt; `headroom` is what may be lost before liquidation.
    """

    net: str
    debt: str
    maintenance: str
    headroom: str
    riskRateRatio: str
    riskRatio: str


class CoinView(msgspec.Struct):
    """A coin of the account; `liquidationPrice` is empty where no price of it liquidates."""

    coin: str
    available: str
    frozen: str
    borrow: str
    interest: str
    interestPerDay: str
    liquidationPrice: str
    liquidatedWhen: str


class AccountView(msgspec.Struct):
    """The whole account."""

    risk: RiskView
    inLiquidation: bool
    coins: list[CoinView]


def value_e8_text(value_e26: int) -> str:
    """Write a value in USDT, rounded down."""
    return value_text(value_e26 // _VALUE_PER_E8)


def risk_view(risk: Risk) -> RiskView:
    """Show a risk."""
    shown = ""
    if risk.debt_e26:
        ratio_e6 = (risk.net_e26 + risk.debt_e26) * POW10[RATIO_DECIMALS] // risk.debt_e26
        shown = ratio_text(ratio_e6)
    return RiskView(
        value_e8_text(risk.net_e26),
        value_e8_text(risk.debt_e26),
        value_e8_text(risk.maintenance_e26),
        value_e8_text(risk.net_e26 - risk.maintenance_e26),
        ratio_text(risk.ratio_e6()),
        shown,
    )


def liquidation_text(found: reasons.LiquidationPrice | None) -> tuple[str, str]:
    """Write a liquidation price, and on which side of it the account is liquidated."""
    if found is None:
        return "", ""
    when = "at or below" if found.direction == reasons.LONG else "at or above"
    return format_units(found.price_e12, PRICE_DECIMALS), when


def account_view(state: State, account: int) -> AccountView:
    """Show an account of a state, the live one or another."""
    coins = queries.coins(state)
    rows: list[CoinView] = []
    for view in queries.balances(state, account):
        coin = coins[view.coin]
        price, when = "", ""
        if coin.name != MEASURE:
            found = reasons.liquidation_price(state, account, coin.id)
            price, when = liquidation_text(found)
        rows.append(
            CoinView(
                coin.name,
                coin_text(coin, view.available_units),
                coin_text(coin, view.frozen_units),
                coin_text(coin, view.principal_units),
                coin_text(coin, view.interest_units),
                coin_text(coin, reasons.daily_interest_units(state, account, coin.id)),
                price,
                when,
            )
        )
    locked = queries.in_liquidation(state, account)
    return AccountView(risk_view(queries.risk(state, account)), locked, rows)
