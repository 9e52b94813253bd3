"""Traffic: random commands of every kind, right and wrong, for a world that is watched.

All choices come from one `random.Random`, so a seed is a whole history; hypothesis hands in a
`Random` of its own and shrinks what it draws. Amounts keep to the edges: nothing, one unit, the
limit, one unit more, far too much. Prices walk and jump, hours turn, terms change while orders and
loans stand.
"""

from collections.abc import Callable
from functools import partial
from itertools import accumulate
from random import Random

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core import trigger_queries as tq
from lombard.core.commands import account_id
from lombard.core.state import Pair
from lombard.sim.coupon_traffic import about_coupons
from lombard.sim.ending import ENDING
from lombard.sim.faults import FAULTS, Asked
from lombard.sim.operating import OPERATOR
from lombard.sim.operators import BY_HAND
from lombard.sim.plans import fire, trigger
from lombard.sim.stage import BTCUSDT, PEPEUSDT, Stage, pair_terms

OIDS = [""] * 60 + list("abcdefghijkl")
# How often each kind of command comes.
WEIGHTS = {
    "order": 30,
    "quote": 8,
    "gamble": 3,
    "cancel": 6,
    "cancel_all": 1,
    "replace": 4,
    "borrow": 9,
    "repay": 7,
    "transfer": 9,
    "deposit": 3,
    "leverage": 2,
    "tick": 2,
    "prices": 9,
    "jump": 2,
    "proceed": 8,
    "rate": 1,
    "fund": 1,
    "level": 1,
    "coin_terms": 1,
    "pair_terms": 1,
    "listing": 1,
    "parameter": 1,
    "announce": 1,
    "move": 1,
    "propose": 1,
    "freeze": 1,
    "restrict": 1,
    "coupon": 3,
    "close": 3,
    "flash": 3,
    "nonsense": 2,
    "trigger": 6,
    "fire": 1,
}
# Kinds of commands that are made elsewhere.
APART = {**FAULTS, **OPERATOR, **BY_HAND, **ENDING, "trigger": trigger, "fire": fire}
WITH_TRIGGERS = {**WEIGHTS, "trigger": 25}
# Leveraged positions, deep books, wild prices, steady terms: a storm of liquidations.
STORM = {
    "gamble": 12,
    "quote": 40,
    "order": 6,
    "prices": 12,
    "jump": 2,
    "proceed": 16,
    "tick": 2,
    "transfer": 6,
    "repay": 2,
    "deposit": 6,
    "close": 1,
    "flash": 1,
    "trigger": 4,
}
STORM_WITH_TRIGGERS = {**STORM, "trigger": 25}


class Traffic:
    """A maker of commands for a world with `users` users, each with some of every coin."""

    def __init__(
        self,
        world: Stage,
        random: Random,
        users: int = 4,
        weights: dict[str, int] | None = None,
    ) -> None:
        self.world = world
        self.random = random
        # In a storm hours pass seldom.
        self.pace = 10 if weights in (STORM, STORM_WITH_TRIGGERS) else 1
        self.kinds = list(weights or WEIGHTS)
        self.cumulative = list(accumulate((weights or WEIGHTS).values()))
        self.makers: dict[str, Callable[[], Asked]] = {
            kind: getattr(self, kind) for kind in WEIGHTS if kind not in APART
        }
        self.makers |= {kind: partial(make, self) for kind, make in APART.items()}
        # What a fault wants of the next command: when it comes, and under which id.
        self.time_next_ms: int | None = None
        self.command_id_next = b""
        self.users = [world.user() for _ in range(users)]
        for user in self.users:
            for slot in (0, 1):
                for coin, amount in [("USDT", "20000"), ("BTC", "1"), ("DOGE", "90000")]:
                    world.fund(account_id(user, slot), coin, amount)
            world.fund(account_id(user, 2 + BTCUSDT), "USDT", "9000")
            world.fund(account_id(user, 2 + PEPEUSDT), "PEPE", "99000000")
        # One more, whose orders the others can count on.
        self.quoter = world.spot(USDT="100000000", USDC="100000000", BTC="9000", ETH="90000")
        world.fund(self.quoter, "DOGE", "999000000")
        world.fund(self.quoter, "PEPE", "99000000000000")
        world.ok(c.VENUE, pair_terms(world.pair("ETHUSDT"), max_open_orders=5))
        self.ticks = [pair.tick_e12 for pair in world.state.pairs]
        self.start_prices = [coin.price_e12 for coin in world.state.coins]

    def next(self) -> Asked:
        """Return who asks what next."""
        total = self.random.randrange(self.cumulative[-1])
        kind = next(k for k, top in zip(self.kinds, self.cumulative, strict=True) if total < top)
        return self.makers[kind]()

    def next_ms(self) -> int:
        """Return when: mostly now, sometimes hours later, sometimes by a clock that is behind."""
        if self.time_next_ms is not None:
            wanted_ms, self.time_next_ms = self.time_next_ms, None
            return wanted_ms
        chance = self.random.randrange(1000)
        now_ms = self.world.engine.time_ms
        if self.random.randrange(self.pace):
            return now_ms + self.random.randrange(500)
        if chance < 600:
            return now_ms
        if chance < 900:
            return now_ms + self.random.randrange(20_000)
        if chance < 960:
            return now_ms + self.random.randrange(1_200_000)
        if chance < 985:
            return now_ms - now_ms % 3_600_000 + 3_600_000
        if chance < 995:
            return now_ms + self.random.randrange(12 * 3_600_000)
        return now_ms - self.random.randrange(5_000)

    def command_id(self, account: int) -> bytes:
        """Return an id for the next command, seldom one that its account may have used."""
        if self.command_id_next:
            wanted, self.command_id_next = self.command_id_next, b""
            return wanted
        if self.random.randrange(20):
            return b""
        return self.new_command_id(account)

    def new_command_id(self, account: int) -> bytes:
        """Choose one of the hundred ids that an account has for its commands."""
        return bytes([self.random.randrange(100)]) * 8 + account.to_bytes(8, "big", signed=True)

    def oid(self) -> str:
        """Choose a client id, mostly none."""
        return self.random.choice(OIDS)

    # --- choices -------------------------------------------------------------------------------

    def account(self) -> int:
        """Choose an account: mostly crossed, isolated or spot; not all isolated ones are open."""
        user = self.random.choice(self.users)
        if self.random.randrange(25) == 0:
            return account_id(user, self.random.randrange(7))
        slots = [c.slot_of(account) for account in q.accounts_of(self.world.state, user)]
        return account_id(user, self.random.choice([0, 1, 1, *slots]))

    def any_coin(self) -> int:
        return self.random.choice([0, 0, 0, 1, 2, 2, 2, 3, 4, len(self.world.state.coins) - 1])

    def balances(self, account: int) -> list[q.BalanceView]:
        """Return what an account has and owes; nothing while it is not open."""
        state = self.world.state
        return q.balances(state, account) if account in state.accounts else []

    def triggers(self, user: int) -> list[tq.Trigger]:
        """Return what a user waits for."""
        state = self.world.state
        return [
            one for account in q.accounts_of(state, user) for one in tq.triggers(state, account)
        ]

    def coin_of(self, account: int) -> int:
        """Choose a coin, mostly one the account may hold."""
        slot = c.slot_of(account)
        if slot < c.SLOT_ISOLATED or self.random.randrange(20) == 0:
            return self.any_coin()
        pair = self.world.state.pairs[slot - c.SLOT_ISOLATED]
        return self.random.choice([pair.base.id, pair.quote.id])

    def amount(self, limit: int) -> int:
        """Choose an amount around a limit."""
        chance = self.random.randrange(20)
        if chance < 12:
            return 1 + limit * self.random.randrange(1, 1000) // 1000
        edges = [limit, limit, limit, limit + 1, limit - 1, 1, 0, -1, 10 * limit, 10**31]
        return self.random.choice(edges)

    def slot_pair(self, account: int) -> Pair:
        slot = c.slot_of(account)
        pairs = self.world.state.pairs
        if slot >= c.SLOT_ISOLATED and self.random.randrange(30):
            return pairs[slot - c.SLOT_ISOLATED]
        return pairs[self.random.choice([0, 0, 0, 0, 1, 2, 3, len(pairs) - 1])]

    def price_ticks(self, pair: Pair, side: int) -> int:
        """Choose a price around the index or in the book, seldom far from them."""
        centre = self.centre(pair)
        chance = self.random.randrange(20)
        if chance < 8:
            best = pair.asks.best_ticks() if side == c.BUY else pair.bids.best_ticks()
            return best or centre
        if chance < 14:
            return centre * (1000 + self.random.randrange(-12, 13)) // 1000
        if chance < 17:
            return centre * (1000 + self.random.randrange(-60, 61)) // 1000
        edges = [pair.band_low_ticks, pair.band_high_ticks, pair.band_high_ticks + 1]
        return self.random.choice([*edges, 0, 1, centre * 2])

    # --- users' commands -----------------------------------------------------------------------

    def order(self) -> Asked:
        """Place an order, of own or borrowed funds."""
        r = self.random
        account, pair, side, spend, loan_type = self.spender()
        kind = int(r.randrange(5) == 0)
        price = self.price_ticks(pair, side)
        cost = price * pair.quote_per_tick_step if side == c.BUY else pair.step_units
        size = spend // max(1, cost)
        if r.randrange(8) == 0:
            size = self.amount(size)
        by_quote = kind == c.MARKET and side == c.BUY
        cmd = c.PlaceOrder(
            pair.id,
            side,
            kind,
            r.choice([0, 0, 0, 0, 0, 0, 1, 2, 3]),
            loan_type,
            r.choice([0, 0, 0, 1, 2, 3]),
            0 if kind == c.MARKET else price,
            0 if by_quote else size,
            spend if by_quote else 0,
            r.choice(OIDS),
            r.choice([c.SOURCE_API, c.SOURCE_WEB]),
        )
        return account, cmd

    def quote(self) -> Asked:
        """Place an order of the one who stands on both sides of every book, not far from index."""
        pair = self.random.choice(self.world.state.pairs)
        if self.random.randrange(6) == 0:
            return self.quoter, c.CancelAllOrders(pair.id)
        side = self.random.randrange(2)
        away = self.random.randrange(-1, 12) * (1 if side == c.SELL else -1)
        price = self.centre(pair) * (1000 + away) // 1000
        value = 10 ** self.random.randrange(3, 6) * 10**pair.quote.decimals
        size = value // max(1, price * pair.quote_per_tick_step)
        cmd = c.PlaceOrder(
            pair.id, side, 0, 0, 0, 0, max(1, price), max(1, size), 0, "", c.SOURCE_API
        )
        return self.quoter, cmd

    def centre(self, pair: Pair) -> int:
        if pair.base.price_e12 == 0 or pair.quote.price_e12 == 0:
            return 1_000
        return pair.base.price_e12 * 10**12 // (pair.quote.price_e12 * pair.tick_e12)

    def spender(self) -> tuple[int, Pair, int, int, int]:
        """Choose who orders on which pair and side, what to spend, and the loan type."""
        r = self.random
        for _ in range(5):
            account = self.account()
            pair = self.slot_pair(account)
            side = r.randrange(2)
            pays = pair.quote if side == c.BUY else pair.base
            spend = q.balance(self.world.state, account, pays.id).available_units
            loan_type = r.choice([0, 0, 1, 2, 3]) if c.slot_of(account) else 0
            if loan_type & c.AUTO_LOAN and r.randrange(2):
                spend += q.max_borrowable(self.world.state, account, pays.id).units
            if spend * pays.price_e12 * pays.value_scale > 10**21:
                break
        if r.randrange(4):
            spend = spend * r.randrange(5, 60) // 100
        return account, pair, side, spend, loan_type

    def gamble(self) -> Asked:
        """Take what a margin account can borrow to the market, long or short."""
        r = self.random
        accounts = q.accounts_of(self.world.state, r.choice(self.users))
        account = r.choice([account for account in accounts if c.slot_of(account) != c.SLOT_SPOT])
        pair = self.slot_pair(account)
        side = r.randrange(2)
        pays = pair.quote if side == c.BUY else pair.base
        spend = q.balance(self.world.state, account, pays.id).available_units
        spend += q.max_borrowable(self.world.state, account, pays.id).units
        spend = spend * r.randrange(30, 101) // 100
        size = spend // pair.step_units if side == c.SELL else 0
        quote = spend if side == c.BUY else 0
        loan_type = r.choice([c.AUTO_LOAN, c.AUTO_LOAN, c.AUTO_LOAN_AND_REPAY])
        cmd = c.PlaceOrder(pair.id, side, c.MARKET, 0, loan_type, 0, 0, size, quote, "", 0)
        return account, cmd

    def open_order(self) -> tuple[int, q.Order] | None:
        """Choose a resting order."""
        state = self.world.state
        opened = [account for user in self.users for account in q.accounts_of(state, user)]
        accounts = [account for account in opened if q.open_orders(state, account)]
        if not accounts:
            return None
        account = self.random.choice(accounts)
        return account, self.random.choice(q.open_orders(self.world.state, account))

    def cancel(self) -> Asked:
        """Cancel an order by id or client id; sometimes one that is not there."""
        found = self.open_order()
        if found is None or self.random.randrange(10) == 0:
            return self.account(), c.CancelOrder(0, 10**18 + self.random.randrange(9), "a")
        account, order = found
        by_oid = order.client_oid and self.random.randrange(2)
        return account, c.CancelOrder(order.pair.id, 0 if by_oid else order.id, order.client_oid)

    def cancel_all(self) -> Asked:
        """Cancel what an account has on a pair."""
        return self.account(), c.CancelAllOrders(self.random.randrange(-1, 7))

    def replace(self) -> Asked:
        """Move an order to another price and size."""
        found = self.open_order()
        if found is None:
            return self.account(), c.ReplaceOrder(0, 5, "", 100, 100, "")
        account, order = found
        size = max(0, order.remaining_steps * self.random.randrange(50, 150) // 100)
        price = self.price_ticks(order.pair, order.side)
        if self.random.randrange(3) == 0:
            price = order.price_ticks
        oid = self.random.choice(OIDS)
        return account, c.ReplaceOrder(order.pair.id, order.id, "", price, size, oid)

    def borrow(self) -> Asked:
        """Borrow up to, at and beyond the limit."""
        account = self.account()
        coin = self.coin_of(account)
        units = self.amount(q.max_borrowable(self.world.state, account, coin).units)
        return account, c.Borrow(coin, units, self.random.choice(OIDS))

    def repay(self) -> Asked:
        """Repay, mostly a coin that is owed."""
        account = self.account()
        owed = [
            view
            for view in q.balances(self.world.state, account)
            if view.principal_units + view.interest_units
        ]
        if not owed or self.random.randrange(20) == 0:
            return account, c.Repay(self.coin_of(account), 5, "")
        view = self.random.choice(owed)
        edges = [view.principal_units + view.interest_units, view.interest_units]
        units = self.amount(self.random.choice([*edges, view.available_units]))
        return account, c.Repay(view.coin, units, self.random.choice(OIDS))

    def transfer(self) -> Asked:
        """Move coins between a user's accounts, seldom to another user's."""
        account, other = self.account(), self.account()
        if self.random.randrange(20):
            other = account_id(c.user_of(account), c.slot_of(other))
        coin = self.coin_of(account if c.slot_of(account) >= c.SLOT_ISOLATED else other)
        limit = q.max_transferable(self.world.state, account, coin)
        return account, c.Transfer(other, coin, self.amount(limit), self.random.choice(OIDS))

    def deposit(self) -> Asked:
        """Bring coins in, mostly to spot."""
        account = account_id(self.random.choice(self.users), int(self.random.randrange(20) == 0))
        coin = self.any_coin()
        value = 10 ** self.random.randrange(2, 6) * 10**20
        price = self.world.state.coins[coin].price_e12 * self.world.state.coins[coin].value_scale
        return account, c.Deposit(coin, self.amount(value // (price or 10**12)))

    def leverage(self) -> Asked:
        """Choose a leverage."""
        return self.account(), c.SetLeverage(self.random.randrange(0, 12))

    # --- the venue's commands ------------------------------------------------------------------

    def tick(self) -> Asked:
        """Let time pass."""
        return c.VENUE, c.Tick()

    def proceed(self) -> Asked:
        """Let liquidations go on."""
        return c.VENUE, c.ContinueLiquidation(self.random.choice([1, 1, 2, 5, 50, 0]))

    def prices(self) -> Asked:
        """Let prices walk."""
        return self.publish(6)

    def jump(self) -> Asked:
        """Let prices jump, at times for good."""
        return self.publish(self.random.choice([30, 60, 150, 350]))

    def publish(self, thousandths: int) -> Asked:
        """Publish prices that moved by so much; they are drawn back to where they began."""
        r = self.random
        rows = []
        for coin in self.world.state.coins[1:]:
            if r.randrange(2) and (coin.price_e12 or r.randrange(10) == 0):
                move = r.randrange(-thousandths, thousandths + 1)
                start = self.start_prices[coin.id] if coin.id < len(self.start_prices) else 10**12
                pull = (start - coin.price_e12) // 20
                price = max(1, coin.price_e12 * (1000 + move) // 1000 + pull)
                age = r.choice([0] * 9 + [600_000])
                rows.append((coin.id, price, r.choice([1] + [2] * 12 + [3]), 100, age))
        if r.randrange(30) == 0:
            rows.append((r.choice([-1, 1, 3, 5, 6]), r.randrange(2), 2, 0, 0))
        return c.VENUE, c.SetIndexPrices(rows)

    def coupon(self) -> Asked:
        """Announce, grant, draw or claim coupons."""
        return about_coupons(self.random, self.world.state, self.users, self.account())
