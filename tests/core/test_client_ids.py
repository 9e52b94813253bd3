"""Exactly once: client ids and command ids, their memory and its bounds (RULES 10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Command
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.replies import SEGMENT_REPLIES, SEGMENTS_MAX
from lombard.core.state import Reply
from tests.core.world import BTC, BTCUSDT, DAY_MS, ETHUSDT, USDT, World

Answer = tuple[Refusal | None, int, int, int]


def answer(reply: Reply) -> Answer:
    return (reply.refusal, reply.id, reply.units, reply.remaining)


def order(**changes: int | str) -> c.PlaceOrder:
    """Return an order with a client id; any of its fields may be another."""
    fields: dict[str, int | str] = {
        "pair": BTCUSDT,
        "side": c.BUY,
        "kind": c.LIMIT,
        "force": c.GTC,
        "loan_type": c.NORMAL,
        "stp": c.STP_NONE,
        "price_ticks": 1_900_000,
        "size_steps": 1000,
        "quote_units": 0,
        "client_oid": "mine",
        "source": c.SOURCE_API,
    }
    fields |= changes
    return c.PlaceOrder(**fields)  # type: ignore[arg-type]


def debtor(world: World) -> int:
    account = world.crossed(USDT="1000", BTC="1")
    world.borrow(account, "USDT", "100")
    return account


def spot_of(account: int) -> int:
    return c.account_id(c.user_of(account), c.SLOT_SPOT)


def each_kind(account: int) -> list[Command]:
    """Return a command of each kind that takes a client id."""
    return [
        order(),
        c.Borrow(USDT, 10**8, "mine"),
        c.Repay(USDT, 10**8, "mine"),
        c.Transfer(spot_of(account), USDT, 10**8, "mine"),
    ]


@pytest.mark.parametrize("kind", range(4))
def test_the_same_content_gets_the_same_answer_and_is_done_once(kind: int) -> None:
    world = World()
    account = debtor(world)
    cmd = each_kind(account)[kind]
    first = world.ok(account, cmd)
    after = world.engine.state_hash()

    again = world.ok(account, cmd)

    assert answer(first) == answer(again)
    assert after == world.engine.state_hash()
    assert [] == world.events


def test_a_replacement_is_done_once_too() -> None:
    world = World()
    account = debtor(world)
    first = world.ok(account, order(client_oid="")).id
    cmd = c.ReplaceOrder(BTCUSDT, first, "", 1_900_100, 1000, "mine")
    reply = world.ok(account, cmd)

    # The order it named is gone, and still the answer is the first one.
    assert answer(reply) == answer(world.ok(account, cmd))
    assert [reply.id] == [row.id for row in q.open_orders(world.state, account)]
    other = c.ReplaceOrder(BTCUSDT, reply.id, "", 1_900_100, 1000, "mine")
    assert Refusal.CLIENT_OID_REUSED == world.refused(account, other).refusal
    assert Refusal.CLIENT_OID_REUSED == world.refused(account, order(price_ticks=1)).refusal


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (0, order(pair=ETHUSDT)),
        (0, order(side=c.SELL)),
        (0, order(force=c.IOC)),
        (0, order(loan_type=c.AUTO_LOAN)),
        (0, order(stp=c.STP_CANCEL_TAKER)),
        (0, order(price_ticks=1_900_001)),
        (0, order(size_steps=1001)),
        (0, order(kind=c.MARKET, price_ticks=0, size_steps=0, quote_units=10**9)),
        (1, c.Borrow(USDT, 10**8 + 1, "mine")),
        (1, c.Borrow(BTC, 10**8, "mine")),
        (2, c.Repay(USDT, 10**8 + 1, "mine")),
        (2, c.Repay(BTC, 10**8, "mine")),
        (3, c.Transfer(0, USDT, 10**8, "mine")),
        (3, c.Transfer(0, BTC, 10**8, "mine")),
    ],
)
def test_other_content_is_refused_and_the_first_is_named(kind: int, other: Command) -> None:
    world = World()
    account = debtor(world)
    first = world.ok(account, each_kind(account)[kind])

    reply = world.refused(account, other)

    expected = (Refusal.CLIENT_OID_REUSED, first.id, "mine")
    assert expected == (reply.refusal, reply.id, reply.detail)


def test_where_an_order_came_from_is_not_its_content() -> None:
    world = World()
    account = debtor(world)
    first = world.ok(account, order())

    assert first.id == world.ok(account, order(source=c.SOURCE_WEB)).id


def test_accounts_and_kinds_of_command_have_ids_of_their_own() -> None:
    world = World()
    account, other = debtor(world), debtor(world)

    ids = [world.ok(account, cmd).id for cmd in each_kind(account)]
    ids += [world.ok(other, cmd).id for cmd in each_kind(other)]

    assert 8 == len(set(ids))


def test_refusals_are_not_remembered() -> None:
    world = World()
    account = world.crossed(USDT="10")
    assert Refusal.INSUFFICIENT_BALANCE == world.refused(account, order()).refusal

    world.fund(account, "USDT", "90")

    # The same id may be tried again, also with other content.
    world.ok(account, order(size_steps=999))


def test_an_id_lives_as_long_as_the_venue_says_whatever_became_of_it() -> None:
    world = World()
    account = debtor(world)
    first = world.ok(account, order())
    world.ok(account, c.CancelOrder(BTCUSDT, first.id, ""))
    until = world.time_ms + DAY_MS

    assert first.id == world.ok(account, order(), at=until - 1).id
    assert [] == q.open_orders(world.state, account)
    again = world.ok(account, order(), at=until)
    assert first.id < again.id
    assert [again.id] == [row.id for row in q.open_orders(world.state, account)]


def test_the_time_to_live_is_measured_from_the_first_use() -> None:
    world = World()
    world.parameter("client_oid_ttl_ms", 1000)
    account = debtor(world)
    start = world.time_ms
    first = world.ok(account, order())

    assert first.id == world.ok(account, order(), at=start + 999).id
    assert first.id != world.ok(account, order(), at=start + 1000).id


def test_the_memory_is_bounded_and_the_oldest_are_forgotten_first() -> None:
    world = World()
    world.parameter("client_oids_max", 3)
    account = debtor(world)
    ids = {name: world.ok(account, c.Borrow(USDT, 10, name)).id for name in "abcd"}

    assert ["b/b", "b/c", "b/d"] == list(world.state.accounts[account].client_oids)
    for name in "bcd":
        assert ids[name] == world.ok(account, c.Borrow(USDT, 10, name)).id
    assert ids["d"] < world.ok(account, c.Borrow(USDT, 10, "a")).id
    # A smaller memory is made so with the next command that is remembered.
    world.parameter("client_oids_max", 1)
    world.ok(account, c.Borrow(USDT, 10, "e"))
    assert ["b/e"] == list(world.state.accounts[account].client_oids)


def test_what_is_too_old_does_not_stay_in_memory() -> None:
    world = World()
    account = debtor(world)
    for number in range(50):
        world.ok(account, c.Borrow(USDT, 10, str(number)))

    world.ok(account, c.Borrow(USDT, 10, "new"), at=world.time_ms + DAY_MS)

    assert ["b/new"] == list(world.state.accounts[account].client_oids)


def restarted(world: World) -> World:
    """Return a world that goes on from a snapshot of another."""
    twin = World(catalogue=False)
    twin.engine = Engine.restore(list(world.engine.snapshot_lines()))
    twin.log, twin.time_ms, twin.shadow = list(world.log), world.time_ms, dict(world.shadow)
    return twin


@pytest.mark.parametrize("kind", range(4))
def test_ids_survive_a_restart(kind: int) -> None:
    world = World()
    account = debtor(world)
    cmd = each_kind(account)[kind]
    first = world.ok(account, cmd)
    twin = restarted(world)

    assert answer(first) == answer(twin.ok(account, cmd))
    assert world.engine.state_hash() == twin.engine.state_hash()


def test_other_content_is_refused_after_a_restart_too() -> None:
    world = World()
    account = debtor(world)
    first = world.ok(account, c.Borrow(USDT, 10**8, "mine"))
    twin = restarted(world)

    reply = twin.refused(account, c.Borrow(USDT, 10**8 + 1, "mine"))

    assert (Refusal.CLIENT_OID_REUSED, first.id) == (reply.refusal, reply.id)


def test_what_is_forgotten_next_survives_a_restart() -> None:
    world = World()
    world.parameter("client_oids_max", 3)
    account = debtor(world)
    for name in "zya":
        world.ok(account, c.Borrow(USDT, 10, name))
    twin = restarted(world)

    for venue in (world, twin):
        venue.ok(account, c.Borrow(USDT, 10, "b"))

    assert world.engine.state_hash() == twin.engine.state_hash()
    assert ["b/y", "b/a", "b/b"] == list(twin.state.accounts[account].client_oids)


def test_an_open_order_is_found_by_its_client_id() -> None:
    world = World()
    account = debtor(world)
    placed = world.ok(account, order()).id

    found = q.order_by_client_oid(world.state, account, BTCUSDT, "mine")
    assert found is not None
    assert placed == found.id
    assert q.order_by_client_oid(world.state, account, ETHUSDT, "mine") is None
    assert placed == world.ok(account, c.CancelOrder(BTCUSDT, 0, "mine")).id
    assert q.order_by_client_oid(world.state, account, BTCUSDT, "mine") is None


# --- command ids -------------------------------------------------------------------------------


def test_a_repeated_command_is_answered_and_not_done_again() -> None:
    world = World()
    account = debtor(world)
    cmd = c.Borrow(USDT, 10**8, "")
    first = world.do(account, cmd, command_id=b"0123456789abcdef")
    after = world.engine.state_hash()

    again = world.do(account, cmd, command_id=b"0123456789abcdef")

    assert answer(first) == answer(again)
    assert after == world.engine.state_hash()
    assert first.id < world.do(account, cmd, command_id=b"0123456789abcdeF").id
    assert first.id < world.do(account, cmd).id


def test_a_repeated_command_lets_time_pass_all_the_same() -> None:
    world = World()
    account = debtor(world)
    cmd = c.Borrow(USDT, 10**8, "")
    first = world.do(account, cmd, command_id=b"x" * 16)

    again = world.do(account, cmd, at="05:00", command_id=b"x" * 16)

    assert first.id == again.id
    assert 5 == len(world.events)
    assert world.time_ms == world.engine.time_ms


def test_a_refused_command_may_be_tried_again_under_its_id() -> None:
    world = World()
    account = world.crossed(USDT="1")
    cmd = order(client_oid="")
    assert Refusal.INSUFFICIENT_BALANCE == world.do(account, cmd, command_id=b"y" * 16).refusal

    world.fund(account, "USDT", "99")

    assert world.do(account, cmd, command_id=b"y" * 16).refusal is None


def test_command_ids_survive_a_restart() -> None:
    world = World()
    account = debtor(world)
    cmd = c.Repay(USDT, 10**8, "")
    first = world.do(account, cmd, command_id=b"\x00\xff" * 8)
    twin = restarted(world)

    assert answer(first) == answer(twin.do(account, cmd, command_id=b"\x00\xff" * 8))
    assert world.engine.state_hash() == twin.engine.state_hash()


def test_the_memory_of_command_ids_is_bounded() -> None:
    world = World(audit=False)
    account = world.crossed(USDT="1")
    replies = world.engine.state.replies
    kept = SEGMENT_REPLIES * (SEGMENTS_MAX - 1)
    last = kept + 3 * SEGMENT_REPLIES + 1
    for number in range(last + 1):
        world.do(account, c.CancelAllOrders(BTCUSDT), command_id=number.to_bytes(16, "big"))

    assert SEGMENTS_MAX == len(replies.segments)
    assert kept <= sum(len(segment.ids) for segment in replies.segments)
    for number, known in [(last, True), (last - kept + 1, True), (0, False)]:
        command_id = number.to_bytes(16, "big")
        assert known == (replies.find(command_id, c.stamp_of(command_id)) is not None)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 3), st.booleans()),
        max_size=120,
    ),
    st.integers(0, 120),
)
def test_a_command_is_done_once_whatever_its_stamps(
    asked: list[tuple[int, int, int, bool]], restart_at: int
) -> None:
    """Ids are found again in whatever order their stamps come, across a restart too."""
    world = World()
    accounts = [world.crossed(USDT="1000") for _ in range(3)]
    first: dict[tuple[int, int, int], Answer] = {}
    for step, (who, stamp, entry, fits) in enumerate(asked):
        if step == restart_at:
            world = restarted(world)
        account = accounts[who]
        command_id = stamp.to_bytes(8, "big") + bytes([entry, who]) * 4
        known = first.get((who, stamp, entry))
        # Of a repeated id the content is not looked at: the answer is the first.
        cmd = c.Transfer(account - 1, USDT, 1 if fits else 10**12, "")
        reply = world.do(account, cmd, command_id=command_id)
        if known is not None:
            assert known == answer(reply)
        elif fits:
            assert reply.refusal is None
            first[who, stamp, entry] = answer(reply)
        else:
            assert Refusal.INSUFFICIENT_BALANCE == reply.refusal
