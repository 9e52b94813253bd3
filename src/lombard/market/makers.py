"""Two ordinary users who make the market: one quotes, one trades with them.

The maker keeps a few orders on both sides of the tape's price and moves those that have fallen
out of place, the ones in the way first, so that they never meet each other. The taker buys or sells
what the recording says was traded, at the tape's price exactly: it takes the maker's best order,
or that of anybody who offers better. Users' orders between the old price and the new are filled by
the maker's on the way, as in any market.

Both have what they were given and no more: with too little of a coin an order is smaller, or not
placed. Nothing is remembered here between two calls; what to do follows from the tape, the seed
and the makers' own orders and balances.
"""

from typing import Final, NamedTuple

from lombard.core.commands import (
    BUY,
    GTC,
    IOC,
    LIMIT,
    NORMAL,
    SELL,
    SOURCE_API,
    STP_CANCEL_TAKER,
    STP_NONE,
    CancelOrder,
    Command,
    Deposit,
    PlaceOrder,
    ReplaceOrder,
)
from lombard.core.units import POW10, PRICE_ONE_E12, RATIO_ONE_E6
from lombard.market.purse import Purse
from lombard.market.view import MarketView, PairTerms, Resting

# Orders of the maker on each side: how far from the best one (in parts of the price), and worth
# how many USDT. The first takes what a trial run sends, all of them a user's whole limit.
LADDER: Final = [(0, 25_000), (800, 75_000), (3_000, 200_000), (10_000, 500_000)]
# Coins that are traded less have a fourth of it.
DEEP: Final = ("BTC", "ETH")
THIN: Final = 4
SPREAD_E6: Final = 100
# No single trade is worth more than this, in USDT, whatever volume a recording claims.
TRADE_VALUE_MAX: Final = 250_000

# What each of the two starts with, in whole coins: fees of 0.1 % on the recording's volume cost
# less than a ten-thousandth of it a day.
FUNDS: Final = {
    "USDT": 10**10,
    "USDC": 10**9,
    "BTC": 10**5,
    "ETH": 10**6,
    "DOGE": 10**10,
    "PEPE": 10**14,
}


class Makers(NamedTuple):
    """The spot accounts of the two."""

    maker: int
    taker: int


def funding(view: MarketView, makers: Makers) -> list[tuple[int, Command]]:
    """Return the deposits that the two need before they can begin, or go on after a restart.

    What has fallen below half of `FUNDS` is filled up again.
    """
    deposits: list[tuple[int, Command]] = []
    coins = view.coins()
    for account in makers:
        for name, whole in FUNDS.items():
            if name not in coins:
                continue
            coin, decimals = coins[name]
            full_units = whole * POW10[decimals]
            units = view.available_units(account, coin)
            if units < full_units // 2:
                deposits.append((account, Deposit(coin, full_units - units)))
    return deposits


class Trade(NamedTuple):
    """What the taker is to do: `steps` 0 is nothing."""

    side: int
    steps: int


class Quote(NamedTuple):
    """An order that the maker wants: another will do that is off by `slack_ticks` at most, and
    has at least `enough_steps` and not more than twice `steps`.
    """

    price_ticks: int
    steps: int
    slack_ticks: int
    enough_steps: int


def other_side(side: int) -> int:
    """Return the side that trades with a side."""
    return SELL if side == BUY else BUY


def steps_worth(terms: PairTerms, value: int, base_e12: int) -> int:
    """Return the steps of a pair that are worth `value` USDT at an index price."""
    units = value * PRICE_ONE_E12 * POW10[terms.base_decimals] // base_e12
    return min(units // terms.step_units, terms.max_size_steps)


def least_steps(terms: PairTerms, price_ticks: int) -> int:
    """Return the smallest order that the pair allows at a price."""
    worth = -(-terms.min_value_units // (price_ticks * terms.quote_per_tick_step))
    return max(worth, terms.min_size_steps, 1)


class Desk:
    """The two at one moment. What they spend on one pair they do not have for the next."""

    def __init__(self, view: MarketView, makers: Makers) -> None:
        self._view = view
        self._makers = makers
        self._purse = Purse(view)

    def orders(
        self, terms: PairTerms, price_ticks: int, base_e12: int, trade: Trade
    ) -> list[tuple[int, Command]]:
        """Return who has to do what so that a pair stands, and trades, at a price."""
        trade = self._affordable(terms, price_ticks, trade)
        commands = self._requote(terms, price_ticks, base_e12, trade)
        if trade.steps:
            taker = self._makers.taker
            self._purse.take(taker, terms, trade.side, price_ticks, trade.steps)
            taken = _place(terms, trade.side, price_ticks, trade.steps, IOC, STP_NONE)
            commands.append((taker, taken))
        return commands

    def _affordable(self, terms: PairTerms, price_ticks: int, trade: Trade) -> Trade:
        """Let the taker trade the other way when it or the maker lacks what the trade needs."""
        maker, taker = self._makers
        affords = self._purse.affords
        for side in (trade.side, other_side(trade.side)):
            if affords(taker, terms, side, price_ticks, trade.steps) and affords(
                maker, terms, other_side(side), price_ticks, trade.steps
            ):
                return Trade(side, trade.steps)
        return Trade(trade.side, 0)

    def _requote(
        self, terms: PairTerms, price_ticks: int, base_e12: int, trade: Trade
    ) -> list[tuple[int, Command]]:
        """Bring the maker's orders to where they belong, in an order in which no two meet."""
        gap = max(1, price_ticks * SPREAD_E6 // RATIO_ONE_E6)
        # A buyer finds the price on the ask side, a seller on the bid side.
        bid = price_ticks - (gap if trade.side == BUY else 0)
        ask = price_ticks + (gap if trade.side == SELL else 0)
        best = {BUY: bid, SELL: ask}
        maker = self._makers.maker
        resting = self._view.resting(maker, terms.id)
        asks_in_the_way = any(order.side == SELL and order.price_ticks <= bid for order in resting)
        commands: list[tuple[int, Command]] = []
        for side in (SELL, BUY) if asks_in_the_way else (BUY, SELL):
            if best[side] < 1:
                continue
            extra_steps = trade.steps if side != trade.side else 0
            wanted = _ladder(terms, side, best[side], base_e12, extra_steps)
            own = [order for order in resting if order.side == side]
            commands += [(maker, command) for command in self._changes(terms, side, wanted, own)]
        return commands

    def _changes(
        self, terms: PairTerms, side: int, wanted: list[Quote], own: list[Resting]
    ) -> list[Command]:
        """Turn the orders that are there into those that are wanted, with few commands."""
        missing, spare = _unmatched(wanted, own)
        maker, purse = self._makers.maker, self._purse
        commands: list[Command] = []
        for order in spare[len(missing) :]:
            purse.give_back(maker, terms, side, order.price_ticks, order.remaining_steps)
            commands.append(CancelOrder(terms.id, order.order_id, ""))
        for number, quote in enumerate(missing):
            old = spare[number] if number < len(spare) else None
            if old is not None:
                purse.give_back(maker, terms, side, old.price_ticks, old.remaining_steps)
            price_ticks = quote.price_ticks
            steps = purse.take(maker, terms, side, price_ticks, quote.steps)
            if steps < least_steps(terms, price_ticks):
                purse.give_back(maker, terms, side, price_ticks, steps)
                if old is not None:
                    commands.append(CancelOrder(terms.id, old.order_id, ""))
            elif old is not None:
                commands.append(ReplaceOrder(terms.id, old.order_id, "", price_ticks, steps, ""))
            else:
                commands.append(_place(terms, side, price_ticks, steps, GTC, STP_CANCEL_TAKER))
        return commands


def _ladder(
    terms: PairTerms, side: int, best_ticks: int, base_e12: int, extra_steps: int
) -> list[Quote]:
    away = 1 if side == SELL else -1
    quotes = []
    for number, (offset_e6, value) in enumerate(LADDER):
        distance = best_ticks * offset_e6 // RATIO_ONE_E6
        price_ticks = best_ticks + away * max(distance, number)
        if price_ticks < 1:
            break
        worth = value if terms.base in DEEP else value // THIN
        steps = max(steps_worth(terms, worth, base_e12), least_steps(terms, price_ticks))
        enough = steps // 2
        if number == 0:
            steps = min(steps + extra_steps, terms.max_size_steps)
            enough = min(enough + extra_steps, steps)
        quotes.append(Quote(price_ticks, steps, distance // 4, enough))
    return quotes


def _unmatched(wanted: list[Quote], own: list[Resting]) -> tuple[list[Quote], list[Resting]]:
    """Return the quotes that no order serves, and the orders that serve none."""
    spare = list(own)
    missing = []
    for quote in wanted:
        kept = next((order for order in spare if _serves(order, quote)), None)
        if kept is None:
            missing.append(quote)
        else:
            spare.remove(kept)
    return missing, spare


def _serves(order: Resting, quote: Quote) -> bool:
    """Say whether an order may stay for a quote."""
    near = abs(order.price_ticks - quote.price_ticks) <= quote.slack_ticks
    return near and quote.enough_steps <= order.remaining_steps <= 2 * quote.steps


def _place(
    terms: PairTerms, side: int, price_ticks: int, steps: int, force: int, stp: int
) -> PlaceOrder:
    return PlaceOrder(
        terms.id, side, LIMIT, force, NORMAL, stp, price_ticks, steps, 0, "", SOURCE_API
    )
