"""Announced changes: what is coming, and, in a sandbox, announcing it (RULES 8.7)."""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import RATIO_DECIMALS, TIME_DIGITS_MAX, parse_time, ratio_text
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import coin_of, pair_of
from lombard.api.ports import Operates, World
from lombard.api.table import POST, Endpoint, NoParameters, local, public
from lombard.core import queries
from lombard.core.commands import (
    AnnounceCoinTerms,
    AnnounceDelisting,
    Command,
    WithdrawAnnouncement,
)
from lombard.core.units import RATIO_ONE_E6, UnitsError, parse_units

SANDBOX: Final = "/lombard/v1/sandbox/announcements"


class Announced(msgspec.Struct):
    """A change that is coming. What it does not concern is empty.

    `kind` is `coin` or `pair` (new terms), or a stage of a delisting, `reduce_only` or `repay`.
    `collateralRatio` is that of the first step, `maintenanceMarginRate` that of the first tier.
    """

    announcementId: str
    kind: str
    coin: str
    symbol: str
    announcedTime: str
    effectiveTime: str
    collateralRatio: str
    maintenanceMarginRate: str


class CoinTermsBody(msgspec.Struct):
    """Ratios for a coin, each for all its steps or tiers; what is left out stays as it is."""

    coin: str = ""
    effectiveTime: str = ""
    collateralRatio: str = ""
    maintenanceMarginRate: str = ""


class DelistingBody(msgspec.Struct):
    """A coin, or a pair whose isolated margin ends, and when."""

    reduceOnlyTime: str = ""
    repayTime: str = ""
    coin: str = ""
    symbol: str = ""


class WithdrawBody(msgspec.Struct):
    """Which announcement."""

    announcementId: str = ""


class Announcement(msgspec.Struct):
    """The id of an announcement."""

    announcementId: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page that everybody may call."""
    path = "/lombard/v1/announcements"
    return [public(path, 10, Scene.CROSSED, NoParameters, (), list[Announced], coming)]


def sandbox_endpoints(world: World) -> list[Endpoint]:
    """Make the rows of this page that only a sandbox has."""
    return [
        local(
            POST,
            f"{SANDBOX}/coin-terms",
            CoinTermsBody,
            ("coin", "effectiveTime"),
            Announcement,
            partial(announce_coin_terms, world),
        ),
        local(
            POST,
            f"{SANDBOX}/delisting",
            DelistingBody,
            ("reduceOnlyTime", "repayTime"),
            Announcement,
            partial(announce_delisting, world),
        ),
        local(
            POST,
            f"{SANDBOX}/withdraw",
            WithdrawBody,
            ("announcementId",),
            Announcement,
            partial(withdraw, world),
        ),
    ]


async def coming(call: Call, _: NoParameters) -> list[Announced]:
    """GET announcements: the announced changes, soonest first"""
    state = call.state
    coins, pairs = queries.coins(state), queries.pairs(state)
    rows = []
    for change in queries.announcements(state):
        ratio = mmr = ""
        if change.collateral_steps:
            ratio = ratio_text(change.collateral_steps[0][1])
        if change.cross_tiers:
            mmr = ratio_text(change.cross_tiers[0][2])
        if change.isolated_tiers:
            mmr = ratio_text(change.isolated_tiers[0][3])
        rows.append(
            Announced(
                str(change.id),
                change.kind,
                coins[change.coin].name if change.coin >= 0 else "",
                pairs[change.pair].symbol if change.pair >= 0 else "",
                str(change.announced_ms),
                str(change.effective_ms),
                ratio,
                mmr,
            )
        )
    return rows


async def announce_coin_terms(world: World, call: Call, body: CoinTermsBody) -> Announcement:
    """POST announcements/coin-terms"""
    coin = coin_of(call, body.coin)
    steps, tiers = coin.collateral_steps, coin.cross_tiers
    if body.collateralRatio:
        steps = [(0, _ratio(call, "collateralRatio", body.collateralRatio))]
    if body.maintenanceMarginRate:
        mmr_e6 = _ratio(call, "maintenanceMarginRate", body.maintenanceMarginRate)
        tiers = [(max_units, leverage, mmr_e6) for max_units, leverage, _ in tiers]
    at_ms = _time(call, "effectiveTime", body.effectiveTime)
    cmd = AnnounceCoinTerms(coin.id, list(steps), list(tiers), coin.user_limit_units, at_ms)
    return await _announce(world, call, cmd)


async def announce_delisting(world: Operates, call: Call, body: DelistingBody) -> Announcement:
    """POST announcements/delisting"""
    if bool(body.coin) == bool(body.symbol):
        raise Fault("40017", "one of coin and symbol is needed")
    coin = coin_of(call, body.coin).id if body.coin else -1
    pair = pair_of(call, body.symbol).id if body.symbol else -1
    reduce_only_ms = _time(call, "reduceOnlyTime", body.reduceOnlyTime)
    repay_ms = _time(call, "repayTime", body.repayTime)
    cmd = AnnounceDelisting(coin, pair, reduce_only_ms, repay_ms)
    return await _announce(world, call, cmd)


async def withdraw(world: Operates, call: Call, body: WithdrawBody) -> Announcement:
    """POST announcements/withdraw"""
    text = body.announcementId
    if not (text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX + 5):
        raise malformed(call.scene, "announcementId")
    return await _announce(world, call, WithdrawAnnouncement(int(text)))


async def _announce(world: Operates, call: Call, command: Command) -> Announcement:
    reply = await world.operate(command)
    if reply.refusal is not None:
        raise call.fault(reply.refusal, reply.detail)
    return Announcement(str(reply.id))


def _time(call: Call, name: str, text: str) -> int:
    return parse_time(call.scene, name, text) or 0


def _ratio(call: Call, name: str, text: str) -> int:
    try:
        ratio_e6 = parse_units(text, RATIO_DECIMALS)
    except UnitsError:
        raise malformed(call.scene, name) from None
    if ratio_e6 > RATIO_ONE_E6:
        raise malformed(call.scene, name)
    return ratio_e6
