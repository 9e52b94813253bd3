"""Coupons: interest with them = interest without − what they saved, to the unit (RULES 9.3)."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import account_id
from lombard.core.engine import Engine
from lombard.core.refusals import Refusal
from lombard.sim.coupons import HOUR_MS, Key, NaiveCoupon, NaiveWallet
from lombard.sim.loan import Loan
from tests.core.strategies import RATES
from tests.core.world import START_MS, World

MORE = settings(max_examples=3 * settings().max_examples)
EXACT, CEIL_EACH_CHARGE = 0, 1
USDT, GOLD, SILVER = range(3)
DISCOUNTS = [10**6, 400_000]
# The debts there may be: of the crossed account, and of the isolated one.
PLACES = [(0, USDT), (0, SILVER), (1, USDT)]


@dataclass
class NaiveUser:
    """A user's debts and claimed coupons, kept beside an engine that has no other user."""

    ceil_each: bool
    debts: dict[Key, Loan] = field(default_factory=dict)
    wallet: NaiveWallet = field(default_factory=NaiveWallet)

    def turn(self, hour_ms: int, rates: dict[int, int]) -> None:
        """Charge every debt a full hour."""
        owed = {key: debt.principal for key, debt in self.debts.items() if debt.principal}
        self.wallet.begin_hour(owed, hour_ms)
        for key, principal in owed.items():
            covered = self.wallet.covered_in_hour(key, principal, hour_ms)
            self.debts[key].charge(principal, rates[key[1]], self.ceil_each, covered)

    def borrow(self, key: Key, units: int, now_ms: int, rate_e12: int) -> None:
        """Charge a new loan the hour it is borrowed in."""
        debt = self.debts.setdefault(key, Loan())
        low = debt.principal
        debt.principal += units
        covered = self.wallet.covered_of_loan(key, low, debt.principal, now_ms)
        debt.charge(units, rate_e12, self.ceil_each, covered)


@dataclass(frozen=True)
class Terms:
    """A campaign's."""

    discount_e6: int
    caps: tuple[int, ...]
    duration_ms: int
    starts_on_claim: bool
    claim_ms: int


@dataclass(frozen=True)
class Step:
    """Some time passes, then something is done."""

    wait_ms: int
    action: str
    place: int
    units: int
    rate_e12: int


UNITS = st.one_of(st.integers(1, 50), st.integers(1, 10**12))
TERMS = st.builds(
    Terms,
    st.one_of(st.sampled_from([1, 500_000, 10**6]), st.integers(1, 10**6)),
    st.lists(UNITS, min_size=1, max_size=2).map(tuple),
    st.one_of(st.sampled_from([1, HOUR_MS, 5 * HOUR_MS]), st.integers(1, 40 * HOUR_MS)),
    st.booleans(),
    # Once nobody can claim, what is spent is forgotten: soon, or never.
    st.one_of(st.integers(1, 60 * HOUR_MS), st.just(10**15)),
)
ACTIONS = ["borrow", "borrow", "repay", "claim", "claim", "rate", "level", "restore", "wait"]
STEPS = st.lists(
    st.builds(
        Step,
        st.one_of(
            st.integers(0, 2 * HOUR_MS),
            st.integers(0, 5).map(lambda hours: hours * HOUR_MS),
            st.integers(0, 40 * HOUR_MS),
        ),
        st.sampled_from(ACTIONS),
        st.integers(0, 2),
        UNITS,
        RATES,
    ),
    max_size=20,
)


class Desk:
    """A venue with one borrower, who may have coupons or not, and the model beside it."""

    def __init__(self, profile: int, terms: list[Terms], with_coupons: bool) -> None:
        world = self.world = World(catalogue=False)
        world.parameter("interest_profile", profile)
        tiers = [(10**30, 3, 100_000)]
        for name in ("USDT", "GOLD", "SILVER"):
            world.ok(c.VENUE, c.SetCoin(name, 8, [(0, 10**6)], tiers, 10**30, 1, True, True))
        world.ok(c.VENUE, c.SetVipLevels([(discount, 10**6) for discount in DISCOUNTS]))
        world.ok(
            c.VENUE,
            c.SetIndexPrices([(n, 10 ** (12 + 9 * (n == GOLD)), 2, 0, 0) for n in range(3)]),
        )
        for coin in (USDT, SILVER):
            world.ok(c.VENUE, c.FundPool(coin, 10**30))
            world.ok(c.VENUE, c.SetRate(coin, 10**9))
        world.list_pair("GOLD", "USDT", "0.01", "0.000001", 3, 100_000)
        user = world.user()
        self.accounts = [account_id(user, slot) for slot in (c.SLOT_CROSSED, c.SLOT_ISOLATED)]
        for account in self.accounts:
            world.fund(account, "GOLD", "1000000000")
            world.fund(account, "USDT", "1000000000000")
        world.fund(self.accounts[0], "SILVER", "1000000000000")
        self.user = user
        self.with_coupons = with_coupons
        self.naive = NaiveUser(profile == CEIL_EACH_CHARGE)
        self.terms = terms
        self.rates = {USDT: 10**9, SILVER: 10**9}
        self.next_rates = dict(self.rates)
        self.level = self.next_level = 0
        self.hour_ms = START_MS
        self.campaigns = [self.announce(row) for row in terms] if with_coupons else []
        self.claimed: set[int] = set()

    def announce(self, terms: Terms) -> int:
        caps = [(coin, cap) for coin, cap in zip((USDT, SILVER), terms.caps, strict=False)]
        cmd = c.CreateCampaign(
            "May", terms.discount_e6, caps, terms.duration_ms, 0, START_MS + terms.claim_ms, 5,
            c.ACCESS_OPEN, terms.starts_on_claim, "",
        )  # fmt: skip
        return self.world.ok(c.VENUE, cmd).id

    def pass_to(self, time_ms: int) -> None:
        """Let time pass, the model hour by hour."""
        while self.hour_ms + HOUR_MS <= time_ms:
            self.hour_ms += HOUR_MS
            self.rates, self.level = dict(self.next_rates), self.next_level
            self.naive.turn(self.hour_ms, {coin: self.rate(coin) for coin in self.rates})
        self.world.time_ms = time_ms

    def rate(self, coin: int) -> int:
        """Return the rate after VIP."""
        return ceil(Fraction(self.rates[coin] * DISCOUNTS[self.level], 10**6))

    def take(self, step: Step) -> None:
        """Do what a step says."""
        world = self.world
        place, coin = PLACES[step.place]
        account = self.accounts[place]
        debt = self.naive.debts.get((account, coin))
        if step.action == "borrow":
            world.ok(account, c.Borrow(coin, step.units, ""))
            self.naive.borrow((account, coin), step.units, world.time_ms, self.rate(coin))
        elif step.action == "repay" and debt is not None and debt.principal:
            # So much principal, whatever interest is due: the same with coupons and without.
            principal = min(step.units, debt.principal)
            world.ok(account, c.Repay(coin, debt.due + principal, ""))
            debt.paid += debt.due
            debt.principal -= principal
        elif step.action == "claim" and self.with_coupons and self.terms:
            self.claim(step.units % len(self.terms), account)
        elif step.action == "rate" and coin in self.rates:
            world.ok(c.VENUE, c.SetRate(coin, step.rate_e12))
            self.next_rates[coin] = step.rate_e12
        elif step.action == "level":
            self.next_level = step.units % 2
            world.ok(c.VENUE, c.SetUserLevel(self.user, self.next_level))
        elif step.action == "restore":
            world.tick()
            lines = list(world.engine.snapshot_lines())
            world.engine = Engine.restore(lines)
            assert lines == list(world.engine.snapshot_lines())
        else:
            world.tick()

    def claim(self, number: int, account: int) -> None:
        self.world.tick()
        if number in self.claimed:
            return
        terms = self.terms[number]
        if self.world.time_ms >= START_MS + terms.claim_ms:
            cmd = c.ClaimCoupon(self.campaigns[number])
            assert Refusal.CLAIM_WINDOW_CLOSED is self.world.refusal(account, cmd)
            return
        self.claimed.add(number)
        coupon_id = self.world.ok(account, c.ClaimCoupon(self.campaigns[number])).id
        coupon = NaiveCoupon(
            coupon_id,
            Fraction(terms.discount_e6, 10**6),
            dict(zip((USDT, SILVER), terms.caps, strict=False)),
            terms.duration_ms,
        )
        if terms.starts_on_claim:
            coupon.start_ms = self.world.time_ms
        self.naive.wallet.coupons.append(coupon)

    def compare(self) -> None:
        """Every debt is as the model has it."""
        for (account, coin), debt in self.naive.debts.items():
            view = q.balance(self.world.state, account, coin)
            assert (debt.principal, debt.due) == (view.principal_units, view.interest_units)

    def rows(self, account: int, coin: int) -> list[e.InterestCharged]:
        """Return the receipts of a debt, those that are not written yet included."""
        shown = [event for event in self.world.history if isinstance(event, e.InterestCharged)]
        shown += q.pending_interest(self.world.state, account)
        return [row for row in shown if (row.account, row.coin) == (account, coin)]


def run(profile: int, terms: list[Terms], steps: list[Step], with_coupons: bool) -> Desk:
    desk = Desk(profile, terms, with_coupons)
    now_ms = START_MS
    for step in steps:
        now_ms += step.wait_ms
        desk.pass_to(now_ms)
        desk.take(step)
        desk.compare()
    return desk


@pytest.mark.parametrize("profile", [EXACT, CEIL_EACH_CHARGE])
@given(terms=st.lists(TERMS, max_size=4), steps=STEPS)
@MORE
def test_interest_with_coupons_is_interest_without_less_what_they_save(
    profile: int, terms: list[Terms], steps: list[Step]
) -> None:
    """The law of issue 3: for random campaigns, rates, partial repayments and hour turns."""
    held, bare = (run(profile, terms, steps, with_coupons) for with_coupons in (True, False))

    for (account, coin), debt in held.naive.debts.items():
        plain = bare.naive.debts[account, coin]
        rows = held.rows(account, coin)
        saved = sum(row.saved_units for row in rows)
        # Receipts add up to the debt, and with what they saved to the debt there would be.
        assert debt.due + debt.paid == sum(row.units for row in rows)
        assert plain.due + plain.paid == debt.due + debt.paid + saved
        gross = [row.units for row in bare.rows(account, coin)]
        assert gross == [row.units + row.saved_units for row in rows]
        for row in rows:
            assert row.units >= 0
            assert row.saved_units >= -1
            assert sum(units for _, units in row.covers) <= row.principal_units
            assert row.covers or -1 <= row.saved_units <= 1
    for coin in (USDT, SILVER):
        income = [desk.world.state.coins[coin].interest_units for desk in (held, bare)]
        paid = [
            sum(debt.paid for (_, of), debt in desk.naive.debts.items() if of == coin)
            for desk in (held, bare)
        ]
        assert paid == income


@given(
    terms=st.lists(TERMS, min_size=1, max_size=3),
    parts=st.lists(UNITS, min_size=1, max_size=6),
    hours=st.integers(0, 30),
)
def test_borrowing_in_parts_saves_nothing_more(
    terms: list[Terms], parts: list[int], hours: int
) -> None:
    """Splitting a loan never pays the user (RULES 1.4), coupons or not."""
    owed: list[int] = []
    for loans in ([sum(parts)], parts):
        desk = Desk(EXACT, terms, with_coupons=True)
        for number in range(len(terms)):
            desk.claim(number, desk.accounts[0])
        for units in loans:
            desk.take(Step(0, "borrow", 0, units, 0))
        desk.pass_to(START_MS + hours * HOUR_MS)
        desk.world.tick()
        desk.compare()
        owed.append(q.balance(desk.world.state, desk.accounts[0], USDT).interest_units)

    whole, in_parts = owed
    assert whole <= in_parts
