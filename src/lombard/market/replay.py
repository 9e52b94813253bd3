"""A recorded market, replayed in exchange time.

The first candle of the tape is the one in which exchange time stood when the market was started;
the candles lie on multiples of their interval, as those of the history do. At every moment that
`next_due_ms` names the makers move to the tape's price and trade, and where a minute (or a shorter
candle) has ended the index is published: the book is in place before the index moves.

**Who drives it** asks for the commands of one moment at a time, submits all of them in their order
at that moment, waits until they are applied, and asks again until nothing is due:

    while market.next_due_ms() <= now_ms:
        for each in market.commands_until(now_ms, view): ...

When the clock is put forward, all that lies between is played through, in about `MOMENTS_MAX`
moments at most: as it is for two hours of a minute's recording, then with fewer moments in a
candle, then with several candles taken as one. A clock that runs on its own cannot stamp commands
in the past: when it has left the market behind (`is_behind`: a suspended machine, a speed that is
too much for it), and after a restart, `skip_to` goes on from now.

**After a restart** the market is where exchange time is: give the same recording, seed and
`start_ms` again (`lombard.market.standing` keeps them) and the time to go on from. The same calls
with the same state give the same commands.
"""

from typing import Final, NamedTuple

from lombard.core.commands import BUY, SELL, VENUE, Command, SetIndexPrices
from lombard.core.units import POW10, PRICE_ONE_E12
from lombard.market.index import MINUTE_MS, draw
from lombard.market.makers import (
    TRADE_VALUE_MAX,
    Desk,
    Makers,
    Trade,
    least_steps,
    steps_worth,
)
from lombard.market.tape import Market, Path, Tape
from lombard.market.view import MarketView, PairTerms

# A clock put forward is followed in about this many moments.
MOMENTS_MAX: Final = 720
# A replayed index is a finished one, and stale after three candles (RULES 7.7).
SOURCES: Final = 2
FRESH_CANDLES: Final = 3

_PACE_MS: Final = 10_000


class MarketCommand(NamedTuple):
    """Who asks what, and when it is due in exchange time."""

    time_ms: int
    account: int
    command: Command


class Stretch(NamedTuple):
    """`candles` of them from `candle` on, played as one in `parts` moments."""

    candle: int
    candles: int
    parts: int


class ReplayMarket:
    """A tape in exchange time. It holds a place on the tape, and nothing of the exchange."""

    def __init__(
        self, tape: Tape, start_ms: int, makers: Makers, resume_ms: int | None = None
    ) -> None:
        self._tape = tape
        self._makers = makers
        # Where candle 0 begins.
        self._origin_ms = start_ms - start_ms % tape.interval_ms
        self._target_ms = -1
        self._count = 1
        self._parts = parts_of_candle(tape.interval_ms)
        # Of the stretch that is played, by pair.
        self._paths: dict[str, Path] = {}
        self.skip_to(start_ms if resume_ms is None else max(start_ms, resume_ms))

    def next_due_ms(self) -> int:
        """Say when the market next has something to do, in exchange time."""
        return self._moment_ms(self._part) if self._opening_ms is None else self._opening_ms

    def is_behind(self, now_ms: int) -> bool:
        """Say whether more than three candles, which is when prices go stale, are waiting."""
        return now_ms - self.next_due_ms() > FRESH_CANDLES * self._tape.interval_ms

    def skip_to(self, now_ms: int) -> None:
        """Leave out what was due before `now_ms`; at once prices, quotes and a trade are."""
        assert now_ms >= self._origin_ms, "Refused: the market had not begun then"
        since_ms = now_ms - self._origin_ms
        parts = parts_of_candle(self._tape.interval_ms)
        self._stretch = Stretch(since_ms // self._tape.interval_ms, 1, parts)
        self._part = since_ms % self._tape.interval_ms * parts // self._tape.interval_ms
        self._paths.clear()
        self._opening_ms: int | None = now_ms

    def commands_until(self, now_ms: int, view: MarketView) -> list[MarketCommand]:
        """Return the commands of the next moment due, none if there is none by `now_ms`.

        The moment is done with: whether its commands are carried out is up to the caller.
        """
        due_ms = self.next_due_ms()
        if due_ms > now_ms:
            return []
        opening = self._opening_ms is not None
        self._opening_ms = None
        if not opening and self._part == self._stretch.parts:
            self._next_stretch(now_ms)
        desk = Desk(view, self._makers)
        commands: list[tuple[int, Command]] = []
        for terms in view.pairs():
            commands += self._trade(desk, terms, opening)
        index = self._index(view, opening)
        if index is not None:
            commands.append((VENUE, index))
        self._part += 1
        return [MarketCommand(due_ms, account, command) for account, command in commands]

    def _moment_ms(self, part: int) -> int:
        candle, count, parts = self._stretch
        interval_ms = self._tape.interval_ms
        return self._origin_ms + candle * interval_ms + count * interval_ms * part // parts

    def _next_stretch(self, now_ms: int) -> None:
        """Go on to the candles that follow, so many at once as the time to be made up asks for."""
        candle = self._stretch.candle + self._stretch.candles
        ahead = (now_ms - self._origin_ms) // self._tape.interval_ms - candle
        if now_ms != self._target_ms:
            self._target_ms = now_ms
            self._count, self._parts = _pace(self._tape.interval_ms, ahead)
        if ahead < self._count:
            # What is left of a jump is less than a stretch of it.
            self._count, self._parts = _pace(self._tape.interval_ms, ahead)
        self._stretch = Stretch(candle, self._count, self._parts)
        self._part = 0
        self._paths.clear()

    def _index(self, view: MarketView, opening: bool) -> SetIndexPrices | None:
        """Return the prices to publish if a minute, or a candle, ends with this moment."""
        candle, count, parts = self._stretch
        steps = steps_of_candle(self._tape.interval_ms) * count
        step = self._part * steps // parts
        if not opening and self._part and step == (self._part - 1) * steps // parts:
            return None
        coins = view.coins()
        max_age_ms = FRESH_CANDLES * self._tape.interval_ms
        whole, rest = divmod(step * count, steps)
        prices = [
            (coins[name].id, self._tape.index_e12(name, candle + whole, rest, steps))
            for name in self._tape.coins()
            if name in coins
        ]
        published = [(coin, price_e12, SOURCES, 0, max_age_ms) for coin, price_e12 in prices]
        if opening and "USDT" in coins:
            # It is what prices are counted in: 1, and never stale.
            published.append((coins["USDT"].id, PRICE_ONE_E12, SOURCES, 0, 0))
        return SetIndexPrices(published)

    def _trade(self, desk: Desk, terms: PairTerms, opening: bool) -> list[tuple[int, Command]]:
        """Return the makers' commands for a pair at this moment."""
        market = Market(terms.symbol, terms.base, terms.quote)
        if not self._tape.knows(market):
            return []
        candle, count, _ = self._stretch
        path = self._paths.get(terms.symbol)
        if path is None:
            path = self._paths[terms.symbol] = self._tape.path(market, candle, count)
        price_ticks = self._ticks(market, path, terms, self._part)
        if price_ticks < 1:
            return []
        base_e12 = self._tape.index_e12(terms.base, candle)
        trade = self._taken(market, path, terms, price_ticks, base_e12)
        if opening and not trade.steps:
            # A ticker needs a first price.
            trade = Trade(trade.side, least_steps(terms, price_ticks))
        return desk.orders(terms, price_ticks, base_e12, trade)

    def _ticks(self, market: Market, path: Path, terms: PairTerms, part: int) -> int:
        candle, count, parts = self._stretch
        price_e12 = self._tape.price_e12(market, path, candle, count, part, parts - 1)
        return (price_e12 + terms.tick_e12 // 2) // terms.tick_e12

    def _taken(
        self, market: Market, path: Path, terms: PairTerms, price_ticks: int, base_e12: int
    ) -> Trade:
        """Say what is traded at this moment: bought when the price rises, sold when it falls."""
        candle, _, parts = self._stretch
        bits = draw(self._tape.seed, market.symbol, -1 - candle * parts - self._part)
        before_ticks = price_ticks
        if self._part:
            before_ticks = self._ticks(market, path, terms, self._part - 1)
        side = (BUY, SELL)[bits & 1]
        if price_ticks != before_ticks:
            side = BUY if price_ticks > before_ticks else SELL
        if not path.volume_e8:
            return Trade(side, 0)
        # Between half and one and a half of an even share.
        share_e8 = path.volume_e8 * (50 + (bits >> 1) % 101) // (100 * parts)
        steps = share_e8 * POW10[terms.base_decimals] // (POW10[8] * terms.step_units)
        most = steps_worth(terms, TRADE_VALUE_MAX, base_e12)
        return Trade(side, max(min(steps, most), least_steps(terms, price_ticks)))


def steps_of_candle(interval_ms: int) -> int:
    """Return how many times a candle publishes the index: once a minute, but once at least."""
    return max(1, interval_ms // MINUTE_MS)


def parts_of_candle(interval_ms: int) -> int:
    """Return in how many moments a candle is played when there is time.

    About every ten seconds, in long candles every minute. The first and the last are the open and
    the close, and two between them, a third of the way from either, the lowest and the highest.
    """
    thirds = min(interval_ms // (3 * _PACE_MS), max(120, steps_of_candle(interval_ms) // 3))
    return 3 * max(1, thirds) + 1


def _pace(interval_ms: int, candles: int) -> tuple[int, int]:
    """Return how many candles to play as one, and in how many moments, with so many still due."""
    fine = parts_of_candle(interval_ms)
    parts = MOMENTS_MAX // max(1, candles)
    if parts >= 4:
        return 1, min(fine, (parts - 1) // 3 * 3 + 1)
    return -(-4 * candles // MOMENTS_MAX), 4
