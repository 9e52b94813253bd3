"""The user as a whole: who calls, what each kind of account is worth, and what trading costs."""

from typing import Final

import msgspec

from lombard.api.amounts import ratio_text, value_text
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.table import GET, POST, Endpoint, NoParameters, signed
from lombard.core import queries
from lombard.core.commands import SLOT_SPOT
from lombard.core.queries import slot_of
from lombard.core.units import POW10, div_floor
from lombard.identity import Permission, write_allowed

# A coin's units times its price, in the 1e-8 USDT in which values are shown.
PRICE_DECIMALS: Final = 12
VALUE_DECIMALS: Final = 8
# The kinds of account the dialect lists; this venue has two of them.
ACCOUNT_TYPES: Final = ("spot", "futures", "funding", "earn", "bots", "margin")
BUSINESS_TYPES: Final = ("mix", "spot", "margin")
# What a key of ours may do, in the dialect's codes (reference §1.4).
AUTHORITIES: Final = {
    Permission.READ: ("stor", "smor", "wtor", "taxr"),
    Permission.TRADE: ("stow", "smow"),
    Permission.TRANSFER: ("wtow",),
}
ON: Final = "on"
OFF: Final = "off"


class AccountInfo(msgspec.Struct):
    """Who calls. Nobody was invited, nothing is copied, and there are no sub-accounts.

    `ips` are the addresses and networks that the key is good from, none for any. `regisTime` is
    when the user signed up, or got the oldest key.
    """

    userId: str
    inviterId: str
    ips: str
    authorities: list[str]
    parentId: int
    traderType: str
    channelCode: str
    channel: str
    regisTime: str


class Deduction(msgspec.Struct):
    """Whether fees are paid in another coin: they never are."""

    deduct: str


class DeductionBody(msgspec.Struct):
    """`on` or `off`; some clients say true or false."""

    deduct: str | bool = ""


class AccountBalance(msgspec.Struct):
    """What one kind of account is worth in USDT, debts taken off."""

    accountType: str
    usdtBalance: str


class TradeRatesQuery(msgspec.Struct):
    """For what."""

    businessType: str = ""


class PairRate(msgspec.Struct):
    """What trading a pair costs."""

    symbol: str
    makerFeeRate: str
    takerFeeRate: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read, wallet = Permission.READ, Scene.WALLET
    account = "/api/v2/spot/account"
    return [
        signed(GET, f"{account}/info", read, 1, wallet, NoParameters, (), AccountInfo, info),
        signed(
            GET,
            f"{account}/deduct-info",
            read,
            10,
            wallet,
            NoParameters,
            (),
            Deduction,
            deduct_info,
        ),
        signed(
            POST,
            f"{account}/switch-deduct",
            Permission.TRADE,
            10,
            wallet,
            DeductionBody,
            (),
            bool,
            switch_deduct,
        ),
        signed(
            GET,
            "/api/v2/account/all-account-balance",
            read,
            1,
            wallet,
            NoParameters,
            (),
            list[AccountBalance],
            all_account_balance,
        ),
        signed(
            GET,
            "/api/v2/common/all-trade-rate",
            read,
            10,
            Scene.SPOT,
            TradeRatesQuery,
            ("businessType",),
            list[PairRate],
            all_trade_rate,
        ),
    ]


async def info(call: Call, _: NoParameters) -> AccountInfo:
    """GET spot/account/info"""
    authorities = [
        code
        for permission, codes in AUTHORITIES.items()
        if permission & call.permissions
        for code in codes
    ]
    directory = call.context.directory
    key = directory.find(call.visit.key)
    ips = ",".join(write_allowed(key.allowed)) if key is not None else ""
    since = str(await directory.registered_ms(call.user))
    return AccountInfo(str(call.user), "", ips, authorities, call.user, "not_trader", "", "", since)


async def deduct_info(_call: Call, _: NoParameters) -> Deduction:
    """GET spot/account/deduct-info"""
    return Deduction(OFF)


async def switch_deduct(call: Call, body: DeductionBody) -> bool:
    """POST spot/account/switch-deduct: it is off, and there is nothing it could be switched to"""
    if body.deduct == "":
        raise empty(call.scene, "deduct")
    if body.deduct not in (ON, OFF, True, False):
        raise malformed(call.scene, "deduct")
    if body.deduct in (ON, True):
        raise Fault("40805", "fees are paid in the coin that is received, always")
    return True


async def all_account_balance(call: Call, _: NoParameters) -> list[AccountBalance]:
    """GET account/all-account-balance: holdings less debts, at the index"""
    state = call.state
    worth_e8 = dict.fromkeys(ACCOUNT_TYPES, 0)
    coins = queries.coins(state)
    for account in queries.accounts_of(state, call.user):
        kind = "spot" if slot_of(account) == SLOT_SPOT else "margin"
        for view in queries.balances(state, account):
            coin = coins[view.coin]
            scale = POW10[coin.decimals + PRICE_DECIMALS - VALUE_DECIMALS]
            worth_e8[kind] += div_floor(view.net_units * coin.price_e12, scale)
    return [AccountBalance(kind, value_text(worth)) for kind, worth in worth_e8.items()]


async def all_trade_rate(call: Call, query: TradeRatesQuery) -> list[PairRate]:
    """GET common/all-trade-rate: there are no futures, so of `mix` there are none"""
    if query.businessType not in BUSINESS_TYPES:
        raise malformed(call.scene, "businessType")
    if query.businessType == "mix":
        return []
    return [
        PairRate(pair.symbol, ratio_text(pair.maker_fee_e6), ratio_text(pair.taker_fee_e6))
        for pair in queries.pairs(call.state)
        if query.businessType == "spot" or pair.crossed or pair.isolated_tiers
    ]
