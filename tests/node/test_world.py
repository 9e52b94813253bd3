"""A sandbox's world: what its user may ask of clock and prices, and what it remembers."""

import asyncio
from pathlib import Path

import pytest

from lombard.api.ports import World, WorldRefused
from lombard.cli.control import (
    ControlSocket,
    ask_for_backup,
    ask_for_names,
    ask_for_operator,
    ask_for_reset,
)
from lombard.cli.web import address_of, url_of
from lombard.core import queries as q
from lombard.core.commands import SetRateModel
from lombard.core.refusals import Refusal
from lombard.node.errors import CannotStart
from lombard.node.node import Node
from lombard.sandbox.notes import Notes, keep_notes, read_notes
from lombard.sandbox.opening import admit_demo_user, set_first_prices
from lombard.sandbox.world import ADVANCE_MS_MAX, SandboxWorld
from tests.node.world import (
    BTC,
    ONE,
    START_MS,
    USDT,
    MemoryHistory,
    ThreadedLog,
    manual_clock,
    run,
    spot,
    venue,
)


def test_a_world_is_in_its_users_hand() -> None:
    async def scenario() -> None:
        engine, journal = venue(users=1)
        node = Node(engine, ThreadedLog(journal), manual_clock(), MemoryHistory(engine.state.seq))
        node.start()
        moved: list[int] = []
        world = SandboxWorld(node, lambda: moved.append(node.exchange_time_ms()))
        as_the_gateway_sees_it: World = world
        assert as_the_gateway_sees_it.clock().now_ms == START_MS

        user = await world.create_user()
        assert (await world.deposit(user, BTC, ONE)).refusal is None
        assert Refusal.ACCOUNT_UNKNOWN is (await world.deposit(7, BTC, ONE)).refusal
        assert (await world.set_index_price(BTC, 10**30)).refusal is None
        assert (await world.set_rate(BTC, 0)).refusal is None
        assert (await world.operate(SetRateModel(BTC, 1, 1, 2, 3, 0))).refusal is None
        assert Refusal.COIN_UNKNOWN is (await world.operate(SetRateModel(9, 0, 1, 0, 0, 0))).refusal
        assert engine.state_hash() == await world.state_hash()

        assert (START_MS + 5, "manual", 0) == await world.advance_by(5)
        assert (START_MS + 7, "manual", 0) == await world.advance_to(START_MS + 7)
        assert "real" == (await world.set_clock("real", 10**6)).mode
        assert 3 == len(moved)
        for refused in (
            world.advance_to(START_MS),
            world.advance_by(-1),
            world.advance_by(ADVANCE_MS_MAX + 1),
            world.advance_to(START_MS + 2 * ADVANCE_MS_MAX),
            world.set_clock("scaled", 0),
            world.set_index_price(USDT, 2 * 10**12),
        ):
            with pytest.raises(WorldRefused):
                await refused
        assert 3 == len(moved)
        await node.drain()

    run(scenario())


def test_a_sandbox_begins_with_prices_and_a_demo_user() -> None:
    async def scenario() -> None:
        engine, journal = venue(users=1)
        node = Node(engine, ThreadedLog(journal), manual_clock(), MemoryHistory(engine.state.seq))
        node.start()
        await set_first_prices(node)
        assert [10**12, 10**12, 20_000 * 10**12, 1_500 * 10**12, 7 * 10**10, 10**6] == [
            coin.price_e12 for coin in engine.state.coins
        ]
        before = node.applied_seq
        await set_first_prices(node)
        assert before == node.applied_seq
        demo = await admit_demo_user(node)
        assert q.balance(engine.state, spot(demo - 1_000_001), BTC).available_units == ONE
        await node.drain()

    run(scenario())


def test_notes_are_kept_and_damaged_ones_are_named(tmp_path: Path) -> None:
    assert Notes() == read_notes(tmp_path)
    kept = Notes(demo_user=1_000_001, clock_offset_ms=-5)
    keep_notes(tmp_path, kept)
    assert kept == read_notes(tmp_path)

    path = tmp_path / "sandbox.json"
    for content, sentence in (
        ('{"format":2}', "has format 2; this build reads format 1"),
        ("{", "is damaged"),
    ):
        path.write_text(content)
        with pytest.raises(CannotStart, match=sentence):
            read_notes(tmp_path)


@pytest.mark.parametrize("depth", [1, 5])
def test_a_backup_is_asked_for_through_a_socket(tmp_path: Path, depth: int) -> None:
    """Also where the path is longer than the kernel takes for a socket."""
    directory = tmp_path.joinpath(*["a-directory-with-a-long-name"] * depth)
    directory.mkdir(parents=True)
    asked: list[Path] = []

    async def back_up(target: Path) -> str:
        asked.append(target)
        if target.name == "there":
            raise ValueError("it exists already")
        return "done"

    async def make_operator(email: str) -> str:
        return f"made {email}"

    async def tell() -> tuple[list[tuple[str, int]], list[str]]:
        return [("USDT", 8)], ["BTCUSDT"]

    async def reset(email: str, drops_device: bool) -> str:
        return f"reset {email} {drops_device}"

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def ask(target: str) -> str | None:
            return await loop.run_in_executor(None, ask_for_backup, directory, Path(target))

        assert await ask("/x") is None
        control = ControlSocket(directory, back_up, make_operator, tell, reset)
        await control.start()
        made = await loop.run_in_executor(None, ask_for_operator, directory, "a@example.org")
        assert "made a@example.org" == made
        for drops in (False, True):
            made = await loop.run_in_executor(None, ask_for_reset, directory, "a@b.org", drops)
            assert f"reset a@b.org {drops}" == made
        assert "done" == await ask("/tmp/new")
        with pytest.raises(CannotStart, match="it exists already"):
            await ask("/tmp/there")
        told = await loop.run_in_executor(None, ask_for_names, directory)
        assert told is not None
        assert ([("USDT", 8)], ["BTCUSDT"]) == (told.coins, told.pairs)
        await control.stop()
        assert await ask("/x") is None
        assert [Path("/tmp/new"), Path("/tmp/there")] == asked
        assert [] == list(directory.iterdir())

    run(scenario())


def test_names_are_turned_into_addresses() -> None:
    address, port = address_of("localhost", 0)
    assert (True, True) == (address in ("127.0.0.1", "::1"), port > 0)
    assert "http://localhost:80" == url_of("localhost", 80)
    assert "http://[::1]:80" == url_of("::1", 80)
