"""Money in and out: deposits and withdrawals, pools, the insurance fund, what the venue has earned.

One call moves all of them (RULES 2.4). Where the configuration asks for two operators, the call
makes a request that another operator approves or rejects; the state machine keeps it, and sees to
it that nobody approves their own (decision 0021).
"""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import coin_text, explain_coin, parse_amount, parse_id, ratio_text
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.lookup import coin_of
from lombard.api.operator.hand import (
    SCENE,
    give,
    operator_name,
    operator_number,
    parse_user,
    reads,
    value_of,
    writes,
)
from lombard.api.paging import PageQuery, parse_page
from lombard.api.ports import State
from lombard.api.rates import RateModel, model_of
from lombard.api.table import Endpoint, NoParameters
from lombard.core import queries
from lombard.core.commands import (
    MOVE_DEPOSIT,
    MOVE_FUND_INSURANCE,
    MOVE_FUND_POOL,
    MOVE_TAKE_FEES,
    MOVE_TAKE_INTEREST,
    MOVE_WITHDRAW_INSURANCE,
    MOVE_WITHDRAW_POOL,
    MOVE_WITHDRAWAL,
    ApproveMove,
    MoveFunds,
    ProposeMove,
    RejectMove,
)
from lombard.core.queries import Proposal
from lombard.node.children import answer_of_child

KINDS: Final = {
    "deposit": MOVE_DEPOSIT,
    "withdrawal": MOVE_WITHDRAWAL,
    "pool-funding": MOVE_FUND_POOL,
    "pool-withdrawal": MOVE_WITHDRAW_POOL,
    "insurance-funding": MOVE_FUND_INSURANCE,
    "insurance-withdrawal": MOVE_WITHDRAW_INSURANCE,
    "fee-withdrawal": MOVE_TAKE_FEES,
    "interest-withdrawal": MOVE_TAKE_INTEREST,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}
DONE: Final = "done"
PENDING: Final = "pending"
REJECTED: Final = "rejected"
# So many accounts are added up in 40 ms or less; more would keep everybody waiting.
ACCOUNTS_AT_ONCE: Final = 40_000


class MovementBody(msgspec.Struct):
    """A movement; `userId` for deposits and withdrawals only."""

    kind: str = ""
    coin: str = ""
    amount: str = ""
    userId: str = ""


class Movement(msgspec.Struct):
    """A movement that is done, waits for another operator, or was rejected.

    `movementId` is that of the deposit or withdrawal, or of the request while it waits or was
    rejected; `0` for the venue's own funds. `operatorId` is who asked.
    """

    movementId: str
    status: str
    kind: str
    userId: str
    coin: str
    amount: str
    operatorId: str


class PendingMovement(msgspec.Struct):
    """A movement that waits for another operator since `time`."""

    movementId: str
    kind: str
    userId: str
    coin: str
    amount: str
    operatorId: str
    time: str


class DecidedMovement(msgspec.Struct):
    """A movement that was asked for at `time`, and `done` or `rejected` by `decidedBy`."""

    movementId: str
    status: str
    kind: str
    userId: str
    coin: str
    amount: str
    operatorId: str
    time: str
    decidedBy: str
    decidedTime: str


class DecidedQuery(PageQuery):
    """A page of what was decided."""


class MovementId(msgspec.Struct):
    """Which request."""

    movementId: str = ""


class Pool(msgspec.Struct):
    """What the venue holds of a coin, and how it lends it.

    `supplied` = `idle` + `lent` + `loss`. `insurance`, `fees` and `interest` are its own funds.
    """

    coin: str
    supplied: str
    idle: str
    lent: str
    loss: str
    utilization: str
    insurance: str
    fees: str
    interest: str
    model: RateModel


class CoinReport(msgspec.Struct):
    """A coin's solvency.

    What came in is claimed: `received` = `users` + `idle` + `insurance` + `fees` + `interest`. What
    is lent is owed: `lent` = `owed`. And `supplied` = `idle` + `lent` + `loss`.
    `interestDue` is on what is owed, and nobody's until it is paid; `collateral` is what debtors
    hold. `balanced` says whether all three hold, to the unit.
    """

    coin: str
    received: str
    users: str
    idle: str
    insurance: str
    fees: str
    interest: str
    supplied: str
    lent: str
    owed: str
    loss: str
    interestDue: str
    collateral: str
    balanced: bool


class SolvencyReport(msgspec.Struct):
    """The whole venue at one moment of its log; values in USDT at the index.

    `assets` of debtors count by their collateral ratios; `uncovered` is by how much some of them
    owe more than that.
    """

    time: str
    balanced: bool
    debtors: str
    assets: str
    debt: str
    uncovered: str
    coins: list[CoinReport]


def endpoints(needs_two: Collection[int]) -> list[Endpoint]:
    """Make the rows of this page; `needs_two` are the movements that two operators make."""
    needed = ("kind", "coin", "amount")
    one = ("movementId",)
    return [
        writes("movements", MovementBody, needed, Movement, partial(move, frozenset(needs_two))),
        reads("movements/pending", NoParameters, (), list[PendingMovement], pending),
        reads("movements/decided", DecidedQuery, (), list[DecidedMovement], decided),
        writes("movements/approve", MovementId, one, Movement, approve),
        writes("movements/reject", MovementId, one, Movement, reject),
        reads("pools", NoParameters, (), list[Pool], pools),
        reads("solvency", NoParameters, (), SolvencyReport, partial(report, asyncio.Lock())),
    ]


async def move(needs_two: frozenset[int], call: Call, body: MovementBody) -> Movement:
    """POST movements: done at once, or pending where two operators are asked for"""
    kind = KINDS.get(body.kind)
    if kind is None:
        raise malformed(SCENE, "kind")
    user = 0
    if kind in (MOVE_DEPOSIT, MOVE_WITHDRAWAL):
        if not body.userId:
            raise empty(SCENE, "userId")
        user = parse_user(call, body.userId)
    elif body.userId:
        raise malformed(SCENE, "userId")
    coin = coin_of(call, body.coin)
    units = parse_amount(SCENE, "amount", body.amount, coin)
    two = kind in needs_two
    command = (ProposeMove if two else MoveFunds)(kind, user, coin.id, units)
    reply = await give(call, command, partial(explain_coin, coin))
    asker = operator_name(operator_number(call))
    return Movement(
        str(reply.id),
        PENDING if two else DONE,
        body.kind,
        body.userId,
        coin.name,
        coin_text(coin, units),
        asker,
    )


async def pending(call: Call, _: NoParameters) -> list[PendingMovement]:
    """GET movements/pending: oldest first"""
    coins = queries.coins(call.state)
    return [
        PendingMovement(
            str(row.id),
            _NAMES[row.kind],
            str(row.user) if row.user else "",
            coins[row.coin].name,
            coin_text(coins[row.coin], row.units),
            operator_name(row.operator),
            str(row.proposed_ms),
        )
        for row in queries.proposals(call.state)
    ]


async def decided(call: Call, query: DecidedQuery) -> list[DecidedMovement]:
    """GET movements/decided: the latest asked for first, with the times of asking"""
    page = parse_page(SCENE, query)
    rows = await call.past(call.context.reader.decided_moves, page)
    coins = queries.coins(call.state)
    return [
        DecidedMovement(
            str(row.proposal_id),
            DONE if row.approved else REJECTED,
            _NAMES[row.kind],
            str(row.user) if row.user else "",
            coins[row.coin].name,
            coin_text(coins[row.coin], row.units),
            operator_name(row.operator),
            str(row.time_ms),
            operator_name(row.decided_by),
            str(row.decided_ms),
        )
        for row in rows
    ]


async def approve(call: Call, body: MovementId) -> Movement:
    """POST movements/approve: by another operator than the one who asked; it is done on return"""
    asked = _asked(call, body)
    if asked is None:
        # It may be a retry of the approval, which the state machine has an answer to.
        reply = await give(call, ApproveMove(parse_id(SCENE, "movementId", body.movementId)))
        return Movement(str(reply.id), DONE, "", "", "", "", "")
    coin = queries.coins(call.state)[asked.coin]
    reply = await give(call, ApproveMove(asked.id), partial(explain_coin, coin))
    return _decided(call, asked, reply.id, DONE)


async def reject(call: Call, body: MovementId) -> Movement:
    """POST movements/reject: by any operator, also the one who asked"""
    asked = _asked(call, body)
    if asked is None:
        await give(call, RejectMove(parse_id(SCENE, "movementId", body.movementId)))
        return Movement(body.movementId, REJECTED, "", "", "", "", "")
    await give(call, RejectMove(asked.id))
    return _decided(call, asked, asked.id, REJECTED)


def _asked(call: Call, body: MovementId) -> Proposal | None:
    return queries.proposal(call.state, parse_id(SCENE, "movementId", body.movementId))


def _decided(call: Call, asked: Proposal, id_: int, status: str) -> Movement:
    coin = queries.coins(call.state)[asked.coin]
    return Movement(
        str(id_),
        status,
        _NAMES[asked.kind],
        str(asked.user) if asked.user else "",
        coin.name,
        coin_text(coin, asked.units),
        operator_name(asked.operator),
    )


async def pools(call: Call, _: NoParameters) -> list[Pool]:
    """GET pools: and the other funds of the venue"""
    state = call.state
    return [
        Pool(
            coin.name,
            coin_text(coin, coin.supplied_units),
            coin_text(coin, coin.pool_units),
            coin_text(coin, coin.lent_units),
            coin_text(coin, coin.loss_units),
            ratio_text(queries.utilisation_e6(state, coin.id)),
            coin_text(coin, coin.insurance_units),
            coin_text(coin, coin.fee_units),
            coin_text(coin, coin.interest_units),
            model_of(coin),
        )
        for coin in queries.coins(state)
    ]


async def report(turn: asyncio.Lock, call: Call, _: NoParameters) -> SolvencyReport:
    """GET solvency: of the live state at one moment

    It costs what all balances cost: with many of them a child adds up, while the venue goes on.
    """
    async with turn:
        state = call.state
        if len(state.accounts) <= ACCOUNTS_AT_ONCE:
            return _report(state)
        found = await answer_of_child(lambda: msgspec.json.encode(_report(state)))
        return msgspec.json.decode(found, type=SolvencyReport)


def _report(state: State) -> SolvencyReport:
    found = queries.solvency(state)
    return SolvencyReport(
        str(state.time_ms),
        all(row.balances for row in found.coins),
        str(found.debtors),
        value_of(found.assets_e26),
        value_of(found.debt_e26),
        value_of(found.uncovered_e26),
        [_coin_report(row) for row in found.coins],
    )


def _coin_report(row: queries.CoinSolvency) -> CoinReport:
    coin = row.coin
    return CoinReport(
        coin.name,
        coin_text(coin, row.received_units),
        coin_text(coin, row.user_units),
        coin_text(coin, row.pool_units),
        coin_text(coin, row.insurance_units),
        coin_text(coin, row.fee_units),
        coin_text(coin, row.interest_units),
        coin_text(coin, row.supplied_units),
        coin_text(coin, row.lent_units),
        coin_text(coin, row.owed_units),
        coin_text(coin, row.loss_units),
        coin_text(coin, row.interest_due_units),
        coin_text(coin, row.collateral_units),
        row.balances,
    )
