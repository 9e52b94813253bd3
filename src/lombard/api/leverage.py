"""The leverage of a margin account: what its owner has set, and what its tiers allow."""

import msgspec

from lombard.api.amounts import parse_count, value_text
from lombard.api.context import Call
from lombard.api.errors import Scene
from lombard.api.explaining import PREFIX, AccountQuery
from lombard.api.lookup import margin_account, mode_of
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.core import queries
from lombard.core.commands import SetLeverage
from lombard.core.refusals import Refusal
from lombard.identity import Permission

LEVERAGE_MAX = 1_000


class LeverageBody(AccountQuery):
    """The leverage an account is to have."""

    leverage: str = ""


class Leverage(msgspec.Struct):
    """The leverage in force: debt is at most (leverage - 1) x net when more is borrowed."""

    mode: str
    symbol: str
    leverage: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    scene, path = Scene.CROSSED, f"{PREFIX}/leverage"
    return [
        signed(GET, path, Permission.READ, 10, scene, AccountQuery, (), Leverage, leverage),
        signed(
            POST,
            path,
            Permission.TRADE,
            10,
            scene,
            LeverageBody,
            ("leverage",),
            Leverage,
            set_leverage,
        ),
    ]


async def leverage(call: Call, query: AccountQuery) -> Leverage:
    """GET margin/leverage"""
    account = margin_account(call, query.mode, query.symbol)
    return _view(call, query, queries.leverage(call.state, account))


async def set_leverage(call: Call, body: LeverageBody) -> Leverage:
    """POST margin/leverage"""
    account = margin_account(call, body.mode, body.symbol)
    wanted = parse_count(call.scene, "leverage", body.leverage, 0, LEVERAGE_MAX)
    reply = await call.submit(account, SetLeverage(wanted), _limit_text)
    return _view(call, body, reply.units)


def _view(call: Call, asked: AccountQuery, in_force: int) -> Leverage:
    mode = mode_of(call, asked.mode)
    return Leverage(mode.name, asked.symbol if mode.isolated else "", str(in_force))


def _limit_text(refusal: Refusal, units: int) -> str:
    if refusal is Refusal.LEVERAGE_BELOW_DEBT:
        return f"{value_text(units)} USDT"
    return str(units)
