"""Coupons hour by hour and charge by charge, in fractions (RULES 9.3).

At every charge every coupon of the user is asked anew; nothing is remembered but what was claimed,
started and bound. No code is shared with the engine.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

from lombard.core import commands as c
from lombard.core import events as e
from lombard.sim.loan import Loan

Key = tuple[int, int]  # account, coin
HOUR_MS = 3_600_000
OF_COUPONS = (
    e.CampaignCreated,
    e.DrawEntered,
    e.CouponsDrawn,
    e.CouponGranted,
    e.CouponClaimed,
    e.CouponStarted,
    e.CouponEnded,
    e.CouponRetired,
)


@dataclass
class NaiveCoupon:
    """A claimed coupon, whose it is once it is bound, and from when to when it runs."""

    number: int
    discount: Fraction
    caps: dict[int, int]
    duration_ms: int
    start_ms: int | None = None
    account: int | None = None
    # The full hour whose charge was the first use of it.
    begun_by_ms: int | None = None

    def end_ms(self, now_ms: int) -> int:
        """Return when it ends, or would if it started now."""
        return (now_ms if self.start_ms is None else self.start_ms) + self.duration_ms

    def order(self, now_ms: int) -> tuple[bool, Fraction, int, int]:
        """Already active, higher discount, sooner to expire, id."""
        idle = self.start_ms is None or self.begun_by_ms == now_ms
        return idle, -self.discount, self.end_ms(now_ms), self.number


@dataclass
class NaiveWallet:
    """A user's claimed coupons. What covers a charge is told as units x discount."""

    coupons: list[NaiveCoupon] = field(default_factory=list)

    def able(self, key: Key, now_ms: int) -> list[NaiveCoupon]:
        """Return the coupons that could cover a charge, in order."""
        account, coin = key
        found = [
            coupon
            for coupon in self.coupons
            if coin in coupon.caps
            and coupon.account in (None, account)
            and now_ms < coupon.end_ms(now_ms)
        ]
        return sorted(found, key=lambda coupon: coupon.order(now_ms))

    def bind(self, coupon: NaiveCoupon, account: int, now_ms: int, hour: bool) -> None:
        coupon.account = account
        if coupon.start_ms is None:
            coupon.start_ms = now_ms
            coupon.begun_by_ms = now_ms if hour else None

    def begin_hour(self, owed: dict[Key, int], hour_ms: int) -> None:
        """Bind what the charges of a full hour use first, the debts in order."""
        for key in sorted(owed):
            laid = 0
            for coupon in self.able(key, hour_ms):
                if laid < owed[key]:
                    if coupon.account is None:
                        self.bind(coupon, key[0], hour_ms, hour=True)
                    laid += coupon.caps[key[1]]

    def covered_in_hour(self, key: Key, principal: int, hour_ms: int) -> Fraction:
        """Lay the bound coupons along a principal."""
        left, covered = principal, Fraction(0)
        for coupon in self.able(key, hour_ms):
            if coupon.account == key[0]:
                units = min(left, coupon.caps[key[1]])
                covered += units * coupon.discount
                left -= units
        return covered

    def covered_of_loan(self, key: Key, low: int, high: int, now_ms: int) -> Fraction:
        """Lay coupons along what was borrowed, which lies from `low` to `high`."""
        position, covered = 0, Fraction(0)
        for coupon in self.able(key, now_ms):
            top = position + coupon.caps[key[1]]
            part = max(0, min(high, top) - max(low, position))
            if position >= high or (coupon.account is None and not part):
                continue
            if coupon.account is None:
                self.bind(coupon, key[0], now_ms, hour=False)
            covered += part * coupon.discount
            position = top
        return covered


class NaiveCoupons:
    """The venue's campaigns and everybody's coupons, from the log."""

    def __init__(self) -> None:
        self.campaigns: dict[int, c.CreateCampaign] = {}
        self.wallets: defaultdict[int, NaiveWallet] = defaultdict(NaiveWallet)
        self.starts: list[tuple[int, int]] = []
        # By campaign: who has a coupon and whether it is claimed, who is on the list of its draw,
        # and, once it was held, who has won and is yet to be granted a coupon.
        self.granted: defaultdict[int, dict[int, bool]] = defaultdict(dict)
        self.entrants: defaultdict[int, list[int]] = defaultdict(list)
        self.winners: dict[int, list[int]] = {}
        self.retired: set[int] = set()

    def note(self, event: e.Event, cmd: c.Command, time_ms: int) -> None:
        """Take note of campaigns and claims; what starts must be what was bound here."""
        if isinstance(event, e.CampaignCreated):
            assert isinstance(cmd, c.CreateCampaign)
            self.campaigns[event.campaign] = cmd
        elif isinstance(event, e.DrawEntered):
            self.entrants[event.campaign] += event.users
        elif isinstance(event, e.CouponsDrawn):
            self.draw(event)
        elif isinstance(event, e.CouponGranted):
            assert event.user not in self.granted[event.campaign]
            if isinstance(cmd, c.DrawCoupons):
                assert event.user == self.winners[event.campaign].pop(0)
            self.granted[event.campaign][event.user] = False
        elif isinstance(event, e.CouponClaimed):
            terms = self.campaigns[event.campaign]
            assert not self.granted[event.campaign][event.user]
            self.granted[event.campaign][event.user] = True
            discount = Fraction(terms.discount_e6, 10**6)
            coupon = NaiveCoupon(event.coupon_id, discount, dict(terms.caps), terms.duration_ms)
            if terms.starts_on_claim:
                coupon.start_ms = time_ms
            self.wallets[event.user].coupons.append(coupon)
        elif isinstance(event, e.CouponStarted):
            self.starts.append((event.coupon_id, event.account))
        elif isinstance(event, e.CouponRetired):
            self.retire(event, cmd, time_ms)

    def retire(self, event: e.CouponRetired, cmd: c.Command, time_ms: int) -> None:
        """Only what can neither be claimed nor cover anything new may go, once.

        That what it did cover stays covered is seen at the receipts.
        """
        assert isinstance(cmd, c.Tick)
        assert time_ms >= self.campaigns[event.campaign].claim_until_ms
        assert event.coupon_id not in self.retired
        self.retired.add(event.coupon_id)
        coupons = self.wallets[event.user].coupons
        held = [coupon for coupon in coupons if coupon.number == event.coupon_id]
        assert self.granted[event.campaign][event.user] is bool(held)
        if held:
            assert (held[0].start_ms, held[0].account or 0) == (event.start_ms, event.account)
            assert held[0].end_ms(time_ms) == event.end_ms <= time_ms
        else:
            assert (event.claimed_ms, event.start_ms, event.account) == (-1, -1, 0)

    def draw(self, event: e.CouponsDrawn) -> None:
        """Hold a draw: the smallest SHA-256(seed, campaign, user), as many as there are coupons."""

        def drawn(user: int) -> bytes:
            said = [number.to_bytes(8, "big") for number in (event.campaign, user)]
            return sha256(bytes.fromhex(event.seed) + b"".join(said)).digest()

        ranked = sorted(self.entrants[event.campaign], key=drawn)
        winners = ranked[: self.campaigns[event.campaign].count]
        assert (len(ranked), drawn(winners[-1]).hex()) == (event.entrants, event.cut_hash)
        self.winners[event.campaign] = winners

    def begin_hour(self, loans: dict[Key, Loan], hour_ms: int) -> None:
        """Bind what the charges of a full hour use first, user by user."""
        for user, wallet in self.wallets.items():
            if not wallet.coupons:
                continue
            owed = {
                key: loan.principal
                for key, loan in loans.items()
                if loan.principal and c.user_of(key[0]) == user
            }
            wallet.begin_hour(owed, hour_ms)

    def check_starts(self) -> None:
        """Every coupon that the log says is an account's is so here, and no other.

        Whoever has won a coupon has it.
        """
        assert not any(self.winners.values())
        bound = sorted(
            (coupon.number, coupon.account)
            for wallet in self.wallets.values()
            for coupon in wallet.coupons
            if coupon.account is not None
        )
        assert bound == sorted(self.starts)
