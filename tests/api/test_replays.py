"""A signed request that comes twice is done once, and answered as the first time."""

import asyncio
import json
from pathlib import Path

import httpx
import msgspec
import pytest

from lombard.api import replays
from lombard.api.errors import Fault
from lombard.api.ratelimit import RateLimits
from lombard.api.replays import REPLIES_KEPT, Replays
from lombard.api.signing import WINDOW_MS
from lombard.core.replies import SEGMENT_REPLIES, SEGMENTS_MAX
from tests.api.house import Client, Street, data_of, fault_in, run, street

MARGIN = "/api/v2/margin/crossed"
TRANSFER = "/api/v2/spot/wallet/transfer"
WISH = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT", "amount": "10"}


class Captured:
    """The bytes of a signed POST, to be sent as often as one likes."""

    def __init__(self, client: Client, path: str, **body: object) -> None:
        self.client = client
        self.path = path
        self.content = json.dumps(body).encode()
        self.headers = client.headers("POST", path, self.content)

    async def send(self) -> httpx.Response:
        """Send it."""
        return await self.client.http.post(self.path, content=self.content, headers=self.headers)


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            await client.done(TRANSFER, **WISH)
            wishes = [
                Captured(client, TRANSFER, **WISH),
                Captured(client, f"{MARGIN}/account/borrow", coin="USDT", borrowAmount="4"),
                Captured(client, f"{MARGIN}/account/repay", coin="USDT", repayAmount="1"),
            ]
            for wish in wishes:
                first = data_of(await wish.send())
                before = place.house.engine.state_hash()
                assert first == data_of(await wish.send())
                assert before == place.house.engine.state_hash()

    run(test())


def test_what_was_refused_stays_refused(tmp_path: Path) -> None:
    """A refusal is no licence for whoever captured the request to try again later."""

    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="5")
            wish = Captured(client, TRANSFER, **WISH)
            refused = fault_in(await wish.send())
            assert "43012" == refused[0]
            await fund(place, client)
            seq = place.house.seq
            assert refused == fault_in(await wish.send())
            assert seq == place.house.seq
            await client.done(TRANSFER, **WISH)

    run(test())


def test_the_parts_of_a_batch_stay_as_they_were(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="25")
            order = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "20000"}
            sizes = [{**order, "size": "0.001"}, {**order, "size": "0.001"}]
            wish = Captured(
                client, "/api/v2/spot/trade/batch-orders", symbol="BTCUSDT", orderList=sizes
            )
            first = data_of(await wish.send())
            assert (1, 1) == (len(first["successList"]), len(first["failureList"]))
            await fund(place, client)
            seq = place.house.seq
            assert first == data_of(await wish.send())
            assert seq == place.house.seq

    run(test())


def test_at_the_same_time_it_is_done_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            wish = Captured(client, TRANSFER, **WISH)
            answers = await asyncio.gather(*(wish.send() for _ in range(8)))
            assert 1 == len({data_of(answer)["transferId"] for answer in answers})
            left = await client.read("/api/v2/spot/account/assets")
            assert "90" == left[0]["available"]

    run(test())


def test_what_passes_by_itself_may_be_tried_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            wish = Captured(client, TRANSFER, **WISH)
            place.house.overloaded = True
            assert "429" == fault_in(await wish.send())[0]
            place.house.overloaded = False
            data_of(await wish.send())

    run(test())


def test_what_the_engine_has_forgotten_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "REPLIES_KEPT", 5)

    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="100")
            wish = Captured(client, TRANSFER, **WISH)
            first = data_of(await wish.send())
            for _ in range(4):
                await client.done(TRANSFER, **WISH)
            assert first == data_of(await wish.send())
            await client.done(TRANSFER, **WISH)
            before = place.house.engine.state_hash()
            code, sentence = fault_in(await wish.send())
            assert ("40008", True) == (code, "it was answered before" in sentence)
            assert before == place.house.engine.state_hash()

    run(test())


def test_the_engine_remembers_as_long_as_is_counted_on() -> None:
    assert REPLIES_KEPT < SEGMENT_REPLIES * (SEGMENTS_MAX - 1)


def test_what_cannot_come_again_is_forgotten() -> None:
    async def test() -> None:
        seen = Replays()
        done: list[int] = []

        async def work() -> tuple[object, bool]:
            done.append(1)
            return "answer", True

        async def ask(name: int, signed_ms: int, now_ms: int) -> object:
            return await seen.once(b"%d" % name, signed_ms, now_ms, lambda: 0, work)

        start = 1_750_000_000_000
        for name in range(10):
            await ask(name, start + WINDOW_MS, start)
        assert (10, 10) == (len(seen), len(done))
        # Signed half a minute ahead, they are fresh for a minute.
        await ask(0, start + WINDOW_MS, start + 2 * WINDOW_MS)
        assert (10, 10) == (len(seen), len(done))
        await ask(10, start + 3 * WINDOW_MS, start + 2 * WINDOW_MS + 2_000)
        assert (1, 11) == (len(seen), len(done))

    run(test())


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    """Beyond it nothing is done; and cancels find room where trading finds none any more."""

    async def test() -> None:
        limits = RateLimits(signed_max=20)
        async with street(tmp_path, limits=limits) as place:
            assert not place.house.context.replays.is_short()
            client = await place.client(USDT="1000")
            order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
            order |= {"price": "18000", "size": "0.001"}
            path = "/api/v2/spot/trade/place-order"
            wishes = [Captured(client, path, **order)]
            # Each by another user, whose limit nobody shares.
            others = [await place.client(USDT="100") for _ in range(17)]
            wishes += [Captured(each, path, **order) for each in others]
            placed = [data_of(await wish.send())["orderId"] for wish in wishes]
            assert place.house.context.replays.is_short()
            seq = place.house.seq
            assert "429" == fault_in(await Captured(client, path, **order).send())[0]
            assert seq == place.house.seq
            # One that came before is answered as before, and cancels are done.
            assert placed[0] == data_of(await wishes[0].send())["orderId"]
            cancel = "/api/v2/spot/trade/cancel-order"
            await client.done(cancel, symbol="BTCUSDT", orderId=placed[0])
            assert "43001" == (await client.refused(cancel, symbol="BTCUSDT", orderId="1"))[0]
            told = await client.refused(cancel, symbol="BTCUSDT", orderId="2")
            assert ("429", True) == (told[0], "signed requests as are remembered" in told[1])
            # A minute later nothing of it can come again.
            place.house.gateway_ms += 2 * WINDOW_MS + 2_000
            assert not place.house.context.replays.is_short()
            assert 0 == len(place.house.context.replays)

    run(test())


def test_long_answers_count_as_several() -> None:
    async def test() -> None:
        seen = Replays(seen_max=100)

        async def batch() -> tuple[object, bool]:
            return {"successList": ["x" * 100] * 100}, True

        answers = [await seen.once(b"1", 0, 0, lambda: 0, batch) for _ in range(2)]
        assert msgspec.json.encode(answers[0]) == msgspec.json.encode(answers[1])
        assert seen.is_short() is False
        await seen.once(b"2", 0, 0, lambda: 0, batch)
        assert seen.is_short()
        with pytest.raises(Fault) as refused:
            await seen.once(b"3", 0, 0, lambda: 0, batch)
        assert "429" == refused.value.code

    run(test())


async def fund(place: Street, client: Client) -> None:
    """Credit a user with 100 USDT."""
    await place.house.deposit(client.user, place.house.coin("USDT"), 100 * 10**8)
