"""Any numbers in any field: a command is done or refused, and the books still balance.

The gateway sends what clients write. Nothing they write may stop the venue: no exception leaves
`Engine.apply`, whatever the integers, and reads answer afterwards.
"""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Command, account_id
from lombard.core.engine import Engine
from lombard.sim.traffic import Traffic
from tests.core.laws import Watched
from tests.core.world import COINS, PAIRS

BIG = st.sampled_from([10**8, 10**12, 10**18, 2**62, 2**63, 2**64, 10**30, 10**30 + 1, 10**40])
NUMBERS = st.one_of(st.integers(-2, 8), st.integers(0, 10**6), BIG, BIG.map(lambda n: -n))
SMALL = st.one_of(st.integers(0, 3), st.integers(-1, 9))
COIN = st.one_of(st.integers(0, 5), NUMBERS)
OIDS = st.sampled_from(["", "", "x", "y", "é" * 3, "x" * 200])
FLAGS = st.booleans()
RATES = st.one_of(st.integers(0, 10**6), NUMBERS)
NAMES = st.sampled_from([*(coin[0] for coin in COINS), "NEW", "", "low", "TOOLONG" * 9, "É"])
SYMBOLS = st.sampled_from([*(pair[0] + pair[1] for pair in PAIRS), "NEWPAIR", "", "A B"])


def rows(*columns: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, ...]]]:
    """Draw a short list of rows."""
    return st.lists(st.tuples(*columns), max_size=3)


USERS_COMMANDS = [
    st.builds(
        c.PlaceOrder, COIN, SMALL, SMALL, SMALL, SMALL, SMALL, NUMBERS, NUMBERS, NUMBERS, OIDS,
        SMALL,
    ),
    st.builds(c.ReplaceOrder, COIN, NUMBERS, OIDS, NUMBERS, NUMBERS, OIDS),
    st.builds(c.CancelOrder, COIN, NUMBERS, OIDS),
    st.builds(c.CancelAllOrders, COIN),
    st.builds(c.Borrow, COIN, NUMBERS, OIDS),
    st.builds(c.Repay, COIN, NUMBERS, OIDS),
    st.builds(c.SetLeverage, NUMBERS),
    st.builds(c.Transfer, NUMBERS, COIN, NUMBERS, OIDS),
    st.builds(c.Deposit, COIN, NUMBERS),
    st.builds(c.ClaimCoupon, NUMBERS),
    st.builds(
        c.PlaceTrigger, COIN, SMALL, SMALL, NUMBERS, NUMBERS, SMALL, SMALL, SMALL, SMALL, SMALL,
        NUMBERS, NUMBERS, NUMBERS, OIDS, SMALL,
    ),
    st.builds(c.ModifyTrigger, NUMBERS, OIDS, NUMBERS, SMALL, NUMBERS, NUMBERS, NUMBERS),
    st.builds(c.CancelTrigger, NUMBERS, OIDS),
    st.builds(c.CancelAllTriggers, st.lists(COIN, max_size=3)),
    st.builds(c.CancelEverything, st.lists(COIN, max_size=3)),
    st.builds(
        c.PlaceWithExits, COIN, SMALL, SMALL, SMALL, SMALL, SMALL, NUMBERS, NUMBERS, NUMBERS, SMALL,
        NUMBERS, NUMBERS, NUMBERS, NUMBERS, OIDS, SMALL,
    ),
    st.builds(
        c.PlaceOco, COIN, SMALL, SMALL, SMALL, NUMBERS, NUMBERS, SMALL, NUMBERS, NUMBERS, OIDS,
        SMALL,
    ),
]  # fmt: skip
# Users there are, the venue's own funds, and nobody.
WHOSE = st.one_of(st.sampled_from([0, 1_000_001, 1_000_002]), NUMBERS)
VENUE_COMMANDS = [
    st.builds(c.SetIndexPrices, rows(COIN, NUMBERS, SMALL, NUMBERS, NUMBERS)),
    st.builds(c.SetRate, COIN, NUMBERS),
    st.builds(c.SetRateModel, COIN, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds(
        c.CreateCampaign,
        NAMES,
        NUMBERS,
        st.lists(st.tuples(COIN, NUMBERS), max_size=3),
        *[NUMBERS] * 5,
        st.booleans(),
        NAMES,
    ),
    st.builds(c.GrantCoupons, NUMBERS, st.lists(NUMBERS, max_size=3)),
    st.builds(c.EnterDraw, NUMBERS, st.lists(NUMBERS, max_size=3)),
    st.builds(c.DrawCoupons, NUMBERS, NAMES),
    st.builds(c.SetUserLevel, NUMBERS, NUMBERS),
    st.builds(c.SetVipLevels, rows(RATES, RATES)),
    st.builds(c.FundPool, COIN, NUMBERS),
    st.builds(c.FundInsurance, COIN, NUMBERS),
    st.builds(c.ContinueLiquidation, NUMBERS),
    st.builds(c.MoveFunds, SMALL, WHOSE, COIN, NUMBERS),
    st.builds(c.ProposeMove, SMALL, WHOSE, COIN, NUMBERS),
    st.builds(c.ApproveMove, NUMBERS),
    st.builds(c.RejectMove, NUMBERS),
    st.builds(c.FreezeAccount, WHOSE, SMALL, FLAGS),
    st.builds(c.RestrictCoin, COIN, FLAGS, FLAGS),
    st.builds(c.SealAudit, NUMBERS, st.sampled_from(["", "ab" * 32, "AB" * 32, "x" * 64])),
    st.builds(c.Upgrade, NUMBERS),
    st.builds(c.FireTriggers),
    st.builds(c.SetParameter, st.sampled_from(["band_e6", "system_band_e6", "nothing"]), RATES),
    st.builds(
        c.SetCoin, NAMES, SMALL, rows(NUMBERS, RATES), rows(NUMBERS, SMALL, RATES), NUMBERS,
        NUMBERS, FLAGS, FLAGS,
    ),
    st.builds(
        c.SetPair, SYMBOLS, COIN, COIN, NUMBERS, NUMBERS, RATES, RATES, NUMBERS, NUMBERS, NUMBERS,
        NUMBERS, rows(NUMBERS, NUMBERS, SMALL, RATES), RATES, FLAGS, FLAGS,
    ),
]  # fmt: skip
WHO = st.one_of(st.integers(0, 7), st.just(c.VENUE), NUMBERS)
ASKED = st.one_of(
    st.tuples(st.just(True), st.integers(0, 7), st.one_of(USERS_COMMANDS)),
    st.tuples(st.just(True), st.just(0), st.one_of(VENUE_COMMANDS)),
    st.tuples(st.just(False), NUMBERS, st.one_of([*USERS_COMMANDS, *VENUE_COMMANDS])),
)


def busy() -> Watched:
    """Make a venue in which something of everything stands."""
    world = Watched(hash_every=2)
    traffic = Traffic(world, Random(5), users=2)
    for _ in range(150):
        account, cmd = traffic.next()
        world.do(account, cmd, traffic.next_ms())
    return world


LINES = list(busy().engine.snapshot_lines())


@given(asked=st.lists(ASKED, min_size=1, max_size=12))
@settings(max_examples=4 * settings().max_examples)
def test_no_numbers_stop_the_venue(asked: list[tuple[bool, int, Command]]) -> None:
    engine = Engine.restore(LINES)
    accounts = [c.VENUE, *sorted(engine.state.accounts)]
    for known, who, cmd in asked:
        account = accounts[who % len(accounts)] if known else who
        if isinstance(cmd, tuple(VENUE_KINDS)) and known:
            account = c.VENUE
        state = engine.state
        before = engine.state_hash()
        reply, events = engine.apply(c.Envelope(state.seq + 1, state.time_ms, b"", account, cmd))
        engine.check()
        if reply.refusal is not None and not events:
            assert before == engine.state_hash()
    read_all(engine)
    assert list(engine.snapshot_lines()) == list(
        Engine.restore(engine.snapshot_lines()).snapshot_lines()
    )


VENUE_KINDS = [
    c.SetIndexPrices,
    c.SetRate,
    c.SetRateModel,
    c.CreateCampaign,
    c.GrantCoupons,
    c.EnterDraw,
    c.DrawCoupons,
    c.SetUserLevel,
    c.SetVipLevels,
    c.FundPool,
    c.FundInsurance,
    c.ContinueLiquidation,
    c.MoveFunds,
    c.ProposeMove,
    c.ApproveMove,
    c.RejectMove,
    c.FreezeAccount,
    c.RestrictCoin,
    c.SealAudit,
    c.FireTriggers,
    c.Upgrade,
    c.SetParameter,
    c.SetCoin,
    c.SetPair,
]


def read_all(engine: Engine) -> None:
    """Ask what there is to ask; every answer is within its bounds."""
    state = engine.state
    for account in sorted(state.accounts):
        assert 0 <= q.risk(state, account).ratio_e6() <= q.RATIO_INFINITE_E6
        q.pending_interest(state, account)
        for coin in range(len(state.coins)):
            assert q.max_borrowable(state, account, coin).units >= 0
            view = q.balance(state, account, coin)
            assert 0 <= q.max_transferable(state, account, coin) <= view.available_units
        for pair in range(len(state.pairs)):
            isolated = account_id(c.user_of(account), c.SLOT_ISOLATED + pair)
            q.leverage(state, isolated)
            bids, asks = q.depth(state, pair, 10)
            assert all(price > 0 and steps > 0 for price, steps in bids + asks)
