"""Operators' movements and restrictions: refusals in order, effects, proposals (RULES 2.4, 7.9)."""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import ledger
from lombard.core import queries as q
from lombard.core import reason_queries as why
from lombard.core.commands import Command, account_id, operator_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.treasury import PROPOSALS_MAX
from lombard.core.units import VALUE_MAX
from tests.core.world import BTC, BTCUSDT, DAY_MS, USDT, World

ANN, BEN = operator_id(7), operator_id(8)
USER = 1_000_001
NOBODY = 77
ONE = 10**8


def world_with_user() -> World:
    world = World()
    assert USER == world.user(USDT="100", BTC="1")
    return world


def test_an_operator_asks_as_the_venue() -> None:
    assert c.is_venue(c.VENUE)
    assert c.is_venue(ANN)
    assert 7 == c.user_of(ANN)
    assert not c.is_venue(account_id(7, c.SLOT_SPOT))
    # What no user id can make.
    assert not c.is_venue(-1)
    assert Refusal.ACCOUNT_UNKNOWN == World().refused(-1, c.Tick()).refusal
    World().ok(ANN, c.SetParameter("notice_ms", DAY_MS))


@pytest.mark.parametrize("make", [c.MoveFunds, c.ProposeMove])
@pytest.mark.parametrize(
    ("kind", "user", "coin", "units", "refusal"),
    [
        # Each row is wrong in every later way too.
        (-1, NOBODY, 99, 0, Refusal.CONFIGURATION_INVALID),
        (8, NOBODY, 99, 0, Refusal.CONFIGURATION_INVALID),
        (c.MOVE_DEPOSIT, NOBODY, 99, 0, Refusal.USER_UNKNOWN),
        (c.MOVE_WITHDRAWAL, 0, 99, 0, Refusal.USER_UNKNOWN),
        (c.MOVE_WITHDRAWAL, -1, 99, 0, Refusal.USER_UNKNOWN),
        (c.MOVE_FUND_POOL, USER, 99, 0, Refusal.CONFIGURATION_INVALID),
        (c.MOVE_TAKE_FEES, 0, 99, 0, Refusal.COIN_UNKNOWN),
        (c.MOVE_DEPOSIT, USER, -1, 0, Refusal.COIN_UNKNOWN),
        (c.MOVE_WITHDRAWAL, USER, USDT, 0, Refusal.AMOUNT_NOT_POSITIVE),
        (c.MOVE_WITHDRAW_POOL, 0, USDT, -1, Refusal.AMOUNT_NOT_POSITIVE),
        (c.MOVE_WITHDRAWAL, USER, USDT, VALUE_MAX + 1, Refusal.AMOUNT_TOO_LARGE),
        (c.MOVE_FUND_POOL, 0, USDT, VALUE_MAX + 1, Refusal.AMOUNT_TOO_LARGE),
        (c.MOVE_WITHDRAWAL, USER, USDT, 100 * ONE + 1, Refusal.INSUFFICIENT_BALANCE),
        (c.MOVE_TAKE_INTEREST, 0, USDT, 1, Refusal.INSUFFICIENT_BALANCE),
        (c.MOVE_TAKE_FEES, 0, USDT, 1, Refusal.INSUFFICIENT_BALANCE),
    ],
)
def test_a_movement_is_refused_in_this_order(
    make: type[c.MoveFunds] | type[c.ProposeMove],
    kind: int,
    user: int,
    coin: int,
    units: int,
    refusal: Refusal,
) -> None:
    world = world_with_user()

    assert refusal == world.refused(ANN, make(kind, user, coin, units)).refusal


def test_a_withdrawal_needs_a_coin_that_moves_and_an_account_that_may() -> None:
    world = world_with_user()
    world.ok(ANN, c.RestrictCoin(USDT, True, False))
    # It is wrong in every later way too.
    take = c.MoveFunds(c.MOVE_WITHDRAWAL, USER, USDT, 0)
    assert Refusal.NOT_TRANSFERABLE == world.refused(ANN, take).refusal
    world.ok(ANN, c.FreezeAccount(USER, c.SLOT_SPOT, True))
    assert Refusal.ACCOUNT_FROZEN == world.refused(ANN, take).refusal

    # What comes in is never stopped.
    world.ok(ANN, c.MoveFunds(c.MOVE_DEPOSIT, USER, USDT, 5))
    assert 100 * ONE + 5 == world.available(account_id(USER, c.SLOT_SPOT), "USDT")


def test_only_what_is_available_leaves() -> None:
    world = world_with_user()
    spot = account_id(USER, c.SLOT_SPOT)
    world.buy(spot, "BTCUSDT", "0.001", "20000")
    take = c.MoveFunds(c.MOVE_WITHDRAWAL, USER, USDT, 80 * ONE + 1)
    reply = world.refused(ANN, take)
    assert (Refusal.INSUFFICIENT_BALANCE, 80 * ONE) == (reply.refusal, reply.units)

    reply = world.ok(ANN, c.MoveFunds(c.MOVE_WITHDRAWAL, USER, USDT, 80 * ONE))

    assert 0 == world.available(spot, "USDT")
    gone = world.of_type(e.Withdrawn)[0]
    assert (reply.id, spot, USDT, 80 * ONE) == (
        gone.withdrawal_id,
        gone.account,
        gone.coin,
        gone.units,
    )


def test_a_pool_gives_what_is_idle_and_the_rate_follows() -> None:
    world = World()
    account = world.crossed(BTC="10")
    world.rate("USDT", "0")
    world.borrow(account, "USDT", "1000")
    coin = world.coin("USDT")
    idle, supplied = coin.pool_units, coin.supplied_units

    reply = world.refused(ANN, c.MoveFunds(c.MOVE_WITHDRAW_POOL, 0, USDT, idle + 1))
    assert (Refusal.INSUFFICIENT_BALANCE, idle) == (reply.refusal, reply.units)
    world.ok(ANN, c.MoveFunds(c.MOVE_WITHDRAW_POOL, 0, USDT, idle))

    assert (0, supplied - idle) == (coin.pool_units, coin.supplied_units)
    assert 10**6 == q.utilisation_e6(world.state, USDT)
    world.ok(c.VENUE, c.SetRateModel(USDT, 0, 10**6, 10**9, 10**9, 0))
    # An hour at full utilisation, and the hour after it has the rate of that.
    world.tick("1 02:00")
    world.tick("1 03:00")
    assert 10**9 == q.daily_rate_e12(world.state, USDT)
    one = world.refused(account, c.Borrow(USDT, ONE, ""))
    assert Refusal.BORROW_OVER_POOL == one.refusal


def test_funds_fees_and_interest_are_taken_to_the_last_unit() -> None:
    world = World()
    maker = world.spot(BTC="1")
    taker = world.crossed(USDT="10000")
    world.sell(maker, "BTCUSDT", "0.5", "20000")
    world.ok(taker, world.order("BTCUSDT", c.BUY, "0.1", "20000"))
    world.borrow(taker, "USDT", "100")
    world.repay(taker, "USDT", "1000")
    usdt, btc = world.coin("USDT"), world.coin("BTC")
    assert usdt.interest_units > 0
    assert btc.fee_units > 0

    for kind, coin, units in (
        (c.MOVE_TAKE_INTEREST, usdt, usdt.interest_units),
        (c.MOVE_TAKE_FEES, btc, btc.fee_units),
        (c.MOVE_WITHDRAW_INSURANCE, usdt, usdt.insurance_units),
    ):
        before = coin.external_units
        assert world.refused(ANN, c.MoveFunds(kind, 0, coin.id, units + 1)).units == units
        assert units == world.ok(ANN, c.MoveFunds(kind, 0, coin.id, units)).units
        assert before + units == coin.external_units
    assert (0, 0, 0) == (usdt.interest_units, btc.fee_units, usdt.insurance_units)


@pytest.mark.parametrize(
    ("kind", "event"),
    [(c.MOVE_FUND_POOL, e.PoolFunded), (c.MOVE_FUND_INSURANCE, e.InsuranceFunded)],
)
def test_funding_is_as_by_the_older_commands(kind: int, event: type[e.Event]) -> None:
    one, other = World(), World()

    one.ok(ANN, c.MoveFunds(kind, 0, BTC, 5))
    older = c.FundPool if kind == c.MOVE_FUND_POOL else c.FundInsurance
    other.ok(c.VENUE, older(BTC, 5))

    assert [event] == [type(made) for made in one.events]
    assert one.engine.state_hash() == other.engine.state_hash()


# --- two operators --------------------------------------------------------------------------------


def test_a_proposal_moves_nothing_until_another_approves() -> None:
    world = world_with_user()
    spot = account_id(USER, c.SLOT_SPOT)
    asked = world.ok(ANN, c.ProposeMove(c.MOVE_WITHDRAWAL, USER, USDT, 30 * ONE)).id
    assert 100 * ONE == world.available(spot, "USDT")
    waiting = q.proposals(world.state)
    assert [(asked, 7, USER, 30 * ONE)] == [(p.id, p.operator, p.user, p.units) for p in waiting]

    # Each is wrong in every later way too.
    assert Refusal.PROPOSAL_UNKNOWN == world.refused(ANN, c.ApproveMove(asked + 1)).refusal
    assert Refusal.OWN_PROPOSAL == world.refused(ANN, c.ApproveMove(asked)).refusal
    world.ok(BEN, c.ApproveMove(asked))

    assert [e.MoveDecided, e.Withdrawn] == [type(event) for event in world.events]
    assert 70 * ONE == world.available(spot, "USDT")
    assert [] == q.proposals(world.state)
    assert Refusal.PROPOSAL_UNKNOWN == world.refused(BEN, c.ApproveMove(asked)).refusal
    assert Refusal.PROPOSAL_UNKNOWN == world.refused(BEN, c.RejectMove(asked)).refusal


def test_an_approval_is_decided_on_what_is_there_then() -> None:
    world = world_with_user()
    asked = world.ok(ANN, c.ProposeMove(c.MOVE_WITHDRAWAL, USER, USDT, 100 * ONE)).id
    to = account_id(USER, c.SLOT_CROSSED)
    world.ok(account_id(USER, c.SLOT_SPOT), c.Transfer(to, USDT, 1, ""))

    reply = world.refused(BEN, c.ApproveMove(asked))

    assert (Refusal.INSUFFICIENT_BALANCE, 100 * ONE - 1) == (reply.refusal, reply.units)
    # It waits still, and its own proposer may take it back.
    world.ok(ANN, c.RejectMove(asked))
    assert [] == q.proposals(world.state)


def test_an_approval_sent_again_is_answered_as_the_first_time() -> None:
    world = world_with_user()
    asked = world.ok(ANN, c.ProposeMove(c.MOVE_DEPOSIT, USER, USDT, 5)).id
    command_id = b"\x01" * 16

    first = world.do(BEN, c.ApproveMove(asked), command_id=command_id)
    again = world.do(BEN, c.ApproveMove(asked), command_id=command_id)

    assert (first.refusal, first.id, first.units) == (None, again.id, again.units)
    assert [] == world.events
    assert 100 * ONE + 5 == world.available(account_id(USER, c.SLOT_SPOT), "USDT")


def test_so_many_proposals_wait_and_no_more() -> None:
    world = world_with_user()
    world.audit = False
    for _ in range(PROPOSALS_MAX):
        world.ok(ANN, c.ProposeMove(c.MOVE_FUND_POOL, 0, USDT, 1))

    reply = world.refused(ANN, c.ProposeMove(c.MOVE_FUND_POOL, 0, USDT, 1))

    assert (Refusal.TOO_MANY_PROPOSALS, PROPOSALS_MAX) == (reply.refusal, reply.units)


def test_proposals_and_freezes_are_in_the_snapshot() -> None:
    world = world_with_user()
    plain = world.engine.state_hash()
    assert not [line for line in world.engine.snapshot_lines() if "frozen" in line]
    asked = world.ok(ANN, c.ProposeMove(c.MOVE_DEPOSIT, USER, USDT, 5)).id
    world.ok(ANN, c.FreezeAccount(USER, c.ALL_SLOTS, True))
    lines = list(world.engine.snapshot_lines())

    back = Engine.restore(lines)

    assert lines == list(back.snapshot_lines())
    assert [asked] == [made.id for made in q.proposals(back.state)]
    assert q.is_frozen(back.state, account_id(USER, c.SLOT_SPOT))
    assert plain != world.engine.state_hash()


# --- restrictions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cmd", "refusal"),
    [
        (c.FreezeAccount(NOBODY, 99, True), Refusal.USER_UNKNOWN),
        (c.FreezeAccount(USER, 99, True), Refusal.ACCOUNT_UNKNOWN),
        (c.FreezeAccount(USER, -2, True), Refusal.ACCOUNT_UNKNOWN),
        (c.FreezeAccount(USER, c.SLOT_ISOLATED, True), Refusal.ACCOUNT_UNKNOWN),
        (c.FreezeAccount(USER, c.SLOT_OPERATOR, True), Refusal.ACCOUNT_UNKNOWN),
        (c.RestrictCoin(99, False, False), Refusal.COIN_UNKNOWN),
        (c.RestrictCoin(-1, False, False), Refusal.COIN_UNKNOWN),
    ],
)
def test_a_restriction_is_refused(cmd: Command, refusal: Refusal) -> None:
    assert refusal == world_with_user().refused(ANN, cmd).refusal


def test_what_a_frozen_account_may_not_do() -> None:
    world = World()
    account = world.crossed(USDT="1000", BTC="1")
    user = c.user_of(account)
    world.borrow(account, "USDT", "100")
    order = world.buy(account, "BTCUSDT", "0.001", "19500")
    world.ok(ANN, c.FreezeAccount(user, c.SLOT_CROSSED, True))
    assert [order] == [event.order_id for event in world.of_type(e.OrderClosed)]
    spot = account_id(user, c.SLOT_SPOT)

    for cmd in (
        world.order("BTCUSDT", c.BUY, "0.001", "19500"),
        c.Borrow(USDT, 0, ""),
        c.Transfer(spot, USDT, 1, ""),
        c.ClosePosition(BTCUSDT, False, "", c.SOURCE_API),
        c.FlashRepay(USDT),
        c.PlaceTrigger(
            BTCUSDT, c.PLAN_TRIGGER, c.PRICE_INDEX, 1_900_000, 0, c.SELL, c.MARKET, 0, 0, 0,
            0, 1_000, 0, "", c.SOURCE_API,
        ),
    ):  # fmt: skip
        assert Refusal.ACCOUNT_FROZEN == world.refused(account, cmd).refusal, cmd
    assert 0 == q.max_borrowable(world.state, account, USDT).units
    assert 0 == q.max_transferable(world.state, account, USDT)
    for told in (
        why.explain_borrow(world.state, account, USDT),
        why.explain_transfer(world.state, account, USDT),
    ):
        assert told.blocked is not None
        assert Refusal.ACCOUNT_FROZEN == told.blocked.refusal
    # The user's other accounts are as they were.
    world.fund(spot, "USDT", "10")


def test_what_a_frozen_account_may_do() -> None:
    world = World()
    account = world.crossed(USDT="1000")
    world.borrow(account, "USDT", "100")
    world.ok(ANN, c.FreezeAccount(c.user_of(account), c.SLOT_CROSSED, True))

    world.fund(account, "USDT", "5")
    world.repay(account, "USDT", "50")
    world.ok(account, c.CancelAllOrders(BTCUSDT))
    # Frozen again changes nothing; let go, it borrows.
    assert 0 == world.ok(ANN, c.FreezeAccount(c.user_of(account), c.SLOT_CROSSED, True)).units
    assert 2 == len(world.state.users[c.user_of(account)].accounts)
    reply = world.ok(ANN, c.FreezeAccount(c.user_of(account), c.ALL_SLOTS, False))
    assert 1 == reply.units
    world.borrow(account, "USDT", "50")


def test_a_frozen_accounts_trigger_fails_when_it_fires() -> None:
    world = World()
    account = world.spot(BTC="1")
    world.ok(
        account,
        c.PlaceTrigger(
            BTCUSDT, c.PLAN_TRIGGER, c.PRICE_INDEX, 1_900_000, 0, c.SELL, c.MARKET, 0, 0, 0,
            0, 1_000, 0, "", c.SOURCE_API,
        ),
    )  # fmt: skip
    world.ok(ANN, c.FreezeAccount(c.user_of(account), c.ALL_SLOTS, True))

    world.price("BTC", "18000")

    assert ["account_frozen"] == [event.refusal for event in world.of_type(e.TriggerFailed)]


def test_a_frozen_account_is_liquidated_as_any_other() -> None:
    hashes = []
    for frozen in (True, False):
        world = World()
        maker = world.spot(BTC="10", USDT="1000000")
        world.sell(maker, "BTCUSDT", "5", "20000")
        account = world.crossed(USDT="10000")
        world.ok(account, world.order("BTCUSDT", c.BUY, quote="20000", loan_type=c.AUTO_LOAN))
        user = c.user_of(account)
        world.ok(ANN, c.FreezeAccount(user, c.SLOT_CROSSED, frozen))
        world.buy(maker, "BTCUSDT", "5", "9900")
        world.price("BTC", "10000")
        assert 1 == len(world.of_type(e.LiquidationStarted))
        world.liquidate()
        world.ok(ANN, c.FreezeAccount(user, c.SLOT_CROSSED, False))
        hashes.append(world.engine.state_hash())

    assert hashes[0] == hashes[1]


def test_a_coin_is_not_lent_and_not_moved_for_a_while() -> None:
    world = World()
    account = world.crossed(BTC="1")
    spot = account_id(c.user_of(account), c.SLOT_SPOT)
    world.parameter("notice_ms", DAY_MS)
    world.ok(ANN, c.RestrictCoin(BTC, False, False))
    assert Refusal.NOT_BORROWABLE == world.refused(account, c.Borrow(BTC, ONE, "")).refusal
    back = c.Transfer(spot, BTC, 1, "")
    assert Refusal.NOT_TRANSFERABLE == world.refused(account, back).refusal

    world.ok(ANN, c.RestrictCoin(BTC, True, True))

    world.ok(account, back)
    world.borrow(account, "BTC", "0.01")


def test_what_is_delisted_is_not_lent_again() -> None:
    world = World()
    now = world.engine.time_ms
    world.ok(ANN, c.AnnounceDelisting(BTC, -1, now + DAY_MS, now + 2 * DAY_MS))

    assert (
        Refusal.CONFIGURATION_INVALID == world.refused(ANN, c.RestrictCoin(BTC, True, True)).refusal
    )
    world.ok(ANN, c.RestrictCoin(BTC, False, False))


@pytest.mark.parametrize(
    "cmd",
    [
        c.MoveFunds(c.MOVE_DEPOSIT, USER, USDT, 1),
        c.ProposeMove(c.MOVE_DEPOSIT, USER, USDT, 1),
        c.ApproveMove(1),
        c.RejectMove(1),
        c.FreezeAccount(USER, 0, True),
        c.RestrictCoin(USDT, True, True),
    ],
    ids=lambda cmd: type(cmd).__name__,
)
def test_no_user_gives_an_operators_command(cmd: Command) -> None:
    world = world_with_user()

    for slot in (c.SLOT_SPOT, c.SLOT_CROSSED):
        assert Refusal.COMMAND_UNKNOWN == world.refused(account_id(USER, slot), cmd).refusal


def test_the_systems_accounts_keep_their_numbers() -> None:
    # `VenueWithdrew.source` is one of them, and is in the log's events for ever.
    assert (2, 4, 5, 6) == (ledger.POOL, ledger.FEE, ledger.INTEREST, ledger.INSURANCE)
