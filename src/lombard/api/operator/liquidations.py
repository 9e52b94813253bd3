"""Liquidations of the whole venue: those that go on, those that are over, and each in full."""

import msgspec

from lombard.api.amounts import parse_id, ratio_text, value_text
from lombard.api.context import Call
from lombard.api.liquidation_record import LiquidationView, read_liquidation
from lombard.api.operator.hand import SCENE, place_of, reads, value_of
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import Endpoint, NoParameters
from lombard.core import queries
from lombard.core.commands import user_of


class Running(msgspec.Struct):
    """A liquidation that goes on. `stalled`: it waits, for a buyer, a price or its time to end.

    `forced`: it repays a delisted debt of an account that is above its line.
    """

    liqId: str
    userId: str
    accountType: str
    symbol: str
    liqStartTime: str
    steps: str
    riskRate: str
    netValue: str
    debtValue: str
    stalled: bool
    forced: bool


class Past(msgspec.Struct):
    """A liquidation, over when it has an end. Assets, debt and fee in USDT."""

    liqId: str
    userId: str
    accountType: str
    symbol: str
    liqStartTime: str
    liqEndTime: str
    riskRateBefore: str
    riskRateAfter: str
    totalAssets: str
    totalDebt: str
    liqFee: str


class RecordQuery(msgspec.Struct):
    """Which liquidation."""

    liqId: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        reads("liquidations/running", NoParameters, (), list[Running], running),
        reads("liquidations", PageQuery, (), list[Past], past_ones),
        reads("liquidations/record", RecordQuery, ("liqId",), LiquidationView, record),
    ]


async def running(call: Call, _: NoParameters) -> list[Running]:
    """GET liquidations/running: oldest first"""
    rows = []
    for job in queries.liquidations(call.state):
        account = job.account.id
        risk = queries.risk(call.state, account)
        rows.append(
            Running(
                str(job.id),
                str(user_of(account)),
                *place_of(call, account),
                str(job.started_ms),
                str(job.step),
                ratio_text(risk.ratio_e6()),
                value_of(risk.net_e26),
                value_of(risk.debt_e26),
                job.stalled or job.waiting,
                job.forced,
            )
        )
    return rows


async def past_ones(call: Call, query: PageQuery) -> list[Past]:
    """GET liquidations: newest first, those that go on as well"""
    page = parse_page(SCENE, query)
    rows = await call.past(call.context.reader.all_liquidations, page)
    return [
        Past(
            str(row.liquidation_id),
            str(user_of(row.account)),
            *place_of(call, row.account),
            str(row.started_ms),
            str(row.finished_ms) if row.finished_ms else "",
            ratio_text(row.ratio_e6),
            ratio_text(row.ratio_after_e6) if row.finished_ms else "",
            value_text(row.assets_value_e8),
            value_text(row.debt_value_e8),
            value_text(row.fee_value_e8),
        )
        for row in rows
    ]


async def record(call: Call, query: RecordQuery) -> LiquidationView:
    """GET liquidations/record: every step of one"""
    return await read_liquidation(call, parse_id(SCENE, "liqId", query.liqId))
