"""The node: time passes through every hour, liquidation goes on by itself, history is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

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
    Command,
    ContinueLiquidation,
    Deposit,
    PlaceOrder,
    SetIndexPrices,
    SetParameter,
    Tick,
    Transfer,
    account_id,
    user_of,
)
from lombard.core.events import HourTurned, LiquidationFinished, LiquidationStarted
from lombard.core.state import Reply
from lombard.node.clock import SCALED, Clock, ClockError
from lombard.node.errors import Stopped
from lombard.node.node import Node
from lombard.node.timekeeper import Due, Player
from lombard.sandbox.catalogue import finished_price
from tests.node.world import (
    BTC,
    BTCUSDT,
    ONE,
    START_MS,
    USDT,
    Heard,
    MemoryHistory,
    ThreadedLog,
    manual_clock,
    replayed,
    run,
    spot,
    venue,
)

HOUR_MS = 3_600_000
FIRST_HOUR_MS = START_MS - START_MS % HOUR_MS + HOUR_MS


class World:
    """A node in memory, with two rich users and what a test looks at."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.engine, self.journal = venue(
            users=2,
            more=[
                SetParameter("caution_half_life_ms", 0),
                SetIndexPrices([finished_price(BTC, 20_000 * 10**12)]),
            ],
        )
        self.history = MemoryHistory(self.engine.state.seq)
        self.clock = clock or manual_clock()
        self.node = Node(self.engine, ThreadedLog(self.journal), self.clock, self.history)
        self.heard = Heard()
        self.node.listen(self.heard)

    async def do(self, account: int, command: Command) -> Reply:
        reply = await self.node.submit(account, command)
        assert reply.refusal is None, (reply.refusal, reply.detail)
        return reply

    async def go_long(self) -> int:
        """Let a user with 1 BTC buy another on credit. Returns its crossed account."""
        account = account_id(user_of(spot(0)), SLOT_CROSSED)
        await self.do(spot(0), Transfer(account, BTC, ONE, ""))
        steps = 1_000_000
        for buyer, side, loan in ((spot(1), SELL, NORMAL), (account, BUY, AUTO_LOAN)):
            order = PlaceOrder(
                BTCUSDT, side, LIMIT, GTC, loan, STP_NONE, 2_000_000, steps, 0, "", SOURCE_API
            )
            await self.do(buyer, order)
        return account


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[Node]:
    world.node.start()
    yield world.node
    if world.node.ready:
        await world.node.drain()
        assert world.engine.state_hash() == replayed(world.journal).state_hash()
        world.engine.check()


def test_what_is_acknowledged_is_in_state_log_and_history() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            assert (await world.do(spot(0), Deposit(USDT, 1))).id
            assert world.journal.last_seq == node.applied_seq == node.state.seq
            assert world.journal.last_hash == node.applied_hash
            await node.history_caught_up()
            assert [node.applied_seq] == [seq for seq, _, _ in world.history.rows]
        with pytest.raises(Stopped):
            await node.submit(spot(0), Deposit(USDT, 1))
        assert (False, None) == (node.ready, node.failure)

    run(scenario())


def test_a_clock_put_forward_passes_through_every_hour() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            await world.go_long()
            await node.timekeeper.advance_to(FIRST_HOUR_MS + 2 * HOUR_MS + 5)
            assert FIRST_HOUR_MS + 2 * HOUR_MS + 5 == node.exchange_time_ms() == node.state.time_ms
        ticks = [e.time_ms for e in world.heard.envelopes if isinstance(e.command, Tick)]
        hours = [FIRST_HOUR_MS + hour * HOUR_MS for hour in range(3)]
        assert [*hours, FIRST_HOUR_MS + 2 * HOUR_MS + 5] == ticks
        turned = [event.hour_ms for event in world.heard.events if isinstance(event, HourTurned)]
        assert hours == turned

    run(scenario())


def test_a_clock_is_not_put_back() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            with pytest.raises(ClockError):
                await node.timekeeper.advance_to(START_MS - 1)
            with pytest.raises(ClockError):
                await node.timekeeper.advance_by(-1)
            await node.timekeeper.advance_by(0)
            assert START_MS == node.exchange_time_ms()

    run(scenario())


def test_liquidation_goes_on_between_commands_until_nothing_is_due() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            account = await world.go_long()
            await world.do(VENUE, SetIndexPrices([finished_price(BTC, 10_900 * 10**12)]))
            await node.settled()
            assert not node.engine.liquidation_due()
            # Nobody buys: it waits for its market, and the fund takes over in the end.
            assert account in node.state.liquidations
            await node.timekeeper.advance_by(11 * 60_000)
            assert account not in node.state.liquidations
        kinds = [type(event) for event in world.heard.events]
        assert kinds.index(LiquidationStarted) < kinds.index(LiquidationFinished)
        finished = next(
            envelope.time_ms
            for envelope in reversed(world.heard.envelopes)
            if isinstance(envelope.command, ContinueLiquidation)
        )
        # It was looked at on the way, not at the end only.
        assert 10 * 60_000 <= finished - START_MS < 11 * 60_000

    run(scenario())


def test_a_running_clock_ticks_at_full_hours() -> None:
    async def scenario() -> None:
        # An hour in 50 ms.
        world = World(Clock(SCALED, START_MS, speed_e6=72_000 * 10**6))
        async with at_work(world) as node:
            while node.state.hour < 4:
                await asyncio.sleep(0.01)
        ticks = {e.time_ms for e in world.heard.envelopes if isinstance(e.command, Tick)}
        assert {FIRST_HOUR_MS + hour * HOUR_MS for hour in range(4)} <= ticks
        times = [envelope.time_ms for envelope in world.heard.envelopes]
        assert sorted(times) == times

    run(scenario())


def test_a_clock_is_set_going_and_stopped() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            await node.timekeeper.set_mode(SCALED, 1_000 * 10**6)
            while node.state.time_ms < START_MS + 1_000:
                await asyncio.sleep(0.001)
            await node.timekeeper.set_mode("manual", 0)
            stopped_ms = node.exchange_time_ms()
            await asyncio.sleep(0.02)
            assert stopped_ms == node.exchange_time_ms()

    run(scenario())


class Beat(Due):
    """What the metronome asks for."""

    def __init__(self, time_ms: int) -> None:
        self._time_ms = time_ms

    @property
    def time_ms(self) -> int:
        return self._time_ms

    @property
    def account(self) -> int:
        return spot(0)

    @property
    def command(self) -> Command:
        return Deposit(USDT, 1)


class Metronome(Player):
    """A market that deposits a unit every twenty minutes."""

    def __init__(self) -> None:
        self.beat_ms = START_MS
        self.asked: list[int] = []
        self.skipped: list[int] = []

    def next_due_ms(self) -> int:
        return self.beat_ms

    def due(self, until_ms: int) -> list[Beat]:
        self.asked.append(until_ms)
        beat = Beat(self.beat_ms)
        self.beat_ms += 20 * 60_000
        return [beat]

    def is_behind(self, now_ms: int) -> bool:
        return now_ms - self.beat_ms >= HOUR_MS

    def skip_to(self, now_ms: int) -> None:
        self.skipped.append(now_ms)
        self.beat_ms = now_ms


def test_the_market_plays_in_its_own_time() -> None:
    async def scenario() -> None:
        metronome = Metronome()
        world = World()
        async with at_work(world) as node:
            await node.timekeeper.play(metronome)
            await node.timekeeper.advance_by(HOUR_MS)
        played = [e.time_ms for e in world.heard.envelopes if isinstance(e.command, Deposit)]
        assert [START_MS + beat * 20 * 60_000 for beat in range(4)] == played
        assert [START_MS, *[START_MS + HOUR_MS] * 3] == metronome.asked
        assert [] == metronome.skipped

    run(scenario())


def test_a_market_left_behind_goes_on_from_now() -> None:
    async def scenario() -> None:
        metronome = Metronome()
        world = World(Clock(SCALED, START_MS, speed_e6=10**6))
        async with at_work(world) as node:
            await node.timekeeper.play(metronome)
            metronome.beat_ms = START_MS - HOUR_MS
            while not metronome.skipped:
                await asyncio.sleep(0.01)
        assert 1 == len(metronome.skipped)

    run(scenario())


def test_history_that_lags_holds_trading_back() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            world.history.full = True
            await world.do(spot(0), Deposit(USDT, 1))
            held = asyncio.create_task(node.submit(spot(0), Deposit(USDT, 1)))
            await asyncio.sleep(0.02)
            assert not held.done()
            world.history.full = False
            world.history.has_room.set()
            assert (await held).refusal is None

    run(scenario())


def test_a_listener_that_raises_stops_the_node() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:

            def broken(*_: object) -> None:
                raise ValueError("a listener broke")

            node.listen(broken)
            with pytest.raises(Stopped, match="a listener broke"):
                await node.submit(spot(0), Deposit(USDT, 1))
            with pytest.raises(ValueError, match="a listener broke"):
                await node.stopped()
            assert not node.ready

    run(scenario())


def test_a_failure_outside_stops_the_node() -> None:
    async def scenario() -> None:
        world = World()
        async with at_work(world) as node:
            node.fail(RuntimeError("history is gone"))
            with pytest.raises(RuntimeError, match="history is gone"):
                await node.stopped()
            with pytest.raises(Stopped, match="history is gone"):
                await node.submit(spot(0), Deposit(USDT, 1))

    run(scenario())
