"""A storm of liquidations on a node: others are answered meanwhile (RULES 8.3, issue 3)."""

import asyncio
import time
from itertools import pairwise

from lombard.core.commands import (
    AUTO_LOAN,
    BUY,
    GTC,
    LIMIT,
    NORMAL,
    SELL,
    SLOT_CROSSED,
    SOURCE_API,
    STP_NONE,
    VENUE,
    AddUser,
    Command,
    ContinueLiquidation,
    Deposit,
    PlaceOrder,
    SetIndexPrices,
    Transfer,
    account_id,
    user_of,
)
from lombard.core.events import LiquidationFinished, LiquidationStarted
from lombard.node.node import LIQUIDATION_STEPS
from lombard.sandbox.catalogue import finished_price
from tests.node.test_node import World, at_work
from tests.node.world import BTC, BTCUSDT, ONE, USDT, run, spot

ACCOUNTS = 4 * LIQUIDATION_STEPS


def order(side: int, price_ticks: int, steps: int, loan_type: int = NORMAL) -> PlaceOrder:
    return PlaceOrder(
        BTCUSDT, side, LIMIT, GTC, loan_type, STP_NONE, price_ticks, steps, 0, "", SOURCE_API
    )


async def leveraged(world: World, number: int) -> int:
    """Let a new user with 0.1 BTC buy another 0.1 on credit. Returns its crossed account."""
    user = (await world.do(VENUE, AddUser())).id
    account = account_id(user, SLOT_CROSSED)
    own = account_id(user, 0)
    await world.do(own, Deposit(BTC, ONE // 10))
    await world.do(own, Transfer(account, BTC, ONE // 10, ""))
    await world.do(account, order(BUY, 2_000_000, 100_000 - number % 50, AUTO_LOAN))
    return account


async def fallen(world: World) -> list[int]:
    """Let the index fall over leveraged accounts, with nobody who would buy."""
    for _ in range(ACCOUNTS // 10 + 1):
        await world.do(spot(1), order(SELL, 2_000_000, 1_000_000))
    accounts = await asyncio.gather(*(leveraged(world, n) for n in range(ACCOUNTS)))
    await world.do(VENUE, SetIndexPrices([finished_price(BTC, 10_900 * 10**12)]))
    started = [event for event in world.heard.events if isinstance(event, LiquidationStarted)]
    assert sorted(accounts) == [event.account for event in started]
    return accounts


def test_others_orders_are_answered_between_the_pieces_of_a_storm() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            await fallen(world)
            assert node.engine.liquidation_due()
            first = len(world.heard.envelopes)
            longest = 0.0
            while node.engine.liquidation_due():
                begun = time.perf_counter()
                await world.do(spot(0), order(BUY, 500_000, 100_000))
                longest = max(longest, time.perf_counter() - begun)
            await node.settled()
            assert longest < 1
        commands = [envelope.command for envelope in world.heard.envelopes[first:]]
        pieces = [n for n, c in enumerate(commands) if isinstance(c, ContinueLiquidation)]
        assert ACCOUNTS // LIQUIDATION_STEPS <= len(pieces)
        # Never two pieces in a row while somebody waits.
        ahead: list[Command] = commands[: pieces[-1]]
        assert all(
            not isinstance(after, ContinueLiquidation)
            for before, after in pairwise(ahead)
            if isinstance(before, ContinueLiquidation)
        )

    run(scenario())


def test_what_waits_in_front_keeps_nobody_behind_from_going_on() -> None:
    """A piece in which everyone waits again, and nothing is said, is not the last."""

    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            accounts = await fallen(world)
            await node.settled()
            assert set(accounts) == set(node.state.liquidations)
            # The one with the best ratio, last in the queue, is helped: at its turn it is free.
            best = min(
                accounts, key=lambda a: node.state.accounts[a].balances[USDT].principal_units
            )
            own = account_id(user_of(best), 0)
            await world.do(own, Deposit(BTC, ONE))
            await world.do(own, Transfer(best, BTC, ONE, ""))
            before = len(world.heard.events)

            await node.timekeeper.advance_by(1_000)

            assert best not in node.state.liquidations
            finished = [
                event
                for event in world.heard.events[before:]
                if isinstance(event, LiquidationFinished)
            ]
            assert [best] == [event.account for event in finished]
            assert not node.engine.liquidation_due()

    run(scenario())
