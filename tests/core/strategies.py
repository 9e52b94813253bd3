"""What hypothesis draws for the laws: books with orders in them, orders to send at them, loans."""

from dataclasses import dataclass

from hypothesis import strategies as st

from lombard.core import commands as c
from lombard.core.commands import account_id
from lombard.core.state import Pair
from tests.core.world import World

# Bids stand below this price, asks at and above it.
MIDDLE_TICKS = 1_000
USERS = 3


@dataclass(frozen=True)
class Standing:
    """A resting order: whose, on which side, how far from the middle, how large."""

    user: int
    slot: int
    side: int
    away: int
    steps: int


@dataclass(frozen=True)
class Taking:
    """An order sent at a book by the first user."""

    slot: int
    side: int
    kind: int
    force: int
    stp: int
    away: int
    steps: int
    quote: int


@dataclass(frozen=True)
class Terms:
    """A pair's fees, and the quote units of a tick times a step."""

    maker_fee_e6: int
    taker_fee_e6: int
    per_tick_step: int


SLOTS = st.sampled_from([c.SLOT_SPOT, c.SLOT_CROSSED])
FEES = st.one_of(st.sampled_from([0, 1_000, 99_999]), st.integers(0, 99_999))
STANDING = st.builds(
    Standing,
    st.integers(0, USERS - 1),
    SLOTS,
    st.integers(0, 1),
    st.integers(0, 6),
    st.integers(1, 12),
)
TAKING = st.builds(
    Taking,
    SLOTS,
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from([c.GTC, c.IOC, c.FOK, c.POST_ONLY]),
    st.sampled_from([c.STP_NONE, c.STP_CANCEL_TAKER, c.STP_CANCEL_MAKER, c.STP_CANCEL_BOTH]),
    st.integers(-3, 7),
    st.integers(1, 40),
    st.integers(1, 40_000),
)
TERMS = st.builds(Terms, FEES, FEES, st.sampled_from([1, 3, 1_000]))
# Daily rates: none, tiny, usual, usurious.
RATES = st.one_of(st.sampled_from([0, 1, 126_279_000, 10**9, 10**12]), st.integers(0, 10**12))


class Booth:
    """One pair, whose quote coin is the value of all things, and users with plenty of both."""

    def __init__(self, terms: Terms) -> None:
        self.world = World(catalogue=False)
        for name in ("BASE", "QUOTE"):
            limit = 10**20
            self.world.ok(
                c.VENUE,
                c.SetCoin(name, 8, [(0, 10**6)], [(limit, 2, 300_000)], limit, 1, True, True),
            )
        # A tick is 1e-6, a step makes it worth so many units.
        self.world.ok(
            c.VENUE,
            c.SetPair(
                "BASEQUOTE",
                0,
                1,
                10**6,
                10**6 * terms.per_tick_step,
                terms.maker_fee_e6,
                terms.taker_fee_e6,
                0,
                1,
                10**6,
                200,
                [],
                0,
                True,
                True,
            ),
        )
        assert terms.per_tick_step == self.pair.quote_per_tick_step
        self.world.parameter("band_e6", 500_000)
        for coin in (0, 1):
            self.world.ok(c.VENUE, c.FundPool(coin, 10**18))
        middle_e12 = MIDDLE_TICKS * 10**6
        prices = [(0, middle_e12, 2, 0, 0), (1, 10**12, 2, 0, 0)]
        self.world.ok(c.VENUE, c.SetIndexPrices(prices))
        self.users = [self.world.user() for _ in range(USERS)]
        for user in self.users:
            for slot in (c.SLOT_SPOT, c.SLOT_CROSSED):
                for name in ("BASE", "QUOTE"):
                    self.world.fund(account_id(user, slot), name, "100000")

    @property
    def pair(self) -> Pair:
        """The only pair."""
        return self.world.state.pairs[0]

    def stand(self, standing: Standing) -> int:
        """Let an order rest; return its id."""
        away = standing.away if standing.side == c.SELL else -1 - standing.away
        cmd = c.PlaceOrder(
            0, standing.side, c.LIMIT, c.GTC, 0, 0, MIDDLE_TICKS + away, standing.steps, 0, "", 0
        )
        return self.world.ok(account_id(self.users[standing.user], standing.slot), cmd).id

    def command(self, taking: Taking) -> c.PlaceOrder:
        """Make the command of an order that is sent at the book."""
        market = taking.kind == c.MARKET
        by_quote = market and taking.side == c.BUY
        away = taking.away if taking.side == c.BUY else -1 - taking.away
        return c.PlaceOrder(
            0,
            taking.side,
            taking.kind,
            taking.force,
            0,
            taking.stp,
            0 if market else MIDDLE_TICKS + away,
            0 if by_quote else taking.steps,
            taking.quote * self.pair.quote_per_tick_step if by_quote else 0,
            "",
            0,
        )
