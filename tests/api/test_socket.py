"""The WebSocket's words: logging in, subscribing, permissions, and every error frame."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lombard.api.ratelimit import RateLimits
from lombard.api.signing import is_signed, keyed_with
from lombard.api.socket import limits
from lombard.api.socket.channels import CHANNELS, DEFAULT
from lombard.api.socket.limits import Limits
from lombard.api.socket.order_entry import ENTRIES
from lombard.api.socket.words import SENTENCES
from lombard.identity import ALL_PERMISSIONS, Permission
from tests.api.house import MACHINE_MS, START_MS, Client, Street, run, street
from tests.api.talking import Talk, arg, hub_of, sign_login

TICKER = arg("SPOT", "ticker")
ORDERS = arg("SPOT", "orders")


def error(told: list[Any]) -> tuple[int, str]:
    """Return code and sentence of the one error frame."""
    assert 1 == len(told), told
    assert "error" == told[0]["event"]
    assert isinstance(told[0]["code"], int)
    return told[0]["code"], told[0]["msg"]


def test_the_signature_of_a_login_is_the_references() -> None:
    # Reference §12.1.
    vector = b"B9r5F/+twwfXu14hia1yiGHnse1sUMLffv4lwg8jJWI="

    assert is_signed(
        keyed_with(b"secret"), vector, b"1695636742", b"GET", b"/user/verify", b"", b""
    )
    assert vector.decode() == sign_login("secret", "1695636742")


def test_a_bare_ping_is_answered_with_a_bare_pong(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=False)
            assert ["pong"] == await talk.say(b"ping")

    run(main())


def test_each_argument_is_acknowledged_in_order_in_the_clients_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=False)
            book = arg("SPOT", "books5") | {"extra": "kept"}
            unknown = arg("SPOT", "candleundefined")

            told = await talk.subscribe(TICKER, unknown, book)

            assert {"event": "subscribe", "arg": TICKER} == told[0]
            assert ("snapshot", TICKER) == (told[1]["action"], told[1]["arg"])
            assert isinstance(told[1]["ts"], int)
            assert {
                "event": "error",
                "arg": unknown,
                "code": 30001,
                "msg": "instType:SPOT,channel:candleundefined,instId:BTCUSDT doesn't exist",
            } == told[2]
            assert {"event": "subscribe", "arg": book} == told[3]
            assert arg("SPOT", "books5") == told[4]["arg"]
            told = await talk.say({"op": "unsubscribe", "args": [TICKER, book]})
            assert [
                {"event": "unsubscribe", "arg": TICKER},
                {"event": "unsubscribe", "arg": book},
            ] == told

    run(main())


BAD = [
    (b"{", 30002, False),
    (b"[]", 30002, False),
    (b"\xff", 30002, False),
    (b'{"op":1}', 30002, False),
    (b"[" * 60_000, 30002, False),
    (b'{"op":"watch","args":[]}', 30003, False),
    (b"{}", 30003, False),
    (b'{"op":"subscribe"}', 30016, False),
    (b'{"op":"subscribe","args":{}}', 30016, False),
    (b'{"op":"unsubscribe","args":[]}', 30016, False),
    (b'{"op":"subscribe","args":["%b"]}' % (b"x" * 4096), 30016, False),
    (b'{"op":"subscribe","args":[7]}', 30016, False),
    (b'{"op":"subscribe","args":[{"instType":7}]}', 30016, False),
    (b'{"op":"subscribe","args":[{}]}', 30001, False),
    (b'{"op":"subscribe","args":[{"instType":"SPOT","channel":"books"}]}', 30001, False),
    (
        b'{"op":"subscribe","args":[{"instType":"SPOT","channel":"books","instId":"default"}]}',
        30001,
        False,
    ),
    (
        b'{"op":"subscribe","args":[{"instType":"MARGIN","channel":"index-price","instId":"BTCUSDT"}]}',
        30001,
        False,
    ),
    (b'{"op":"trade","args":[]}', 30004, False),
    (b'{"op":"login","args":[]}', 30005, True),
]


@pytest.mark.parametrize(("text", "code", "ends"), BAD)
def test_what_cannot_be_read_is_said_to_be_so(
    tmp_path: Path, text: bytes, code: int, ends: bool
) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=False)
            found, sentence = error(await talk.say(text))
            assert (code, ends) == (found, talk.closed is not None)
            assert sentence
            if not ends:
                assert ["pong"] == await talk.say(b"ping")

    run(main())


def test_public_channels_are_not_at_the_private_address_nor_private_ones_at_the_public(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            public, private = Talk(place.house, hub, False), Talk(place.house, hub, True)
            for channel in CHANNELS.values():
                wrong = public if channel.private else private
                value = DEFAULT if channel.of_all else "BTCUSDT"
                asked = arg(channel.inst_type, channel.name, value)
                assert 30001 == error(await wrong.subscribe(asked))[0]
            assert 0 == len(hub)

    run(main())


SECOND = MACHINE_MS // 1000
LOGINS = [
    ({"apiKey": "", "timestamp": "x", "sign": "x", "passphrase": "x"}, 30011),
    ({"apiKey": "nobody", "timestamp": "x", "sign": "x", "passphrase": "x"}, 30013),
    ({"apiKey": "nobody", "timestamp": str(SECOND - 31), "sign": "x", "passphrase": "x"}, 30014),
    ({"apiKey": "nobody", "timestamp": str(MACHINE_MS + 30_001), "sign": "x"}, 30014),
    ({"apiKey": "nobody", "sign": "x", "passphrase": "x"}, 30011),
    ({"sign": "x", "passphrase": "x"}, 30015),
    ({"sign": "é", "passphrase": "x"}, 30015),
    ({"passphrase": "x"}, 30012),
    ({"passphrase": "é"}, 30012),
]


@pytest.mark.parametrize(("said", "code"), LOGINS)
def test_a_login_fails_in_this_order_and_ends_the_connection(
    tmp_path: Path, said: dict[str, str], code: int
) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=True)
            told = await talk.login(await place.client(), **said)
            assert code == error(told)[0]
            assert talk.closed is not None
            assert 0 == talk.session.user

    run(main())


@pytest.mark.parametrize("timestamp", [str(SECOND), str(MACHINE_MS), str(SECOND - 30)])
def test_a_login_is_in_seconds_or_milliseconds(tmp_path: Path, timestamp: str) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=True)
            client = await place.client()
            told = await talk.login(client, timestamp=timestamp)
            assert [{"event": "login", "code": 0, "msg": ""}] == told
            assert client.user == talk.session.user
            # One connection is of one user, once.
            assert 30005 == error(await talk.login(client))[0]
            assert talk.closed is not None

    run(main())


PERMISSIONS = (
    Permission(0),
    Permission.READ,
    Permission.TRADE,
    Permission.TRANSFER,
    Permission.READ | Permission.TRANSFER,
    Permission.READ | Permission.TRADE,
    ALL_PERMISSIONS,
    Permission.OPERATOR,
)


@pytest.mark.parametrize("permissions", PERMISSIONS, ids=lambda one: str(int(one)))
def test_every_channel_and_order_asks_for_its_permission(
    tmp_path: Path, permissions: Permission
) -> None:
    reads, trades = bool(permissions & Permission.READ), bool(permissions & Permission.TRADE)

    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            talk = Talk(place.house, hub, private=True)
            for channel in CHANNELS.values():
                if channel.private:
                    asked = arg(channel.inst_type, channel.name, DEFAULT)
                    assert (30004, SENTENCES["30004"]) == error(await talk.subscribe(asked))
            if permissions & Permission.OPERATOR:
                made = (await place.house.directory.create_operator("op@example.org")).key
                client = Client(place.http, made.user, made.key, made.secret, made.passphrase)
            else:
                client = await place.client(permissions, USDT="1000")
            told = await talk.login(client)
            if not (reads or trades):
                assert 30005 == error(told)[0]
                assert talk.closed is not None
                return
            for channel in CHANNELS.values():
                if channel.private:
                    told = await talk.subscribe(arg(channel.inst_type, channel.name, DEFAULT))
                    if reads:
                        assert "subscribe" == told[0]["event"]
                    else:
                        assert 25620 == error(told)[0]
            before = len(place.house.commands)
            for inst_type, name in ENTRIES:
                answer = await talk.trade(inst_type, name, "BTCUSDT")
                assert (answer["code"] == 40014) == (not trades)
            assert before == len(place.house.commands)

    run(main())


def test_a_key_that_was_taken_back_ends_its_orders(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), private=True)
            client = await place.client(USDT="1000")
            await talk.login(client)
            assert not talk.session.is_revoked()
            del place.house.directory._keys[client.key]

            assert talk.session.is_revoked()
            entry = {"instType": "SPOT", "channel": "place-order", "instId": "BTCUSDT"}
            assert 30011 == error(await talk.say({"op": "trade", "args": [entry]}))[0]
            assert talk.closed is not None

    run(main())


def test_messages_and_subscribes_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with street(tmp_path, RateLimits()) as place:
            hub = hub_of(place.house)
            talk = Talk(place.house, hub, private=False)
            told: list[Any] = []
            while talk.closed is None:
                told += await talk.say(b"ping")
                assert len(told) < 1000
            assert 30007 == told[-1]["code"]
            assert told.count("pong") >= limits.MESSAGES_PER_SECOND

            monkeypatch.setattr(limits, "SUBSCRIBES_PER_HOUR", 2)
            monkeypatch.setattr(limits, "MESSAGES_PER_SECOND", 1000)
            talk = Talk(place.house, hub, private=False)
            assert "subscribe" == (await talk.subscribe(TICKER))[0]["event"]
            assert "subscribe" == (await talk.subscribe(TICKER))[0]["event"]
            assert 30006 == error(await talk.subscribe(TICKER))[0]
            assert talk.closed is None

    run(main())


def test_a_connection_has_so_many_channels(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            talk = Talk(place.house, hub_of(place.house), False, Limits(channels=2))
            asked = [arg("SPOT", name) for name in ("books", "books1", "books5")]
            told = await talk.subscribe(*asked)
            assert 30006 == told[-1]["code"]
            # One that is there already may begin again, and one that is gone makes room.
            assert "subscribe" == (await talk.subscribe(asked[0]))[0]["event"]
            await talk.say({"op": "unsubscribe", "args": [asked[0]]})
            assert "subscribe" == (await talk.subscribe(asked[2]))[0]["event"]

    run(main())


def test_who_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            public, private = Talk(place.house, hub, False), Talk(place.house, hub, True)
            client = await place.client(USDT="1000")
            await private.login(client)
            for channel in CHANNELS.values():
                talk = private if channel.private else public
                value = DEFAULT if channel.of_all else "BTCUSDT"
                told = await talk.subscribe(arg(channel.inst_type, channel.name, value))
                assert "subscribe" == told[0]["event"], told
            assert len(CHANNELS) == len(hub)
            public.close(1000, "")
            private.close(1000, "")
            assert 0 == len(hub)
            assert ({}, []) == (hub._of_user, hub._of_index)
            assert not any(hub._of_pair.values())

    run(main())


ROUND = (
    ("POST", "/api/v2/spot/trade/place-order", {"size": "0.01", "force": "gtc"}),
    (
        "POST",
        "/api/v2/margin/crossed/place-order",
        {"baseSize": "0.01", "loanType": "autoLoan", "force": "gtc"},
    ),
)


async def _do_everything(place: Street, user: Any, price: str) -> None:
    """Use every kind of account."""
    for path, more in (
        ("crossed_margin", {}),
        ("isolated_margin", {"symbol": "BTCUSDT"}),
    ):
        await user.done(
            "/api/v2/spot/wallet/transfer",
            fromType="spot",
            toType=path,
            coin="USDT",
            amount="1000",
            **more,
        )
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "price": price}
    for _, path, more in ROUND:
        await user.done(path, **order, **more)
    isolated = ROUND[1][1].replace("crossed", "isolated")
    await user.done(isolated, **order, **ROUND[1][2])
    plan = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "planType": "total"}
    plan |= {"size": "10", "triggerPrice": "15000", "triggerType": "mark_price"}
    await user.done("/api/v2/spot/trade/place-plan-order", **plan)
    for mode in ("crossed", "isolated"):
        path = f"/lombard/v1/margin/{mode}/place-plan-order"
        await user.done(path, loanType="normal", **plan)
    campaign = {
        "name": "May",
        "discountRate": "1",
        "caps": [{"coin": "USDT", "amount": "10"}],
        "durationHours": "1",
        "claimUntil": str(START_MS + 60_000),
        "access": "named",
    }
    sandbox = "/lombard/v1/sandbox"
    made = await place.http.post(f"{sandbox}/coupon-campaigns", json=campaign)
    grant = {"campaignId": made.json()["data"]["campaignId"], "userIds": [str(user.user)]}
    await place.http.post(f"{sandbox}/coupon-grants", json=grant)


def test_nobody_hears_of_anothers_affairs(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            hub = hub_of(place.house)
            users = [await place.client(USDT="10000", BTC="1") for _ in range(2)]
            talks = [Talk(place.house, hub, private=True) for _ in users]
            mine = [channel for channel in CHANNELS.values() if channel.private]
            for talk, user in zip(talks, users, strict=True):
                await talk.login(user)
                for channel in mine:
                    await talk.subscribe(arg(channel.inst_type, channel.name, DEFAULT))
            heard = [len(talk.told) for talk in talks]

            await _do_everything(place, users[0], "19000")
            stranger = await place.client(BTC="1")
            order = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.01"}
            await stranger.done("/api/v2/spot/trade/place-order", **order)
            for talk in talks:
                await talk.settled()
                # A push that would come later still has its time.
                await asyncio.sleep(0.05)

            assert heard[1] == len(talks[1].told)
            for channel in mine:
                assert talks[0].pushes(channel.name, heard[0]), channel.name
            assert START_MS <= talks[0].told[-1]["ts"]

    run(main())
