"""Ending a position: flash repayment as the dialect has it, and closing, which it has not.

The dialect's flash repayment works on its own time and is asked about afterwards; here it is done
when it is answered, so its status is always the last one.
"""

from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import explain_coin, parse_id
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.explaining import PREFIX
from lombard.api.lookup import (
    CROSSED,
    ISOLATED,
    MODES,
    Mode,
    checked_oid,
    coin_of,
    mode_of,
    pair_of,
)
from lombard.api.order_calls import no_limit, open_accounts, order_account
from lombard.api.order_form import explain_side
from lombard.api.order_rows import OrderAck, ack
from lombard.api.signing import entry_id
from lombard.api.table import POST, Endpoint, signed
from lombard.core import queries
from lombard.core.commands import (
    BUY,
    SLOT_CROSSED,
    SLOT_ISOLATED,
    SOURCE_API,
    ClosePosition,
    FlashRepay,
)
from lombard.core.queries import slot_of
from lombard.identity import Permission

ALL_COINS: Final = -1
NAMES_MAX: Final = 100
FINISHED: Final = "FINISH"
YES_OR_NO: Final = {"": True, "true": True, "false": False}


class FlashBody(msgspec.Struct):
    """The debt to be paid; all of the account's without `coin`."""

    coin: str = ""


class FlashAck(msgspec.Struct):
    """A flash repayment that was made; `coin` is empty when it was of all debts."""

    repayId: str
    coin: str


class PairsBody(msgspec.Struct):
    """The pairs whose debts are to be paid; all of them without."""

    symbolList: list[str] = []


class PairFlash(msgspec.Struct):
    """What became of one pair: `success` or `failure`."""

    repayId: str
    symbol: str
    result: str


class StatusBody(msgspec.Struct):
    """Flash repayments by id."""

    idList: list[str] = []


class FlashStatus(msgspec.Struct):
    """A flash repayment is finished when it is answered."""

    repayId: str
    status: str


class CloseBody(msgspec.Struct):
    """The position to be closed; `repay` is `true` (if nothing is said) or `false`."""

    mode: str = ""
    symbol: str = ""
    repay: str = ""
    clientOid: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    trade = Permission.TRADE
    return [
        signed(
            POST,
            CROSSED.path("account/flash-repay"),
            trade,
            10,
            CROSSED.repay_scene,
            FlashBody,
            (),
            FlashAck,
            flash_repay,
        ),
        signed(
            POST,
            ISOLATED.path("account/flash-repay"),
            trade,
            10,
            ISOLATED.repay_scene,
            PairsBody,
            (),
            list[PairFlash],
            flash_repay_pairs,
        ),
        *[_status_row(mode) for mode in MODES],
        signed(
            POST,
            f"{PREFIX}/close-position",
            trade,
            10,
            Scene.CROSSED,
            CloseBody,
            ("symbol",),
            OrderAck,
            close_position,
        ),
    ]


def _status_row(mode: Mode) -> Endpoint:
    return signed(
        POST,
        mode.path("account/query-flash-repay-status"),
        Permission.READ,
        10,
        mode.repay_scene,
        StatusBody,
        ("idList",),
        list[FlashStatus],
        partial(flash_status, mode),
    )


async def flash_repay(call: Call, body: FlashBody) -> FlashAck:
    """POST crossed/account/flash-repay"""
    account = CROSSED.account(call, "")
    if not body.coin:
        reply = await call.submit(account, FlashRepay(ALL_COINS), no_limit)
        return FlashAck(str(reply.id), "")
    coin = coin_of(call, body.coin)
    reply = await call.submit(account, FlashRepay(coin.id), partial(explain_coin, coin))
    return FlashAck(str(reply.id), coin.name)


async def flash_repay_pairs(call: Call, body: PairsBody) -> list[PairFlash]:
    """POST isolated/account/flash-repay"""
    if len(body.symbolList) > NAMES_MAX:
        raise Fault("40017", f"symbolList: at most {NAMES_MAX}")
    chosen = [pair_of(call, symbol) for symbol in body.symbolList]
    if not body.symbolList:
        state, pairs = call.state, queries.pairs(call.state)
        chosen = [
            pairs[slot_of(account) - SLOT_ISOLATED]
            for account, _ in open_accounts(ISOLATED, call, "")
            if queries.risk(state, account).debt_e26
        ]
    rows: list[PairFlash] = []
    for index, pair in enumerate(chosen):
        command_id = entry_id(call.command_id, index)
        node = call.context.node
        account = order_account(ISOLATED, call, pair)
        reply = await node.submit(account, FlashRepay(ALL_COINS), command_id)
        done = reply.refusal is None and reply.id > 0
        result = "success" if done else "failure"
        rows.append(PairFlash(str(reply.id) if done else "", pair.symbol, result))
    return rows


async def flash_status(mode: Mode, call: Call, body: StatusBody) -> list[FlashStatus]:
    """POST account/query-flash-repay-status: of ids that name none of one's own nothing is said"""
    if not body.idList:
        raise empty(call.scene, "idList")
    if len(body.idList) > NAMES_MAX:
        raise Fault("40017", f"idList: at most {NAMES_MAX}")
    wanted = [parse_id(call.scene, "idList", text) for text in body.idList]
    mine = [
        account
        for account in queries.accounts_of(call.state, call.user)
        if (slot_of(account) > SLOT_CROSSED if mode.isolated else slot_of(account) == SLOT_CROSSED)
    ]
    found = await call.past(call.context.reader.known_repayments, mine, wanted)
    return [FlashStatus(str(repay_id), FINISHED) for repay_id in wanted if repay_id in found]


async def close_position(call: Call, body: CloseBody) -> OrderAck:
    """POST close-position"""
    mode = mode_of(call, body.mode)
    pair = pair_of(call, body.symbol)
    if body.repay not in YES_OR_NO:
        raise malformed(call.scene, "repay")
    oid = checked_oid(call, body.clientOid)
    command = ClosePosition(pair.id, YES_OR_NO[body.repay], oid, SOURCE_API)
    account = order_account(mode, call, pair)
    reply = await call.submit(account, command, explain_side(pair, BUY))
    return ack(reply.id, oid, spot=False)
