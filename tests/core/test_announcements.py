"""Announced changes and delisting: said first, held from their hour on (RULES 8.7)."""

from random import Random
from typing import Any

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.commands import Command
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.core.state import Announcement
from lombard.core.units import HOUR_MS
from lombard.sim import operating
from lombard.sim.faults import Asked
from lombard.sim.traffic import Traffic
from tests.core.laws import show
from tests.core.test_safe_bands import LEVERAGED, long, short, without_interest
from tests.core.world import (
    BTC,
    BTCUSDT,
    ETH,
    ETHUSDT,
    START_MS,
    USDT,
    World,
    clock,
    coin_terms,
    pair_terms,
)

DAY_MS = 24 * HOUR_MS
TEN_MINUTES_MS = 600_000
TIERS = [(26 * 10**8, 3, 100_000)]


def btc_terms(ratio_e6: int, at_ms: int, **changes: Any) -> c.AnnounceCoinTerms:
    """Announce a collateral ratio of BTC, and other terms as they are."""
    terms: dict[str, Any] = {"cross_tiers": TIERS, "user_limit_units": 26 * 10**8, **changes}
    return c.AnnounceCoinTerms(
        BTC, [(0, ratio_e6)], terms["cross_tiers"], terms["user_limit_units"], at_ms
    )


def locked(world: World, account: int) -> bool:
    return world.state.accounts[account].liquidation is not None


# --- announced terms ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio_e6", "call", "locks"),
    [
        # 1 BTC at 20 000, 10 000 owed, K = 1000. The new N is 2000, 1250, 1200, 1000.
        (600_000, [], False),
        (562_500, [800_000], False),
        (560_000, [833_334], False),
        (550_000, [1_000_000], True),
    ],
)
def test_calls_go_out_at_announcement_and_terms_hold_at_their_time(
    ratio_e6: int, call: list[int], locks: bool
) -> None:
    world = without_interest()
    account = long(world)
    at_ms = world.time_ms + 90_000

    change = world.ok(c.VENUE, btc_terms(ratio_e6, at_ms)).id

    said = world.of_type(e.ChangeAnnounced)
    assert [(change, "coin", "BTC", at_ms)] == [
        (row.announcement_id, row.kind, row.what, row.effective_ms) for row in said
    ]
    calls = [(row.account, row.ratio_e6) for row in world.of_type(e.MarginCalled)]
    assert [(account, ratio) for ratio in call] == calls
    world.tick(at_ms - 1)
    assert [] == world.events
    assert [(0, 10**6)] == world.coin("BTC").collateral_steps
    assert not locked(world, account)

    world.tick(at_ms)

    (made,) = world.of_type(e.AnnouncedChangeMade)
    assert (change, "coin", "BTC", at_ms, "") == (
        made.announcement_id,
        made.kind,
        made.what,
        made.effective_ms,
        made.problem,
    )
    assert [(0, ratio_e6)] == world.coin("BTC").collateral_steps
    assert locks == locked(world, account)
    assert (bool(call) and not locks) == bool(world.of_type(e.MarginCalled))
    assert [] == world.state.announcements


def test_a_change_is_made_at_its_own_moment_however_late_the_next_command_is() -> None:
    world = without_interest()
    account = long(world)
    at_ms = clock("02:30")
    world.ok(c.VENUE, btc_terms(550_000, at_ms))

    world.ok(world.spot(), c.Deposit(USDT, 1), at="05:00")

    order = [type(event) for event in world.history if not isinstance(event, e.UserAdded)]
    order = order[order.index(e.ChangeAnnounced) :]
    hours = order.index(e.AnnouncedChangeMade)
    assert [e.HourTurned] == [kind for kind in order[:hours] if kind is e.HourTurned]
    assert hours < order.index(e.LiquidationStarted)
    assert 3 == order[hours:].count(e.HourTurned)
    liquidation = world.state.accounts[account].liquidation
    assert liquidation is not None
    assert at_ms == liquidation.started_ms


def test_the_change_of_an_hour_comes_after_the_hours_turn() -> None:
    """RULES 3.1: first the hour, then what is due in it."""
    world = without_interest()
    world.ok(c.VENUE, btc_terms(550_000, clock("02:00")))

    world.tick("02:00")

    assert [e.HourTurned, e.VenueChanged, e.AnnouncedChangeMade] == [
        type(event) for event in world.events
    ]


@pytest.mark.parametrize("at", ["01:30", "02:00"], ids=["within the hour", "as it turns"])
@pytest.mark.parametrize("repeated", [True, False])
def test_triggers_hear_of_a_change_though_the_command_is_a_repeated_one(
    at: str, repeated: bool
) -> None:
    world = without_interest()
    account = long(world)
    payer = world.spot(USDT="9")
    deposit, again = c.Deposit(USDT, 5), b"12345678abcdefgh"
    paid = world.do(payer, deposit, command_id=again)
    stop = c.PlaceTrigger(BTCUSDT, 0, 1, 10**6, 0, c.SELL, c.MARKET, 0, 0, 0, 0, 1_000, 0, "", 0)
    trigger = world.ok(account, stop).id
    world.ok(c.VENUE, btc_terms(550_000, clock(at)))

    reply = world.do(payer, deposit, at, again if repeated else b"")

    assert repeated == (show(paid) == show(reply))
    assert locked(world, account)
    gone = [(row.trigger_id, row.reason) for row in world.of_type(e.TriggerCancelled)]
    assert [(trigger, e.TRIGGER_BY_LIQUIDATION)] == gone
    twin = Engine()
    for envelope in world.log:
        twin.apply(envelope)
    assert world.engine.state_hash() == twin.state_hash()


def test_changes_are_made_in_the_order_of_their_times() -> None:
    world = without_interest()
    start = world.time_ms
    for ratio_e6, after_ms in [(700_000, 3000), (900_000, 1000), (800_000, 3000), (600_000, 2000)]:
        world.ok(c.VENUE, btc_terms(ratio_e6, start + after_ms))
    lines = list(world.engine.snapshot_lines())
    world.engine = Engine.restore(lines)
    assert lines == list(world.engine.snapshot_lines())
    assert [900_000, 600_000, 700_000, 800_000] == [
        change.collateral_steps[0][1] for change in world.state.announcements
    ]

    for after_ms, ratio_e6 in [(999, 10**6), (1000, 900_000), (2500, 600_000), (3000, 800_000)]:
        world.tick(start + after_ms)
        assert [(0, ratio_e6)] == world.coin("BTC").collateral_steps


def test_isolated_tiers_are_announced_too() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", BTC="0.5")
    world.borrow(account, "USDT", "9000")
    crossed = long(world)
    # 1 BTC for 9000 owed when it has bought; MMR 0.05. At 0.09, K = 810 of N = 1000 - 0.
    other = world.spot(BTC="1")
    world.ok(other, world.order("BTCUSDT", c.SELL, "0.45", "20000"))
    world.ok(account, world.order("BTCUSDT", c.BUY, "0.45", "20000"))
    world.price("BTC", "10527")
    world.history.clear()
    # N = 0.95 x 10527 - 9000 = 1000.65; K = 450, at 0.09 810: 0.80947...
    tiers = [(26 * 10**8, 300_000 * 10**8, 5, 90_000)]

    world.ok(c.VENUE, c.AnnouncePairTerms(BTCUSDT, tiers, world.time_ms + 5))

    assert [(account, 809_474)] == [
        (row.account, row.ratio_e6) for row in world.of_type(e.MarginCalled)
    ]
    assert not locked(world, crossed) or world.state.accounts[crossed].called
    world.tick(world.time_ms + 5)
    assert tiers == world.pair("BTCUSDT").isolated_tiers
    assert [account] == [row.account for row in world.of_type(e.MarginCalled)]


def test_what_was_announced_and_is_impossible_by_then_says_so() -> None:
    world = without_interest()
    tiers = [(26 * 10**8, 3, 50_000)]
    at_ms = world.time_ms + 1000
    world.ok(c.VENUE, btc_terms(10**6, at_ms, cross_tiers=tiers))
    # With a band of 5 % a slice improves nobody at an MMR of 0.05, nor do the isolated pairs.
    for symbol in ("BTCUSDT", "ETHUSDT", "BTCUSDC", "DOGEUSDT"):
        pair = world.pair(symbol)
        raised = [(*row[:2], 3, 100_000) for row in pair.isolated_tiers]
        world.ok(c.VENUE, pair_terms(pair, isolated_tiers=raised))
    world.parameter("system_band_e6", 50_000)

    world.tick(at_ms)

    (made,) = world.of_type(e.AnnouncedChangeMade)
    assert "a liquidation slice would not improve the account" == made.problem
    assert [(26 * 10**8, 3, 100_000)] == world.coin("BTC").cross_tiers
    world.check()


def test_an_announcement_may_be_withdrawn() -> None:
    world = without_interest()
    change = world.ok(c.VENUE, btc_terms(550_000, world.time_ms + 1000)).id

    world.ok(c.VENUE, c.WithdrawAnnouncement(change))

    assert [change] == [row.announcement_id for row in world.of_type(e.AnnouncementWithdrawn)]
    world.tick(world.time_ms + 5000)
    assert [] == world.events
    assert [(0, 10**6)] == world.coin("BTC").collateral_steps
    assert Refusal.CONFIGURATION_INVALID is world.refusal(c.VENUE, c.WithdrawAnnouncement(change))


LATER = START_MS + DAY_MS


@pytest.mark.parametrize(
    ("cmd", "refusal", "detail"),
    [
        # Each row is wrong in every later way too.
        (c.AnnounceCoinTerms(6, [], [], -1, 0), Refusal.COIN_UNKNOWN, ""),
        (
            c.AnnounceCoinTerms(BTC, [], [], -1, START_MS),
            Refusal.CONFIGURATION_INVALID,
            "effective time",
        ),
        (
            c.AnnounceCoinTerms(BTC, [], [], -1, LATER),
            Refusal.CONFIGURATION_INVALID,
            "collateral steps",
        ),
        (
            c.AnnounceCoinTerms(BTC, [(0, 1)], [(5, 9, 400_000)], -1, LATER),
            Refusal.CONFIGURATION_INVALID,
            "(leverage - 1) x maintenance margin rate exceeds 0.5",
        ),
        (
            c.AnnounceCoinTerms(BTC, [(0, 1)], TIERS, -1, LATER),
            Refusal.CONFIGURATION_INVALID,
            "limits",
        ),
        (c.AnnouncePairTerms(5, [], 0), Refusal.PAIR_UNKNOWN, ""),
        (c.AnnouncePairTerms(0, [], 2**62), Refusal.CONFIGURATION_INVALID, "effective time"),
        (
            c.AnnouncePairTerms(0, [], LATER),
            Refusal.CONFIGURATION_INVALID,
            "isolated margin cannot vanish",
        ),
        (
            c.AnnounceDelisting(6, 5, 0, 0),
            Refusal.CONFIGURATION_INVALID,
            "one of coin and pair",
        ),
        (c.AnnounceDelisting(6, -1, 0, 0), Refusal.COIN_UNKNOWN, ""),
        (c.AnnounceDelisting(-2, 5, 0, 0), Refusal.COIN_UNKNOWN, ""),
        (c.AnnounceDelisting(-1, 5, 0, 0), Refusal.PAIR_UNKNOWN, ""),
        (c.AnnounceDelisting(ETH, -1, LATER, 0), Refusal.CONFIGURATION_INVALID, "effective time"),
        (
            c.AnnounceDelisting(ETH, -1, LATER, LATER - 1),
            Refusal.CONFIGURATION_INVALID,
            "repayment comes after reduce-only",
        ),
        (c.WithdrawAnnouncement(5), Refusal.CONFIGURATION_INVALID, "no such announcement"),
    ],
)
def test_an_announcement_is_refused_in_this_order(
    cmd: Command, refusal: Refusal, detail: str
) -> None:
    world = World()

    reply = world.refused(c.VENUE, cmd)

    assert (refusal, detail) == (reply.refusal, reply.detail)


# --- notice ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, False),
        ({"ratio": "1"}, False),
        ({"ratio": "0.94"}, True),
        ({"user_limit": "399"}, True),
        ({"user_limit": "401"}, False),
        ({"mmr_e6": 100_001}, True),
        ({"mmr_e6": 99_999}, False),
    ],
)
def test_with_a_notice_what_raises_risk_must_be_announced(
    changes: dict[str, Any], needs: bool
) -> None:
    world = World()
    world.parameter("notice_ms", DAY_MS)
    terms = coin_terms("ETH", 8, **{"ratio": "0.95", "user_limit": "400", **changes})

    reply = world.do(c.VENUE, terms)

    if needs:
        assert (Refusal.NOTICE_TOO_SHORT, DAY_MS) == (reply.refusal, reply.units)
        cmd = c.AnnounceCoinTerms(
            ETH,
            terms.collateral_steps,
            terms.cross_tiers,
            terms.user_limit_units,
            world.time_ms + DAY_MS - 1,
        )
        assert "effective time" == world.refused(c.VENUE, cmd).detail
    else:
        assert reply.refusal is None


def test_steps_and_tiers_are_compared_amount_by_amount() -> None:
    world = World()
    coin = world.coin("ETH")
    stepped = c.SetCoin(
        "ETH", 8, [(10, 950_000), (0, 900_000)], [(5, 3, 100_000), (40_000_000_000, 2, 150_000)],
        coin.user_limit_units, 1, True, True,
    )  # fmt: skip
    world.ok(c.VENUE, stepped)
    world.parameter("notice_ms", DAY_MS)
    for steps, tiers, needs in [
        (stepped.collateral_steps, stepped.cross_tiers, False),
        ([(11, 950_000), (0, 900_000)], stepped.cross_tiers, False),
        ([(9, 950_000), (0, 900_000)], stepped.cross_tiers, True),
        ([(0, 949_999)], stepped.cross_tiers, True),
        (stepped.collateral_steps, [(40_000_000_000, 2, 100_000)], True),
        (stepped.collateral_steps, [(6, 3, 100_000), (40_000_000_000, 2, 150_000)], False),
        (stepped.collateral_steps, [(5, 3, 100_000), (39_999_999_999, 2, 150_000)], True),
        (stepped.collateral_steps, [(40_000_000_000, 3, 100_001)], True),
    ]:
        world.engine = Engine.restore(world.engine.snapshot_lines())
        cmd = c.SetCoin("ETH", 8, steps, tiers, coin.user_limit_units, 1, True, True)
        twin = Engine.restore(world.engine.snapshot_lines())
        reply, _ = twin.apply(c.Envelope(twin.state.seq + 1, world.time_ms, b"", c.VENUE, cmd))
        assert needs == (reply.refusal is Refusal.NOTICE_TOO_SHORT), (steps, tiers)


def test_a_pairs_notice_is_of_both_its_sides() -> None:
    world = World()
    world.parameter("notice_ms", DAY_MS)
    pair = world.pair("BTCUSDT")
    ((base, quote, leverage, mmr_e6),) = pair.isolated_tiers
    for tier, needs in [
        ((base, quote, leverage, mmr_e6), False),
        ((base + 1, quote, leverage, mmr_e6), False),
        ((base - 1, quote, leverage, mmr_e6), True),
        ((base, quote - 1, leverage, mmr_e6), True),
        ((base, quote, leverage - 1, mmr_e6), True),
        ((base, quote, leverage, mmr_e6 + 1), True),
    ]:
        twin = Engine.restore(world.engine.snapshot_lines())
        cmd = pair_terms(pair, isolated_tiers=[tier])
        reply, _ = twin.apply(c.Envelope(twin.state.seq + 1, world.time_ms, b"", c.VENUE, cmd))
        assert needs == (reply.refusal is Refusal.NOTICE_TOO_SHORT), tier


# --- delisting ---------------------------------------------------------------------------------


def delisting(world: World, coin: int, pair: int) -> int:
    """Announce a delisting: reduce-only in an hour, repayment in two."""
    now_ms = world.time_ms
    return world.ok(
        c.VENUE, c.AnnounceDelisting(coin, pair, now_ms + HOUR_MS, now_ms + 2 * HOUR_MS)
    ).id


def test_nothing_of_a_delisted_coin_is_lent_and_then_only_reduced() -> None:
    world = without_interest()
    account = short(world)
    rich = world.crossed(USDT="50000", BTC="1")
    resting = world.buy(rich, "BTCUSDT", "0.01", "19500")
    spot = world.spot(USDT="50000")

    delisting(world, BTC, -1)

    assert Refusal.NOT_BORROWABLE is world.refusal(rich, c.Borrow(BTC, 10**6, ""))
    world.ok(rich, c.Borrow(USDT, 10**8, ""))
    world.ok(c.VENUE, coin_terms("BTC", 8, "1", "26"))
    assert not world.coin("BTC").borrowable
    world.tick(world.time_ms + HOUR_MS)
    assert [resting] == [
        row.order_id for row in world.of_type(e.OrderClosed) if row.reason == e.CLOSED_BY_VENUE
    ]
    # 0.5 owed: 0.5005005 with the fee of others' pairs, here none: to a step.
    world.sell(world.spot(BTC="3"), "BTCUSDT", "2", "20000")
    for who, order, refusal in [
        (rich, world.order("BTCUSDT", c.BUY, "0.1", "20000"), Refusal.REDUCE_ONLY),
        (rich, world.order("BTCUSDT", c.SELL, "0.1", "20500"), None),
        (account, world.order("BTCUSDT", c.BUY, "0.500001", "20000"), Refusal.REDUCE_ONLY),
        (account, world.order("BTCUSDT", c.BUY, quote="10600"), Refusal.REDUCE_ONLY),
        (
            account,
            world.order("BTCUSDT", c.BUY, "0.1", "20000", loan_type=c.AUTO_LOAN),
            Refusal.REDUCE_ONLY,
        ),
        (account, world.order("BTCUSDT", c.BUY, "0.5", "20000", loan_type=c.AUTO_REPAY), None),
        (spot, world.order("BTCUSDT", c.BUY, "0.1", "20000"), None),
        (rich, world.order("ETHUSDT", c.BUY, "0.1", "1500"), None),
    ]:
        assert refusal is world.refusal(who, order), show(order)
    assert world.state.accounts[account].debts == 0


def test_what_is_still_owed_is_repaid_by_system_orders_without_a_fee() -> None:
    world = without_interest()
    account = short(world)
    other = long(world)
    delisting(world, BTC, -1)
    world.sell(world.spot(BTC="3"), "BTCUSDT", "2", "20100")
    start = world.time_ms
    world.tick(start + 2 * HOUR_MS - 1)
    assert not locked(world, account)

    world.tick(start + 2 * HOUR_MS)

    (begun,) = world.of_type(e.LiquidationStarted)
    # 0.5 x 20000 x 0.1 of 20000 - 10000.
    assert (account, 100_000) == (begun.account, begun.ratio_e6)
    assert Refusal.IN_LIQUIDATION is world.refusal(account, world.order("BTCUSDT", c.BUY, "1", "9"))
    events = world.liquidate()
    (repaid,) = [row for row in events if isinstance(row, e.Repaid)]
    assert (BTC, 50_000_000, e.REPAY_FORCED) == (repaid.coin, repaid.principal_units, repaid.kind)
    (trade,) = [row for row in events if isinstance(row, e.Traded)]
    # As if bought at the band's edge and less the fee of others' pairs: 10 000 / (1 - 0.021).
    assert 1_021_450 * 10**6 // 2_010_000 == trade.size_steps
    assert [] == [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    assert 0 == world.state.accounts[account].debts
    assert not locked(world, account)
    assert not locked(world, other)
    assert 1 == world.state.accounts[other].debts


def test_what_no_order_repays_the_fund_takes_over_at_index() -> None:
    world = without_interest()
    account = short(world)
    before = world.coin("BTC").insurance_units
    delisting(world, BTC, -1)
    world.tick(world.time_ms + 2 * HOUR_MS)
    assert ["wait"] == [
        row.action for row in world.liquidate() if isinstance(row, e.LiquidationStepped)
    ]

    world.tick(world.time_ms + TEN_MINUTES_MS)
    events = world.liquidate()

    (took,) = [row for row in events if isinstance(row, e.FundTook)]
    (paid,) = [row for row in events if isinstance(row, e.FundPaid)]
    assert (USDT, world.units("USDT", "10000")) == (took.coin, took.units)
    assert (BTC, 50_000_000) == (paid.coin, paid.units)
    assert before - 50_000_000 == world.coin("BTC").insurance_units
    assert world.units("USDT", "10000") == world.available(account, "USDT")
    assert not locked(world, account)


def test_a_pairs_isolated_accounts_repay_both_sides_and_crossed_ones_go_on() -> None:
    world = without_interest()
    crossed = long(world)
    isolated = world.isolated("BTCUSDT", BTC="0.5", USDT="5000")
    world.borrow(isolated, "USDT", "2000")
    world.borrow(isolated, "BTC", "0.1")
    elsewhere = world.isolated("ETHUSDT", ETH="5")
    world.borrow(elsewhere, "USDT", "2000")
    delisting(world, -1, BTCUSDT)
    assert Refusal.NOT_BORROWABLE is world.refusal(isolated, c.Borrow(USDT, 10**8, ""))
    loan = world.order("BTCUSDT", c.BUY, quote="8000", loan_type=c.AUTO_LOAN)
    assert Refusal.NOT_BORROWABLE is world.refusal(isolated, loan)
    world.ok(crossed, c.Borrow(USDT, 10**8, ""))

    world.tick(world.time_ms + HOUR_MS)
    world.sell(world.spot(BTC="3"), "BTCUSDT", "2", "20000")
    assert Refusal.REDUCE_ONLY is world.refusal(
        isolated, world.order("BTCUSDT", c.BUY, "0.2", "20000")
    )
    world.ok(crossed, world.order("BTCUSDT", c.SELL, "0.001", "20500"))
    world.tick(world.time_ms + HOUR_MS)
    world.liquidate()

    assert 0 == world.state.accounts[isolated].debts
    assert (1, 1) == (world.state.accounts[crossed].debts, world.state.accounts[elsewhere].debts)
    assert world.units("USDT", "5000") == world.available(isolated, "USDT")


def test_a_forced_repayment_that_falls_below_the_line_is_a_liquidation() -> None:
    world = without_interest()
    account = short(world)
    delisting(world, BTC, -1)
    world.tick(world.time_ms + 2 * HOUR_MS)
    world.liquidate()
    world.price("BTC", "37000")
    world.sell(world.spot(BTC="3"), "BTCUSDT", "2", "37000")

    events = world.liquidate()

    # The fee falls due; and the rest of the debt, then above its line, is repaid by force.
    assert [row for row in events if isinstance(row, e.LiquidationFeePaid)]
    kinds = [row.kind for row in events if isinstance(row, e.Repaid)]
    assert e.REPAY_LIQUIDATION == kinds[0]
    assert 0 == world.state.accounts[account].debts
    assert not locked(world, account)


def test_a_withdrawn_delisting_ends_where_it_is() -> None:
    world = without_interest()
    change = delisting(world, BTC, -1)
    world.ok(c.VENUE, c.WithdrawAnnouncement(change))
    assert 0 == world.coin("BTC").delisting
    world.ok(c.VENUE, coin_terms("BTC", 8, "1", "26"))
    assert world.coin("BTC").borrowable

    change = delisting(world, BTC, -1)
    assert (
        "it is being delisted"
        == world.refused(
            c.VENUE, c.AnnounceDelisting(BTC, -1, world.time_ms + 1, world.time_ms + 1)
        ).detail
    )
    world.tick(world.time_ms + HOUR_MS)
    world.ok(c.VENUE, c.WithdrawAnnouncement(change))
    assert 2 == world.coin("BTC").delisting
    world.tick(world.time_ms + HOUR_MS)
    assert 2 == world.coin("BTC").delisting


# --- all of it, at random ----------------------------------------------------------------------


class Announcing(Traffic):
    """Traffic in which changes are announced, made and withdrawn."""

    def next(self) -> Asked:
        if self.random.randrange(40):
            return super().next()
        r = self.random
        soon = self.world.engine.time_ms + r.randrange(1, 20_000)
        later = soon + r.randrange(2_000_000)
        account, terms = operating.coin_terms(self)
        assert isinstance(terms, c.SetCoin)
        coin = self.world.state.coin_ids[terms.name]
        announced: list[Announcement] = self.world.state.announcements
        changes: list[Command] = [
            c.AnnounceCoinTerms(
                coin, terms.collateral_steps, terms.cross_tiers, terms.user_limit_units, soon
            ),
            c.AnnouncePairTerms(BTCUSDT, [(26 * 10**8, 10**13, 4, 80_000)], later),
            c.AnnounceDelisting(ETH, -1, soon, later),
            c.AnnounceDelisting(-1, r.choice([BTCUSDT, ETHUSDT]), soon, later),
            c.AnnounceDelisting(-1, BTCUSDT, later, soon),
            c.WithdrawAnnouncement(r.choice(announced).id if announced else 1),
        ]
        return account, r.choice(changes)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("weights", [None, LEVERAGED], ids=["usual", "leveraged"])
def test_books_balance_whatever_is_announced(seed: int, weights: dict[str, int] | None) -> None:
    world = World()
    traffic = Announcing(world, Random(seed), weights=weights)
    for _ in range(400):
        account, cmd = traffic.next()
        before = world.engine.state_hash()
        at_ms = max(traffic.next_ms(), world.engine.time_ms)
        moved = at_ms >= min(world.state.next_change_ms, world.state.next_hour_ms)
        reply = world.do(account, cmd, at_ms)
        if reply.refusal is not None and not world.events and not moved:
            assert before == world.engine.state_hash(), show(cmd)
        for debtor in world.state.indebted.values():
            pair = debtor.pair
            stage = max(b.coin.delisting for b in debtor.balances if b.principal_units)
            stage = max(stage, 0 if pair is None else pair.delisting)
            assert stage < 3 or debtor.liquidation is not None
    twin = Engine.restore(world.engine.snapshot_lines())
    assert twin.state_hash() == world.engine.state_hash()
    replay = Engine()
    for envelope in world.log:
        replay.apply(envelope)
    assert replay.state_hash() == world.engine.state_hash()
