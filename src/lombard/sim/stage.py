"""A venue to act on: a catalogue, a clock in the caller's hand, and the log of what was asked.

It lists the coins and pairs of the sandbox's catalogue at round prices. Amounts may be written as
the wire does (`"1.5"`).
"""

from typing import Any, TypeVar

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command, Envelope, account_id
from lombard.core.engine import Engine
from lombard.core.state import Coin, Pair, Reply, State
from lombard.core.units import parse_units

T = TypeVar("T")

# 2026-01-01T00:00:00Z: a full hour, and a full day.
START_MS = 1_767_225_600_000
DAY_MS = 86_400_000

# Coins: name, decimals, index price, collateral ratio, user limit, daily rate.
COINS = [
    ("USDT", 8, "1", "1", "300000", "0.00041095"),
    ("USDC", 8, "1", "1", "300000", "0.0003"),
    ("BTC", 8, "20000", "1", "26", "0.00007"),
    ("ETH", 8, "1500", "0.95", "400", "0.0001"),
    ("DOGE", 4, "0.1", "0.8", "2000000", "0.0003"),
    ("PEPE", 2, "0.000001", "0.5", "10000000000", "0.0003"),
]
# Pairs: base, quote, tick, step, leverage and maintenance margin rate of isolated accounts.
PAIRS = [
    ("BTC", "USDT", "0.01", "0.000001", 10, 50_000),
    ("ETH", "USDT", "0.01", "0.0001", 10, 50_000),
    ("BTC", "USDC", "0.01", "0.000001", 10, 50_000),
    ("DOGE", "USDT", "0.00001", "1", 5, 80_000),
    ("PEPE", "USDT", "0.0000000001", "100", 3, 150_000),
]
USDT, USDC, BTC, ETH, DOGE, PEPE = range(6)
BTCUSDT, ETHUSDT, BTCUSDC, DOGEUSDT, PEPEUSDT = range(5)


def clock(text: str) -> int:
    """Read `"01:30"`, `"01:30:00.250"`, or, days later, `"2 01:30"` as exchange time."""
    days, _, time = text.rpartition(" ")
    hours, minutes, *seconds = time.split(":")
    minutes_ms = (int(hours) * 60 + int(minutes)) * 60_000
    seconds_ms = parse_units(seconds[0], 3) if seconds else 0
    return START_MS + int(days or 0) * DAY_MS + minutes_ms + seconds_ms


def coin_terms(
    name: str, decimals: int, ratio: str = "1", user_limit: str = "1000000", mmr_e6: int = 100_000
) -> c.SetCoin:
    """Make the terms of a coin with one collateral ratio and one crossed tier, of 3x."""
    limit = parse_units(user_limit, decimals)
    steps = [(0, parse_units(ratio, 6))]
    return c.SetCoin(name, decimals, steps, [(limit, 3, mmr_e6)], limit, 1, True, True)


def pair_terms(pair: Pair, **changes: Any) -> c.SetPair:
    """Make the terms a pair has, with changes: `pair_terms(pair, taker_fee_e6=0)`."""
    terms: dict[str, Any] = {
        "symbol": pair.symbol,
        "base": pair.base.id,
        "quote": pair.quote.id,
        "tick_e12": pair.tick_e12,
        "step_units": pair.step_units,
        "maker_fee_e6": pair.maker_fee_e6,
        "taker_fee_e6": pair.taker_fee_e6,
        "min_value_units": pair.min_value_units,
        "min_size_steps": pair.min_size_steps,
        "max_size_steps": pair.max_size_steps,
        "max_open_orders": pair.max_open_orders,
        "isolated_tiers": list(pair.isolated_tiers),
        "liquidation_fee_e6": pair.liquidation_fee_e6,
        "crossed": pair.crossed,
        "trading": pair.trading,
    }
    assert changes.keys() <= terms.keys()
    return c.SetPair(**(terms | changes))


class Stage:
    """An engine, its clock, its log, and the events of the last command."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.time_ms = START_MS
        self.log: list[Envelope] = []
        self.events: list[e.Event] = []

    # --- applying ------------------------------------------------------------------------------

    def do(
        self, account: int, cmd: Command, at: int | str | None = None, command_id: bytes = b""
    ) -> Reply:
        """Apply a command, at `at` if given (a `clock` text or ms)."""
        if at is not None:
            self.time_ms = clock(at) if isinstance(at, str) else at
        envelope = Envelope(len(self.log) + 1, self.time_ms, command_id, account, cmd)
        self.log.append(envelope)
        reply, self.events = self.engine.apply(envelope)
        return reply

    def of_type(self, kind: type[T]) -> list[T]:
        """Return the events of one kind that the last command made."""
        return [event for event in self.events if isinstance(event, kind)]

    def ok(self, account: int, cmd: Command, at: int | str | None = None) -> Reply:
        """Apply a command that must not be refused."""
        reply = self.do(account, cmd, at)
        assert reply.refusal is None, (reply.refusal, reply.detail, reply.units)
        return reply

    # --- reading -------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The live state, for `queries`."""
        return self.engine.state

    def coin(self, name: str) -> Coin:
        """Return a coin by name."""
        return self.state.coins[self.state.coin_ids[name]]

    def pair(self, symbol: str) -> Pair:
        """Return a pair by name."""
        return self.state.pairs[self.state.pair_ids[symbol]]

    def units(self, coin: str, amount: str) -> int:
        """Read an amount of a coin."""
        return parse_units(amount, self.coin(coin).decimals)

    def balance(self, account: int, coin: str) -> q.BalanceView:
        """Return a balance, interest of this hour included."""
        return q.balance(self.state, account, self.coin(coin).id)

    def available(self, account: int, coin: str) -> int:
        """Return what an account may spend of a coin."""
        return self.balance(account, coin).available_units

    def debt(self, account: int, coin: str) -> int:
        """Return principal and interest due."""
        view = self.balance(account, coin)
        return view.principal_units + view.interest_units

    # --- the venue -----------------------------------------------------------------------------

    def list_catalogue(self) -> None:
        """List the coins and pairs, fund pools and insurance, and publish prices and rates."""
        self.ok(c.VENUE, c.SetParameter("caution_half_life_ms", 0))
        for name, decimals, _, ratio, limit, _ in COINS:
            self.ok(c.VENUE, coin_terms(name, decimals, ratio, limit))
        for base, quote, tick, step, leverage, mmr_e6 in PAIRS:
            self.list_pair(base, quote, tick, step, leverage, mmr_e6)
        for name, _, price, _, limit, rate in COINS:
            coin = self.coin(name).id
            self.ok(c.VENUE, c.FundPool(coin, 20 * self.units(name, limit)))
            self.ok(c.VENUE, c.FundInsurance(coin, self.units(name, limit)))
            self.rate(name, rate)
            self.price(name, price)

    def list_pair(
        self, base: str, quote: str, tick: str, step: str, leverage: int, mmr_e6: int
    ) -> None:
        """List a pair of fee 0.1 %, minimum 1 of the quote, and one isolated tier."""
        tier = (self.coin(base).user_limit_units, self.coin(quote).user_limit_units)
        self.ok(
            c.VENUE,
            c.SetPair(
                base + quote,
                self.coin(base).id,
                self.coin(quote).id,
                parse_units(tick, 12),
                self.units(base, step),
                1_000,
                1_000,
                self.units(quote, "1"),
                1,
                10**12,
                200,
                [(*tier, leverage, mmr_e6)],
                20_000,
                True,
                True,
            ),
        )

    def price(self, coin: str, price: str, sources: int = 2, max_age_ms: int = 0) -> Reply:
        """Publish an index price; it is fresh until replaced unless told otherwise."""
        row = (self.coin(coin).id, parse_units(price, 12), sources, 0, max_age_ms)
        return self.ok(c.VENUE, c.SetIndexPrices([row]))

    def rate(self, coin: str, daily_rate: str, at: int | str | None = None) -> None:
        """Set a coin's daily rate; the first holds at once, later ones from the next hour."""
        self.ok(c.VENUE, c.SetRate(self.coin(coin).id, parse_units(daily_rate, 12)), at)

    def parameter(self, name: str, value: int) -> None:
        """Set one of the venue's named numbers."""
        self.ok(c.VENUE, c.SetParameter(name, value))

    def tick(self, at: int | str | None = None) -> None:
        """Let time pass."""
        self.ok(c.VENUE, c.Tick(), at)

    def liquidate(self, max_steps: int = 100) -> list[e.Event]:
        """Let the liquidations that are due go on until none is; return all their events."""
        seen: list[e.Event] = []
        for _ in range(100):
            if not self.engine.liquidation_due():
                break
            self.ok(c.VENUE, c.ContinueLiquidation(max_steps))
            seen += self.events
        return seen

    # --- its users -----------------------------------------------------------------------------

    def user(self, **spot: str) -> int:
        """Admit a user, with coins in spot: `world.user(BTC="1", USDT="500")`."""
        user = self.ok(c.VENUE, c.AddUser()).id
        for coin, amount in spot.items():
            self.fund(account_id(user, c.SLOT_SPOT), coin, amount)
        return user

    def spot(self, **amounts: str) -> int:
        """Admit a user with coins; return the spot account."""
        return account_id(self.user(**amounts), c.SLOT_SPOT)

    def fund(self, account: int, coin: str, amount: str) -> None:
        """Bring coins from outside into an account of any kind."""
        spot = account_id(c.user_of(account), c.SLOT_SPOT)
        units = self.units(coin, amount)
        self.ok(spot, c.Deposit(self.coin(coin).id, units))
        if account != spot:
            self.ok(spot, c.Transfer(account, self.coin(coin).id, units, ""))

    def crossed(self, **amounts: str) -> int:
        """Admit a user with coins in crossed margin; return that account."""
        return self.margin(c.SLOT_CROSSED, **amounts)

    def isolated(self, symbol: str, **amounts: str) -> int:
        """Admit a user with coins in isolated margin of a pair; return that account."""
        return self.margin(c.SLOT_ISOLATED + self.pair(symbol).id, **amounts)

    def margin(self, slot: int, **amounts: str) -> int:
        """Admit a user with coins in the account of a slot; return that account."""
        account = account_id(self.user(), slot)
        for coin, amount in amounts.items():
            self.fund(account, coin, amount)
        return account

    def borrow(self, account: int, coin: str, amount: str, at: int | str | None = None) -> Reply:
        """Borrow by hand."""
        return self.ok(account, c.Borrow(self.coin(coin).id, self.units(coin, amount), ""), at)

    def repay(self, account: int, coin: str, amount: str, at: int | str | None = None) -> Reply:
        """Repay by hand; more than the debt pays it all."""
        return self.ok(account, c.Repay(self.coin(coin).id, self.units(coin, amount), ""), at)

    def order(
        self,
        symbol: str,
        side: int,
        size: str = "",
        price: str = "",
        *,
        quote: str = "",
        force: int = c.GTC,
        loan_type: int = c.NORMAL,
        stp: int = c.STP_NONE,
        client_oid: str = "",
    ) -> c.PlaceOrder:
        """Make an order: with a price a limit order, without one a market order (buys by quote)."""
        pair = self.pair(symbol)
        size_units = parse_units(size, pair.base.decimals) if size else 0
        price_e12 = parse_units(price, 12) if price else 0
        assert size_units % pair.step_units == 0, size
        assert price_e12 % pair.tick_e12 == 0, price
        return c.PlaceOrder(
            pair.id,
            side,
            c.LIMIT if price else c.MARKET,
            force,
            loan_type,
            stp,
            price_e12 // pair.tick_e12,
            size_units // pair.step_units,
            parse_units(quote, pair.quote.decimals) if quote else 0,
            client_oid,
            c.SOURCE_API,
        )

    def buy(self, account: int, symbol: str, size: str, price: str) -> int:
        """Place a limit buy of own funds; return its id."""
        return self.ok(account, self.order(symbol, c.BUY, size, price)).id

    def sell(self, account: int, symbol: str, size: str, price: str) -> int:
        """Place a limit sell of own funds; return its id."""
        return self.ok(account, self.order(symbol, c.SELL, size, price)).id
