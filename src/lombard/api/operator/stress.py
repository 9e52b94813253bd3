"""What a fall of prices would come to: who is called, who is liquidated, what the fund loses.

Computed by the core from the live state, which it does not touch (`core.stress`). A large venue is
looked at in parts between which everything else goes on, so the answer is of a span of the log; one
such question is worked on at a time.
"""

import asyncio
from functools import partial
from typing import Final

import msgspec

from lombard.api.amounts import (
    PRICE_DECIMALS,
    coin_text,
    parse_count,
    ratio_text,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Fault
from lombard.api.lookup import coin_of
from lombard.api.operator.hand import SCENE, parse_ratio, place_of, value_of, writes
from lombard.api.table import Endpoint
from lombard.core import queries
from lombard.core import reason_queries as reasons
from lombard.core.commands import user_of
from lombard.core.units import RATIO_ONE_E6, format_units

# So many accounts at once: a millisecond or two (bench/stress.py).
PART: Final = 250
ROWS: Final = 100
ROWS_MAX: Final = 1_000
# A price may rise a hundredfold in the question.
CHANGE_MAX_E6: Final = 100 * RATIO_ONE_E6
UNIT: Final = "USDT"
OUTCOMES: Final = {reasons.CALLED: "call", reasons.LIQUIDATED: "liquidation"}


class CoinMove(msgspec.Struct):
    """By which part of itself a coin's index moves: `-0.2` is a fall by a fifth."""

    coin: str = ""
    change: str = ""


class StressBody(msgspec.Struct):
    """Which coins move; the others stay. `sellingCost` is what selling loses, as a part."""

    moves: list[CoinMove] = []
    sellingCost: str = "0"
    limit: str = ""


class StressedAccount(msgspec.Struct):
    """An account that comes to a line: `outcome` is `call` or `liquidation`.

    `riskRate` is K ÷ N at the index, `riskRateAfter` at the moved prices, like `assets`, `debt` and
    `shortfall` in USDT. `already` when it is in liquidation now.
    """

    userId: str
    accountType: str
    symbol: str
    outcome: str
    already: bool
    riskRate: str
    riskRateAfter: str
    assets: str
    debt: str
    shortfall: str


class StressedCoin(msgspec.Struct):
    """A coin: its price now and moved; what debtors could not repay of it, and who bears that.

    `shortfall` = `fundPays` + `loss`, in coins; `lossValue` in USDT at the moved price.
    """

    coin: str
    price: str
    movedPrice: str
    shortfall: str
    fund: str
    fundPays: str
    loss: str
    fundPaysValue: str
    lossValue: str


class StressReport(msgspec.Struct):
    """What the moves come to, for all debtors; values in USDT at the moved prices.

    `called` and `liquidated` count accounts, `already` those of the latter that are in liquidation
    now, `short` those that cannot repay. `assets` and `debt` are of the liquidated. `accounts` are
    the worst. The answer was read between commands `fromSeq` and `toSeq` of the log.
    """

    fromSeq: str
    toSeq: str
    debtors: str
    called: str
    liquidated: str
    already: str
    short: str
    assets: str
    debt: str
    shortfall: str
    fundPays: str
    loss: str
    coins: list[StressedCoin]
    accounts: list[StressedAccount]


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    turn = asyncio.Lock()
    return [writes("stress", StressBody, ("moves",), StressReport, partial(stress, turn))]


async def stress(turn: asyncio.Lock, call: Call, body: StressBody) -> StressReport:
    """POST stress: changes nothing"""
    moves = _moves(call, body.moves)
    cost_e6 = parse_ratio("sellingCost", body.sellingCost)
    if cost_e6 >= RATIO_ONE_E6:
        raise malformed(SCENE, "sellingCost")
    limit = parse_count(SCENE, "limit", body.limit, ROWS, ROWS_MAX)
    if turn.locked():
        raise Fault("429")
    async with turn:
        first = call.state.seq
        found = reasons.Stress(reasons.moved_prices(call.state, moves), cost_e6, limit)
        debtors = reasons.debtors(call.state)
        for place in range(0, len(debtors), PART):
            found.look_at(call.state, debtors[place : place + PART])
            # Whatever else waits has its turn.
            await asyncio.sleep(0)
        found.rank()
        return _report(call, found, first)


def _moves(call: Call, moves: list[CoinMove]) -> list[tuple[int, int]]:
    read: dict[int, int] = {}
    for move in moves:
        coin = coin_of(call, move.coin)
        if coin.name == UNIT:
            raise Fault("40017", f"{UNIT} is what everything is counted in: it does not move")
        if coin.id in read:
            raise malformed(SCENE, "coin")
        change_e6 = parse_ratio("change", move.change.removeprefix("-"))
        if move.change.startswith("-"):
            change_e6 = -change_e6
        if not -RATIO_ONE_E6 < change_e6 <= CHANGE_MAX_E6:
            raise malformed(SCENE, "change")
        read[coin.id] = change_e6
    return list(read.items())


def _report(call: Call, found: reasons.Stress, first: int) -> StressReport:
    state = call.state
    rows, pays_e26, loss_e26 = [], 0, 0
    # A coin that was listed meanwhile is owed by nobody who was looked at.
    for coin, price_e12 in zip(queries.coins(state), found.prices_e12, strict=False):
        missing = found.missing_units[coin.id]
        pays = min(missing, coin.insurance_units)
        values = [found.value_e26(state, coin.id, units) for units in (pays, missing - pays)]
        pays_e26, loss_e26 = pays_e26 + values[0], loss_e26 + values[1]
        rows.append(
            StressedCoin(
                coin.name,
                format_units(coin.price_e12, PRICE_DECIMALS),
                format_units(price_e12, PRICE_DECIMALS),
                *[
                    coin_text(coin, units)
                    for units in (missing, coin.insurance_units, pays, missing - pays)
                ],
                *map(value_of, values),
            )
        )
    return StressReport(
        str(first),
        str(state.seq),
        str(found.debtors),
        str(found.called),
        str(found.liquidated),
        str(found.already),
        str(found.short),
        value_of(found.liquidated_assets_e26),
        value_of(found.liquidated_debt_e26),
        value_of(found.shortfall_e26),
        value_of(pays_e26),
        value_of(loss_e26),
        rows,
        [_account(call, row) for row in found.worst],
    )


def _account(call: Call, row: reasons.Stressed) -> StressedAccount:
    return StressedAccount(
        str(user_of(row.account)),
        *place_of(call, row.account),
        OUTCOMES[row.outcome],
        row.already,
        ratio_text(row.before_e6),
        ratio_text(row.ratio_e6),
        value_of(row.assets_e26),
        value_of(row.debt_e26),
        value_of(row.shortfall_e26),
    )
