"""How a sandbox begins: its first prices, its demo user, and somebody to trade with."""

import asyncio
from pathlib import Path
from typing import Final

from lombard.core import queries
from lombard.core.commands import (
    SLOT_SPOT,
    VENUE,
    AddUser,
    Deposit,
    SetIndexPrices,
    account_id,
)
from lombard.core.state import Reply
from lombard.core.units import parse_units
from lombard.market import (
    Makers,
    MarketCommand,
    ReplayMarket,
    StateView,
    Tape,
    build_tape,
    funding,
    keep_standing,
    load_recording,
    new_standing,
    read_standing,
)
from lombard.node.errors import CannotStart
from lombard.node.node import Node
from lombard.sandbox.catalogue import finished_price

# Index prices to begin with where no market sets any, in USDT.
FIRST_PRICES: Final = {
    "BTC": "20000",
    "ETH": "1500",
    "USDC": "1",
    "DOGE": "0.07",
    "PEPE": "0.000001",
}
# What the demo user has, in coins.
DEMO_FUNDS: Final = {"USDT": 100_000, "BTC": 1}


async def set_first_prices(node: Node) -> None:
    """Publish an index price, fresh until replaced, for each coin that has none."""
    prices = [
        finished_price(coin.id, parse_units(FIRST_PRICES[coin.name], 12))
        for coin in queries.coins(node.state)
        if coin.price_e12 == 0 and coin.name in FIRST_PRICES
    ]
    if prices:
        await node.submit(VENUE, SetIndexPrices(prices))


async def admit_demo_user(node: Node) -> int:
    """Admit a user and give it something to trade with."""
    user = await admit_user(node)
    for name, whole in DEMO_FUNDS.items():
        coin = queries.coin_named(node.state, name)
        if coin is not None:
            units = whole * 10 ** queries.coins(node.state)[coin].decimals
            await node.submit(account_id(user, SLOT_SPOT), Deposit(coin, units))
    return user


async def admit_user(node: Node) -> int:
    """Admit a user and return its id."""
    return (await node.submit(VENUE, AddUser())).id


class MarketPlayer:
    """A replayed market as the timekeeper plays it, seen through the live state."""

    def __init__(self, market: ReplayMarket, node: Node) -> None:
        self._market = market
        self._node = node

    def next_due_ms(self) -> int:
        """Say when there is next something to do."""
        return self._market.next_due_ms()

    def due(self, until_ms: int) -> list[MarketCommand]:
        """Return the commands of the next moment due; the moment is done with."""
        return self._market.commands_until(until_ms, StateView(self._node.state))

    def is_behind(self, now_ms: int) -> bool:
        """Say whether a running clock has left the market so far behind that it should skip."""
        return self._market.is_behind(now_ms)

    def skip_to(self, now_ms: int) -> None:
        """Leave out what was due before `now_ms`."""
        self._market.skip_to(now_ms)


def read_tape(recording: Path | None) -> Tape:
    """Read a recording, or those carried along. Raises `RecordingError`."""
    return build_tape(load_recording(recording) if recording else None)


async def open_market(node: Node, directory: Path, tape: Tape) -> MarketPlayer:
    """Begin a market on a tape, or go on with the one that was playing it.

    Raises `StandingError` for a damaged note of the last.
    """
    now_ms = node.exchange_time_ms()
    standing = read_standing(directory)
    if standing is None or not standing.is_of(tape):
        standing = new_standing(tape, now_ms, await admit_user(node), await admit_user(node))
        keep_standing(directory, standing)
    makers = standing.makers()
    for user in (standing.maker_user, standing.taker_user):
        if not queries.user_exists(node.state, user):
            raise CannotStart(
                f"The market in {directory} belongs to another log: its user {user} is unknown. "
                "Remove market.json, and a new market begins."
            )
    await _fund(node, makers)
    return MarketPlayer(ReplayMarket(tape, standing.start_ms, makers, now_ms), node)


async def _fund(node: Node, makers: Makers) -> None:
    deposits = funding(StateView(node.state), makers)
    replies: list[Reply] = await asyncio.gather(
        *[node.submit(account, command) for account, command in deposits]
    )
    assert all(reply.refusal is None for reply in replies), "Invariant: a market was not funded"
